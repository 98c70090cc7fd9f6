"""Runs are told again only while all that they had seen is as it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gunilint import cache
from gunilint.cli import main
from gunilint.disk import Disk, digest, unchanged
from programs import python
from projects import write

PROJECT = {
    "pyproject.toml": "",
    "deploy/web.service": "[Service]\nWorkingDirectory=/srv/web\nExecStart=/srv/web/start.sh\n",
    "start.sh": "#!/bin/sh\nexec gunicorn -c gunicorn.conf.py app.main:app\n",
    "gunicorn.conf.py": "bind = '127.0.0.1:8000'\ntimeout = 60\n",
    "app/__init__.py": "",
    "app/main.py": "from fastapi import FastAPI\n\napp = FastAPI()\n",
}


@pytest.fixture
def project(tmp_path: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    write(root, PROJECT)
    monkeypatch.chdir(root)
    return root


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments])


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows with each run that is really made."""
    from gunilint import engine

    made: list[object] = []
    run = engine.run

    def counted(*arguments, **options):
        made.append(arguments)
        return run(*arguments, **options)

    monkeypatch.setattr(engine, "run", counted)
    return made


def test_same_run_is_told_again(project: Path, runs: list[object]) -> None:
    first, second = check(), check()
    assert len(runs) == 1
    assert first.exit_code == second.exit_code == 1
    assert first.stdout == second.stdout
    assert first.stderr == second.stderr
    assert "no-max-requests" in first.stdout


def remove(path: str) -> Callable[[], None]:
    return lambda: Path(path).unlink()


def text(path: str, content: str) -> Callable[[], None]:
    def change() -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        before = Path(path).stat() if Path(path).exists() else None
        Path(path).write_text(content)
        if before is not None:
            # neither a date nor a size tells that it is another file
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    return change


def linked(path: str, target: str) -> Callable[[], None]:
    def change() -> None:
        Path(path).unlink()
        Path(path).symlink_to(target)

    return change


CHANGES = {
    "a setting": text("gunicorn.conf.py", "bind = '127.0.0.1:8000'\ntimeout = 61\n"),
    "the script": text("start.sh", PROJECT["start.sh"].replace("exec ", "")),
    "the unit": text("deploy/web.service", PROJECT["deploy/web.service"] + "Type=notify\n"),
    "the application": text("app/main.py", "import flask\napp = flask.Flask('a')\n"),
    "a config less": remove("gunicorn.conf.py"),
    "a config more": text("other/gunicorn.conf.py", "workers = 1\n"),
    "a drop-in": text("deploy/web.service.d/a.conf", "[Service]\nTimeoutStopSec=5\n"),
    "another unit": text("deploy/nginx.service", "[Unit]\nAfter=web.service\n"),
    "what it depends on": text("requirements.txt", "gunicorn==20.1.0\n"),
    "a module of its folder": text("srv/app/main.py", "app = 1\n"),
    "gunilint's configuration": text("gunilint.toml", 'ignore = ["GU301"]\n'),
    "pyproject.toml": text("pyproject.toml", '[tool.gunilint]\nignore = ["GU301"]\n'),
    "what git ignores": text(".gitignore", "deploy/\n"),
    "a repository": text(".git/HEAD", ""),
    "a repository above": text("../.git/HEAD", ""),
    "a link": linked("gunicorn.conf.py", "app/main.py"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_change_makes_a_new_run(
    project: Path, runs: list[object], change: Callable[[], None]
) -> None:
    check()
    change()
    after = check()
    assert len(runs) == 2
    assert after.stdout == check("--no-cache").stdout


def test_what_no_run_looks_at_changes_nothing(project: Path, runs: list[object]) -> None:
    write(project, {"node_modules/a/gunicorn.conf.py": "", "app/other.py": "a = 1\n"})
    check()
    write(project, {"node_modules/b/gunicorn.conf.py": "", "app/other.py": "a = 2\n"})
    check()
    assert len(runs) == 1


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--select", "GU3"], {}),
        (["--format", "json"], {}),
        (["--gunicorn-version", "20.1.0"], {}),
        (["deploy"], {}),
        ([], {"GUNILINT_IGNORE": "GU301"}),
        ([], {"GITHUB_ACTIONS": "true"}),
        ([], {"FORCE_COLOR": "1"}),
    ],
)
def test_another_question_is_another_run(
    project: Path, runs: list[object], arguments: list[str], environment: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    check()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    made = check(*arguments)
    assert len(runs) == 2
    assert made.stdout == check("--no-cache", *arguments).stdout


@pytest.mark.parametrize(
    "arguments", [["--diff"], ["--fix"], ["--write-baseline", "b.json"], ["-"]]
)
def test_what_changes_files_or_reads_none_is_not_kept(project: Path, arguments: list[str]) -> None:
    check(*arguments)
    assert not (project.parent / "cache").exists()


def test_report_in_a_file_is_written_again(project: Path, runs: list[object]) -> None:
    arguments = ["--output", "sarif:out.sarif"]
    check(*arguments)
    first = Path("out.sarif").read_bytes()
    Path("out.sarif").unlink()
    check(*arguments)
    assert len(runs) == 1
    assert Path("out.sarif").read_bytes() == first


def test_file_that_changes_while_a_run_is_made_is_not_kept(project: Path) -> None:
    disk = Disk()
    path = str(project / "start.sh")
    disk.read(path, 1000)
    assert disk.looks is not None
    Path(path).write_text("other")
    disk.read(path, 1000)
    assert disk.looks is None


def test_looks_can_be_written_and_read(project: Path) -> None:
    disk = Disk()
    disk.folder(str(project))
    disk.kind(str(project / "nothing"))
    disk.real(str(project))
    disk.target(str(project / "start.sh"))
    disk.read(str(project / "start.sh"), 10)
    with pytest.raises(OSError, match="No such file"):
        disk.read(str(project / "nothing"), 10)
    looks = json.loads(json.dumps(disk.looks))
    assert unchanged(looks)
    (project / "nothing").write_text("")
    assert not unchanged(looks)


def kept(project: Path) -> Path:
    (file,) = (project.parent / "cache").glob("*.run")
    return file


BROKEN = {
    "empty": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "a byte": lambda data: data.replace(b"max_requests", b"max_requestz"),
    "foreign": lambda data: b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "no JSON": lambda data: digest(b"{").encode() + b"\n{",
    "a list": lambda data: digest(b"[]").encode() + b"\n[]",
    "another form": lambda data: digest(b'{"outputs":1}').encode() + b'\n{"outputs":1}',
    "looks": lambda data: (
        (b := b'{"outputs":[],"notes":[],"status":0,"looks":[1]}')
        and digest(b).encode() + b"\n" + b
    ),
}


@pytest.mark.parametrize("spoil", BROKEN.values(), ids=BROKEN)
def test_broken_file_is_no_run(project: Path, runs: list[object], spoil) -> None:
    first = check()
    kept(project).write_bytes(spoil(kept(project).read_bytes()))
    second = check()
    assert len(runs) == 2
    assert (second.exit_code, second.stdout) == (first.exit_code, first.stdout)
    check()
    assert len(runs) == 2


def test_folder_in_the_place_of_a_run(project: Path, runs: list[object]) -> None:
    first = check()
    file = kept(project)
    file.unlink()
    file.mkdir()
    assert check().stdout == first.stdout


@pytest.mark.parametrize("place", ["file", "/proc/gunilint", "/dev/full/cache"])
def test_folder_that_can_not_be_written_to_is_no_error(
    project: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project.parent, {"file": ""})
    monkeypatch.setenv("GUNILINT_CACHE_DIR", str(project.parent / place))
    expected = check("--no-cache")
    if place == "file":
        # a file is no folder, and click says so
        assert check().exit_code == 2
        return
    found = check()
    assert (found.exit_code, found.stdout, found.stderr) == (1, expected.stdout, expected.stderr)


def test_full_disk_leaves_no_draft(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> int:
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert check().exit_code == 1
    assert list((project.parent / "cache").iterdir()) == []


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"XDG_CACHE_HOME": "/c", "HOME": "/h"}, Path("/c/gunilint")),
        ({"HOME": "/h"}, Path("/h/.cache/gunilint")),
        ({"XDG_CACHE_HOME": "c", "HOME": "/h"}, None),
        ({"HOME": "h"}, None),
        ({}, None),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="the folders of other systems")
def test_folder_of_the_user(environ: Mapping[str, str], folder: Path | None) -> None:
    assert cache.default_folder(environ) == folder


def test_without_a_home_nothing_is_kept(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GUNILINT_CACHE_DIR", "HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert check().exit_code == 1


def test_another_gunilint_does_not_take_it(
    project: Path, runs: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    check()
    monkeypatch.setattr(cache, "__version__", "9.9")
    check()
    assert len(runs) == 2


def test_package_installed_beside_it_counts(
    project: Path, runs: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = project.parent / "site-packages"
    beside.mkdir()
    monkeypatch.syspath_prepend(str(beside))
    check()
    (beside / "libcst-9.dist-info").mkdir()
    os.utime(beside, (0, 0))
    check()
    assert len(runs) == 2


def test_oldest_runs_go(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "KEPT", 2)
    for number, rule in enumerate(("GU301", "GU302", "GU303")):
        check("--select", rule)
        for file in (project.parent / "cache").glob("*.run"):
            if file.stat().st_mtime > 10:
                os.utime(file, (number, number))
    left = sorted(file.stat().st_mtime for file in (project.parent / "cache").glob("*.run"))
    assert left == [1, 2]


def test_clean_removes_what_is_kept_and_nothing_else(project: Path) -> None:
    check()
    folder = project.parent / "cache"
    (folder / ("a" * 32 + ".run.123")).write_text("left by a killed run")
    (folder / ("a" * 32 + ".parsed.123")).write_text("so is this")
    (folder / "mine.txt").write_text("")
    done = CliRunner().invoke(main, ["clean"])
    assert done.stdout == f"1 run removed from {folder}\n"
    assert [file.name for file in folder.iterdir()] == ["mine.txt"]
    assert CliRunner().invoke(main, ["clean"]).stdout == "0 runs removed\n"


def start(project: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "gunilint"], cwd=project, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_runs_at_the_same_time(project: Path) -> None:
    expected = check("--no-cache").stdout
    for _ in range(2):
        started = [start(project) for _ in range(4)]
        assert {each.communicate()[0] for each in started} == {expected}
    left = (project.parent / "cache").iterdir()
    assert sorted(file.suffix for file in left) == [".parsed", ".run"]


def test_killed_runs_spoil_nothing(project: Path) -> None:
    expected = check("--no-cache").stdout
    for number in range(6):
        killed = start(project)
        time.sleep(0.15 * number)
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
        assert check().stdout == expected
        CliRunner().invoke(main, ["clean"])


def test_there_is_a_cache_where_python_looks_into_the_working_directory(
    project: Path, cache_folder: Path
) -> None:
    python("-c", "from gunilint.cli import main; main([])", cwd=project)
    assert list(cache_folder.glob("*.run"))
