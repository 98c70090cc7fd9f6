"""A small syntax tree for Python config files: what the evaluator looks at, and places.

It is plain data, so that a file that was parsed once needs no parser the next time.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from gunilint.source import Problem, Source, Span


class Literal(Struct, frozen=True):
    """A number, string, bytes, `True`, `False`, `None` or `...`."""

    value: object
    span: Span


class Name(Struct, frozen=True):
    """A bare name."""

    id: str
    span: Span


class Attribute(Struct, frozen=True):
    """`value.name`."""

    value: Expression
    name: str
    span: Span


class Argument(Struct, frozen=True):
    """An argument of a call: `keyword` is None for a positional one, `star` is "", "*" or "**"."""

    value: Expression
    keyword: str | None = None
    star: str = ""


class Call(Struct, frozen=True):
    """`function(arguments)`."""

    function: Expression
    arguments: tuple[Argument, ...]
    span: Span


class Binary(Struct, frozen=True):
    """`left operator right` for arithmetic and bit operators."""

    left: Expression
    operator: str
    right: Expression
    span: Span


class Unary(Struct, frozen=True):
    """`-x`, `+x`, `~x` or `not x`."""

    operator: str
    operand: Expression
    span: Span


class Boolean(Struct, frozen=True):
    """`left and right` or `left or right`."""

    left: Expression
    operator: str
    right: Expression
    span: Span


class Compare(Struct, frozen=True):
    """`left operator right operator right …`."""

    left: Expression
    comparisons: tuple[tuple[str, Expression], ...]
    span: Span


class Conditional(Struct, frozen=True):
    """`body if test else otherwise`."""

    test: Expression
    body: Expression
    otherwise: Expression
    span: Span


class Sequence(Struct, frozen=True):
    """A list, tuple or set display."""

    kind: str
    items: tuple[Expression, ...]
    span: Span


class Mapping(Struct, frozen=True):
    """A dict display."""

    items: tuple[tuple[Expression, Expression], ...]
    span: Span


class Subscript(Struct, frozen=True):
    """`value[index]`."""

    value: Expression
    index: Expression
    span: Span


class Slice(Struct, frozen=True):
    """`start:stop:step` within a subscript."""

    start: Expression | None
    stop: Expression | None
    step: Expression | None
    span: Span


class Interpolation(Struct, frozen=True):
    """`{value!conversion:format}` in an f-string; `format` is None where it isn't plain text."""

    value: Expression
    conversion: str | None
    format: str | None


class Template(Struct, frozen=True):
    """An f-string: plain texts and interpolations."""

    parts: tuple[str | Interpolation, ...]
    span: Span


class Lambda(Struct, frozen=True):
    """A lambda: only its number of positional parameters matters."""

    positional: int
    span: Span


class Opaque(Struct, frozen=True):
    """An expression that the evaluator doesn't follow; `what` names it ("a comprehension")."""

    what: str
    names: tuple[str, ...]
    span: Span


Expression: TypeAlias = (
    Literal
    | Name
    | Attribute
    | Call
    | Binary
    | Unary
    | Boolean
    | Compare
    | Conditional
    | Sequence
    | Mapping
    | Subscript
    | Slice
    | Template
    | Lambda
    | Opaque
)


class Assign(Struct, frozen=True):
    """`target = … = value`; an annotated assignment has one target."""

    targets: tuple[Expression, ...]
    value: Expression
    span: Span


class Augmented(Struct, frozen=True):
    """`target operator= value`."""

    target: Expression
    operator: str
    value: Expression
    span: Span


class Import(Struct, frozen=True):
    """`import module as name`, or `from module import original as name`.

    `original` is None for a plain import and "*" for a star. `level` counts leading dots.
    """

    module: str
    original: str | None
    name: str
    level: int
    span: Span


class Parameter(Struct, frozen=True):
    """A positional parameter with its default."""

    name: str
    default: Expression | None


class FunctionDefinition(Struct, frozen=True):
    """`def`: its positional parameters, and the module's names that it declares `global`."""

    name: str
    parameters: tuple[Parameter, ...]
    is_async: bool
    decorated: bool
    body: tuple[Statement, ...]
    name_span: Span
    sets: tuple[str, ...] = ()


class ClassDefinition(Struct, frozen=True):
    """`class`."""

    name: str
    body: tuple[Statement, ...]
    name_span: Span


class If(Struct, frozen=True):
    """`if`/`elif`/`else`."""

    test: Expression
    body: tuple[Statement, ...]
    otherwise: tuple[Statement, ...]


class Try(Struct, frozen=True):
    """`try` with the bodies of its handlers, its `else` and its `finally`."""

    body: tuple[Statement, ...]
    handlers: tuple[tuple[Statement, ...], ...]
    otherwise: tuple[Statement, ...]
    final: tuple[Statement, ...]


class With(Struct, frozen=True):
    """`with`: the names that it binds."""

    targets: tuple[Expression, ...]
    items: tuple[Expression, ...]
    body: tuple[Statement, ...]


class Loop(Struct, frozen=True):
    """`for target in items`, or `while` where `target` is None."""

    target: Expression | None
    items: Expression
    body: tuple[Statement, ...]


class Return(Struct, frozen=True):
    """`return value`."""

    value: Expression | None


class Delete(Struct, frozen=True):
    """`del names`."""

    targets: tuple[Expression, ...]


class Evaluate(Struct, frozen=True):
    """An expression as a statement."""

    value: Expression
    span: Span


class Raise(Struct, frozen=True):
    """`raise`: nothing after it runs."""

    span: Span


Statement: TypeAlias = (
    Assign
    | Augmented
    | Import
    | FunctionDefinition
    | ClassDefinition
    | If
    | Try
    | With
    | Loop
    | Return
    | Delete
    | Evaluate
    | Raise
)


class PythonConfig(Struct, frozen=True):
    """A parsed Python file."""

    source: Source
    body: tuple[Statement, ...]
    problems: tuple[Problem, ...]
