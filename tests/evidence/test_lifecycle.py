"""Reloading, recycling, forking."""

from __future__ import annotations

import os
import re
import signal
import threading
from pathlib import Path

import pytest

from servers import ASGI, BEGUN, UVICORN, WSGI, Server, gunicorn, notify_socket

CONFIG = "gunicorn.conf.py"
ON_ASGI = {"app.py": ASGI}


def renew(server: Server, old: str, new: str) -> None:
    """Edit the application; the size changes too, so that no cache takes it for the old one."""
    app = server.folder / "app.py"
    app.write_text(app.read_text().replace(old, new) + "# edited\n")


def reloads(server: Server) -> bool:
    """Whether `--reload` notices an edited application.

    The reloader looks once a second and doesn't see an edit before its first look, so the file is
    touched again and again.
    """

    def noticed() -> bool:
        (server.folder / "app.py").touch()
        return "Worker reloading" in server.log

    return server.until(noticed, 20)


@pytest.mark.parametrize("worker", ["sync", "asgi", UVICORN])
@pytest.mark.parametrize(("arguments", "after"), [(["--preload"], "one"), ([], "two")])
def test_preload_keeps_the_old_code_at_a_reload(tmp_path, worker, arguments, after: str) -> None:
    files = {"app.py": WSGI if worker == "sync" else ASGI}
    with gunicorn(tmp_path, "-k", worker, *arguments, files=files) as server:
        assert server.get("/version").body == "one"
        renew(server, '"one"', '"two"')
        server.signal(signal.SIGHUP)
        assert server.started(2)
        old, new = server.booted
        assert server.until(lambda: not Path(f"/proc/{old}").exists())
        assert server.get("/version").body == after
        assert f"{BEGUN} /version by {new}" in server.log


GROWING = """
kept = []
def app(environ, start_response):
    kept.append(b"x" * 1000)
    start_response("200 OK", [])
    return [str(len(kept)).encode()]
"""


@pytest.mark.parametrize(("arguments", "bounded"), [([], False), (["--max-requests", "3"], True)])
def test_workers_are_recycled_only_with_max_requests(tmp_path, arguments, bounded: bool) -> None:
    with gunicorn(tmp_path, *arguments, files={"app.py": GROWING}) as server:
        kept = [int(answer.body) for _ in range(12) if (answer := server.get()).status]
        assert (max(kept) <= 3) is bounded
        assert (kept == list(range(1, 13))) is not bounded
        assert (len(server.booted) > 1) is bounded


@pytest.mark.parametrize(("jitter", "together"), [(0, True), (60, False)])
def test_workers_restart_together_without_jitter(tmp_path: Path, jitter: int, together) -> None:
    """Four busy workers; how much is answered between the first one's restart and the last one's.

    The seed is one whose four jitters lie well apart.
    """
    config = f"""
import random
random.seed(2)
workers = 4
max_requests = 20
max_requests_jitter = {jitter}
def post_worker_init(worker):
    worker.log.info("limit %s", worker.max_requests)
"""
    with gunicorn(tmp_path, files={CONFIG: config}) as server:
        assert server.until(lambda: server.log.count("limit ") == 4)
        first = server.booted[:4]
        limits = sorted(int(limit) for limit in re.findall(r"limit (\d+)", server.log))
        assert limits == [20] * 4 if together else limits[3] > 2 * limits[0]
        restart = re.compile(rf"\[({'|'.join(map(str, first))})\] \[INFO\] Autorestarting worker")

        def client() -> None:
            while len(restart.findall(server.log)) < 4 and server.process.poll() is None:
                server.get("/sleep/0.02")

        clients = [threading.Thread(target=client) for _ in range(4)]
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join(30)
        places = [match.start() for match in restart.finditer(server.log)]
        assert len(places) == 4
        before = server.log[: places[0]].count(f"{BEGUN} ")
        between = server.log[places[0] : places[3]].count(f"{BEGUN} ")
        assert (between < before) is together, (before, between, limits)


ENGINE = """
import asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine("sqlite+aiosqlite:///shop.db")

async def query():
    async with engine.connect() as connection:
        return (await connection.execute(text("select 42"))).scalar()

async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    body = str(await query()).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": body})
"""
USED = ENGINE + "\nasyncio.run(query())\n"


@pytest.mark.parametrize("worker", ["asgi", UVICORN])
@pytest.mark.parametrize(
    ("arguments", "app", "works"),
    [(["--preload"], USED, False), (["--preload"], ENGINE, True), ([], USED, True)],
    ids=["used before the fork", "only created", "no preload"],
)
def test_async_engine_and_preload(tmp_path: Path, worker: str, arguments, app: str, works) -> None:
    with gunicorn(tmp_path, "-k", worker, *arguments, files={"app.py": app}) as server:
        answer = server.get(timeout=15 if works else 2.5)
        assert (answer.body == "42") is works


@pytest.mark.parametrize(
    ("worker", "new_code"),
    [("sync", True), ("gthread", True), ("asgi", True), (UVICORN, False)],
)
def test_reload_by_itself(tmp_path: Path, worker: str, new_code: bool) -> None:
    """Uvicorn's worker logs that it reloads and stays; the others are replaced."""
    files = {"app.py": ASGI if worker in ("asgi", UVICORN) else WSGI}
    with gunicorn(tmp_path, "-k", worker, "--reload", files=files) as server:
        assert server.get("/version").body == "one"
        renew(server, '"one"', '"two"')
        assert reloads(server)
        if new_code:
            assert server.until(lambda: server.get("/version").body == "two", 20)
        else:
            assert not server.until(lambda: server.get("/version").body != "one", 2)
        assert (len(server.booted) > 1) is new_code


@pytest.mark.parametrize(("arguments", "after"), [(["--preload"], "one"), ([], "two")])
def test_reload_by_itself_with_preload(tmp_path: Path, arguments, after: str) -> None:
    with gunicorn(tmp_path, "--reload", *arguments) as server:
        assert server.get("/version").body == "one"
        renew(server, '"one"', '"two"')
        assert reloads(server)
        assert server.until(lambda: not Path(f"/proc/{server.booted[0]}").exists())
        assert server.get("/version").body == after


@pytest.mark.parametrize(
    ("worker", "arguments", "shown"),
    [("sync", ["--reload"], True), ("gthread", ["--reload"], True), ("sync", [], False)],
)
def test_reload_shows_source_to_clients(tmp_path: Path, worker: str, arguments, shown) -> None:
    with gunicorn(tmp_path, "-k", worker, *arguments) as server:
        assert server.get().body == "one"
        (tmp_path / "app.py").write_text("SECRET = 'here' broken\n")
        assert not shown or reloads(server)
        seen = server.until(lambda: "SECRET" in server.get(timeout=3).body, 20 if shown else 2)
        assert seen is shown
        assert shown or server.get().body == "one"


@pytest.mark.parametrize("daemon", [True, False])
def test_daemon_leaves_the_process_that_was_started(tmp_path: Path, daemon: bool) -> None:
    arguments = ["--pid", "pid", *(["--daemon"] if daemon else [])]
    with notify_socket(tmp_path) as received:
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        with gunicorn(tmp_path, *arguments, environment=environment, ready=False) as server:
            assert server.ended(10 if daemon else 1) == (0 if daemon else None)
            assert server.until(lambda: (tmp_path / "pid").exists())
            master = int((tmp_path / "pid").read_text())
            try:
                assert server.until(lambda: server.get().status == 200)
                [(sender, text)] = received(15, 1)
                assert text.startswith("READY=1")
                assert (sender == server.process.pid) is not daemon
                assert sender == master
                assert ("Booting worker" in server.log) is not daemon
            finally:
                os.kill(master, signal.SIGTERM)
            assert server.until(lambda: not (tmp_path / "pid").exists())


HOOK = "def when_ready(server):\n    server.log.info('hook has run')\n"


@pytest.mark.parametrize(("config", "ran"), [("async " + HOOK, False), (HOOK, True)])
def test_coroutine_hook_never_runs(tmp_path: Path, config: str, ran: bool) -> None:
    with gunicorn(tmp_path, files={CONFIG: config}) as server:
        assert server.get().status == 200
        assert ("hook has run" in server.log) is ran
        assert ("coroutine 'when_ready' was never awaited" in server.log) is not ran


READY = "def post_worker_init(worker):\n    worker.log.info('has the application')\n"


@pytest.mark.parametrize("worker", ["sync", UVICORN])
@pytest.mark.parametrize(
    ("recycling", "broken", "statuses"),
    [("4", True, {3, 1}), ("4", False, {None}), ("0", True, {None})],
    ids=["recycled and broken", "recycled", "broken"],
)
def test_one_worker_that_can_not_boot_stops_them_all(
    tmp_path: Path, worker: str, recycling: str, broken: bool, statuses: set[int | None]
) -> None:
    """The status is 3, or 1 with a traceback where several workers fail at once."""
    stays = None in statuses
    files = {"app.py": WSGI if worker == "sync" else ASGI, CONFIG: READY}
    arguments = ["-w", "3", "-k", worker, "--max-requests", recycling]
    with gunicorn(tmp_path, *arguments, files=files) as server:
        assert server.until(lambda: server.log.count("has the application") == 3)
        if broken:
            (tmp_path / "app.py").write_text("raise RuntimeError('gone')\n")
        # one of three workers gets four of twelve requests
        for _ in range(12):
            server.get(timeout=3)
        assert server.ended(0.5 if stays else 15) in statuses, server.log
        assert ("RuntimeError: gone" in server.log) is not stays
        if stays:
            new = 1 if recycling != "0" else 0
            assert server.until(lambda: bool(server.get()) and len(server.booted) >= 3 + new)
            assert server.get().status == 200


def test_module_config_is_not_read_again_at_a_reload(tmp_path: Path) -> None:
    hook = "def when_ready(server):\n    server.log.info('ready: one')\n"
    hook += "def on_reload(server):\n    server.log.info('reload: one')\n"
    for config, seen in (("python:serving", "one"), ("serving.py", "two")):
        folder = tmp_path / seen
        folder.mkdir()
        with gunicorn(folder, "-c", config, files={"serving.py": hook}) as server:
            assert server.until(lambda: "ready: one" in server.log)
            (folder / "serving.py").write_text(hook.replace("one", "two"))
            server.signal(1)
            assert server.until(lambda: "reload: " in server.log)
            assert f"reload: {seen}" in server.log
