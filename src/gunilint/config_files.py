"""The files in which a configuration may stand, found without parsing any.

Little is imported here, since most projects have no such file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from gunilint.disk import SIZE_LIMIT, Disk

OWN_NAME = "gunilint.toml"


def config_files(start: str, disk: Disk) -> Iterator[str]:
    """The files that may configure the input at an absolute path, the nearest first.

    They are sought upwards, as far as its repository reaches. A `pyproject.toml` is one of them
    only if it mentions gunilint.
    """
    folder, above = start, os.path.dirname(start)  # noqa: PTH120 - pathlib isn't imported here
    while True:
        for name in (OWN_NAME, "pyproject.toml"):
            path = os.path.join(folder, name)  # noqa: PTH118
            if disk.is_file(path) and (name == OWN_NAME or _may_mention(path, disk)):
                yield path
        if folder == above or disk.kind(os.path.join(folder, ".git")):  # noqa: PTH118
            return
        folder, above = above, os.path.dirname(above)  # noqa: PTH120


def _may_mention(path: str, disk: Disk) -> bool:
    try:
        data, size = disk.read(path, SIZE_LIMIT)
    except OSError:
        return True
    return size > SIZE_LIMIT or b"gunilint" in data
