"""The checks that any rule can use, a team's own too: what they take, and what they tell."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from string import Formatter
from typing import Any

from msgspec import Struct

from gunilint.catalogue import catalogue
from gunilint.catalogue.directives import known_sections
from gunilint.catalogue.workers import WORKER_PACKAGES, workers
from gunilint.kinds import (
    FLAG,
    LIST,
    MAPPING,
    STRING,
    STRINGS,
    TEXTS,
    YES,
    Kind,
    MisfitError,
    instead,
    named,
    one_of,
    some,
)
from gunilint.rules import Rule
from gunilint.versions import latest


class Names(Struct, frozen=True):
    """What the names in a parameter have to be among, and how the error about another begins.

    `known` gets all parameters of the rule.
    """

    known: Callable[[Mapping[str, Any]], Iterable[str]]
    unknown: str


class Parameter(Struct, frozen=True):
    """A parameter of a shared check, in words for the documentation.

    `fields` fill a rule's texts because of it.
    """

    kind: Kind
    about: str
    fields: tuple[str, ...] = ()
    names: Names | None = None


class Shared(Struct, frozen=True):
    """A shared check. Of each group in `needs` exactly one parameter has to be there.

    `fields` fill a rule's texts in any case, `labels` are the related places that it names.
    """

    about: str
    needs: tuple[tuple[str, ...], ...]
    parameters: Mapping[str, Parameter]
    fields: Mapping[str, str]
    labels: Mapping[str, str]


def _are_versions(value: Any) -> bool:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return TEXTS.holds(value) and all(map(SpecifierSet, value.values()))
    except InvalidSpecifier:
        return False


_LIMIT = Kind(
    "a number, or the name of a setting that has one",
    lambda value: isinstance(value, int | float | str) and not isinstance(value, bool),
)
_WHOLE = Kind(
    "a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)
)

_SETTINGS = Names(lambda _: [*catalogue().settings, *catalogue().others], "gunicorn has no setting")
_DIRECTIVES = Names(
    lambda parameters: known_sections()[parameters.get("section", "Service")],
    "there is no directive",
)
_WORKERS = Names(lambda _: workers(latest()), "there is no kind of worker")
_PACKAGES = Names(lambda _: WORKER_PACKAGES, "no worker comes with a package")

_VERSION = Kind(
    'a string with a version, such as "23.0.0"',
    lambda value: isinstance(value, str) and all(map(str.isdecimal, value.split("."))),
)
_VERSIONS = Kind('a mapping from packages to versions such as ">=0.30"', _are_versions)

MATCHERS: Mapping[str, Parameter] = {
    "values": Parameter(some(LIST), "it is one of these; a default counts as well"),
    "above": Parameter(_LIMIT, "it is above this number, or above the value of this setting"),
    "below": Parameter(_LIMIT, "it is below; with `above` it lies between the two"),
    "includes": Parameter(some(LIST), "it is a list that has one of these in it", ("item",)),
    "prefix": Parameter(STRING, "it, or an item of it, begins with this", ("rest",)),
    "not-prefix": Parameter(STRING, "it, or an item of it, doesn't begin with this", ("item",)),
    "bits": Parameter(_WHOLE, "it is a number with one of these bits set", ("mode",)),
}
"""What a setting can be compared with: one of these, or `above` and `below` together."""

_MATCHED = {name for parameter in MATCHERS.values() for name in parameter.fields}

_CONDITIONS: Mapping[str, Parameter] = {
    "given": Parameter(
        some(MAPPING), "only where these settings match too: a mapping from names to matchers",
        names=_SETTINGS,
    ),
    "workers": Parameter(some(STRINGS), "only with these kinds of workers", names=_WORKERS),
    "packages": Parameter(
        _VERSIONS, 'only where the project may have such a version, as in `{uvicorn: ">=0.30"}`',
        names=_PACKAGES,
    ),
    "production": Parameter(FLAG, "not in files for development or tests"),
}  # fmt: skip

_SECTION = Parameter(one_of(known_sections()), "the section of the unit, if it isn't `Service`")

OF_CASE: Mapping[str, Parameter] = {
    "given": _CONDITIONS["given"],
    "variant": Parameter(STRING, "what the rule then says: one of its `variants`"),
    "before": Parameter(_VERSION, "only with a gunicorn before this version"),
}
"""What a matcher in `settings` may have beside what it compares with."""

SHARED: Mapping[str, Shared] = {
    "setting-is": Shared(
        about="The value that a setting really has matches, whichever source it comes from.",
        needs=(("setting", "settings"),),
        parameters={
            "setting": Parameter(STRING, "the setting, with a matcher beside it", names=_SETTINGS),
            "settings": Parameter(
                some(MAPPING), "several: a mapping from names to matchers", names=_SETTINGS
            ),
            **MATCHERS,
            "written": Parameter(FLAG, "not where it is at its default"),
            **_CONDITIONS,
        },
        fields={
            "setting": "the setting's name",
            "value": "its value",
            "item": "the item of it that matches (`includes`) or doesn't (`not-prefix`)",
            "rest": "what follows the `prefix`",
            "mode": "the number in octal digits (`bits`)",
        },
        labels={
            "given": "where a setting of `given` is written",
            "than": "where the setting that it is compared with is written",
        },
    ),
    "directive-is": Shared(
        about="A directive of the unit that starts gunicorn is set, and its value matches.",
        needs=(("directive",), ("values", "lasting", "not")),
        parameters={
            "directive": Parameter(STRING, "the directive, without `=`", names=_DIRECTIVES),
            "values": Parameter(some(STRINGS), "it is one of these, in any case"),
            "not": Parameter(STRINGS, "it is none of these; with `[]` it is set at all"),
            "lasting": Parameter(YES, "it is a time span above zero"),
            "newer": Parameter(YES, "it may be one that only a newer systemd takes"),
            "section": _SECTION,
            **_CONDITIONS,
        },
        fields={"unit": "the unit's name", "value": "the directive's value"},
        labels={"given": "where a setting of `given` is written"},
    ),
    "directive-missing": Shared(
        about="The unit that starts gunicorn has none of some directives.",
        needs=(("directives",),),
        parameters={
            "directives": Parameter(
                some(STRINGS), "the directives, without `=`", names=_DIRECTIVES
            ),
            "section": _SECTION,
            **_CONDITIONS,
        },
        fields={"unit": "the unit's name"},
        labels={"given": "where a setting of `given` is written"},
    ),
}  # fmt: skip


def check_use(rule: Rule) -> None:
    """Raise `MisfitError` where a rule doesn't use a shared check as it is meant."""
    shared = SHARED.get(rule.check)
    if shared is None:
        reason = f"there is no shared check `{rule.check}`" + instead(rule.check, SHARED)
        raise MisfitError(("check",), reason)
    _check_parameters(rule, shared)
    given = rule.parameters.get("given", {})
    _check_given(given, "with", "given")
    labels = {"given"} if given else set()
    fields = {*shared.fields, *given} - _MATCHED
    cases = list(_cases(rule))
    for case in cases:
        _check_case(case)
    for case in cases or [_Case(("with",), {})]:
        own = case.matcher.get("given", {})
        labels |= {"given"} if own else set()
        labels |= {"than"} if compared(case.matcher) else set()
        _check_texts(rule, case, {*fields, *own, *compared(case.matcher), *_fields(case.matcher)})
    _check_variants(rule, cases)
    _check_labels(rule, shared, sorted(labels))


class _Case(Struct, frozen=True):
    """A matcher of `setting-is` with the keys that lead to it; an empty one for other checks."""

    path: tuple[str, ...]
    matcher: Mapping[str, Any]

    @property
    def variant(self) -> str | None:
        return self.matcher.get("variant")


def compared(matcher: Mapping[str, Any]) -> list[str]:
    """The settings that a matcher compares with."""
    limits = (matcher.get("above"), matcher.get("below"))
    return [name for name in limits if isinstance(name, str)]


def _check_parameters(rule: Rule, shared: Shared) -> None:
    known = shared.parameters
    for name, value in rule.parameters.items():
        if name not in known:
            raise MisfitError(
                ("with", name), f"{rule.check} takes no `{name}`" + instead(name, known)
            )
        known[name].kind.check(value, "with", name)
    for group in shared.needs:
        if sum(name in rule.parameters for name in group) != 1:
            one = "one of " if len(group) > 1 else ""
            raise MisfitError(("with",), f"{rule.check} needs {one}{', '.join(group)} under `with`")
    for name, value in rule.parameters.items():
        _check_names(known[name].names, value, rule.parameters, "with", name)


def _check_names(
    names: Names | None, value: Any, parameters: Mapping[str, Any], *path: str
) -> None:
    if names is None:
        return
    known = list(names.known(parameters))
    for name in [value] if isinstance(value, str) else value:
        if name not in known:
            place = (*path, name) if isinstance(value, dict) else path
            raise MisfitError(place, f"{names.unknown} `{name}`" + instead(name, known))


def _cases(rule: Rule) -> Iterator[_Case]:
    parameters = rule.parameters
    if "setting" in parameters:
        yield _Case(("with",), {key: parameters[key] for key in MATCHERS if key in parameters})
    for name, matchers in parameters.get("settings", {}).items():
        path = ("with", "settings", name)
        if isinstance(matchers, list) and matchers:
            for number, matcher in enumerate(matchers, 1):
                yield _Case((*path, str(number)), matcher)
        else:
            yield _Case(path, matchers)


def _check_case(case: _Case) -> None:
    if isinstance(case.matcher, dict):
        plain = {key: each for key, each in case.matcher.items() if key not in OF_CASE}
        for key in case.matcher.keys() & OF_CASE.keys():
            OF_CASE[key].kind.check(case.matcher[key], *case.path, key)
        _check_matcher(plain, *case.path)
        _check_given(case.matcher.get("given", {}), *case.path, "given")
    else:
        _check_matcher(case.matcher, *case.path)


def _check_given(given: Mapping[str, Any], *path: str) -> None:
    _check_names(_SETTINGS, given, {}, *path)
    for name, matcher in given.items():
        _check_matcher(matcher, *path, name)


def _check_matcher(matcher: Any, *path: str) -> None:
    if not isinstance(matcher, dict) or not matcher:
        raise MisfitError(path, f"{named(path)} needs a matcher: one of {', '.join(MATCHERS)}")
    for key, value in matcher.items():
        if key not in MATCHERS:
            reason = f"there is no matcher `{key}`" + instead(key, MATCHERS)
            raise MisfitError((*path, str(key)), reason)
        MATCHERS[key].kind.check(value, *path, key)
    others = set(matcher) - {"values"}
    if len(others) > 1 and others != {"above", "below"}:
        reason = f"{named(path)} has {' and '.join(matcher)}"
        raise MisfitError(path, f"{reason}, but beside values only above and below go together")
    for name in compared(matcher):
        _check_names(_SETTINGS, name, {}, *path)


def _fields(matcher: Mapping[str, Any]) -> set[str]:
    """What fills a rule's texts in any case when a matcher matches."""
    filled = [set(MATCHERS[key].fields) for key in matcher if key in MATCHERS]
    return set.intersection(*filled) if filled else set()


def _check_texts(rule: Rule, case: _Case, fields: Collection[str]) -> None:
    """That the texts of a case have no field that nothing fills."""
    said = rule.case(case.variant)
    where = ("variants", case.variant) if case.variant in rule.variants else ()
    texts: dict[tuple[str, ...], str]
    texts = {(*where, key): getattr(said, key) for key in ("message", "label", "help")}
    texts |= {("labels", name): text for name, text in rule.labels.items()}
    for path, text in texts.items():
        for _, name, _, _ in Formatter().parse(text):
            if name is not None and name not in fields:
                reason = f"{named(path)} has {{{name}}}, which nothing fills"
                raise MisfitError(path, reason + instead(name, sorted(fields)))


def _check_variants(rule: Rule, cases: Iterable[_Case]) -> None:
    used = {case.variant: case.path for case in cases if case.variant is not None}
    for name, path in used.items():
        if name not in rule.variants:
            reason = f"there is no variant `{name}`" + instead(name, rule.variants)
            raise MisfitError((*path, "variant"), reason)
    for name in rule.variants:
        if name not in used:
            raise MisfitError(
                ("variants", name), f"nothing has `variant: {name}`, so it is never said"
            )


def _check_labels(rule: Rule, shared: Shared, needed: Iterable[str]) -> None:
    for name in rule.labels:
        if name not in shared.labels:
            reason = f"{rule.check} labels nothing as `{name}`" + instead(name, shared.labels)
            raise MisfitError(("labels", name), reason)
    for name in needed:
        if name not in rule.labels:
            raise MisfitError(("labels",), f"it needs `labels.{name}`, for {shared.labels[name]}")
