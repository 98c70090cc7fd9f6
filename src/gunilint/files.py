"""The parsed files of a project, each read once, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeAlias

from gunilint.discover import Tree
from gunilint.parse.shell import Script, parsed
from gunilint.source import Problem, Source
from gunilint.syntax import PythonConfig

Parse: TypeAlias = Callable[[Source], PythonConfig]
"""What makes a config of a Python file's text."""


def parse_config(source: Source) -> PythonConfig:
    """A Python file as libcst reads it, which is imported for the first."""
    from gunilint.parse.python_config import parse

    return parse(source)


class Parser:
    """Parses each config when it is needed, and keeps nothing."""

    def parse(self, source: Source) -> PythonConfig:
        """A Python file, parsed."""
        return parse_config(source)

    def ahead(
        self, paths: Sequence[str], read: Callable[[str], Source | None]
    ) -> AbstractContextManager[None]:
        """A block in which configs will be parsed: what can be done ahead is done meanwhile."""
        return nullcontext()


class Files:
    """Reads and parses a tree's files on demand, Python with `parse`.

    `problems` has each problem once, `seen` the paths that were looked at.
    """

    def __init__(self, tree: Tree, parse: Parse) -> None:
        self.tree = tree
        self.parse = parse
        self.seen: set[str] = set()
        self._problems: dict[tuple[str, int], Problem] = {}
        self._scripts: dict[str, Script | None] = {}
        self._configs: dict[str, PythonConfig | None] = {}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the files that were looked at."""
        return tuple(self._problems.values())

    def report(self, problems: Iterable[Problem]) -> None:
        """Keep problems that a parser found."""
        for problem in problems:
            self._problems.setdefault((problem.span.source.path, problem.span.start), problem)

    def text(self, path: str, *, any_encoding: bool = False) -> Source | None:
        """The text of a file that belongs to a deployment; None where it has none."""
        found = self.tree.file(path)
        if found is None:
            return None
        self.seen.add(path)
        problem = found.problem
        if problem is not None and not (any_encoding and problem.kind == "encoding"):
            self.report([problem])
        return self.tree.read(path)

    def script(self, path: str) -> Script | None:
        """A shell script; problems count only in one that speaks of gunicorn.

        A shell reads bytes, whatever their encoding.
        """
        if path not in self._scripts:
            found = self.tree.file(path)
            source = self.text(path, any_encoding=True)
            script = parsed(source) if source else None
            if script is not None and found is not None and found.serves:
                self.report(script.problems)
            self._scripts[path] = script
        return self._scripts[path]

    def config(self, path: str) -> PythonConfig | None:
        """A Python file, with its problems in it."""
        if path not in self._configs:
            source = self.text(path)
            self._configs[path] = self.parse(source) if source else None
        return self._configs[path]
