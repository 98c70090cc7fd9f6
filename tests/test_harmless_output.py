"""What gunilint writes moves no cursor, colours nothing, hides nothing: wherever the text came from."""

from __future__ import annotations

import os
import sys
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gunilint.cli import main
from gunilint.output import FORMATS
from projects import write
from terminals import on_terminal

ROOT = Path(__file__).parents[1]

CODES = "\x1b[31m\x1b]8;;http://evil\x1b\\\x07\r\b\x00\x7f\x9b2J"
BIDI = "\u202e\u2066\u200f\u2028"
EVIL = CODES + BIDI
IN_TEXT = EVIL.replace("\0", "").replace("\r", "").replace("\u2028", "")
ESCAPED = EVIL.encode("unicode_escape").decode()

RULE = f"""\
code: TEAM001
name: team-timeout
summary: The timeout is above a second.
severity: warning
category: lifecycle
check: setting-is
with: {{setting: timeout, above: 1}}
message: "`timeout` is {{value}}, which is evil"
label: evil
why: "evil {ESCAPED}"
remedy: "evil {ESCAPED}"
references: ["http://evil/"]
examples:
  - bad: {{gunicorn.conf.py: "timeout = 5\\n"}}
    expect: ["gunicorn.conf.py:1:11"]
    good: {{gunicorn.conf.py: "timeout = 1\\n"}}
"""

FILES = {
    "gunicorn.conf.py": (
        f"# {IN_TEXT}\ntimeout = 5  # {IN_TEXT}\nproc_name = '{IN_TEXT}'\nworkerz = '{ESCAPED}'\n"
        f"workers = '{ESCAPED}'\nbind = 'unix:{ESCAPED}'\ngraceful_timeout = 30\n"
        f"raw_env = ['SECRET_KEY=k{ESCAPED}']\nlimit_request_line = 0\n"
    ),
    "start.sh": f"#!/bin/sh\nexec gunicorn --bogus='{IN_TEXT}' -n '{IN_TEXT}' 'app{IN_TEXT}:app'\n",
    "web.service": (
        f"[Unit]\nDescription={IN_TEXT}\n[Service]\nType=notify\nUser={IN_TEXT}\n"
        f"ExecStart=/usr/bin/gunicorn -n '{IN_TEXT}' --timeout 7 'app:app'\nTimeoutStopSec=5{IN_TEXT}\n"
    ),
    f"a{EVIL.replace(chr(0), '')}\n/start.sh".replace("//", ""): "exec gunicorn app:app\n",
    "rules/team.yaml": RULE,
    "gunilint.toml": 'extend-rules = ["rules"]\nselect = ["all"]\n',
}  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, FILES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoke(*arguments: str) -> Result:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), arguments
    return result


def harmful(text: str) -> set[str]:
    return {
        char
        for char in text
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") and char != "\n"
    }


@pytest.mark.parametrize("output_format", FORMATS)
def test_report_in_every_format(project: Path, output_format: str) -> None:
    result = invoke("check", "--format", output_format)
    assert result.exit_code == 1, result.output
    assert "TEAM001" in result.stdout
    assert harmful(result.output) == set()


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["show"], 0),
        (["show", "--all", "--format", "json"], 0),
        (["rules"], 0),
        (["rules", "--format", "json"], 0),
        (["explain", "TEAM001"], 0),
        (["config"], 0),
        (["check", f"no{EVIL[:-4]}".replace("\0", "")], 2),
        (["check", "--select", EVIL], 2),
        (["check", "--format", EVIL], 2),
        (["check", "--output", f"sarif:no/{EVIL}".replace("\0", "")], 2),
        (["check", "--output", EVIL], 2),
        (["check", "--config", f"no{EVIL}".replace("\0", "")], 2),
        (["check", "--baseline", f"no{EVIL}".replace("\0", "")], 2),
        (["check", "--gunicorn-version", EVIL], 2),
        (["check", f"--{EVIL}"], 2),
        (["explain", EVIL], 2),
        ([EVIL], 2),
    ],
    ids=lambda each: ascii(each[:3]) if isinstance(each, list) else str(each),
)
def test_everything_else(project: Path, arguments: list[str], status: int) -> None:
    result = invoke(*arguments)
    assert result.exit_code == status, result.output
    assert harmful(result.output) == set()


@pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")
def test_diff_on_a_terminal_and_in_a_pipe(project: Path) -> None:
    command = [sys.executable, "-m", "gunilint", "--diff", "--unsafe-fixes"]
    told, _ = on_terminal(command, project, "stdout", {"PYTHONPATH": str(ROOT / "src")})
    assert "+ExecReload=" in told
    assert harmful(told.replace("\r\n", "\n").replace("\t", "")) == set()
    # a patch has to apply
    assert "\x1b[31m" in invoke("check", "--diff", "--unsafe-fixes").stdout


@pytest.mark.parametrize(
    "text",
    [
        f'"{ESCAPED}" = 1\n'.replace("\\x", "\\u00"),
        f'select = ["{ESCAPED}"]\n'.replace("\\x", "\\u00"),
        f'baseline = "{ESCAPED}"\n'.replace("\\x", "\\u00"),
        f'extend-rules = ["{ESCAPED}"]\n'.replace("\\x", "\\u00"),
        f"select = {IN_TEXT}\n",
        f"# {EVIL}\n",
    ],
    ids=["key", "rule", "baseline", "folder", "syntax", "comment"],
)
def test_errors_in_the_configuration(project: Path, text: str) -> None:
    (project / "gunilint.toml").write_text(text, newline="")
    result = invoke("check")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert harmful(result.output) == set()


@pytest.mark.parametrize("key", ["code", "name", "check", "severity", "nonsense"])
def test_errors_in_a_rule(project: Path, key: str) -> None:
    text = "\n".join(line for line in RULE.splitlines() if not line.startswith(f"{key}:"))
    (project / "rules/team.yaml").write_text(f'{text}\n{key}: "{ESCAPED}"\n')
    result = invoke("check")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: rules/team.yaml")
    assert harmful(result.output) == set()


@pytest.mark.parametrize("variable", ["GUNILINT_FORMAT", "GUNILINT_SELECT", "GUNILINT_CONFIG"])
def test_errors_in_the_environment(
    project: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, EVIL.replace("\0", ""))
    result = invoke("check")
    assert result.exit_code == 2
    assert harmful(result.output) == set()


@pytest.mark.skipif(os.name == "nt", reason="such names need a file system that takes them")
def test_names_of_all_files_that_are_written(project: Path) -> None:
    result = invoke("check", "--fix", "--unsafe-fixes")
    assert harmful(result.output) == set()
    assert harmful(invoke("check", "--write-baseline", "known.json").output) == set()
    assert harmful(invoke("check", "--baseline", "known.json").output) == set()
