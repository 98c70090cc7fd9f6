"""What workers inherit from the master that forks them, and what each does for itself."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from servers import Server, gunicorn

WSGI_HEAD = """
import os, socket, threading, time
def answer(start_response, body):
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body.encode()]
"""

CLIENT = (
    WSGI_HEAD
    + """
PORT = int(os.environ["ECHO"])
connection = None
def connect():
    global connection
    connection = socket.create_connection(("127.0.0.1", PORT))
def app(environ, start_response):
    if connection is None:
        connect()
    connection.sendall(environ["PATH_INFO"][1:].zfill(8).encode())
    return answer(start_response, connection.recv(8, socket.MSG_WAITALL).decode())
"""
)
"""Asks the echo server what it is asked itself, on one connection."""


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that answers each message of eight bytes with the same eight."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                while message := connection.recv(8, socket.MSG_WAITALL):
                    time.sleep(0.02)
                    connection.sendall(message)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]


def wrong_answers(server: Server, requests: int = 60) -> int:
    """How many of concurrent requests get an answer that was meant for another."""
    numbers = [str(number).zfill(8) for number in range(requests)]
    with ThreadPoolExecutor(8) as clients:
        answers = clients.map(lambda number: server.get(f"/{number}").body, numbers)
        return sum(answer != number for number, answer in zip(numbers, answers, strict=True))


@pytest.mark.parametrize(
    ("arguments", "code", "config", "shared"),
    [
        (["--preload"], "connect()", "", True),
        (["--preload"], "", "", False),
        ([], "connect()", "", False),
        (["--preload"], "connect()", "def post_fork(s, w):\n    import app\n    app.connection = None\n", False),
        ([], "", "def when_ready(server):\n    import app\n    app.connect()\n", True),
    ],
    ids=["at import", "after the fork", "without preload", "cured in post_fork", "in a hook"],
)  # fmt: skip
def test_connection_of_the_master_gives_others_answers(
    tmp_path: Path, echo: int, arguments, code, config, shared
) -> None:
    files = {"app.py": CLIENT + code, "gunicorn.conf.py": config}
    with gunicorn(
        tmp_path, "-w", "4", *arguments, files=files, environment={"ECHO": str(echo)}
    ) as server:
        assert (wrong_answers(server) > 0) is shared


THREAD = (
    WSGI_HEAD
    + """
thread = threading.Thread(target=threading.Event().wait, daemon=True)
thread.start()
def app(environ, start_response):
    return answer(start_response, "alive" if thread.is_alive() else "dead")
"""
)


@pytest.mark.parametrize(("arguments", "state"), [(["--preload"], "dead"), ([], "alive")])
def test_thread_of_the_master_is_dead_in_workers(tmp_path: Path, arguments, state) -> None:
    with gunicorn(tmp_path, *arguments, files={"app.py": THREAD}) as server:
        assert server.get().body == state


EXECUTOR = (
    WSGI_HEAD
    + """
from concurrent.futures import ThreadPoolExecutor, TimeoutError
pool = ThreadPoolExecutor(2)
WARM
def app(environ, start_response):
    try:
        return answer(start_response, pool.submit(lambda: "done").result(1))
    except TimeoutError:
        return answer(start_response, "never")
"""
)


@pytest.mark.parametrize(
    ("arguments", "warm", "result"),
    [
        (["--preload"], "pool.submit(int).result()", "never"),
        (["--preload"], "", "done"),
        ([], "pool.submit(int).result()", "done"),
    ],
)
def test_executor_of_the_master_runs_no_task(tmp_path: Path, arguments, warm, result) -> None:
    files = {"app.py": EXECUTOR.replace("WARM", warm)}
    with gunicorn(tmp_path, *arguments, files=files) as server:
        assert server.get().body == result


LOCK = (
    WSGI_HEAD
    + """
lock, taken = threading.Lock(), threading.Event()
def work():
    with lock:
        taken.set()
        time.sleep(1)
threading.Thread(target=work, daemon=True).start()
taken.wait()
def app(environ, start_response):
    return answer(start_response, "locked" if not lock.acquire(timeout=2.5) else "free")
"""
)


@pytest.mark.parametrize(("arguments", "state"), [(["--preload"], "locked"), ([], "free")])
def test_lock_that_a_thread_holds_at_the_fork_stays_locked(
    tmp_path: Path, arguments, state
) -> None:
    with gunicorn(tmp_path, *arguments, files={"app.py": LOCK}) as server:
        assert server.get().body == state


SCHEDULER = (
    WSGI_HEAD
    + """
def run():
    while True:
        with open("jobs", "a") as log:
            log.write(f"{os.getpid()}\\n")
        time.sleep(0.1)
threading.Thread(target=run, daemon=True).start()
def app(environ, start_response):
    return answer(start_response, "")
"""
)


@pytest.mark.parametrize(
    ("arguments", "schedulers"), [(["-w", "3"], 3), (["-w", "1"], 1), (["-w", "3", "--preload"], 1)]
)
def test_scheduler_runs_each_job_in_every_worker(tmp_path: Path, arguments, schedulers) -> None:
    with gunicorn(tmp_path, *arguments, files={"app.py": SCHEDULER}) as server:
        jobs = tmp_path / "jobs"
        assert server.until(
            lambda: jobs.exists() and len(set(jobs.read_text().split())) >= schedulers
        )
        time.sleep(1)
        pids = set(jobs.read_text().split())
        assert len(pids) == schedulers
        assert (str(server.process.pid) in pids) is ("--preload" in arguments)


STREAM = """
import asyncio, os
PORT = int(os.environ["ECHO"])
connection = None
async def connect():
    global connection
    connection = await asyncio.open_connection("127.0.0.1", PORT)
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    if connection is None:
        await connect()
    reader, writer = connection
    writer.write(b"12345678")
    body = await reader.readexactly(8)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"8")]})
    await send({"type": "http.response.body", "body": body})
"""


@pytest.mark.parametrize("worker", ["asgi", "uvicorn_worker.UvicornWorker"])
@pytest.mark.parametrize("preload", [[], ["--preload"]], ids=["", "preload"])
def test_connection_of_another_loop_can_not_be_used(tmp_path, echo: int, worker, preload) -> None:
    arguments, environment = ["-k", worker, *preload], {"ECHO": str(echo)}
    files = {"app.py": f"{STREAM}\nasyncio.run(connect())\n"}
    with gunicorn(tmp_path, *arguments, files=files, environment=environment) as server:
        assert server.get().status == 500
        assert "attached to a different loop" in server.log
    with gunicorn(
        tmp_path, *arguments, files={"app.py": STREAM}, environment=environment
    ) as server:
        assert server.get().body == "12345678"


GEVENT = (
    WSGI_HEAD
    + """
from ssl import PROTOCOL_TLS_CLIENT, SSLContext, TLSVersion
from time import sleep
def app(environ, start_response):
    if environ["PATH_INFO"] == "/tls":
        SSLContext(PROTOCOL_TLS_CLIENT).minimum_version = TLSVersion.TLSv1_2
    else:
        sleep(1)
    return answer(start_response, "")
"""
)
PATCH = "from gevent import monkey\nmonkey.patch_all()\n"


AIOSQLITE = """
import aiosqlite, asyncio
connection = None
async def connect():
    global connection
    connection = await aiosqlite.connect("shop.db")
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    if connection is None:
        await connect()
    async with connection.execute("SELECT 1") as cursor:
        await cursor.fetchone()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})
"""
HOOK = "import asyncio\ndef on_starting(server):\n    import app\n    asyncio.run(app.connect())\n"
