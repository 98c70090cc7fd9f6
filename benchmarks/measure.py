"""Whole processes, timed from outside, one after the other and in turns."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Command(NamedTuple):
    """A command of a group that is measured together.

    `files` is how many files it reads, `statuses` the exit statuses of a run that counts, and
    `before` what is done ahead of each run and isn't timed.
    """

    name: str
    argv: Sequence[str]
    folder: Path
    files: int = 0
    statuses: frozenset[int] = frozenset({0})
    before: Callable[[], object] = lambda: None
    environment: Mapping[str, str] = {}


class Run(NamedTuple):
    """One run: wall-clock and processor seconds, and the peak of its largest process in MiB."""

    seconds: float
    cpu: float
    peak: float


class Figures(NamedTuple):
    """What the rounds of a command came to."""

    command: Command
    runs: tuple[Run, ...]

    @property
    def seconds(self) -> float:
        """The median of the wall-clock seconds."""
        return statistics.median(run.seconds for run in self.runs)

    @property
    def cpu(self) -> float:
        """The median of the processor seconds."""
        return statistics.median(run.cpu for run in self.runs)

    @property
    def peak(self) -> float:
        """The median of the peaks in MiB."""
        return statistics.median(run.peak for run in self.runs)

    @property
    def rate(self) -> float:
        """Files a second."""
        return self.command.files / self.seconds

    def over(self, other: Figures) -> float:
        """How often `other`'s time this takes: the median of the rounds' ratios."""
        pairs = zip(self.runs, other.runs, strict=True)
        return statistics.median(mine.seconds / theirs.seconds for mine, theirs in pairs)


def measure(commands: Sequence[Command], rounds: int, home: Path) -> dict[str, Figures]:
    """Each command once a round, after one round that warms up and doesn't count."""
    runs: dict[str, list[Run]] = {command.name: [] for command in commands}
    for number in range(rounds + 1):
        for command in commands:
            done = _run(command, home)
            if number:
                runs[command.name].append(done)
    return {command.name: Figures(command, tuple(runs[command.name])) for command in commands}


def _run(command: Command, home: Path) -> Run:
    command.before()
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **command.environment,
    }  # fmt: skip
    output = home / "output"
    with output.open("wb") as told:
        start = time.perf_counter()
        process = subprocess.Popen(
            command.argv, cwd=command.folder, env=environment,
            stdin=subprocess.DEVNULL, stdout=told, stderr=subprocess.STDOUT,
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in command.statuses:
        last = output.read_text(errors="replace")[-2000:]
        raise SystemExit(f"{command.name}: exit {process.returncode}\n{last}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
