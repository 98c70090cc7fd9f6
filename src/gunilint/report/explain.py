"""A rule's page for the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from gunilint.report.terminal import escape
from gunilint.rules import Background, Rule
from gunilint.versions import satisfies

_WIDTH = 88
_BOLD, _DIM, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def render(rule: Rule, version: str | None = None, *, color: bool = False) -> str:
    """All that the rule's file tells people, with its first example.

    With a gunicorn `version`, only what is true of it; else what is true of which.
    """

    def bold(text: str) -> str:
        return f"{_BOLD}{text}{_RESET}" if color else text

    def dim(text: str) -> str:
        return f"{_DIM}{text}{_RESET}" if color else text

    def section(title: str, text: str) -> Iterator[str]:
        if not text:
            return
        yield ""
        yield bold(title)
        yield from _wrapped(text)

    background = rule.background
    since = f", since {rule.since}" if rule.since else ""
    lines = [
        bold(f"{rule.code} {rule.name}"),
        dim(f"{rule.severity}, {rule.category}, gunicorn {rule.versions}{since}"),
        "",
        *_wrapped(rule.summary),
        *_out_of_bounds(rule, version),
        *section("Why", background.reasons(version)),
        *section("What to do", background.remedy),
    ]
    for example in background.examples[:1]:
        for title, files in (("Found", example.bad), ("Fine", example.good)):
            lines += ["", bold(title), *_files(files, dim)]
    if background.evidence or background.cite:
        lines += ["", bold("Evidence"), *_evidence(background)]
    if background.references:
        lines += ["", bold("More"), *(f"  {escape(link)}" for link in background.references)]
    return "\n".join(lines)


def _out_of_bounds(rule: Rule, version: str | None) -> Iterator[str]:
    if version is not None and not satisfies(version, rule.versions):
        yield ""
        yield from _wrapped(
            f"This rule isn't about gunicorn {version}, only about {rule.versions}."
        )


def _evidence(background: Background) -> Iterator[str]:
    """Whether the real program was run or a source is cited, and what shows it."""
    if background.evidence:
        yield "  Run: these tests show it with the real program."
        yield from (f"  - {test}" for test in background.evidence)
    if background.cite:
        kind = "Measured or cited" if background.evidence else "Cited, no test runs it"
        yield from _wrapped(f"{kind}: {background.cite}")


def _files(files: Mapping[str, str], dim: object) -> Iterator[str]:
    for path, text in files.items():
        yield f"  {dim(f'# {escape(path)}')}"  # type: ignore[operator]
        yield from (f"  {escape(line)}".rstrip() for line in text.rstrip().splitlines())


def _wrapped(text: str) -> Iterator[str]:
    """Markdown paragraphs and list items, each wrapped and indented by two."""
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        if number:
            yield ""
        for block in _blocks(paragraph):
            hanging = "    " if block.startswith("- ") else "  "
            yield from textwrap.wrap(
                escape(block), _WIDTH, initial_indent="  ", subsequent_indent=hanging,
                break_long_words=False, break_on_hyphens=False,
            )  # fmt: skip


def _blocks(paragraph: str) -> list[str]:
    blocks: list[str] = []
    for line in paragraph.splitlines():
        if blocks and not line.startswith("- "):
            blocks[-1] += " " + line.strip()
        else:
            blocks.append(line.strip())
    return blocks
