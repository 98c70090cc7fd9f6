"""Reloading, recycling and stopping."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from servers import ASGI, WSGI, gunicorn


@pytest.mark.parametrize(("arguments", "after"), [(["--preload"], "one"), ([], "two")])
def test_preload_keeps_the_old_code_at_a_reload(tmp_path: Path, arguments, after: str) -> None:
    with gunicorn(tmp_path, *arguments) as server:
        assert server.get().body == "one"
        (tmp_path / "app.py").write_text(WSGI.replace('"one"', '"two"'))
        before = server.log.count("Booting worker")
        server.signal(signal.SIGHUP)
        assert server.until(lambda: server.log.count("Booting worker") > before)
        assert server.until(lambda: "Worker exiting" in server.log)
        assert server.until(lambda: server.get().body == after)


@pytest.mark.parametrize(("arguments", "pids"), [([], 1), (["--max-requests", "3"], 2)])
def test_workers_are_recycled_only_with_max_requests(tmp_path: Path, arguments, pids: int) -> None:
    with gunicorn(tmp_path, *arguments) as server:
        seen = {server.get("/pid").body for _ in range(8)} - {""}
        assert (len(seen) >= pids) if pids > 1 else (len(seen) == 1)


@pytest.mark.parametrize(("grace", "status"), [("0", 0), ("10", 200)])
def test_graceful_timeout_is_what_running_requests_get(tmp_path: Path, grace, status) -> None:
    with gunicorn(tmp_path, "--graceful-timeout", grace) as server:
        answer = server.during("/sleep/2", lambda: server.signal(signal.SIGTERM))
        assert answer.status == status


@pytest.mark.parametrize(("number", "finished"), [(signal.SIGINT, False), (signal.SIGTERM, True)])
def test_quick_shutdown_drops_requests(tmp_path: Path, number: int, finished: bool) -> None:
    with gunicorn(tmp_path) as server:
        answer = server.during("/sleep/2", lambda: server.signal(number))
        assert (answer.status == 200) is finished


@pytest.mark.parametrize(
    ("worker", "timeout", "status"),
    [("sync", "2", 500), ("sync", "30", 200), ("gthread", "2", 200)],
)
def test_timeout_limits_requests_of_sync_workers_only(tmp_path, worker, timeout, status) -> None:
    with gunicorn(tmp_path, "-k", worker, "--timeout", timeout) as server:
        answer = server.get("/sleep/5")
        assert answer.status in ({0, 500} if status == 500 else {200})


@pytest.mark.parametrize(("timeout", "replaced"), [("0", False), ("2", True)])
def test_hung_worker_is_replaced_only_with_a_timeout(tmp_path, timeout, replaced: bool) -> None:
    with gunicorn(tmp_path, "--timeout", timeout) as server:
        server.during("/sleep/5", lambda: None)
        assert ("WORKER TIMEOUT" in server.log) is replaced


@pytest.mark.parametrize(("timeout", "status"), [("2", 0), ("30", 200)])
def test_recycled_asgi_worker_is_killed_by_timeout(tmp_path, timeout: str, status: int) -> None:
    arguments = ["-k", "asgi", "--max-requests", "2", "--graceful-timeout", "20"]
    with gunicorn(tmp_path, *arguments, "--timeout", timeout, files={"app.py": ASGI}) as server:
        server.get()
        answer = server.during("/sleep/8", lambda: [server.get() for _ in range(2)])
        assert answer.status == status


def test_one_worker_that_can_not_boot_stops_them_all(tmp_path: Path) -> None:
    with gunicorn(tmp_path, "-w", "3") as server:
        assert server.until(lambda: server.log.count("Booting worker") == 3)
        (tmp_path / "app.py").write_text("raise RuntimeError('gone')\n")
        os.kill(int(server.get("/pid").body), signal.SIGKILL)
        assert server.ended() == 3
        assert "Worker failed to boot" in server.log


def test_reload_shows_source_to_clients(tmp_path: Path) -> None:
    with gunicorn(tmp_path, "--reload") as server:
        assert server.get().status == 200
        (tmp_path / "app.py").write_text("SECRET = 'here' broken\n")
        assert server.until(lambda: "SECRET" in server.get(timeout=3).body, 15)
    with gunicorn(tmp_path, files={"app.py": WSGI}) as server:
        (tmp_path / "app.py").write_text("SECRET = 'here' broken\n")
        assert server.get().status == 200
