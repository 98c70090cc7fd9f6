from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from gunilint.command import Label
from gunilint.findings import Report
from gunilint.report.gitlab import render

from .samples import HOSTILE_REPORTS, STOP_TIMEOUT, UNIT, at, finding, report, rule
from .validators import ROOT

SCHEMA = ROOT / "tests/data/gitlab-code-quality.schema.json"
REPORTS = {
    "clean": report(),
    "two-files": report(STOP_TIMEOUT),
    "twice": report(finding(at(UNIT, "20")), finding(at(UNIT, "20"))),
    "empty-place": report(finding(Label(UNIT.span(0, 0), ""))),
    **HOSTILE_REPORTS,
}


@pytest.mark.parametrize("run", REPORTS.values(), ids=REPORTS)
def test_report_is_what_gitlab_takes(run: Report) -> None:
    text = render(run)
    entries = json.loads(text)
    schema = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert [error.message for error in schema.iter_errors(entries)] == []
    assert len(entries) == len(run.findings)
    assert len({entry["fingerprint"] for entry in entries}) == len(entries), "it drops equal ones"
    assert text.isascii()
    json.dumps(entries, ensure_ascii=False).encode("utf-8")


def test_entry() -> None:
    (entry,) = json.loads(render(report(STOP_TIMEOUT)))
    assert len(entry.pop("fingerprint")) == 32
    assert entry == {
        "description": "GU203: gunicorn needs up to 120 s to stop, systemd kills it after 20 s. "
        "Help: set TimeoutStopSec=130, or lower graceful_timeout. "
        "See deploy/gunicorn.conf.py:14: workers may need this long.",
        "check_name": "stop-timeout-too-short",
        "severity": "major",
        "location": {"path": "deploy/app.service", "lines": {"begin": 4, "end": 4}},
    }


@pytest.mark.parametrize(
    ("severity", "name"), [("error", "critical"), ("warning", "major"), ("note", "info")]
)
def test_severities(severity: str, name: str) -> None:
    (entry,) = json.loads(render(report(finding(at(UNIT, "20"), rule=rule(severity=severity)))))
    assert entry["severity"] == name


def test_names_stay_as_they_are_where_they_are_text() -> None:
    paths = {
        key: json.loads(render(run))[0]["location"]["path"] for key, run in HOSTILE_REPORTS.items()
    }
    assert paths["unicode"] == HOSTILE_REPORTS["unicode"].findings[0].primary.span.source.path
    assert paths["newline"] == HOSTILE_REPORTS["newline"].findings[0].primary.span.source.path
    assert paths["not-utf-8"] == r"deploy/a\udcff\udc80.sh"
