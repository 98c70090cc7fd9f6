"""What identifies a finding when the lines around it move."""

from __future__ import annotations

import hashlib
import struct
from array import array
from collections import Counter
from itertools import accumulate

from gunilint.findings import Report

_WINDOW = 100
_FACTOR = 37
_MODULUS = 1 << 64
_END_OF_FILE = 0xFFFF
_LINE_FEED = ord("\n")
_FOLDED = str.maketrans({" ": None, "\t": None, "\r": "\n"})


def fingerprints(report: Report) -> tuple[str, ...]:
    """For each finding of `report` a hash of its rule, file and line of text.

    Equal ones are told apart by their order in the file.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    result = []
    for finding in report.findings:
        span = finding.primary.span
        key = (finding.rule.code, report.uri(span.source), span.source.line(span.line).strip())
        text = "\0".join((*key, str(seen[key])))
        seen[key] += 1
        result.append(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32])
    return tuple(result)


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
