"""What the values in a rule's file have to be, in words and as tests."""

from __future__ import annotations

import datetime
import reprlib
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from gunilint.spelling import closest

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = 60
_REPR.maxlevel = 2


_FEW = 30
"""So many names at most fit into an error."""


class MisfitError(Exception):
    """A value that doesn't fit: the keys that lead to it, and why, in one sentence."""

    def __init__(self, path: tuple[str, ...], reason: str) -> None:
        super().__init__(reason)
        self.path = path


class Kind(Struct, frozen=True):
    """What a value has to be: in `words` that follow "has to be", and as a test."""

    words: str
    holds: Callable[[Any], bool]

    def check(self, value: object, *path: str) -> None:
        """Raise `MisfitError` unless `value`, which `path` leads to, is of this kind."""
        if not self.holds(value):
            strings = "string" in self.words and any(map(_is_misread, _items(value)))
            hint = "; numbers, dates, yes and no are strings only in quotes" if strings else ""
            reason = f"{named(path)} has to be {self.words}, not {_REPR.repr(value)}{hint}"
            raise MisfitError(path, reason)


def _is_misread(value: object) -> bool:
    """Whether YAML may have made it of words such as `no`, `1.0` and `2026-01-31`."""
    return isinstance(value, bool | int | float | datetime.date)


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _is_string(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_count(value: object) -> bool:
    return type(value) is int and value > 0


def _is_mapping(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_string, value))


STRING = Kind("a string", _is_string)
LINE = Kind("a string of one line", lambda value: _is_string(value) and value.isprintable())
STRINGS = Kind(
    "a list of strings", lambda value: isinstance(value, list) and all(map(_is_string, value))
)
FLAG = Kind("true or false", lambda value: isinstance(value, bool))
YES = Kind("true", lambda value: value is True)
COUNT = Kind("a whole number above zero", _is_count)
LIST = Kind("a list", lambda value: isinstance(value, list))
MAPPING = Kind("a mapping", _is_mapping)
TEXTS = Kind(
    "a mapping from names to strings",
    lambda value: _is_mapping(value) and all(map(_is_string, value.values())),
)


def some(kind: Kind) -> Kind:
    """A list or mapping of a kind that has something in it."""
    return Kind(
        f"{kind.words} with something in it", lambda value: kind.holds(value) and bool(value)
    )


def one_of(choices: Iterable[str]) -> Kind:
    """One of some words."""
    words = tuple(choices)
    return Kind(f"one of {', '.join(words)}", lambda value: value in words)


def named(path: Iterable[str]) -> str:
    """A value as errors call it: the keys that lead to it."""
    return f"`{'.'.join(path)}`"


def instead(name: object, known: Iterable[str]) -> str:
    """How an error about an unknown name goes on."""
    names = list(known)
    close = closest(str(name), names, 0.6)
    if close is not None:
        return f"; did you mean `{close}`?"
    return f"; there are {', '.join(names)}" if len(names) <= _FEW else ""
