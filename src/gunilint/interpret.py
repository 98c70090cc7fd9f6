"""What a shell script runs: each simple command in order, its words as far as they are known.

Nothing is run. A condition that can't be told runs both branches, a command substitution that
isn't one of a few known ones is unknown.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from gunilint.command import Command, Label, Word
from gunilint.fold import SCRIPT_DIRECTORY, Array, Folder, Scope, unset
from gunilint.parse.shell import (
    AndOr,
    Assignment,
    Background,
    Block,
    Case,
    FunctionDefinition,
    If,
    Loop,
    Negated,
    Pipeline,
    Script,
    Simple,
    Statement,
    Test,
    parse,
)
from gunilint.source import Fragment
from gunilint.values import Environment, Known, Symbolic, Unknown, Value, with_assumptions

__all__ = ["SCRIPT_DIRECTORY", "commands"]

_TEST_WORD = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|\$\{[^}]*\}|\$\([^)]*\)|[^\s"'])+""")
_COMMANDS = 10_000
_STEPS = 20_000
_DEPTH = 20
_NESTING = 250
_LOOP = 32

_DECLARING = frozenset({"export", "declare", "typeset", "local", "readonly"})
_PREFIXES = frozenset({"exec", "command", "builtin", "time"})
_BUILTINS = {
    "cd": "cd", "pushd": "cd", "unset": "unset", "set": "set", "shift": "shift", ".": "source",
    "source": "source", "eval": "eval", "exit": "exit", "return": "return", "read": "read",
}  # fmt: skip
_SILENT = frozenset(
    {":", "true", "false", "echo", "printf", "wait", "trap", "umask", "ulimit", "shopt", "break",
     "continue", "alias", "hash", "type", "test", "["}
)  # fmt: skip


def commands(
    script: Script,
    *,
    environment: Environment | None = None,
    arguments: Sequence[Word] | None = None,
    source_file: Callable[[str], Script | None] = lambda _: None,
    implicit_exec: bool = False,
) -> tuple[Command, ...]:
    """Each command that `script` runs.

    `environment` holds the variables that it is started with, `arguments` its positional
    parameters (None: not known). `source_file` finds the script of `. file`. With
    `implicit_exec` the shell becomes its last simple command, as `bash -c` does.
    """
    scope = Scope(
        variables=dict(environment or {}),
        exported=set(environment or {}),
        arguments=tuple(arguments) if arguments is not None else None,
        script=script.fragment.source.path,
    )
    walker = _Walker(script, scope, source_file, implicit_exec=implicit_exec)
    with suppress(RecursionError):
        walker.run(script.body)
    return tuple(walker.found)


@dataclass(frozen=True)
class _Context:
    """What surrounds a statement: the branches and processes that it runs in."""

    conditions: tuple[str, ...] = ()
    assumes: tuple[str, ...] = ()
    forks: tuple[str, ...] = ()
    background: bool = False
    piped: bool = False
    is_last: bool = False
    depth: int = 0
    level: int = 0


@dataclass(frozen=True)
class _Truth:
    """What a condition is: True, False, or None where it can't be told."""

    value: bool | None
    assumes: tuple[str, ...] = ()


class _Walker:
    def __init__(
        self,
        script: Script,
        scope: Scope,
        source_file: Callable[[str], Script | None],
        *,
        implicit_exec: bool,
    ) -> None:
        self.scope = scope
        self.source_file = source_file
        self.found: list[Command] = []
        self.functions: dict[str, Statement] = {}
        self.context = _Context(is_last=implicit_exec)
        self.shell = script.shell
        self.all_exported = False
        self.steps = 0

    # statements

    def run(self, body: Sequence[Statement]) -> None:
        outer = self.context
        for position, statement in enumerate(body):
            if self.scope.over or len(self.found) >= _COMMANDS:
                break
            last = outer.is_last and position == len(body) - 1
            with self.within(is_last=last):
                self.statement(statement)

    def statement(self, statement: Statement) -> None:
        self.steps += 1
        if self.steps > _STEPS or self.context.depth > _NESTING or self.context.level > _DEPTH:
            return
        with self.within(depth=self.context.depth + 1):
            getattr(self, f"run_{type(statement).__name__.lower()}")(statement)

    @contextmanager
    def within(self, **changes: object) -> Iterator[None]:
        before = self.context
        self.context = replace(before, **changes)  # type: ignore[arg-type]
        try:
            yield
        finally:
            self.context = before

    def run_block(self, block: Block) -> None:
        if not block.is_subshell:
            self.run(block.body)
            return
        with self.forked("it runs in a subshell"):
            self.run(block.body)

    def run_background(self, statement: Background) -> None:
        with self.forked("it runs in the background"), self.within(background=True):
            self.statement(statement.body)

    def run_pipeline(self, pipeline: Pipeline) -> None:
        for part in pipeline.parts:
            with self.forked("it runs in a pipeline"), self.within(piped=True):
                self.statement(part)

    def run_negated(self, statement: Negated) -> None:
        with self.within(is_last=False):
            self.statement(statement.body)

    def run_andor(self, pair: AndOr) -> None:
        with self.within(is_last=False):
            self.statement(pair.left)
        if self.scope.over:
            return
        truth = self.truth((pair.left,))
        wanted = pair.operator == "&&"
        is_test = isinstance(_last(pair.left), Test)
        if truth.value is not None:
            if truth.value is wanted:
                with self.assuming(truth):
                    self.statement(pair.right)
        elif is_test:
            text = _text(_last(pair.left))
            self.branches([(text if wanted else f"not {text}", (pair.right,))], exhaustive=False)
        elif wanted:
            self.statement(pair.right)
        else:
            failed = self.under(f"{_text(pair.left)} fails")
            with failed, self.discarded(), self.within(is_last=False):
                self.statement(pair.right)

    def run_if(self, statement: If) -> None:
        open_branches: list[tuple[str, Sequence[Statement]]] = []
        denied: list[str] = []
        for branch in statement.branches:
            with self.within(is_last=False):
                self.run(branch.condition)
            truth = self.truth(branch.condition)
            if truth.value is True and not open_branches:
                with self.assuming(truth):
                    self.run(branch.body)
                return
            if truth.value is False:
                self.context = replace(
                    self.context, assumes=(*self.context.assumes, *truth.assumes)
                )
                continue
            open_branches.append((branch.text, branch.body))
            denied.append(f"not {branch.text}")
            if truth.value is True:
                self.branches(open_branches, exhaustive=True)
                return
        if not open_branches:
            self.run(statement.otherwise)
            return
        if statement.otherwise:
            open_branches.append((" and ".join(denied), statement.otherwise))
        self.branches(open_branches, exhaustive=bool(statement.otherwise))

    def run_case(self, statement: Case) -> None:
        folder = self.folder()
        subject = folder.quoted(statement.subject)
        if isinstance(subject, Known):
            for patterns, body in statement.arms:
                texts = [folder.quoted(pattern) for pattern in patterns]
                if any(
                    isinstance(text, Known)
                    and fnmatch.fnmatchcase(str(subject.value), str(text.value))
                    for text in texts
                ):
                    with self.assuming(_Truth(True, subject.assumes)):
                        self.run(body)
                    return
            return
        name = statement.subject.text.strip("\"'")
        arms = [
            (f"{name} is {' or '.join(pattern.text for pattern in patterns)}", body)
            for patterns, body in statement.arms
        ]
        default = any(pattern.text == "*" for patterns, _ in statement.arms for pattern in patterns)
        self.branches(arms, exhaustive=default)

    def run_loop(self, loop: Loop) -> None:
        with self.within(is_last=False):
            self.run(loop.condition)
            if loop.variable is not None and loop.words is not None:
                folder = self.folder()
                words = [word for raw in loop.words for word in folder.words(raw)]
                if len(words) <= _LOOP and all(word.text is not None for word in words):
                    for word in words:
                        self.scope.variables[loop.variable] = word.value
                        self.run(loop.body)
                    return
            if loop.variable is not None:
                reason = f"`{loop.variable}` is set by a loop"
                self.scope.variables[loop.variable] = Unknown(reason)
            before = dict(self.scope.variables)
            with self.discarded(keep_variables=True):
                self.run(loop.body)
            for name, value in self.scope.variables.items():
                if before.get(name) is not value:
                    self.scope.variables[name] = Unknown(f"`{name}` changes in a loop")

    def run_functiondefinition(self, definition: FunctionDefinition) -> None:
        self.functions[definition.name] = definition.body

    def run_test(self, test: Test) -> None:
        """A test changes nothing that matters here."""

    def run_assignment(self, assignment: Assignment) -> None:
        self.assign(assignment)

    # commands

    def run_simple(self, command: Simple) -> None:
        first = command.words[0] if command.words else None
        if isinstance(first, Fragment) and first.text in _DECLARING:
            self.declare(command)
            return
        folder = self.folder()
        raw = [word for word in command.words if isinstance(word, Fragment)]
        words = [word for fragment in raw for word in folder.words(fragment)]
        execs = False
        while words and words[0].text in _PREFIXES:
            execs = execs or words[0].text == "exec"
            words = _after_prefix(words)
        if not words:
            for assignment in command.assignments:
                self.assign(assignment)
            return
        name = words[0].text or ""
        prefix = {each.name: self.assigned(each) for each in command.assignments}
        if name in self.functions and not execs:
            self.call(self.functions[name], words[1:], prefix)
        elif name in _BUILTINS and not execs:
            getattr(self, f"builtin_{_BUILTINS[name]}")(command, words)
        elif name not in _SILENT:
            self.emit(command, words, prefix, execs)
            if execs and not self.context.forks:
                self.scope.dead = True

    def emit(
        self, command: Simple, words: list[Word], prefix: Mapping[str, Value | Array], execs: bool
    ) -> None:
        reasons = self.context.forks
        replaces = execs or (self.context.is_last and not command.redirected)
        if not replaces and not reasons:
            reasons = ("the shell stays as its parent: there is no `exec`",)
        variables = self.scope.variables
        exported = {name: variables[name] for name in self.scope.exported if name in variables}
        self.found.append(
            Command(
                words=tuple(words),
                span=command.span.span(),
                environment=_scalars({**exported, **prefix}),
                directory=self.scope.directory,
                forks=tuple(Label(words[0].span, reason) for reason in reasons),
                background=self.context.background,
                piped=self.context.piped,
                conditions=self.context.conditions,
                certain=command.certain,
            )
        )

    def call(
        self, body: Statement, arguments: Sequence[Word], prefix: Mapping[str, Value | Array]
    ) -> None:
        before = self.scope.arguments
        self.scope.variables.update(prefix)
        self.scope.arguments = tuple(arguments)
        with self.nested(), self.within(is_last=False):
            self.statement(body)
        self.scope.arguments = before
        self.scope.returned = False

    # builtins

    def declare(self, command: Simple) -> None:
        """`export`, `local` and the like, with assignments or plain names."""
        assert isinstance(command.words[0], Fragment)
        exports = command.words[0].text == "export"
        for word in command.words[1:]:
            if isinstance(word, Assignment):
                self.assign(word)
                names = [word.name]
            else:
                folded = self.folder().words(word)
                names = [text for each in folded if (text := each.text)]
                if len(names) < len(folded):
                    self.scope.lose(f"`{word.text}` may set it")
            for name in names:
                if name.startswith("-"):
                    exports = exports or "x" in name
                elif exports:
                    self.export(name)

    def export(self, text: str) -> None:
        """Export `NAME`, or set and export `NAME=value`."""
        name, equals, value = text.partition("=")
        if equals:
            self.scope.variables[name] = Known(value)
        self.scope.exported.add(name)

    def builtin_cd(self, command: Simple, words: list[Word]) -> None:
        targets = [word for word in words[1:] if word.text not in ("--", "-P", "-L", "-e")]
        if not targets:
            self.scope.directory = Unknown("the home directory isn't known")
            return
        target = targets[0].value
        here = self.scope.directory
        if not isinstance(target, Known) or target.value == "-":
            self.scope.directory = Unknown(f"`{targets[0].span.text}` isn't known")
            return
        path = str(target.value)
        if not path.startswith(("/", SCRIPT_DIRECTORY)):
            if isinstance(here, Unknown):
                return
            if isinstance(here, Known):
                path = posixpath.normpath(posixpath.join(str(here.value), path))
        self.scope.directory = replace(target, value=path)

    def builtin_unset(self, command: Simple, words: list[Word]) -> None:
        for word in words[1:]:
            if word.text:
                self.scope.variables.pop(word.text, None)
                self.scope.exported.discard(word.text)

    def builtin_set(self, command: Simple, words: list[Word]) -> None:
        texts = [word.text for word in words]
        if "--" in texts:
            self.scope.arguments = tuple(words[texts.index("--") + 1 :])
        for option, value in (("-a", True), ("+a", False)):
            if option in texts:
                self.all_exported = value
        if "allexport" in texts:
            self.all_exported = "-o" in texts

    def builtin_shift(self, command: Simple, words: list[Word]) -> None:
        if self.scope.arguments is not None:
            count = words[1].text if len(words) > 1 else "1"
            number = int(count) if count and count.isdigit() else 1
            self.scope.arguments = self.scope.arguments[number:]

    def builtin_source(self, command: Simple, words: list[Word]) -> None:
        path = words[1].text if len(words) > 1 else None
        script = self.source_file(path) if path else None
        if script is None:
            if path is None or not path.endswith(("/activate", "activate")):
                name = path or words[-1].span.text
                self.scope.lose(f"`{name}` may set it")
            return
        before = self.scope.script
        self.scope.script = script.fragment.source.path
        with self.nested(), self.within(is_last=False):
            self.run(script.body)
        self.scope.script = before
        self.scope.returned = False

    def builtin_eval(self, command: Simple, words: list[Word]) -> None:
        texts = [word.text for word in words[1:]]
        if any(text is None for text in texts):
            self.scope.lose("`eval` of something unknown may set it")
            return
        text = " ".join(text for text in texts if text is not None)
        offset = command.span.span().start
        fragment = words[1].fragment if len(words) == 2 else None
        if fragment is None or fragment.text != text:
            fragment = Fragment(command.span.source, text, (offset,) * len(text))
        with self.nested():
            self.run(parse(fragment, self.shell).body)

    def builtin_exit(self, command: Simple, words: list[Word]) -> None:
        self.scope.dead = True

    def builtin_return(self, command: Simple, words: list[Word]) -> None:
        self.scope.returned = True

    def builtin_read(self, command: Simple, words: list[Word]) -> None:
        for word in words[1:]:
            if word.text and not word.text.startswith("-"):
                self.scope.variables[word.text] = Unknown(f"`{word.text}` is read at run time")

    # variables

    def assign(self, assignment: Assignment) -> None:
        value = self.assigned(assignment)
        self.scope.variables[assignment.name] = value
        if self.all_exported:
            self.scope.exported.add(assignment.name)

    def assigned(self, assignment: Assignment) -> Value | Array:
        folder = self.folder()
        before = self.scope.variables.get(assignment.name)
        if assignment.elements is not None:
            words = tuple(word for raw in assignment.elements for word in folder.words(raw))
            if assignment.appends and isinstance(before, Array):
                words = (*before.words, *words)
            return Array(words)
        if assignment.value is None:
            return Known("", self.context.assumes)
        value = folder.quoted(assignment.value, assignment=True)
        if isinstance(value, Known | Symbolic):
            value = replace(value, via=(assignment.value.span(), *value.via))
        if assignment.appends and before is not None and not isinstance(before, Array):
            value = folder.joined([before, value])
        return with_assumptions(value, self.context.assumes)

    def folder(self) -> Folder:
        return Folder(self.scope, self.substitute)

    def substitute(self, body: Fragment) -> Value | None:
        """The working directory that `$(cd dir && pwd)` prints; None for anything else."""
        script = parse(body, self.shell)
        before, found = self.scope, self.found
        self.scope, self.found = before.copy(), []
        try:
            with self.nested():
                self.run(script.body)
            names = [command.words[0].text for command in self.found]
            return self.scope.directory if names == ["pwd"] else None
        finally:
            self.scope, self.found = before, found

    # branches

    def branches(
        self, arms: Sequence[tuple[str, Sequence[Statement]]], *, exhaustive: bool
    ) -> None:
        """Run each arm on its own copy of the variables, and merge what they leave behind."""
        start = self.scope
        ends: list[tuple[str, Scope]] = []
        for condition, body in arms:
            self.scope = start.copy()
            with self.under(condition):
                self.run(body)
            ends.append((condition, self.scope))
        if not exhaustive:
            ends.append(("not " + " or ".join(condition for condition, _ in arms), start))
        self.scope = start
        alive = [(condition, scope) for condition, scope in ends if not scope.over]
        if not alive:
            start.dead = all(scope.dead for _, scope in ends)
            start.returned = not start.dead
            return
        start.merge(alive)

    @contextmanager
    def under(self, condition: str) -> Iterator[None]:
        with self.within(conditions=(*self.context.conditions, condition)):
            yield

    @contextmanager
    def assuming(self, truth: _Truth) -> Iterator[None]:
        with self.within(assumes=(*self.context.assumes, *truth.assumes)):
            yield

    @contextmanager
    def forked(self, reason: str) -> Iterator[None]:
        """Run in a process of its own: nothing that happens there changes this shell."""
        forks = (*self.context.forks, reason)
        with self.within(forks=forks, is_last=False), self.discarded():
            yield

    @contextmanager
    def discarded(self, *, keep_variables: bool = False) -> Iterator[None]:
        """Forget what happens inside: another process's variables, folder and exit."""
        before = self.scope
        self.scope = before.copy()
        try:
            yield
        finally:
            after, self.scope = self.scope, before
            if keep_variables:
                before.variables = after.variables
                before.exported = after.exported

    @contextmanager
    def nested(self) -> Iterator[None]:
        """One level deeper into functions, sourced files and substitutions."""
        with self.within(level=self.context.level + 1):
            yield

    # conditions

    def truth(self, condition: Sequence[Statement]) -> _Truth:
        """Whether a condition holds; None where that can't be told."""
        statement = condition[-1] if condition else None
        if isinstance(statement, Negated):
            inner = self.truth((statement.body,))
            return _Truth(None if inner.value is None else not inner.value, inner.assumes)
        if isinstance(statement, Block) and not statement.is_subshell:
            return self.truth(statement.body)
        if isinstance(statement, Simple) and len(statement.words) == 1:
            text = statement.words[0]
            plain = text.text if isinstance(text, Fragment) else ""
            return _Truth({"true": True, ":": True, "false": False}.get(plain))
        if isinstance(statement, Simple) and statement.words:
            words = [word for word in statement.words if isinstance(word, Fragment)]
            if words[0].text == "test":
                return self.tested(words[1:])
        if isinstance(statement, Test) and statement.text.text.startswith("["):
            return self.tested(_test_words(statement.text))
        return _Truth(None)

    def tested(self, raw: Sequence[Fragment]) -> _Truth:
        """`[ -z word ]`, `[ -n word ]`, `[ word = word ]` and `!` before them."""
        if raw and raw[0].text == "!":
            inner = self.tested(raw[1:])
            return _Truth(None if inner.value is None else not inner.value, inner.assumes)
        folder = self.folder()
        if len(raw) == 1:
            return _is_set(folder.quoted(raw[0]))
        if len(raw) == 2 and raw[0].text in ("-n", "-z"):
            found = _is_set(folder.quoted(raw[1]))
            if raw[0].text == "-n" or found.value is None:
                return found
            return _Truth(not found.value, found.assumes)
        if len(raw) == 3 and raw[1].text in ("=", "==", "!="):
            left, right = folder.quoted(raw[0]), folder.quoted(raw[2])
            if isinstance(left, Known) and isinstance(right, Known):
                same = left.value == right.value
                assumes = (*left.assumes, *right.assumes)
                return _Truth(same if raw[1].text != "!=" else not same, assumes)
        return _Truth(None)


def _is_set(value: Value) -> _Truth:
    """Whether a value has any text; what nothing sets is taken for empty."""
    if isinstance(value, Known):
        return _Truth(bool(value.value), value.assumes)
    if isinstance(value, Unknown) and value.variable is not None:
        return _Truth(False, (unset(value.variable),))
    return _Truth(None)


def _test_words(test: Fragment) -> list[Fragment]:
    """The raw words between the brackets of a test."""
    width = 2 if test.text.startswith("[[") else 1
    inner = test.slice(width, len(test.text) - width)
    return [inner.slice(*match.span()) for match in _TEST_WORD.finditer(inner.text)]


def _last(statement: Statement) -> Statement:
    return _last(statement.right) if isinstance(statement, AndOr) else statement


def _text(statement: Statement) -> str:
    """What a statement looks like, for the condition that it makes."""
    if isinstance(statement, Test):
        return statement.text.text
    if isinstance(statement, Simple):
        return statement.span.text.split("\n")[0][:60]
    if isinstance(statement, AndOr):
        return _text(statement.right)
    return "the command before it"


def _after_prefix(words: list[Word]) -> list[Word]:
    """The words behind `exec`, `command` and the like, with their options."""
    index = 1
    while index < len(words) and (words[index].text or "").startswith("-"):
        index += 2 if words[index].text == "-a" else 1
    return words[index:]


def _scalars(variables: Mapping[str, Value | Array]) -> dict[str, Value]:
    return {name: value for name, value in variables.items() if not isinstance(value, Array)}
