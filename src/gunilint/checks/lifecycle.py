"""Checks of reloading."""

from __future__ import annotations

from collections.abc import Iterator

from gunilint.checks import Hit, Parameters, assumptions
from gunilint.deployment import Deployment


def preload_with_reload(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """`preload_app` where something reloads gunicorn by SIGHUP."""
    preload = deployment.settings.get("preload_app")
    if preload is None or preload.known is not True or not deployment.reloads:
        return
    related = tuple(("reload", reload.span) for reload in deployment.reloads)
    yield Hit(deployment.place(preload), {}, related, assumes=assumptions(preload))


def python_config_with_reload(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """`-c python:module` where something reloads gunicorn by SIGHUP."""
    config = deployment.settings.get("config")
    if config is None or config.span is None or not deployment.reloads:
        return
    if isinstance(config.known, str) and config.known.startswith("python:"):
        related = tuple(("reload", reload.span) for reload in deployment.reloads)
        values = {"module": config.known.removeprefix("python:")}
        yield Hit(config.span, values, related, assumes=assumptions(config))


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
