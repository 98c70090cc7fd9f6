"""Workflow commands of GitHub Actions: an annotation for each finding.

Source: `ActionCommand.cs` of https://github.com/actions/runner, the parser of these commands.
"""

from __future__ import annotations

import re

from gunilint.findings import Finding, Report
from gunilint.regex import regex
from gunilint.report import told
from gunilint.report.terminal import escape

_LEVELS = {"error": "error", "warning": "warning", "note": "notice"}
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})
_COMMAND = regex(r"^([^\w\n]*?:):|(##)\[", re.MULTILINE)


def render(report: Report) -> str:
    """A command for each finding; paths are from the repository's root."""
    return "".join(_annotation(finding, report) + "\n" for finding in report.findings)


def _annotation(finding: Finding, report: Report) -> str:
    span, rule = finding.primary.span, finding.rule
    last_line, last_column = span.last
    properties = {"file": report.uri(span.source), "line": span.line, "endLine": last_line}
    if last_line == span.line:
        # the runner drops columns of a place over several lines
        properties |= {"col": span.column, "endColumn": last_column}
    properties["title"] = f"{rule.code} {rule.name}"
    listed = ",".join(
        f"{key}={escape(str(value)).translate(_PROPERTY)}" for key, value in properties.items()
    )
    return f"::{_LEVELS[finding.severity]} {listed}::{told(finding, report.uri).translate(_DATA)}"


def harmless(text: str) -> str:
    r"""Text for the log of a workflow, in which nothing is a command any more.

    A line that starts with `::`, or has `##[` anywhere, may be one: part of that is written out
    (`:\x3a`, `##\x5b`).
    """
    return _COMMAND.sub(lambda found: (found[1] + r"\x3a") if found[1] else r"##\x5b", text)
