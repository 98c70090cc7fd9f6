"""What gunilint says of scripts, against what real shells do with them."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accepted import SHELL
from shell_cases import BASH_FOLDED, BASH_OPEN, DASH_OPEN, FOLDED, OPEN
from shells import disagreements, find

TABLES = [
    ("bash", {**FOLDED, **BASH_FOLDED, **OPEN, **BASH_OPEN}),
    ("dash", {**FOLDED, **OPEN, **DASH_OPEN}),
]
CASES = [
    pytest.param(shell, text, id=f"{shell}-{name}")
    for shell, table in TABLES
    for name, text in table.items()
]


@pytest.mark.parametrize(("shell", "text"), CASES)
def test_script(shell: str, text: str, request: pytest.FixtureRequest) -> None:
    if find(shell) is None:
        pytest.skip(f"{shell} isn't installed")
    reasons = disagreements(shell, text)
    accepted = request.node.callspec.id in SHELL
    assert bool(reasons) is accepted, "\n".join(reasons) or "it agrees by now"


def test_nothing_is_accepted_that_is_gone() -> None:
    assert set(SHELL) <= {f"{shell}-{name}" for shell, table in TABLES for name in table}


NAMES = st.sampled_from(["A", "B", "EMPTY_BUT_SET", "NOT_SET"])
VALUES = st.sampled_from(
    ["1", "a", "'x y'", '"$A"', "$B", '"${A:-d}"', '"${B:+y}"', "$((1 + 2))", '"$(echo z)"', "''", '"${A%1}"',
     '"${NOT_SET-n}"', '"a$B"', "-w", "x:80", "é"]
)  # fmt: skip
TESTS = st.sampled_from(
    ['[ -n "$A" ]', '[ -z "$B" ]', '[ "$A" = 1 ]', '[ "$A" != a ]', "true", "false", "[ -f one.txt ]", "! true",
     "[ 1 -lt 2 ]", "refuse", "migrate", '[ -n "$A" ] && [ -n "$B" ]', 'test "$B" = "x y"', "[ -d nope ]"]
)  # fmt: skip
CALLS = st.builds("gunicorn {} {}".format, VALUES, VALUES)
SIMPLE = st.one_of(
    CALLS,
    st.builds("{}={}".format, NAMES, VALUES),
    st.builds("export {}={}".format, NAMES, VALUES),
    st.builds("export {}".format, NAMES),
    st.builds("unset {}".format, NAMES),
    st.builds("{}={} gunicorn {}".format, NAMES, VALUES, VALUES),
    st.builds("{} && {}".format, TESTS, CALLS),
    st.builds("{} || {}".format, TESTS, CALLS),
    st.builds("{} && {}={}".format, TESTS, NAMES, VALUES),
    st.builds("set -- {} {}".format, VALUES, VALUES),
    st.sampled_from(["gunicorn \"$@\"", "gunicorn $# $1", "shift", "f", "f a", "set -e", "set +e", "set -u", "exit",
                     "cd bin", "cd ..", "exec gunicorn last", "set -a", ". ./.env", "return", "break", "continue",
                     "gunicorn bg &", "wait", "migrate", "gunicorn x | cat"]),
)  # fmt: skip


def _blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = st.lists(inner, min_size=1, max_size=3).map("\n".join)
    return st.one_of(
        st.builds("if {}; then\n{}\nfi".format, TESTS, body),
        st.builds("if {}; then\n{}\nelse\n{}\nfi".format, TESTS, body, body),
        st.builds(
            "case {} in\n1) {};;\na*|x) {};;\n*) {};;\nesac".format, VALUES, inner, inner, inner
        ),
        st.builds("for A in {} {}; do\n{}\ndone".format, VALUES, VALUES, body),
        st.builds("f() {{\n{}\n}}".format, body),
        st.builds("(\n{}\n)".format, body),
        st.builds("{{\n{}\n}}".format, body),
        st.builds("for i in 1 2; do\n{}\ndone".format, body),
        st.builds("eval '{}'".format, st.sampled_from(["A=2", "gunicorn e", "set -- q"])),
    )


PROGRAMS = st.lists(st.recursive(SIMPLE, _blocks, max_leaves=6), min_size=1, max_size=7).map(
    lambda lines: "f() { :; }\n" + "\n".join(lines) + "\n"
)


@pytest.mark.parametrize("shell", ["bash", "dash"])
@settings(
    max_examples=150, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(text=PROGRAMS)
def test_generated_script(shell: str, text: str) -> None:
    if find(shell) is None:
        pytest.skip(f"{shell} isn't installed")
    assert not disagreements(shell, text)
