"""Texts and the places in them: sources, spans and fragments."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property

from msgspec import Struct

from gunilint.regex import regex

_TEXT = regex(r"\S")
_LINE_BREAK = regex(r"\r\n|\r|\n")


class Source(Struct, frozen=True, dict=True):
    """One file as it was read.

    `path` is relative to `root`, the project's, with `/` separators. `text` is the decoded content
    without its byte order mark and with its line ends untouched, so that an offset in it is an
    offset in the file's characters. `masked` says that secrets in it are overwritten, so that it
    isn't the file's text any more.
    """

    path: str
    text: str
    root: str = ""
    masked: bool = False

    @cached_property
    def line_starts(self) -> tuple[int, ...]:
        r"""The offset at which each line starts; `\n`, `\r\n` and a lone `\r` end a line."""
        return (0, *(match.end() for match in _LINE_BREAK.finditer(self.text)))

    def position(self, offset: int) -> tuple[int, int]:
        """The 1-based line and column, in code points, of `offset`."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of the 1-based line `number`, without its line end."""
        return self.text[self.line_starts[number - 1] : self.behind_line(number)].rstrip("\r\n")

    def lines(self) -> list[str]:
        """The texts of all lines, without their line ends."""
        return [self.line(number) for number in range(1, len(self.line_starts) + 1)]

    def behind_line(self, number: int) -> int:
        """The offset behind the 1-based line `number` and its line end."""
        return self.line_starts[number] if number < len(self.line_starts) else len(self.text)

    def offset(self, line: int, column: int) -> int:
        """The offset of a 1-based line and column (code points)."""
        return self.line_starts[line - 1] + column - 1

    def span(self, start: int, end: int) -> Span:
        """The characters from `start` up to `end`."""
        return Span(self, start, end)

    def first_line(self) -> Span:
        """The first line that has text on it; an empty place at the start where there is none."""
        return self._first_line

    @cached_property
    def _first_line(self) -> Span:
        first = _TEXT.search(self.text)
        return self.line_span(self.position(first.start())[0]) if first else Span(self, 0, 0)

    def line_span(self, number: int) -> Span:
        """The 1-based line `number` without the blanks around its text."""
        text = self.line(number)
        start = self.line_starts[number - 1] + len(text) - len(text.lstrip())
        return Span(self, start, start + len(text.strip()))


class Span(Struct, frozen=True):
    """The characters of `source` from offset `start` up to, not including, `end`."""

    source: Source
    start: int
    end: int

    @property
    def line(self) -> int:
        """The 1-based line of the first character."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """The 1-based column of the first character, in code points."""
        return self.source.position(self.start)[1]

    @property
    def end_line(self) -> int:
        """The 1-based line of the place behind the last character."""
        return self.source.position(self.end)[0]

    @property
    def end_column(self) -> int:
        """The 1-based column behind the last character, in code points."""
        return self.source.position(self.end)[1]

    @property
    def last(self) -> tuple[int, int]:
        """The 1-based line and column of the last character; of the place, if there is none."""
        return self.source.position(max(self.start, self.end - 1))

    @property
    def text(self) -> str:
        """The characters themselves."""
        return self.source.text[self.start : self.end]

    @property
    def key(self) -> tuple[str, int, int]:
        """What orders spans: path, then place."""
        return self.source.path, self.start, self.end


def is_continued(line: str) -> bool:
    """Whether a line ends in a backslash that no other backslash escapes."""
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


class Layout(Struct, frozen=True):
    """The comments of a text in order, and the pieces of it that each are one statement.

    What is in no piece is a line on its own.
    """

    comments: tuple[Span, ...]
    pieces: tuple[Span, ...]


class Fragment(Struct, frozen=True):
    """A text that was put together from a source, and where each of its characters came from.

    A continued directive, a quoted word and the script of `sh -c` are fragments: their text
    is not the source's, yet every character has its place there. `offsets` has one entry for
    each character of `text`.
    """

    source: Source
    text: str
    offsets: tuple[int, ...]

    @classmethod
    def whole(cls, source: Source) -> Fragment:
        """The fragment that is all of `source`."""
        return cls(source, source.text, tuple(range(len(source.text))))

    def followed_by(self, other: Fragment) -> Fragment:
        """The same text with `other` behind it."""
        return Fragment(self.source, self.text + other.text, self.offsets + other.offsets)

    def slice(self, start: int, end: int) -> Fragment:
        """The characters from `start` up to `end`."""
        return Fragment(self.source, self.text[start:end], self.offsets[start:end])

    def span(self, start: int = 0, end: int | None = None) -> Span:
        """The place in the source of the characters from `start` up to `end` (default: all)."""
        chosen = self.offsets[start:end]
        if not chosen:
            anchor = self.offsets[start] if start < len(self.offsets) else 0
            if self.offsets and start >= len(self.offsets):
                anchor = self.offsets[-1] + 1
            return Span(self.source, anchor, anchor)
        return Span(self.source, chosen[0], chosen[-1] + 1)


class Problem(Struct, frozen=True):
    """Why a file, or a part of it, can't be read or parsed. Rule GU001 makes a finding of it.

    `kind` tells which wording fits: "syntax", "python2", "template", "encoding", "binary",
    "size", "unreadable", for what systemd makes of it "ignored" or "refused", and "factory" for an
    application factory, the reason, that a shell script calls without quotes.
    """

    span: Span
    reason: str
    kind: str = "syntax"
