"""What the evaluator may apply to known values: pure, and bounded in what they cost."""

from __future__ import annotations

import math
import operator
import posixpath
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

ITEMS = 4096
"""The most items of a container."""
TEXT = 64 * 1024
"""The longest text, in characters."""
BITS = 256
"""The widest whole number."""
_RANGE = 256


class TooLargeError(ValueError):
    """A value that is larger than a config file could need."""


def checked(value: object) -> object:
    """`value`, unless it is larger than anything that a config needs. Raises `TooLargeError`."""
    if isinstance(value, str | bytes) and len(value) > TEXT:
        raise TooLargeError
    if isinstance(value, list | tuple | dict | set) and len(value) > ITEMS:
        raise TooLargeError
    if isinstance(value, int) and value.bit_length() > BITS:
        raise TooLargeError
    return value


@dataclass(frozen=True, slots=True)
class Path:
    """A `pathlib` path."""

    text: str

    def __str__(self) -> str:
        return self.text

    def __truediv__(self, other: object) -> Path:
        return Path(posixpath.join(self.text, str(other)))

    def attribute(self, name: str) -> object:
        """`parent`, `name` or `stem`. Raises `AttributeError` for all others."""
        if name == "parent":
            return Path(posixpath.dirname(self.text))
        if name == "name":
            return posixpath.basename(self.text)
        if name == "stem":
            return posixpath.splitext(posixpath.basename(self.text))[0]
        raise AttributeError(name)


def _power(left: float, right: float) -> object:
    if isinstance(right, int) and right > 64:
        raise TooLargeError
    return left**right


def _times(left: object, right: object) -> object:
    for items, count in ((left, right), (right, left)):
        repeats = isinstance(items, str | bytes | list | tuple) and isinstance(count, int)
        if repeats and len(items) * max(0, count) > TEXT:  # type: ignore[arg-type, call-overload]
            raise TooLargeError
    return left * right  # type: ignore[operator]


def _modulo(left: object, right: object) -> object:
    if isinstance(left, str):
        if re.search(r"\d{4}|\*", left):
            raise TooLargeError
        return left % right
    return left % right  # type: ignore[operator]


def _shift(left: int, right: int) -> int:
    if right > BITS:
        raise TooLargeError
    return left << right


def format_value(value: object, conversion: str | None, spec: str) -> str:
    """`f"{value!conversion:spec}"`. Raises `TooLargeError` for a wide field."""
    if re.search(r"\d{4}", spec):
        raise TooLargeError
    if conversion == "r":
        value = repr(value)
    elif conversion == "s":
        value = str(value)
    return format(str(value) if isinstance(value, Path) else value, spec)


def _formatted(text: str, *values: object, **names: object) -> str:
    """`str.format`, without the attribute access that it allows."""
    if re.search(r"\{[^}]*[.\[]|\d{4}", text):
        raise TooLargeError
    return text.format(*values, **names)


def bounded(text: str) -> str:
    """`text`. Raises `TooLargeError` if it is longer than a config needs."""
    if len(text) > TEXT:
        raise TooLargeError
    return text


def with_keywords(
    function: Callable[..., object], keywords: Sequence[str | None]
) -> Callable[..., object]:
    """`function` for values of which some were passed by keyword."""

    def apply(*values: object) -> object:
        positional = [value for value, key in zip(values, keywords, strict=True) if key is None]
        named = {key: value for value, key in zip(values, keywords, strict=True) if key is not None}
        return function(*positional, **named)

    return apply


def _sorted(items: Iterable[object], *, reverse: bool = False) -> list[object]:
    return sorted(items, reverse=reverse)  # type: ignore[type-var]


def _range(*bounds: int) -> list[int]:
    numbers = range(*bounds)
    if len(numbers) > _RANGE:
        raise TooLargeError
    return list(numbers)


BINARY: dict[str, Callable[..., object]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": _times,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": _modulo,
    "**": _power,
    "|": operator.or_,
    "&": operator.and_,
    "^": operator.xor,
    "<<": _shift,
    ">>": operator.rshift,
}

UNARY: dict[str, Callable[..., object]] = {
    "-": operator.neg,
    "+": operator.pos,
    "~": operator.invert,
}

COMPARE: dict[str, Callable[..., object]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda left, right: left in right,
    "not in": lambda left, right: left not in right,
    "is": operator.eq,
    "is not": operator.ne,
}

CPU_COUNTS = frozenset(
    {
        "multiprocessing.cpu_count",
        "os.cpu_count",
        "os.process_cpu_count",
        "psutil.cpu_count",
        "joblib.cpu_count",
    }
)

FUNCTIONS: dict[str | None, Callable[..., object]] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "len": len,
    "abs": abs,
    "round": round,
    "min": min,
    "max": max,
    "sum": sum,
    "list": list,
    "tuple": tuple,
    "set": set,
    "dict": dict,
    "sorted": _sorted,
    "range": _range,
    "math.floor": math.floor,
    "math.ceil": math.ceil,
    "os.path.join": posixpath.join,
    "os.path.abspath": lambda path: posixpath.normpath(str(path)),
    "os.path.realpath": lambda path: posixpath.normpath(str(path)),
    "os.path.normpath": posixpath.normpath,
    "os.path.dirname": lambda path: posixpath.dirname(str(path)),
    "os.path.basename": lambda path: posixpath.basename(str(path)),
    "os.fspath": str,
    "pathlib.Path": lambda *parts: Path(posixpath.join(*map(str, parts))),
    "pathlib.PurePath": lambda *parts: Path(posixpath.join(*map(str, parts))),
    "pathlib.PosixPath": lambda *parts: Path(posixpath.join(*map(str, parts))),
}

BUILTINS = frozenset(
    {*(name for name in FUNCTIONS if name and "." not in name), "globals", "vars", "locals", "exec",
     "exit", "quit"}
)  # fmt: skip

METHODS: dict[str, Callable[..., object]] = {
    "split": lambda text, *rest, **named: str.split(text, *rest, **named),
    "rsplit": lambda text, *rest, **named: str.rsplit(text, *rest, **named),
    "strip": lambda text, *rest: str.strip(text, *rest),
    "lstrip": lambda text, *rest: str.lstrip(text, *rest),
    "rstrip": lambda text, *rest: str.rstrip(text, *rest),
    "lower": lambda text: str.lower(text),
    "upper": lambda text: str.upper(text),
    "title": lambda text: str.title(text),
    "capitalize": lambda text: str.capitalize(text),
    "casefold": lambda text: str.casefold(text),
    "replace": lambda text, old, new: bounded(str.replace(text, old, new)),
    "startswith": lambda text, prefix: str.startswith(text, prefix),
    "endswith": lambda text, suffix: str.endswith(text, suffix),
    "removeprefix": lambda text, prefix: str.removeprefix(text, prefix),
    "removesuffix": lambda text, suffix: str.removesuffix(text, suffix),
    "join": lambda text, items: bounded(str.join(text, items)),
    "isdigit": lambda text: str.isdigit(text),
    "isnumeric": lambda text: str.isnumeric(text),
    "partition": lambda text, at: str.partition(text, at),
    "rpartition": lambda text, at: str.rpartition(text, at),
    "format": lambda text, *values, **names: _formatted(text, *values, **names),
    "get": lambda held, key, default=None: dict.get(held, key, default),
    "keys": lambda held: list(dict.keys(held)),
    "values": lambda held: list(dict.values(held)),
    "items": lambda held: list(dict.items(held)),
    "resolve": lambda path: _only_path(path),
    "absolute": lambda path: _only_path(path),
    "as_posix": lambda path: str(_only_path(path)),
    "joinpath": lambda path, *parts: Path(posixpath.join(str(_only_path(path)), *map(str, parts))),
}


def _only_path(path: object) -> Path:
    if not isinstance(path, Path):
        raise TypeError
    return path
