"""Report formats, one module each, and what they share."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gunilint import __version__

if TYPE_CHECKING:
    from gunilint.findings import Report
    from gunilint.rules import Rule

HOMEPAGE = "https://github.com/gunilint/gunilint"


def rule_url(rule: Rule) -> str:
    """Where the rule can be read in this version of gunilint."""
    return f"{HOMEPAGE}/blob/v{__version__}/rules/{rule.code}-{rule.name}.yaml"


def fixable(report: Report) -> int:
    """How many findings `--fix` can repair."""
    return sum(finding.fix is not None and finding.fix.safe for finding in report.findings)


def summary(report: Report) -> str:
    """The run in one line: what was found, in how much."""
    deployments, files = _count(report.deployments, "deployment"), _count(report.files, "file")
    if report.findings:
        found = Counter(finding.severity for finding in report.findings)
        kinds = [_count(found[kind], kind) for kind in ("error", "warning", "note") if found[kind]]
        problems = _count(len(report.findings), "problem")
        text = f"{problems} ({', '.join(kinds)}) in {deployments}, {files}"
    else:
        text = f"{files} checked, {deployments}, no problems"
    if report.suppressed:
        text += f"; {report.suppressed} suppressed"
    if fixable(report):
        text += f"; {fixable(report)} fixable with --fix"
    return text


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
