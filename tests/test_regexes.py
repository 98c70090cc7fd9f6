"""No regular expression of gunilint's takes more than linear time on what a file may hold.

Each pattern at the top of a module is fed repetitions of what its own parts match.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gunilint
from gunilint.regex import Regex, regex

sre = pytest.importorskip("re._constants", reason="Python 3.11 has it")
parser = pytest.importorskip("re._parser")

SMALL, LARGE = 500, 5_000


def patterns() -> Iterator[tuple[str, tuple[Any, bool]]]:
    """Each pattern by its name, and whether its module looks for it anywhere in a text."""
    seen: set[int] = set()
    for module in pkgutil.walk_packages(gunilint.__path__, "gunilint."):
        if module.name == "gunilint.__main__":
            continue
        imported = importlib.import_module(module.name)
        source = Path(str(imported.__file__)).read_text(encoding="utf-8")
        for name, value in vars(imported).items():
            if isinstance(value, re.Pattern | Regex) and id(value) not in seen:
                seen.add(id(value))
                uses = re.findall(rf"\b{name}\b(?!\s*=|\.(?:full)?match\b)", source)
                yield f"{module.name.removeprefix('gunilint.')}.{name}", (value, bool(uses))


ALL = dict(patterns())


def sample(parsed: Any) -> str:
    """A text that a parsed pattern matches, roughly."""
    return "".join(_sample(kind, value) for kind, value in parsed)


def _sample(kind: Any, value: Any) -> str:
    if kind is sre.LITERAL:
        return chr(value)
    if kind is sre.NOT_LITERAL:
        return "a" if value != ord("a") else "b"
    if kind is sre.IN:
        return _member(value)
    if kind is sre.BRANCH:
        return sample(value[1][0])
    if kind is sre.SUBPATTERN:
        return sample(value[3])
    if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        return sample(value[2]) * max(1, min(value[0], 3))
    return "a" if kind is sre.ANY else ""


def _member(items: Any) -> str:
    if items[0][0] is sre.NEGATE:
        return next(c for c in "a 1.\t#" if not re.match(_class(items[1:]), c))
    kind, value = items[0]
    if kind is sre.RANGE:
        return chr(value[0])
    if kind is sre.CATEGORY:
        return {sre.CATEGORY_SPACE: " ", sre.CATEGORY_DIGIT: "1"}.get(value, "a")
    return chr(value)


def _class(items: Any) -> str:
    return "|".join(re.escape(_member([item])) for item in items)


def repeated(parsed: Any, before: str = "") -> Iterator[tuple[str, str]]:
    """What stands before each repetition of a pattern, and what it repeats."""
    for kind, value in parsed:
        if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            if value[1] is sre.MAXREPEAT:
                yield before, sample(value[2])
            yield from repeated(value[2], before)
        elif kind is sre.SUBPATTERN:
            yield from repeated(value[3], before)
        elif kind is sre.BRANCH:
            for each in value[1]:
                yield from repeated(each, before)
        before += _sample(kind, value)


def attacks(pattern: re.Pattern[Any]) -> Iterator[tuple[str, str]]:
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode()
    parsed = parser.parse(text, pattern.flags & ~re.UNICODE & ~re.DEBUG)
    yield "", sample(parsed)
    for before, unit in repeated(parsed):
        yield before, unit
        yield "", before + unit
        yield "", before
    yield from (("", unit) for unit in (" ", "\t", "\n", "a", "1", "\\", "\\\n", "\\\\"))


def seconds(
    pattern: re.Pattern[Any], before: str, unit: str, size: int, *, anywhere: bool
) -> float:
    text = before + unit * (size // len(unit)) + "\x01"
    data: Any = text if isinstance(pattern.pattern, str) else text.encode("utf-8", "replace")
    start = time.process_time()
    if anywhere:
        for _ in pattern.finditer(data):
            pass
    else:
        pattern.match(data)
        pattern.fullmatch(data)
    return time.process_time() - start


def test_none_is_compiled_by_an_import() -> None:
    assert [name for name, (pattern, _) in ALL.items() if isinstance(pattern, re.Pattern)] == []


def test_one_is_compiled_once_it_is_used() -> None:
    broken = regex("(")
    with pytest.raises(re.error, match="unterminated subpattern"):
        broken.search("")

    assert regex("(?P<word>b+)", re.IGNORECASE).sub(r"<\g<word>>", "aBb") == "a<Bb>"
    assert regex(rb"\d").pattern == rb"\d"


@pytest.mark.parametrize("name", sorted(ALL))
def test_time_grows_with_the_text_alone(name: str) -> None:
    pattern, anywhere = ALL[name]
    for before, unit in dict.fromkeys(attacks(pattern)):
        if not unit:
            continue
        large = seconds(pattern, before, unit, LARGE, anywhere=anywhere)
        if large > 0.015:
            small = min(seconds(pattern, before, unit, SMALL, anywhere=anywhere) for _ in range(3))
            large = min(large, seconds(pattern, before, unit, LARGE, anywhere=anywhere))
            assert large < 20 * small, (before, unit[:60])
