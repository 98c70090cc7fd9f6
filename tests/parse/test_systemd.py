"""systemd units by systemd's own rules: the recorded vectors, places, and the rarer rules."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest

from gunilint.parse import systemd
from gunilint.parse.systemd import Unit
from gunilint.source import Fragment, Source
from gunilint.values import Environment, Known, OneOf, Option, Unknown
from tally import TALLY

VECTORS = json.loads(
    (Path(__file__).parents[1] / "data/systemd-exec-vectors.json").read_text(encoding="utf-8")
)
PROBE = "/opt/probe/argv"
HEAD = """[Unit]
Description=vector
[Service]
Type=oneshot
User=www-data
Environment=T_ONE=one "T_TWO=two words" "T_OPTS=--a 1 --b 'x y'"
Environment=T_EMPTY= 'T_Q="q r" s'
Environment=WORKERS=4
"""
"""Eight lines, so that a vector's own lines have the numbers that systemd's log has."""

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
    "crlfall": f"[Service]\r\nExecStart={PROBE} a \\\r\n  b\r\nEnvironment=T_X=1\r\n",
    "bom": f"[Service]\nExecStart={PROBE} a\n",
    "cr-only": f"[Service]\rExecStart={PROBE} a\r",
}
SPECIAL = {
    "cont": [PROBE, "--a", "1", "--b", "2"],
    "bare": ["echo", "a"],
    "pipe-in-shc": ["/bin/sh", "-c", f'{PROBE} $T_ONE $T_ONE two words "${{T_TWO}}"'],
    "shc-specifier": ["/bin/sh", "-c", f"{PROBE} $(date +%Y)"],
    "envfile-missing": [PROBE],
    "template tmpl@.service": [PROBE, None, None, *["tmpl"] * 4, None, None, None, "/root", "root"],
}
"""What systemd passes where the recorded program wasn't the probe, or nothing of it was recorded."""

REASONS = {
    "Missing '='": "there is no `=` in it",
    "Unbalanced quoting": "the quote that is opened here is never closed",
    "Failed to resolve unit specifiers": "`%z` is no specifier; a plain % is written %%",
    "Neither a valid executable name": "the program is neither an absolute path nor a bare name",
    "Empty path in command line": "there is no program behind the prefix",
}
"""What systemd logs, and the words for it in a problem; other messages are no problems."""


def read(path: str) -> Source | None:
    return Source(path, FILES[path]) if path in FILES else None


def load(vector: dict) -> tuple[Unit, Environment]:
    name, _, template = vector["id"].partition(" ")
    lines = vector["unit_lines"].replace("=PA ", f"={PROBE} ") + "\n"
    text = WHOLE_FILES.get(name, "[Service]\n" + lines if template else HEAD + lines)
    unit = systemd.parse(Source("c.service", text), template or f"c-{name}.service")
    return unit, systemd.environment(unit, read)


def argv(unit: Unit, environment: Environment | None = None) -> list[list[str | None]]:
    commands = systemd.commands(unit, "ExecStart", environment or {})
    return [[word.text for word in command.words] for command in commands]


def known(environment: Environment) -> dict[str, object]:
    return {name: each.value for name, each in environment.items() if isinstance(each, Known)}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_arguments_are_those_that_systemd_passed(vector: dict) -> None:
    TALLY.add("systemd", "vectors")
    found = argv(*load(vector))
    if vector["id"] in SPECIAL:
        assert found == [SPECIAL[vector["id"]]]
        return
    if not vector["out"]:
        assert found == []
        return
    # of several commands the recording kept the last one's output
    expected = list(vector["out"][-1]["argv"])
    if "at-prefix" in vector["id"]:
        expected[0] = PROBE
    if vector["id"] == "specifiers":
        expected[-1] = None  # %s was the shell of that machine
    assert found[-1] == expected


@pytest.mark.parametrize(
    "vector",
    [vector for vector in VECTORS if vector["out"] and isinstance(vector["out"], list)],
    ids=lambda vector: vector["id"],
)
def test_environment_is_the_one_that_systemd_gave(vector: dict) -> None:
    _, environment = load(vector)
    expected = dict(vector["out"][-1]["env"])
    if expected.pop("HOME", None):
        assert isinstance(environment["HOME"], Unknown)
        expected["LOGNAME"] = expected["USER"]
    assert known(environment) == expected


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_problems_are_those_that_systemd_logged(vector: dict) -> None:
    unit, _ = load(vector)
    log = "\n".join(vector.get("log", ()))
    messages = "|".join(REASONS)
    expected = {
        (int(n), REASONS[message]) for n, message in re.findall(rf":(\d+): ({messages})", log)
    }
    assert {(p.span.line, p.reason) for p in unit.problems} == expected
    refused = "Unit configuration has fatal error" in log
    assert any(p.kind == "refused" for p in unit.problems) is refused


def test_there_are_82_vectors() -> None:
    assert len(VECTORS) == 82


def make(text: str, *dropins: str, name: str = "app.service", path: str = "app.service") -> Unit:
    sources = [Source(f"app.service.d/{n}.conf", each) for n, each in enumerate(dropins)]
    return systemd.parse(Source(path, text), name, sources)


def run(service: str, name: str = "app.service") -> list[list[str | None]]:
    """The commands of a `[Service]` section with its own environment."""
    unit = make(f"[Service]\n{service}\n", name=name)
    return argv(unit, systemd.environment(unit, read))


class TestPlaces:
    def test_words_of_a_continued_and_quoted_command(self) -> None:
        text = '[Service]\nExecStart=/x/gunicorn --bind="0.0.0.0:80" \\\n  # why\n  "app:app"\n'
        (command,) = systemd.commands(make(text), "ExecStart", {})
        bind, app = command.words[1:]
        assert (app.text, app.span.line, app.span.column) == ("app:app", 4, 4)
        assert bind.part(7).text == "0.0.0.0:80"
        assert (bind.part(7).line, bind.part(7).column) == (2, 31)
        assert command.span.text.startswith("/x/gunicorn")

    def test_a_variable_stands_where_it_is_used_and_tells_where_it_is_set(self) -> None:
        text = "[Service]\nEnvironment=W=3 B=0\nExecStart=/x -w $W --bind=${B}:80\n"
        unit = make(text)
        (command,) = systemd.commands(unit, "ExecStart", systemd.environment(unit, read))
        workers, bind = command.words[2:]
        assert isinstance(workers.value, Known)
        assert (workers.text, workers.span.text) == ("3", "$W")
        assert [span.text for span in workers.value.via] == ["3"]
        assert bind.text == "--bind=0:80"
        assert [bind.part(0, 7).text, bind.part(7, 8).text, bind.part(8).text] == [
            "--bind=",
            "$",
            ":80",
        ]

    def test_a_specifier_and_an_escape_stand_where_they_are_written(self) -> None:
        (command,) = systemd.commands(make("[Service]\nExecStart=/x %n=\\x41b\n"), "ExecStart", {})
        word = command.words[1]
        assert word.text == "app.service=Ab"
        assert (word.part(0).text, word.part(13).text) == ("%n=\\x41b", "b")

    def test_directive_reaches_from_its_key_to_its_value(self) -> None:
        directive = make("[Service]\n  Type =  notify  \n").last("Service", "Type")
        assert directive is not None
        assert (directive.span.text, directive.value.span().text) == ("Type =  notify", "notify")
        assert directive.key_span.text == "Type"

    def test_empty_directive_ends_at_its_equals_sign(self) -> None:
        (directive,) = make("[Service]\nExecStart= \n").directives
        assert directive.span.text == "ExecStart="

    def test_dependencies_have_a_place_each(self) -> None:
        unit = make("[Unit]\nAfter=a.service \\\n  b.service\n")
        found = systemd.dependencies(unit, "After")
        assert [(name, span.line, span.text) for name, span in found] == [
            ("a.service", 2, "a.service"),
            ("b.service", 3, "b.service"),
        ]


@pytest.mark.parametrize(
    ("written", "names"),
    [
        pytest.param("dev-disk\\x2da.device", ["dev-disk\\x2da.device"], id="no escapes"),
        pytest.param('"a.service b.service"', ['"a.service', 'b.service"'], id="no quotes"),
        pytest.param("%p.socket", ["app.socket"], id="specifier"),
        pytest.param("db@%i.service", ["db@%i.service"], id="instance of a template"),
        pytest.param("a.service b%z.service", ["a.service"], id="bad specifier"),
    ],
)
def test_dependency_names(written: str, names: list[str]) -> None:
    unit = make(f"[Unit]\nAfter={written}\n", name="app@.service")
    assert [name for name, _ in systemd.dependencies(unit, "After")] == names


class TestLines:
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\0", "\n\r"], ids=repr)
    def test_any_line_end(self, end: str) -> None:
        unit = make(end.join(["[Service]", "ExecStart=/a \\", "# no", "  b", "Type=exec", ""]))
        assert argv(unit) == [["/a", "b"]]
        assert len(unit.directives) == 2

    def test_continuation_at_the_end_of_the_file(self) -> None:
        assert argv(make("[Service]\nExecStart=/a b \\")) == [["/a", "b"]]

    def test_sections_are_merged_and_case_counts(self) -> None:
        unit = make("[Service]\nType=a\n[service]\nType=b\n[Unit]\n[Service]\ntype=c\nRestart=no\n")
        assert [(d.section, d.key) for d in unit.directives if d.section == "Service"] == [
            ("Service", "Type"), ("Service", "type"), ("Service", "Restart"),
        ]  # fmt: skip
        kind = unit.last("Service", "Type")
        assert kind is not None
        assert kind.value.text == "a"

    def test_nothing_is_said_of_private_sections(self) -> None:
        assert make("[X-Deploy]\nnonsense\nExecStart='\n[Unit]\nAfter=a.service\n").problems == ()

    def test_empty_file_has_no_problem(self) -> None:
        assert make("# nothing\n\n").problems == ()


class TestDropIns:
    def test_last_scalar_wins_and_lists_grow(self) -> None:
        unit = make(
            "[Service]\nType=simple\nExecStart=/a\n[Unit]\nAfter=x.service\n",
            "[Service]\nType=notify\n[Unit]\nAfter=y.service\n",
        )
        kind = unit.last("Service", "Type")
        assert kind is not None
        assert (kind.value.text, kind.span.source.path) == ("notify", "app.service.d/0.conf")
        found = [name for name, _ in systemd.dependencies(unit, "After")]
        assert found == ["x.service", "y.service"]

    def test_an_empty_assignment_resets_a_list_but_not_dependencies(self) -> None:
        unit = make(
            "[Service]\nExecStart=/a\n[Unit]\nAfter=x.service\n",
            "[Service]\nExecStart=\nExecStart=/b\n[Unit]\nAfter=\n",
        )
        assert argv(unit) == [["/b"]]
        assert [name for name, _ in systemd.dependencies(unit, "After")] == ["x.service"]

    @pytest.mark.parametrize(
        ("paths", "winner"),
        [
            pytest.param(["a-.service.d/20.conf", "a-b.service.d/05.conf"], 0, id="later name"),
            pytest.param(["a-b.service.d/5.conf", "a-.service.d/5.conf"], 0, id="nearer folder"),
            pytest.param(["a-b.service.d/1.conf", "a-b.service.d/9.conf.bak"], 0, id="no .conf"),
            pytest.param(["a-b.service.d/1.conf", "a-b.service.d/.9.conf"], 0, id="hidden"),
        ],
    )
    def test_order(self, paths: list[str], winner: int) -> None:
        dropins = [Source(path, f"[Service]\nType={n}\n") for n, path in enumerate(paths)]
        unit = systemd.parse(Source("a-b.service", "[Service]\nType=x\n"), "a-b.service", dropins)
        kind = unit.last("Service", "Type")
        assert kind is not None
        assert kind.value.text == str(winner)

    def test_a_fault_in_one_ends_it_and_not_the_unit(self) -> None:
        unit = make("[Service]\nExecStart=/a\n", "[Service]\nType=exec\n[Oops\nExecStart=/b\n")
        assert argv(unit) == [["/a"]]
        (problem,) = unit.problems
        assert problem.kind == "ignored"
        assert problem.reason.endswith("so the drop-in ends here")


@pytest.mark.parametrize(
    ("text", "place", "reason", "kind"),
    [
        ("Type=notify\n", "Type=notify", "before any [Section]", "ignored"),
        ("[Service\nType=notify\n", "[Service", "isn't closed", "refused"),
        ("[Service]\nType notify\n", "Type notify", "no `=` in it", "ignored"),
        ("[Service]\n = notify\n", "= notify", "no key", "ignored"),
        ("[Service]\nExecStart=/a 'b\n", "'", "never closed", "refused"),
        ("[Service]\nExecStart=-/a 'b\n", "'", "never closed", "ignored"),
        ("[Service]\nExecStart='/a b\n", "'", "never closed", "ignored"),
        ("[Service]\nExecStart=./a b\n", "./a", "neither an absolute path", "refused"),
        ("[Service]\nExecStart=~/a b\n", "~/a", "neither an absolute path", "refused"),
        ("[Service]\nExecStart=/a/ b\n", "/a/", "is a folder", "refused"),
        ("[Service]\nExecStart=/a\\\\b\n", "/a\\\\b", "backslashes", "refused"),
        ("[Service]\nExecStart=@/a\n", "/a", "no name follows", "refused"),
        ("[Service]\nExecStart=/a 100%z\n", "%z", "no specifier", "refused"),
        ("[Service]\nExecStartPre=/a ; -b/c\n", "b/c", "neither an absolute path", "ignored"),
        ("[Service]\nExecStart=/a --b \\ \n  --c 1\n", "--c 1", "no `=` in it", "ignored"),
    ],
)
def test_problems(text: str, place: str, reason: str, kind: str) -> None:
    (problem,) = make(text).problems
    assert (problem.span.text, problem.kind) == (place, kind)
    assert reason in problem.reason


def test_lines_before_a_section_are_one_problem() -> None:
    assert len(make("A=1\nB=2\nC=3\n").problems) == 1


class TestCommands:
    @pytest.mark.parametrize(
        ("line", "words"),
        [
            pytest.param("-:@+/a name $B", ["/a", "$B"], id="prefixes"),
            pytest.param("!!/a", ["/a"], id="two exclamation marks"),
            pytest.param("|/a", ["/a"], id="systemd 258"),
            pytest.param("@/a $NONE b c", ["/a", "c"], id="name from a variable"),
            pytest.param("/a \\xc3\\xa9 \\303\\251", ["/a", "é", "é"], id="octets"),
            pytest.param("/a \\xff \\ud800", ["/a", "\ufffd", "\ufffd"], id="not UTF-8"),
            pytest.param("/a \\x00 \\400 \\U00110000", ["/a", "\\x00", "\\400", "\\U00110000"], id="no escapes"),
            pytest.param('/a "\\;" \\; ;; x;', ["/a", "\\;", ";", ";;", "x;"], id="semicolons"),
            pytest.param("/a %(h)s 5% %é", ["/a", "%(h)s", "5%", "%é"], id="percent"),
            pytest.param("/a ${A-B} x${A:-${Q}}", ["/a", "", "x${A:-q}"], id="shell defaults"),
            pytest.param("/a ${A ${", ["/a", "${A", "${"], id="open braces"),
            pytest.param("/a $Q/x $(nproc) y$Q", ["/a", "y$Q"], id="no names"),
            pytest.param("/a $E", ["/a", "x y", "tn", '"', "z"], id="value with quotes"),
            pytest.param('/a "" \'\'', ["/a", "", ""], id="empty words"),
            pytest.param("/a $P", ["/a", "%n"], id="no specifiers in values"),
        ],
    )  # fmt: skip
    def test_words(self, line: str, words: list[str]) -> None:
        values = r"""Environment=Q=q P=%%n 'E="x y" \\tn \\" "z'"""
        assert run(f"{values}\nExecStart={line}") == [words]

    def test_each_command_of_a_line(self) -> None:
        assert run('ExecStart=";" ; /a b ; ; /c ";" ;') == [["/a", "b"], ["/c", ";"]]

    def test_a_tolerated_fault_keeps_the_commands_before_it(self) -> None:
        assert run("ExecStart=/a ; -b/c ; /d") == [["/a"]]

    def test_a_refused_line_has_no_command(self) -> None:
        assert run("ExecStart=/a ; b/c ; /d\nExecStart=/e") == [["/e"]]

    def test_other_keys(self) -> None:
        unit = make("[Service]\nExecReload=/bin/kill -s HUP $MAINPID\n")
        (command,) = systemd.commands(unit, "ExecReload", systemd.environment(unit, read))
        assert [word.text for word in command.words] == ["/bin/kill", "-s", "HUP", None]
        assert command.words[3].many

    def test_a_variable_that_may_be_one_of_several_is_unknown(self) -> None:
        either = OneOf((Option(Known("1"), "a"), Option(Known("2"), "b")))
        unit = make("[Service]\nExecStart=/a $W x${W}\n")
        (command,) = systemd.commands(unit, "ExecStart", {"W": either})
        assert [(word.text, word.many) for word in command.words[1:]] == [
            (None, True),
            (None, False),
        ]

    def test_template(self) -> None:
        (words,) = run("ExecStart=/a %p %i x%I", name="app@.service")
        assert words == ["/a", "app", None, None]

    @pytest.mark.parametrize(
        ("path", "install", "home"),
        [
            ("app.service", "multi-user.target", "/root"),
            ("app.service", "default.target", None),
            ("systemd/user/app.service", "multi-user.target", None),
        ],
    )
    def test_home_of_the_manager(self, path: str, install: str, home: str | None) -> None:
        text = f"[Service]\nExecStart=/a %h\n[Install]\nWantedBy={install}\n"
        assert argv(make(text, path=path)) == [["/a", home]]

    def test_expansion_is_bounded(self) -> None:
        uses = "${A}" * 1000
        (words,) = run(f"Environment=A={'x' * 1000}\nExecStart=/a ${{A}} {uses} " + "${A} " * 1000)
        assert words[1] == "x" * 1000
        assert words[2] is None
        assert words[-1] is None
        assert len(words) < 200


class TestEnvironment:
    def test_unread_file_leaves_other_variables_unknown(self) -> None:
        unit = make(
            "[Service]\nEnvironmentFile=/etc/none\nEnvironment=A=1\nExecStart=/x $A ${B} $C $(D)\n"
        )
        environment = systemd.environment(unit, read)
        (command,) = systemd.commands(unit, "ExecStart", environment)
        assert [word.text for word in command.words] == ["/x", "1", None, None]
        assert [word.many for word in command.words] == [False, False, False, True]
        assert environment.unread is not None
        assert "/etc/none" in environment.unread
        assert set(environment) == {"A"}

    def test_unread_file_may_replace_what_the_unit_sets(self) -> None:
        unit = make(
            "[Service]\nEnvironment=A=1\nEnvironmentFile=/run/ef\nEnvironmentFile=-/etc/none\n"
        )
        environment = systemd.environment(unit, read)
        for name in ("A", "T_ONE"):
            value = environment[name]
            assert isinstance(value, Known)
            assert value.assumes == (f"`/etc/none` leaves {name} alone",)

    def test_file_of_the_project_counts(self) -> None:
        assert run("EnvironmentFile=-/run/ef\nExecStart=/x ${T_ONE} ${B}") == [
            ["/x", "fromfile", ""]
        ]

    @pytest.mark.parametrize("path", ["--/run/ef", "run/ef", "'/run/ef'", "/run/%z"])
    def test_path_that_systemd_ignores(self, path: str) -> None:
        unit = make(f"[Service]\nEnvironmentFile={path}\n")
        environment = systemd.environment(unit, read)
        assert (dict(environment), environment.unread) == ({}, None)

    @pytest.mark.parametrize(
        ("lines", "variables"),
        [
            pytest.param("Environment=A=1 B=\\q C=3\nEnvironment=D=4", {"A": "1", "D": "4"}, id="bad escape"),
            pytest.param("Environment=A=1 'B=2\nEnvironment=D=4", {"A": "1", "D": "4"}, id="open quote"),
            pytest.param("Environment=A=%z B=%N", {"B": "app"}, id="specifiers"),
            pytest.param("Environment=A=\\xff B=2", {"B": "2"}, id="not UTF-8"),
            pytest.param("Environment=A=1 B=2\nUnsetEnvironment=A B=3", {"B": "2"}, id="unset"),
            pytest.param("RuntimeDirectory=a b:c /d", {"RUNTIME_DIRECTORY": "/run/a:/run/b"}, id="folders"),
            pytest.param("User=root", {"USER": "root", "LOGNAME": "root", "HOME": "/root"}, id="root"),
            pytest.param("User=1000", {}, id="number"),
            pytest.param("DynamicUser=yes", {}, id="dynamic user"),
            pytest.param("User=a\nEnvironment=USER=b", {"USER": "b", "LOGNAME": "a"}, id="overridden"),
        ],
    )  # fmt: skip
    def test_known_variables(self, lines: str, variables: dict[str, str]) -> None:
        unit = make(f"[Service]\n{lines}\n")
        assert known(systemd.environment(unit, read)) == variables

    @pytest.mark.parametrize(
        "lines", ["PassEnvironment=A", "Environment=A=%H", "Environment=A=%i\nUser=x"]
    )
    def test_variables_that_the_machine_or_instance_decides(self, lines: str) -> None:
        unit = make(f"[Service]\n{lines}\n", name="app@.service")
        assert isinstance(systemd.environment(unit, read)["A"], Unknown)

    def test_path_is_set_by_systemd(self) -> None:
        assert run("ExecStart=/a ${PATH} ${NONE}") == [["/a", None, ""]]


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        pytest.param("export A=1\nB=2\n", {"B": "2"}, id="export"),
        pytest.param("A=1 # no\n # B=2\n;C=3\n", {"A": "1 # no"}, id="comments"),
        pytest.param("A='x y' \"z\"\nB=x'y'\n", {"A": "x yz", "B": "x'y'"}, id="quotes"),
        pytest.param("A='x\ny'\nB=1\n", {"A": "x\ny", "B": "1"}, id="quoted line end"),
        pytest.param('A="x\\\ny\\q"\n', {"A": "xy\\q"}, id="continuation in quotes"),
        pytest.param("A=x \\\n y \n", {"A": "x  y"}, id="continuation"),
        pytest.param("A=1\r\nB=x\\\r\nC=3\r\n", {"A": "1", "B": "x", "C": "3"}, id="CRLF"),
        pytest.param("A=x\\  \nB=\n C = 3", {"A": "x ", "B": "", "C": "3"}, id="blanks"),
        pytest.param("# a \\\nA=1\n", {"A": "1"}, id="comment with a backslash"),
        pytest.param("A='x\nB=1", {"A": "x\nB=1"}, id="open quote"),
        pytest.param("2A=1\nA-B=1\nnothing\n=x\nA=1=2\n", {"A": "1=2"}, id="names"),
    ],
)
def test_environment_file(text: str, variables: dict[str, str]) -> None:
    assert known(systemd.environment_file(Source(".env", text))) == variables


def test_environment_file_tells_the_place_of_a_value() -> None:
    found = systemd.environment_file(Source(".env", "A=1\n B = 'x y' \n"))
    assert [span.text for span in found["B"].via] == ["'x y'"]


def test_words_end_at_a_quote_that_stays_open() -> None:
    value = Fragment.whole(Source("x", "a 'b c' \"d"))
    assert [word.text for word in systemd.words(value)] == ["a", "b c"]


@pytest.mark.parametrize(
    ("text", "words", "fault"),
    [
        ("a 'b c'", ["a", "b c"], None),
        ("a 'b c' \"d", ["a", "b c"], '"'),
        ("a b\\q c", ["a"], "b\\q"),
    ],
)
def test_a_list_ends_at_its_first_fault(text: str, words: list[str], fault: str | None) -> None:
    found, place = systemd.listed(Fragment.whole(Source("x", text)))
    assert [word.text for word in found] == words
    assert (place.text if place else None) == fault


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("20", 20), ("20s", 20), ("2min 30s", 150), ("1h30", 3630), ("500ms", 0.5), ("0", 0),
        ("infinity", math.inf), ("1.5h", 5400), ("1 week", 604800), (".5", 0.5), ("+5", 5),
        ("12.34 .66", 13), ("1 2", 3), ("3M", 7889400), ("5 μs", 5e-6), ("5 µs", 5e-6),
        ("abc", None), ("-1", None), ("", None), ("5 parsecs", None), ("5.", None), ("1.2.3", None),
        ("1,5", None), ("1-2", None), ("5 S", None), ("1e3", None), ("99999999999y", None),
        ("20 # seconds", None), ("infinity 1", None),
    ],
)  # fmt: skip
def test_timespan(text: str, seconds: float | None) -> None:
    assert systemd.timespan(text) == (seconds if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("text", "value"),
    [("yes", True), ("On", True), ("1", True), ("no", False), ("f", False), ("maybe", None)],
)
def test_boolean(text: str, value: bool | None) -> None:
    assert systemd.boolean(text) is value


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[Service]\n" + "A=1\n" * 50_000, id="many lines"),
        pytest.param("[Service]\nExecStart=/a " + "b \\\n" * 50_000, id="long continuation"),
        pytest.param("\\\n" * 100_000, id="only continuations"),
        pytest.param("[Service]\nExecStart=/a " + '"' * 99_999, id="quotes"),
        pytest.param("[Service]\nExecStart=/a " + "${" * 100_000, id="open braces"),
        pytest.param("[Service]\nEnvironment=" + "A=$A " * 50_000, id="assignments"),
        pytest.param("[Service]\nExecStart=/a " + "%n" * 100_000, id="specifiers"),
    ],
)
def test_large_units_take_no_time(text: str) -> None:
    unit = make(text, name="a" * 200 + ".service")
    systemd.commands(unit, "ExecStart", systemd.environment(unit, read))


@pytest.mark.parametrize(
    ("name", "called", "is_it"),
    [
        ("app.service", "app.service", True),
        ("app@.service", "app@1.service", True),
        ("app@.service", "app.service", False),
        ("app.service", "app@1.service", False),
    ],
)
def test_name_of_an_instance_means_its_template(name: str, called: str, is_it: bool) -> None:
    assert make("", name=name).is_called(called) is is_it


@pytest.mark.parametrize(
    ("socket", "text", "service", "hands"),
    [
        ("app.socket", "", "", True),
        ("web.socket", "Service=app.service", "", True),
        ("app.socket", "Service=other.service", "", False),
        ("web.socket", "", "Sockets=web.socket", True),
        ("web.socket", "", "", False),
        ("app.timer", "", "", False),
    ],
)
def test_socket_unit_hands_its_sockets_to_a_service(socket, text, service, hands: bool) -> None:
    unit = make(f"[Service]\n{service}\n")
    assert make(f"[Socket]\n{text}\n", name=socket).hands_sockets_to(unit) is hands


def test_units_that_are_started_with_another() -> None:
    text = "[Unit]\nRequires=a.service b.socket\nWants=c@%i.service\n[Service]\nSockets=d.socket\n"
    unit = make(text, name="app@1.service")
    assert unit.brings() == {"a.service", "b.socket", "c@1.service", "d.socket"}
    assert unit.wants_sockets()
    assert not make("[Unit]\nWants=docker.socket a.service\n").wants_sockets()


@pytest.mark.parametrize(
    ("text", "meaning"), [("%t/%p.sock", "/run/app.sock"), ("%H.sock", None), ("%z", None)]
)
def test_text_with_specifiers(text: str, meaning: str | None) -> None:
    directive = make(f"[Service]\nPIDFile={text}\n").last("Service", "PIDFile")
    assert directive is not None
    assert systemd.specified(directive.value, make("")) == meaning
