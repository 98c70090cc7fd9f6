"""What the oracles compared, for the end of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator


class Tally:
    """Counts by subject and name; "known" is shown as a share of "settings" or "words"."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    def add(self, subject: str, name: str, number: int = 1) -> None:
        """Count something of a subject: `add("bash", "scripts")`."""
        self.counts[subject, name] += number

    def lines(self) -> Iterator[str]:
        """One line a subject."""
        subjects: dict[str, dict[str, int]] = {}
        for (subject, name), count in sorted(self.counts.items()):
            subjects.setdefault(subject, {})[name] = count
        for subject, counts in subjects.items():
            yield f"{subject}: " + ", ".join(_shown(name, counts) for name in counts)


def _shown(name: str, counts: dict[str, int]) -> str:
    whole = counts.get(name.removesuffix(" known"))
    share = f" ({counts[name] / whole:.1%})" if name.endswith(" known") and whole else ""
    return f"{counts[name]:,} {name}{share}"


TALLY = Tally()
