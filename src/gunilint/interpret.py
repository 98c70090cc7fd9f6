"""What a shell script runs: each simple command in order, its words as far as they are known.

Nothing is run. Where a condition can't be told both branches are followed, each with its condition;
what a command prints is known for a few harmless ones only.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from gunilint.command import Command, Label, Word
from gunilint.conditions import UNTOLD, Truth, double_brackets, single_brackets
from gunilint.fold import SCRIPT_DIRECTORY, Folder, raw_words
from gunilint.parse.shell import (
    AndOr,
    Assignment,
    Background,
    Block,
    Branch,
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
from gunilint.regex import regex
from gunilint.scope import BASH, SUCCESS, Array, Scope, Variable, scalars
from gunilint.source import Fragment
from gunilint.values import (
    Environment,
    Known,
    Symbolic,
    Unknown,
    Value,
    is_number,
    with_assumptions,
)

__all__ = ["SCRIPT_DIRECTORY", "commands"]

_COMMANDS = 5_000
_ELEMENTS = 1024
"""The most elements of an array, and the most words of a command that are worked out."""
_TOO_MANY = Unknown("there are too many words to be worked out")
_STEPS = 10_000
_DEPTH = 20
_NESTING = 250
_LOOP = 32
_TEXT = 60
"""The characters of a command that are shown in a condition."""

_DONE = Truth(True)
_FAILED = Truth(False)
_OPTIONS = {"a": "allexport", "e": "errexit", "f": "noglob", "u": "nounset"}
_SOURCED_QUIETLY = regex(r"(^|/)activate$")
"""What scripts source that changes nothing but `PATH` and the prompt."""


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
        exported=dict.fromkeys(environment or {}, True),
        arguments=tuple(arguments) if arguments is not None else None,
        script=script.fragment.source.path,
        bash=script.shell == "bash",
    )
    walker = _Walker(script, scope, source_file, implicit_exec=implicit_exec)
    with suppress(RecursionError):
        walker.run(script.body)
        walker.run_trap()
    return tuple(walker.found)


class _Context(Struct, frozen=True):
    """What surrounds a statement: the processes and conditions that it runs in.

    `tested` says that a failure doesn't end the script even with `set -e`, `loops` counts the loops
    that `break` can leave, and `returns` tells whether there is something to return from.
    """

    assumes: tuple[str, ...] = ()
    forks: tuple[str, ...] = ()
    background: bool = False
    piped: bool = False
    is_last: bool = False
    tested: bool = False
    loops: int = 0
    returns: bool = False
    depth: int = 0
    level: int = 0


class _Walker:
    """Follows one script. `left` are the branches that left a loop or function early."""

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
        self.context = _Context(is_last=True)
        self.implicit_exec = implicit_exec
        self.shell = script.shell
        self.left: list[Scope] = []
        self.locals: list[dict[str, tuple[Variable, bool, bool | None]]] = []
        self.printed: list[Value] | None = None
        self.substituted = _DONE
        self.status = _DONE
        self.steps = 0

    # statements

    def run(self, body: Sequence[Statement]) -> Truth:
        """Follow statements in order; whether the last one succeeds."""
        outer = self.context
        status = _DONE
        for position, statement in enumerate(body):
            if self.scope.over or len(self.found) >= _COMMANDS:
                break
            last = outer.is_last and position == len(body) - 1
            with self.within(is_last=last):
                status = self.statement(statement)
        return status

    def statement(self, statement: Statement) -> Truth:
        self.steps += 1
        if self.steps > _STEPS or self.context.depth > _NESTING or self.context.level > _DEPTH:
            return UNTOLD
        with self.within(depth=self.context.depth + 1):
            status: Truth = _STATEMENTS[type(statement)](self, statement)
        self.status = status
        return status

    def ends(self, status: Truth) -> Truth:
        """What `set -e` makes of a command that has ended."""
        option = self.scope.options.get("errexit", False)
        if status.value is not True and option is not False and not self.context.tested:
            if status.value is False and option is True:
                self.exit()
            else:
                self.scope.require(SUCCESS)
        return status

    @contextmanager
    def within(self, **changes: object) -> Iterator[None]:
        before = self.context
        self.context = replace(before, **changes)
        try:
            yield
        finally:
            self.context = before

    def run_block(self, block: Block) -> Truth:
        if not block.is_subshell:
            return self.run(block.body)
        with self.forked("it runs in a subshell"):
            status = self.run(block.body)
            self.run_trap()
            inner = self.scope
        if inner.dead and status.value is not False:
            status = UNTOLD
        return self.ends(status)

    def run_background(self, statement: Background) -> Truth:
        with self.forked("it runs in the background"), self.within(background=True):
            self.statement(statement.body)
        return _DONE

    def run_pipeline(self, pipeline: Pipeline) -> Truth:
        status = _DONE
        statuses = []
        for part in pipeline.parts:
            with self.forked("it runs in a pipeline"), self.within(piped=True, tested=True):
                status = self.statement(part)
                statuses.append(status)
        if self.scope.options.get("pipefail", False) is not False:
            status = statuses[0] if statuses else status
            for each in statuses[1:]:
                status = status & each
        return self.ends(status)

    def run_negated(self, statement: Negated) -> Truth:
        with self.within(is_last=False, tested=True):
            return ~self.statement(statement.body)

    def run_andor(self, pair: AndOr) -> Truth:
        with self.within(is_last=False, tested=True):
            left = self.statement(pair.left)
        if self.scope.over:
            return left
        wanted = pair.operator == "&&"
        if left.value is not None:
            if left.value is not wanted:
                return left
            with self.assuming(left):
                return self.statement(pair.right)
        text = _text(pair.left)
        return self.forking(
            [
                (text if wanted else _denied(text), lambda: self.statement(pair.right)),
                (_denied(text) if wanted else text, lambda: Truth(not wanted)),
            ]
        )

    def run_if(self, statement: If) -> Truth:
        return self.decide(statement.branches, statement.otherwise)

    def decide(self, branches: Sequence[Branch], otherwise: Sequence[Statement]) -> Truth:
        """The first of the branches whose condition holds, else `otherwise`."""
        if not branches:
            return self.run(otherwise) if otherwise else _DONE
        branch = branches[0]
        with self.within(is_last=False, tested=True):
            truth = self.run(branch.condition)
        if self.scope.over:
            return truth
        if truth.value is True:
            with self.assuming(truth):
                return self.run(branch.body)
        if truth.value is False:
            with self.assuming(truth):
                return self.decide(branches[1:], otherwise)
        return self.forking(
            [
                (branch.text, lambda: self.run(branch.body)),
                (_denied(branch.text), lambda: self.decide(branches[1:], otherwise)),
            ]
        )

    def run_case(self, statement: Case) -> Truth:
        if statement.falls and not self.scope.bash:
            self.scope.require(BASH)
        return self.match(statement, self.folder().quoted(statement.subject), 0, True)

    def match(self, case: Case, subject: Value, position: int, possible: bool) -> Truth:
        """The arms of a `case` from a position on; `possible` is False where none can match."""
        if position >= len(case.arms) or not possible:
            return _DONE
        patterns, body = case.arms[position]
        truth = self.matches(subject, patterns)

        def taken() -> Truth:
            status = self.run(body)
            if position in case.falls and not self.scope.over:
                self.scope.require("the arm falls through")
                status = self.match(case, Unknown("an arm falls through"), position + 1, True)
            return status

        if truth.value is True:
            with self.assuming(truth):
                return taken()
        if truth.value is False:
            return self.match(case, subject, position + 1, True)
        name = case.subject.text.strip("\"'")
        text = f"{name} is {' or '.join(pattern.text for pattern in patterns)}"
        return self.forking(
            [
                (text, taken),
                (_denied(text), lambda: self.match(case, subject, position + 1, True)),
            ]
        )

    def matches(self, subject: Value, patterns: Sequence[Fragment]) -> Truth:
        if any(pattern.text == "*" for pattern in patterns):
            return _DONE
        if not isinstance(subject, Known):
            return UNTOLD
        found = []
        for raw in patterns:
            pattern = self.folder().pattern(raw)
            found.append(None if pattern is None else pattern.matches(str(subject.value)))
            if found[-1]:
                return Truth(True if set(found[:-1]) <= {False} else None, subject.assumes)
        return Truth(None if None in found else False, subject.assumes)

    def run_functiondefinition(self, definition: FunctionDefinition) -> Truth:
        self.scope.functions[definition.name] = (definition.body,)
        return _DONE

    def run_test(self, test: Test) -> Truth:
        text = test.text.text
        if text.startswith(("((", "[[")) and not self.scope.bash:
            self.scope.require(BASH)
            return UNTOLD
        if text.startswith("(("):
            value = self.folder().arithmetic(test.text.slice(2, len(text) - 2))
            status = _truth_of(value)
        elif text.startswith("[["):
            status = double_brackets(test.text.slice(2, len(text) - 2), self.folder())
        else:
            folder = self.folder()
            inner = raw_words(test.text.slice(1, len(text) - 1))
            words = [word for raw in inner for word in folder.words(raw)]
            status = single_brackets(words, folder)
        return self.ends(status)

    def run_assignment(self, assignment: Assignment) -> Truth:
        return self.assignments([assignment])

    # loops

    def run_loop(self, loop: Loop) -> Truth:
        if loop.kind in ("arithmetic", "select") and not self.scope.bash:
            self.scope.require(BASH)
        outer, self.left = self.left, []
        after: list[Scope] = []
        start = self.scope
        with self.within(is_last=False, loops=self.context.loops + 1):
            status = self.turns(loop, after)
        leaving = [scope for scope in self.left if scope.leaving is not None]
        self.left = outer
        self.left += leaving
        if after:
            if not self.scope.over:
                after.append(self.scope)
            self.join(start, after)
        return status

    def turns(self, loop: Loop, after: list[Scope]) -> Truth:
        """The turns of a loop; `after` gets the scopes that leave it by `break`."""
        words = self.loop_words(loop)
        folder = self.folder()
        parts = _header(loop.header)
        if parts:
            folder.arithmetic(parts[0])
        status = _DONE
        for turn in range(_LOOP):
            if words is not None:
                if turn == len(words):
                    return status
                self.scope.assign(loop.variable or "", words[turn].value)
            else:
                truth = self.goes_on(loop, parts)
                if truth.value is False:
                    return status
                if truth.value is None:
                    break
            status = self.run(loop.body)
            if not self.settle(after):
                return status
            if len(parts) == 3:
                self.folder().arithmetic(parts[2])
        if self.scope.over or (words is not None and len(words) == _LOOP):
            return status
        return self.unknown_turns(loop, after)

    def loop_words(self, loop: Loop) -> list[Word] | None:
        """The values of a `for`'s variable; None where they, or their number, aren't known."""
        if loop.kind != "for" or loop.variable is None:
            return None
        if loop.words is None:
            words = list(self.scope.arguments) if self.scope.arguments is not None else None
        else:
            folder = self.folder()
            words = [word for raw in loop.words for word in folder.words(raw)]
        if words is None or len(words) > _LOOP or any(word.many for word in words):
            return None
        return words

    def goes_on(self, loop: Loop, parts: Sequence[Fragment]) -> Truth:
        """Whether a `while`, an `until` or a `for ((…))` takes another turn."""
        if loop.kind in ("while", "until"):
            with self.within(tested=True):
                truth = self.run(loop.condition)
            return ~truth if loop.kind == "until" else truth
        if loop.kind == "arithmetic" and len(parts) == 3:
            if not parts[1].text.strip():
                return _DONE
            value = self.folder().arithmetic(parts[1])
            return _truth_of(value)
        return UNTOLD

    def settle(self, after: list[Scope]) -> bool:
        """At the end of a turn: whether another may follow."""
        start = self.scope
        ends = [] if start.over else [start]
        waiting, self.left = self.left, []
        for scope in [*waiting, *([start] if start.leaving is not None else [])]:
            kind, count = scope.leaving or ("return", 0)
            if kind == "return":
                self.left.append(scope)
            elif count > 1:
                scope.leaving = (kind, count - 1)
                self.left.append(scope)
            else:
                scope.leaving = None
                (after if kind == "break" else ends).append(scope)
        own = start in ends or start in after or start in self.left
        if not ends:
            if not own:
                start.dead = start.dead or start.leaving is None
            if start in after:
                self.scope = start.copy()
                self.scope.dead = True
            return False
        if ends != [start]:
            self.scope = ends[0] if start not in ends else start
            self.join(self.scope, ends)
        return True

    def unknown_turns(self, loop: Loop, after: list[Scope]) -> Truth:
        """A loop that takes any number of turns: what its body changes isn't known any more."""
        before = self.scope.copy()
        found, self.found = self.found, []
        with self.within(tested=True):
            self.run(loop.body)
        given = {(scope.arguments, scope.choices) for scope in (self.scope, *self.left)}
        self.found, self.left = found, []
        changed = [
            name
            for name, value in self.scope.variables.items()
            if before.variables.get(name, _NOTHING) is not value
        ]
        exported = set(self.scope.exported) - set(before.exported)
        self.scope = before
        if loop.variable:
            changed.append(loop.variable)
        for name in dict.fromkeys(changed):
            before.assign(name, Unknown(f"`{name}` changes in a loop"))
        before.exported.update(dict.fromkeys(exported - set(before.exported), False))
        if given != {(before.arguments, before.choices)}:
            before.give(None)
        inside = before.copy()
        runs = f"the loop `{_first_line(loop)}` runs"
        inside.require(runs)
        self.scope = inside
        self.run(loop.body)
        leaves = self.scope.over and self.scope.leaving not in (("break", 1), ("continue", 1))
        self.settle(after)
        directory = self.scope.directory
        if leaves:
            before.require(_denied(runs))
        self.scope = before
        if directory != before.directory:
            before.directory = Unknown("a loop changes it")
        return UNTOLD

    # commands

    def run_simple(self, command: Simple) -> Truth:
        first = command.words[0] if command.words else None
        if isinstance(first, Fragment) and first.text in _DECLARING:
            return self.ends(self.declare(command, first.text))
        if self.scope.choices and any(map(_passes_arguments, command.words)):
            return self.choosing(command)
        folder = self.folder()
        self.substituted = _DONE
        whole = [word for word in command.words if isinstance(word, Fragment)]
        raw = [part for word in whole for part in raw_words(word)]
        words = [word for fragment in raw for word in self.words(folder, fragment)]
        if len(words) > _ELEMENTS:
            words = [*words[:_ELEMENTS], Word(_TOO_MANY, words[-1].span, None, many=True)]
        if self.scope.over:
            return UNTOLD
        execs = bypasses = False
        while words and words[0].text in _PREFIXES:
            prefix_word = words[0].text
            execs = execs or prefix_word == "exec"
            bypasses = True
            options = [word.text or "" for word in words[1:2]]
            if prefix_word == "command" and options and options[0] in ("-v", "-V"):
                return self.ends(UNTOLD)
            if execs and not self.scope.bash and options[:1] == ["-a"]:
                self.scope.require(BASH)
            words = _after_prefix(words)
        if not words:
            return self.assignments(command.assignments)
        name = words[0].text or ""
        prefix = {each.name: self.assigned(each) for each in command.assignments}
        if self.scope.over:
            return UNTOLD
        bodies = self.scope.functions.get(name, (None,)) if not bypasses else (None,)
        if bodies != (None,):
            return self.ends(self.call(bodies, command, words, prefix))
        return self.program(command, words, prefix, execs)

    def choosing(self, command: Simple) -> Truth:
        """A command with `"$@"`, once for each of the arguments that branches left."""

        def given(arguments: tuple[Word, ...] | None) -> Truth:
            self.scope.give(arguments)
            return self.run_simple(command)

        return self.forking(
            [(condition, partial(given, words)) for condition, words in self.scope.choices]
        )

    def words(self, folder: Folder, raw: Fragment) -> list[Word]:
        """The arguments that a raw word of a command becomes."""
        if raw.text.startswith(("<(", ">(")):
            return [Word(Unknown("it is the path of a pipe"), raw.span())]
        return folder.words(raw)

    def program(
        self, command: Simple, words: list[Word], prefix: Mapping[str, Variable], execs: bool
    ) -> Truth:
        """A builtin or an external program."""
        name = words[0].text or ""
        builtin = None if execs else _BUILTINS.get(name)
        if not self.scope.bash and name in _BASH_BUILTINS:
            self.scope.require(BASH)
        if builtin is not None:
            with self.prefixed(prefix if name in ("eval", ".", "source") else {}):
                return self.ends(builtin(self, command, words))
        if isinstance(self.scope.variables.get("PATH"), Known) and "/" not in name:
            self.scope.require(f"`{name}` is in the PATH that is set")
        printed = self.output_of(words)
        if self.printed is not None and printed is not None:
            self.printed.append(printed)
        if printed is None or self.printed is None:
            self.emit(command, words, prefix, execs)
        if execs:
            self.scope.dead = True
        serves = posixpath.basename(name) in ("gunicorn", "uvicorn")
        return self.ends(_DONE if serves or isinstance(printed, Known | Symbolic) else UNTOLD)

    def emit(
        self, command: Simple, words: list[Word], prefix: Mapping[str, Variable], execs: bool
    ) -> None:
        reasons = self.context.forks
        is_last = self.context.is_last
        replaces = execs or (self.implicit_exec and is_last and not command.redirected)
        if not replaces and not reasons:
            reasons = ("the shell stays as its parent: there is no `exec`",)
        self.found.append(
            Command(
                words=tuple(words),
                span=command.span.span(),
                environment={**self.scope.environment(), **scalars(prefix)},
                directory=self.scope.directory,
                forks=tuple(Label(words[0].span, reason) for reason in reasons),
                background=self.context.background,
                piped=self.context.piped,
                conditions=self.scope.conditions,
                certain=command.certain,
                ends_script=is_last and not self.context.background and not self.context.piped,
                checked=self.context.tested
                or self.scope.options.get("errexit", False) is not False,
            )
        )

    def call(
        self,
        bodies: Sequence[Statement | None],
        command: Simple,
        words: list[Word],
        prefix: Mapping[str, Variable],
    ) -> Truth:
        """A function, or what a name is where a branch decides it."""

        def one(body: Statement | None) -> Truth:
            if body is None:
                return self.program(command, words, prefix, False)
            return self.call_one(body, words[1:], prefix)

        if len(bodies) == 1:
            return one(bodies[0])
        name = words[0].text
        return self.forking(
            [
                (f"a branch makes `{name}` this", lambda body=body: one(body))  # type: ignore[misc]
                for body in bodies
            ]
        )

    def call_one(
        self, body: Statement, arguments: Sequence[Word], prefix: Mapping[str, Variable]
    ) -> Truth:
        outer, self.left = self.left, []
        before, choices, start = self.scope.arguments, self.scope.choices, self.scope
        with self.prefixed(prefix):
            self.scope.give(tuple(arguments))
            loops = 0 if self.scope.bash else self.context.loops
            with self.nested(), self.within(is_last=False, loops=loops, returns=True):
                status = self.statement(body)
            status = self.returned(start, status)
            self.left = [*outer, *self.left]
        self.scope.arguments, self.scope.choices = before, choices
        return status

    @contextmanager
    def prefixed(self, prefix: Mapping[str, Variable]) -> Iterator[None]:
        """Set and export variables; these, and `local` ones, have their old values behind it."""
        self.locals.append({})
        for name, value in prefix.items():
            self.localise(name)
            self.scope.assign(name, value)
            self.scope.exported[name] = True
        yield
        for name, (value, was_set, exported) in self.locals.pop().items():
            if was_set:
                self.scope.variables[name] = value
            else:
                self.scope.variables.pop(name, None)
            if exported is None:
                self.scope.exported.pop(name, None)
            else:
                self.scope.exported[name] = exported

    def returned(self, start: Scope, status: Truth) -> Truth:
        """Behind a function or a sourced file: the branches that returned come together."""
        ends = [scope for scope in self.left if scope.leaving and scope.leaving[0] == "return"]
        self.left = [scope for scope in self.left if scope not in ends]
        if self.scope.leaving is not None and self.scope.leaving[0] == "return":
            self.scope.leaving = None
        if not ends:
            return status
        for scope in ends:
            scope.leaving = None
        if not self.scope.over:
            ends.append(self.scope)
        self.join(start, ends)
        return UNTOLD

    def localise(self, name: str) -> None:
        """Let a name have its present value again when the function returns."""
        if self.locals and name not in self.locals[-1]:
            held = self.scope.variables.get(name)
            exported = self.scope.exported.get(name)
            self.locals[-1][name] = (held, name in self.scope.variables, exported)

    # builtins

    def declare(self, command: Simple, what: str) -> Truth:
        """`export`, `local` and the like, with assignments or plain names."""
        self.substituted = _DONE
        if what in ("declare", "typeset") and not self.scope.bash:
            self.scope.require(BASH)
        local = what == "local" or (what in ("declare", "typeset") and bool(self.locals))
        exports: bool | None = True if what == "export" else None
        array = associative = False
        for word in command.words[1:]:
            if isinstance(word, Assignment):
                if local:
                    self.localise(word.name)
                value = self.assigned(word)
                if isinstance(value, Array) and associative:
                    value = self.associative(word) or replace(value, associative=True)
                self.scope.assign(word.name, value)
                self.exporting(word.name, exports)
                if what == "readonly":
                    self.scope.opaque |= {word.name}
                continue
            folded = self.folder().words(word)
            for each in folded:
                text = each.text
                if text is None:
                    self.scope.lose(f"`{word.text}` may set it")
                elif re.match(r"[-+][A-Za-z]", text):
                    sets = text.startswith("-")
                    if text.startswith("-g"):
                        local = False
                    if "x" in text:
                        exports = sets
                    if what == "export" and "n" in text:
                        exports = False
                    if what == "export" and "f" in text:
                        exports = None
                    array, associative = array or "a" in text, associative or "A" in text
                    if set(text) & set("ilunc") and what != "export":
                        names = [each for each in command.words if isinstance(each, Assignment)]
                        self.scope.opaque |= {each.name for each in names}
                else:
                    name, equals, value_text = text.partition("=")
                    if local:
                        self.localise(name)
                        if not equals and not array and not associative:
                            unset = None if self.scope.bash else Unknown("shells differ in `local`")
                            self.scope.variables[name] = unset
                    if array or associative:
                        self.scope.variables.setdefault(name, Array((), associative))
                    if equals:
                        self.scope.assign(name, Known(value_text))
                    self.exporting(name, exports)
        return _DONE

    def associative(self, assignment: Assignment) -> Array | None:
        """The elements `[key]=value` of an associative array."""
        elements = []
        for raw in (assignment.elements or ())[: _ELEMENTS + 1]:
            match = re.match(r"\[([^]]*)\]=", raw.text)
            if match is None:
                return None
            key = self.folder().quoted(raw.slice(match.start(1), match.end(1)))
            value = self.folder().quoted(raw.slice(match.end(), len(raw.text)))
            if not isinstance(key, Known):
                return None
            elements.append((str(key.value), Word(value, raw.span())))
        return Array(tuple(elements), True) if len(elements) <= _ELEMENTS else None

    def exporting(self, name: str, exports: bool | None) -> None:
        if exports:
            self.scope.exported[name] = True
        elif exports is False:
            self.scope.exported.pop(name, None)

    def builtin_true(self, command: Simple, words: list[Word]) -> Truth:
        return _DONE

    def builtin_false(self, command: Simple, words: list[Word]) -> Truth:
        return _FAILED

    def builtin_unknown(self, command: Simple, words: list[Word]) -> Truth:
        return UNTOLD

    def builtin_test(self, command: Simple, words: list[Word]) -> Truth:
        return single_brackets(words[1:], self.folder())

    def builtin_print(self, command: Simple, words: list[Word]) -> Truth:
        """`echo` and `printf`; `printf -v` sets a variable."""
        texts = [word.text for word in words]
        if words[0].text == "printf" and texts[1:2] == ["-v"] and len(words) > 3:
            name = texts[2]
            if name is not None and self.scope.bash:
                self.scope.assign(name, self.formatted(words[3:]))
            return _DONE
        if self.printed is not None:
            if command.redirected:
                self.printed.append(Known(""))
            elif words[0].text == "printf":
                self.printed.append(self.formatted(words[1:]))
            else:
                self.printed.append(self.echoed(words[1:]))
        return _DONE

    def echoed(self, words: Sequence[Word]) -> Value:
        texts = [word.text or "" for word in words]
        if any(word.many for word in words) or any("\\" in text for text in texts):
            return Unknown("what `echo` prints isn't known")
        end = "\n"
        while words and texts[0] == "-n":
            words, texts, end = words[1:], texts[1:], ""
        if texts and re.fullmatch(r"-[neE]+", texts[0]):
            return Unknown("what `echo` prints isn't known")
        values: list[Value] = []
        for word in words:
            values += [Known(" "), word.value] if values else [word.value]
        return self.folder().joined([*values, Known(end)])

    def formatted(self, words: Sequence[Word]) -> Value:
        """`printf format words`, for formats of `%s` and plain text that fit the words."""
        form = words[0].text if words else None
        if form is None or any(word.many for word in words):
            return Unknown("what `printf` prints isn't known")
        parts = re.split(r"(%s|%%|\\n)", form)
        if any("%" in part or "\\" in part for part in parts[::2]):
            return Unknown("what `printf` prints isn't known")
        if parts.count("%s") != len(words) - 1:
            return Unknown("what `printf` prints isn't known")
        rest = iter(words[1:])
        plain = {"%%": Known("%"), "\\n": Known("\n")}
        values = [
            next(rest).value if part == "%s" else plain.get(part, Known(part)) for part in parts
        ]
        return self.folder().joined(values)

    def builtin_cd(self, command: Simple, words: list[Word]) -> Truth:
        targets = [word for word in words[1:] if word.text not in ("--", "-P", "-L", "-e", "-n")]
        if not targets or words[0].text == "popd":
            self.scope.directory = Unknown("the home directory isn't known")
            return UNTOLD
        target, here = targets[0].value, self.scope.directory
        if not isinstance(target, Known) or str(target.value).startswith("-"):
            self.scope.directory = Unknown(f"`{targets[0].span.text}` isn't known")
            return UNTOLD
        path = str(target.value)
        if not path:
            return UNTOLD
        if not path.startswith(("/", SCRIPT_DIRECTORY)):
            if here is not None and not isinstance(here, Known):
                return UNTOLD
            if isinstance(here, Known):
                path = posixpath.join(str(here.value), path)
        if not path.startswith(SCRIPT_DIRECTORY):
            path = posixpath.normpath(path)
        self.scope.directory = replace(target, value=path)
        return UNTOLD

    def builtin_pwd(self, command: Simple, words: list[Word]) -> Truth:
        if self.printed is not None:
            here = self.scope.directory or Unknown("the working directory isn't known")
            self.printed.append(self.folder().joined([here, Known("\n")]))
        return _DONE

    def builtin_unset(self, command: Simple, words: list[Word]) -> Truth:
        texts = [word.text for word in words[1:]]
        functions = texts[:1] == ["-f"]
        for text in texts:
            if text is None:
                self.scope.lose("`unset` may unset it")
            elif text.startswith("-"):
                continue
            elif functions or (text in self.scope.functions and text not in self.scope.variables):
                self.scope.functions[text] = (None,)
            else:
                name, bracket, key = text.partition("[")
                held = self.scope.variables.get(name)
                if bracket and isinstance(held, Array):
                    self.scope.variables[name] = held.without(key.rstrip("]"))
                else:
                    self.scope.variables[name] = None
                    self.scope.exported.pop(name, None)
        return _DONE

    def builtin_set(self, command: Simple, words: list[Word]) -> Truth:
        """`set`: options by letter or by name, and the positional parameters."""
        rest = list(words[1:])
        while rest:
            text = rest[0].text
            if text is None:
                self.scope.give(None)
                return _DONE
            if text in ("--", "-"):
                self.scope.give(tuple(rest[1:]))
                return _DONE
            if not re.match(r"[-+][a-zA-Z]", text):
                self.scope.give(tuple(rest))
                return _DONE
            value = text.startswith("-")
            rest = rest[1:]
            for letter in text[1:]:
                if letter in _OPTIONS:
                    self.scope.options[_OPTIONS[letter]] = value
                elif letter == "o" and rest:
                    if rest[0].text == "pipefail" and not self.scope.bash:
                        self.scope.require(BASH)
                    self.scope.options[rest[0].text or ""] = value
                    rest = rest[1:]
        return _DONE

    def builtin_shopt(self, command: Simple, words: list[Word]) -> Truth:
        texts = [word.text or "" for word in words[1:]]
        for option, value in (("-s", True), ("-u", False)):
            if option in texts:
                for name in texts:
                    if not name.startswith("-"):
                        self.scope.options[name] = value
        return _DONE

    def builtin_shift(self, command: Simple, words: list[Word]) -> Truth:
        arguments = self.scope.arguments
        count = words[1].text if len(words) > 1 else "1"
        if arguments is None:
            self.scope.give(None)
            return UNTOLD
        if count is None or not is_number(count):
            self.scope.give(None)
            return UNTOLD
        number = int(count)
        if any(word.many for word in arguments[:number]):
            self.scope.give(None)
            return UNTOLD
        if number > len(arguments):
            if not self.scope.bash:
                self.scope.require("the shell goes on after a `shift` that fails")
            return _FAILED
        self.scope.give(arguments[number:])
        return _DONE

    def builtin_source(self, command: Simple, words: list[Word]) -> Truth:
        path = words[1].text if len(words) > 1 else None
        if path is not None and "/" not in path and not self.scope.bash:
            self.scope.require(BASH)
        script = self.source_file(path) if path else None
        if script is None:
            if not self.scope.bash:
                self.scope.require(f"`{path or words[-1].span.text}` is there")
            if path is None or not _SOURCED_QUIETLY.search(path):
                name = path or words[-1].span.text
                self.scope.lose(f"`{name}` may set it")
            return UNTOLD
        before, start = self.scope.script, self.scope
        arguments, choices = self.scope.arguments, self.scope.choices
        outer, self.left = self.left, []
        self.scope.script = script.fragment.source.path
        if len(words) > 2:
            self.scope.give(tuple(words[2:]))
        with self.nested(), self.within(is_last=False, returns=True):
            status = self.run(script.body)
        status = self.returned(start, status)
        self.left = [*outer, *self.left]
        self.scope.script = before
        if len(words) > 2:
            self.scope.arguments, self.scope.choices = arguments, choices
        return status

    def builtin_eval(self, command: Simple, words: list[Word]) -> Truth:
        texts = [word.text for word in words[1:]]
        if any(text is None for text in texts):
            self.scope.lose("`eval` of something unknown may set it")
            return UNTOLD
        text = " ".join(text for text in texts if text is not None)
        fragment = words[1].fragment if len(words) == 2 else None
        if fragment is None or fragment.text != text:
            offset = command.span.span().start
            fragment = Fragment(command.span.source, text, (offset,) * len(text))
        with self.nested():
            return self.run(parse(fragment, self.shell).body)

    def builtin_exit(self, command: Simple, words: list[Word]) -> Truth:
        self.exit()
        return self.given_status(words)

    def given_status(self, words: Sequence[Word]) -> Truth:
        """The status that `exit` or `return` names, else the last command's."""
        if len(words) < 2:
            return self.status
        text = words[1].text
        return Truth(int(text) % 256 == 0) if text is not None and is_number(text) else UNTOLD

    def exit(self) -> None:
        self.run_trap()
        self.scope.dead = True

    def run_trap(self) -> None:
        """What `trap … EXIT` has the shell run at its end."""
        trap, self.scope.trap = self.scope.trap, None
        if trap is not None and not self.scope.dead:
            with self.nested(), self.within(is_last=False, tested=True):
                self.run(parse(trap, self.shell).body)

    def builtin_trap(self, command: Simple, words: list[Word]) -> Truth:
        texts = [word.text for word in words[1:] if word.text != "--"]
        if set(texts[1:]) & {"DEBUG", "ERR", "RETURN"} and texts[0] not in ("", "-"):
            self.scope.require("the traps change nothing")
        if len(texts) >= 2 and {"EXIT", "0"} & {(text or "").upper() for text in texts[1:]}:
            action = next(word for word in words[1:] if word.text != "--")
            if action.text in ("", "-"):
                self.scope.trap = None
            elif action.fragment is not None:
                self.scope.trap = action.fragment
        return _DONE

    def builtin_leave(self, command: Simple, words: list[Word]) -> Truth:
        """`return`, `break` and `continue`."""
        kind = words[0].text or ""
        count = words[1].text if len(words) > 1 else "1"
        if kind != "return" and not self.context.loops:
            return _DONE
        if kind == "return" and not self.context.returns:
            if self.scope.bash:
                return _FAILED
            self.exit()
        if kind == "return":
            status = self.given_status(words)
            self.scope.leaving = ("return", 0)
            return status
        number = int(count) if count is not None and is_number(count) else 1
        self.scope.leaving = (kind, max(1, number))
        return _DONE

    def builtin_read(self, command: Simple, words: list[Word]) -> Truth:
        names = [word.text for word in words[1:]]
        for name in names or ["REPLY"]:
            if name and re.fullmatch(r"[A-Za-z_]\w*", name):
                self.scope.assign(name, Unknown(f"`{name}` is read at run time"))
        return UNTOLD

    def builtin_getopts(self, command: Simple, words: list[Word]) -> Truth:
        for name in ("OPTARG", "OPTIND", words[2].text if len(words) > 2 else None):
            if name:
                self.scope.assign(name, Unknown(f"`{name}` comes from the arguments"))
        return UNTOLD

    def builtin_let(self, command: Simple, words: list[Word]) -> Truth:
        status = UNTOLD
        for word in words[1:]:
            if word.fragment is not None:
                value = self.folder().arithmetic(word.fragment)
                status = _truth_of(value)
        return status

    # variables

    def assignments(self, assignments: Sequence[Assignment]) -> Truth:
        """Assignments without a command: they fail with the last command in them."""
        self.substituted = _DONE
        for assignment in assignments:
            if not self.scope.over:
                self.assign(assignment)
        return self.ends(self.substituted)

    def assign(self, assignment: Assignment) -> None:
        name, bracket, key = assignment.name.partition("[")
        if not bracket:
            self.scope.assign(name, self.assigned(assignment))
            return
        held = self.scope.variables.get(name)
        array = held if isinstance(held, Array) else Array(())
        value = self.folder().quoted(assignment.value) if assignment.value else Known("")
        raw = key.rstrip("]")
        offset = assignment.value.offsets[:1] if assignment.value else ()
        source = assignment.value.source if assignment.value else None
        if source is None or not offset:
            self.scope.assign(name, Unknown(f"`{name}` is changed by element"))
            return
        index = Fragment(source, raw, offset * len(raw))
        place = self.folder().key(array, index)
        if place is None or assignment.appends or len(array.elements) >= _ELEMENTS:
            self.scope.assign(name, Unknown(f"`{name}` is changed by element"))
        else:
            assert assignment.value is not None
            word = Word(value, assignment.value.span())
            self.scope.assign(name, array.with_element(place, word))

    def assigned(self, assignment: Assignment) -> Value | Array:
        folder = self.folder()
        before = self.scope.variables.get(assignment.name)
        if (assignment.elements is not None or assignment.appends) and not self.scope.bash:
            self.scope.require(BASH)
        if assignment.elements is not None:
            return self.elements(assignment, before)
        if assignment.value is None:
            value: Value = Known("", self.context.assumes)
        else:
            value = folder.quoted(assignment.value, assignment=True)
            if isinstance(value, Known | Symbolic):
                value = replace(value, via=(assignment.value.span(), *value.via))
        if assignment.appends:
            if isinstance(before, Array):
                return Unknown(f"`{assignment.name}` is changed by element")
            held = before
            if held is None and assignment.name not in self.scope.variables:
                unset_value = self.scope.variable(assignment.name)
                held = None if isinstance(unset_value, Array) else unset_value
            value = folder.joined([held, value]) if held is not None else value
        return with_assumptions(value, self.context.assumes)

    def elements(self, assignment: Assignment, before: Variable) -> Value | Array:
        """The value of `name=(words)`."""
        if isinstance(before, Array) and before.associative:
            made = self.associative(assignment)
            return made if made is not None else Unknown("its elements aren't known")
        folder = self.folder()
        start = before if assignment.appends and isinstance(before, Array) else Array(())
        index = start.next_index
        held = dict(start.elements)
        in_order = True
        for raw in assignment.elements or ():
            match = re.match(r"\[(\d{1,18})\]=", raw.text)
            if match is not None:
                index = int(match[1])
                in_order = False
                value = folder.quoted(raw.slice(match.end(), len(raw.text)))
                words = [Word(value, raw.span())]
            else:
                words = folder.words(raw)
            for word in words:
                held[str(index)] = word
                index += 1
            if len(held) > _ELEMENTS:
                return Unknown(f"`{assignment.name}` has too many elements to be worked out")
        found = held.items()
        return Array(tuple(found if in_order else sorted(found, key=lambda item: int(item[0]))))

    def folder(self) -> Folder:
        return Folder(self.scope, self.substitute)

    def substitute(self, body: Fragment) -> Value:
        """What a command prints, without the line ends behind it."""
        text = body.text.strip()
        if text.startswith("grep -c") and text.endswith("/proc/cpuinfo"):
            return Symbolic("cpus", str)
        script = parse(body, self.shell)
        before, found, printed = self.scope, self.found, self.printed
        left, self.left = self.left, []
        self.scope, self.found, self.printed = before.copy(), [], []
        self.scope.trap = None
        try:
            with self.nested(), self.within(is_last=False):
                status = self.run(script.body)
            self.substituted = UNTOLD
            added = set(self.scope.conditions) - set(before.conditions)
            if added == {BASH}:
                before.require(BASH)
            elif added:
                return Unknown(f"the output of `{text}` isn't known")
            value = self.folder().joined(self.printed)
        finally:
            inner = self.scope
            self.scope, self.found, self.printed, self.left = before, found, printed, left
        self.substituted = UNTOLD if inner.over else status
        if isinstance(value, Known):
            return replace(value, value=str(value.value).rstrip("\n"))
        if isinstance(value, Unknown):
            self.substituted = UNTOLD
            return Unknown(f"the output of `{text}` isn't known")
        return value

    def output_of(self, words: Sequence[Word]) -> Value | None:
        """What a harmless program prints; None where that isn't known."""
        texts = [word.text for word in words]
        if texts in (["nproc"], ["nproc", "--all"], ["getconf", "_NPROCESSORS_ONLN"]):
            return Symbolic("cpus", str)
        if texts[0] in _PATHS and self.printed is not None:
            operands = [word for word in words[1:] if word.text not in ("--", "-f", "-e", "-m")]
            if len(operands) == 1 and operands[0].text is not None:
                value = operands[0].value
                assert isinstance(value, Known)
                return replace(value, value=_PATHS[texts[0]](str(value.value)))
            return Unknown("its arguments aren't known")
        return None if self.printed is None else Unknown("what it prints isn't known")

    # branches

    def forking(self, arms: Sequence[tuple[str, Callable[[], Truth]]]) -> Truth:
        """Follow each arm on a scope of its own, and merge what they leave behind."""
        start = self.scope
        ends: list[tuple[str, Scope]] = []
        statuses = []
        for condition, follow in arms:
            self.scope = start.copy()
            self.scope.require(condition)
            statuses.append(follow())
            ends.append((condition, self.scope))
        alive = [(condition, scope) for condition, scope in ends if not scope.over]
        self.left += [scope for _, scope in ends if scope.leaving is not None]
        self.scope = start
        if not alive:
            start.dead = True
            return UNTOLD
        quiet = all(
            scope.conditions[: len(start.conditions)] == start.conditions for _, scope in alive
        )
        added = [len(scope.conditions) - len(start.conditions) for _, scope in alive]
        complete = len(alive) == len(ends) and quiet and max(added) <= 1
        start.merge(alive, complete=complete)
        values = {status.value for status in statuses}
        return statuses[0] if len(values) == 1 else UNTOLD

    def join(self, start: Scope, ends: Sequence[Scope]) -> None:
        """Go on where several scopes come together, as behind a loop."""
        if len(ends) == 1:
            self.scope = ends[0]
            return
        merged = start.copy()
        named = [(" and ".join(scope.conditions[-1:]) or "always", scope) for scope in ends]
        merged.merge(named, complete=False)
        self.scope = merged

    @contextmanager
    def assuming(self, truth: Truth) -> Iterator[None]:
        with self.within(assumes=(*self.context.assumes, *truth.assumes)):
            yield

    @contextmanager
    def forked(self, reason: str) -> Iterator[None]:
        """Run in a process of its own: nothing that happens there changes this shell."""
        forks = (*self.context.forks, reason)
        before, left = self.scope, self.left
        self.scope, self.left = before.copy(), []
        self.scope.trap = None
        try:
            loops = 0 if self.scope.bash else self.context.loops
            with self.within(forks=forks, is_last=False, loops=loops):
                yield
        finally:
            self.scope, self.left = before, left

    @contextmanager
    def nested(self) -> Iterator[None]:
        """One level deeper into functions, sourced files and substitutions."""
        with self.within(level=self.context.level + 1):
            yield


_STATEMENTS: dict[type, Callable[..., Truth]] = {
    AndOr: _Walker.run_andor,
    Assignment: _Walker.run_assignment,
    Background: _Walker.run_background,
    Block: _Walker.run_block,
    Case: _Walker.run_case,
    FunctionDefinition: _Walker.run_functiondefinition,
    If: _Walker.run_if,
    Loop: _Walker.run_loop,
    Negated: _Walker.run_negated,
    Pipeline: _Walker.run_pipeline,
    Simple: _Walker.run_simple,
    Test: _Walker.run_test,
}

_BUILTINS: dict[str, Callable[[_Walker, Simple, list[Word]], Truth]] = {
    ".": _Walker.builtin_source,
    ":": _Walker.builtin_true,
    "[": _Walker.builtin_unknown,
    "alias": _Walker.builtin_true,
    "break": _Walker.builtin_leave,
    "cd": _Walker.builtin_cd,
    "continue": _Walker.builtin_leave,
    "echo": _Walker.builtin_print,
    "eval": _Walker.builtin_eval,
    "exit": _Walker.builtin_exit,
    "false": _Walker.builtin_false,
    "getopts": _Walker.builtin_getopts,
    "hash": _Walker.builtin_unknown,
    "let": _Walker.builtin_let,
    "mapfile": _Walker.builtin_read,
    "popd": _Walker.builtin_cd,
    "printf": _Walker.builtin_print,
    "pushd": _Walker.builtin_cd,
    "pwd": _Walker.builtin_pwd,
    "read": _Walker.builtin_read,
    "readarray": _Walker.builtin_read,
    "return": _Walker.builtin_leave,
    "set": _Walker.builtin_set,
    "shift": _Walker.builtin_shift,
    "shopt": _Walker.builtin_shopt,
    "source": _Walker.builtin_source,
    "test": _Walker.builtin_test,
    "trap": _Walker.builtin_trap,
    "true": _Walker.builtin_true,
    "type": _Walker.builtin_unknown,
    "ulimit": _Walker.builtin_unknown,
    "umask": _Walker.builtin_true,
    "unset": _Walker.builtin_unset,
    "wait": _Walker.builtin_unknown,
}
_BASH_BUILTINS = frozenset(
    {"declare", "let", "mapfile", "popd", "pushd", "readarray", "shopt", "source", "typeset"}
)
_DECLARING = frozenset({"export", "declare", "typeset", "local", "readonly"})
_PREFIXES = frozenset({"exec", "command", "builtin", "time"})
_NOTHING = object()
_PATHS: dict[str | None, Callable[[str], str]] = {
    "basename": posixpath.basename,
    "dirname": lambda path: posixpath.dirname(path) or ".",
    "readlink": lambda path: path,
    "realpath": lambda path: path,
}
"""Programs that print a path made of their argument."""


def _header(header: Fragment | None) -> list[Fragment]:
    """The three parts of `for ((a; b; c))`."""
    if header is None or header.text.count(";") != 2:
        return []
    first = header.text.index(";")
    second = header.text.index(";", first + 1)
    bounds = [(0, first), (first + 1, second), (second + 1, len(header.text))]
    return [header.slice(start, end) for start, end in bounds]


def _truth_of(value: Value) -> Truth:
    """Whether an arithmetic command with this value succeeds."""
    if not isinstance(value, Known) or not re.fullmatch(r"-?\d+", str(value.value)):
        return UNTOLD
    return Truth(int(str(value.value)) != 0, value.assumes)


def _denied(text: str) -> str:
    return f"not {text}"


def _text(statement: Statement) -> str:
    """What a statement looks like, for the condition that it makes."""
    if isinstance(statement, Test):
        return statement.text.text
    if isinstance(statement, Simple):
        first, *_ = statement.span.text.splitlines() or [""]
        return f"`{first[:_TEXT]}` succeeds"
    if isinstance(statement, AndOr):
        return f"{_text(statement.left)} {statement.operator} {_text(statement.right)}"[:_TEXT]
    return "the command before it succeeds"


def _first_line(loop: Loop) -> str:
    """What a loop looks like, for the condition that it makes."""
    words = " ".join(word.text for word in loop.words or ())
    if loop.variable:
        return f"for {loop.variable} in {words}"[:_TEXT]
    return loop.kind


def _passes_arguments(word: Fragment | Assignment) -> bool:
    """Whether a raw word has all positional parameters in it."""
    return isinstance(word, Fragment) and ("$@" in word.text or "$*" in word.text)


def _after_prefix(words: list[Word]) -> list[Word]:
    """The words behind `exec`, `command` and the like, with their options."""
    index = 1
    while index < len(words) and (words[index].text or "").startswith("-"):
        index += 2 if words[index].text == "-a" else 1
    return words[index:]
