"""Checks of systemd units."""

from __future__ import annotations

import math
from collections.abc import Iterator

from gunilint.checks import Hit, Parameters, assumptions, written
from gunilint.deployment import Deployment, Project
from gunilint.parse.systemd import dependencies, timespan

_DEFAULT_STOP_TIMEOUT = 90.0
"""`DefaultTimeoutStopSec=` of systemd as it is shipped, in seconds."""

_REQUIREMENTS = ("Requires", "Wants", "BindsTo")
_ORDERED_BY_DEFAULT = frozenset({"basic.target", "sysinit.target", "shutdown.target"})
_ORDERABLE = (".service", ".target")


def stop_timeout_too_short(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """The unit is killed before, or just when, `graceful_timeout` is over."""
    launch = deployment.launch
    graceful = deployment.settings.get("graceful_timeout")
    if launch is None or launch.unit is None or graceful is None:
        return
    longest = graceful.known
    if not isinstance(longest, int):
        return
    directive = launch.unit.last("Service", "TimeoutStopSec") or launch.unit.last(
        "Service", "TimeoutSec"
    )
    seconds = timespan(directive.value.text) if directive else None
    if directive is None or seconds is None:
        seconds = _DEFAULT_STOP_TIMEOUT
    if seconds == 0 or math.isinf(seconds) or seconds > longest:
        return
    values = {
        "stop": f"{seconds:g}",
        "graceful_timeout": longest,
        "enough": longest + 10,
    }
    assumes = assumptions(graceful)
    if directive is None:
        yield Hit(deployment.place(graceful), values, variant="default", assumes=assumes)
        return
    related = written(("graceful_timeout", graceful)) or (("launch", launch.word.span),)
    yield Hit(directive.span, values, related, assumes=assumes)


def notify_from_wrong_process(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """`Type=notify`, and what sends READY=1 isn't the unit's main process, or nothing does."""
    launch = deployment.launch
    if launch is None or launch.unit is None:
        return
    kind = launch.unit.last("Service", "Type")
    if kind is None or kind.value.text != "notify":
        return
    access = launch.unit.last("Service", "NotifyAccess")
    started = ("launch", launch.word.span)
    daemon = deployment.settings.get("daemon")
    values = {"unit": launch.unit.name, "version": deployment.catalogue.version}
    if launch.server == "uvicorn":
        yield Hit(kind.span, values, (started,), "uvicorn")
    elif not deployment.catalogue.at_least("20.0.0"):
        yield Hit(kind.span, values, (started,), "old")
    elif daemon is not None and daemon.known is True:
        related = (*written(("daemon", daemon)), started)
        yield Hit(kind.span, values, related, "daemon", assumptions(daemon))
    elif launch.command.forks:
        forks = launch.command.forks
        values = {**values, "reason": forks[0].text}
        everyone = access is not None and access.value.text == "all"
        elsewhere = all(fork.span != launch.word.span for fork in forks)
        variant = "everyone" if everyone else None
        yield Hit(kind.span, values, (*forks, *([started] if elsewhere else [])), variant)


def requirement_not_ordered(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A unit that is required but neither before nor after this one, so both start at once."""
    launch = deployment.launch
    if launch is None or launch.unit is None:
        return
    unit = launch.unit
    ordered = {name for key in ("After", "Before") for name, _ in dependencies(unit, key)}
    reported = set(ordered | _ORDERED_BY_DEFAULT)
    for key in _REQUIREMENTS:
        for directive in unit.all("Unit", key):
            for name, span in dependencies(unit, key):
                within = span.source is directive.span.source and (
                    directive.span.start <= span.start < directive.span.end
                )
                if within and name not in reported and name.endswith(_ORDERABLE):
                    reported.add(name)
                    yield Hit(directive.span, {"key": key, "name": name, "unit": unit.name})


def reload_unavailable(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """A script reloads a unit that has no `ExecReload=`."""
    for reload in project.reloads:
        unit = next((unit for unit in project.units if reload.names(unit)), None)
        if unit is None or unit.all("Service", "ExecReload"):
            continue
        start = unit.last("Service", "ExecStart")
        kind = unit.last("Service", "Type")
        if start is None or (kind is not None and kind.value.text == "notify-reload"):
            continue
        yield Hit(reload.span, {"unit": unit.name}, (("unit", start.span),))
