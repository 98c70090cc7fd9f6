"""JUnit's XML, for servers that show test results.

Source: the schema of Jenkins' xUnit plugin, the strictest of those who read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from xml.etree.ElementTree import Element

from gunilint.findings import Finding, Report
from gunilint.report import told
from gunilint.report.terminal import escape
from gunilint.report.xml import document, element


def render(report: Report) -> str:
    """A suite for each file and a test case for each finding; a clean run is one that passes.

    Errors and warnings are failures. A note is a test that was skipped, which fails no run.
    """
    root = element(None, "testsuites", {"name": "gunilint", **_counts(report.findings)})
    for path, group in groupby(
        report.findings, lambda finding: report.display(finding.primary.span.source)
    ):
        findings = tuple(group)
        suite = _suite(root, path, findings)
        for finding in findings:
            _case(suite, finding, path, report)
    if not report.findings:
        suite = _suite(root, "gunilint", ())
        element(suite, "testcase", {"name": "no problems", "classname": "gunilint", "time": 0})
    return document(root)


def _suite(root: Element, name: str, findings: Sequence[Finding]) -> Element:
    skipped = sum(finding.severity == "note" for finding in findings)
    return element(root, "testsuite", {"name": name, **_counts(findings), "skipped": skipped})


def _counts(findings: Sequence[Finding]) -> dict[str, object]:
    failures = sum(finding.severity != "note" for finding in findings)
    return {"tests": max(1, len(findings)), "failures": failures, "errors": 0, "time": 0}


def _case(suite: Element, finding: Finding, path: str, report: Report) -> None:
    span, rule = finding.primary.span, finding.rule
    place = f"{span.line}:{span.column}"
    name = f"{rule.code} {rule.name} at {place}"
    case = element(suite, "testcase", {"name": name, "classname": path, "time": 0})
    words = told(finding, report.display)
    kind = "skipped" if finding.severity == "note" else "failure"
    text = f"{escape(path)}:{place}: {words}"
    element(case, kind, {"type": finding.severity, "message": words}, text)
