"""Completion: what is offered, and that real shells complete with it."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner

from gunilint.cli import main
from gunilint.rules import load_rules
from programs import program


def offered(*words: str) -> list[str]:
    """What the last of `words` may become; a path is `<file>` or `<dir>`."""
    *before, last = words
    items = BashComplete(main, {}, "gunilint", "_X").get_completions(list(before), last)
    return [item.value if item.type == "plain" else f"<{item.type}>" for item in items]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["expl"], ["<file>", "explain"]),
        (["deploy/"], ["<file>"]),
        (["deploy/", ""], ["<file>"]),
        (["check", ""], ["<file>"]),
        (["--sel"], ["--select"]),
        (["deploy/", "--sel"], ["--select"]),
        (["--vers"], ["--version"]),
        (["--fail-on", ""], ["error", "warning", "note"]),
        (["explain", "gu30"], [f"GU30{digit}" for digit in range(1, 10)]),
        (["explain", "no-max"], ["no-max-requests"]),
        (["explain", "GU301", ""], []),
        (["--select", "time"], ["timeouts", "timeout-below-graceful-timeout", "timeout-disabled", "timeout-too-long", "timeout-too-short"]),
        (["--ignore", "GU4,GU311"], ["GU4,GU311"]),
        (["check", "--extend-select=GU311"], ["GU311"]),
        (["rules", "--check", ""], ["<dir>"]),
        (["completion", ""], ["bash", "fish", "zsh"]),
        (["show", "--all", "x"], ["<file>"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)  # fmt: skip
def test_what_is_offered(words: list[str], wanted: list[str]) -> None:
    assert offered(*words) == wanted


def test_every_command_is_offered_first() -> None:
    assert offered("") == ["<file>", *sorted(main.commands)]
    assert {"--version", "--help", "--format"} <= set(offered("-"))


def test_every_rule_is_offered() -> None:
    rules = load_rules()
    assert offered("explain", "") == [rule.code for rule in rules]
    for rule in rules:
        assert rule.name in offered("explain", rule.name)


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_a_script_is_printed_without_starting_anything(shell: str, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    done = CliRunner().invoke(main, ["completion", shell])
    assert (done.exit_code, done.stderr) == (0, "")
    assert f"_GUNILINT_COMPLETE={shell}_complete" in done.stdout


def test_another_shell_is_refused() -> None:
    assert CliRunner().invoke(main, ["completion", "tcsh"]).exit_code == 2


# real shells

TYPED = [
    ("gunilint expl", "explain"),
    ("gunilint --exit", "--exit-zero"),
    ("gunilint explain no-max", "no-max-requests"),
    ("gunilint --ignore GU4,unexp", "GU4,unexpanded-variable"),
    ("gunilint dep", "deploy/"),
    ("gunilint deploy/gun", "deploy/gunicorn.conf.py"),
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project to stand in, with a `gunilint` on the path and no settings of a user."""
    bin_folder, project = tmp_path / "bin", tmp_path / "project"
    bin_folder.mkdir()
    (project / "deploy").mkdir(parents=True)
    (project / "deploy/gunicorn.conf.py").touch()
    command = bin_folder / "gunilint"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m gunilint "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, map(str, sys.path))))
    monkeypatch.chdir(project)
    return tmp_path


@pytest.mark.parametrize(("typed", "completed"), TYPED)
def test_fish_completes(home: Path, typed: str, completed: str) -> None:
    script = f"gunilint completion fish | source; complete -C '{typed}'"
    done = subprocess.run(
        [program("fish"), "--no-config", "-c", script],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert completed in [line.split("\t")[0] for line in done.stdout.splitlines()], done.stderr


@pytest.mark.parametrize(("typed", "completed"), TYPED)
@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_completes(home: Path, shell: str, typed: str, completed: str) -> None:
    options = {"bash": ["--norc", "--noprofile", "-i"], "zsh": ["-f", "-i"]}[shell]
    first = "autoload -U compinit; compinit -u -D; " if shell == "zsh" else ""
    with terminal([program(shell), *options]) as (write, wait_for):
        write(f"PS1='>'\"> \"; {first}eval \"$(gunilint completion {shell})\"; echo rea'dy'\n")
        wait_for(r"ready\s+.*>> ")
        write(f"{typed}\t")
        before = typed.rpartition(" ")[0]
        wait_for(re.escape(f"{before} {completed}"))


@contextmanager
def terminal(command: list[str]):
    """A program in a terminal of its own: what types, and what waits for an output."""
    pid, stream = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    shown = ""

    def write(text: str) -> None:
        os.write(stream, text.encode())

    def wait_for(pattern: str) -> None:
        nonlocal shown
        end = time.monotonic() + 60
        while not re.search(pattern, plain(shown), re.DOTALL):
            assert time.monotonic() < end, f"{pattern!r} didn't come: {plain(shown)!r}"
            if select.select([stream], [], [], 0.5)[0]:
                shown += os.read(stream, 4096).decode(errors="replace")
        shown = ""

    try:
        yield write, wait_for
    finally:
        os.close(stream)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def plain(shown: str) -> str:
    """What a terminal shows, without sequences that move or colour."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r(?!\n)|\x07", "", shown)
    while "\b" in text:
        text = re.sub(r"[^\b]\b|^\b", "", text)
    return text
