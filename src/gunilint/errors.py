"""What ends a run with a sentence, and what a sentence calls a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class ExplainedError(Exception):
    """What gunilint was asked for can't be done; the message says why in one sentence."""


def shown(path: Path) -> str:
    """A path as people know it: from the working directory, where it is below that."""
    try:
        return path.relative_to(path.cwd()).as_posix()
    except ValueError:
        return str(path)
