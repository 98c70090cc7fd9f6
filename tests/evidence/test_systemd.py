"""systemd's side, with a stand-in for NOTIFY_SOCKET that sees who sends what."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from gunilint.parse import systemd
from gunilint.source import Source
from gunilint.values import Known, Value
from servers import ASGI, WSGI, Server, gunicorn, notify_socket

GUNICORN = f"{sys.executable} -m gunicorn"
SHELL = ("/bin/bash", "start.sh")


def ready(folder: Path) -> dict[str, str]:
    """The environment in which gunicorn finds systemd's socket."""
    return {"NOTIFY_SOCKET": str(folder / "notify")}


@pytest.mark.parametrize(
    ("command", "line", "by_main"),
    [
        pytest.param(SHELL, f'{GUNICORN} "$@"\ntrue', False, id="without exec"),
        pytest.param(SHELL, f'{GUNICORN} "$@"', False, id="without exec, at the end"),
        pytest.param(SHELL, f'exec {GUNICORN} "$@"', True, id="with exec"),
        pytest.param(SHELL, f'{GUNICORN} "$@" | cat', False, id="pipeline"),
        pytest.param(SHELL, f'{GUNICORN} "$@" & wait', False, id="background"),
        pytest.param(SHELL, f'{GUNICORN} --daemon "$@"', False, id="daemon"),
        pytest.param(("dash", "-c"), f'{GUNICORN} "$@"', False, id="dash -c"),
        pytest.param(("dash", "-c"), f'true && exec {GUNICORN} "$@"', True, id="dash -c, exec"),
        pytest.param(("bash", "-c"), f'true && {GUNICORN} "$@"', True, id="bash -c"),
        pytest.param(("bash", "-c"), f'{GUNICORN} "$@" || exit 1', False, id="bash -c, or"),
    ],
)
def test_ready_comes_from_the_main_process(tmp_path: Path, command, line, by_main: bool) -> None:
    start = {"start.sh": f"#!/bin/bash\n{line}\n"}
    if shutil.which(command[0]) is None:
        pytest.skip(f"there is no {command[0]}")
    command = command if command == SHELL else (*command, line, "name")
    with (
        notify_socket(tmp_path) as received,
        gunicorn(tmp_path, "--pid", "pid", files=start, environment=ready(tmp_path), command=command, ready=False) as server,
    ):  # fmt: skip
        messages = [*received(15, 1), *received(1)]
        assert [text.split("\n")[0] for _, text in messages] == ["READY=1"]
        assert (messages[0][0] == server.process.pid) is by_main
        if "daemon" in line:
            os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)


@pytest.mark.parametrize(("arguments", "waits"), [([], False), (["--preload"], True)])
def test_ready_waits_for_the_application_only_with_preload(
    tmp_path: Path, arguments, waits
) -> None:
    slow = {"app.py": f"import time\ntime.sleep(3)\n{WSGI}"}
    with (
        notify_socket(tmp_path) as received,
        gunicorn(tmp_path, *arguments, files=slow, environment=ready(tmp_path), ready=False) as server,
    ):  # fmt: skip
        assert server.until(lambda: "Starting gunicorn" in server.log or waits)
        assert bool(received(1.5 if waits else 15, 1)) is not waits
        assert server.until(lambda: server.get().status == 200)


def test_uvicorn_says_nothing(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn")
    run = (sys.executable, "-c", "import uvicorn; uvicorn.run('app:app', port=0)")
    with (
        notify_socket(tmp_path) as received,
        gunicorn(tmp_path, files={"app.py": ASGI}, environment=ready(tmp_path), command=run, ready=False) as server,
    ):  # fmt: skip
        assert server.until(lambda: "Uvicorn running" in server.log)
        assert received(1) == []


def test_nothing_is_sent_but_ready(tmp_path: Path) -> None:
    with notify_socket(tmp_path) as received:
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"}
        with gunicorn(tmp_path, environment=environment) as server:
            assert len([*received(15, 1), *received(1)]) == 1
            server.signal(signal.SIGHUP)
            assert received(2.5) == []
            server.signal(signal.SIGTERM)
            assert received(1) == []


@pytest.mark.parametrize(("arguments", "status"), [(["--daemon"], 0), ([], None)])
def test_only_a_daemon_ends_at_once(tmp_path: Path, arguments, status: int | None) -> None:
    with gunicorn(tmp_path, *arguments, "--pid", "pid", ready=False) as server:
        assert server.ended(15 if status == 0 else 2) == status
        assert server.until(lambda: server.get().status == 200)
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)
        assert server.until(lambda: not (tmp_path / "pid").exists())


@pytest.mark.parametrize(
    ("line", "behind"),
    [
        (f'{GUNICORN} "$@"\ntrue', True),
        (f'exec {GUNICORN} "$@"', False),
        (f'exec timeout 30 {GUNICORN} "$@"', False),
    ],
)
def test_shell_without_exec_leaves_gunicorn_behind(tmp_path: Path, line: str, behind) -> None:
    start = {"start.sh": f"#!/bin/bash\n{line}\n"}
    with gunicorn(tmp_path, files=start, command=SHELL) as server:
        server.signal(signal.SIGTERM)
        assert server.ended() == (-signal.SIGTERM if behind else 0)
        assert server.get().status == (200 if behind else 0)


def test_second_master_does_not_say_that_it_is_the_main_process(tmp_path: Path) -> None:
    with (
        notify_socket(tmp_path) as received,
        gunicorn(tmp_path, environment=ready(tmp_path)) as server,
    ):
        assert [pid for pid, _ in received(15, 1)] == [server.process.pid]
        server.signal(signal.SIGHUP)
        assert received(1) == []
        server.signal(signal.SIGUSR2)
        [(second, text)] = received(15, 1)
        assert second != server.process.pid
        assert "MAINPID" not in text
        server.signal(signal.SIGTERM)
        assert server.ended() == 0
        assert server.get().status == 200


@pytest.mark.parametrize("arguments", [[], ["--pid", "pid"]])
def test_pid_file_is_written_only_if_asked_for(tmp_path: Path, arguments: list[str]) -> None:
    with gunicorn(tmp_path, *arguments) as server:
        written = [path for path in tmp_path.rglob("*pid*") if path.is_file()]
        assert [path.read_text().strip() for path in written] == [
            str(server.process.pid) for _ in arguments[1:]
        ]


def passed(key: str, line: str, variables: Mapping[str, Value] | None = None) -> list[str]:
    """The arguments that systemd passes on for a command line of a unit."""
    unit = systemd.parse(Source("x.service", f"[Service]\n{key}=/bin/kill {line}\n"), "x.service")
    [command] = systemd.commands(unit, key, systemd.UnitEnvironment(variables or {}))
    return [word.text or "" for word in command.words[1:]]


@pytest.mark.parametrize(
    ("operand", "status"), [("$MAINPID", 0), ("$MAINID", 1), ("${MAIN_PID}", 1), ("", 1)]
)
def test_reload_needs_a_pid(tmp_path: Path, operand: str, status: int) -> None:
    with gunicorn(tmp_path) as server:
        main = {"MAINPID": Known(str(server.process.pid))}
        arguments = passed("ExecReload", f"-s HUP {operand}", main)
        result = subprocess.run(["/bin/kill", *arguments], check=False, capture_output=True)
        assert (result.returncode == 0) is (status == 0)
        reloaded = status == 0
        again = server.until(lambda: len(server.booted) == 2, 10 if reloaded else 1.5)
        assert again is reloaded


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        ("-b 127.0.0.1:$PORT", "'$PORT' is not a valid port number"),
        ("-w ${WORKERS:-4}", "invalid int value|invalid literal|argument -w"),
        ("-w $(nproc)", "argument -w"),
        ("--workers=$(nproc)", "argument -w"),
        ("app:app >> out.log 2>&1", ""),
        ("app:app && touch done", ""),
        ("app:app # three workers", ""),
        ("-w ${NUMBER} -b 127.0.0.1:${PORT} $OPTIONS", ""),
    ],
)
def test_words_that_only_a_shell_understands(tmp_path: Path, line: str, refusal: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    known = {"PORT": Known(port), "NUMBER": Known("2"), "OPTIONS": Known("--log-level debug")}
    arguments = passed("ExecStart", line, known)
    with gunicorn(tmp_path, *arguments, ready=not refusal) as server:
        if refusal:
            assert server.ended() in (1, 2)
            assert any(part in server.log for part in refusal.split("|"))
        assert not (tmp_path / "out.log").exists()
        assert not (tmp_path / "done").exists()


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["-c", "conf.py"], 1),
        (["-c", "conf.py", "--chdir", "{folder}"], 1),
        ([], 3),
        (["--chdir", "{folder}"], None),
        (["--chdir", "{folder}", "-c", "{folder}/conf.py"], None),
    ],
)
def test_relative_paths_start_in_the_working_directory(tmp_path: Path, arguments, status) -> None:
    command = ("/bin/sh", "-c", 'cd / && exec "$0" -m gunicorn "$@"', sys.executable)
    filled = [argument.format(folder=tmp_path) for argument in arguments]
    files = {"conf.py": "workers = 1\n", "elsewhere.py": WSGI}
    with gunicorn(tmp_path, *filled, files=files, app="elsewhere:app", command=command, ready=status is None) as server:  # fmt: skip
        assert server.ended(8 if status else 1) == status
        assert server.get().status == (0 if status else 200)


@pytest.mark.parametrize("made", [True, False])
def test_socket_needs_a_folder(tmp_path: Path, made: bool) -> None:
    if made:
        (tmp_path / "run").mkdir()
    with gunicorn(tmp_path, "-b", "unix:run/web.sock", ready=made) as server:
        assert (tmp_path / "run/web.sock").exists() is made
        assert server.ended(1 if made else 12) == (None if made else 1)
        assert ("Can't connect" in server.log) is not made


@pytest.mark.parametrize(("address", "status"), [("192.0.2.77:8000", 1), ("127.0.0.1:0", None)])
def test_address_that_is_not_there_ends_gunicorn(tmp_path: Path, address: str, status) -> None:
    with gunicorn(tmp_path, "-b", address, ready=False) as server:
        assert server.ended(12 if status else 2) == status


LISTENS = """
import os, socket, sys
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(8)
open("port", "w").write(str(listener.getsockname()[1]))
if listener.fileno() != 3:
    os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
whose = os.getpid() + int(sys.argv[1])
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(whose))
os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *sys.argv[2:]])
"""
"""What systemd does for a socket unit: it passes a socket as the descriptor 3 to one process."""


@pytest.mark.parametrize(
    ("other", "arguments", "taken"),
    [("0", [], True), ("0", ["--reuse-port"], False), ("1", [], False)],
)
def test_passed_sockets_replace_bind(tmp_path: Path, other: str, arguments, taken: bool) -> None:
    command = (sys.executable, "listens.py", other)
    with gunicorn(tmp_path, *arguments, files={"listens.py": LISTENS}, command=command) as server:
        by_unit = Server(server.process, int((tmp_path / "port").read_text()), tmp_path)
        answering, silent = (by_unit, server) if taken else (server, by_unit)
        assert answering.get().status == 200
        assert silent.get(timeout=2).status == 0


@pytest.mark.parametrize(("arguments", "mode"), [([], 0o777), (["-m", "007"], 0o770)])
def test_socket_mode_is_not_from_the_process_umask(tmp_path: Path, arguments, mode: int) -> None:
    command = ("/bin/sh", "-c", 'umask 077; exec "$0" -m gunicorn "$@"', sys.executable)
    with gunicorn(tmp_path, "-b", "unix:web.sock", *arguments, command=command):
        assert (tmp_path / "web.sock").stat().st_mode & 0o777 == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize(("arguments", "user"), [([], 0), (["--user", "65534"], 65534)])
def test_root_stays_root(tmp_path: Path, arguments: list[str], user: int) -> None:
    with gunicorn(tmp_path, "--preload", *arguments) as server:
        worker = Path("/proc", server.get("/pid").body)
        assert worker.stat().st_uid == user


@pytest.mark.parametrize(
    ("arguments", "failed"),
    [((), True), (("--no-control-socket",), False), (("--control-socket", "gunicorn.ctl"), False)],
)
def test_control_socket_needs_a_home(tmp_path: Path, arguments, failed: bool) -> None:
    home = {"HOME": str(tmp_path / "app.py"), "XDG_RUNTIME_DIR": ""}
    with gunicorn(tmp_path, *arguments, environment=home, control=True) as server:
        assert (
            server.until(lambda: "Control server error" in server.log, 10 if failed else 1.5)
            is failed
        )
        assert server.get().status == 200


FORBIDS = """
import ctypes, os, struct, sys
calls = (92, 93, 94, 260)
def step(code, value, yes=0, no=0):
    return struct.pack("HBBI", code, yes, no, value)
program = step(0x20, 0)
for left, call in zip(range(len(calls), 0, -1), calls):
    program += step(0x15, call, left)
program += step(0x06, 0x7FFF0000) + step(0x06, int(sys.argv[1], 16))
held = ctypes.create_string_buffer(program, len(program))
class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("program", ctypes.c_void_p)]
chosen = Filter(len(program) // 8, ctypes.addressof(held))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.byref(chosen), 0, 0) == 0
os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *sys.argv[2:]])
"""
"""What SystemCallFilter=~@chown does: a seccomp filter for the calls of that group on x86-64."""

KILL, REFUSE = "80000000", "00050001"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="system calls have other numbers")
@pytest.mark.parametrize(
    ("reaction", "arguments", "status"),
    [
        (KILL, [], None),
        (KILL, ["-b", "unix:web.sock"], -signal.SIGSYS),
        (KILL, ["--access-logfile", "access.log"], -signal.SIGSYS),
        (KILL, ["--error-logfile", "error.log"], -signal.SIGSYS),
        (REFUSE, ["-b", "unix:web.sock"], 1),
        (REFUSE, ["--access-logfile", "access.log"], None),
    ],
)
def test_unix_sockets_and_log_files_need_chown(tmp_path: Path, reaction, arguments, status) -> None:
    command = (sys.executable, "forbids.py", reaction)
    with gunicorn(tmp_path, *arguments, files={"forbids.py": FORBIDS}, command=command, ready=status is None) as server:  # fmt: skip
        assert server.ended(12 if status else 1) == status


def can_mount() -> bool:
    """Whether this process may have mounts of its own."""
    if shutil.which("unshare") is None:
        return False
    return (
        subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode == 0
    )


READ_ONLY = """
mount --make-rprivate / && mount -o bind,ro / / && cd "$PWD" && exec "$0" -m gunicorn "$@"
"""
"""What ProtectSystem=strict does: all file systems but /dev, /proc and /sys are read-only."""


@pytest.mark.skipif(not can_mount(), reason="mounting takes privileges")
@pytest.mark.parametrize(
    ("arguments", "starts"), [([], False), (["--worker-tmp-dir", "/dev/shm"], True)]
)
def test_heartbeats_need_a_folder_to_write_to(tmp_path: Path, arguments, starts: bool) -> None:
    command = ("unshare", "-m", "sh", "-c", READ_ONLY, sys.executable)
    with gunicorn(tmp_path, *arguments, command=command, ready=starts) as server:
        assert (server.ended(1 if starts else 10) is None) is starts
        assert ("No usable temporary directory" in server.log) is not starts
