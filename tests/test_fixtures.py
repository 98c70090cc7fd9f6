"""Whole deployments as people write them, each with exactly the findings and settings expected.

`expected.txt` in a fixture lists its findings: code, severity, place; `nothing` means that nothing in
it is gunilint's business. `show.txt` is what `gunilint show` says of it. A name that begins with
`good-` promises that nothing above a note is found: there a warning is a false alarm.
"""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from gunilint.discover import decode
from gunilint.engine import lint, report
from gunilint.report import sarif
from gunilint.rules import load_rules
from update_fixtures import FIXTURES, findings, shown

NAMES = sorted(path.name for path in FIXTURES.iterdir() if path.is_dir())


def found_severities(name: str) -> set[str]:
    """The severities in a fixture's `expected.txt`."""
    lines = (FIXTURES / name / "expected.txt").read_text(encoding="utf-8").splitlines()
    return {line.split()[1] for line in lines if line != "nothing"}


@pytest.mark.parametrize("name", NAMES)
def test_fixture_has_exactly_the_expected_findings(name: str) -> None:
    folder = FIXTURES / name
    assert findings(folder) == (folder / "expected.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_fixture_is_shown_as_expected(name: str) -> None:
    folder = FIXTURES / name
    assert shown(folder) == (folder / "show.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("good-")])
def test_good_deployment_has_notes_at_most(name: str) -> None:
    assert found_severities(name) <= {"note"}


def test_there_are_enough_fixtures_and_half_of_them_good() -> None:
    good = [name for name in NAMES if found_severities(name) <= {"note"}]
    assert len(NAMES) >= 40
    assert 2 * len(good) >= len(NAMES)


def test_the_lesson_has_neither_error_nor_warning() -> None:
    assert found_severities("lesson") <= {"note"}


def test_the_six_pitfalls_are_found_with_their_chain() -> None:
    codes = {line.split()[0] for line in findings(FIXTURES / "six-pitfalls").splitlines()}
    assert codes >= {"GU101", "GU201", "GU301", "GU303", "GU401", "GU406"}


SCHEMA = json.loads((Path(__file__).parent / "data/sarif-schema-2.1.0.json").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_sarif_of_a_fixture_is_valid_and_points_at_the_very_characters(name: str) -> None:
    result = lint([FIXTURES / name], load_rules())
    made = report(result, FIXTURES / name)
    log = json.loads(sarif.render(made))
    jsonschema.Draft202012Validator(SCHEMA).validate(log)
    project = FIXTURES / name
    repositories = (each for each in project.parents if (each / ".git").exists())
    base = next(repositories, project)
    for found, finding in zip(log["runs"][0]["results"], made.findings, strict=True):
        place = found["locations"][0]["physicalLocation"]
        path = base / place["artifactLocation"]["uri"]
        lines = decode(path.name, path.read_bytes())[0].text.splitlines()
        region = place["region"]
        if region["startLine"] == region["endLine"]:
            line = lines[region["startLine"] - 1]
            text = line[region["startColumn"] - 1 : region["endColumn"] - 1]
            if not finding.primary.span.source.masked:
                assert text == (finding.primary.span.text or text)
