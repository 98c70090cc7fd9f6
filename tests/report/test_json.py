from __future__ import annotations

import json

from msgspec.structs import replace

from gunilint.findings import Finding
from gunilint.report.json import render
from gunilint.source import Source

from .samples import SAFE_FIX, STOP_TIMEOUT, UNIT, at, finding, report, rule, suppressed


def fingerprints(*findings: Finding) -> list[str]:
    return [entry["fingerprint"] for entry in json.loads(render(report(*findings)))["findings"]]


def test_json_has_the_documented_keys() -> None:
    run = report(STOP_TIMEOUT, deployments=2, files=4)
    document = json.loads(render(run))
    fingerprint = document["findings"][0].pop("fingerprint")
    assert len(fingerprint) == 32
    assert document == {
        "version": 1,
        "findings": [
            {
                "code": "GU203",
                "name": "stop-timeout-too-short",
                "severity": "warning",
                "confidence": "high",
                "message": "gunicorn needs up to 120 s to stop, systemd kills it after 20 s",
                "path": "app.service",
                "line": 4,
                "column": 1,
                "end_line": 4,
                "end_column": 18,
                "related": [
                    {
                        "path": "gunicorn.conf.py",
                        "line": 14,
                        "column": 20,
                        "end_line": 14,
                        "end_column": 23,
                        "message": "workers may need this long",
                    }
                ],
                "fix": None,
            }
        ],
        "suppressed": [],
        "baselined": [],
        "summary": {
            "errors": 0,
            "warnings": 1,
            "notes": 0,
            "deployments": 2,
            "files": 4,
            "suppressed": 0,
            "baselined": 0,
            "fixed": 0,
            "fixable": 0,
            "repaired": 0,
        },
    }


def test_json_tells_of_a_fix() -> None:
    document = json.loads(render(report(replace(STOP_TIMEOUT, fix=SAFE_FIX))))
    assert document["findings"][0]["fix"] == {"title": "add a jitter", "safe": True, "edits": []}
    assert document["summary"]["fixable"] == 1


def test_json_lists_what_does_not_count_apart() -> None:
    pair = suppressed(STOP_TIMEOUT, "stops are rare")
    document = json.loads(render(report(suppressed=(pair,), baselined=(STOP_TIMEOUT,), fixed=2)))
    assert document["findings"] == []
    (known,) = document["baselined"]
    (hidden,) = document["suppressed"]
    assert hidden.pop("suppression") == {
        "path": "app.service",
        "line": 4,
        "reason": "stops are rare",
    }
    assert hidden == known
    assert known["code"] == "GU203"
    counts = document["summary"]
    assert [counts[key] for key in ("warnings", "suppressed", "baselined", "fixed")] == [0, 1, 1, 2]


def test_json_of_a_clean_run_has_no_findings() -> None:
    assert json.loads(render(report()))["findings"] == []


def test_json_carries_hostile_paths_unchanged_in_ascii() -> None:
    text = render(report(finding(at(Source("deploy/a\n\x1b\udcff日", "x"), "x"))))
    assert text.isascii()
    assert json.loads(text)["findings"][0]["path"] == "a\n\x1b\udcff日"


def test_fingerprint_stays_when_lines_move_or_are_indented() -> None:
    moved = Source(UNIT.path, "# moved\n\n" + UNIT.text.replace("Type", "   Type"))
    assert fingerprints(finding(at(UNIT, "Type=notify"))) == fingerprints(
        finding(at(moved, "Type=notify"))
    )


def test_fingerprint_tells_findings_apart() -> None:
    twice = Source("deploy/a", "x\nx\n")
    distinct = fingerprints(
        finding(at(UNIT, "notify")),
        finding(at(UNIT, "notify"), rule=rule("GU401")),
        finding(at(Source("deploy/other.service", UNIT.text), "notify")),
        finding(at(UNIT, "mixed")),
        finding(at(twice, "x\n")),
        finding(at(twice, "x\nx")),
    )
    assert len(set(distinct)) == len(distinct)
