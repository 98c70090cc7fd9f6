"""GitLab's Code Quality report.

Source: the page on Code Quality of GitLab's documentation, and the JSON Schema that its importer
checks each entry with.
"""

from __future__ import annotations

import json
from typing import Any

from gunilint.findings import Finding, Report
from gunilint.fingerprint import fingerprints
from gunilint.report import representable, told

_SEVERITIES = {"error": "critical", "warning": "major", "note": "info"}


def render(report: Report) -> str:
    """An array with an entry for each finding, in ASCII; paths are from the repository's root."""
    marked = zip(report.findings, fingerprints(report), strict=True)
    entries = [_entry(finding, fingerprint, report) for finding, fingerprint in marked]
    return json.dumps(entries, indent=2) + "\n"


def _entry(finding: Finding, fingerprint: str, report: Report) -> dict[str, Any]:
    span = finding.primary.span
    return {
        "description": f"{finding.rule.code}: {told(finding, report.uri)}",
        "check_name": finding.rule.name,
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[finding.severity],
        "location": {
            "path": representable(report.uri(span.source)),
            "lines": {"begin": span.line, "end": span.last[0]},
        },
    }
