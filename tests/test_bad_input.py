"""Files that people could have: each gets a finding with a place, or silence, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from gunilint.engine import lint, run
from gunilint.policy import Policy, same
from gunilint.rules import load_rules
from projects import place, write

START = "#!/bin/sh\nexec gunicorn app:app --max-requests 9 --max-requests-jitter 3\n"
CONFIG = "max_requests = 9\nmax_requests_jitter = 3\n"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"gunicorn.conf.py": "workers = = 4\n"}, "gunicorn.conf.py:1", id="syntax"),
        pytest.param({"gunicorn.conf.py": CONFIG + "print 'x'\n"}, "gunicorn.conf.py:3", id="python 2"),
        pytest.param({"gunicorn.conf.py": CONFIG + "bind = {{ x }}{% if %}\n"}, "gunicorn.conf.py:3", id="jinja"),
        pytest.param({"gunicorn.conf.py": "workers = (1,\n"}, "gunicorn.conf.py:", id="unclosed"),
        pytest.param({"gunicorn.conf.py": "x = 1\0\n"}, "gunicorn.conf.py:1:6", id="NUL"),
        pytest.param({"gunicorn.conf.py": "(" * 5000 + ")" * 5000}, "gunicorn.conf.py:", id="deep"),
        pytest.param({"start.sh": START + 'echo "x\n'}, "start.sh:3:6", id="quote"),
        pytest.param({"app.service": "Type=notify\nExecStart=/usr/bin/gunicorn app\n"}, "app.service:1:1", id="section"),
        pytest.param({"app.service": "[Service]\nExecStart=/usr/bin/gunicorn 'x\n"}, "app.service:2", id="unit quote"),
        pytest.param({"app.service": "[Service\nExecStart=/usr/bin/gunicorn x\n"}, "app.service:1:1", id="unit header"),
    ],
)  # fmt: skip
def test_broken_file_is_a_finding_with_its_place(files, expected, lint_files) -> None:
    found = [finding for finding in lint_files(files) if finding.rule.code == "GU001"]
    assert found
    assert place(found[0]).startswith(expected)


def test_finding_next_to_a_broken_place_is_less_sure(lint_files) -> None:
    script = "#!/bin/sh\nif true; then\n  exec gunicorn --max-requests 9 shop.wsgi\n"
    found = {finding.rule.code: finding for finding in lint_files({"start.sh": script})}
    assert found["GU302"].confidence == "medium"
    assert "assuming that the broken part" in found["GU302"].message


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("gunicorn.conf.py", CONFIG.encode() + "name = 'é'\n".encode("latin-1")),
        ("app.service", b"[Service]\nExecStart=/usr/bin/gunicorn app\nEnvironment=A=\xe9\n"),
    ],
)
def test_latin_1_is_a_finding_on_its_line(path: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / path).write_bytes(data)
    result = lint([tmp_path], load_rules())
    found = next(f for f in result.findings if f.rule.code == "GU001")
    assert (found.primary.span.source.path, found.primary.span.line) == (path, 3)
    assert result.errors == ()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text, id="as it is"),
        pytest.param(lambda text: text.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(lambda text: b"\xef\xbb\xbf" + text, id="BOM"),
        pytest.param(lambda text: text.rstrip(b"\n"), id="no final newline"),
        pytest.param(lambda text: text + b"\f\n", id="form feed"),
    ],
)
@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("gunicorn.conf.py", b"max_requests = 9\n", "gunicorn.conf.py:1:16"),
        ("start.sh", b"#!/bin/sh\nexec gunicorn a:b --max-requests 9\n", "start.sh:2:34"),
        (
            "a.service",
            b"[Service]\nExecStart=/bin/gunicorn --max-requests 9 a:b\n",
            "a.service:2:40",
        ),
    ],
)
def test_places_stay_right_in_any_dress(path, text, expected, change, tmp_path: Path) -> None:
    (tmp_path / path).write_bytes(change(text))
    findings = [f for f in lint([tmp_path], load_rules()).findings if f.rule.code == "GU302"]
    assert [place(finding) for finding in findings] == [expected]


def test_folder_with_a_configs_name_is_a_finding(tmp_path: Path) -> None:
    write(tmp_path, {"start.sh": START.replace("app:app", "-c gunicorn.conf.py app:app")})
    (tmp_path / "gunicorn.conf.py").mkdir()
    found = [f for f in lint([tmp_path], load_rules()).findings if f.rule.code == "GU001"]
    assert [finding.message for finding in found] == [
        "`gunicorn.conf.py` can't be read: it is a folder"
    ]


@pytest.mark.parametrize("target", ["start.sh", "nowhere.sh", "../outside.sh"])
def test_link_that_leads_nowhere_is_a_finding(target: str, tmp_path: Path) -> None:
    root = tmp_path / "project"
    write(root, {})
    (tmp_path / "outside.sh").write_text(START)
    (root / "start.sh").symlink_to(target)
    found = list(lint([root], load_rules()).findings)
    assert [place(finding) for finding in found] == ["start.sh:1:1"]


def test_unreadable_file_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"gunicorn.conf.py": CONFIG})
    opened = os.open

    def refuse(path: str, *arguments, **options):
        if path.endswith("gunicorn.conf.py"):
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
    found = list(lint([tmp_path], load_rules()).findings)
    assert [f.message for f in found] == ["`gunicorn.conf.py` can't be read: Permission denied"]


def test_large_script_is_a_finding(tmp_path: Path) -> None:
    write(tmp_path, {"start.sh": START + "#" * 2_000_000})
    found = list(lint([tmp_path], load_rules()).findings)
    assert ["too large" in finding.message for finding in found] == [True]


def test_large_file_that_has_nothing_to_do_with_gunicorn_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, {"data.sh": "#" * 2_000_000})
    assert lint([tmp_path], load_rules()).files == 0


def test_name_with_a_newline(tmp_path: Path) -> None:
    write(tmp_path, {"a\nb.sh": START.replace("--max-requests-jitter 3", "")})
    command = [sys.executable, "-m", "gunilint", "--format", "concise"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert done.stdout.startswith("a\\nb.sh:2:")
    assert done.stderr == ""


def test_nothing_that_is_linted_is_run(tmp_path: Path) -> None:
    trap = "open('ran', 'w').close()\n"
    write(
        tmp_path,
        {
            "gunicorn.conf.py": trap + CONFIG,
            "app.py": trap,
            "start.sh": START.replace("exec", "touch ran\nexec"),
            "click.py": trap,
            "sitecustomize.py": trap,
        },
    )
    command = [sys.executable, "-P" if sys.version_info >= (3, 11) else "-I", "-m", "gunilint"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=60)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("command", ["-c {0}.py shop:app", "shop.{0}:app", "--chdir {0} shop:app"])
def test_name_that_no_file_can_have(command: str, lint_files) -> None:
    files = {
        "start.sh": f"#!/bin/sh\nexec gunicorn {command.format('a' * 5000)}\n",
        "shop/__init__.py": "app = None\n",
    }
    assert lint_files(files)


def test_what_python_warns_of_in_a_text_is_neither_told_nor_an_error(tmp_path: Path) -> None:
    write(tmp_path, {"gunicorn.conf.py": "proc_name = '\\d'\n", "app.sh": "gunicorn app:app\n"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (deployment,) = run([tmp_path], same(Policy(load_rules())), keep=True).kept
    assert deployment.settings["proc_name"].known == "\\d"
