"""Checks of preloading, reloading and recycling."""

from __future__ import annotations

from collections.abc import Iterator

from gunilint.application import is_async
from gunilint.checks import Hit, Parameters, assumptions
from gunilint.deployment import Deployment
from gunilint.source import Span


def preload_with_async_resource(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """`preload_app` with an async engine, pool, client or loop made at import.

    Merely made, it survives the fork; used before it (variant "used"), it doesn't. Variant
    "unseen": the application isn't in the tree, and the worker serves ASGI.
    """
    preload = deployment.settings.get("preload_app")
    app, worker = deployment.app, deployment.worker
    if preload is None or preload.known is not True or app is None:
        return
    place, assumes = deployment.place(preload), assumptions(preload)
    values = {"app": app.spec}
    if not app.found:
        if worker is not None and worker.serves == "asgi":
            yield Hit(place, values, variant="unseen", assumes=assumes)
        return
    resources = [resource for resource in app.resources if is_async(resource)]
    if not resources:
        return
    used = next((resource for resource in resources if resource.uses), None)
    resource = used or resources[0]
    uses = used.uses if used else app.loops
    made = resource.constructor.rpartition(".")[2]
    values = {**values, "resource": resource.name or made, "constructor": made}
    related: tuple[tuple[str, Span], ...] = (("made", resource.span),)
    if uses:
        values = {**values, "use": uses[0].what}
        related = (*related, ("used", uses[0].span))
    yield Hit(place, values, related, "used" if uses else None, assumes)


def preload_with_reload(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """`preload_app` where something reloads gunicorn by SIGHUP."""
    preload = deployment.settings.get("preload_app")
    if preload is None or preload.known is not True or not deployment.reloads:
        return
    related = tuple(("reload", reload.span) for reload in deployment.reloads)
    yield Hit(deployment.place(preload), {}, related, assumes=assumptions(preload))


def reload_outside_development(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """`reload` in a deployment that isn't for development.

    Variant "uvicorn": its workers log that they reload and keep the old code. Variant
    "preload": workers restart with the code that the master has loaded.
    """
    reload = deployment.settings.get("reload")
    if reload is None or reload.known is not True or deployment.development:
        return
    preload = deployment.settings["preload_app"]
    variant = None
    if deployment.worker is not None and deployment.worker.name == "uvicorn":
        variant = "uvicorn"
    elif preload.known is True:
        variant = "preload"
    yield Hit(deployment.place(reload), {}, variant=variant, assumes=assumptions(reload))
