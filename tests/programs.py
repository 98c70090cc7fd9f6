"""Programs that tests need and that no extra installs."""

from __future__ import annotations

import os
import shutil

import pytest


def program(name: str) -> str:
    """The path of a program. Without it a test fails in CI, which installs it, and is skipped elsewhere."""
    path = shutil.which(name)
    if path is None and os.environ.get("CI") == "true":
        pytest.fail(f"{name} isn't installed")
    if path is None:
        pytest.skip(f"{name} isn't installed")
    return path
