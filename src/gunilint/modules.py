"""The Python modules of a project: found by their dotted names, each parsed once."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from gunilint.parse.nesting import too_deep
from gunilint.regex import regex
from gunilint.source import Source, Span

_TOKENS = 250_000
"""The most tokens of a module, some 25,000 lines."""
_BINDS_UNSEEN = regex(
    r"import\s+(?:\(\s*)?\*|\b(?:globals|vars|locals|exec|setattr|__getattr__|__dict__|modules)\b"
)


class Files(Protocol):
    """What modules are read from, by paths relative to the project's root."""

    def read(self, path: str) -> Source | None:
        """The file's text; None where there is none."""

    def is_file(self, path: str) -> bool:
        """Whether there is such a file."""


class Module(Struct, frozen=True, eq=False):
    """A module of the project; `tree` is None where it can't be parsed."""

    name: str
    source: Source
    tree: ast.Module | None
    is_package: bool

    @property
    def bound(self) -> frozenset[str] | None:
        """The names that its code binds anywhere; None where it may bind others unseen."""
        if self.tree is None or _BINDS_UNSEEN.search(self.source.text):
            return None
        names: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            elif isinstance(node, ast.alias):
                names.add(node.asname or node.name.partition(".")[0])
            elif isinstance(name := getattr(node, "name", None), str):
                names.add(name)
        return frozenset(names)

    def span(self, node: ast.expr | ast.stmt) -> Span:
        """The place of a node, whose columns count UTF-8 bytes."""
        start = self._offset(node.lineno, node.col_offset)
        end = self._offset(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
        return Span(self.source, start, max(start, end))

    def _offset(self, line: int, column: int) -> int:
        text = self.source.line(line)
        return self.source.line_starts[line - 1] + len(
            text.encode("utf-8", "surrogatepass")[:column].decode("utf-8", "ignore")
        )

    def absolute(self, statement: ast.ImportFrom) -> str:
        """The dotted name of the module that a `from` of this module imports from."""
        if not statement.level:
            return statement.module or ""
        parts = self.name.split(".")
        kept = len(parts) - statement.level + (1 if self.is_package else 0)
        return ".".join((*parts[: max(0, kept)], *([statement.module] if statement.module else [])))


class Modules:
    """The modules below the first of `folders` that has them."""

    def __init__(self, files: Files, folders: Sequence[str]) -> None:
        self._files = files
        self._folders = folders
        self._read: dict[str, Module | None] = {}

    def get(self, name: str) -> Module | None:
        """The module of a dotted name; None where the project has none."""
        if name not in self._read:
            self._read[name] = self._find(name)
        return self._read[name]

    def _find(self, name: str) -> Module | None:
        if not all(part.isidentifier() for part in name.split(".")):
            return None
        relative = name.replace(".", "/")
        for folder in self._folders:
            for end in ("/__init__.py", ".py"):
                path = f"{folder}/{relative}{end}".lstrip("/")
                if self._files.is_file(path):
                    source = self._files.read(path) or Source(path, "")
                    return Module(name, source, parsed(source.text), end != ".py")
        return None


def parsed(text: str) -> ast.Module | None:
    """The tree of a module's text; None where it can't be parsed."""
    if too_deep(text, _TOKENS) is not None:
        return None
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
