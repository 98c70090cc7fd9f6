"""What shells make of start scripts."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from servers import WSGI, gunicorn

GUNICORN = f"{sys.executable} -m gunicorn"
SHELLS = [name for name in ("bash", "dash") if shutil.which(name)]
FACTORY = WSGI + "\ndef create_app():\n    return app\n"


def script(text: str) -> dict[str, str]:
    return {"start.sh": text, "app.py": FACTORY}


@pytest.mark.parametrize("shell", SHELLS)
def test_unquoted_factory_is_a_syntax_error(tmp_path: Path, shell: str) -> None:
    start = script(f'exec {GUNICORN} "$@" -w 1 app:create_app()\n')
    with gunicorn(tmp_path, files=start, command=(shell, "start.sh"), ready=False) as server:
        assert server.ended() == 2
        assert "yntax error" in server.log
        assert "Starting gunicorn" not in server.log
    start = script(f"exec {GUNICORN} \"$@\" 'app:create_app()'\n")
    with gunicorn(tmp_path, files=start, command=(shell, "start.sh")) as server:
        assert server.get().status == 200


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(("line", "runs"), [("exec ", False), ("", True)])
def test_code_behind_exec_never_runs(tmp_path: Path, shell: str, line: str, runs: bool) -> None:
    start = script(f'{line}{GUNICORN} --pid pid "$@"\necho ran > after\n')
    with gunicorn(tmp_path, files=start, command=(shell, "start.sh")) as server:
        assert server.until((tmp_path / "pid").exists)
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)
        assert server.ended() == 0
        assert (tmp_path / "after").exists() is runs


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("between", "workers"),
    [
        pytest.param(" \\ \n", 1, id="blank"),
        pytest.param(" \\\n  # more workers\n", 1, id="comment"),
        pytest.param(" \\\n", 2, id="joined"),
    ],
)
def test_continuation_that_ends_too_early(tmp_path, shell: str, between: str, workers: int) -> None:
    start = script(f'{GUNICORN} "$@"{between}  --workers 2\n')
    with gunicorn(tmp_path, files=start, command=(shell, "start.sh")) as server:
        assert server.get().status == 200
        assert server.until(lambda: server.log.count("Booting worker") == workers)
        time.sleep(0.3)
        assert server.log.count("Booting worker") == workers


@pytest.mark.parametrize("interpreter", ["/bin/sh", "/usr/bin/env bash"])
@pytest.mark.parametrize(("end", "starts"), [("\r\n", False), ("\n", True)])
def test_script_with_crlf_does_not_start(tmp_path, interpreter: str, end: str, starts) -> None:
    lines = (f"#!{interpreter}", f'exec {GUNICORN} "$@"', "")
    files = {**script(""), "start.sh": ""}
    (tmp_path / "run").write_bytes(end.join(lines).encode())
    (tmp_path / "run").chmod(0o755)
    command = ("/bin/bash", "-c", 'exec ./run "$@"', "run")
    with gunicorn(tmp_path, files=files, command=command, ready=starts) as server:
        if starts:
            assert server.get().status == 200
        else:
            assert server.ended() in (126, 127)


@pytest.mark.parametrize("shell", SHELLS)
def test_crlf_becomes_part_of_words(tmp_path: Path, shell: str) -> None:
    for end, workers in (("\r\n", 1), ("\n", 2)):
        text = f'{GUNICORN} "$@" \\{end}  --workers 2{end}'
        (tmp_path / "run").write_bytes(text.encode())
        with gunicorn(tmp_path, command=(shell, "run")) as server:
            time.sleep(0.5)
            assert server.log.count("Booting worker") == workers


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("waits", "status"), [('wait "$PID"', 0), ('wait "$PID"; wait "$PID"', 200)]
)
def test_wait_returns_when_a_trap_runs(tmp_path: Path, shell: str, waits: str, status: int) -> None:
    text = f"trap 'kill -TERM $PID' TERM\n{GUNICORN} \"$@\" &\nPID=$!\n{waits}\n"
    with gunicorn(tmp_path, files=script(text), command=(shell, "start.sh")) as server:

        def ends_as_a_container() -> None:
            """Its first process has ended, so all others are killed."""
            server.process.wait()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.process.pid, signal.SIGKILL)

        container = threading.Thread(target=ends_as_a_container)
        container.start()
        answer = server.during("/sleep/2", lambda: server.signal(signal.SIGTERM))
        assert answer.status == status
        container.join(10)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("first", "starts"),
    [
        pytest.param("migrate", True, id="ignored"),
        pytest.param("set -e\nmigrate", False, id="set -e"),
        pytest.param("migrate || exit 1", False, id="or exit"),
    ],
)
def test_failed_migration_does_not_stop_a_script(tmp_path, shell: str, first: str, starts) -> None:
    text = f'migrate() {{ return 1; }}\n{first}\nexec {GUNICORN} "$@"\n'
    with gunicorn(
        tmp_path, files=script(text), command=(shell, "start.sh"), ready=starts
    ) as server:
        if starts:
            assert server.get().status == 200
        else:
            assert server.ended() == 1
            assert server.log == ""


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(("first", "found"), [("", False), ('PATH="$VENV/bin:$PATH"\n', True)])
def test_bare_name_needs_the_environment_s_path(tmp_path: Path, shell: str, first, found) -> None:
    (tmp_path / "venv/bin").mkdir(parents=True)
    program = tmp_path / "venv/bin/gunicorn"
    program.write_text(f'#!/bin/sh\nexec {GUNICORN} "$@"\n')
    program.chmod(0o755)
    environment = {"PATH": str(tmp_path / "empty"), "VENV": str(tmp_path / "venv")}
    command = (shutil.which(shell) or shell, "start.sh")
    start = script(f'{first}exec gunicorn "$@"\n')
    with gunicorn(
        tmp_path, files=start, command=command, environment=environment, ready=found
    ) as server:
        if found:
            assert server.get().status == 200
        else:
            assert server.ended() == 127


def test_sh_c_needs_quotes_inside_its_string_too() -> None:
    for text, status in (("true app:create_app()", 2), ("true 'app:create_app()'", 0)):
        ended = subprocess.run(["/bin/sh", "-c", text], check=False, capture_output=True)
        assert ended.returncode == status
