"""What gunilint does when something around it, or in it, goes wrong."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from gunilint import __version__, engine, fix
from gunilint.cli import main
from gunilint.disk import Disk
from gunilint.policy import Policy, same
from gunilint.rules import load_rules
from programs import soon
from projects import write

ROOT = Path(__file__).parents[1]
FILES = {
    "pyproject.toml": "",
    "gunicorn.conf.py": "bind = '127.0.0.1:8000'\nraw_env = ['TOKEN=hunter2hunter2']\nreload = True\n",
    "start.sh": "#!/bin/sh\ngunicorn -c gunicorn.conf.py app:app\n",
}
PROGRAM = (sys.executable, "-m", "gunilint")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    write(root, FILES)
    return root


def run(
    project: Path, *arguments: str, shell: str | None = None, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """gunilint in a process of its own; `shell` is a line in which "$@" stands for it."""
    command = [*PROGRAM, *arguments]
    if shell is not None:
        command = ["/bin/sh", "-c", shell, "sh", *command]
    return subprocess.run(
        command, cwd=project, capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **(environ or {})},
    )  # fmt: skip


# bugs of gunilint's own


def fails(*_arguments: object) -> None:
    raise KeyError("hunter2hunter2 of /home/me/secret.py")


def invoke(project: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str):
    monkeypatch.chdir(project)
    return CliRunner().invoke(main, ["check", *arguments])


def test_bug_in_a_check_costs_its_own_findings(project: Path, monkeypatch) -> None:
    before = invoke(project, monkeypatch, "--format", "concise").stdout.splitlines()
    monkeypatch.setattr("gunilint.checks.settings.setting_is", fails)
    found = invoke(project, monkeypatch, "--format", "concise", "--output", "sarif:out.sarif")
    left = found.stdout.splitlines()
    assert found.exit_code == 2
    assert 0 < len(left) < len(before)
    assert set(left) < set(before)
    assert not Path("out.sarif").exists()
    assert "error: that is a bug in GU301, whose findings may be missing" in found.stderr


def test_report_of_a_bug_has_what_a_maintainer_needs_and_nothing_private(
    project: Path, monkeypatch
) -> None:
    monkeypatch.setattr("gunilint.checks.settings.setting_is", fails)
    told = invoke(project, monkeypatch).stderr
    assert f"gunilint {__version__}, Python {sys.version.split()[0]}" in told
    assert "libcst" in told
    assert "builtins.KeyError" in told
    assert "  gunilint.engine:" in told
    assert told.splitlines()[-2].endswith(" in fails")
    assert "/issues" in told
    for private in ("hunter2", "secret", str(project), str(ROOT), sys.prefix):
        assert private not in told


@pytest.mark.parametrize("place", ["gunilint.engine.resolve", "gunilint.report.text.render"])
def test_bug_elsewhere_is_told_the_same_way(project: Path, monkeypatch, place: str) -> None:
    monkeypatch.setattr(place, fails)
    found = invoke(project, monkeypatch)
    assert (found.exit_code, found.stdout) == (2, "")
    assert "error: that is a bug in gunilint; please report it" in found.stderr
    assert "hunter2" not in found.stderr
    assert "Traceback" not in found.stderr


def test_bug_in_a_fix_costs_that_fix(project: Path, monkeypatch) -> None:
    fixable = {"GU305", "GU301"}
    result = engine.run([project], same(Policy(load_rules())))
    assert {finding.rule.code for finding in result.findings if finding.fix} == fixable
    propose = fix.propose
    monkeypatch.setattr(
        fix, "propose", lambda remedy, *more: (fails if "1000" in str(remedy) else propose)(remedy, *more)
    )  # fmt: skip
    result = engine.run([project], same(Policy(load_rules())))
    assert [code for code, _ in result.errors] == ["GU301"]
    assert {finding.rule.code for finding in result.findings} >= fixable
    assert {finding.rule.code for finding in result.findings if finding.fix} == {"GU305"}
    assert invoke(project, monkeypatch, "--fix").exit_code == 2
    assert (project / "gunicorn.conf.py").read_text() == FILES["gunicorn.conf.py"]


def test_baseline_is_not_written_after_a_bug(project: Path, monkeypatch) -> None:
    monkeypatch.setattr("gunilint.checks.settings.setting_is", fails)
    assert invoke(project, monkeypatch, "--write-baseline", "known.json").exit_code == 2
    assert not Path("known.json").exists()


def test_run_with_a_bug_is_not_kept(project: Path, monkeypatch, cache_folder: Path) -> None:
    monkeypatch.setattr("gunilint.checks.settings.setting_is", fails)
    assert invoke(project, monkeypatch).exit_code == 2
    assert list(cache_folder.glob("*.run")) == []


# signals


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_ends_a_run(tmp_path: Path, number: int, status: int) -> None:
    for index in range(400):
        write(tmp_path, {f"s{index}/{name}": text for name, text in FILES.items() if "." in name})
    process = subprocess.Popen(
        [*PROGRAM, ".", "--output", "sarif:out.sarif"], cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    maps = Path(f"/proc/{process.pid}/maps")
    assert soon(lambda: "libcst" in maps.read_text())
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (status, "")
    assert "Traceback" not in err
    assert not list(tmp_path.glob("*out.sarif*"))


def test_stop_in_the_middle_of_writing_leaves_the_old_file(project: Path) -> None:
    (project / "out.json").write_text("old")
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom gunilint.cli import main\n"
        "def stop(*_): os.kill(os.getpid(), signal.SIGTERM)\n"
        "os.fsync = stop\nmain(['check', '--format', 'json', '--output-file', 'out.json'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=False,
        timeout=120, env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert done.returncode == 143
    assert sorted(path.name for path in project.iterdir()) == sorted([*FILES, "out.json"])
    assert (project / "out.json").read_text() == "old"


# what it writes to


def test_reader_that_has_seen_enough_is_no_error(project: Path) -> None:
    for arguments in ([], ["rules"], ["rules", "--format", "json"], ["explain", "GU203"]):
        done = run(project, *arguments, shell='"$@" | head -c 1; echo')
        assert (done.returncode, done.stderr) == (0, ""), arguments
        assert len(done.stdout) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
@pytest.mark.parametrize("arguments", [[], ["rules"], ["show"]])
def test_full_disk_under_standard_output(project: Path, arguments: list[str]) -> None:
    done = run(project, *arguments, shell='exec "$@" >/dev/full')
    assert done.returncode == 2
    assert done.stderr == "error: standard output can't be written: No space left on device\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
def test_full_disk_under_a_report(project: Path) -> None:
    done = run(project, "--output", "sarif:/dev/full")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: /dev/full can't be written: No space left on device\n"


def test_closed_standard_output(project: Path) -> None:
    done = run(project, shell='exec "$@" >&-')
    assert done.returncode == 2
    assert done.stderr == "error: there is no standard output to write to: it is closed\n"
    done = run(project, "--output-file", "out.txt", shell='exec "$@" >&-')
    assert (done.returncode, done.stderr) == (1, "")
    assert "problems" in (project / "out.txt").read_text()


def test_closed_standard_error_and_input(project: Path) -> None:
    assert run(project, shell='exec "$@" 2>&-').returncode == 1
    assert run(project, "nothing-here", shell='exec "$@" 2>&-').returncode == 2
    assert run(project, shell='exec "$@" <&-').returncode == 1
    done = run(project, "-", shell='exec "$@" <&-')
    assert done.returncode == 2
    assert done.stderr == "error: there is no standard input to read: it is closed\n"


def test_folder_in_the_place_of_a_report(project: Path) -> None:
    (project / "out").mkdir()
    assert run(project, "--output", "json:out").returncode == 2
    assert run(project, "--output", "json:no/out").returncode == 2


# what it reads


@pytest.fixture
def nobody(project: Path) -> str:
    """A shell line that runs gunilint as somebody who may not read everything."""
    if os.geteuid() != 0:
        return 'exec "$@"'
    if shutil.which("setpriv") is None:
        pytest.skip("root may read everything")
    for folder in (project, *project.parents):
        if folder != Path("/") and folder.stat().st_uid == 0 and not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o055)
    return 'exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"'


def test_file_that_may_not_be_read_is_a_finding(project: Path, nobody: str) -> None:
    (project / "gunicorn.conf.py").chmod(0)
    done = run(project, "--format", "concise", shell=nobody)
    if "No module named" in done.stderr or "Permission denied: '/root" in done.stderr:
        pytest.skip("somebody else may not even read this Python")
    assert done.returncode == 1
    assert "`gunicorn.conf.py` can't be read: Permission denied" in done.stdout


def test_folder_that_may_not_be_read_is_left_out(project: Path, nobody: str) -> None:
    write(project, {"closed/gunicorn.conf.py": "workers = 1\n"})
    (project / "closed").chmod(0)
    done = run(project, "--format", "concise", shell=nobody)
    (project / "closed").chmod(0o755)
    if "No module named" in done.stderr or "Permission denied: '/root" in done.stderr:
        pytest.skip("somebody else may not even read this Python")
    assert done.returncode == 1
    assert "closed" not in done.stdout


def test_file_that_vanishes_while_it_is_looked_at(project: Path, monkeypatch) -> None:
    seen = Disk.folder

    def removing(disk: Disk, path: str):
        entries = seen(disk, path)
        if path == str(project):
            (project / "gunicorn.conf.py").unlink(missing_ok=True)
        return entries

    monkeypatch.setattr(Disk, "folder", removing)
    result = engine.run([project], same(Policy(load_rules())))
    assert result.errors == ()
    assert "`gunicorn.conf.py` can't be read: No such file or directory" in {
        finding.message for finding in result.findings
    }


def test_file_that_changes_while_it_is_fixed_stays(project: Path, monkeypatch) -> None:
    def changed_meanwhile(*arguments: object, **options: object):
        found = repair(*arguments, **options)
        (project / "gunicorn.conf.py").write_text("# mine\nreload = True\n")
        return found

    repair = engine.repair
    monkeypatch.setattr(engine, "repair", changed_meanwhile)
    done = invoke(project, monkeypatch, "--fix", "--unsafe-fixes")
    assert done.exit_code == 2
    assert "has changed" in done.stderr
    assert (project / "gunicorn.conf.py").read_text() == "# mine\nreload = True\n"


def test_clock_does_not_matter(project: Path, monkeypatch) -> None:
    expected = invoke(project, monkeypatch).stdout
    for moment in (0.0, -1.0, 1e12):
        for name in ("time", "monotonic", "perf_counter"):
            monkeypatch.setattr(time, name, lambda moment=moment: moment)
        assert invoke(project, monkeypatch).stdout == expected
    for path in project.iterdir():
        os.utime(path, (2**33, 2**33))
    assert invoke(project, monkeypatch).stdout == expected


# where it runs


def test_without_home_locale_or_user(project: Path) -> None:
    expected = run(project).stdout
    done = subprocess.run(
        [*PROGRAM], cwd=project, capture_output=True, text=True, check=False, timeout=120,
        env={"PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (1, expected, "")


@pytest.mark.parametrize(
    "environ",
    [
        {"LANG": "C", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONUTF8": "0", "LC_ALL": "POSIX", "PYTHONIOENCODING": "latin-1"},
    ],
)
def test_any_locale(project: Path, environ: Mapping[str, str]) -> None:
    write(project, {"gunicorn.conf.py": "proc_name = 'grün → 日本'\nreload = 'é'\n"})
    expected = run(project, "--format", "json")
    done = run(project, "--format", "json", environ=environ)
    assert (done.returncode, done.stdout, done.stderr) == (1, expected.stdout, "")
    for arguments in (["show"], ["explain", "GU203"], ["--help"], ["rules"], ["nö"]):
        assert "Traceback" not in run(project, *arguments, environ=environ).stderr


def test_name_that_is_not_utf8(project: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(project) + b"/d\xe9ploy"))
    folder.mkdir()
    (folder / "gunicorn.conf.py").write_text("reload = True\n")
    for name in ("text", "json", "sarif", "github", "gitlab", "junit", "html"):
        done = run(project, "--format", name)
        assert done.returncode == 1, done.stderr
        assert "ploy" in done.stdout


def test_working_directory_that_is_gone(project: Path) -> None:
    done = run(project, shell='mkdir gone; cd gone; rmdir ../gone; exec "$@"')
    assert done.returncode == 2
    assert done.stderr == (
        "error: the working directory isn't there any more; change to one that is\n"
    )


@pytest.mark.parametrize("name", ["a" * 300, "a/" * 3000 + "a", "a\nb", "\x1b[31m", "a\\udc80"])
def test_argument_that_is_no_file(project: Path, name: str) -> None:
    done = run(project, name)
    assert done.returncode == 2
    assert done.stderr.endswith(": no such file or folder\n")
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr
