"""Commands that signal a process or a unit: `kill`, `pkill`, `systemctl kill`."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from msgspec import Struct

from gunilint.parse.systemd import PREFIXES
from gunilint.regex import regex
from gunilint.source import Span

_NUMBERS = {
    "1": "HUP",
    "2": "INT",
    "3": "QUIT",
    "9": "KILL",
    "10": "USR1",
    "12": "USR2",
    "15": "TERM",
}
_SENDERS = frozenset({"kill", "pkill", "killall"})

_OPTION = regex(r"(?:-s|-n|--signal=|-)(?:SIG)?([A-Z][A-Z0-9]*|\d+)$")
_SIGNAL = regex(r"(?:SIG)?([A-Z][A-Z0-9]*|\d+)$")
_PID_FILE = regex(r"(?:\bcat\b|<)\s*[\"']?([^\s\"'`)|;&]+)")


class Signal(Struct, frozen=True):
    """A command that sends a signal.

    `name` is the signal without SIG, `targets` what the command line says of its receivers, each
    as its value or its text. `to_unit` tells that systemd delivers it to the units named.
    """

    span: Span
    name: str
    targets: tuple[str, ...]
    to_unit: bool = False

    @property
    def pid_files(self) -> tuple[str, ...]:
        """The files that the receivers' pids are read from, where they are written out."""
        found = (match[1] for text in self.targets for match in _PID_FILE.finditer(text))
        return tuple(path for path in dict.fromkeys(found) if "$" not in path)

    def names(self, unit: str) -> bool:
        """Whether it names a unit, or an instance of it, in any spelling."""
        stem = re.escape(unit.removesuffix(".service"))
        end = r"[\w.:\\-]*" if stem.endswith("@") else ""
        named = re.compile(rf"(?<![\w@./-]){stem}{end}(\.service)?(?![\w@/-])")
        told = self.to_unit or any("systemctl" in text for text in self.targets)
        return told and any(named.search(text) for text in self.targets)


def sent(words: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    """The signal that a `kill` command line sends, and its operands; None if it's another."""
    if not words or posixpath.basename(words[0].lstrip(PREFIXES)) not in _SENDERS:
        return None
    return _signal(words[1:])


def sent_to_unit(words: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    """The signal that `systemctl … kill …` sends, and the units; None if it's another."""
    if not words or posixpath.basename(words[0].lstrip(PREFIXES)) != "systemctl":
        return None
    rest = [word for word in words[1:] if word not in ("--user", "--system", "--no-block")]
    if "kill" not in rest:
        return None
    rest.remove("kill")
    return _signal(rest)


def _signal(words: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The signal among the arguments, TERM if they name none, and the operands."""
    name, operands = "TERM", []
    index = 0
    while index < len(words):
        word = words[index]
        if word in ("-s", "-n", "--signal"):
            index += 1
            given = _SIGNAL.match(words[index]) if index < len(words) else None
            name = given[1] if given else name
        elif given := _OPTION.match(word):
            name = given[1]
        elif not word.startswith("-"):
            operands.append(word)
        index += 1
    return _NUMBERS.get(name, name), tuple(operands)
