"""The benchmarks can be run: their trees are what they say, their tables show what was measured."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from gunilint.engine import lint
from gunilint.rules import load_rules

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module that is run as a program."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    spec = importlib.util.spec_from_file_location("benchmarks_run", BENCHMARKS / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_deployment_is_one_launch_of_three_files(run: ModuleType, tmp_path: Path) -> None:
    run.trees.deployments(tmp_path, 3)
    result = lint([tmp_path], load_rules())
    assert (result.deployments, result.files) == (3, 9)
    assert {finding.severity for finding in result.findings} <= {"note"}


def python(run: ModuleType, name: str, code: str, folder: Path) -> object:
    return run.Command(name, (sys.executable, "-S", "-c", code), folder, 100)


def test_commands_are_measured_in_turns_after_a_warm_up(run: ModuleType, tmp_path: Path) -> None:
    code = "open('log', 'a').write('{}')"
    commands = [python(run, name, code.format(name), tmp_path) for name in "ab"]
    found = run.measure(commands, 2, tmp_path)
    assert (tmp_path / "log").read_text() == "ababab"
    assert [len(figures.runs) for figures in found.values()] == [2, 2]
    assert all(run.seconds > 0 < run.peak for figures in found.values() for run in figures.runs)
    assert found["a"].over(found["a"]) == 1


def test_command_that_fails_ends_it(run: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="broken: exit 3"):
        run.measure([python(run, "broken", "raise SystemExit(3)", tmp_path)], 1, tmp_path)


def test_target_that_is_missed_is_shown(run: ModuleType, tmp_path: Path) -> None:
    command = python(run, "a", "pass", tmp_path)
    results = {"a": run.Figures(command, (run_of(2.0), run_of(4.0), run_of(3.0)))}
    targets = (
        run.Target("seconds", lambda got: got["a"].seconds, 2.5, " s"),
        run.Target("files a second", lambda got: got["a"].rate, 30, "", at_least=True),
    )
    group = run.Group("A group", "About it.", (command,), "a", targets, 3)
    table = "\n".join(run._shown(group, results))
    assert "| seconds | at most 2.5 s | 3 s | **no** |" in table
    assert "| files a second | at least 30 | 33 | yes |" in table
    assert "| `a` | 3.000 | 2.000–4.000 | 1.00 | 1.00 | 5 | 33 |" in table


def run_of(seconds: float) -> object:
    return sys.modules["measure"].Run(seconds, 1.0, 5.0)
