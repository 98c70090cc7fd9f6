"""gunilint's own configuration: what a project, the environment and the command line ask for.

The stronger source wins, key by key: the command line, `GUNILINT_*` variables, then the nearest
`gunilint.toml` or `pyproject.toml` with a `[tool.gunilint]` table, looking upwards from each input.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, cast, get_args

from gunilint.config_files import OWN_NAME, config_files
from gunilint.disk import SIZE_LIMIT, Disk
from gunilint.errors import ExplainedError, shown
from gunilint.grades import Confidence, Severity
from gunilint.spelling import closest

PREFIX = "GUNILINT_"
"""What the name of each environment variable starts with."""

_ROOM = 256 * 1024
"""The characters that are parsed at most to tell on which line a key stands."""

SCHEMA_DIALECT = "http://json-schema.org/draft-07/schema#"

AppKind = Literal["asgi", "wsgi"]


class ConfigError(ExplainedError):
    """A configuration that can't be used; the message names the place and what is wrong."""


class Config(NamedTuple):
    """What is asked for.

    Paths in it are relative to `folder`, the configuration file's or else the working directory.
    `origins` says for each key that isn't at its default where its value comes from
    ("pyproject.toml:12", "$GUNILINT_FAIL_ON", "command line").
    """

    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    pedantic: bool = False
    per_file_ignores: Mapping[str, tuple[str, ...]] = {}
    severity: Mapping[str, Severity] = {}
    min_confidence: Confidence = "low"
    fail_on: Severity = "warning"
    exclude: tuple[str, ...] = ()
    extend_rules: tuple[str, ...] = ()
    baseline: str | None = None
    gunicorn_version: str | None = None
    python_version: str | None = None
    app: AppKind | None = None
    cpus: int | None = None
    instance: str | None = None
    max_file_size: int = SIZE_LIMIT
    folder: Path = Path()
    file: Path | None = None
    origins: Mapping[str, str] = {}

    def origin(self, key: str) -> str:
        """Where the value of a key comes from."""
        return self.origins.get(key, "default")

    def is_from_file(self, key: str) -> bool:
        """Whether the configuration file sets a key, and not the user."""
        return self.file is not None and self.origin(key).startswith(shown(self.file))

    def value(self, key: str) -> Any:
        """The value of a key, by its name in TOML."""
        return getattr(self, _attribute(key))

    @property
    def target_cpus(self) -> int | None:
        """The CPUs of the machine that gunicorn will run on, if they are told."""
        if self.cpus is not None or self.instance is None:
            return self.cpus
        from gunilint.catalogue.instances import cpus_of

        return cpus_of(self.instance)


class Key(NamedTuple):
    """A key of the configuration.

    `read` takes a value of TOML and gives the `Config`'s, or raises `ValueError` with what it has
    to be. `parse` makes a value of TOML of an environment variable's text; None where the key
    can't be set by one.
    """

    name: str
    about: str
    schema: Mapping[str, Any]
    read: Callable[[Any], Any]
    parse: Callable[[str], Any] | None = None

    @property
    def variable(self) -> str | None:
        """The environment variable that sets it."""
        return PREFIX + _attribute(self.name).upper() if self.parse else None


def load(
    start: Path,
    given: Mapping[str, Any] = MappingProxyType({}),
    *,
    file: Path | None = None,
    isolated: bool = False,
    environ: Mapping[str, str] = os.environ,
    disk: Disk | None = None,
) -> Config:
    """The configuration for an input at `start`.

    `given` holds the keys that the command line sets, by their name in TOML. `file` is read instead
    of the nearest one, and with `isolated` none is. Raises `ConfigError`.
    """
    disk = disk or Disk()
    if file is not None:
        found: _File | None = _read(Path(os.path.abspath(file)), disk)  # noqa: PTH100
    else:
        found = None if isolated else _nearest(start, disk)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    if found is not None:
        for name, value in _checked(found):
            values[name] = value
            origins[name] = found.place(name)
    for key in KEYS:
        text = environ.get(key.variable) if key.variable else None
        if text:
            values[key.name] = _from_environment(key, text)
            origins[key.name] = f"${key.variable}"
    for name, value in given.items():
        try:
            values[name] = _by_name(name).read(value)
        except ValueError as error:
            raise ConfigError(f"--{name} has to be {error}, not {value!r}") from None
        origins[name] = "command line"
    return Config(
        **{_attribute(name): value for name, value in values.items()},
        folder=found.path.parent if found else Path.cwd(),
        file=found.path if found else None,
        origins=origins,
    )


# values


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise ValueError("a list of strings")
    return tuple(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a string")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _count(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise ValueError("a whole number above zero")
    return value


def _version(value: Any) -> str:
    parts = value.split(".") if isinstance(value, str) else []
    if not parts or not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError('a version such as "23.0.0"')
    return cast("str", value)


def _instance(value: Any) -> str:
    from gunilint.catalogue.instances import cpus_of

    if not isinstance(value, str) or cpus_of(value) is None:
        raise ValueError('an instance type such as "c5.xlarge"')
    return value


def _choice(*choices: str) -> Callable[[Any], str]:
    listed = ", ".join(f'"{choice}"' for choice in choices)

    def read(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"one of {listed}")
        return cast("str", value)

    return read


def _table(read: Callable[[Any], Any], of: str) -> Callable[[Any], Mapping[str, Any]]:
    def read_table(value: Any) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise ValueError(f"a table of {of}")
        return {name: read(item) for name, item in value.items()}

    return read_table


def parse_list(text: str) -> list[str]:
    """The items of a list that a variable or an option holds, separated by commas."""
    return [item.strip() for item in text.split(",") if item.strip()]


def _parse_flag(text: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if text.lower() not in known:
        raise ValueError("true or false")
    return known[text.lower()]


def _parse_count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError("a whole number above zero")
    return int(text)


_SEVERITIES, _CONFIDENCES = get_args(Severity), get_args(Confidence)
_STRINGS = {"type": "array", "items": {"type": "string"}}
_VERSION = {"type": "string", "pattern": r"^\d+(\.\d+)*$"}

KEYS: tuple[Key, ...] = (
    Key("select", "Run only these rules: codes, names, prefixes (`GU4`) or categories.",
        _STRINGS, _strings, parse_list),
    Key("extend-select", "Run these rules too.", _STRINGS, _strings, parse_list),
    Key("ignore", "Leave these rules out. A rule that is named wins over a group that it is in.",
        _STRINGS, _strings, parse_list),
    Key("pedantic", "Run the rules too that are off by default.",
        {"type": "boolean"}, _flag, _parse_flag),
    Key("per-file-ignores", "Rules to leave out in the files that a pattern matches.",
        {"type": "object", "additionalProperties": _STRINGS}, _table(_strings, "lists of rules")),
    Key("severity", "Another severity for a rule: its code or name, and the severity.",
        {"type": "object", "additionalProperties": {"enum": [*_SEVERITIES]}},
        _table(_choice(*_SEVERITIES), "rules and their severities")),
    Key("min-confidence", "Report only what is at least this sure.",
        {"enum": [*_CONFIDENCES]}, _choice(*_CONFIDENCES), str),
    Key("fail-on", "The least severity that makes the exit status 1.",
        {"enum": [*_SEVERITIES]}, _choice(*_SEVERITIES), str),
    Key("exclude", "Files and folders to leave out, as patterns of `.gitignore`.",
        _STRINGS, _strings, parse_list),
    Key("extend-rules", "Folders with rules of your own.", _STRINGS, _strings, parse_list),
    Key("baseline", "The file of known findings, which don't count.",
        {"type": "string"}, _text, str),
    Key("gunicorn-version", "The gunicorn that will run (default: what the project asks for).",
        _VERSION, _version, str),
    Key("python-version", "The Python that will run it, for branches on `sys.version_info`.",
        _VERSION, _version, str),
    Key("app", "What the application is, where its source doesn't tell.",
        {"enum": [*get_args(AppKind)]}, _choice(*get_args(AppKind)), str),
    Key("cpus", "The CPUs of the machine that gunicorn will run on.",
        {"type": "integer", "minimum": 1}, _count, _parse_count),
    Key("instance", "The EC2 instance type that gunicorn will run on, in place of `cpus`.",
        {"type": "string"}, _instance, str),
    Key("max-file-size", "The bytes of a file above which it isn't read, which is then said.",
        {"type": "integer", "minimum": 1}, _count, _parse_count),
)  # fmt: skip


def schema() -> dict[str, Any]:
    """The JSON Schema of `gunilint.toml` and of `[tool.gunilint]`."""
    return {
        "$schema": SCHEMA_DIALECT,
        "$id": "https://json.schemastore.org/gunilint.json",
        "title": "gunilint",
        "description": "Configuration of gunilint, the linter for gunicorn deployments.",
        "type": "object",
        "additionalProperties": False,
        "properties": {key.name: {"description": key.about, **key.schema} for key in KEYS},
    }


def _attribute(name: str) -> str:
    return name.replace("-", "_")


def _by_name(name: str) -> Key:
    return next(key for key in KEYS if key.name == name)


def _from_environment(key: Key, text: str) -> Any:
    assert key.parse is not None
    try:
        return key.read(key.parse(text))
    except ValueError as error:
        raise ConfigError(f"${key.variable} has to be {error}, not {text!r}") from None


# files


class _File(NamedTuple):
    """A configuration file: its table for gunilint, and the keys that lead to that table."""

    path: Path
    text: str
    table: Mapping[str, Any]
    above: tuple[str, ...]

    def place(self, *keys: str) -> str:
        """The file, and the line that sets a key of the table."""
        line = _lines(self.text).get((*self.above, *keys))
        return f"{shown(self.path)}:{line}" if line else shown(self.path)


def _nearest(start: Path, disk: Disk) -> _File | None:
    """The first configuration file from an input upwards, as far as its repository reaches."""
    for path in config_files(os.path.abspath(start), disk):  # noqa: PTH100
        found = _read(Path(path), disk)
        if found.table or found.path.name == OWN_NAME:
            return found
    return None


def _read(path: Path, disk: Disk) -> _File:
    """A configuration file; without a table for gunilint its table is empty."""
    import tomli

    try:
        data, size = disk.read(str(path), SIZE_LIMIT)
        if size > SIZE_LIMIT:
            raise ConfigError(f"{shown(path)}: it has more than {SIZE_LIMIT:,} bytes")
        text = data.decode("utf-8-sig")
        document = tomli.loads(text)
    except OSError as error:
        raise ConfigError(f"{shown(path)}: {error.strerror or 'it cannot be read'}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{shown(path)}: it isn't UTF-8") from error
    except (tomli.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{shown(path)}: {error or 'it is nested too deeply'}") from error
    tool = document.get("tool")
    own = tool.get("gunilint") if isinstance(tool, dict) else None
    if path.name == "pyproject.toml" or isinstance(own, dict):
        if own is not None and not isinstance(own, dict):
            raise ConfigError(f"{shown(path)}: `tool.gunilint` has to be a table")
        return _File(path, text, own or {}, ("tool", "gunilint"))
    return _File(path, text, document, ())


def _checked(file: _File) -> Iterator[tuple[str, Any]]:
    """Each key of a file with its value as `Config` holds it."""
    names = [key.name for key in KEYS]
    for name, value in file.table.items():
        place = file.place(name)
        if name not in names:
            close = closest(_attribute(name).replace("_", "-"), names, 0.6)
            hint = f"; did you mean `{close}`?" if close else f"; the keys are {', '.join(names)}"
            raise ConfigError(f"{place}: there is no key `{name}`{hint}")
        try:
            yield name, _by_name(name).read(value)
        except ValueError as error:
            raise ConfigError(f"{place}: `{name}` has to be {error}, not {value!r}") from None


@lru_cache(maxsize=1)
def _lines(text: str) -> dict[tuple[str, ...], int]:
    """The 1-based line of each key of a TOML document.

    Every statement of TOML is a document of its own, so the parser itself tells where each ends.
    What stands behind very long statements is left out.
    """
    import tomli

    found: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    pending, start, room = "", 1, _ROOM
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if not pending and (not line.strip() or line.lstrip().startswith("#")):
            continue
        pending, start = (pending + line, start) if pending else (line, number)
        room -= len(pending) + 20
        if room < 0:
            break
        try:
            statement = tomli.loads(pending)
        except tomli.TOMLDecodeError:
            continue
        is_header = pending.lstrip().startswith("[")
        above = () if is_header else table
        paths = [(*above, *path) for path in _paths(statement)]
        for path in paths:
            found.setdefault(path, start)
        if is_header:
            table = max(paths, key=len)
        pending = ""
    return found


def _paths(value: object) -> Iterator[tuple[str, ...]]:
    """The paths to all keys of a table, outermost first."""
    stack: list[tuple[tuple[str, ...], object]] = [((), value)]
    while stack:
        path, current = stack.pop(0)
        if path:
            yield path
        if isinstance(current, list) and len(current) == 1:
            current = current[0]
        if isinstance(current, dict):
            stack += [((*path, key), item) for key, item in current.items()]
