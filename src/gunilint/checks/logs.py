"""Checks of log settings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gunilint.checks import Hit, Parameters, assumptions
from gunilint.deployment import Deployment

_ATOM = re.compile(r"%(?:\(([^)]*)\)([#0\- +]*\d*(?:\.\d+)?[a-zA-Z])|%|(.?))")


def log_level(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """Debug messages in production; variant "unknown": a level that gunicorn takes for info."""
    level = deployment.settings.get("loglevel")
    if level is None or not isinstance(level.known, str) or level.span is None:
        return
    values, assumes = {"level": level.known}, assumptions(level)
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
