from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from gunilint.deployment import Facts
from gunilint.engine import run as run_engine
from gunilint.findings import Finding
from gunilint.policy import Policy, same
from gunilint.rules import load_rules
from projects import write
from tally import TALLY

Lint = Callable[..., list[Finding]]


@pytest.fixture
def lint_files(tmp_path: Path) -> Lint:
    """Lint a project given as path → text, with all rules; the findings in report order.

    `version` is the gunicorn that will run, `facts` are further ones, such as `cpus`.
    """

    def run(
        files: Mapping[str, str], *paths: str, version: str | None = None, **facts: Any
    ) -> list[Finding]:
        write(tmp_path, files)
        arguments = [tmp_path / path for path in paths] or [tmp_path]
        result = run_engine(arguments, same(Policy(load_rules(), Facts(version, **facts))))
        assert not result.errors, result.errors[0][1]
        return list(result.findings)

    return run


@pytest.fixture(autouse=True)
def _no_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Output is the same in GitHub Actions, unless a test says that it is there."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)


@pytest.fixture(autouse=True)
def _no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested runs, and leaves nothing behind in the user's cache."""
    monkeypatch.setenv("GUNILINT_NO_CACHE", "1")


@pytest.fixture
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a cache that runs of the test use."""
    monkeypatch.delenv("GUNILINT_NO_CACHE")
    monkeypatch.setenv("GUNILINT_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(autouse=True, scope="session")
def _signals() -> None:
    """Programs under test end by signals, also when the run was started in a shell's background."""
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


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
