"""The two hooks for pre-commit: the files they are for, and what the real pre-commit makes of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from gunilint.deployment import Facts
from gunilint.discover import Tree
from gunilint.engine import check, survey
from gunilint.policy import Policy, same
from gunilint.rules import load_rules
from projects import write

ROOT = Path(__file__).parents[1]
FIXTURES = sorted((ROOT / "tests/fixtures").iterdir())
HOOKS = {
    hook["id"]: hook
    for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
}
GOOD = "max_requests = 9\nmax_requests_jitter = 2\naccesslog = '-'\n"
BAD = "max_requests = 1000\naccesslog = '-'\n"
START = '#!/bin/sh\ncd "$(dirname "$0")/.."\nexec gunicorn -c deploy/gunicorn.conf.py shop.wsgi\n'
SHOP = {
    "deploy/gunicorn.conf.py": GOOD,
    "deploy/start.sh": START,
    "shop/__init__.py": "",
    "shop/wsgi.py": "import flask\napplication = flask.Flask('shop')\n",
}
FINDING = "deploy/gunicorn.conf.py:1:16"


def is_for(hook: str, path: str) -> bool:
    return re.search(HOOKS[hook]["files"], path) is not None


# which files


@pytest.mark.parametrize(
    ("path", "whole", "files"),
    [
        ("gunicorn.conf.py", True, True),
        ("gunicorn.prod.conf.py", True, True),
        ("deploy/gunicorn_conf.py", True, True),
        ("deploy/gunicorn/production.py", True, True),
        ("conf/shop.gunicorn.conf", True, True),
        ("deploy/app.service", True, True),
        ("deploy/app.v2.service", True, True),
        ("deploy/x@.service", True, True),
        ("deploy/x@.service.d/10.conf", True, True),
        ("deploy/app.service.d/10-x.y.conf", True, True),
        ("app.socket", True, True),
        ("app.socket.d/a.conf", True, True),
        ("start.sh", True, True),
        ("start.prod.sh", True, True),
        ("déploiement été/démarrer.sh", True, True),
        ("docker/entrypoint", True, True),
        ("entrypoint", True, True),
        ("bin/web-server_2", True, True),
        ("app/main.py", True, False),
        ("tests/test_gunicorn.py", True, False),
        ("run_gunicorn.py", True, False),
        ("requirements.txt", True, False),
        ("requirements/production.txt", True, False),
        ("dev-requirements.in", True, False),
        ("pyproject.toml", True, False),
        ("gunilint.toml", True, False),
        ("uv.lock", True, False),
        ("setup.cfg", True, False),
        ("Pipfile", True, True),
        (".env", True, False),
        ("deploy/.env.production", True, False),
        ("deploy/app.env", True, False),
        ("nginx.conf", True, False),
        ("README.md", False, False),
        ("docs/notes.txt", False, False),
        ("static/site.css", False, False),
        ("app.service.bak", False, False),
        ("gunicorn.conf.py.orig", False, False),
        ("-c.sh", False, False),
        ("--fix", False, False),
        ("deploy/-c.sh", True, True),
    ],
)
def test_hooks_run_for(path: str, whole: bool, files: bool) -> None:
    assert (is_for("gunilint", path), is_for("gunilint-files", path)) == (whole, files)


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.name)
def test_every_file_that_is_read_starts_the_hook_for_the_project(fixture: Path) -> None:
    rules = load_rules()
    for project in survey([fixture], same(Policy(rules, Facts()))).projects:
        check(project, rules)
        read = {source.path for source in project.tree.texts()}
        assert read >= set(project.files)
        # these only tell what a machine has beside gunicorn
        read -= {path for path in read if re.search(r"logrotate|tmpfiles", path)}
        assert {path for path in read if not is_for("gunilint", path)} == set()


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda path: path.name)
def test_files_of_the_second_hook_are_those_that_gunilint_takes(fixture: Path) -> None:
    tree = Tree(fixture)
    for path in tree.listing():
        taken = tree.kind(path) is not None
        is_script_by_its_line = "." not in path.rpartition("/")[2]
        assert is_for("gunilint-files", path) == taken or is_script_by_its_line, path


def test_the_documentation_names_hooks_that_there_are() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"^```yaml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
            if "repo: https://github.com/gunilint/gunilint" in block:
                assert set(re.findall(r"- id: (\S+)", block)) <= set(HOOKS)


# the real pre-commit

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A repository of gunilint as it stands here, and where its environment is kept."""
    folder = tmp_path_factory.mktemp("hooks")
    ignore = shutil.ignore_patterns(
        ".git", ".venv", "*.egg-info", "__pycache__", ".*_cache", ".oracle", ".hypothesis", "dist"
    )
    shutil.copytree(ROOT, folder / "gunilint", ignore=ignore, symlinks=True)
    repository(folder / "gunilint")
    variables = ("GIT_", "GUNILINT_", "PRE_COMMIT", "PYTHONPATH")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(variables)
    }
    return folder / "gunilint", {**environment, "PRE_COMMIT_HOME": str(folder / "home")}


@pytest.fixture
def run(hooks: tuple[Path, dict[str, str]], tmp_path: Path) -> Run:
    """Run a hook in the repository at `tmp_path`, on what is staged there."""
    gunilint, environment = hooks

    def start(hook: str, *options: str, **settings: object) -> subprocess.CompletedProcess[str]:
        rev = git(gunilint, "rev-parse", "HEAD").strip()
        entry = {"id": hook, "verbose": True, **settings}
        configuration = {"repos": [{"repo": str(gunilint), "rev": rev, "hooks": [entry]}]}
        (tmp_path / ".pre-commit-config.yaml").write_text(yaml.safe_dump(configuration))
        git(tmp_path, "add", ".pre-commit-config.yaml")
        return subprocess.run(
            [sys.executable, "-m", "pre_commit", "run", "--color", "never", *options],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip

    return start


def repository(folder: Path) -> None:
    for arguments in (
        ["init", "-q"],
        ["config", "user.name", "test"],
        ["config", "user.email", "test@example.org"],
        ["config", "commit.gpgsign", "false"],
        ["add", "-A"],
        ["commit", "-qm", "x"],
    ):
        git(folder, *arguments)


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, timeout=60, capture_output=True, text=True
    )
    return done.stdout


BOTH = pytest.mark.parametrize("hook", ["gunilint", "gunilint-files"])


@BOTH
def test_what_is_staged_counts(run: Run, hook: str, tmp_path: Path) -> None:
    write(tmp_path, {"deploy/gunicorn.conf.py": GOOD, "deploy/start.sh": START})
    repository(tmp_path)
    config = tmp_path / "deploy/gunicorn.conf.py"

    config.write_text(BAD)
    git(tmp_path, "add", "-A")
    config.write_text(GOOD)
    done = run(hook)
    assert (done.returncode, done.stdout.count(FINDING)) == (1, 1), done.stdout + done.stderr
    assert config.read_text() == GOOD

    git(tmp_path, "add", "-A")
    config.write_text(BAD)
    (tmp_path / "deploy/start.sh").write_text(START + "\n")
    git(tmp_path, "add", "deploy/start.sh")
    done = run(hook)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no problems" in done.stdout
    assert config.read_text() == BAD


@BOTH
def test_names_may_have_blanks_and_any_letters(run: Run, hook: str, tmp_path: Path) -> None:
    names = ["déploiement/mon service/gunicorn.conf.py", "部署/gunicorn_conf.py", "it's \"it\"/gunicorn.conf.py"]  # fmt: skip
    repository_of(tmp_path, dict.fromkeys(names, BAD))
    done = run(hook, "--all-files")
    assert done.returncode == 1
    for name in names:
        assert f"{name}:1:16" in done.stdout


@BOTH
def test_a_file_that_is_renamed_or_gone(run: Run, hook: str, tmp_path: Path) -> None:
    repository_of(tmp_path, {**SHOP, "deploy/old.sh": "#!/bin/sh\n"})
    git(tmp_path, "rm", "-q", "deploy/old.sh")
    git(tmp_path, "mv", "deploy/start.sh", "deploy/run.sh")
    done = run(hook)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no problems" in done.stdout

    git(tmp_path, "mv", "deploy/gunicorn.conf.py", "deploy/gunicorn_conf.py")
    done = run(hook)
    assert done.returncode == 1
    assert "GU007" in done.stdout
    assert "deploy/run.sh:3:18" in done.stdout


def test_a_removal_alone_starts_the_hook_with_always_run(run: Run, tmp_path: Path) -> None:
    repository_of(tmp_path, SHOP)
    run("gunilint")
    git(tmp_path, "commit", "-qm", "configuration")
    git(tmp_path, "rm", "-q", "deploy/gunicorn.conf.py")
    assert "Skipped" in run("gunilint").stdout
    done = run("gunilint", always_run=True)
    assert done.returncode == 1
    assert "GU007" in done.stdout


@BOTH
def test_all_files_are_checked_in_one_run(run: Run, hook: str, tmp_path: Path) -> None:
    files = {f"scripts/task {number:04}.sh": "#!/bin/sh\n" for number in range(3000)}
    repository_of(tmp_path, {**files, "deploy/gunicorn.conf.py": BAD, "deploy/start.sh": START})
    done = run(hook, "--all-files")
    assert done.returncode == 1
    assert done.stdout.count(FINDING) == 1
    assert len(re.findall(r"^\d+ problem.* \d+ files?", done.stdout, re.MULTILINE)) == 1


@BOTH
def test_nothing_to_lint_is_no_failure(run: Run, hook: str, tmp_path: Path) -> None:
    repository_of(tmp_path, {"README.md": "gunicorn\n", "docs/notes.txt": "gunicorn\n"})
    (tmp_path / "README.md").write_text("x\n")
    git(tmp_path, "add", "-A")
    done = run(hook)
    assert (done.returncode, "Skipped" in done.stdout) == (0, True), done.stdout

    write(tmp_path, {"app/main.py": "x = 1\n", "bin/hello": "#!/usr/bin/perl\n"})
    git(tmp_path, "add", "-A")
    done = run(hook)
    assert done.returncode == 0, done.stdout
    assert "Passed" in done.stdout
    assert "nothing to lint" in done.stdout


@BOTH
def test_what_is_excluded_stays_so(run: Run, hook: str, tmp_path: Path) -> None:
    files = {"old/gunicorn.conf.py": BAD, "gunicorn.conf.py": GOOD, "gunilint.toml": 'exclude = ["old/"]\n'}  # fmt: skip
    repository_of(tmp_path, files)
    done = run(hook, "--all-files")
    assert done.returncode == 0, done.stdout
    assert "no problems" in done.stdout


@pytest.mark.parametrize(
    ("path", "after", "finding"),
    [
        ("shop/wsgi.py", "import fastapi\napplication = fastapi.FastAPI()\n", "error[GU101]"),
        ("requirements.txt", "gunicorn==26.2.0\ngevent==24.2.1\nflask==3.1.2\n", "error[GU110]"),
    ],
    ids=["application", "dependency"],
)
def test_a_change_elsewhere_starts_the_hook_for_the_project(
    run: Run, path: str, after: str, finding: str, tmp_path: Path
) -> None:
    requirements = "gunicorn==23.0.0\ngevent==24.2.1\nflask==3.1.2\n"
    config = GOOD + "worker_class = 'gevent'\n"
    repository_of(
        tmp_path, {**SHOP, "requirements.txt": requirements, "deploy/gunicorn.conf.py": config}
    )
    (tmp_path / path).write_text(after)
    git(tmp_path, "add", path)
    assert "Skipped" in run("gunilint-files").stdout
    done = run("gunilint")
    assert done.returncode == 1
    assert finding in done.stdout


def repository_of(folder: Path, files: dict[str, str]) -> None:
    write(folder, files)
    repository(folder)
