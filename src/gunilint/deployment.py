"""What a project starts, and what each gunicorn in it really runs with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gunilint.application import Application, Frameworks
from gunilint.catalogue import Catalogue
from gunilint.catalogue.workers import Worker
from gunilint.command import Command, Label, Word
from gunilint.discover import Tree
from gunilint.evaluate import Namespace
from gunilint.options import CommandLine, OptionError
from gunilint.parse.systemd import Unit
from gunilint.paths import Place
from gunilint.source import Problem, Source, Span
from gunilint.values import Known, Symbolic, Value

Origin = Literal["default", "environment", "config file", "GUNICORN_CMD_ARGS", "command line"]
"""Where a setting comes from, weakest first."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting with its effective value.

    `span` is the value's place, None for a default; `overridden` are the weaker sources that
    set it too, strongest first.
    """

    name: str
    value: Value
    origin: Origin
    span: Span | None = None
    overridden: tuple[Setting, ...] = ()

    @property
    def known(self) -> object:
        """The plain value, or None where it isn't known to be a single one."""
        return self.value.value if isinstance(self.value, Known) else None

    @property
    def assumes(self) -> tuple[str, ...]:
        """What the value rests on."""
        return self.value.assumes if isinstance(self.value, Known | Symbolic) else ()


@dataclass(frozen=True, slots=True)
class Launch:
    """One place that starts gunicorn or uvicorn.

    `chain` leads to it: the unit's directive, the line of each script, the command itself.
    `place` is where it starts and `folder` the likeliest of the place's folders. `extra` is what
    `GUNICORN_CMD_ARGS` adds.
    """

    server: str
    word: Word
    command: Command
    line: CommandLine
    chain: tuple[Label, ...]
    place: Place
    folder: str
    unit: Unit | None = None
    extra: CommandLine | None = None

    @property
    def entry(self) -> Span:
        """Where a default is to blame: the application's argument, or the server's name."""
        return self.line.app.span if self.line.app else self.word.span

    @property
    def errors(self) -> tuple[OptionError, ...]:
        """Why gunicorn refuses its arguments."""
        return (*self.line.errors, *(self.extra.errors if self.extra else ()))


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A config file as a deployment evaluates it."""

    source: Source
    namespace: Namespace


@dataclass(frozen=True, slots=True)
class Reload:
    """A command that makes gunicorn reload by SIGHUP, or systemd reload a unit.

    `unit` is the unit's name for `systemctl reload`, None for a signal sent by hand.
    """

    span: Span
    unit: str | None

    def names(self, unit: Unit) -> bool:
        """Whether it reloads `unit`; an instance `app@1.service` is its template's."""
        if self.unit is None:
            return False
        stem, at, rest = self.unit.partition("@")
        template = f"{stem}@.{rest.rpartition('.')[2]}" if at else self.unit
        return unit.name in (self.unit, template)


@dataclass(frozen=True, slots=True)
class Deployment:
    """One gunicorn: how it is started, and what it runs with.

    `launch` is None for a config file that no launch in sight uses. `settings` has every setting
    of the targeted gunicorn, `worker` is None where the worker class isn't one that is known.
    `reloads` are the commands that reload it, `frameworks` what the project depends on.
    `development` says that its files' names speak of development or tests.
    """

    catalogue: Catalogue
    settings: Mapping[str, Setting]
    launch: Launch | None = None
    config: ConfigFile | None = None
    app: Application | None = None
    app_span: Span | None = None
    worker: Worker | None = None
    reloads: tuple[Reload, ...] = ()
    frameworks: Frameworks = field(default_factory=Frameworks)
    development: bool = False

    @property
    def entry(self) -> Span:
        """Where a default is to blame: the launch, or the first line of a config without one."""
        if self.launch is not None:
            return self.launch.entry
        assert self.config is not None
        return self.config.source.first_line()

    def place(self, setting: Setting) -> Span:
        """Where a setting has to change: its value, or `entry` for a default."""
        return setting.span or self.entry


@dataclass(frozen=True)
class Project:
    """Everything below one root that gunilint looks at."""

    tree: Tree
    catalogue: Catalogue
    deployments: tuple[Deployment, ...]
    units: tuple[Unit, ...]
    reloads: tuple[Reload, ...]
    problems: tuple[Problem, ...]
    files: frozenset[str] = field(default_factory=frozenset)
    """The files that were looked at."""
