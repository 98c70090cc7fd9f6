"""Findings, and the report of a run that every output format is made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from gunilint.command import Label
from gunilint.source import Source, Span

if TYPE_CHECKING:
    from gunilint.rules import Rule

Severity: TypeAlias = Literal["error", "warning", "note"]
"""How bad the consequence is, the worst first."""

Confidence: TypeAlias = Literal["high", "medium", "low"]
"""How sure gunilint is of it, the surest first."""


def severity_rank(severity: Severity) -> int:
    """A number that is higher for the worse severity."""
    return -get_args(Severity).index(severity)


def confidence_rank(confidence: Confidence) -> int:
    """A number that is higher for the surer confidence."""
    return -get_args(Confidence).index(confidence)


@dataclass(frozen=True, slots=True)
class Edit:
    """Text that takes the place of a span."""

    span: Span
    replacement: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that remove the cause of a finding.

    A safe fix keeps what the deployment does, apart from the pitfall itself.
    """

    title: str
    edits: tuple[Edit, ...]
    safe: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """One pitfall: where it is, what it rests on elsewhere, and what to do (`help`, one line)."""

    rule: Rule
    severity: Severity
    confidence: Confidence
    message: str
    primary: Label
    related: tuple[Label, ...] = ()
    help: str | None = None
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What one run found, in report order: by path, line, column, code.

    `rules` are all that were enabled, in code order. A source knows its path below its own
    project's root only: `display` gives it relative to the working directory, `uri` relative to
    the repository's root, both with `/` separators and unescaped.
    """

    findings: tuple[Finding, ...]
    rules: tuple[Rule, ...]
    deployments: int
    files: int
    suppressed: int
    display: Callable[[Source], str]
    uri: Callable[[Source], str]
