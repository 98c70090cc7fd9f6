"""Findings, and the report of a run that every output format is made from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from gunilint.command import Label
from gunilint.grades import Confidence, Severity
from gunilint.source import Source, Span

if TYPE_CHECKING:
    from gunilint.report.overview import Show
    from gunilint.rules import Rule
    from gunilint.suppress import Suppression


class Edit(Struct, frozen=True):
    """Text that takes the place of a span."""

    span: Span
    replacement: str


class Fix(Struct, frozen=True):
    """Edits that remove the cause of a finding.

    A safe fix keeps what the deployment does, apart from the pitfall itself. In a report one that
    would show a secret has no edits.
    """

    title: str
    edits: tuple[Edit, ...]
    safe: bool


class Finding(Struct, frozen=True):
    """One pitfall: where it is, what it rests on elsewhere, and what to do (`help`, one line).

    `chain` are the steps in other files that lead to it, from the unit or script that starts all.
    """

    rule: Rule
    severity: Severity
    confidence: Confidence
    message: str
    primary: Label
    related: tuple[Label, ...] = ()
    chain: tuple[Label, ...] = ()
    help: str | None = None
    fix: Fix | None = None


class Report(Struct, frozen=True):
    """What one run found, in report order: by path, line, column, code.

    `suppressed` are findings that comments suppress and `baselined` those that were known before;
    neither counts. `fixed` is how many known ones are gone, `repaired` how many fixes have cured.
    `rules` are all that were enabled, in code order. A source knows its path below its own
    project's root only: `display` gives it relative to the working directory, `uri` relative to
    the repository's root, both with `/` separators and unescaped. `shown` has the deployments
    themselves, where a format wants to show them.
    """

    findings: tuple[Finding, ...]
    rules: tuple[Rule, ...]
    deployments: int
    files: int
    display: Callable[[Source], str]
    uri: Callable[[Source], str]
    suppressed: tuple[tuple[Finding, Suppression], ...] = ()
    baselined: tuple[Finding, ...] = ()
    fixed: int = 0
    repaired: int = 0
    shown: Show | None = None
