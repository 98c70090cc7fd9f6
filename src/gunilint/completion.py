"""What a shell offers to complete on gunilint's command line.

It is asked at every press of a key: nothing here reads a rule's file.
"""

from __future__ import annotations

from collections.abc import Iterator

import click
from click.shell_completion import CompletionItem, get_completion_class


def script(command: click.Command, shell: str) -> str:
    """What a shell has to run once so that it completes `command`."""
    kind = get_completion_class(shell)
    if kind is None:
        raise ValueError(shell)
    complete = kind(command, {}, "gunilint", "_GUNILINT_COMPLETE")
    # `source()` would start a bash to ask for its version
    text = complete.source_template % complete.source_vars()
    # click's script for fish would cut `GU3,GU401` off at its comma
    return text.replace('string split ","', 'string split -m 1 ","')


def complete_rule(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Gunilint's own rules by their code or name; the codes alone where nothing is typed yet."""
    return list(_rules(incomplete))


def complete_rules(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The last of several keys, as `rules.select` takes them, separated by commas."""
    from gunilint.rules import CATEGORIES

    before, comma, last = incomplete.rpartition(",")
    groups = {**CATEGORIES, "all": "All rules."}
    found = [
        CompletionItem(name, help=about) for name, about in groups.items() if name.startswith(last)
    ]
    return [
        CompletionItem(f"{before}{comma}{item.value}", help=item.help)
        for item in (*found, *_rules(last))
    ]


def _rules(start: str) -> Iterator[CompletionItem]:
    from gunilint.rules import load_rules

    pairs = [(rule.code, rule.name) for rule in load_rules()]
    yield from (
        CompletionItem(code, help=name) for code, name in pairs if code.startswith(start.upper())
    )
    if start:
        yield from (
            CompletionItem(name, help=code) for code, name in pairs if name.startswith(start)
        )
