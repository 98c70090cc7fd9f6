"""Write the manual page man/gunilint.1 from the commands, or with `--check` say whether it is stale.

python scripts/build_man.py [--check]
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from textwrap import wrap

import click

from gunilint import __version__
from gunilint.cli import main as cli
from gunilint.config import KEYS
from gunilint.report import HOMEPAGE

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "man/gunilint.1"
BEFORE_THE_FIRST_RELEASE = "2026-01-01"

EXIT_STATUS = (
    ("0", "Nothing was found at or above the severity of `--fail-on`."),
    ("1", "Something was found."),
    ("2", "gunilint could not do its work: a wrong option or configuration, or a bug."),
    ("3", "There is nothing to check, and `--allow-empty` isn't given."),
)
FILES = (
    ("gunilint.toml", "The configuration. The nearest one above a file holds for it."),
    ("pyproject.toml", "The same, in its table `[tool.gunilint]`."),
)
EXAMPLES = (
    ("gunilint", "Check everything below this folder."),
    ("gunilint deploy/", "Check one folder; the application may be elsewhere in the project."),
    ("gunilint --output sarif:gunilint.sarif", "Write a SARIF file beside the text."),
    ("gunilint show", "Show what each gunicorn would run with, and where every value comes from."),
    ("gunilint explain GU303", "Tell why a rule matters, and what to do."),
)


def main() -> int:
    text = page()
    if "--check" in sys.argv:
        stale = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text
        if stale:
            print("man/gunilint.1 is stale: run python scripts/build_man.py")
        return int(stale)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text, encoding="utf-8", newline="\n")
    return 0


def page() -> str:
    return "".join(f"{line}\n" for line in _lines())


def released() -> str:
    """The date of the newest release in the changelog."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(r"^## \S+ - (\d{4}-\d\d-\d\d)$", changelog, re.MULTILINE)
    return found[1] if found else BEFORE_THE_FIRST_RELEASE


def _lines() -> Iterator[str]:
    yield r".\" Written by scripts/build_man.py: change what it is made from instead."
    yield f'.TH GUNILINT 1 "{released()}" "gunilint {__version__}"'
    yield from (".SH NAME", r"gunilint \- check gunicorn deployments")
    yield ".SH SYNOPSIS"
    for index, (name, command) in enumerate(_commands()):
        yield from [".br"] if index else []
        yield _synopsis(name, command)
    yield ".SH DESCRIPTION"
    yield from _paragraphs(cli)
    yield ".SH COMMANDS"
    for name, command in _commands():
        yield f".SS {bold(name)}"
        yield from _paragraphs(command)
        for option in command.params:
            if isinstance(option, click.Option):
                yield from entry(_spelt(option), _help(option))
    yield ".SH OPTIONS"
    for option in cli.params:
        if isinstance(option, click.Option):
            yield from entry(_spelt(option), _help(option))
    yield from entry(
        f"{bold('-h')}, {bold('--help')}", "Show the options of gunilint or a command."
    )
    yield ".SH EXIT STATUS"
    for status, meaning in EXIT_STATUS:
        yield from entry(bold(status), meaning)
    yield ".SH ENVIRONMENT"
    yield from ("Options beat these, and they beat the configuration.",)
    for variable, meaning in _variables():
        yield from entry(bold(variable), meaning)
    yield ".SH FILES"
    for name, meaning in FILES:
        yield from entry(rf"\fI{escaped(name)}\fR", meaning)
    yield ".SH EXAMPLES"
    for command_line, meaning in EXAMPLES:
        yield from entry(bold(command_line), meaning)
    yield ".SH SEE ALSO"
    yield from (r".BR systemd.service (5),", r".BR systemd.kill (5)", ".PP", escaped(HOMEPAGE))


def _commands() -> list[tuple[str, click.Command]]:
    """The commands, the one that may be left out first."""
    return sorted(cli.commands.items(), key=lambda pair: (pair[0] != "check", pair[0]))


def _synopsis(name: str, command: click.Command) -> str:
    words = [bold("gunilint"), f"[{bold(name)}]" if name == "check" else bold(name)]
    words += [r"[\fIoptions\fR]"]
    for argument in command.params:
        if isinstance(argument, click.Argument):
            choices = getattr(argument.type, "choices", None)
            shown = "|".join(map(bold, choices)) if choices else _italic(str(argument.name).upper())
            shown = f"[{shown}]" if not argument.required else shown
            words.append(shown + (r"\|.\|.\|." if argument.nargs == -1 else ""))
    return " ".join(words)


def _spelt(option: click.Option) -> str:
    names = ", ".join(bold(name) for name in sorted(option.opts, key=len))
    if option.is_flag:
        return names
    choices = getattr(option.type, "choices", None)
    value = "|".join(choices) if choices else option.metavar or "NUMBER"
    return f"{names} {_italic(value)}"


def _help(option: click.Option) -> str:
    about = (option.help or "").rstrip(".")
    return f"{about} (default: {option.default})." if option.show_default else f"{about}."


def _variables() -> Iterator[tuple[str, str]]:
    found = {
        key.variable: f"{key.about.split('. ')[0].rstrip('.')}." for key in KEYS if key.variable
    }
    for command in cli.commands.values():
        for option in command.params:
            if isinstance(option, click.Option) and isinstance(option.envvar, str):
                found[option.envvar] = f"The value of `{option.opts[0]}`."
    found["NO_COLOR"] = "Never colour text."
    found["FORCE_COLOR"] = "Colour text that doesn't go to a terminal too."
    yield from sorted(found.items())


def _paragraphs(command: click.Command) -> Iterator[str]:
    for index, paragraph in enumerate(cleandoc(command.help or "").split("\n\n")):
        yield from [".PP"] if index else []
        yield from text(paragraph)


def entry(head: str, about: str) -> Iterator[str]:
    yield from (".TP", head, *text(about))


def text(words: str) -> Iterator[str]:
    """The lines of prose, with what stands in backquotes in bold."""
    parts = re.split(r"`([^`]+)`", " ".join(words.split()))
    parts[::2] = map(escaped, parts[::2])
    parts[1::2] = map(bold, parts[1::2])
    for line in wrap("".join(parts), 78, break_long_words=False, break_on_hyphens=False):
        yield rf"\&{line}" if line.startswith((".", "'")) else line


def bold(words: str) -> str:
    return rf"\fB{escaped(words)}\fR"


def _italic(words: str) -> str:
    return rf"\fI{escaped(words)}\fR"


def escaped(words: str) -> str:
    replaced = words.replace("\\", r"\e").replace("-", r"\-").replace("~", r"\(ti")
    return replaced.replace("'", r"\(aq").replace("^", r"\(ha").replace("`", r"\(ga")


if __name__ == "__main__":
    sys.exit(main())
