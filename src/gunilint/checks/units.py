"""Checks of a unit's words and neighbours: what systemd leaves out, what gunicorn doesn't find."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from difflib import get_close_matches

from gunilint.catalogue.directives import known_sections, refusal
from gunilint.checks import Hit, Parameters, assumptions, written
from gunilint.checks.exposure import addresses
from gunilint.checks.systemd import gunicorn_unit
from gunilint.deployment import Deployment, Project
from gunilint.parse import systemd
from gunilint.parse.systemd import Directive, Unit, dependencies

_SHELL = re.compile(r"&&|\|\|?|[0-9]?>>?&?\d?|<|&|\$\(.*|`.*|~/.*")
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash"})
_EXPANSION = re.compile(r"\$(\{[A-Za-z_]\w*\}|[A-Za-z_]\w*)")
_WITH_DEFAULT = re.compile(r"\$\{\w+(:?[-+=?]|[#%/^,])[^}]*\}?")


def ignored_directive(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A directive that systemd leaves out: in the wrong section, misspelt, or with a bad value.

    Variants: "section", "spelling", "refused" (the whole unit isn't loaded). A name that is like no
    other may be a newer systemd's, as may the values that `newer` lists.
    """
    unit = gunicorn_unit(deployment)
    if unit is None:
        return
    for directive in unit.directives:
        section, key, text = directive.section, directive.key, directive.value.text
        refused = refusal(section, key, text)
        if refused is None or text in parameters["newer"].get(key, ()):
            continue
        values = {"key": key, "value": text, "section": section, "unit": unit.name}
        values["reason"] = refused.reason
        sections = known_sections()
        if section in sections and key not in sections[section]:
            yield from _misplaced(directive, values)
        elif section in sections:
            yield Hit(
                directive.span, values, variant="refused" if refused.kind == "refused" else None
            )


def _misplaced(directive: Directive, values: dict[str, str]) -> Iterator[Hit]:
    """A key that its section doesn't have."""
    sections, key = known_sections(), directive.key
    elsewhere = [name for name, keys in sections.items() if key in keys]
    if elsewhere:
        yield Hit(directive.span, {**values, "meant": elsewhere[0]}, variant="section")
        return
    own = sections[directive.section]
    same = [each for each in own if each.lower() == key.lower()]
    close = same or get_close_matches(key, own, 1, 0.85)
    if close:
        yield Hit(directive.span, {**values, "meant": close[0]}, variant="spelling")


def shell_syntax_in_exec(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A word of `ExecStart=` that only a shell would understand."""
    unit = gunicorn_unit(deployment)
    for directive in unit.all("Service", "ExecStart") if unit is not None else ():
        assert unit is not None
        words = systemd.words(directive.value)
        program = posixpath.basename(words[0].text.lstrip("-@:+!")) if words else ""
        if program in _SHELLS:
            continue
        for word in words[1:]:
            if _SHELL.fullmatch(word.text):
                yield Hit(word.span(), {"word": word.text, "unit": unit.name})
                break


def environment_not_expanded(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """`$NAME` in `Environment=`; variants "default": `${NAME:-x}`, "comma" in a list."""
    unit = gunicorn_unit(deployment)
    if unit is None:
        return
    for directive in unit.all("Service", "Environment"):
        found = _EXPANSION.search(directive.value.text)
        if found is not None:
            yield Hit(directive.span, {"variable": found[0], "unit": unit.name})
    for directive in unit.all("Service", "ExecStart"):
        found = _WITH_DEFAULT.search(directive.value.text)
        program = posixpath.basename(directive.value.text.split(" ")[0])
        if found is not None and program not in _SHELLS:
            place = directive.value.span(found.start(), found.end())
            yield Hit(place, {"variable": found[0], "unit": unit.name}, variant="default")
    for key in parameters["lists"]:
        for name, span in dependencies(unit, key):
            if "," in name:
                yield Hit(span, {"name": name, "key": key, "unit": unit.name}, variant="comma")


def socket_dir_missing(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A unix socket below /run that nothing makes the folder for; variant "private": in /tmp."""
    unit, bind = gunicorn_unit(deployment), deployment.settings.get("bind")
    if unit is None or bind is None:
        return
    made = [
        name for each in unit.all("Service", "RuntimeDirectory") for name in each.value.text.split()
    ]
    private = unit.last("Service", "PrivateTmp")
    is_private = private is not None and systemd.boolean(private.value.text) is True
    for address in addresses(bind):
        path = address.removeprefix("unix:").removeprefix("//")
        folder = posixpath.dirname(path)
        values = {"address": address, "folder": folder, "unit": unit.name}
        values["name"] = folder.partition("/run/")[2]
        place, assumes = deployment.place(bind), assumptions(bind)
        if not address.startswith("unix:"):
            continue
        if re.match(r"(/var)?/run/[^/]+/", path):
            if not any(_covers(name, folder) for name in made) and not _makes_folder(unit, folder):
                yield Hit(place, values, assumes=assumes)
        elif path.startswith(("/tmp/", "/var/tmp/")) and is_private and private is not None:
            yield Hit(place, values, (("private", private.span),), "private", assumes)


def _covers(name: str, folder: str) -> bool:
    """Whether `RuntimeDirectory=name` makes a folder below /run."""
    path = folder.removeprefix("/var").removeprefix("/run/")
    return name == path or name.startswith(path + "/")


def _makes_folder(unit: Unit, folder: str) -> bool:
    """Whether a command before the start makes the folder."""
    before = unit.all("Service", "ExecStartPre")
    return any(folder in directive.value.text for directive in before)


def no_working_directory(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A relative config file, in a unit that starts in `/`."""
    unit, launch = gunicorn_unit(deployment), deployment.launch
    if unit is None or launch is None or launch.place.text != "/":
        return
    options = [use for use in launch.line.options if use.setting.name == "config"]
    chdir = deployment.settings["chdir"]
    for use in options[-1:]:
        path = getattr(use.value, "value", None)
        relative = isinstance(path, str) and not path.startswith(("/", "python:", "file:/"))
        if relative and chdir.span is None:
            yield Hit(use.span, {"path": path, "unit": unit.name})


def signal_to_shell(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """The main process is a shell, and it alone gets the signals that are meant for gunicorn.

    Variants: "reload" (SIGHUP of `ExecReload=` ends the shell) and the rule's own message for
    `KillMode=mixed`, with which only the main process is told to stop.
    """
    unit, launch = gunicorn_unit(deployment), deployment.launch
    if unit is None or launch is None or not launch.command.forks:
        return
    kind = unit.last("Service", "Type")
    if kind is not None and kind.value.text in ("notify", "forking"):
        return
    forks = launch.command.forks
    values = {"unit": unit.name, "reason": forks[0].text}
    mode = unit.last("Service", "KillMode")
    if mode is not None and mode.value.text == "mixed":
        yield Hit(mode.span, values, forks)
    for reload in unit.all("Service", "ExecReload"):
        if "$MAINPID" in reload.value.text or "${MAINPID}" in reload.value.text:
            yield Hit(reload.span, values, forks, "reload")


def type_not_notify(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """Others are ordered after gunicorn, and the unit's type doesn't let it say when it's ready."""
    for deployment in project.deployments:
        unit, launch = gunicorn_unit(deployment), deployment.launch
        if unit is None or launch is None or launch.command.forks:
            continue
        kind = unit.last("Service", "Type")
        if kind is not None and kind.value.text not in ("simple", "exec"):
            continue
        if not deployment.catalogue.at_least("20.0.0"):
            continue
        waiting = [
            (other, span)
            for other in project.units
            if other is not unit
            for name, span in dependencies(other, "After")
            if name == unit.name
        ]
        start = unit.last("Service", "ExecStart")
        if waiting and start is not None:
            place = kind.span if kind else start.span
            related = tuple(("waiting", span) for _, span in waiting[:3])
            yield Hit(place, {"unit": unit.name, "other": waiting[0][0].name}, related)


def legacy_directive(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A value that systemd replaces by a newer one, with a remark in the journal at each start."""
    unit = gunicorn_unit(deployment)
    if unit is None:
        return
    for directive in unit.directives:
        for old, new in parameters["replaced"].get(directive.key, {}).items():
            if directive.value.text == old or directive.value.text.startswith(old + "/"):
                values = {"key": directive.key, "value": directive.value.text, "new": new}
                yield Hit(directive.span, values)


def socket_unit_conflict(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """A socket unit hands gunicorn its sockets, so that a different `bind` has no effect."""
    for deployment in project.deployments:
        unit, bind = gunicorn_unit(deployment), deployment.settings.get("bind")
        if unit is None or bind is None or bind.span is None:
            continue
        path = unit.source.path.removesuffix(".service") + ".socket"
        source = project.tree.read(path)
        if source is None:
            continue
        listening = systemd.parse(source, posixpath.basename(path)).all("Socket", "ListenStream")
        passed = {directive.value.text for directive in listening}
        bound = {address.removeprefix("unix:").removeprefix("//") for address in addresses(bind)}
        if passed and bound and passed.isdisjoint(bound):
            values = {"bound": ", ".join(sorted(bound)), "passed": ", ".join(sorted(passed))}
            related = (("socket", listening[0].span),)
            yield Hit(deployment.place(bind), values, related, assumes=assumptions(bind))


def pid_file_mismatch(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """`PIDFile=` names a file that gunicorn isn't told to write."""
    unit = gunicorn_unit(deployment)
    directive = unit.last("Service", "PIDFile") if unit else None
    if unit is None or directive is None:
        return
    pidfile = deployment.settings["pidfile"]
    wanted = directive.value.text.replace("/var/run/", "/run/")
    wanted = wanted if wanted.startswith("/") else f"/run/{wanted}"
    actual = pidfile.known
    if "%" in wanted or not (pidfile.is_none or isinstance(actual, str)):
        return
    if isinstance(actual, str) and actual.replace("/var/run/", "/run/") == wanted:
        return
    variant = None if isinstance(actual, str) else "none"
    values = {"wanted": directive.value.text, "actual": actual, "unit": unit.name}
    yield Hit(directive.span, values, written(("pidfile", pidfile)), variant, assumptions(pidfile))
