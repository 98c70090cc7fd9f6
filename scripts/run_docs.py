"""Run the commands that the documentation shows, and write what they print below them.

    python scripts/run_docs.py [--check] [PAGES]

`--check` changes nothing and names the pages that aren't true. A page is a session:

    <!-- in: tests/fixtures/lesson -->    what follows runs in a fresh copy of this folder; or `empty`
    <!-- file: deploy/start.sh -->        the block of code that follows is this file
    <!-- file: start.sh                   a file that the page doesn't show
    …
    -->

In a block of `console`, lines with `$ ` are commands and what follows is all that they print. Each
line of a block of `sh` that isn't a file is a command that has to work: status 0 or 1.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES += sorted((ROOT / "docs/gunicorn").glob("*.md"))

NOT_RUN = {
    "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/gunilint tests/fixtures/six-pitfalls": "installs packages; .ci/run does the same with the wheel",
    "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/pytest": ".ci/run calls it",
    "pip install gunilint": "installs packages",
    "gunilint rules --check ops/gunilint-rules": "tests/test_docs.py runs it in a folder of its own",
}
"""Commands that can't be run here, and why."""

_PIECE = re.compile(
    r"^<!-- in: (?P<folder>\S+) -->$"
    r"|^<!-- file: (?P<hidden>\S+)\n(?P<content>.*?)^-->$"
    r"|^<!-- file: (?P<path>\S+) -->$"
    r"|^(?P<fence>`{3,})(?P<language>\w*)\n(?P<body>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)


class NotTrueError(Exception):
    """Something in a page that can't be run as it stands; the message says what."""


class Session:
    """The folder and the shell that the commands of a page run in."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._folder = scratch / "none"
        self._status = 0
        tools = scratch / "bin"
        tools.mkdir()
        gunilint = tools / "gunilint"
        gunilint.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m gunilint "$@"\n')
        gunilint.chmod(0o755)
        python = tools / "python"
        python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
        python.chmod(0o755)
        left_out = ("GUNILINT_", "GITHUB_", "GITLAB_", "GIT_")
        self._environment = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(left_out) and key not in ("CI", "NO_COLOR", "FORCE_COLOR")
        } | {"PATH": f"{tools}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8", "COLUMNS": "80"}

    def enter(self, name: str) -> None:
        """Start over in a copy of a folder of the repository."""
        self._folder = self._scratch / f"in{len(list(self._scratch.iterdir()))}" / Path(name).name
        if name == "empty":
            self._folder.mkdir(parents=True)
        else:
            left_out = shutil.ignore_patterns("expected.txt", "show.txt", "__pycache__")
            shutil.copytree(ROOT / name, self._folder, ignore=left_out)
        (self._folder / ".git").mkdir()

    def save(self, path: str, text: str) -> None:
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        if text.startswith("#!"):
            target.chmod(0o755)

    def run(self, command: str) -> tuple[str, int]:
        """What a command prints, and its exit status."""
        if not self._folder.is_dir():
            raise NotTrueError(f"no `<!-- in: … -->` says where this runs: {command}")
        done = subprocess.run(
            ["bash", "-c", f"(exit {self._status})\n{command}"],
            cwd=self._folder, env=self._environment, timeout=60, check=False, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._status = done.returncode
        return done.stdout, done.returncode


def ran(text: str) -> str:
    """A page's text with what its commands really print. Raises `NotTrueError`."""
    with tempfile.TemporaryDirectory() as scratch:
        return "".join(_pieces(text, Session(Path(scratch))))


def _pieces(text: str, session: Session) -> Iterator[str]:
    path: str | None = None
    end = 0
    for match in _PIECE.finditer(text):
        yield text[end : match.start()]
        end = match.end()
        body = match["body"] or ""
        shown = match[0]
        if match["folder"]:
            session.enter(match["folder"])
        elif match["hidden"]:
            session.save(match["hidden"], match["content"])
        elif match["path"]:
            path = match["path"]
        elif path is not None:
            session.save(path, body)
            path = None
        elif match["language"] == "console":
            head = f"{match['fence']}console\n"
            shown = head + "".join(_console(body, session)) + match["fence"]
        elif match["language"] == "sh":
            _commands(body, session)
        yield shown
    yield text[end:]


def commands(body: str) -> Iterator[tuple[str, str, str]]:
    """Each command of a console's text, as it is written there, and what it printed."""
    for match in re.finditer(r"^\$ (.*(?:(?<=\\)\n.*)*)\n((?:(?!\$ ).*\n)*)", body, re.MULTILINE):
        yield match[1], f"$ {match[1]}\n", match[2]


def _console(body: str, session: Session) -> Iterator[str]:
    if not body.startswith("$ "):
        raise NotTrueError(f"a console without a `$ `: {body.splitlines()[0]}")
    for command, written, output in commands(body):
        yield written
        if command in NOT_RUN:
            yield output
            continue
        output, _ = session.run(command)
        yield output if output.endswith("\n") or not output else f"{output}\n"


def _commands(body: str, session: Session) -> None:
    for line in body.splitlines():
        if not line.strip() or line in NOT_RUN:
            continue
        output, status = session.run(line)
        if status not in (0, 1):
            raise NotTrueError(f"{line}: status {status}\n{output}")


def main() -> int:
    given = [Path(argument).resolve() for argument in sys.argv[1:] if argument != "--check"]
    failed = False
    for path in given or PAGES:
        text = path.read_text(encoding="utf-8")
        try:
            true = ran(text)
        except NotTrueError as error:
            print(f"{path.relative_to(ROOT)}: {error}")
            failed = True
            continue
        if true != text:
            print(path.relative_to(ROOT))
            failed = failed or "--check" in sys.argv
            if "--check" not in sys.argv:
                path.write_text(true, encoding="utf-8")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
