"""The evaluator against Python: what it says a config leaves behind is what running it leaves.

The programs are made here from a small grammar, and run in this process.
"""

from __future__ import annotations

import os
import re
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gunilint.evaluate import evaluate
from gunilint.parse.python_config import parse
from gunilint.source import Source
from gunilint.values import Known
from tally import TALLY

NAMES = st.sampled_from(["a", "b", "c", "workers", "bind"])
ATOMS = st.one_of(
    st.integers(-3, 12).map(str),
    st.sampled_from(
        ["True", "False", "None", "''", "'x'", "'3'", "'a,b'", "2.5", "[]", "[1, 'b']", "('a', 2)",
         "{'k': 1}", "os.getenv('SET')", "os.getenv('UNSET', '5')", "os.environ['SET']",
         "os.environ.get('UNSET', 'd')"]
    ),
    NAMES,
)  # fmt: skip


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(inner, inner)
    binary = st.sampled_from(
        ["+", "-", "*", "/", "//", "%", "and", "or", "==", "!=", "<", ">=", "in"]
    )
    calls = st.sampled_from(
        ["int({})", "str({})", "len({})", "bool({})", "list({})", "float({})", "not {}", "-{}", "abs({})",
         "str({}).upper()", "str({}).split(',')", "f'<{{{}}}>'", "'%s!' % {}", "'{{}}'.format({})",
         "({})[0]", "({})[-1:]", "[{}]", "({},)", "{{'k': {}}}", "max(1, {})", "sorted({})", "round({})",
         "'-'.join({})", "str({}).strip('x')", "str({}).replace('a', 'b')", "{} is None", "f({})", "g({})",
         "(lambda: 1) and {}", "tuple({})", "sum({})", "min({}, 3)", "str({}).startswith('x')"]
    )  # fmt: skip
    return st.one_of(
        st.builds("({} {} {})".format, inner, binary, inner),
        st.builds(lambda call, value: call.format(value), calls, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        pairs.map(lambda pair: f"[{pair[0]}, {pair[1]}]"),
    )


EXPRESSIONS = st.recursive(ATOMS, _compound, max_leaves=6)
SIMPLE = st.one_of(
    st.builds("{} = {}".format, NAMES, EXPRESSIONS),
    st.builds("{} += {}".format, NAMES, EXPRESSIONS),
    st.builds("{} = {} = {}".format, NAMES, NAMES, EXPRESSIONS),
    st.builds("{}, {} = {}, {}".format, NAMES, NAMES, EXPRESSIONS, EXPRESSIONS),
    st.builds("{}.append({})".format, NAMES, EXPRESSIONS),
    st.builds("{}['k'] = {}".format, NAMES, EXPRESSIONS),
    st.builds("del {}".format, NAMES),
    st.builds("import os as {}".format, NAMES),
    st.builds("os.environ['SET'] = str({})".format, EXPRESSIONS),
    st.builds("{}: int = {}".format, NAMES, EXPRESSIONS),
    st.just("pass"),
    st.just("raise ValueError"),
    st.just("h()"),
)


def _indented(block: list[str]) -> str:
    return "\n".join("    " + line for text in block for line in text.splitlines())


def _blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = st.lists(inner, min_size=1, max_size=3).map(_indented)
    return st.one_of(
        st.builds("if {}:\n{}\nelse:\n{}".format, EXPRESSIONS, body, body),
        st.builds("if {}:\n{}".format, EXPRESSIONS, body),
        st.builds("for {} in {}:\n{}".format, NAMES, EXPRESSIONS, body),
        st.builds("try:\n{}\nexcept Exception:\n{}".format, body, body),
        st.builds("try:\n{}\nfinally:\n{}".format, body, body),
        st.builds("with open(os.devnull) as {}:\n{}".format, NAMES, body),
        st.builds("def {}(x=1):\n{}\n    return x".format, NAMES, body),
        st.builds("class {}:\n{}".format, NAMES, body),
    )


STATEMENTS = st.recursive(SIMPLE, _blocks, max_leaves=5)
HEAD = """import os
def f(x, y=2):
    if x:
        return y
    return [x]
def g(*values):
    return len(values)
def h():
    global a
    a = 7
"""
PROGRAMS = st.lists(STATEMENTS, min_size=1, max_size=6).map(lambda lines: HEAD + "\n".join(lines))
ENVIRONMENT = {"SET": "4"}


def ran(program: str) -> tuple[dict[str, object], bool]:
    """The names that a program leaves behind, and whether it ended with an exception."""
    names: dict[str, object] = {"__name__": "__config__"}
    failed = False
    with mock.patch.dict(os.environ, ENVIRONMENT, clear=True):
        try:
            exec(compile(program, "gunicorn.conf.py", "exec"), names)
        except Exception:
            failed = True
    return names, failed


@settings(
    max_examples=400, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@given(PROGRAMS)
def test_what_a_program_leaves_behind(program: str) -> None:
    names, failed = ran(program)
    given_ = {name: Known(value) for name, value in ENVIRONMENT.items()}
    found = evaluate(parse(Source("gunicorn.conf.py", program)), environment=given_)
    TALLY.add("python", "programs")
    if found.failure is not None:
        assert failed, f"{found.failure.reason}: {found.failure.span.text}"
    if failed or found.open is not None:
        return
    for name, binding in found.bindings.items():
        TALLY.add("python", "names")
        value = binding.value
        TALLY.add("python", "names known", isinstance(value, Known))
        if isinstance(value, Known) and not re.search(r"(Function|Module)\(", repr(value.value)):
            assert name in names, name
            assert type(value.value) is type(names[name]), name
            assert value.value == names[name], name
    missing = {name for name in names if not name.startswith("__")} - set(found.bindings)
    assert not missing
