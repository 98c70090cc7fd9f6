"""What is released: the package, the manual page, and the versions that everything names."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from email.parser import BytesParser
from pathlib import Path

import pytest

import build_man
import release
from gunilint import __version__
from gunilint.cli import main as cli
from gunilint.report import rule_url
from gunilint.rules import load_rules, rule_of
from programs import program

ROOT = Path(__file__).parents[1]
EPOCH = "1700000000"
IGNORED = shutil.ignore_patterns(
    ".git", ".venv", "*.egg-info", "__pycache__", ".*_cache", ".oracle", ".hypothesis", "dist"
)


# versions


def test_everything_names_the_same_version() -> None:
    assert list(release.disagreements(release.texts())) == []
    assert (rule_url(load_rules()[0]) or "").startswith(
        f"https://github.com/gunilint/gunilint/blob/v{__version__}/docs/rules/"
    )


FILES = {
    release.MODULE: '"""x."""\n\n__version__ = "0.2.0"\n',
    release.CHANGELOG: "# Changelog\n\n## Unreleased\n\n- x\n\n## 0.2.0 - 2026-01-02\n\n## 0.1.0 - 2026-01-01\n",
    "man/gunilint.1": '.TH GUNILINT 1 "2026-01-02" "gunilint 0.2.0"\n',
    "README.md": "- repo: https://github.com/gunilint/gunilint\n  rev: v0.2.0\n",
    "docs/a.yml": "- uses: gunilint/gunilint@v0.2.0\n- uses: actions/checkout@v5\n",
    "rules/GU001-x.yaml": 'since: "0.2.0"\n',
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        ("README.md", "v0.2.0", "v0.1.0", "README.md:2: names 0.1.0, not 0.2.0"),
        ("docs/a.yml", "@v0.2.0", "@v0.3.0", "docs/a.yml:1: names 0.3.0, not 0.2.0"),
        ("docs/a.yml", "- uses: actions", "pip install gunilint==0.1.9\n", "docs/a.yml:2: names 0.1.9, not 0.2.0"),
        ("man/gunilint.1", "0.2.0", "0.1.0", "man/gunilint.1: it isn't of this version; run python scripts/build_man.py"),
        ("rules/GU001-x.yaml", "0.2.0", "0.3.0", "rules/GU001-x.yaml: came with 0.3.0, which isn't there yet"),
        (release.MODULE, "0.2.0", "0.2.0-rc1", f"{release.MODULE}: '0.2.0-rc1' is written 0.2.0rc1"),
        (release.MODULE, "0.2.0", "next", f"{release.MODULE}: 'next' is no version"),
        (release.CHANGELOG, "## 0.2.0 - 2026-01-02", "", f"{release.CHANGELOG}: its newest release is 0.1.0, not 0.2.0"),
        (release.CHANGELOG, " - 2026-01-01", "", f"{release.CHANGELOG}: 0.1.0 has no date"),
        (release.CHANGELOG, "## Unreleased", "## 0.4.0 - 2026-01-04", f"{release.CHANGELOG}: it begins neither with Unreleased nor with 0.2.0"),
    ],
)  # fmt: skip
def test_what_disagrees_is_named(path: str, old: str, new: str, said: str) -> None:
    assert list(release.disagreements(FILES)) == []
    files = {**FILES, path: FILES[path].replace(old, new)}
    assert said in list(release.disagreements(files))


def test_a_new_version_is_written_everywhere() -> None:
    new = {**FILES, **release.changed(FILES, "0.3.0", "2026-02-03")}
    assert "## 0.3.0 - 2026-02-03\n\n- x\n\n## 0.2.0 - 2026-01-02" in new[release.CHANGELOG]
    assert "rev: v0.3.0" in new["README.md"]
    assert "gunilint@v0.3.0\n- uses: actions/checkout@v5" in new["docs/a.yml"]
    # the one thing that a script of its own writes
    new["man/gunilint.1"] = FILES["man/gunilint.1"].replace("0.2.0", "0.3.0")
    assert list(release.disagreements(new)) == []


# the manual page


def test_manual_page_is_fresh() -> None:
    page = (ROOT / "man/gunilint.1").read_text(encoding="utf-8")
    assert page == build_man.page(), "run python scripts/build_man.py"


def test_manual_page_has_every_command_and_option() -> None:
    page = (ROOT / "man/gunilint.1").read_text(encoding="utf-8").replace(r"\-", "-")
    for name, command in cli.commands.items():
        assert f".SS \\fB{name}\\fR\n" in page
        for option in command.params:
            for spelling in (spelling for spelling in option.opts if spelling.startswith("-")):
                assert f"\\fB{spelling}\\fR" in page


def test_manual_page_is_well_made() -> None:
    mandoc = program("mandoc")
    command = [mandoc, "-T", "lint", "man/gunilint.1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    shown = subprocess.run(
        [mandoc, "-T", "ascii", "man/gunilint.1"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout  # fmt: skip
    plain = re.sub(".\b", "", shown)
    assert "     gunilint [check] [options] [PATHS]..." in plain
    assert "--fail-on error|warning|note" in plain


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        ("`-x` isn't a\\b", [r"\fB\-x\fR isn\(aqt a\eb"]),
        (".TH", [r"\&.TH"]),
        ("a " * 39 + "`.b`", ["a " * 38 + "a", r"\fB.b\fR"]),
        ("a " * 39 + ".b", ["a " * 38 + "a", r"\&.b"]),
    ],
)
def test_prose_is_no_markup(words: str, lines: list[str]) -> None:
    assert list(build_man.text(words)) == lines


# the package


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the source distribution and the wheel, which is made from it."""
    return build(tmp_path_factory.mktemp("built"), 0o022, "UTC")


def build(folder: Path, umask: int, timezone: str) -> Path:
    copy = folder / "gunilint"
    shutil.copytree(ROOT, copy, ignore=IGNORED, symlinks=True)
    for path in copy.rglob("*"):
        executable = path.stat().st_mode & 0o100
        path.chmod(0o777 & ~umask if executable else 0o666 & ~umask)
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist", copy],
        env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH, "TZ": timezone},
        check=True, timeout=300, capture_output=True, preexec_fn=lambda: os.umask(umask) and None,
    )  # fmt: skip
    return folder / "dist"


def one(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(pattern)
    return path


def test_whoever_builds_it_gets_the_same_bytes(built: Path, tmp_path: Path) -> None:
    again = build(tmp_path / "elsewhere", 0o077, "Asia/Tokyo")
    for path in built.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes(), path.name


def test_checkers_of_packages_find_nothing(built: Path) -> None:
    folder = Path(sys.executable).parent
    for command in (
        [folder / "twine", "check", "--strict", *built.iterdir()],
        [folder / "check-wheel-contents", one(built, "*.whl")],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr


def test_wheel_has_what_gunilint_needs(built: Path) -> None:
    with zipfile.ZipFile(one(built, "*.whl")) as wheel:
        names = set(wheel.namelist())
        info = f"gunilint-{__version__}.dist-info"
        about = BytesParser().parsebytes(wheel.read(f"{info}/METADATA"))
        assert wheel.read(f"{info}/entry_points.txt").strip() == (
            b"[console_scripts]\ngunilint = gunilint.__main__:run"
        )
    rules = {"gunilint/rules.jsonl"}
    modules = {
        f"gunilint/{path.relative_to(ROOT / 'src/gunilint').as_posix()}"
        for path in (ROOT / "src/gunilint").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    extra = {"licenses/LICENSE", "METADATA", "RECORD", "WHEEL", "entry_points.txt"}
    page = f"gunilint-{__version__}.data/data/share/man/man1/gunilint.1"
    assert names == rules | modules | {f"{info}/{name}" for name in extra} | {page}
    assert "gunilint/py.typed" in names

    assert (about["Version"], about["License-Expression"]) == (__version__, "MIT")
    assert about["Requires-Python"] == ">=3.10"
    assert about["Description-Content-Type"] == "text/markdown"
    description = str(about.get_payload())
    assert re.findall(r"\]\((?!https://|#)", description) == []
    assert f"gunilint/gunilint/blob/v{__version__}/docs/rules/GU301.md" in description


def test_source_distribution_has_all_that_git_has(built: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    tracked = {name for name in done.stdout.split("\0") if name and (ROOT / name).exists()}
    with tarfile.open(one(built, "*.tar.gz")) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names == tracked | {"PKG-INFO"}


def test_tests_run_from_the_source_distribution(built: Path, tmp_path: Path) -> None:
    with tarfile.open(one(built, "*.tar.gz")) as archive:
        archive.extractall(tmp_path, filter="data")
    folder = tmp_path / f"gunilint-{__version__}"
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    for arguments in (["--collect-only", "tests"], ["tests/test_fixtures.py"]):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
            cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:]


def test_rules_of_the_wheel_are_those_of_their_files(built: Path) -> None:
    with zipfile.ZipFile(one(built, "*.whl")) as wheel:
        lines = wheel.read("gunilint/rules.jsonl").splitlines()
    pairs = zip(lines[::2], lines[1::2], strict=True)
    assert tuple(rule_of(json.loads(rule), told.decode()) for rule, told in pairs) == load_rules()


def test_wheel_works_in_an_environment_of_its_own(built: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    folder = tmp_path / "env/bin"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def run(*command: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(word) for word in command], cwd=tmp_path, env=environment, capture_output=True,
            text=True, check=False, timeout=300,
        )  # fmt: skip

    done = run(folder / "python", "-m", "pip", "install", "-q", one(built, "*.whl"))
    assert done.returncode == 0, done.stderr
    assert run(folder / "gunilint", "--version").stdout.startswith(f"gunilint {__version__} (")
    assert len(run(folder / "gunilint", "rules").stdout.splitlines()) == len(load_rules())
    found = run(folder / "gunilint", ROOT / "tests/fixtures/six-pitfalls", "--format", "concise")
    expected = (ROOT / "tests/fixtures/six-pitfalls/expected.txt").read_text(encoding="utf-8")
    assert found.returncode == 1
    assert len(found.stdout.splitlines()) == len(expected.splitlines())
    page = tmp_path / "env/share/man/man1/gunilint.1"
    assert page.read_bytes() == (ROOT / "man/gunilint.1").read_bytes()


def test_archives_are_not_of_today(built: Path) -> None:
    """The time of the release is in them, not that of whoever builds them."""
    with tarfile.open(fileobj=io.BytesIO(one(built, "*.tar.gz").read_bytes())) as archive:
        assert {int(member.mtime) for member in archive.getmembers()} == {int(EPOCH)}
