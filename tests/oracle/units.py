"""What systemd itself makes of units and time spans, asked of `systemd-analyze`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROGRAM = shutil.which("systemd-analyze")
VERSION = "252"
"""The systemd that the catalogue of directives speaks of."""


def installed() -> str | None:
    """The version of systemd that is at hand; None where there is none."""
    if PROGRAM is None:
        return None
    run = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=False)
    match = re.match(r"systemd (\d+)", run.stdout)
    return match[1] if match else None


_LINE = re.compile(r"(?P<path>[^:]+):(?P<line>\d+): (?P<what>.*)")
_OF_UNIT = re.compile(r"(?P<path>[^: ]+\.\w+): (?P<what>.*)")
_NOT_LOADED = re.compile(
    r"Unit (?P<path>\S+) (?:has a bad unit file setting|failed to load properly|is masked)"
)
_NOT_ABOUT_THE_TEXT = re.compile(
    r"Command .* is not executable|Failed to create .*: Unit .* not found|"
    r"Unit configuration has fatal error|Accepting user/group name|Failed to open .*/mount"
)
"""What depends on the machine that the unit is verified on, or repeats another message."""
_REMARK = re.compile(
    r"Ignoring unknown escape sequences|Unit uses (?:KillMode=none|\w+=; please)|"
    r"Special user \w+ configured|Standard output type \w+ is obsolete|.* is deprecated|"
    r".*below legacy directory|.*obsolete, updating"
)
"""What accompanies a directive that counts all the same."""


@dataclass(frozen=True, slots=True)
class Message:
    """One complaint of systemd: the 1-based line it is about, None for the unit as a whole."""

    line: int | None
    what: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What systemd makes of one unit: whether it loads, and what it complains of."""

    loads: bool
    messages: tuple[Message, ...]

    @property
    def lines(self) -> set[int]:
        """The lines that are ignored, or for which the unit is refused."""
        return {message.line for message in self.messages if message.line is not None}


def read_messages(output: str, names: Sequence[str]) -> dict[str, Verdict]:
    """The verdict on each of the named units, from what `systemd-analyze verify` prints."""
    messages: dict[str, list[Message]] = {name: [] for name in names}
    refused: set[str] = set()
    for text in output.splitlines():
        if match := _NOT_LOADED.match(text):
            refused.add(Path(match["path"]).name)
            continue
        match = _LINE.fullmatch(text) or _OF_UNIT.fullmatch(text)
        # the rest of a message with a line break in it, or about a unit of the machine
        if match is None or Path(match["path"]).name not in messages:
            continue
        if _NOT_ABOUT_THE_TEXT.match(match["what"]) or _REMARK.match(match["what"]):
            continue
        line = match.groupdict().get("line")
        message = Message(int(line) if line else None, match["what"])
        messages[Path(match["path"]).name].append(message)
    return {name: Verdict(name not in refused, tuple(messages[name])) for name in names}


def verify(folder: Path, units: Mapping[str, str]) -> dict[str, Verdict]:
    """The verdict on each unit, given as name → text; all are verified in one call."""
    assert PROGRAM is not None
    for name, text in units.items():
        (folder / name).write_bytes(text.encode())
    command = [PROGRAM, "verify", "--man=no", "--generators=no"]
    run = subprocess.run(
        [*command, *(str(folder / name) for name in units)],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{folder}:", "SYSTEMD_LOG_LEVEL": "warning"},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=60,
        check=False,
    )
    return read_messages(run.stderr, list(units))


def timespans(texts: Sequence[str]) -> list[int | None]:
    """Each text as systemd reads it, in microseconds; None for one that it refuses."""
    assert PROGRAM is not None
    found: list[int | None] = []
    rest = list(texts)
    while rest:
        run = subprocess.run(
            [PROGRAM, "timespan", "--", *rest], capture_output=True, text=True, check=False
        )
        read = [int(number) for number in re.findall(r"^ +μs: (\d+)$", run.stdout, re.MULTILINE)]
        # it ends at the first one that it refuses
        found.extend(read)
        rest = rest[len(read) :]
        if rest:
            assert run.returncode, run.stdout
            found.append(None)
            rest = rest[1:]
    return found
