"""Checkstyle's XML, which most collectors of warnings read."""

from __future__ import annotations

from itertools import groupby

from gunilint.findings import Report
from gunilint.report import told
from gunilint.report.xml import document, element

_SEVERITIES = {"error": "error", "warning": "warning", "note": "info"}


def render(report: Report) -> str:
    """The findings of each file; `source` ends in the rule's category and its code."""
    root = element(None, "checkstyle", {"version": "4.3"})
    for path, findings in groupby(
        report.findings, lambda finding: report.display(finding.primary.span.source)
    ):
        file = element(root, "file", {"name": path})
        for finding in findings:
            span, rule = finding.primary.span, finding.rule
            written = {
                "line": span.line,
                "column": span.column,
                "severity": _SEVERITIES[finding.severity],
                "message": told(finding, report.display),
                "source": f"gunilint.{rule.category}.{rule.code}",
            }
            element(file, "error", written)
    return document(root)
