"""Checks of systemd units."""

from __future__ import annotations

import math
from collections.abc import Iterator

from gunilint.checks import Hit, Parameters, assumptions, written
from gunilint.checks.settings import matched
from gunilint.deployment import Deployment, Project
from gunilint.parse.systemd import Unit, dependencies, timespan
from gunilint.source import Span

_DEFAULT_STOP_TIMEOUT = 90.0
"""`DefaultTimeoutStopSec=` of systemd as it is shipped, in seconds."""

_REQUIREMENTS = ("Requires", "Wants", "BindsTo")
_ORDERED_BY_DEFAULT = frozenset({"basic.target", "sysinit.target", "shutdown.target"})
_ORDERABLE = (".service", ".target")


def directive_is(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A directive of the unit that starts gunicorn has a value that doesn't fit.

    `section` (default Service) and `directive` name it. Its value is one of `values`, in any case,
    or with `lasting` a time span above zero, or with `not` none of these. `given` maps settings to
    matchers that have to hold too.
    """
    unit = gunicorn_unit(deployment)
    if unit is None:
        return
    directive = unit.last(parameters.get("section", "Service"), parameters["directive"])
    if directive is None:
        return
    text = directive.value.text
    if parameters.get("lasting"):
        seconds = timespan(text)
        wrong = seconds is not None and seconds > 0
    elif "not" in parameters:
        wrong = text.lower() not in parameters["not"]
    else:
        wrong = text.lower() in parameters["values"]
    related = _given(deployment, parameters)
    if wrong and related is not None:
        settings = {name: deployment.settings[name].known for name in parameters.get("given", {})}
        yield Hit(directive.span, {**settings, "value": text, "unit": unit.name}, related)


def directive_missing(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """The unit that starts gunicorn has none of `directives`; `given` as for `directive_is`."""
    unit = gunicorn_unit(deployment)
    section = parameters.get("section", "Service")
    if unit is None or any(unit.last(section, key) for key in parameters["directives"]):
        return
    start = unit.last("Service", "ExecStart")
    related = _given(deployment, parameters)
    if start is not None and related is not None:
        yield Hit(start.span, {"unit": unit.name}, related)


def gunicorn_unit(deployment: Deployment) -> Unit | None:
    """The unit that starts a gunicorn."""
    launch = deployment.launch
    return launch.unit if launch is not None and launch.server == "gunicorn" else None


def _given(deployment: Deployment, parameters: Parameters) -> tuple[tuple[str, Span], ...] | None:
    """Where the settings of `given` are written; None where one of them doesn't match."""
    given = parameters.get("given", {})
    settings = [deployment.settings[name] for name in given]
    if any(matched(each, given[each.name]) is None for each in settings):
        return None
    return written(*(("given", each) for each in settings))


def runs_as_root(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """Neither the unit nor gunicorn's own `user` gives root up."""
    unit = gunicorn_unit(deployment)
    if unit is None or unit.of_user or unit.last("Service", "DynamicUser"):
        return
    user = deployment.settings["user"]
    directive = unit.last("Service", "User")
    start = unit.last("Service", "ExecStart")
    if user.known != 0 or start is None:
        return
    place = directive.span if directive else start.span
    yield Hit(place, {"unit": unit.name}, variant="user" if directive else None)


def forking_without_daemon(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """`Type=forking`, and gunicorn stays in the foreground, or daemonizes without a PID file.

    Variant "pidfile" is the latter.
    """
    unit = gunicorn_unit(deployment)
    kind = unit.last("Service", "Type") if unit else None
    if unit is None or kind is None or kind.value.text != "forking":
        return
    daemon = deployment.settings["daemon"]
    assert deployment.launch is not None
    if deployment.launch.command.background:
        return
    if daemon.known is False:
        started = ("launch", deployment.launch.word.span)
        yield Hit(kind.span, {"unit": unit.name}, (started,), assumes=assumptions(daemon))
    elif daemon.known is True and unit.last("Service", "PIDFile") is None:
        yield Hit(kind.span, {"unit": unit.name}, written(("daemon", daemon)), "pidfile")


def daemonized_under_supervisor(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """`daemon` in a unit that isn't `Type=forking`."""
    unit = gunicorn_unit(deployment)
    daemon = deployment.settings.get("daemon")
    if unit is None or daemon is None or daemon.known is not True:
        return
    kind = unit.last("Service", "Type")
    if kind is not None and kind.value.text == "forking":
        return
    start = unit.last("Service", "ExecStart")
    related = (("unit", start.span),) if start else ()
    place = deployment.place(daemon)
    yield Hit(place, {"unit": unit.name}, related, assumes=assumptions(daemon))


def not_restarted(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """Nothing restarts gunicorn when it ends by itself.

    With `recycling` only where workers are recycled, without it only where they aren't.
    """
    unit = gunicorn_unit(deployment)
    start = unit.last("Service", "ExecStart") if unit else None
    if unit is None or start is None:
        return
    recycling = deployment.settings["max_requests"]
    is_recycling = isinstance(recycling.known, int) and recycling.known > 0
    if is_recycling is not bool(parameters.get("recycling")):
        return
    restart = unit.last("Service", "Restart")
    if restart is not None and restart.value.text in ("always", "on-failure"):
        return
    related = written(("recycling", recycling)) if is_recycling else ()
    values = {"unit": unit.name, "restart": restart.value.text if restart else "no"}
    place = restart.span if restart else start.span
    yield Hit(place, values, related, "written" if restart else None)


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
