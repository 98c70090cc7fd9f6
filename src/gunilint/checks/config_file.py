"""Checks of what a config file or command line says and gunicorn doesn't do."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gunilint.catalogue import Catalogue, version_key
from gunilint.checks import Hit, Parameters, assumptions, written
from gunilint.checks.settings import matched
from gunilint.deployment import Deployment, Origin, Project, Refusal, Setting
from gunilint.evaluate import Binding
from gunilint.options import OptionUse
from gunilint.source import Span
from gunilint.validate import default
from gunilint.values import Function, Known, Module, Symbolic, Value

_CPUS = range(1, 129)
"""The machines on which two values are compared."""

_VARIABLE = re.compile(r"\$(\{[A-Za-z_]\w*\}|[A-Za-z_]\w*)")

_NOT_OVERRIDABLE = frozenset({"config", "wsgi_app"})


def unparsable_file(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """A file that can't be read or parsed; the variant is the kind of problem."""
    for problem in project.problems:
        values = {"path": problem.span.source.path, "reason": problem.reason}
        yield Hit(problem.span, values, variant=problem.kind)


def option_refused(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """An option, or a stray argument, that makes gunicorn exit with status 2."""
    if deployment.launch is None:
        return
    for error in deployment.launch.errors:
        values = {"reason": error.reason, "suggestion": error.suggestion}
        yield Hit(error.span, values, variant="suggestion" if error.suggestion else None)


def invalid_value(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A value that gunicorn refuses at start.

    Variants: "argparse" (status 2), "raises" (the config file ends with an exception).
    """
    config = deployment.config
    if config is not None and config.namespace.failure is not None:
        failure = config.namespace.failure
        yield Hit(failure.span, {"reason": failure.reason}, (), "raises", failure.assumes)
    for refusal in deployment.refusals:
        if refusal.setting is None or refusal.value is None or _is_accidental(refusal):
            continue
        if _is_web_concurrency(refusal):
            continue
        values = {
            "setting": refusal.setting,
            "value": " ".join(refusal.span.text.split()),
            "reason": refusal.reason,
        }
        variant = "argparse" if refusal.status == 2 else None
        yield Hit(refusal.span, values, (), variant, refusal.assumes)


def web_concurrency_invalid(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """`WEB_CONCURRENCY` isn't a whole number, which gunicorn can't even be imported with."""
    for refusal in filter(_is_web_concurrency, deployment.refusals):
        assert refusal.value is not None
        yield Hit(refusal.span, {"value": refusal.value.value}, assumes=refusal.assumes)


def _is_web_concurrency(refusal: Refusal) -> bool:
    return refusal.setting == "workers" and refusal.origin == "environment"


def accidental_setting(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """An import, function or helper whose name happens to be a setting's.

    Variants: "module" and the rule's own message for functions and classes.
    """
    for refusal in deployment.refusals:
        if not _is_accidental(refusal):
            continue
        assert refusal.value is not None
        variant = "module" if isinstance(refusal.value.value, Module) else None
        values = {"setting": refusal.setting, "reason": refusal.reason}
        yield Hit(refusal.span, values, (), variant, refusal.assumes)


def _is_accidental(refusal: Refusal) -> bool:
    """Whether what is refused is no value at all; a hook of the wrong arity is meant as one."""
    value = refusal.value.value if refusal.value else None
    is_hook = isinstance(value, Function) and "parameters" in refusal.reason
    return isinstance(value, Function | Module) and not is_hook


def without_effect(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A written setting, not at its default, that nothing comes of.

    The worker class ignores it, or (variant "switch") what `needs` maps it to is off.
    """
    for name, setting in deployment.settings.items():
        info = deployment.catalogue.settings[name]
        if setting.span is None or not isinstance(setting.value, Known | Symbolic):
            continue
        if isinstance(setting.value, Known) and default(info) == setting.value.value:
            continue
        values = {"setting": name, "version": deployment.target.version}
        worker = deployment.worker
        if worker is not None and worker.ignores(name):
            related = written(("worker", deployment.settings["worker_class"]))
            assumes = assumptions(setting, deployment.settings["worker_class"])
            yield Hit(setting.span, {**values, "worker": worker.name}, related, assumes=assumes)
            continue
        for other, matcher in parameters["needs"].get(name, {}).items():
            switch = deployment.settings.get(other)
            if switch is not None and matched(switch, matcher) is not None:
                related = written(("switch", switch))
                assumes = assumptions(setting, switch)
                yield Hit(setting.span, {**values, "switch": other}, related, "switch", assumes)


def repeated_option(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """An option with one value, given twice on a command line with different values."""
    launch = deployment.launch
    if launch is None:
        return
    last: dict[str, OptionUse] = {}
    for use in reversed(launch.line.options):
        winner = last.setdefault(use.setting.name, use)
        if winner is use or use.setting.action != "store" or not _differ(use.value, winner.value):
            continue
        values = {
            "option": use.flag,
            "value": describe(use.value),
            "winner": describe(winner.value),
        }
        yield Hit(use.span, values, (("winner", winner.span),))


def reassigned_setting(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A setting that the config file assigns twice, unconditionally, with different values."""
    if deployment.config is None:
        return
    namespace = deployment.config.namespace
    for name, binding in namespace.bindings.items():
        if name not in deployment.catalogue.settings or name in namespace.used:
            continue
        if binding.kind != "assignment":
            continue
        for earlier in binding.history:
            if earlier.kind == "assignment" and _differ(earlier.value, binding.value):
                values = {
                    "setting": name,
                    "value": describe(earlier.value),
                    "winner": describe(binding.value),
                }
                yield Hit(earlier.span, values, (("winner", binding.span),))


def unexpanded_variable(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A `$NAME` in a setting's text, which gunicorn takes literally."""
    for name in parameters["settings"]:
        setting = deployment.settings.get(name)
        if setting is None or setting.span is None:
            continue
        texts = setting.known if isinstance(setting.known, list) else [setting.known]
        for text in texts:
            found = _VARIABLE.search(text) if isinstance(text, str) else None
            if found is not None:
                values = {"setting": name, "value": text, "variable": found[0]}
                yield Hit(setting.span, values, assumes=assumptions(setting))


def unknown_setting(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A name of a config file that is meant as a setting, and isn't one.

    Variants: "spelling" (the option's name), "removed", "newer", "case" (upper case), and the
    rule's own message for a slip of the keyboard.
    """
    if deployment.config is None:
        return
    namespace = deployment.config.namespace
    catalogue = deployment.catalogue
    for name, binding in namespace.bindings.items():
        if name in catalogue.settings or name in namespace.used or name.startswith("_"):
            continue
        if binding.kind not in ("assignment", "augmented", "function"):
            continue
        found = _meant(name, binding, catalogue)
        if found is None:
            continue
        variant, meant = found
        if meant in namespace.bindings and variant in (None, "case"):
            continue
        values = {"name": name, "meant": meant, "version": catalogue.version}
        if variant in ("removed", "newer"):
            info = catalogue.others[name]
            values["bound"] = (info.since if variant == "newer" else info.until) or "19.9"
        yield Hit(binding.target, values, variant=variant)


def _meant(name: str, binding: Binding, catalogue: Catalogue) -> tuple[str | None, str] | None:
    """The variant and the setting that `name` stands for."""
    is_value = binding.kind != "function"
    if name in catalogue.spellings and is_value:
        return "spelling", catalogue.spellings[name]
    if name in catalogue.others and is_value:
        since = catalogue.others[name].since
        newer = since is not None and version_key(since) > version_key(catalogue.version)
        return ("newer" if newer else "removed"), name
    if name.lower() in catalogue.settings and is_value:
        return "case", name.lower()
    allowed = 1 if len(name) < 8 else 2
    for setting, info in catalogue.settings.items():
        fits = (info.kind == "hook") is not is_value
        if fits and name[0] == setting[0] and _distance(name, setting, allowed) <= allowed:
            return None, setting
    return None


def _distance(left: str, right: str, limit: int) -> int:
    """How many insertions, deletions, changes or swaps of neighbours lie between two words."""
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        previous, before, row = before, row, [i]
        for j, b in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, previous[j - 2] + 1)
            row.append(cost)
    return row[-1]


def overridden_setting(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """A value that a stronger source replaces by another in every deployment that reads it."""
    effective: set[Span] = set()
    lost: dict[Span, tuple[Setting, Setting]] = {}
    for deployment in project.deployments:
        for setting in deployment.settings.values():
            if setting.span is not None:
                effective.add(setting.span)
            for weaker in setting.overridden:
                if weaker.span is None or setting.name in _NOT_OVERRIDABLE:
                    continue
                if _differ(weaker.value, setting.value):
                    lost.setdefault(weaker.span, (weaker, setting))
                else:
                    effective.add(weaker.span)
    for span, (weaker, stronger) in lost.items():
        if span in effective or stronger.span is None:
            continue
        values = {
            "setting": weaker.name,
            "value": describe(weaker.value),
            "winner": describe(stronger.value),
            "origin": _named(weaker.origin),
            "winning_origin": _named(stronger.origin),
        }
        assumes = assumptions(weaker, stronger)
        yield Hit(span, values, (("winner", stronger.span),), assumes=assumes)


def _named(origin: Origin) -> str:
    return origin if origin == "GUNICORN_CMD_ARGS" else f"the {origin}"


def describe(value: Value) -> str:
    """A known value as a person would write it."""
    if isinstance(value, Symbolic):
        return value.text
    if not isinstance(value, Known):
        return "unknown"
    plain = value.value
    if isinstance(plain, list):
        return ", ".join(map(str, plain))
    return str(plain)


def _differ(left: Value, right: Value) -> bool:
    """Whether two values differ on every machine."""
    if not isinstance(left, Known | Symbolic) or not isinstance(right, Known | Symbolic):
        return False
    return all(_at(left, cpus) != _at(right, cpus) for cpus in _CPUS)


def _at(value: Known | Symbolic, cpus: int) -> object:
    return value.value if isinstance(value, Known) else value.at(cpus)
