"""SARIF 2.1.0, as GitHub code scanning reads it.

Sources: the SARIF support page of GitHub's documentation; the OASIS standard for the rest.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from gunilint import __version__
from gunilint.command import Label
from gunilint.findings import Edit, Finding, Report
from gunilint.fingerprint import fingerprints, line_hashes
from gunilint.grades import severity_rank
from gunilint.regex import regex
from gunilint.report import HOMEPAGE, described, rule_url, sentence
from gunilint.report.terminal import escape
from gunilint.rules import Rule
from gunilint.source import Source, Span

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
_DESCRIPTION_LIMIT = 1024
"""The characters that GitHub takes of a rule's descriptions."""
_SNIPPET_LIMIT = 2000
"""The characters of source above which a snippet is left out."""
_HASHED = 128 * 1024
"""The most characters of a file whose lines are hashed."""
_CONTEXT = 2
"""The lines of context before and after a region."""
_RESULTS_LIMIT = 25_000
"""The results above which GitHub refuses a file; of those below it shows the 5,000 worst."""
_RELATED_LIMIT = 100
"""The related places of a result that GitHub takes."""
_PROBLEM_SEVERITY = {"error": "error", "warning": "warning", "note": "recommendation"}
_BRACKETS = regex(r"([\[\]\\])")


def render(report: Report) -> str:
    """One SARIF log with one run, in ASCII."""
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(report)]}
    return json.dumps(log, indent=2) + "\n"


def _run(report: Report) -> dict[str, Any]:
    findings = _worst(report.findings)
    used = (finding.rule for finding in findings)
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
        "invocations": [_invocation(len(report.findings) - len(findings))],
        "automationDetails": {"id": "gunilint/"},
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "columnKind": "unicodeCodePoints",
        "results": list(_results(findings, report, codes)),
    }


def _worst(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """As many of the worst findings as GitHub takes, still in report order."""
    numbers = sorted(
        range(len(findings)), key=lambda number: -severity_rank(findings[number].severity)
    )
    return tuple(findings[number] for number in sorted(numbers[:_RESULTS_LIMIT]))


def _invocation(left_out: int) -> dict[str, Any]:
    if not left_out:
        return {"executionSuccessful": True}
    text = f"{left_out} more findings are left out: GitHub refuses over {_RESULTS_LIMIT} of them."
    return {
        "executionSuccessful": True,
        "toolExecutionNotifications": [{"level": "warning", "message": {"text": text}}],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    first = rule.background.why.strip().split("\n\n")[0]
    return {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": _clipped(rule.summary)},
        "fullDescription": {"text": _clipped(first or rule.summary)},
        "help": {"text": _help_text(rule), "markdown": _help_markdown(rule)},
        **({"helpUri": url} if (url := rule_url(rule)) else {}),
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
    told = rule.background
    parts = (sentence(rule.summary), told.reasons(), told.remedy.strip(), *told.references)
    return "\n\n".join(filter(None, parts))


def _help_markdown(rule: Rule) -> str:
    parts, told = [sentence(rule.summary)], rule.background
    for title, text in (("Why", told.reasons()), ("What to do", told.remedy)):
        parts += [f"## {title}", text.strip()] if text else []
    if told.references:
        parts += ["## More", "\n".join(f"- <{reference}>" for reference in told.references)]
    return "\n\n".join(parts)


def _results(
    findings: Sequence[Finding], report: Report, codes: list[str]
) -> Iterator[dict[str, Any]]:
    hashes: dict[Source, tuple[str, ...]] = {}
    indices = {code: index for index, code in enumerate(codes)}
    for finding, fingerprint in zip(findings, fingerprints(report, findings), strict=True):
        span = finding.primary.span
        yield {
            "ruleId": finding.rule.code,
            "ruleIndex": indices[finding.rule.code],
            "kind": "fail",
            "level": finding.severity,
            "message": {"text": _message(finding, report)},
            "locations": [_location(finding.primary, report)],
            "relatedLocations": [
                {"id": number, **_location(label, report)} for number, label in _numbered(finding)
            ],
            **_flow(finding, report),
            **_fixes(finding, report),
            "partialFingerprints": {
                **_line_hash(span, hashes),
                "gunilint/v1": fingerprint,
            },
        }


def _numbered(finding: Finding) -> Iterator[tuple[int, Label]]:
    """The related places with their ids."""
    return enumerate(finding.related[:_RELATED_LIMIT], 1)


def _flow(finding: Finding, report: Report) -> dict[str, Any]:
    """The steps from the unit or script that starts all to the finding."""
    if not finding.chain:
        return {}
    last = Label(finding.primary.span, finding.primary.text or finding.message)
    steps = [{"location": _location(label, report)} for label in (*finding.chain, last)]
    return {"codeFlows": [{"threadFlows": [{"locations": steps}]}]}


def _fixes(finding: Finding, report: Report) -> dict[str, Any]:
    """The fix as SARIF has it: for each file what to delete and what to insert instead."""
    if finding.fix is None or not finding.fix.edits:
        return {}
    by_source: dict[Source, list[Edit]] = {}
    for edit in finding.fix.edits:
        by_source.setdefault(edit.span.source, []).append(edit)
    changes = [
        {
            "artifactLocation": {"uri": _uri(report.uri(source)), "uriBaseId": _ROOT},
            "replacements": [
                {
                    "deletedRegion": _extent(edit.span),
                    **({"insertedContent": {"text": text}} if (text := edit.replacement) else {}),
                }
                for edit in edits
            ],
        }
        for source, edits in by_source.items()
    ]
    title = _unlinked(sentence(escape(finding.fix.title)))
    return {"fixes": [{"description": {"text": title}, "artifactChanges": changes}]}


def _extent(span: Span) -> dict[str, Any]:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _line_hash(span: Span, hashes: dict[Source, tuple[str, ...]]) -> dict[str, str]:
    """The line's hash; none where the uploader, who has the file, is to compute it.

    That is so for a file with a secret, and for one that is too long.

    The hash of the masked text would differ from the uploader's, and that of the file's text lets
    guesses at the secret be tried.
    """
    source = span.source
    if source.masked or len(source.text) > _HASHED:
        return {}
    if source not in hashes:
        hashes[source] = line_hashes(source.text)
    return {"primaryLocationLineHash": hashes[source][span.line - 1]}


def _message(finding: Finding, report: Report) -> str:
    """The message, what to do, and links to the related locations by their ids."""
    text = _unlinked(sentence(escape(finding.message)))
    if finding.help:
        text += f" Help: {_unlinked(sentence(escape(finding.help)))}"
    if finding.related:
        links = (
            f"[{_literal(described(label, report.uri))}]({number})"
            for number, label in _numbered(finding)
        )
        text += f" See {', '.join(links)}."
    return text


def _literal(text: str) -> str:
    """`text` with its brackets escaped, so that none of them is part of a link's syntax."""
    return _BRACKETS.sub(r"\\\1", text)


def _unlinked(text: str) -> str:
    """`text` as it is, unless something in it would be taken for a link."""
    return _literal(text) if "](" in text else text


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
