"""What a maintainer needs of a bug, with nothing of the machine or of what was linted in it."""

from __future__ import annotations

import platform
import traceback
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from gunilint import __version__

_LIBRARIES = ("click", "libcst", "msgspec", "tree-sitter", "tree-sitter-bash")
_FRAMES = 30
"""The innermost calls that are told."""


def told(error: BaseException) -> str:
    """The versions, the kind of an error, and the calls that led to it, the innermost last.

    Its message is left out, since it may hold text of a file, and so are the paths of modules.
    """
    return "\n".join(_lines(error))


def _lines(error: BaseException) -> Iterator[str]:
    found = ", ".join(f"{name} {_version(name)}" for name in _LIBRARIES)
    system = f"{platform.system()} {platform.machine()}"
    yield f"gunilint {__version__}, Python {platform.python_version()}, {system}, {found}"
    yield f"{type(error).__module__}.{type(error).__qualname__}"
    for frame, line in [*traceback.walk_tb(error.__traceback__)][-_FRAMES:]:
        module = frame.f_globals.get("__name__", "?")
        yield f"  {module}:{line} in {frame.f_code.co_name}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "?"
