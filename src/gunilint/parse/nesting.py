"""A bound on nesting, checked before any Python parser sees a text.

libcst's parser recurses on the machine's stack: some ten thousand nested brackets or chained
operators end the whole process. People don't write a hundredth of that.
"""

from __future__ import annotations

import re

_BRACKETS = 100
"""The deepest brackets."""
_CHAIN = 2000
"""The most tokens without a comma or line end between them."""
_BRANCHES = 200
"""The most `elif` of a file."""

_TOKEN = re.compile(
    r"""(?P<skip>[ \t\f]+|\\\r?\n|\#[^\r\n]*)
    |(?P<string>\w{0,2}(?:'''(?:[^\\]|\\.)*?'''|\"\"\"(?:[^\\]|\\.)*?\"\"\"
        |'(?:[^'\\\r\n]|\\.)*'|"(?:[^"\\\r\n]|\\.)*"))
    |(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<break>[,;\r\n])
    |(?P<word>\w+)|(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


def too_deep(text: str) -> int | None:
    """The offset at which a Python text gets too deep to be parsed; None if it doesn't."""
    depth = chain = branches = 0
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "skip":
            continue
        chain = 0 if kind == "break" else chain + 1
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth = max(0, depth - 1)
        elif kind == "word" and match[0] == "elif":
            branches += 1
        if depth > _BRACKETS or chain > _CHAIN or branches > _BRANCHES:
            return match.start()
    return None
