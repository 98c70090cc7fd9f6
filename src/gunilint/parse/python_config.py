"""Python config files, parsed with libcst and lowered to `syntax`.

libcst reads every Python 3, also one newer than the Python that runs gunilint.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

import libcst as cst
from libcst.metadata.span_provider import SpanProvidingCodegenState

from gunilint import syntax as s
from gunilint.parse.nesting import too_deep
from gunilint.regex import regex
from gunilint.source import Problem, Source, Span

_TEMPLATE = regex(r"\{\{.{0,200}?\}\}|\{%.{0,200}?%\}|<%.{0,200}?%>|\$\{\w+\}")
_PYTHON_2 = regex(
    r"""^[ \t]*(print[ \t]+[^=\s(.,:\[]|exec[ \t]+["']|except[ \t]+[\w.]+[ \t]*,[ \t]*\w+[ \t]*:
    |raise[ \t]+\w+[ \t]*,)|\bur["']|(?<![\w.])0[0-7]+(?![\w.xob])""",
    re.MULTILINE | re.VERBOSE,
)
_TOKENS = 15_000
"""The most tokens of a config, some 2,000 lines: libcst takes a second for them."""
_PLAIN_STRING = regex(r"[\"'][^\\\r]*")
"""A string that is what stands between its quotes."""
_PLAIN_NUMBER = regex(r"0|[1-9][0-9]{0,9}")
_PLACE = regex(r"error at (\d+):(\d+)")


def parse(source: Source) -> s.PythonConfig:
    """The statements of a Python file, or the problem that it has. Never raises."""
    if "\0" in source.text:
        at = source.text.index("\0")
        return _failed(source, Problem(source.span(at, at + 1), "it has a NUL byte", "binary"))
    deep = too_deep(source.text, _TOKENS)
    if deep is not None:
        at, reason = deep
        return _failed(source, Problem(source.span(at, at + 1), reason))
    try:
        module = cst.parse_module(source.text)
        places = _Places(module).found
        body = tuple(_Lowering(source, places).statements(module.body))
    except cst.ParserSyntaxError as error:
        return _failed(source, _syntax_problem(source, error))
    except (cst.CSTLogicError, cst.CSTValidationError):
        return _failed(source, Problem(*_place(source, 1)))
    except RecursionError:
        return _failed(source, Problem(source.first_line(), "it is nested too deeply"))
    problem = _misplaced(source, body)
    return s.PythonConfig(source, body, (problem,) if problem else ())


def _failed(source: Source, problem: Problem) -> s.PythonConfig:
    return s.PythonConfig(source, (), (problem,))


def _syntax_problem(source: Source, error: cst.ParserSyntaxError) -> Problem:
    """The problem in its author's terms: a template, Python 2, or plain broken syntax."""
    template = _TEMPLATE.search(source.text)
    if template:
        reason = f"it has the placeholder `{template[0]}`"
        return Problem(source.span(*template.span()), reason, "template")
    old = _PYTHON_2.search(source.text)
    if old:
        start = old.start() + len(old[0]) - len(old[0].lstrip())
        line = source.line(source.position(start)[0]).strip()
        return Problem(source.span(start, old.end()), f"`{line}`", "python2")
    place = _PLACE.search(error.message)
    return Problem(*_place(source, int(place[1]) if place else error.raw_line))


def _place(source: Source, line: int) -> tuple[Span, str]:
    """Where and why: CPython's own words where it refuses the file too, or else a line."""
    try:
        ast.parse(source.text)
    except SyntaxError as refusal:
        line = min(max(1, refusal.lineno or 1), len(source.line_starts))
        text = source.line(line)
        column = min(max(1, refusal.offset or 1), len(text) + 1)
        start = source.offset(line, column)
        return source.span(start, min(start + 1, len(source.text))), refusal.msg
    except (ValueError, RecursionError, MemoryError):
        pass
    return source.line_span(min(max(1, line), len(source.line_starts))), "the syntax is broken"


def _misplaced(source: Source, body: Sequence[s.Statement]) -> Problem | None:
    """A `return` outside of a function, which the parser lets pass and Python doesn't."""
    for statement in body:
        if isinstance(statement, s.Return):
            return Problem(source.first_line(), "there is a `return` outside of a function")
    return None


class _Places(SpanProvidingCodegenState):
    """Where each node of a module is: libcst's way to find out, without what isn't asked for.

    `found` has the offsets of each node by its `id`: its class's own hash is slow.
    """

    def __init__(self, module: cst.Module) -> None:
        super().__init__(module.default_indent, module.default_newline, cast("Any", None))
        self.found: dict[int, tuple[int, int]] = {}
        module._codegen(self)

    def add_token(self, value: str) -> None:
        self.position += len(value)

    def add_indent_tokens(self) -> None:
        self.position += sum(map(len, self.indent_tokens))

    def after_codegen(self, node: cst.CSTNode) -> None:
        self.found.setdefault(id(node), (self._stack.pop(), self.position))

    def record_syntactic_position(  # type: ignore[override]
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,
        end_node: cst.CSTNode | None = None,
    ) -> _Recording:
        return _Recording(self, node, start_node, end_node)


class _Recording:
    """Notes the place of a node whose code is generated inside of it.

    That is a class, since a generator for each node takes twice as long.
    """

    __slots__ = ("end_node", "node", "places", "start", "start_node")

    def __init__(
        self,
        places: _Places,
        node: cst.CSTNode,
        start_node: cst.CSTNode | None,
        end_node: cst.CSTNode | None,
    ) -> None:
        self.places, self.node = places, node
        self.start_node, self.end_node = start_node, end_node
        self.start = places.position

    def __enter__(self) -> None:
        pass

    def __exit__(self, failed: object, *_: object) -> None:
        if failed is not None:
            return
        found, first, last = self.places.found, self.start_node, self.end_node
        found[id(self.node)] = (
            self.start if first is None else found[id(first)][0],
            self.places.position if last is None else found[id(last)][1],
        )


class _Lowering:
    """From libcst's nodes to `syntax`."""

    def __init__(self, source: Source, places: Mapping[int, tuple[int, int]]) -> None:
        self.source = source
        self.places = places

    def span(self, node: cst.CSTNode) -> Span:
        return Span(self.source, *self.places[id(node)])

    # statements

    def statements(self, nodes: Sequence[cst.CSTNode]) -> Iterator[s.Statement]:
        for node in nodes:
            lower = _STATEMENTS.get(type(node))
            if lower is not None:
                yield from lower(self, node)

    def block(self, node: cst.CSTNode | None) -> tuple[s.Statement, ...]:
        """The statements of an indented block, of a one-line body, or of an `else`."""
        if node is None:
            return ()
        if isinstance(node, cst.If):
            return tuple(self.if_(node))
        if isinstance(node, cst.Else | cst.Finally | cst.ExceptHandler | cst.ExceptStarHandler):
            return self.block(node.body)
        assert isinstance(node, cst.BaseSuite)
        return tuple(self.statements(node.body))

    def simple(self, node: cst.SimpleStatementLine) -> Iterator[s.Statement]:
        yield from self.statements(node.body)

    def assign(self, node: cst.Assign) -> Iterator[s.Statement]:
        targets = tuple(self.expression(target.target) for target in node.targets)
        yield s.Assign(targets, self.expression(node.value), self.span(node))

    def annotated(self, node: cst.AnnAssign) -> Iterator[s.Statement]:
        if node.value is not None:
            targets = (self.expression(node.target),)
            yield s.Assign(targets, self.expression(node.value), self.span(node))

    def augmented(self, node: cst.AugAssign) -> Iterator[s.Statement]:
        operator = _OPERATORS.get(type(node.operator).__name__.removesuffix("Assign"), "?")
        target, value = self.expression(node.target), self.expression(node.value)
        yield s.Augmented(target, operator, value, self.span(node))

    def import_(self, node: cst.Import) -> Iterator[s.Statement]:
        for alias in node.names:
            module = _dotted(alias.name)
            bound = alias.asname.name if alias.asname else None
            name = bound.value if isinstance(bound, cst.Name) else module.partition(".")[0]
            yield s.Import(module, None, name, 0, self.span(alias))

    def import_from(self, node: cst.ImportFrom) -> Iterator[s.Statement]:
        module = _dotted(node.module) if node.module else ""
        level = len(node.relative)
        if isinstance(node.names, cst.ImportStar):
            yield s.Import(module, "*", "*", level, self.span(node))
            return
        for alias in node.names:
            original = _dotted(alias.name)
            bound = alias.asname.name if alias.asname else None
            name = bound.value if isinstance(bound, cst.Name) else original
            yield s.Import(module, original, name, level, self.span(alias))

    def function(self, node: cst.FunctionDef) -> Iterator[s.Statement]:
        parameters = [*node.params.posonly_params, *node.params.params]
        yield s.FunctionDefinition(
            name=node.name.value,
            parameters=tuple(
                s.Parameter(each.name.value, self.optional(each.default)) for each in parameters
            ),
            is_async=node.asynchronous is not None,
            decorated=bool(node.decorators),
            body=self.block(node.body),
            name_span=self.span(node.name),
            sets=tuple(_globals(node.body)),
        )

    def class_(self, node: cst.ClassDef) -> Iterator[s.Statement]:
        yield s.ClassDefinition(node.name.value, self.block(node.body), self.span(node.name))

    def if_(self, node: cst.If) -> Iterator[s.Statement]:
        test = self.expression(node.test)
        yield s.If(test, self.block(node.body), self.block(node.orelse))

    def try_(self, node: cst.Try | cst.TryStar) -> Iterator[s.Statement]:
        handlers = tuple(self.block(handler) for handler in node.handlers)
        otherwise, final = self.block(node.orelse), self.block(node.finalbody)
        yield s.Try(self.block(node.body), handlers, otherwise, final)

    def with_(self, node: cst.With) -> Iterator[s.Statement]:
        targets = tuple(self.expression(i.asname.name) for i in node.items if i.asname)
        items = tuple(self.expression(item.item) for item in node.items)
        yield s.With(targets, items, self.block(node.body))

    def for_(self, node: cst.For) -> Iterator[s.Statement]:
        target, items = self.expression(node.target), self.expression(node.iter)
        yield s.Loop(target, items, (*self.block(node.body), *self.block(node.orelse)))

    def while_(self, node: cst.While) -> Iterator[s.Statement]:
        body = (*self.block(node.body), *self.block(node.orelse))
        yield s.Loop(None, self.expression(node.test), body)

    def return_(self, node: cst.Return) -> Iterator[s.Statement]:
        yield s.Return(self.optional(node.value))

    def delete(self, node: cst.Del) -> Iterator[s.Statement]:
        target = self.expression(node.target)
        yield s.Delete(target.items if isinstance(target, s.Sequence) else (target,))

    def evaluate(self, node: cst.Expr) -> Iterator[s.Statement]:
        yield s.Evaluate(self.expression(node.value), self.span(node))

    def raise_(self, node: cst.Raise) -> Iterator[s.Statement]:
        yield s.Raise(self.span(node))

    def match(self, node: cst.Match) -> Iterator[s.Statement]:
        """Each case may run: `if` with a test that can't be told."""
        test = s.Opaque("a `match`", _names(node.subject), self.span(node.subject))
        for case in node.cases:
            yield s.If(test, self.block(case.body), ())

    # expressions

    def optional(self, node: cst.BaseExpression | None) -> s.Expression | None:
        return None if node is None else self.expression(node)

    def expression(self, node: cst.BaseExpression) -> s.Expression:
        lower = _EXPRESSIONS.get(type(node))
        if lower is None:
            return s.Opaque(_description(node), _names(node), self.span(node))
        lowered: s.Expression = lower(self, node)
        return lowered

    def name(self, node: cst.Name) -> s.Expression:
        constants = {"True": True, "False": False, "None": None}
        if node.value in constants:
            return s.Literal(constants[node.value], self.span(node))
        return s.Name(node.value, self.span(node))

    def literal(
        self, node: cst.Integer | cst.Float | cst.Imaginary | cst.SimpleString
    ) -> s.Expression:
        try:
            return s.Literal(_meaning(node), self.span(node))
        except (ValueError, SyntaxError):
            return s.Opaque("a literal that Python can't read", (), self.span(node))

    def ellipsis(self, node: cst.Ellipsis) -> s.Expression:
        return s.Literal(..., self.span(node))

    def concatenated(self, node: cst.ConcatenatedString) -> s.Expression:
        left, right = self.expression(node.left), self.expression(node.right)
        parts: list[str | s.Interpolation] = []
        for part in (left, right):
            if isinstance(part, s.Template):
                parts.extend(part.parts)
            elif isinstance(part, s.Literal) and isinstance(part.value, str):
                parts.append(part.value)
            else:
                return s.Opaque("joined bytes", (), self.span(node))
        if all(isinstance(part, str) for part in parts):
            return s.Literal("".join(map(str, parts)), self.span(node))
        return s.Template(tuple(parts), self.span(node))

    def formatted(self, node: cst.FormattedString) -> s.Expression:
        parts: list[str | s.Interpolation] = []
        for part in node.parts:
            if isinstance(part, cst.FormattedStringText):
                parts.append(part.value.replace("{{", "{").replace("}}", "}"))
                continue
            assert isinstance(part, cst.FormattedStringExpression)
            plain: str | None = ""
            if part.format_spec:
                texts = [
                    t.value if isinstance(t, cst.FormattedStringText) else None
                    for t in part.format_spec
                ]
                plain = None if None in texts else "".join(filter(None, texts))
            parts.append(s.Interpolation(self.expression(part.expression), part.conversion, plain))
        return s.Template(tuple(parts), self.span(node))

    def attribute(self, node: cst.Attribute) -> s.Expression:
        return s.Attribute(self.expression(node.value), node.attr.value, self.span(node))

    def call(self, node: cst.Call) -> s.Expression:
        arguments = tuple(
            s.Argument(
                self.expression(each.value),
                each.keyword.value if each.keyword else None,
                each.star,
            )
            for each in node.args
        )
        return s.Call(self.expression(node.func), arguments, self.span(node))

    def binary(self, node: cst.BinaryOperation) -> s.Expression:
        operator = _OPERATORS.get(type(node.operator).__name__, "?")
        return s.Binary(
            self.expression(node.left), operator, self.expression(node.right), self.span(node)
        )

    def unary(self, node: cst.UnaryOperation) -> s.Expression:
        operators = {"Not": "not", "Minus": "-", "Plus": "+", "BitInvert": "~"}
        operator = operators[type(node.operator).__name__]
        return s.Unary(operator, self.expression(node.expression), self.span(node))

    def boolean(self, node: cst.BooleanOperation) -> s.Expression:
        operator = type(node.operator).__name__.lower()
        return s.Boolean(
            self.expression(node.left), operator, self.expression(node.right), self.span(node)
        )

    def compare(self, node: cst.Comparison) -> s.Expression:
        comparisons = tuple(
            (_COMPARISONS[type(each.operator).__name__], self.expression(each.comparator))
            for each in node.comparisons
        )
        return s.Compare(self.expression(node.left), comparisons, self.span(node))

    def conditional(self, node: cst.IfExp) -> s.Expression:
        return s.Conditional(
            self.expression(node.test),
            self.expression(node.body),
            self.expression(node.orelse),
            self.span(node),
        )

    def sequence(self, node: cst.List | cst.Tuple | cst.Set) -> s.Expression:
        if any(isinstance(element, cst.StarredElement) for element in node.elements):
            return s.Opaque("a starred item", _names(node), self.span(node))
        items = tuple(self.expression(element.value) for element in node.elements)
        return s.Sequence(type(node).__name__.lower(), items, self.span(node))

    def mapping(self, node: cst.Dict) -> s.Expression:
        items = []
        for element in node.elements:
            if not isinstance(element, cst.DictElement):
                return s.Opaque("a dict that unpacks another", _names(node), self.span(node))
            items.append((self.expression(element.key), self.expression(element.value)))
        return s.Mapping(tuple(items), self.span(node))

    def subscript(self, node: cst.Subscript) -> s.Expression:
        value = self.expression(node.value)
        index = node.slice[0].slice
        if len(node.slice) > 1:
            return s.Opaque("a subscript with several indexes", _names(node), self.span(node))
        if isinstance(index, cst.Index):
            return s.Subscript(value, self.expression(index.value), self.span(node))
        assert isinstance(index, cst.Slice)
        span = self.span(index)
        cut = s.Slice(
            self.optional(index.lower), self.optional(index.upper), self.optional(index.step), span
        )
        return s.Subscript(value, cut, self.span(node))

    def lambda_(self, node: cst.Lambda) -> s.Expression:
        positional = len(node.params.posonly_params) + len(node.params.params)
        return s.Lambda(positional, self.span(node))


_STATEMENTS: dict[type, Callable[..., Iterator[s.Statement]]] = {
    cst.SimpleStatementLine: _Lowering.simple,
    cst.Assign: _Lowering.assign,
    cst.AnnAssign: _Lowering.annotated,
    cst.AugAssign: _Lowering.augmented,
    cst.Import: _Lowering.import_,
    cst.ImportFrom: _Lowering.import_from,
    cst.FunctionDef: _Lowering.function,
    cst.ClassDef: _Lowering.class_,
    cst.If: _Lowering.if_,
    cst.Try: _Lowering.try_,
    cst.TryStar: _Lowering.try_,
    cst.With: _Lowering.with_,
    cst.For: _Lowering.for_,
    cst.While: _Lowering.while_,
    cst.Return: _Lowering.return_,
    cst.Del: _Lowering.delete,
    cst.Expr: _Lowering.evaluate,
    cst.Raise: _Lowering.raise_,
    cst.Match: _Lowering.match,
}

_EXPRESSIONS: dict[type, Callable[..., s.Expression]] = {
    cst.Name: _Lowering.name,
    cst.Integer: _Lowering.literal,
    cst.Float: _Lowering.literal,
    cst.SimpleString: _Lowering.literal,
    cst.Ellipsis: _Lowering.ellipsis,
    cst.ConcatenatedString: _Lowering.concatenated,
    cst.FormattedString: _Lowering.formatted,
    cst.Attribute: _Lowering.attribute,
    cst.Call: _Lowering.call,
    cst.BinaryOperation: _Lowering.binary,
    cst.UnaryOperation: _Lowering.unary,
    cst.BooleanOperation: _Lowering.boolean,
    cst.Comparison: _Lowering.compare,
    cst.IfExp: _Lowering.conditional,
    cst.List: _Lowering.sequence,
    cst.Tuple: _Lowering.sequence,
    cst.Set: _Lowering.sequence,
    cst.Dict: _Lowering.mapping,
    cst.Subscript: _Lowering.subscript,
    cst.Lambda: _Lowering.lambda_,
}

_OPERATORS = {
    "Add": "+", "Subtract": "-", "Multiply": "*", "Divide": "/", "FloorDivide": "//",
    "Modulo": "%", "Power": "**", "BitOr": "|", "BitAnd": "&", "BitXor": "^",
    "LeftShift": "<<", "RightShift": ">>",
}  # fmt: skip

_COMPARISONS = {
    "Equal": "==", "NotEqual": "!=", "LessThan": "<", "LessThanEqual": "<=", "GreaterThan": ">",
    "GreaterThanEqual": ">=", "In": "in", "NotIn": "not in", "Is": "is", "IsNot": "is not",
}  # fmt: skip


def _dotted(node: cst.BaseExpression) -> str:
    if isinstance(node, cst.Attribute):
        return f"{_dotted(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""


def _description(node: cst.CSTNode) -> str:
    kind = type(node).__name__
    if "Comp" in kind or kind == "GeneratorExp":
        return "a comprehension"
    return {"Await": "an `await`", "NamedExpr": "a `:=`", "Yield": "a `yield`"}.get(
        kind, "something that can't be evaluated"
    )


def _meaning(node: cst.Integer | cst.Float | cst.Imaginary | cst.SimpleString) -> object:
    """What a literal stands for; libcst would have Python compile each."""
    if isinstance(node, cst.SimpleString) and _PLAIN_STRING.fullmatch(node.value):
        return node.raw_value
    if isinstance(node, cst.Integer) and _PLAIN_NUMBER.fullmatch(node.value):
        return int(node.value)
    return node.evaluated_value


def _globals(body: cst.CSTNode) -> Iterator[str]:
    """The names that a function's body declares `global`."""
    stack: list[object] = [body]
    while stack:
        node = stack.pop()
        if isinstance(node, cst.Global):
            yield from (item.name.value for item in node.names)
        elif isinstance(node, list | tuple):
            stack.extend(node)
        elif isinstance(node, cst.CSTNode) and not isinstance(node, cst.FunctionDef):
            blocks = ("body", "orelse", "finalbody", "handlers", "cases")
            stack.extend(getattr(node, block, None) for block in blocks)


def _names(node: cst.CSTNode) -> tuple[str, ...]:
    """The names within a node that isn't lowered, so that they count as used."""
    found: dict[str, None] = {}
    stack: list[cst.CSTNode] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, cst.Name):
            found[current.value] = None
        stack.extend(current.children)
    return tuple(found)
