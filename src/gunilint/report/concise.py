"""One line for each finding, made for grep and editors. The summary is not part of it."""

from __future__ import annotations

from gunilint.findings import Finding, Report
from gunilint.report.terminal import escape


def render(report: Report) -> str:
    """`path:line:column: CODE severity message (name)` for each finding."""
    return "".join(_line(finding, report) + "\n" for finding in report.findings)


def _line(finding: Finding, report: Report) -> str:
    span, rule = finding.primary.span, finding.rule
    place = f"{report.display(span.source)}:{span.line}:{span.column}"
    return escape(f"{place}: {rule.code} {finding.severity} {finding.message} ({rule.name})")
