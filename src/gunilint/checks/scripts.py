"""Checks of the text of start scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from gunilint.checks import Hit, Parameters
from gunilint.deployment import Project
from gunilint.discover import kind_of
from gunilint.parse.shell import Block, Case, FunctionDefinition, If, Loop, Simple, Statement, parse
from gunilint.source import Fragment, Source, Span

_BLANK_BEHIND = re.compile(r"\\[ \t]+$")


def _scripts(project: Project) -> Iterator[Source]:
    """The start scripts that were looked at."""
    for path in sorted(project.files):
        file = project.tree.file(path)
        if file is not None and file.serves and kind_of(path, project.tree) == "script":
            source = project.tree.read(path)
            if source is not None:
                yield source


def broken_continuation(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """A continued gunicorn command that ends too early.

    By a blank behind the backslash, or (variant "comment") by a comment between its lines.
    """
    for source in _scripts(project):
        command = ""
        for number in range(1, len(source.line_starts) + 1):
            line = source.line(number)
            following = source.line(number + 1) if number < len(source.line_starts) else ""
            goes_on = following.lstrip().startswith("-")
            in_command = re.search(r"\bgunicorn\b", command + line) is not None
            if _BLANK_BEHIND.search(line) and in_command and goes_on and "#" not in line:
                yield Hit(_behind(source, number))
            if command and in_command and line.lstrip().startswith("#") and goes_on:
                yield Hit(source.line_span(number), variant="comment")
            command = command + line if line.endswith("\\") else ""


def _behind(source: Source, number: int) -> Span:
    """The backslash and the blanks at the end of a line."""
    text = source.line(number)
    start = source.line_starts[number - 1] + len(text.rstrip()) - 1
    return source.span(start, source.line_starts[number - 1] + len(text))


def commands_after_exec(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """Commands behind `exec gunicorn`, which never run."""
    for source in _scripts(project):
        for body in _bodies(parse(Fragment.whole(source)).body):
            for statement, following in pairwise(body):
                if _execs_server(statement) and isinstance(following, Simple):
                    assert isinstance(statement, Simple)
                    related = (("exec", statement.span.span()),)
                    yield Hit(following.span.span(), {}, related)


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


def _execs_server(statement: Statement) -> bool:
    if not isinstance(statement, Simple) or len(statement.words) < 2:
        return False
    words = [word.text for word in statement.words[:4] if isinstance(word, Fragment)]
    return words[0] == "exec" and any(re.search(r"(^|/)gunicorn$", word) for word in words)


def crlf_script(project: Project, parameters: Parameters) -> Iterator[Hit]:
    r"""A script whose lines end in `\r\n`."""
    for source in _scripts(project):
        if source.text.startswith("#!") and source.text.partition("\n")[0].endswith("\r"):
            yield Hit(source.line_span(1))
