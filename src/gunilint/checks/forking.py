"""Checks of what an application makes and uses at import: before a fork, or in every worker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gunilint.application import is_async
from gunilint.checks import Hit, Parameters, assumptions, written
from gunilint.deployment import Deployment
from gunilint.import_time import Resource
from gunilint.source import Span
from gunilint.values import Known, Symbolic, Value, possibilities

_SQL = ("conn", "pool")
_FORKED = {
    "conn": None,
    "pool": None,
    "processes": "process",
    "process": "process",
    "threads": "thread",
    "executor": "executor",
    "thread": "thread",
    "consumer": "thread",
    "scheduler": "scheduler",
}
"""The kinds that a fork breaks once they are live, with the rule's variant for each."""

_DRIVERS = frozenset({"asyncpg", "aiomysql", "asyncmy", "psycopg"})
"""Packages with which SQLAlchemy's async engines reach a server."""


def preload_with_async_resource(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """An async engine, pool, client or loop that workers inherit.

    Merely made at import, it survives the fork; used before it (variant "used", or "hook" where
    one of gunicorn's hooks uses it, with or without `preload_app`), it doesn't. Variant "unseen":
    the application isn't in the tree, and the worker serves ASGI. What fails without a fork too is
    `loop_bound_at_import`'s.
    """
    preload = deployment.settings.get("preload_app")
    app, worker = deployment.app, deployment.worker
    if preload is None or app is None:
        return
    is_preloaded = preload.known is True
    place, assumes = deployment.place(preload), assumptions(preload)
    values: dict[str, object] = {"app": app.spec}
    if not app.found:
        if is_preloaded and worker is not None and worker.serves == "asgi":
            yield Hit(place, values, variant="unseen", assumes=assumes)
        return
    bound = {resource.span.key for resource in _loop_bound(deployment)}
    resources = [
        resource
        for resource in _inherited(deployment)
        if is_async(resource)
        and resource.span.key not in bound
        # a loop that only ran what is bound to it is part of that problem
        and not (_is_loop(resource) and (bound or not resource.kept))
    ]
    used = next((resource for resource in resources if resource.uses and resource.kept), None)
    if used is not None:
        yield _forked_hit(used, place, values, is_preloaded, "used", assumes)
    elif resources and is_preloaded:
        resource, loops = resources[0], deployment.forked.loops
        values = {**values, **_named(resource)}
        related: tuple[tuple[str, Span], ...] = (("made", resource.span),)
        if loops:
            assumes = (*assumes, f"what {loops[0].what} runs uses it")
            values, related = {**values, "use": loops[0].what}, (*related, ("used", loops[0].span))
        yield Hit(place, values, related, "used" if loops else None, assumes)


def preload_with_forked_state(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A connection that is open, or a thread or process that runs, by the time the master forks.

    One hit for each kind of consequence.

    Variants: "process", "thread", "executor", "scheduler", "sqlite", "engine" where it isn't known
    what the connection leads to, and "hook" where one of gunicorn's hooks opens it, with or without
    `preload_app`. A single worker shares its connection with nobody.
    """
    preload, workers = deployment.settings.get("preload_app"), deployment.settings.get("workers")
    if preload is None or workers is None:
        return
    is_preloaded = preload.known is True
    live = [
        resource
        for resource in _inherited(deployment)
        if resource.kind in _FORKED
        and resource.uses
        and (resource.kept or resource.kind not in _SQL)
    ]
    if workers.known == 1:
        live = [each for each in live if each.kind not in _SQL]
    # a thread that a hook starts is meant for the master alone
    live = [each for each in live if each.kind in _SQL or (is_preloaded and not each.uses[0].hook)]
    place, assumes = deployment.place(preload), assumptions(preload)
    for variant in dict.fromkeys(_FORKED.values()):
        first = next((each for each in live if _FORKED[each.kind] == variant), None)
        if first is not None:
            case = _connection(first) if variant is None else variant
            yield _forked_hit(first, place, {}, is_preloaded, case, assumes)


def _connection(resource: Resource) -> str | None:
    """The variant for an open connection, by what is known of its other end."""
    if _is_sqlite(resource):
        return "sqlite"
    is_known = resource.kind == "conn" or isinstance(resource.arguments.get(0), str)
    return None if is_known else "engine"


def _inherited(deployment: Deployment) -> list[Resource]:
    """What the workers' application has from the master."""
    own = {resource.span.key for resource in deployment.app.resources} if deployment.app else ()
    return [resource for resource in deployment.forked.resources if resource.span.key in own]


def _forked_hit(
    resource: Resource,
    place: Span,
    values: Mapping[str, object],
    is_preloaded: bool,
    variant: str | None,
    assumes: tuple[str, ...],
) -> Hit:
    """A hit at `preload_app`, or at what a hook or the config file does whether it is on or not."""
    use = next((use for use in resource.uses if not use.hook), resource.uses[0])
    related = [("made", resource.span)]
    if not is_preloaded or use.hook:
        place, variant, assumes = use.span, "hook", ()
    elif _covers(use.span, resource.span):
        related = [("used", use.span)]
    else:
        related.append(("used", use.span))
    values = {**values, **_named(resource), "use": use.what, "hook": use.hook or "the config file"}
    condition = (use.condition,) if use.condition else ()
    shown = tuple(each for each in related if each[1] != place)
    return Hit(place, values, shown, variant, (*assumes, *condition))


def _covers(outer: Span, inner: Span) -> bool:
    return outer.source is inner.source and outer.start <= inner.start and inner.end <= outer.end


def _named(resource: Resource) -> dict[str, object]:
    made = resource.constructor.rpartition(".")[2]
    return {"resource": resource.name or made, "constructor": made}


def _is_loop(resource: Resource) -> bool:
    return resource.constructor.endswith("_event_loop")


def _is_sqlite(resource: Resource) -> bool:
    address = resource.arguments.get(0)
    is_module = resource.constructor.startswith(("sqlite3.", "aiosqlite."))
    return is_module or (isinstance(address, str) and address.startswith("sqlite"))


def loop_bound_at_import(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """Something async that an event loop of its own opens at import, on a worker that has another.

    Variant "unsure": what it connects to, and so whether it is bound to a loop, isn't known.
    """
    for resource in _loop_bound(deployment)[:1]:
        use = next(use for use in resource.uses if use.loop)
        address = resource.arguments.get(0)
        is_engine = resource.constructor.endswith("_engine")
        variant = "unsure" if is_engine and not isinstance(address, str) else None
        assumes = (use.condition,) if use.condition else ()
        yield Hit(
            use.span,
            {**_named(resource), "use": use.what},
            (("made", resource.span),),
            variant,
            assumes,
        )


def _loop_bound(deployment: Deployment) -> list[Resource]:
    """What the import opens in a loop that has ended when an ASGI worker runs its own.

    SQLite has no connection that a loop watches, and httpx keeps none that matters.
    """
    app, worker = deployment.app, deployment.worker
    if app is None or worker is None or worker.serves != "asgi":
        return []
    names = deployment.dependencies.names
    is_sqlite = "aiosqlite" in names and names.isdisjoint(_DRIVERS)
    return [
        resource
        for resource in app.resources
        if is_async(resource)
        and resource.kept
        and any(use.loop for use in resource.uses)
        and not _is_sqlite(resource)
        and not resource.constructor.startswith("httpx.")
        and not _is_loop(resource)
        and not (is_sqlite and resource.constructor.endswith("_engine"))
    ]


def scheduler_in_every_worker(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A scheduler that the import starts, in each of several workers; variant "consumer": MQTT."""
    preload, workers = deployment.settings.get("preload_app"), deployment.settings.get("workers")
    if preload is None or preload.known is not False or workers is None or deployment.app is None:
        return
    if deployment.development or not _is_several(workers.value):
        return
    for resource in deployment.app.resources:
        if resource.kind not in ("scheduler", "consumer"):
            continue
        # a start behind a condition may be the author's own way to let one worker do it
        start = next((use for use in resource.uses if not (use.condition or use.guarded)), None)
        if start is None:
            continue
        values = {**_named(resource), "use": start.what, "workers": _count(workers.value)}
        related = written(("workers", workers))
        variant = "consumer" if resource.kind == "consumer" else None
        yield Hit(start.span, values, related, variant, assumptions(preload, workers))


def _is_several(value: Value) -> bool:
    """Whether a number of workers is above one, on a machine with a single CPU too."""
    for option in possibilities(value):
        single = option.value
        if not isinstance(single, Known | Symbolic):
            return False
        number = single.value if isinstance(single, Known) else single.at(1)
        if not isinstance(number, int) or number < 2:
            return False
    return True


def _count(value: Value) -> str:
    if isinstance(value, Known):
        return str(value.value)
    return value.text if isinstance(value, Symbolic) else "several"
