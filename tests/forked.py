"""Runs gunilint's command line and tells what each run took: exit status, CPU seconds, memory.

A small server has everything imported and forks for each run, so that the figures are those of the
input alone, and a run that dies takes nothing along. `python forked.py` is that server.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

CPU_LIMIT = 15
"""The CPU seconds after which the kernel ends a run."""
WALL_LIMIT = 60
"""The seconds after which a run that waits for something ends."""


@dataclass(frozen=True)
class Run:
    """What a run gave; `cpu` is in seconds, `peak` in MB. A negative status is a signal's."""

    status: int
    stdout: str
    stderr: str
    cpu: float
    peak: float


class Forked:
    """The server; use it as a context manager."""

    def __init__(self) -> None:
        command = [sys.executable, __file__]
        self._server = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Forked:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.communicate()

    def run(self, folder: Path, *arguments: str) -> Run:
        """Run `gunilint` with these arguments in a folder."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        print(json.dumps([str(folder), arguments]), file=self._server.stdin, flush=True)
        return Run(**json.loads(self._server.stdout.readline()))


def _serve() -> None:
    import gc

    from gunilint import cli
    from gunilint.engine import lint
    from gunilint.rules import load_rules

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "gunicorn.conf.py").write_text("workers = 2\n")
        Path(folder, "start.sh").write_text("#!/bin/sh\nexec gunicorn -w 2 app:app\n")
        lint([Path(folder)], load_rules())
    gc.freeze()
    for line in sys.stdin:
        folder, arguments = json.loads(line)
        print(json.dumps(vars(_run(cli.main, folder, arguments))), flush=True)


def _run(main, folder: str, arguments: Sequence[str]) -> Run:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT, CPU_LIMIT))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            signal_after(WALL_LIMIT)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            os.chdir(folder)
            os._exit(_call(main, arguments))
        _, status, usage = os.wait4(child, 0)
        texts = [os.pread(file.fileno(), 1 << 24, 0).decode() for file in (out, err)]
    cpu = usage.ru_utime + usage.ru_stime
    return Run(os.waitstatus_to_exitcode(status), *texts, cpu, usage.ru_maxrss / 1024)


def signal_after(seconds: int) -> None:
    """Let the kernel end this process, whatever it waits for."""
    import signal

    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)


def _call(main, arguments: Sequence[str]) -> int:
    status = 0
    try:
        main(list(arguments), prog_name="gunilint")
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException as error:
        print(f"uncaught {error!r}", file=sys.stderr)
        status = 99
    sys.stdout.flush()
    sys.stderr.flush()
    return status


if __name__ == "__main__":
    _serve()
