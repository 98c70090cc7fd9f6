from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from gunilint.command import Label
from gunilint.engine import lint
from gunilint.engine import report as report_of
from gunilint.findings import Edit, Finding, Fix, Report
from gunilint.fingerprint import line_hashes
from gunilint.report import sarif
from gunilint.report.sarif import render
from gunilint.rules import load_rules
from gunilint.source import Source
from projects import write

from .samples import (
    CONFIG,
    HOSTILE_REPORTS,
    SAFE_FIX,
    STOP_TIMEOUT,
    UNIT,
    at,
    finding,
    report,
    rule,
)

SCHEMA = Path(__file__).parents[1] / "data" / "sarif-schema-2.1.0.json"

SECURITY = rule(
    "GU501", "bind-all-interfaces", severity="error", category="security", cwe=78,
    security_severity="7.5",
)  # fmt: skip
EMPTY = Source("deploy/empty.service", "")
SCRIPT = Source(
    "deploy/my app/start#1.sh", "#!/bin/sh\r\nexec gunicorn \\\r\n  -w 4 \\\r\n  app\r\n"
)
HOSTILE = Source("deploy/a:b/\n[x](1)\x1b\udcff日.sh", "x" * 5000 + "\n")

FIX = Fix(
    "set [it](1)",
    (
        Edit(at(UNIT, "20").span, "130"),
        Edit(at(CONFIG, "120").span, ""),
        Edit(UNIT.span(0, 0), "#\n"),
    ),
    safe=True,
)

REPORTS = {
    "clean": report(rules=[rule(), SECURITY]),
    "two-files": report(STOP_TIMEOUT, rules=[rule(), SECURITY]),
    "several-lines": report(finding(at(SCRIPT, "gunicorn \\\r\n  -w 4 \\\r\n  app"))),
    "empty-file": report(finding(Label(EMPTY.span(0, 0), ""))),
    "end-of-file": report(finding(Label(UNIT.span(len(UNIT.text), len(UNIT.text)), "missing"))),
    "hostile": report(finding(at(HOSTILE, "x" * 4000, "[x](1)"), message="[x](1)\n")),
    "note": report(finding(at(UNIT, "notify"), rule=rule(severity="note"))),
    "rule-not-enabled": report(finding(at(UNIT, "notify"), rule=SECURITY), rules=[rule()]),
    "long-texts": report(rules=[rule(summary="word " * 900, why="x" * 9000)]),
    "all-rules": report(rules=load_rules()),
    "chain": report(replace(STOP_TIMEOUT, chain=(at(SCRIPT, "exec", "it starts here"),))),
    "fixed": report(finding(at(UNIT, "20"), fix=FIX)),
    "fix-without-edits": report(finding(at(UNIT, "20"), fix=SAFE_FIX)),
    "many-related": report(finding(at(UNIT, "20"), *[at(CONFIG, "120", "here")] * 150)),
    **HOSTILE_REPORTS,
}


def run_of(report: Report) -> dict[str, Any]:
    runs = json.loads(render(report))["runs"]
    assert len(runs) == 1
    run: dict[str, Any] = runs[0]
    return run


def result_of(found: Finding) -> dict[str, Any]:
    result: dict[str, Any] = run_of(report(found))["results"][0]
    return result


def place_of(found: Finding) -> dict[str, Any]:
    place: dict[str, Any] = result_of(found)["locations"][0]["physicalLocation"]
    return place


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_sarif_follows_the_schema(report: Report, validator: Draft202012Validator) -> None:
    assert [error.message for error in validator.iter_errors(json.loads(render(report)))] == []


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_sarif_has_what_github_requires(report: Report) -> None:
    log = json.loads(render(report))
    assert log["version"] == "2.1.0"
    assert log["$schema"]
    run = run_of(report)
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"] == "gunilint"
    assert run["columnKind"] == "unicodeCodePoints"
    assert [entry["id"] for entry in rules] == sorted(entry["id"] for entry in rules)
    for entry in rules:
        assert re.fullmatch(r"([A-Z][a-z0-9]*)+", entry["name"])
        for text in (entry["shortDescription"]["text"], entry["fullDescription"]["text"]):
            assert 0 < len(text) <= 1024
        assert entry["help"]["text"]
        assert entry["help"]["markdown"]
        assert entry["defaultConfiguration"]["level"] in ("error", "warning", "note")
        assert len(entry["properties"]["tags"]) <= 10
        assert ("security" in entry["properties"]["tags"]) == (
            "security-severity" in entry["properties"]
        )
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"].endswith(".")
        assert len(result["locations"]) == 1
        assert len(result["relatedLocations"]) <= 100
        ids = [location["id"] for location in result["relatedLocations"]]
        assert ids == list(range(1, len(ids) + 1))
        assert all(f"]({number})" in result["message"]["text"] for number in ids)
        steps = [
            step["location"]
            for flow in result.get("codeFlows", ())
            for thread in flow["threadFlows"]
            for step in thread["locations"]
        ]
        assert all(step["message"]["text"] for step in steps)
        for location in (*result["locations"], *result["relatedLocations"], *steps):
            place = location["physicalLocation"]
            uri = urlsplit(place["artifactLocation"]["uri"])
            assert uri.path
            assert not uri.scheme
            assert not uri.path.startswith("/")
            region = place["region"]
            start = (region["startLine"], region["startColumn"])
            assert min(*start, region["endColumn"]) >= 1
            assert start < (region["endLine"], region["endColumn"])


def test_sarif_describes_a_reliability_rule() -> None:
    (entry,) = run_of(report(rules=[rule()]))["tool"]["driver"]["rules"]
    assert entry.pop("helpUri").endswith("/docs/rules/GU203.md")
    assert entry.pop("help")["markdown"] == (
        "systemd kills the service too early.\n\n"
        "## Why\n\ngunicorn needs `graceful_timeout`\nseconds.\n\nThe unit ends as failed.\n\n"
        "## What to do\n\nLet systemd wait longer.\n\n"
        "## More\n\n- <https://example.org/stop>"
    )
    assert entry == {
        "id": "GU203",
        "name": "StopTimeoutTooShort",
        "shortDescription": {"text": "systemd kills the service too early."},
        "fullDescription": {"text": "gunicorn needs `graceful_timeout` seconds."},
        "defaultConfiguration": {"level": "warning"},
        "properties": {
            "tags": ["reliability", "timeouts"],
            "precision": "high",
            "problem.severity": "warning",
        },
    }


def test_sarif_marks_a_security_rule() -> None:
    (entry,) = run_of(report(rules=[SECURITY]))["tool"]["driver"]["rules"]
    assert entry["properties"] == {
        "tags": ["security", "external/cwe/cwe-078"],
        "precision": "high",
        "problem.severity": "error",
        "security-severity": "7.5",
    }


def test_sarif_calls_a_note_a_recommendation() -> None:
    (entry,) = run_of(report(rules=[rule(severity="note")]))["tool"]["driver"]["rules"]
    assert entry["properties"]["problem.severity"] == "recommendation"


def test_sarif_links_related_places_from_the_message() -> None:
    result = result_of(STOP_TIMEOUT)
    assert result["message"]["text"] == (
        "gunicorn needs up to 120 s to stop, systemd kills it after 20 s. "
        "Help: set TimeoutStopSec=130, or lower graceful_timeout. "
        "See [deploy/gunicorn.conf.py:14: workers may need this long](1)."
    )
    (related,) = result["relatedLocations"]
    assert related["id"] == 1
    assert related["message"] == {"text": "workers may need this long"}
    assert related["physicalLocation"]["artifactLocation"]["uri"] == "deploy/gunicorn.conf.py"


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("stopped.", "stopped."),
        ("really?", "really?"),
        ("it needs gunicorn[gevent]", "it needs gunicorn[gevent]."),
        ("see [here](1)", r"see \[here\](1)."),
        ("a\nb\x1b", "a\\nb\\x1b."),
    ],
    ids=["full-stop", "question", "brackets", "looks-like-a-link", "control-characters"],
)
def test_sarif_message(message: str, text: str) -> None:
    assert result_of(finding(at(UNIT, "notify"), message=message))["message"]["text"] == text


def test_sarif_escapes_brackets_in_links() -> None:
    found = finding(at(UNIT, "notify"), at(UNIT, "mixed", "gunicorn[gevent]"), message="m")
    assert result_of(found)["message"]["text"] == (
        r"m. See [deploy/app.service:5: gunicorn\[gevent\]](1)."
    )


def test_sarif_shows_the_place_and_its_surroundings() -> None:
    assert place_of(finding(at(UNIT, "20"))) == {
        "artifactLocation": {"uri": "deploy/app.service", "uriBaseId": "%SRCROOT%"},
        "region": {
            "startLine": 4, "startColumn": 16, "endLine": 4, "endColumn": 18,
            "snippet": {"text": "20"},
        },
        "contextRegion": {
            "startLine": 2, "endLine": 5,
            "snippet": {
                "text": "Type=notify\nExecStart=/srv/start.sh\nTimeoutStopSec=20\nKillMode=mixed"
            },
        },
    }  # fmt: skip


def test_sarif_counts_columns_in_code_points() -> None:
    source = Source("deploy/a.py", "n = '\U0001f600日'; workers = 1\n")
    assert place_of(finding(at(source, "workers")))["region"]["startColumn"] == 11


def test_sarif_leaves_out_snippets_that_are_too_long() -> None:
    place = place_of(finding(at(HOSTILE, "x" * 4000)))
    assert "snippet" not in place["region"]
    assert "contextRegion" not in place


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("deploy/metrics@.service", "deploy/metrics@.service"),
        ("deploy/my app#1%.sh", "deploy/my%20app%231%25.sh"),
        ("deploy:8/日.sh", "deploy%3A8/%E6%97%A5.sh"),
        ("a\nb.sh", "a%0Ab.sh"),
    ],
    ids=["template-unit", "reserved", "no-scheme", "newline"],
)
def test_sarif_encodes_paths(path: str, uri: str) -> None:
    place = place_of(finding(at(Source(path, "x"), "x")))
    assert place["artifactLocation"]["uri"] == uri
    assert unquote(uri) == path


def test_sarif_has_the_hash_of_the_line_for_github() -> None:
    fingerprints = result_of(STOP_TIMEOUT)["partialFingerprints"]
    assert fingerprints["primaryLocationLineHash"] == line_hashes(UNIT.text)[3]
    assert len(fingerprints["gunilint/v1"]) == 32


def test_sarif_of_a_run_says_that_it_worked_and_leaks_no_path() -> None:
    run = run_of(report())
    assert run["invocations"] == [{"executionSuccessful": True}]
    assert run["automationDetails"] == {"id": "gunilint/"}
    assert "uri" not in run["originalUriBaseIds"]["%SRCROOT%"]
    assert run["results"] == []


def test_sarif_shows_the_way_to_a_finding() -> None:
    script = at(
        Source("start.sh", "exec gunicorn a:b\n"), "gunicorn a:b", "gunicorn is started here"
    )
    found = replace(STOP_TIMEOUT, chain=(at(UNIT, "/srv/start.sh", "it starts `start.sh`"), script))
    (flow,) = result_of(found)["codeFlows"]
    ((steps,),) = (thread.values() for thread in flow["threadFlows"])
    assert [step["location"]["message"]["text"] for step in steps] == [
        "it starts `start.sh`",
        "gunicorn is started here",
        "SIGKILL 20 s after SIGTERM",
    ]
    assert "codeFlows" not in result_of(STOP_TIMEOUT)
    unnamed = finding(at(UNIT, "20"), chain=(script,))
    (flow,) = result_of(unnamed)["codeFlows"]
    last = flow["threadFlows"][0]["locations"][-1]["location"]
    assert last["message"]["text"] == unnamed.message


DEPLOYMENT = {
    "app.service": "[Service]\nExecStart=/srv/start.sh\n",
    "start.sh": "#!/bin/sh\nexport WEB_CONCURRENCY=two\nexec gunicorn -c gunicorn.conf.py app:app\n",
    "gunicorn.conf.py": "max_requests = 1000\ntimeout = 0\n",
}


def test_way_leads_from_the_unit_by_the_script_to_the_config(lint_files) -> None:
    chains = {
        (found.rule.code, found.primary.span.source.path): [
            (step.span.source.path, step.text) for step in found.chain
        ]
        for found in lint_files(DEPLOYMENT)
    }
    unit = ("app.service", "`start.sh` is started here")
    launch = ("start.sh", "gunicorn is started here")
    assert chains["GU204", "gunicorn.conf.py"] == [unit, launch]
    assert chains["GU013", "start.sh"] == [unit]
    assert {tuple(steps) for (_, path), steps in chains.items() if path == "app.service"} == {()}


def test_sarif_gives_the_fix_of_each_file() -> None:
    (fix,) = result_of(finding(at(UNIT, "20"), fix=FIX))["fixes"]
    assert fix["description"] == {"text": r"set \[it\](1)."}
    unit, config = fix["artifactChanges"]
    assert unit["artifactLocation"]["uri"] == "deploy/app.service"
    assert [each.get("insertedContent") for each in unit["replacements"]] == [
        {"text": "130"},
        {"text": "#\n"},
    ]
    assert config["replacements"] == [
        {"deletedRegion": {"startLine": 14, "startColumn": 20, "endLine": 14, "endColumn": 23}}
    ]
    assert "fixes" not in result_of(finding(at(UNIT, "20"), fix=SAFE_FIX))


def test_sarif_keeps_the_worst_within_githubs_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "_RESULTS_LIMIT", 3)
    severities = ("note", "warning", "note", "error", "warning")
    run = run_of(report(*(finding(at(UNIT, "20"), severity=each) for each in severities)))
    assert [result["level"] for result in run["results"]] == ["warning", "error", "warning"]
    ((notice,),) = (each["toolExecutionNotifications"] for each in run["invocations"])
    assert notice["message"]["text"].startswith("2 more findings are left out")


def test_every_rule_on_security_has_a_grade_and_a_weakness() -> None:
    rules = [each for each in load_rules() if each.code.startswith("GU6")]
    entries = run_of(report(rules=rules))["tool"]["driver"]["rules"]
    assert len(entries) >= 11
    for entry in entries:
        properties = entry["properties"]
        assert 0.1 <= float(properties["security-severity"]) <= 10
        assert "security" in properties["tags"], entry["id"]
        assert any(re.fullmatch(r"external/cwe/cwe-\d{3,}", tag) for tag in properties["tags"])


def test_sarif_names_the_file_that_a_link_leads_to(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write(tmp_path, {"deploy/prod.sh": "#!/bin/sh\nexec gunicorn --timeout 0 shop:app\n"})
    (tmp_path / "run.sh").symlink_to("deploy/prod.sh")
    found = report_of(lint([tmp_path / "run.sh"], load_rules()), tmp_path)
    assert {found.display(each.primary.span.source) for each in found.findings} == {"run.sh"}
    results = run_of(found)["results"]
    uris = {
        location["physicalLocation"]["artifactLocation"]["uri"]
        for result in results
        for location in result["locations"]
    }
    assert uris == {"deploy/prod.sh"}
