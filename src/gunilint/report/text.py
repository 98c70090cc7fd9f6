"""The format for people: each finding with the lines of source that it rests on."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from gunilint.command import Label
from gunilint.findings import Finding, Report
from gunilint.report import rule_url, summary
from gunilint.report.excerpt import by_path, excerpt, words
from gunilint.report.terminal import Style, escape
from gunilint.source import Span


def render(report: Report, *, color: bool = False, links: bool = False, quiet: bool = False) -> str:
    """All findings, then the summary unless `quiet`."""
    style = Style(color, links)
    blocks = ["\n".join(_block(finding, report, style)) for finding in report.findings]
    if not quiet:
        blocks.append(summary(report))
    return "\n\n".join(blocks) + "\n" if blocks else ""


class _Mark(Struct, frozen=True):
    """A label and how it is drawn."""

    label: Label
    sign: str
    role: str

    @property
    def span(self) -> Span:
        return self.label.span


def _block(finding: Finding, report: Report, style: Style) -> Iterator[str]:
    marks = (
        _Mark(finding.primary, "^", finding.severity),
        *(_Mark(label, "-", "frame") for label in finding.related),
    )
    margin = " " * len(str(max(mark.span.line for mark in marks)))
    yield _heading(finding, style)
    arrow = "-->"
    for path, group in by_path(marks, lambda mark: mark.span, report).items():
        place = f"{escape(path)}:{group[0].span.line}:{group[0].span.column}"
        yield f"{margin}{style.paint('frame', arrow)} {place}"
        if group[0].span.source.text:
            yield style.paint("frame", f"{margin} |")
            yield from _frame(group, margin, style)
        arrow = ":::"
    if finding.help:
        yield style.paint("frame", f"{margin} |")
        yield f"{style.paint('frame', f'{margin} =')} help: {escape(finding.help)}"
    if finding.fix:
        flags = "--fix" if finding.fix.safe else "--fix --unsafe-fixes"
        title = escape(finding.fix.title)
        yield f"{style.paint('frame', f'{margin} =')} fix: {title} ({flags})"


def _heading(finding: Finding, style: Style) -> str:
    rule = finding.rule
    code = style.link(rule.code, rule_url(rule))
    kind = style.paint(finding.severity, f"{finding.severity}[{code}]")
    message = style.paint("message", escape(finding.message))
    return f"{kind}: {message}  {style.paint('name', f'({rule.name})')}"


def _frame(marks: list[_Mark], margin: str, style: Style) -> Iterator[str]:
    """The marked lines of one file in order, each mark on a row of its own."""
    number, text = 0, ""
    for mark in sorted(marks, key=lambda mark: (mark.span.line, mark.span.column)):
        line, shown = mark.span.line, excerpt(mark.span)
        if number and line > number + 1:
            yield "..."
        if (line, shown.text) != (number, text):
            gutter = style.paint("frame", f"{line:>{len(margin)}} |")
            yield f"{gutter} {shown.text}".rstrip()
        number, text = line, shown.text
        marking = f"{mark.sign * shown.length} {words(mark.label)}".rstrip()
        gutter = style.paint("frame", f"{margin} |")
        yield f"{gutter} {' ' * shown.indent}{style.paint(mark.role, marking)}"
