"""What gunicorn has, by version: settings, options and worker classes.

The data is in `settings.json`, which `scripts/build_catalogue.py` writes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

Kind = Literal[
    "int", "bool", "string", "list", "comma-list", "addresses",
    "class", "choice", "dict", "hook", "user", "opaque",
]  # fmt: skip
Action = Literal["store", "append", "switch", "constant", "optional"]


@dataclass(frozen=True, slots=True)
class SettingInfo:
    """One setting as a version of gunicorn has it.

    `flags` are its command line options, empty where there are none. `action` says how the
    command line takes it: "store" and "append" need a value, "switch" sets True, "constant" sets
    False, "optional" may have a value. `since` and `until` are the first and last versions that
    have it. `arity` lists how many positional parameters a hook may have. `environment` is the
    variable that gunicorn takes the default from.
    """

    name: str
    kind: Kind
    flags: tuple[str, ...]
    action: Action
    default: object
    since: str
    until: str | None
    section: str
    choices: tuple[str, ...] = ()
    arity: tuple[int, ...] = ()
    environment: str | None = None

    @property
    def takes_value(self) -> bool:
        """Whether its option must be followed by a value."""
        return self.action in ("store", "append")


@dataclass(frozen=True)
class Catalogue:
    """The settings and command line options of one gunicorn version."""

    version: str
    settings: dict[str, SettingInfo]
    options: dict[str, SettingInfo]
    others: dict[str, SettingInfo]
    """Settings that only other versions have."""
    spellings: dict[str, str]
    """Names that look like settings because an option is spelt so, and the setting's own name."""

    def at_least(self, version: str) -> bool:
        """Whether this is gunicorn `version` or newer."""
        return version_key(self.version) >= version_key(version)


def version_key(version: str) -> tuple[int, ...]:
    """What orders versions such as "25.0.2"; what isn't a number ends it."""
    numbers: list[int] = []
    for part in version.split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(
        Path(__file__).with_name("settings.json").read_text(encoding="utf-8")
    )
    return data


def latest() -> str:
    """The newest gunicorn that the catalogue knows."""
    return str(_data()["latest"])


@lru_cache(maxsize=16)
def catalogue(version: str | None = None) -> Catalogue:
    """The catalogue of gunicorn `version` (default: the newest known)."""
    data = _data()
    chosen = version or latest()
    settings: dict[str, SettingInfo] = {}
    others: dict[str, SettingInfo] = {}
    for name, entry in data["settings"].items():
        info = _setting(name, entry, chosen)
        (settings if _exists(info, chosen) else others)[name] = info
    options = {flag: info for info in settings.values() for flag in info.flags}
    return Catalogue(chosen, settings, options, others, data["spellings"])


def _exists(info: SettingInfo, version: str) -> bool:
    key = version_key(version)
    if key < version_key(info.since):
        return False
    return info.until is None or key <= version_key(info.until)


def _setting(name: str, entry: dict[str, Any], version: str) -> SettingInfo:
    fields = dict(entry)
    for change in entry.get("history", ()):
        if version_key(version) < version_key(change["before"]):
            fields.update(change)
    return SettingInfo(
        name=name,
        kind=fields["kind"],
        flags=tuple(fields["flags"]),
        action=fields["action"],
        default=fields["default"],
        since=fields["since"],
        until=fields["until"],
        section=fields["section"],
        choices=tuple(fields.get("choices", ())),
        arity=tuple(fields.get("arity", ())),
        environment=fields.get("environment"),
    )
