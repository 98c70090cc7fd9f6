"""Checks of a unit's words and neighbours: what systemd leaves out, what gunicorn doesn't find."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from functools import cache

from msgspec import Struct

from gunilint.catalogue.directives import known_sections, refusal
from gunilint.checks import Hit, Parameters, assumptions
from gunilint.checks.exposure import addresses
from gunilint.checks.systemd import (
    gunicorn_unit,
    gunicorn_units,
    is_on,
    of_service,
    plain_words,
)
from gunilint.deployment import Deployment, Launch, Project, Setting
from gunilint.discover import Tree, normalise
from gunilint.follow import unit_place
from gunilint.parse import systemd
from gunilint.parse.systemd import PREFIXES, Directive, Unit, dependencies
from gunilint.regex import regex
from gunilint.spelling import closest

_SHELL_WORD = regex(
    r"&&|\|\|?|&"  # lists, pipelines, background
    r"|\d?>>?.*|&>.*|<.*"  # redirections
    r"|~(/.*)?"  # a home folder
    r"|(--[\w-]+=)?(\.{0,2}|~)/[^ ]*[*{][^ ]*"  # globs and braces in a path
)
_TMPFILES = regex("tmpfiles")
_SUBSTITUTION = regex(r"\$\(|`[^`]*`")
_NAME = r"[A-Z_][A-Z0-9_]+"
_IN_VALUE = regex(rf"(?<![^:/ \"'])\$(?:\{{{_NAME}\}}|{_NAME})(?![^:/ \"'])")
_IN_WORD = regex(rf"(?<!\$)\$({_NAME})(?![a-z])")
_WITH_DEFAULT = regex(r"\$\{\w+(:?[-+=?]|[#%/^,])[^}]*\}?")
_BEFORE_START = ("/run/lock", "/run/shm", "/run/systemd", "/run/user")
"""Folders below /run that are there at each boot."""


def ignored_directive(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """A directive that systemd leaves out: in the wrong section, misspelt, or with a bad value.

    Variants: "section", "spelling", "header" (a section that isn't one), "refused" (the whole unit
    isn't loaded). A name that is like no other may be a newer systemd's, as may the values that
    `newer` lists. Lists with commas are left to a rule of their own.
    """
    for unit in gunicorn_units(project):
        unknown: set[str] = set()
        for directive in unit.directives:
            section, key, text = directive.section, directive.key, directive.value.text
            refused = refusal(section, key, text)
            if refused is None or text in parameters["newer"].get(key, ()):
                continue
            if key in systemd.DEPENDENCIES and "," in text:
                continue
            values = {"key": key, "value": text, "section": section, "unit": unit.name}
            values["reason"] = refused.reason
            if section not in known_sections():
                if section not in unknown:
                    yield from _misspelt_section(directive, values)
                unknown.add(section)
            elif key not in known_sections()[section]:
                yield from _misplaced(directive, values)
            else:
                variant = "refused" if refused.kind == "refused" else None
                yield Hit(directive.span, values, variant=variant)


def _misspelt_section(directive: Directive, values: dict[str, str]) -> Iterator[Hit]:
    """A section that systemd doesn't know, if it is like one that it knows."""
    name = directive.section
    same = [each for each in known_sections() if each.lower() == name.lower()]
    meant = same[0] if same else closest(name, known_sections(), 0.8)
    if meant is not None:
        yield Hit(directive.span, {**values, "meant": meant}, variant="header")


def _misplaced(directive: Directive, values: dict[str, str]) -> Iterator[Hit]:
    """A key that its section doesn't have."""
    sections, key = known_sections(), directive.key
    elsewhere = [name for name, keys in sections.items() if key in keys]
    if elsewhere:
        yield Hit(directive.span, {**values, "meant": elsewhere[0]}, variant="section")
        return
    own = sections[directive.section]
    same = [each for each in own if each.lower() == key.lower()]
    meant = same[0] if same else closest(key, own, 0.85)
    if meant is not None:
        yield Hit(directive.span, {**values, "meant": meant}, variant="spelling")


def shell_syntax_in_exec(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """A word of a command line that only a shell would understand; variant "comment": `#`.

    `keys` are the directives to look at.
    """
    for unit in gunicorn_units(project):
        for key in parameters["keys"]:
            for directive in unit.all("Service", key):
                yield from _shell_syntax(unit, directive)


def _shell_syntax(unit: Unit, directive: Directive) -> Iterator[Hit]:
    """The first such word of a command line."""
    value, found = directive.value, plain_words(directive)
    for word in found[1:]:
        start = value.offsets.index(word.offsets[0]) if word.text else 0
        if value.text[start - 1] in "\"'":
            continue
        program = posixpath.basename(found[0].text.lstrip(PREFIXES))
        values = {"program": program, "key": directive.key, "unit": unit.name, "word": word.text}
        if word.text.startswith("#"):
            comment = value.slice(start, len(value.text))
            yield Hit(comment.span(), {**values, "word": comment.text}, variant="comment")
            return
        if _SHELL_WORD.fullmatch(word.text) or _SUBSTITUTION.search(word.text):
            yield Hit(word.span(), values)
            return


def environment_not_expanded(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """Text that its author takes for a variable or a list, and systemd doesn't.

    `$NAME` in `Environment=`; variants "default": `${NAME:-x}`, "within": `$NAME` inside of a word
    of `ExecStart=`, "comma" in a list of units.
    """
    unit = gunicorn_unit(deployment)
    if unit is None:
        return
    for directive in unit.all("Service", "Environment"):
        for word in systemd.words(directive.value):
            found = _IN_VALUE.search(word.text.partition("=")[2])
            if found is not None:
                yield Hit(directive.span, {"variable": found[0], "unit": unit.name})
                break
    for directive in unit.all("Service", "ExecStart"):
        yield from _not_expanded(unit, directive)
    for key in parameters["lists"]:
        for name, span in dependencies(unit, key):
            if "," in name:
                yield Hit(span, {"name": name, "key": key, "unit": unit.name}, variant="comma")


def _not_expanded(unit: Unit, directive: Directive) -> Iterator[Hit]:
    """What systemd leaves in a command line."""
    for index, word in enumerate(plain_words(directive)):
        prefixes = word.text[: len(word.text) - len(word.text.lstrip(PREFIXES))]
        if index == 0 and ":" in prefixes:
            return
        default, within = _WITH_DEFAULT.search(word.text), _IN_WORD.search(word.text)
        values = {"word": word.text, "unit": unit.name}
        if default is not None:
            place = word.span(default.start(), default.end())
            yield Hit(place, {**values, "variable": default[0]}, variant="default")
        elif within is not None and within[0] != word.text:
            place = word.span(within.start(), within.end())
            values = {**values, "variable": within[0], "name": within[1]}
            yield Hit(place, values, variant="within")


def socket_dir_missing(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """A unix socket below /run that nothing makes the folder for.

    Variants: "private" (in the /tmp of the service alone), "direct" (in /run itself, where only
    root may write).
    """
    making = cache(lambda: _made_below_run(project))
    for deployment in project.deployments:
        unit, launch = gunicorn_unit(deployment), deployment.launch
        bind = deployment.settings.get("bind")
        if unit is None or launch is None or bind is None or unit.of_user or launch.activated:
            continue
        for address in addresses(bind):
            if address.startswith("unix:"):
                path = address.removeprefix("unix:").removeprefix("//")
                path = re.sub(r"^/var/run/", "/run/", path)
                yield from _socket_folder(making, deployment, unit, bind, address, path)


def _socket_folder(
    making: Callable[[], _Made],
    deployment: Deployment,
    unit: Unit,
    bind: Setting,
    address: str,
    path: str,
) -> Iterator[Hit]:
    """What is wrong with the folder of a unix socket."""
    folder = posixpath.dirname(path)
    values = {"address": address, "folder": folder, "unit": unit.name}
    values["name"] = folder.partition("/run/")[2] or unit.name.partition(".")[0].rstrip("@")
    place, assumes = deployment.place(bind), assumptions(bind)
    private = of_service(unit, "PrivateTmp")
    user = of_service(unit, "User")
    if path.startswith(("/tmp/", "/var/tmp/")):
        if private is not None and is_on(unit, "PrivateTmp"):
            yield Hit(place, values, (("private", private.span),), "private", assumes)
    elif folder == "/run":
        if user is not None and user.value.text not in ("root", "0") and "%" not in user.value.text:
            values["user"] = user.value.text
            yield Hit(place, values, (("user", user.span),), "direct", assumes)
    elif folder.startswith("/run/") and not _is_made(folder, deployment, making):
        yield Hit(place, values, assumes=assumes)


class _Made(Struct, frozen=True):
    """What is made below /run: `folders` by units, None where they can't be told.

    `texts` may name more.
    """

    folders: frozenset[str] | None
    texts: tuple[str, ...]


def _made_below_run(project: Project) -> _Made:
    """What a project's units and its configuration of systemd-tmpfiles make below /run."""
    made = [
        systemd.specified(each.value, unit)
        for unit in project.units
        for each in unit.all("Service", "RuntimeDirectory")
    ]
    names = [name.partition(":")[0] for text in made if text for name in text.split()]
    paths = [f"/run/{name}/" for name in names]
    folders = frozenset(path[: end.start()] for path in paths for end in re.finditer("/", path))
    sources = filter(None, map(project.tree.read, project.tree.matching(_TMPFILES)))
    return _Made(None if None in made else folders, tuple(source.text for source in sources))


def _is_made(folder: str, deployment: Deployment, making: Callable[[], _Made]) -> bool:
    """Whether the system or something in the project makes a folder below /run."""
    if folder.startswith(_BEFORE_START):
        return True
    made = making()
    if made.folders is None or folder in made.folders:
        return True
    assert deployment.launch is not None
    unit, chain = deployment.launch.unit, deployment.launch.chain
    assert unit is not None
    texts = [each.value.text for each in unit.all("Service", "ExecStartPre")]
    scripts = {label.span.source for label in chain if label.span.source is not unit.source}
    texts += [
        script.text for script in scripts if "mkdir" in script.text or "install" in script.text
    ]
    spellings = (folder, f"/var{folder}")
    return any(spelling in text for text in (*texts, *made.texts) for spelling in spellings)


def no_working_directory(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """A relative path in a unit that starts in `/`.

    The config file is looked for there whatever `chdir` says; variant "app": the application, which
    is in the project and isn't installed as a package of its own.
    """
    for deployment in project.deployments:
        unit, launch = gunicorn_unit(deployment), deployment.launch
        if unit is None or launch is None or launch.place.text != "/":
            continue
        options = [use for use in launch.line.options if use.setting.name == "config"]
        for use in options[-1:]:
            path = getattr(use.value, "value", None)
            if isinstance(path, str) and not path.startswith(("/", "python:", "file:/")):
                yield Hit(use.span, {"path": path, "unit": unit.name})
        app, settings = deployment.app, deployment.settings
        moved = any(settings[name].span is not None for name in ("chdir", "pythonpath"))
        if options or moved or app is None or not app.found or launch.line.app is None:
            continue
        if not _may_find_modules(launch) and not _is_installable(project.tree):
            yield Hit(launch.line.app.span, {"path": app.spec, "unit": unit.name}, variant="app")


def _may_find_modules(launch: Launch) -> bool:
    """Whether the environment may lead Python to the project."""
    environment = launch.command.environment
    return "PYTHONPATH" in environment or getattr(environment, "unread", None) is not None


def _is_installable(tree: Tree) -> bool:
    """Whether the project can be installed as a package, which Python then finds anywhere."""
    about = tree.read("pyproject.toml")
    tables = ("[build-system]", "[project]", "[tool.poetry]")
    return (
        tree.is_file("setup.py")
        or tree.is_file("setup.cfg")
        or (about is not None and any(table in about.text for table in tables))
    )


def type_not_notify(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """The unit's type doesn't let gunicorn say when it is ready.

    It matters to those that are ordered after it, or (variant "socket") whose socket it takes over.
    """
    unit, launch = gunicorn_unit(deployment), deployment.launch
    if unit is None or launch is None or launch.command.forks:
        return
    kind = of_service(unit, "Type")
    start = unit.last("Service", "ExecStart")
    is_silent = kind is None or kind.value.text in ("simple", "exec")
    if not is_silent or start is None or not deployment.catalogue.at_least("20.0.0"):
        return
    waiting = [
        (other, span)
        for other in launch.neighbours
        for name, span in dependencies(other, "After")
        if unit.is_called(name)
    ]
    place = kind.span if kind else start.span
    if waiting:
        related = tuple(("waiting", span) for _, span in waiting[:3])
        yield Hit(place, {"unit": unit.name, "other": waiting[0][0].name}, related)
    elif launch.sockets:
        socket = launch.sockets[0]
        listening = socket.all("Socket", "ListenStream")
        related = tuple(("socket", directive.span) for directive in listening[:1])
        yield Hit(place, {"unit": unit.name, "other": socket.name}, related, "socket")


def legacy_directive(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """What systemd replaces by something newer, with a remark in the journal at each start.

    Variant "renamed": the directive itself has another name now.
    """
    unit, launch = gunicorn_unit(deployment), deployment.launch
    if unit is None or launch is None:
        return
    for directive in (each for of in (unit, *launch.sockets) for each in of.directives):
        key, text = directive.key, directive.value.text
        values = {"key": key, "value": text, "unit": unit.name}
        for old, new in parameters["replaced"].get(key, {}).items():
            if text == old or text.startswith(old + "/"):
                yield Hit(directive.span, {**values, "new": new})
        if key in parameters["renamed"] and text:
            values["new"] = parameters["renamed"][key]
            yield Hit(directive.span, values, variant="renamed")


def socket_unit_conflict(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A socket unit hands over sockets, and gunicorn is told something else.

    A different `bind` has no effect. Variants: "wrapper" (another process gets the sockets),
    "reuse_port" (gunicorn doesn't take them), "alone" (a service that nothing binds to its socket
    unit and that may be started without it).
    """
    unit, launch = gunicorn_unit(deployment), deployment.launch
    bind = deployment.settings.get("bind")
    if unit is None or launch is None or bind is None:
        return
    listening = [
        (socket, directive)
        for socket in launch.sockets
        if not _accepts(socket)
        for directive in socket.all("Socket", "ListenStream")
    ]
    passed = {systemd.specified(directive.value, socket) for socket, directive in listening}
    if not passed or None in passed:
        return
    bound = addresses(bind)
    socket, directive = listening[0]
    values = {
        "bound": ", ".join(bound),
        "passed": ", ".join(sorted(filter(None, passed))),
        "unit": unit.name,
        "socket": socket.name,
    }
    related = (("socket", directive.span),)
    reuse = deployment.settings["reuse_port"]
    if launch.command.forks:
        yield Hit(launch.word.span, values, (*related, *launch.command.forks), "wrapper")
    elif reuse.known is True:
        yield Hit(deployment.place(reuse), values, related, "reuse_port", assumptions(reuse))
    elif bind.span is not None:
        same = {_endpoint(text) for text in passed if text} & {_endpoint(text) for text in bound}
        if bound and not same:
            yield Hit(deployment.place(bind), values, related, assumes=assumptions(bind))
    elif unit.all("Install", "WantedBy") and not any(map(socket.is_called, unit.brings())):
        start = unit.last("Service", "ExecStart")
        yield Hit(start.span if start else launch.entry, values, related, "alone")


def _accepts(socket: Unit) -> bool:
    """Whether a socket unit starts a service for each connection."""
    directive = socket.last("Socket", "Accept")
    return directive is not None and systemd.boolean(directive.value.text) is True


def _endpoint(address: str) -> str:
    """An address in one spelling for gunicorn and systemd; all interfaces are the same."""
    plain = address.removeprefix("unix:").removeprefix("tcp://")
    if "/" in plain:
        return re.sub(r"^/+(var/run/)?", "/run/" if "/var/run/" in plain[:9] else "/", plain)
    host, _, port = plain.rpartition(":")
    return f":{port}" if host in ("", "*", "0.0.0.0", "[::]") else f"{host}:{port}"


def env_file_optional(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """`EnvironmentFile=` without `-` for a file that the repository ignores."""
    for deployment in project.deployments:
        unit = gunicorn_unit(deployment)
        if unit is None:
            continue
        place = unit_place(unit, project.tree)
        base = f"{place.text.rstrip('/')}/" if place.text else "/"
        for directive in unit.all("Service", "EnvironmentFile"):
            path = systemd.specified(directive.value, unit)
            if path is None or base == "/" or not path.startswith(base) or "*" in path:
                continue
            inner = path.removeprefix(base)
            candidates = [normalise(f"{folder}/{inner}") for folder in place.folders]
            if any(each is not None and project.tree.ignores(each) for each in candidates):
                yield Hit(directive.span, {"path": path, "file": inner, "unit": unit.name})
