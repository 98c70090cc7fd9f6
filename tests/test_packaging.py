"""What is shipped: the README's promises, the hooks, the built wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from projects import write

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))


def test_ci_calls_the_test_command_of_the_readme() -> None:
    command = next(line for line in README.splitlines() if line.endswith("pytest"))
    assert command in (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()


def test_readme_table_of_rules_is_fresh() -> None:
    script = ROOT / "scripts/update_readme.py"
    done = subprocess.run([sys.executable, script, "--check"], check=False, timeout=60)
    assert done.returncode == 0, "run python scripts/update_readme.py"


def test_changelog_names_every_rule() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    codes = {path.name[:5] for path in (ROOT / "rules").glob("*.yaml")}
    assert codes <= set(re.findall(r"GU\d{3}", changelog))


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("gunicorn.conf.py", True),
        ("deploy/gunicorn_conf.py", True),
        ("deploy/app.service", True),
        ("deploy/app.service.d/10-x.conf", True),
        ("app.socket", True),
        ("start.sh", True),
        ("docker/entrypoint", True),
        ("app/main.py", False),
        ("README.md", False),
        ("nginx.conf", False),
    ],
)
def test_hooks_run_for_deployment_files(hook, path: str, wanted: bool) -> None:
    assert bool(re.search(hook["files"], path)) is wanted


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean repository of gunilint as it stands here."""
    copy = tmp_path_factory.mktemp("gunilint") / "gunilint"
    ignore = shutil.ignore_patterns(
        ".git", ".venv", "*.egg-info", "__pycache__", ".*_cache", "dist"
    )
    shutil.copytree(ROOT, copy, ignore=ignore)
    commit(copy)
    return copy


@pytest.mark.parametrize("hook", ["gunilint", "gunilint-files"])
def test_the_real_pre_commit_runs_the_hook(checkout: Path, hook: str, tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "deploy/gunicorn.conf.py": "max_requests = 1000\n",
            "deploy/start.sh": "#!/bin/sh\nexec gunicorn -c deploy/gunicorn.conf.py shop.wsgi\n",
        },
    )
    commit(tmp_path)
    done = run_hook(checkout, hook, tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.count("deploy/gunicorn.conf.py:1:16") == 1
    write(tmp_path, {"deploy/gunicorn.conf.py": "max_requests = 9\nmax_requests_jitter = 2\n"})
    commit(tmp_path)
    done = run_hook(checkout, hook, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def commit(folder: Path) -> None:
    identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for arguments in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "x"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True, timeout=60)


def run_hook(checkout: Path, hook: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pre_commit", "try-repo", str(checkout), hook, "--all-files"]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=600
    )


def test_readme_shows_what_gunilint_shows() -> None:
    shown = (ROOT / "tests/fixtures/command-arguments/show.txt").read_text(encoding="utf-8")
    sample = "".join(f"    {line}".rstrip() + "\n" for line in shown.splitlines())
    assert sample in (ROOT / "README.md").read_text(encoding="utf-8")
