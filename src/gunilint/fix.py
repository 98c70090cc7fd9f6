"""Fixes: what repairs a finding, applying many of them, and writing files that are never half new.

A rule's file says how its findings are repaired: one action of `ACTIONS` and what it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from gunilint import edits
from gunilint.checks import Hit
from gunilint.deployment import Deployment
from gunilint.discover import decode, encode
from gunilint.edits import Edits
from gunilint.errors import ExplainedError
from gunilint.findings import Edit, Finding, Fix
from gunilint.rules import Remedy
from gunilint.source import Fragment, Problem, Source, Span

ROUNDS = 10
"""How often fixes are applied, as one may lie in the way of another."""


class FixError(ExplainedError):
    """A file that can't be written; the message names it and says why."""


# what repairs a finding


class _Case(Struct, frozen=True):
    """A hit that is to be repaired, and the action's argument with the hit's values filled in."""

    hit: Hit
    deployment: Deployment | None
    argument: Any

    def place(self, key: object) -> Span | None:
        """The hit's own place, or a related one by the name of its label."""
        if key in (None, True):
            return self.hit.span
        named = (item for item in self.hit.related if isinstance(item, tuple))
        return next((span for name, span in named if name == key), None)


def propose(remedy: Remedy, hit: Hit, deployment: Deployment | None) -> Fix | None:
    """The fix of a hit; None where the text leaves no sure way."""
    values = hit.values
    packages = deployment.dependencies.names if deployment else frozenset()
    if remedy.needs and packages and remedy.needs not in packages:
        return None
    argument = _filled(remedy.argument, values)
    found = ACTIONS[remedy.action](_Case(hit, deployment, argument))
    if not found:
        return None
    return Fix(remedy.title.format_map(dict(values)), found, remedy.safe)


def _filled(argument: Any, values: Mapping[str, object]) -> Any:
    if isinstance(argument, str):
        return argument.format_map(dict(values))
    if isinstance(argument, dict):
        return {key: _filled(item, values) for key, item in argument.items()}
    return argument


def _set(case: _Case) -> Edits | None:
    """`set: {setting: value}`; the value may be `{tenth-of: other setting}`."""
    if case.deployment is None or not case.deployment.settings:
        return None
    values = {}
    for name, value in case.argument.items():
        whole = value
        if isinstance(value, dict):
            known = case.deployment.settings[value["tenth-of"]].known
            if not isinstance(known, int):
                return None
            whole = max(1, known // 10)
        values[name] = whole
    return edits.set_settings(case.deployment, values)


def _replace(case: _Case) -> Edits:
    """`replace: text` for the place of the finding."""
    return (Edit(case.hit.span, case.argument),)


def _exec(case: _Case) -> Edits | None:
    """`exec: true`: `exec` before the command, if it is the last of its script."""
    launch = case.deployment.launch if case.deployment else None
    if launch is None or len(launch.command.forks) != 1 or not launch.command.ends_script:
        return None
    start = launch.command.words[0].span
    if launch.command.forks[0].span != start or "trap " in start.source.text:
        return None
    return edits.before(start, "exec ")


def _directive(case: _Case) -> Edits | None:
    """`directive: {section: …, key: …, value: …}`, with `list: true` where it adds to a list."""
    unit = case.deployment.launch.unit if case.deployment and case.deployment.launch else None
    if unit is None:
        return None
    wanted = dict(case.argument)
    if wanted.pop("list", False):
        return edits.extend_directive(unit, **wanted)
    return edits.set_directive(unit, **wanted, at=case.hit.span)


def _remove_option(case: _Case) -> Edits | None:
    """`remove-option: true` for the option whose value is the place of the finding."""
    return edits.option_at(case.deployment, case.hit.span) if case.deployment else None


def _quote(case: _Case) -> Edits | None:
    """`quote: true`: quotes around the word that the finding is about."""
    return edits.quote(case.hit.span)


def _move_above(case: _Case) -> Edits | None:
    """`move-above: label`: the line of the finding above that of a related place."""
    above = case.place(case.argument)
    return edits.move_line(case.hit.span, above) if above is not None else None


def _plain_function(case: _Case) -> Edits | None:
    """`plain-function: true`: `async def` becomes `def`."""
    return edits.make_plain_function(case.hit.span)


def _delete(case: _Case) -> Edits:
    """`delete: true` for what a check says can go without a trace."""
    return tuple(Edit(span, "") for span in case.hit.deletes)


ACTIONS: Mapping[str, Callable[[_Case], Edits | None]] = {
    "delete": _delete,
    "directive": _directive,
    "exec": _exec,
    "move-above": _move_above,
    "plain-function": _plain_function,
    "quote": _quote,
    "remove-option": _remove_option,
    "replace": _replace,
    "set": _set,
}


# applying many


class Patch(Struct, frozen=True):
    """A file and its content before and after."""

    path: Path
    before: bytes
    after: bytes


class Round(Struct, frozen=True):
    """The findings that one round repaired, and what it did to their files.

    `spoilt` are files that would no longer parse, and so are left as they are.
    """

    findings: tuple[Finding, ...]
    patches: tuple[Patch, ...]
    spoilt: frozenset[Path] = frozenset()


def apply(
    findings: Sequence[Finding],
    contents: Mapping[Path, bytes],
    *,
    unsafe: bool,
    spoilt: frozenset[Path] = frozenset(),
) -> Round:
    """Apply the fixes that don't overlap an earlier one, each wholly or not at all.

    `contents` are what earlier rounds have made of files, and `spoilt` are files to keep away from.
    Raises `FixError` where a file has changed since it was read.
    """
    while True:
        applied, taken = _compatible(findings, unsafe, spoilt)
        patches = tuple(_patch(path, wanted, contents) for path, wanted in taken.items())
        broken = frozenset(patch.path for patch in patches if _spoils(patch))
        if not broken:
            return Round(tuple(applied), patches, spoilt)
        spoilt |= broken


def _compatible(
    findings: Iterable[Finding], unsafe: bool, spoilt: frozenset[Path]
) -> tuple[list[Finding], dict[Path, list[Edit]]]:
    """The findings whose fixes don't overlap an earlier one, and the edits of each file."""
    taken: dict[Path, list[Edit]] = {}
    applied: list[Finding] = []
    for finding in findings:
        fix = finding.fix
        if fix is None or not (fix.safe or unsafe):
            continue
        places = [(_file(edit.span.source), edit) for edit in fix.edits]
        if any(path in spoilt or _collides(edit, taken.get(path, ())) for path, edit in places):
            continue
        if any("\N{REPLACEMENT CHARACTER}" in edit.span.source.text for _, edit in places):
            # bytes of no encoding stand in its comments, and would be lost
            continue
        applied.append(finding)
        for path, edit in places:
            taken.setdefault(path, []).append(edit)
    return applied, taken


def _spoils(patch: Patch) -> bool:
    """Whether a file has more syntax errors than before: a bug, which must not reach the file."""
    name = patch.path.name
    before, after = (decode(name, data)[0] for data in (patch.before, patch.after))
    return len(_problems(after)) > len(_problems(before))


def _problems(source: Source) -> Sequence[Problem]:
    if source.path.endswith(".py"):
        from gunilint.parse.python_config import parse as parse_python

        return parse_python(source).problems
    if source.path.endswith((".service", ".socket", ".conf")):
        from gunilint.parse.systemd import parse as parse_unit

        return parse_unit(source, source.path).problems
    from gunilint.parse.shell import parse as parse_shell

    return parse_shell(Fragment.whole(source)).problems


def _file(source: Source) -> Path:
    """The file itself, also where its source was read through a link."""
    return Path(source.root, source.path).resolve()


def _patch(path: Path, wanted: Sequence[Edit], contents: Mapping[Path, bytes]) -> Patch:
    source = wanted[0].span.source
    try:
        data = contents[path] if path in contents else path.read_bytes()
    except OSError as error:
        raise FixError(f"{path} can't be read: {error.strerror or error}") from error
    if decode(source.path, data)[0].text != source.text:
        raise FixError(f"{path} has changed since it was read; nothing was written")
    return Patch(path, data, encode(source, data, edits.apply(source.text, wanted)))


def _collides(edit: Edit, others: Sequence[Edit]) -> bool:
    """Whether an edit touches another one, or the file goes by another name in it."""
    span = edit.span
    return any(
        other.span.source is not span.source
        or (span.start <= other.span.end and other.span.start <= span.end)
        for other in others
    )


# writing


def diff(patch: Patch, name: str) -> str:
    """What a patch changes, as `diff -u` shows it, for a file that is called `name`."""
    before, after = (
        data.decode("utf-8", "backslashreplace").splitlines(keepends=True)
        for data in (patch.before, patch.after)
    )
    import difflib

    lines = difflib.unified_diff(before, after, f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}" for line in lines)


_NO_NEWLINE = "\\ No newline at end of file\n"


def write(patch: Patch) -> None:
    """Put the new content in the place of the old at once, with the file's mode and owner.

    Raises `FixError` where that can't be done, and where the file isn't what it was when it was
    read; the file then stays as it is.
    """
    path = patch.path
    try:
        if path.read_bytes() != patch.before:
            raise FixError(f"{path} has changed since it was read; it stays as it is")
        from gunilint import atomic

        atomic.write(path, patch.after)
    except OSError as error:
        raise FixError(f"{path} can't be written: {error.strerror or error}") from error
