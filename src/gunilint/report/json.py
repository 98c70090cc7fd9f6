"""The format for programs. Its `version` changes when a key is removed or changes meaning."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from gunilint.findings import Finding, Fix, Report
from gunilint.fingerprint import fingerprints
from gunilint.report import fixable
from gunilint.source import Span

VERSION = 1


def render(report: Report) -> str:
    """One JSON object, in ASCII, so that undecodable bytes of a path survive too."""
    document = {
        "version": VERSION,
        "findings": [
            _finding(finding, fingerprint, report)
            for finding, fingerprint in zip(report.findings, fingerprints(report), strict=True)
        ],
        "summary": _summary(report),
    }
    return json.dumps(document, indent=2) + "\n"


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
        "fix": _fix(finding.fix),
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


def _fix(fix: Fix | None) -> dict[str, Any] | None:
    return {"title": fix.title, "safe": fix.safe} if fix else None


def _summary(report: Report) -> dict[str, int]:
    found = Counter(finding.severity for finding in report.findings)
    return {
        "errors": found["error"],
        "warnings": found["warning"],
        "notes": found["note"],
        "deployments": report.deployments,
        "files": report.files,
        "suppressed": report.suppressed,
        "fixable": fixable(report),
    }
