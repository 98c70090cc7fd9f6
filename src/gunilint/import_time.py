"""What importing a project's modules does: the names it binds and the resources it makes.

The statements that an import runs are followed in order, those of both branches of an `if`, and
the functions of the project that they call. Nothing is imported or run. A value is what made it
(`Outside`, `Instance`, ...), never a number or a text; what can't be followed is `Unknown`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec import Struct, field
from msgspec.structs import replace

from gunilint.catalogue.frameworks import (
    ASYNC_KINDS,
    CLOSING,
    HOLDERS,
    LAZY_SWITCHES,
    LIVE_KINDS,
    RESOURCES,
    STARTING,
    USING,
    lookup,
)
from gunilint.modules import Module, Modules
from gunilint.source import Span

_MODULES = 200
"""How many modules are followed."""
_IMPORTS = 40
"""How many modules, each imported by the one before, are followed at once."""
_CALLS = 8
"""How many functions, each called by the one before, are followed."""
_STEPS = 100_000
"""How many statements, expressions and parameters of called functions are followed."""
_PARTS = 20
"""How many parts of an imported name are followed."""
_DEPTH = 100
"""How deep an expression is followed."""
_PATH = 300
"""How long the path of something from outside gets, in characters."""
_MADE = 500
"""How many resources are followed."""
_CONDITION = 60
"""How long the text of a condition gets, in characters."""
_ALTERNATIVES = 8
"""How many values a name is followed with."""

_RUNNERS = frozenset({"asyncio.run", "asyncio.Runner().run", "anyio.run", "trio.run", "uvloop.run"})
_RUNNING_METHODS = frozenset({"run_until_complete", "run_forever"})
_TAKING = ("_all", "reflect", "prepare")
"""How methods end that use the engine they are given."""
_HOLDING = frozenset({"connect", "raw_connection", "begin", "cursor", "channel"})
"""Methods that give something that holds the resource's connection."""
_OWN_ENGINES = ("", ".sync_engine", ".engine", ".get_engine()")
"""Where a resource keeps the engine that may be closed in its stead."""
_CACHES = frozenset({"cache", "lru_cache", "cached_property"})
"""Decorators that keep what a function returns."""
_CLOSERS = frozenset({"contextlib.closing", "contextlib.aclosing"})
_EXITS = frozenset({"sys.exit()", "os._exit()"})
_MISSING = frozenset({"ImportError", "ModuleNotFoundError"})
_TRANSPARENT = frozenset(
    {"functools.cache", "functools.lru_cache", "functools.lru_cache()", "functools.wraps()"}
)
"""Decorators after which a call still gives what the function returns."""

_DESCRIPTORS = frozenset({"property", "cached_property", "staticmethod", "classmethod"})

_Definition = ast.FunctionDef | ast.AsyncFunctionDef


class Use(Struct, frozen=True):
    """A call at import that makes a resource live before the fork.

    `loop` tells whether an event loop runs it. `condition` is the branch that leads to it (""
    where none does), `guarded` says that it also depends on something that may raise or be false.
    `hook` is gunicorn's hook that does it, "" for an import.
    """

    span: Span
    what: str
    loop: bool = False
    condition: str = ""
    guarded: bool = False
    hook: str = ""


class Resource(Struct, frozen=True):
    """Something that is created at import: `kind` is one of `catalogue.frameworks`.

    `kept` tells whether something refers to it after the import. `arguments` are those that are
    literals, by position or keyword.
    """

    constructor: str
    kind: str
    name: str | None
    span: Span
    uses: tuple[Use, ...] = ()
    kept: bool = False
    arguments: Mapping[int | str, object] = field(default_factory=dict)


# values


class _Made(Struct, eq=False):
    """A resource while it is followed; `path` is that of the call that makes it."""

    path: str
    kind: str
    span: Span
    name: str | None = None
    uses: list[Use] = field(default_factory=list)
    closed: bool = False
    kept: bool = False
    arguments: Mapping[int | str, object] = field(default_factory=dict)

    def use(self, use: Use) -> None:
        self.closed = False
        if use not in self.uses:
            self.uses.append(use)

    def close(self) -> None:
        self.closed = True
        self.uses.clear()


class Arguments(Struct, frozen=True):
    """What a call is given."""

    positional: tuple[Value, ...] = ()
    keywords: Mapping[str, Value] = field(default_factory=dict)

    @property
    def values(self) -> tuple[Value, ...]:
        """All of them."""
        return (*self.positional, *self.keywords.values())


_NO_ARGUMENTS = Arguments()


class Unknown(Struct, frozen=True, eq=False):
    """What can't be told, with the reason; `arguments` where it is what a call gives."""

    why: str
    arguments: Arguments = _NO_ARGUMENTS


class Literal(Unknown, frozen=True, eq=False):
    """A number, a text, or the plain items of a dict: no application and no resource."""

    value: object = None


class Nothing(Struct, frozen=True, eq=False):
    """`None`."""


class Outside(Struct, frozen=True, eq=False):
    """Something of a library: `path` leads to it, as in `flask.Flask().wsgi_app`.

    `arguments` are those of the path's last call, `span` is its last step, and `made` is the
    resource that it is or comes from.
    """

    path: str
    span: Span | None = None
    arguments: Arguments = _NO_ARGUMENTS
    made: _Made | None = None

    def step(self, step: str, span: Span | None, arguments: Arguments) -> Outside:
        """What lies one step further; a path stops to grow where it is absurdly long."""
        return Outside((self.path + step)[:_PATH], span, arguments, self.made)


class Imported(Struct, frozen=True, eq=False):
    """A module of the project."""

    name: str


class Function(Struct, frozen=True, eq=False):
    """A function of the project; `bound` is what a method belongs to.

    `decorators` are those that may change what it is.
    """

    node: _Definition
    scope: Scope
    defaults: Mapping[str, Value] = field(default_factory=dict)
    decorators: tuple[Value, ...] = ()
    bound: Value | None = None

    @property
    def span(self) -> Span:
        """The line that defines it."""
        return self.scope.module.source.line_span(self.node.lineno)


class Class(Struct, frozen=True, eq=False):
    """A class of the project."""

    node: ast.ClassDef
    module: Module
    bases: tuple[Value, ...]
    attributes: dict[str, Value]

    def lineage(self) -> Iterator[Class]:
        """The class and those of the project that it derives from."""
        pending: list[Value] = [self]
        for _ in range(_ALTERNATIVES * 2):
            if not pending:
                return
            each = pending.pop(0)
            if isinstance(each, Class):
                yield each
                pending.extend(each.bases)

    def foreign(self) -> tuple[Outside, ...]:
        """The classes from outside that it derives from."""
        bases = (base for each in self.lineage() for base in each.bases)
        return tuple(base for base in bases if isinstance(base, Outside))

    def find(self, name: str) -> Value | None:
        """An attribute of the class or of those that it derives from."""
        for each in self.lineage():
            if name in each.attributes:
                return each.attributes[name]
        return None


class Instance(Struct, frozen=True, eq=False):
    """An object of a project's class; `made` is the resource that its base makes of it."""

    of: Class
    span: Span
    arguments: Arguments = _NO_ARGUMENTS
    made: _Made | None = None
    attributes: dict[str, Value] = field(default_factory=dict)


class Coroutine(Struct, frozen=True, eq=False):
    """An async function that was called, and runs once a loop does."""

    function: Function
    arguments: Arguments


class Items(Struct, frozen=True, eq=False):
    """A tuple or a list."""

    values: tuple[Value, ...]


class Either(Struct, frozen=True, eq=False):
    """One of several values, whichever branch is taken."""

    values: tuple[Value, ...]


class Declared(Struct, frozen=True, eq=False):
    """A value of which an annotation also says what it is."""

    value: Value
    declared: Value


Value = (
    Unknown | Nothing | Outside | Imported | Function | Class | Instance | Coroutine | Items
    | Either | Declared
)  # fmt: skip

_NOTHING = Nothing()


def either(values: Iterable[Value]) -> Value:
    """One of `values`, which isn't known."""
    found: dict[int, Value] = {}
    for value in values:
        for each in value.values if isinstance(value, Either) else (value,):
            found[id(each)] = each
    if len(found) == 1:
        return next(iter(found.values()))
    if len(found) > _ALTERNATIVES or not found:
        return Unknown("it has too many values" if found else "it has no value")
    return Either(tuple(found.values()))


def _outside(value: Value) -> Iterator[Outside]:
    """What a value may be of what comes from outside."""
    if isinstance(value, Outside):
        yield value
    elif isinstance(value, Either):
        for each in value.values:
            yield from _outside(each)
    elif isinstance(value, Declared):
        yield from _outside(value.value)


def _resources_of(value: Value) -> Iterator[_Made]:
    """The resources that a value is, or comes from."""
    return (each.made for each in _outside(value) if each.made is not None)


def _resources_in(value: Value) -> Iterator[_Made]:
    """The resources that a value is, without those that it only comes from."""
    if isinstance(value, Instance):
        return (made for made in (value.made,) if made is not None)
    return (
        each.made
        for each in _outside(value)
        if each.made is not None and each.path == each.made.path
    )


def _resources_held_by(value: Value) -> Iterator[_Made]:
    """The resources that live on as long as a value does."""
    if isinstance(value, Items):
        for item in value.values:
            yield from _resources_in(item)
    yield from _resources_in(value)
    for each in _outside(value):
        if each.made is not None:
            path = each.path.removesuffix("()")
            if path.rpartition(".")[2] in _HOLDING or lookup(HOLDERS, path):
                yield each.made


# scopes


class Scope:
    """The names of a module, a class body or a function that is running.

    The last of `layers` is the branch that is being followed.
    """

    def __init__(
        self, module: Module, enclosing: Scope | None = None, *, is_class: bool = False
    ) -> None:
        self.module = module
        self.enclosing = enclosing
        self.layers: list[dict[str, Value]] = [{}]
        self.outer: set[str] = set()
        self.is_class = is_class
        self.star: str | None = None
        self.starred: list[Scope] = []
        self.returned: list[Value] = []
        self.function = ""

    def bind(self, name: str, value: Value) -> None:
        """Give a name a value."""
        scope = self
        while name in scope.outer and scope.enclosing is not None:
            scope = scope.enclosing
        scope.layers[-1][name] = value

    def is_lasting(self, name: str) -> bool:
        """Whether a name that is bound here outlives the function that binds it."""
        return self.enclosing is None or self.is_class or name in self.outer

    def own(self, name: str) -> Value | None:
        """The value of the scope's own name."""
        return next((layer[name] for layer in reversed(self.layers) if name in layer), None)

    def get(self, name: str) -> Value:
        """The value of a name as code of this scope sees it."""
        scope: Scope | None = self
        while scope is not None:
            value = scope.own(name)
            if value is not None:
                return value
            if scope.enclosing is None and scope.star is not None:
                return Outside(f"{scope.star}.{name}")
            scope = scope.enclosing
        return Unknown(f"`{name}` isn't defined in `{self.module.source.path}`")

    def public(self) -> Iterator[tuple[str, Value]]:
        """What `import *` takes."""
        for layer in self.layers:
            yield from ((name, layer[name]) for name in layer if not name.startswith("_"))


# following


class ImportTime:
    """Follows imports; `resources` and `loops` gather what they do."""

    def __init__(self, modules: Modules) -> None:
        self.modules = modules
        self.loops: list[Use] = []
        self._scopes: dict[str, Scope] = {}
        self._later: list[Module] = []
        self._resources: dict[tuple[str, int, int], _Made] = {}
        self._nesting = self._calls = self._steps = self._depth = 0
        self._generators: dict[_Definition, bool] = {}
        self._schedulers: dict[_Definition, bool] = {}
        self._loop: Use | None = None
        self._conditions: list[str] = []
        self._guards = 0
        self._hook = ""
        self._is_forked = False

    @property
    def resources(self) -> tuple[Resource, ...]:
        """What was made and is neither closed nor disposed of."""
        return tuple(
            Resource(
                constructor=made.path.removesuffix("()"),
                kind=made.kind,
                name=made.name,
                span=made.span,
                uses=(*made.uses,),
                kept=made.kept,
                arguments=made.arguments,
            )
            for made in self._resources.values()
            if not made.closed
        )

    def member(self, module: str, name: str) -> Value:
        """What a module's name stands for after its import."""
        owner = self._at(module)
        while self._later:
            self._imported(self._later.pop())
        return self._attribute(owner, name, None)

    def run(self, module: Module) -> Scope | None:
        """The names of a module that is run and not imported, as a config file is."""
        return self._imported(module)

    def call_hook(self, name: str, value: Value, span: Span, *, is_forked: bool = False) -> None:
        """Call one of gunicorn's hooks; in a forked worker only what it closes matters."""
        self._hook, self._is_forked = name, is_forked
        self._apply(value, _NO_ARGUMENTS, span)
        self._hook, self._is_forked = "", False

    def call(self, value: Value, span: Span) -> Value:
        """What a call without known arguments gives."""
        return self._apply(value, _NO_ARGUMENTS, span)

    # modules

    def _imported(self, module: Module) -> Scope | None:
        """The module's names; those that are bound so far where its import isn't over."""
        scope = self._scopes.get(module.name)
        if scope is not None or module.tree is None or len(self._scopes) >= _MODULES:
            return scope
        if self._nesting >= _IMPORTS:
            self._later.append(module)
            return None
        scope = self._scopes[module.name] = Scope(module)
        around = self._calls, self._depth, self._loop
        self._calls, self._depth, self._loop = 0, 0, None
        self._nesting += 1
        self._block(scope, module.tree.body)
        self._nesting -= 1
        self._calls, self._depth, self._loop = around
        return scope

    def _at(self, path: str) -> Value:
        """What an absolute dotted name means: importing `a.b.c` runs `a`, `a.b` and `a.b.c`."""
        value: Value = Unknown("it has no name")
        parts = path.split(".")
        if len(parts) > _PARTS:
            return Outside(path[:_PATH])
        for length in range(1, len(parts) + 1):
            name = ".".join(parts[:length])
            module = self.modules.get(name)
            if module is not None:
                self._imported(module)
                value = Imported(name)
            elif isinstance(value, Imported):
                value = self._attribute(value, parts[length - 1], None)
            else:
                value = Outside(name)
        return value

    def _import(self, scope: Scope, statement: ast.Import) -> bool:
        for alias in statement.names:
            whole = self._at(alias.name)
            top = alias.name.partition(".")[0]
            scope.bind(alias.asname or top, whole if alias.asname else self._at(top))
        return True

    def _from(self, scope: Scope, statement: ast.ImportFrom) -> bool:
        base = scope.module.absolute(statement)
        owner = self._at(base)
        for alias in statement.names:
            if alias.name != "*":
                value = self._at(f"{base}.{alias.name}")
                if isinstance(owner, Imported) and not isinstance(value, Imported):
                    value = self._attribute(owner, alias.name, None)
                scope.bind(alias.asname or alias.name, value)
            elif not isinstance(owner, Imported):
                scope.star = base
            elif (names := self._scopes.get(owner.name)) is not None and names not in scope.starred:
                scope.starred.append(names)
                for name, value in [*names.public()]:
                    scope.bind(name, value)
                scope.star = scope.star or names.star
        return True

    # statements

    def _block(self, scope: Scope, body: Sequence[ast.stmt]) -> bool:
        """Follow statements; whether what comes after them is reached."""
        for statement in body:
            if self._is_exhausted():
                return True
            handler = _HANDLERS.get(type(statement))
            if handler is not None and not handler(self, scope, statement):
                return False
        return True

    def _branches(self, scope: Scope, bodies: Sequence[Sequence[ast.stmt]]) -> bool:
        """Follow each of several bodies from the same start, then go on with all of them."""
        return self._join(scope, [self._branch(scope, body) for body in bodies])

    def _branch(
        self, scope: Scope, body: Sequence[ast.stmt], condition: str = ""
    ) -> dict[str, Value] | None:
        """The names that a body binds; None where what comes after it isn't reached."""
        scope.layers.append({})
        with self._under(condition):
            reached = self._block(scope, body)
        bound = scope.layers.pop()
        return bound if reached else None

    @contextmanager
    def _under(self, condition: str) -> Iterator[None]:
        """What is followed meanwhile runs only if a condition holds."""
        before = len(self._conditions)
        if condition:
            self._conditions.append(condition)
        yield
        del self._conditions[before:]

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """What is followed meanwhile may be skipped: something before it may raise or be false."""
        self._guards += 1
        yield
        self._guards -= 1

    def _join(self, scope: Scope, branches: Sequence[dict[str, Value] | None]) -> bool:
        reached = [branch for branch in branches if branch is not None]
        for name in dict.fromkeys(name for branch in reached for name in branch):
            values = (branch.get(name) or scope.own(name) for branch in reached)
            scope.bind(name, either(value for value in values if value is not None))
        return bool(reached)

    def _if(self, scope: Scope, statement: ast.If) -> bool:
        bodies: list[tuple[Sequence[ast.stmt], str]] = []
        rest: Sequence[ast.stmt] = [statement]
        otherwise = ""
        while len(rest) == 1 and isinstance(rest[0], ast.If):
            branch = rest[0]
            self.value(scope, branch.test)
            truth = _truth(branch.test, scope.module)
            test = _shown(scope.module.span(branch.test))
            if truth is not False:
                bodies.append((branch.body, otherwise if truth else f"`{test}` holds"))
            elif _is_type_checking(branch.test):
                self._names_for_types(scope, branch.body)
            otherwise = f"`{test}` doesn't hold" if truth is None else otherwise
            rest = [] if truth else branch.orelse
            if truth:
                break
        else:
            bodies.append((rest, otherwise))
        before = len(scope.returned)
        reached = self._join(scope, [self._branch(scope, *body) for body in bodies])
        if reached and len(scope.returned) > before and scope.function:
            self._conditions.append(f"`{scope.function}` doesn't return before")
        return reached

    def _names_for_types(self, scope: Scope, body: Sequence[ast.stmt]) -> None:
        """Imports that only annotations use: the names are known, nothing runs."""
        for statement in body:
            if isinstance(statement, ast.ImportFrom):
                base = scope.module.absolute(statement)
                for alias in statement.names:
                    scope.bind(alias.asname or alias.name, Outside(f"{base}.{alias.name}"))
            elif isinstance(statement, ast.Import):
                for alias in statement.names:
                    name = alias.name if alias.asname else alias.name.partition(".")[0]
                    scope.bind(alias.asname or name, Outside(name))

    def _try(self, scope: Scope, statement: ast.Try) -> bool:
        """Where an import may fail, the code that replaces it is followed but doesn't win."""
        scope.layers.append({})
        reached = self._block(scope, statement.body[:1])
        with self._guarded():
            reached = reached and self._block(scope, [*statement.body[1:], *statement.orelse])
        bound = scope.layers.pop()
        body = bound if reached else None
        branches = [body]
        for handler in statement.handlers:
            with self._guarded():
                caught = self._branch(scope, handler.body)
            names = ast.walk(handler.type) if handler.type is not None else ()
            missing = any(isinstance(name, ast.Name) and name.id in _MISSING for name in names)
            if caught is not None and body is not None and missing:
                caught = {**caught, **body}
            branches.append(caught)
        reached = self._join(scope, branches)
        return self._block(scope, statement.finalbody) and reached

    def _with(self, scope: Scope, statement: ast.With | ast.AsyncWith) -> bool:
        opened = []
        for item in statement.items:
            value = self.value(scope, item.context_expr)
            opened.append(value)
            if item.optional_vars is not None:
                self._store(scope, item.optional_vars, value)
        reached = self._block(scope, statement.body)
        for value in opened:
            for made in _resources_in(value):
                made.close()
        return reached

    def _for(self, scope: Scope, statement: ast.For | ast.AsyncFor) -> bool:
        self.value(scope, statement.iter)
        self._store(scope, statement.target, Unknown("it is a loop's variable"))
        self._branches(scope, [statement.body, ()])
        return self._block(scope, statement.orelse)

    def _while(self, scope: Scope, statement: ast.While) -> bool:
        self.value(scope, statement.test)
        if _truth(statement.test, scope.module) is not False:
            self._branches(scope, [statement.body, ()])
        return self._block(scope, statement.orelse)

    def _match(self, scope: Scope, statement: ast.Match) -> bool:
        self.value(scope, statement.subject)
        return self._branches(scope, [*(case.body for case in statement.cases), ()])

    def _assign(self, scope: Scope, statement: ast.Assign) -> bool:
        value = self.value(scope, statement.value)
        for target in statement.targets:
            self._store(scope, target, value)
        return True

    def _annotated(self, scope: Scope, statement: ast.AnnAssign) -> bool:
        if statement.value is not None:
            value = self.value(scope, statement.value)
            self._store(scope, statement.target, self._declared(scope, value, statement.annotation))
        return True

    def _augmented(self, scope: Scope, statement: ast.AugAssign) -> bool:
        self.value(scope, statement.value)
        self._store(scope, statement.target, Unknown("it is changed in place"))
        return True

    def _store(self, scope: Scope, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            values = value.values if isinstance(value, Items) else ()
            fits = len(values) == len(target.elts)
            for position, each in enumerate(target.elts):
                unknown = Unknown("it is part of something that can't be followed")
                self._store(scope, each, values[position] if fits else unknown)
            return
        if isinstance(target, ast.Name | ast.Attribute):
            for made in _resources_in(value):
                made.name = made.name or ast.unparse(target)
        if not isinstance(target, ast.Name) or scope.is_lasting(target.id):
            _keep(value)
        if isinstance(target, ast.Name):
            scope.bind(target.id, value)
        elif isinstance(target, ast.Attribute):
            owner = self.value(scope, target.value)
            if isinstance(owner, Instance | Class):
                owner.attributes[target.attr] = value
        elif isinstance(target, ast.Starred):
            self._store(scope, target.value, Unknown("it is a list"))

    def _def(self, scope: Scope, node: _Definition) -> bool:
        decorators = [(each, self.value(scope, each)) for each in node.decorator_list]
        kept = tuple(
            value
            for each, value in decorators
            if _last_name(each) not in _DESCRIPTORS
            and not (isinstance(value, Outside) and value.path in _TRANSPARENT)
        )
        positional = [*node.args.posonlyargs, *node.args.args]
        named = positional[len(positional) - len(node.args.defaults) :]
        pairs = [*zip(named, node.args.defaults, strict=True)]
        for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
            if default is not None:
                pairs.append((argument, default))
        defaults = {argument.arg: self.value(scope, default) for argument, default in pairs}
        scope.bind(node.name, Function(node, scope, defaults, kept))
        return True

    def _class(self, scope: Scope, node: ast.ClassDef) -> bool:
        for decorator in node.decorator_list:
            self.value(scope, decorator)
        bases = tuple(self.value(scope, base) for base in node.bases)
        inner = Scope(scope.module, scope, is_class=True)
        self._block(inner, node.body)
        scope.bind(node.name, Class(node, scope.module, bases, inner.layers[0]))
        return True

    def _return(self, scope: Scope, statement: ast.Return) -> bool:
        value = self.value(scope, statement.value) if statement.value is not None else _NOTHING
        scope.returned.append(value)
        return False

    def _raise(self, scope: Scope, statement: ast.Raise) -> bool:
        return False

    def _global(self, scope: Scope, statement: ast.Global | ast.Nonlocal) -> bool:
        scope.outer.update(statement.names)
        return True

    def _expression(self, scope: Scope, statement: ast.Expr) -> bool:
        value = self.value(scope, statement.value)
        return not (isinstance(value, Outside) and value.path in _EXITS)

    # expressions

    def value(self, scope: Scope, node: ast.expr) -> Value:
        """What an expression gives; what it calls is followed."""
        if self._depth >= _DEPTH or self._is_exhausted():
            return Unknown("it is nested too deeply, or called too often")
        self._depth += 1
        try:
            return self._value(scope, node)
        finally:
            self._depth -= 1

    def _is_exhausted(self) -> bool:
        """Whether called functions have taken all the steps there are; counts one."""
        if self._calls:
            self._steps += 1
        return self._steps > _STEPS and self._calls > 0

    def _value(self, scope: Scope, node: ast.expr) -> Value:
        if isinstance(node, ast.Name):
            return scope.get(node.id)
        if isinstance(node, ast.Attribute):
            return self._attribute(
                self.value(scope, node.value), node.attr, scope.module.span(node)
            )
        if isinstance(node, ast.Call):
            return self._call(scope, node)
        if isinstance(node, ast.Await):
            return self.value(scope, node.value)
        if isinstance(node, ast.IfExp):
            self.value(scope, node.test)
            with self._guarded():
                return either([self.value(scope, node.body), self.value(scope, node.orelse)])
        if isinstance(node, ast.BoolOp):
            first = self.value(scope, node.values[0])
            with self._guarded():
                return either([first, *(self.value(scope, each) for each in node.values[1:])])
        if isinstance(node, ast.NamedExpr):
            value = self.value(scope, node.value)
            self._store(scope, node.target, value)
            return value
        if isinstance(node, ast.Tuple | ast.List):
            return Items(tuple(self.value(scope, each) for each in node.elts))
        if isinstance(node, ast.Dict):
            self._parts(scope, node)
            pairs = zip(node.keys, node.values, strict=True)
            plain = {
                key.value: value.value
                for key, value in pairs
                if isinstance(key, ast.Constant) and isinstance(value, ast.Constant)
            }
            return Literal("it is a dict", value=plain)
        if isinstance(node, ast.Subscript):
            return self._item(scope, node)
        if isinstance(node, ast.Constant):
            return _NOTHING if node.value is None else Literal("it is a literal", value=node.value)
        if not isinstance(node, ast.Lambda):
            self._parts(scope, node)
        return Unknown("it is made in a way that can't be followed")

    def _parts(self, scope: Scope, node: ast.AST) -> None:
        """Follow the calls in an expression whose own value isn't."""
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.expr):
                self.value(scope, part)
            else:
                self._parts(scope, part)

    def _item(self, scope: Scope, node: ast.Subscript) -> Value:
        value = self.value(scope, node.value)
        self.value(scope, node.slice)
        if isinstance(value, Items) and isinstance(node.slice, ast.Constant):
            position = node.slice.value
            if isinstance(position, int) and -len(value.values) <= position < len(value.values):
                return value.values[position]
        if isinstance(value, Outside) and value.made is not None:
            return value.step("[]", scope.module.span(node), value.arguments)
        return Unknown("it is an item of something that can't be followed")

    def _attribute(self, value: Value, name: str, span: Span | None) -> Value:
        if isinstance(value, Either):
            return either([self._attribute(each, name, span) for each in value.values])
        if isinstance(value, Declared):
            known = value.declared if isinstance(value.value, Unknown) else value.value
            return self._attribute(known, name, span)
        if isinstance(value, Imported):
            scope = self._scopes.get(value.name)
            own = scope.own(name) if scope is not None else None
            if own is None and (module := self.modules.get(f"{value.name}.{name}")) is not None:
                self._imported(module)
                return Imported(module.name)
            return own or (scope.get(name) if scope is not None else _too_many())
        if isinstance(value, Outside):
            result = value.step(f".{name}", span, value.arguments)
            is_module = "(" not in result.path and self.modules.get(result.path) is not None
            return self._at(result.path) if is_module else result
        if isinstance(value, Class):
            return self._bound(value.find(name), value) or _absent(value, name)
        if isinstance(value, Instance):
            own = value.attributes.get(name) or self._bound(value.of.find(name), value)
            if own is None and (foreign := value.of.foreign()):
                path = f"{foreign[0].path}().{name}"
                return Outside(path, span, value.arguments, value.made)
            return own or _absent(value.of, name)
        return Unknown(f"its `{name}` can't be followed")

    def _bound(self, value: Value | None, owner: Instance | Class) -> Value | None:
        """A class's attribute as the class or an object of it has it."""
        if not isinstance(value, Function):
            return value
        kinds = {_last_name(each) for each in value.node.decorator_list} & _DESCRIPTORS
        if "classmethod" in kinds:
            return replace(value, bound=owner.of if isinstance(owner, Instance) else owner)
        if "staticmethod" in kinds or isinstance(owner, Class):
            return value
        method = replace(value, bound=owner)
        return self._run(method, _NO_ARGUMENTS) if kinds else method

    # calls

    def _call(self, scope: Scope, node: ast.Call) -> Value:
        callee = self.value(scope, node.func)
        arguments = Arguments(
            tuple(self.value(scope, each) for each in node.args),
            {each.arg or "": self.value(scope, each.value) for each in node.keywords},
        )
        use = Use(
            scope.module.span(node),
            f"`{ast.unparse(node.func)}(...)`",
            condition=self._conditions[-1] if self._conditions else "",
            guarded=self._guards > 0,
            hook=self._hook,
        )
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        path = callee.path if isinstance(callee, Outside) else ""
        if path == "os.register_at_fork":
            self._at_fork(scope, node)
        if method == "join" and isinstance(callee, Unknown) and not arguments.positional:
            self._close_all("thread", "process")
        if self._is_forked and method in CLOSING and isinstance(callee, Unknown):
            self._close_all("conn", "pool", *ASYNC_KINDS)
        if method in _RUNNING_METHODS or path in _RUNNERS:
            return self._run_loop(replace(use, loop=True), arguments.values)
        if path in _CLOSERS and arguments.values:
            return arguments.values[0]
        if not self._closes(callee, method):
            self._use(use, method, callee, arguments.values)
            return self._apply(callee, arguments, use.span, use)
        return Unknown("it is what closing gives")

    def _at_fork(self, scope: Scope, node: ast.Call) -> None:
        """`os.register_at_fork(after_in_child=...)`: what it closes, no worker inherits."""
        for keyword in node.keywords:
            if keyword.arg != "after_in_child":
                continue
            around, self._is_forked = self._is_forked, True
            if isinstance(keyword.value, ast.Lambda):
                self.value(scope, keyword.value.body)
            else:
                value = self.value(scope, keyword.value)
                if not self._closes(value, _last_name(keyword.value)):
                    self._apply(value, _NO_ARGUMENTS, scope.module.span(node))
            self._is_forked = around

    def _close_all(self, *kinds: str) -> None:
        """Something of these kinds is closed, or waited for, and any of them may be meant."""
        for made in self._resources.values():
            if made.kind in kinds and not made.closed:
                made.close()

    def _closes(self, callee: Value, method: str) -> bool:
        """Whether a call closes a resource, which then is as if it hadn't been used."""
        closed = False
        for each in _outside(callee) if method in CLOSING else ():
            if each.made is not None and each.path in [
                f"{each.made.path}{engine}.{method}" for engine in _OWN_ENGINES
            ]:
                each.made.close()
                closed = True
        return closed

    def _use(self, use: Use, method: str, callee: Value, arguments: Sequence[Value]) -> None:
        """`engine.begin()`, `metadata.create_all(engine)`, and anything within a running loop."""
        holds = any(lookup(HOLDERS, each.path) for each in _outside(callee))
        takes = method.endswith(_TAKING)
        for made in _resources_of(callee):
            self._touch(made, use, method in STARTING.get(made.kind, USING))
        for value in arguments:
            for made in _resources_of(value):
                self._touch(made, use, takes and made.kind in ("pool", "apool"), holds)
            if not (takes or holds) and isinstance(callee, Outside | Unknown):
                _keep(value)

    def _touch(self, made: _Made, use: Use, is_used: bool, is_held: bool = False) -> None:
        """A call on a resource, or with it; anything async in a running loop is used by that."""
        in_loop = self._loop is not None and made.kind in ASYNC_KINDS and not is_held
        if (is_used or in_loop) and not self._is_forked:
            made.use(self._loop if self._loop and made.kind in ASYNC_KINDS else use)

    def _run_loop(self, use: Use, arguments: Sequence[Value]) -> Value:
        """`asyncio.run(main())`: what the coroutine touches is used before the fork."""
        if self._loop is not None:
            return Unknown("a loop runs in a loop")
        self._loop = use
        result: Value = Unknown("what a coroutine gives can't be followed")
        followed = False
        for value in arguments:
            if isinstance(value, Outside):
                result = value
            given = [each for outside in _outside(value) for each in outside.arguments.values]
            for each in (value, *given):
                for made in _resources_of(each):
                    self._touch(made, use, made.kind in ASYNC_KINDS)
                if isinstance(each, Coroutine):
                    result = self._run(each.function, each.arguments)
            if isinstance(value, Function):
                result = self._run(value, _NO_ARGUMENTS)
            followed = followed or not isinstance(value, Unknown)
        self._loop = None
        if not followed:
            self.loops.append(use)
        return result

    def _apply(
        self, callee: Value, arguments: Arguments, span: Span, use: Use | None = None
    ) -> Value:
        """What a call gives; `use` is that call where it is written in the source."""
        if isinstance(callee, Either):
            return either([self._apply(each, arguments, span, use) for each in callee.values])
        if isinstance(callee, Declared):
            known = callee.declared if isinstance(callee.value, Unknown) else callee.value
            return self._apply(known, arguments, span, use)
        if isinstance(callee, Outside):
            return self._from_outside(callee, arguments, span, use)
        if isinstance(callee, Function):
            if isinstance(callee.node, ast.AsyncFunctionDef) and self._loop is None:
                return Coroutine(callee, arguments)
            return self._run(callee, arguments)
        if isinstance(callee, Class):
            bases = [self._from_outside(base, arguments, span) for base in callee.foreign()[:1]]
            instance = Instance(callee, span, arguments, bases[0].made if bases else None)
            start = self._bound(callee.find("__init__"), instance)
            if isinstance(start, Function):
                self._run(start, arguments)
            return instance
        if isinstance(callee, Instance):
            method = self._bound(callee.of.find("__call__"), callee)
            if isinstance(method, Function):
                return self._apply(method, arguments, span)
        return Unknown("its maker can't be followed", arguments)

    def _from_outside(
        self, callee: Outside, arguments: Arguments, span: Span, use: Use | None = None
    ) -> Outside:
        result = callee.step("()", span, arguments)
        kind = lookup(RESOURCES, callee.path)
        if kind is not None and not self._is_forked and len(self._resources) < _MADE:
            kind = "scheduler" if self._schedules(kind, arguments) else _kind_with(kind, arguments)
            key = (span.source.path, span.start, span.end)
            made = self._resources.setdefault(key, _Made(result.path, kind, span))
            made.closed = False
            made.arguments = _literals(arguments)
            if self._loop is not None and kind in ASYNC_KINDS:
                made.use(self._loop)
            elif use is not None and kind in LIVE_KINDS:
                is_lazy = any(made.arguments.get(each) is False for each in LAZY_SWITCHES)
                if not is_lazy:
                    made.use(use)
            return replace(result, made=made)
        if lookup(HOLDERS, callee.path):
            held = (made for value in arguments.values for made in _resources_of(value))
            return replace(result, made=next(held, callee.made))
        return result

    def _schedules(self, kind: str, arguments: Arguments) -> bool:
        """Whether a thread runs a loop of `schedule.run_pending()`."""
        target = arguments.keywords.get("target") or next(iter(arguments.positional[1:2]), None)
        if kind != "thread" or not isinstance(target, Function):
            return False
        if target.node not in self._schedulers:
            self._schedulers[target.node] = any(
                isinstance(each, ast.Attribute) and each.attr == "run_pending"
                for each in ast.walk(target.node)
            )
        return self._schedulers[target.node]

    def _run(self, function: Function, arguments: Arguments) -> Value:
        """What a function of the project returns; its body is followed."""
        node = function.node
        around = function.scope
        while around.is_class and around.enclosing is not None:
            around = around.enclosing
        scope = Scope(around.module, around)
        scope.function = node.name
        if self._calls >= _CALLS or self._is_exhausted():
            return self._declared(scope, Unknown(f"`{node.name}` leads too far"), node.returns)
        if node not in self._generators:
            self._generators[node] = _is_generator(node)
        if self._generators[node]:
            return Unknown(f"`{node.name}` is a generator")
        _bind_parameters(scope, function, arguments)
        self._steps += len(scope.layers[0])
        self._calls += 1
        with self._under(""):
            self._block(scope, node.body)
        self._calls -= 1
        _keep_captured(scope, node)
        if any(_last_name(_called(each)) in _CACHES for each in node.decorator_list):
            for value in scope.returned:
                _keep(value)
        if function.decorators:
            return Unknown(f"`{node.name}` is decorated")
        result = either(scope.returned) if scope.returned else _NOTHING
        return self._declared(scope, result, node.returns)

    def _declared(self, scope: Scope, value: Value, annotation: ast.expr | None) -> Value:
        """A value with what its annotation says of it."""
        if annotation is None:
            return value
        parts = _dotted(annotation)
        declared = scope.get(parts[0]) if parts else None
        for part in parts[1:]:
            declared = self._attribute(declared, part, None) if declared else None
        span = scope.module.span(annotation)
        if isinstance(declared, Outside):
            return Declared(value, Outside(f"{declared.path}()"[:_PATH], span))
        if isinstance(declared, Class):
            return Declared(value, Instance(declared, span))
        return value


_HANDLERS: dict[type[ast.stmt], Callable[..., bool]] = {
    ast.Import: ImportTime._import,
    ast.ImportFrom: ImportTime._from,
    ast.FunctionDef: ImportTime._def,
    ast.AsyncFunctionDef: ImportTime._def,
    ast.ClassDef: ImportTime._class,
    ast.Assign: ImportTime._assign,
    ast.AnnAssign: ImportTime._annotated,
    ast.AugAssign: ImportTime._augmented,
    ast.If: ImportTime._if,
    ast.Try: ImportTime._try,
    ast.With: ImportTime._with,
    ast.AsyncWith: ImportTime._with,
    ast.For: ImportTime._for,
    ast.AsyncFor: ImportTime._for,
    ast.While: ImportTime._while,
    ast.Match: ImportTime._match,
    ast.Return: ImportTime._return,
    ast.Raise: ImportTime._raise,
    ast.Global: ImportTime._global,
    ast.Nonlocal: ImportTime._global,
    ast.Expr: ImportTime._expression,
}
if hasattr(ast, "TryStar"):
    _HANDLERS[ast.TryStar] = ImportTime._try


def _keep(value: Value) -> None:
    """Something that lasts refers to a value."""
    for made in _resources_held_by(value):
        made.kept = True


def _keep_captured(scope: Scope, node: _Definition) -> None:
    """The functions that a function defines keep what they name."""
    held = {name: value for layer in scope.layers for name, value in layer.items()}
    held = {name: value for name, value in held.items() if any(_resources_held_by(value))}
    if not held:
        return
    for inner in ast.walk(node):
        if inner is not node and isinstance(inner, _Definition | ast.Lambda):
            for each in ast.walk(inner):
                if isinstance(each, ast.Name) and each.id in held:
                    _keep(held[each.id])


def _kind_with(kind: str, arguments: Arguments) -> str:
    """The kind of what a constructor makes of its arguments."""
    pool = arguments.keywords.get("poolclass")
    if isinstance(pool, Outside) and pool.path.endswith(".NullPool"):
        return "safe"
    address = next(iter(arguments.positional), None)
    if isinstance(address, Literal) and address.value in (":memory:", "sqlite://"):
        return "safe"
    return kind


def _literals(arguments: Arguments) -> dict[int | str, object]:
    """The arguments that are literals, by position or keyword."""
    found: dict[int | str, object] = {}
    for position, value in enumerate(arguments.positional):
        if isinstance(value, Literal):
            found[position] = value.value
    for name, value in arguments.keywords.items():
        if isinstance(value, Literal):
            found[name] = value.value
    return found


def _absent(owner: Class, name: str) -> Unknown:
    return Unknown(f"`{owner.node.name}` has no `{name}`")


def _too_many() -> Unknown:
    return Unknown("its module is imported by too many others")


def _bind_parameters(scope: Scope, function: Function, arguments: Arguments) -> None:
    node = function.node.args
    positional = [argument.arg for argument in (*node.posonlyargs, *node.args)]
    for name in (*positional, *(argument.arg for argument in node.kwonlyargs)):
        value = arguments.keywords.get(name) or function.defaults.get(name)
        scope.bind(name, value or Unknown(f"`{name}` is a parameter"))
    for rest in (node.vararg, node.kwarg):
        if rest is not None:
            scope.bind(rest.arg, Unknown(f"`{rest.arg}` is a parameter"))
    own = () if function.bound is None else (function.bound,)
    for name, value in zip(positional, (*own, *arguments.positional), strict=False):
        scope.bind(name, value)


def _is_generator(node: _Definition) -> bool:
    stack: list[ast.AST] = [*node.body]
    while stack:
        each = stack.pop()
        if isinstance(each, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(each, _Definition | ast.ClassDef | ast.Lambda):
            stack.extend(ast.iter_child_nodes(each))
    return False


def _called(node: ast.expr) -> ast.expr:
    """`lru_cache` of `lru_cache(maxsize=1)`."""
    return node.func if isinstance(node, ast.Call) else node


def _last_name(node: ast.expr) -> str:
    """`cached_property` of `functools.cached_property`."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def _dotted(node: ast.expr) -> list[str]:
    """The parts of a dotted name, which an annotation may hold as a text."""
    text = node.value if isinstance(node, ast.Constant) else None
    if text is None and isinstance(node, ast.Name | ast.Attribute):
        text = ast.unparse(node)
    parts = text.split(".") if isinstance(text, str) else []
    return parts if all(part.isidentifier() for part in parts) else []


# conditions


def _shown(test: Span) -> str:
    """A condition on one line, cut where it is long."""
    text = " ".join(test.text.split())
    return text if len(text) <= _CONDITION else text[: _CONDITION - 1] + "…"


def _is_type_checking(test: ast.expr) -> bool:
    return _last_name(test) == "TYPE_CHECKING"


def _truth(test: ast.expr, module: Module) -> bool | None:
    """Whether a condition holds while the module is imported; None where it can't be told."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if _is_type_checking(test):
        return False
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        truth = _truth(test.operand, module)
        return None if truth is None else not truth
    if isinstance(test, ast.BoolOp):
        truths = {_truth(each, module) for each in test.values}
        decisive = isinstance(test.op, ast.Or)
        if decisive in truths:
            return decisive
        return None if None in truths else not decisive
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return _is_own_name(test.left, test.ops[0], test.comparators[0], module)
    return None


def _is_own_name(left: ast.expr, op: ast.cmpop, right: ast.expr, module: Module) -> bool | None:
    """`__name__ == "__main__"` and the like."""
    if _last_name(right) == "__name__":
        left, right = right, left
    if _last_name(left) != "__name__":
        return None
    names = right.elts if isinstance(right, ast.Tuple | ast.List | ast.Set) else [right]
    if not all(isinstance(name, ast.Constant) for name in names):
        return None
    found = module.name in [name.value for name in names if isinstance(name, ast.Constant)]
    return not found if isinstance(op, ast.NotEq | ast.NotIn) else found
