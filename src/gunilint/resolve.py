"""From a project's files to its deployments."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import cached_property

from msgspec.structs import replace

from gunilint import paths
from gunilint.application import Application, foreign_bases, inspect
from gunilint.catalogue import catalogue
from gunilint.catalogue.workers import Worker, find_worker, workers
from gunilint.dependencies import Dependencies, dependencies
from gunilint.deployment import (
    NO_FACTS,
    ConfigFile,
    Deployment,
    DevelopmentServer,
    Facts,
    Launch,
    Project,
    Reload,
    Started,
    Target,
)
from gunilint.discover import Kind, Tree, normalise, starting
from gunilint.evaluate import CONFIG_DIRECTORY, Namespace, evaluate
from gunilint.files import Files, Parse, parse_config
from gunilint.follow import Follower
from gunilint.forking import Forked, forked
from gunilint.interpret import SCRIPT_DIRECTORY
from gunilint.options import CommandLine
from gunilint.parse import systemd
from gunilint.parse.dotenv import parse as parse_dotenv
from gunilint.parse.systemd import Unit, meant
from gunilint.paths import Place
from gunilint.process import started
from gunilint.progress import Track, untracked
from gunilint.regex import regex
from gunilint.settings import Sources, effective, extra_arguments, on_the_machine
from gunilint.source import Problem, Source, Span
from gunilint.syntax import PythonConfig
from gunilint.values import Environment, Known, Value
from gunilint.versions import latest, releases

_DEVELOPMENT = regex(
    r"(^|[^a-z])(dev|devel|development|(?<!usr/)local|tests?|testing|bench|benchmarks?|examples?)"
    r"([^a-z]|$)"
)
"""Words in a path that say that it isn't for production."""

_PRODUCTION = regex(r"(^|[^a-z])prod(uction)?([^a-z]|$)")
"""Words in a path that say that it is for production."""
_UNIT = regex(r"\.(service|socket|target|timer)$")
_FILE_NAME = regex(r"[^\s/\"'`$(){};|&<>=]+")
_UNIT_WORD = regex(r"[\w:.@\\-]+")
"""What may be the name of a unit."""

_DEBUGGING = regex(r"debug|(^|[^a-z])(dev|devel|development|local)([^a-z]|$)")
"""Words in the condition of a branch that say so."""


_SERVERS = 20
"""The servers of one script or unit that are looked at."""

_UNIT_FOLDERS = ("lib", "usr/lib", "usr/local/lib", "run", "etc")
_UNIT_FOLDER = regex(
    r"(?P<root>(?:[^/]+/)*?)(?:etc|run|(?:usr/(?:local/)?)?lib)(?P<rest>/systemd/(?:system|user)/[^/]+)$"
)
"""The path of a unit in a folder in which systemd looks for units."""


def resolve(
    tree: Tree,
    inputs: Mapping[str, Kind],
    facts: Facts = NO_FACTS,
    track: Track = untracked,
    parse: Parse = parse_config,
) -> Project:
    """Work out every deployment of the input files: their root-relative paths and kinds.

    Without a gunicorn version among the facts the project's dependencies say it. `parse` reads
    configs.
    """
    return _Resolver(tree, facts, track, parse).run(inputs)


class _Targets:
    """The gunicorn of each folder, as it is told, or as what the folder depends on says."""

    def __init__(self, tree: Tree, facts: Facts) -> None:
        self._tree = tree
        self._told = facts.gunicorn_version
        self._dependencies: dict[str, Dependencies] = {}

    def of(self, folder: str) -> Target:
        """The gunicorn of a deployment in a folder."""
        if self._told is not None:
            return Target(self._told, "as asked for")
        chosen = self.dependencies(folder).choose("gunicorn", releases())
        if chosen is not None:
            return Target(chosen.version, chosen.why, chosen.span)
        return Target(latest(), "the newest that gunilint knows, as nothing says which")

    def dependencies(self, folder: str) -> Dependencies:
        """What the deployments of a folder depend on."""
        if folder not in self._dependencies:
            self._dependencies[folder] = dependencies(self._tree, folder)
        return self._dependencies[folder]


class _Resolver:
    """One run over a project; it remembers what it has parsed and followed."""

    def __init__(self, tree: Tree, facts: Facts, track: Track, parse: Parse) -> None:
        self.tree = tree
        self.facts = facts
        self.track = track
        self.files = Files(tree, parse)
        self.targets = _Targets(tree, facts)
        self.follower = Follower(self.files, self.targets.of)
        self.applications: dict[tuple[str, tuple[str, ...]], Application] = {}
        self.used_configs: set[str] = set()
        self._units: dict[str, Unit] = {}
        self._forked: dict[tuple[str | None, str, tuple[str, ...]], Forked] = {}

    def run(self, inputs: Mapping[str, Kind]) -> Project:
        def of(kind: Kind) -> list[str]:
            return sorted(path for path, its_kind in inputs.items() if its_kind == kind)

        units = self.units(of("unit"))
        servers = [
            replace(each, neighbours=neighbours) if isinstance(each, Launch) else each
            for unit in self.track(units, "Following units")
            for neighbours in [self.neighbours(unit)]
            for each in self.some(self.follower.from_unit(unit))
        ]
        servers += self.from_scripts(of("script"))
        launches = [each for each in servers if isinstance(each, Launch)]
        launched = [self.launched(each) for each in self.track(launches, "Working out settings")]
        deployments = list(_without_repetitions(launched))
        development = [each for each in servers if isinstance(each, DevelopmentServer)]
        for path in self.track(of("config"), "Reading configs"):
            if path not in self.used_configs:
                deployments.extend(self.unlaunched(path))
        reloads = tuple(self.follower.reloads)
        return Project(
            tree=self.tree,
            deployments=_with_reloads(deployments, reloads),
            units=tuple(units),
            reloads=reloads,
            problems=self.files.problems,
            development_servers=tuple(each for each in development if _is_in_production(each)),
            signals=tuple(self.follower.signals),
            files=frozenset(self.files.seen),
            inputs=frozenset(inputs),
        )

    # launches

    def units(self, found: Sequence[str]) -> list[Unit]:
        """The units among the input files, each with the drop-ins beside it."""
        units = []
        mains = dict.fromkeys(self.main_of(path) for path in found)
        for main in self.track(tuple(mains), "Reading units"):
            unit = self.unit(main)
            paths_read = [source.path for source in unit.sources]
            read = [file for path in paths_read if (file := self.tree.file(path))]
            speaks = any(file.serves or file.develops for file in read)
            if not speaks and not self.follower.starts_a_script(unit):
                continue
            for path in paths_read:
                self.files.text(path)
            if self.tree.read(main) is not None:
                self.files.report(unit.problems)
                units.append(unit)
        return units

    def main_of(self, path: str) -> str:
        """The unit that a file belongs to: itself, or for a drop-in the unit of its folder."""
        folder, _, name = path.rpartition("/")
        if not name.endswith(".conf"):
            return path
        main = folder.removesuffix(".d")
        return next((each for each in _search_path(main) if self.tree.is_file(each)), main)

    def unit(self, main: str) -> Unit:
        """The unit of a file, with its drop-ins."""
        if main not in self._units:
            self._units[main] = self._unit(main)
        return self._units[main]

    def _unit(self, main: str) -> Unit:
        folders = (f"{place}.d" for place in _search_path(main))
        dropins = [path for folder in folders for path in self.tree.within(folder)]
        return systemd.parse(
            self.tree.read(main) or Source(main, ""),
            posixpath.basename(main),
            [source for source in map(self.tree.read, dropins) if source is not None],
        )

    def neighbours(self, unit: Unit) -> tuple[Unit, ...]:
        """The units that name `unit`, and the socket of its name.

        Where the project has several units of this name, such as one for each environment, only
        those in its own folder count.
        """
        stem = unit.name.removesuffix(".service")
        naming: Sequence[str] = self.naming.get(stem, ())
        sockets: Sequence[str] = self.tree.ending(f"{stem}.socket")
        if len(self.tree.ending(unit.name)) > 1:
            folder = posixpath.dirname(unit.source.path)
            naming, sockets = _right_in(folder, naming), _right_in(folder, sockets)
        return tuple(self.unit(path) for path in sorted({*naming, *sockets} - {unit.source.path}))

    @cached_property
    def naming(self) -> Mapping[str, Sequence[str]]:
        """The units by each name in their texts, with and without what follows its `@` and dot."""
        naming: dict[str, list[str]] = {}
        for path in self.tree.matching(_UNIT):
            source = self.tree.read(path)
            for word in set(_UNIT_WORD.findall(source.text)) if source is not None else ():
                stem, at, _ = word.partition("@")
                for name in {word, word.rpartition(".")[0], stem + at}:
                    naming.setdefault(name, []).append(path)
        return naming

    def from_scripts(self, found: Sequence[str]) -> list[Started]:
        """The servers of the scripts that nothing else in the project starts."""
        servers: dict[str, list[Started]] = {}
        files = {path: file for path in found if (file := self.tree.file(path)) is not None}
        serving = {posixpath.basename(path) for path, file in files.items() if file.serves}
        for path, file in self.track(tuple(files.items()), "Following scripts"):
            if path in self.follower.followed:
                continue
            develops = file.develops and _PRODUCTION.search(path.lower())
            if file.serves or file.signals or develops or _calls(file.source, serving):
                seen, self.files.seen = self.files.seen, set()
                servers[path] = list(self.some(self.follower.from_script(path)))
                if servers[path] or file.problem is not None:
                    seen |= self.files.seen
                self.files.seen = seen
        return [
            each
            for path, of_script in servers.items()
            if path not in self.follower.followed
            for each in of_script
        ]

    def some(self, started: Iterable[Started]) -> Iterator[Started]:
        """What a unit or a script starts, up to a number that nobody writes by hand."""
        for number, each in enumerate(started):
            if number == _SERVERS:
                span = each.word.span
                reason = f"only the first {_SERVERS} servers that it starts are looked at"
                self.files.report([Problem(span, reason, "size")])
                return
            yield each

    # deployments

    def launched(self, launch: Launch) -> Deployment:
        """What a launch runs with."""
        if launch.server != "gunicorn":
            return Deployment(launch.target, {}, launch=launch)
        environment = launch.command.environment
        known = catalogue(launch.target.version)
        extra = extra_arguments(environment, known)
        launch = replace(launch, extra=extra)
        config, missing = self.find_config(launch)
        namespace = config.namespace if config else None
        option = _config_option(launch.line) or _config_option(extra)
        assumes = option.assumes if isinstance(option, Known) else ()
        process = started(launch)
        sources = Sources(process, environment, namespace, missing, extra, launch.line, assumes)
        settings = effective(known, sources)
        folders: tuple[str, ...] = (launch.folder,)
        chdir = settings["chdir"].known
        if isinstance(chdir, str):
            changed = paths.change(Place(launch.place.text, folders), chdir, None, self.tree)
            folders = (*changed.folders, launch.folder)
        settings = on_the_machine(settings, process, _config_folder(launch, option))
        deployment = Deployment(
            launch.target, settings, launch=launch, config=config, missing=missing
        )
        return self.complete(deployment, folders)

    def unlaunched(self, path: str) -> Iterator[Deployment]:
        """The config file at `path`, if it is one, as a deployment with an unknown launch."""
        document = self.files.config(path)
        if document is None:
            return
        if document.problems:
            # nginx, supervisord and upstart have files called gunicorn.conf too
            if path.endswith(".py"):
                self.files.report(document.problems)
            else:
                self.files.seen.discard(path)
            return
        folders = ("", posixpath.dirname(path))
        namespace = self.namespace(document, {}, folders)
        target = self.targets.of(posixpath.dirname(path))
        known = catalogue(target.version)
        meant = {*known.settings, *known.others, *known.spellings}
        if meant.isdisjoint(namespace.bindings):
            self.files.seen.discard(path)
            return
        settings = effective(known, Sources(config=namespace))
        config = ConfigFile(document, namespace)
        yield self.complete(Deployment(target, settings, config=config), folders)

    def complete(self, deployment: Deployment, folders: tuple[str, ...]) -> Deployment:
        """`deployment` with its application, its worker and whether it is for development."""
        settings = deployment.settings
        pythonpath = settings["pythonpath"].known
        extra = pythonpath.split(",") if isinstance(pythonpath, str) else []
        search = tuple(dict.fromkeys((*folders, *extra, "src", "")))
        word = deployment.launch.line.app if deployment.launch else None
        wsgi_app = settings.get("wsgi_app")
        spec = word.text if word else wsgi_app.known if wsgi_app else None
        span = word.span if word else wsgi_app.span if wsgi_app else None
        return replace(
            deployment,
            app_span=span,
            app=self.application(spec, search) if isinstance(spec, str) else None,
            cpus=self.facts.cpus,
            worker=self.worker(deployment, search),
            forked=self.forked(deployment, spec, search),
            dependencies=self.targets.dependencies(folders[0]),
            development=_is_for_development(deployment),
        )

    def application(self, spec: str, folders: tuple[str, ...]) -> Application:
        key = (spec, folders)
        if key not in self.applications:
            self.applications[key] = inspect(spec, folders, self.tree)
        app = self.applications[key]
        if app.module is not None:
            self.files.seen.add(app.module.path)
        if app.kind is None and self.facts.app is not None:
            return replace(app, kind=self.facts.app, why="the configuration says so")
        return app

    def forked(self, deployment: Deployment, spec: object, folders: tuple[str, ...]) -> Forked:
        """What the workers inherit: of the application `spec` only where it is preloaded."""
        preload = deployment.settings.get("preload_app")
        is_preloaded = preload is not None and preload.known is True
        preloaded = spec if is_preloaded and isinstance(spec, str) else None
        config = deployment.config.source if deployment.config else None
        key = (preloaded, config.path if config else "", folders)
        if key not in self._forked:
            self._forked[key] = forked(preloaded, config, folders, self.tree)
        return self._forked[key]

    def worker(self, deployment: Deployment, folders: Sequence[str]) -> Worker | None:
        """The family of the worker class; a class of the project is of its base's."""
        settings, version = deployment.settings, deployment.target.version
        value = settings["worker_class"].known
        if not isinstance(value, str):
            return None
        names = (value, *foreign_bases(value, folders, self.tree)) if "." in value else (value,)
        families = (find_worker(name, version) for name in names)
        worker = next((family for family in families if family is not None), None)
        threads = settings["threads"].known
        if worker and worker.name == "sync" and isinstance(threads, int) and threads > 1:
            return workers(version)["gthread"]
        return worker

    # config files

    def find_config(self, launch: Launch) -> tuple[ConfigFile | None, str | None]:
        """The config file of a launch, or why what it says can't be told."""
        value = _config_option(launch.line) or _config_option(launch.extra)
        if value is None:
            path = posixpath.join(launch.folder, "gunicorn.conf.py")
            starts_elsewhere = launch.place.text == "/"
            if starts_elsewhere or self.tree.file(path) is None:
                return None, None
            return self.load_config(path, launch)
        if not isinstance(value, Known) or not isinstance(value.value, str):
            return None, "the path of its config file isn't known"
        text = value.value.removeprefix("file:")
        if text.startswith("python:"):
            text = text.removeprefix("python:").replace(".", "/") + ".py"
        if text == "/dev/null":
            return None, None
        script = launch.word.span.source.path
        place = Place(launch.place.text, (launch.folder,))
        found = paths.locate(text, place, script, self.tree)
        if found is None:
            return None, f"`{text}` isn't in the project"
        return self.load_config(found, launch)

    def load_config(self, path: str, launch: Launch) -> tuple[ConfigFile | None, str | None]:
        self.used_configs.add(path)
        document = self.files.config(path)
        if document is not None:
            self.files.report(document.problems)
        if document is None or document.problems:
            return None, f"`{path}` can't be read"
        namespace = self.namespace(document, launch.command.environment, (launch.folder,))
        return ConfigFile(document, namespace), None

    def namespace(
        self, document: PythonConfig, environment: Environment, folders: Sequence[str]
    ) -> Namespace:
        """What a config file leaves behind, with the project's modules that it imports."""
        own_folder = posixpath.dirname(document.source.path)

        def load(module: str, level: int) -> PythonConfig | None:
            relative = module.replace(".", "/")
            starts = [posixpath.join(own_folder, *[".."] * (level - 1))] if level else folders
            for start in starts:
                for name in (f"{relative}.py", f"{relative}/__init__.py"):
                    candidate = normalise(posixpath.join(start, name))
                    if candidate is not None and self.tree.is_file(candidate):
                        return self.files.config(candidate)
            return None

        def load_variables(path: str | None) -> Environment:
            if path is not None:
                local = path.removeprefix(f"{CONFIG_DIRECTORY}/")
                starts = [own_folder] if local != path else folders
                names = [posixpath.join(start, local) for start in starts]
            else:
                parts = own_folder.split("/") if own_folder else []
                above = ["/".join(parts[:depth]) for depth in range(len(parts), -1, -1)]
                names = [posixpath.join(folder, ".env") for folder in above]
            for name in names:
                source = self.files.text(name)
                if source is not None:
                    return parse_dotenv(source)
            return {}

        return evaluate(
            document,
            environment=environment,
            load=load,
            load_variables=load_variables,
            python_version=self.facts.python_version,
        )


def _without_repetitions(deployments: Iterable[Deployment]) -> Iterator[Deployment]:
    """Leave out a launch that differs from the last one at its place only in its conditions.

    A function with gunicorn in it is called in several branches.
    """
    last: dict[Span, Deployment] = {}
    for deployment in deployments:
        launch = deployment.launch
        assert launch is not None
        before = last.get(launch.word.span)
        if before is None or not _starts_alike(before, deployment):
            yield deployment
        last[launch.word.span] = deployment


def _starts_alike(one: Deployment, other: Deployment) -> bool:
    if one.launch is None or other.launch is None or one.development != other.development:
        return False
    first, second = (
        (launch.unit, launch.chain, replace(launch.command, conditions=()))
        for launch in (one.launch, other.launch)
    )
    return first == second


def _calls(script: Source, names: Set[str]) -> bool:
    """Whether a script has the name of another one in it, out of `names`."""
    return not names.isdisjoint(_FILE_NAME.findall(script.text))


def _search_path(unit: str) -> tuple[str, ...]:
    """Where systemd looks for a unit, weakest first: beside `unit`, or all of its search path.

    The latter if the project has the folders of the target machine below one of its own.
    """
    found = _UNIT_FOLDER.match(unit)
    if found is None:
        return (unit,)
    return tuple(f"{found['root']}{folder}{found['rest']}" for folder in _UNIT_FOLDERS)


def _right_in(folder: str, paths: Sequence[str]) -> tuple[str, ...]:
    """Those of sorted paths that are of a folder's own files."""
    below = starting(paths, f"{folder}/" if folder else "")
    return tuple(path for path in below if posixpath.dirname(path) == folder)


def _config_option(line: CommandLine | None) -> Value | None:
    uses = [use.value for use in line.options if use.setting.name == "config"] if line else []
    return uses[-1] if uses else None


def _config_folder(launch: Launch, option: Value | None) -> str | None:
    """The folder of the config file on the target machine, if that is known."""
    path = option.value if isinstance(option, Known) else "gunicorn.conf.py"
    start = launch.place.text
    if not isinstance(path, str) or path.startswith(SCRIPT_DIRECTORY):
        return None
    folder = posixpath.dirname(path.removeprefix("file:"))
    if folder.startswith("/"):
        return folder
    return posixpath.join(start, folder).rstrip("/") if start is not None else None


def _is_for_development(deployment: Deployment) -> bool:
    labels = deployment.launch.chain if deployment.launch else ()
    names = [label.span.source.path for label in labels]
    if deployment.config is not None:
        names.append(deployment.config.source.path)
    conditions = deployment.launch.command.conditions if deployment.launch else ()
    in_branch = any(
        _DEBUGGING.search(condition.lower()) and not condition.startswith("not ")
        for condition in conditions
    )
    return in_branch or any(_DEVELOPMENT.search(name.lower()) for name in names)


def _is_in_production(server: DevelopmentServer) -> bool:
    """Whether a unit of the system starts it, or a script that is called production's.

    A branch may be there for development.
    """
    paths = [label.span.source.path.lower() for label in server.chain]
    if server.command.conditions or not server.command.certain:
        return False
    if any(_DEVELOPMENT.search(path) for path in paths):
        return False
    if server.unit is not None:
        return not server.unit.of_user
    return any(_PRODUCTION.search(path) for path in paths)


def _with_reloads(
    deployments: Sequence[Deployment], reloads: Sequence[Reload]
) -> tuple[Deployment, ...]:
    """`deployments`, each with the commands that reload it.

    They are its unit's, and signals sent by hand where nothing else can be meant by them.
    """
    by_hand = tuple(reload for reload in reloads if reload.unit is None)
    by_unit: dict[str, list[Reload]] = {}
    for reload in reloads:
        for name in meant(reload.unit) if reload.unit is not None else ():
            by_unit.setdefault(name, []).append(reload)
    found = []
    for deployment in deployments:
        unit = deployment.launch.unit if deployment.launch else None
        own = by_unit.get(unit.name, []) if unit is not None else []
        unclear = unit is not None and len(deployments) > 1
        found.append(replace(deployment, reloads=(*(() if unclear else by_hand), *own)))
    return tuple(found)
