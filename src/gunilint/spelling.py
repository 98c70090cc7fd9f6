"""What a misspelt word was meant to be."""

from __future__ import annotations

from collections.abc import Iterable


def closest(word: str, known: Iterable[str], likeness: float) -> str | None:
    """The known word that is spelt most like another; None where none is alike enough.

    `likeness` is between 0 and 1, for the same word.
    """
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(known), 1, likeness)), None)
