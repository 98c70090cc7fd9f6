"""What identifies a finding when the lines around it move."""

from __future__ import annotations

import struct
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import accumulate

from gunilint.findings import Finding, Report
from gunilint.regex import regex
from gunilint.source import Source, Span

_WINDOW = 100
_FACTOR = 37
_MODULUS = 1 << 64
_END_OF_FILE = 0xFFFF
_LINE_FEED = ord("\n")
_LONGEST_NAME = 100
_FURTHEST = 4096
"""The characters above a value in which its name is looked for."""
_NAME = regex(r"[A-Za-z_][\w.]*")
_COMMENT_LINE = regex(r"(?<=[\r\n])[ \t]*[#;][^\r\n]*")
_BLANK = regex(r"\\\r?\n|\s")
_TRAILING_COMMA = regex(r",(?=[)\]}]|$)")
_FOLDED = str.maketrans({" ": None, "\t": None, "\r": "\n"})


def fingerprints(report: Report, findings: Sequence[Finding] | None = None) -> tuple[str, ...]:
    """For each finding (default: those that count) what identifies it in its report.

    Equal ones are told apart by their order in the file.
    """
    seen: Counter[str] = Counter()
    result = []
    for finding in report.findings if findings is None else findings:
        first = fingerprint(finding, report.uri)
        result.append(fingerprint(finding, report.uri, seen[first]))
        seen[first] += 1
    return tuple(result)


def fingerprint(finding: Finding, uri: Callable[[Source], str], number: int = 0) -> str:
    """A hash of a finding's rule, file and subject; `number` is how many before are equal."""
    span = finding.primary.span
    text = "\0".join((finding.rule.code, uri(span.source), subject(span), str(number)))
    import hashlib  # loads OpenSSL

    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def subject(span: Span) -> str:
    """What a finding is about, so that it stays the same when the text is moved or formatted anew.

    It is the span's text without blanks and comment lines, with one kind of quotes and no trailing
    comma, behind the name or option that it is the value of: `timeout=20`, `--timeout=20`. What
    points at a file's whole first line is about the file, and its subject is empty.
    """
    if span.key == span.source.first_line().key:
        return ""
    text = _BLANK.sub("", _COMMENT_LINE.sub("", span.text)).replace("'", '"')
    text = _TRAILING_COMMA.sub("", text)
    name = _name_before(span)
    return f"{name}={text}" if name else text


def _name_before(span: Span) -> str:
    """The name or option whose value a span is, if it is one's."""
    source, end = span.source, span.start
    text, lowest = source.text, max(0, span.start - _FURTHEST)
    is_value = False
    while end > lowest:
        char = text[end - 1]
        if char in "\r\n":
            end, goes_on = _line_before(source, source.position(end)[0], lowest)
            if not goes_on:
                return ""
        elif char in "=:,([{":
            is_value = True
            end -= 1
        elif char in " \t\\\"'":
            end -= 1
        else:
            break
    start = end
    while start > 0 and end - start < _LONGEST_NAME and _is_of_name(text[start - 1]):
        start -= 1
    word = text[start:end]
    return word if word[:1] == "-" or (is_value and _NAME.fullmatch(word)) else ""


def _line_before(source: Source, number: int, lowest: int) -> tuple[int, bool]:
    """The end of the nearest line above with code, and whether what is on it goes on below.

    What starts before the offset `lowest` isn't looked at.
    """
    for above in range(number - 1, 0, -1):
        if source.line_starts[above - 1] < lowest:
            break
        line = source.line(above)
        code = line.strip()
        if code and not code.startswith(("#", ";")):
            goes_on = code.endswith(("=", ",", "(", "[", "{", "\\"))
            return source.line_starts[above - 1] + len(line), goes_on
    return 0, False


def _is_of_name(char: str) -> bool:
    return char.isalnum() or char in "_-."


def line_hashes(text: str) -> tuple[str, ...]:
    """`primaryLocationLineHash` of each line of a file, as GitHub's `upload-sarif` computes it.

    Another value under that name makes the uploader warn. The hash of a line is a polynomial of
    the 100 UTF-16 code units from its start, blanks left out; `:n` counts equal hashes.

    Source: `src/fingerprints.ts` of https://github.com/github/codeql-action
    """
    data = text.replace("\r\n", "\n").translate(_FOLDED).encode("utf-16-le", "surrogatepass")
    units = (*struct.unpack(f"<{len(data) // 2}H", data), _END_OF_FILE)
    padded = (*units, *[0] * _WINDOW)
    prefixes = array(
        "Q", accumulate(padded, lambda sum_, unit: (sum_ * _FACTOR + unit) % _MODULUS, initial=0)
    )
    shift = pow(_FACTOR, _WINDOW, _MODULUS)
    starts = (0, *(index + 1 for index, unit in enumerate(units) if unit == _LINE_FEED))
    counts: Counter[int] = Counter()
    result = []
    for start in starts:
        value = (prefixes[start + _WINDOW] - prefixes[start] * shift) % _MODULUS
        counts[value] += 1
        result.append(f"{value:x}:{counts[value]}")
    return tuple(result)
