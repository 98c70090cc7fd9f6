"""How gunilint starts: from where, and what it imports for it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from programs import imported, python
from projects import write

HEAVY = {"libcst", "tree_sitter", "tree_sitter_bash", "pathspec"}


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--help"], {}),
        (["--version"], {}),
        (["rules"], {}),
        (["explain", "GU301"], {}),
        (["completion", "bash"], {}),
        ([], {"_GUNILINT_COMPLETE": "bash_complete", "COMP_WORDS": "gunilint explain GU", "COMP_CWORD": "2"}),
    ],
    ids=["help", "version", "rules", "explain", "completion", "completing"],
)  # fmt: skip
def test_no_parser_is_imported_for_what_parses_nothing(
    arguments: list[str], environment: dict[str, str], tmp_path: Path
) -> None:
    done = python("-X", "importtime", "-m", "gunilint", *arguments, cwd=tmp_path, **environment)
    modules = imported(done)
    assert done.returncode == 0, done.stderr
    assert "click" in modules
    assert modules & HEAVY == set()
    if arguments not in (["rules"], ["explain", "GU301"], []):
        assert "yaml" not in modules


def imported_by(modules: str, folder: Path) -> set[str]:
    done = python(
        "-I",
        "-S",
        "-X",
        "importtime",
        "-c",
        f"import sys; sys.path[:0] = {sys.path!r}; import {modules}",
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return imported(done)


def test_what_helps_and_explains_imports_little_but_click(tmp_path: Path) -> None:
    own = "gunilint.cli, gunilint.rules, gunilint.report.explain"
    more = imported_by(own, tmp_path) - imported_by("click", tmp_path)
    assert "gunilint.rules" in more
    assert more & {"pathlib", "ipaddress", "urllib.parse", "msgspec", "yaml", "tomli"} == set()


def test_rules_are_listed_without_the_configuration_s_modules(tmp_path: Path) -> None:
    def modules(**environment: str) -> set[str]:
        command = ("-X", "importtime", "-m", "gunilint", "rules")
        done = python(*command, cwd=tmp_path, **environment)
        assert done.returncode == 0, done.stderr
        return imported(done)

    (tmp_path / "pyproject.toml").write_text("[project]\n")
    assert "gunilint.config" not in modules(GUNILINT_CACHE_DIR=str(tmp_path / "cache"))
    (tmp_path / "pyproject.toml").write_text("[tool.gunilint]\nextend-rules = []\n")
    assert "gunilint.config" in modules()


PLANTED = (
    "import pathlib\npathlib.Path('ran').touch()\nraise SystemExit('a file of the project ran')\n"
)
MODULES = (
    "click", "yaml", "libcst", "tomli", "packaging", "platform", "json", "tree_sitter", "msgspec",
    "sitecustomize", "usercustomize",
)  # fmt: skip


@pytest.mark.parametrize(
    "options", [[], ["-P"], ["-s"]], ids=["plain", "safe path", "another option"]
)
@pytest.mark.parametrize(
    "arguments", [["check"], ["show"], ["--version"]], ids=lambda each: each[0]
)
def test_modules_of_the_project_are_not_imported(
    options: list[str], arguments: list[str], tmp_path: Path
) -> None:
    if "-P" in options and sys.version_info < (3, 11):
        options = []
    write(
        tmp_path,
        {
            "gunicorn.conf.py": "workers = 2\nmax_requests = 10\nmax_requests_jitter = 2\n",
            **{f"{name}.py": PLANTED for name in MODULES},
        },
    )
    done = python(*options, "-m", "gunilint", *arguments, cwd=tmp_path)
    assert not (tmp_path / "ran").exists()
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 1), done.stderr


def test_the_module_says_its_own_name(tmp_path: Path) -> None:
    assert python("-m", "gunilint", "--help", cwd=tmp_path).stdout.startswith("Usage: gunilint ")
