"""Checks of what a config file or command line says and gunicorn doesn't do."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence

from gunilint.catalogue import Catalogue
from gunilint.checks import Hit, Parameters, assumptions, written
from gunilint.checks.exposure import addresses
from gunilint.checks.settings import matched
from gunilint.checks.systemd import gunicorn_unit, runs_script_of_words
from gunilint.deployment import Deployment, Origin, Project, Refusal, Setting
from gunilint.evaluate import Binding
from gunilint.options import OptionUse
from gunilint.parse.systemd import UnitEnvironment
from gunilint.regex import regex
from gunilint.source import Span
from gunilint.validate import default, validated
from gunilint.values import Function, Known, Module, Refused, Symbolic, Unknown, Value

_CPUS = (*range(1, 17), 18, 20, 22, 24, 28, 32, 36, 40, 44, 48, 56, 64, 72, 80, 96, 112, 128)
"""The machines on which two values are compared, by their CPUs."""

_VARIABLE = regex(r"\$(\{[A-Za-z_]\w*\}|[A-Za-z_]\w*)")

_QUOTED = regex(r"(['\"])[^'\"]*\1")

_IMPORTED = regex(r"^[ \t]*(?:from|import)[ \t]+(\w*)", re.MULTILINE)
"""The top module of each import: an empty one for a relative import."""

_NOT_OVERRIDABLE = frozenset({"config", "wsgi_app"})


def unparsable_file(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """A file that can't be read or parsed; the variant is the kind of problem.

    `kinds` are the only ones to report, `except` those that have a rule of their own.
    """
    for problem in project.problems:
        if problem.kind not in parameters.get("kinds", (problem.kind,)):
            continue
        if problem.kind in parameters.get("except", ()):
            continue
        values = {"path": problem.span.source.path, "reason": problem.reason}
        yield Hit(problem.span, values, variant=problem.kind)


def option_refused(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """An option, or a stray argument, that makes gunicorn exit with status 2.

    Variants: "suggestion", for options of other servers from `instead`, and "newer" (a later
    gunicorn has it). One that an earlier gunicorn had is the matter of `removed_setting`.
    """
    version, instead = deployment.target.version, parameters["instead"]
    for error in deployment.launch.errors if deployment.launch else ():
        suggestion = instead.get(error.span.text.partition("=")[0], error.suggestion)
        values: dict[str, object] = {"reason": error.reason, "suggestion": suggestion}
        if error.elsewhere is None:
            yield Hit(error.span, values, variant="suggestion" if suggestion else None)
        elif error.elsewhere.is_newer(version):
            yield Hit(error.span, {**values, "bound": error.elsewhere.since}, variant="newer")


def removed_setting(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A setting or option that the targeted gunicorn no longer has.

    `instead` says what to do, by setting or option. Variant "option": it ends the start.
    """
    version, instead = deployment.target.version, parameters["instead"]
    values: dict[str, object] = {"version": version, "instead": instead["other"]}
    for error in deployment.launch.errors if deployment.launch else ():
        info = error.elsewhere
        if info is not None and not info.is_newer(version):
            name = info.flags[-1]
            remedy = instead.get(name) or instead.get(info.name) or instead["other"]
            values = {**values, "name": name, "until": info.until, "instead": remedy}
            yield Hit(error.span, values, variant="option")
    for name, binding in _meant_as_settings(deployment):
        info = deployment.catalogue.others.get(name)
        if info is not None and not info.is_newer(version):
            remedy = instead.get(name, instead["other"])
            yield Hit(
                binding.target, {**values, "name": name, "until": info.until, "instead": remedy}
            )


def invalid_value(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A value that gunicorn refuses at start.

    Variants: "argparse" (status 2), "raises" (the config file ends with an exception), "unset" (it
    is None, because the unit doesn't set the variable that it is read from).
    """
    config = deployment.config
    if config is not None and config.namespace.failure is not None:
        failure = config.namespace.failure
        yield Hit(failure.span, {"reason": failure.reason}, (), "raises", failure.assumes)
    for refusal in deployment.refusals:
        if refusal.setting is None or refusal.value is None or _is_accidental(refusal):
            continue
        if _is_web_concurrency(refusal) or _is_unexpanded(refusal, deployment):
            continue
        values = {
            "setting": refusal.setting,
            "value": " ".join(refusal.span.text.split()),
            "reason": refusal.reason,
        }
        variant = "argparse" if refusal.status == 2 else None
        yield Hit(refusal.span, values, (), variant, refusal.assumes)
    yield from _unset_variables(deployment)


def _is_unexpanded(refusal: Refusal, deployment: Deployment) -> bool:
    """Whether it is about a variable that systemd leaves as it is, which has a rule of its own."""
    unit = gunicorn_unit(deployment)
    if unit is None or refusal.span.source not in unit.sources or runs_script_of_words(unit):
        return False
    return "$" in refusal.span.text


def _unset_variables(deployment: Deployment) -> Iterator[Hit]:
    """Settings that are None where a unit, whose whole environment is known, starts gunicorn."""
    environment = deployment.launch.command.environment if deployment.launch else None
    config = deployment.config
    if not isinstance(environment, UnitEnvironment) or environment.unread or config is None:
        return
    if not set(_IMPORTED.findall(config.source.text)) <= sys.stdlib_module_names:
        return
    for name, setting in deployment.settings.items():
        value, info = setting.value, deployment.catalogue.settings[name]
        if not isinstance(value, Unknown) or value.variable is None or setting.span is None:
            continue
        refused = validated(info, Known(None))
        if isinstance(refused, Refused) and value.variable not in environment:
            values = {"setting": name, "variable": value.variable, "reason": refused.reason}
            yield Hit(setting.span, values, (), "unset", (f"{value.variable} is unset",))


def web_concurrency_invalid(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """`WEB_CONCURRENCY` isn't a whole number, which gunicorn can't even be imported with."""
    for refusal in filter(_is_web_concurrency, deployment.refusals):
        assert refusal.value is not None
        value = refusal.value.value
        variant = None if value else "empty"
        yield Hit(refusal.span, {"value": value}, variant=variant, assumes=refusal.assumes)


def _is_web_concurrency(refusal: Refusal) -> bool:
    return refusal.setting == "workers" and refusal.origin == "environment"


def accidental_setting(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """An import, function or helper whose name happens to be a setting's.

    Variants: "module", "variable" and the rule's own message for functions and classes.
    """
    for refusal in deployment.refusals:
        if not _is_accidental(refusal):
            continue
        assert refusal.value is not None
        variant = "module" if isinstance(refusal.value.value, Module) else None
        if isinstance(refusal.value.value, dict | set):
            variant = "variable"
        values = {"setting": refusal.setting, "reason": refusal.reason}
        yield Hit(refusal.span, values, (), variant, refusal.assumes)


def _is_accidental(refusal: Refusal) -> bool:
    """Whether what is refused is no value at all; a hook of the wrong arity is meant as one.

    No setting that refuses a dictionary or a set can have been meant by one.
    """
    value = refusal.value.value if refusal.value else None
    is_hook = isinstance(value, Function) and "parameters" in refusal.reason
    return isinstance(value, Function | Module | dict | set) and not is_hook


def without_effect(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A written setting, not at its default, that nothing comes of.

    The worker class ignores it (variant "hook" for a function, which it never calls), or (variant
    "switch") what `needs` maps it to is off.
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
            variant = "hook" if info.kind == "hook" else None
            yield Hit(setting.span, {**values, "worker": worker.name}, related, variant, assumes)
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
    lines = [line for line in (launch.line, launch.extra) if line] if launch else []
    for line in lines:
        yield from _replaced(line.options)


def _replaced(options: Sequence[OptionUse]) -> Iterator[Hit]:
    last: dict[str, OptionUse] = {}
    for use in reversed(options):
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
            if earlier.span.source != binding.span.source:
                continue  # what an imported file sets is there to be replaced
            if earlier.kind == "assignment" and _differ(earlier.value, binding.value):
                values = {
                    "setting": name,
                    "value": describe(earlier.value),
                    "winner": describe(binding.value),
                }
                yield Hit(earlier.span, values, (("winner", binding.span),))


def truth_of_variable(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A boolean setting made from whether a variable's text is empty: "false" isn't.

    Variants: "set" (the deployment sets it to one of `no`, the texts that mean no) and "default"
    (so does the code itself). A variable whose name's last word is in `presence` has no such text.
    """
    bindings = deployment.config.namespace.bindings if deployment.config else {}
    negative = parameters["no"]
    for name, binding in bindings.items():
        info, setting = deployment.catalogue.settings.get(name), deployment.settings.get(name)
        if info is None or info.kind != "bool" or setting is None or setting.span != binding.span:
            continue
        for truth in binding.truths:
            if truth.variable.rpartition("_")[2] in parameters["presence"]:
                continue
            values = {"setting": name, "variable": truth.variable}
            cases = {"set": truth.given, "default": truth.default}
            said = {case: _text(value) for case, value in cases.items()}
            case = next((case for case, text in said.items() if text.lower() in negative), None)
            related = tuple(("set", span) for span in _via(truth.given)) if case == "set" else ()
            yield Hit(truth.span, {**values, "text": said.get(case or "")}, related, case)


def _text(value: Value | None) -> str:
    """A known text; empty for all else."""
    return value.value if isinstance(value, Known) and isinstance(value.value, str) else ""


def _via(value: Value | None) -> tuple[Span, ...]:
    return value.via[:1] if isinstance(value, Known) else ()


def unexpanded_variable(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A `$NAME` in a setting's text, which gunicorn takes literally.

    Variant "quotes": the whole text is in quotes that a shell has kept, as in `"${X:-'info'}"`.
    What systemd leaves unexpanded in a unit has a rule of its own.
    """
    unit = gunicorn_unit(deployment)
    by_systemd = unit.sources if unit is not None and not runs_script_of_words(unit) else ()
    for name in parameters["settings"]:
        setting = deployment.settings.get(name)
        if setting is None or setting.span is None or setting.span.source in by_systemd:
            continue
        texts = setting.known if isinstance(setting.known, list) else [setting.known]
        for text in texts:
            found = _VARIABLE.search(text) if isinstance(text, str) else None
            if found is not None:
                values = {"setting": name, "value": text, "variable": found[0]}
                yield Hit(setting.span, values, assumes=assumptions(setting))
            elif isinstance(text, str) and name != "bind" and _QUOTED.fullmatch(text):
                values = {"setting": name, "value": text, "bare": text[1:-1]}
                yield Hit(setting.span, values, (), "quotes", assumptions(setting))


def unknown_setting(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A name of a config file that is meant as a setting, and isn't one.

    Variants: "spelling" (the option's name), "twice" (the same, and the file sets the setting too),
    "newer", "case" (upper case), and the rule's own message for a slip of the keyboard. A name that
    an earlier gunicorn had is the matter of `removed_setting`.
    """
    catalogue = deployment.catalogue
    for name, binding in _meant_as_settings(deployment):
        found = _meant(name, binding, catalogue)
        if found is None:
            continue
        variant, meant = found
        assert deployment.config is not None
        if meant in deployment.config.namespace.bindings and variant != "newer":
            if variant != "spelling":
                continue
            variant = "twice"
        values: dict[str, object] = {"name": name, "meant": meant, "version": catalogue.version}
        if variant == "newer":
            values["bound"] = catalogue.others[name].since
        yield Hit(binding.target, values, variant=variant)


def _meant_as_settings(deployment: Deployment) -> Iterator[tuple[str, Binding]]:
    """The names that the config file itself binds, that are no settings and that it never reads."""
    config = deployment.config
    for name, binding in config.namespace.bindings.items() if config else ():
        if name in deployment.catalogue.settings or name.startswith("_"):
            continue
        if config is None or name in config.namespace.used:
            continue
        if binding.target.source.path != config.source.path:
            continue
        if binding.kind in ("assignment", "augmented", "function"):
            yield name, binding


def _meant(name: str, binding: Binding, catalogue: Catalogue) -> tuple[str | None, str] | None:
    """The variant and the setting that `name` stands for; None for a former one too."""
    is_value = binding.kind != "function"
    other = catalogue.others.get(name)
    if other is not None and (is_value or other.kind == "hook"):
        return ("newer", name) if other.is_newer(catalogue.version) else None
    if name in catalogue.spellings and is_value:
        return "spelling", catalogue.spellings[name]
    if name.lower() in catalogue.settings and is_value:
        return "case", name.lower()
    names = {**{setting: setting for setting in catalogue.settings}, **catalogue.spellings}
    allowed = 1 if len(name) < 8 else 2
    for close, setting in names.items():
        info = catalogue.settings.get(setting)
        if info is None or (info.kind == "hook") is is_value or name[0] != close[0]:
            continue
        if _distance(name, close, allowed) > allowed:
            continue
        if not isinstance(validated(info, binding.value), Refused):
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
                if _differ(weaker.value, setting.value) and not _has_its_port(weaker, setting):
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


def _has_its_port(weaker: Setting, stronger: Setting) -> bool:
    """Whether `PORT`, from which the weaker `bind` comes, is a port of the stronger one."""
    if weaker.name != "bind" or weaker.origin != "environment":
        return False
    ports = {address.rpartition(":")[2] for address in addresses(stronger)}
    return not ports.isdisjoint(address.rpartition(":")[2] for address in addresses(weaker))


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
