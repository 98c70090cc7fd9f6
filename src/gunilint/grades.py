"""How bad a finding is, and how sure."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

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
