"""The files of a project: where it starts, what is in it, and reading them.

`Tree` is the only way to a file, and nothing outside its root is read, links included.
"""

from __future__ import annotations

import codecs
import io
import os
import posixpath
import re
import tokenize
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct, field

from gunilint.disk import SIZE_LIMIT, Disk, Entry
from gunilint.regex import regex
from gunilint.source import Problem, Source

Kind = Literal["config", "script", "unit"]

_LOOKED_THROUGH = 64 * SIZE_LIMIT
"""How much of a file that isn't read is searched for the name of a server, in bytes."""

_BEGINNING = 128
"""The bytes that have a script's first line."""

SEARCHED = 20_000
"""The files that are searched for a word."""

_IGNORED_FOLDERS = frozenset(
    {
        "__pycache__", "node_modules", "site-packages", "venv", "env", "virtualenv",
        "build", "dist", "eggs",
    }
)  # fmt: skip
_ROOT_MARKS = (".git", "pyproject.toml", "gunilint.toml")
"""What is at the top of a project."""
_CONFIG_WORDS = regex(r"gunicorn[-_.]?(conf|cfg|settings)")
_SCRIPT_ENDS = (".sh", ".bash", ".dash", ".ksh")
_UNIT_ENDS = (".service", ".socket")
_DROPIN_FOLDERS = (".service.d", ".socket.d")
_SHEBANG = regex(rb"#!\s*(/usr)?(/local)?/?(bin/)?(env\s+(-\S+\s+)*)?(\S*/)?(ba|da|k|a|z)?sh\b")
_CODING = regex(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", re.MULTILINE)
_COMMENT_LINE = regex(rb"^[ \t]*[#;].*", re.MULTILINE)
_SERVERS = regex(rb"gunicorn|uvicorn", re.IGNORECASE)
_DEVELOPMENT_SERVERS = regex(
    rb"\b(flask|quart)\b[^\n]{0,80}\brun\b|\brunserver\b|\bfastapi\s+dev\b"
)
_SIGNALS = regex(rb"systemctl|\bkill|\bservice\s")


class File(Struct, frozen=True):
    """A file that was read: its text, or only why there is none."""

    source: Source
    problem: Problem | None = None
    serves: bool = False
    """Whether it has the word gunicorn or uvicorn in it."""
    develops: bool = False
    """Whether it has the command of a development server in it."""
    signals: bool = False
    """Whether it has a command in it that signals a process or a unit."""


Matcher: TypeAlias = Callable[[str, bool], bool]
"""Whether patterns match a path below a project's root; the flag says that it is a folder's."""


def matcher(patterns: Sequence[str], folder: Path, root: Path) -> Matcher:
    """What tells whether patterns, as in a `.gitignore` of `folder`, match a path below `root`."""
    if not patterns:
        return lambda _path, _is_folder: False
    from pathspec import GitIgnoreSpec

    spec = GitIgnoreSpec.from_lines(patterns)
    from_folder = relative(str(root), str(folder))

    def matches(path: str, is_folder: bool) -> bool:
        inner = normalise(f"{from_folder}/{path}")
        if inner is None:
            # the folder is below the root, and so may the path be
            prefix = folder.relative_to(root).as_posix() + "/"
            inner = path.removeprefix(prefix) if path.startswith(prefix) else None
        return inner is not None and spec.match_file(inner + "/" * is_folder)

    return matches


class Tree(Struct, frozen=True):
    """The files below a project's root. Paths are relative to it, with `/`.

    `unsaved` holds contents that stand for those of files, as an editor has them; `excluded`
    tells which paths the listing leaves out. Files of more than `size_limit` bytes aren't read: no
    deployment file is written that long by hand.
    """

    root: Path
    unsaved: Mapping[str, bytes] = field(default_factory=dict)
    excluded: Matcher = lambda _path, _is_folder: False
    disk: Disk = field(default_factory=Disk)
    size_limit: int = SIZE_LIMIT
    _files: dict[str, File | None] = field(default_factory=dict)
    _folders: dict[str, str | None] = field(default_factory=dict)
    _kinds: dict[str, Kind | None] = field(default_factory=dict)
    _ignoring: dict[str, tuple[_Ignore, ...]] = field(default_factory=dict)
    _listing: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _matching: dict[re.Pattern[str], tuple[str, ...]] = field(default_factory=dict)
    _children: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _ending: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _backwards: list[str] = field(default_factory=list)

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

    def texts(self) -> tuple[Source, ...]:
        """The texts of all files that were read so far, by their paths."""
        found = sorted(self._files.items())
        return tuple(file.source for _, file in found if file is not None)

    def is_file(self, path: str) -> bool:
        """Whether `path` is a file below the root."""
        return self._unsaved(path) is not None or self._at(path) == "file"

    def is_dir(self, path: str) -> bool:
        """Whether `path` is a folder below the root."""
        return self._at(path) == "folder"

    def kind(self, path: str) -> Kind | None:
        """What a file is, by its name or first line; None for all that isn't gunilint's."""
        if path not in self._kinds:
            self._kinds[path] = _kind(path, self)
        return self._kinds[path]

    def begins(self, path: str) -> bytes:
        """The beginning of a file; nothing where it can't be read."""
        if path in self.unsaved:
            return self.unsaved[path]
        target = self._inside(path)
        try:
            return self.disk.read(target, _BEGINNING)[0] if target is not None else b""
        except OSError:
            return b""

    def mentioning(self, word: str) -> Iterator[Source]:
        """The files that git wouldn't ignore with `word` in them; they aren't kept in memory."""
        sought = word.encode("utf-8", "surrogatepass")
        for path in self.listing()[:SEARCHED]:
            target = self._inside(path)
            try:
                data, size = self.disk.read(target, SIZE_LIMIT) if target is not None else (b"", 0)
            except OSError:
                continue
            if size <= SIZE_LIMIT and sought in data:
                yield decode(path, data, str(self.root))[0]

    def expects(self, path: str) -> bool:
        """Whether `path` is for something that git doesn't hold: a link, or what it ignores."""
        normal = normalise(path)
        if normal is None:
            return True
        folder, name = self._inside(posixpath.dirname(normal)), posixpath.basename(normal)
        is_link = folder is not None and self.disk.kind(f"{folder}/{name}") == "link"
        return is_link or self.ignores(normal)

    def listing(self, folder: str = "") -> tuple[str, ...]:
        """Every file below `folder` that git wouldn't ignore, sorted."""
        if folder not in self._listing:
            prefix = f"{folder}/" if folder else ""
            unsaved = [path for path in self.unsaved if path.startswith(prefix)]
            self._listing[folder] = tuple(sorted({*self._walk(folder), *unsaved}))
        return self._listing[folder]

    def within(self, folder: str) -> Sequence[str]:
        """What the listing of the folder around it has in `folder`."""
        return starting(self.listing(posixpath.dirname(folder)), f"{folder}/")

    def matching(self, pattern: re.Pattern[str]) -> tuple[str, ...]:
        """The files of the listing in whose path a pattern finds something."""
        if pattern not in self._matching:
            self._matching[pattern] = tuple(filter(pattern.search, self.listing()))
        return self._matching[pattern]

    def ending(self, tail: str) -> tuple[str, ...]:
        """The files of the listing whose path ends with that of a file, such as `app/main.py`."""
        if tail not in self._ending:
            if not self._backwards:
                self._backwards.extend(sorted(f"/{path}"[::-1] for path in self.listing()))
            found = starting(self._backwards, f"/{tail}"[::-1])
            self._ending[tail] = tuple(sorted(path[::-1][1:] for path in found))
        return self._ending[tail]

    def ignores(self, path: str) -> bool:
        """Whether git ignores `path`, be the file there or not."""
        parts = path.split("/")
        specs: list[_Ignore] = []
        for depth in range(len(parts)):
            specs += self._ignores("/".join(parts[:depth]))
            part, is_folder = "/".join(parts[: depth + 1]), depth < len(parts) - 1
            if any(spec.ignores(part, is_folder) for spec in specs):
                return True
        return False

    def children(self, folder: str = "") -> tuple[str, ...]:
        """The names of the files right in `folder`, sorted; none where there is no such folder."""
        if folder not in self._children:
            target = self._inside(folder)
            entries = (self.disk.folder(target) if target is not None else None) or {}
            files = (name for name in entries if self._at(f"{folder}/{name}") == "file")
            self._children[folder] = tuple(files)
        return self._children[folder]

    def _at(self, path: str) -> Entry | None:
        target = self._inside(path)
        return self.disk.kind(target) if target is not None else None

    def _inside(self, path: str) -> str | None:
        """Where a path leads, links followed; None where that is outside of the root."""
        normal = normalise(path)
        if not normal:
            return None if normal is None else str(self.root)
        folder, _, name = normal.rpartition("/")
        if folder not in self._folders:
            own = ""
            place: str | None = str(self.root)
            for part in folder.split("/"):
                own = f"{own}/{part}" if own else part
                if own not in self._folders:
                    self._folders[own] = self._place(place, part)
                place = self._folders[own]
        return self._place(self._folders[folder], name)

    def _place(self, folder: str | None, name: str) -> str | None:
        """Where what is called `name` leads, in a folder that leads to `folder`."""
        if folder is None or not name:
            return folder
        place = f"{folder.rstrip('/')}/{name}"
        if self.disk.kind(place) != "link":
            return place
        real = self.disk.real(place)
        if real is None or self.disk.kind(real) == "link":
            return None
        return real if f"{real}/".startswith(f"{str(self.root).rstrip('/')}/") else None

    def _unsaved(self, path: str) -> bytes | None:
        """The content that stands for a file's, by the file's own name or that of a link to it."""
        if not self.unsaved:
            return None
        target = self._inside(path)
        own = target[len(str(self.root)) :].lstrip("/") if target is not None else path
        return self.unsaved.get(path, self.unsaved.get(own))

    def _load(self, path: str) -> File | None:
        unsaved = self._unsaved(path)
        if unsaved is not None:
            return _file(*decode(path, unsaved, str(self.root)), unsaved)
        empty = Source(path, "", str(self.root))

        def unreadable(reason: str) -> File:
            return File(empty, Problem(empty.span(0, 0), reason, "unreadable"), serves=True)

        target = self._inside(path)
        kind = self.disk.kind(target) if target is not None else None
        if target is None or kind is None:
            broken = self._is_broken_link(path)
            return (
                unreadable("it is a link that leads to no file of the project") if broken else None
            )
        if kind != "file":
            return unreadable("it is a folder" if kind == "folder" else "it is no regular file")
        try:
            data, size = self.disk.read(target, self.size_limit)
            if size > self.size_limit:
                serves = bool(_SERVERS.search(self.disk.read(target, _LOOKED_THROUGH)[0]))
                limit = f"more than {self.size_limit:,} (`max-file-size`)"
                reason = f"it has {size:,} bytes, and {limit} are not read"
                return File(empty, Problem(empty.span(0, 0), reason, "size"), serves)
        except OSError as error:
            return unreadable(error.strerror or "it can't be read")
        return _file(*decode(path, data, str(self.root)), data)

    def _is_broken_link(self, path: str) -> bool:
        """Whether what leads nowhere is a link that was meant to stay in the project.

        An absolute one means a file of the target machine, as `/dev/null` does for a masked unit.
        """
        folder = self._inside(posixpath.dirname(path))
        target = self.disk.target(f"{folder}/{posixpath.basename(path)}") if folder else None
        return target is not None and not target.startswith("/")

    def _ignores(self, folder: str) -> tuple[_Ignore, ...]:
        if folder not in self._ignoring:
            self._ignoring[folder] = tuple(self._ignore_file(folder))
        return self._ignoring[folder]

    def _ignore_file(self, folder: str) -> Iterator[_Ignore]:
        target = self._inside(f"{folder}/.gitignore")
        try:
            data, _ = self.disk.read(target, SIZE_LIMIT) if target is not None else (b"", 0)
        except OSError:
            return
        if data:
            from pathspec import GitIgnoreSpec

            text = data.decode("utf-8", "replace")
            yield _Ignore(folder, GitIgnoreSpec.from_lines(text.splitlines()))

    def _walk(self, folder: str) -> Iterator[str]:
        stack: list[tuple[str, tuple[_Ignore, ...]]] = [(folder, ())]
        while stack:
            current, specs = stack.pop()
            target = self._inside(current)
            entries = (self.disk.folder(target) if target is not None else None) or {}
            if ".gitignore" in entries:
                specs = (*specs, *self._ignores(current))
            for name, kind in entries.items():
                path = f"{current}/{name}" if current else name
                is_folder = kind == "folder"
                if any(spec.ignores(path, is_folder) for spec in specs):
                    continue
                if self.excluded(path, is_folder):
                    continue
                if not is_folder or _is_config(path):
                    yield path
                elif name not in _IGNORED_FOLDERS and not name.startswith("."):
                    stack.append((path, specs))


def _file(source: Source, problem: Problem | None, data: bytes) -> File:
    return File(
        source=source,
        problem=problem,
        serves=bool(_SERVERS.search(data)),
        develops=bool(_DEVELOPMENT_SERVERS.search(data)),
        signals=bool(_SIGNALS.search(data)),
    )


class _Ignore(Struct, frozen=True):
    folder: str
    spec: object

    def ignores(self, path: str, is_folder: bool) -> bool:
        inner = path[len(self.folder) + 1 :] if self.folder else path
        matches: bool = self.spec.match_file(inner + "/" * is_folder)  # type: ignore[attr-defined]
        return matches


def decode(path: str, data: bytes, root: str = "") -> tuple[Source, Problem | None]:
    """The text of a file's bytes, and what is wrong with them.

    UTF-8, with or without a byte order mark, or what a Python coding comment names. Bytes that
    aren't UTF-8 are read as Latin-1, so that places stay right; in a comment they are no problem,
    neither for Python, which never decodes it, nor for systemd.
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
    try:
        return Source(path, data.decode(_declared(path, data)), root), None
    except (LookupError, UnicodeDecodeError) as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        strange = (
            start if _declared(path, data) != "utf-8" else _not_utf8(_without_comments(path, data))
        )
        if strange is None:
            return Source(path, data.decode("utf-8", "replace"), root), None
        source = Source(path, data.decode("latin-1"), root)
        reason = f"the byte 0x{data[strange]:02x} isn't UTF-8"
        return source, Problem(source.span(strange, strange + 1), reason, "encoding")


def _not_utf8(data: bytes) -> int | None:
    """The first byte that isn't UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return error.start
    return None


def _without_comments(path: str, data: bytes) -> bytes:
    """The bytes of a Python file or a unit, blanks in place of its comments."""
    if _is_unit(path):
        return _COMMENT_LINE.sub(lambda found: b" " * len(found[0]), data)
    if not path.endswith(".py"):
        return data
    lines = data.decode("latin-1").split("\n")
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join(lines)).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start[0] - 1, token.start[1]
                lines[row] = lines[row][:column].ljust(len(lines[row]))
    except (tokenize.TokenError, SyntaxError):
        return data
    return "\n".join(lines).encode("latin-1")


def encode(source: Source, data: bytes, text: str) -> bytes:
    """`text` in the encoding of `data`, the bytes that `source` was decoded from."""
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    encoding = _declared(source.path, data[len(mark) :])
    try:
        data.decode(encoding)
    except (LookupError, UnicodeDecodeError):
        encoding = "latin-1"
    return mark + text.encode(encoding)


def _declared(path: str, data: bytes) -> str:
    """The encoding that a Python file says it has; for all others UTF-8."""
    coding = _CODING.search(b"\n".join(data.split(b"\n", 2)[:2])) if path.endswith(".py") else None
    return coding[1].decode() if coding else "utf-8"


def starting(texts: Sequence[str], start: str) -> Sequence[str]:
    """Those of sorted texts that start with another."""
    first = bisect_left(texts, start)
    return texts[first : bisect_right(texts, start, first, key=lambda text: text[: len(start)])]


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


def relative(path: str, start: str) -> str:
    """A path of the disk as seen from the folder `start`, with `/` separators."""
    return os.path.relpath(path, start).replace(os.sep, "/")


def find_root(start: Path, disk: Disk) -> Path:
    """The project that `start` belongs to: the nearest parent with `.git` or `pyproject.toml`."""
    folder = start if disk.kind(str(start)) == "folder" else start.parent
    for candidate in (folder, *folder.parents):
        if any(disk.kind(str(candidate / mark)) for mark in _ROOT_MARKS):
            return candidate
    return folder


def _kind(path: str, tree: Tree) -> Kind | None:
    name = path.rpartition("/")[2]
    if _is_unit(path):
        return "unit"
    if _is_config(path):
        package = path.rpartition("/")[0] + "/__init__.py"
        in_gunicorn_itself = "/gunicorn/" in f"/{path}" and tree.is_file(package)
        return None if in_gunicorn_itself else "config"
    if name.endswith(_SCRIPT_ENDS):
        return "script"
    if "." not in name and _SHEBANG.match(tree.begins(path)):
        return "script"
    return None


def _is_unit(path: str) -> bool:
    """Whether the name is that of a unit, or of a drop-in in the folder of one."""
    folder, _, name = path.rpartition("/")
    is_dropin = name.endswith(".conf") and not name.startswith(".")
    return name.endswith(_UNIT_ENDS) or (is_dropin and folder.endswith(_DROPIN_FOLDERS))


def _is_config(path: str) -> bool:
    """Whether the name says that it is a config: its own, or that of its folder for Python."""
    if "gunicorn" not in path:
        return False
    folder, _, name = path.rpartition("/")
    if "gunicorn" in name and name.endswith((".conf", ".conf.py")):
        return True
    own = name.startswith("gunicorn") or f"/{folder}".endswith("/gunicorn")
    return name.endswith(".py") and (own or _CONFIG_WORDS.search(name) is not None)
