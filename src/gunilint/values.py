"""What is known of a value without running anything.

A value is `Known`, `Symbolic` in the number of CPUs, `OneOf` a few possibilities, `Unknown`, or
`Refused` by gunicorn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from gunilint.source import Span


def is_number(text: str) -> bool:
    """Whether a text is nothing but the digits 0 to 9; `²` is a digit to Python too."""
    return text.isascii() and text.isdigit()


class Known(Struct, frozen=True):
    """A plain Python value, a `Function` or a `Module`.

    `assumes` names what it rests on ("WORKERS is unset"); `via` holds the places, other than
    the value's own, that it came through, such as the assignment of a shell variable.
    """

    value: object
    assumes: tuple[str, ...] = ()
    via: tuple[Span, ...] = ()


class Symbolic(Struct, frozen=True):
    """A number that depends on the machine's CPUs: `text` says how ("2 * cpus + 1")."""

    text: str
    at: Callable[[int], object]
    """The value on a machine with so many CPUs."""
    assumes: tuple[str, ...] = ()
    via: tuple[Span, ...] = ()


class Unknown(Struct, frozen=True):
    """A value that can't be told, and why.

    `variable` is the environment variable that the value is read from when nothing in the
    deployment sets it: the platform may. `raises` is the exception that working it out ends in.
    `assumes` names what led to this variable or exception.
    """

    reason: str
    variable: str | None = None
    assumes: tuple[str, ...] = ()
    via: tuple[Span, ...] = ()
    raises: str | None = None


class Refused(Struct, frozen=True):
    """A value with which gunicorn doesn't start, and why ("it is negative").

    `status` is what gunicorn exits with: 2 where argparse refuses it.
    """

    value: object
    reason: str
    assumes: tuple[str, ...] = ()
    via: tuple[Span, ...] = ()
    status: int = 1


class Option(Struct, frozen=True):
    """One possibility: what it is, when it holds ("DEBUG is true"), and the place that says so."""

    value: Single
    condition: str
    span: Span | None = None


class OneOf(Struct, frozen=True):
    """A value that depends on a branch: at least two possibilities."""

    options: tuple[Option, ...]


Value: TypeAlias = Known | Symbolic | OneOf | Unknown | Refused

Environment: TypeAlias = Mapping[str, Value]
"""The variables that something in the deployment sets; a name that is absent is set by nothing."""


class Function(Struct, frozen=True):
    """A function or class of a Python file, as the value of its name.

    `positional` counts its positional parameters, those with defaults included, `*args` not:
    what gunicorn compares with a hook's arity. It is None where it can't be told.
    """

    name: str
    positional: int | None
    is_async: bool
    span: Span


class Module(Struct, frozen=True):
    """A module that a Python file imports, as the value of its name."""

    name: str


Single: TypeAlias = Known | Symbolic | Unknown | Refused
"""A value with one possibility."""


def with_assumptions(value: Value, assumes: tuple[str, ...]) -> Value:
    """`value`, resting on `assumes` too."""
    if isinstance(value, OneOf):
        return OneOf(tuple(replace(o, value=_assuming(o.value, assumes)) for o in value.options))
    return _assuming(value, assumes)


def _assuming(value: Single, assumes: tuple[str, ...]) -> Single:
    if not assumes:
        return value
    return replace(value, assumes=tuple(dict.fromkeys((*value.assumes, *assumes))))


def possibilities(value: Value) -> Iterator[Option]:
    """Each possibility of `value`; a value that isn't `OneOf` is its own only one."""
    if isinstance(value, OneOf):
        yield from value.options
    else:
        yield Option(value, "")
