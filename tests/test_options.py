"""gunicorn's command line as argparse reads it."""

from __future__ import annotations

import shlex

import pytest

from gunilint.catalogue import catalogue
from gunilint.command import Word
from gunilint.options import CommandLine, read
from gunilint.source import Fragment, Source
from gunilint.values import Known, Unknown


def words(line: str) -> list[Word]:
    """The words of a command line; `$X` is an unknown word, `$*` any number of them."""
    source = Source("start.sh", line)
    found = []
    position = 0
    for text in shlex.split(line):
        start = line.index(text, position)
        position = start + len(text)
        span = source.span(start, position)
        if text.startswith("$"):
            found.append(Word(Unknown("not set"), span, None, many=text == "$*"))
        else:
            fragment = Fragment(source, text, tuple(range(start, position)))
            found.append(Word(Known(text), span, fragment))
    return found


def parse(line: str, version: str | None = None) -> CommandLine:
    return read(words(line), catalogue(version))


def settings(line: CommandLine) -> dict[str, object]:
    return {use.setting.name: getattr(use.value, "value", None) for use in line.options}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-w 4 app:app", {"workers": "4"}),
        ("-w4 app:app", {"workers": "4"}),
        ("-w=4 app:app", {"workers": "4"}),
        ("--workers=4 app:app", {"workers": "4"}),
        ("app:app --workers 4", {"workers": "4"}),
        ("-b:8000 app:app", {"bind": ":8000"}),
        ("--thread 4 app:app", {"threads": "4"}),
        ("--time=5 app:app", {"timeout": "5"}),
        ("--prel app:app", {"preload_app": True}),
        ("--error-log - app:app", {"errorlog": "-"}),
        ("-Dw4 app:app", {"daemon": True, "workers": "4"}),
        ("-DRw 4 app:app", {"daemon": True, "enable_stdio_inheritance": True, "workers": "4"}),
        ("--no-sendfile app:app", {"sendfile": False}),
        ("--keep-alive 7 app:app", {"keepalive": "7"}),
        ("--limit-request-field_size 100 app:app", {"limit_request_field_size": "100"}),
        ("--proxy-protocol --bind :80 app:app", {"proxy_protocol": "auto", "bind": ":80"}),
        ("--proxy-protocol=v1 app:app", {"proxy_protocol": "v1"}),
        ("-w $WORKERS app:app", {"workers": None}),
        ("-- app:app", {}),
    ],
)
def test_options_that_gunicorn_accepts(line: str, expected: dict[str, object]) -> None:
    found = parse(line)
    assert settings(found) == expected
    assert found.errors == ()
    assert found.app is not None
    assert found.app.text == "app:app"


@pytest.mark.parametrize(
    ("line", "place", "reason", "suggestion"),
    [
        ("--worker_class gthread app", "--worker_class", "no option", "--worker-class"),
        ("--limit-request-field-size 5 app", "--limit-request-field-size", "no option", "--limit-request-field_size"),
        ("--keepalive 5 app", "--keepalive", "no option", "--keep-alive"),
        ("--wrokers 5 app", "--wrokers", "no option", "--workers"),
        ("--zzz app", "--zzz", "no option", None),
        ("--worker 4 app", "--worker", "`--worker-class`, `--worker-connections`, `--worker-tmp-dir` or `--workers`", None),
        ("--access-log - app", "--access-log", "ambiguous", None),
        ("--preload=true app", "--preload=true", "takes no value", None),
        ("app -w", "-w", "needs a value", None),
        ("-w --preload app", "-w", "needs a value", None),
        ("app:app -w 2 extra", "extra", "stands apart", None),
        ("app:app -w 2 --", "--", "takes no `--` here", None),
    ],
)  # fmt: skip
def test_options_that_gunicorn_refuses(line, place, reason, suggestion) -> None:
    error = parse(line).errors[0]
    assert error.span.text == place
    assert reason in error.reason
    assert error.suggestion == suggestion


def test_later_positionals_right_behind_the_application_are_ignored() -> None:
    found = parse("app:app more words -w 2")
    assert found.app is not None
    assert (found.app.text, found.errors) == ("app:app", ())


def test_switch_takes_no_value_so_the_next_word_is_the_application() -> None:
    found = parse("--preload true app:app")
    assert found.app is not None
    assert found.app.text == "true"


def test_proxy_protocol_takes_the_application_as_its_value_since_24_1() -> None:
    assert settings(parse("--proxy-protocol app:app", "24.1.0")) == {"proxy_protocol": "app:app"}
    old = parse("--proxy-protocol app:app", "24.0.0")
    assert settings(old) == {"proxy_protocol": True}
    assert old.app is not None


@pytest.mark.parametrize(
    ("flag", "version", "known"),
    [
        ("--asgi-loop", "23.0.0", False),
        ("--asgi-loop", "24.0.0", True),
        ("--tolerate-dangerous-framing", "22.0.0", True),
        ("--tolerate-dangerous-framing", "23.0.0", False),
        ("--log-config-dict", "20.0.4", True),
        ("--log-config-dict", "20.1.0", False),
    ],
)
def test_options_come_and_go_with_versions(flag: str, version: str, known: bool) -> None:
    line = parse(f"app:app {flag}", version)
    assert any("has no option" in error.reason for error in line.errors) is not known


def test_places_of_values_and_options() -> None:
    line = parse("--bind=0.0.0.0:80 -w4 --timeout 30 --preload app:app")
    assert [(use.flag_span.text, use.span.text) for use in line.options] == [
        ("--bind=", "0.0.0.0:80"),
        ("-w", "4"),
        ("--timeout", "30"),
        ("--preload", "--preload"),
    ]


def test_unknown_words_leave_the_command_line_open() -> None:
    line = parse("app:app $* -w 2")
    assert line.open == "`$*` may add options"
    assert settings(line) == {"workers": "2"}


@pytest.mark.parametrize("line", ["--version", "-h", "app:app --help"])
def test_help_and_version_only_print(line: str) -> None:
    assert parse(line).exits
