"""What the evaluator may apply to known values: pure, and bounded in what they cost."""

from __future__ import annotations

import math
import operator
import posixpath
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from msgspec import Struct

ITEMS = 1024
"""The most items of a container, with those of all that is in it."""
TEXT = 64 * 1024
"""The longest text, in characters."""
TEXTS = 4 * TEXT
"""The most text that a container or the arguments of a call have together."""
BITS = 256
"""The widest whole number."""
_RANGE = 256
_NESTING = 20
"""How deep containers may be nested."""


_Container: TypeAlias = (
    list[object] | tuple[object, ...] | dict[object, object] | set[object] | frozenset[object]
)


class TooLargeError(ValueError):
    """A value that is larger than a config file could need."""


def checked(value: object) -> object:
    """`value`, unless it is larger than anything that a config needs. Raises `TooLargeError`."""
    if isinstance(value, str | bytes) and len(value) > TEXT:
        raise TooLargeError
    if isinstance(value, int) and value.bit_length() > BITS:
        raise TooLargeError
    if isinstance(value, list | tuple | dict | set | frozenset):
        _measure(value)
    return value


def _measure(container: _Container) -> None:
    """Raise `TooLargeError` if a container is too large; one that it holds twice counts twice.

    A few doublings of a nested list would else be more than any machine can print.
    """
    items = text = 0
    pending: list[tuple[_Container, int]] = [(container, 1)]
    while pending:
        current, depth = pending.pop()
        items += len(current)
        if items > ITEMS or depth > _NESTING:
            raise TooLargeError
        for item in (*current, *current.values()) if isinstance(current, dict) else current:
            if isinstance(item, str | bytes):
                text += len(item)
            elif isinstance(item, list | tuple | dict | set | frozenset):
                pending.append((item, depth + 1))
    if text > TEXTS:
        raise TooLargeError


def check_arguments(values: Iterable[object]) -> None:
    """Raise `TooLargeError` for more text than any call in a config could need."""
    if sum(len(value) for value in values if isinstance(value, str | bytes)) > TEXTS:
        raise TooLargeError


class Path(Struct, frozen=True):
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
    if isinstance(left, bytes):
        raise TooLargeError
    if isinstance(left, str):
        held = right if isinstance(right, tuple) else (right,)
        values = [value for each in held for value in _leaves(each)]
        if re.search(r"\d{4}|\*", left) or left.count("%") * _longest(values) > TEXTS:
            raise TooLargeError
        return left % right
    return left % right  # type: ignore[operator]


def _leaves(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else (value,)


def _longest(values: Iterable[object]) -> int:
    """The length of the longest text among what a format writes."""
    return max((len(str(value)) for value in values), default=0)


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
    from string import Formatter

    fields = [part for part in Formatter().parse(text) if part[1] is not None]
    odd = any(set(name or "") & set(".[") or "{" in (spec or "") for _, name, spec, _ in fields)
    longest = _longest((*values, *names.values()))
    if odd or re.search(r"\d{4}", text) or len(fields) * longest > TEXTS:
        raise TooLargeError
    return text.format(*values, **names)


def _replaced(text: str, old: str, new: str) -> str:
    if str.count(text, old) * len(new) > TEXTS:
        raise TooLargeError
    return bounded(str.replace(text, old, new))


def _together(text: str, items: Sequence[str]) -> str:
    if len(text) * len(items) > TEXTS:
        raise TooLargeError
    return bounded(str.join(text, items))


def _rounded(number: float, digits: int | None = None) -> float:
    if digits is not None and abs(digits) > BITS:
        raise TooLargeError
    return round(number, digits)


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
    "round": _rounded,
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

CALLABLES = frozenset(
    {
        "getpass.getuser", "importlib.reload", "multiprocessing.cpu_count", "os.chdir",
        "os.cpu_count", "os.getenv", "os.getgid", "os.getuid", "os.umask", "syslog.syslog",
    }
)  # fmt: skip
"""Functions of the standard library that configs import, some under the name of a setting."""

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
    "replace": lambda text, old, new: _replaced(text, old, new),
    "startswith": lambda text, prefix: str.startswith(text, prefix),
    "endswith": lambda text, suffix: str.endswith(text, suffix),
    "removeprefix": lambda text, prefix: str.removeprefix(text, prefix),
    "removesuffix": lambda text, suffix: str.removesuffix(text, suffix),
    "join": lambda text, items: _together(text, items),
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
