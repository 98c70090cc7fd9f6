"""The versions of gunicorn: which there are, and how they compare."""

from __future__ import annotations

from functools import lru_cache

from gunilint.data import document


@lru_cache(maxsize=1)
def releases() -> tuple[str, ...]:
    """The gunicorn versions that the catalogue was made from, oldest first."""
    return tuple(document("catalogue/settings.json")["releases"])


def latest() -> str:
    """The newest gunicorn that the catalogue knows."""
    return releases()[-1]


@lru_cache(maxsize=1024)
def version_key(version: str) -> tuple[int, ...]:
    """What orders versions such as "25.0.2"; what isn't a number ends it."""
    numbers: list[int] = []
    for part in version.split("."):
        if not (part.isascii() and part.isdigit()):
            break
        numbers.append(int(part))
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


@lru_cache(maxsize=1024)
def satisfies(version: str, bounds: str) -> bool:
    """Whether a version lies within bounds such as ">=19.9" or ">=24, <26"."""
    key = version_key(version)
    for bound in bounds.split(","):
        limit = version_key(bound.strip(" <>="))
        if (key < limit) if ">=" in bound else (key >= limit):
            return False
    return True
