"""Checks of the worker class against the application."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from gunilint.application import split_spec
from gunilint.catalogue import every_alias, within
from gunilint.catalogue.workers import known_classes
from gunilint.checks import Hit, Parameters, assumptions, written
from gunilint.command import Label
from gunilint.deployment import Deployment
from gunilint.values import Function


def asgi_app_on_wsgi_worker(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """An ASGI application that a WSGI worker would call.

    Variant "dependencies": the application isn't in the tree, the project depends on an ASGI
    framework and on no WSGI one. Variant "unseen": nothing is known of the application.
    """
    app, worker = deployment.app, deployment.worker
    if app is None or worker is None or worker.serves != "wsgi":
        return
    setting = deployment.settings["worker_class"]
    values = {"app": app.spec, "why": app.why, "worker": worker.name}
    if app.kind == "asgi":
        related = (Label(app.span, app.why),) if app.span else ()
        place = deployment.place(setting)
        yield Hit(place, values, related, assumes=assumptions(setting))
    elif not app.found and setting.span is None:
        frameworks = deployment.frameworks
        if frameworks.asgi and not frameworks.wsgi:
            values = {**values, "framework": frameworks.asgi[0]}
            yield Hit(deployment.entry, values, variant="dependencies")
        elif not frameworks.asgi and not frameworks.wsgi and not _is_named_wsgi(app.spec):
            yield Hit(deployment.entry, values, variant="unseen")


def _is_named_wsgi(spec: str) -> bool:
    """Whether the module's name says what it is, as Django's `project.wsgi` does."""
    return split_spec(spec).module.rpartition(".")[2] == "wsgi"


def wsgi_app_on_asgi_worker(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A WSGI application that an ASGI worker would call."""
    app, worker = deployment.app, deployment.worker
    if app is None or worker is None or worker.serves != "asgi" or app.kind != "wsgi":
        return
    setting = deployment.settings["worker_class"]
    values = {"app": app.spec, "why": app.why, "worker": worker.name}
    related = (Label(app.span, app.why),) if app.span else ()
    yield Hit(deployment.place(setting), values, related, assumes=assumptions(setting))


def removed_worker_class(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A worker class that the targeted gunicorn no longer has; variant "deprecated": soon."""
    setting = deployment.settings.get("worker_class")
    value = setting.known if setting else None
    if setting is None or not isinstance(value, str):
        return
    version = deployment.target.version
    values: dict[str, object] = {"worker": value, "version": version}
    for alias, lifetime in every_alias().items():
        if value not in (alias, lifetime.path) or lifetime.until is None:
            continue
        values |= {"until": lifetime.until, "alias": alias}
        place, assumes = deployment.place(setting), assumptions(setting)
        if not within(version, None, lifetime.until):
            yield Hit(place, values, assumes=assumes)
        elif within(version, parameters["deprecated"].get(alias, "999"), None):
            yield Hit(place, values, variant="deprecated", assumes=assumes)


def unknown_worker_class(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A worker class that gunicorn can't load; the variant "newer" is one of a later gunicorn."""
    setting = deployment.settings.get("worker_class")
    value = setting.known if setting else None
    if setting is None or not isinstance(value, str) or deployment.worker is not None:
        return
    aliases = every_alias()
    name = value.lstrip("#")
    place, assumes = deployment.place(setting), assumptions(setting)
    values: dict[str, object] = {"worker": value, "version": deployment.target.version}
    if name in aliases:
        since = aliases[name].since
        if since is not None and not within(deployment.target.version, since, None):
            yield Hit(place, {**values, "since": since}, variant="newer", assumes=assumes)
        return
    paths = {*known_classes(), *(lifetime.path for lifetime in aliases.values())}
    top = name.partition(".")[0]
    if name.startswith("egg:") or name in paths:
        return
    if "." in name and top not in parameters["packages"]:
        return
    close = get_close_matches(name, [*aliases, *paths], 1, 0.7)
    last = [path for path in sorted(paths) if path.rpartition(".")[2] == name]
    meant = last[-1] if last else close[0] if close else None
    variant = "meant" if meant else None
    yield Hit(place, {**values, "meant": meant}, variant=variant, assumes=assumes)


def single_worker(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A unit's gunicorn with one worker that nobody decided on."""
    launch, workers = deployment.launch, deployment.settings.get("workers")
    if launch is None or launch.unit is None or workers is None or deployment.development:
        return
    if workers.known != 1 or workers.origin != "default":
        return
    if deployment.settings["threads"].origin == "default":
        yield Hit(deployment.entry, {"unit": launch.unit.name}, assumes=assumptions(workers))


def no_workers(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """No worker at all: the server listens and nobody answers."""
    workers = deployment.settings.get("workers")
    if workers is not None and type(workers.known) is int and workers.known == 0:
        yield Hit(deployment.place(workers), {}, assumes=assumptions(workers))


def gevent_with_preload(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A gevent worker, and the application imported before the standard library is patched."""
    preload = deployment.settings.get("preload_app")
    if preload is None or preload.known is not True or deployment.worker is None:
        return
    if not deployment.worker.name.startswith("gevent"):
        return
    sources = [deployment.config.source if deployment.config else None]
    sources.append(deployment.app.module if deployment.app else None)
    if any(source is not None and "patch_all(" in source.text for source in sources):
        return
    worker = deployment.settings["worker_class"]
    related = written(("worker", worker))
    yield Hit(deployment.place(preload), {}, related, assumes=assumptions(preload, worker))


def hook_is_coroutine(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A hook that is an `async def`: calling it makes a coroutine that nobody awaits."""
    for name, setting in deployment.settings.items():
        hook = setting.known
        if isinstance(hook, Function) and hook.is_async and setting.span is not None:
            yield Hit(setting.span, {"hook": name})
