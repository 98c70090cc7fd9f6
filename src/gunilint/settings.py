"""Merging the sources of a deployment's settings, weakest first, as gunicorn does.

The order is that of `Application.load_config`: defaults and their environment variables, the
config file, `GUNICORN_CMD_ARGS`, the command line.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct, field
from msgspec.structs import replace

from gunilint.catalogue import Catalogue, SettingInfo
from gunilint.command import Word
from gunilint.deployment import Origin, Setting
from gunilint.evaluate import CONFIG_DIRECTORY, Namespace
from gunilint.interpret import SCRIPT_DIRECTORY
from gunilint.options import CommandLine, OptionError, OptionUse
from gunilint.options import read as read_options
from gunilint.process import Process
from gunilint.source import Fragment, Span
from gunilint.validate import default, from_command_line, from_environment, validated
from gunilint.values import Environment, Known, OneOf, Refused, Unknown, Value, with_assumptions


class Sources(Struct, frozen=True):
    """Where a deployment's settings come from, weakest first.

    `missing` says why the config file isn't known, `assumes` what the choice of the file rests
    on. `extra` is what `GUNICORN_CMD_ARGS` says and `line` the command line, None where no
    launch is in sight.
    """

    process: Process = field(default_factory=Process)
    environment: Environment = field(default_factory=dict)
    config: Namespace | None = None
    missing: str | None = None
    extra: CommandLine | None = None
    line: CommandLine | None = None
    assumes: tuple[str, ...] = ()


def effective(catalogue: Catalogue, sources: Sources) -> dict[str, Setting]:
    """Every setting that the catalogue has, with its effective value."""
    config, line = sources.config, sources.line
    merged = _Merged(_defaults(catalogue, sources))
    if line is not None and line.app is not None:
        merged.put("default_proc_name", line.app.value, "command line", line.app.span)
    if sources.missing is not None:
        merged.lose(sources.missing)
    if config is not None:
        if config.open is not None:
            merged.lose(config.open)
        for name, binding in config.bindings.items():
            info = catalogue.settings.get(name)
            if info is not None:
                value = with_assumptions(validated(info, binding.value), sources.assumes)
                merged.put(name, value, "config file", binding.span)
        for name, assumes in config.unset.items():
            merged.assume(name, assumes)
    if sources.extra is not None:
        merged.put_all(sources.extra, "GUNICORN_CMD_ARGS")
    if line is not None:
        merged.put_all(line, "command line")
    return merged.settings


def on_the_machine(
    settings: Mapping[str, Setting], process: Process, config_folder: str | None
) -> dict[str, Setting]:
    """Settings with the machine's own paths in place of those below the project's folders.

    `config_folder` is the config file's, None where it isn't known.
    """
    start = process.directory.value if isinstance(process.directory, Known) else None
    return {name: _placed(setting, start, config_folder) for name, setting in settings.items()}


def _placed(setting: Setting, start: object, config_folder: str | None) -> Setting:
    if setting.origin == "default" and setting.name != "chdir":
        return setting
    value = setting.value
    if isinstance(value, Known) and _mentions_folder(value.value):
        if config_folder is None or SCRIPT_DIRECTORY in repr(value.value):
            value = Unknown("it depends on where the project lies", assumes=value.assumes)
        else:
            value = replace(value, value=_replaced(value.value, config_folder))
    if setting.name == "chdir" and isinstance(value, Known):
        value = _below(start, value)
    overridden = tuple(_placed(each, start, config_folder) for each in setting.overridden)
    if value is setting.value and overridden == setting.overridden:
        return setting
    return replace(setting, value=value, overridden=overridden)


def _below(start: object, value: Known) -> Value:
    """A directory as gunicorn keeps it: below the one in which it was started."""
    path = str(value.value)
    if path.startswith("/"):
        return value
    if not isinstance(start, str):
        return Unknown("it is below where gunicorn is started", assumes=value.assumes)
    return replace(value, value=posixpath.normpath(posixpath.join(start, path)))


def _mentions_folder(value: object) -> bool:
    if isinstance(value, str):
        return CONFIG_DIRECTORY in value or SCRIPT_DIRECTORY in value
    if isinstance(value, dict):
        return any(map(_mentions_folder, (*value, *value.values())))
    return isinstance(value, list | tuple) and any(map(_mentions_folder, value))


def _replaced(value: object, folder: str) -> object:
    if isinstance(value, str):
        return value.replace(CONFIG_DIRECTORY, folder)
    if isinstance(value, dict):
        return {_replaced(key, folder): _replaced(item, folder) for key, item in value.items()}
    return [_replaced(item, folder) for item in value] if isinstance(value, list | tuple) else value


def extra_arguments(environment: Environment, catalogue: Catalogue) -> CommandLine | None:
    """What `GUNICORN_CMD_ARGS` says, where the deployment sets it; it can name no application."""
    value = environment.get("GUNICORN_CMD_ARGS")
    if value is None:
        return None
    if not isinstance(value, Known) or not isinstance(value.value, str) or not value.via:
        return CommandLine(None, (), (), open="`GUNICORN_CMD_ARGS` isn't known")
    import shlex

    try:
        texts = shlex.split(value.value)
    except ValueError:
        error = OptionError(value.via[0], "`GUNICORN_CMD_ARGS` has an open quote", status=1)
        return CommandLine(None, (), (error,))
    return replace(read_options(_words(texts, value), catalogue), app=None)


class _Merged:
    """The settings so far, strongest source on top."""

    def __init__(self, settings: dict[str, Setting]) -> None:
        self.settings = settings

    def put(self, name: str, value: Value, origin: Origin, span: Span) -> None:
        below = self.settings[name]
        beaten = () if below.span is None else (below, *below.overridden)
        self.settings[name] = Setting(name, value, origin, span, beaten)

    def put_all(self, line: CommandLine, origin: Origin) -> None:
        if line.open is not None:
            self.lose(line.open)
        for name, value, span in _from_options(line):
            self.put(name, value, origin, span)

    def assume(self, name: str, assumes: tuple[str, ...]) -> None:
        """That nothing has set a setting so far rests on something."""
        setting = self.settings.get(name)
        if setting is not None:
            value = with_assumptions(setting.value, assumes)
            self.settings[name] = replace(setting, value=value)

    def lose(self, reason: str) -> None:
        """Something that can't be seen may set anything."""
        for name, setting in self.settings.items():
            self.settings[name] = replace(setting, value=Unknown(reason))


def _defaults(catalogue: Catalogue, sources: Sources) -> dict[str, Setting]:
    """All settings as they are where at most the environment sets any."""
    assumes = sources.assumes
    if sources.line is None:
        assumes = (*assumes, "no command line sets it")
    own = _own_defaults(catalogue, assumes)
    return {
        name: own.get(name) or _default(info, sources, assumes)
        for name, info in catalogue.settings.items()
    }


@lru_cache(maxsize=64)
def _own_defaults(catalogue: Catalogue, assumes: tuple[str, ...]) -> Mapping[str, Setting]:
    """The settings whose default is gunicorn's own."""
    return {
        name: Setting(name, Known(default(info), assumes), "default")
        for name, info in catalogue.settings.items()
        if not info.machine and info.environment is None
    }


def _default(info: SettingInfo, sources: Sources, assumes: tuple[str, ...]) -> Setting:
    """A setting whose default the machine or the environment decides."""
    if info.machine:
        value = sources.process.default(info.name)
        return Setting(info.name, with_assumptions(value, assumes), "default")
    given = sources.environment.get(info.environment or "")
    if given is None:
        assumes = (*assumes, f"{info.environment} is unset")
        return Setting(info.name, Known(default(info), assumes), "default")
    span = given.via[0] if not isinstance(given, OneOf) and given.via else None
    if isinstance(given, Known) and info.name == "bind":
        given = replace(given, value=[f"0.0.0.0:{given.value}"])
    value = validated(info, from_environment(info, given))
    return Setting(info.name, value, "environment", span)


def _from_options(line: CommandLine) -> Iterator[tuple[str, Value, Span]]:
    """The settings of a command line; the last use of an option wins, lists grow."""
    uses: dict[str, list[OptionUse]] = {}
    for use in line.options:
        uses.setdefault(use.setting.name, []).append(use)
    for name, found in uses.items():
        info = found[-1].setting
        values = [from_command_line(info, use.value) for use in found]
        if info.action == "append":
            values = [_joined(found)]
        # argparse looks at each use, and the last one counts
        value = next((each for each in values if isinstance(each, Refused)), values[-1])
        yield name, validated(info, value), found[-1].span


def _joined(uses: Sequence[OptionUse]) -> Value:
    values = [use.value for use in uses if isinstance(use.value, Known)]
    if len(values) < len(uses):
        return Unknown("one of its items isn't known")
    assumes = tuple(dict.fromkeys(text for value in values for text in value.assumes))
    return Known([value.value for value in values], assumes)


def _words(texts: Sequence[str], variable: Known) -> list[Word]:
    """Words of a variable's value, each at its own place where the value is written plainly."""
    words = []
    position = 0
    span = variable.via[0]
    written = span.text
    for text in texts:
        value = Known(text, variable.assumes)
        at = written.find(text, position)
        if at < 0:
            words.append(Word(value, span))
            continue
        position = at + len(text)
        start = span.start + at
        fragment = Fragment(span.source, text, tuple(range(start, start + len(text))))
        words.append(Word(value, fragment.span(), fragment))
    return words
