"""The format for programs. Its `version` changes when a key is removed or changes meaning."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from gunilint.findings import Finding, Fix, Report
from gunilint.fingerprint import fingerprints
from gunilint.report import fixable
from gunilint.source import Span
from gunilint.suppress import Suppression

VERSION = 1


def render(report: Report) -> str:
    """One JSON object, in ASCII, so that undecodable bytes of a path survive too."""
    document = {
        "version": VERSION,
        "findings": _findings(report.findings, report),
        "suppressed": [
            {**entry, "suppression": _suppression(suppression, report)}
            for entry, (_, suppression) in zip(
                _findings([finding for finding, _ in report.suppressed], report),
                report.suppressed,
                strict=True,
            )
        ],
        "baselined": _findings(report.baselined, report),
        "summary": _summary(report),
    }
    return json.dumps(document, indent=2) + "\n"


def _findings(findings: Sequence[Finding], report: Report) -> list[dict[str, Any]]:
    marked = zip(findings, fingerprints(report, findings), strict=True)
    return [_finding(finding, fingerprint, report) for finding, fingerprint in marked]


def _suppression(suppression: Suppression, report: Report) -> dict[str, Any]:
    span = suppression.span
    return {
        "path": report.display(span.source),
        "line": span.line,
        "reason": suppression.reason,
    }


def _finding(finding: Finding, fingerprint: str, report: Report) -> dict[str, Any]:
    return {
        "code": finding.rule.code,
        "name": finding.rule.name,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "message": finding.message,
        **_place(finding.primary.span, report),
        "related": [
            {**_place(label.span, report), "message": label.text} for label in finding.related
        ],
        "fix": _fix(finding.fix, report),
        "fingerprint": fingerprint,
    }


def _place(span: Span, report: Report) -> dict[str, Any]:
    return {
        "path": report.display(span.source),
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _fix(fix: Fix | None, report: Report) -> dict[str, Any] | None:
    if fix is None:
        return None
    edits = [{**_place(edit.span, report), "replacement": edit.replacement} for edit in fix.edits]
    return {"title": fix.title, "safe": fix.safe, "edits": edits}


def _summary(report: Report) -> dict[str, int]:
    found = Counter(finding.severity for finding in report.findings)
    return {
        "errors": found["error"],
        "warnings": found["warning"],
        "notes": found["note"],
        "deployments": report.deployments,
        "files": report.files,
        "suppressed": len(report.suppressed),
        "baselined": len(report.baselined),
        "fixed": report.fixed,
        "fixable": fixable(report),
        "repaired": report.repaired,
    }
