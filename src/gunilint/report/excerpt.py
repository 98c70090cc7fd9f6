"""The lines of source that a finding rests on, cut to what can be shown of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from msgspec import Struct

from gunilint.command import Label
from gunilint.findings import Report
from gunilint.report.terminal import columns, escape
from gunilint.source import Span

_LIMIT = 120
"""The columns of a source line that are shown; of a longer one the part around the mark."""
_BEFORE = 40
"""The columns kept before the mark in a line that is cut."""
_TAB = "    "
_CUT = "..."

_Item = TypeVar("_Item")


class Excerpt(Struct, frozen=True):
    """A line, of which the characters from `first` up to `last` are shown.

    Those from `start` up to `end` are marked.
    """

    line: str
    first: int
    last: int
    start: int
    end: int

    @property
    def text(self) -> str:
        """What is shown, harmless, with what says that something is left out."""
        return self.lead + plain(self.line[self.first : self.last]) + self.trail

    @property
    def lead(self) -> str:
        """What stands for the text before."""
        return _CUT if self.first > 0 else ""

    @property
    def trail(self) -> str:
        """What stands for the text behind."""
        return _CUT if self.last < len(self.line) else ""

    @property
    def indent(self) -> int:
        """The columns before the mark."""
        return columns(self.lead + plain(self.line[self.first : self.start]))

    @property
    def length(self) -> int:
        """The columns of the mark, at least one; blanks at its end don't count."""
        marked = self.line[self.start : min(self.end, self.last)]
        return max(1, columns(plain(marked).rstrip()))


def excerpt(span: Span) -> Excerpt:
    """The first line of a span, with the span marked."""
    line = span.source.line(span.line)
    start = min(span.column - 1, len(line))
    end = min(span.end_column - 1, len(line)) if span.end_line == span.line else len(line)
    return cut(line, start, end)


def cut(line: str, start: int = 0, end: int = 0) -> Excerpt:
    """The part of a line that is shown so that its character `start` can be seen."""
    return Excerpt(line, *_window(line, start), start, end)


def plain(text: str) -> str:
    """Harmless text, with tabs as blanks."""
    return escape(text.replace("\t", _TAB))


def words(label: Label) -> str:
    """The label's text; of a span over several lines, of which the first is shown, how far."""
    last = label.span.last[0]
    reach = f"(to line {last})" if last > label.span.line else ""
    return f"{escape(label.text)} {reach}".strip()


def by_path(
    items: Iterable[_Item], place: Callable[[_Item], Span], report: Report
) -> dict[str, list[_Item]]:
    """Items by the path of their place, in the order of the first of each."""
    groups: dict[str, list[_Item]] = {}
    for item in items:
        groups.setdefault(report.display(place(item).source), []).append(item)
    return groups


def _window(line: str, start: int) -> tuple[int, int]:
    if len(line) <= _LIMIT and columns(plain(line)) <= _LIMIT:
        return 0, len(line)
    before = line[max(0, start - _BEFORE) : start]
    first = start - _fitting(reversed(before), _BEFORE)
    room = _LIMIT - columns(plain(line[first:start]))
    return first, start + _fitting(line[start : start + room], room)


def _fitting(text: Iterable[str], room: int) -> int:
    """How many characters of `text` fit into so many columns."""
    count = 0
    for char in text:
        room -= columns(plain(char))
        if room < 0:
            break
        count += 1
    return count
