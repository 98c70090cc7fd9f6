"""The command line: arguments, streams, exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from platform import python_version

import pytest
from click.testing import CliRunner, Result

from gunilint import __version__
from gunilint.__main__ import run as run_installed
from gunilint.cli import main
from gunilint.output import FORMATS
from gunilint.versions import latest
from projects import write

BAD = {"start.sh": "#!/bin/sh\nexec gunicorn shop.wsgi --max-requests 1000 --access-logfile -\n"}
WARNING = "start.sh:2:40: GU302 warning"
NOTE = {
    "start.sh": "#!/bin/sh\nexec gunicorn -k uvicorn.workers.UvicornWorker "
    "--max-requests 9 --max-requests-jitter 3 shop:app\n"
}
KNOWN = f"19.9.0 to {latest()}"
GOOD = {"start.sh": BAD["start.sh"].rstrip() + " --max-requests-jitter 50\n"}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run gunilint in a project given as path → text."""
    monkeypatch.chdir(tmp_path)

    def invoke(files: dict[str, str], *arguments: str) -> Result:
        write(tmp_path, files)
        result = CliRunner().invoke(main, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    return invoke


@pytest.mark.parametrize(
    ("files", "arguments", "status"),
    [
        pytest.param(GOOD, [], 0, id="clean"),
        pytest.param(BAD, [], 1, id="warning"),
        pytest.param(BAD, ["--fail-on", "error"], 0, id="warning, fail on error"),
        pytest.param(NOTE, [], 0, id="note"),
        pytest.param(NOTE, ["--fail-on", "note"], 1, id="note, fail on note"),
        pytest.param(BAD, ["--exit-zero"], 0, id="exit zero"),
        pytest.param(BAD, ["--ignore", "GU302"], 0, id="ignored"),
        pytest.param(BAD, ["--select", "GU301"], 0, id="another selected"),
        pytest.param(BAD, ["--select", "lifecycle"], 1, id="category selected"),
        pytest.param(BAD, ["nowhere"], 2, id="missing path"),
        pytest.param(BAD, ["--select", "GU999"], 2, id="unknown rule"),
        pytest.param(BAD, ["--colour"], 2, id="unknown option"),
        pytest.param(BAD, ["--gunicorn-version", "latest"], 2, id="bad version"),
        pytest.param(BAD, ["--output-file", "no/such/folder"], 2, id="unwritable output"),
        pytest.param({}, [], 3, id="nothing to lint"),
        pytest.param({}, ["--allow-empty"], 0, id="nothing to lint, allowed"),
        pytest.param({"notes.txt": "gunicorn"}, ["notes.txt"], 3, id="not a deployment file"),
    ],
)
@pytest.mark.parametrize("output_format", FORMATS)
def test_exit_status_is_the_same_in_every_format(
    run, files, arguments, status, output_format
) -> None:
    assert run(files, "--format", output_format, *arguments).exit_code == status


@pytest.mark.parametrize("arguments", [[], ["check"], ["."], ["check", "."], ["start.sh"]])
def test_check_is_the_default_command(run, arguments: list[str]) -> None:
    assert WARNING in run(BAD, *arguments, "--format", "concise").stdout


def test_options_may_come_before_the_path(run) -> None:
    assert WARNING in run(BAD, "--format", "concise", "start.sh").stdout


def test_findings_go_to_stdout_and_all_else_to_stderr(run) -> None:
    result = run({}, "--format", "json")
    assert result.stdout == ""
    assert "nothing to lint" in result.stderr


def test_clean_run_says_how_much_was_checked(run) -> None:
    assert run(GOOD).stdout == "1 file checked, 1 deployment, no problems\n"


def test_output_file_takes_the_findings(run, tmp_path: Path) -> None:
    result = run(BAD, "--format", "json", "--output-file", "out.json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert json.loads((tmp_path / "out.json").read_text())["findings"][0]["code"] == "GU302"


def test_paths_are_relative_to_the_working_directory(run, tmp_path, monkeypatch) -> None:
    write(tmp_path, {"deploy/start.sh": BAD["start.sh"]})
    monkeypatch.chdir(tmp_path / "deploy")
    result = CliRunner().invoke(main, ["--format", "json"])
    assert json.loads(result.stdout)["findings"][0]["path"] == "start.sh"
    sarif = json.loads(CliRunner().invoke(main, ["--format", "sarif"]).stdout)
    location = sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "deploy/start.sh"


SUPPRESSED = {"start.sh": BAD["start.sh"].rstrip() + "  # gunilint: ignore[GU302] one worker\n"}


def test_suppressed_findings_are_counted_and_listed_in_json_only(run) -> None:
    result = run(SUPPRESSED)
    assert (result.exit_code, result.stdout) == (
        0,
        "1 file checked, 1 deployment, no problems; 1 suppressed\n",
    )
    document = json.loads(run(SUPPRESSED, "--format", "json").stdout)
    (hidden,) = document["suppressed"]
    assert hidden["code"] == "GU302"
    assert hidden["suppression"] == {"path": "start.sh", "line": 2, "reason": "one worker"}
    sarif = json.loads(run(SUPPRESSED, "--format", "sarif").stdout)
    assert sarif["runs"][0]["results"] == []


def test_suppressions_can_be_switched_off(run) -> None:
    result = run(SUPPRESSED, "--no-suppressions", "--format", "concise")
    assert result.exit_code == 1
    assert WARNING in result.stdout


def test_version(run) -> None:
    shown = run({}, "--version").stdout
    assert shown == f"gunilint {__version__} (Python {python_version()}, gunicorn {KNOWN})\n"


@pytest.mark.parametrize("key", ["GU303", "gu303", "preload-with-async-engine"])
def test_explain_takes_a_code_or_a_name(run, key: str) -> None:
    text = run({}, "explain", key).stdout
    for part in ("GU303 preload-with-async-engine", "Why", "What to do", "Found", "Fine"):
        assert part in text


def test_explain_suggests_the_nearest_rule(run) -> None:
    result = run({}, "explain", "no-max-request")
    assert result.exit_code == 2
    assert "did you mean no-max-requests?" in result.stderr


def test_rules_are_listed_as_text_and_json(run) -> None:
    assert "GU301  warning  no-max-requests" in run({}, "rules").stdout
    listed = json.loads(run({}, "rules", "--format", "json").stdout)
    assert {rule["code"] for rule in listed} >= {"GU001", "GU301", "GU406"}


def test_rules_say_whether_a_run_or_a_source_backs_them(run) -> None:
    listed = json.loads(run({}, "rules", "--format", "json").stdout)
    evidence = {rule["code"]: rule["evidence"] for rule in listed}
    assert evidence["GU301"]["kind"] == "run"
    assert all("tests/" in test for test in evidence["GU301"]["tests"])
    assert evidence["GU309"]["kind"] == "citation"
    assert evidence["GU309"]["tests"] == []
    assert evidence["GU309"]["source"].startswith("Measured on systemd 252")
    assert all(entry["tests"] or entry["source"] for entry in evidence.values())


def test_explain_says_whether_a_run_or_a_source_backs_a_rule(run) -> None:
    text = run({}, "explain", "GU301").stdout
    assert "Run: these tests show it with the real program.\n  - tests/evidence/" in text
    assert "Measured or cited: https://" in text
    text = run({}, "explain", "GU309").stdout
    assert "Cited, no test runs it:" in text
    assert "Run:" not in text


OLD_RELOAD = "the master doesn't wait for the old workers"
NEW_RELOAD = "the master waits for the old workers"


@pytest.mark.parametrize(
    ("arguments", "headings", "said", "unsaid"),
    [
        ([], ["With gunicorn <24:", "With gunicorn >=24:"], [OLD_RELOAD, NEW_RELOAD], []),
        (["--gunicorn-version", "23.0.0"], ["With gunicorn 23.0.0:"], [OLD_RELOAD], [NEW_RELOAD]),
        (["--gunicorn-version", "24.0"], ["With gunicorn 24.0:"], [NEW_RELOAD], [OLD_RELOAD]),
    ],
    ids=["any", "23", "24"],
)
def test_explain_tells_what_is_true_of_a_version(run, arguments, headings, said, unsaid) -> None:
    lines = run({}, "explain", "GU201", *arguments).stdout.splitlines()
    text = " ".join(line.strip() for line in lines)
    assert [line.strip() for line in lines if line.startswith("  With gunicorn")] == headings
    assert all(part in text for part in said)
    assert not any(part in text for part in unsaid)


def test_explain_says_when_a_rule_is_not_about_a_version(run) -> None:
    notice = "This rule isn't about gunicorn 25.0, only about >=25.1."
    assert notice in run({}, "explain", "GU610", "--gunicorn-version", "25.0").stdout
    assert "isn't about" not in run({}, "explain", "GU610", "--gunicorn-version", "25.1.0").stdout
    assert run({}, "explain", "GU610", "--gunicorn-version", "new").exit_code == 2


def test_gunicorn_version_decides_what_exists(run) -> None:
    files = {
        "start.sh": GOOD["start.sh"].replace("exec gunicorn", "exec gunicorn --asgi-loop auto")
    }
    assert run(files, "--gunicorn-version", "24.0.0").exit_code == 0
    result = run(files, "--gunicorn-version", "23.0.0")
    assert "gunicorn 23.0.0 has no option `--asgi-loop`" in result.stdout


def test_reader_that_closes_early_gets_no_traceback(tmp_path: Path) -> None:
    write(tmp_path, {f"{n}/start.sh": BAD["start.sh"] for n in range(300)})
    command = f"{sys.executable} -m gunilint . | head -1"
    done = subprocess.run(
        command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.startswith("note[GU101]") or done.stdout.startswith("warning[GU302]")
    assert done.stderr == ""


def test_explain_shows_no_two_blank_lines_in_a_row(run) -> None:
    for rule in ("GU001", "GU201", "GU401"):
        assert "\n\n\n" not in run({}, "explain", rule).stdout


LEAVE = (
    "import sys; from gunilint.__main__ import run; sys.argv = ['gunilint', *sys.argv[1:]]; run()"
)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--version"], 0, f"gunilint {__version__}"),
        (["--nope"], 2, "No such option"),
        (["nowhere"], 2, "no such file or folder"),
    ],
)
def test_installed_command_says_all_before_it_leaves(
    tmp_path: Path, arguments: list[str], status: int, said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEAVE, *arguments],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == status
    assert said in done.stdout + done.stderr


class Full:
    """A stream that can't be flushed."""

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("stream", [None, sys.stdout, Full()])
def test_installed_command_leaves_at_once_unless_something_is_unsaid(
    monkeypatch: pytest.MonkeyPatch, stream: object
) -> None:
    def leave(status: int) -> None:
        raise KeyboardInterrupt(status)

    def ends() -> None:
        raise SystemExit(3)

    monkeypatch.setattr("gunilint.cli.main", ends)
    monkeypatch.setattr("os._exit", leave)
    monkeypatch.setattr(sys, "stderr", stream)
    with pytest.raises(SystemExit if isinstance(stream, Full) else KeyboardInterrupt) as ended:
        run_installed()
    assert ended.value.args == (3,)
