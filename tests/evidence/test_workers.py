"""What worker classes do with applications, and with their number."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from servers import ASGI, UVICORN, WSGI, gunicorn, notify_socket

FASTAPI = """
from fastapi import FastAPI
app = FastAPI()
@app.get("/")
def root():
    return {}
"""


@pytest.mark.parametrize("app", [ASGI, FASTAPI], ids=["plain", "FastAPI"])
@pytest.mark.parametrize(
    ("worker", "status"),
    [("sync", 500), ("gthread", 500), ("gevent", 500), ("asgi", 200), (UVICORN, 200)],
)
def test_asgi_application_on_a_wsgi_worker(tmp_path, app: str, worker: str, status: int) -> None:
    with gunicorn(tmp_path, "-k", worker, files={"app.py": app}) as server:
        assert [server.get().status for _ in range(3)] == [status] * 3
        missing = "missing 1 required positional argument: 'send'"
        assert (
            f"TypeError: {'FastAPI.__call__' if app == FASTAPI else 'app'}() {missing}"
            in server.log
        ) is (status == 500)


@pytest.mark.parametrize(("worker", "status"), [("tornado", 0), ("asgi", 200)])
def test_asgi_application_on_tornado_hangs(tmp_path: Path, worker: str, status: int) -> None:
    with gunicorn(tmp_path, "-k", worker, files={"app.py": ASGI}) as server:
        assert server.get(timeout=2 if status == 0 else 15).status == status
        assert ("TypeError: app() missing" in server.log) is (status == 0)


@pytest.mark.parametrize(
    ("worker", "reason"),
    [
        ("asgi", "app() takes 2 positional arguments but 3 were given"),
        (UVICORN, "app() missing 1 required positional argument: 'start_response'"),
        ("sync", None),
        ("gthread", None),
    ],
)
def test_wsgi_application_on_an_asgi_worker(tmp_path: Path, worker: str, reason) -> None:
    with gunicorn(tmp_path, "-k", worker) as server:
        assert server.get().status == (500 if reason else 200)
        assert ("TypeError: " in server.log) is bool(reason)
        assert reason is None or reason in server.log


@pytest.mark.parametrize(
    ("app", "worker"),
    [(ASGI, "sync"), (WSGI, "asgi"), (WSGI, "UvicornWorker"), (WSGI, "eventlet")],
    ids=["ASGI on sync", "WSGI on asgi", "no class", "removed"],
)
def test_check_config_does_not_look_at_the_worker_class(tmp_path, app: str, worker: str) -> None:
    arguments = ["-k", worker, "--check-config"]
    with gunicorn(tmp_path, *arguments, files={"app.py": app}, ready=False) as server:
        assert server.ended() == 0


@pytest.mark.parametrize(
    ("module", "warnings", "deprecated"),
    [
        ("uvicorn.workers", "default", True),
        ("uvicorn.workers", "", False),
        ("uvicorn_worker", "default", False),
    ],
    ids=["old, shown", "old, hidden", "new"],
)
def test_uvicorn_workers_is_deprecated(tmp_path, module: str, warnings: str, deprecated) -> None:
    arguments = ["-k", f"{module}.UvicornWorker"]
    environment = {"PYTHONWARNINGS": warnings} if warnings else {}
    files = {"app.py": ASGI}
    with gunicorn(tmp_path, *arguments, files=files, environment=environment) as server:
        assert server.get().status == 200
        assert ("DeprecationWarning: The `uvicorn.workers` module" in server.log) is deprecated


@pytest.mark.parametrize(
    ("worker", "loaded"),
    [
        ("eventlet", False),
        ("gaiohttp", False),
        ("UvicornWorker", False),
        ("uvicorn.worker.UvicornWorker", False),
        ("Gevent", False),
        ("gevent", True),
        ("uvicorn_worker.UvicornWorker", True),
    ],
)
def test_worker_classes_that_do_not_exist(tmp_path: Path, worker: str, loaded: bool) -> None:
    files = {"app.py": ASGI if "uvicorn" in worker else WSGI}
    with gunicorn(tmp_path, "-k", worker, files=files, ready=loaded) as server:
        if loaded:
            assert server.get().status == 200
        else:
            assert server.ended() == 1
            assert f"class uri {worker!r} invalid or not found" in server.log


@pytest.mark.parametrize(("workers", "answers"), [("0", False), ("1", True)])
def test_no_workers_and_nobody_answers(tmp_path: Path, workers: str, answers: bool) -> None:
    with notify_socket(tmp_path) as received:
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        with gunicorn(tmp_path, "-w", workers, environment=environment, ready=answers) as server:
            messages = [text.split("\n")[0] for _, text in received(5, 1)]
            assert messages == ["READY=1"]
            assert server.get(timeout=15 if answers else 1.5).status == (200 if answers else 0)
            assert server.ended(0.1) is None


@pytest.mark.parametrize(
    ("arguments", "workers", "seconds", "said"),
    [([], 1, 0.5, "alone"), (["-w", "2"], 2, 10, "met")],
    ids=["default", "two workers"],
)
def test_one_worker_answers_one_request_at_a_time(
    tmp_path: Path, arguments, workers: int, seconds: float, said: str
) -> None:
    with gunicorn(tmp_path, *arguments) as server:
        assert server.started(workers)
        assert {a.body for a in server.together(*[f"/meet/{seconds}"] * 2)} == {said}
        assert len(server.booted) == workers


@pytest.mark.parametrize(
    ("arguments", "worker", "seconds", "said"),
    [
        (["-k", "sync", "--threads", "2"], "gthread", 10, "met"),
        (["-k", "sync", "--threads", "1"], "sync", 0.5, "alone"),
    ],
    ids=["two threads", "one thread"],
)
def test_threads_turn_sync_into_gthread(tmp_path, arguments, worker, seconds, said: str) -> None:
    with gunicorn(tmp_path, *arguments) as server:
        assert f"Using worker: {worker}\n" in server.log
        assert {a.body for a in server.together(*[f"/meet/{seconds}"] * 2)} == {said}
        assert len(server.booted) == 1


TLS = """
from ssl import PROTOCOL_TLS_CLIENT, SSLContext, TLSVersion
def app(environ, start_response):
    try:
        SSLContext(PROTOCOL_TLS_CLIENT).minimum_version = TLSVersion.TLSv1_2
        body = b"fine"
    except RecursionError:
        body = b"RecursionError"
    start_response("200 OK", [])
    return [body]
"""
PATCHED = "from gevent import monkey\nmonkey.patch_all()\n"


@pytest.mark.parametrize(
    ("arguments", "config", "body"),
    [
        (["--preload"], "", "RecursionError"),
        ([], "", "fine"),
        (["--preload"], PATCHED, "fine"),
    ],
    ids=["preload", "no preload", "patched in the config"],
)
def test_gevent_and_tls_with_preload(tmp_path: Path, arguments, config: str, body: str) -> None:
    files = {"app.py": TLS, "gunicorn.conf.py": config}
    with gunicorn(tmp_path, "-k", "gevent", *arguments, files=files) as server:
        assert server.get().body == body
        assert ("MonkeyPatchWarning" in server.log) is (body != "fine")


@pytest.mark.parametrize(
    ("arguments", "seconds", "said"), [(["--preload"], 0.5, "alone"), ([], 10, "met")]
)
def test_gevent_blocks_in_what_preload_imported(tmp_path, arguments, seconds, said: str) -> None:
    app = WSGI.replace("import os,", "from time import sleep\nimport os,").replace(
        "time.sleep(0.02)", "sleep(0.02)"
    )
    with gunicorn(tmp_path, "-k", "gevent", *arguments, files={"app.py": app}) as server:
        assert {a.body for a in server.together(*[f"/meet/{seconds}"] * 2)} == {said}


GEVENT = ("gevent", "greenlet", "zope")


def only(folder: Path, packages: Sequence[str]) -> Path:
    """A folder with gunicorn and some packages of this environment, for a Python without others."""
    folder.mkdir()
    for name in ("gunicorn", *packages):
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.submodule_search_locations
        found = Path(next(iter(spec.submodule_search_locations)))
        (folder / name).symlink_to(found)
    return folder


@pytest.mark.parametrize(
    ("worker", "packages", "missing"),
    [
        ("gevent", (*GEVENT, "packaging"), None),
        ("gevent", GEVENT, "packaging"),
        ("gevent", ("packaging",), "gevent"),
        ("uvicorn_worker.UvicornWorker", ("uvicorn", "click", "h11"), "uvicorn_worker"),
        ("uvicorn_worker.UvicornWorker", ("uvicorn", "uvicorn_worker", "click", "h11"), None),
        ("tornado", (), "tornado"),
        ("tornado", ("tornado",), None),
    ],
)
def test_worker_class_without_its_package(
    tmp_path: Path, worker: str, packages: Sequence[str], missing: str | None
) -> None:
    environment = {"PYTHONPATH": str(only(tmp_path / "packages", packages))}
    command = (sys.executable, "-S", "-m", "gunicorn")
    files = {"app.py": ASGI} if "uvicorn" in worker else {}
    with gunicorn(
        tmp_path, "-k", worker, files=files, command=command, environment=environment, ready=False
    ) as server:
        if missing is None:
            assert server.until(lambda: server.get(timeout=1).status == 200)
        else:
            assert server.ended() == 1
            assert f"class uri '{worker}' invalid or not found" in server.log
            assert missing in server.log.rpartition("Traceback")[2]
