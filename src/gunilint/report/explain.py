"""A rule's page for the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from gunilint.rules import Rule

_WIDTH = 88
_BOLD, _DIM, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def render(rule: Rule, *, color: bool = False) -> str:
    """All that the rule's file tells people, with its first example."""

    def bold(text: str) -> str:
        return f"{_BOLD}{text}{_RESET}" if color else text

    def dim(text: str) -> str:
        return f"{_DIM}{text}{_RESET}" if color else text

    def section(title: str, text: str) -> Iterator[str]:
        yield ""
        yield bold(title)
        yield from _wrapped(text)

    lines = [
        bold(f"{rule.code} {rule.name}"),
        dim(f"{rule.severity}, {rule.category}, gunicorn {rule.versions}, since {rule.since}"),
        "",
        *_wrapped(rule.summary),
        *section("Why", rule.why),
        *section("What to do", rule.remedy),
    ]
    example = rule.examples[0]
    for title, files in (("Found", example.bad), ("Fine", example.good)):
        lines += ["", bold(title), *_files(files, dim)]
    evidence = rule.evidence or rule.cite
    if evidence:
        lines += section("Evidence", evidence)
    if rule.references:
        lines += ["", bold("More"), *(f"  {reference}" for reference in rule.references)]
    return "\n".join(lines)


def _files(files: Mapping[str, str], dim: object) -> Iterator[str]:
    for path, text in files.items():
        yield f"  {dim(f'# {path}')}"  # type: ignore[operator]
        yield from (f"  {line}".rstrip() for line in text.rstrip().splitlines())


def _wrapped(text: str) -> Iterator[str]:
    """Markdown paragraphs and list items, each wrapped and indented by two."""
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        if number:
            yield ""
        for block in _blocks(paragraph):
            hanging = "    " if block.startswith("- ") else "  "
            yield from textwrap.wrap(
                block, _WIDTH, initial_indent="  ", subsequent_indent=hanging,
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
