from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gunilint.engine import lint
from gunilint.findings import Finding
from gunilint.rules import load_rules
from projects import write

Lint = Callable[..., list[Finding]]


@pytest.fixture
def lint_files(tmp_path: Path) -> Lint:
    """Lint a project given as path → text, with all rules; the findings in report order."""

    def run(files: Mapping[str, str], *paths: str, version: str | None = None) -> list[Finding]:
        write(tmp_path, files)
        arguments = [tmp_path / path for path in paths] or [tmp_path]
        result = lint(arguments, load_rules(), version)
        assert not result.errors, result.errors[0][1]
        return list(result.findings)

    return run
