"""The format for people: each finding with the lines of source that it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gunilint.command import Label
from gunilint.findings import Finding, Report
from gunilint.report import rule_url, summary
from gunilint.report.terminal import Style, columns, escape
from gunilint.source import Span

_LINE_LIMIT = 120
"""The columns of a source line that are shown; of a longer one the part around the span."""
_BEFORE = 40
"""The columns kept before the span in a line that is cut."""
_TAB = "    "
_CUT = "..."


def render(report: Report, *, color: bool = False, links: bool = False, quiet: bool = False) -> str:
    """All findings, then the summary unless `quiet`."""
    style = Style(color, links)
    blocks = ["\n".join(_block(finding, report, style)) for finding in report.findings]
    if not quiet:
        blocks.append(summary(report))
    return "\n\n".join(blocks) + "\n" if blocks else ""


@dataclass(frozen=True, slots=True)
class _Mark:
    """A label and how it is drawn."""

    label: Label
    sign: str
    role: str

    @property
    def span(self) -> Span:
        return self.label.span


@dataclass(frozen=True, slots=True)
class _Excerpt:
    """What is shown of a line, and the columns of it that are marked."""

    text: str
    indent: int
    length: int


def _block(finding: Finding, report: Report, style: Style) -> Iterator[str]:
    marks = (
        _Mark(finding.primary, "^", finding.severity),
        *(_Mark(label, "-", "frame") for label in finding.related),
    )
    margin = " " * len(str(max(mark.span.line for mark in marks)))
    yield _heading(finding, style)
    arrow = "-->"
    for path, group in _by_path(marks, report).items():
        place = f"{escape(path)}:{group[0].span.line}:{group[0].span.column}"
        yield f"{margin}{style.paint('frame', arrow)} {place}"
        if group[0].span.source.text:
            yield style.paint("frame", f"{margin} |")
            yield from _frame(group, margin, style)
        arrow = ":::"
    if finding.help:
        yield style.paint("frame", f"{margin} |")
        yield f"{style.paint('frame', f'{margin} =')} help: {escape(finding.help)}"


def _heading(finding: Finding, style: Style) -> str:
    rule = finding.rule
    code = style.link(rule.code, rule_url(rule))
    kind = style.paint(finding.severity, f"{finding.severity}[{code}]")
    message = style.paint("message", escape(finding.message))
    return f"{kind}: {message}  {style.paint('name', f'({rule.name})')}"


def _by_path(marks: Iterable[_Mark], report: Report) -> dict[str, list[_Mark]]:
    groups: dict[str, list[_Mark]] = {}
    for mark in marks:
        groups.setdefault(report.display(mark.span.source), []).append(mark)
    return groups


def _frame(marks: list[_Mark], margin: str, style: Style) -> Iterator[str]:
    """The marked lines of one file in order, each mark on a row of its own."""
    number, shown = 0, ""
    for mark in sorted(marks, key=lambda mark: (mark.span.line, mark.span.column)):
        line, excerpt = mark.span.line, _excerpt(mark.span)
        if number and line > number + 1:
            yield _CUT
        if (line, excerpt.text) != (number, shown):
            gutter = style.paint("frame", f"{line:>{len(margin)}} |")
            yield f"{gutter} {excerpt.text}".rstrip()
        number, shown = line, excerpt.text
        marking = f"{mark.sign * excerpt.length} {_words(mark.label)}".rstrip()
        gutter = style.paint("frame", f"{margin} |")
        yield f"{gutter} {' ' * excerpt.indent}{style.paint(mark.role, marking)}"


def _words(label: Label) -> str:
    """The label's text; of a span over several lines, of which the first is shown, how far."""
    last = _last_line(label.span)
    reach = f"(to line {last})" if last > label.span.line else ""
    return f"{escape(label.text)} {reach}".strip()


def _last_line(span: Span) -> int:
    return span.source.position(max(span.start, span.end - 1))[0]


def _excerpt(span: Span) -> _Excerpt:
    line = span.source.line(span.line)
    start = min(span.column - 1, len(line))
    end = min(span.end_column - 1, len(line)) if span.end_line == span.line else len(line)
    first, last = _window(line, start)
    lead = _CUT if first > 0 else ""
    trail = _CUT if last < len(line) else ""
    before, marked = _plain(line[first:start]), _plain(line[start : min(end, last)].rstrip())
    return _Excerpt(
        text=lead + _plain(line[first:last]) + trail,
        indent=columns(lead + before),
        length=max(1, columns(marked)),
    )


def _window(line: str, start: int) -> tuple[int, int]:
    """The part of `line` that is shown so that its character `start` can be seen."""
    if len(line) <= _LINE_LIMIT and columns(_plain(line)) <= _LINE_LIMIT:
        return 0, len(line)
    before = line[max(0, start - _BEFORE) : start]
    first = start - _fitting(reversed(before), _BEFORE)
    room = _LINE_LIMIT - columns(_plain(line[first:start]))
    return first, start + _fitting(line[start : start + room], room)


def _fitting(text: Iterable[str], room: int) -> int:
    """How many characters of `text` fit into so many columns."""
    count = 0
    for char in text:
        room -= columns(_plain(char))
        if room < 0:
            break
        count += 1
    return count


def _plain(text: str) -> str:
    return escape(text.replace("\t", _TAB))
