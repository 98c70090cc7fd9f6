"""What the engine does with an input: the rules, and what is told of the target."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from gunilint.config import Config, ConfigError, load
from gunilint.deployment import NO_FACTS, Facts
from gunilint.discover import Tree, find_root, matcher
from gunilint.disk import SIZE_LIMIT, Disk
from gunilint.findings import Finding
from gunilint.grades import Confidence, Severity, confidence_rank
from gunilint.rules import (
    Rule,
    RuleError,
    choose,
    closeness,
    every_rule,
    load_rules,
    select,
    suggestion,
)


class Policy(Struct, frozen=True, eq=False):
    """What is looked for in a project, and what is told of its target.

    `exclude` and the keys of `per_file_ignores` are patterns as in a `.gitignore` of `folder`; with
    `force_exclude` the first hold for files that are named as arguments too. Inputs with one and
    the same policy and root are looked at together. `known` are the rules that a suppression can
    name, `baseline` is the file of findings that don't count; with `rewrites` it is to be
    written, and need not be there. Files of more bytes than `max_file_size` aren't read.
    """

    rules: tuple[Rule, ...]
    facts: Facts = NO_FACTS
    min_confidence: Confidence = "low"
    fail_on: Severity = "warning"
    exclude: tuple[str, ...] = ()
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    folder: Path = field(default_factory=Path.cwd)
    max_file_size: int = SIZE_LIMIT
    force_exclude: bool = False
    known: tuple[Rule, ...] = field(default_factory=load_rules)
    suppressions: bool = True
    baseline: Path | None = None
    rewrites: bool = False


class Scope:
    """What a policy leaves out of a project's findings, by their files and their confidence."""

    def __init__(self, policy: Policy, tree: Tree, inputs: Collection[str]) -> None:
        self._rules, self._tree, self._inputs = policy.rules, tree, inputs
        self._least = confidence_rank(policy.min_confidence)
        self._ignored = [
            (
                matcher([pattern], policy.folder, tree.root),
                {rule.code for rule in select(policy.rules, keys)},
            )
            for pattern, keys in policy.per_file_ignores.items()
        ]

    def ignored(self, path: str) -> frozenset[str]:
        """The codes of the rules that are left out in a file."""
        found = (codes for matches, codes in self._ignored if matches(path, False))
        return frozenset().union(*found)

    def ran(self, failed: Iterable[tuple[str, str]]) -> frozenset[str]:
        """The codes of the rules that ran to their end, given those that failed and how."""
        return frozenset(rule.code for rule in self._rules) - {code for code, _ in failed}

    def kept(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """The findings in files that are neither excluded nor without that rule."""

        def is_kept(finding: Finding) -> bool:
            path = finding.primary.span.source.path
            excluded = path not in self._inputs and self._tree.excluded(path, False)
            return not excluded and finding.rule.code not in self.ignored(path)

        return tuple(filter(is_kept, findings))

    def is_sure(self, finding: Finding) -> bool:
        """Whether a finding is sure enough."""
        return confidence_rank(finding.confidence) >= self._least


Policies = Callable[[Path], Policy]
"""The policy for an input, by its absolute path."""


def same(policy: Policy) -> Policies:
    """The same policy for every input."""
    return lambda _path: policy


def policies(
    given: Mapping[str, Any],
    *,
    file: Path | None = None,
    isolated: bool = False,
    disk: Disk | None = None,
    **always: Any,
) -> Policies:
    """What finds the policy of an input; `given`, `file` and `isolated` are `config.load`'s.

    It raises `ConfigError`. Inputs with the same configuration file have the same policy. `always`
    are fields of `Policy` that no configuration sets.
    """
    made: dict[Path | None, Policy] = {}
    disk = disk or Disk()

    def policy_for(path: Path) -> Policy:
        config = load(path, given, file=file, isolated=isolated, disk=disk)
        if config.file not in made:
            made[config.file] = replace(policy(config, disk), **always)
            if made[config.file].rewrites and made[config.file].baseline is None:
                raise ConfigError(
                    "no `baseline` is configured: name the file that --write-baseline writes"
                )
        return made[config.file]

    return policy_for


def policy(config: Config, disk: Disk | None = None) -> Policy:
    """The policy that a configuration asks for. Raises `ConfigError`."""
    try:
        every = every_rule(config, disk)
    except RuleError as error:
        raise ConfigError(str(error)) from error
    for key in ("select", "extend-select", "ignore"):
        _check_names(every, config.value(key), config.origin(key))
    for keys in config.per_file_ignores.values():
        _check_names(every, keys, config.origin("per-file-ignores"))
    for name in config.severity:
        _check_names(every, [name], config.origin("severity"))
    chosen = choose(
        every,
        select=config.select,
        extend_select=config.extend_select,
        ignore=config.ignore,
        pedantic=config.pedantic,
    )
    return Policy(
        rules=tuple(_graded(rule, config.severity) for rule in chosen),
        facts=Facts(config.gunicorn_version, config.python_version, config.app, config.target_cpus),
        min_confidence=config.min_confidence,
        fail_on=config.fail_on,
        exclude=config.exclude,
        per_file_ignores=config.per_file_ignores,
        folder=config.folder,
        max_file_size=config.max_file_size,
        known=every,
        baseline=_baseline(config, disk or Disk()),
    )


def _baseline(config: Config, disk: Disk) -> Path | None:
    """The file of known findings; one that a project's file names stays in that project."""
    if config.baseline is None:
        return None
    path = config.folder / config.baseline
    if config.is_from_file("baseline"):
        root = find_root(config.folder, disk)
        real = disk.real(str(path)) or os.path.normpath(path)
        if not Path(real).is_relative_to(disk.real(str(root)) or root):
            origin = config.origin("baseline")
            raise ConfigError(f"{origin}: `baseline` leads out of the project, to {real}")
    return path


def _check_names(rules: Sequence[Rule], keys: Sequence[str], origin: str) -> None:
    for key in keys:
        if not select(rules, [key]):
            hint = suggestion(key, rules)
            raise ConfigError(f"{origin}: {key!r} is no rule, prefix or category{hint}")


def _graded(rule: Rule, severity: Mapping[str, Severity]) -> Rule:
    """`rule` with the severity that is asked for; one that names it wins over its group's."""
    nearest = max(severity, key=lambda key: closeness(rule, key), default="")
    if not closeness(rule, nearest):
        return rule
    wanted = severity[nearest]
    variants = {name: case._replace(severity=wanted) for name, case in rule.variants.items()}
    return rule._replace(severity=wanted, variants=variants)
