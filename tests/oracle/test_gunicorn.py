"""gunilint against gunicorn: what it says it knows is what gunicorn's own `Application` loads."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accepted import GUNICORN, GUNICORN_MESSAGES
from gunicorn_cases import LINES, NEWER, VALUES, cases
from launches import Case, Gunicorn, gunicorn, installed, shown
from tally import TALLY

CASES = list(cases())
RELEASES = installed()


@pytest.fixture(scope="module", params=sorted(RELEASES))
def release(request: pytest.FixtureRequest) -> Iterator[Gunicorn]:
    with gunicorn(RELEASES[request.param]) as server:
        yield server


def differences(case: Case, by: str, release: Gunicorn, folder: Path, subject: str) -> list[str]:
    """What gunilint says and gunicorn doesn't do, or the other way round."""
    case.write(folder, by=by)
    said = shown(folder, release.version)
    answer = release.ask(case.request(folder, by=by))
    kind = f"gunicorn {release.version}, {subject}"
    TALLY.add(kind, "launches")
    if "status" in answer:
        TALLY.add(kind, "refusals")
        return _refusal_differences(said, answer)
    found = [f"not refused: {refusal}" for refusal in said["refusals"]]
    for name, value in answer["settings"].items():
        setting = said["settings"].pop(name, None)
        if setting is None:
            found.append(f"{name} is missing")
            continue
        TALLY.add(kind, "settings")
        TALLY.add(kind, "settings known", setting["known"])
        if setting["known"] and not same(setting["value"], value):
            found.append(f"{name} is {value!r}, not {setting['value']!r}")
    found += [f"gunicorn has no {name}" for name in said["settings"]]
    return found


def _refusal_differences(said: dict[str, Any], answer: dict[str, Any]) -> list[str]:
    """gunicorn refuses: gunilint says so too, or doesn't know the setting that is to blame."""
    statuses = {refusal["status"] for refusal in said["refusals"]}
    if statuses:
        wrong = answer["status"] not in statuses
        return [f"exits with {answer['status']}, not {statuses}"] if wrong else []
    if said["config_file_unknown"]:
        return []
    culprit = re.search(r"Invalid value for (\w+)", answer["stderr"])
    if culprit and not said["settings"][culprit[1]]["known"]:
        return []
    return [f"refused: {answer['stderr'].strip()[-300:]}"]


def same(ours: object, theirs: object) -> bool:
    """Whether two values are equal; a hook is its name for gunilint and true for the driver."""
    if theirs is True and isinstance(ours, str):
        return True
    if isinstance(ours, bool) is not isinstance(theirs, bool):
        return False
    return ours == theirs


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_hand_written_launch(case: Case, release: Gunicorn, tmp_path: Path) -> None:
    found = differences(case, "unit", release, tmp_path, "hand-written")
    assert bool(found) == (case.name in GUNICORN.get(release.version, GUNICORN["any"])), found


def test_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


EXPRESSIONS = [(name, value) for name, values in {**VALUES, **NEWER}.items() for value in values]
OPTIONS = [words for row in LINES.splitlines() if (words := tuple(shlex.split(row))[1:])]
FRAMES = (
    "{}",
    "if True:\n    {}",
    "if False:\n    {}",
    "import os\nif os.getenv('STAGE') == 'prod':\n    {}",
    "try:\n    {}\nexcept (OSError, KeyError):\n    pass",
    "for _ in range(2):\n    {}",
    "# {}",
)
VARIABLES = {
    "WEB_CONCURRENCY": ["1", "8", " 2"],
    "PORT": ["80", "8080"],
    "FORWARDED_ALLOW_IPS": ["*", "10.0.0.1"],
    "STAGE": ["prod", "dev"],
}


@st.composite
def launches(draw: st.DrawFn) -> Case:
    """A config text, options in any order, and an environment."""
    assignments = draw(st.lists(st.sampled_from(EXPRESSIONS), max_size=5))
    blocks = [
        draw(st.sampled_from(FRAMES)).format(f"{name} = {value}") for name, value in assignments
    ]
    options = draw(st.lists(st.sampled_from(OPTIONS), max_size=3))
    groups = draw(st.permutations([*options, ("app:app",)]))
    extra = draw(st.lists(st.sampled_from(OPTIONS), max_size=2))
    chosen = draw(st.lists(st.sampled_from(sorted(VARIABLES)), unique=True, max_size=2))
    environment = {name: draw(st.sampled_from(VARIABLES[name])) for name in chosen}
    if extra:
        environment["GUNICORN_CMD_ARGS"] = shlex.join(word for group in extra for word in group)
    arguments = [word for group in groups for word in group]
    return Case("", arguments, {"gunicorn.conf.py": "\n".join(blocks) + "\n"}, environment)


@settings(
    max_examples=200, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(case=launches(), by=st.sampled_from(["unit", "script"]))
def test_generated_launch(case: Case, by: str, release: Gunicorn) -> None:
    with TemporaryDirectory() as folder:
        found = differences(case, by, release, Path(folder).resolve(), "generated")
    assert [each for each in found if not re.match(GUNICORN_MESSAGES, each)] == []
