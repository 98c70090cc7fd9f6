"""Projects for tests: made from path → text, and places in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gunilint.findings import Finding


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
