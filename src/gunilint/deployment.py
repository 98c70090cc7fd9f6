"""What a project starts, and what each gunicorn in it really runs with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Literal, TypeAlias

from msgspec import Struct, field

from gunilint.application import Application, Frameworks, frameworks
from gunilint.catalogue import Catalogue, catalogue
from gunilint.catalogue.workers import WORKER_PACKAGES, Worker
from gunilint.command import Command, Label, Word
from gunilint.dependencies import Choice, Dependencies
from gunilint.discover import Tree
from gunilint.evaluate import Namespace
from gunilint.forking import Forked
from gunilint.options import CommandLine, OptionError
from gunilint.parse.systemd import Unit
from gunilint.paths import Place
from gunilint.signals import Signal
from gunilint.source import Problem, Source, Span
from gunilint.syntax import PythonConfig
from gunilint.values import Known, OneOf, Refused, Value

Origin = Literal["default", "environment", "config file", "GUNICORN_CMD_ARGS", "command line"]
"""Where a setting comes from, weakest first."""


class Setting(Struct, frozen=True):
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
    def is_none(self) -> bool:
        """Whether the value is known to be None."""
        return isinstance(self.value, Known) and self.value.value is None

    @property
    def assumes(self) -> tuple[str, ...]:
        """What the value rests on."""
        return () if isinstance(self.value, OneOf) else self.value.assumes


class Facts(Struct, frozen=True):
    """What is told of the target, as no file of a project says it; None where nobody tells.

    `app` is "asgi" or "wsgi", `cpus` the CPUs of the machine.
    """

    gunicorn_version: str | None = None
    python_version: str | None = None
    app: str | None = None
    cpus: int | None = None


NO_FACTS = Facts()


class Target(Struct, frozen=True):
    """The gunicorn version that is assumed, why, and the place that says so."""

    version: str
    why: str
    span: Span | None = None


class Launch(Struct, frozen=True):
    """One place that starts gunicorn or uvicorn.

    `chain` leads to it: the unit's directive, the line of each script, the command itself.
    `place` is where it starts and `folder` the likeliest of the place's folders. `target` is the
    gunicorn whose command line it is. `extra` is what `GUNICORN_CMD_ARGS` adds. `neighbours` are
    the other units of the project that have to do with `unit`.
    """

    server: str
    word: Word
    command: Command
    line: CommandLine
    chain: tuple[Label, ...]
    place: Place
    folder: str
    target: Target
    unit: Unit | None = None
    extra: CommandLine | None = None
    neighbours: tuple[Unit, ...] = ()

    @property
    def sockets(self) -> tuple[Unit, ...]:
        """The socket units that hand their sockets to the unit."""
        unit = self.unit
        return tuple(each for each in self.neighbours if unit and each.hands_sockets_to(unit))

    @property
    def activated(self) -> bool:
        """Whether a socket unit opens the sockets; one that the unit asks for may be elsewhere."""
        return bool(self.sockets) or (self.unit is not None and self.unit.wants_sockets())

    @property
    def entry(self) -> Span:
        """Where a default is to blame: the application's argument, or the server's name."""
        return self.line.app.span if self.line.app else self.word.span

    @property
    def errors(self) -> tuple[OptionError, ...]:
        """Why gunicorn refuses its arguments."""
        return (*self.line.errors, *(self.extra.errors if self.extra else ()))


class DevelopmentServer(Struct, frozen=True):
    """One place that starts a framework's development server: no gunicorn, and no settings.

    `word` is the subcommand or option that makes it one. `chain` leads to it.
    """

    word: Word
    command: Command
    chain: tuple[Label, ...]
    unit: Unit | None = None


Started: TypeAlias = Launch | DevelopmentServer
"""What units and scripts start."""


class Refusal(Struct, frozen=True):
    """Why gunicorn doesn't start: a value, an argument, or that there is no application.

    `status` is what it exits with, 1 or 2; `setting`, its `value` and their `origin` are None where
    it isn't about one.
    """

    span: Span
    reason: str
    status: int
    setting: str | None = None
    value: Refused | None = None
    origin: Origin | None = None
    assumes: tuple[str, ...] = ()


class ConfigFile(Struct, frozen=True):
    """A config file as a deployment evaluates it."""

    document: PythonConfig
    namespace: Namespace

    @property
    def source(self) -> Source:
        """Its text."""
        return self.document.source


class Reload(Struct, frozen=True):
    """A command that makes gunicorn reload by SIGHUP, or systemd reload a unit.

    `unit` is the unit's name for `systemctl reload`, None for a signal sent by hand.
    """

    span: Span
    unit: str | None


class Deployment(Struct, frozen=True, dict=True):
    """One gunicorn: how it is started, and what it runs with.

    `launch` is None for a config file that no launch in sight uses. `settings` has every setting
    of the targeted gunicorn, `worker` is None where the worker class isn't one that is known.
    `missing` says why the config file isn't known. `app_span` is where the application is named.
    `forked` is what the master hands on to its workers.
    `reloads` are the commands that reload it, `dependencies` what the project depends on, `cpus`
    the CPUs of its machine, where these are told.
    `development` says that its files' names speak of development or tests.
    """

    target: Target
    settings: Mapping[str, Setting]
    launch: Launch | None = None
    config: ConfigFile | None = None
    app: Application | None = None
    app_span: Span | None = None
    worker: Worker | None = None
    forked: Forked = field(default_factory=Forked)
    reloads: tuple[Reload, ...] = ()
    dependencies: Dependencies = field(default_factory=Dependencies)
    development: bool = False
    missing: str | None = None
    cpus: int | None = None

    @property
    def catalogue(self) -> Catalogue:
        """What the targeted gunicorn has."""
        return catalogue(self.target.version)

    @property
    def frameworks(self) -> Frameworks:
        """The frameworks among what the project depends on."""
        return frameworks(self.dependencies.names)

    @property
    def packages(self) -> dict[str, Choice]:
        """The packages of workers that the project pins or locks."""
        found = {name: self.dependencies.choose(name, ()) for name in WORKER_PACKAGES}
        return {name: choice for name, choice in found.items() if choice is not None}

    @property
    def entry(self) -> Span:
        """Where a default is to blame: the launch, or the first line of a config without one."""
        if self.launch is not None:
            return self.launch.entry
        assert self.config is not None
        return self.config.source.first_line()

    @cached_property
    def refusals(self) -> tuple[Refusal, ...]:
        """Everything for which gunicorn refuses to start: one is enough."""
        return tuple(_refusals(self))

    def place(self, setting: Setting) -> Span:
        """Where a setting has to change: its value, or `entry` for a default."""
        return setting.span or self.entry


def _refusals(deployment: Deployment) -> Iterator[Refusal]:
    launch = deployment.launch
    if launch is not None:
        for error in launch.errors:
            yield Refusal(error.span, error.reason, error.status)
    failure = deployment.config.namespace.failure if deployment.config else None
    if failure is not None:
        yield Refusal(failure.span, failure.reason, 1, assumes=failure.assumes)
    for setting in deployment.settings.values():
        for source in (setting, *setting.overridden):
            value = source.value
            if isinstance(value, Refused):
                yield Refusal(
                    span=deployment.place(source),
                    reason=value.reason,
                    status=value.status,
                    setting=setting.name,
                    value=value,
                    origin=source.origin,
                    assumes=value.assumes,
                )
    if launch is not None and launch.server == "gunicorn" and launch.line.app is None:
        named = deployment.settings.get("wsgi_app")
        paste = deployment.settings["paste"]
        if launch.line.open is None and paste.is_none and (named is None or named.is_none):
            status = 1 if deployment.catalogue.at_least("20.1.0") else 2
            yield Refusal(launch.entry, "it is given no application", status)


class Project(Struct, frozen=True, dict=True):
    """Everything below one root that gunilint looks at.

    `inputs` are the files that were asked for, `files` those that were looked at.
    """

    tree: Tree
    deployments: tuple[Deployment, ...]
    units: tuple[Unit, ...]
    reloads: tuple[Reload, ...]
    problems: tuple[Problem, ...]
    development_servers: tuple[DevelopmentServer, ...] = ()
    """Development servers in production."""
    signals: tuple[Signal, ...] = ()
    files: frozenset[str] = field(default_factory=frozenset)
    inputs: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def complete(self) -> bool:
        """Whether nothing that may belong to its deployments was left out or couldn't be read.

        Only then is what isn't found gone.
        """
        if any(problem.kind not in _HARMLESS for problem in self.problems):
            return False
        names = {path.rpartition("/")[2] for path in self.files}

        def matters(path: str) -> bool:
            if path in self.inputs or path in self.files:
                return False
            kind = self.tree.kind(path)
            file = self.tree.file(path) if kind else None
            if file is None:
                return False
            mentions = any(name in file.source.text for name in names)
            return kind == "unit" or file.serves or file.signals or mentions

        return not any(matters(path) for path in self.tree.listing())


_HARMLESS = ("encoding", "ignored")
"""Problems of files that are read and understood all the same."""
