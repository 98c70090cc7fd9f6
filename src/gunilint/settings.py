"""Merging the sources of a deployment's settings, weakest first, as gunicorn does.

The order is that of `Application.load_config`: defaults and their environment variables, the
config file, `GUNICORN_CMD_ARGS`, the command line.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace

from gunilint.catalogue import Catalogue, SettingInfo
from gunilint.command import Word
from gunilint.deployment import Origin, Setting
from gunilint.evaluate import Namespace
from gunilint.options import CommandLine, OptionUse
from gunilint.options import read as read_options
from gunilint.source import Fragment, Span
from gunilint.validate import from_command_line, validated
from gunilint.values import Environment, Known, Symbolic, Unknown, Value, with_assumptions


def effective(
    catalogue: Catalogue,
    environment: Environment,
    config: Namespace | None,
    missing: str | None,
    extra: CommandLine | None,
    line: CommandLine | None,
    assumes: tuple[str, ...] = (),
) -> dict[str, Setting]:
    """Every setting that the catalogue has, with its effective value.

    `missing` says why the config file isn't known, `assumes` what the choice of the file rests
    on. `extra` is what `GUNICORN_CMD_ARGS` says and
    `line` the command line, None where no launch is in sight.
    """
    merged = _Merged(
        {
            name: _default(info, environment, launched=line is not None, assumes=assumes)
            for name, info in catalogue.settings.items()
        }
    )
    if missing is not None:
        merged.lose(missing)
    if config is not None:
        if config.open is not None:
            merged.lose(config.open)
        for name, binding in config.bindings.items():
            info = catalogue.settings.get(name)
            if info is not None:
                value = with_assumptions(validated(info, binding.value), assumes)
                merged.put(name, value, "config file", binding.span)
    if extra is not None:
        merged.put_all(extra, "GUNICORN_CMD_ARGS")
    if line is not None:
        merged.put_all(line, "command line")
    return merged.settings


def extra_arguments(environment: Environment, catalogue: Catalogue) -> CommandLine | None:
    """What `GUNICORN_CMD_ARGS` says, where the deployment sets it; it can name no application."""
    value = environment.get("GUNICORN_CMD_ARGS")
    if value is None:
        return None
    if not isinstance(value, Known) or not isinstance(value.value, str) or not value.via:
        return CommandLine(None, (), (), open="`GUNICORN_CMD_ARGS` isn't known")
    try:
        texts = shlex.split(value.value)
    except ValueError:
        return CommandLine(None, (), (), open="`GUNICORN_CMD_ARGS` has an open quote")
    return replace(read_options(_words(texts, value.via[0]), catalogue), app=None)


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

    def lose(self, reason: str) -> None:
        """Something that can't be seen may set anything."""
        for name, setting in self.settings.items():
            self.settings[name] = replace(setting, value=Unknown(reason))


def _default(
    info: SettingInfo, environment: Environment, *, launched: bool, assumes: tuple[str, ...]
) -> Setting:
    """A setting that at most the environment sets."""
    if not launched:
        assumes = (*assumes, "no command line sets it")
    given = environment.get(info.environment) if info.environment else None
    if given is None:
        if info.environment is not None:
            assumes = (*assumes, f"{info.environment} is unset")
        return Setting(info.name, validated(info, Known(info.default, assumes)), "default")
    span = given.via[0] if isinstance(given, Known | Symbolic) and given.via else None
    if isinstance(given, Known) and info.name == "bind":
        given = replace(given, value=[f"0.0.0.0:{given.value}"])
    return Setting(info.name, validated(info, given), "environment", span)


def _from_options(line: CommandLine) -> Iterator[tuple[str, Value, Span]]:
    """The settings of a command line; the last use of an option wins, lists grow."""
    uses: dict[str, list[OptionUse]] = {}
    for use in line.options:
        uses.setdefault(use.setting.name, []).append(use)
    for name, found in uses.items():
        info = found[-1].setting
        value = found[-1].value if info.action != "append" else _joined(found)
        yield name, validated(info, from_command_line(info, value)), found[-1].span


def _joined(uses: Sequence[OptionUse]) -> Value:
    values = [use.value for use in uses if isinstance(use.value, Known)]
    if len(values) < len(uses):
        return Unknown("one of its items isn't known")
    assumes = tuple(dict.fromkeys(text for value in values for text in value.assumes))
    return Known([value.value for value in values], assumes)


def _words(texts: Sequence[str], span: Span) -> list[Word]:
    """Words of a variable's value, each at its own place where the value is written plainly."""
    words = []
    position = 0
    written = span.text
    for text in texts:
        at = written.find(text, position)
        if at < 0:
            words.append(Word(Known(text), span))
            continue
        position = at + len(text)
        start = span.start + at
        fragment = Fragment(span.source, text, tuple(range(start, start + len(text))))
        words.append(Word(Known(text), fragment.span(), fragment))
    return words
