"""What is kept from one run to the next: runs with what they had seen of the disk, parsed files.

A run is found by its key: the arguments, and the gunilint and Python that run. It is made anew
unless all that it had seen is as it was, file by file and folder by folder; neither dates nor sizes
are trusted. Nothing that goes wrong with the cache is an error: there is none, then.

Little is imported here, since a run that is found needs nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from gunilint import __version__
from gunilint.disk import Looks, digest, unchanged

KEPT = 100
"""The runs that are kept; the oldest go first."""

KEPT_PARSED = 5_000
"""The parsed files that are kept; the oldest go first."""

SIZE_LIMIT = 32 * 1024 * 1024
"""Larger runs, in bytes, aren't kept."""

_RUN, PARSED = ".run", ".parsed"
"""How the names of kept files end: those of runs, and those of parsed files."""


class Run(NamedTuple):
    """What a run says: `outputs` are files (None is standard output) and what goes there.

    `notes` are lines for standard error.
    """

    outputs: tuple[tuple[str | None, str], ...]
    notes: tuple[str, ...]
    status: int


def default_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Where the platform keeps the caches of a user; None where the user has no home."""
    if sys.platform == "win32":
        above = environ.get("LOCALAPPDATA", "")
    else:
        home = environ.get("HOME", "")
        above = environ.get("XDG_CACHE_HOME", "") or (f"{home}/.cache" if home else "")
    return Path(above, "gunilint") if above and Path(above).is_absolute() else None


class Cache(NamedTuple):
    """What is kept in a folder for one gunilint, which its `state` tells from all others."""

    folder: Path
    state: str

    def key_of(self, *parts: object) -> str:
        """What something is kept by."""
        return _digest_of(self.state, *parts)

    def recall(self, key: str) -> Run | None:
        """The run of that key; None where there is none, or what it had seen has changed."""
        body = self.read(key + _RUN)
        if body is None:
            return None
        try:
            kept = json.loads(body)
            outputs = tuple((file, text) for file, text in kept["outputs"])
            run = Run(outputs, tuple(kept["notes"]), kept["status"])
            return run if unchanged(kept["looks"]) else None
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return None

    def remember(self, key: str, run: Run, looks: Looks) -> None:
        """Keep a run, and let go of the oldest."""
        body = json.dumps({**run._asdict(), "looks": looks}, separators=(",", ":")).encode()
        if len(body) <= SIZE_LIMIT:
            self.write(key + _RUN, body)
        with contextlib.suppress(OSError):
            for suffix, count in ((_RUN, KEPT), (PARSED, KEPT_PARSED)):
                files = list(_files(self.folder, suffix))
                if len(files) > count:
                    for file in sorted(files, key=_age)[:-count]:
                        file.unlink(missing_ok=True)

    def has(self, name: str) -> bool:
        """Whether something was written to a file."""
        return (self.folder / name).exists()

    def read(self, name: str) -> bytes | None:
        """What was written to a file; None where there is none, or something else is in it."""
        try:
            told, _, body = (self.folder / name).read_bytes().partition(b"\n")
            return body if digest(body) == told.decode() else None
        except (OSError, ValueError):
            return None

    def write(self, name: str, body: bytes) -> None:
        """Keep what a file holds, all of it or nothing."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(self.folder / name, digest(body).encode() + b"\n" + body)


def opened(folder: Path) -> Cache | None:
    """The cache in a folder; None where the program's own files can't be told."""
    try:
        return Cache(folder, _digest_of(_own_state()))
    except OSError:
        return None


def clean(folder: Path) -> int:
    """Remove all that is kept, and say how many runs there were. Raises `OSError`."""
    files = [file for suffix in (_RUN, PARSED) for file in _files(folder, suffix)]
    for file in files:
        file.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()  # unless it has something else in it
    return sum(file.suffix == _RUN for file in files)


def _digest_of(*parts: object) -> str:
    return digest(repr(parts).encode("utf-8", "backslashreplace"))


def _own_state() -> object:
    """What tells one gunilint, with all that it is installed beside, from another."""
    package = os.path.dirname(__file__)  # noqa: PTH120
    own = [_stamp(file) for file in sorted(_below(package))]
    beside = [_stamp(folder) for folder in sys.path if os.path.isdir(folder)]  # noqa: PTH112
    return __version__, sys.version, own, beside


def _below(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.is_dir():
                yield entry.path
            elif entry.name != "__pycache__":
                yield from _below(entry.path)


def _stamp(path: str) -> tuple[str, int, int]:
    status = os.stat(path)  # noqa: PTH116
    return path, status.st_mtime_ns, status.st_size


def _files(folder: Path, suffix: str) -> Iterator[Path]:
    """The files that a cache has made, with the drafts that killed runs have left behind."""
    if folder.is_dir():
        yield from (each for each in folder.iterdir() if suffix in each.suffixes)


def _age(file: Path) -> float:
    return file.stat().st_mtime


def _write(path: Path, data: bytes) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
