"""What worker classes do with applications, and with their number."""

from __future__ import annotations

from pathlib import Path

from servers import ASGI, gunicorn


def test_asgi_application_on_a_sync_worker(tmp_path: Path) -> None:
    with gunicorn(tmp_path, files={"app.py": ASGI}) as server:
        assert server.get().status == 500
        assert "TypeError" in server.log
    with gunicorn(tmp_path, "-k", "asgi", files={"app.py": ASGI}) as server:
        assert server.get().status == 200


def test_wsgi_application_on_an_asgi_worker(tmp_path: Path) -> None:
    with gunicorn(tmp_path, "-k", "asgi", "--asgi-lifespan", "off") as server:
        assert server.get().status == 500
    with gunicorn(tmp_path, "-k", "gthread") as server:
        assert server.get().status == 200


def test_unknown_worker_class(tmp_path: Path) -> None:
    with gunicorn(tmp_path, "-k", "UvicornWorker", ready=False) as server:
        assert server.ended() == 1
        assert "class uri 'UvicornWorker' invalid or not found" in server.log


def test_check_config_does_not_look_at_the_worker_class(tmp_path: Path) -> None:
    with gunicorn(tmp_path, "-k", "UvicornWorker", "--check-config", ready=False) as server:
        assert server.ended() == 0


def test_removed_worker_class(tmp_path: Path) -> None:
    with gunicorn(tmp_path, "-k", "eventlet", ready=False) as server:
        assert server.ended() == 1


def test_no_workers_and_nobody_answers(tmp_path: Path) -> None:
    with gunicorn(tmp_path, "-w", "0", ready=False) as server:
        assert server.until(lambda: "Listening at" in server.log)
        assert server.get(timeout=1.5).status == 0
        assert server.ended(0.1) is None


def test_one_worker_answers_one_request_at_a_time(tmp_path: Path) -> None:
    with gunicorn(tmp_path) as server:
        statuses = []
        server.during("/sleep/2", lambda: statuses.append(server.get(timeout=0.8).status))
        assert statuses == [0]
    with gunicorn(tmp_path, "-w", "2") as server:
        assert server.until(lambda: server.log.count("Booting worker") == 2)
        statuses = []
        server.during("/sleep/2", lambda: statuses.append(server.get(timeout=0.8).status))
        assert statuses == [200]


def test_threads_turn_sync_into_gthread(tmp_path: Path) -> None:
    with gunicorn(tmp_path, "-k", "sync", "--threads", "2") as server:
        assert "Using worker: gthread" in server.log
    with gunicorn(tmp_path, "-k", "sync") as server:
        assert "Using worker: sync" in server.log


def test_coroutine_hook_never_runs(tmp_path: Path) -> None:
    hook = "def when_ready(server):\n    open('ran', 'w').close()\n"
    with gunicorn(tmp_path, files={"gunicorn.conf.py": "async " + hook}) as server:
        assert server.get().status == 200
        assert not (tmp_path / "ran").exists()
    with gunicorn(tmp_path, files={"gunicorn.conf.py": hook}) as server:
        assert server.get().status == 200
        assert (tmp_path / "ran").exists()
