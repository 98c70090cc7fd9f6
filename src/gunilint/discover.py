"""The files of a project: where it starts, what is in it, and reading them.

`Tree` is the only way to a file, and nothing outside its root is read, links included.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gunilint.source import Problem, Source

Kind = Literal["config", "script", "unit"]

SIZE_LIMIT = 1024 * 1024
"""Larger files, in bytes, aren't parsed: no deployment file is written that long by hand."""

_IGNORED_FOLDERS = frozenset(
    {
        "__pycache__", "node_modules", "site-packages", "venv", "env", "virtualenv",
        "build", "dist", "eggs",
    }
)  # fmt: skip
_ROOT_MARKS = (".git", "pyproject.toml", "gunilint.toml")
_CONFIG_NAME = re.compile(
    r"(^|/)(gunicorn[^/]*\.py|[^/]*gunicorn[^/]*\.conf(\.py)?|[^/]*gunicorn[-_.]?(conf|config|cfg|settings)[^/]*\.py"
    r"|gunicorn/[^/]+\.py)$"
)
_SCRIPT_NAME = re.compile(r"\.(sh|bash|dash|ksh)$")
_UNIT_NAME = re.compile(r"\.(service|socket)$|\.(service|socket)\.d/[^/]+\.conf$")
_SHEBANG = re.compile(
    rb"#!\s*(/usr)?(/local)?/?(bin/)?(env\s+(-\S+\s+)*)?(\S*/)?(ba|da|k|a|z)?sh\b"
)
_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.MULTILINE)
_SERVERS = re.compile(rb"gunicorn|uvicorn", re.IGNORECASE)
_SIGNALS = re.compile(rb"systemctl|\bkill|\bservice\s")


@dataclass(frozen=True)
class File:
    """A file that was read: its text, or only why there is none."""

    source: Source
    problem: Problem | None = None
    serves: bool = False
    """Whether it has the word gunicorn or uvicorn in it."""
    signals: bool = False
    """Whether it has a command in it that signals a process or a unit."""


@dataclass(frozen=True)
class Tree:
    """The files below a project's root. Paths are relative to it, with `/`."""

    root: Path
    _files: dict[str, File | None] = field(default_factory=dict, repr=False)
    _listing: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False)

    def read(self, path: str) -> Source | None:
        """The text of a file; None where there is no such file or it has no readable text."""
        found = self.file(path)
        if found is None or (found.problem and found.problem.kind != "encoding"):
            return None
        return found.source

    def file(self, path: str) -> File | None:
        """The file at `path`, also if it can't be read; None where there is none."""
        normal = normalise(path)
        if normal is None:
            return None
        if normal not in self._files:
            self._files[normal] = self._load(normal)
        return self._files[normal]

    def is_file(self, path: str) -> bool:
        """Whether `path` is a file below the root."""
        target = self._inside(path)
        return target is not None and target.is_file()

    def is_dir(self, path: str) -> bool:
        """Whether `path` is a folder below the root."""
        target = self._inside(path)
        return target is not None and target.is_dir()

    def listing(self, folder: str = "") -> tuple[str, ...]:
        """Every file below `folder` that git wouldn't ignore, sorted."""
        if folder not in self._listing:
            self._listing[folder] = tuple(sorted(self._walk(folder)))
        return self._listing[folder]

    def children(self, folder: str = "") -> tuple[str, ...]:
        """The names of the files right in `folder`, sorted; none where there is no such folder."""
        target = self._inside(folder)
        if target is None:
            return ()
        try:
            return tuple(sorted(entry.name for entry in os.scandir(target) if entry.is_file()))
        except OSError:
            return ()

    def _inside(self, path: str) -> Path | None:
        normal = normalise(path)
        if normal is None or "\0" in normal:
            return None
        try:
            target = (self.root / normal).resolve()
        except (OSError, RuntimeError):
            return None
        return target if target.is_relative_to(self.root) else None

    def _load(self, path: str) -> File | None:
        empty = Source(path, "", str(self.root))

        def unreadable(reason: str) -> File:
            return File(empty, Problem(empty.span(0, 0), reason, "unreadable"), serves=True)

        target = self._inside(path)
        if target is None or not target.exists():
            broken = _is_broken_link(self.root / path)
            return (
                unreadable("it is a link that leads to no file of the project") if broken else None
            )
        try:
            if target.is_dir():
                return unreadable("it is a folder")
            size = target.stat().st_size
            with target.open("rb") as stream:
                data = stream.read(SIZE_LIMIT + 1)
                if size > SIZE_LIMIT:
                    serves = bool(_SERVERS.search(data)) or _mentions_server(stream)
                    reason = f"it has {size:,} bytes, and more than {SIZE_LIMIT:,} are not read"
                    return File(empty, Problem(empty.span(0, 0), reason, "size"), serves)
        except OSError as error:
            return unreadable(error.strerror or "it can't be read")
        source, problem = decode(path, data, str(self.root))
        return File(source, problem, bool(_SERVERS.search(data)), bool(_SIGNALS.search(data)))

    def _walk(self, folder: str) -> Iterator[str]:
        stack: list[tuple[str, tuple[_Ignore, ...]]] = [(folder, ())]
        while stack:
            current, specs = stack.pop()
            specs = (*specs, *_ignores(self.root, current))
            try:
                entries = sorted(os.scandir(self.root / current), key=lambda entry: entry.name)
            except OSError:
                continue
            for entry in entries:
                path = f"{current}/{entry.name}" if current else entry.name
                is_folder = entry.is_dir(follow_symlinks=False)
                if any(spec.ignores(path, is_folder) for spec in specs):
                    continue
                if not is_folder or _CONFIG_NAME.search(path):
                    yield path
                elif entry.name not in _IGNORED_FOLDERS and not entry.name.startswith("."):
                    stack.append((path, specs))


@dataclass(frozen=True)
class _Ignore:
    folder: str
    spec: object

    def ignores(self, path: str, is_folder: bool) -> bool:
        inner = path[len(self.folder) + 1 :] if self.folder else path
        matches: bool = self.spec.match_file(inner + "/" * is_folder)  # type: ignore[attr-defined]
        return matches


def _ignores(root: Path, folder: str) -> Iterator[_Ignore]:
    try:
        text = (root / folder / ".gitignore").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    from pathspec import GitIgnoreSpec

    yield _Ignore(folder, GitIgnoreSpec.from_lines(text.splitlines()))


def _is_broken_link(path: Path) -> bool:
    """Whether a link that leads nowhere was meant to stay in the project.

    An absolute one means a file of the target machine, as `/dev/null` does for a masked unit.
    """
    try:
        return not path.readlink().is_absolute()
    except OSError:
        return False


def _mentions_server(stream: Iterable[bytes]) -> bool:
    return any(_SERVERS.search(line) for line in stream)


def decode(path: str, data: bytes, root: str = "") -> tuple[Source, Problem | None]:
    """The text of a file's bytes, and what is wrong with them.

    UTF-8, with or without a byte order mark, or what a Python coding comment names. Bytes that
    aren't UTF-8 are read as Latin-1, so that places stay right.
    """
    if data.startswith(codecs.BOM_UTF8):
        data = data[len(codecs.BOM_UTF8) :]
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        source = Source(path, "", root)
        return source, Problem(source.span(0, 0), "it is encoded as UTF-16", "binary")
    if b"\0" in data:
        offset = data.index(b"\0")
        source = Source(path, data.decode("latin-1"), root)
        return source, Problem(source.span(offset, offset + 1), "it has a NUL byte", "binary")
    coding = _CODING.search(b"\n".join(data.split(b"\n", 2)[:2])) if path.endswith(".py") else None
    try:
        encoding = coding[1].decode() if coding else "utf-8"
        return Source(path, data.decode(encoding), root), None
    except (LookupError, UnicodeDecodeError) as error:
        source = Source(path, data.decode("latin-1"), root)
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        reason = f"the byte 0x{data[start]:02x} isn't UTF-8"
        return source, Problem(source.span(start, start + 1), reason, "encoding")


def normalise(path: str) -> str | None:
    """`path` without `.` and `..`; None where it leads out of the root."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def find_root(start: Path) -> Path:
    """The project that `start` belongs to: the nearest parent with `.git` or `pyproject.toml`."""
    folder = start if start.is_dir() else start.parent
    for candidate in (folder, *folder.parents):
        if any((candidate / mark).exists() for mark in _ROOT_MARKS):
            return candidate
    return folder


def kind_of(path: str, tree: Tree) -> Kind | None:
    """What a file is, by its name or its first line; None for all that isn't gunilint's."""
    name = path.rpartition("/")[2]
    if _UNIT_NAME.search(path):
        return "unit"
    if _CONFIG_NAME.search(path):
        package = path.rpartition("/")[0] + "/__init__.py"
        in_gunicorn_itself = "/gunicorn/" in f"/{path}" and tree.is_file(package)
        return None if in_gunicorn_itself else "config"
    if _SCRIPT_NAME.search(name):
        return "script"
    if "." not in name and _has_shell_shebang(tree, path):
        return "script"
    return None


def _has_shell_shebang(tree: Tree, path: str) -> bool:
    try:
        with (tree.root / path).open("rb") as stream:
            return bool(_SHEBANG.match(stream.read(128)))
    except OSError:
        return False
