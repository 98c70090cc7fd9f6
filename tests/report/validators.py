"""The programs that read reports: where `scripts/install_validators.sh` puts them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = "scripts/install_validators.sh"
FOLDER = Path(os.environ.get("GUNILINT_VALIDATORS") or ROOT / ".oracle/validators")


def package(name: str) -> Path:
    """The folder of an npm package. Without it a test fails in CI, and is skipped elsewhere."""
    folder = FOLDER / "node_modules" / name
    if not folder.is_dir():
        reason = f"{name} isn't in {FOLDER}: run {SCRIPT}, or set GUNILINT_VALIDATORS"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


def run(*command: object, text: str | None = None, folder: Path | None = None) -> str:
    """What a program prints; it must end well."""
    done = subprocess.run(
        [str(word) for word in command], input=text, cwd=folder, check=False, timeout=300,
        capture_output=True, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
