"""The stop ladder: how long a request in flight may go on, and what ends it then.

Measured on gunicorn 27.0.1 and 23.0.0: tests/evidence/test_timeouts.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Literal

from msgspec import Struct

from gunilint.catalogue.workers import Worker
from gunilint.checks.signals import kill_signal
from gunilint.checks.systemd import gunicorn_unit, has_type, lost_signals, of_service, stop_timeout
from gunilint.deployment import Deployment
from gunilint.parse import systemd
from gunilint.parse.systemd import Unit
from gunilint.signals import sent
from gunilint.source import Span
from gunilint.values import Known, OneOf, Unknown

End = Literal["SIGKILL", "SIGABRT", "dropped"]
"""How a request ends that takes too long; "dropped": its worker leaves by itself."""

_DROPS_AT_ONCE = ("sync", "gevent", "asgi")
"""The workers that SIGINT and SIGQUIT end without waiting for a request."""
_BLOCKABLE = ("gevent", "asgi", "uvicorn")
"""The workers whose loop code can block, so that they stop answering."""
_NOT_MEASURED = "What this worker does with requests in flight isn't measured."


class Clock(Struct, frozen=True):
    """A limit in seconds: `math.inf` for none, None where it isn't known.

    `note` says where it comes from or why it isn't known. It runs from `start`, which is None
    where that isn't known. `counts` is False for one that changes nothing.
    """

    name: str
    seconds: float | None
    note: str = ""
    span: Span | None = None
    start: float | None = 0.0
    counts: bool = True


class Situation(Struct, frozen=True):
    """What may happen to gunicorn while it has a request in flight.

    `limit` is how many seconds the request may go on from then: `math.inf` without end, None where
    that isn't known. `end` is what happens then, and `by` who does it.
    """

    title: str
    clocks: tuple[Clock, ...]
    limit: float | None
    text: str
    end: End = "SIGKILL"
    by: str = "gunicorn"


_Measured = Callable[[str, Worker, Clock, Clock], Situation]
"""What is measured of a worker, from a situation's title, its `timeout` and its grace."""


def ladder(deployment: Deployment) -> tuple[Situation, ...]:
    """The situations that matter for a deployment; none for what isn't gunicorn's to decide."""
    launch = deployment.launch
    if launch is not None and launch.server != "gunicorn":
        return ()
    timeout = _clock(deployment, "timeout", zero=math.inf)
    grace = _clock(deployment, "graceful_timeout", zero=0.0)
    return tuple(_situations(deployment, timeout, grace))


def _situations(deployment: Deployment, timeout: Clock, grace: Clock) -> Iterator[Situation]:
    yield _running(deployment.worker, timeout)
    yield _stopped(deployment, grace)
    yield _replaced("Reload (SIGHUP)", deployment, timeout, grace, _reloaded)
    recycling = deployment.settings.get("max_requests")
    recycled = recycling is not None and isinstance(recycling.known, int) and recycling.known > 0
    takes_several = deployment.worker is None or not deployment.worker.times_requests
    if recycled and takes_several and not _ignores_recycling(deployment.worker):
        yield _replaced("Recycling (max_requests)", deployment, timeout, grace, _recycled)


def _ignores_recycling(worker: Worker | None) -> bool:
    return worker is not None and worker.ignores("max_requests")


def _clock(deployment: Deployment, name: str, zero: float) -> Clock:
    """A setting in seconds; `zero` is what 0 means."""
    setting = deployment.settings.get(name)
    if setting is None:
        return Clock(name, None, "unknown")
    value = setting.value
    note = "gunicorn's default" if setting.origin == "default" else ""
    config = deployment.settings.get("config")
    shared = config.assumes if config else ()
    assumes = [text for text in setting.assumes if text not in shared]
    if isinstance(value, Known) and isinstance(value.value, int):
        if assumes:
            note = f"assuming that {' and '.join(assumes)}"
        elif value.value == 0:
            note = "0: no limit" if zero else "0: no grace"
        return Clock(name, float(value.value) or zero, note, setting.span)
    if isinstance(value, OneOf):
        why = "it depends on a condition"
    else:
        why = value.reason if isinstance(value, Unknown) else "it is no number"
    return Clock(name, None, f"unknown: {why}", setting.span)


# running on


def _running(worker: Worker | None, timeout: Clock) -> Situation:
    """A request that takes long, and nobody stops anything."""
    title = "A request takes long"
    if worker is None:
        text = "What kind of worker runs isn't known, so neither is what `timeout` means for it."
        return Situation(title, (timeout,), None, text)
    if worker.times_requests:
        if timeout.seconds == math.inf:
            text = "`timeout` is off: a request that hangs occupies its worker for good."
        else:
            text = f"`timeout` is the limit of each request of a {worker.name} worker."
        return Situation(title, (timeout,), timeout.seconds, text, "SIGABRT")
    text = f"`timeout` isn't a limit for requests of a {worker.name} worker."
    if worker.name in _BLOCKABLE and timeout.seconds != math.inf:
        text += " It ends a worker whose loop is blocked, together with all its requests."
    return Situation(title, (_idle(timeout),), math.inf, text)


def _idle(clock: Clock) -> Clock:
    return Clock(clock.name, clock.seconds, clock.note, clock.span, counts=False)


# stopping


def _stopped(deployment: Deployment, grace: Clock) -> Situation:
    """SIGTERM, or what a unit has in its place."""
    unit = gunicorn_unit(deployment)
    if unit is None:
        return _terminated("Stop (SIGTERM)", None, grace)
    daemon = deployment.settings.get("daemon")
    if (daemon is None or daemon.known is not False) and not has_type(unit, "forking"):
        text = "gunicorn may go to the background, where systemd takes it for ended."
        return Situation(f"systemctl stop {unit.name}", (grace,), None, text)
    return _stopped_unit(unit, deployment.worker, grace, deployment)


def _stopped_unit(
    unit: Unit, worker: Worker | None, grace: Clock, deployment: Deployment
) -> Situation:
    title = f"systemctl stop {unit.name}"
    mode, signal = of_service(unit, "KillMode"), _stop_signal(unit)
    lost = [text for text, name, _ in lost_signals(deployment) if name == "TERM"]
    if mode is not None and mode.value.text == "none":
        text = "`KillMode=none`: systemd stops nothing, gunicorn goes on without it."
        return Situation(title, (), math.inf, text)
    if signal is None:
        text = "The unit's own `ExecStop=` decides what gunicorn is told."
        return Situation(title, (grace, _of_unit(unit)), None, text)
    if lost and not has_type(unit, "forking") and signal == "TERM":
        if lost[0].value.text == "mixed":
            text = (
                "SIGTERM ends the shell before gunicorn, and then systemd kills the rest at once."
            )
            return Situation(title, (_idle(grace),), 0.0, text, by="systemd")
        text = "SIGTERM ends the shell before gunicorn, which goes on without it."
        return Situation(title, (_idle(grace),), math.inf, text)
    if signal == "TERM":
        return _terminated(title, unit, grace)
    return _quickly_stopped(title, unit, signal, worker, grace)


def _quickly_stopped(
    title: str, unit: Unit, signal: str, worker: Worker | None, grace: Clock
) -> Situation:
    """A signal that isn't SIGTERM."""
    patience = _of_unit(unit)
    if signal == "HUP":
        text = "SIGHUP makes gunicorn reload, so it is systemd that ends it."
        return Situation(title, (_idle(grace), patience), patience.seconds, text, by="systemd")
    if signal == "KILL":
        text = "SIGKILL: no request is waited for."
        return Situation(title, (_idle(grace),), 0.0, text, by="systemd")
    if signal in ("INT", "QUIT") and worker is not None and worker.name in _DROPS_AT_ONCE:
        text = f"SIG{signal} is gunicorn's quick stop: no request is waited for."
        return Situation(title, (_idle(grace), patience), 0.0, text, "dropped")
    text = f"SIG{signal} isn't gunicorn's graceful stop. {_NOT_MEASURED}"
    return Situation(title, (grace, patience), None, text)


def _terminated(title: str, unit: Unit | None, grace: Clock) -> Situation:
    """SIGTERM reaches gunicorn."""
    if unit is None:
        patience = Clock("its supervisor", None, "unknown: nothing here says how long it waits")
        text = (
            "gunicorn waits for requests, then kills its workers, if nothing else does so before."
        )
        return Situation(title, (grace, patience), grace.seconds, text)
    patience = _of_unit(unit)
    clocks = (grace, patience)
    if grace.seconds is None or patience.seconds is None:
        text = "The shorter of the two ends what is still running."
        return Situation(title, clocks, None, text, by="")
    if patience.seconds <= grace.seconds:
        text = "systemd is the more impatient: it kills what gunicorn still waits for."
        return Situation(title, clocks, patience.seconds, text, by="systemd")
    text = "gunicorn waits for requests, then kills its workers, before systemd has to."
    return Situation(title, clocks, grace.seconds, text)


def _of_unit(unit: Unit) -> Clock:
    directive, seconds = stop_timeout(unit)
    if directive is None:
        return Clock("TimeoutStopSec", seconds, "systemd's default")
    if directive.key == "SendSIGKILL":
        return Clock("TimeoutStopSec", seconds, "SendSIGKILL=no", directive.span)
    note = f"{directive.value.text}: no limit" if math.isinf(seconds) else ""
    return Clock(directive.key, seconds, note, directive.span)


def _stop_signal(unit: Unit) -> str | None:
    """The first signal that stops a unit; None where a command of its own decides."""
    for directive in unit.all("Service", "ExecStop"):
        found = sent([word.text for word in systemd.words(directive.value)])
        if found is None:
            return None
        if found[0] != "TERM" and found[1]:
            return found[0]
    return kill_signal(unit)[1]


# reloading and recycling


def _replaced(
    title: str, deployment: Deployment, timeout: Clock, grace: Clock, measured: _Measured
) -> Situation:
    """Old workers make room for new ones; since gunicorn 24, as `measured` tells of the worker."""
    worker = deployment.worker
    if worker is None:
        return _not_known(title, worker, timeout, grace)
    if not deployment.catalogue.at_least("24.0.0"):
        return _left_to_timeout(title, deployment, worker, timeout, grace)
    if worker.leaves_after_grace is None:
        return _not_known(title, worker, timeout, grace)
    return measured(title, worker, timeout, grace)


def _reloaded(title: str, worker: Worker, timeout: Clock, grace: Clock) -> Situation:
    """SIGHUP: the old workers finish what they have while new ones serve."""
    if worker.leaves_after_grace:
        return _leaving(title, worker, timeout, grace)
    if worker.beats_while_draining:
        return _beating(title, worker, timeout, grace)
    limit = _latest(timeout.seconds, grace.seconds)
    text = "gunicorn waits for old workers, and only after the grace looks at `timeout` again."
    return Situation(title, (timeout, grace), limit, text, "SIGABRT")


def _recycled(title: str, worker: Worker, timeout: Clock, grace: Clock) -> Situation:
    """`max_requests` is reached: a worker finishes what it has, under `timeout` all the while."""
    if not worker.beats_while_draining:
        if worker.leaves_after_grace and _is_first(grace.seconds, timeout.seconds):
            return _leaving(title, worker, timeout, grace)
        limit = timeout.seconds
        if worker.leaves_after_grace and (grace.seconds is None or limit is None):
            limit = None
        text = f"A {worker.name} worker sends no heartbeat meanwhile, so `timeout` ends it."
        if limit == math.inf:
            text = "`timeout` is off, so the worker takes the time that it needs."
        clocks = (timeout, grace if worker.leaves_after_grace else _idle(grace))
        return Situation(title, clocks, limit, text, "SIGABRT")
    if worker.leaves_after_grace:
        return _leaving(title, worker, timeout, grace)
    return _beating(title, worker, timeout, grace)


def _left_to_timeout(
    title: str, deployment: Deployment, worker: Worker, timeout: Clock, grace: Clock
) -> Situation:
    """Up to gunicorn 23 nothing but `timeout` counts."""
    if worker.leaves_after_grace is not False:
        return _not_known(title, worker, timeout, grace)
    version = deployment.catalogue.version
    text = (
        f"gunicorn {version} leaves old workers to `timeout` at once: the grace counts for nothing."
    )
    return Situation(title, (timeout, _idle(grace)), timeout.seconds, text, "SIGABRT")


def _leaving(title: str, worker: Worker, timeout: Clock, grace: Clock) -> Situation:
    """The worker ends by itself when the grace is over."""
    text = f"A {worker.name} worker leaves by itself when the grace is over."
    return Situation(title, (_idle(timeout), grace), grace.seconds, text, "dropped", worker.name)


def _beating(title: str, worker: Worker, timeout: Clock, grace: Clock) -> Situation:
    """The worker sends heartbeats during the grace, so that `timeout` counts from its end on."""
    known = grace.seconds is not None and timeout.seconds is not None
    limit = grace.seconds + timeout.seconds if known else None  # type: ignore[operator]
    after = Clock(timeout.name, timeout.seconds, timeout.note, timeout.span, grace.seconds)
    text = f"A {worker.name} worker sends heartbeats during its grace; after it, `timeout` ends it."
    return Situation(title, (grace, after), limit, text, "SIGABRT")


def _not_known(title: str, worker: Worker | None, timeout: Clock, grace: Clock) -> Situation:
    text = _NOT_MEASURED if worker else "What kind of worker runs isn't known."
    return Situation(title, (timeout, grace), None, text)


def _latest(*limits: float | None) -> float | None:
    """The last of some limits; unknown where one is, unless another has no end."""
    known = [limit for limit in limits if limit is not None]
    if math.inf in known:
        return math.inf
    return max(known) if len(known) == len(limits) else None


def _is_first(limit: float | None, other: float | None) -> bool:
    return limit is not None and other is not None and limit <= other
