"""A runner for the composite action: what of GitHub's own it takes to run `action.yml` here.

It knows expressions of the kind that stand in there, and records what other actions are called with.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]

_TOKEN = re.compile(r"\s*(?:'([^']*)'|(&&|\|\||==|!=)|([\w.-]+))")


@dataclass
class Job:
    """What became of a job: its status, log, the action's outputs, and the actions it called."""

    status: int = 0
    log: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    called: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass
class Runner:
    """A machine with a folder for temporary files and a checkout to run in.

    `installed` are outputs of the step `install` that stand for running it; `others` those of
    the actions that are called.
    """

    temporary: Path
    workspace: Path
    installed: dict[str, str] | None = None
    others: Mapping[str, dict[str, str]] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, **inputs: str) -> Job:
        """Run the action with inputs, `_` in place of `-` in their names."""
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        unknown = set(given) - set(ACTION["inputs"])
        assert not unknown, unknown
        defaults = {name: entry["default"] for name, entry in ACTION["inputs"].items()}
        known: dict[str, str] = {f"inputs.{name}": v for name, v in {**defaults, **given}.items()}
        job = Job()
        for step in STEPS:
            if "if" not in step or evaluate(step["if"], known):
                outputs = self._step(step, known, job)
                known |= {
                    f"steps.{step['id']}.outputs.{key}": value
                    for key, value in outputs.items() if "id" in step
                }  # fmt: skip
            if job.status:
                break
        job.outputs = {
            name: filled(entry["value"], known) for name, entry in ACTION["outputs"].items()
        }
        return job

    def _step(self, step: dict[str, Any], known: dict[str, str], job: Job) -> dict[str, str]:
        if "uses" in step:
            job.called[step["uses"]] = {
                key: filled(str(value), known) for key, value in step["with"].items()
            }
            return dict(self.others.get(step["uses"], {}))
        if step.get("id") == "install" and self.installed is not None:
            return self.installed
        script, output = self.temporary / "script.sh", self.temporary / "output"
        script.write_text(step["run"])
        output.write_text("")
        # GITHUB_ENV and GITHUB_PATH are missing: nothing is for later steps
        environment = {
            **os.environ,
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temporary),
            **self.environment,
            **{key: filled(value, known) for key, value in step.get("env", {}).items()},
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
            cwd=self.workspace / filled(step.get("working-directory", "."), known),
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False, timeout=600,
        )  # fmt: skip
        job.log += done.stdout
        job.status = done.returncode
        return dict(line.split("=", 1) for line in output.read_text().splitlines())


def filled(text: str, known: Mapping[str, str]) -> str:
    """Text with its expressions evaluated."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: str(evaluate(found[1], known)), text)


def evaluate(expression: str, known: Mapping[str, str]) -> Any:
    """The value of names, texts, `==`, `!=`, `&&` and `||`; what isn't known is empty."""
    python, end = "", 0
    text = expression.strip()
    while end < len(text):
        found = _TOKEN.match(text, end)
        assert found, f"{expression!r} is beyond this runner"
        end = found.end()
        literal, operator, name = found.groups()
        if operator:
            python += {"&&": " and ", "||": " or "}.get(operator, operator)
        else:
            python += repr(literal if literal is not None else known.get(name, ""))
    return eval(python, {"__builtins__": {}})
