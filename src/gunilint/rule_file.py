"""A rule's file: reading its YAML, and what each of its keys has to be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Formatter
from typing import Any, get_args

from gunilint.disk import Disk
from gunilint.errors import shown
from gunilint.grades import Confidence, Severity
from gunilint.kinds import (
    COUNT,
    FLAG,
    LINE,
    LIST,
    MAPPING,
    STRING,
    STRINGS,
    TEXTS,
    Kind,
    MisfitError,
    instead,
    named,
    one_of,
)
from gunilint.rules import CATEGORIES, REMEDY_KEYS, Rule, RuleError, rule_of

SIZE_LIMIT = 256 * 1024
"""Larger files, in bytes, are no rules."""
_DEPTH = 12
"""What is nested deeper than this is no rule."""

_Keys = tuple[str, ...]

_PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{kind}"
    for kind in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp")
)


def _matches(words: str, pattern: str) -> Kind:
    whole = re.compile(pattern)
    return Kind(words, lambda value: isinstance(value, str) and bool(whole.fullmatch(value)))


def _is_template(value: Any) -> bool:
    if not LINE.holds(value) or ("{" not in value and "}" not in value):
        return LINE.holds(value)
    try:
        fields = list(Formatter().parse(value))
    except ValueError:
        return False
    return all(
        name is None or (name.isidentifier() and not form and not conversion)
        for _, name, form, conversion in fields
    )


def _is_place(value: str) -> bool:
    return bool(re.fullmatch(r".+?(:[1-9][0-9]{0,6}){1,2}", value))


def _are_files(value: Any) -> bool:
    return (
        MAPPING.holds(value)
        and all(isinstance(text, str) for text in value.values())
        and all(map(_is_inside, value))
    )


def _is_inside(path: str) -> bool:
    usual = path.isprintable() and len(path) <= 200 and "\\" not in path and ":" not in path
    return usual and not {"", ".", ".."} & set(path.split("/"))


_TEMPLATE = Kind(
    "a line in which braces hold the name of a field, as in {value}, or are doubled", _is_template
)
_FILES = Kind("a mapping from paths below a folder to the files' text", _are_files)
_PLACES = Kind(
    "a list of places such as start.sh:2 or start.sh:2:7",
    lambda value: STRINGS.holds(value) and all(map(_is_place, value)),
)
_VERSION = _matches('a string with a version, such as "23.0.0"', r"[0-9]{1,6}(\.[0-9]{1,6}){0,4}")
_BOUNDS = _matches(
    'versions of gunicorn such as ">=20.1,<24"',
    r"\s*(>=|<)\s*[0-9]{1,6}(\.[0-9]{1,6}){0,4}(\s*,\s*(>=|<)\s*[0-9]{1,6}(\.[0-9]{1,6}){0,4})*\s*",
)
_LINKS = Kind(
    "a list of links that begin with https:// or http://",
    lambda value: (
        STRINGS.holds(value) and all(re.fullmatch(r"https?://[!-~]+", link) for link in value)
    ),
)
_SCORE = _matches(
    'a string with a number from "0.0" to "10.0", as CVSS has them', r"[0-9]\.[0-9]|10\.0"
)
_FIX = Kind("a mapping", lambda value: value is None or MAPPING.holds(value))
_SEVERITY, _CONFIDENCE = one_of(get_args(Severity)), one_of(get_args(Confidence))

KEYS: Mapping[str, Kind] = {
    "code": _matches("formed as GU123", r"GU[0-9]{3}"),
    "name": _matches("formed as name-of-the-problem", r"[a-z0-9]+(-[a-z0-9]+)*"),
    "summary": LINE,
    "severity": _SEVERITY,
    "confidence": _CONFIDENCE,
    "category": one_of(CATEGORIES),
    "since": _VERSION,
    "versions": _BOUNDS,
    "default": FLAG,
    "check": LINE,
    "with": MAPPING,
    "message": _TEMPLATE,
    "label": _TEMPLATE,
    "labels": Kind(
        "a mapping from names to lines of text",
        lambda value: TEXTS.holds(value) and all(map(_is_template, value.values())),
    ),
    "variants": MAPPING,
    "help": _TEMPLATE,
    "fix": _FIX,
    "why": STRING,
    "remedy": STRING,
    "references": _LINKS,
    "by-version": LIST,
    "evidence": Kind(
        "a string, or a list of strings", lambda value: LINE.holds(value) or STRINGS.holds(value)
    ),
    "cite": STRING,
    "cwe": COUNT,
    "security-severity": _SCORE,
    "examples": LIST,
}
_VARIANT_KEYS = {
    "message": _TEMPLATE, "label": _TEMPLATE, "help": _TEMPLATE, "severity": _SEVERITY,
    "confidence": _CONFIDENCE, "fix": _FIX,
}  # fmt: skip
_REMEDY_KEYS = dict(zip(REMEDY_KEYS, (_TEMPLATE, FLAG, LINE), strict=True))
_ACCOUNT_KEYS = {"versions": _BOUNDS, "why": STRING}
_EXAMPLE_KEYS = {"bad": _FILES, "expect": _PLACES, "good": _FILES, "options": MAPPING}
_OPTION_KEYS = {"gunicorn": _VERSION, "cpus": COUNT}

_TEAM_KEYS = {
    **{key: kind for key, kind in KEYS.items() if key != "fix"},
    "code": _matches(
        "formed as OPS001, and not begin with gunilint's own GU", r"(?!GU)[A-Z]{2,8}[0-9]{1,4}"
    ),
}
_NEEDED = (
    "code", "name", "summary", "severity", "confidence", "category", "since", "check",
    "message", "why", "remedy", "examples",
)  # fmt: skip
_TEAM_NEEDED = ("code", "name", "summary", "severity", "check", "message")


def read(path: Path, disk: Disk, *, team: bool = False) -> Rule:
    """The rule in a file. Raises `RuleError`, in one sentence that begins with its place.

    A `team`'s own has a code that doesn't start with GU, uses a shared check, and may leave out
    what only a published rule needs.
    """
    entry, lines = _document(path, disk, team)
    try:
        _check_rule(entry, _TEAM_KEYS if team else KEYS, _TEAM_NEEDED if team else _NEEDED)
        rule = rule_of(entry)
        if not team:
            return rule
        from gunilint.checks.shared import check_use

        check_use(rule)
    except MisfitError as misfit:
        raise RuleError(f"{_place(path, lines, misfit.path)}: {misfit}") from None
    return rule._replace(team=True)


def _place(path: Path, lines: Mapping[_Keys, int], keys: _Keys) -> str:
    while keys and keys not in lines:
        keys = keys[:-1]
    return f"{shown(path)}:{lines[keys]}" if keys else shown(path)


# YAML


def _document(path: Path, disk: Disk, team: bool) -> tuple[Any, Mapping[_Keys, int]]:
    """What a file holds, and the 1-based line of each of its keys."""
    import yaml

    kind: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = _text(path, disk)
    try:
        loader = kind(text)
        node = loader.get_single_node()
        lines = _lines(node, path, team) if node is not None else {}
        return (loader.construct_document(node) if node is not None else None), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        last = max(1, len(text.splitlines()))
        place = f"{shown(path)}:{min(mark.line + 1, last)}" if mark else shown(path)
        reason = error.problem or error.context
        raise RuleError(f"{place}: it isn't YAML: {reason}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        raise RuleError(f"{shown(path)}: it isn't YAML: {reason}") from error


def _text(path: Path, disk: Disk) -> str:
    try:
        if not disk.is_file(str(path.absolute())):
            raise RuleError(f"{shown(path)}: it isn't a file")
        data, size = disk.read(str(path.absolute()), SIZE_LIMIT)
    except OSError as error:
        raise RuleError(f"{shown(path)}: it can't be read: {error.strerror}") from error
    if size > SIZE_LIMIT:
        raise RuleError(f"{shown(path)}: it has more than {SIZE_LIMIT // 1024} KiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RuleError(f"{shown(path)}: it isn't UTF-8") from error


def _lines(root: Any, path: Path, team: bool) -> dict[_Keys, int]:
    """The line of each key. Refuses what a rule has no use for and YAML has traps with.

    Aliases are one of the traps, but in gunilint's own rules.
    """
    import yaml

    found: dict[_Keys, int] = {}
    seen: set[int] = set()
    stack: list[tuple[_Keys, Any]] = [((), root)]

    def refuse(node: Any, reason: str) -> RuleError:
        return RuleError(f"{shown(path)}:{node.start_mark.line + 1}: {reason}")

    while stack:
        keys, node = stack.pop()
        if id(node) in seen and not team:
            continue
        if id(node) in seen:
            raise refuse(node, "an alias refers to it, and rule files have none")
        if node.tag not in _PLAIN_TAGS:
            tag = node.tag.replace("tag:yaml.org,2002:", "!!")
            raise refuse(node, f"`{tag}` has no meaning in a rule")
        if len(keys) > _DEPTH:
            raise refuse(node, "it is nested too deeply")
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    raise refuse(key, "a key has to be a string")
                name = (*keys, key.value)
                if name in found:
                    raise refuse(key, f"{named(name)} is there twice")
                found[name] = key.start_mark.line + 1
                stack += [((*keys, ""), key), (name, value)]
        elif isinstance(node, yaml.SequenceNode):
            stack += [((*keys, str(number)), each) for number, each in enumerate(node.value, 1)]
    return found


# what a rule has to be


def _check_rule(entry: Any, keys: Mapping[str, Kind], needed: Sequence[str]) -> None:
    _check(entry, keys, needed)
    _check_remedy(entry.get("fix"), "fix")
    for name, variant in entry.get("variants", {}).items():
        _check(variant, _VARIANT_KEYS, (), "variants", name)
        _check_remedy(variant.get("fix"), "variants", name, "fix")
    for number, account in enumerate(entry.get("by-version", []), 1):
        _check(account, _ACCOUNT_KEYS, ("versions", "why"), "by-version", str(number))
    for number, example in enumerate(entry.get("examples", []), 1):
        place = ("examples", str(number))
        _check(example, _EXAMPLE_KEYS, ("bad", "expect", "good"), *place)
        _check(example.get("options", {}), _OPTION_KEYS, (), *place, "options")


def _check_remedy(entry: Mapping[str, Any] | None, *path: str) -> None:
    if entry is None:
        return
    about = {key: value for key, value in entry.items() if key in REMEDY_KEYS}
    _check(about, _REMEDY_KEYS, ("title", "safe"), *path)
    if len(entry) != len(about) + 1:
        raise MisfitError(path, f"{named(path)} needs one action beside its title and `safe`")


def _check(entry: Any, keys: Mapping[str, Kind], needed: Sequence[str], *path: str) -> None:
    """Raise `MisfitError` unless `entry` is a mapping with these keys and values of their kinds."""
    what = named(path) if path else "it"
    if not isinstance(entry, dict):
        raise MisfitError(path, f"{what} has to be one mapping, with {', '.join(needed or keys)}")
    for key in entry:
        if key not in keys:
            there = (*path, str(key))
            raise MisfitError(there, f"there is no key {named(there)}" + instead(key, keys))
    missing = [key for key in needed if key not in entry]
    if missing:
        raise MisfitError(path, f"{what} lacks {', '.join(missing)}")
    for key, value in entry.items():
        keys[key].check(value, *path, key)
