"""A small syntax tree for Python config files: what the evaluator looks at, and places.

It is plain data, so that a file that was parsed once needs no parser the next time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from gunilint.source import Problem, Source, Span


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, string, bytes, `True`, `False`, `None` or `...`."""

    value: object
    span: Span


@dataclass(frozen=True, slots=True)
class Name:
    """A bare name."""

    id: str
    span: Span


@dataclass(frozen=True, slots=True)
class Attribute:
    """`value.name`."""

    value: Expression
    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a call: `keyword` is None for a positional one, `star` is "", "*" or "**"."""

    value: Expression
    keyword: str | None = None
    star: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """`function(arguments)`."""

    function: Expression
    arguments: tuple[Argument, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right` for arithmetic and bit operators."""

    left: Expression
    operator: str
    right: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x`, `+x`, `~x` or `not x`."""

    operator: str
    operand: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Boolean:
    """`left and right` or `left or right`."""

    left: Expression
    operator: str
    right: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Compare:
    """`left operator right operator right …`."""

    left: Expression
    comparisons: tuple[tuple[str, Expression], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Conditional:
    """`body if test else otherwise`."""

    test: Expression
    body: Expression
    otherwise: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list, tuple or set display."""

    kind: str
    items: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Mapping:
    """A dict display."""

    items: tuple[tuple[Expression, Expression], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Subscript:
    """`value[index]`."""

    value: Expression
    index: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Slice:
    """`start:stop:step` within a subscript."""

    start: Expression | None
    stop: Expression | None
    step: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class Interpolation:
    """`{value!conversion:format}` in an f-string; `format` is None where it isn't plain text."""

    value: Expression
    conversion: str | None
    format: str | None


@dataclass(frozen=True, slots=True)
class Template:
    """An f-string: plain texts and interpolations."""

    parts: tuple[str | Interpolation, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Lambda:
    """A lambda: only its number of positional parameters matters."""

    positional: int
    span: Span


@dataclass(frozen=True, slots=True)
class Opaque:
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


@dataclass(frozen=True, slots=True)
class Assign:
    """`target = … = value`; an annotated assignment has one target."""

    targets: tuple[Expression, ...]
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Augmented:
    """`target operator= value`."""

    target: Expression
    operator: str
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Import:
    """`import module as name`, or `from module import original as name`.

    `original` is None for a plain import and "*" for a star. `level` counts leading dots.
    """

    module: str
    original: str | None
    name: str
    level: int
    span: Span


@dataclass(frozen=True, slots=True)
class Parameter:
    """A positional parameter with its default."""

    name: str
    default: Expression | None


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    """`def`: its positional parameters, and the module's names that it declares `global`."""

    name: str
    parameters: tuple[Parameter, ...]
    is_async: bool
    decorated: bool
    body: tuple[Statement, ...]
    name_span: Span
    sets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClassDefinition:
    """`class`."""

    name: str
    body: tuple[Statement, ...]
    name_span: Span


@dataclass(frozen=True, slots=True)
class If:
    """`if`/`elif`/`else`."""

    test: Expression
    body: tuple[Statement, ...]
    otherwise: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Try:
    """`try` with the bodies of its handlers, its `else` and its `finally`."""

    body: tuple[Statement, ...]
    handlers: tuple[tuple[Statement, ...], ...]
    otherwise: tuple[Statement, ...]
    final: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class With:
    """`with`: the names that it binds."""

    targets: tuple[Expression, ...]
    items: tuple[Expression, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """`for target in items`, or `while` where `target` is None."""

    target: Expression | None
    items: Expression
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Return:
    """`return value`."""

    value: Expression | None


@dataclass(frozen=True, slots=True)
class Delete:
    """`del names`."""

    targets: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Evaluate:
    """An expression as a statement."""

    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Raise:
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


@dataclass(frozen=True, slots=True)
class PythonConfig:
    """A parsed Python file."""

    source: Source
    body: tuple[Statement, ...]
    problems: tuple[Problem, ...]
