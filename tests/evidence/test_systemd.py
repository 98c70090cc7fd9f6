"""systemd's side, with a stand-in for NOTIFY_SOCKET that sees who sends what."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from servers import gunicorn, notify_socket

GUNICORN = f"{sys.executable} -m gunicorn"


@pytest.mark.parametrize(
    ("line", "by_main"),
    [
        pytest.param(f'{GUNICORN} "$@"', False, id="without exec"),
        pytest.param(f'exec {GUNICORN} "$@"', True, id="with exec"),
        pytest.param(f'{GUNICORN} "$@" | cat', False, id="pipeline"),
        pytest.param(f'{GUNICORN} --daemon "$@"', False, id="daemon"),
    ],
)
def test_ready_comes_from_the_main_process(tmp_path: Path, line: str, by_main: bool) -> None:
    start = {"start.sh": f"#!/bin/bash\n{line}\ntrue\n"}
    with notify_socket(tmp_path) as received:
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        command = ("/bin/bash", "start.sh")
        arguments = ["--pid", "pid"]
        with gunicorn(
            tmp_path, *arguments, files=start, environment=environment, command=command, ready=False
        ) as server:
            messages = received(2.5)
            assert [text.split("\n")[0] for _, text in messages] == ["READY=1"]
            assert (messages[0][0] == server.process.pid) is by_main
            if "daemon" in line:
                master = int((tmp_path / "pid").read_text())

                os.kill(master, signal.SIGTERM)


def test_nothing_is_sent_but_ready(tmp_path: Path) -> None:
    with notify_socket(tmp_path) as received:
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"}
        with gunicorn(tmp_path, environment=environment) as server:
            assert len(received(1.5)) == 1
            server.signal(signal.SIGHUP)
            assert received(2.5) == []
            server.signal(signal.SIGTERM)
            assert received(1) == []


def test_daemon_ends_at_once(tmp_path: Path) -> None:
    with gunicorn(tmp_path, "--daemon", "--pid", "pid", ready=False) as server:
        assert server.ended(5) == 0
        assert server.until(lambda: (tmp_path / "pid").exists())
        assert server.until(lambda: server.get().status == 200)

        os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)
        assert server.until(lambda: not (tmp_path / "pid").exists())


def test_shell_without_exec_leaves_gunicorn_behind(tmp_path: Path) -> None:
    start = {"start.sh": f'#!/bin/bash\n{GUNICORN} "$@"\ntrue\n'}
    with gunicorn(tmp_path, files=start, command=("/bin/bash", "start.sh")) as server:
        server.signal(signal.SIGTERM)
        assert server.ended() == -signal.SIGTERM
        assert server.get().status == 200
