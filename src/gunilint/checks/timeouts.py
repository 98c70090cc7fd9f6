"""Checks of `timeout` and `graceful_timeout`."""

from __future__ import annotations

from collections.abc import Iterator

from gunilint.checks import Hit, Parameters, assumptions, written
from gunilint.deployment import Deployment


def timeout_below_graceful_timeout(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """0 < `timeout` < `graceful_timeout`; the variant says what that breaks with this worker.

    Up to gunicorn 23 SIGHUP leaves the old workers to `timeout` at once. Since 24 it waits for
    them, and only workers that send no heartbeats while they drain are still killed, when
    `max_requests` or SIGTTOU makes them leave.
    """
    timeout = deployment.settings.get("timeout")
    graceful = deployment.settings.get("graceful_timeout")
    if timeout is None or graceful is None:
        return
    short, long = timeout.known, graceful.known
    if not isinstance(short, int) or not isinstance(long, int) or not 0 < short < long:
        return
    if not deployment.catalogue.at_least("24.0.0"):
        variant = "hup"
    elif deployment.worker is None:
        variant = None
    elif deployment.worker.beats_while_draining:
        variant = "draining"
    else:
        variant = "recycled" if deployment.worker.serves == "asgi" else "sync"
    anchor, other = (timeout, ("graceful_timeout", graceful))
    if timeout.span is None and graceful.span is not None:
        anchor, other = graceful, ("timeout", timeout)
    worker = deployment.worker.name if deployment.worker else "unknown"
    values = {
        "timeout": short,
        "graceful_timeout": long,
        "worker": worker,
        "version": deployment.catalogue.version,
    }
    assumes = assumptions(timeout, graceful)
    yield Hit(deployment.place(anchor), values, written(other), variant, assumes)
