from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from gunilint.engine import lint
from gunilint.findings import Finding
from gunilint.rules import load_rules
from projects import write
from tally import TALLY

Lint = Callable[..., list[Finding]]


@pytest.fixture
def lint_files(tmp_path: Path) -> Lint:
    """Lint a project given as path → text, with all rules; the findings in report order."""

    def run(files: Mapping[str, str], *paths: str, version: str | None = None) -> list[Finding]:
        write(tmp_path, files)
        arguments = [tmp_path / path for path in paths] or [tmp_path]
        result = lint(arguments, load_rules(), version)
        assert not result.errors, result.errors[0][1]
        return list(result.findings)

    return run


# The oracles' figures: each worker of a parallel run hands its own over.


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["tally"] = dict(TALLY.counts)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    TALLY.counts.update(getattr(node, "workeroutput", {}).get("tally", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TALLY.counts:
        terminalreporter.section("compared with the real programs")
        terminalreporter.write_line("\n".join(TALLY.lines()))
