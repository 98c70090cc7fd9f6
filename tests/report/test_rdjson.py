from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gunilint.edits import apply
from gunilint.engine import lint
from gunilint.engine import report as report_of
from gunilint.findings import Edit, Fix, Report
from gunilint.report.rdjson import render
from gunilint.rules import load_rules
from gunilint.source import Source

from .samples import CONFIG, HOSTILE_REPORTS, STOP_TIMEOUT, UNIT, at, finding, report, rule
from .validators import ROOT, package, run

SCHEMA = ROOT / "tests/data/rdjson.schema.json"
WIDE = Source("deploy/a.py", "# ok\r\n\tx = '日\U0001f600é'; timeout = 20; y = 1\r\nz = 2\r\n")
TWO_EDITS = Fix(
    "set both", (Edit(at(WIDE, "z").span, "zz"), Edit(at(WIDE, "20").span, "'ü'")), safe=False
)
REPORTS = {
    "clean": report(),
    "two-files": report(STOP_TIMEOUT),
    "fixed": report(finding(at(WIDE, "20"), fix=TWO_EDITS)),
    "note": report(finding(at(UNIT, "20"), rule=rule(severity="note", team=True, references=()))),
    **HOSTILE_REPORTS,
}


@pytest.mark.parametrize("run_", REPORTS.values(), ids=REPORTS)
def test_result_follows_the_schema(run_: Report) -> None:
    text = render(run_)
    document = json.loads(text)
    schema = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert [error.message for error in schema.iter_errors(document)] == []
    assert text.isascii()
    json.dumps(document, ensure_ascii=False).encode("utf-8")


def test_validator_accepts_every_report(tmp_path: Path) -> None:
    program = package("@umbrelladocs/rdformat-validator") / "bin/rdformat-validator.js"
    fixtures = ROOT / "tests/fixtures"
    found = report_of(
        lint([fixtures / "six-pitfalls", fixtures / "open-doors"], load_rules()), ROOT
    )
    for name, run_ in {**REPORTS, "fixtures": found}.items():
        (tmp_path / f"{name}.json").write_text(render(run_))
    output = run("node", program, "--strict", "--no-extra-fields", *sorted(tmp_path.iterdir()))
    assert f"Valid files: {len(REPORTS) + 1}" in output
    # it finds a run without problems unusual
    assert "Total warnings: 1" in output


def test_diagnostic() -> None:
    document = json.loads(render(report(STOP_TIMEOUT)))
    assert document["source"]["name"] == "gunilint"
    (diagnostic,) = document["diagnostics"]
    assert diagnostic.pop("code")["url"].endswith("/docs/rules/GU203.md")
    assert diagnostic == {
        "message": "gunicorn needs up to 120 s to stop, systemd kills it after 20 s. "
        "Help: set TimeoutStopSec=130, or lower graceful_timeout. "
        "See gunicorn.conf.py:14: workers may need this long.",
        "location": {
            "path": "app.service",
            "range": {"start": {"line": 4, "column": 1}, "end": {"line": 4, "column": 18}},
        },
        "severity": "WARNING",
    }


def only(run_: Report) -> dict[str, Any]:
    (diagnostic,) = json.loads(render(run_))["diagnostics"]
    return diagnostic


def test_columns_count_bytes() -> None:
    start = only(REPORTS["fixed"])["location"]["range"]["start"]
    line = WIDE.text.encode().split(b"\r\n")[1]
    assert start == {"line": 2, "column": line.index(b"20") + 1}


def replaced(data: bytes, suggestion: dict[str, Any]) -> bytes:
    """What reviewdog makes of a file: byte columns, an end that is not part of it."""
    starts = [0, *(index + 1 for index, byte in enumerate(data) if byte == ord("\n"))]
    start, end = (
        starts[place["line"] - 1] + place["column"] - 1
        for place in (suggestion["range"]["start"], suggestion["range"]["end"])
    )
    return data[:start] + suggestion["text"].encode() + data[end:]


def test_suggestion_is_the_whole_fix() -> None:
    (suggestion,) = only(REPORTS["fixed"])["suggestions"]
    wanted = apply(WIDE.text, TWO_EDITS.edits)
    assert replaced(WIDE.text.encode(), suggestion) == wanted.encode()


def test_suggestions_on_the_fixtures_do_what_the_fixes_do() -> None:
    fixtures = [path for path in (ROOT / "tests/fixtures").iterdir() if path.is_dir()]
    found = report_of(lint(fixtures, load_rules()), ROOT)
    diagnostics = json.loads(render(found))["diagnostics"]
    tried = 0
    for each, diagnostic in zip(found.findings, diagnostics, strict=True):
        for suggestion in diagnostic.get("suggestions", ()):
            assert each.fix is not None
            text = each.primary.span.source.text
            assert replaced(text.encode(), suggestion) == apply(text, each.fix.edits).encode()
            tried += 1
    assert tried > 20


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_line_that_is_put_below_is_suggested_at_the_finding(line_end: str) -> None:
    source = Source("deploy/a.py", f"max_requests = 10{line_end}")
    end = len(source.text)
    below = Edit(source.span(end, end), f"max_requests_jitter = 1{line_end}")
    (suggestion,) = only(report(finding(at(source, "10"), fix=Fix("it", (below,), True))))[
        "suggestions"
    ]
    assert suggestion == {
        "range": {"start": {"line": 1, "column": 16}, "end": {"line": 1, "column": 18}},
        "text": f"10{line_end}max_requests_jitter = 1",
    }
    wanted = source.text + below.replacement
    assert replaced(source.text.encode(), suggestion) == wanted.encode()


def test_what_one_replacement_cannot_do_is_no_suggestion() -> None:
    two_files = Fix(
        "both", (Edit(at(UNIT, "20").span, "1"), Edit(at(CONFIG, "120").span, "2")), True
    )
    hidden = Source("deploy/a.sh", "x *** 20\n", masked=True)
    in_hidden = Fix("it", (Edit(at(hidden, "20").span, "30"),), True)
    elsewhere = Fix("it", (Edit(at(CONFIG, "120").span, "2"),), True)
    nothing = Fix("it", (), True)
    for found in (
        finding(at(UNIT, "20"), fix=two_files),
        finding(at(hidden, "20"), fix=in_hidden),
        finding(at(UNIT, "20"), fix=elsewhere),
        finding(at(UNIT, "20"), fix=nothing),
    ):
        assert "suggestions" not in only(report(found))
