"""From a project's files to its deployments: follow each launch, merge its settings."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from gunilint import paths
from gunilint.application import Application, inspect, split_spec
from gunilint.catalogue import Catalogue
from gunilint.catalogue.workers import GTHREAD, SYNC, Worker, find_worker
from gunilint.command import Command, Label, Word
from gunilint.deployment import (
    ConfigFile,
    Deployment,
    Launch,
    Origin,
    Project,
    Reload,
    Setting,
)
from gunilint.discover import Tree, kind_of
from gunilint.evaluate import Binding, Namespace, evaluate
from gunilint.interpret import commands as interpret
from gunilint.launch import Program, program, replaces_itself, shell_script
from gunilint.options import CommandLine, OptionUse
from gunilint.options import read as read_options
from gunilint.parse import systemd
from gunilint.parse.shell import Script
from gunilint.parse.shell import parse as parse_shell
from gunilint.parse.systemd import Unit
from gunilint.paths import Place
from gunilint.source import Fragment, Problem, Source, Span
from gunilint.syntax import PythonConfig
from gunilint.validate import from_command_line, validated
from gunilint.values import Environment, Function, Known, Symbolic, Unknown, Value

_DEPTH = 8
"""How many scripts may start one another before gunilint stops following."""
_DEVELOPMENT = re.compile(r"(^|[^a-z])(dev|devel|development|local|tests?|testing|examples?)([^a-z]|$)")
_EXITING_SETTINGS = ("check_config", "print_config")


def resolve(tree: Tree, inputs: Iterable[str], catalogue: Catalogue) -> Project:
    """Work out every deployment of the input files, which are paths relative to the root."""
    return _Resolver(tree, catalogue).run(sorted(inputs))


class _Resolver:
    """One run over a project; it remembers what was parsed and what was followed."""

    def __init__(self, tree: Tree, catalogue: Catalogue) -> None:
        self.tree = tree
        self.catalogue = catalogue
        self.problems: dict[tuple[str, int], Problem] = {}
        self.files: set[str] = set()
        self.scripts: dict[str, Script | None] = {}
        self.configs: dict[str, PythonConfig | None] = {}
        self.applications: dict[tuple[str, tuple[str, ...]], Application] = {}
        self.followed: set[str] = set()
        self.used_configs: set[str] = set()
        self.reloads: dict[Span, Reload] = {}
        self.entry_script: str | None = None

    def run(self, inputs: Sequence[str]) -> Project:
        kinds = {path: kind_of(path, self.tree) for path in inputs}
        units = self.units([path for path, kind in kinds.items() if kind == "unit"])
        launches = [launch for unit in units for launch in self.from_unit(unit)]
        by_script = {
            path: list(self.from_script(path))
            for path, kind in kinds.items()
            if kind == "script" and path not in self.followed
        }
        for path, found in by_script.items():
            if path not in self.followed:
                launches.extend(found)
        deployments = [self.deployment(launch) for launch in launches]
        for path, kind in kinds.items():
            if kind == "config" and path not in self.used_configs:
                deployments.extend(self.unlaunched(path))
        return Project(
            tree=self.tree,
            catalogue=self.catalogue,
            deployments=tuple(deployments),
            units=tuple(units),
            reloads=tuple(self.reloads.values()),
            problems=tuple(self.problems.values()),
            files=frozenset(self.files),
        )

    # files

    def report(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.problems.setdefault((problem.span.source.path, problem.span.start), problem)

    def text(self, path: str) -> Source | None:
        """The text of a file that belongs to a deployment; what is wrong with it is reported."""
        found = self.tree.file(path)
        if found is None:
            return None
        self.files.add(path)
        if found.problem is not None:
            self.report([found.problem])
        return self.tree.read(path)

    def script(self, path: str) -> Script | None:
        if path not in self.scripts:
            source = self.text(path)
            self.scripts[path] = parse_shell(Fragment.whole(source)) if source else None
            script = self.scripts[path]
            found = self.tree.file(path)
            if script is not None and found is not None and found.serves:
                self.report(script.problems)
        return self.scripts[path]

    def config(self, path: str) -> PythonConfig | None:
        if path not in self.configs:
            from gunilint.parse.python_config import parse

            source = self.text(path)
            self.configs[path] = parse(source) if source else None
        return self.configs[path]

    # launches

    def units(self, found: Sequence[str]) -> list[Unit]:
        """The units of the input files, each with the drop-ins beside it."""
        mains: dict[str, None] = {}
        for path in found:
            folder, _, name = path.rpartition("/")
            main = folder.removesuffix(".d") if name.endswith(".conf") else path
            mains[main] = None
        units = []
        for main in mains:
            below = f"{main}.d/"
            dropins = [path for path in self.tree.listing() if path.startswith(below)]
            files = [self.tree.file(path) for path in (main, *dropins)]
            if not any(file is not None and (file.serves or file.problem) for file in files) and (
                not self.starts_a_script(main)
            ):
                continue
            sources = [source for source in map(self.text, dropins) if source is not None]
            source = self.text(main) or (None if self.tree.file(main) else Source(main, ""))
            if source is None:
                continue
            unit = systemd.parse(source, posixpath.basename(main), sources)
            self.report(unit.problems)
            units.append(unit)
        return units

    def starts_a_script(self, main: str) -> bool:
        """Whether a unit without the word gunicorn starts a file of the project."""
        source = self.tree.read(main)
        if source is None:
            return False
        unit = systemd.parse(source, posixpath.basename(main))
        place = self.unit_place(unit)
        return any(
            word.text is not None
            and "/" in word.text
            and (path := paths.locate(word.text, place, None, self.tree)) is not None
            and kind_of(path, self.tree) == "script"
            for command in systemd.commands(unit, "ExecStart", {})
            for word in command.words
        )

    def unit_place(self, unit: Unit) -> Place:
        directive = unit.last("Service", "WorkingDirectory")
        text = directive.value.text.removeprefix("-") if directive else None
        return paths.start_of_unit(text, self.tree)

    def from_unit(self, unit: Unit) -> Iterator[Launch]:
        place = self.unit_place(unit)

        def read(path: str) -> Source | None:
            found = paths.locate(path, place, None, self.tree)
            return self.text(found) if found else None

        environment = systemd.environment(unit, read)
        for directive in unit.all("Service", "ExecReload"):
            if _sends_hup([word.text or "" for word in _split(directive.value)]):
                self.reloads.setdefault(directive.span, Reload(directive.span, unit.name))
        for command in systemd.commands(unit, "ExecStart", environment):
            label = Label(command.span, f"`{unit.name}` starts it here")
            for launch in self.follow(command, place, None, (label,), 0):
                yield replace(launch, unit=unit)

    def from_script(self, path: str) -> Iterator[Launch]:
        found = self.tree.file(path)
        if found is None or not (found.serves or found.signals):
            return
        script = self.script(path)
        if script is None:
            return
        place = paths.start_of_script(path)
        for command in interpret(script, source_file=self.sourced(place, path)):
            yield from self.follow(replace(command, forks=()), place, path, (), 0)

    def sourced(self, place: Place, script: str | None) -> Callable[[str], Script | None]:
        """What finds the file of `. file` for a script that runs in a place."""

        def find(text: str) -> Script | None:
            path = paths.locate(text, place, script, self.tree)
            if path is None:
                return None
            self.followed.add(path)
            return self.script(path)

        return find

    def follow(
        self,
        command: Command,
        place: Place,
        script: str | None,
        chain: tuple[Label, ...],
        depth: int,
    ) -> Iterator[Launch]:
        """Each server that `command` starts, through wrappers, shells and scripts."""
        target = program(command)
        if target is None or depth > _DEPTH:
            return
        command = target.command
        place = self.place_of(command, place, script)
        if target.name in ("gunicorn", "uvicorn"):
            launch = self.launch(target, place, chain)
            if launch is not None:
                yield launch
            return
        self.note_reload(target)
        shell = shell_script(target)
        if shell is not None and shell[1]:
            yield from self.follow_string(target, shell[0], place, script, chain, depth)
            return
        word = shell[0] if shell is not None else target.word
        path = self.script_file(word, place, script)
        if path is None:
            return
        called = self.script(path)
        if called is None:
            return
        self.followed.add(path)
        position = target.arguments.index(word) + 1 if shell is not None else 0
        inner_chain = (*chain, Label(command.span, f"`{path}` is started here"))
        for inner in interpret(
            called,
            environment=command.environment,
            arguments=target.arguments[position:],
            source_file=self.sourced(place, path),
        ):
            yield from self.follow(_within(command, inner), place, path, inner_chain, depth + 1)

    def follow_string(
        self,
        target: Program,
        word: Word,
        place: Place,
        script: str | None,
        chain: tuple[Label, ...],
        depth: int,
    ) -> Iterator[Launch]:
        """What the script in `sh -c 'script'` starts."""
        if word.text is None:
            return
        fragment = word.fragment
        if fragment is None or fragment.text != word.text:
            start = word.span.start
            fragment = Fragment(word.span.source, word.text, (start,) * len(word.text))
        position = target.arguments.index(word) + 1
        inner_commands = interpret(
            parse_shell(fragment, shell=target.name),
            environment=target.command.environment,
            arguments=target.arguments[position + 1 :],
            source_file=self.sourced(place, script),
            implicit_exec=replaces_itself(target.name),
        )
        for inner in inner_commands:
            yield from self.follow(
                _within(target.command, inner), place, script, chain, depth + 1
            )

    def script_file(self, word: Word, place: Place, script: str | None) -> str | None:
        if word.text is None or "/" not in word.text and not word.text.endswith(".sh"):
            return None
        path = paths.locate(word.text, place, script, self.tree)
        if path is None or kind_of(path, self.tree) != "script":
            return None
        return path

    def place_of(self, command: Command, place: Place, script: str | None) -> Place:
        if command.directory is None:
            return place
        if isinstance(command.directory, Known) and isinstance(command.directory.value, str):
            return paths.change(place, command.directory.value, script, self.tree)
        return Place(None, place.folders)

    def launch(
        self, target: Program, place: Place, chain: tuple[Label, ...]
    ) -> Launch | None:
        if target.name == "gunicorn":
            line = read_options(target.arguments, self.catalogue)
        else:
            line = CommandLine(_uvicorn_app(target.arguments), (), ())
        names = {option.setting.name for option in line.options}
        if line.exits or names.intersection(_EXITING_SETTINGS):
            return None
        return Launch(
            server=target.name,
            word=target.word,
            command=target.command,
            line=line,
            chain=(*chain, Label(target.command.span, "gunicorn is started here")),
            folder=self.choose_folder(place, line),
            place=place,
        )

    def choose_folder(self, place: Place, line: CommandLine) -> str:
        """The likeliest of the folders: where the config and the application are."""
        config = next((o.value for o in reversed(line.options) if o.setting.name == "config"), None)
        path = config.value if isinstance(config, Known) else None
        spec = line.app.text if line.app else None
        module = split_spec(spec).module.replace(".", "/") if spec else None

        def evidence(folder: str) -> int:
            found = 0
            if isinstance(path, str) and not path.startswith("/"):
                found += 2 * self.tree.is_file(f"{folder}/{path}")
            if path is None:
                found += self.tree.is_file(f"{folder}/gunicorn.conf.py")
            if module:
                package = self.tree.is_file(f"{folder}/{module}/__init__.py")
                found += 2 * (package or self.tree.is_file(f"{folder}/{module}.py"))
            return found

        return max(place.folders, key=evidence, default="")

    def note_reload(self, target: Program) -> None:
        """Remember a command that reloads a unit or sends SIGHUP to gunicorn."""
        words = [word.text or "" for word in target.arguments]
        name = posixpath.basename(target.name)
        span = target.command.span
        if name == "systemctl" and "reload" in words:
            for unit in words[words.index("reload") + 1 :]:
                if unit and not unit.startswith("-"):
                    suffixed = unit if "." in unit else f"{unit}.service"
                    self.reloads.setdefault(span, Reload(span, suffixed))
        elif name == "service" and words[1:2] == ["reload"]:
            self.reloads.setdefault(span, Reload(span, f"{words[0]}.service"))
        elif name in ("kill", "pkill", "killall") and "gunicorn" in span.text:
            if _sends_hup(["kill", *words]):
                self.reloads.setdefault(span, Reload(span, None))

    # deployments

    def unlaunched(self, path: str) -> Iterator[Deployment]:
        """The config file at `path`, if it is one, as a deployment of its own."""
        document = self.config(path)
        if document is None:
            return
        if document.problems:
            self.report(document.problems)
            return
        folder = posixpath.dirname(path)
        config = ConfigFile(document.source, self.namespace(document, {}, ("", folder)))
        names = config.namespace.bindings.keys()
        meant = {*self.catalogue.settings, *self.catalogue.others, *self.catalogue.spellings}
        if meant.isdisjoint(names):
            self.files.discard(path)
            return
        settings = self.settings(None, config, {}, None)
        yield self.complete(
            Deployment(self.catalogue, settings, config=config), ("", folder), path
        )

    def deployment(self, launch: Launch) -> Deployment:
        if launch.server != "gunicorn":
            return Deployment(self.catalogue, {}, launch=launch)
        environment = launch.command.environment
        extra = self.extra_arguments(environment)
        config, missing = self.find_config(launch, extra)
        settings = self.settings(launch, config, environment, missing, extra)
        folders = (launch.folder,)
        chdir = settings["chdir"].known
        if isinstance(chdir, str):
            changed = paths.change(launch.place, chdir, None, self.tree)
            folders = (*changed.folders, launch.folder)
        names = " ".join(label.span.source.path for label in launch.chain)
        deployment = Deployment(self.catalogue, settings, launch=launch, config=config)
        return self.complete(deployment, folders, names)

    def complete(
        self, deployment: Deployment, folders: tuple[str, ...], names: str
    ) -> Deployment:
        """`deployment` with its application, its worker and whether it is for development."""
        settings = deployment.settings
        word = deployment.launch.line.app if deployment.launch else None
        wsgi_app = settings.get("wsgi_app")
        spec, span = None, None
        if word is not None:
            spec, span = word.text, word.span
        elif wsgi_app is not None and isinstance(wsgi_app.known, str):
            spec, span = wsgi_app.known, wsgi_app.span
        pythonpath = settings["pythonpath"].known
        extra = pythonpath.split(",") if isinstance(pythonpath, str) else []
        search = tuple(dict.fromkeys((*folders, *extra, "src", "")))
        app = self.application(spec, search) if spec else None
        if deployment.config:
            names += " " + deployment.config.source.path
        return replace(
            deployment,
            app=app,
            app_span=span,
            worker=self.worker(settings, search),
            development=bool(_DEVELOPMENT.search(names.lower())),
        )

    def application(self, spec: str, folders: tuple[str, ...]) -> Application:
        key = (spec, folders)
        if key not in self.applications:
            self.applications[key] = inspect(spec, folders, self.tree)
        app = self.applications[key]
        if app.module is not None:
            self.files.add(app.module.path)
        return app

    def worker(self, settings: Mapping[str, Setting], folders: Sequence[str]) -> Worker | None:
        value = settings["worker_class"].known
        if not isinstance(value, str):
            return None
        worker = find_worker(value, self.catalogue.version)
        threads = settings["threads"].known
        if worker is SYNC and isinstance(threads, int) and threads > 1:
            return GTHREAD
        return worker

    def find_config(
        self, launch: Launch, extra: CommandLine | None
    ) -> tuple[ConfigFile | None, str | None]:
        """The config file of a launch, or why what it says can't be told."""
        value: Value | None = None
        for line in (launch.line, extra):
            uses = [o for o in line.options if o.setting.name == "config"] if line else []
            if uses:
                value = uses[-1].value
                break
        if value is None:
            if launch.line.open and not self.default_config(launch):
                return None, None
            return self.load_config(self.default_config(launch), launch), None
        if not isinstance(value, Known) or not isinstance(value.value, str):
            return None, "the path of its config file isn't known"
        text = value.value.removeprefix("file:")
        if text.startswith("python:"):
            module = text.removeprefix("python:").replace(".", "/")
            text = f"{module}.py"
        if text == "/dev/null":
            return None, None
        place = Place(launch.place.text, (launch.folder,))
        path = paths.locate(text, place, _script_of(launch), self.tree)
        config = self.load_config(path, launch)
        return config, None if config else f"`{text}` isn't in the project or can't be read"

    def default_config(self, launch: Launch) -> str | None:
        """The `gunicorn.conf.py` of the folder that gunicorn starts in."""
        if launch.place.text == "/":
            return None
        path = posixpath.join(launch.folder, "gunicorn.conf.py")
        return path if self.tree.is_file(path) else None

    def load_config(self, path: str | None, launch: Launch) -> ConfigFile | None:
        if path is None:
            return None
        document = self.config(path)
        self.used_configs.add(path)
        if document is None:
            return None
        self.report(document.problems)
        if document.problems:
            return None
        namespace = self.namespace(document, launch.command.environment, (launch.folder,))
        return ConfigFile(document.source, namespace)

    def namespace(
        self, document: PythonConfig, environment: Environment, folders: Sequence[str]
    ) -> Namespace:
        def load(module: str, level: int) -> PythonConfig | None:
            base = posixpath.dirname(document.source.path)
            relative = module.replace(".", "/")
            starts = [posixpath.join(base, *[".."] * (level - 1))] if level else folders
            for start in starts:
                for candidate in (f"{start}/{relative}.py", f"{start}/{relative}/__init__.py"):
                    if self.tree.is_file(candidate):
                        return self.config(paths.normalise(candidate) or candidate)
            return None

        return evaluate(document, environment=environment, load=load)

    def extra_arguments(self, environment: Environment) -> CommandLine | None:
        """What `GUNICORN_CMD_ARGS` says, where the deployment sets it."""
        value = environment.get("GUNICORN_CMD_ARGS")
        if value is None:
            return None
        if not isinstance(value, Known) or not isinstance(value.value, str) or not value.via:
            return CommandLine(None, (), (), open="`GUNICORN_CMD_ARGS` isn't known")
        try:
            texts = shlex.split(value.value)
        except ValueError:
            return None
        line = read_options(_placed(texts, value.via[0]), self.catalogue)
        return replace(line, app=None)

    # settings

    def settings(
        self,
        launch: Launch | None,
        config: ConfigFile | None,
        environment: Environment,
        missing: str | None,
        extra: CommandLine | None = None,
    ) -> dict[str, Setting]:
        """Every setting with its effective value, from the weakest source to the strongest."""
        settings = {
            name: self.default(name, environment, certain=launch is not None)
            for name in self.catalogue.settings
        }

        def put(name: str, value: Value, origin: Origin, span: Span) -> None:
            below = settings[name]
            beaten = () if below.origin == "default" else (below, *below.overridden)
            settings[name] = Setting(name, value, origin, span, beaten)

        def lose(reason: str) -> None:
            for name, setting in settings.items():
                settings[name] = replace(setting, value=Unknown(reason), origin="default")

        if missing is not None:
            lose(missing)
        if config is not None:
            if config.namespace.open is not None:
                lose(config.namespace.open)
            for name, binding in config.namespace.bindings.items():
                if name in settings:
                    info = self.catalogue.settings[name]
                    put(name, validated(info, binding.value), "config file", binding.span)
        for line, origin in ((extra, "GUNICORN_CMD_ARGS"), (launch and launch.line, "command line")):
            if not line:
                continue
            if line.open is not None:
                reason = line.open
                for name, setting in settings.items():
                    settings[name] = replace(setting, value=Unknown(reason))
            for name, value, span in self.from_options(line):
                put(name, value, origin, span)
        return settings

    def from_options(self, line: CommandLine) -> Iterator[tuple[str, Value, Span]]:
        """The settings of a command line; the last use of an option wins, lists grow."""
        uses: dict[str, list[OptionUse]] = {}
        for use in line.options:
            uses.setdefault(use.setting.name, []).append(use)
        for name, found in uses.items():
            info = found[-1].setting
            if info.action == "append":
                values = [use.value for use in found]
                items = [value.value for value in values if isinstance(value, Known)]
                assumes = tuple(a for v in values if isinstance(v, Known) for a in v.assumes)
                known = len(items) == len(values)
                joined: Value = Known(items, assumes) if known else Unknown("one item isn't known")
            else:
                joined = from_command_line(info, found[-1].value)
            yield name, validated(info, joined), found[-1].span

    def default(self, name: str, environment: Environment, *, certain: bool) -> Setting:
        """A setting that nothing but the environment sets."""
        info = self.catalogue.settings[name]
        assumes: tuple[str, ...] = () if certain else ("no command line sets it",)
        if info.environment is None:
            return Setting(name, Known(info.default, assumes), "default")
        given = environment.get(info.environment)
        if given is None:
            assumes = (*assumes, f"{info.environment} is unset")
            return Setting(name, validated(info, Known(info.default, assumes)), "default")
        span = given.via[0] if isinstance(given, Known | Symbolic) and given.via else None
        if isinstance(given, Known) and name == "bind":
            given = replace(given, value=[f"0.0.0.0:{given.value}"])
        return Setting(name, validated(info, given), "environment", span)


def _within(outer: Command, inner: Command) -> Command:
    """`inner` as a command of a script that `outer` starts."""
    return replace(
        inner,
        forks=(*outer.forks, *inner.forks),
        background=outer.background or inner.background,
        piped=outer.piped or inner.piped,
        conditions=(*outer.conditions, *inner.conditions),
        certain=outer.certain and inner.certain,
    )


def _script_of(launch: Launch) -> str | None:
    """The script whose line the launch is, if it is one."""
    path = launch.command.span.source.path
    return None if path.endswith((".service", ".conf")) else path


def _sends_hup(words: Sequence[str]) -> bool:
    """Whether a `kill` command line sends SIGHUP."""
    if not words or posixpath.basename(words[0].lstrip("-@:+!")) not in ("kill", "pkill"):
        return False
    signals = {"HUP", "SIGHUP", "1"}
    return any(
        word.lstrip("-") in signals and word.startswith("-")
        or word in ("-s", "-n", "--signal") and following in signals
        or word.partition("=")[::2] in [("--signal", signal) for signal in signals]
        for word, following in zip(words[1:], [*words[2:], ""], strict=True)
    )


def _uvicorn_app(words: Sequence[Word]) -> Word | None:
    return next((word for word in words if word.text and not word.text.startswith("-")), None)


def _split(fragment: Fragment) -> list[Word]:
    return [Word(Known(part.text), part.span(), part) for part in systemd.words(fragment)]


def _placed(texts: Sequence[str], span: Span) -> list[Word]:
    """Words of an environment variable's value, each at its place where that is plain."""
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
        offsets = tuple(range(start, start + len(text)))
        fragment = Fragment(span.source, text, offsets)
        words.append(Word(Known(text), fragment.span(), fragment))
    return words
