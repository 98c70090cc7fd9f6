"""Checks of the comments that suppress findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gunilint.checks import Hit, Parameters
from gunilint.suppress import Judged, Key

_LONGEST = 60
"""The characters of a key that are shown."""


def unknown_rule(judged: Judged, parameters: Parameters) -> Iterator[Hit]:
    """A key that names no rule, or a comment that isn't formed as a suppression."""
    if judged.suppression.fault is not None:
        values = {"key": "", "hint": ""}
        yield Hit(judged.suppression.span, values, variant=judged.suppression.fault)
    for key, hint in judged.unknown:
        values = {"key": key.text[:_LONGEST], "hint": hint}
        yield Hit(key.span, values, deletes=judged.suppression.without([key]))


def without_reason(judged: Judged, parameters: Parameters) -> Iterator[Hit]:
    """A suppression behind whose keys nothing stands."""
    if judged.suppression.keys and not judged.suppression.reason:
        yield Hit(judged.suppression.span, {"keys": _listed(judged.suppression.keys)})


def unused(judged: Judged, parameters: Parameters) -> Iterator[Hit]:
    """A suppression with keys that suppress nothing (variant "keys": and others that do).

    The variant "repeated" is a key that the comment has named before.
    """
    suppression = judged.suppression
    if judged.unused:
        is_whole = len(judged.unused) == len(suppression.keys)
        yield Hit(
            suppression.span if is_whole else judged.unused[0].span,
            {"keys": _listed(judged.unused)},
            variant=None if is_whole else "keys",
            deletes=suppression.without(judged.unused),
        )
    if judged.repeated:
        yield Hit(
            judged.repeated[0].span,
            {"keys": _listed(judged.repeated)},
            variant="repeated",
            deletes=suppression.without(judged.repeated),
        )


def _listed(keys: Sequence[Key]) -> str:
    names = [f"`{key.text[:_LONGEST]}`" for key in keys]
    return " and ".join([*([", ".join(names[:-1])] if names[1:] else []), names[-1]])
