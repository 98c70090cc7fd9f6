"""Rules: loading and validating the YAML files that hold all that people read of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, cast, get_args

from gunilint.findings import Confidence, Severity

_CODE = re.compile(r"GU\d{3}$")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*$")
_REQUIRED = (
    "code", "name", "summary", "severity", "confidence", "category", "since", "check",
    "message", "why", "remedy", "examples",
)  # fmt: skip
_OPTIONAL = (
    "versions", "default", "with", "label", "labels", "variants", "help", "fix", "references",
    "evidence", "cite", "cwe", "security-severity",
)  # fmt: skip
CATEGORIES = (
    "configuration", "workers", "timeouts", "lifecycle", "systemd", "shell", "security",
    "logging", "gunilint",
)  # fmt: skip


class RuleError(Exception):
    """A rule file that can't be used; the message names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class Variant:
    """What a rule says instead of its defaults in one of its cases."""

    message: str
    label: str
    help: str
    severity: Severity
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Example:
    """Files on which the rule fires at `expect` ("path:line" or "path:line:column"), and doesn't.

    `options` are settings of the run, such as the gunicorn version.
    """

    bad: Mapping[str, str]
    expect: tuple[str, ...]
    good: Mapping[str, str]
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule's file says. `message`, `label` and `help` are templates that a hit fills."""

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
    why: str
    remedy: str
    references: tuple[str, ...]
    evidence: str | None
    cite: str | None
    cwe: int | None
    security_severity: str | None
    examples: tuple[Example, ...]

    def case(self, variant: str | None) -> Variant:
        """The texts and grades for one variant; the rule's own where it has none of that name."""
        own = Variant(self.message, self.label, self.help, self.severity, self.confidence)
        return self.variants.get(variant, own) if variant else own


def rules_dir() -> Path:
    """Where the rule files are: in the installed package, or beside `src` in a checkout."""
    here = Path(__file__).resolve().parent
    packaged = here / "rules"
    return packaged if packaged.is_dir() else here.parents[1] / "rules"


@lru_cache(maxsize=4)
def load_rules(folder: Path | None = None) -> tuple[Rule, ...]:
    """All rules in code order. Raises `RuleError` for a file that can't be used."""
    rules = sorted(_load(folder or rules_dir()), key=lambda rule: rule.code)
    seen: dict[str, str] = {}
    for rule in rules:
        for key in (rule.code, rule.name):
            if key in seen:
                raise RuleError(f"{rule.code} and {seen[key]} are both called {key}")
            seen[key] = rule.code
    return tuple(rules)


def find_rule(rules: tuple[Rule, ...], key: str) -> Rule | None:
    """The rule of that code or name, in any case."""
    wanted = key.strip().lower()
    return next((rule for rule in rules if wanted in (rule.code.lower(), rule.name)), None)


def _load(folder: Path) -> Iterator[Rule]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise RuleError(f"{folder} holds no rules")
    for path in paths:
        try:
            entry = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
            yield _rule(entry)
        except (OSError, yaml.YAMLError, ValueError, TypeError, KeyError) as error:
            raise RuleError(f"{path.name}: {error}") from error


def _rule(entry: Any) -> Rule:
    if not isinstance(entry, dict):
        raise ValueError("a rule file holds one mapping")
    missing = [key for key in _REQUIRED if key not in entry]
    unknown = [key for key in entry if key not in (*_REQUIRED, *_OPTIONAL)]
    if missing:
        raise ValueError("it lacks " + ", ".join(missing))
    if unknown:
        raise ValueError("it has unknown keys: " + ", ".join(map(str, unknown)))
    if not _CODE.match(entry["code"]) or not _NAME.match(entry["name"]):
        raise ValueError("its code or name isn't formed as GU123 and some-name")
    if entry["category"] not in CATEGORIES:
        raise ValueError(f"its category {entry['category']!r} is none of {', '.join(CATEGORIES)}")
    severity = _one_of(entry["severity"], Severity)
    confidence = _one_of(entry["confidence"], Confidence)
    label, help_text = entry.get("label", ""), entry.get("help", "")
    variants = {
        name: Variant(
            message=variant.get("message", entry["message"]),
            label=variant.get("label", label),
            help=variant.get("help", help_text),
            severity=_one_of(variant.get("severity", severity), Severity),
            confidence=_one_of(variant.get("confidence", confidence), Confidence),
        )
        for name, variant in entry.get("variants", {}).items()
    }
    return Rule(
        code=entry["code"],
        name=entry["name"],
        summary=entry["summary"],
        severity=severity,
        confidence=confidence,
        category=entry["category"],
        since=entry["since"],
        versions=entry.get("versions", ">=19.9"),
        default=entry.get("default", True),
        check=entry["check"],
        parameters=entry.get("with", {}),
        message=entry["message"],
        label=label,
        labels=entry.get("labels", {}),
        variants=variants,
        help=help_text,
        why=entry["why"],
        remedy=entry["remedy"],
        references=tuple(entry.get("references", ())),
        evidence=entry.get("evidence"),
        cite=entry.get("cite"),
        cwe=entry.get("cwe"),
        security_severity=entry.get("security-severity"),
        examples=tuple(_example(example) for example in entry["examples"]),
    )


def _example(entry: Mapping[str, Any]) -> Example:
    return Example(
        bad=entry["bad"],
        expect=tuple(entry["expect"]),
        good=entry["good"],
        options=entry.get("options", {}),
    )


def _one_of(value: str, kind: Any) -> Any:
    allowed = cast("tuple[str, ...]", get_args(kind))
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {', '.join(allowed)}")
    return value


def select(rules: tuple[Rule, ...], keys: Iterable[str]) -> tuple[Rule, ...]:
    """The rules that `keys` name: codes, names, prefixes of codes (`GU4`) and categories."""
    wanted = [key.strip().lower() for key in keys]
    return tuple(
        rule
        for rule in rules
        if any(
            key in (rule.name, rule.category, "all")
            or (key.startswith("gu") and rule.code.lower().startswith(key))
            for key in wanted
        )
    )
