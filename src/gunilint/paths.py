"""Paths of the target machine and the project's files that they stand for."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from msgspec import Struct

from gunilint.discover import Tree, normalise
from gunilint.interpret import SCRIPT_DIRECTORY


class Place(Struct, frozen=True):
    """A working directory: its path as written, and the project's folders that it may be.

    `text` is None where it isn't known. `folders` are relative to the root, likeliest first.
    """

    text: str | None
    folders: tuple[str, ...]


def start_of_unit(directory: str | None, tree: Tree) -> Place:
    """Where systemd starts a unit: its `WorkingDirectory=`, else `/`."""
    if directory is None:
        return Place("/", ("",))
    return Place(directory, _folders(directory, tree))


def start_of_script(path: str) -> Place:
    """Where a script is started by hand: the project's root, or its own folder."""
    return Place(None, _unique(("", posixpath.dirname(path))))


def change(place: Place, target: str, script: str | None, tree: Tree) -> Place:
    """The working directory after `cd target` in `script`."""
    own = _own(target, script)
    if own is not None:
        return Place(None, (own,))
    if target.startswith("/"):
        return Place(target, _folders(target, tree))
    text = posixpath.normpath(posixpath.join(place.text, target)) if place.text else None
    joined = (normalise(f"{folder}/{target}") for folder in place.folders)
    found = tuple(folder for folder in joined if folder is not None and tree.is_dir(folder))
    return Place(text, _unique(found) or place.folders)


def locate(path: str, place: Place, script: str | None, tree: Tree) -> str | None:
    """The project's file that `path` stands for in a working directory, root-relative."""
    for candidate in candidates(path, place, script):
        if tree.is_file(candidate) or tree.is_dir(candidate):
            return candidate
    return _by_tail(path, tree) if path.startswith("/") else None


def candidates(path: str, place: Place, script: str | None) -> tuple[str, ...]:
    """Where in the project `path` leads from a working directory, root-relative.

    None for an absolute path that isn't below the working directory: that is the machine's.
    """
    own = _own(path, script)
    if own is not None:
        return (own,)
    relative = path
    if path.startswith("/"):
        if not place.text or not path.startswith(place.text.rstrip("/") + "/"):
            return ()
        relative = path[len(place.text.rstrip("/")) + 1 :]
    joined = (normalise(f"{folder}/{relative}") for folder in place.folders)
    return tuple(candidate for candidate in joined if candidate is not None)


def _own(path: str, script: str | None) -> str | None:
    """A path below the script's own folder, as the interpreter writes it."""
    if script is None or not path.startswith(SCRIPT_DIRECTORY):
        return None
    return normalise(posixpath.dirname(script) + "/" + path[len(SCRIPT_DIRECTORY) :])


def _folders(path: str, tree: Tree) -> tuple[str, ...]:
    """The folders that end like `path`, longest tail first, and the root."""
    parts = [part for part in path.split("/") if part]
    tails = ("/".join(parts[start:]) for start in range(len(parts)))
    return _unique((*(tail for tail in tails if tree.is_dir(tail)), ""))


def _by_tail(path: str, tree: Tree) -> str | None:
    """The file with the longest common tail; None where two share it."""
    parts = path.strip("/").split("/")
    for start in range(len(parts)):
        tail = "/".join(parts[start:])
        if tree.is_file(tail):
            return tail
    for start in range(len(parts)):
        found = tree.ending("/".join(parts[start:]))
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _unique(folders: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(folders))
