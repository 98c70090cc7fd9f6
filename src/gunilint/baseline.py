"""The baseline: a file of known findings, which don't count, so that only new ones do.

It is sorted and has a line for each entry, to be read in a review. An entry is known by its
fingerprint alone: moved lines and another formatting don't matter.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from gunilint.config import ConfigError
from gunilint.deployment import Project
from gunilint.disk import Disk
from gunilint.errors import shown
from gunilint.findings import Finding
from gunilint.policy import Policy
from gunilint.source import Source

VERSION = 1

SIZE_LIMIT = 32 * 1024 * 1024
"""Larger files, in bytes, are no baselines."""

_LONGEST = 100
"""The characters of a finding's subject that an entry shows."""


class Entry(Struct, frozen=True):
    """So many findings of one rule about one text of one file; `path` is from the repository."""

    code: str
    path: str
    text: str
    fingerprint: str
    count: int


class Baseline:
    """The entries of one file, and what a run makes of them."""

    def __init__(self, path: Path, entries: Iterable[Entry] = ()) -> None:
        self.path = path
        self._known: dict[str, Entry] = {}
        for entry in entries:
            self._add(self._known, entry)
        self._new: dict[str, Entry] = {}
        self._met: Counter[str] = Counter()
        self._decided: set[str] = set()

    @staticmethod
    def _add(entries: dict[str, Entry], entry: Entry) -> None:
        count = entries[entry.fingerprint].count if entry.fingerprint in entries else 0
        entries[entry.fingerprint] = replace(entry, count=count + entry.count)

    def split(
        self, findings: Sequence[Finding], uri: Callable[[Source], str]
    ) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
        """The findings that are new, and those that are known. Of equal ones the last are new."""
        if not self._known:
            return tuple(findings), ()
        from gunilint.fingerprint import fingerprint

        new, known = [], []
        for finding in findings:
            key = fingerprint(finding, uri)
            if key in self._known and self._met[key] < self._known[key].count:
                self._met[key] += 1
                known.append(finding)
            else:
                new.append(finding)
        return tuple(new), tuple(known)

    def decide(
        self, project: Project, codes: Collection[str], uri: Callable[[Source], str]
    ) -> None:
        """Take what isn't met for fixed, in the files of a project that were read or are gone.

        That holds for the rules with `codes`, and only if the project was seen as a whole.
        """
        root = uri(Source("", "", str(project.tree.root)))
        start = "" if root == "." else f"{root}/"
        read = {source.path for source in project.tree.texts()}
        for entry in self._known.values():
            path = entry.path.removeprefix(start)
            is_inside = entry.path.startswith(start) and not path.startswith("../")
            is_sure = path in read or not project.tree.is_file(path)
            if is_inside and entry.code in codes and is_sure and project.complete:
                self._decided.add(entry.fingerprint)

    @property
    def fixed(self) -> int:
        """How many known findings are gone."""
        return sum(
            entry.count - self._met[key]
            for key, entry in self._known.items()
            if key in self._decided
        )

    def record(self, findings: Iterable[Finding], uri: Callable[[Source], str]) -> None:
        """Make findings known from the next run on."""
        from gunilint.fingerprint import fingerprint, subject

        for finding in findings:
            span = finding.primary.span
            text = subject(span)
            shown = text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
            key = fingerprint(finding, uri)
            self._add(self._new, Entry(finding.rule.code, uri(span.source), shown, key, 1))

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What the file is to hold: what is known and not fixed, and what was recorded."""
        kept: dict[str, Entry] = dict(self._new)
        for key, entry in self._known.items():
            count = self._met[key] if key in self._decided else entry.count
            if count:
                self._add(kept, replace(entry, count=count))
        return tuple(sorted(kept.values(), key=lambda e: (e.path, e.code, e.text, e.fingerprint)))

    def write(self) -> int:
        """Write the file, whole or not at all; how many findings are in it. Raises `ConfigError`.

        A file that isn't a baseline never gets here: `load` refuses it.
        """
        try:
            from gunilint import atomic

            atomic.write(self.path, _rendered(self.entries).encode("ascii"))
        except OSError as error:
            reason = error.strerror or "it can't be written"
            raise ConfigError(f"{shown(self.path)} can't be written: {reason}") from error
        return sum(entry.count for entry in self.entries)


class Baselines:
    """The baselines that the policies of a run name, each read once."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._files: dict[Path, Baseline] = {}

    @property
    def files(self) -> tuple[Baseline, ...]:
        """All of them, in the order in which they were asked for."""
        return tuple(self._files.values())

    def of(self, policy: Policy) -> Baseline:
        """The baseline of a policy; one without entries where it has none. Raises `ConfigError`."""
        path = policy.baseline
        if path is None:
            return Baseline(Path())
        if path not in self._files:
            self._files[path] = load(path, self._disk, may_be_missing=policy.rewrites)
        return self._files[path]


def load(path: Path, disk: Disk | None = None, *, may_be_missing: bool = False) -> Baseline:
    """The baseline in a file. Raises `ConfigError`."""
    try:
        data, size = (disk or Disk()).read(os.path.abspath(path), SIZE_LIMIT)  # noqa: PTH100
        if size > SIZE_LIMIT:
            raise ValueError(f"it has more than {SIZE_LIMIT:,} bytes")
        return Baseline(path, _entries(json.loads(data)))
    except FileNotFoundError:
        if may_be_missing:
            return Baseline(path)
        raise ConfigError(
            f"there is no baseline {shown(path)}; `--write-baseline` makes one"
        ) from None
    except OSError as error:
        raise ConfigError(f"the baseline {shown(path)} can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{shown(path)} isn't a baseline that gunilint wrote: {error}") from error


def _entries(document: Any) -> list[Entry]:
    if not isinstance(document, dict) or not isinstance(document.get("findings"), list):
        raise ValueError("it has no list of findings")
    if document.get("version") != VERSION:
        raise ValueError(f"its version isn't {VERSION}")
    return [_entry(item, number) for number, item in enumerate(document["findings"], 1)]


def _entry(item: Any, number: int) -> Entry:
    texts = ("code", "path", "text", "fingerprint")
    if not isinstance(item, dict) or not all(isinstance(item.get(name), str) for name in texts):
        raise ValueError(f"its entry {number} lacks one of {', '.join(texts)}")
    count = item.get("count")
    if type(count) is not int or count < 1:
        raise ValueError(f"the count of its entry {number} isn't a whole number above zero")
    return Entry(item["code"], item["path"], item["text"], item["fingerprint"], count)


def _rendered(entries: Iterable[Entry]) -> str:
    lines = [
        json.dumps(
            {
                "code": entry.code,
                "path": entry.path,
                "text": entry.text,
                "fingerprint": entry.fingerprint,
                "count": entry.count,
            }
        )
        for entry in entries
    ]
    listed = "[\n    " + ",\n    ".join(lines) + "\n  ]" if lines else "[]"
    return f'{{\n  "version": {VERSION},\n  "findings": {listed}\n}}\n'
