"""Checks of `timeout` and `graceful_timeout`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gunilint.checks import Hit, Parameters, assumptions, written
from gunilint.checks.settings import setting_is
from gunilint.deployment import Deployment
from gunilint.import_time import Resource
from gunilint.regex import regex

_STATEMENT = regex(r"(?:^|\s)(?:-c\s*|--)statement_timeout=(\d{1,9})(ms|s|min)?(?:\s|$)")
"""PostgreSQL's limit among the options of a connection."""
_UNITS = {"": 0.001, "ms": 0.001, "s": 1, "min": 60}


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


def timeout_too_short(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """`timeout` of sync workers, as `setting-is` has it, or below what a statement may take.

    Variant "statement" is the latter: a connection of the application allows it so much itself.
    """
    short = list(setting_is(deployment, parameters))
    yield from short
    timeout, worker, app = deployment.settings.get("timeout"), deployment.worker, deployment.app
    if short or timeout is None or worker is None or app is None or deployment.development:
        return
    seconds = timeout.known
    if not worker.times_requests or not isinstance(seconds, int) or seconds == 0:
        return
    for resource in app.resources:
        allowed = _statement_timeout(resource)
        if allowed is not None and allowed > seconds:
            values = {"value": seconds, "allowed": f"{allowed:g}", "setting": "timeout"}
            related = (("statement", resource.span),)
            yield Hit(deployment.place(timeout), values, related, "statement", assumptions(timeout))
            return


def _statement_timeout(resource: Resource) -> float | None:
    """The seconds that a connection gives a statement: PostgreSQL's option, or MySQL's reading."""
    arguments: Mapping[int | str, object] = resource.arguments
    inner = arguments.get("connect_args")
    if isinstance(inner, dict):
        arguments = inner
    elif resource.kind != "conn":
        return None
    options, reading = arguments.get("options"), arguments.get("read_timeout")
    found = _STATEMENT.search(options) if isinstance(options, str) else None
    if found is not None:
        return int(found[1]) * _UNITS[found[2] or ""]
    return float(reading) if isinstance(reading, int) else None
