"""Checks of the text of start scripts."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice, pairwise

from msgspec import Struct

from gunilint.checks import Hit, Parameters
from gunilint.command import Command
from gunilint.deployment import Deployment, Launch, Project
from gunilint.interpret import commands as interpret
from gunilint.parse.shell import (
    AndOr,
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
    parse,
    parsed,
)
from gunilint.parse.systemd import Unit
from gunilint.regex import regex
from gunilint.source import Fragment, Source, Span

_STRICT_SHEBANG = regex(r"#!.*\s-[a-zA-Z]*e")
_ACTIVATES = regex(r"activate|PATH=|\b(pyenv|workon|module load)\b")
_VENV = regex(r"(?:\.?venv|virtualenv|(?<=/)env)/bin/(?:[\w.-]{1,40})?")
_WAITING = frozenset({"wait", "sleep", "tail", "read"})
"""Commands that take their time."""
_KNOWN = frozenset({"exit", "kill", "true", ":", *_WAITING})
_NUMBERED = {"15": "TERM", "1": "HUP", "2": "INT", "3": "QUIT", "0": "EXIT"}
_GOES_ON = regex(r"\s*(-|[\w.]+:[A-Za-z_]|[\w.]+\.[wa]sgi\b)")
"""What begins a line that was meant to continue gunicorn's: an option, or its application."""
_COMMENT = regex(r"\s*#")
_LINES = 20_000
"""The most lines of a script that are read one by one."""
_BLANK_BEHIND = regex(r"\\[ \t]+$")


def _scripts(project: Project) -> Iterator[Source]:
    """The start scripts that were looked at."""
    for path in sorted(project.files):
        file = project.tree.file(path)
        if file is not None and file.serves and project.tree.kind(path) == "script":
            source = project.tree.read(path)
            if source is not None:
                yield source


def _is_script(source: Source) -> bool:
    """Whether a launch stands in a script, and not in a unit."""
    return not source.path.endswith((".service", ".conf"))


def broken_continuation(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """A continued gunicorn command that ends too early.

    By a blank behind the backslash, or (variant "comment") by a comment between its lines.
    """
    for source in _scripts(project):
        if len(source.line_starts) > _LINES:
            continue
        lines = source.lines()
        continued = starts = after_comment = False
        first = 1
        for number, (line, following) in enumerate(zip(lines, _following(lines), strict=True), 1):
            is_comment = _COMMENT.match(line) is not None
            named = not is_comment and re.search(r"\bgunicorn\b", line) is not None
            first = first if continued else number
            starts = named or (starts and continued)
            if starts and _GOES_ON.match(following):
                if _BLANK_BEHIND.search(line) and "#" not in line:
                    yield Hit(_behind(source, number))
                elif continued and is_comment and not after_comment:
                    started = (("command", source.line_span(first)),)
                    yield Hit(source.line_span(number), {}, started, "comment")
            continued = continued if is_comment else line.endswith("\\")
            after_comment = is_comment


def _following(lines: Sequence[str]) -> list[str]:
    """For each line the first one behind it that is no comment."""
    found = [""]
    for line in reversed(lines[1:]):
        found.append(found[-1] if _COMMENT.match(line) else line)
    return found[::-1]


def _behind(source: Source, number: int) -> Span:
    """The backslash and the blanks at the end of a line."""
    text = source.line(number)
    start = source.line_starts[number - 1] + len(text.rstrip()) - 1
    return source.span(start, source.line_starts[number - 1] + len(text))


def errors_ignored_before_start(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """Steps before gunicorn whose failure the script doesn't notice: the first, with the others.

    `steps` are the programs and subcommands that matter, such as "manage.py migrate".
    """
    launch = deployment.launch
    source = launch.word.span.source if launch else None
    if launch is None or source is None or deployment.development or not _is_script(source):
        return
    if not any(all(part in source.text for part in step.split()) for step in parameters["steps"]):
        return
    commands = interpret(parsed(source))
    spans = [command.span for command in commands]
    if _STRICT_SHEBANG.match(source.text) or launch.command.span not in spans:
        return
    started, conditions = launch.word.span, launch.command.conditions
    asked = source.text.rfind("$?", 0, started.start)
    ignored = []
    for command in commands[: spans.index(launch.command.span)]:
        step = _step(command, parameters["steps"])
        looked_at = command.checked or command.span.end <= asked
        if step and not looked_at and not command.background and _may_follow(command, conditions):
            ignored.append((step, command.span))
    if ignored:
        (step, span), *others = ignored
        related = (*(("other", other) for _, other in others), ("start", started))
        yield Hit(span, {"step": step}, related)


def _step(command: Command, steps: Sequence[str]) -> str | None:
    """The step that a command is: it has the step's words, in their order."""
    words = [posixpath.basename(word.text or "") for word in command.words]
    for step in steps:
        rest = iter(words)
        if all(part in rest for part in step.split()):
            return step
    return None


def _may_follow(command: Command, conditions: Sequence[str]) -> bool:
    """Whether what rests on `conditions` may run behind a command: no branch excludes it."""
    return not any(
        f"not {one}" in others
        for own, others in ((command.conditions, conditions), (conditions, command.conditions))
        for one in own
    ) and not any("traps change nothing" in condition for condition in conditions)


def commands_after_exec(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """Commands behind `exec gunicorn`, which never run."""
    for source in _scripts(project):
        for body in _bodies(parsed(source).body):
            for statement, following in pairwise(body):
                if isinstance(statement, Simple) and _execs_server(statement):
                    related = (("exec", statement.span.span()),)
                    for never in islice(_commands([following]), 1):
                        yield Hit(never.span.span(), {}, related)


def _bodies(body: tuple[Statement, ...]) -> Iterator[tuple[Statement, ...]]:
    """Each run of statements in a script, outermost first."""
    stack = [body]
    while stack:
        current = stack.pop()
        yield current
        for statement in current:
            if isinstance(statement, Block | Loop):
                stack.append(statement.body)
            elif isinstance(statement, If):
                stack += [branch.body for branch in statement.branches]
                stack.append(statement.otherwise)
            elif isinstance(statement, Case):
                stack += [arm for _, arm in statement.arms]
            elif isinstance(statement, FunctionDefinition):
                stack.append((statement.body,))


def _parts(statement: Statement) -> tuple[Statement, ...]:
    """The statements right inside a statement, in order."""
    if isinstance(statement, Pipeline):
        return statement.parts
    if isinstance(statement, AndOr):
        return statement.left, statement.right
    if isinstance(statement, Background | Negated | FunctionDefinition):
        return (statement.body,)
    if isinstance(statement, Block):
        return statement.body
    if isinstance(statement, Loop):
        return (*statement.condition, *statement.body)
    if isinstance(statement, If):
        branches = [each for one in statement.branches for each in (*one.condition, *one.body)]
        return (*branches, *statement.otherwise)
    if isinstance(statement, Case):
        return tuple(each for _, arm in statement.arms for each in arm)
    return ()


def _within(body: Sequence[Statement]) -> Iterator[Statement]:
    """Each statement of a script and all inside it, in order; what functions hold is left out."""
    stack = list(reversed(body))
    while stack:
        statement = stack.pop()
        yield statement
        if not isinstance(statement, FunctionDefinition):
            stack.extend(reversed(_parts(statement)))


def _commands(body: Sequence[Statement]) -> Iterator[Simple]:
    return (each for each in _within(body) if isinstance(each, Simple))


def _execs_server(command: Simple) -> bool:
    words = [word.text.strip("\"'") for word in command.words[:5] if isinstance(word, Fragment)]
    return words[:1] == ["exec"] and any(posixpath.basename(word) == "gunicorn" for word in words)


def crlf_script(project: Project, parameters: Parameters) -> Iterator[Hit]:
    r"""A script whose lines end in `\r\n`; variant "words" where the interpreter's line doesn't."""
    for source in _scripts(project):
        end = source.text.find("\r\n")
        if end < 0:
            continue
        first = source.position(end)[0]
        has_interpreter = first == 1 and source.text.startswith("#!")
        span = source.line_span(first)
        name = posixpath.basename(span.text.split()[-1]) if has_interpreter else ""
        yield Hit(span, {"name": name}, variant=None if has_interpreter else "words")


def venv_not_activated(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """A script of a unit starts plain `gunicorn`, and other places use a virtual environment."""
    looked_up = [
        (launch, launch.unit)
        for deployment in project.deployments
        if (launch := deployment.launch) and launch.unit and _is_looked_up(launch, launch.unit)
    ]
    venv = next(_virtual_environments(project), None) if looked_up else None
    if venv is not None:
        for launch, unit in looked_up:
            values = {"unit": unit.name, "venv": venv.text}
            yield Hit(launch.word.span, values, (("venv", venv),))


def _is_looked_up(launch: Launch, unit: Unit) -> bool:
    """Whether a unit's script starts the gunicorn of systemd's own PATH."""
    plain = launch.word.text == "gunicorn" and launch.word == launch.command.words[0]
    if launch.server != "gunicorn" or not plain or launch.word.span.source in unit.sources:
        return False
    keys = ("EnvironmentFile", "PassEnvironment", "ExecSearchPath")
    if "PATH" in launch.command.environment or any(unit.all("Service", key) for key in keys):
        return False
    sources = {label.span.source for label in launch.chain}
    return not any(_ACTIVATES.search(source.text) for source in sources)


def _virtual_environments(project: Project) -> Iterator[Span]:
    """Where scripts and units use a virtual environment's programs."""
    for path in project.tree.listing():
        source = project.tree.read(path) if project.tree.kind(path) in ("script", "unit") else None
        found = _VENV.search(source.text) if source is not None else None
        if source is not None and found is not None:
            yield source.span(*found.span())


def trap_without_second_wait(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """The script that passes SIGTERM on to gunicorn in the background ends before gunicorn has.

    The trap ends its only `wait`, or (variant "exit") the handler ends the script. Under systemd
    that matters with `KillMode=mixed` only: otherwise systemd waits for what is left.
    """
    launch = deployment.launch
    mode = launch.unit.last("Service", "KillMode") if launch and launch.unit else None
    if launch is None or (launch.unit and (mode is None or mode.value.text != "mixed")):
        return
    found = forwarding(launch)
    if found is not None and found.flaw is not None:
        trap, flaw = found.trap.span.span(), found.flaw.span.span()
        if found.flaw is found.trap:
            yield Hit(trap, variant="exit")
        else:
            yield Hit(flaw, {}, (("trap", trap),))


class Forwarding(Struct, frozen=True):
    """How a script passes signals on to the gunicorn that it has started in the background.

    `trap` sets the handler of SIGTERM. `flaw` is the command because of which the script doesn't
    stay until gunicorn has ended: its only `wait`, or the trap itself. `signals` are all that it
    has traps for.
    """

    trap: Simple
    flaw: Simple | None
    signals: frozenset[str]


@lru_cache(maxsize=32)
def _traps(source: Source) -> Mapping[str, Simple]:
    """The last trap of a script for each signal."""
    commands = _commands(parsed(source).body)
    return {signal: each for each in commands for signal in _signals(each)}


def forwarding(launch: Launch) -> Forwarding | None:
    """The trap for SIGTERM of a script with gunicorn in the background; None where it has none."""
    source = launch.word.span.source
    if not launch.command.background or not _is_script(source):
        return None
    script, traps = parsed(source), _traps(source)
    if "TERM" not in traps:
        return None
    trap, signals = traps["TERM"], frozenset(traps)
    names = _handler(trap, script)
    flaw = None
    if names is not None and not _WAITING & names:
        flaw = trap if "exit" in names else _only_wait(script, launch.word.span.end)
    return Forwarding(trap, flaw, signals)


def _signals(command: Simple) -> Iterator[str]:
    """The signals for which a `trap` sets a handler."""
    words = [word for word in command.words if isinstance(word, Fragment) and word.text != "--"]
    if _name(command) == "trap" and len(words) > 2 and words[1].text not in ("-", "''", '""'):
        for word in words[2:]:
            name = word.text.upper().removeprefix("SIG")
            yield _NUMBERED.get(name, name)


def _handler(trap: Simple, script: Script) -> frozenset[str] | None:
    """The names of the commands that a handler runs; None where it can't be told.

    The functions of the script that it calls are looked into.
    """
    functions = {
        each.name: each.body
        for each in _within(script.body)
        if isinstance(each, FunctionDefinition)
    }
    action = next(
        word for word in trap.words[1:] if isinstance(word, Fragment) and word.text != "--"
    )
    quoted = action.text[:1] in ("'", '"')
    code = action.slice(1, len(action.text) - 1) if quoted else action
    direct = list(_commands(parse(code, script.shell).body))
    called = [functions[_name(each)] for each in direct if _name(each) in functions]
    is_elsewhere = not called and len(direct) == 1 and len(direct[0].words) == 1
    names = frozenset(_name(each) for each in (*direct, *_commands(called)))
    return None if is_elsewhere and not names <= _KNOWN else names


def _only_wait(script: Script, start: int) -> Simple | None:
    """The `wait` behind a place, if the script waits there once and for nothing else."""
    waiting = [
        each
        for each in _commands(script.body)
        if _name(each) in _WAITING and each.span.span().start > start
    ]
    loops = [each for each in _within(script.body) if isinstance(each, Loop)]
    if len(waiting) != 1 or any(each.span.span().start > start for each in _commands(loops)):
        return None
    return waiting[0] if _name(waiting[0]) == "wait" else None


def _name(command: Simple) -> str:
    """The program or builtin that a command names plainly."""
    first = command.words[0] if command.words else None
    return first.text if isinstance(first, Fragment) else ""


def development_server(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """A development server in production; variant "reload": uvicorn's `--reload`."""
    for server in project.development_servers:
        option = server.word.text or ""
        command = server.chain[-1].span
        values = {"command": f"{posixpath.basename(command.text)} {option}"}
        related = server.chain[:-1]
        variant = "reload" if option.startswith("-") else None
        yield Hit(server.word.span, values, related, variant)
