"""Paths of the target machine and the project's files that they stand for."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from gunilint.discover import Tree, normalise
from gunilint.interpret import SCRIPT_DIRECTORY


@dataclass(frozen=True, slots=True)
class Place:
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
    own = _own(path, script)
    if own is not None:
        return own if tree.is_file(own) else None
    relative = path
    if path.startswith("/"):
        if place.text and path.startswith(place.text.rstrip("/") + "/"):
            relative = path[len(place.text.rstrip("/")) + 1 :]
        else:
            return _by_tail(path, tree)
    for folder in place.folders:
        candidate = normalise(f"{folder}/{relative}")
        if candidate is not None and (tree.is_file(candidate) or tree.is_dir(candidate)):
            return candidate
    return _by_tail(path, tree) if path.startswith("/") else None


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
        tail = "/" + "/".join(parts[start:])
        found = [file for file in tree.listing() if f"/{file}".endswith(tail)]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _unique(folders: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(folders))
