"""Where reports go: a format each, to standard output or into a file."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gunilint.errors import ExplainedError

if TYPE_CHECKING:
    from pathlib import Path

    from gunilint.findings import Report

FORMATS = (
    "text", "concise", "json", "sarif", "html", "github", "gitlab", "junit", "checkstyle", "rdjson",
)  # fmt: skip
"""The formats, each a module of this package with a function `render`."""

WITH_DEPLOYMENTS = ("html",)
"""The formats that show deployments beside the findings."""

_FOR_PEOPLE = ("text", "concise")


class OutputError(ExplainedError):
    """A report that can't be written; the message is a sentence."""


class Output(NamedTuple):
    """A format, and the file that takes it; None is standard output."""

    format: str
    file: Path | None = None


def chosen(
    main: str | None,
    file: Path | None,
    others: Sequence[Output],
    environ: Mapping[str, str] = os.environ,
) -> tuple[Output, ...]:
    """The outputs of a run: the main format, if one is asked for, and others beside it.

    Text goes to standard output if nothing else is to, and in GitHub Actions annotations with it.
    Raises `OutputError` where two would go to the same place.
    """
    asked = main is not None or file is not None
    outputs = list(others)
    if asked or all(output.file is not None for output in others):
        outputs.insert(0, Output(main or "text", file))
    places = [output.file and output.file.absolute() for output in outputs]
    for place in places:
        if places.count(place) > 1:
            raise OutputError(f"two reports can't both go to {place or 'standard output'}")
    if not asked and outputs[0] == Output("text") and in_github_actions(environ):
        outputs.insert(1, Output("github"))
    return tuple(outputs)


def made(
    report: Report, outputs: Sequence[Output], *, color: str, quiet: bool
) -> tuple[tuple[str | None, str], ...]:
    """What goes to each place; None is standard output."""
    return tuple(
        (None if output.file is None else str(output.file), _rendered(report, output, color, quiet))
        for output in outputs
    )


def for_people(outputs: Sequence[Output]) -> tuple[Output, ...]:
    """Those that a person reads, and no program."""
    return tuple(each for each in outputs if each.file is None and each.format in _FOR_PEOPLE)


def write(outputs: Sequence[tuple[str | None, str]]) -> None:
    """Write what was `made`, each file whole or not at all. Raises `OutputError`."""
    for file, text in outputs:
        if file is not None:
            from pathlib import Path

            from gunilint import atomic

            try:
                atomic.write(Path(file), _encoded(text))
            except OSError as error:
                raise OutputError(f"{file} can't be written: {error.strerror or error}") from error
    for file, text in outputs:
        if file is None:
            print_text(text)


def _rendered(report: Report, output: Output, color: str, quiet: bool) -> str:
    module: Any = importlib.import_module(f"gunilint.report.{output.format}")
    style: dict[str, bool] = {}
    if output.format == "text":
        from gunilint.report.terminal import use_color

        colored = output.file is None and use_color(sys.stdout, color)
        style = {
            "color": colored,
            "links": colored and on_terminal(),
            "quiet": quiet,
        }
    text: str = module.render(report, **style)
    if output.file is None and output.format in _FOR_PEOPLE and in_github_actions(os.environ):
        from gunilint.report.github import harmless

        return harmless(text)
    return text


def on_terminal() -> bool:
    """Whether a person sees standard output as it is written."""
    return sys.stdout is not None and sys.stdout.isatty()


def in_github_actions(environ: Mapping[str, str]) -> bool:
    """Whether a runner of GitHub Actions reads standard output, and takes commands from it."""
    return environ.get("GITHUB_ACTIONS") == "true"


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def print_text(text: str) -> None:
    """Write to standard output; a reader that has seen enough, such as `head`, is no error.

    Raises `OutputError`.
    """
    if sys.stdout is None:
        raise OutputError("there is no standard output to write to: it is closed")
    try:
        sys.stdout.buffer.write(_encoded(text))
        sys.stdout.buffer.flush()
    except OSError as error:
        # what is left in the buffer must not fail again when the program ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise OutputError(f"standard output can't be written: {error.strerror}") from error
