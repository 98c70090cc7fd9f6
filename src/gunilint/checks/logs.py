"""Checks of log settings."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cache

from gunilint.checks import Hit, Parameters, assumptions
from gunilint.deployment import Deployment, Launch, Project
from gunilint.discover import Tree
from gunilint.parse.systemd import Unit
from gunilint.regex import regex

_MAKES = regex(
    r"\b(mkdir|makedirs|install\s+-|LogsDirectory|state:\s*directory)|^[dD]!?\s+/", re.MULTILINE
)
_MAY_MAKE = regex(
    r"(\.(sh|bash|service|conf|spec|ya?ml|tf)|(^|/)(Dockerfile|Containerfile|Makefile|Vagrantfile)[^/]*"
    r"|\.(post|pre)inst)$"
)
_ATOM = regex(r"%(?:\(([^)]{0,200})\)([#0\- +]{0,9}\d{0,9}(?:\.\d+)?[a-zA-Z])|%|(.?))")


def log_level(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """Debug messages in production; variant "unknown": a level that gunicorn takes for info."""
    level = deployment.settings.get("loglevel")
    if level is None or not isinstance(level.known, str) or level.span is None:
        return
    values, assumes = {"level": level.known}, assumptions(level)
    if level.known[:1] in ("'", '"'):
        return  # the quotes are what is wrong
    if level.known.lower() not in parameters["levels"]:
        yield Hit(level.span, values, (), "unknown", assumes)
    elif level.known.lower() == "debug" and not deployment.development:
        yield Hit(level.span, values, assumes=assumes)


def bad_access_log_format(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """An access log format that gunicorn can't fill.

    Variants: "broken" (a `%` that formats nothing), "aiohttp" (whose worker has a syntax of its
    own), and the rule's own message for an atom that doesn't exist.
    """
    setting = deployment.settings.get("access_log_format")
    if setting is None or setting.span is None or not isinstance(setting.known, str):
        return
    assumes = assumptions(setting)
    if deployment.worker is not None and deployment.worker.name == "aiohttp":
        if "%(" in setting.known:
            yield Hit(setting.span, {}, (), "aiohttp", assumes)
        return
    if deployment.worker is not None and deployment.worker.ignores("access_log_format"):
        return
    for atom in _ATOM.finditer(setting.known):
        name, conversion, stray = atom.groups()
        if stray is not None or (conversion is not None and conversion[-1] not in "srda"):
            yield Hit(setting.span, {"atom": atom[0]}, (), "broken", assumes)
        elif name is not None and not re.fullmatch(parameters["atoms"], name):
            yield Hit(setting.span, {"atom": atom[0]}, assumes=assumes)


def log_targets_swapped(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """The access log goes to a file that is called an error log, and the reverse."""
    access, error = deployment.settings.get("accesslog"), deployment.settings.get("errorlog")
    if access is None or error is None:
        return
    if _is_called(access.known, "error", "access") and _is_called(error.known, "access", "error"):
        values = {"access": access.known, "error": error.known}
        place = deployment.place(access)
        related = (("error", error.span),) if error.span else ()
        yield Hit(place, values, related, assumes=assumptions(access, error))


def _is_called(path: object, word: str, other: str) -> bool:
    name = path.rpartition("/")[2].lower() if isinstance(path, str) else ""
    return word in name and other not in name


def log_dir_missing(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """A log file in a folder that nothing in sight creates.

    `existing` are the folders that every machine has.
    """
    making = cache(lambda: _text_that_makes_folders(project))
    for deployment in project.deployments:
        launch = deployment.launch
        for name in ("accesslog", "errorlog"):
            setting = deployment.settings.get(name)
            if launch is None or setting is None or not isinstance(setting.known, str):
                continue
            folder = posixpath.dirname(setting.known)
            if not folder or folder.startswith(("/dev/", "/proc/", "syslog:")):
                continue
            if folder in parameters["existing"] or _is_in_tree(folder, launch, project.tree):
                continue
            if not _makes_itself(folder, deployment) and posixpath.basename(folder) not in making():
                values = {"setting": name, "path": setting.known, "folder": folder}
                yield Hit(deployment.place(setting), values, assumes=assumptions(setting))


def _is_in_tree(folder: str, launch: Launch, tree: Tree) -> bool:
    """Whether the project brings the folder along, or may do so."""
    start = launch.place.text
    if folder.startswith("/"):
        if start is None or not f"{folder}/".startswith(f"{start.rstrip('/')}/"):
            parts = folder.split("/")
            tails = ("/".join(parts[index:]) for index in range(2, len(parts)))
            return not folder.startswith("/var/") and any(map(tree.is_dir, tails))
        folder = folder[len(start) :].strip("/")
    return any(tree.is_dir(posixpath.join(each, folder)) for each in (launch.folder, ""))


def _makes_itself(folder: str, deployment: Deployment) -> bool:
    """Whether a deployment's unit, config or application makes the folder."""
    unit = deployment.launch.unit if deployment.launch else None
    if unit is not None and any(_covers(made, folder) for made in _directories(unit)):
        return True
    sources = (
        deployment.config.source if deployment.config else None,
        deployment.app.module if deployment.app else None,
    )
    name = posixpath.basename(folder)
    return any(name in each.text and _MAKES.search(each.text) for each in sources if each)


def _text_that_makes_folders(project: Project) -> str:
    """All files with a command that makes a folder."""
    paths = sorted({*project.tree.matching(_MAY_MAKE), *project.files})
    sources = filter(None, map(project.tree.read, paths))
    return "\n".join(source.text for source in sources if _MAKES.search(source.text))


_MADE_BELOW = {
    "LogsDirectory": "/var/log",
    "StateDirectory": "/var/lib",
    "CacheDirectory": "/var/cache",
    "RuntimeDirectory": "/run",
}


def _directories(unit: Unit) -> Iterator[str]:
    """The folders that systemd makes for a unit."""
    for key, parent in _MADE_BELOW.items():
        for directive in unit.all("Service", key):
            for word in directive.value.text.split():
                yield posixpath.join(parent, word.partition(":")[0])


def _covers(made: str, folder: str) -> bool:
    return "%" in made or f"{made}/".startswith(f"{folder}/")
