"""Runs a program with one of its streams on a pseudo-terminal."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal


def on_terminal(
    command: Sequence[str],
    folder: Path,
    stream: Literal["stdout", "stderr"],
    environment: Mapping[str, str],
) -> tuple[str, str]:
    """What appears on the terminal of one stream, and what the other, a pipe, gets."""
    import pty

    other = "stderr" if stream == "stdout" else "stdout"
    mine, its = pty.openpty()
    try:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, "TERM": "xterm", **environment}, **{stream: its, other: subprocess.PIPE},
        )  # fmt: skip
        os.close(its)
        told = b""
        with contextlib.suppress(OSError):  # Linux's way to say that the other end is closed
            while chunk := os.read(mine, 65536):
                told += chunk
        piped = process.communicate(timeout=60)[stream == "stdout"]
    finally:
        os.close(mine)
    return told.decode(), piped.decode()
