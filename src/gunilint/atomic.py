"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path


def write(path: Path, data: bytes) -> None:
    """Make `data` what a file holds; on any failure it stays as it was.

    It keeps its mode and, where that is allowed, its owner; a link stays a link, and the file that
    it leads to is replaced. Where `path` is no file to put another in the place of, such as a pipe
    or `/dev/stderr`, the data goes into it. Raises `OSError`.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    target = path.resolve()
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists():
            _keep_owner(target, draft)
            shutil.copymode(target, draft)
        draft.replace(target)
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()


def _keep_owner(old: Path, new: Path) -> None:
    if hasattr(os, "chown"):
        status = old.stat()
        with contextlib.suppress(PermissionError):
            os.chown(new, status.st_uid, status.st_gid)
