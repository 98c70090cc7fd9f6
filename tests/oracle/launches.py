"""Launches for the oracle: a project's files, gunicorn's arguments and its environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from gunilint.deployment import Facts
from gunilint.engine import relative_path, survey
from gunilint.policy import Policy, same
from gunilint.report.overview import Show
from gunilint.report.show import render_json

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parents[1] / ".oracle"
"""Where `scripts/oracle_environments.py` installs other releases of gunicorn."""


@dataclass(frozen=True)
class Case:
    """One launch: the arguments behind `gunicorn`, started in `directory` of the project."""

    name: str
    arguments: Sequence[str] = ("app:app",)
    files: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: str = "."

    def write(self, folder: Path, *, by: str) -> None:
        """Write the project; `by` is "unit" or "script", what starts gunicorn."""
        (folder / "pyproject.toml").write_text("")
        (folder / "app.py").write_text("def app(environ, start_response): ...\n")
        for path, text in self.files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        start = (folder / self.directory).resolve()
        if by == "unit":
            (folder / "app.service").write_text(self._unit(start))
        else:
            (folder / "start.sh").write_text(self._script(start))

    def _unit(self, start: Path) -> str:
        variables = "".join(
            f"Environment={_systemd(f'{k}={v}')}\n" for k, v in self.environment.items()
        )
        words = " ".join(_systemd(word).replace("$", "$$") for word in self.arguments)
        return (
            f"[Service]\nWorkingDirectory={str(start).replace('%', '%%')}\n{variables}"
            f"ExecStart=/usr/bin/gunicorn {words}\n"
        )

    def _script(self, start: Path) -> str:
        variables = "".join(f"export {k}={_shell(v)}\n" for k, v in self.environment.items())
        words = " ".join(map(_shell, self.arguments))
        return f"#!/bin/sh\n{variables}cd {_shell(str(start))}\nexec gunicorn {words}\n"

    def request(self, folder: Path, *, by: str) -> dict[str, Any]:
        """What the driver is asked for."""
        return {
            "argv": list(self.arguments),
            "environment": {"HOME": str(folder), "PATH": os.defpath, **self.environment},
            "directory": str((folder / self.directory).resolve()),
            "root": by == "unit",
        }


def _systemd(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'.replace("\n", "\\n")


def _shell(word: str) -> str:
    quoted = word.replace("'", "'\\''")
    return f"'{quoted}'"


def shown(folder: Path, version: str) -> dict[str, Any]:
    """What `gunilint show --format json` says of the one deployment in a project."""
    found = survey([folder], same(Policy((), Facts(version))))
    here = str(folder)
    show = Show(
        [each for project in found.projects for each in project.deployments if each.launch],
        lambda source: relative_path(source, here),
    )
    (deployment,) = json.loads(render_json(show))["deployments"]
    return deployment


class Gunicorn:
    """A release of gunicorn, asked through the driver."""

    def __init__(self, python: Path) -> None:
        self.python = python

    @cached_property
    def process(self) -> subprocess.Popen[str]:
        command = [str(self.python), str(HERE / "gunicorn_driver.py")]
        environment = {"PATH": os.defpath, "HOME": "/nonexistent"}
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, env=environment,
        )  # fmt: skip

    @cached_property
    def version(self) -> str:
        return str(self._line()["version"])

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """What gunicorn makes of a launch."""
        assert self.version
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self._line()

    def _line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line: dict[str, Any] = json.loads(self.process.stdout.readline())
        return line

    def close(self) -> None:
        if "process" in self.__dict__:
            self.process.kill()
            self.process.wait()


def installed() -> dict[str, Path]:
    """The interpreter of each release at hand: the suite's own, and the oracle's environments."""
    found = {"installed": Path(sys.executable)}
    if ENVIRONMENTS.is_dir():
        for folder in sorted(ENVIRONMENTS.iterdir()):
            if (folder / "bin/python").exists():
                found[folder.name] = folder / "bin/python"
    return found


@contextmanager
def gunicorn(python: Path) -> Iterator[Gunicorn]:
    """A release's driver for the time of a test module."""
    server = Gunicorn(python)
    try:
        yield server
    finally:
        server.close()
