"""systemd units by systemd's own rules: the recorded vectors, and places."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from gunilint.parse import systemd
from gunilint.parse.systemd import Unit
from gunilint.source import Source
from gunilint.values import Environment, Known, Unknown

VECTORS = json.loads(
    (Path(__file__).parents[1] / "data/systemd-exec-vectors.json").read_text(encoding="utf-8")
)
HEAD = """[Unit]
Description=vector
[Service]
Type=oneshot
User=www-data
Environment=T_ONE=one "T_TWO=two words" "T_OPTS=--a 1 --b 'x y'"
Environment=T_EMPTY= 'T_Q="q r" s' WORKERS=4
"""
PROBE = "/opt/probe/argv"
FILES = {
    "/run/ef": "T_ONE=fromfile\n",
    "/opt/probe/env1": """# a comment
; another
T_A=plain value here
T_B="double quoted"
T_C='single $T_A \\n'
T_D=with \\
continued
export T_E=dropped
T_F=$T_A ref
T_G=${T_A}
T_H=a # not comment
T_I="esc \\" \\$x \\\\n"
  T_J=  leading
T_K = space
T_L=a"b c"d'e f'
T_M=backslash\\\\x
""",
}
WHOLE_FILES = {
    "crlfall": (HEAD + f"ExecStart={PROBE} a \\\n  b\nEnvironment=T_X=1\n").replace("\n", "\r\n"),
    "bom": HEAD + f"ExecStart={PROBE} a\n",
    "cr-only": (HEAD + f"ExecStart={PROBE} a\n").replace("\n", "\r"),
}
SPECIAL = {
    "cont": [PROBE, "--a", "1", "--b", "2"],
    "bare": ["echo", "a"],
    "pipe-in-shc": ["/bin/sh", "-c", f'{PROBE} $T_ONE $T_ONE two words "${{T_TWO}}"'],
    "shc-specifier": ["/bin/sh", "-c", f"{PROBE} $(date +%Y)"],
}
"""What systemd itself passes where the recorded program wasn't the probe, or its output hidden."""


def read(path: str) -> Source | None:
    return Source(path, FILES[path]) if path in FILES else None


def load(vector: dict) -> tuple[Unit, Environment]:
    name = vector["id"]
    text = WHOLE_FILES.get(name, HEAD + vector["unit_lines"] + "\n").replace("=PA ", f"={PROBE} ")
    template = name.removeprefix("template ") if name.startswith("template ") else None
    unit = systemd.parse(Source("c.service", text), template or f"c-{name}.service")
    return unit, systemd.environment(unit, read)


def argv(unit: Unit, environment: Environment) -> list[list[str | None]]:
    commands = systemd.commands(unit, "ExecStart", environment)
    return [[word.text for word in command.words] for command in commands]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_vector(vector: dict) -> None:
    unit, environment = load(vector)
    found = argv(unit, environment)
    if vector["id"] in SPECIAL:
        assert found == [SPECIAL[vector["id"]]]
        return
    if isinstance(vector["out"], str) or vector["id"] == "template tmpl@.service":
        # a template itself can't be started: what its instance decides isn't known
        assert None in found[0]
        return
    if not vector["out"]:
        refused_at_start = vector["id"] == "envfile-missing"
        assert (found == []) is not refused_at_start
        return
    # of several commands the recording kept the last one's output
    expected, got = vector["out"][-1], found[-1]
    if "at-prefix" in vector["id"]:
        expected = {**expected, "argv": [PROBE, *expected["argv"][1:]]}
    assert len(got) == len(expected["argv"])
    for mine, theirs in zip(got, expected["argv"], strict=True):
        assert mine in (theirs, None)
    assert got.count(None) <= (1 if vector["id"] == "specifiers" else 0)
    for name, value in expected["env"].items():
        known = environment.get(name)
        if name == "HOME":
            assert isinstance(known, Unknown)
        else:
            assert isinstance(known, Known), name
            assert known.value == value


def test_there_are_82_vectors() -> None:
    assert len(VECTORS) == 82


def unit(text: str, *dropins: str, name: str = "app.service") -> Unit:
    sources = [Source(f"app.service.d/{n}.conf", each) for n, each in enumerate(dropins)]
    return systemd.parse(Source("app.service", text), name, sources)


class TestPlaces:
    def test_words_of_a_continued_and_quoted_command(self) -> None:
        text = '[Service]\nExecStart=/x/gunicorn --bind="0.0.0.0:80" \\\n  # why\n  "app:app"\n'
        (command,) = systemd.commands(unit(text), "ExecStart", {})
        bind, app = command.words[1:]
        assert (app.text, app.span.line, app.span.column) == ("app:app", 4, 4)
        assert bind.part(7).text == "0.0.0.0:80"
        assert (bind.part(7).line, bind.part(7).column) == (2, 31)

    def test_a_variable_stands_where_it_is_used_and_tells_where_it_is_set(self) -> None:
        text = "[Service]\nEnvironment=WORKERS=3\nExecStart=/x/gunicorn -w $WORKERS a\n"
        one = unit(text)
        (command,) = systemd.commands(one, "ExecStart", systemd.environment(one, read))
        workers = command.words[2]
        assert isinstance(workers.value, Known)
        assert (workers.text, workers.span.text) == ("3", "$WORKERS")
        assert workers.value.via[0].text == "3"

    def test_directive_reaches_from_its_key_to_its_value(self) -> None:
        directive = unit("[Service]\n  Type =  notify  \n").last("Service", "Type")
        assert directive is not None
        assert (directive.span.text, directive.value.span().text) == ("Type =  notify", "notify")

    def test_dependencies_have_a_place_each(self) -> None:
        one = unit("[Unit]\nAfter=a.service \\\n  b.service\n")
        found = systemd.dependencies(one, "After")
        assert [(name, span.line, span.text) for name, span in found] == [
            ("a.service", 2, "a.service"),
            ("b.service", 3, "b.service"),
        ]


class TestDropIns:
    def test_last_scalar_wins_and_lists_grow(self) -> None:
        one = unit(
            "[Service]\nType=simple\nExecStart=/a\n[Unit]\nAfter=x.service\n",
            "[Service]\nType=notify\n[Unit]\nAfter=y.service\n",
        )
        kind = one.last("Service", "Type")
        assert kind is not None
        assert kind.value.text == "notify"
        assert [name for name, _ in systemd.dependencies(one, "After")] == [
            "x.service",
            "y.service",
        ]

    def test_an_empty_assignment_resets_a_list_but_not_dependencies(self) -> None:
        one = unit(
            "[Service]\nExecStart=/a\n[Unit]\nAfter=x.service\n",
            "[Service]\nExecStart=\nExecStart=/b\n[Unit]\nAfter=\n",
        )
        assert argv(one, {}) == [["/b"]]
        assert [name for name, _ in systemd.dependencies(one, "After")] == ["x.service"]

    def test_they_apply_by_file_name_whatever_their_folder(self) -> None:
        late = Source("a-.service.d/20.conf", "[Service]\nType=late\n")
        early = Source("a-b.service.d/05.conf", "[Service]\nType=early\n")
        one = systemd.parse(
            Source("a-b.service", "[Service]\nType=x\n"), "a-b.service", [late, early]
        )
        kind = one.last("Service", "Type")
        assert kind is not None
        assert kind.value.text == "late"


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("Type=notify\n", "Type=notify", "before any [Section]"),
        ("[Service\nType=notify\n", "[Service", "isn't closed"),
        ("[Service]\nType notify\n", "Type notify", "no `=` in it"),
        ("[Service]\nExecStart=/a 'b\n", "'", "never closed"),
        ("[Service]\nExecStart=./a b\n", "./a", "neither an absolute path"),
        ("[Service]\nExecStart=/a --b \\ \n  --c 1\n", "--c 1", "no `=` in it"),
    ],
)
def test_problems(text: str, place: str, reason: str) -> None:
    problem = unit(text).problems[0]
    assert problem.span.text == place
    assert reason in problem.reason


def test_lines_before_a_section_are_one_problem() -> None:
    assert len(unit("A=1\nB=2\nC=3\n").problems) == 1


class TestEnvironment:
    def test_unread_file_leaves_other_variables_unknown(self) -> None:
        one = unit(
            "[Service]\nEnvironmentFile=/etc/none\nEnvironment=A=1\nExecStart=/x $A ${B} $C\n"
        )
        (command,) = systemd.commands(one, "ExecStart", systemd.environment(one, read))
        assert [word.text for word in command.words] == ["/x", "1", None, None]
        assert [word.many for word in command.words] == [False, False, False, True]

    def test_file_of_the_project_counts(self) -> None:
        one = unit("[Service]\nEnvironmentFile=-/run/ef\nExecStart=/x ${T_ONE}\n")
        (command,) = systemd.commands(one, "ExecStart", systemd.environment(one, read))
        assert command.words[1].text == "fromfile"

    def test_unset_removes(self) -> None:
        one = unit("[Service]\nEnvironment=A=1 B=2\nUnsetEnvironment=A\n")
        assert set(systemd.environment(one, read)) == {"B"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("20", 20), ("20s", 20), ("2min 30s", 150), ("1h30", 3630), ("500ms", 0.5), ("0", 0),
        ("infinity", math.inf), ("1.5h", 5400), ("1 week", 604800), ("abc", None), ("-1", None),
        ("", None), ("5 parsecs", None),
    ],
)  # fmt: skip
def test_timespan(text: str, seconds: float | None) -> None:
    assert systemd.timespan(text) == seconds


@pytest.mark.parametrize(
    ("text", "value"),
    [("yes", True), ("On", True), ("1", True), ("no", False), ("f", False), ("maybe", None)],
)
def test_boolean(text: str, value: bool | None) -> None:
    assert systemd.boolean(text) is value


@pytest.mark.parametrize(
    "text",
    ["[Service]\n" + "A=1\n" * 50_000, "[Service]\nExecStart=/a " + "b \\\n" * 50_000, "\\\n" * 100_000,
     "[Service]\nExecStart=/a " + '"' * 99_999, "[Service]\nEnvironment=" + "A=$A " * 50_000],
    ids=["many lines", "long continuation", "only continuations", "quotes", "environment"],
)  # fmt: skip
def test_large_units_take_no_time(text: str) -> None:
    one = unit(text)
    systemd.commands(one, "ExecStart", systemd.environment(one, read))
