"""A bound on nesting, checked before any Python parser sees a text.

libcst's parser recurses on the machine's stack: some ten thousand nested brackets or chained
operators end the whole process. People don't write a hundredth of that.
"""

from __future__ import annotations

import re

from gunilint.regex import regex

_BRACKETS = 50
"""The deepest brackets."""
_CHAIN = 2000
"""The most tokens without a comma or line end between them."""
_BRANCHES = 200
"""The most `elif` of a file."""

_TOKEN = regex(
    r"""(?P<skip>[ \t\f]+|\\\r?\n|\#[^\r\n]*)
    |(?P<string>\w{0,2}(?:'''(?:[^\\]|\\.)*?'''|\"\"\"(?:[^\\]|\\.)*?\"\"\"
        |'(?:[^'\\\r\n]|\\.)*'|"(?:[^"\\\r\n]|\\.)*"))
    |(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<break>[,;\r\n])
    |(?P<word>\w+)|(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


def too_deep(text: str, most: int) -> tuple[int, str] | None:
    """Where a Python text gets too deep or has `most` tokens, and which; None if nowhere."""
    return None if _is_small(text, most) else _too_deep(text, most)


def _too_deep(text: str, most: int) -> tuple[int, str] | None:
    depth = chain = branches = tokens = 0
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "skip":
            continue
        # what stands in the braces of an f-string is code
        tokens += 1 + match[0].count("{") * (kind == "string")
        if tokens > most:
            return match.start(), f"it has more than {most:,} words and marks"
        chain = 0 if kind == "break" else chain + 1
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth = max(0, depth - 1)
        elif kind == "word" and match[0] == "elif":
            branches += 1
        if depth > _BRACKETS or chain > _CHAIN or branches > _BRANCHES:
            return match.start(), "it is nested too deeply"
    return None


def _is_small(text: str, most: int) -> bool:
    """Whether a text doesn't even have the characters for what is too deep."""
    return (
        len(text) <= min(_CHAIN, most // 2)
        and sum(map(text.count, "([{")) <= _BRACKETS
        and text.count("elif") <= _BRANCHES
    )
