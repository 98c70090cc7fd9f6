"""The Diagnostic Format of reviewdog, with fixes as suggestions.

Source: `proto/rdf/reviewdog.proto` of https://github.com/reviewdog/reviewdog
"""

from __future__ import annotations

import json
from typing import Any

from gunilint.edits import apply
from gunilint.findings import Finding, Report
from gunilint.report import HOMEPAGE, representable, rule_url, told
from gunilint.source import Source, Span

_SEVERITIES = {"error": "ERROR", "warning": "WARNING", "note": "INFO"}


def render(report: Report) -> str:
    """One `DiagnosticResult` in ASCII; paths are from the working directory."""
    document = {
        "source": {"name": "gunilint", "url": HOMEPAGE},
        "diagnostics": [_diagnostic(finding, report) for finding in report.findings],
    }
    return json.dumps(document, indent=2) + "\n"


def _diagnostic(finding: Finding, report: Report) -> dict[str, Any]:
    span, url = finding.primary.span, rule_url(finding.rule)
    suggestion = _suggestion(finding)
    return {
        "message": told(finding, report.display),
        "location": {"path": representable(report.display(span.source)), "range": _range(span)},
        "severity": _SEVERITIES[finding.severity],
        "code": {"value": finding.rule.code, **({"url": url} if url else {})},
        **({"suggestions": [suggestion]} if suggestion else {}),
    }


def _suggestion(finding: Finding) -> dict[str, Any] | None:
    """The fix as one replacement, since each suggestion is applied by itself.

    It takes the place of the finding in, as reviewdog shows a suggestion where its comment is. None
    where it can't be one: it changes several files, writes what isn't text, or there is a secret in
    the file, of which neither the text nor its length in bytes is known here.
    """
    edits, span = finding.fix.edits if finding.fix else (), finding.primary.span
    source = span.source
    if not edits or source.masked or any(edit.span.source != source for edit in edits):
        return None
    start = min(span.start, *(edit.span.start for edit in edits))
    end = max(span.end, *(edit.span.end for edit in edits))
    fixed = apply(source.text, edits)
    text = fixed[start : len(fixed) - (len(source.text) - end)]
    if representable(text) != text:
        return None
    for line_end in ("\r\n", "\n"):
        # a line put below that of the finding: the range needn't reach into the next one
        if text.endswith(line_end) and source.text.endswith(line_end, start, end):
            text, end = text.removesuffix(line_end), end - len(line_end)
            break
    return {"range": _range(source.span(start, end)), "text": text}


def _range(span: Span) -> dict[str, Any]:
    return {"start": _position(span.source, span.start), "end": _position(span.source, span.end)}


def _position(source: Source, offset: int) -> dict[str, int]:
    """The 1-based line and column, which reviewdog counts in the bytes of UTF-8."""
    line, column = source.position(offset)
    before = source.text[offset - column + 1 : offset]
    return {"line": line, "column": len(before.encode("utf-8", "surrogatepass")) + 1}
