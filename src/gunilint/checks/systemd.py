"""Checks of systemd units."""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from itertools import pairwise

from gunilint.catalogue.directives import counting
from gunilint.checks import Hit, Parameters, assumptions, written
from gunilint.checks.exposure import addresses
from gunilint.checks.settings import conditions
from gunilint.command import Label
from gunilint.deployment import Deployment, Project, Setting
from gunilint.launch import SHELLS, passes_on
from gunilint.parse.systemd import (
    PREFIXES,
    Directive,
    Unit,
    boolean,
    dependencies,
    meant,
    timespan,
    words,
)
from gunilint.regex import regex
from gunilint.source import Fragment, Span

_DEFAULT_STOP_TIMEOUT = 90.0
"""`DefaultTimeoutStopSec=` of systemd as it is shipped, in seconds."""

_TRAP = regex(r"^[ \t]*trap\b.*\b(SIG)?(TERM|15)\b", re.MULTILINE)
_GUNICORN = regex(r"(^|/)gunicorn$")
_REQUIREMENTS = ("Requires", "Wants", "BindsTo")
_ORDERED_BY_DEFAULT = frozenset(
    {
        "basic.target", "cryptsetup.target", "local-fs-pre.target", "local-fs.target",
        "paths.target", "shutdown.target", "slices.target", "sockets.target", "swap.target",
        "sysinit.target", "systemd-journald.service", "systemd-sysctl.service",
        "systemd-sysusers.service", "systemd-tmpfiles-setup.service", "systemd-udevd.service",
        "tmp.mount",
    }
)  # fmt: skip
"""What comes before basic.target, and so before each service with default dependencies."""

_ORDERABLE = (".mount", ".service", ".target")


def directive_is(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A directive of the unit that starts gunicorn has a value that doesn't fit.

    `section` (default Service) and `directive` name it. Its value is one of `values`, in any case,
    or with `lasting` a time span above zero, or with `not` none of these. A value that systemd
    refuses counts only with `newer`: one that a newer systemd takes. The rest of the parameters are
    those of `conditions`.
    """
    unit = gunicorn_unit(deployment)
    given = conditions(deployment, parameters)
    if unit is None or given is None:
        return
    section, key = parameters.get("section", "Service"), parameters["directive"]
    directive = unit.last(section, key) if "newer" in parameters else counting(unit, section, key)
    if directive is None:
        return
    text = directive.value.text
    if parameters.get("lasting"):
        seconds = timespan(text)
        wrong = seconds is not None and 0 < seconds < math.inf
    elif "not" in parameters:
        wrong = text.lower() not in map(str.lower, parameters["not"])
    else:
        wrong = text.lower() in map(str.lower, parameters["values"])
    if wrong:
        yield _hit(directive.span, {"unit": unit.name, "value": text}, given)


def directive_missing(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """The unit that starts gunicorn has none of `directives` in `section` (default Service).

    The rest of the parameters are those of `conditions`.
    """
    unit = gunicorn_unit(deployment)
    section = parameters.get("section", "Service")
    if unit is None or any(unit.last(section, key) for key in parameters["directives"]):
        return
    start = unit.last("Service", "ExecStart")
    given = conditions(deployment, parameters)
    if start is not None and given is not None:
        yield _hit(start.span, {"unit": unit.name}, given)


def _hit(place: Span, values: Mapping[str, object], given: Sequence[Setting]) -> Hit:
    known = {setting.name: setting.known for setting in given}
    related = written(*(("given", setting) for setting in given))
    return Hit(place, {**known, **values}, related, assumes=assumptions(*given))


def gunicorn_unit(deployment: Deployment) -> Unit | None:
    """The unit that starts a gunicorn."""
    launch = deployment.launch
    return launch.unit if launch is not None and launch.server == "gunicorn" else None


def plain_words(line: Directive) -> tuple[Fragment, ...]:
    """The words of a command line, up to a shell that is given a script as one of them."""
    found = words(line.value)
    for index, (word, following) in enumerate(pairwise(found), 1):
        is_shell = posixpath.basename(word.text.lstrip(PREFIXES)) in SHELLS
        if is_shell and re.match(r"-\w*c", following.text):
            return found[:index]
    return found


def runs_script_of_words(unit: Unit) -> bool:
    """Whether a command line of the unit gives a shell a script as one of its words."""
    lines = unit.all("Service", "ExecStart")
    return any(len(plain_words(line)) < len(words(line.value)) for line in lines)


def gunicorn_units(project: Project) -> Iterator[Unit]:
    """The units that start gunicorn, or mean to: some lines may be of no use to systemd."""
    units = (gunicorn_unit(deployment) for deployment in project.deployments)
    started = {unit.source.path for unit in units if unit is not None}
    for unit in project.units:
        starts = [each for each in unit.directives if each.key.lower() == "execstart"]
        named = any(_GUNICORN.search(word.text) for each in starts for word in words(each.value))
        if unit.source.path in started or named:
            yield unit


def of_service(unit: Unit, *keys: str) -> Directive | None:
    """The directive of [Service] that sets what `keys` set, as systemd sees it."""
    return counting(unit, "Service", *keys)


def is_on(unit: Unit, key: str) -> bool:
    """Whether a boolean of [Service] is set and true."""
    directive = of_service(unit, key)
    return directive is not None and boolean(directive.value.text) is True


def is_off(unit: Unit, key: str) -> bool:
    """Whether a boolean of [Service] is set and false."""
    directive = of_service(unit, key)
    return directive is not None and boolean(directive.value.text) is False


def has_type(unit: Unit, *types: str) -> Directive | None:
    """The unit's `Type=` if it is one of these."""
    kind = of_service(unit, "Type")
    return kind if kind is not None and kind.value.text in types else None


def runs_as_root(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """Neither the unit nor gunicorn's own `user` gives root up."""
    unit = gunicorn_unit(deployment)
    if unit is None or unit.of_user or is_on(unit, "DynamicUser"):
        return
    user = deployment.settings["user"]
    directive = of_service(unit, "User")
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
    kind = has_type(unit, "forking") if unit else None
    if unit is None or kind is None:
        return
    daemon = deployment.settings["daemon"]
    assert deployment.launch is not None
    if deployment.launch.command.background:
        return
    if daemon.known is False:
        started = ("launch", deployment.launch.word.span)
        yield Hit(kind.span, {"unit": unit.name}, (started,), assumes=assumptions(daemon))
    elif daemon.known is True and not of_service(unit, "PIDFile"):
        if is_off(unit, "GuessMainPID"):
            return
        yield Hit(kind.span, {"unit": unit.name}, written(("daemon", daemon)), "pidfile")


def daemonized_under_supervisor(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """`daemon` in a unit that isn't `Type=forking`."""
    unit = gunicorn_unit(deployment)
    daemon = deployment.settings.get("daemon")
    if unit is None or daemon is None or daemon.known is not True:
        return
    if has_type(unit, "forking"):
        return
    start = unit.last("Service", "ExecStart")
    related = (("unit", start.span),) if start else ()
    place = deployment.place(daemon)
    yield Hit(place, {"unit": unit.name}, related, assumes=assumptions(daemon))


def not_restarted(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """Nothing restarts gunicorn when it ends by itself: no `Restart=`, and no other unit.

    With `recycling` only where workers are recycled, without it only where they aren't.
    """
    unit = gunicorn_unit(deployment)
    start = unit.last("Service", "ExecStart") if unit else None
    if deployment.development or unit is None or start is None:
        return
    recycling = deployment.settings["max_requests"]
    is_recycling = isinstance(recycling.known, int) and recycling.known > 0
    if is_recycling is not bool(parameters.get("recycling")):
        return
    restart = of_service(unit, "Restart")
    if restart is not None and restart.value.text in ("always", "on-failure"):
        return
    if _is_started_again(deployment) or unit.last("Service", "Restart") is not restart:
        return
    related = written(("recycling", recycling)) if is_recycling else ()
    values = {"unit": unit.name, "restart": restart.value.text if restart else "no"}
    place = restart.span if restart else start.span
    yield Hit(place, values, related, "written" if restart else None)


def _is_started_again(deployment: Deployment) -> bool:
    """Whether another unit starts gunicorn again: its socket at the next connection, `Upholds=`."""
    launch = deployment.launch
    if launch is None or launch.unit is None:
        return False
    upheld = (name for other in launch.neighbours for name, _ in dependencies(other, "Upholds"))
    return launch.activated or any(launch.unit.is_called(name) for name in upheld)


def stop_timeout_too_short(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """The unit is killed before, or just when, `graceful_timeout` is over."""
    launch = deployment.launch
    graceful = deployment.settings.get("graceful_timeout")
    if launch is None or launch.unit is None or graceful is None:
        return
    longest = graceful.known
    directive, seconds = stop_timeout(launch.unit)
    if not isinstance(longest, int) or seconds > longest:
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


def stop_timeout(unit: Unit) -> tuple[Directive | None, float]:
    """After how many seconds systemd kills a unit that it stops, and what says so; inf for never.

    There is no directive for the default.
    """
    kills = unit.last("Service", "SendSIGKILL")
    directive = of_service(unit, "TimeoutStopSec", "TimeoutSec")
    seconds = timespan(directive.value.text) if directive else None
    if is_off(unit, "SendSIGKILL") or (kills and boolean(kills.value.text) is False):
        return kills, math.inf
    if directive is None or seconds is None:
        return directive, _DEFAULT_STOP_TIMEOUT
    return directive, seconds or math.inf


def notify_from_wrong_process(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """`Type=notify`, and what sends READY=1 isn't the unit's main process, or nothing does."""
    launch = deployment.launch
    if launch is None or launch.unit is None:
        return
    kind = has_type(launch.unit, "notify")
    if kind is None:
        return
    access = of_service(launch.unit, "NotifyAccess")
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
        elsewhere = all(fork.span != launch.word.span for fork in forks)
        variant = None
        if access is not None and access.value.text == "all":
            if not any(forks_that_keep(deployment, signal) for signal in ("TERM", "HUP")):
                return
            variant = "everyone" if lost_signals(deployment) else "shell"
        yield Hit(kind.span, values, (*forks, *([started] if elsewhere else [])), variant)


def forks_that_keep(deployment: Deployment, signal: str) -> tuple[Label, ...]:
    """What stays above gunicorn and doesn't pass a signal on; a script with a trap may do so."""
    assert deployment.launch is not None
    launch = deployment.launch
    scripts = {label.span.source for label in (*launch.chain, *launch.command.forks)}
    if any(_TRAP.search(script.text) for script in scripts):
        return ()
    return tuple(fork for fork in launch.command.forks if not passes_on(fork, signal))


def lost_signals(deployment: Deployment) -> tuple[tuple[Directive, str, tuple[Label, ...]], ...]:
    """The directives by which systemd signals the main process alone, where gunicorn is another.

    Each comes with the signal and with what keeps it from gunicorn.
    """
    unit = gunicorn_unit(deployment)
    if unit is None:
        return ()
    found = []
    mode = of_service(unit, "KillMode")
    if mode is not None and mode.value.text in ("mixed", "process"):
        found.append((mode, "TERM", forks_that_keep(deployment, "TERM")))
    found += [
        (reload, "HUP", forks_that_keep(deployment, "HUP"))
        for reload in unit.all("Service", "ExecReload")
        if "$MAINPID" in reload.value.text or "${MAINPID}" in reload.value.text
    ]
    return tuple(each for each in found if each[2])


def requirement_not_ordered(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A unit that is required but neither before nor after this one, so both start at once."""
    launch = deployment.launch
    if launch is None or launch.unit is None:
        return
    unit = launch.unit
    ordered = {name for key in ("After", "Before") for name, _ in dependencies(unit, key)}
    for other in launch.neighbours:
        around = [name for key in ("After", "Before") for name, _ in dependencies(other, key)]
        if any(unit.is_called(name) for name in around):
            ordered.add(other.name)
    defaults = counting(unit, "Unit", "DefaultDependencies")
    by_itself = defaults is not None and boolean(defaults.value.text) is False
    reported = ordered | (set() if by_itself else _ORDERED_BY_DEFAULT)
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
    units = {unit.name: unit for unit in reversed(project.units)}
    for reload in project.reloads:
        named = meant(reload.unit) if reload.unit is not None else ()
        unit = next((units[name] for name in named if name in units), None)
        if unit is None or unit.all("Service", "ExecReload"):
            continue
        start = unit.last("Service", "ExecStart")
        kind = unit.last("Service", "Type")
        if start is None or (kind is not None and kind.value.text == "notify-reload"):
            # systemd itself sends the signal
            continue
        yield Hit(reload.span, {"unit": unit.name}, (("unit", start.span),))


def start_never_completes(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """The unit waits for something at the start that never happens.

    `Type=oneshot` waits for the end; variant "family": READY=1 can't be sent, because
    `RestrictAddressFamilies=` takes unix sockets away.
    """
    unit = gunicorn_unit(deployment)
    if unit is None:
        return
    kind = has_type(unit, "oneshot")
    if kind is not None:
        yield Hit(kind.span, {"value": kind.value.text, "unit": unit.name})
    notifies = has_type(unit, "notify")
    restricted = _without_unix_sockets(unit)
    if notifies is not None and restricted is not None:
        values = {"value": restricted.value.text, "unit": unit.name}
        yield Hit(restricted.span, values, (("type", notifies.span),), "family")


def _without_unix_sockets(unit: Unit) -> Directive | None:
    """The directive that leaves a service without AF_UNIX.

    The first one says whether the list allows or forbids; later ones add to it or take away.
    """
    allows: bool | None = None
    families: set[str] = set()
    last: Directive | None = None
    for directive in unit.all("Service", "RestrictAddressFamilies"):
        text = directive.value.text
        names, adds = set(text.lstrip("~").split()), not text.startswith("~")
        if text == "none":
            allows, families = True, set()
        elif allows is None:
            allows, families = adds, names
        else:
            families = families | names if adds is allows else families - names
        last = directive
    if allows is None or ("AF_UNIX" in families or "AF_LOCAL" in families) is allows:
        return None
    return last


def network_not_ordered(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A bind to one address of the machine, in a unit that doesn't wait until it is there.

    Variant "inert": `After=network-online.target` alone, which nothing pulls in. `providers` are
    the beginnings of units that bring up addresses of their own.
    """
    unit, launch, bind = (
        gunicorn_unit(deployment),
        deployment.launch,
        deployment.settings.get("bind"),
    )
    if unit is None or launch is None or bind is None or unit.of_user or launch.activated:
        return
    own = [address for address in addresses(bind) if _is_of_machine(address)]
    after = [name for name, _ in dependencies(unit, "After")]
    if not own or any(name.startswith(tuple(parameters["providers"])) for name in after):
        return
    waits = "network-online.target" in after
    if waits and "network-online.target" in unit.brings():
        return
    values = {"address": own[0], "unit": unit.name}
    assumes = assumptions(bind)
    yield Hit(deployment.place(bind), values, (), "inert" if waits else None, assumes)


def _is_of_machine(address: str) -> bool:
    """Whether an address is a literal one of one interface, and not of the loopback."""
    plain = address.removeprefix("tcp://")
    host = plain[1:].partition("]")[0] if plain.startswith("[") else plain.partition(":")[0]
    try:
        found = ip_address(host)
    except ValueError:
        return False
    return not (found.is_unspecified or found.is_loopback)
