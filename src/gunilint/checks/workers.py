"""Checks of the worker class against the application."""

from __future__ import annotations

from collections.abc import Iterator

from gunilint.application import split_spec
from gunilint.checks import Hit, Parameters, assumptions
from gunilint.command import Label
from gunilint.deployment import Deployment


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
