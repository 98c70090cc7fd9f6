"""The command line: arguments, streams, exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gunilint import __version__
from gunilint.cli import main
from projects import write

BAD = {"start.sh": "#!/bin/sh\nexec gunicorn shop.wsgi --max-requests 1000 --access-logfile -\n"}
WARNING = "start.sh:2:40: GU302 warning"
NOTE = {
    "start.sh": "#!/bin/sh\nexec gunicorn -k uvicorn.workers.UvicornWorker "
    "--max-requests 9 --max-requests-jitter 3 shop:app\n"
}
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
@pytest.mark.parametrize("output_format", ["text", "concise", "json", "sarif"])
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


def test_version(run) -> None:
    assert run({}, "--version").stdout == f"gunilint, version {__version__}\n"


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
