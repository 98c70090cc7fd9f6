"""A bar on a terminal for a run that takes long, and nothing of it anywhere else."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from gunilint.progress import Progress, untracked
from projects import write

pty = pytest.importorskip("pty")

ROOT = Path(__file__).parents[1]
AT_ONCE = (
    "import gunilint.progress as progress\n"
    "progress.Progress.__init__.__defaults__ = (0,)\n"
    "from gunilint.cli import main\nmain()\n"
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bar_counts_what_is_done_and_is_taken_back() -> None:
    stream = Terminal()
    with Progress(stream, patience=0) as track:
        assert list(track("abcd", "Checking")) == list("abcd")
        assert list(track("ef", "Reading")) == list("ef")
    told = stream.getvalue()
    assert "Checking" in told
    assert "Reading" in told
    assert "75%" in told
    assert told.endswith("\x1b[1A\x1b[2K\r")


def broken_off(items: Iterable[str]) -> None:
    for item in items:
        raise KeyError(item)


def test_bar_is_taken_back_when_the_run_breaks_off() -> None:
    stream = Terminal()
    with pytest.raises(KeyError), Progress(stream, patience=0) as track:
        broken_off(track("abcd", "Checking"))
    assert stream.getvalue().endswith("\x1b[?25h\n\x1b[1A\x1b[2K\r")


def test_short_run_shows_no_bar() -> None:
    stream = Terminal()
    with Progress(stream, patience=60) as track:
        assert list(track("abcd", "Checking")) == list("abcd")
    assert stream.getvalue() == ""


def test_without_a_terminal_nothing_is_tracked() -> None:
    with Progress(None, patience=0) as track:
        assert track is untracked


def run(project: Path, *arguments: str, **environment: str) -> tuple[str, str]:
    """Standard output, which is a pipe, and what appears on the terminal of standard error."""
    mine, its = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", AT_ONCE, *arguments], cwd=project, stdout=subprocess.PIPE, stderr=its,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "TERM": "xterm", **environment},
        )  # fmt: skip
        os.close(its)
        told = b""
        try:
            while chunk := os.read(mine, 65536):
                told += chunk
        except OSError:
            pass  # Linux's way to say that the other end is closed
        output, _ = process.communicate(timeout=60)
    finally:
        os.close(mine)
    return output.decode(), told.decode()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path, {f"s{number}/start.sh": "gunicorn app:app\n" for number in range(20)})
    return tmp_path


def test_bar_is_on_standard_error_alone(project: Path) -> None:
    output, told = run(project, "--format", "concise")
    assert "Following scripts" in told
    assert "Checking" in told
    assert "\x1b" not in output
    assert output.count("GU301") == 20


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [(["--quiet"], {}), ([], {"TERM": "dumb"})],
    ids=["quiet", "dumb terminal"],
)
def test_bar_can_be_unwanted(
    project: Path, arguments: list[str], environment: dict[str, str]
) -> None:
    assert run(project, "--format", "concise", *arguments, **environment)[1] == ""
