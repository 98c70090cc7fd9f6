"""The baseline: which findings it knows, when they are new, when they are gone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gunilint import baseline
from gunilint.cli import main
from gunilint.config import ConfigError
from gunilint.fingerprint import subject
from gunilint.source import Source
from projects import write

FILE = "known.json"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run gunilint in a project given as path → text."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GUNILINT_IGNORE", "GU101,GU301,GU702")

    def invoke(files: Mapping[str, str], *arguments: str) -> Result:
        write(tmp_path, files)
        result = CliRunner().invoke(main, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    return invoke


def entries(path: str | Path = FILE) -> list[tuple[str, str, str, int]]:
    """What is in a baseline, without the fingerprints."""
    found = json.loads(Path(path).read_text())
    assert found["version"] == 1
    return [(e["code"], e["path"], e["text"], e["count"]) for e in found["findings"]]


def new(run, files: Mapping[str, str], *arguments: str) -> list[str]:
    """The codes of the findings that the baseline doesn't know."""
    result = run(files, "--format", "json", "--baseline", FILE, *arguments)
    return [finding["code"] for finding in json.loads(result.stdout)["findings"]]


# what is known stays known

CONFIG = """\
bind = ['127.0.0.1:8000', '[::1]:8000']
timeout = 0
graceful_timeout=0
max_requests = 1000
worker_class = 'nosuch'
limit_request_line=0
"""
AS_BLACK_WRITES_IT = """\
# Copyright
bind = [
    "127.0.0.1:8000",
    "[::1]:8000",
]
timeout = 0
graceful_timeout = 0
max_requests = 1000
worker_class = "nosuch"
limit_request_line = 0
"""
IN_ANOTHER_ORDER = """\
import os

limit_request_line = (
    # why
    0
)
worker_class = 'nosuch'

max_requests = 1000
if True:
    graceful_timeout = 0
timeout = 0
bind = ['127.0.0.1:8000', '[::1]:8000']
"""


@pytest.mark.parametrize("text", [AS_BLACK_WRITES_IT, IN_ANOTHER_ORDER], ids=["black", "order"])
def test_formatting_and_order_of_a_config_do_not_matter(run, text: str) -> None:
    run({"gunicorn.conf.py": CONFIG}, "--write-baseline", FILE)
    assert len(entries()) >= 5
    assert new(run, {"gunicorn.conf.py": text}) == []
    assert "fixed" not in run({}, "--baseline", FILE).stderr


SCRIPT = """\
#!/bin/sh
exec gunicorn shop.wsgi --timeout 0 --max-requests 1000 --graceful-timeout 0 --log-level 'debug'
"""
WRAPPED = """\
#!/bin/sh
set -e

exec gunicorn shop.wsgi \\
    --timeout=0 \\
    --log-level "debug" \\
    --max-requests \\
        1000 \\
    --graceful-timeout 0
"""
UNIT = """\
[Service]
Type=simple
TimeoutStopSec=20
ExecStart=/srv/venv/bin/gunicorn shop.wsgi --timeout 0 --max-requests 1000 --graceful-timeout 60
"""
REORDERED_UNIT = """\
[Unit]
Description=Shop

[Service]
ExecStart=/srv/venv/bin/gunicorn shop.wsgi \\
    --timeout 0 \\
    # why
    --max-requests 1000 --graceful-timeout 60
TimeoutStopSec=20
# started by hand
Type=simple
"""


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [("start.sh", SCRIPT, WRAPPED), ("app.service", UNIT, REORDERED_UNIT)],
)
def test_wrapping_a_command_does_not_matter(run, path: str, before: str, after: str) -> None:
    run({path: before}, "--write-baseline", FILE)
    assert len(entries()) >= 3
    assert new(run, {path: after}) == []


SUBJECTS = [
    ("x = 1\ntimeout = <20>\n", "timeout=20"),
    ("x = 1\ntimeout=(\n    # why\n\n    <20>\n)\n", "timeout=20"),
    ("x = 1\nhosts = [<'a'>, 'b',]\n", 'hosts="a"'),
    ("x = 1\nhosts = <['a', 'b',]>\n", 'hosts=["a","b"]'),
    ("x = 1\nhosts = <[\n    'a',\n    'b',\n]>\n", 'hosts=["a","b"]'),
    ("x = 1\nd = {'level': <'debug'>}\n", 'level="debug"'),
    ("x = 4\n<timeout = 20>\n", "timeout=20"),
    ("x = (\n<async def f(): pass>", "x=asyncdeff():pass"),
    ("x = 1\nif y:\n    <timeout = 20>\n", "timeout=20"),
    ("true\ngunicorn --timeout <20>\n", "--timeout=20"),
    ("true\ngunicorn --timeout=<20>\n", "--timeout=20"),
    ("true\ngunicorn --timeout \\\r\n  <20>\r\n", "--timeout=20"),
    ("true\ngunicorn -w 4 <shop.wsgi>\n", "shop.wsgi"),
    ("true\nexec <gunicorn>\n", "gunicorn"),
    ("[Service]\nType=notify\n<TimeoutStopSec=20>\n", "TimeoutStopSec=20"),
    ("[Service]\nType=<notify>\n", "Type=notify"),
    ("<import os>\ntimeout = 20\n", ""),
    ("<>", ""),
    ("x = 1\n<>", ""),
]


@pytest.mark.parametrize(("marked", "expected"), SUBJECTS, ids=[text for text, _ in SUBJECTS])
def test_subject_is_the_value_and_what_it_is_the_value_of(marked: str, expected: str) -> None:
    start, end = marked.index("<"), marked.index(">") - 1
    source = Source("a", marked.replace("<", "", 1).replace(">", "", 1))
    assert subject(source.span(start, end)) == expected


# what is new counts


@pytest.mark.parametrize(
    ("path", "before", "after", "found"),
    [
        pytest.param(
            "gunicorn.conf.py", "max_requests = 9\n", "timeout = 0\nmax_requests = 9\n", ["GU204"],
            id="another finding",
        ),
        pytest.param(
            "gunicorn.conf.py", "max_requests = 9\n", "max_requests = 8\n", ["GU302"],
            id="another value",
        ),
        pytest.param(
            "start.sh",
            "#!/bin/sh\nexec gunicorn a:b --max-requests 9\n",
            "#!/bin/sh\nif $X; then exec gunicorn a:b --max-requests 9; fi\n"
            "exec gunicorn a:b --max-requests 9\n",
            ["GU302"], id="one more of the same",
        ),
    ],
)  # fmt: skip
def test_new_finding_beside_known_ones_counts(run, path, before, after, found) -> None:
    run({path: before}, "--write-baseline", FILE)
    assert run({path: after}, "--baseline", FILE).exit_code == 1
    assert new(run, {}) == found


def test_same_text_in_another_file_is_new(run) -> None:
    run({"a/gunicorn.conf.py": "max_requests = 9\n"}, "--write-baseline", FILE)
    assert new(run, {"b/gunicorn.conf.py": "max_requests = 9\n"}) == ["GU302"]


def test_known_findings_are_marked_and_not_shown(run) -> None:
    files = {"gunicorn.conf.py": "max_requests = 9\n"}
    run(files, "--write-baseline", FILE)
    text = run(files, "--baseline", FILE)
    assert text.exit_code == 0
    assert text.stdout == "1 file checked, 1 deployment, no problems; 1 in the baseline\n"
    document = json.loads(run(files, "--baseline", FILE, "--format", "json").stdout)
    assert [finding["code"] for finding in document["baselined"]] == ["GU302"]
    assert document["summary"]["baselined"] == 1
    sarif = json.loads(run(files, "--baseline", FILE, "--format", "sarif").stdout)
    assert sarif["runs"][0]["results"] == []


def test_suppressed_findings_are_not_written(run) -> None:
    run(
        {"gunicorn.conf.py": "timeout = 0\nmax_requests = 9  # gunilint: ignore[GU302] few\n"},
        "--write-baseline", FILE,
    )  # fmt: skip
    assert [code for code, *_ in entries()] == ["GU204"]


# what is gone is fixed

TWO = {
    "gunicorn.conf.py": "max_requests = 9\n",
    "start.sh": "#!/bin/sh\ngunicorn -t 0 -c python:x a:b\n",
}


def test_fixed_entries_are_reported_and_go_with_the_next_writing(run) -> None:
    files = {"gunicorn.conf.py": "max_requests = 9\ntimeout = 0\ngraceful_timeout = 0\n"}
    run(files, "--write-baseline", FILE)
    mended = {"gunicorn.conf.py": "max_requests_jitter = 3\nmax_requests = 9\ntimeout = 0\n"}
    result = run(mended, "--baseline", FILE)
    assert result.exit_code == 0
    assert result.stderr == (
        f"2 known findings are fixed; write {FILE} anew with --write-baseline {FILE}\n"
    )
    assert run({}, "--baseline", FILE, "-q").stderr == ""
    summary = json.loads(run({}, "--baseline", FILE, "--format", "json").stdout)["summary"]
    assert (summary["baselined"], summary["fixed"]) == (1, 2)
    run({}, "--write-baseline", FILE)
    assert [code for code, *_ in entries()] == ["GU204"]
    assert run({}, "--baseline", FILE).stderr == ""


def test_entry_of_a_file_that_is_gone_is_fixed(run, tmp_path: Path) -> None:
    run({"a/gunicorn.conf.py": "max_requests = 9\n", "gunicorn.conf.py": "timeout = 0\n"},
        "--write-baseline", FILE)  # fmt: skip
    (tmp_path / "a/gunicorn.conf.py").unlink()
    assert "1 known finding is fixed" in run({}, "--baseline", FILE).stderr


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["start.sh"], id="another file"),
        pytest.param(["gunicorn.conf.py"], id="that file without what may start it"),
        pytest.param(["--ignore", "GU302"], id="without the rule"),
        pytest.param(["--min-confidence", "high"], id="only sure ones"),
    ],
)
def test_what_a_run_did_not_look_at_is_kept(run, arguments: list[str]) -> None:
    run({**TWO, "gunicorn.conf.py": "import os\nmax_requests = int(os.getenv('M', '9'))\n"},
        "--write-baseline", FILE)  # fmt: skip
    before = entries()
    assert "GU302" in {code for code, *_ in before}
    if "--min-confidence" not in arguments:
        run({"gunicorn.conf.py": "max_requests = 0\n"})
    result = run({}, "--baseline", FILE, *arguments)
    assert "fixed" not in result.stderr
    run({}, "--write-baseline", FILE, *arguments)
    assert set(before) <= set(entries())


# the file


def test_written_file_is_sorted_stable_and_readable(run) -> None:
    files = {"b.sh": "#!/bin/sh\ngunicorn a:b -t 0\n", "a/gunicorn.conf.py": "timeout = 0\n"}
    result = run(files, "--write-baseline", FILE)
    assert (result.exit_code, result.stdout) == (0, "")
    first = Path(FILE).read_bytes()
    lines = first.decode("ascii").splitlines()
    assert result.stderr == f"{FILE}: {len(lines) - 5} known findings\n"
    assert entries() == sorted(entries(), key=lambda entry: (entry[1], entry[0]))
    assert entries()[:1] == [("GU204", "a/gunicorn.conf.py", "timeout=0", 1)]
    assert ("GU204", "b.sh", "-t=0", 1) in entries()
    run({}, "--write-baseline", FILE)
    assert Path(FILE).read_bytes() == first


@pytest.mark.parametrize("name", ["../known.json", "link.json", "/etc/known.json"])
def test_configured_baseline_stays_in_the_project(run, tmp_path, name: str) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path.parent / "known.json")
    files = {"gunilint.toml": f'baseline = "{name}"\n', "gunicorn.conf.py": "max_requests = 9\n"}
    for arguments in ((), ("--write-baseline",)):
        result = run(files, *arguments)
        assert result.exit_code == 2
        error = "error: gunilint.toml:1: `baseline` leads out of the project, to /"
        assert result.stderr.startswith(error)
    assert not (tmp_path.parent / "known.json").exists()


def test_configured_baseline_is_relative_to_its_file(run, tmp_path, monkeypatch) -> None:
    files = {
        "ops/gunilint.toml": 'baseline = "old.json"\n',
        "ops/gunicorn.conf.py": "timeout = 0\nx = 1\n",
    }
    missing = run(files, "ops")
    assert missing.exit_code == 2
    assert missing.stderr == (
        "error: there is no baseline ops/old.json; `--write-baseline` makes one\n"
    )
    assert run({}, "ops", "--write-baseline").exit_code == 0
    assert (tmp_path / "ops/old.json").exists()
    assert run({}, "ops").exit_code == 0
    assert "in the baseline" not in run({}, "ops", "--isolated").stdout
    monkeypatch.chdir(tmp_path / "ops")
    assert "in the baseline" in run({}, ".").stdout


def test_two_projects_in_one_run_have_their_own_baselines(run, tmp_path: Path) -> None:
    for name, text in (("a", "timeout = 0\nx = 1\n"), ("b", "x = 1\nmax_requests = 9\n")):
        write(
            tmp_path / name, {"gunilint.toml": 'baseline = "old.json"\n', "gunicorn.conf.py": text}
        )
    assert run({}, "a", "b").exit_code == 2
    result = run({}, "a", "b", "--write-baseline")
    assert result.stderr.count("known finding") == 2
    assert "GU302" in {entry[0] for entry in entries("b/old.json")}
    assert "GU302" not in {entry[0] for entry in entries("a/old.json")}
    assert run({}, "a", "b").exit_code == 0
    write(tmp_path / "a", {"gunicorn.conf.py": "timeout = 1\nx = 1\n"})
    assert "a/old.json" in run({}, "a", "b").stderr
    assert "b/old.json" not in run({}, "a", "b").stderr


def test_two_projects_may_share_a_baseline(run, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write(tmp_path / "a", {"gunicorn.conf.py": "x = 1\ntimeout = 0\n"})
    write(tmp_path / "b", {"gunicorn.conf.py": "x = 1\ntimeout = 0\n"})
    run({}, "a", "b", "--write-baseline", FILE)
    paths = [path for code, path, *_ in entries() if code == "GU204"]
    assert paths == ["a/gunicorn.conf.py", "b/gunicorn.conf.py"]
    assert run({}, "a", "b", "--baseline", FILE).exit_code == 0
    write(tmp_path / "b", {"gunicorn.conf.py": "x = 1\ntimeout = 30\n"})
    assert "fixed" not in run({}, "a", "--baseline", FILE).stderr
    assert "1 known finding is fixed" in run({}, "a", "b", "--baseline", FILE).stderr
    run({}, "a", "--write-baseline", FILE)
    assert [path for code, path, *_ in entries() if code == "GU204"] == paths


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ("#!/bin/sh\n", "Expecting value"),
        ("[]", "it has no list of findings"),
        ('{"findings": []}', "its version isn't 1"),
        ('{"version": 2, "findings": []}', "its version isn't 1"),
        ('{"version": 1, "findings": [1]}', "its entry 1 lacks one of code, path"),
        (
            '{"version": 1, "findings": [{"code": "a", "path": "b", "text": "", "fingerprint": "c",'
            ' "count": true}]}',
            "the count of its entry 1 isn't a whole number",
        ),
        ("[" * 100_000, "recursion"),
        ("\udcff", "utf"),
    ],
)
@pytest.mark.parametrize("option", ["--baseline", "--write-baseline"])
def test_file_that_is_no_baseline_is_refused_and_kept(run, option, text, reason) -> None:
    data = text.encode("utf-8", "surrogateescape")
    Path(FILE).write_bytes(data)
    result = run({"gunicorn.conf.py": "timeout = 0\n"}, option, FILE)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {FILE} isn't a baseline that gunilint wrote: ")
    assert reason in result.stderr
    assert result.stderr.count("\n") == 1
    assert Path(FILE).read_bytes() == data


def test_equal_entries_of_a_merge_count_together(run) -> None:
    run({"gunicorn.conf.py": "x = 1\ntimeout = 0\n"}, "--write-baseline", FILE)
    document = json.loads(Path(FILE).read_text())
    document["findings"] *= 2
    Path(FILE).write_text(json.dumps(document))
    assert "known finding" in run({}, "--baseline", FILE).stderr
    run({}, "--write-baseline", FILE)
    assert {count for *_, count in entries()} == {1}


@pytest.mark.parametrize("arguments", [["--write-baseline"], ["--write-baseline", "--isolated"]])
def test_writing_needs_a_file(run, arguments: list[str]) -> None:
    result = run({"gunicorn.conf.py": "timeout = 0\n"}, *arguments)
    assert (result.exit_code, result.stderr) == (
        2,
        "error: no `baseline` is configured: name the file that --write-baseline writes\n",
    )


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_failed_writing_leaves_the_old_file(run, failing, tmp_path, monkeypatch) -> None:
    run({"gunicorn.conf.py": "timeout = 0\n"}, "--write-baseline", FILE)
    before = Path(FILE).read_bytes()

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*{"fsync": (os, "fsync"), "replace": (Path, "replace")}[failing], refuse)
    result = run({"gunicorn.conf.py": "max_requests = 9\n"}, "--write-baseline", FILE)
    assert result.exit_code == 2
    assert result.stderr == f"error: {FILE} can't be written: No space left on device\n"
    assert Path(FILE).read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {
        FILE,
        "gunicorn.conf.py",
        "pyproject.toml",
    }


def test_killed_writer_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / FILE
    baseline.Baseline(path).write()
    before = path.read_bytes()
    pid = os.fork()
    if pid == 0:
        os.fsync = lambda _: os._exit(9)  # type: ignore[assignment]
        entry = baseline.Entry("GU204", "a", "b", "c", 1)
        baseline.Baseline(path, [entry]).write()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    assert path.read_bytes() == before
    assert baseline.load(path).entries == ()


def test_link_and_mode_of_the_file_are_kept(tmp_path: Path) -> None:
    target, link = tmp_path / "real.json", tmp_path / FILE
    baseline.Baseline(target).write()
    target.chmod(0o640)
    link.symlink_to(target.name)
    baseline.Baseline(link, [baseline.Entry("GU204", "a", "b", "c", 1)]).write()
    assert link.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o640
    assert len(baseline.load(target).entries) == 1


def test_folder_is_no_baseline(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        baseline.load(tmp_path)
