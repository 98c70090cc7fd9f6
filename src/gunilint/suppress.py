"""Comments that suppress findings: `# gunilint: ignore[GU301] reason`, or `ignore-file[GU301]`.

A comment behind code covers its whole statement, one on a line of its own the next statement. Only
real comments count; the languages' own parsers tell them from strings and here-documents.
"""

from __future__ import annotations

import re
import tokenize
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from gunilint.deployment import Project
from gunilint.findings import Finding
from gunilint.regex import regex
from gunilint.rules import Rule, select, suggestion
from gunilint.source import Fragment, Layout, Source, Span, is_continued

Language: TypeAlias = Literal["python", "shell", "unit", "text"]

_MOST = 1000
"""The keys that are read in one file: nobody writes so many."""
_HINTS = 20
"""The unknown keys of a project for which the nearest rule is looked for, which takes time."""
_LONGEST = 60
"""The characters of the longest key that is looked for."""

_MARK = regex("gunilint:", re.IGNORECASE)
_PIECE = regex(r"(?:^[#;]|(?<=[ \t])#)#*(?=[ \t]|gunilint:|$)", re.IGNORECASE)
_DIRECTIVE = regex(r"[#;]+[ \t]*gunilint:[ \t]*([a-z]+(?:[-_][a-z]+)*)", re.IGNORECASE)
_BRACKETS = regex(r"[ \t]*\[([^\[\]]*)\]")
_KEY = regex(r"[^\s,]+")
_MEANT = ("ignore", "disable", "skip", "suppress", "noqa", "allow")
"""How a word begins that is meant to suppress, though only `ignore` and `ignore-file` do."""
_GROUPS_OF_ALL = ("all", "gu")
"""Keys that don't name the rules about suppressions, or a comment could hide its own faults."""
_TEXT = regex(r"\"[^\"\r\n]*\"|'[^'\r\n]*'|(?:^|(?<=[ \t]))#[^\r\n]*", re.MULTILINE)


class Key(Struct, frozen=True):
    """What a suppression names: a code, a name, a prefix or a category."""

    span: Span

    @property
    def text(self) -> str:
        """The key as it is written."""
        return self.span.text


class Suppression(Struct, frozen=True):
    """A comment that suppresses the findings that it names on the lines that it covers.

    `span` is the comment, or its part where it has other things to say too, and `removal` all that
    goes with it. `lines` are the first and the last that it covers. `fault` tells that it isn't
    formed as one ("form"), or that it has to stand on a line of its own ("place"); it has no keys.
    """

    span: Span
    keys: tuple[Key, ...]
    reason: str
    lines: tuple[int, int]
    removal: Span
    fault: Literal["form", "place"] | None = None

    def without(self, keys: Collection[Key]) -> tuple[Span, ...]:
        """What has to be deleted so that it names none of `keys`: all of it if they are all."""
        source, kept = self.span.source, [key not in keys for key in self.keys]
        if not any(kept):
            return (self.removal,)
        spans = []
        for number, key in enumerate(self.keys):
            if kept[number]:
                continue
            if any(kept[:number]):
                spans.append(source.span(self.keys[number - 1].span.end, key.span.end))
            else:
                spans.append(source.span(key.span.start, self.keys[number + 1].span.start))
        return tuple(spans)


class Judged(Struct, frozen=True):
    """A suppression and what is wrong with it.

    `unknown` are keys that name no rule, each with how a sentence about it goes on; `unused` those
    that nothing needs; `repeated` those that it has named before.
    """

    suppression: Suppression
    unknown: tuple[tuple[Key, str], ...] = ()
    unused: tuple[Key, ...] = ()
    repeated: tuple[Key, ...] = ()


class Matching(Struct, frozen=True):
    """Findings that no suppression covers, those that one does, and the keys that did it."""

    left: tuple[Finding, ...]
    suppressed: tuple[tuple[Finding, Suppression], ...]
    used: frozenset[Key]


class Naming:
    """Which rules a key names. `own` are the checks whose rules are about suppressions."""

    def __init__(self, rules: Sequence[Rule], own: Collection[str]) -> None:
        self.rules = rules
        self._own = [rule for rule in rules if rule.check in own]
        self._others = [rule for rule in rules if rule.check not in own]
        self._codes: dict[str, frozenset[str]] = {}

    def codes(self, key: Key) -> frozenset[str]:
        """The codes of the rules that a key names."""
        text = key.text.lower()
        if text not in self._codes:
            found = self.judged(key)
            if text not in _GROUPS_OF_ALL:
                found |= {rule.code for rule in select(self._own, [text])}
            self._codes[text] = found
        return self._codes[text]

    def judged(self, key: Key) -> frozenset[str]:
        """Of these the ones that aren't about suppressions themselves."""
        return frozenset(rule.code for rule in select(self._others, [key.text]))


def suppressions(project: Project) -> tuple[Suppression, ...]:
    """The suppressions in all files of a project that were read."""
    configs = {each.config.source.path for each in project.deployments if each.config}

    def language(path: str) -> Language:
        kind = project.tree.kind(path)
        if path.endswith(".py") or path in configs or kind == "config":
            return "python"
        return "shell" if kind == "script" else "unit" if kind == "unit" else "text"

    return tuple(
        suppression
        for source in project.tree.texts()
        if _MARK.search(source.text)
        for suppression in find(source, language(source.path))
    )


def match(
    findings: Iterable[Finding], suppressions: Iterable[Suppression], naming: Naming
) -> Matching:
    """Findings sorted out by the suppressions that cover them and name their rules."""
    candidates: dict[tuple[str, str], list[tuple[Suppression, Key]]] = {}
    for suppression in suppressions:
        path = suppression.span.source.path
        named: dict[str, Key] = {}
        for key in suppression.keys:
            for code in naming.codes(key):
                named.setdefault(code, key)
        for code, key in named.items():
            candidates.setdefault((path, code), []).append((suppression, key))
    left: list[Finding] = []
    suppressed: list[tuple[Finding, Suppression]] = []
    used: set[Key] = set()
    for finding in findings:
        span = finding.primary.span
        first, last = _lines(span)
        covering = [
            (suppression, key)
            for suppression, key in candidates.get((span.source.path, finding.rule.code), ())
            if suppression.lines[0] <= last and first <= suppression.lines[1]
        ]
        used.update(key for _, key in covering)
        if covering:
            suppressed.append((finding, covering[0][0]))
        else:
            left.append(finding)
    return Matching(tuple(left), tuple(suppressed), frozenset(used))


def judge(
    suppressions: Iterable[Suppression],
    used: Collection[Key],
    naming: Naming,
    enabled: Callable[[str], Collection[str]],
    complete: Callable[[], bool],
) -> Iterator[Judged]:
    """What is wrong with each suppression, given the keys that findings `used`.

    A key is unused only if all rules that it names were `enabled` for its file's path and the run
    was `complete`: else another run may need it.
    """
    hints = 0
    for suppression in suppressions:
        unknown: list[tuple[Key, str]] = []
        unused: list[Key] = []
        repeated: list[Key] = []
        seen: dict[str, list[Key]] = {}
        for key in suppression.keys:
            text, judged = key.text.lower(), naming.judged(key)
            if not naming.codes(key):
                hints += 1
                is_early = hints <= _HINTS and len(text) <= _LONGEST
                hint = suggestion(key.text, naming.rules) if is_early else ""
                unknown.append((key, hint))
            elif text in seen:
                seen[text].append(key)
            else:
                may_be_used = key in used or not judged <= set(enabled(key.span.source.path))
                is_unused = judged and not may_be_used and complete()
                seen[text] = unused if is_unused else repeated
                unused.extend([key] if is_unused else [])
        yield Judged(suppression, tuple(unknown), tuple(unused), tuple(repeated))


# comments


def find(source: Source, language: Language) -> tuple[Suppression, ...]:
    """The suppressions in a text."""
    layout = _layout(source, language)
    lines = _Lines(source, layout, continued=language in ("shell", "text"))
    found: list[Suppression] = []
    count = 0
    for comment in layout.comments:
        for suppression in _parsed(comment, lines, vanishes=language == "unit"):
            found.append(suppression)
            count += max(1, len(suppression.keys))
            if count >= _MOST:
                return tuple(found)
    return tuple(found)


def _parsed(comment: Span, lines: _Lines, *, vanishes: bool) -> Iterator[Suppression]:
    """The suppressions in a comment, which may hold other things too, each behind a `#`.

    A comment that `vanishes` with its line leaves a continued line whole.
    """
    source, text = comment.source, comment.text
    starts = [piece.start() for piece in _PIECE.finditer(text)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=False):
        directive = _DIRECTIVE.match(text, start, end)
        if directive is None or not directive[1].lower().startswith(_MEANT):
            continue
        word = directive[1].lower()
        brackets = _BRACKETS.match(text, directive.end(), end)
        keys = [
            Key(source.span(comment.start + key.start(), comment.start + key.end()))
            for key in (_KEY.finditer(text, *brackets.span(1)) if brackets else ())
        ]
        alone = lines.is_alone(comment)
        fault: Literal["form", "place"] | None = None
        if word not in ("ignore", "ignore-file") or not keys or len(keys) > _MOST:
            fault = "form"
        elif word == "ignore-file" and not alone:
            fault = "place"
        written = comment.start + start + len(text[start:end].rstrip())
        yield Suppression(
            span=source.span(comment.start + start, written),
            keys=() if fault else tuple(keys),
            reason=text[brackets.end() : end].strip(" \t:,;-") if brackets else "",
            lines=(1, lines.count) if word == "ignore-file" else lines.reach(comment),
            removal=_removal(comment, start, end, alone, vanishes),
            fault=fault,
        )


def _removal(comment: Span, start: int, end: int, alone: bool, vanishes: bool) -> Span:
    """What to delete so that nothing of a comment's part is left behind."""
    source, text = comment.source, comment.text
    if end < len(text):
        return source.span(comment.start + start, comment.start + end)
    line = comment.line
    if start > 0 or not alone:
        begin = source.line_starts[line - 1]
        before = source.text[begin : comment.start + start].rstrip(" \t")
        return source.span(begin + len(before), comment.end)
    if line > 1 and source.line(line - 1).endswith("\\") and not vanishes:
        return comment
    return source.span(source.line_starts[line - 1], source.behind_line(line))


class _Lines:
    """Which lines of a text belong together, and which have no code."""

    def __init__(self, source: Source, layout: Layout, *, continued: bool) -> None:
        self.source = source
        self.count = len(source.line_starts)
        commented = {comment.line for comment in layout.comments}
        last = list(range(self.count + 1))
        for piece in layout.pieces:
            first, final = _lines(piece)
            last[first] = max(last[first], final)
        for line in range(1, self.count):
            if continued and line not in commented and is_continued(source.line(line)):
                last[line] = max(last[line], line + 1)
        self._ranges = _merged(last)
        alone = {comment.line for comment in layout.comments if self.is_alone(comment)}
        self._idle = [False] * (self.count + 2)
        for line in range(1, self.count + 1):
            first, final = self._ranges[line]
            self._idle[line] = first == final and (line in alone or not source.line(line).strip())
        self._before = self._nearest_code(range(1, self.count + 1), 0)
        self._behind = self._nearest_code(range(self.count, 0, -1), self.count + 1)

    def _nearest_code(self, order: Iterable[int], edge: int) -> Mapping[int, int]:
        found = {}
        for line in order:
            if not self._idle[line]:
                edge = line
            found[line] = edge
        return found

    def is_alone(self, comment: Span) -> bool:
        """Whether a comment has its line for itself."""
        start = self.source.line_starts[comment.line - 1]
        return not self.source.text[start : comment.start].strip()

    def reach(self, comment: Span) -> tuple[int, int]:
        """The lines that a comment covers.

        They are those of the statement that it is in, else those from the last statement on up to
        the end of the next.
        """
        line = comment.line
        if not self._idle[line]:
            return self._ranges[line]
        following = min(self._behind[line], self.count)
        return self._before[line] + 1, self._ranges[following][1]


def _merged(last: Sequence[int]) -> list[tuple[int, int]]:
    """For each line the range that it is in, given the last line that each reaches."""
    ranges = [(0, 0)]
    line = 1
    while line < len(last):
        final, probe = last[line], line
        while probe < final:
            probe += 1
            final = max(final, last[probe])
        ranges += [(line, final)] * (final - line + 1)
        line = final + 1
    return ranges


def _lines(span: Span) -> tuple[int, int]:
    """The first and the last line that a span has characters on."""
    return span.line, span.last[0]


# languages


def _layout(source: Source, language: Language) -> Layout:
    """The comments and statements of a text; without statements where it can't be parsed."""
    found: Layout | None = None
    if language == "unit":
        from gunilint.parse.systemd import layout as unit_layout

        found = unit_layout(source)
    elif language == "shell":
        from gunilint.parse.shell import layout as shell_layout

        found = shell_layout(Fragment.whole(source))
    elif language == "python":
        found = _python_layout(source)
    return found or _text_layout(source)


def _text_layout(source: Source) -> Layout:
    spans = (source.span(*found.span()) for found in _TEXT.finditer(source.text))
    return Layout(tuple(span for span in spans if source.text[span.start] == "#"), ())


def _python_layout(source: Source) -> Layout | None:
    """Comments and logical lines; a definition's decorators belong to its header."""
    numbers = iter(range(1, len(source.line_starts) + 1))

    def readline() -> str:
        number = next(numbers, None)
        return source.line(number) + "\n" if number is not None else ""

    comments: list[Span] = []
    statements: list[Span] = []
    start: int | None = None
    decorates, fresh = False, True
    try:
        for token in tokenize.generate_tokens(readline):
            if token.type in _LAYOUT:
                continue
            line, column = token.start
            begin = source.line_starts[line - 1] + column
            if token.type == tokenize.COMMENT:
                comments.append(source.span(begin, begin + len(token.string)))
            elif token.type == tokenize.NEWLINE:
                if start is not None and not decorates:
                    statements.append(source.span(start, begin))
                    start = None
                fresh = True
            elif fresh:
                decorates, fresh = token.string == "@", False
                start = begin if start is None else start
    except (tokenize.TokenError, SyntaxError, UnicodeError):
        return None
    return Layout(tuple(comments), tuple(statements))


_LAYOUT = frozenset({tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER})
