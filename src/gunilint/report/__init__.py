"""Report formats, one module each, and what they share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from gunilint import __version__
from gunilint.report.terminal import escape

if TYPE_CHECKING:
    from gunilint.command import Label
    from gunilint.findings import Finding, Report
    from gunilint.rules import Rule
    from gunilint.source import Source

HOMEPAGE = "https://github.com/gunilint/gunilint"


def rule_url(rule: Rule) -> str | None:
    """Where the rule can be read in this version of gunilint; a team's own, where it says."""
    if rule.team:
        return rule.background.references[0] if rule.background.references else None
    return f"{HOMEPAGE}/blob/v{__version__}/docs/rules/{rule.code}.md"


def sentence(text: str) -> str:
    """`text` with a full stop, unless it ends as a sentence does."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def told(finding: Finding, path: Callable[[Source], str]) -> str:
    """What is wrong, what to do and where else to look: sentences on one line of harmless text.

    `path` is how the report calls a source.
    """
    text = sentence(escape(finding.message))
    if finding.help:
        text += f" Help: {sentence(escape(finding.help))}"
    if finding.related:
        text += f" See {'; '.join(described(label, path) for label in finding.related)}."
    return text


def described(label: Label, path: Callable[[Source], str]) -> str:
    """A related place and the words about it."""
    place = f"{path(label.span.source)}:{label.span.line}"
    return escape(f"{place}: {label.text}" if label.text else place)


def representable(path: str) -> str:
    r"""`path` with the bytes that are no text in it written out (`\udcff`)."""
    return path.encode("utf-8", "backslashreplace").decode()


def fixable(report: Report, *, safe: bool = True) -> int:
    """How many findings `--fix` can repair, or only together with `--unsafe-fixes`."""
    return sum(finding.fix is not None and finding.fix.safe is safe for finding in report.findings)


def summary(report: Report) -> str:
    """The run in one line: what was found, in how much."""
    deployments, files = _count(report.deployments, "deployment"), _count(report.files, "file")
    if report.findings:
        found = Counter(finding.severity for finding in report.findings)
        kinds = [_count(found[kind], kind) for kind in ("error", "warning", "note") if found[kind]]
        problems = _count(len(report.findings), "problem")
        text = f"{problems} ({', '.join(kinds)}) in {deployments}, {files}"
    else:
        text = f"{files} checked, {deployments}, no problems"
    if report.suppressed:
        text += f"; {len(report.suppressed)} suppressed"
    if report.baselined:
        text += f"; {len(report.baselined)} in the baseline"
    if report.repaired:
        text += f"; {report.repaired} repaired"
    safe, unsafe = fixable(report), fixable(report, safe=False)
    if safe:
        more = f", {unsafe} more with --unsafe-fixes" if unsafe else ""
        text += f"; {safe} fixable with --fix{more}"
    elif unsafe:
        text += f"; {unsafe} fixable with --fix --unsafe-fixes"
    return text


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
