"""Trying out the examples in rules' files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gunilint.deployment import Facts
from gunilint.disk import Disk
from gunilint.engine import Result, run
from gunilint.errors import shown
from gunilint.policy import Policy, same
from gunilint.rule_file import read
from gunilint.rules import Example, Rule, RuleError, check_unique, rule_paths


def try_out(folder: Path, known: Sequence[Rule]) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """A team's rules in `folder`, and what is wrong with its files and their examples, in words.

    `known` are the rules that there are already. Raises `RuleError` if there is no such folder.
    """
    rules: list[Rule] = []
    problems: list[str] = []
    disk = Disk()
    for path in rule_paths(folder, disk):
        try:
            rule = read(path, disk, team=True)
            check_unique(rule, [*known, *rules], path)
        except RuleError as error:
            problems.append(str(error))
            continue
        rules.append(rule)
        for number, example in enumerate(rule.background.examples, 1):
            problems += (
                f"{shown(path)}: in example {number} {problem}" for problem in untrue(rule, example)
            )
    return tuple(rules), tuple(problems)


def untrue(rule: Rule, example: Example, rules: Sequence[Rule] = ()) -> Iterator[str]:
    """What isn't as an example says, in words. `rules` run beside its own and must not fail."""
    for title, files, expected in (
        ("bad", example.bad, example.expect),
        ("good", example.good, ()),
    ):
        try:
            more = [] if rule in rules else [rule]
            result = lint_example(files, example.options, [*rules, *more])
        except OSError as error:
            yield f"the {title} files can't be written: {error.strerror}"
            continue
        yield from (f"the check of {code} failed:\n{trace}" for code, trace in result.errors)
        places = _places(result, rule)
        if not _fits(places, expected):
            wanted, found = (", ".join(each) or "nothing" for each in (expected, places))
            yield f"the {title} files have to give {wanted}, but give {found}"


def lint_example(
    files: Mapping[str, str], options: Mapping[str, Any], rules: Sequence[Rule]
) -> Result:
    """What `rules` find in the files of an example."""
    facts = Facts(options.get("gunicorn"), cpus=options.get("cpus"))
    with tempfile.TemporaryDirectory() as name:
        for path, text in {"pyproject.toml": "", **files}.items():
            target = Path(name, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode("utf-8", "replace"))
            if text.startswith("#!"):
                target.chmod(0o755)
        return run([Path(name)], same(Policy(tuple(rules), facts)))


def _places(result: Result, rule: Rule) -> list[str]:
    spans = [each.primary.span for each in result.findings if each.rule.code == rule.code]
    return [f"{span.source.path}:{span.line}:{span.column}" for span in spans]


def _fits(places: Sequence[str], expected: Sequence[str]) -> bool:
    """Whether the places are the expected ones, which may leave the column out."""
    return len(places) == len(expected) and all(
        place == wanted or place.rpartition(":")[0] == wanted
        for place, wanted in zip(places, expected, strict=True)
    )
