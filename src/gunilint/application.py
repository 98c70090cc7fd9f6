"""The application that gunicorn loads: ASGI or WSGI, and what it makes when it is imported.

Sources are read with `ast` and never imported. What can't be told is None, with a reason.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from gunilint.catalogue.frameworks import (
    AMBIGUOUS,
    APPLICATIONS,
    ASGI_PACKAGES,
    ASYNC_KINDS,
    RESOURCES,
    USING,
    WSGI_PACKAGES,
    lookup,
)
from gunilint.parse.nesting import too_deep
from gunilint.source import Source, Span

_HOPS = 12
"""How many names, factories and wrappers are followed to an application."""
_MODULES = 200
"""How many modules are followed from the application's."""
_CALLS = 4
"""How many functions of the project, each called by the one before, are followed at import."""

_RUNNERS = frozenset({"asyncio.run", "anyio.run", "trio.run", "uvloop.run"})


class Files(Protocol):
    """What the application's modules are read from, by paths relative to the project's root."""

    def read(self, path: str) -> Source | None:
        """The file's text; None where there is none."""

    def is_file(self, path: str) -> bool:
        """Whether there is such a file."""


@dataclass(frozen=True, slots=True)
class Use:
    """A call at import that makes a resource live before the fork."""

    span: Span
    what: str


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that is created at import: `kind` is one of `catalogue.frameworks`."""

    constructor: str
    kind: str
    name: str | None
    span: Span
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class Spec:
    """`module:object` as gunicorn reads it; `called` where the object is a factory call."""

    module: str
    object: str
    called: bool


@dataclass(frozen=True, slots=True)
class Application:
    """What is known of an application.

    `kind` is "asgi", "wsgi", "aiohttp" or "tornado", None where it can't be told; `why` says why
    in either case. `span` is the expression that decides it. `resources` are created at import by
    the module and what it imports below the root; `loops` are event loops run at import.
    """

    spec: str
    kind: str | None
    why: str
    found: bool = False
    module: Source | None = None
    span: Span | None = None
    resources: tuple[Resource, ...] = ()
    loops: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class Frameworks:
    """The frameworks that a project names as dependencies."""

    asgi: tuple[str, ...] = ()
    wsgi: tuple[str, ...] = ()


def is_async(resource: Resource) -> bool:
    """Whether a resource belongs to an event loop."""
    return resource.kind in ASYNC_KINDS


def split_spec(spec: str) -> Spec:
    """The parts of an application's name; the object is `application` where none is named."""
    module, _, name = spec.partition(":")
    called = re.match(r"([A-Za-z_]\w*)\s*\(", name)
    return Spec(module, called[1] if called else name or "application", called is not None)


def inspect(spec: str, folders: Sequence[str], files: Files) -> Application:
    """Follow an application's name to its module in the first of `folders` that has it."""
    parts = split_spec(spec)
    project = _Project(files, folders)
    module = project.module(parts.module)
    if module is None:
        return Application(spec, None, f"there is no module `{parts.module}` in the project")
    if module.tree is None:
        why = f"`{module.source.path}` can't be parsed"
        return Application(spec, None, why, True, module.source)
    try:
        verdict = _Classifier(project).object(module, parts.object, called=parts.called)
        walk = _ImportWalk(project)
        walk.module(module)
    except RecursionError:
        return Application(spec, None, "its module is nested too deeply", True, module.source)
    return Application(
        spec=spec,
        kind=verdict.kind,
        why=verdict.why,
        found=True,
        module=module.source,
        span=verdict.span,
        resources=tuple(walk.resources.values()),
        loops=tuple(walk.loops),
    )


def foreign_bases(qualified: str, folders: Sequence[str], files: Files) -> tuple[str, ...]:
    """The classes outside of the project that a class of the project derives from.

    They are dotted names as imported; none for a class that isn't in the project.
    """
    project = _Project(files, folders)
    found: dict[str, None] = {}
    pending = [qualified]
    for _ in range(_HOPS):
        if not pending:
            break
        name = pending.pop(0)
        member = project.member(name)
        if member is None:
            found[name] = None
            continue
        module, inner = member
        definition = module.defined.get(inner)
        if isinstance(definition, ast.ClassDef):
            bases = (module.qualified(base) or _local(module, base) for base in definition.bases)
            pending.extend(base for base in bases if base is not None)
        elif inner in module.imports:
            pending.append(module.imports[inner])
    found.pop(qualified, None)
    return tuple(found)


# modules


@dataclass
class _Module:
    """A module of the project: its names and what they stand for.

    `scope` is empty, or names the function whose names are on top.
    """

    name: str
    source: Source
    tree: ast.Module | None
    is_package: bool
    scope: str = ""
    imports: dict[str, str] = field(default_factory=dict)
    assigned: dict[str, list[tuple[ast.expr, bool]]] = field(default_factory=dict)
    defined: dict[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef] = field(
        default_factory=dict
    )

    def span(self, node: ast.expr | ast.stmt) -> Span:
        """The place of a node, whose columns count UTF-8 bytes."""
        start = self._offset(node.lineno, node.col_offset)
        end = self._offset(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
        return Span(self.source, start, max(start, end))

    def _offset(self, line: int, column: int) -> int:
        text = self.source.line(line)
        return self.source.line_starts[line - 1] + len(
            text.encode("utf-8", "surrogatepass")[:column].decode("utf-8", "ignore")
        )

    def qualified(self, node: ast.expr) -> str | None:
        """The dotted name that an expression was imported as; None for the module's own."""
        if isinstance(node, ast.Attribute):
            held = self.qualified(node.value)
            return f"{held}.{node.attr}" if held else None
        return self.imports.get(node.id) if isinstance(node, ast.Name) else None


class _Project:
    """The modules below the root, each read once."""

    def __init__(self, files: Files, folders: Sequence[str]) -> None:
        self.files = files
        self.folders = folders
        self.modules: dict[str, _Module | None] = {}

    def module(self, name: str) -> _Module | None:
        """The project's module of a dotted name."""
        if name not in self.modules:
            self.modules[name] = self._read(name)
        return self.modules[name]

    def member(self, qualified: str) -> tuple[_Module, str] | None:
        """The project's module and the name in it that a dotted name means."""
        module, _, name = qualified.rpartition(".")
        found = self.module(module) if module else None
        return (found, name) if found is not None else None

    def _read(self, name: str) -> _Module | None:
        if not name or not all(part.isidentifier() for part in name.split(".")):
            return None
        relative = name.replace(".", "/")
        for folder in self.folders:
            for path in (f"{folder}/{relative}/__init__.py", f"{folder}/{relative}.py"):
                path = path.lstrip("/")
                if self.files.is_file(path):
                    source = self.files.read(path)
                    return self._parsed(
                        name, source or Source(path, ""), path.endswith("__init__.py")
                    )
        return None

    def _parsed(self, name: str, source: Source, is_package: bool) -> _Module:
        if too_deep(source.text) is not None:
            return _Module(name, source, None, is_package)
        try:
            tree = ast.parse(source.text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return _Module(name, source, None, is_package)
        module = _Module(name, source, tree, is_package)
        for statement, conditional in _top_level(tree.body, conditional=False):
            _collect(module, statement, conditional)
        return module


def _top_level(body: Sequence[ast.stmt], *, conditional: bool) -> Iterator[tuple[ast.stmt, bool]]:
    """The statements that run at import, those of branches included; True where one may not."""
    stack = [(statement, conditional) for statement in reversed(body)]
    while stack:
        statement, maybe = stack.pop()
        yield statement, maybe
        inner: list[tuple[ast.stmt, bool]] = []
        if isinstance(statement, ast.If):
            if not _is_main_guard(statement.test):
                inner = [(each, True) for each in (*statement.body, *statement.orelse)]
        elif isinstance(statement, ast.Try):
            inner = [(each, maybe) for each in statement.body]
            inner += [(each, True) for handler in statement.handlers for each in handler.body]
            inner += [(each, maybe) for each in (*statement.orelse, *statement.finalbody)]
        elif isinstance(statement, ast.With):
            inner = [(each, maybe) for each in statement.body]
        elif isinstance(statement, ast.For | ast.While):
            inner = [(each, True) for each in statement.body]
        stack.extend(reversed(inner))


def _is_main_guard(test: ast.expr) -> bool:
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and (test.left.id == "__name__")
    )


def _collect(module: _Module, statement: ast.stmt, conditional: bool) -> None:
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            bound = alias.asname or alias.name.partition(".")[0]
            module.imports[bound] = alias.name if alias.asname else bound
    elif isinstance(statement, ast.ImportFrom):
        base = _absolute(module, statement)
        for alias in statement.names:
            module.imports.setdefault(alias.asname or alias.name, f"{base}.{alias.name}")
    elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        module.defined[statement.name] = statement
    else:
        for name, value in _assignments(statement):
            module.assigned.setdefault(name, []).append((value, conditional))


def _assignments(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """The plain names that a statement assigns to, each with the value."""
    targets: Sequence[ast.expr] = ()
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = (statement.target,)
    value = getattr(statement, "value", None)
    for target in targets:
        if isinstance(target, ast.Name) and isinstance(value, ast.expr):
            yield target.id, value


def _absolute(module: _Module, statement: ast.ImportFrom) -> str:
    """The absolute name of the module that a `from` imports from."""
    if not statement.level:
        return statement.module or ""
    parts = module.name.split(".")
    kept = len(parts) - statement.level + (1 if module.is_package else 0)
    return ".".join((*parts[: max(0, kept)], *([statement.module] if statement.module else [])))


# ASGI or WSGI


@dataclass(frozen=True, slots=True)
class _Verdict:
    """A kind, the reason for it, and the expression that decides it."""

    kind: str | None
    why: str
    span: Span | None = None


class _Classifier:
    def __init__(self, project: _Project) -> None:
        self.project = project
        self.hops = 0
        self.seen: dict[tuple[str, str], int] = {}

    def object(self, module: _Module, name: str, *, called: bool) -> _Verdict:
        """What the name of a module stands for, or returns if it is called."""
        if called:
            return self.called(module, name)
        return self.name(module, name)

    def name(self, module: _Module, name: str) -> _Verdict:
        self.hops += 1
        unknown = _Verdict(None, f"`{name}` isn't defined in `{module.source.path}`")
        if self.hops > _HOPS * 4:
            return _Verdict(None, f"`{name}` leads too far")
        key = (module.name + module.scope, name)
        assigned = module.assigned.get(name, [])
        limit = self.seen.get(key, len(assigned))
        if assigned[:limit]:
            return self.assigned(module, name, key, assigned[:limit])
        definition = module.defined.get(name)
        if definition is not None:
            return self.definition(module, definition)
        imported = module.imports.get(name)
        if imported is None:
            return self.star(module, name) or unknown
        found = self.project.member(imported)
        if found is None:
            return _Verdict(None, f"`{name}` is imported from outside of the project")
        return self.name(*found)

    def star(self, module: _Module, name: str) -> _Verdict | None:
        """A name that `from module import *` brings in."""
        star = module.imports.get("*")
        found = self.project.module(star.removesuffix(".*")) if star else None
        return self.name(found, name) if found is not None and found is not module else None

    def assigned(
        self,
        module: _Module,
        name: str,
        key: tuple[str, str],
        values: list[tuple[ast.expr, bool]],
    ) -> _Verdict:
        """The last assignment decides, or all of them together where that is in a branch."""
        verdicts = []
        for position in range(len(values), 0, -1):
            value, conditional = values[position - 1]
            before = self.seen.get(key)
            self.seen[key] = position - 1
            verdicts.append(self.expression(module, value))
            if before is None:
                del self.seen[key]
            else:
                self.seen[key] = before
            if not conditional:
                break
        kinds = {verdict.kind for verdict in verdicts}
        if len(kinds) == 1:
            return verdicts[0]
        return _Verdict(None, f"what `{name}` is depends on a branch")

    def expression(self, module: _Module, node: ast.expr) -> _Verdict:
        if isinstance(node, ast.Call):
            return self.call(module, node)
        if isinstance(node, ast.Name):
            return self.name(module, node.id)
        if isinstance(node, ast.Attribute):
            return self.attribute(module, node)
        if isinstance(node, ast.IfExp):
            return self.agreed(module, (node.body, node.orelse))
        if isinstance(node, ast.BoolOp):
            return self.agreed(module, node.values)
        return _Verdict(None, "the application is made in a way that can't be followed")

    def agreed(self, module: _Module, nodes: Sequence[ast.expr]) -> _Verdict:
        verdicts = [self.expression(module, node) for node in nodes]
        if len({verdict.kind for verdict in verdicts}) == 1:
            return verdicts[0]
        return _Verdict(None, "what the application is depends on a branch")

    def attribute(self, module: _Module, node: ast.Attribute) -> _Verdict:
        qualified = module.qualified(node)
        found = self.project.member(qualified) if qualified else None
        if found is not None:
            return self.name(*found)
        if node.attr == "server" and self.is_made_by(module, node.value, "dash"):
            return _Verdict("wsgi", "it is the Flask server of a Dash app", module.span(node))
        if node.attr in ("app", "asgi_app", "wsgi_app") and isinstance(node.value, ast.Name):
            return self.name(module, node.value.id)
        return _Verdict(None, f"`{ast.unparse(node)}` can't be followed")

    def is_made_by(self, module: _Module, node: ast.expr, package: str) -> bool:
        values = module.assigned.get(node.id, []) if isinstance(node, ast.Name) else []
        return any(
            isinstance(value, ast.Call)
            and (module.qualified(value.func) or "").startswith(f"{package}.")
            for value, _ in values
        )

    def call(self, module: _Module, node: ast.Call) -> _Verdict:
        self.hops += 1
        if self.hops > _HOPS * 4:
            return _Verdict(None, "the application leads too far")
        qualified = module.qualified(node.func)
        if qualified is not None:
            kind = lookup(APPLICATIONS, qualified)
            if kind is not None and not _is_ambiguous(qualified):
                return _Verdict(kind, f"it is a `{qualified}`", module.span(node))
            found = self.project.member(qualified)
            if found is not None:
                return self.wrapped(module, node, self.called(*found))
        elif isinstance(node.func, ast.Name):
            return self.wrapped(module, node, self.called(module, node.func.id))
        elif isinstance(node.func, ast.Attribute) and node.func.attr == "make_wsgi_app":
            return _Verdict("wsgi", "`make_wsgi_app()` makes it", module.span(node))
        return self.wrapped(module, node, _Verdict(None, "its maker can't be followed"))

    def wrapped(self, module: _Module, node: ast.Call, own: _Verdict) -> _Verdict:
        """A call whose callee says nothing is of the kind of the application that it wraps."""
        if own.kind is not None:
            return own
        named = [
            keyword.value for keyword in node.keywords if keyword.arg in ("app", "application")
        ]
        for argument in (*node.args[:1], *named):
            if isinstance(argument, ast.Name | ast.Call | ast.Attribute):
                inner = self.expression(module, argument)
                if inner.kind is not None:
                    return inner
        return own

    def called(self, module: _Module, name: str) -> _Verdict:
        """What a class or function of the project makes when it is called."""
        self.hops += 1
        if self.hops > _HOPS * 4:
            return _Verdict(None, f"`{name}` leads too far")
        definition = module.defined.get(name)
        if isinstance(definition, ast.ClassDef):
            return self.instance(module, definition)
        if isinstance(definition, ast.FunctionDef):
            return self.factory(module, definition)
        imported = module.imports.get(name)
        if imported is not None:
            kind = lookup(APPLICATIONS, imported)
            if kind is not None and not _is_ambiguous(imported):
                return _Verdict(kind, f"it is a `{imported}`")
            found = self.project.member(imported)
            if found is not None:
                return self.called(*found)
        star = module.imports.get("*")
        starred = self.project.module(star.removesuffix(".*")) if star else None
        if starred is not None and starred is not module and definition is None:
            return self.called(starred, name)
        return _Verdict(None, f"what `{name}` makes can't be followed")

    def instance(self, module: _Module, definition: ast.ClassDef) -> _Verdict:
        """A class is of its base's kind, or of that of its own `__call__`."""
        for each in definition.body:
            if isinstance(each, ast.AsyncFunctionDef | ast.FunctionDef) and each.name == "__call__":
                return _by_signature(module, each, skip=1)
        for base in definition.bases:
            qualified = module.qualified(base)
            kind = lookup(APPLICATIONS, qualified) if qualified else None
            if kind is not None:
                why = f"`{definition.name}` is a `{qualified}`"
                return _Verdict(kind, why, module.span(definition))
            verdict = None
            if isinstance(base, ast.Name) and base.id in module.defined:
                verdict = self.called(module, base.id)
            elif qualified and (found := self.project.member(qualified)):
                verdict = self.called(*found)
            if verdict is not None and verdict.kind is not None:
                return verdict
        return _Verdict(None, f"what a `{definition.name}` is can't be told")

    def definition(
        self, module: _Module, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    ) -> _Verdict:
        """A function as the application itself."""
        if isinstance(node, ast.ClassDef):
            return _Verdict(None, f"`{node.name}` is a class")
        return _by_signature(module, node, skip=0)

    def factory(self, module: _Module, function: ast.FunctionDef) -> _Verdict:
        """What a function returns: its `return` expressions, else its annotation."""
        inner = _scope_of(module, function)
        returned = [
            each.value
            for each in _own_nodes(function)
            if isinstance(each, ast.Return) and each.value is not None
        ]
        verdicts = [self.expression(inner, value) for value in returned]
        kinds = {verdict.kind for verdict in verdicts}
        if len(kinds) == 1 and None not in kinds:
            return verdicts[0]
        annotation = function.returns
        if isinstance(annotation, ast.Name | ast.Attribute):
            qualified = module.qualified(annotation)
            kind = lookup(APPLICATIONS, qualified) if qualified else None
            if kind is not None:
                why = f"`{function.name}` returns a `{qualified}`"
                return _Verdict(kind, why, module.span(annotation))
        return _Verdict(None, f"what `{function.name}` returns can't be told")


def _local(module: _Module, base: ast.expr) -> str | None:
    """The dotted name of a base class that the module itself defines."""
    is_own = isinstance(base, ast.Name) and base.id in module.defined
    return f"{module.name}.{base.id}" if is_own and isinstance(base, ast.Name) else None


def _is_ambiguous(qualified: str) -> bool:
    return lookup(dict.fromkeys(AMBIGUOUS, "yes"), qualified) is not None


def _by_signature(
    module: _Module, node: ast.FunctionDef | ast.AsyncFunctionDef, skip: int
) -> _Verdict:
    """`async def app(scope, receive, send)` is ASGI, `def app(environ, start_response)` WSGI."""
    count = len(node.args.posonlyargs) + len(node.args.args) - skip
    span = module.span(node)
    span = replace(span, end=span.start + len(module.source.line(node.lineno).strip()))
    if isinstance(node, ast.AsyncFunctionDef) and count == 3:
        return _Verdict("asgi", f"`{node.name}` is a coroutine with three parameters", span)
    if isinstance(node, ast.FunctionDef) and count == 2:
        return _Verdict("wsgi", f"`{node.name}` takes `environ` and `start_response`", span)
    return _Verdict(None, f"the parameters of `{node.name}` fit neither ASGI nor WSGI")


def _scope_of(module: _Module, function: ast.FunctionDef | ast.AsyncFunctionDef) -> _Module:
    """The module's names as a function sees them: with its own on top."""
    inner = replace(
        module,
        scope=f"{module.scope}:{function.name}",
        imports=dict(module.imports),
        assigned=dict(module.assigned),
        defined=dict(module.defined),
    )
    own: dict[str, list[tuple[ast.expr, bool]]] = {}
    for statement, conditional in _top_level(function.body, conditional=False):
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            scratch = replace(inner, assigned=own)
            _collect(scratch, statement, conditional)
        else:
            _collect(inner, statement, conditional)
    inner.assigned.update(own)
    return inner


def _own_nodes(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """The nodes of a function's body without those of functions within it."""
    stack: list[ast.AST] = list(reversed(function.body))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            stack.extend(reversed(list(ast.iter_child_nodes(node))))


# what runs at import


class _ImportWalk:
    """Walks what importing a module runs, and gathers what it creates and uses."""

    def __init__(self, project: _Project) -> None:
        self.project = project
        self.done: set[str] = set()
        self.resources: dict[tuple[str, str], Resource] = {}
        self.loops: list[Use] = []

    def module(self, module: _Module) -> None:
        if module.name in self.done or module.tree is None or len(self.done) >= _MODULES:
            return
        self.done.add(module.name)
        for statement, _ in _top_level(module.tree.body, conditional=False):
            if isinstance(statement, ast.Import | ast.ImportFrom):
                self.imported(module, statement)
            else:
                self.statement(module, statement, 0)

    def imported(self, module: _Module, statement: ast.Import | ast.ImportFrom) -> None:
        """Importing `a.b.c` runs `a`, `a.b` and `a.b.c`."""
        names = [alias.name for alias in statement.names]
        if isinstance(statement, ast.ImportFrom):
            base = _absolute(module, statement)
            names = [base, *(f"{base}.{name}" for name in names)]
        for name in names:
            parts = name.split(".")
            for length in range(1, len(parts) + 1):
                found = self.project.module(".".join(parts[:length]))
                if found is not None:
                    self.module(found)

    def statement(self, module: _Module, statement: ast.stmt, depth: int) -> None:
        target = next((name for name, _ in _assignments(statement)), None)
        for call in _calls_at_import(statement):
            self.call(module, call, target, depth)

    def call(self, module: _Module, call: ast.Call, target: str | None, depth: int) -> None:
        qualified = module.qualified(call.func)
        kind = lookup(RESOURCES, qualified) if qualified else None
        if qualified is not None and kind is not None:
            key = (module.source.path, target or f"{call.lineno}:{call.col_offset}")
            self.resources.setdefault(key, Resource(qualified, kind, target, module.span(call)))
            return
        if self.runs_a_loop(module, call):
            self.loop(module, call, target, depth)
            return
        self.use(module, call)
        self.function(module, call.func, depth, None, target)

    def runs_a_loop(self, module: _Module, call: ast.Call) -> bool:
        qualified = module.qualified(call.func)
        by_method = isinstance(call.func, ast.Attribute) and call.func.attr in (
            "run_until_complete",
            "run_forever",
        )
        return by_method or qualified in _RUNNERS

    def loop(self, module: _Module, call: ast.Call, target: str | None, depth: int) -> None:
        """`asyncio.run(main())`: what the coroutine touches is used before the fork."""
        use = Use(module.span(call), f"`{ast.unparse(call.func)}(...)`")
        touched = False
        for argument in call.args:
            if isinstance(argument, ast.Call):
                before = dict(self.resources)
                self.call_inside(module, argument, target, depth, use)
                touched = touched or before != self.resources
        if not touched:
            self.loops.append(use)

    def call_inside(
        self, module: _Module, call: ast.Call, target: str | None, depth: int, use: Use
    ) -> None:
        """A coroutine that a loop runs: a resource's own, or a function of the project."""
        qualified = module.qualified(call.func)
        kind = lookup(RESOURCES, qualified) if qualified else None
        if qualified is not None and kind is not None:
            key = (module.source.path, target or f"{call.lineno}:{call.col_offset}")
            resource = Resource(qualified, kind, target, module.span(call), (use,))
            self.resources.setdefault(key, resource)
            return
        self.touch(module, call, use)
        self.function(module, call.func, depth, use, target)

    def function(
        self, module: _Module, node: ast.expr, depth: int, use: Use | None, target: str | None
    ) -> None:
        """The body of a project's function that is called at import, perhaps within a loop."""
        if depth >= _CALLS:
            return
        found: tuple[_Module, str] | None = None
        if isinstance(node, ast.Name) and node.id in module.defined:
            found = (module, node.id)
        elif (qualified := module.qualified(node)) is not None:
            found = self.project.member(qualified)
        definition = found[0].defined.get(found[1]) if found else None
        if found is None or definition is None or isinstance(definition, ast.ClassDef):
            return
        if use is None and isinstance(definition, ast.AsyncFunctionDef):
            return
        inner = _scope_of(found[0], definition)
        for each in _own_nodes(definition):
            if not isinstance(each, ast.Call):
                continue
            if use is not None:
                self.call_inside(inner, each, target, depth + 1, use)
            else:
                self.call(inner, each, None, depth + 1)

    def use(self, module: _Module, call: ast.Call) -> None:
        """`engine.begin()`, `metadata.create_all(engine)` and the like."""
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in USING:
            return
        use = Use(module.span(call), f"`{ast.unparse(call.func)}(...)`")
        held = call.func.value
        arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
        candidates = [held, *arguments] if call.func.attr.endswith(("_all", "reflect")) else [held]
        for node in candidates:
            self.mark(module, node, use)

    def touch(self, module: _Module, call: ast.Call, use: Use) -> None:
        """Anything that is done with a resource inside a running loop uses it."""
        held = call.func.value if isinstance(call.func, ast.Attribute) else None
        for node in (held, *call.args):
            if node is not None:
                self.mark(module, node, use)

    def mark(self, module: _Module, node: ast.expr, use: Use) -> None:
        key = self.key(module, node)
        resource = self.resources.get(key) if key else None
        if key is not None and resource is not None and use not in resource.uses:
            self.resources[key] = replace(resource, uses=(*resource.uses, use))

    def key(self, module: _Module, node: ast.expr) -> tuple[str, str] | None:
        """The resource that a name means, here or in the module that it comes from."""
        if isinstance(node, ast.Attribute) and node.attr == "sync_engine":
            node = node.value
        if isinstance(node, ast.Name) and node.id not in module.imports:
            return module.source.path, node.id
        qualified = module.qualified(node)
        for _ in range(_HOPS):
            found = self.project.member(qualified) if qualified else None
            if found is None:
                return None
            owner, name = found
            if (owner.source.path, name) in self.resources or name not in owner.imports:
                return owner.source.path, name
            qualified = owner.imports[name]
        return None


def _calls_at_import(statement: ast.stmt) -> Iterator[ast.Call]:
    """The calls that a statement makes when it runs, without those of nested statements."""
    roots: list[ast.AST] = []
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        roots = [*statement.decorator_list, *statement.args.defaults]
        roots += [default for default in statement.args.kw_defaults if default is not None]
    elif isinstance(statement, ast.ClassDef):
        roots = [*statement.decorator_list, *statement.bases, *statement.body]
    elif isinstance(statement, ast.If | ast.While):
        roots = [statement.test]
    elif isinstance(statement, ast.For):
        roots = [statement.iter]
    elif isinstance(statement, ast.With):
        roots = [item.context_expr for item in statement.items]
    elif not isinstance(statement, ast.Try):
        roots = [statement]
    stack = list(reversed(roots))
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        stack.extend(reversed(list(ast.iter_child_nodes(node))))
        if isinstance(node, ast.Call):
            yield node


# dependencies


def frameworks(names: frozenset[str]) -> Frameworks:
    """The ASGI and WSGI frameworks among the names of packages."""
    return Frameworks(tuple(sorted(names & ASGI_PACKAGES)), tuple(sorted(names & WSGI_PACKAGES)))
