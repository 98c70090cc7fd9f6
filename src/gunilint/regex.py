"""Regular expressions that are compiled when they are first used.

gunilint has more than a hundred. Compiling them takes longer than one run needs them for, and half
of them aren't needed at all by most runs.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, AnyStr, cast


class Regex:
    """Stands for a pattern: has all that the compiled one has."""

    def __init__(self, pattern: str | bytes, flags: int) -> None:
        self._arguments = pattern, flags

    @cached_property
    def _compiled(self) -> re.Pattern[Any]:
        return re.compile(*self._arguments)

    def __getattr__(self, name: str) -> Any:
        """What the instance doesn't have yet, which is kept: the next use is a plain lookup."""
        value = getattr(self._compiled, name)
        setattr(self, name, value)
        return value


def regex(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """A regular expression as of `re.compile`; one that is broken raises when it is used."""
    return cast("re.Pattern[AnyStr]", Regex(pattern, flags))
