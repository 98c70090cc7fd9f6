"""The application that gunicorn loads: ASGI or WSGI, and what it makes when it is imported.

Sources are read with `ast` and never imported. What can't be told is None, with a reason.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from msgspec import Struct

from gunilint.catalogue.frameworks import (
    APPLICATIONS,
    ASGI_PACKAGES,
    ASYNC_KINDS,
    OVERRIDES,
    UNDECIDED,
    WSGI_PACKAGES,
    lookup,
)
from gunilint.import_time import (
    Arguments,
    Class,
    Coroutine,
    Declared,
    Either,
    Function,
    ImportTime,
    Instance,
    Nothing,
    Outside,
    Resource,
    Unknown,
    Use,
    Value,
)
from gunilint.modules import Files, Modules
from gunilint.source import Source, Span

_WRAPPERS = 20
"""How many wrappers, each around the next, are followed to an application."""


class Spec(Struct, frozen=True):
    """`module:object` as gunicorn reads it; `called` where the object is a factory call."""

    module: str
    object: str
    called: bool


class Application(Struct, frozen=True):
    """What is known of an application.

    `kind` is "asgi", "wsgi", "aiohttp" or "tornado", None where it can't be told; `why` says why
    in either case. `span` is the expression that decides it. `resources` are created, and not
    closed again, by the import of the module and of what it imports below the root, and by the
    factory; `loops` are event loops that are run then with something that can't be followed.
    `bound` are the names that the module's code binds, None where others may be there unseen.
    `factory` is the kind that calling it gives, where it is itself a function that makes one.
    """

    spec: str
    kind: str | None
    why: str
    found: bool = False
    module: Source | None = None
    span: Span | None = None
    resources: tuple[Resource, ...] = ()
    loops: tuple[Use, ...] = ()
    bound: frozenset[str] | None = None
    factory: str | None = None


class Frameworks(Struct, frozen=True):
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
    modules = Modules(files, folders)
    module = modules.get(parts.module)
    if module is None:
        return Application(spec, None, f"there is no module `{parts.module}` in the project")
    if module.tree is None:
        why = f"`{module.source.path}` can't be parsed"
        return Application(spec, None, why, True, module.source)
    importing = ImportTime(modules)
    try:
        value = importing.member(parts.module, parts.object)
        if parts.called:
            value = importing.call(value, module.source.first_line())
        verdict = _Kinds().of(value)
        made = None
        if isinstance(value, Function) and not parts.called and verdict.kind is None:
            made = _made_by(parts, modules)
    except RecursionError:
        return Application(spec, None, "its module is nested too deeply", True, module.source)
    return Application(
        spec=spec,
        kind=verdict.kind,
        why=verdict.why,
        found=True,
        module=module.source,
        span=verdict.span,
        resources=importing.resources,
        loops=tuple(importing.loops),
        bound=None if modules.get(f"{parts.module}.{parts.object}") else module.bound,
        factory=made,
    )


def _made_by(spec: Spec, modules: Modules) -> str | None:
    """The kind of what a function of the project makes; apart, as calling it makes resources."""
    importing = ImportTime(modules)
    function = importing.member(spec.module, spec.object)
    if not isinstance(function, Function) or function.decorators:
        return None
    return _Kinds().of(importing.call(function, function.span)).kind


def foreign_bases(qualified: str, folders: Sequence[str], files: Files) -> tuple[str, ...]:
    """The classes outside of the project that a class of the project derives from.

    They are dotted names as imported; none for a class that isn't in the project.
    """
    module, _, name = qualified.rpartition(".")
    try:
        value = ImportTime(Modules(files, folders)).member(module, name)
    except RecursionError:
        return ()
    bases = value.foreign() if isinstance(value, Class) else ()
    return tuple(dict.fromkeys(base.path for base in bases))


class _Verdict(Struct, frozen=True):
    """A kind, the reason for it, and the expression that decides it."""

    kind: str | None
    why: str
    span: Span | None = None


class _Kinds:
    """The kinds of values; each value is looked at once."""

    def __init__(self) -> None:
        self._known: dict[int, _Verdict] = {}
        self._wrappers = 0

    def of(self, value: Value) -> _Verdict:
        """The kind of a value as an application."""
        known = self._known.get(id(value))
        if known is None:
            if self._wrappers >= _WRAPPERS:
                return _Verdict(None, "the application leads too far")
            self._wrappers += 1
            known = self._known[id(value)] = self._of(value)
            self._wrappers -= 1
        return known

    def _of(self, value: Value) -> _Verdict:
        if isinstance(value, Outside):
            return self._outside(value)
        if isinstance(value, Instance):
            return self._instance(value)
        if isinstance(value, Function):
            return self._function(value)
        if isinstance(value, Class):
            return self._class(value)
        if isinstance(value, Declared):
            own = self.of(value.value)
            declared = self.of(value.declared)
            return declared if own.kind is None and declared.kind is not None else own
        if isinstance(value, Either):
            return self._either(value.values)
        if isinstance(value, Unknown):
            return self._wrapped(value.arguments, _Verdict(None, value.why))
        if isinstance(value, Coroutine):
            return _Verdict(None, f"`{value.function.node.name}` gives a coroutine")
        return _Verdict(None, "it is no application")

    def _either(self, values: Sequence[Value]) -> _Verdict:
        """Branches have to agree; `None` is only there until something else is."""
        verdicts = [self.of(each) for each in values if not isinstance(each, Nothing)]
        if len({verdict.kind for verdict in verdicts}) == 1:
            return verdicts[-1]
        return _Verdict(None, "what the application is depends on a branch")

    def _outside(self, value: Outside) -> _Verdict:
        path = value.path
        name = path.removesuffix("()")
        reason = lookup(UNDECIDED, path)
        if reason is not None:
            return _Verdict(None, reason)
        decides = lookup(OVERRIDES, path)
        if decides is not None:
            given = [value.arguments.keywords.get(each) for each in decides.split()]
            if any(given):
                return self._either([each for each in given if each is not None])
        kind = lookup(APPLICATIONS, path)
        if kind is not None:
            return _Verdict(kind, _reason(path), value.span)
        owner, _, attribute = path.rpartition(".")
        if attribute in ("wsgi_app", "asgi_app"):
            kind = lookup(APPLICATIONS, owner)
            if kind == attribute.removesuffix("_app"):
                return _Verdict(kind, _reason(path), value.span)
        if "(" not in path:
            return _Verdict(None, f"`{path}` is imported from outside of the project")
        unknown = _Verdict(None, f"what `{name}` makes can't be told")
        is_method = "." in path.partition("(")[2]
        return unknown if is_method else self._wrapped(value.arguments, unknown, name)

    def _instance(self, value: Instance) -> _Verdict:
        """An object is of the kind of its class's `__call__`, its base, or what it wraps."""
        name = value.of.node.name
        method = value.of.find("__call__")
        unknown = _Verdict(None, f"what a `{name}` is can't be told")
        if isinstance(method, Function):
            verdict = _by_signature(method, f"{name}.__call__", skip=1)
            takes_anything = verdict.kind is None and method.node.args.vararg is not None
            return self._wrapped(value.arguments, unknown) if takes_anything else verdict
        bases = value.of.foreign()
        for base in bases:
            verdict = self._outside(Outside(f"{base.path}()", value.span))
            if verdict.kind is not None:
                return _Verdict(verdict.kind, f"`{name}` is a `{base.path}`", value.span)
            if lookup(UNDECIDED, f"{base.path}()"):
                return verdict
        return self._wrapped(value.arguments, unknown, name) if bases else unknown

    def _wrapped(self, arguments: Arguments, unknown: _Verdict, wrapper: str = "") -> _Verdict:
        """What is made of an application by something that says nothing is of its kind.

        A wrapper that has ASGI or WSGI in its name may turn one into the other.
        """
        if re.search("[aw]sgi", wrapper.rpartition(".")[2], re.IGNORECASE):
            return unknown
        named = (arguments.keywords.get(each) for each in ("app", "application"))
        for value in (*arguments.positional[:1], *named):
            verdict = self.of(value) if value is not None else unknown
            if verdict.kind is not None:
                return verdict
        return unknown

    def _function(self, function: Function) -> _Verdict:
        """A function as the application itself."""
        for decorator in function.decorators:
            path = f"{decorator.path}()" if isinstance(decorator, Outside) else ""
            kind = lookup(APPLICATIONS, path)
            if kind is not None:
                return _Verdict(kind, _reason(path), function.span)
        if function.decorators:
            return _Verdict(None, f"`{function.node.name}` is decorated")
        return _by_signature(function, function.node.name, skip=0 if function.bound is None else 1)

    def _class(self, value: Class) -> _Verdict:
        """A class as the application: its objects are made with what a server passes."""
        method = value.find("__init__")
        if isinstance(method, Function):
            verdict = _by_signature(method, value.node.name, skip=1)
            if verdict.kind is not None:
                return verdict
        return _Verdict(None, f"`{value.node.name}` is a class")


def _reason(path: str) -> str:
    """How a path makes something an application."""
    name = path.removesuffix("()")
    if name == path:
        return f"it is `{path}`"
    is_class = name.rpartition(".")[2][:1].isupper()
    return f"it is a `{name}`" if is_class else f"`{name}` makes it"


_INTERFACES = {("environ", "start_response"): "wsgi", ("scope", "receive", "send"): "asgi"}
"""The names that everybody gives to an application's parameters."""


def _by_signature(function: Function, name: str, skip: int) -> _Verdict:
    """`async def app(scope, receive, send)` is ASGI, `def app(environ, start_response)` WSGI.

    Other names will do where the body does with them what only an application does.
    """
    node, span = function.node, function.span
    names = [each.arg for each in (*node.args.posonlyargs, *node.args.args)][skip:]
    required = len(names) - len(node.args.defaults)
    plain = tuple(each.strip("_") for each in names)
    for interface, kind in _INTERFACES.items():
        if plain[: len(interface)] == interface and required <= len(interface):
            listed = ", ".join(f"`{each}`" for each in interface)
            if kind == "asgi" or isinstance(node, ast.FunctionDef):
                return _Verdict(kind, f"`{name}` takes {listed}", span)
    is_coroutine = isinstance(node, ast.AsyncFunctionDef)
    if is_coroutine and required == len(names) == 3 and _calls(node, names[2], {1}):
        return _Verdict("asgi", f"`{name}` awaits what it is given to send with", span)
    if isinstance(node, ast.FunctionDef) and required == len(names) == 2:
        if _calls(node, names[1], {2, 3}):
            return _Verdict("wsgi", f"`{name}` starts a response and takes two", span)
        if _gives_bytes(node):
            return _Verdict("wsgi", f"`{name}` takes two parameters and gives bytes", span)
    return _Verdict(None, f"the parameters of `{name}` fit neither ASGI nor WSGI")


def _calls(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str, counts: set[int]) -> bool:
    """Whether a function calls a parameter with so many arguments."""
    return any(
        isinstance(each, ast.Call)
        and isinstance(each.func, ast.Name)
        and each.func.id == name
        and len(each.args) + len(each.keywords) in counts
        for each in ast.walk(node)
    )


def _gives_bytes(node: ast.FunctionDef) -> bool:
    """Whether a function returns a list of bytes or yields bytes."""
    for each in ast.walk(node):
        value = each.value if isinstance(each, ast.Return | ast.Yield) else None
        items = value.elts if isinstance(value, ast.List | ast.Tuple) else [value]
        if any(isinstance(item, ast.Constant) and isinstance(item.value, bytes) for item in items):
            return True
    return False


# dependencies


def frameworks(names: frozenset[str]) -> Frameworks:
    """The ASGI and WSGI frameworks among the names of packages."""
    return Frameworks(tuple(sorted(names & ASGI_PACKAGES)), tuple(sorted(names & WSGI_PACKAGES)))
