"""JUnit's and Checkstyle's XML: their schemas, and programs that read them."""

from __future__ import annotations

import json
from io import StringIO
from xml.etree import ElementTree

import pytest
from junitparser import JUnitXml
from lxml import etree

from gunilint.findings import Report
from gunilint.report import checkstyle, junit, told
from gunilint.source import Source

from .samples import HOSTILE_REPORTS, STOP_TIMEOUT, UNIT, at, finding, report, rule
from .validators import ROOT, package, run

MODULES = {"junit": junit, "checkstyle": checkstyle}
REPORTS = {
    "clean": report(),
    "two-files": report(STOP_TIMEOUT),
    "many": report(
        finding(at(UNIT, "notify"), rule=rule("GU401", severity="error")),
        STOP_TIMEOUT,
        finding(at(Source("deploy/start.sh", "x"), "x"), rule=rule("GU502", severity="note")),
    ),
    **HOSTILE_REPORTS,
}


@pytest.mark.parametrize("report_", REPORTS.values(), ids=REPORTS)
@pytest.mark.parametrize("name", MODULES)
def test_document_follows_the_schema(name: str, report_: Report) -> None:
    text = MODULES[name].render(report_)
    assert text.isascii()
    document = etree.fromstring(text.encode("ascii"))
    schema = etree.XMLSchema(etree.parse(ROOT / f"tests/data/{name}.xsd"))
    schema.assertValid(document)
    assert not document.xpath("//comment()")
    assert ElementTree.fromstring(text).tag == document.tag


def read_junit(report_: Report) -> JUnitXml:
    return JUnitXml.fromstring(junit.render(report_).encode("ascii"))


def test_junitparser_reads_every_finding() -> None:
    suites = list(read_junit(REPORTS["many"]))
    assert [(suite.name, suite.tests, suite.failures, suite.skipped) for suite in suites] == [
        ("app.service", 2, 2, 0),
        ("start.sh", 1, 0, 1),
    ]
    cases = [case for suite in suites for case in suite]
    assert [(case.classname, case.name, case.result[0].type) for case in cases] == [
        ("app.service", "GU401 stop-timeout-too-short at 2:6", "error"),
        ("app.service", "GU203 stop-timeout-too-short at 4:1", "warning"),
        ("start.sh", "GU502 stop-timeout-too-short at 1:1", "note"),
    ]
    assert [case.is_failure for case in cases] == [True, True, False]
    assert [case.is_skipped for case in cases] == [False, False, True]
    words = told(STOP_TIMEOUT, REPORTS["many"].display)
    assert cases[1].result[0].message == words
    assert cases[1].result[0].text == f"app.service:4:1: {words}"


def test_clean_run_is_a_test_that_passes() -> None:
    ((case,),) = read_junit(report())
    assert (case.name, case.is_passed) == ("no problems", True)


@pytest.mark.parametrize("run_", HOSTILE_REPORTS.values(), ids=HOSTILE_REPORTS)
def test_junitparser_reads_hostile_names_and_messages(run_: Report) -> None:
    ((case,),) = read_junit(run_)
    assert case.classname == legal(run_.display(run_.findings[0].primary.span.source))
    assert case.result[0].message == legal(told(run_.findings[0], run_.display))


def legal(text: str) -> str:
    """`text` with what XML can't or shouldn't carry written out."""
    illegal = "\x01\x1b\x7f\x85\udcff\udc80\ufffe\uffff"
    return "".join(repr(char)[1:-1] if char in illegal else char for char in text)


READER = """
const { parseCheckstyle } = require("danger-plugin-lint-report/dist/parse/checkstyle_parser");
const tree = require("xml-js").xml2js(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(parseCheckstyle(tree, "/nowhere")));
"""


def test_danger_reads_checkstyle() -> None:
    modules = package("danger-plugin-lint-report").parent
    report_ = REPORTS["many"]
    output = run("node", "-e", READER, text=checkstyle.render(report_), folder=modules.parent)
    read = json.loads(output)
    assert [(each["file"], each["line"], each["column"], each["severity"]) for each in read] == [
        ("app.service", 2, 6, "error"),
        ("app.service", 4, 1, "warning"),
        ("start.sh", 1, 1, "info"),
    ]
    assert read[1]["message"] == told(STOP_TIMEOUT, report_.display)


@pytest.mark.parametrize("run_", HOSTILE_REPORTS.values(), ids=HOSTILE_REPORTS)
def test_checkstyle_keeps_hostile_names_and_messages(run_: Report) -> None:
    (file,) = ElementTree.parse(StringIO(checkstyle.render(run_))).getroot()
    (error,) = file
    assert file.get("name") == legal(run_.display(run_.findings[0].primary.span.source))
    assert error.get("message") == legal(told(run_.findings[0], run_.display))
    assert error.get("source") == "gunilint.timeouts.GU203"
