"""Programs that tests start: those that no extra installs, and Python itself."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest


def program(name: str) -> str:
    """The path of a program. Without it a test fails in CI, which installs it, and is skipped elsewhere."""
    path = shutil.which(name)
    if path is None and os.environ.get("CI") == "true":
        pytest.fail(f"{name} isn't installed")
    if path is None:
        pytest.skip(f"{name} isn't installed")
    return path


def python(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Python, with what the tests have on their path."""
    path = os.pathsep.join(str(Path(folder).resolve()) for folder in sys.path if folder)
    return subprocess.run(
        [sys.executable, *command],
        cwd=cwd, capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "PYTHONPATH": path, **environment},
    )  # fmt: skip


def imported(done: subprocess.CompletedProcess[str]) -> set[str]:
    """The modules that a Python with `-X importtime` has imported."""
    return set(re.findall(r"\| +([\w.]+)$", done.stderr, re.MULTILINE))


def soon(happens: Callable[[], object], seconds: float = 20) -> bool:
    """Whether something happens within some seconds."""
    deadline = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
