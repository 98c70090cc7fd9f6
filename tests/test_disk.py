"""What a run sees goes through one door, or a later run would miss a change of it."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

from gunilint.disk import Disk

SOURCES = Path(__file__).parents[1] / "src/gunilint"
LOOKS = frozenset(
    "exists expanduser glob is_dir is_file is_mount is_symlink isdir isfile islink iterdir listdir lstat"
    " open read_bytes read_text readlink realpath resolve rglob samefile scandir stat".split()
)
DOORS = ("disk", "tree", "self.disk", "self.tree", "self._files", "project.tree", "self._tree")

ELSEWHERE = {
    # what isn't linted: gunilint's own files, what it writes, and the files that it is about to change
    "atomic.py", "cache.py", "data.py", "disk.py", "fix.py", "output.py", "rules.py",
}  # fmt: skip


def looks(module: Path) -> set[str]:
    calls = (node for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.Call))
    return {
        ast.unparse(call.func)
        for call in calls
        if (isinstance(call.func, ast.Name) and call.func.id == "open")
        or (
            isinstance(call.func, ast.Attribute)
            and call.func.attr in LOOKS
            and ast.unparse(call.func.value) not in DOORS
        )
    }


def test_nothing_else_looks_at_the_disk() -> None:
    found = {path.relative_to(SOURCES).as_posix(): looks(path) for path in SOURCES.rglob("*.py")}
    by_itself = {path: names for path, names in found.items() if names}
    assert set(by_itself) == ELSEWHERE, by_itself


def test_answer_stays_while_a_run_is_made(tmp_path: Path) -> None:
    disk = Disk()
    (tmp_path / "a").write_text("")
    assert list(disk.folder(str(tmp_path)) or ()) == ["a"]
    (tmp_path / "a").unlink()
    (tmp_path / "b").write_text("")
    assert disk.kind(str(tmp_path / "a")) == "file"
    assert disk.kind(str(tmp_path / "b")) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="no regular file"):
        Disk().read(str(tmp_path / "pipe"), 10)


@pytest.mark.parametrize("name", ["a\0b", "a" * 300, "a/" * 3000])
def test_name_that_no_file_can_have_is_nothing(tmp_path: Path, name: str) -> None:
    disk, path = Disk(), f"{tmp_path}/{name}"
    assert (disk.kind(path), disk.folder(path), disk.target(path)) == (None, None, None)
    with pytest.raises(OSError, match=r"."):
        disk.read(path, 10)
