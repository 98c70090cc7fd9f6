"""Checks of what a unit's sandbox keeps from gunicorn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from gunilint.checks import Hit, Parameters, assumptions, written
from gunilint.checks.exposure import addresses
from gunilint.checks.systemd import gunicorn_unit, is_on, of_service
from gunilint.deployment import Deployment, Setting
from gunilint.parse import systemd
from gunilint.parse.systemd import Directive, Unit

_HOMES = ("/home/", "/root/", "/run/user/")
"""What `ProtectHome=` is about."""

_TEMPORARY = ("/tmp", "/var/tmp")
_PATHS = ("ReadWritePaths", "ReadWriteDirectories", "BindPaths", "TemporaryFileSystem")
_STATE = {"StateDirectory": "/var/lib", "CacheDirectory": "/var/cache", "LogsDirectory": "/var/log"}
_CHOWN = frozenset({"@chown", "chown"})
_WITH_CHOWN = _CHOWN | {"@privileged"}


def sandbox_kills_gunicorn(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A sandbox with which gunicorn can't start or is killed.

    The rule's own message is for a filter of system calls that kills gunicorn for `chown`, which it
    does to unix sockets and log files. Variants: "refused" (the filter only makes `chown` fail,
    which a unix socket doesn't survive), "temporary" (no folder for the heartbeat files can be
    written), "home" (the program, or the working directory, lies in a home folder that the service
    doesn't see).
    """
    unit = gunicorn_unit(deployment)
    if unit is not None and not unit.of_user:
        yield from _without_chown(deployment, unit)
        if of_service(unit, "RootDirectory", "RootImage") is None:
            yield from _without_temporary_folder(deployment, unit)
            yield from _without_home(unit)


def _without_chown(deployment: Deployment, unit: Unit) -> Iterator[Hit]:
    found = _forbids_chown(unit)
    if found is None:
        return
    directive, reaction = found
    settings = deployment.settings
    bind = settings["bind"]
    taken_over = deployment.launch is not None and deployment.launch.activated
    paths = [each for each in addresses(bind) if each.startswith("unix:") and not taken_over]
    logs = [settings[name] for name in ("errorlog", "accesslog")] if reaction == "kill" else []
    files = [log for log in logs if isinstance(log.known, str) and log.known != "-"]
    setting: Setting | None = bind if paths else files[0] if files else None
    if setting is not None:
        values = {"what": paths[0] if paths else setting.known, "unit": unit.name}
        values["directive"] = f"SystemCallFilter={directive.value.text}"
        variant = "refused" if reaction == "fail" else None
        related = written(("needs", setting))
        yield Hit(directive.span, values, related, variant, assumptions(setting))


def _forbids_chown(unit: Unit) -> tuple[Directive, Literal["kill", "fail"]] | None:
    """The directive that takes `chown` away, and what happens to a process that calls it.

    A list that starts without `~` names what is allowed; whether it has `chown` in it is only told
    from groups that take it away again.
    """
    found: tuple[Directive, Literal["kill", "fail"]] | None = None
    number = of_service(unit, "SystemCallErrorNumber")
    fails = number is not None and number.value.text != "kill"
    for directive in unit.all("Service", "SystemCallFilter"):
        text = directive.value.text
        for word in text.removeprefix("~").split():
            call, _, error = word.partition(":")
            if text.startswith("~") and call in _WITH_CHOWN:
                fails_here = error != "kill" if error else fails
                found = (directive, "fail" if fails_here else "kill")
            elif not text.startswith("~") and call in _WITH_CHOWN:
                found = None
    return found


def _without_temporary_folder(deployment: Deployment, unit: Unit) -> Iterator[Hit]:
    protected = _protects(unit, "ProtectSystem", "strict")
    heartbeats = deployment.settings["worker_tmp_dir"]
    private = of_service(unit, "PrivateTmp")
    is_private = private is not None and systemd.boolean(private.value.text) is not False
    if protected is None or is_private or is_on(unit, "DynamicUser") or not heartbeats.is_none:
        return
    place = deployment.launch.place.text if deployment.launch else None
    environment = deployment.launch.command.environment if deployment.launch else {}
    if {"TMPDIR", "TMP", "TEMP"} & set(environment) or getattr(environment, "unread", None):
        return
    if place is None or _may_write(unit, *_TEMPORARY, place):
        return
    yield Hit(protected.span, {"unit": unit.name}, (), "temporary", assumptions(heartbeats))


def _may_write(unit: Unit, *folders: str) -> bool:
    """Whether the unit makes one of some folders writable; what only a machine knows may be it."""
    opened = [
        part.rstrip("/") + "/"
        for key in _PATHS
        for directive in unit.all("Service", key)
        for word in systemd.words(directive.value)
        for part in word.text.lstrip("-+").split(":")
    ]
    for key, parent in _STATE.items():
        names = [each.value.text for each in unit.all("Service", key)]
        opened += [f"{parent}/{name}/" for text in names for name in text.split()]
    return any(
        "%" in path or f"{folder}/".startswith(path) for folder in folders for path in opened
    )


def _without_home(unit: Unit) -> Iterator[Hit]:
    protected = _protects(unit, "ProtectHome", "tmpfs", "yes")
    if protected is None or any(
        unit.all("Service", key) for key in ("BindPaths", "BindReadOnlyPaths")
    ):
        return
    for directive in unit.all("Service", "ExecStart"):
        words = systemd.words(directive.value)
        program = words[0].text.lstrip(systemd.PREFIXES) if words else ""
        if program.startswith(_HOMES):
            place = words[0].span()
            values = {"path": program, "unit": unit.name, "value": protected.value.text}
            yield Hit(protected.span, values, (("inside", place),), "home")
            return
    directory = of_service(unit, "WorkingDirectory")
    if directory is not None and directory.value.text.startswith(_HOMES):
        values = {"path": directory.value.text, "unit": unit.name, "value": protected.value.text}
        yield Hit(protected.span, values, (("inside", directory.span),), "home")


def _protects(unit: Unit, key: str, *values: str) -> Directive | None:
    """The directive that gives a protection one of some values; "yes" is any true boolean."""
    directive = of_service(unit, key)
    if directive is None:
        return None
    text = directive.value.text
    is_true = "yes" in values and systemd.boolean(text) is True
    return directive if text in values or is_true else None


def control_socket_unwritable(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """The control socket is on, and its default place, the account's home, can't be written.

    `users` are accounts that never own their home.
    """
    unit, settings = gunicorn_unit(deployment), deployment.settings
    if unit is None or unit.of_user or "control_socket" not in settings:
        return
    socket, disabled = settings["control_socket"], settings["control_socket_disable"]
    if socket.span is not None or disabled.known is not False or _has_own_home(deployment, unit):
        return
    found = _unwritable_home(unit, parameters["users"])
    if found is not None:
        cause, assumed = found
        values = {"unit": unit.name, "cause": f"{cause.key}={cause.value.text}"}
        yield Hit(cause.span, values, assumes=(*assumed, *assumptions(disabled)))


def _has_own_home(deployment: Deployment, unit: Unit) -> bool:
    """Whether something may give the control socket another folder."""
    environment = deployment.launch.command.environment if deployment.launch else {}
    assigned = {
        word.text.partition("=")[0]
        for directive in unit.all("Service", "Environment")
        for word in systemd.words(directive.value)
    }
    told = {"XDG_RUNTIME_DIR", "HOME"} & assigned or "XDG_RUNTIME_DIR" in environment
    return bool(told) or of_service(unit, "PAMName") is not None


def _unwritable_home(unit: Unit, users: list[str]) -> tuple[Directive, tuple[str, ...]] | None:
    """What keeps gunicorn from its home, and what that rests on."""
    user = of_service(unit, "User")
    name = user.value.text if user else "root"
    dynamic = of_service(unit, "DynamicUser")
    if dynamic is not None and is_on(unit, "DynamicUser"):
        return dynamic, ()
    if user is not None and name in users:
        return user, ()
    at_home = () if name in ("root", "0") else (f"the home of {name} is below /home",)
    home = _protects(unit, "ProtectHome", "yes", "read-only", "tmpfs")
    if home is not None:
        return home, at_home
    strict = _protects(unit, "ProtectSystem", "strict")
    opened = any(unit.all("Service", key) for key in (*_PATHS, *_STATE))
    return (strict, ()) if strict is not None and not opened else None
