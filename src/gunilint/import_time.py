"""What importing a project's modules does: the names it binds and the resources it makes.

The statements that an import runs are followed in order, those of both branches of an `if`, and
the functions of the project that they call. Nothing is imported or run. A value is what made it
(`Outside`, `Instance`, ...), never a number or a text; what can't be followed is `Unknown`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gunilint.catalogue.frameworks import CLOSING, HOLDERS, RESOURCES, USING, lookup
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
_ALTERNATIVES = 8
"""How many values a name is followed with."""

_RUNNERS = frozenset({"asyncio.run", "asyncio.Runner().run", "anyio.run", "trio.run", "uvloop.run"})
_RUNNING_METHODS = frozenset({"run_until_complete", "run_forever"})
_TAKING = ("_all", "reflect", "prepare")
"""How methods end that use the engine they are given."""
_CLOSERS = frozenset({"contextlib.closing", "contextlib.aclosing"})
_EXITS = frozenset({"sys.exit()", "os._exit()"})
_MISSING = frozenset({"ImportError", "ModuleNotFoundError"})
_TRANSPARENT = frozenset(
    {"functools.cache", "functools.lru_cache", "functools.lru_cache()", "functools.wraps()"}
)
"""Decorators after which a call still gives what the function returns."""

_DESCRIPTORS = frozenset({"property", "cached_property", "staticmethod", "classmethod"})

_Definition = ast.FunctionDef | ast.AsyncFunctionDef


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


# values


@dataclass(slots=True, eq=False)
class _Made:
    """A resource while it is followed; `path` is that of the call that makes it."""

    path: str
    kind: str
    span: Span
    name: str | None = None
    uses: list[Use] = field(default_factory=list)
    closed: bool = False

    def use(self, use: Use) -> None:
        self.closed = False
        if use not in self.uses:
            self.uses.append(use)

    def close(self) -> None:
        self.closed = True
        self.uses.clear()


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a call is given."""

    positional: tuple[Value, ...] = ()
    keywords: Mapping[str, Value] = field(default_factory=dict)

    @property
    def values(self) -> tuple[Value, ...]:
        """All of them."""
        return (*self.positional, *self.keywords.values())


_NO_ARGUMENTS = Arguments()


@dataclass(frozen=True, slots=True, eq=False)
class Unknown:
    """What can't be told, with the reason; `arguments` where it is what a call gives."""

    why: str
    arguments: Arguments = _NO_ARGUMENTS


@dataclass(frozen=True, slots=True, eq=False)
class Nothing:
    """`None`."""


@dataclass(frozen=True, slots=True, eq=False)
class Outside:
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


@dataclass(frozen=True, slots=True, eq=False)
class Imported:
    """A module of the project."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Function:
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


@dataclass(frozen=True, slots=True, eq=False)
class Class:
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


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """An object of a project's class."""

    of: Class
    span: Span
    arguments: Arguments = _NO_ARGUMENTS
    attributes: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Coroutine:
    """An async function that was called, and runs once a loop does."""

    function: Function
    arguments: Arguments


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """A tuple or a list."""

    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Either:
    """One of several values, whichever branch is taken."""

    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Declared:
    """A value of which an annotation also says what it is."""

    value: Value
    declared: Value


Value = (
    Unknown | Nothing | Outside | Imported | Function | Class | Instance | Coroutine | Items
    | Either | Declared
)  # fmt: skip

_LITERAL = Unknown("it is a literal")
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
    return (
        each.made
        for each in _outside(value)
        if each.made is not None and each.path == each.made.path
    )


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

    def bind(self, name: str, value: Value) -> None:
        """Give a name a value."""
        scope = self
        while name in scope.outer and scope.enclosing is not None:
            scope = scope.enclosing
        scope.layers[-1][name] = value

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
        self._loop: Use | None = None
        self._handlers: dict[type[ast.stmt], Callable[..., bool]] = {
            ast.Import: self._import,
            ast.ImportFrom: self._from,
            ast.FunctionDef: self._def,
            ast.AsyncFunctionDef: self._def,
            ast.ClassDef: self._class,
            ast.Assign: self._assign,
            ast.AnnAssign: self._annotated,
            ast.AugAssign: self._augmented,
            ast.If: self._if,
            ast.Try: self._try,
            ast.With: self._with,
            ast.AsyncWith: self._with,
            ast.For: self._for,
            ast.AsyncFor: self._for,
            ast.While: self._while,
            ast.Match: self._match,
            ast.Return: self._return,
            ast.Raise: self._raise,
            ast.Global: self._global,
            ast.Nonlocal: self._global,
            ast.Expr: self._expression,
        }
        if hasattr(ast, "TryStar"):
            self._handlers[ast.TryStar] = self._try

    @property
    def resources(self) -> tuple[Resource, ...]:
        """What was made and is neither closed nor disposed of."""
        return tuple(
            Resource(made.path.removesuffix("()"), made.kind, made.name, made.span, (*made.uses,))
            for made in self._resources.values()
            if not made.closed
        )

    def member(self, module: str, name: str) -> Value:
        """What a module's name stands for after its import."""
        owner = self._at(module)
        while self._later:
            self._imported(self._later.pop())
        return self._attribute(owner, name, None)

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
            handler = self._handlers.get(type(statement))
            if handler is not None and not handler(scope, statement):
                return False
        return True

    def _branches(self, scope: Scope, bodies: Sequence[Sequence[ast.stmt]]) -> bool:
        """Follow each of several bodies from the same start, then go on with all of them."""
        return self._join(scope, [self._branch(scope, body) for body in bodies])

    def _branch(self, scope: Scope, body: Sequence[ast.stmt]) -> dict[str, Value] | None:
        """The names that a body binds; None where what comes after it isn't reached."""
        scope.layers.append({})
        reached = self._block(scope, body)
        bound = scope.layers.pop()
        return bound if reached else None

    def _join(self, scope: Scope, branches: Sequence[dict[str, Value] | None]) -> bool:
        reached = [branch for branch in branches if branch is not None]
        for name in dict.fromkeys(name for branch in reached for name in branch):
            values = (branch.get(name) or scope.own(name) for branch in reached)
            scope.bind(name, either(value for value in values if value is not None))
        return bool(reached)

    def _if(self, scope: Scope, statement: ast.If) -> bool:
        bodies: list[Sequence[ast.stmt]] = []
        rest: Sequence[ast.stmt] = [statement]
        while len(rest) == 1 and isinstance(rest[0], ast.If):
            branch = rest[0]
            self.value(scope, branch.test)
            truth = _truth(branch.test, scope.module)
            if truth is not False:
                bodies.append(branch.body)
            elif _is_type_checking(branch.test):
                self._names_for_types(scope, branch.body)
            rest = [] if truth else branch.orelse
            if truth:
                break
        else:
            bodies.append(rest)
        return self._branches(scope, bodies)

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
        body = self._branch(scope, [*statement.body, *statement.orelse])
        branches = [body]
        for handler in statement.handlers:
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
            return either([self.value(scope, node.body), self.value(scope, node.orelse)])
        if isinstance(node, ast.BoolOp):
            return either([self.value(scope, each) for each in node.values])
        if isinstance(node, ast.NamedExpr):
            value = self.value(scope, node.value)
            self._store(scope, node.target, value)
            return value
        if isinstance(node, ast.Tuple | ast.List):
            return Items(tuple(self.value(scope, each) for each in node.elts))
        if isinstance(node, ast.Subscript):
            return self._item(scope, node)
        if isinstance(node, ast.Constant):
            return _NOTHING if node.value is None else _LITERAL
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
                return Outside(path, span, value.arguments)
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
        use = Use(scope.module.span(node), f"`{ast.unparse(node.func)}(...)`")
        method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        path = callee.path if isinstance(callee, Outside) else ""
        if method in _RUNNING_METHODS or path in _RUNNERS:
            return self._run_loop(use, arguments.values)
        if path in _CLOSERS and arguments.values:
            return arguments.values[0]
        if not self._closes(callee, method):
            self._use(use, method, callee, arguments.values)
            return self._apply(callee, arguments, use.span)
        return Unknown("it is what closing gives")

    def _closes(self, callee: Value, method: str) -> bool:
        """Whether a call closes a resource, which then is as if it hadn't been used."""
        closed = False
        for each in _outside(callee) if method in CLOSING else ():
            if each.made is not None and each.path in (
                f"{each.made.path}.{method}",
                f"{each.made.path}.sync_engine.{method}",
            ):
                each.made.close()
                closed = True
        return closed

    def _use(self, use: Use, method: str, callee: Value, arguments: Sequence[Value]) -> None:
        """`engine.begin()`, `metadata.create_all(engine)`, and anything within a running loop."""
        holds = any(lookup(HOLDERS, each.path) for each in _outside(callee))
        touched = [callee] if method in USING or self._loop is not None else []
        if method.endswith(_TAKING) or (self._loop and not holds):
            touched += arguments
        for value in touched:
            for made in _resources_of(value):
                made.use(self._loop or use)

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
                    made.use(use)
                if isinstance(each, Coroutine):
                    result = self._run(each.function, each.arguments)
            if isinstance(value, Function):
                result = self._run(value, _NO_ARGUMENTS)
            followed = followed or not isinstance(value, Unknown)
        self._loop = None
        if not followed:
            self.loops.append(use)
        return result

    def _apply(self, callee: Value, arguments: Arguments, span: Span) -> Value:
        if isinstance(callee, Either):
            return either([self._apply(each, arguments, span) for each in callee.values])
        if isinstance(callee, Declared):
            known = callee.declared if isinstance(callee.value, Unknown) else callee.value
            return self._apply(known, arguments, span)
        if isinstance(callee, Outside):
            return self._from_outside(callee, arguments, span)
        if isinstance(callee, Function):
            if isinstance(callee.node, ast.AsyncFunctionDef) and self._loop is None:
                return Coroutine(callee, arguments)
            return self._run(callee, arguments)
        if isinstance(callee, Class):
            instance = Instance(callee, span, arguments)
            start = self._bound(callee.find("__init__"), instance)
            if isinstance(start, Function):
                self._run(start, arguments)
            return instance
        if isinstance(callee, Instance):
            method = self._bound(callee.of.find("__call__"), callee)
            if isinstance(method, Function):
                return self._apply(method, arguments, span)
        return Unknown("its maker can't be followed", arguments)

    def _from_outside(self, callee: Outside, arguments: Arguments, span: Span) -> Value:
        result = callee.step("()", span, arguments)
        kind = lookup(RESOURCES, callee.path)
        if kind is not None:
            key = (span.source.path, span.start, span.end)
            made = self._resources.setdefault(key, _Made(result.path, kind, span))
            made.closed = False
            if self._loop is not None:
                made.use(self._loop)
            return replace(result, made=made)
        if lookup(HOLDERS, callee.path):
            held = (made for value in arguments.values for made in _resources_of(value))
            return replace(result, made=next(held, callee.made))
        return result

    def _run(self, function: Function, arguments: Arguments) -> Value:
        """What a function of the project returns; its body is followed."""
        node = function.node
        around = function.scope
        while around.is_class and around.enclosing is not None:
            around = around.enclosing
        scope = Scope(around.module, around)
        if self._calls >= _CALLS or self._is_exhausted():
            return self._declared(scope, Unknown(f"`{node.name}` leads too far"), node.returns)
        if node not in self._generators:
            self._generators[node] = _is_generator(node)
        if self._generators[node]:
            return Unknown(f"`{node.name}` is a generator")
        _bind_parameters(scope, function, arguments)
        self._steps += len(scope.layers[0])
        self._calls += 1
        self._block(scope, node.body)
        self._calls -= 1
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
