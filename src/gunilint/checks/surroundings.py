"""Checks of gunicorn against the container that it runs in and the proxy before it."""

from __future__ import annotations

from collections.abc import Iterator

from gunilint.checks import Hit, Parameters, assumptions
from gunilint.checks.exposure import addresses
from gunilint.deployment import Deployment, Project
from gunilint.regex import regex
from gunilint.surroundings import Container, containers, runs_config, runs_script, upstreams
from gunilint.values import Symbolic

_DEVELOPMENT = regex(r"(^|[^a-z])(dev|devel|development|local|tests?|ci|examples?)([^a-z]|$)")
_MANY = 64
"""The CPUs of a large host."""


def cpu_count_in_container(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """Workers by the number of CPUs, in a container, for which those of the host are counted.

    `overrides` are texts with which a container file decides the number itself.
    """
    deployments = [each for each in project.deployments if _grows_with_cpus(each)]
    if not deployments:
        return
    found = list(containers(project.tree))
    texts = {each.source.path: each.source.text for each in found}
    if any(override in text for text in texts.values() for override in parameters["overrides"]):
        return
    for deployment in deployments:
        workers = deployment.settings["workers"]
        assert isinstance(workers.value, Symbolic)
        container = next((each for each in found if _runs(each, deployment)), None)
        if container is not None:
            values = {"formula": workers.value.text, "many": workers.value.at(_MANY)}
            yield Hit(deployment.place(workers), values, (("container", container.span),))


def _grows_with_cpus(deployment: Deployment) -> bool:
    """Whether the workers are one for each CPU or more, whatever their number."""
    workers = deployment.settings.get("workers")
    if workers is None or not isinstance(workers.value, Symbolic) or workers.value.assumes:
        return False
    number = workers.value.at(_MANY)
    return not deployment.development and isinstance(number, int) and number >= _MANY


def _runs(container: Container, deployment: Deployment) -> bool:
    """Whether it is this deployment that a container runs, and not one for development."""
    if _DEVELOPMENT.search(container.source.path.lower()):
        return False
    launch, config = deployment.launch, deployment.config
    decides = config is not None and deployment.settings["workers"].origin == "config file"
    if config is not None and decides and runs_config(container, config.source.path):
        return True
    if launch is None or launch.unit is not None:
        return False
    return runs_script(container, launch.chain[0].span.source.path)


def keepalive_below_proxy(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """Gunicorn closes idle connections that nginx still keeps."""
    deployments = [each for each in project.deployments if _keeps_connections(each)]
    if not deployments:
        return
    found = [*upstreams(project.tree)]
    for deployment in deployments:
        keepalive, bind = deployment.settings["keepalive"], deployment.settings.get("bind")
        own = {_address(address) for address in addresses(bind)}
        for upstream in found:
            shared = own & {_address(server) for server in upstream.servers}
            seconds = keepalive.known
            if bind is None or not shared or not isinstance(seconds, int):
                continue
            if 0 < seconds <= upstream.idle:
                values = {"keepalive": seconds, "idle": upstream.idle, "enough": upstream.idle + 5}
                place, assumes = deployment.place(keepalive), assumptions(keepalive, bind)
                yield Hit(place, values, (("proxy", upstream.span),), assumes=assumes)


def _keeps_connections(deployment: Deployment) -> bool:
    worker = deployment.worker
    return worker is not None and worker.effect("keepalive") == "honoured"


def _address(text: str) -> str:
    """An address as nginx and gunicorn agree on it: a socket's path, or the port."""
    if text.startswith("unix:"):
        return "unix:/" + text.removeprefix("unix:").lstrip("/")
    return text.rpartition(":")[2]
