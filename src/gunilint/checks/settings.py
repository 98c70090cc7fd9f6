"""Checks of one effective setting, for any rule that names the setting in its file."""

from __future__ import annotations

from collections.abc import Iterator

from gunilint.checks import Hit, Parameters, assumptions, written
from gunilint.deployment import Deployment, Setting
from gunilint.source import Span


def setting_is(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """The effective `setting` is one of `values`.

    `given` names another setting that must be on (non-zero) for it to matter. With
    `production: true` deployments for development are left out. A setting that the worker
    ignores is never reported.
    """
    setting = _considered(deployment, parameters)
    if setting is None or setting.known not in parameters["values"]:
        return
    place, assumes = deployment.place(setting), assumptions(setting)
    related: tuple[tuple[str, Span], ...] = ()
    if "given" in parameters:
        given = deployment.settings[parameters["given"]]
        if not given.known:
            return
        related = written(("given", given))
        assumes = assumptions(setting, given)
        if setting.span is None and given.span is not None:
            place, related = given.span, ()
    values = {"value": setting.known, "setting": setting.name}
    yield Hit(place, values, related, assumes=assumes)


def setting_starts_with(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """The effective `setting` is a string that starts with `prefix`.

    `given` maps packages to the versions that it matters with; one that isn't known fits.
    """
    if not all(_fits(deployment, *item) for item in parameters.get("given", {}).items()):
        return
    setting = _considered(deployment, parameters)
    if setting is None:
        return
    value = setting.known
    if isinstance(value, str) and value.startswith(parameters["prefix"]):
        rest = value[len(parameters["prefix"]) :]
        values = {"value": value, "setting": setting.name, "rest": rest}
        yield Hit(deployment.place(setting), values, assumes=assumptions(setting))


def _fits(deployment: Deployment, package: str, specifier: str) -> bool:
    """Whether the project may have a version of `package` that `specifier` allows."""
    from packaging.specifiers import SpecifierSet

    choice = deployment.packages.get(package)
    return choice is None or SpecifierSet(specifier).contains(choice.version, prereleases=True)


def _considered(deployment: Deployment, parameters: Parameters) -> Setting | None:
    """The setting that `parameters` name, unless the deployment has no use for it."""
    name = parameters["setting"]
    if parameters.get("production") and deployment.development:
        return None
    if deployment.worker is not None and deployment.worker.ignores(name):
        return None
    return deployment.settings.get(name)
