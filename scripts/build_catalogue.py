"""Write the catalogue of gunicorn's settings and workers from gunicorn's own releases.

    python scripts/build_catalogue.py             # writes src/gunilint/catalogue/settings.json
    python scripts/build_catalogue.py --check     # fails when the committed file is not the same

Each release in `RELEASES` is fetched from the package index into a scratch folder and surveyed there
by `survey_gunicorn.py`. The catalogue has what the newest release says and, under `history`, what
was different before a release. A new gunicorn needs one more entry in `RELEASES`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TARGET = HERE.parent / "src/gunilint/catalogue/settings.json"

RELEASES = """
19.9.0 19.10.0 20.0.0 20.0.2 20.0.3 20.0.4 20.1.0 21.0.0 21.0.1 21.1.0 21.2.0 22.0.0 23.0.0 24.0.0 24.1.0 24.1.1
25.0.0 25.0.1 25.0.2 25.0.3 25.1.0 25.2.0 25.3.0 26.0.0 26.1.0 26.2.0 27.0.0 27.0.1
""".split()
"""The releases that an index has, oldest first: yanked ones are left out."""

ENVIRONMENT = {
    "workers": "WEB_CONCURRENCY",
    "bind": "PORT",
    "forwarded_allow_ips": "FORWARDED_ALLOW_IPS",
}
"""The variables that gunicorn takes defaults from."""

FORMER: dict[str, dict[str, Any]] = {
    "logfile": {"kind": "string", "flags": ["--log-file"], "default": "-", "until": "0.12.2"},
    "x_forwarded_for_header": {"kind": "string", "default": "X-FORWARDED-FOR", "until": "18.0"},
    "debug": {"kind": "bool", "flags": ["--debug"], "action": "switch", "until": "19.1.1"},
    "django_settings": {"kind": "string", "flags": ["--settings"], "until": "19.6.0"},
}
"""What was removed before the first of `RELEASES`, from the changelog."""

FORMER_OPTIONS: dict[str, dict[str, Any]] = {
    "sendfile": {"before": "19.4", "until": "19.3", "flags": ["--sendfile"], "action": "switch"},
}
"""The options that settings had then and lost since, as an entry of their `history`."""

ABSENT: dict[str, Any] = {
    "flags": [],
    "action": "store",
    "type": None,
    "default": None,
    "section": "",
    "bounds": None,
    "choices": {},
    "others": {},
    "exact": False,
    "arity": [],
    "machine": False,
    "environment": None,
}
"""What a field is where an entry doesn't have it."""


def surveyed(release: str, scratch: Path) -> dict[str, Any]:
    """What `survey_gunicorn.py` prints inside a release."""
    folder = scratch / release
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*pip, "-d", str(folder), f"gunicorn=={release}"], check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return survey({"PYTHONPATH": str(folder)})


def survey(environment: dict[str, str]) -> dict[str, Any]:
    """What the gunicorn says that a Python with this environment imports."""
    script = [sys.executable, str(HERE / "survey_gunicorn.py")]
    done = subprocess.run(
        script, check=True, capture_output=True, text=True, env={**os.environ, **environment}
    )
    found: dict[str, Any] = json.loads(done.stdout)
    for name, variable in ENVIRONMENT.items():
        found["settings"][name]["environment"] = variable
    return found


def merged(surveys: list[dict[str, Any]]) -> dict[str, Any]:
    """The catalogue that `surveys`, oldest first, give."""
    names = sorted({name for each in surveys for name in each["settings"]})
    settings = {name: compact(merge(name, surveys)) for name in names}
    settings |= {name: {**entry, "since": None} for name, entry in FORMER.items()}
    for name, change in FORMER_OPTIONS.items():
        settings[name].setdefault("history", []).append(change)
    return {
        "releases": [each["release"] for each in surveys],
        "settings": settings,
        "spellings": spellings(surveys),
        "workers": workers(surveys),
    }


def merge(name: str, surveys: list[dict[str, Any]]) -> dict[str, Any]:
    """A setting as the newest release with it has it, with `since`, `until` and `history`."""
    having = [each for each in surveys if name in each["settings"]]
    entry = {**ABSENT, **having[-1]["settings"][name], **lifetime(having, surveys)}
    history = []
    state = entry
    for newer, older in reversed(list(zip(having[1:], having, strict=False))):
        before = {**ABSENT, **older["settings"][name]}
        change = {key: value for key, value in before.items() if state[key] != value}
        if change:
            history.append({"before": newer["release"], **change})
            state = {**state, **change}
    if history:
        entry["history"] = history
    missing = [each["release"] for each in surveys if each not in having]
    first, last = surveys.index(having[0]), surveys.index(having[-1])
    gaps = [each["release"] for each in surveys[first:last] if each["release"] in missing]
    if gaps:
        entry["except"] = gaps
    return entry


def lifetime(having: list[dict[str, Any]], surveys: list[dict[str, Any]]) -> dict[str, Any]:
    """The first and last release; None where it goes on beyond those surveyed."""
    first, last = having[0], having[-1]
    return {
        "since": None if first is surveys[0] else first["release"],
        "until": None if last is surveys[-1] else last["release"],
    }


def compact(entry: dict[str, Any]) -> dict[str, Any]:
    """`entry` without the fields that say nothing."""
    return {key: value for key, value in entry.items() if key not in ABSENT or value != ABSENT[key]}


def spellings(surveys: list[dict[str, Any]]) -> dict[str, str]:
    """The names that people take from an option, and the setting's own."""
    found = {
        flag.lstrip("-").replace("-", "_"): name
        for each in surveys
        for name, entry in each["settings"].items()
        for flag in entry["flags"]
        if flag.startswith("--")
    }
    names = {name for each in surveys for name in each["settings"]}
    return {spelling: name for spelling, name in found.items() if spelling not in names}


def workers(surveys: list[dict[str, Any]]) -> dict[str, Any]:
    """Each alias of a worker class, its class, and the first and last release that know it."""
    found = {}
    for alias in sorted({alias for each in surveys for alias in each["workers"]}):
        having = [each for each in surveys if alias in each["workers"]]
        found[alias] = {"class": having[-1]["workers"][alias], **lifetime(having, surveys)}
    return found


def build() -> str:
    """The catalogue's text, from every release."""
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(4) as pool:
        surveys = list(pool.map(lambda release: surveyed(release, Path(scratch)), RELEASES))
    return text(merged(surveys))


def text(catalogue: dict[str, Any]) -> str:
    """One setting a line, so that a difference can be read."""
    parts = []
    for key, value in catalogue.items():
        if isinstance(value, dict):
            rows = ",\n".join(f"  {json.dumps(k)}: {line(v)}" for k, v in sorted(value.items()))
            parts.append(f' "{key}": {{\n{rows}\n }}')
        else:
            parts.append(f' "{key}": {line(value)}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def line(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def differences(old: str, new: str) -> Iterator[str]:
    """The lines that differ."""
    before, after = old.splitlines(), new.splitlines()
    yield from (f"- {row}" for row in before if row not in after)
    yield from (f"+ {row}" for row in after if row not in before)


def main(arguments: list[str]) -> int:
    built = build()
    if arguments == ["--check"]:
        committed = TARGET.read_text(encoding="utf-8")
        if committed != built:
            print(*differences(committed, built), sep="\n")
            print(f"{TARGET.name} isn't what gunicorn's releases say; run {Path(__file__).name}")
            return 1
    else:
        TARGET.write_text(built, encoding="utf-8")
    found = json.loads(built)
    print(f"{len(found['settings'])} settings, {len(RELEASES)} releases of gunicorn: agreed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
