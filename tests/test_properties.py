"""What holds for any input at all, on generated ones and on the fixtures' files with damage.

`GUNILINT_FUZZ=20` makes twenty times as many, other ones each time: some ten minutes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import invariants
from gunilint.checks import deployment_checks, project_checks
from gunilint.deployment import Facts
from gunilint.engine import Survey, survey
from gunilint.parse import nesting, python_config
from gunilint.policy import Policy, same
from gunilint.rules import load_rules
from update_fixtures import FIXTURES

TIMES = int(os.environ.get("GUNILINT_FUZZ", "1"))
WORDS = st.sampled_from(
    """gunicorn app:app --workers -w 4 $W ${W:-4} "$@" $(nproc) exec && || ; & | > 2>&1 - \\ ' " ` ( ) { }
    if then else fi for do done case esac in [ ] [[ ]] = == A=1 A=(x) cd export . eval set -- ${A[@]} $((1+2))
    # <<EOF EOF [Service] [Unit] ExecStart= Environment= Type=notify After= %i %z $$ workers = import os
    os.getenv("W") or if else: def f(): return lambda try: except: with for x in [1]: += f"{x}" ** * / é 'ü'
    \t \r \f \x00 \u2028 \ud800 timeout=0 --preload gevent -k uvicorn.workers.UvicornWorker \x1b[31m \u202e
    # gunilint: ignore[GU301] ExecReload=/bin/kill -HUP $MAINPID KillMode= trap wait kill -TERM {{ x }}""".split(
        " "
    )
)
BLANKS = st.sampled_from(["\n", "\r\n", " "])
TEXTS = st.one_of(
    st.lists(st.one_of(WORDS, BLANKS), max_size=40).map(" ".join), st.text(max_size=200)
)
SUFFIXES = {
    "config": (".py",),
    "script": (".sh",),
    "unit": (".service", ".socket", ".conf", ".env"),
}


def examples(number: int) -> settings:
    return settings(
        max_examples=number * TIMES,
        derandomize=TIMES == 1,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@cache
def sown(kind: str) -> tuple[str, ...]:
    """The fixtures' files of a kind."""
    paths = (path for path in sorted(FIXTURES.rglob("*")) if path.suffix in SUFFIXES[kind])
    return tuple(path.read_text("utf-8", "replace") for path in paths if path.is_file())


@st.composite
def damaged(draw: Callable[[st.SearchStrategy], object], kind: str) -> bytes:
    """A file of the fixtures in which a few places are cut, doubled, or replaced."""
    text = draw(st.sampled_from(sown(kind)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 60)))
        new = draw(st.sampled_from(["", text[start:end] * 2, "\n"]) | WORDS)
        text = text[:start] + new + text[end:]
    return encoded(text)


def inputs(kind: str) -> st.SearchStrategy[bytes]:
    return st.one_of(TEXTS.map(encoded), st.binary(max_size=100), damaged(kind))


@examples(1500)
@given(inputs("config"))
def test_configs(data: bytes) -> None:
    invariants.config(data)


@examples(1500)
@given(inputs("script"))
def test_scripts(data: bytes) -> None:
    invariants.script(data)


PIECES = st.tuples(
    st.sampled_from(["(", "[", "{", ")", "elif", "elif x:\n", "x ", "'{' ", ",", "\n", "-", "#("]),
    st.sampled_from([1, 2, 49, 50, 51, 199, 200, 201, 1000, 1999, 2000, 2001]),
)


@examples(500)
@given(st.lists(PIECES, max_size=4).map(lambda pieces: "".join(unit * n for unit, n in pieces)))
def test_text_that_is_taken_for_small_is_not_too_deep(text: str) -> None:
    if nesting._is_small(text, python_config._TOKENS):
        assert nesting._too_deep(text, python_config._TOKENS) is None


@examples(1500)
@given(inputs("unit"))
def test_units_and_environment_files(data: bytes) -> None:
    invariants.unit(data)


@examples(150)
@given(inputs("config"), inputs("script"), inputs("unit"), inputs("unit"))
def test_whole_projects_in_every_format(
    config: bytes, script: bytes, unit: bytes, dropin: bytes
) -> None:
    invariants.project(invariants.SEPARATOR.join((config, script, unit, dropin)))


@cache
def surveyed(version: str) -> Survey:
    policy = Policy(load_rules(), Facts(version, cpus=4))
    return survey(sorted(path for path in FIXTURES.iterdir() if path.is_dir()), same(policy))


@pytest.mark.parametrize("version", ["19.9.0", "20.1.0", "23.0.0", "27.0.1"])
def test_every_check_tolerates_every_deployment_of_every_fixture(version: str) -> None:
    checked = 0
    for rule in load_rules():
        for project in surveyed(version).projects:
            if rule.check in project_checks():
                list(project_checks()[rule.check](project, rule.parameters))
                checked += 1
            elif rule.check in deployment_checks():
                for deployment in project.deployments:
                    list(deployment_checks()[rule.check](deployment, rule.parameters))
                    checked += 1
    assert checked > 10_000


def test_the_fixtures_are_among_what_is_damaged() -> None:
    assert all(len(sown(kind)) > 30 for kind in SUFFIXES)
    assert (Path(FIXTURES) / "lesson/gunicorn.conf.py").read_text() in sown("config")
