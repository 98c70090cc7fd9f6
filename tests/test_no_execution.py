"""Nothing of a project is run, nothing outside of it is read, nothing is changed, and nobody is called."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import audited
from projects import write
from update_fixtures import FIXTURES

ROOT = Path(__file__).parents[1]
DEED = "import os, pathlib\npathlib.Path('ran').touch()\nos.system('touch ran')\n"
MODULES = (
    "click",
    "gunilint",
    "libcst",
    "msgspec",
    "planted",
    "sitecustomize",
    "tomli",
    "usercustomize",
    "yaml",
)
PLANTED = {
    "gunicorn.conf.py": DEED + "workers = 2\ndef on_starting(server):\n    open('ran', 'w')\n",
    "app.py": DEED + "def app(environ, start_response): ...\n",
    "start.sh": "touch ran\n$(touch ran)\nexec gunicorn -c gunicorn.conf.py app:app\n",
    "web.service": "[Service]\nExecStartPre=/usr/bin/touch ran\nExecStart=/usr/bin/gunicorn -c ../secret.txt app:app\n",
    "other.service": "[Service]\nEnvironmentFile=/etc/passwd\nExecStart=/usr/bin/gunicorn -c /etc/hostname app:app\n",
    "conftest.py": DEED,
    "setup.py": DEED,
    "requirements.txt": "-r ../secret.txt\n-r /etc/fstab\ngunicorn==27.0.1\n",
    **{f"{name}.py": DEED for name in MODULES},
}  # fmt: skip


def watched(folder: Path, *deed: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests/audited.py"), str(folder), *deed],
        cwd=folder, capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "GUNILINT_NO_CACHE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen: list[str] = json.loads(done.stdout.splitlines()[-1])
    return seen


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A folder of projects, of which one does what it can when anything of it is run."""
    (tmp_path / "secret.txt").write_text("secret")
    write(tmp_path / "projects/planted", PLANTED)
    return tmp_path / "projects"


def test_linting_runs_nothing_and_touches_nothing(planted: Path) -> None:
    for fixture in FIXTURES.iterdir():
        if fixture.is_dir():
            shutil.copytree(fixture, planted / fixture.name, symlinks=True)
            write(planted / fixture.name, {f"{name}.py": DEED for name in MODULES})
    before = sorted(planted.rglob("*"))
    assert watched(planted) == []
    assert sorted(planted.rglob("*")) == before


@pytest.mark.parametrize("deed", audited.DEEDS)
def test_the_watch_sees(deed: str, planted: Path) -> None:
    assert watched(planted, deed) != []
