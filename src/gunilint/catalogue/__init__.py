"""What gunicorn has, by version: settings, options and worker classes.

The data is in `settings.json`, which `scripts/build_catalogue.py` writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from gunilint.data import document
from gunilint.versions import latest, releases, version_key

_FILE = "catalogue/settings.json"

Kind = Literal[
    "addresses", "any-networks", "bool", "choice", "class", "comma-list", "dict", "directory",
    "files", "group", "hook", "host-port", "int", "list", "networks", "opaque", "patterns",
    "protocols", "ssl-version", "statsd-address", "string", "user",
]  # fmt: skip
"""What a setting's validator takes; `validate.py` says what it makes of it."""

Action = Literal["store", "append", "switch", "constant", "optional"]


class SettingInfo(Struct, frozen=True):
    """One setting as a version of gunicorn has it.

    `flags` are its command line options, empty where there are none. `action` says how the
    command line takes it: "store" and "append" need a value, "switch" sets True, "constant" sets
    False, "optional" may have a value. `type` is what argparse makes of the text: "int", "auto_int"
    (a leading zero means octal) or None. `since` and `until` are the first and last versions that
    have it, None beyond 19.9 and the newest. `bounds` are a number's least and greatest value;
    `choices` maps each word that is taken to what becomes of it, `others` does so for the
    `repr` of None, True and False, and `exact` says that case and blanks count. `arity` lists how
    many positional parameters a hook may have. `environment` is the variable that gunicorn
    takes the default from, `machine` says that the machine decides it.
    """

    name: str
    kind: Kind
    flags: tuple[str, ...] = ()
    action: Action = "store"
    type: str | None = None
    default: object = None
    since: str | None = None
    until: str | None = None
    section: str = ""
    bounds: tuple[int, int | None] = (0, None)
    choices: Mapping[str, object] = field(default_factory=dict)
    others: Mapping[str, object] = field(default_factory=dict)
    exact: bool = False
    arity: tuple[int, ...] = ()
    environment: str | None = None
    machine: bool = False

    def is_newer(self, version: str) -> bool:
        """Whether it came after gunicorn `version`."""
        return self.since is not None and version_key(self.since) > version_key(version)

    @property
    def takes_value(self) -> bool:
        """Whether its option must be followed by a value."""
        return self.action in ("store", "append")


class Catalogue(Struct, frozen=True, eq=False):
    """The settings and command line options of one gunicorn version."""

    version: str
    settings: dict[str, SettingInfo]
    options: dict[str, SettingInfo]
    others: dict[str, SettingInfo]
    """Settings that only other versions have."""
    other_options: dict[str, SettingInfo]
    """Options that only other versions have, and their settings as those versions have them."""
    spellings: dict[str, str]
    """Names that look like settings because an option is spelt so, and the setting's own name."""

    def at_least(self, version: str) -> bool:
        """Whether this is gunicorn `version` or newer."""
        return version_key(self.version) >= version_key(version)


def catalogue(version: str | None = None) -> Catalogue:
    """The catalogue of gunicorn `version` (default: the newest known)."""
    return _catalogue(version or latest())


@lru_cache(maxsize=64)
def _catalogue(version: str) -> Catalogue:
    data = document(_FILE)
    settings: dict[str, SettingInfo] = {}
    others: dict[str, SettingInfo] = {}
    for name, entry in data["settings"].items():
        info = _setting(name, entry, version)
        if version in entry.get("except", ()):
            others[name] = replace(info, since=_neighbour(version, 1))
        elif within(version, info.since, info.until):
            settings[name] = info
        else:
            others[name] = info
    options = {flag: info for info in settings.values() for flag in info.flags}
    gone = [info for name, info in settings.items() for info in _before(name, version)]
    other_options = {flag: info for info in (*others.values(), *gone) for flag in info.flags}
    other_options = {flag: info for flag, info in other_options.items() if flag not in options}
    return Catalogue(version, settings, options, others, other_options, data["spellings"])


def _before(name: str, version: str) -> Iterator[SettingInfo]:
    """A setting as it was before each change of its options, up to the last release with them."""
    entry = document(_FILE)["settings"][name]
    for change in entry.get("history", ()):
        if "flags" in change and version_key(change["before"]) <= version_key(version):
            last = change.get("until") or _neighbour(change["before"], -1)
            yield replace(_setting(name, entry, last), until=last)


def _neighbour(version: str, step: int) -> str:
    """The release so many steps after a release."""
    known = releases()
    return known[known.index(version) + step]


class Alias(Struct, frozen=True):
    """A short name of a worker class: the class, and the first and last version that know it."""

    path: str
    since: str | None
    until: str | None


@lru_cache(maxsize=1)
def every_alias() -> Mapping[str, Alias]:
    """The short names of worker classes of all versions."""
    return {
        name: Alias(entry["class"], entry["since"], entry["until"])
        for name, entry in document(_FILE)["workers"].items()
    }


def worker_aliases(version: str) -> dict[str, str]:
    """The short names of worker classes that gunicorn `version` knows, with their classes."""
    return {
        name: alias.path
        for name, alias in every_alias().items()
        if within(version, alias.since, alias.until)
    }


def within(version: str, since: str | None, until: str | None) -> bool:
    """Whether `version` lies between two others, both included; None means no bound."""
    key = version_key(version)
    return (since is None or version_key(since) <= key) and (
        until is None or key <= version_key(until)
    )


_NOT_FIELDS = frozenset({"history", "except", "before"})


def _setting(name: str, entry: dict[str, Any], version: str) -> SettingInfo:
    fields: dict[str, Any] = dict(entry)
    for change in entry.get("history", ()):
        if version_key(version) < version_key(change["before"]):
            fields.update(change)
    own: dict[str, Any] = {
        key: tuple(value) if key in ("flags", "arity", "bounds") else value
        for key, value in fields.items()
        if key not in _NOT_FIELDS
    }
    return SettingInfo(name=name, **own)
