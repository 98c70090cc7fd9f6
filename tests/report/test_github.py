from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import pytest

from gunilint.command import Label
from gunilint.findings import Finding, Report
from gunilint.report import concise, text
from gunilint.report.github import harmless, render
from gunilint.report.terminal import escape
from gunilint.source import Source

from .samples import HOSTILE_REPORTS, STOP_TIMEOUT, UNIT, at, finding, report, rule

COMMANDS = frozenset(
    "add-mask add-matcher add-path debug echo endgroup error group notice remove-matcher save-state "
    "set-env set-output stop-commands warning".split()
)


@dataclass(frozen=True)
class Command:
    name: str
    properties: dict[str, str]
    data: str


def parsed(log: str) -> list[Command]:
    """The commands that the runner finds in a log: those that start with `::` first."""
    commands = (new_style(line) or old_style(line) for line in log.replace("\r", "\n").split("\n"))
    return [command for command in commands if command is not None]


def new_style(line: str) -> Command | None:
    # .NET compares as people read: what can't be seen counts for nothing
    line = "".join(char for char in line if unicodedata.category(char) not in ("Cf", "Mn", "Me"))
    line = line.lstrip()
    end = line.find("::", 2)
    if not line.startswith("::") or end < 0:
        return None
    return command(
        line[2:end], line[end + 2 :], ",", {"%0D": "\r", "%0A": "\n"}, {"%3A": ":", "%2C": ","}
    )


def old_style(line: str) -> Command | None:
    start = line.find("##[")
    end = line.find("]", start)
    if start < 0 or end < 0:
        return None
    escapes = {"%3B": ";", "%0D": "\r", "%0A": "\n", "%5D": "]"}
    return command(line[start + 3 : end], line[end + 1 :], ";", escapes, {})


def command(
    head: str, data: str, separator: str, escapes: dict[str, str], more: dict[str, str]
) -> Command | None:
    name, _, listed = head.partition(" ")
    if name.lower() not in COMMANDS:
        return None
    pairs = (each.partition("=") for each in listed.strip().split(separator))
    properties = {
        key: unescaped(value, {**escapes, **more, "%25": "%"}) for key, _, value in pairs if value
    }
    return Command(name, properties, unescaped(data, {**escapes, "%25": "%"}))


def unescaped(value: str, escapes: dict[str, str]) -> str:
    for written, char in escapes.items():
        value = value.replace(written, char)
    return value


def annotation(found: Finding) -> Command:
    (one,) = parsed(render(report(found)))
    return one


def test_parser_is_as_strict_as_the_runner() -> None:
    assert parsed("  ::error file=a%3A%2C,line=1::b%0A%253A\nx ::error::y\n::nothing::z\n") == [
        Command("error", {"file": "a:,", "line": "1"}, "b\n%3A")
    ]
    assert parsed("x ##[add-mask a=b]c") == [Command("add-mask", {"a": "b"}, "c")]
    assert parsed("\u200b::stop-commands::x") == [Command("stop-commands", {}, "x")]


def test_annotation_says_what_where_and_what_to_do() -> None:
    assert render(report(STOP_TIMEOUT)) == (
        "::warning file=deploy/app.service,line=4,endLine=4,col=1,endColumn=17,"
        "title=GU203 stop-timeout-too-short::"
        "gunicorn needs up to 120 s to stop, systemd kills it after 20 s. "
        "Help: set TimeoutStopSec=130, or lower graceful_timeout. "
        "See deploy/gunicorn.conf.py:14: workers may need this long.\n"
    )


@pytest.mark.parametrize(
    ("severity", "name"), [("error", "error"), ("warning", "warning"), ("note", "notice")]
)
def test_annotation_has_the_severity(severity: str, name: str) -> None:
    assert annotation(finding(at(UNIT, "20"), rule=rule(severity=severity))).name == name


@pytest.mark.parametrize(
    ("span", "wanted"),
    [
        (at(UNIT, "20").span, {"line": "4", "endLine": "4", "col": "16", "endColumn": "17"}),
        (at(UNIT, "20\n").span, {"line": "4", "endLine": "4", "col": "16", "endColumn": "18"}),
        (at(UNIT, "20\nKill").span, {"line": "4", "endLine": "5"}),
        (UNIT.span(0, 0), {"line": "1", "endLine": "1", "col": "1", "endColumn": "1"}),
        (Source("deploy/a", "").span(0, 0), {"line": "1", "endLine": "1", "col": "1", "endColumn": "1"}),
    ],
    ids=["in-a-line", "with-its-end", "two-lines", "empty-place", "empty-file"],
)  # fmt: skip
def test_annotation_has_columns_where_the_runner_takes_them(span, wanted) -> None:
    places = ("line", "endLine", "col", "endColumn")
    properties = annotation(finding(Label(span, ""))).properties
    assert {key: properties[key] for key in places if key in properties} == wanted


@pytest.mark.parametrize("run", HOSTILE_REPORTS.values(), ids=HOSTILE_REPORTS)
def test_nothing_in_a_file_becomes_a_command(run: Report) -> None:
    output = render(run)
    (one,) = parsed(output)
    assert output == escape(output[:-1]) + "\n"
    assert one.name == "warning"
    assert set(one.properties) == {"file", "line", "endLine", "col", "endColumn", "title"}
    (found,) = run.findings
    assert one.properties["file"] == escape(found.primary.span.source.path)
    assert escape(found.message) in one.data


@pytest.mark.parametrize("run", HOSTILE_REPORTS.values(), ids=HOSTILE_REPORTS)
@pytest.mark.parametrize("module", [text, concise])
def test_no_command_hides_in_what_people_read(module, run: Report) -> None:
    assert parsed(harmless(module.render(run))) == []


def test_concise_has_commands_where_nobody_takes_care() -> None:
    run = HOSTILE_REPORTS["command"]
    assert parsed(concise.render(run))
    assert harmless(concise.render(run)).startswith(r":\x3aerror file=x::y:1:1: GU203")


@pytest.mark.parametrize(
    ("log", "same"),
    [
        ("a::b\n  --> c", "a::b\n  --> c"),
        (" \u200b::x\n::y\n", " \u200b:\\x3ax\n:\\x3ay\n"),
        ("a ##[error]b", r"a ##\x5berror]b"),
        (":::error::x", r":\x3a:error::x"),
    ],
)
def test_harmless_text_is_otherwise_the_same(log: str, same: str) -> None:
    assert harmless(log) == same
    assert parsed(harmless(log)) == []
