"""What scripts run: each case against what is expected, and against the real shells."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gunilint.command import Command, Word
from gunilint.interpret import SCRIPT_DIRECTORY, commands
from gunilint.parse.shell import Script, parse
from gunilint.source import Fragment, Source
from gunilint.values import Known, OneOf, Symbolic, Unknown

# (id, script, the arguments of each gunicorn that runs; None where a word isn't known)
CASES: list[tuple[str, str, list[list[str | None]]]] = [
    ("plain", "gunicorn app:app -w 4", [["app:app", "-w", "4"]]),
    ("quotes", """gunicorn "app:app" '-w' "4"''""", [["app:app", "-w", "4"]]),
    ("joined quotes", """gunicorn --name="my "'app'""", [["--name=my app"]]),
    ("escapes", r"gunicorn a\ b \"c\" '\d' \\e", [["a b", '"c"', r"\d", r"\e"]]),
    ("double quote escapes", r'gunicorn "a\"b" "c\\d" "e\$f" "g\h"', [['a"b', r"c\d", "e$f", r"g\h"]]),
    ("ansi quotes", r"gunicorn $'a\tb'", [["a\tb"]]),
    ("continued", "gunicorn app:app \\\n  -w \\\n  4", [["app:app", "-w", "4"]]),
    ("continued in word", "gunicorn --wor\\\nkers=4", [["--workers=4"]]),
    ("comment ends continuation", "gunicorn app \\\n # --reload \\\n --workers 4", [["app"]]),
    ("variable", "W=4\ngunicorn -w $W ${W} \"$W\" x$W", [["-w", "4", "4", "4", "x4"]]),
    ("split", 'OPTS="-w 4 --bind :80"\ngunicorn $OPTS app', [["-w", "4", "--bind", ":80", "app"]]),
    ("not split", 'N="my app"\ngunicorn "$N"', [["my app"]]),
    ("assignment isn't split", "A='x y'\nB=$A\ngunicorn \"$B\"", [["x y"]]),
    ("append", "O=-w\nO+=4\ngunicorn $O", [["-w4"]]),
    ("default", "gunicorn -w ${UNSET_W:-4}", [["-w", "4"]]),
    ("default of set", "W=2\ngunicorn -w ${W:-4}", [["-w", "2"]]),
    ("default of empty", "W=\ngunicorn -w ${W:-4} ${W-5}", [["-w", "4"]]),
    ("default with parentheses", 'gunicorn "${UNSET_A:-shop:create_app()}" ${UNSET_B:-app()} "${UNSET_C:-f(1)}" x', [["shop:create_app()", "app()", "f(1)", "x"]]),
    ("nested default", "gunicorn ${UNSET_A:-${UNSET_B:-c}}", [["c"]]),
    ("default with variable", 'H=0.0.0.0\ngunicorn "${UNSET_B:-$H:80}"', [["0.0.0.0:80"]]),
    ("assigning default", ': "${UNSET_P:=80}"\ngunicorn -b ":$UNSET_P"', [["-b", ":80"]]),
    ("alternative", "W=4\ngunicorn ${W:+-w $W}", [["-w", "4"]]),
    ("trim", "P=/srv/app/\ngunicorn ${P%/}", [["/srv/app"]]),
    ("array", 'A=(-w 4 "x y")\ngunicorn "${A[@]}" app', [["-w", "4", "x y", "app"]]),
    ("array append", 'A=(a)\nA+=(b c)\ngunicorn "${A[@]}"', [["a", "b", "c"]]),
    ("array with comments", 'A=(\n a # why\n b\n)\ngunicorn "${A[@]}"', [["a", "b"]]),
    ("empty array", 'A=()\ngunicorn "${A[@]}" x', [["x"]]),
    ("arithmetic", "N=3\ngunicorn -w $((2 * N + 1)) $(( (1+2)*3 ))", [["-w", "7", "9"]]),
    ("set args", 'set -- -w 4\ngunicorn "$@" $# $1', [["-w", "4", "2", "-w"]]),
    ("shift", 'set -- a b c\nshift\ngunicorn "$@"', [["b", "c"]]),
    ("eval", 'CMD="gunicorn -w 4"\neval "$CMD app"', [["-w", "4", "app"]]),
    ("command in variable", 'CMD="gunicorn -w 4"\n$CMD app', [["-w", "4", "app"]]),
    ("function", "run() { gunicorn -w 4; }\nrun", [["-w", "4"]]),
    ("function arguments", 'run() { exec gunicorn "$@" -w 4; }\nrun app x', [["app", "x", "-w", "4"]]),
    ("function keyword", "function run { gunicorn $1; }\nrun app", [["app"]]),
    ("function that isn't called", "run() { gunicorn a; }\ntrue", []),
    ("return", "f() { return 0; gunicorn never; }\nf\ngunicorn a", [["a"]]),
    ("return in a branch", "f() { if [ -n \"$1\" ]; then return; fi; gunicorn b; }\nf x\nf\ngunicorn a", [["b"], ["a"]]),
    ("local", "f() { local w=4; gunicorn -w $w; }\nf", [["-w", "4"]]),
    ("exec", "exec gunicorn app", [["app"]]),
    ("after exec", "exec gunicorn app\ngunicorn never", [["app"]]),
    ("after exit", "gunicorn one\nexit 0\ngunicorn never", [["one"]]),
    ("and", "true && gunicorn app", [["app"]]),
    ("false and", "false && gunicorn app", []),
    ("true or", "true || gunicorn app", []),
    ("false or", "false || gunicorn app", [["app"]]),
    ("if true", "W=1\nif [ -n \"$W\" ]; then gunicorn a; else gunicorn b; fi", [["a"]]),
    ("if equal", 'E=prod\nif [ "$E" = dev ]; then gunicorn a; else gunicorn b; fi', [["b"]]),
    ("if double brackets", 'E=prod\nif [[ $E == prod ]]; then gunicorn a; fi', [["a"]]),
    ("elif", 'E=b\nif [ $E = a ]; then gunicorn a; elif [ $E = b ]; then gunicorn b; fi', [["b"]]),
    ("not", "W=\nif ! [ -n \"$W\" ]; then gunicorn a; fi", [["a"]]),
    ("case", "E=b\ncase $E in a|x) gunicorn a;; b) gunicorn b;; *) gunicorn c;; esac", [["b"]]),
    ("case default", "E=q\ncase \"$E\" in a) gunicorn a;; *) gunicorn c;; esac", [["c"]]),
    ("for", "for i in 1 2; do gunicorn $i; done", [["1"], ["2"]]),
    ("for array", 'A=(x y)\nfor i in "${A[@]}"; do gunicorn "$i"; done', [["x"], ["y"]]),
    ("subshell", "(W=3; gunicorn $W)", [["3"]]),
    ("subshell variables", "W=1\n(W=3)\ngunicorn $W", [["1"]]),
    ("group", "{ W=3; gunicorn $W; }", [["3"]]),
    ("background", "gunicorn app &\nwait", [["app"]]),
    ("pipeline", "gunicorn app | cat", [["app"]]),
    ("lone dash before a redirection", "gunicorn --access-logfile - 2>&1", [["--access-logfile", "-"]]),
    ("dash and file", "gunicorn --error-logfile - > /dev/null", [["--error-logfile", "-"]]),
    ("words after a redirection", "gunicorn a >/dev/null 2>&1 --bind :80", [["a", "--bind", ":80"]]),
    ("redirection first", ">/dev/null gunicorn a", [["a"]]),
    ("heredoc", "cat > /dev/null <<EOF\ngunicorn never\nEOF\ngunicorn a", [["a"]]),
    ("quoted heredoc", "cat <<'EOF' > /dev/null\ngunicorn $(never)\nEOF\ngunicorn a", [["a"]]),
    ("comment", "# gunicorn never\ngunicorn a # -w 4", [["a"]]),
    ("mention", "echo gunicorn app\ntrue 'gunicorn app'", []),
    ("prefix", "W=4 gunicorn a", [["a"]]),
    ("export", "export W=4\ngunicorn $W", [["4"]]),
    ("command builtin", "command gunicorn a", [["a"]]),
    ("no word", "gunicorn $EMPTY_BUT_SET a", [["a"]]),
    ("unset", "W=4\nunset W\ngunicorn ${W:-1}", [["1"]]),
    ("trap", "trap 'gunicorn never' USR1\ngunicorn a", [["a"]]),
    ("colon port", 'P=80\ngunicorn -b "0.0.0.0:$P" -b0.0.0.0:${P}', [["-b", "0.0.0.0:80", "-b0.0.0.0:80"]]),
    ("while", "i=0\nwhile [ $i -lt 1 ]; do i=1; gunicorn a; done", [["a"]]),
    ("basename", 'P=/x/app.py\ngunicorn $(basename $P)', [["app.py"]]),
    ("echo", "gunicorn $(echo app)", [["app"]]),
    ("set -e", "set -euo pipefail\ngunicorn a", [["a"]]),
    ("test and assign", 'W=\n[ -z "$W" ] && W=4\ngunicorn $W', [["4"]]),
    ("unicode", 'N="café"\ngunicorn --name "$N" é', [["--name", "café", "é"]]),
    ("empty argument", "gunicorn '' a \"\"", [["", "a", ""]]),
    ("equals in word", "gunicorn -e A=1 --env=B=2", [["-e", "A=1", "--env=B=2"]]),
]  # fmt: skip
ENVIRONMENT = {"EMPTY_BUT_SET": Known("")}
BASH_ONLY = {
    "ansi quotes", "array", "array append", "array with comments", "empty array", "append",
    "function keyword", "if double brackets", "for array", "set -e",
}  # fmt: skip


def script(text: str, name: str = "start.sh") -> Script:
    return parse(Fragment.whole(Source(name, text)))


def gunicorns(text: str, **options) -> list[Command]:
    found = commands(script(text), **options)
    return [command for command in found if command.words[0].text == "gunicorn"]


@pytest.mark.parametrize(("name", "text", "expected"), CASES, ids=[case[0] for case in CASES])
def test_case(name: str, text: str, expected: list[list[str | None]]) -> None:
    shell = "bash" if name in BASH_ONLY else "sh"
    parsed = parse(Fragment.whole(Source("start.sh", text)), shell)
    ran = commands(parsed, environment=ENVIRONMENT)
    found = [command for command in ran if command.words[0].text == "gunicorn"]
    assert [[word.text for word in command.words[1:]] for command in found] == expected
    assert all(command.certain for command in found)


@pytest.mark.parametrize("shell", ["bash", "dash"])
@pytest.mark.parametrize(("name", "text", "expected"), CASES, ids=[case[0] for case in CASES])
def test_case_is_what_the_shell_does(shell, name, text, expected, tmp_path: Path) -> None:
    program = shutil.which(shell)
    if program is None or (shell == "dash" and name in BASH_ONLY):
        pytest.skip(f"not for {shell}")
    log = tmp_path / "log"
    stub = tmp_path / "bin" / "gunicorn"
    stub.parent.mkdir()
    stub.write_text(
        f"#!/bin/sh\nfor a in \"$@\"; do printf '%s\\0' \"$a\" >> {log}; done\nprintf '\\n' >> {log}\n"
    )
    stub.chmod(0o755)
    (tmp_path / "start.sh").write_text(text + "\n")
    environment = {
        "PATH": f"{stub.parent}:{os.environ['PATH']}",
        "EMPTY_BUT_SET": "",
        "LC_ALL": "C.UTF-8",
    }
    subprocess.run(
        [program, "start.sh"], cwd=tmp_path, env=environment, check=False, timeout=20,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    recorded = log.read_text(encoding="utf-8") if log.exists() else ""
    runs = [line.split("\0")[:-1] for line in recorded.split("\n")[:-1]]
    assert runs == expected


class TestPlaces:
    def test_value_within_a_continued_command(self) -> None:
        (command,) = gunicorns("exec gunicorn app:app \\\n    --bind=0.0.0.0:80 \\\n    -w 4\n")
        bind = command.words[2]
        assert (bind.span.line, bind.span.column) == (2, 5)
        assert (bind.part(7).text, bind.part(7).column) == ("0.0.0.0:80", 12)

    def test_columns_count_characters(self) -> None:
        (command,) = gunicorns("N='é' gunicorn --name 'ü' x\n")
        assert (command.words[3].text, command.words[3].span.column) == ("x", 27)

    def test_variable_stands_at_its_use_and_tells_its_assignment(self) -> None:
        (command,) = gunicorns("WORKERS=1\ngunicorn -w $WORKERS\n")
        word = command.words[2]
        assert isinstance(word.value, Known)
        assert (word.span.text, word.value.via[0].text) == ("$WORKERS", "1")

    def test_carriage_returns_are_no_part_of_words(self) -> None:
        (command,) = gunicorns("gunicorn app:app \\\r\n  -w 4\r\n")
        assert [word.text for word in command.words] == ["gunicorn", "app:app", "-w", "4"]
        assert (command.words[3].span.line, command.words[3].span.column) == (2, 6)


class TestProcesses:
    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("gunicorn a", "there is no `exec`"),
            ("gunicorn a &", "background"),
            ("gunicorn a | tee log", "pipeline"),
            ("exec gunicorn a | tee log", "pipeline"),
            ("(exec gunicorn a)", "subshell"),
            ("exec gunicorn a &", "background"),
        ],
    )
    def test_forks(self, text: str, reason: str) -> None:
        assert reason in gunicorns(text)[0].forks[0].text

    @pytest.mark.parametrize(
        "text",
        ["exec gunicorn a", "exec gunicorn a > log 2>&1", "f() { exec gunicorn a; }; f",
         "if true; then exec gunicorn a; fi", "cd /x && exec gunicorn a"],
    )  # fmt: skip
    def test_exec_replaces_the_shell(self, text: str) -> None:
        assert gunicorns(text)[0].forks == ()

    @pytest.mark.parametrize(
        ("text", "forks"),
        [("gunicorn a", False), ("cd /x && gunicorn a", False), ("true; gunicorn a", False),
         ("gunicorn a > log", True), ("gunicorn a || exit 1", True), ("gunicorn a; true", True)],
    )  # fmt: skip
    def test_bash_with_a_string_becomes_its_last_command(self, text: str, forks: bool) -> None:
        assert bool(gunicorns(text, implicit_exec=True)[0].forks) is forks


class TestDirectory:
    @pytest.mark.parametrize(
        ("text", "directory"),
        [
            ("cd /srv/app", "/srv/app"),
            ("cd /srv\ncd app", "/srv/app"),
            ("D=/srv/app\ncd $D", "/srv/app"),
            ('cd "$(dirname "$0")"', SCRIPT_DIRECTORY),
            ('cd "$(dirname "$0")/.."', f"{SCRIPT_DIRECTORY}/.."),
            ('cd "$(dirname "${BASH_SOURCE[0]}")"', SCRIPT_DIRECTORY),
            ("cd `dirname $0`", SCRIPT_DIRECTORY),
            ('D="$( cd "$( dirname "${BASH_SOURCE[0]}" )" && pwd )"\ncd "$D"', SCRIPT_DIRECTORY),
            ('D=$(dirname "$(readlink -f "$0")")\ncd $D', SCRIPT_DIRECTORY),
            ('cd "${0%/*}"', SCRIPT_DIRECTORY),
            ("(cd /x)\ncd /y", "/y"),
        ],
    )
    def test_cd(self, text: str, directory: str) -> None:
        found = gunicorns(text + "\ngunicorn a")[0].directory
        assert isinstance(found, Known)
        assert found.value == directory

    def test_unknown_folder(self) -> None:
        assert isinstance(gunicorns("cd $NOWHERE\ngunicorn a")[0].directory, Unknown)


class TestUnknown:
    def test_arguments_that_a_branch_sets(self) -> None:
        text = (
            'if [ "$UNSET_MODE_X" = "$(date)" ]; then set -- gunicorn -w 2 app; else set -- date; fi\n'
            'exec gosu www "$@"\n'
        )
        found = next(each for each in commands(script(text)) if len(each.words) == 6)
        assert [word.text for word in found.words] == ["gosu", "www", *"gunicorn -w 2 app".split()]
        assert len(found.conditions) == 1

    def test_argument_with_an_empty_default(self) -> None:
        text = 'case "${1:-}" in\nstart) exec gunicorn app ;;\n*) exit 2 ;;\nesac'
        (found,) = gunicorns(text)
        assert len(found.conditions) == 1

    def test_arguments_that_a_loop_changes(self) -> None:
        (found,) = gunicorns('set -- a\nwhile read -r x; do set -- "$@" "$x"; done\ngunicorn "$@"')
        assert [word.text for word in found.words] == ["gunicorn", None]

    def test_default_rests_on_an_assumption(self) -> None:
        value = gunicorns('gunicorn -b "0.0.0.0:${PORT:-80}"')[0].words[2].value
        assert value == Known("0.0.0.0:80", ("PORT is unset",))

    def test_variable_that_nothing_sets(self) -> None:
        word = gunicorns("gunicorn $OPTS")[0].words[1]
        assert isinstance(word.value, Unknown)
        assert (word.value.variable, word.many) == ("OPTS", True)

    def test_variable_of_the_environment(self) -> None:
        found = gunicorns("gunicorn $OPTS", environment={"OPTS": Known("-w 4")})
        assert [word.text for word in found[0].words[1:]] == ["-w", "4"]

    def test_arguments_of_the_script(self) -> None:
        found = gunicorns('gunicorn "$@" ${1:-8000}')[0].words
        assert found[1].many
        assert found[2].value == Known("8000", ("no argument is given",))
        given = Word(Known("x"), found[0].span)
        passed = gunicorns('gunicorn "$@" ${1:-8000}', arguments=(given,))[0].words
        assert [word.text for word in passed[1:]] == ["x", "x"]

    def test_cpus_are_symbolic(self) -> None:
        value = gunicorns("gunicorn -w $(( 2 * $(nproc) + 1 ))")[0].words[2].value
        assert isinstance(value, Symbolic)
        assert (value.text, value.at(4)) == ("2 * cpus + 1", "9")

    def test_branch_that_cannot_be_told_gives_possibilities(self) -> None:
        text = 'if [ -f x ]; then W=1; else W=2; fi\ngunicorn -w "$W"'
        value = gunicorns(text)[0].words[2].value
        assert isinstance(value, OneOf)
        assert [(o.condition, o.value.value) for o in value.options] == [
            ("[ -f x ]", "1"),
            ("not [ -f x ]", "2"),
        ]

    def test_commands_of_such_a_branch_have_its_condition(self) -> None:
        text = 'if [ "$ENV" = dev ]; then gunicorn a; else gunicorn b; fi'
        assert [command.conditions for command in gunicorns(text)] == [
            ('[ "$ENV" = dev ]',),
            ('not [ "$ENV" = dev ]',),
        ]

    def test_unset_is_assumed_where_the_script_asks_for_it(self) -> None:
        value = gunicorns('if [ -z "$W" ]; then W=4; fi\ngunicorn -w $W')[0].words[2].value
        assert value == Known("4", ("W is unset",), value.via)

    def test_unreadable_file_may_change_what_was_set(self) -> None:
        value = gunicorns("W=4\n. ./secrets.env\ngunicorn -w $W")[0].words[2].value
        assert isinstance(value, Known)
        assert value.assumes == ("`./secrets.env` leaves W alone",)

    def test_sourced_file_is_read(self) -> None:
        files = {"env.sh": script("export W=7\n", "env.sh")}
        found = gunicorns(". env.sh\ngunicorn -w $W", source_file=files.get)
        assert found[0].words[2].text == "7"
        assert found[0].environment["W"] == found[0].words[2].value

    def test_loop_variable_that_is_not_known(self) -> None:
        text = "for p in $PORTS; do gunicorn -b :$p; done"
        assert isinstance(gunicorns(text)[0].words[2].value, Unknown)


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ('echo "a\ngunicorn b\n', '"', "never closed"),
        ("echo 'a\ngunicorn b\n", "'", "never closed"),
        ("if true; then\n gunicorn a\n", "i", "missing"),
    ],
)
def test_broken_script_is_a_problem_with_its_place(text: str, place: str, reason: str) -> None:
    (problem,) = script(text).problems
    assert reason in problem.reason
    assert problem.span.text == place


@pytest.mark.parametrize(
    "text",
    [
        "\0" * 100_000,
        "(" * 100_000,
        "<<<" * 50_000,
        "A=x\n" + "A=$A$A\n" * 64 + "gunicorn $A",
        "f() { f; f; }\nf",
        "eval " * 500 + "gunicorn a",
        "if true; then " * 3000,
        "gunicorn " + "${A:-" * 2000 + "}" * 2000,
        "gunicorn $((" + "(" * 3000 + "1" + ")" * 3000 + "))",
        'gunicorn "' + "$(echo " * 300 + ")" * 300 + '"',
        "for i in "
        + "1 " * 30
        + "; do " * 1
        + "for j in "
        + "1 " * 30
        + "; do gunicorn $i; done; done",
        "\ud800 gunicorn",
    ],
    ids=range(12),
)
def test_hostile_script_ends_in_time(text: str) -> None:
    assert len(commands(script(text))) <= 10_000
