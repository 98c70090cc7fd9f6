"""The only way to the disk for all that is linted or configures: each look at it is remembered.

A later run that finds every look unchanged would see, and therefore say, the same.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

try:
    # hashlib would load OpenSSL, which takes longer than all that is hashed here
    from _blake2 import blake2b
except ImportError:  # pragma: no cover - a Python without it
    from hashlib import blake2b

if TYPE_CHECKING:
    from pathlib import Path

SIZE_LIMIT = 1024 * 1024
"""Larger files, in bytes, are no configuration, and are not linted unless they are asked for."""

Entry: TypeAlias = Literal["file", "folder", "link", "other"]

Looks: TypeAlias = Mapping[str, Mapping[str, Any]]
"""What a run has seen: for each way of looking the answer by path. It can be written as JSON."""


class Disk:
    """Reads files and folders, and remembers what it has seen of each.

    A question that was asked before has the answer of before, but for contents, which aren't kept.
    All paths are absolute; none of the answers follows a link unless it says so.
    """

    def __init__(self) -> None:
        self._kinds: dict[str, Entry | None] = {}
        self._folders: dict[str, dict[str, Entry] | None] = {}
        self._real: dict[str, str | None] = {}
        self._targets: dict[str, str | None] = {}
        self._contents: dict[str, str | None] = {}
        self._settled = True

    def kind(self, path: str) -> Entry | None:
        """What is at a path; None where nothing is, or nothing can be."""
        if path in self._kinds:
            return self._kinds[path]
        folder, _, name = path.rpartition("/")
        entries = self._folders.get(folder)
        if entries is not None and name:
            return entries.get(name)
        self._kinds[path] = _kind(path)
        return self._kinds[path]

    def is_file(self, path: str) -> bool:
        """Whether a path leads to a regular file, be it by links."""
        kind = self.kind(path)
        real = self.real(path) if kind == "link" else path
        return real is not None and (kind if real == path else self.kind(real)) == "file"

    def folder(self, path: str) -> Mapping[str, Entry] | None:
        """What is in a folder, by name in the order of the names; None where it can't be read."""
        if path not in self._folders:
            self._folders[path] = _folder(path)
        return self._folders[path]

    def real(self, path: str) -> str | None:
        """The path without links; None where these go round in circles."""
        if path not in self._real:
            self._real[path] = _real(path)
        return self._real[path]

    def target(self, path: str) -> str | None:
        """Where a link leads to, as it says itself; None for what is no link."""
        if path not in self._targets:
            self._targets[path] = _target(path)
        return self._targets[path]

    def read(self, path: str, limit: int) -> tuple[bytes, int]:
        """The first `limit` bytes of a regular file, and how many it has. Raises `OSError`."""
        key = f"{limit}:{path}"
        try:
            data, size = _read(path, limit)
        except OSError:
            self._settle(key, None)
            raise
        self._settle(key, _content_of(data, size))
        return data, size

    def repository(self, folder: Path) -> Path:
        """The repository that a folder is in, the nearest with `.git`, or else the folder."""
        above = (folder, *folder.parents)
        return next((each for each in above if self.kind(str(each / ".git"))), folder)

    def _settle(self, key: str, seen: str | None) -> None:
        self._settled = self._settled and self._contents.setdefault(key, seen) == seen

    @property
    def looks(self) -> Looks | None:
        """All that was seen; None where a file has changed meanwhile."""
        if not self._settled:
            return None
        return {
            "kind": self._kinds,
            "folder": {path: _listed(entries) for path, entries in self._folders.items()},
            "real": self._real,
            "target": self._targets,
            "content": self._contents,
        }


def unchanged(looks: Looks) -> bool:
    """Whether all that was seen would be seen again."""
    return all(
        again(path) == seen
        for way, again in _AGAIN.items()
        for path, seen in looks.get(way, {}).items()
    )


def _kind(path: str) -> Entry | None:
    try:
        mode = os.lstat(path).st_mode
    except (OSError, ValueError):
        return None
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    return "link" if stat.S_ISLNK(mode) else "other"


def _folder(path: str) -> dict[str, Entry] | None:
    try:
        with os.scandir(path) as entries:
            return {entry.name: _entry_kind(entry) for entry in sorted(entries, key=_name)}
    except (OSError, ValueError):
        return None


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _entry_kind(entry: os.DirEntry[str]) -> Entry:
    if entry.is_file(follow_symlinks=False):
        return "file"
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    return "link" if entry.is_symlink() else "other"


def _listed(entries: Mapping[str, Entry] | None) -> str | None:
    if entries is None:
        return None
    text = "\0".join(f"{kind}:{name}" for name, kind in entries.items())
    return digest(text.encode("utf-8", "surrogateescape"))


def _real(path: str) -> str | None:
    try:
        return os.path.realpath(path, strict=False)
    except (OSError, ValueError):
        return None


def _target(path: str) -> str | None:
    try:
        return os.readlink(path)  # noqa: PTH115 - a Path's text isn't always the link's
    except (OSError, ValueError):
        return None


def _read(path: str, limit: int) -> tuple[bytes, int]:
    """What `Disk.read` gives; a pipe or a device is never waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY)
    except ValueError as error:
        raise OSError(errno.EINVAL, str(error)) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", path)
        parts = []
        while limit > 0 and (part := os.read(descriptor, min(limit, status.st_size + 1))):
            parts.append(part)
            limit -= len(part)
        return b"".join(parts), status.st_size
    finally:
        os.close(descriptor)


_BINARY = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def digest(data: bytes) -> str:
    """What stands for data: no two have the same."""
    return blake2b(data, digest_size=16).hexdigest()


def _content_of(data: bytes, size: int) -> str:
    return f"{size}:{digest(data)}"


def _content(key: str) -> str | None:
    limit, _, path = key.partition(":")
    try:
        return _content_of(*_read(path, int(limit)))
    except OSError:
        return None


_AGAIN = {
    "kind": _kind,
    "folder": lambda path: _listed(_folder(path)),
    "real": _real,
    "target": _target,
    "content": _content,
}
"""How each look is taken again."""
