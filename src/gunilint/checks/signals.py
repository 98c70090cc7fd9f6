"""Checks of who gets which signal: from units, deploy scripts and log rotation."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence, Set

from gunilint.checks import Hit, Parameters, assumptions, written
from gunilint.checks.systemd import (
    forks_that_keep,
    gunicorn_unit,
    has_type,
    lost_signals,
    of_service,
)
from gunilint.deployment import Deployment, Project, Setting
from gunilint.parse import systemd
from gunilint.parse.systemd import Directive, Unit
from gunilint.regex import regex
from gunilint.signals import Signal, sent
from gunilint.source import Span

_VARIABLE = regex(r"\$(?:\{(\w+)\}|(\w+)$)")
_READS_PID = regex(r"\bkill\b.*?(?:\bcat|<)\s*[\"']?([^\s\"'`)|;&$]+)")
_WRITING = r"(?:^-p|>|\btee\b|--?pid(?:file)?\b|PIDFile=|PID_?FILE=)"
_WRITES, _WRITES_NEXT = regex(_WRITING), regex(_WRITING + "$")
"""What a written file follows in a word, and what ends a word that it follows."""
_MAY_WRITE = (".cfg", ".conf", ".ini", ".py", ".service", ".sh", ".yaml", ".yml")
"""How files end that may say who writes a pid file."""

_SIMILAR = 0.75
"""How alike a name is to MAINPID if it is meant to be it."""


def signal_to_shell(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """The main process isn't gunicorn, and it alone gets the signals that are meant for gunicorn.

    Variants: "reload" (SIGHUP of `ExecReload=` ends it) and the rule's own message for `KillMode=`,
    with which only the main process is told to stop.
    """
    unit = gunicorn_unit(deployment)
    if unit is None or has_type(unit, "notify", "forking"):
        return
    for directive, signal, forks in lost_signals(deployment):
        values = {"unit": unit.name, "reason": forks[0].text, "value": directive.value.text}
        if signal == "HUP":
            yield Hit(directive.span, values, forks, "reload")
        elif directive.value.text == "mixed":
            yield Hit(directive.span, values, forks)
        else:
            yield Hit(directive.span, values, forks, "process")


def quick_stop(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """The unit stops gunicorn by another signal than SIGTERM.

    By `KillSignal=`, or (variant "command") by `ExecStop=`; variant "never": SIGHUP stops nothing.
    """
    unit = gunicorn_unit(deployment)
    if unit is None:
        return
    for key in ("KillSignal", "RestartKillSignal"):
        directive, name = kill_signal(unit, key)
        values = {"value": directive.value.text if directive else "", "key": key, "unit": unit.name}
        if directive is not None and name in ("INT", "QUIT", "KILL"):
            yield Hit(directive.span, values)
        elif directive is not None and name == "HUP":
            yield Hit(directive.span, values, variant="never")
    for directive in unit.all("Service", "ExecStop"):
        found = sent([word.text for word in systemd.words(directive.value)])
        if found is not None and found[0] in ("INT", "QUIT", "KILL") and found[1]:
            values = {"signal": found[0], "value": directive.value.text, "unit": unit.name}
            yield Hit(directive.span, values, variant="command")


def kill_signal(unit: Unit, key: str = "KillSignal") -> tuple[Directive | None, str]:
    """The signal by which systemd stops a unit, SIGTERM by default, and the directive for it."""
    directive = of_service(unit, key)
    if directive is None:
        return None, "TERM"
    found = sent(["kill", "-s", directive.value.text])
    return directive, found[0] if found else ""


def no_exec_reload(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """The unit has no `ExecReload=`, or one that signals nobody.

    None is missing where SIGHUP wouldn't help: it brings in no new code with `preload_app`, and
    doesn't reach a gunicorn that isn't the main process. Variants: "variable" (the pid is a
    variable that nothing sets) and "nobody" (there is no pid), for `ExecStop=` too.
    """
    unit = gunicorn_unit(deployment)
    start = unit.last("Service", "ExecStart") if unit else None
    if unit is None or start is None:
        return
    preload = deployment.settings.get("preload_app")
    helps = (
        preload is not None and preload.known is False and not forks_that_keep(deployment, "HUP")
    )
    if not unit.all("Service", "ExecReload") and helps and not deployment.development:
        yield Hit(start.span, {"unit": unit.name})
    for directive in (*unit.all("Service", "ExecReload"), *unit.all("Service", "ExecStop")):
        words = [word.text for word in systemd.words(directive.value)]
        found = sent(words)
        if (
            found is None
            or not posixpath.basename(words[0]).endswith("kill")
            or "pkill" in words[0]
        ):
            continue
        values = {"key": directive.key, "value": directive.value.text, "unit": unit.name}
        wrong = [name for word in found[1] if (name := _unset(word, unit)) is not None]
        if wrong:
            yield Hit(directive.span, {**values, "variable": wrong[0]}, variant="variable")
        elif not found[1]:
            yield Hit(directive.span, values, variant="nobody")


def _unset(word: str, unit: Unit) -> str | None:
    """The variable of an operand that nothing sets; None where a file may set it."""
    match = _VARIABLE.match(word)
    if match is None:
        return None
    name = match[1] or match[2]
    assigned = (
        token.text.partition("=")[0]
        for key in ("Environment", "PassEnvironment")
        for directive in unit.all("Service", key)
        for token in systemd.words(directive.value)
    )
    if name in (*systemd.FROM_MANAGER, *assigned):
        return None
    from difflib import SequenceMatcher

    alike = SequenceMatcher(None, name.upper().replace("_", ""), "MAINPID").ratio()
    is_open = unit.of_user or bool(unit.all("Service", "EnvironmentFile"))
    return None if is_open and alike < _SIMILAR else name


def binary_upgrade(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """SIGUSR2 to a gunicorn that a unit runs; variant "reload": by the unit's own `ExecReload=`."""
    upgrades = [signal for signal in project.signals if signal.name == "USR2"]
    for deployment in project.deployments:
        unit = gunicorn_unit(deployment)
        start = unit.last("Service", "ExecStart") if unit else None
        if unit is None or start is None:
            continue
        values = {"unit": unit.name}
        for directive in unit.all("Service", "ExecReload"):
            found = sent([word.text for word in systemd.words(directive.value)])
            if found is not None and found[0] == "USR2":
                yield Hit(directive.span, values, variant="reload")
        for signal in upgrades:
            if _reaches(signal, unit, deployment):
                yield Hit(signal.span, values, (("unit", start.span),))


def _reaches(signal: Signal, unit: Unit, deployment: Deployment) -> bool:
    """Whether a signal is sent to the gunicorn of a unit."""
    if signal.names(unit.name):
        return True
    if signal.pid_files:
        directive = of_service(unit, "PIDFile")
        written_to = [deployment.settings["pidfile"].known]
        written_to.append(systemd.specified(directive.value, unit) if directive else None)
        return any(
            isinstance(path, str) and _is_same(path, read)
            for path in written_to
            for read in signal.pid_files
        )
    return not signal.to_unit and any("gunicorn" in text for text in signal.targets)


def _is_same(path: str, other: str) -> bool:
    """Whether two paths are one file; a relative one is compared by what it says."""
    path, other = (re.sub(r"^/var/run/", "/run/", each) for each in (path, other))
    relative = not (path.startswith("/") and other.startswith("/"))
    longer, shorter = sorted((path, other), key=len, reverse=True)
    return path == other or (relative and longer.endswith("/" + shorter.removeprefix("./")))


def pid_file_mismatch(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """A pid file that gunicorn isn't told to write.

    `PIDFile=` names it (variants "none": it writes none; "other": another one, and systemd doesn't
    wait for it), or a signalling command or log rotation reads it (variant "read").
    """
    for deployment in project.deployments:
        yield from _of_unit(deployment)
    own = [each.settings["pidfile"] for each in project.deployments if "pidfile" in each.settings]
    if not own or not all(each.is_none or isinstance(each.known, str) for each in own):
        return
    read = list(_pid_files_read(project))
    names = _names_of_gunicorn(project)
    of_gunicorn = {
        path
        for path, _ in read
        if "gunicorn" in path or posixpath.basename(path).removesuffix(".pid") in names
    }
    unwritten = _unwritten(of_gunicorn, own, project)
    for path, span in read:
        if path in unwritten:
            yield Hit(span, {"wanted": path}, written(("pidfile", own[0])), "read")


def _of_unit(deployment: Deployment) -> Iterator[Hit]:
    unit = gunicorn_unit(deployment)
    directive = of_service(unit, "PIDFile") if unit else None
    if unit is None or directive is None or _writes_own(deployment, directive):
        return
    pidfile = deployment.settings["pidfile"]
    wanted, actual = systemd.specified(directive.value, unit), pidfile.known
    if wanted is None or not (pidfile.is_none or isinstance(actual, str)):
        return
    wanted = wanted if wanted.startswith("/") else f"/run/{wanted}"
    place = deployment.launch.place.text if deployment.launch else None
    if isinstance(actual, str):
        full = posixpath.normpath(posixpath.join(place or "", actual))
        if _is_same(full, posixpath.normpath(wanted)):
            return
    waits = has_type(unit, "forking") is not None
    variant = "none" if pidfile.is_none else None if waits else "other"
    values = {"wanted": directive.value.text, "actual": actual, "unit": unit.name}
    yield Hit(directive.span, values, written(("pidfile", pidfile)), variant, assumptions(pidfile))


def _writes_own(deployment: Deployment, directive: Directive) -> bool:
    """Whether the script that starts gunicorn has to do with the pid file."""
    assert deployment.launch is not None
    name = posixpath.basename(directive.value.text)
    scripts = {label.span.source for label in deployment.launch.chain}
    return any(name in script.text for script in scripts - {directive.span.source})


def _pid_files_read(project: Project) -> Iterator[tuple[str, Span]]:
    """The pid files that commands and logrotate's configuration signal by."""
    for signal in project.signals:
        yield from ((path, signal.span) for path in signal.pid_files)
    for file in project.tree.listing():
        source = project.tree.read(file) if "logrotate" in file else None
        for match in _READS_PID.finditer(source.text) if source else ():
            assert source is not None
            yield match[1], source.span(match.start(1), match.end(1))


def _names_of_gunicorn(project: Project) -> set[str]:
    """The names, without suffix, of the units that start gunicorn."""
    units = (gunicorn_unit(deployment) for deployment in project.deployments)
    return {unit.name.partition(".")[0].rstrip("@") for unit in units if unit is not None}


def _unwritten(paths: Set[str], pidfiles: Sequence[Setting], project: Project) -> set[str]:
    """Those of some pid files that neither gunicorn nor anything else in the project writes."""
    by_name: dict[str, set[str]] = {}
    for each in pidfiles:
        if isinstance(each.known, str):
            by_name.setdefault(posixpath.basename(each.known), set()).add(each.known)

    def is_own(path: str) -> bool:
        return any(_is_same(path, own) for own in by_name.get(posixpath.basename(path), ()))

    left = {path for path in paths if not is_own(path)}
    others = "\n".join(_words_written(project)) if left else ""
    return {path for path in left if posixpath.basename(path) not in others}


def _words_written(project: Project) -> Iterator[str]:
    """What the project's files name as a pid file, or as what a command writes to."""
    files = (path for path in project.tree.listing() if path.endswith(_MAY_WRITE))
    for path in {*project.files, *files}:
        source = project.tree.read(path)
        follows = False
        for word in source.text.split() if source else ():
            found = _WRITES.search(word)
            if follows:
                yield word
            elif found:
                yield word[found.end() :]
            follows = found is not None and _WRITES_NEXT.search(word) is not None
