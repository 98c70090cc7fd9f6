"""A bar on a terminal for a run that takes long, and nothing of it anywhere else."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from gunilint.progress import Progress, untracked
from projects import write
from terminals import on_terminal

pytest.importorskip("pty")

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
    """What appears on the terminal of standard error, and standard output, which is a pipe."""
    command = [sys.executable, "-c", AT_ONCE, *arguments]
    return on_terminal(command, project, "stderr", {"PYTHONPATH": str(ROOT / "src"), **environment})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path, {f"s{number}/start.sh": "gunicorn app:app\n" for number in range(20)})
    return tmp_path


def test_bar_is_on_standard_error_alone(project: Path) -> None:
    told, output = run(project, "--format", "concise")
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
    assert run(project, "--format", "concise", *arguments, **environment)[0] == ""
