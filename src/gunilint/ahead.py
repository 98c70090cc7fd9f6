"""Work that another process does ahead, so that this one finds it done."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn


@contextmanager
def ahead(work: Iterable[object]) -> Iterator[None]:
    """Go through `work` in another process until the block ends, or this process does.

    Only what that leaves on the disk counts, and none of it may be relied on. Nothing is done where
    there is a single processor, or no other process can be had; nor is there one off Linux, as
    forking isn't safe on every system.
    """
    if sys.platform != "linux" or len(os.sched_getaffinity(0)) == 1:
        yield
        return
    parent = os.getpid()
    # what Python does after a fork must not be broken off
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    child = _fork()
    if child == 0:
        _go_through(work, parent, mask)
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        yield
    finally:
        if child is not None:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)
            with suppress(ChildProcessError):
                os.waitpid(child, 0)


def _fork() -> int | None:
    try:
        return os.fork()
    except OSError:
        return None


def _go_through(work: Iterable[object], parent: int, mask: set[int]) -> NoReturn:
    """What the other process does; it says nothing, and nothing that goes wrong in it matters."""
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for _ in work:
            if os.getppid() != parent:
                break
    finally:
        os._exit(0)
