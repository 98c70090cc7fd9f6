"""Secrets stay out of every report."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import pytest

from gunilint.engine import report, run
from gunilint.findings import Edit, Finding, Fix
from gunilint.masking import masked
from gunilint.output import FORMATS
from gunilint.policy import Policy, same
from gunilint.report import sarif, text
from gunilint.rules import load_rules
from gunilint.source import Source
from projects import write

from .samples import at, finding
from .samples import report as report_by_hand

SECRET = "n4bQgYhMfWWaL28"
PASSWORD = "t7Rk-92xq"
IN_FILE = "zT4-9fQk2mXw"
PROJECT = {
    "shop.service": (
        "[Service]\nWorkingDirectory=/srv/shop\n"
        f"Environment=SECRET_KEY={SECRET} PATH=/srv/bin:$PATH TIMES={SECRET}\n"
        f"ExecStart=/srv/shop/venv/bin/gunicorn -c gunicorn.conf.py shop.wsgi # {SECRET}\n"
    ),
    "gunicorn.conf.py": (
        f"raw_env = ['URL=redis://u:{PASSWORD}@db/0']; timeout = 0\nworkerz = '{SECRET}'\n"
    ),
    ".env": f"export WEB_CONCURRENCY=two\nexport API_KEY={IN_FILE}\n",
    "prod.sh": (
        f"#!/bin/sh\nset -a\n. ./.env\nTOKEN={SECRET} exec gunicorn --timeout 0 -e A=1 --bogus shop.wsgi\n"
    ),
}
RENDERERS = {
    "colour": lambda found: text.render(found, color=True),
    **{name: import_module(f"gunilint.report.{name}").render for name in FORMATS},
}


def found_in(folder: Path, *codes: str):
    """The report on the project of the rules of some codes, or of all."""
    write(folder, PROJECT)
    rules = [rule for rule in load_rules() if rule.code in codes or not codes]
    result = run([folder], same(Policy(tuple(rules))), keep=True)
    assert not result.errors
    return report(result, folder)


@pytest.mark.parametrize("name", RENDERERS)
@pytest.mark.parametrize("codes", [(), ("GU414", "GU204", "GU002", "GU013")])
def test_no_format_shows_a_secret(tmp_path: Path, name: str, codes: tuple[str, ...]) -> None:
    found = found_in(tmp_path, *codes)
    lines = {
        (each.primary.span.source.path, each.primary.span.line, each.rule.code)
        for each in found.findings
    }
    assert ("shop.service", 3, "GU414") in lines, "another finding on the secret's line"
    assert ("gunicorn.conf.py", 1, "GU204") in lines, "another finding on the secret's line"
    assert (".env", 1, "GU013") in lines, "another finding beside a secret"
    assert (("shop.service", 3, "GU604") in lines) is (not codes)
    shown = RENDERERS[name](found)
    assert any(word in shown for word in ("GU414", "env-not-expanded"))
    for secret in (SECRET, PASSWORD, IN_FILE):
        assert secret not in shown
        assert secret not in json.dumps(shown)


def test_places_stay_where_they_were(tmp_path: Path) -> None:
    secrets = [each for each in found_in(tmp_path).findings if each.rule.code == "GU604"]
    assert {each.primary.span.text for each in secrets} == {"*" * 15, "*" * 9}
    for each in secrets:
        span = each.primary.span
        original = PROJECT[span.source.path]
        assert original[span.start : span.end] in (SECRET, PASSWORD)
        assert len(original) == len(span.source.text)


def test_frame_shows_the_line_with_stars(tmp_path: Path) -> None:
    shown = text.render(found_in(tmp_path))
    assert (
        "Environment=SECRET_KEY=*************** PATH=/srv/bin:$PATH TIMES=***************" in shown
    )


def test_hash_of_a_masked_line_is_left_to_the_uploader(tmp_path: Path) -> None:
    log = json.loads(sarif.render(found_in(tmp_path)))
    results = log["runs"][0]["results"]
    assert results
    assert all(set(each["partialFingerprints"]) == {"gunilint/v1"} for each in results)


def test_words_of_findings_and_line_breaks() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nabc\n"
    source = Source("deploy/a.sh", f"export KEY='{key}'\n", "/root")
    one = finding(at(source, "KEY", f"is {key}"), message=f"has {key}", help=f"lose {key}")
    (same,) = masked([one], [])
    assert same is one
    (hidden,) = masked([one], [key])
    assert isinstance(hidden, Finding)
    stars = f"{'*' * 27}\n***\n"
    assert (hidden.message, hidden.help) == (f"has {stars}", f"lose {stars}")
    assert hidden.primary.text == f"is {stars}"
    assert hidden.primary.span.source.text == f"export KEY='{stars}'\n"
    assert hidden.primary.span.text == "KEY"
    assert hidden.primary.span.source.line_starts == source.line_starts


def test_longer_secret_is_hidden_whole() -> None:
    source = Source("deploy/a.sh", "A=abcdefgh B=abcdefghij\n")
    (hidden,) = masked([finding(at(source, "A"))], ["abcdefgh", "abcdefghij"])
    assert hidden.primary.span.source.text == "A=******** B=**********\n"


def test_steps_that_lead_to_a_finding_are_masked() -> None:
    source = Source("deploy/a.sh", "TOKEN=abcdefgh gunicorn a:b\n")
    found = finding(at(source, "a:b"), chain=(at(source, "gunicorn", "with abcdefgh"),))
    ((step,),) = (each.chain for each in masked([found], ["abcdefgh"]))
    assert step.text == "with ********"
    assert step.span.source.text == "TOKEN=******** gunicorn a:b\n"


def test_fix_that_writes_a_secret_has_no_edits_in_reports() -> None:
    source = Source("deploy/a.sh", "exec gunicorn a:b\nTOKEN=abcdefgh\n")
    moved = Edit(at(source, "exec").span, "TOKEN=abcdefgh\nexec")
    kept = Edit(at(source, "a:b").span, "a:c")
    fixes = [Fix("move abcdefgh", (moved, kept), True), Fix("keep", (kept,), True)]
    hidden = masked([finding(at(source, "a:b"), fix=fix) for fix in fixes], ["abcdefgh"])
    assert [each.fix and each.fix.title for each in hidden] == ["move ********", "keep"]
    assert [len(each.fix.edits) for each in hidden if each.fix] == [0, 1]
    for name in FORMATS:
        assert "********" + "\\nexec" not in RENDERERS[name](report_by_hand(*hidden))
