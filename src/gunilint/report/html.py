"""The format to look at: one page with each deployment as a picture, and the findings beside code.

It is one file that asks for nothing else and runs no script. Its policy forbids both, and allows
only the one style sheet in it, by its hash.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import get_args

from msgspec import Struct

from gunilint import __version__
from gunilint.command import Label
from gunilint.data import content
from gunilint.deployment import Deployment
from gunilint.edits import apply
from gunilint.findings import Edit, Finding, Fix, Report
from gunilint.grades import Severity, severity_rank
from gunilint.ladder import ladder
from gunilint.report import HOMEPAGE, drawing, rule_url, summary
from gunilint.report.excerpt import Excerpt, by_path, cut, excerpt, plain, words
from gunilint.report.markup import Child, Markup, inline, join, link, tag
from gunilint.report.overview import (
    Link,
    Row,
    Show,
    chain,
    each,
    facts,
    refusals,
    rows,
    said,
    title,
)
from gunilint.sensitive import is_environment_file
from gunilint.source import Source, Span

_SEVERITIES: tuple[Severity, ...] = get_args(Severity)
_CODES = 8
"""The findings that a box of the chain names."""
_NAME = 40
"""The characters of a mark that is named beside what is said of it."""
_PLACES = 12
"""The places that the line of a rule names."""


def render(report: Report) -> str:
    """The whole page."""
    anchors = {id(found): f"f{number}" for number, found in enumerate(report.findings, 1)}
    places = by_path(report.findings, lambda found: found.primary.span, report)
    page = _Page(report, anchors, places)
    return "<!DOCTYPE html>\n" + tag("html", _head(report), _body(page), lang="en") + "\n"


class _Page(Struct, frozen=True):
    """A report, the anchors of its findings by their identity, and its findings by their file."""

    report: Report
    anchors: Mapping[int, str]
    by_file: Mapping[str, Sequence[Finding]]

    def inside(self, source: Source, within: Span | None = None) -> list[Finding]:
        """The findings in a source, or in a part of it."""
        found = self.by_file.get(self.report.display(source), ())
        if within is None:
            return list(found)
        return [each for each in found if _holds(within, each.primary.span)]

    def codes(self, findings: Iterable[Finding]) -> Markup | None:
        """Links to findings."""
        found = list(findings)
        if not found:
            return None
        shown = [
            tag("a", each.rule.code, href=f"#{self.anchors[id(each)]}", title=each.message,
                class_=f"code {each.severity}")
            for each in found[:_CODES]
        ]  # fmt: skip
        more = f"and {len(found) - _CODES} more" if len(found) > _CODES else None
        return tag("span", shown, more, class_="codes")


def _holds(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


# the frame of the page


def _head(report: Report) -> Markup:
    style = content("report/html.css").decode()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )
    count = len(report.findings)
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("link", rel="icon", href="data:,"),
        tag("title", f"gunilint: {count} {'problem' if count == 1 else 'problems'}"),
        tag("style", Markup(style)),
    )


def _body(page: _Page) -> Markup:
    report = page.report
    shown = list(each(report.shown)) if report.shown else []
    return tag(
        "body",
        _top(report),
        tag(
            "main",
            _rules(page),
            _contents(shown),
            [_deployment(number, *one, page) for number, one in enumerate(shown, 1)],
            _findings(page),
            _hidden(page),
        ),
        tag(
            "footer",
            tag(
                "p", "Written by ", link(f"gunilint {__version__}", HOMEPAGE), ". ", inline(_LEGEND)
            ),
        ),
    )


_LEGEND = (
    "Times are counted from the signal, and gunicorn looks at its clocks about once a second. "
    "What `timeout` ends gets SIGABRT, and SIGKILL a second later."
)


def _top(report: Report) -> Markup:
    """What was found, in numbers that are also switches."""
    count = Counter(found.severity for found in report.findings)
    switches = [
        tag(
            "label",
            tag("input", type="checkbox", id=f"show-{kind}", checked=True),
            tag("b", str(count[kind])),
            f" {kind}" if count[kind] == 1 else f" {kind}s",
            class_=f"switch {kind}",
        )
        for kind in _SEVERITIES
        if count[kind]
    ]
    return tag(
        "header",
        tag("h1", "gunilint report"),
        tag("p", summary(report), class_="summary"),
        tag(
            "fieldset",
            tag("legend", "Findings to show"),
            switches,
            class_="switches",
        )
        if switches
        else tag("p", "Nothing to mend.", class_="fine"),
    )


def _contents(shown: Sequence[tuple[Deployment, Show]]) -> Markup | None:
    if len(shown) < 2:
        return None
    entries = [
        tag("li", tag("a", title(one, show), href=f"#d{number}"), " ", _start(one, show))
        for number, (one, show) in enumerate(shown, 1)
    ]
    return tag("nav", tag("h2", "Deployments"), tag("ol", entries), aria_label="Deployments")


def _start(deployment: Deployment, show: Show) -> Markup | None:
    """Where a deployment begins, for the names alone may be the same."""
    first = chain(deployment)[0]
    return tag("span", first.text(show), class_="about") if first.span else None


def _rules(page: _Page) -> Markup | None:
    """What was found in short: a line for each rule, the worst first."""
    if not page.report.findings:
        return None
    groups: dict[tuple[int, str], list[Finding]] = {}
    for found in page.report.findings:
        groups.setdefault((-severity_rank(found.severity), found.rule.code), []).append(found)
    entries = []
    for _, group in sorted(groups.items()):
        rule, severity = group[0].rule, group[0].severity
        links = list({_line_of(found, page): found for found in reversed(group)}.items())[::-1]
        places = [
            tag("a", text, href=f"#{page.anchors[id(found)]}") for text, found in links[:_PLACES]
        ]
        more = f" and {len(links) - _PLACES} more" if len(links) > _PLACES else None
        entries.append(
            tag(
                "li",
                tag("span", severity, class_=f"severity {severity}"),
                tag(
                    "div",
                    tag("b", link(rule.code, rule_url(rule))),
                    " ",
                    inline(rule.summary),
                    tag("span", places, more, class_="places"),
                ),
                class_=f"rule {severity}",
            )
        )
    return tag("section", tag("h2", "What was found"), tag("ol", entries), class_="found")


def _line_of(found: Finding, page: _Page) -> str:
    span = found.primary.span
    return f"{page.report.display(span.source)}:{span.line}"


# a deployment


def _deployment(number: int, deployment: Deployment, show: Show, page: _Page) -> Markup:
    situations = ladder(deployment)
    details = [
        tag("div", tag("dt", name), tag("dd", inline(text)))
        for name, text in facts(deployment, show)
    ]
    refused = [
        tag("p", inline(text), " (", place, ")", class_="refused", role="note")
        for text, place in refusals(deployment, show)
    ]
    return tag(
        "section",
        tag("h2", tag("span", f"{number}", class_="number"), title(deployment, show)),
        refused,
        tag("h3", "From file to file"),
        _chain(deployment, show, page),
        tag("dl", details, class_="facts") if details else None,
        [
            tag("h3", "How long a request in flight may go on"),
            drawing.draw(situations, show.mask),
        ]
        if situations
        else None,
        _settings(deployment, show, page),
        id=f"d{number}",
        class_="deployment",
    )


def _chain(deployment: Deployment, show: Show, page: _Page) -> Markup:
    """A box for each file, and one for the command, in the order in which they lead on."""
    links = chain(deployment)
    launch = deployment.launch
    boxes: list[Markup] = []
    command = launch.command.span if launch else None
    for part in links:
        if launch is not None and command is not None and part.kind in ("config", "application"):
            boxes.append(_command(deployment, show, page))
            command = None
        boxes.append(_box(part, launch.command.span if launch else None, show, page))
    if command is not None:
        boxes.append(_command(deployment, show, page))
    return tag("ol", boxes, class_="chain")


def _box(part: Link, command: Span | None, show: Show, page: _Page) -> Markup:
    findings = page.inside(part.source)
    if command is not None and command.source == part.source:
        findings = [found for found in findings if not _holds(command, found.primary.span)]
    line = None
    if part.span is not None:
        line = _cut(show.mask.source(part.span.source).line(part.span.line))
    return _entry(part.kind, part.text(show), line, page.codes(findings))


def _command(deployment: Deployment, show: Show, page: _Page) -> Markup:
    launch = deployment.launch
    assert launch is not None
    span = launch.command.span
    text = show.mask.text(" ".join(said(word) for word in launch.command.words))
    return _entry("command", launch.server, _cut(text), page.codes(page.inside(span.source, span)))


def _entry(kind: str, name: str, line: str | None, codes: Markup | None) -> Markup:
    return tag(
        "li",
        tag("span", kind, class_="kind"),
        tag("b", name),
        tag("code", line) if line else None,
        codes,
        class_=f"box {kind}",
    )


def _cut(line: str) -> str:
    return cut(" ".join(line.split())).text


def _settings(deployment: Deployment, show: Show, page: _Page) -> Markup | None:
    table = list(rows(deployment, show))
    if not table:
        return None
    cells = []
    for row in table:
        here = page.inside(row.span.source, row.span) if row.span else []
        heading = tag("th", row.name, scope="row") if row.name else tag("td", class_="empty")
        cells.append(
            tag(
                "tr",
                heading,
                tag("td", _value(row)),
                tag("td", row.origin, page.codes(here)),
                class_="setting" if row.name else "below",
            )
        )
    names = sum(bool(row.name) for row in table)
    overriding = sum(not row.name and row.value.startswith("instead of ") for row in table)
    text = f"{names} set here" + (f", {overriding} in place of others" if overriding else "")
    head = tag("tr", [tag("th", name, scope="col") for name in ("Setting", "Value", "From")])
    return tag(
        "details",
        tag("summary", tag("h3", "Settings"), tag("span", text)),
        tag("div", tag("table", tag("thead", head), tag("tbody", cells)), class_="wide"),
        class_="settings",
        open=page.report.deployments == 1,
    )


def _value(row: Row) -> Child:
    """A value as code; what is said in words, such as why it isn't known, as words."""
    text = _cut(row.value)
    if row.name and not row.value.startswith("unknown: "):
        return tag("code", text)
    return inline(text)


# findings


def _findings(page: _Page) -> Markup | None:
    if not page.by_file:
        return None
    files = [
        tag(
            "section",
            tag("h3", path),
            [_finding(found, page) for found in found_here],
            class_="file",
        )
        for path, found_here in page.by_file.items()
    ]
    return tag("section", tag("h2", "Findings"), files, id="findings")


def _finding(found: Finding, page: _Page) -> Markup:
    rule = found.rule
    anchor = page.anchors[id(found)]
    return tag(
        "article",
        tag(
            "h4",
            tag("span", found.severity, class_=f"severity {found.severity}"),
            " ",
            link(rule.code, rule_url(rule), title=f"{rule.code}: {rule.name}"),
            " ",
            inline(found.message),
        ),
        tag(
            "p",
            f"{rule.name}, {found.confidence} confidence, {rule.category}",
            class_="about",
        ),
        _code(found, page.report),
        tag("p", tag("b", "What to do: "), inline(found.help), class_="help")
        if found.help
        else None,
        _fix(found.fix, page.report) if found.fix else None,
        id=anchor,
        class_=f"finding {found.severity}",
    )


class _Mark(Struct, frozen=True):
    """A label, and whether it is the finding's own place."""

    label: Label
    primary: bool

    @property
    def span(self) -> Span:
        return self.label.span


def _code(found: Finding, report: Report) -> Markup:
    """The marked lines of each file."""
    marks = [_Mark(found.primary, True), *(_Mark(label, False) for label in found.related)]
    return join(
        _file(path, group) for path, group in by_path(marks, lambda mark: mark.span, report).items()
    )


def _file(path: str, marks: Sequence[_Mark]) -> Markup:
    first = marks[0].span
    caption = tag("figcaption", f"{path}:{first.line}:{first.column}")
    if not first.source.text:
        return tag("figure", caption, class_="source")
    return tag("figure", caption, tag("ol", list(_lines(marks)), class_="lines"), class_="source")


def _lines(marks: Sequence[_Mark]) -> Iterator[Markup | None]:
    """The marked lines in order with a line around them, each label below its line."""
    source = marks[0].span.source
    windows: dict[tuple[int, int, int], list[tuple[_Mark, Excerpt]]] = {}
    for mark in sorted(marks, key=lambda mark: (mark.span.line, mark.span.column)):
        piece = excerpt(mark.span)
        windows.setdefault((mark.span.line, piece.first, piece.last), []).append((mark, piece))
    marked = {line for line, _, _ in windows}
    around = 0 if is_environment_file(source.path) else 1
    shown = sorted(
        {
            number
            for line in marked
            for number in range(line - around, line + around + 1)
            if 0 < number <= len(source.line_starts)
            and (number in marked or source.line(number).strip())
        }
    )
    before = 0
    for number in shown:
        if before and number > before + 1:
            yield tag("li", "...", class_="gap")
        before = number
        if number not in marked:
            yield _line(number, cut(source.line(number)).text)
        for key, found in windows.items():
            if key[0] == number:
                yield _line(number, _marked(found))
                yield from (_note(mark, len(found) > 1) for mark, _ in found)


def _line(number: int, text: Child) -> Markup:
    return tag("li", tag("span", str(number), class_="at"), tag("code", text))


def _note(mark: _Mark, named: bool) -> Markup | None:
    """What is said of a mark, with its text where there are others."""
    text = words(mark.label)
    if not text:
        return None
    kind = "own" if mark.primary else "related"
    marked = plain(mark.span.text)
    name = tag("code", marked) if named and len(marked) <= _NAME else None
    return tag(
        "li", tag("span", name, " " if name else None, inline(text)), class_=f"note-line {kind}"
    )


def _marked(found: Sequence[tuple[_Mark, Excerpt]]) -> Markup:
    """A line with all its marks; where one lies in another, the finding's own is the stronger."""
    piece = found[0][1]
    bounds = {piece.first, piece.last}
    for _, each_piece in found:
        bounds |= {each_piece.start, min(each_piece.end, piece.last)}
    parts: list[Child] = [piece.lead]
    edges = sorted(bound for bound in bounds if piece.first <= bound <= piece.last)
    for start, end in pairwise(edges):
        text = plain(piece.line[start:end])
        inside = [mark for mark, one in found if one.start <= start and end <= one.end]
        own = any(mark.primary for mark in inside)
        parts.append(tag("mark", text, class_="own" if own else "related") if inside else text)
    return join(*parts, piece.trail)


# fixes


def _fix(fix: Fix, report: Report) -> Markup:
    flags = "--fix" if fix.safe else "--fix --unsafe-fixes"
    by_file = by_path(fix.edits, lambda edit: edit.span, report)
    return tag(
        "details",
        tag("summary", "Fix: ", inline(fix.title), " ", tag("code", flags)),
        [
            tag("figure", tag("figcaption", path), tag("ol", list(_diff(edits)), class_="lines"))
            for path, edits in by_file.items()
        ],
        class_="fix",
    )


def _diff(edits: Sequence[Edit]) -> Iterator[Markup]:
    """What edits of one file change, line by line."""
    for before, after in _hunks(edits):
        shared = _shared(before, after)
        head, before, after = before[:shared], before[shared:], after[shared:]
        tail_length = _shared(before[::-1], after[::-1])
        tail = before[len(before) - tail_length :]
        before, after = (lines[: len(lines) - tail_length] for lines in (before, after))
        start = _shared(before[0], after[0]) if before and after else 0
        for sign, lines in ((" ", head[-1:]), ("-", before), ("+", after), (" ", tail[:1])):
            yield from (_changed(sign, cut(line, start if sign in "-+" else 0)) for line in lines)


def _changed(sign: str, piece: Excerpt) -> Markup:
    names = {"-": "removed", "+": "added", " ": "kept"}
    return tag("li", tag("span", sign, class_="at"), tag("code", piece.text), class_=names[sign])


def _hunks(edits: Sequence[Edit]) -> Iterator[tuple[list[str], list[str]]]:
    """The lines before and after, for each part of a file that edits touch."""
    groups: list[tuple[list[Edit], int, int]] = []
    for edit in sorted(edits, key=lambda edit: (edit.span.start, edit.span.end)):
        first, last = edit.span.line, max(edit.span.line, edit.span.last[0])
        if groups and first <= groups[-1][2] + 1:
            group, begun, reached = groups.pop()
            groups.append(([*group, edit], begun, max(last, reached)))
        else:
            groups.append(([edit], first, last))
    for group, first, last in groups:
        source = group[0].span.source
        first, last = max(1, first - 1), min(len(source.line_starts), last + 1)
        start, stop = source.line_starts[first - 1], source.behind_line(last)
        part = Source(source.path, source.text[start:stop])
        moved = [
            Edit(part.span(edit.span.start - start, edit.span.end - start), edit.replacement)
            for edit in group
        ]
        yield _split(part.text), _split(apply(part.text, moved))


def _split(text: str) -> list[str]:
    lines = Source("", text).lines()
    return lines[:-1] if lines and not lines[-1] else lines


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many items two sequences begin with alike."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


# what doesn't count


def _hidden(page: _Page) -> Markup | None:
    """Suppressed and known findings, folded."""
    report = page.report
    parts = []
    if report.suppressed:
        entries = [
            _short(found, report, suppression.reason or "no reason given")
            for found, suppression in report.suppressed
        ]
        parts.append(_folded("suppressed by comments", entries))
    if report.baselined:
        entries = [_short(found, report, "") for found in report.baselined]
        parts.append(_folded("known from the baseline", entries))
    return tag("section", tag("h2", "Left out"), parts, class_="hidden-ones") if parts else None


def _folded(what: str, entries: Sequence[Markup]) -> Markup:
    return tag("details", tag("summary", f"{len(entries)} {what}"), tag("ul", entries))


def _short(found: Finding, report: Report, reason: str) -> Markup:
    span = found.primary.span
    return tag(
        "li",
        tag("span", found.severity, class_=f"severity {found.severity}"),
        " ",
        link(found.rule.code, rule_url(found.rule)),
        " ",
        inline(found.message),
        tag("span", f" {report.display(span.source)}:{span.line}", class_="about"),
        tag("span", f" ({reason})", class_="about") if reason else None,
    )
