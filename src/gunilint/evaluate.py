"""What a Python config file leaves behind, as far as that can be told without running it.

Each statement is followed in order; what isn't understood makes a value unknown, with a reason.
"""

from __future__ import annotations

import builtins
import operator
import posixpath
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from functools import cache, cached_property
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from gunilint import syntax as s
from gunilint.operations import (
    BINARY,
    BUILTINS,
    CALLABLES,
    COMPARE,
    CPU_COUNTS,
    FUNCTIONS,
    ITEMS,
    METHODS,
    UNARY,
    Path,
    TooLargeError,
    bounded,
    check_arguments,
    checked,
    format_value,
    with_keywords,
)
from gunilint.regex import regex
from gunilint.source import Source, Span
from gunilint.values import (
    Environment,
    Function,
    Known,
    Module,
    OneOf,
    Option,
    Symbolic,
    Unknown,
    Value,
    possibilities,
    with_assumptions,
)

CONFIG_DIRECTORY = "<config-dir>"
"""What paths below the config's own folder start with: the folder of `__file__`."""

_WORD = regex(r"\w+")
_HISTORY = 20
"""The earlier values of a name that are kept."""
_STEPS = 30_000
_CALLS = 20
_OPTIONS = 16
_ITEMS = 256
_MACHINES = (1, 2, 3, 4, 8, 64)
"""Numbers of CPUs at which the truth of a symbolic value is tried."""


class Truthiness(Struct, frozen=True):
    """A test of whether a variable's text is empty: `bool(os.getenv("NAME", "default"))`.

    `given` is what the deployment sets the variable to, `default` what the code falls back to;
    None where there is none.
    """

    span: Span
    variable: str
    given: Value | None
    default: Value | None


class Binding(Struct, frozen=True):
    """What a module-level name ends up as.

    `span` is the value's own expression (the name of a `def`, the bound name of an import),
    `target` the name where it is bound. `kind` tells what bound it: "assignment", "augmented",
    "function", "class", "import", "loop" or "with". `history` are the values that were assigned
    before, unconditionally, and replaced. `truths` are the tests of variables for being empty that
    the value was made from.
    """

    name: str
    value: Value
    span: Span
    target: Span
    kind: str
    history: tuple[Binding, ...] = ()
    truths: tuple[Truthiness, ...] = ()


class Failure(Struct, frozen=True):
    """A statement that ends the file with an exception, and what that rests on."""

    span: Span
    reason: str
    assumes: tuple[str, ...] = ()


class Namespace(Struct, frozen=True):
    """The names that a config leaves behind.

    `used` are the names that are read anywhere in the file. `open` says why more names may exist
    than can be seen; None when these are all. `failure` is where it ends with an exception.
    `unset` are names that a branch would bind that isn't taken, with what that rests on.
    """

    bindings: Mapping[str, Binding]
    used: frozenset[str]
    open: str | None
    failure: Failure | None = None
    unset: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


Load = Callable[[str, int], s.PythonConfig | None]
"""Finds the project's module of that dotted name and level; None for any other."""

LoadVariables = Callable[[str | None], Environment]
"""What the project's `.env` file sets: at a path, or above the config file (None)."""


def evaluate(
    config: s.PythonConfig,
    *,
    environment: Environment,
    load: Load = lambda _module, _level: None,
    load_variables: LoadVariables = lambda _path: {},
    python_version: str | None = None,
) -> Namespace:
    """Follow the statements of `config` with the variables that the deployment sets.

    `python_version` is the Python that runs it, None where that isn't known.
    """
    running = _Running(environment, load, load_variables, python_version)
    return _Evaluator(config.source, running, ()).module(config)


class _StepsError(Exception):
    """The file asks for more work than a config file could need."""


class _Doubt(Struct, frozen=True):
    """Something that may raise an exception: what holds if it doesn't, and the names before it."""

    holds: str
    bindings: Mapping[str, Binding]


class _Truth(Struct, frozen=True):
    """Whether a value is true; None where that can't be told."""

    value: bool | None
    assumes: tuple[str, ...] = ()


class _Running(Struct, frozen=True):
    """What a file is run with, and the modules that it imports as well."""

    environment: Environment
    load: Load
    load_variables: LoadVariables
    python_version: str | None


class _Evaluator:
    def __init__(self, source: Source, running: _Running, loading: tuple[str, ...]) -> None:
        self.source = source
        self.running = running
        self.environment = running.environment
        self.loading = loading
        self.bindings: dict[str, Binding] = {}
        self.locals: dict[str, Value] | None = None
        self.qualified: dict[str, str] = {}
        self.functions: dict[str, s.FunctionDefinition] = {}
        self.classes: dict[str, dict[str, Value]] = {}
        self.modules: dict[str, Namespace | None] = {}
        self.required: list[str] = []
        self.reads: dict[str, s.Expression] = {}
        self.truths: list[Truthiness] = []
        self.trying = 0
        self.doubts: list[_Doubt] = []
        self.failure: Failure | None = None
        self.assumes: tuple[str, ...] = ()
        self.conditional = False
        self.branching = False
        self.unset: dict[str, tuple[str, ...]] = {}
        self.stopped = False
        self.open: str | None = None
        self.steps = 0
        self.calls = 0

    def module(self, config: s.PythonConfig) -> Namespace:
        try:
            self.run(config.body)
        except (_StepsError, RecursionError):
            self.open = "the file asks for too much work to follow"
        used = frozenset(_names_read(config.body))
        return Namespace(dict(self.bindings), used, self.open, self.failure, self.unset)

    @cached_property
    def first_uses(self) -> Mapping[str, int]:
        """Where each word of the file stands first."""
        found: dict[str, int] = {}
        for word in _WORD.finditer(self.source.text):
            found.setdefault(word[0], word.start())
        return found

    def step(self) -> None:
        self.steps += 1
        if self.steps > _STEPS:
            raise _StepsError

    # statements

    def run(self, body: Sequence[s.Statement]) -> None:
        for statement in body:
            if self.stopped:
                return
            self.step()
            _STATEMENTS[type(statement)](self, statement)

    def run_assign(self, statement: s.Assign) -> None:
        around, self.truths = self.truths, []
        value = self.value(statement.value)
        if not self.fails(value, statement.value.span):
            for target in statement.targets:
                self.assign(target, value, statement.value)
        self.truths = [*around, *self.truths] if self.calls else around

    def fails(self, value: Value, span: Span) -> bool:
        """Whether working out a value ends in an exception here, which ends the file."""
        if not _raises(value) or self.calls:
            return False
        assert isinstance(value, Unknown)
        self.stopped = True
        if self.conditional:
            self.doubt(f"`{_short(span.text)}` isn't reached")
        else:
            assumes = tuple(dict.fromkeys((*self.assumes, *value.assumes)))
            self.failure = Failure(span, f"it raises {value.raises}", assumes)
        return True

    def doubt(self, holds: str) -> None:
        """Remember that an exception may be raised here, for a `try` around it."""
        if self.trying:
            self.doubts.append(_Doubt(holds, dict(self.bindings)))

    def assign(self, target: s.Expression, value: Value, expression: s.Expression) -> None:
        """Bind a name, or the names of a tuple; anything else changes what can't be seen."""
        if isinstance(target, s.Name):
            span = expression.span
            self.bind(target.id, value, span, target.span, "assignment", self.truths)
            if self.locals is None and self.read_variable(expression) is not None:
                self.reads[target.id] = expression
        elif isinstance(target, s.Sequence):
            self.assign_items(target, value, expression)
        elif isinstance(target, s.Subscript):
            self.assign_item(target, value)

    def assign_items(self, target: s.Sequence, value: Value, expression: s.Expression) -> None:
        parts: Sequence[s.Expression | None] = [None] * len(target.items)
        if isinstance(expression, s.Sequence) and len(expression.items) == len(target.items):
            parts = expression.items
        values = []
        for at, part in enumerate(parts):
            if part is None:
                values.append((_apply(operator.getitem, "", value, Known(at)), self.truths))
            else:
                self.truths = []
                values.append((self.value(part), self.truths))
        for item, (each, truths), part in zip(target.items, values, parts, strict=True):
            self.truths = truths
            self.assign(item, each, part if part is not None else expression)

    def assign_item(self, target: s.Subscript, value: Value) -> None:
        """`names["key"] = value`: the container isn't what it was."""
        if isinstance(target.value, s.Call) and self.qualname(target.value.function) in (
            "globals",
            "vars",
            "locals",
        ):
            key = self.value(target.index)
            if isinstance(key, Known) and isinstance(key.value, str):
                self.bind(key.value, value, target.span, target.index.span, "assignment")
            else:
                self.open = f"`{target.span.text}` sets names that aren't known"
        elif self.qualname(target.value) == "os.environ":
            self.set_variable(self.value(target.index), value)
        elif isinstance(target.value, s.Name):
            changed = _with_item(self.value(target.value), self.value(target.index), value)
            if not self.fails(changed, target.span):
                self.rebind(target.value.id, changed)

    def set_variable(self, name: Value, value: Value) -> None:
        """`os.environ[name] = value`."""
        if isinstance(name, Known) and isinstance(name.value, str):
            kept = Unknown("a branch sets it") if self.conditional else value
            self.environment = {**self.environment, name.value: kept}

    def bind(
        self,
        name: str,
        value: Value,
        span: Span,
        target: Span,
        kind: str,
        truths: Sequence[Truthiness] = (),
    ) -> None:
        value = with_assumptions(value, self.assumes)
        if self.locals is not None:
            self.locals[name] = value
            return
        before = self.bindings.get(name)
        history: tuple[Binding, ...] = ()
        if before is not None and not self.conditional and not self.branching:
            history = (*before.history[1 - _HISTORY :], replace(before, history=()))
        binding = Binding(name, value, span, target, kind, history, tuple(truths))
        self.bindings[name] = binding
        self.qualified.pop(name, None)
        self.reads.pop(name, None)
        self.unset.pop(name, None)

    def rebind(self, name: str, value: Value) -> None:
        """Change the value of a name that is bound already."""
        if self.locals is not None and name in self.locals:
            self.locals[name] = value
        elif name in self.bindings:
            self.bindings[name] = replace(self.bindings[name], value=value)

    def run_augmented(self, statement: s.Augmented) -> None:
        left, right = self.value(statement.target), self.value(statement.value)
        value = self.operated(left, statement.operator, right)
        if self.fails(value, statement.span):
            return
        if isinstance(statement.target, s.Name):
            span = statement.value.span
            self.bind(statement.target.id, value, span, statement.target.span, "augmented")

    def run_import(self, statement: s.Import) -> None:
        dotted = "." * statement.level + statement.module
        top = statement.module.partition(".")[0]
        of_python = top in sys.stdlib_module_names
        if not of_python and not self.loaded(statement.module, statement.level):
            self.doubt(f"`{dotted}` can be imported")
        value: Value
        if statement.original is None:
            value = Known(Module(dotted))
            self.bind(statement.name, value, statement.span, statement.span, "import")
            bound = statement.module if statement.name in statement.module.split(".")[1:] else None
            plain = statement.name == statement.module.partition(".")[0]
            self.qualified[statement.name] = statement.name if plain else bound or statement.module
            return
        found = self.loaded(statement.module, statement.level)
        if statement.original == "*":
            self.import_star(dotted, found)
            return
        name = statement.name
        theirs = found.bindings.get(statement.original) if found else None
        if theirs is not None:
            self.bind(name, theirs.value, theirs.span, statement.span, "import")
            return
        value = Unknown(f"it is imported from `{dotted}`")
        if f"{dotted}.{statement.original}" in CALLABLES:
            value = Known(Function(statement.original, None, False, statement.span))
        self.bind(name, value, statement.span, statement.span, "import")
        self.qualified[name] = f"{statement.module}.{statement.original}"

    def import_star(self, dotted: str, found: Namespace | None) -> None:
        if found is None:
            self.open = f"`from {dotted} import *` may set it"
            return
        self.open = self.open or found.open
        exported = found.bindings.get("__all__")
        listed = exported.value if exported else None
        if exported and not isinstance(listed, Known):
            self.open = f"`{dotted}.__all__` may export it"
        names = set(_items(listed.value) or ()) if isinstance(listed, Known) else None
        for name, binding in found.bindings.items():
            if name in names if names is not None else not name.startswith("_"):
                self.bind(name, binding.value, binding.span, binding.target, binding.kind)

    def loaded(self, module: str, level: int) -> Namespace | None:
        """What another module of the project leaves behind."""
        key = "." * level + module
        if key not in self.modules:
            self.modules[key] = None
            config = self.running.load(module, level) if len(self.loading) < _CALLS else None
            if (
                config is not None
                and not config.problems
                and config.source.path not in self.loading
            ):
                loading = (*self.loading, self.source.path)
                running = replace(self.running, environment=self.environment)
                other = _Evaluator(config.source, running, loading)
                self.modules[key] = other.module(config)
        return self.modules[key]

    def run_function(self, statement: s.FunctionDefinition) -> None:
        positional = None if statement.decorated else len(statement.parameters)
        span = statement.name_span
        value = Known(Function(statement.name, positional, statement.is_async, span))
        self.bind(statement.name, value, span, span, "function")
        if not statement.decorated and not statement.is_async:
            self.functions[statement.name] = statement
        else:
            self.functions.pop(statement.name, None)

    def run_class(self, statement: s.ClassDefinition) -> None:
        outer = self.locals
        self.locals = dict(outer or {})
        self.run(statement.body)
        self.classes[statement.name] = self.locals
        self.locals = outer
        value = Known(Function(statement.name, None, False, statement.name_span))
        self.bind(statement.name, value, statement.name_span, statement.name_span, "class")

    def run_if(self, statement: s.If) -> None:
        test = self.value(statement.test)
        if self.fails(test, statement.test.span):
            return
        truth = self.truth(test)
        if truth.value is not None:
            taken, left = statement.body, statement.otherwise
            if not truth.value:
                taken, left = left, taken
            was_branching, self.branching = self.branching, True
            with self.assuming(truth.assumes):
                self.run(taken)
                self.assume_unset(left)
            self.branching = was_branching
            return
        text = _condition(statement.test)
        self.branches(((text, statement.body), (f"not ({text})", statement.otherwise)))

    def assume_unset(self, body: Sequence[s.Statement]) -> None:
        """Let the names that `body` would bind rest on what keeps it from running."""
        for name in dict.fromkeys(_names_bound(body)) if self.assumes else ():
            if self.locals is not None:
                if name in self.locals:
                    self.locals[name] = with_assumptions(self.locals[name], self.assumes)
            elif name in self.bindings:
                binding = self.bindings[name]
                value = with_assumptions(binding.value, self.assumes)
                self.bindings[name] = replace(binding, value=value)
            else:
                before = self.unset.get(name, ())
                self.unset[name] = tuple(dict.fromkeys((*before, *self.assumes)))

    def branches(self, arms: Iterable[tuple[str, Sequence[s.Statement]]]) -> None:
        """Run each arm from the same start, and merge what they leave behind."""
        start, start_locals = dict(self.bindings), self.locals
        ends: list[tuple[str, dict[str, Binding], dict[str, Value] | None]] = []
        was_conditional, self.conditional = self.conditional, True
        for condition, body in arms:
            self.bindings = dict(start)
            self.locals = dict(start_locals) if start_locals is not None else None
            self.run(body)
            if not self.stopped:
                ends.append((condition, self.bindings, self.locals))
            self.stopped = False
        self.conditional = was_conditional
        self.bindings, self.locals = start, start_locals
        if not ends:
            self.stopped = True
            return
        self.bindings = _merged_bindings([(c, bindings) for c, bindings, _ in ends])
        if start_locals is not None:
            scopes = [(condition, scope or {}) for condition, _, scope in ends]
            names = dict.fromkeys(name for _, scope in scopes for name in scope)
            self.locals = {
                name: _merged([(c, scope.get(name), None) for c, scope in scopes], name)
                for name in names
            }

    def run_try(self, statement: s.Try) -> None:
        """The body succeeds, unless there is a handler and it fails or needs what is unset.

        Where it only may fail, both outcomes are kept.
        """
        before, was_stopped, failure = dict(self.bindings), self.stopped, self.failure
        required, doubts = len(self.required), len(self.doubts)
        handler = statement.handlers[0] if statement.handlers else None
        self.trying += 1
        self.run(statement.body)
        self.trying -= 1
        missing, doubtful = self.required[required:], self.doubts[doubts:]
        if not self.stopped:
            self.run(statement.otherwise)
        if handler is not None and (missing or self.failure is not failure):
            del self.required[required:]
            self.bindings = before if missing else self.bindings
            self.stopped, self.failure = was_stopped, failure
            with self.assuming(tuple(f"{name} is unset" for name in missing)):
                self.run(handler)
        elif handler is not None and doubtful:
            del self.doubts[doubts:]
            self.both_outcomes(doubtful, before, handler)
        stopped, self.stopped = self.stopped, False
        self.run(statement.final)
        self.stopped = self.stopped or stopped

    def both_outcomes(
        self,
        doubts: Sequence[_Doubt],
        before: Mapping[str, Binding],
        handler: Sequence[s.Statement],
    ) -> None:
        """Merge what a `try` body left behind with what its handler leaves when it has failed."""
        succeeded, stopped, outer = self.bindings, self.stopped, self.locals
        self.bindings = dict(doubts[0].bindings)
        if len(doubts) > 1:
            for name, binding in succeeded.items():
                if before.get(name) is not binding:
                    unknown = Unknown("a `try` may have set it")
                    self.bindings[name] = replace(binding, value=unknown, history=())
        self.stopped = False
        was_conditional, self.conditional = self.conditional, True
        self.locals = dict(outer) if outer is not None else None
        self.run(handler)
        self.conditional = was_conditional
        failed, handler_stopped = self.bindings, self.stopped
        self.locals, self.stopped = outer, stopped and handler_stopped
        holds = doubts[0].holds
        ends = [(holds, succeeded)] if not stopped else []
        ends += [(f"not ({holds})", failed)] if not handler_stopped else []
        self.bindings = _merged_bindings(ends) if ends else succeeded

    def run_with(self, statement: s.With) -> None:
        for item in statement.items:
            if self.fails(self.value(item), item.span):
                return
        for target in statement.targets:
            if isinstance(target, s.Name):
                value = Unknown("it is what a `with` gives")
                self.bind(target.id, value, target.span, target.span, "with")
        self.run(statement.body)

    def run_loop(self, statement: s.Loop) -> None:
        items: Value = Unknown("a `while`")
        if statement.target is not None:
            items = _iterable(self.value(statement.items))
        if self.fails(items, statement.items.span):
            return
        if statement.target is not None and isinstance(items, Known):
            values = _items(items.value)
            if values is not None and len(values) <= _ITEMS:
                for value in values:
                    self.bind_loop(statement.target, Known(value, items.assumes))
                    self.run(statement.body)
                return
        if statement.target is not None:
            self.bind_loop(statement.target, Unknown("a loop sets it"))
        before = dict(self.bindings)
        was_conditional, self.conditional = self.conditional, True
        self.run(statement.body)
        self.conditional = was_conditional
        self.stopped = False
        for name, binding in self.bindings.items():
            if before.get(name) is not binding:
                self.bindings[name] = replace(binding, value=Unknown("a loop changes it"))

    def bind_loop(self, target: s.Expression, value: Value) -> None:
        if isinstance(target, s.Name):
            self.bind(target.id, value, target.span, target.span, "loop")
        elif isinstance(target, s.Sequence):
            for index, item in enumerate(target.items):
                self.bind_loop(item, _apply(operator.getitem, "", value, Known(index)))

    def run_return(self, statement: s.Return) -> None:
        self.stopped = True

    def run_delete(self, statement: s.Delete) -> None:
        for target in statement.targets:
            if isinstance(target, s.Name) and not self.fails(self.name(target), target.span):
                self.bindings.pop(target.id, None)

    def run_evaluate(self, statement: s.Evaluate) -> None:
        """A call may set names behind the file's back, change a list, or end the program."""
        call = statement.value
        if not isinstance(call, s.Call):
            self.fails(self.value(call), statement.span)
            return
        name = self.qualname(call.function) or ""
        if name in ("exec", "globals.update", "vars.update", "execfile") or (
            isinstance(call.function, s.Attribute)
            and call.function.name == "update"
            and isinstance(call.function.value, s.Call)
            and self.qualname(call.function.value.function) in ("globals", "vars", "locals")
        ):
            self.open = f"`{_short(call.span.text)}` may set it"
        elif name in ("sys.exit", "exit", "quit", "os._exit"):
            self.stopped = True
        elif name in ("dotenv.load_dotenv", "dotenv.main.load_dotenv"):
            self.run_load_dotenv(call)
        elif name == "os.environ.setdefault" and len(call.arguments) == 2:
            variable = self.value(call.arguments[0].value)
            if not isinstance(variable, Known) or variable.value not in self.environment:
                self.set_variable(variable, self.value(call.arguments[1].value))
        elif name.startswith("os.environ.") and name.rpartition(".")[2] in (
            "update",
            "clear",
            "pop",
        ):
            self.open = f"`{_short(call.span.text)}` may change it"
        elif isinstance(call.function, s.Name) and call.function.id in self.functions:
            self.value(call)
        elif isinstance(call.function, s.Attribute) and isinstance(call.function.value, s.Name):
            self.mutate(call.function.value, call.function.name, call)
        else:
            self.fails(self.value(call), call.span)

    def run_load_dotenv(self, call: s.Call) -> None:
        """`load_dotenv(path)`: it sets what isn't set yet, unless `override` is true."""
        arguments = {a.keyword or position: a.value for position, a in enumerate(call.arguments)}
        given = arguments.get(0, arguments.get("dotenv_path"))
        path = self.value(given) if given is not None else Known(None)
        override = self.value(arguments["override"]) if "override" in arguments else Known(False)
        if not isinstance(path, Known) or not isinstance(override, Known):
            return
        where = None if path.value is None else str(path.value)
        for name, value in self.running.load_variables(where).items():
            if override.value or name not in self.environment:
                self.set_variable(Known(name), value)

    def mutate(self, target: s.Name, method: str, call: s.Call) -> None:
        """`items.append(x)` and the like."""
        held = self.value(target)
        if self.fails(held, target.span):
            return
        changes = {
            "append": lambda items, item: [*_list(items), item],
            "extend": lambda items, more: [*_list(items), *more],
            "update": lambda items, more: {**_dict(items), **more},
        }
        argument = self.value(call.arguments[0].value) if call.arguments else Known(None)
        value: Value = Unknown(f"`{method}` changes it")
        if method in changes and len(call.arguments) == 1:
            value = _apply(changes[method], "", held, argument)
        elif method not in ("insert", "remove", "pop", "clear", "add", "sort", "reverse"):
            self.doubt(f"`{_short(call.span.text)}` raises nothing")
            return
        if isinstance(value, Unknown):
            self.doubt(f"`{_short(call.span.text)}` raises nothing")
        self.rebind(target.id, value)

    def run_raise(self, statement: s.Raise) -> None:
        self.fails(Unknown("it is raised", raises="an exception"), statement.span)
        self.stopped = True

    @contextmanager
    def assuming(self, assumes: tuple[str, ...]) -> Iterator[None]:
        before = self.assumes
        self.assumes = tuple(dict.fromkeys((*before, *assumes)))
        try:
            yield
        finally:
            self.assumes = before

    # expressions

    def value(self, node: s.Expression) -> Value:
        self.step()
        value: Value = _EXPRESSIONS[type(node)](self, node)
        if isinstance(value, Unknown) and value.variable is None and not isinstance(node, s.Name):
            self.doubt(f"`{_short(node.span.text)}` raises nothing")
        return value

    def literal(self, node: s.Literal) -> Value:
        return Known(node.value)

    def name(self, node: s.Name) -> Value:
        if self.locals is not None and node.id in self.locals:
            return self.locals[node.id]
        if node.id in self.bindings:
            self.truths.extend(self.bindings[node.id].truths)
            return self.bindings[node.id].value
        if node.id == "__file__":
            return Known(posixpath.join(CONFIG_DIRECTORY, posixpath.basename(self.source.path)))
        if node.id == "__name__":
            return Known("__config__")
        missing = Unknown(f"`{node.id}` isn't set in this file")
        self.doubt(f"`{node.id}` is set")
        is_new = self.first_uses.get(node.id, 0) >= node.span.start
        if self.open or hasattr(builtins, node.id) or not is_new:
            return missing
        return replace(missing, raises="NameError")

    def attribute(self, node: s.Attribute) -> Value:
        if isinstance(node.value, s.Name) and node.name in self.classes.get(node.value.id, {}):
            return self.classes[node.value.id][node.name]
        qualified = self.qualname(node)
        if qualified is not None:
            module, _, name = qualified.rpartition(".")
            found = self.loaded(module, 0) if module else None
            if found is not None and name in found.bindings:
                return found.bindings[name].value
            if qualified == "sys.version_info" and self.running.python_version:
                return Known(tuple(map(int, self.running.python_version.split("."))))
            return Unknown(f"`{qualified}` isn't in the project")
        held = self.value(node.value)
        if isinstance(held, Known) and isinstance(held.value, Path):
            return _apply(lambda path: path.attribute(node.name), "", held)
        return Unknown(f"`{_short(node.span.text)}` can't be evaluated")

    def call(self, node: s.Call) -> Value:
        name = self.qualname(node.function)
        if any(argument.star for argument in node.arguments):
            return Unknown(f"`{_short(node.span.text)}` unpacks its arguments")
        if name in ("os.getenv", "os.environ.get"):
            return self.getenv(node)
        if name in CPU_COUNTS:
            return Symbolic("cpus", lambda cpus: cpus)
        if name == "len" and node.arguments:
            inner = node.arguments[0].value
            if (
                isinstance(inner, s.Call)
                and self.qualname(inner.function) == "os.sched_getaffinity"
            ):
                return Symbolic("cpus", lambda cpus: cpus)
        if isinstance(node.function, s.Name) and node.function.id in self.functions:
            return self.called(self.functions[node.function.id], node)
        if name == "bool" and len(node.arguments) == 1:
            self.note_truth(node.arguments[0].value, node.span)
        values = [self.value(argument.value) for argument in node.arguments]
        keywords = tuple(argument.keyword for argument in node.arguments)
        if name in FUNCTIONS:
            return _apply(with_keywords(FUNCTIONS[name], keywords), name or "", *values)
        if isinstance(node.function, s.Attribute) and node.function.name in METHODS:
            held = self.value(node.function.value)
            method = METHODS[node.function.name]
            return _apply(with_keywords(method, (None, *keywords)), "", held, *values)
        if isinstance(node.function, s.Name):
            called = self.name(node.function)
            if _raises(called):
                return called
        return Unknown(f"it calls `{_short(node.function.span.text)}`, which can't be evaluated")

    def note_truth(self, tested: s.Expression, span: Span) -> None:
        """Remember a test of whether the text of a variable is empty."""
        parts = self.read_variable(tested)
        name = self.value(parts[0]) if parts is not None else None
        if parts is None or not isinstance(name, Known) or not isinstance(name.value, str):
            return
        default = self.value(parts[1]) if parts[1] is not None else None
        given = self.environment.get(name.value)
        self.truths.append(Truthiness(span, name.value, given, default))

    def read_variable(self, node: s.Expression) -> tuple[s.Expression, s.Expression | None] | None:
        """The name and default of a variable that an expression reads and leaves as it is."""
        while isinstance(node, s.Call) and isinstance(node.function, s.Attribute):
            if node.function.name not in ("strip", "lower", "upper"):
                break
            node = node.function.value
        if isinstance(node, s.Name) and self.locals is None and node.id in self.reads:
            return self.read_variable(self.reads[node.id])
        if isinstance(node, s.Subscript) and self.qualname(node.value) == "os.environ":
            return node.index, None
        if isinstance(node, s.Call) and self.qualname(node.function) in (
            "os.getenv",
            "os.environ.get",
        ):
            key, default = _key_and_default(node)
            return (key, default) if key is not None else None
        return None

    def getenv(self, node: s.Call) -> Value:
        """`os.getenv(name, default)`: the deployment's value, the default, or unknown."""
        key, default = _key_and_default(node)
        name = self.value(key) if key is not None else Unknown("it names no variable")
        if not isinstance(name, Known) or not isinstance(name.value, str):
            return Unknown("the variable that it reads isn't known")
        if name.value in self.environment:
            return self.environment[name.value]
        fallback = self.value(default) if default is not None else Known(None)
        if isinstance(fallback, Known) and fallback.value is None:
            return Unknown(f"it is read from `{name.value}`, which nothing sets here", name.value)
        return with_assumptions(fallback, (f"{name.value} is unset",))

    def required_variable(self, index: s.Expression) -> Value:
        """`os.environ[name]`."""
        name = self.value(index)
        if not isinstance(name, Known) or not isinstance(name.value, str):
            return Unknown("the variable that it reads isn't known")
        if name.value in self.environment:
            return self.environment[name.value]
        self.required.append(name.value)
        return Unknown(f"it is read from `{name.value}`, which the platform has to set")

    def called(self, function: s.FunctionDefinition, node: s.Call) -> Value:
        """What a function of this file returns."""
        if self.calls >= _CALLS:
            return Unknown(f"`{function.name}` calls itself too deeply")
        scope: dict[str, Value] = {}
        for parameter in function.parameters:
            if parameter.default is not None:
                scope[parameter.name] = self.value(parameter.default)
        for position, argument in enumerate(node.arguments):
            if argument.keyword is not None:
                scope[argument.keyword] = self.value(argument.value)
            elif position < len(function.parameters):
                scope[function.parameters[position].name] = self.value(argument.value)
        outer, stopped, was_conditional = self.locals, self.stopped, self.conditional
        self.calls += 1
        try:
            options = self.returned(function.body, scope, "")
        finally:
            self.calls -= 1
            self.locals, self.stopped, self.conditional = outer, stopped, was_conditional
        self.set_globals(function)
        return _one_of(options)

    def set_globals(self, function: s.FunctionDefinition) -> None:
        """Forget the names of the module that a function that was called may set."""
        scope, self.locals = self.locals, None
        for name in function.sets:
            value = Unknown(f"`{function.name}` sets it")
            self.bind(name, value, function.name_span, function.name_span, "assignment")
        self.locals = scope

    def returned(
        self, body: Sequence[s.Statement], scope: dict[str, Value], condition: str
    ) -> list[Option]:
        """Each value that a function body may return, with the condition of its branch."""
        self.locals, self.stopped = scope, False
        for position, statement in enumerate(body):
            self.step()
            rest = body[position + 1 :]
            if isinstance(statement, s.Return):
                value = self.value(statement.value) if statement.value else Known(None)
                return _options(with_assumptions(value, self.assumes), condition)
            if isinstance(statement, s.If):
                truth = self.truth(self.value(statement.test))
                if truth.value is not None:
                    chosen = statement.body if truth.value else statement.otherwise
                    with self.assuming(truth.assumes):
                        return self.returned((*chosen, *rest), self.locals, condition)
                text = _condition(statement.test)
                start = dict(self.locals)
                found = self.returned((*statement.body, *rest), dict(start), _both(condition, text))
                found += self.returned(
                    (*statement.otherwise, *rest), start, _both(condition, f"not ({text})")
                )
                return found
            if isinstance(statement, s.Raise):
                return []
            if isinstance(statement, s.Try):
                return self.returned_from_try(statement, rest, self.locals, condition)
            self.run((statement,))
            assert self.locals is not None
        return _options(Known(None), condition)

    def returned_from_try(
        self,
        statement: s.Try,
        rest: Sequence[s.Statement],
        scope: dict[str, Value],
        condition: str,
    ) -> list[Option]:
        """Like `returned`, for a `try` and what follows it."""
        required, doubts = len(self.required), len(self.doubts)
        after = (*statement.final, *rest)
        self.trying += 1
        body = (*statement.body, *statement.otherwise, *after)
        found = self.returned(body, dict(scope), condition)
        self.trying -= 1
        missing, doubtful = self.required[required:], self.doubts[doubts:]
        if not statement.handlers or not (missing or doubtful):
            return found
        del self.required[required:], self.doubts[doubts:]
        handled = (*statement.handlers[0], *after)
        if missing:
            with self.assuming(tuple(f"{name} is unset" for name in missing)):
                return self.returned(handled, scope, condition)
        holds = doubtful[0].holds
        succeeded = [replace(each, condition=_both(each.condition, holds)) for each in found]
        return succeeded + self.returned(handled, scope, _both(condition, f"not ({holds})"))

    def binary(self, node: s.Binary) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        return self.operated(left, node.operator, right)

    def operated(self, left: Value, sign: str, right: Value) -> Value:
        function = BINARY.get(sign)
        if function is None:
            return Unknown(f"`{sign}` can't be evaluated")
        return _apply(function, sign, left, right)

    def unary(self, node: s.Unary) -> Value:
        value = self.value(node.operand)
        if _raises(value):
            return value
        if node.operator == "not":
            truth = self.truth(value)
            if truth.value is None:
                return Unknown(f"`{_short(node.span.text)}` can't be told")
            return Known(not truth.value, truth.assumes)
        return _apply(UNARY[node.operator], node.operator, value)

    def boolean(self, node: s.Boolean) -> Value:
        left = self.value(node.left)
        if _raises(left):
            return left
        truth = self.truth(left)
        if truth.value is None:
            right = self.value(node.right)
            if isinstance(left, OneOf):
                options = [
                    option
                    for each in left.options
                    for option in _options(
                        self.either(each.value, node.operator, right), each.condition
                    )
                ]
                return _one_of(options)
            return Unknown(left.reason if isinstance(left, Unknown) else "it depends on a branch")
        wants_right = truth.value is (node.operator == "and")
        if not wants_right:
            return left if not isinstance(left, Unknown) else replace(left)
        with self.assuming(truth.assumes):
            return with_assumptions(self.value(node.right), truth.assumes)

    def either(self, left: Value, sign: str, right: Value) -> Value:
        truth = self.truth(left)
        if truth.value is None:
            return Unknown("it depends on something unknown")
        return right if truth.value is (sign == "and") else left

    def compare(self, node: s.Compare) -> Value:
        left = self.value(node.left)
        if len(node.comparisons) != 1:
            return Unknown("a chained comparison can't be evaluated")
        sign, other = node.comparisons[0]
        if sign in ("in", "not in") and self.qualname(other) == "os.environ":
            return self.in_environment(left, sign)
        right = self.value(other)
        if sign in ("is", "is not") and isinstance(right, Known) and right.value is None:
            if isinstance(left, Unknown) and left.variable is not None:
                return Known(sign == "is", (f"{left.variable} is unset",))
            return _apply(lambda value: (value is None) is (sign == "is"), "", left)
        return _apply(COMPARE[sign], sign, left, right)

    def in_environment(self, name: Value, sign: str) -> Value:
        """`"NAME" in os.environ`."""
        if not isinstance(name, Known) or not isinstance(name.value, str):
            return Unknown("the variable that it asks for isn't known")
        if name.value in self.environment:
            return Known(sign == "in")
        return Known(sign != "in", (f"{name.value} is unset",))

    def conditional_(self, node: s.Conditional) -> Value:
        arms = [
            arm.value if isinstance(arm, s.Literal) else None for arm in (node.body, node.otherwise)
        ]
        if arms[0] is True and arms[1] is False:
            self.note_truth(node.test, node.span)
        test = self.value(node.test)
        if _raises(test):
            return test
        truth = self.truth(test)
        if truth.value is not None:
            chosen = node.body if truth.value else node.otherwise
            return with_assumptions(self.value(chosen), truth.assumes)
        text = _condition(node.test)
        body = _options(self.value(node.body), text, node.body.span)
        otherwise = _options(self.value(node.otherwise), f"not ({text})", node.otherwise.span)
        return _one_of([*body, *otherwise])

    def sequence(self, node: s.Sequence) -> Value:
        make: Callable[..., object] = {"list": list, "tuple": tuple, "set": set}[node.kind]
        values = [self.value(item) for item in node.items[: ITEMS + 1]]
        return _apply(lambda *items: make(items), "", *values)

    def mapping(self, node: s.Mapping) -> Value:
        keys = [self.value(key) for key, _ in node.items]
        values = [self.value(value) for _, value in node.items]
        count = len(keys)
        return _apply(
            lambda *all_: dict(zip(all_[:count], all_[count:], strict=True)), "", *keys, *values
        )

    def subscript(self, node: s.Subscript) -> Value:
        if self.qualname(node.value) == "os.environ":
            return self.required_variable(node.index)
        if isinstance(node.index, s.Slice):
            bounds = [
                self.value(part) if part is not None else Known(None)
                for part in (node.index.start, node.index.stop, node.index.step)
            ]
            return _apply(lambda held, *cut: held[slice(*cut)], "", self.value(node.value), *bounds)
        index = self.value(node.index)
        if isinstance(node.value, s.Mapping) and isinstance(index, Known):
            for key, value in node.value.items:
                found = self.value(key)
                if isinstance(found, Known) and found.value == index.value:
                    return with_assumptions(self.value(value), index.assumes)
        return _apply(operator.getitem, "", self.value(node.value), index)

    def slice_(self, node: s.Slice) -> Value:
        return Unknown("a slice stands alone")

    def template(self, node: s.Template) -> Value:
        values: list[Value] = []
        for part in node.parts:
            if isinstance(part, str):
                values.append(Known(part))
                continue
            spec, conversion = part.format, part.conversion
            if spec is None:
                return Unknown("a format that is computed can't be evaluated")
            shown = _apply(
                lambda value, c=conversion, f=spec: format_value(value, c, f),
                "",
                self.value(part.value),
            )
            values.append(shown)
        return _apply(lambda *texts: bounded("".join(texts)), "", *values)

    def lambda_(self, node: s.Lambda) -> Value:
        return Known(Function("<lambda>", node.positional, False, node.span))

    def opaque(self, node: s.Opaque) -> Value:
        return Unknown(f"{node.what} can't be evaluated")

    # help

    def qualname(self, node: s.Expression) -> str | None:
        """The dotted name of something imported or built in; None for the file's own names."""
        if isinstance(node, s.Attribute):
            held = self.qualname(node.value)
            return f"{held}.{node.name}" if held else None
        if not isinstance(node, s.Name):
            return None
        if self.locals is not None and node.id in self.locals:
            return None
        if node.id in self.qualified:
            return self.qualified[node.id]
        return node.id if node.id not in self.bindings and node.id in BUILTINS else None

    def truth(self, value: Value) -> _Truth:
        """Whether a value is true; a variable that nothing sets is taken as unset."""
        if isinstance(value, Known):
            if isinstance(value.value, Function):
                return _Truth(True)
            return _Truth(bool(value.value), value.assumes)
        if isinstance(value, Unknown) and value.variable is not None:
            return _Truth(False, (*value.assumes, f"{value.variable} is unset"))
        if isinstance(value, Symbolic):
            truths = {bool(value.at(cpus)) for cpus in _MACHINES}
            return _Truth(truths.pop() if len(truths) == 1 else None, value.assumes)
        if isinstance(value, OneOf):
            found = [self.truth(option.value) for option in value.options]
            truths_ = {truth.value for truth in found}
            if len(truths_) == 1:
                return _Truth(truths_.pop(), tuple(a for truth in found for a in truth.assumes))
        return _Truth(None)


_STATEMENTS: dict[type, Callable[..., None]] = {
    s.Assign: _Evaluator.run_assign,
    s.Augmented: _Evaluator.run_augmented,
    s.Import: _Evaluator.run_import,
    s.FunctionDefinition: _Evaluator.run_function,
    s.ClassDefinition: _Evaluator.run_class,
    s.If: _Evaluator.run_if,
    s.Try: _Evaluator.run_try,
    s.With: _Evaluator.run_with,
    s.Loop: _Evaluator.run_loop,
    s.Return: _Evaluator.run_return,
    s.Delete: _Evaluator.run_delete,
    s.Evaluate: _Evaluator.run_evaluate,
    s.Raise: _Evaluator.run_raise,
}

_EXPRESSIONS: dict[type, Callable[..., Value]] = {
    s.Literal: _Evaluator.literal,
    s.Name: _Evaluator.name,
    s.Attribute: _Evaluator.attribute,
    s.Call: _Evaluator.call,
    s.Binary: _Evaluator.binary,
    s.Unary: _Evaluator.unary,
    s.Boolean: _Evaluator.boolean,
    s.Compare: _Evaluator.compare,
    s.Conditional: _Evaluator.conditional_,
    s.Sequence: _Evaluator.sequence,
    s.Mapping: _Evaluator.mapping,
    s.Subscript: _Evaluator.subscript,
    s.Slice: _Evaluator.slice_,
    s.Template: _Evaluator.template,
    s.Lambda: _Evaluator.lambda_,
    s.Opaque: _Evaluator.opaque,
}


# values


def _apply(function: Callable[..., object], text: str, *values: Value) -> Value:
    """`function` of values: known if all are, symbolic in the CPUs, or each possibility."""
    for value in values:
        if isinstance(value, Unknown):
            return Unknown(value.reason, assumes=value.assumes, raises=value.raises)
    branching = next((value for value in values if isinstance(value, OneOf)), None)
    if branching is not None:
        at = next(index for index, value in enumerate(values) if value is branching)
        options = [
            each
            for option in branching.options
            for each in _options(
                _apply(function, text, *values[:at], option.value, *values[at + 1 :]),
                option.condition,
                option.span,
            )
        ]
        return _one_of(options)
    plain = [value for value in values if isinstance(value, Known | Symbolic)]
    assumes = tuple(dict.fromkeys(each for value in plain for each in value.assumes))
    via = tuple(dict.fromkeys(each for value in plain for each in value.via))
    if any(isinstance(value, Symbolic) for value in plain):
        return _symbolic(function, text, plain, assumes, via)
    try:
        held = [value.value for value in plain if isinstance(value, Known)]
        check_arguments(held)
        result = function(*held)
        return Known(checked(result), assumes, via)
    except TooLargeError:
        return Unknown("it is too large to evaluate")
    except Exception as error:
        name = type(error).__name__
        certain = text in _CERTAIN and all(map(_is_plain, held))
        return Unknown(f"it raises {name}", assumes=assumes, raises=name if certain else None)


_CERTAIN = frozenset({*BINARY, *COMPARE, "int", "float"})
"""Operations that fail here just when they fail in Python."""


def _raises(value: Value) -> bool:
    return isinstance(value, Unknown) and value.raises is not None


def _list(value: object) -> list[object]:
    """`value`, which must be a list. Raises `TypeError`."""
    if isinstance(value, list):
        return value
    raise TypeError


def _dict(value: object) -> dict[object, object]:
    """`value`, which must be a dictionary. Raises `TypeError`."""
    if isinstance(value, dict):
        return value
    raise TypeError


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bytes | list | tuple | dict)


def _symbolic(
    function: Callable[..., object],
    text: str,
    values: Sequence[Known | Symbolic],
    assumes: tuple[str, ...],
    via: tuple[Span, ...],
) -> Value:
    @cache
    def at(cpus: int) -> object:
        plain = [value.value if isinstance(value, Known) else value.at(cpus) for value in values]
        check_arguments(plain)
        return checked(function(*plain))

    try:
        for cpus in _MACHINES:
            at(cpus)
    except Exception as error:
        return Unknown(f"it raises {type(error).__name__}")
    return Symbolic(_symbolic_text(text, values), at, assumes, via)


def _symbolic_text(text: str, values: Sequence[Known | Symbolic]) -> str:
    shown = [value.text if isinstance(value, Symbolic) else repr(value.value) for value in values]
    if text in BINARY and len(shown) == 2:
        left, right = shown
        if text not in "+-" and re.search(r" [-+] ", left):
            left = f"({left})"
        if text != "+" and re.search(r" \S+ ", right):
            right = f"({right})"
        return f"{left} {text} {right}"
    if text and text.isidentifier():
        return f"{text}({', '.join(shown)})"
    return f"{text}{shown[0]}" if text else "an expression of " + shown[0]


def _options(value: Value, condition: str, span: Span | None = None) -> list[Option]:
    """The possibilities of a value under a condition."""
    return [
        Option(option.value, _both(condition, option.condition), option.span or span)
        for option in possibilities(value)
    ]


def _one_of(options: Sequence[Option]) -> Value:
    """One value from possibilities: their own if there is one, or if all are the same."""
    if not options:
        return Unknown("it is never set")
    first = options[0].value
    same = all(_same(option.value, first) for option in options)
    if same:
        return first
    if len(options) > _OPTIONS:
        return Unknown("it has too many possibilities")
    return OneOf(tuple(options))


def _same(left: Value, right: Value) -> bool:
    if isinstance(left, Known) and isinstance(right, Known):
        return type(left.value) is type(right.value) and left.value == right.value
    return left is right


def _merged(ends: Sequence[tuple[str, Value | None, Span | None]], name: str) -> Value:
    """A name's value after branches; where one leaves it alone, it isn't set there."""
    options: list[Option] = []
    for condition, value, span in ends:
        missing = Unknown(f"`{name}` isn't set unless a condition holds")
        options.extend(_options(value if value is not None else missing, condition, span))
    return _one_of(options)


def _merged_bindings(ends: Sequence[tuple[str, dict[str, Binding]]]) -> dict[str, Binding]:
    merged: dict[str, Binding] = {}
    for name in dict.fromkeys(name for _, bindings in ends for name in bindings):
        found = [(condition, bindings.get(name)) for condition, bindings in ends]
        present = [binding for _, binding in found if binding is not None]
        last = present[-1]
        if len(present) == len(found) and all(binding is last for binding in present):
            merged[name] = last
            continue
        values = [
            (condition, binding.value if binding else None, binding.span if binding else None)
            for condition, binding in found
        ]
        truths = tuple(dict.fromkeys(each for binding in present for each in binding.truths))
        value = _merged(values, name)
        merged[name] = replace(last, value=value, history=(), truths=truths)
    return merged


def _both(left: str, right: str) -> str:
    return f"{left} and {right}" if left and right else left or right


def _condition(test: s.Expression) -> str:
    return _short(test.span.text)


def _short(text: str) -> str:
    """Source text for a message, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:57] + "..."


def _iterable(value: Value) -> Value:
    """`value` as a loop takes it: what can't be iterated over raises."""
    if isinstance(value, Known) and isinstance(value.value, float | int | None):
        return Unknown("it can't be iterated over", assumes=value.assumes, raises="TypeError")
    return value


def _items(value: object) -> list[object] | None:
    return list(value) if isinstance(value, list | tuple | dict | set | str) else None


def _with_item(held: Value, key: Value, value: Value) -> Value:
    """The container `held` after `held[key] = value`."""
    if isinstance(held, Known) and isinstance(held.value, str | bytes | tuple | float | int | None):
        return Unknown("its items can't be set", raises="TypeError")
    if isinstance(held, Known) and isinstance(key, Known) and isinstance(value, Known):
        container: Any = copy(held.value)
        try:
            container[key.value] = value.value
        except (TypeError, IndexError, ValueError) as error:
            return Unknown("this item can't be set", raises=type(error).__name__)
        return replace(held, value=container)
    return Unknown("it is changed by item")


def _key_and_default(node: s.Call) -> tuple[s.Expression | None, s.Expression | None]:
    """The arguments of `os.getenv(key, default)`."""
    arguments = {a.keyword or position: a.value for position, a in enumerate(node.arguments)}
    return arguments.get(0, arguments.get("key")), arguments.get(1, arguments.get("default"))


def _names_read(body: Iterable[object]) -> Iterator[str]:
    """Every name that is read anywhere in statements."""
    stack: list[object] = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, s.Name):
            yield node.id
        elif isinstance(node, s.Opaque):
            yield from node.names
        elif isinstance(node, s.Assign):
            stack.append(node.value)
            stack.extend(target for target in node.targets if not _only_binds(target))
        elif isinstance(node, s.Augmented):
            stack.append(node.value)
        elif isinstance(node, tuple):
            stack.extend(node)
        elif isinstance(node, Struct):
            stack.extend(getattr(node, name) for name in _parts(type(node)))


@cache
def _parts(kind: type[Struct]) -> tuple[str, ...]:
    """The fields of a node's class in which others may be."""
    return tuple(name for name in kind.__struct_fields__ if name not in ("span", "name_span"))


def _names_bound(body: Iterable[s.Statement]) -> Iterator[str]:
    """Every name that is bound anywhere in statements, functions and classes left aside."""
    stack: list[object] = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, s.Name):
            yield node.id
        elif isinstance(node, s.Import | s.FunctionDefinition | s.ClassDefinition):
            yield node.name
        elif isinstance(node, s.Sequence):
            stack.extend(node.items)
        elif isinstance(node, s.Assign):
            stack.extend(node.targets)
        elif isinstance(node, s.Augmented):
            stack.append(node.target)
        elif isinstance(node, s.If):
            stack.extend((*node.body, *node.otherwise))
        elif isinstance(node, s.Try):
            handlers = (statement for handler in node.handlers for statement in handler)
            stack.extend((*node.body, *handlers, *node.otherwise, *node.final))
        elif isinstance(node, s.With):
            stack.extend((*node.targets, *node.body))
        elif isinstance(node, s.Loop):
            stack.extend((node.target, *node.body))


def _only_binds(target: s.Expression) -> bool:
    if isinstance(target, s.Sequence):
        return all(_only_binds(item) for item in target.items)
    return isinstance(target, s.Name)
