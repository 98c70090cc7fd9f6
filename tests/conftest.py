from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gunilint.engine import lint
from gunilint.findings import Finding
from gunilint.rules import load_rules

Lint = Callable[..., list[Finding]]


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write a project: path → text. A shell script gets its x bit."""
    for path, text in {"pyproject.toml": "", **files}.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())
        if text.startswith("#!"):
            target.chmod(0o755)


def place(finding: Finding) -> str:
    """The place of a finding as rule examples write it."""
    span = finding.primary.span
    return f"{span.source.path}:{span.line}:{span.column}"


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
