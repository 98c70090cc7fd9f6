"""Real shells as the judges of what gunilint says about a script.

Each script runs in a new directory with a fixed environment, and a stub `gunicorn` first in
`PATH` notes its arguments, environment and directory. `disagreements` compares the notes with
what gunilint says: all that it claims must be so, and no call may be missing.
"""

from __future__ import annotations

import itertools
import posixpath
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from gunilint.command import Word
from gunilint.interpret import SCRIPT_DIRECTORY, commands
from gunilint.launch import Program, program
from gunilint.parse.shell import Script, parse
from gunilint.source import Fragment, Source
from gunilint.values import Known, Symbolic, Unknown, Value, possibilities
from tally import TALLY

SCRIPT = "bin/start.sh"
"""Where the script stands in the directory that it is started in."""

FILES = {
    ".env": "PORT=8080\nWORKERS=3\n# a comment\nNAME='my app'\n",
    "env.sh": 'export ENV_W=7\nENV_NAME="my app"\nbind() { gunicorn --bind "$1"; }\n',
    "lib/early.sh": "EARLY=1\nreturn 0\nEARLY=2\n",
    "one.txt": "one\n",
}
"""Files around each script that gunilint sees too."""

HIDDEN = {"secrets.env": "SECRET=1\n", "list.txt": "a b\nc d\n"}
"""Files that only the machine has."""

_BASE = {"LC_ALL": "C.UTF-8", "HOME": "/nonexistent", "EMPTY_BUT_SET": ""}
_UNDER_TEST = {"EMPTY_BUT_SET": Known("")}
"""What gunilint is told of the environment."""

_OWN = frozenset({"_", "PWD", "OLDPWD", "SHLVL", "PATH", *_BASE})
"""Variables that shells set by themselves, and those of every run."""

_STUB = """#!/bin/sh
{{ printf '%s\\0' "$(pwd -P)" "$#" "$@"; /usr/bin/env -0; }} > "{calls}/$$"
echo $$ >> "{calls}/order"
"""
_SECONDS = 5


@dataclass(frozen=True)
class Call:
    """One start of gunicorn, as its stub noted it."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    directory: str


@dataclass(frozen=True)
class Run:
    """What a real shell made of a script, in which (resolved) directory."""

    calls: tuple[Call, ...]
    directory: str
    errors: str


@cache
def find(shell: str) -> str | None:
    """The path of a shell; None for bash without associative arrays (macOS has such a one)."""
    path = shutil.which(shell)
    if path is not None and shell == "bash":
        asked = subprocess.run(
            [path, "-c", "declare -A a; : ${a@Q}"], capture_output=True, check=False
        )
        return path if asked.returncode == 0 else None
    return path


@cache
def _cpus() -> int:
    return int(subprocess.run(["nproc"], capture_output=True, check=True).stdout)


def run(shell: str, text: str) -> Run:
    """Run a script by a real shell and gather its gunicorns, in the order of their starts."""
    program = find(shell)
    assert program is not None
    with tempfile.TemporaryDirectory(prefix="gunilint-") as name:
        top = Path(name).resolve()
        here, stubs, calls = top / "here", top / "stubs", top / "calls"
        for folder in (stubs, calls):
            folder.mkdir()
        for path, content in {**FILES, **HIDDEN, SCRIPT: text}.items():
            (here / path).parent.mkdir(parents=True, exist_ok=True)
            (here / path).write_text(content, encoding="utf-8", newline="")
        for stub, content in {
            "gunicorn": _STUB.format(calls=calls),
            "migrate": "#!/bin/sh\nexit 0\n",
            "refuse": "#!/bin/sh\nexit 3\n",
        }.items():
            (stubs / stub).write_text(content)
            (stubs / stub).chmod(0o755)
        done = subprocess.run(
            [program, SCRIPT], cwd=here, env={"PATH": f"{stubs}:/usr/bin:/bin", **_BASE},
            stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
        order = calls / "order"
        names = order.read_text().split() if order.exists() else []
        found = tuple(_call((calls / each).read_bytes().decode()) for each in names)
    return Run(found, str(here), done.stderr.decode(errors="replace"))


def _call(note: str) -> Call:
    directory, count, *rest = note.split("\0")[:-1]
    environment = dict(text.split("=", 1) for text in rest[int(count) :])
    return Call(tuple(rest[: int(count)]), environment, directory)


def launches(shell: str, text: str) -> list[Program]:
    """The gunicorns that gunilint finds in a script."""

    def source_file(path: str) -> Script | None:
        content = FILES.get(posixpath.normpath(path))
        return _script(path, content, shell) if content is not None else None

    found = commands(
        _script(SCRIPT, text, shell),
        environment=_UNDER_TEST,
        arguments=(),
        source_file=source_file,
    )
    targets = [program(command) for command in found]
    return [target for target in targets if target is not None and target.name == "gunicorn"]


def _script(path: str, text: str, shell: str) -> Script:
    return parse(Fragment.whole(Source(path, text)), {"dash": "sh"}.get(shell, shell))


def disagreements(shell: str, text: str) -> list[str]:
    """Where gunilint and a real shell disagree about a script; with what was seen as context."""
    found = launches(shell, text)
    real = run(shell, text)
    reasons = [*_missing_and_invented(found, real)]
    if not reasons and not _order_is_possible(found, real):
        reasons.append("the calls have another order or number")
    TALLY.add(shell, "scripts")
    TALLY.add(shell, "launches", len(real.calls))
    words = [word for target in found for word in target.arguments]
    TALLY.add(shell, "words", len(words))
    TALLY.add(shell, "words known", sum(word.text is not None for word in words))
    if reasons:
        reasons += ["", text, "", *_shown(found, real), real.errors]
    return reasons


def _missing_and_invented(found: Sequence[Program], real: Run) -> Iterator[str]:
    for call in real.calls:
        differences = [_differences(target, call, real) for target in found]
        if [] not in differences:
            nearest = min(differences, key=len, default=["no such launch is told"])
            yield f"{call} isn't told: {'; '.join(nearest)}"
    for target in found:
        certain = not target.command.conditions and target.command.certain
        if certain and all(_differences(target, call, real) for call in real.calls):
            yield f"`{target.command.span.text}` is told for certain, but doesn't run so"


def _order_is_possible(found: Sequence[Program], real: Run) -> bool:
    """Whether the calls can be the launches: each certain one once, the others as often as may be.

    Commands in the background run in any order.
    """
    orders: Iterator[Sequence[Call]] = iter([real.calls])
    if any(target.command.background or target.command.piped for target in found):
        orders = itertools.permutations(real.calls)
    return any(_follows(found, order, real) for order in orders)


def _follows(found: Sequence[Program], calls: Sequence[Call], real: Run) -> bool:
    reached = {0}
    for target in found:
        following = set() if not target.command.conditions else set(reached)
        pending = list(reached)
        while pending:
            index = pending.pop()
            if index == len(calls) or _differences(target, calls[index], real):
                continue
            if index + 1 not in following:
                following.add(index + 1)
                if target.command.conditions:
                    pending.append(index + 1)
        reached = following
    return len(calls) in reached


def _differences(target: Program, call: Call, real: Run) -> list[str]:
    """What gunilint claims of a launch that isn't so in a call."""
    found: list[str] = []
    if not _words_match(target.arguments, call.arguments, real):
        found.append(f"arguments {[word.text or word.value for word in target.arguments]}")
    claims = target.command.environment
    for name, value in claims.items():
        actual = call.environment.get(name)
        may_be_unset = any(isinstance(o.value, Unknown) for o in possibilities(value))
        if actual is None and may_be_unset:
            continue
        if _claims(value) and (actual is None or not _agrees(value, actual, real)):
            found.append(f"{name} is told to be {value}, is {actual!r}")
    found += [
        f"{name} isn't told to be exported, is {call.environment[name]!r}"
        for name in call.environment.keys() - claims.keys() - _OWN
    ]
    directory = target.command.directory
    if not _agrees(Known(".") if directory is None else directory, call.directory, real, True):
        found.append(f"the directory is told to be {directory}, is {call.directory}")
    return found


def _claims(value: Value) -> bool:
    return any(isinstance(option.value, Known | Symbolic) for option in possibilities(value))


def _words_match(words: Sequence[Word], actual: Sequence[str], real: Run) -> bool:
    reached = {0}
    for word in words:
        if word.many:
            reached = set(range(min(reached, default=0), len(actual) + 1)) if reached else set()
        else:
            reached = {
                index + 1
                for index in reached
                if index < len(actual) and _agrees(word.value, actual[index], real)
            }
    return len(actual) in reached


def _agrees(value: Value, actual: str, real: Run, is_path: bool = False) -> bool:
    """Whether `actual` is what, or one of what, gunilint says; anything may be unknown."""
    for option in possibilities(value):
        single = option.value
        if isinstance(single, Symbolic):
            if str(single.at(_cpus())) == actual:
                return True
        elif not isinstance(single, Known) or _same(str(single.value), actual, real, is_path):
            return True
    return False


def _same(told: str, actual: str, real: Run, is_path: bool) -> bool:
    if told == actual:
        return True
    if SCRIPT_DIRECTORY in told:
        folder = posixpath.dirname(SCRIPT)
        forms = (folder, posixpath.join(real.directory, folder))
        told_forms = [told.replace(SCRIPT_DIRECTORY, form) for form in forms]
        normal = {
            re.sub(r"[^=:]+", lambda part: posixpath.normpath(part[0]), each) for each in told_forms
        }
        return re.sub(r"[^=:]+", lambda part: posixpath.normpath(part[0]), actual) in normal
    return is_path and posixpath.normpath(posixpath.join(real.directory, told)) == actual


def _shown(found: Sequence[Program], real: Run) -> Iterator[str]:
    yield "real:"
    yield from (f"  {call}" for call in real.calls)
    yield "told:"
    for target in found:
        words = [word.text if word.text is not None else word.value for word in target.arguments]
        yield f"  {words} if {target.command.conditions}"
