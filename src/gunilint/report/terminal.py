"""What a terminal needs: harmless text, its width, colour and links."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple, TextIO

from gunilint.regex import regex

_LAYOUT = regex(r"(\t|\r?\n)")
_UNSAFE = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_ZERO_WIDTH = frozenset(("Mn", "Me"))

_CODES = {
    "error": "1;31",
    "warning": "1;33",
    "note": "1;36",
    "frame": "1;34",
    "message": "1",
    "name": "2",
}


def escape(text: str) -> str:
    r"""`text` with all that could move the cursor or hide something written out (`\n`, `\x1b`).

    These are control and format characters (bidirectional overrides among them), line and
    paragraph separators, and lone surrogates, which stand for undecodable bytes of a path.
    """
    if text.isprintable():
        return text
    from unicodedata import category

    return "".join(
        char.encode("unicode_escape").decode("ascii") if category(char) in _UNSAFE else char
        for char in text
    )


def escape_lines(text: str) -> str:
    """`text` escaped, but for its tabs and line ends."""
    return "".join(
        part if part in ("\t", "\n", "\r\n") else escape(part) for part in _LAYOUT.split(text)
    )


def columns(text: str) -> int:
    """How many terminal columns escaped text takes."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    return sum(
        0 if category(char) in _ZERO_WIDTH else 2 if east_asian_width(char) in "WF" else 1
        for char in text
    )


def use_color(stream: TextIO | None, option: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether to colour what goes to `stream`.

    `option` is "always", "never" or "auto", which asks NO_COLOR (https://no-color.org), then
    FORCE_COLOR (https://force-color.org), then whether the stream is a capable terminal.
    """
    if option != "auto":
        return option == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return stream is not None and stream.isatty() and environ.get("TERM") != "dumb"


class Style(NamedTuple):
    """Marks up escaped text with colours and OSC 8 links where these are wanted."""

    color: bool = False
    links: bool = False

    def paint(self, role: str, text: str) -> str:
        """`text` in the colour of its role: a severity, "frame", "message" or "name"."""
        return f"\x1b[{_CODES[role]}m{text}\x1b[0m" if self.color and text else text

    def link(self, text: str, url: str | None) -> str:
        """`text` as a link to `url`, if there is one."""
        return f"\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\" if self.links and url else text
