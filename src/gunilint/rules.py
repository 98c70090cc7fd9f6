"""Rules: what their files say, loading them, and choosing among them.

What a rule file holds are named tuples, so that `gunilint explain` needn't import msgspec.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from gunilint.data import content
from gunilint.disk import Disk
from gunilint.errors import ExplainedError, shown
from gunilint.spelling import closest
from gunilint.versions import satisfies

if TYPE_CHECKING:
    from pathlib import Path

    from gunilint.config import Config
    from gunilint.grades import Confidence, Severity

CATEGORIES: Mapping[str, str] = {
    "configuration": "Settings, options and values that don't do what they say.",
    "workers": "Worker classes that don't fit the application or the machine.",
    "timeouts": "Limits that kill running requests, or that never come.",
    "lifecycle": "Start, reload, recycling, preloading and the end of workers.",
    "systemd": "Units that start gunicorn in a way that one of the two doesn't mean.",
    "shell": "Start scripts that run something else than they say.",
    "security": "What lets strangers in, or believes them.",
    "logging": "Logs that are missing, broken or written to the wrong place.",
    "gunilint": "Files and comments that gunilint can't make use of.",
}
"""What rules are about, in the order in which lists of them go."""


REMEDY_KEYS = ("title", "safe", "needs")
"""What a rule's fix has beside the action that it takes."""


class RuleError(ExplainedError):
    """A rule file that can't be used; the message names the file and what is wrong."""


class Remedy(NamedTuple):
    """How a rule's findings are repaired: an `action` of `fix.py` with what it needs.

    `title` is a template that a hit fills, as are all texts in `argument`. A project that says what
    it depends on has to name the package `needs`.
    """

    title: str
    safe: bool
    action: str
    argument: Any
    needs: str | None = None


class Variant(NamedTuple):
    """What a rule says and does instead of its defaults in one of its cases."""

    message: str
    label: str
    help: str
    severity: Severity
    confidence: Confidence
    fix: Remedy | None


class Account(NamedTuple):
    """The part of a rule's `why` that is true of some gunicorn versions only."""

    versions: str
    why: str


class Example(NamedTuple):
    """Files on which the rule fires at `expect` ("path:line" or "path:line:column"), and doesn't.

    `options` are facts of the run: `gunicorn` (a version) and `cpus`.
    """

    bad: Mapping[str, str]
    expect: tuple[str, ...]
    good: Mapping[str, str]
    options: Mapping[str, Any] = MappingProxyType({})


BACKGROUND = ("why", "by-version", "remedy", "references", "evidence", "cite", "examples")
"""The keys of a rule's file that tell its `Background`."""


class Background(NamedTuple):
    """What people can read about a rule, beside its findings.

    `evidence` are the tests that show the consequence with the real program, `cite` is a source, or
    figures that were measured.
    """

    why: str
    by_version: tuple[Account, ...]
    remedy: str
    references: tuple[str, ...]
    evidence: tuple[str, ...]
    cite: str | None
    examples: tuple[Example, ...]

    def reasons(self, version: str | None = None) -> str:
        """Why the rule matters, to gunicorn `version` or to each: Markdown paragraphs."""
        parts = [self.why.strip()]
        for account in self.by_version:
            if version is None:
                parts += [f"With gunicorn {account.versions}:", account.why.strip()]
            elif satisfies(version, account.versions):
                parts += [f"With gunicorn {version}:", account.why.strip()]
        return "\n\n".join(parts)


class Rule(NamedTuple):
    """What a rule's file says. `message`, `label` and `help` are templates that a hit fills.

    `told` is its background as JSON, which few runs read. `team` says that the rule isn't one of
    gunilint's own.
    """

    code: str
    name: str
    summary: str
    severity: Severity
    confidence: Confidence
    category: str
    since: str
    versions: str
    default: bool
    check: str
    parameters: Mapping[str, Any]
    message: str
    label: str
    labels: Mapping[str, str]
    variants: Mapping[str, Variant]
    help: str
    told: str
    cwe: int | None
    security_severity: str | None
    fix: Remedy | None = None
    team: bool = False

    def case(self, variant: str | None) -> Variant:
        """What holds for one variant; the rule's own where it has none of that name."""
        own = Variant(self.message, self.label, self.help, self.severity, self.confidence, self.fix)
        return self.variants.get(variant, own) if variant else own

    @property
    def background(self) -> Background:
        """What people can read about it."""
        return _background(self.told)


@lru_cache(maxsize=256)
def _background(told: str) -> Background:
    entry = json.loads(told)
    evidence = entry.get("evidence", ())
    return Background(
        why=entry.get("why", ""),
        by_version=tuple(Account(**account) for account in entry.get("by-version", ())),
        remedy=entry.get("remedy", ""),
        references=tuple(entry.get("references", ())),
        evidence=(evidence,) if isinstance(evidence, str) else tuple(evidence),
        cite=entry.get("cite"),
        examples=tuple(
            Example(each["bad"], tuple(each["expect"]), each["good"], each.get("options", {}))
            for each in entry.get("examples", ())
        ),
    )


def rule_of(entry: Mapping[str, Any], told: str | None = None) -> Rule:
    """The rule that a rule file describes, whose content has been checked.

    `told` is its background as JSON where the entry doesn't have it.
    """
    label, help_text = entry.get("label", ""), entry.get("help", "")
    severity, confidence = entry["severity"], entry.get("confidence", "high")
    remedy = _remedy(entry.get("fix"))
    variants = {
        name: Variant(
            message=variant.get("message", entry["message"]),
            label=variant.get("label", label),
            help=variant.get("help", help_text),
            severity=variant.get("severity", severity),
            confidence=variant.get("confidence", confidence),
            fix=_remedy(variant["fix"]) if "fix" in variant else remedy,
        )
        for name, variant in entry.get("variants", {}).items()
    }
    if told is None:
        told = json.dumps({key: entry[key] for key in BACKGROUND if key in entry})
    return Rule(
        code=entry["code"],
        name=entry["name"],
        summary=entry["summary"],
        severity=severity,
        confidence=confidence,
        category=entry.get("category", "configuration"),
        since=entry.get("since", ""),
        versions=entry.get("versions", ">=19.9"),
        default=entry.get("default", True),
        check=entry["check"],
        parameters=entry.get("with", {}),
        message=entry["message"],
        label=label,
        labels=entry.get("labels", {}),
        variants=variants,
        help=help_text,
        told=told,
        cwe=entry.get("cwe"),
        security_severity=entry.get("security-severity"),
        fix=remedy,
    )


def _remedy(entry: Mapping[str, Any] | None) -> Remedy | None:
    if entry is None:
        return None
    (action,) = entry.keys() - REMEDY_KEYS
    return Remedy(entry["title"], entry["safe"], action, entry[action], entry.get("needs"))


def rules_dir() -> Path:
    """Where the rule files of gunilint are in a checkout."""
    from pathlib import Path

    return Path(__file__).resolve().parents[2] / "rules"


@lru_cache(maxsize=4)
def load_rules(folder: Path | None = None) -> tuple[Rule, ...]:
    """All rules of gunilint in code order. Raises `RuleError` for a file that can't be used."""
    if folder is None and (compiled := _compiled()):
        return tuple(map(_decompiled, compiled))
    disk = Disk()
    return with_rules((), rule_paths(folder or rules_dir(), disk), disk)


def own_rule(key: str) -> Rule | None:
    """The rule of gunilint with that code or name, in any case; no other is read if need be."""
    wanted = key.strip().lower().encode()
    having = [pair for pair in _compiled() if wanted in pair[0].lower()]
    rules = tuple(map(_decompiled, having)) if having else load_rules()
    return find_rule(rules, key)


def _compiled() -> list[tuple[bytes, bytes]]:
    """The rules of an installed package and their backgrounds, as `hatch_build.py` writes them."""
    try:
        lines = content("rules.jsonl").splitlines()
    except FileNotFoundError:
        return []
    return list(zip(lines[::2], lines[1::2], strict=True))


def _decompiled(pair: tuple[bytes, bytes]) -> Rule:
    rule, background = pair
    return rule_of(json.loads(rule), background.decode())


def every_rule(config: Config, disk: Disk | None = None) -> tuple[Rule, ...]:
    """Gunilint's own rules and those that a configuration adds, in code order.

    A configuration file may add folders of its own repository only. Raises `RuleError`.
    """
    from pathlib import Path

    rules = load_rules()
    disk = disk or Disk()
    origin = config.origin("extend-rules")
    root = None
    if config.is_from_file("extend-rules"):
        repository = disk.repository(config.folder)
        root = Path(disk.real(str(repository)) or repository)
    for name in config.extend_rules:
        try:
            paths = rule_paths(config.folder / name, disk, root)
        except RuleError as error:
            raise RuleError(f"{origin}: `extend-rules`: {error}") from error
        rules = with_rules(rules, paths, disk, team=True)
    return rules


def with_rules(
    rules: Iterable[Rule], paths: Iterable[Path], disk: Disk, *, team: bool = False
) -> tuple[Rule, ...]:
    """`rules` and those in the files at `paths`, in code order.

    Raises `RuleError` for a file that can't be used and for a code or name that is taken.
    """
    from gunilint.rule_file import read

    found = list(rules)
    for path in paths:
        rule = read(path, disk, team=team)
        check_unique(rule, found, path)
        found.append(rule)
    return tuple(sorted(found, key=lambda rule: rule.code))


def check_unique(rule: Rule, others: Iterable[Rule], path: Path) -> None:
    """Raise `RuleError` if one of `others` has the code or name of `rule`, which is at `path`."""
    for other in others:
        if other.code == rule.code or other.name == rule.name:
            key = rule.code if other.code == rule.code else rule.name
            both = f"{rule.code} and {other.code} are both called {key}"
            raise RuleError(f"{shown(path)}: {both}")


def rule_paths(folder: Path, disk: Disk, root: Path | None = None) -> tuple[Path, ...]:
    """The files of a folder of rules, none of them outside of `root`. Raises `RuleError`."""
    from pathlib import Path

    entries = disk.folder(str(folder.absolute()))
    if entries is None:
        raise RuleError(f"{shown(folder)} is no folder")
    paths = [folder / name for name in entries if name.endswith((".yaml", ".yml"))]
    if not paths:
        raise RuleError(f"{shown(folder)} holds no rules: no file in it is called *.yaml")
    for path in (folder, *paths):
        real = Path(disk.real(str(path.absolute())) or path)
        if root is not None and not real.is_relative_to(root):
            raise RuleError(f"{shown(path)} is outside of the repository, where nothing is read")
    return tuple(paths)


def find_rule(rules: tuple[Rule, ...], key: str) -> Rule | None:
    """The rule of that code or name, in any case."""
    wanted = key.strip().lower()
    return next((rule for rule in rules if wanted in (rule.code.lower(), rule.name)), None)


def select(rules: Sequence[Rule], keys: Iterable[str]) -> tuple[Rule, ...]:
    """The rules that `keys` name: codes, names, prefixes of codes (`GU4`), categories and `all`."""
    wanted = tuple(keys)
    return tuple(rule for rule in rules if _aim(rule, wanted))


def choose(
    rules: Sequence[Rule],
    *,
    select: Iterable[str] = (),
    extend_select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    pedantic: bool = False,
) -> tuple[Rule, ...]:
    """The rules that are to run.

    Without `select` these are the ones that are on by default, or all with `pedantic`. What names a
    rule more closely wins, so that a group can be ignored but for one of its rules, and the
    reverse; of two that name it alike, `ignore` wins.
    """
    selected, extended, ignored = tuple(select), tuple(extend_select), tuple(ignore)

    def runs(rule: Rule) -> bool:
        by_default = _aim(rule, ["all"]) if rule.default or pedantic else 0
        aim = max(_aim(rule, selected) if selected else by_default, _aim(rule, extended))
        return aim > _aim(rule, ignored)

    return tuple(rule for rule in rules if runs(rule))


def _aim(rule: Rule, keys: Iterable[str]) -> int:
    """How closely the closest of `keys` names a rule; 0 where none does."""
    return max((closeness(rule, key) for key in keys), default=0)


def closeness(rule: Rule, key: str) -> int:
    """How closely a key names a rule: by its name, by its group, or (0) not at all."""
    key = key.strip().lower()
    code = rule.code.lower()
    if key in (rule.name, code):
        return 9
    if key == "all":
        return 1
    if key == rule.category:
        return 3
    return min(len(key), 8) if len(key) >= 2 and code.startswith(key) else 0


def suggestion(key: str, rules: Sequence[Rule]) -> str:
    """How an error about an unknown rule goes on."""
    names = [name for rule in rules for name in (rule.code, rule.name)]
    close = closest(key, names, 0.6) or closest(key.upper(), names, 0.6)
    return f"; did you mean {close}?" if close else "; `gunilint rules` lists them"
