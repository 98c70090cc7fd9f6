"""Checks of effective settings, for any rule that describes them in its file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gunilint.checks import Hit, Parameters, assumptions, written
from gunilint.deployment import Deployment, Setting
from gunilint.source import Span

_MATCHERS = ("values", "above", "below", "includes", "prefix", "bits")


def setting_is(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """The effective `setting` matches, or each of `settings`, a mapping from names to matchers.

    A matcher is one of `values` (a list), `above` and `below` (numbers, both for a range),
    `includes` (items of a list), `prefix` (of a string, or of an item), `bits` (of a number, any
    of them set). What else has to hold: `given`, a mapping from other settings to matchers;
    `workers`, families of worker classes; `packages`, a mapping from packages to the versions that
    it matters with; `production`, that the deployment isn't for development; `written`, that the
    setting isn't a default.

    A setting that the worker class ignores is never reported.
    """
    wanted: Mapping[str, Any] = parameters.get("settings") or {
        parameters["setting"]: {key: parameters[key] for key in _MATCHERS if key in parameters}
    }
    if not _applies(deployment, parameters):
        return
    given = [deployment.settings.get(name) for name in parameters.get("given", {})]
    conditions = [setting for setting in given if setting is not None]
    for name, matcher in wanted.items():
        setting = deployment.settings.get(name)
        if setting is None or _is_ignored(deployment, name):
            continue
        if setting.span is None and parameters.get("written"):
            continue
        found = matched(setting, matcher)
        if found is not None:
            yield _hit(deployment, setting, conditions, found)


def _hit(
    deployment: Deployment, setting: Setting, given: list[Setting], found: Mapping[str, object]
) -> Hit:
    place = deployment.place(setting)
    related: tuple[tuple[str, Span], ...] = written(*(("given", other) for other in given))
    if setting.span is None and related:
        # a default matters because of the other setting, and that is what a person reads
        place, related = related[0][1], related[1:]
    others = {other.name: other.known for other in given}
    values = {**others, "value": setting.known, "setting": setting.name, **found}
    return Hit(place, values, related, assumes=assumptions(setting, *given))


def _applies(deployment: Deployment, parameters: Parameters) -> bool:
    if parameters.get("production") and deployment.development:
        return False
    families = parameters.get("workers")
    if families and (deployment.worker is None or deployment.worker.name not in families):
        return False
    if not all(_fits(deployment, *item) for item in parameters.get("packages", {}).items()):
        return False
    for name, matcher in parameters.get("given", {}).items():
        other = deployment.settings.get(name)
        if other is None or matched(other, matcher) is None:
            return False
    return True


def _is_ignored(deployment: Deployment, name: str) -> bool:
    return deployment.worker is not None and deployment.worker.ignores(name)


def matched(setting: Setting, matcher: Mapping[str, Any]) -> Mapping[str, object] | None:
    """What fills the rule's texts where a setting's known value matches; None where it doesn't."""
    value = setting.known
    if "values" in matcher:
        same = [each for each in matcher["values"] if type(each) is type(value) and each == value]
        return {} if same else None
    if isinstance(value, int) and not isinstance(value, bool):
        low, high = matcher.get("above", -1), matcher.get("below", float("inf"))
        if "above" in matcher or "below" in matcher:
            return {} if low < value < high else None
        if "bits" in matcher:
            return {"mode": f"{value:#o}"} if value & matcher["bits"] else None
    if "includes" in matcher and isinstance(value, list):
        items = [item for item in value if item in matcher["includes"]]
        return {"item": items[0], "value": ", ".join(map(str, value))} if items else None
    if "prefix" in matcher:
        texts = value if isinstance(value, list) else [value]
        for text in texts:
            if isinstance(text, str) and text.startswith(matcher["prefix"]):
                return {"rest": text[len(matcher["prefix"]) :]}
    return None


def _fits(deployment: Deployment, package: str, specifier: str) -> bool:
    """Whether the project may have a version of `package` that `specifier` allows."""
    from packaging.specifiers import SpecifierSet

    choice = deployment.packages.get(package)
    return choice is None or SpecifierSet(specifier).contains(choice.version, prereleases=True)
