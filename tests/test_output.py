"""Where reports go, in which formats, and when none is written."""

from __future__ import annotations

import json
import os
import sys
import threading
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from gunilint import atomic
from gunilint.cli import main
from gunilint.output import FORMATS, Output, OutputError, chosen
from projects import write

BAD = "#!/bin/sh\nexec gunicorn shop.wsgi --max-requests 1000 --access-logfile -\n"
KNOWN = (
    "#!/bin/sh\n# gunilint: ignore[GU302] one worker\nexec gunicorn shop.wsgi --max-requests 7\n"
)
ANNOTATION = "::warning file=start.sh,line=2,endLine=2,col=40,endColumn=43,title=GU302 "
HERE = Output("text")
FILE = Output("sarif", Path("a.sarif"))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run gunilint on a project with one finding."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"start.sh": BAD, "shop/wsgi.py": "application = 1\n"})

    def invoke(*arguments: str) -> Result:
        result = CliRunner().invoke(main, ["--select", "GU302", *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    return invoke


# which outputs


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ((None, None, ()), (HERE,)),
        (("json", None, ()), (Output("json"),)),
        (("json", Path("x"), ()), (Output("json", Path("x")),)),
        ((None, Path("x"), ()), (Output("text", Path("x")),)),
        ((None, None, (FILE,)), (HERE, FILE)),
        (("concise", None, (FILE,)), (Output("concise"), FILE)),
        ((None, None, (Output("json"), FILE)), (Output("json"), FILE)),
        ((None, Path("x"), (Output("json"),)), (Output("text", Path("x")), Output("json"))),
    ],
)
def test_text_goes_to_standard_output_unless_something_else_does(asked, wanted) -> None:
    assert chosen(*asked, environ={}) == wanted


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ((None, None, ()), (HERE, Output("github"))),
        ((None, None, (FILE,)), (HERE, Output("github"), FILE)),
        (("text", None, ()), (HERE,)),
        (("sarif", None, ()), (Output("sarif"),)),
        ((None, None, (Output("json"),)), (Output("json"),)),
        ((None, Path("x"), ()), (Output("text", Path("x")),)),
    ],
)
def test_annotations_come_in_actions_with_the_text_that_nobody_asked_for(asked, wanted) -> None:
    assert chosen(*asked, environ={"GITHUB_ACTIONS": "true"}) == wanted


@pytest.mark.parametrize(
    "asked",
    [
        ("json", None, (Output("sarif"),)),
        (None, None, (Output("sarif"), Output("json"))),
        ("json", Path("a.sarif"), (FILE,)),
        (None, None, (FILE, Output("json", Path("a.sarif").absolute()))),
    ],
)
def test_two_reports_cannot_go_to_one_place(asked) -> None:
    with pytest.raises(OutputError, match="two reports can't both go to"):
        chosen(*asked, environ={})


# the command line


def test_one_run_writes_every_format(run, tmp_path: Path) -> None:
    outputs = [f"--output={name}:out.{name}" for name in FORMATS]
    result = run(*outputs)
    assert result.exit_code == 1
    assert "warning[GU302]" in result.stdout
    for name in FORMATS:
        text = (tmp_path / f"out.{name}").read_text()
        assert "GU302" in text or "max-requests-without-jitter" in text
    assert sorted(
        path.name for path in tmp_path.iterdir() if path.name.startswith((".", "out"))
    ) == [f"out.{name}" for name in sorted(FORMATS)]


@pytest.mark.parametrize("name", FORMATS)
def test_format_and_output_file_go_on_working(run, tmp_path: Path, name: str) -> None:
    printed = run("--format", name).stdout
    assert run("--output", f"{name}:-").stdout == printed
    assert run("--format", name, "--output-file", "out").stdout == ""
    assert (tmp_path / "out").read_text() == printed


@pytest.mark.parametrize("value", ["sarif", "sarif:", "xml:out", ":out", ""])
def test_output_that_is_none_is_explained(run, value: str) -> None:
    result = run("--output", value)
    assert result.exit_code == 2
    assert "isn't FORMAT:FILE; the formats are text, concise, json, sarif" in result.stderr


def test_two_reports_in_one_file_are_refused(run) -> None:
    result = run("--format", "json", "--output", "sarif:-")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "error: two reports can't both go to standard output\n"


def test_actions_get_text_and_annotations(run, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = run().stdout
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    both = run().stdout
    assert both.startswith(plain)
    assert both.removeprefix(plain).startswith(ANNOTATION)
    assert run("--format", "text").stdout == plain
    assert run("--quiet", "--output", "json:out.json").stdout.count("::warning ") == 1


def test_no_file_name_is_a_command_in_actions(run, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    write(tmp_path, {"::stop-commands::x/start.sh": BAD, "a ##[add-mask]b.sh": BAD})
    for arguments in ((), ("--format", "concise")):
        lines = [line.strip() for line in run(*arguments).stdout.splitlines()]
        own = [line for line in lines if line.startswith("::")]
        assert all(line.startswith("::warning file=") for line in own)
        assert not [line for line in lines if "##[" in line and line not in own]
    assert (
        "##[" in run("--format", "concise", "--output-file", "out").stdout + Path("out").read_text()
    )


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
@pytest.mark.parametrize("name", [b"a\xff\xfe.sh", b"a\n::error::b\r.sh", b"]]>&<x>\x1b[31m.sh"])
def test_every_format_survives_names_that_linux_allows(run, tmp_path: Path, name: bytes) -> None:
    (tmp_path / os.fsdecode(name)).write_text(BAD)
    result = run(*(f"--output={each}:out.{each}" for each in FORMATS))
    assert result.exit_code == 1
    for each in FORMATS:
        data = (tmp_path / f"out.{each}").read_bytes()
        data.decode("utf-8")
        assert not any(byte < 0x20 for byte in data.replace(b"\n", b""))
        if each in ("json", "sarif", "gitlab", "rdjson"):
            json.loads(data)
        elif each in ("junit", "checkstyle"):
            ElementTree.fromstring(data)
        else:
            assert b"\n::error::" not in data
            assert data.count(b"GU302") == 2 or (each == "html" and data.count(b"GU302") > 2)


LISTING = ("json", "html")
"""The formats that list apart what doesn't count."""


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in LISTING])
def test_what_does_not_count_is_in_no_report(run, tmp_path: Path, name: str) -> None:
    known = f"known.{name}"
    assert run("--write-baseline", known).exit_code == 0
    (tmp_path / "second.sh").write_text(KNOWN)
    result = run("--format", name, "--baseline", known)
    assert result.exit_code == 0
    assert "GU302" not in result.stdout.replace('"id": "GU302"', "").replace("GU302.md", "")
    assert "start.sh" not in result.stdout
    assert "second.sh" not in result.stdout


def test_empty_run_that_is_allowed_writes_an_empty_report(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").touch()
    arguments = ["--output", "sarif:out.sarif", "--quiet"]
    assert CliRunner().invoke(main, arguments).exit_code == 3
    assert not (tmp_path / "out.sarif").exists()
    assert CliRunner().invoke(main, [*arguments, "--allow-empty"]).exit_code == 0
    assert json.loads((tmp_path / "out.sarif").read_text())["runs"][0]["results"] == []


# after an error


def planted(*_arguments: object) -> None:
    raise ZeroDivisionError("planted")


@pytest.mark.parametrize(
    "place", ["gunilint.checks.settings.setting_is", "gunilint.engine.resolve"]
)
@pytest.mark.parametrize(
    "kind", [("--output", "{}:out"), ("--format", "{}", "--output-file", "out")]
)
@pytest.mark.parametrize("name", FORMATS)
def test_nothing_is_written_after_an_internal_error(
    tmp_path: Path, monkeypatch, name: str, kind: tuple[str, ...], place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"start.sh": BAD})
    monkeypatch.setattr(place, planted)
    arguments = [each.format(name) for each in kind]
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "ZeroDivisionError\n" in result.stderr
    assert "please report" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_bug_in_one_format_leaves_the_others_unwritten(run, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(import_module("gunilint.report.junit"), "render", planted)
    result = run("--output", "sarif:out.sarif", "--output", "junit:out.xml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert not (tmp_path / "out.sarif").exists()


def test_file_that_cannot_be_written_is_named(run, tmp_path: Path) -> None:
    result = run("--output", "sarif:no/such/out.sarif")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "error: no/such/out.sarif can't be written: No such file or directory\n"


# files


def test_file_is_replaced_as_a_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    target, link = tmp_path / "out", tmp_path / "link"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    before = target.open("rb")
    atomic.write(link, b"new")
    assert (target.read_bytes(), before.read()) == (b"new", b"old")
    assert link.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o640
    assert sorted(tmp_path.iterdir()) == [link, target]


def test_file_stays_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        atomic.write(target, b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_pipes_are_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
    reader.start()
    atomic.write(pipe, b"data")
    reader.join(10)
    assert got == [b"data"]
    assert pipe.is_fifo()
