"""The catalogue against each release at hand: settings, options, validators, worker classes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

import build_catalogue
from gunilint.catalogue import catalogue, worker_aliases
from launches import installed
from tally import TALLY

RELEASES = installed()
SURVEY = Path(build_catalogue.__file__).with_name("survey_gunicorn.py")


@pytest.fixture(scope="module", params=sorted(RELEASES))
def surveyed(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the release says of itself."""
    python = str(RELEASES[request.param])
    done = subprocess.run([python, str(SURVEY)], check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_settings_are_those_of_the_release(surveyed: dict[str, Any]) -> None:
    release = surveyed["release"]
    known = catalogue(release).settings
    assert set(known) == set(surveyed["settings"])
    for name, fields in surveyed["settings"].items():
        for field, value in fields.items():
            ours = getattr(known[name], field)
            assert (list(ours) if isinstance(ours, tuple) else ours) == value, (name, field)
            TALLY.add(f"catalogue of gunicorn {release}", "facts")


def test_worker_classes_are_those_of_the_release(surveyed: dict[str, Any]) -> None:
    assert worker_aliases(surveyed["release"]) == surveyed["workers"]
