"""SARIF 2.1.0, as GitHub code scanning reads it.

Sources: the SARIF support page of GitHub's documentation; the OASIS standard for the rest.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from gunilint import __version__
from gunilint.command import Label
from gunilint.findings import Finding, Report
from gunilint.fingerprint import fingerprints, line_hashes
from gunilint.report import HOMEPAGE, rule_url
from gunilint.report.terminal import escape
from gunilint.rules import Rule
from gunilint.source import Source, Span

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
_DESCRIPTION_LIMIT = 1024
"""The characters that GitHub takes of a rule's descriptions."""
_SNIPPET_LIMIT = 2000
"""The characters of source above which a snippet is left out."""
_CONTEXT = 2
"""The lines of context before and after a region."""
_PROBLEM_SEVERITY = {"error": "error", "warning": "warning", "note": "recommendation"}
_BRACKETS = re.compile(r"([\[\]\\])")


def render(report: Report) -> str:
    """One SARIF log with one run, in ASCII."""
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(report)]}
    return json.dumps(log, indent=2) + "\n"


def _run(report: Report) -> dict[str, Any]:
    used = (finding.rule for finding in report.findings)
    rules = {rule.code: rule for rule in (*report.rules, *used)}
    codes = sorted(rules)
    return {
        "tool": {
            "driver": {
                "name": "gunilint",
                "informationUri": HOMEPAGE,
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(rules[code]) for code in codes],
            }
        },
        "invocations": [{"executionSuccessful": True}],
        "automationDetails": {"id": "gunilint/"},
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "columnKind": "unicodeCodePoints",
        "results": list(_results(report, codes)),
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": _clipped(rule.summary)},
        "fullDescription": {"text": _clipped(rule.why.strip().split("\n\n")[0])},
        "help": {"text": _help_text(rule), "markdown": _help_markdown(rule)},
        "helpUri": rule_url(rule),
        "defaultConfiguration": {"level": rule.severity},
        "properties": _properties(rule),
    }


def _properties(rule: Rule) -> dict[str, Any]:
    """GitHub takes a rule for a security matter if it has that tag and a `security-severity`."""
    grades: dict[str, Any] = {
        "precision": rule.confidence,
        "problem.severity": _PROBLEM_SEVERITY[rule.severity],
    }
    if rule.security_severity is None:
        return {"tags": ["reliability", rule.category], **grades}
    weakness = [f"external/cwe/cwe-{rule.cwe:03}"] if rule.cwe is not None else []
    tags = list(dict.fromkeys(("security", *weakness, rule.category)))
    return {"tags": tags, **grades, "security-severity": rule.security_severity}


def _clipped(text: str) -> str:
    """`text` on one line, short enough for GitHub."""
    line = " ".join(text.split())
    return line if len(line) <= _DESCRIPTION_LIMIT else line[: _DESCRIPTION_LIMIT - 3] + "..."


def _help_text(rule: Rule) -> str:
    parts = (_sentence(rule.summary), rule.why.strip(), rule.remedy.strip(), *rule.references)
    return "\n\n".join(parts)


def _help_markdown(rule: Rule) -> str:
    parts = [_sentence(rule.summary), "## Why", rule.why.strip()]
    parts += ["## What to do", rule.remedy.strip()]
    if rule.references:
        parts += ["## More", "\n".join(f"- <{reference}>" for reference in rule.references)]
    return "\n\n".join(parts)


def _results(report: Report, codes: list[str]) -> Iterator[dict[str, Any]]:
    hashes: dict[Source, tuple[str, ...]] = {}
    for finding, fingerprint in zip(report.findings, fingerprints(report), strict=True):
        span = finding.primary.span
        if span.source not in hashes:
            hashes[span.source] = line_hashes(span.source.text)
        yield {
            "ruleId": finding.rule.code,
            "ruleIndex": codes.index(finding.rule.code),
            "kind": "fail",
            "level": finding.severity,
            "message": {"text": _message(finding, report)},
            "locations": [_location(finding.primary, report)],
            "relatedLocations": [
                {"id": number, **_location(label, report)}
                for number, label in enumerate(finding.related, 1)
            ],
            "partialFingerprints": {
                "primaryLocationLineHash": hashes[span.source][span.line - 1],
                "gunilint/v1": fingerprint,
            },
        }


def _message(finding: Finding, report: Report) -> str:
    """The message, what to do, and links to the related locations by their ids."""
    text = _unlinked(_sentence(escape(finding.message)))
    if finding.help:
        text += f" Help: {_unlinked(_sentence(escape(finding.help)))}"
    if finding.related:
        links = (
            f"[{_literal(_described(label, report))}]({number})"
            for number, label in enumerate(finding.related, 1)
        )
        text += f" See {', '.join(links)}."
    return text


def _described(label: Label, report: Report) -> str:
    place = f"{report.uri(label.span.source)}:{label.span.line}"
    return escape(f"{place}: {label.text}" if label.text else place)


def _literal(text: str) -> str:
    """`text` with its brackets escaped, so that none of them is part of a link's syntax."""
    return _BRACKETS.sub(r"\\\1", text)


def _unlinked(text: str) -> str:
    """`text` as it is, unless something in it would be taken for a link."""
    return _literal(text) if "](" in text else text


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _location(label: Label, report: Report) -> dict[str, Any]:
    span = label.span
    place: dict[str, Any] = {
        "artifactLocation": {"uri": _uri(report.uri(span.source)), "uriBaseId": _ROOT},
        "region": _region(span),
    }
    context = _context(span)
    if context is not None:
        place["contextRegion"] = context
    location: dict[str, Any] = {"physicalLocation": place}
    if label.text:
        location["message"] = {"text": _unlinked(escape(label.text))}
    return location


def _uri(path: str) -> str:
    return quote(os.fsencode(path), safe="/@")


def _region(span: Span) -> dict[str, Any]:
    """The place of `span`; an empty one is widened to a column, since GitHub wants an extent."""
    region: dict[str, Any] = {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column if span.text else span.column + 1,
    }
    if 0 < len(span.text) <= _SNIPPET_LIMIT:
        region["snippet"] = {"text": span.text}
    return region


def _context(span: Span) -> dict[str, Any] | None:
    """The lines around `span`, if these are more than the span itself and not too long."""
    source = span.source
    first = max(1, span.line - _CONTEXT)
    final = source.position(max(0, len(source.text) - 1))[0]
    last = max(span.end_line, min(final, span.end_line + _CONTEXT))
    start, end = source.offset(first, 1), source.offset(last, 1) + len(source.line(last))
    if (start, end) == (span.start, span.end) or end - start > _SNIPPET_LIMIT:
        return None
    text = source.text[start:end]
    return {"startLine": first, "endLine": last, "snippet": {"text": text}}
