"""A second process parses ahead when there is much to parse, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gunilint import forms
from gunilint.ahead import ahead
from gunilint.cache import Cache
from gunilint.parse.python_config import parse
from gunilint.source import Source
from programs import python, soon
from projects import write

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is none elsewhere")

ROOT = Path(__file__).parents[1]
COUNT = forms.MANY + 10
FILES = {
    f"service-{number:02}/{name}": text
    for number in range(COUNT)
    for name, text in {
        "gunicorn.conf.py": f"bind = '127.0.0.1:{8000 + number}'\ntimeout = {10 + number}\n",
        "start.sh": "#!/bin/sh\nexec gunicorn -c gunicorn.conf.py app:app\n",
    }.items()
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path / "project", FILES)
    return tmp_path / "project"


@pytest.fixture(autouse=True)
def _two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})


@pytest.fixture
def forks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with each process that is started."""
    started: list[int] = []
    fork = os.fork

    def counted() -> int:
        child = fork()
        if child:
            started.append(child)
        return child

    monkeypatch.setattr(os, "fork", counted)
    return started


def is_running(pid: int) -> bool:
    """Whether there is such a process, and it hasn't ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def endless(note: Path) -> Iterator[None]:
    """Work that tells who does it, and has no end."""
    note.write_text(str(os.getpid()))
    while True:
        yield
        time.sleep(0.01)


def worker(note: Path) -> int:
    assert soon(lambda: note.exists() and note.read_text())
    return int(note.read_text())


# the mechanism


def test_work_is_done_by_another_process(tmp_path: Path) -> None:
    with ahead((tmp_path / name).write_text(str(os.getpid())) for name in "ab"):
        assert soon(lambda: (tmp_path / "b").exists())
    assert (tmp_path / "a").read_text() not in ("", str(os.getpid()))


def test_other_process_ends_with_the_block(tmp_path: Path) -> None:
    with ahead(endless(tmp_path / "note")):
        pid = worker(tmp_path / "note")
        assert is_running(pid)
    assert not Path(f"/proc/{pid}").exists()


def test_other_process_ends_with_an_error_in_the_block(tmp_path: Path) -> None:
    with pytest.raises(KeyError), ahead(endless(tmp_path / "note")):  # noqa: PT012
        pid = worker(tmp_path / "note")
        raise KeyError
    assert not Path(f"/proc/{pid}").exists()


def test_other_process_ends_with_a_killed_one(tmp_path: Path) -> None:
    code = (
        "import os, time\nfrom pathlib import Path\nfrom test_ahead import ahead, endless\n"
        "os.sched_getaffinity = lambda pid: {0, 1}\n"
        "with ahead(endless(Path('note'))):\n    time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])},
    )  # fmt: skip
    pid = worker(tmp_path / "note")
    process.kill()
    process.wait()
    assert soon(lambda: not is_running(pid))


def test_killed_process_is_not_missed(tmp_path: Path) -> None:
    with ahead(endless(tmp_path / "note")):
        os.kill(worker(tmp_path / "note"), signal.SIGKILL)


def test_children_that_nobody_waits_for_are_no_error(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        with ahead(iter(())):
            time.sleep(0.1)
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_error_in_the_work_is_not_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with ahead(1 / (number - number) for number in (1,)):
        time.sleep(0.1)
    assert capfd.readouterr() == ("", "")


def test_where_no_process_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", refuse)
    with ahead(iter(())):
        pass


def test_where_there_is_one_processor(forks: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0})
    with ahead(iter(())):
        pass
    assert forks == []


# configs


def sources(count: int) -> dict[str, Source]:
    names = (f"{number:03}.conf.py" for number in range(count))
    return {name: Source(name, f"workers = {name[:3].lstrip('0') or 0}\n") for name in names}


def test_many_configs_are_parsed_ahead(tmp_path: Path) -> None:
    cache, found = Cache(tmp_path, "state"), sources(COUNT)
    with forms.KeepingParser(cache).ahead(list(found), found.get):
        assert soon(lambda: len(list(tmp_path.glob("*.parsed"))) == COUNT)
    for source in found.values():
        form = cache.read(cache.key_of(source.text) + ".parsed")
        assert form is not None
        assert forms.load(form, source) == parse(source)


def test_what_is_kept_is_not_parsed_again(tmp_path: Path) -> None:
    parser, found = forms.KeepingParser(Cache(tmp_path, "state")), sources(COUNT)
    first = found["000.conf.py"]
    parser.parse(first)
    (form,) = tmp_path.glob("*.parsed")
    form.write_bytes(b"as it was")
    with parser.ahead(list(found), found.get):
        assert soon(lambda: len(list(tmp_path.glob("*.parsed"))) == COUNT)
    assert form.read_bytes() == b"as it was"


def test_few_configs_are_not(tmp_path: Path, forks: list[int]) -> None:
    found = sources(forms.MANY - 1)
    with forms.KeepingParser(Cache(tmp_path, "state")).ahead(list(found), found.get):
        pass
    assert forks == []


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    found = sources(COUNT)
    names = [*found, *(f"gone-{number}" for number in range(9))]
    with forms.KeepingParser(Cache(tmp_path, "state")).ahead(names, found.get):
        assert soon(lambda: len(list(tmp_path.glob("*.parsed"))) == COUNT)


# whole runs


def gunilint(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return python("-m", "gunilint", "--format", "concise", *arguments, cwd=project)


def test_run_says_the_same(project: Path, cache_folder: Path) -> None:
    first = gunilint(project)
    assert first.stdout.count("no-max-requests") == COUNT
    assert len(list(cache_folder.glob("*.parsed"))) == COUNT
    again = gunilint(project, "--no-cache")
    assert (first.returncode, first.stdout, first.stderr) == (1, again.stdout, again.stderr)


@pytest.mark.skipif(os.cpu_count() == 1, reason="there is no second processor")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopped_run_leaves_nothing_behind(project: Path, cache_folder: Path, number: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "gunilint"], cwd=project, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    assert soon(lambda: process.poll() is None and children.read_text())
    (child,) = map(int, children.read_text().split())
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    status = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[number]
    assert (process.returncode, out, err) == (status, "", "")
    assert soon(lambda: not is_running(child))
    if number != signal.SIGKILL:
        assert all(path.suffix == ".parsed" for path in cache_folder.glob("*"))
