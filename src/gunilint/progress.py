"""How far a long run is, as a bar on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from os import environ
from typing import TYPE_CHECKING, Any, Protocol, TextIO, TypeVar

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

T = TypeVar("T")

_PATIENCE = 1.0
"""The seconds for which nobody needs to be told that something goes on."""
_REMOVED = "\x1b[1A\x1b[2K\r"
"""Takes the line of a finished bar back."""


class Track(Protocol):
    """What a run goes through its work with, and can be followed by."""

    def __call__(self, items: Sequence[T], doing: str, /) -> Iterable[T]:
        """All of `items`; `doing` says what is being done to them."""


def untracked(items: Sequence[T], doing: str, /) -> Iterable[T]:
    """Goes through `items` and tells nothing."""
    return items


def terminal() -> TextIO | None:
    """The terminal that a bar can be drawn on: standard error, unless that leads elsewhere."""
    is_one = sys.stderr is not None and sys.stderr.isatty() and environ.get("TERM") != "dumb"
    return sys.stderr if is_one else None


class Progress:
    """A bar for what a run is at, once it has gone on for a while; none without a terminal."""

    def __init__(self, stream: TextIO | None, patience: float = _PATIENCE) -> None:
        self._stream = stream
        self._from = time.monotonic() + patience
        self._bar: ProgressBar[Any] | None = None

    def __enter__(self) -> Track:
        return untracked if self._stream is None else self._track

    def __exit__(self, *_: object) -> None:
        self._remove()

    def _track(self, items: Sequence[T], doing: str, /) -> Iterator[T]:
        for number, item in enumerate(items):
            if time.monotonic() >= self._from:
                self._show(doing, number, len(items))
            yield item
        self._remove()

    def _show(self, doing: str, number: int, length: int) -> None:
        import click

        if self._bar is None:
            self._bar = click.progressbar(length=length, label=doing, file=self._stream)
            self._bar.__enter__()
        self._bar.update(number - self._bar.pos)

    def _remove(self) -> None:
        if self._bar is not None and self._stream is not None:
            self._bar.__exit__(None, None, None)
            self._stream.write(_REMOVED)
            self._stream.flush()
        self._bar = None
