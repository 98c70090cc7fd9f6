"""Following what units and scripts start, down to each gunicorn and uvicorn."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from gunilint import paths
from gunilint.application import split_spec
from gunilint.catalogue import catalogue
from gunilint.command import Command, Label, Word
from gunilint.deployment import DevelopmentServer, Launch, Reload, Started, Target
from gunilint.discover import Tree
from gunilint.files import Files
from gunilint.interpret import commands as interpret
from gunilint.launch import (
    Program,
    development_server,
    program,
    replaces_itself,
    shell_script,
)
from gunilint.options import CommandLine
from gunilint.options import read as read_options
from gunilint.parse import systemd
from gunilint.parse.shell import Script
from gunilint.parse.shell import parse as parse_shell
from gunilint.parse.systemd import Unit
from gunilint.paths import Place
from gunilint.signals import Signal, sent, sent_to_unit
from gunilint.source import Fragment, Source
from gunilint.values import Known, Unknown
from gunilint.versions import latest

_DEPTH = 8
"""How many scripts may start one another before gunilint stops following."""

_RUNS = 50
"""The scripts that are followed from one unit or script."""

_CHARACTERS = 128 * 1024
"""What these may have together."""

_PRINTING = frozenset({"check_config", "print_config"})
"""Settings with which gunicorn checks or prints something and exits."""


class Follower:
    """Follows commands through one project.

    `target` tells the gunicorn of a folder. `reloads` and `signals` gather the reloading and
    signalling commands that it meets, and `followed` the scripts that something else starts or
    sources.
    """

    def __init__(self, files: Files, target: Callable[[str], Target]) -> None:
        self.files = files
        self.tree: Tree = files.tree
        self.target = target
        self.reloads: dict[Reload, None] = {}
        self.signals: dict[Signal, None] = {}
        self.followed: set[str] = set()
        self._runs = self._characters = 0

    def from_unit(self, unit: Unit) -> Iterator[Started]:
        """The servers that a unit's `ExecStart=` lines start."""
        self._runs = self._characters = 0
        place = unit_place(unit, self.tree)

        def read(path: str) -> Source | None:
            found = paths.locate(path, place, None, self.tree)
            return self.files.text(found) if found else None

        environment = systemd.environment(unit, read)
        for directive in unit.all("Service", "ExecReload"):
            words = [word.text for word in systemd.words(directive.value)]
            if sends_hup(words):
                self.reloads[Reload(directive.span, unit.name)] = None
        for command in systemd.commands(unit, "ExecStart", environment):
            for started in self._follow(command, place, None, (), 0):
                yield replace(started, unit=unit)

    def from_script(self, path: str) -> Iterator[Started]:
        """The servers that a script starts when somebody runs it by hand."""
        self._runs = self._characters = 0
        script = self.files.script(path)
        if script is None:
            return
        place = paths.start_of_script(path)
        for command in interpret(script, source_file=self._sourced(place, path)):
            yield from self._follow(command, place, path, (), 0)

    def starts_a_script(self, unit: Unit) -> bool:
        """Whether a unit starts a script of the project."""
        place = unit_place(unit, self.tree)
        return any(
            self._script_file(word, place, None) is not None
            for command in systemd.commands(unit, "ExecStart", {})
            for word in command.words
        )

    def _follow(
        self,
        command: Command,
        place: Place,
        script: str | None,
        chain: tuple[Label, ...],
        depth: int,
    ) -> Iterator[Started]:
        """Each server that `command` starts, through wrappers, shells and scripts."""
        target = program(command)
        if target is None or depth > _DEPTH:
            return
        place = self._place(target.command, place, script)
        word = development_server(target)
        if word is not None:
            label = Label(target.word.span, "starts here")
            yield DevelopmentServer(word, target.command, (*chain, label))
        if target.name in ("gunicorn", "uvicorn"):
            yield from self._launch(target, place, chain)
            return
        self._note_reload(target)
        self._note_signal(target)
        shell = shell_script(target)
        word, is_string = shell if shell is not None else (target.word, False)
        position = target.arguments.index(word) + 1 if shell is not None else 0
        arguments = target.arguments[position:]
        if is_string:
            called = _string_script(word, target.name)
            if called is not None:
                self.files.report(each for each in called.problems if each.kind == "factory")
            owner, arguments = script, arguments[1:]
        else:
            owner = self._script_file(word, place, script)
            called = self.files.script(owner) if owner else None
            if owner is not None:
                self.followed.add(owner)
                chain = (*chain, Label(command.span, f"`{owner}` is started here"))
        if called is None or self._runs >= _RUNS or self._characters >= _CHARACTERS:
            return
        self._runs += 1
        self._characters += len(called.fragment.text)
        for inner in interpret(
            called,
            environment=target.command.environment,
            arguments=arguments,
            source_file=self._sourced(place, owner),
            implicit_exec=is_string and replaces_itself(target.name),
        ):
            within = _within(target.command, inner)
            yield from self._follow(within, place, owner, chain, depth + 1)

    def _launch(self, target: Program, place: Place, chain: tuple[Label, ...]) -> Iterator[Launch]:
        if target.name == "gunicorn":
            line = read_options(target.arguments, catalogue())
        else:
            line = CommandLine(_first_operand(target.arguments), (), ())
        folder = self._likeliest(place, line)
        version = self.target(folder)
        if target.name == "gunicorn" and version.version != latest():
            line = read_options(target.arguments, catalogue(version.version))
        if line.exits or any(option.setting.name in _PRINTING for option in line.options):
            return
        yield Launch(
            server=target.name,
            word=target.word,
            command=target.command,
            line=line,
            chain=(*chain, Label(target.command.span, f"{target.name} is started here")),
            place=place,
            folder=folder,
            target=version,
        )

    def _place(self, command: Command, place: Place, script: str | None) -> Place:
        directory = command.directory
        if directory is None:
            return place
        if isinstance(directory, Known) and isinstance(directory.value, str):
            return paths.change(place, directory.value, script, self.tree)
        return Place(None, place.folders)

    def _likeliest(self, place: Place, line: CommandLine) -> str:
        """Of the folders that `place` may be, the one that has the config and the application."""
        uses = [use.value for use in line.options if use.setting.name == "config"]
        config = uses[-1].value if uses and isinstance(uses[-1], Known) else None
        spec = line.app.text if line.app else None
        module = split_spec(spec).module.replace(".", "/") if spec else None

        def evidence(folder: str) -> int:
            def has(path: str) -> bool:
                return self.tree.is_file(posixpath.join(folder, path))

            found = 0
            if module is not None:
                found += 2 * (has(f"{module}.py") or has(f"{module}/__init__.py"))
            if isinstance(config, str):
                found += 2 * (not config.startswith("/") and has(config))
            elif not uses:
                found += has("gunicorn.conf.py")
            return found

        return max(place.folders, key=evidence, default="")

    def _script_file(self, word: Word, place: Place, script: str | None) -> str | None:
        if word.text is None or ("/" not in word.text and not word.text.endswith(".sh")):
            return None
        path = paths.locate(word.text, place, script, self.tree)
        return path if path is not None and self.tree.kind(path) == "script" else None

    def _sourced(self, place: Place, script: str | None) -> Callable[[str], Script | None]:
        """What finds the file of `. file` for a script that runs in a place."""

        def find(text: str) -> Script | None:
            path = paths.locate(text, place, script, self.tree)
            if path is None:
                return None
            self.followed.add(path)
            return self.files.script(path)

        return find

    def _note_reload(self, target: Program) -> None:
        """Remember a command that reloads a unit, or sends SIGHUP to gunicorn."""
        words = [word.text or "" for word in target.arguments]
        name = posixpath.basename(target.name)
        span = target.command.span
        if name == "systemctl" and "reload" in words:
            units = [word for word in words[words.index("reload") + 1 :] if word[:1] not in "-"]
        elif name == "systemctl" and "kill" in words and sends_hup(words[words.index("kill") :]):
            units = [word for word in words[-1:] if word[:1] != "-"]
        elif name == "service" and words[1:2] == ["reload"]:
            units = words[:1]
        elif name in ("kill", "pkill", "killall") and "gunicorn" in span.text:
            if sends_hup(["kill", *words]):
                self.reloads[Reload(span, None)] = None
            return
        else:
            return
        for unit in units:
            full = unit if "." in unit else f"{unit}.service"
            self.reloads[Reload(span, full)] = None

    def _note_signal(self, target: Program) -> None:
        """Remember a command that signals processes or a unit."""
        words = [target.name, *map(_said, target.arguments)]
        to_unit = sent_to_unit(words)
        found = to_unit or sent(words)
        if found is not None:
            name, targets = found
            signal = Signal(target.command.span, name, targets, to_unit is not None)
            self.signals[signal] = None


def _said(word: Word) -> str:
    """A word's value, or what is known of it: its text and where its value comes from."""
    if word.text is not None:
        return word.text
    reason = word.value.reason if isinstance(word.value, Unknown) else ""
    return f"{word.span.text} {reason}"


def unit_place(unit: Unit, tree: Tree) -> Place:
    """The working directory of a unit."""
    directive = unit.last("Service", "WorkingDirectory")
    if directive is None and unit.of_user:
        return Place(None, ("",))
    return paths.start_of_unit(directive.value.text.lstrip("-") if directive else None, tree)


def sends_hup(words: Sequence[str]) -> bool:
    """Whether a `kill` command line sends SIGHUP."""
    found = sent(words)
    return found is not None and found[0] == "HUP"


def _string_script(word: Word, shell: str) -> Script | None:
    """The script in `sh -c 'script'`."""
    if word.text is None:
        return None
    fragment = word.fragment
    if fragment is None or fragment.text != word.text:
        fragment = Fragment(word.span.source, word.text, (word.span.start,) * len(word.text))
    return parse_shell(fragment, shell=shell)


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


def _first_operand(words: Sequence[Word]) -> Word | None:
    return next((word for word in words if word.text and not word.text.startswith("-")), None)
