"""Values as gunicorn turns them into settings, compared with gunicorn's own validators."""

from __future__ import annotations

import pytest

from gunilint.catalogue import catalogue
from gunilint.source import Source
from gunilint.validate import RefusedError, convert, from_command_line
from gunilint.values import Function, Known, Refused

SETTINGS = catalogue().settings
CASES = [
    ("workers", 4),
    ("workers", "4"),
    ("workers", "0x4"),
    ("workers", True),
    ("workers", 2.0),
    ("workers", None),
    ("workers", "4.5"),
    ("workers", -1),
    ("timeout", " 30 "),
    ("reload", True),
    ("reload", "True"),
    ("reload", "false"),
    ("reload", 1),
    ("reload", 0),
    ("reload", "yes"),
    ("reload", None),
    ("errorlog", "-"),
    ("errorlog", None),
    ("errorlog", True),
    ("errorlog", 3),
    ("bind", "0.0.0.0:80"),
    ("bind", ["a:1", " b:2"]),
    ("bind", ("a:1",)),
    ("bind", []),
    ("bind", 8000),
    ("bind", ("127.0.0.1", 8000)),
    ("forwarded_allow_ips", "127.0.0.1, 10.0.0.1"),
    ("forwarded_allow_ips", "*"),
    ("forwarded_allow_ips", ["*"]),
    ("forwarder_headers", "A,B,"),
    ("worker_class", "sync"),
    ("raw_env", ["A=1"]),
]


@pytest.mark.parametrize(("name", "value"), CASES)
def test_value_is_taken_or_refused_as_gunicorn_does(name: str, value: object) -> None:
    config = pytest.importorskip("gunicorn.config").Config()
    try:
        config.set(name, value)
    except (TypeError, ValueError):
        with pytest.raises(RefusedError):
            convert(SETTINGS[name], value)
    else:
        assert convert(SETTINGS[name], value) == config.settings[name].get()


@pytest.mark.parametrize(("positional", "fine"), [(1, False), (2, True), (None, True)])
def test_hooks_are_counted_by_their_positional_parameters(positional, fine) -> None:
    span = Source("gunicorn.conf.py", "def post_fork(): ...").span(4, 13)
    hook = Function("post_fork", positional, False, span)
    if fine:
        assert convert(SETTINGS["post_fork"], hook) is hook
    else:
        with pytest.raises(RefusedError, match="instead of 2"):
            convert(SETTINGS["post_fork"], hook)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("workers", "4", 4),
        ("umask", "007", 7),
        ("umask", "0o22", 18),
        ("umask", "10", 10),
        ("bind", ":80", ":80"),
    ],
)
def test_option_texts_become_numbers(name: str, text: str, expected: object) -> None:
    assert from_command_line(SETTINGS[name], Known(text)) == Known(expected)


def test_option_that_is_no_number_is_refused() -> None:
    refused = from_command_line(SETTINGS["workers"], Known("auto"))
    assert refused == Refused("auto", "it isn't a whole number", status=2)
