"""A config that was parsed once is read from its form, and says the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gunilint import cache, forms
from gunilint.disk import digest
from gunilint.parse.python_config import parse
from gunilint.source import Source
from gunilint.syntax import PythonConfig
from programs import imported, python
from projects import write
from update_fixtures import FIXTURES

EVERYTHING = """\
import os, multiprocessing as m
from app.settings import *
a = 1, -2.5, 1e999, 3j, 1e999j, 10**10, 0x1F, True, None, ..., 'x', "\\ud800", b"inf\\xff", "a" "b", r"\\d"
b: int = {"k": [1], **{}} if a[0] else {1, 2}
a[1:2], c = (lambda x, y=1: x), f"{b!r:>3} {a}"
workers += m.cpu_count() * 2 + 1 or not b < 3 <= 4
def when_ready(server, *more):
    global c
    return [each for each in more]
class D(E):
    x = 1
try:
    raise E
except E:
    del a
else:
    with open("f") as f, g:
        pass
finally:
    for i in range(3):
        while i: break
match a:
    case 1:
        async def h(): await i
"""

CONFIGS = {path.relative_to(FIXTURES).as_posix(): path for path in sorted(FIXTURES.rglob("*.py"))}


def config(text: str) -> PythonConfig:
    return parse(Source("gunicorn.conf.py", text))


@pytest.mark.parametrize("name", CONFIGS)
def test_fixture_s_config_is_the_same(name: str) -> None:
    parsed = config(CONFIGS[name].read_text("utf-8", "replace"))
    form = forms.dump(parsed)
    assert form is not None
    assert forms.load(form, parsed.source) == parsed


@pytest.mark.parametrize("text", [EVERYTHING, "", "x = (", "print 'x'", "return", "{{ x }} = 1"])
def test_all_that_a_config_can_hold_is_the_same(text: str) -> None:
    parsed = config(text)
    assert bool(parsed.problems) == (text not in ("", EVERYTHING))
    form = forms.dump(parsed)
    assert form is not None
    assert repr(forms.load(form, parsed.source)) == repr(parsed)


def test_a_number_of_too_many_digits_has_no_form() -> None:
    assert forms.dump(config("x = 0x" + "f" * 10_000)) is None


@pytest.mark.parametrize(
    "form",
    [b"", b"\xff", b"{}", b"1", b"[]", b"[[]]", b"[[], []]", b'[["Assign"], [""]]', b'[["exit", 1], [""]]',
     b'[["=", "exit()"], [""]]', b'[["=", "("], [""]]', b'[["Struct", 1], [""]]', b"[" * 100_000],
)  # fmt: skip
def test_what_is_no_form(form: bytes) -> None:
    assert forms.load(form, Source("gunicorn.conf.py", "")) is None


PROJECT = {
    "start.sh": "#!/bin/sh\nexec gunicorn -c gunicorn.conf.py app:app\n",
    "gunicorn.conf.py": "bind = '127.0.0.1:8000'\ntimeout = 10\ngraceful_timeout = 30\n",
}


@pytest.fixture
def project(tmp_path: Path, cache_folder: Path) -> Path:
    write(tmp_path / "project", PROJECT)
    return tmp_path / "project"


def check(project: Path, *arguments: str) -> tuple[str, set[str]]:
    """What gunilint says, and the modules that it imports."""
    done = python("-X", "importtime", "-m", "gunilint", *arguments, cwd=project)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout, imported(done)


def change_script(project: Path) -> None:
    with (project / "start.sh").open("a") as file:
        file.write("# later\n")


def test_libcst_is_not_imported_for_what_was_parsed_before(project: Path) -> None:
    first, modules = check(project)
    assert "GU401" in first or "timeout" in first
    assert "libcst" in modules

    change_script(project)
    second, modules = check(project)
    assert second == first
    assert "gunilint.forms" in modules
    assert "libcst" not in modules


def test_another_text_is_parsed_anew(project: Path) -> None:
    first, _ = check(project)
    write(project, {"gunicorn.conf.py": "bind = '127.0.0.1:8000'\n"})
    second, modules = check(project)
    assert second != first
    assert "libcst" in modules


def foreign(_kept: bytes) -> bytes:
    body = json.dumps([["", ["Assign", "x"]], [""]]).encode()
    return digest(body).encode() + b"\n" + body


@pytest.mark.parametrize(
    "spoil", [lambda kept: b"", lambda kept: kept[:-5], lambda kept: kept.replace(b"10", b"99"), foreign]
)  # fmt: skip
def test_spoilt_form_is_made_anew(project: Path, spoil: Callable[[bytes], bytes]) -> None:
    first, _ = check(project)
    (form,) = (project.parent / "cache").glob("*.parsed")
    whole = form.read_bytes()
    form.write_bytes(spoil(whole))
    change_script(project)
    assert check(project)[0] == first
    assert form.read_bytes() == whole


def test_no_form_is_kept_without_a_cache(project: Path) -> None:
    check(project, "--no-cache")
    assert not (project.parent / "cache").exists()


def test_oldest_forms_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "KEPT_PARSED", 2)
    kept = cache.Cache(tmp_path, "state")
    parser = forms.KeepingParser(kept)
    for number in range(4):
        parser.parse(Source("gunicorn.conf.py", f"workers = {number}\n"))
    kept.remember("a", cache.Run((), (), 0), {})
    assert len(list(tmp_path.glob("*.parsed"))) == 2
