"""Checks of effective settings, for any rule that describes them in its file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeGuard

from gunilint.checks import Hit, Parameters, assumptions, written
from gunilint.checks.shared import MATCHERS, compared
from gunilint.deployment import Deployment, Setting
from gunilint.source import Span


def setting_is(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """The effective `setting` matches, or each of `settings`, a mapping from names to matchers.

    A matcher has `values` (a list), or one of `above` and `below` (numbers or the names of settings
    that have one, both for a range), `includes` (items of a list), `prefix` (of a string, or of an
    item) and `not-prefix`, `bits` (of a number, any of them set). `written` says that the setting
    isn't a default. The rest of the parameters are those of `conditions`.

    In `settings` a name may have a list of matchers, the first of which that matches counts, and a
    matcher may have its own `given`, the rule's `variant`, and the gunicorn version `before` which
    it holds. A setting that the worker class ignores, or a `bind` that a socket unit's sockets
    replace, is never reported.
    """
    wanted: Mapping[str, Any] = parameters.get("settings") or {
        parameters["setting"]: {key: parameters[key] for key in MATCHERS if key in parameters}
    }
    general = conditions(deployment, parameters)
    if general is None:
        return
    for name, matchers in wanted.items():
        setting = deployment.settings.get(name)
        if setting is None or _is_ignored(deployment, name):
            continue
        if setting.span is None and parameters.get("written"):
            continue
        for matcher in matchers if isinstance(matchers, list) else [matchers]:
            own = _fitting(deployment, matcher.get("given", {}))
            found = matched(setting, matcher, deployment.settings)
            past = "before" in matcher and deployment.catalogue.at_least(matcher["before"])
            if found is not None and own is not None and not past:
                limits = [deployment.settings[other] for other in compared(matcher)]
                others = (
                    *(("than", other) for other in limits),
                    *(("given", other) for other in (*general, *own)),
                )
                yield _hit(deployment, setting, others, found, matcher.get("variant"))
                break


def _hit(
    deployment: Deployment,
    setting: Setting,
    others: Sequence[tuple[str, Setting]],
    found: Mapping[str, object],
    variant: str | None,
) -> Hit:
    """A hit on a setting that matters because of others, each with the name of its label."""
    place = deployment.place(setting)
    related: tuple[tuple[str, Span], ...] = written(*others)
    if setting.span is None and related:
        # a default matters because of the other setting, and that is what a person reads
        place, related = related[0][1], related[1:]
    known = {other.name: other.known for _, other in others}
    values = {**known, "value": setting.known, "setting": setting.name, **found}
    rests_on = assumptions(setting, *(other for _, other in others))
    return Hit(place, values, related, variant, rests_on)


def conditions(deployment: Deployment, parameters: Parameters) -> tuple[Setting, ...] | None:
    """The settings of `given` if all that has to hold for a rule does, or else None.

    That is `given`, a mapping from settings to matchers; `workers`, families of worker classes;
    `packages`, a mapping from packages to the versions that it matters with; and `production`, that
    the deployment isn't for development.
    """
    if parameters.get("production") and deployment.development:
        return None
    families = parameters.get("workers")
    if families and (deployment.worker is None or deployment.worker.name not in families):
        return None
    if not all(_fits(deployment, *item) for item in parameters.get("packages", {}).items()):
        return None
    return _fitting(deployment, parameters.get("given", {}))


def _fitting(deployment: Deployment, given: Mapping[str, Any]) -> tuple[Setting, ...] | None:
    """The settings that `given` maps to matchers; None where one of them doesn't match."""
    found = []
    for name, matcher in given.items():
        setting = deployment.settings.get(name)
        if setting is None or _is_replaced(deployment, name):
            return None
        if matched(setting, matcher, deployment.settings) is None:
            return None
        found.append(setting)
    return tuple(found)


def _is_ignored(deployment: Deployment, name: str) -> bool:
    """Whether nothing comes of a setting: of the worker class, or of a socket unit's sockets."""
    worker = deployment.worker
    return _is_replaced(deployment, name) or (worker is not None and worker.ignores(name))


def _is_replaced(deployment: Deployment, name: str) -> bool:
    """Whether a socket unit's sockets stand in for a setting."""
    launch = deployment.launch
    return name == "bind" and launch is not None and bool(launch.activated)


def matched(
    setting: Setting,
    matcher: Mapping[str, Any],
    settings: Mapping[str, Setting] = MappingProxyType({}),
) -> Mapping[str, object] | None:
    """What fills the rule's texts where a setting's known value matches; None where it doesn't.

    `settings` are those that a matcher may compare with.
    """
    value = setting.known
    if value is None and not setting.is_none:
        return None
    if any(type(each) is type(value) and each == value for each in matcher.get("values", ())):
        return {}
    if _is_number(value):
        low = _limit(matcher.get("above", -1), settings)
        high = _limit(matcher.get("below", float("inf")), settings)
        if "above" in matcher or "below" in matcher:
            within = low is not None and high is not None and low < value < high
            return {} if within else None
        if "bits" in matcher:
            return {"mode": f"{value:#o}"} if value & matcher["bits"] else None
    if "includes" in matcher and isinstance(value, list):
        items = [item for item in value if item in matcher["includes"]]
        return {"item": items[0], "value": ", ".join(map(str, value))} if items else None
    for text in value if isinstance(value, list) else [value]:
        if not isinstance(text, str):
            continue
        if "prefix" in matcher and text.startswith(matcher["prefix"]):
            return {"rest": text[len(matcher["prefix"]) :]}
        if "not-prefix" in matcher and not text.startswith(matcher["not-prefix"]):
            return {"item": text}
    return None


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _limit(limit: float | str, settings: Mapping[str, Setting]) -> float | None:
    """A limit as a number; None where it is a setting that has none."""
    if not isinstance(limit, str):
        return limit
    value = settings[limit].known if limit in settings else None
    return value if _is_number(value) else None


def _fits(deployment: Deployment, package: str, specifier: str) -> bool:
    """Whether the project may have a version of `package` that `specifier` allows."""
    choice = deployment.packages.get(package)
    if choice is None:
        return True
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(specifier).contains(choice.version, prereleases=True)
