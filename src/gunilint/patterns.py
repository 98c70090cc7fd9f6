"""Shell patterns: `*`, `?` and `[…]`, as `case`, `[[ … ]]` and `${name%pattern}` match them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from gunilint.regex import regex

_EXTENDED = regex(r"[?*+@!]\(")
_CLASS = regex(r"\[(?P<negated>[!^])?(?P<body>\]?(?:\[:\w+:\]|[^\]])*)\]")
_NAMED = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z",
    "space": r"\s", "punct": r"!-/:-@\[-`{-~", "xdigit": "0-9a-fA-F", "blank": r" \t",
}  # fmt: skip
_WORK = 300_000
"""The most steps that a match may take, roughly."""


class Pattern(Struct, frozen=True):
    """A pattern, made of pieces of text that are literal or not."""

    pieces: tuple[tuple[str, bool], ...]

    @property
    def is_extended(self) -> bool:
        """Whether it uses what bash reads with `extglob` only."""
        return any(not literal and _EXTENDED.search(text) for text, literal in self.pieces)

    def matches(self, text: str) -> bool | None:
        """Whether it matches all of a text; None where that isn't followed."""
        if not self._is_followed(text):
            return None
        return re.fullmatch(self._regex(greedy=True), text, re.DOTALL) is not None

    def trimmed(self, text: str, operator: str) -> str | None:
        """The text without the prefix (`#`, `##`) or suffix (`%`, `%%`) that it matches."""
        if not self._is_followed(text):
            return None
        regex = re.compile(self._regex(greedy=len(operator) == 2), re.DOTALL)
        if operator[0] == "#":
            match = regex.match(text)
            return text[match.end() :] if match else text
        starts = range(len(text), -1, -1) if operator == "%" else range(len(text) + 1)
        start = next((start for start in starts if regex.fullmatch(text, start)), len(text))
        return text[:start]

    def replaced(self, text: str, new: str, operator: str) -> str | None:
        """The text with the first (`/`), each (`//`), a leading or a trailing match replaced."""
        if not self._is_followed(text):
            return None
        source = self._regex(greedy=True)
        if not source:
            return {"/#": new + text, "/%": text + new}.get(operator, text)
        anchored = {"/#": rf"\A(?:{source})", "/%": rf"(?:{source})\Z"}.get(operator, source)
        count = 0 if operator == "//" else 1
        if len(new) * (len(text) if operator == "//" else 1) > _WORK:
            return None
        return re.sub(anchored, lambda _: new, text, count=count, flags=re.DOTALL)

    def _is_followed(self, text: str) -> bool:
        stars = sum(piece.count("*") for piece, literal in self.pieces if not literal)
        work = (len(text) + 1) ** min(stars + 1, 6)
        return not self.is_extended and (work <= _WORK or (stars <= 1 and len(text) < 4096))

    def _regex(self, *, greedy: bool) -> str:
        return "".join(
            re.escape(text) if literal else _translated(text, greedy)
            for text, literal in self.pieces
        )


def has_glob(pieces: Sequence[tuple[str, bool]]) -> bool:
    """Whether a word of such pieces is one that a shell looks up among its files."""
    text = "".join("\0" * len(piece) if literal else piece for piece, literal in pieces)
    return bool(re.search(r"[*?]|\[[^/]*\]", text))


def _translated(text: str, greedy: bool) -> str:
    found: list[str] = []
    index = 0
    while index < len(text):
        char = text[index]
        bracket = _CLASS.match(text, index) if char == "[" else None
        if bracket:
            found.append(_class(bracket))
            index = bracket.end()
            continue
        if char == "\\" and index + 1 < len(text):
            found.append(re.escape(text[index + 1]))
            index += 2
            continue
        found.append({"*": ".*" if greedy else ".*?", "?": "."}.get(char) or re.escape(char))
        index += 1
    return "".join(found)


def _class(bracket: re.Match[str]) -> str:
    body = re.sub(r"([\\\[\]^&|~])", r"\\\1", re.sub(r"\[:(\w+):\]", _marked, bracket["body"]))
    for index, ranges in enumerate(_NAMED.values()):
        body = body.replace(chr(0xE000 + index), ranges)
    try:
        re.compile(f"[{body}]")
    except re.error:
        return "(?!)"
    return f"[{'^' if bracket['negated'] else ''}{body}]"


def _marked(name: re.Match[str]) -> str:
    names = list(_NAMED)
    return chr(0xE000 + names.index(name[1])) if name[1] in names else ""
