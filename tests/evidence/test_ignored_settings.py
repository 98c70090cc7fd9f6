"""Which worker class honours which setting, and which settings need another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from servers import ASGI, UVICORN, WSGI, gunicorn, talk

ON_WSGI = {"app.py": WSGI}
ON_ASGI = {"app.py": ASGI}


def application(worker: str) -> dict[str, str]:
    """The files of an application that the worker class can call."""
    return ON_ASGI if worker in ("asgi", UVICORN) else ON_WSGI


@pytest.mark.parametrize(
    ("worker", "kept"),
    [("sync", False), ("gthread", True), ("gevent", True), ("asgi", True), (UVICORN, True)],
)
def test_keepalive(tmp_path: Path, worker: str, kept: bool) -> None:
    with gunicorn(
        tmp_path, "-k", worker, "--keep-alive", "30", files=application(worker)
    ) as server:
        request = "GET / HTTP/1.1\r\nHost: a\r\n"
        answers = talk(server.port, f"{request}\r\n{request}Connection: close\r\n\r\n")
        assert answers.count("HTTP/1.1 200") == (2 if kept else 1)


@pytest.mark.parametrize(
    ("arguments", "recycled"),
    [
        (["--max-requests-jitter", "1"], False),
        (["--max-requests-jitter", "1", "--max-requests", "2"], True),
        (["-k", "gevent_pywsgi", "--max-requests", "2"], False),
        (["-k", "gevent", "--max-requests", "2"], True),
    ],
    ids=["jitter alone", "jitter", "pywsgi", "gevent"],
)
def test_recycling(tmp_path: Path, arguments: list[str], recycled: bool) -> None:
    with gunicorn(tmp_path, *arguments) as server:
        if recycled:
            assert server.until(lambda: bool(server.get()) and len(server.booted) > 1)
        else:
            assert len({server.get("/pid").body for _ in range(8)}) == 1


@pytest.mark.parametrize(
    ("worker", "limited"),
    [("gthread", True), ("gevent", True), ("asgi", False), (UVICORN, False)],
)
def test_worker_connections(tmp_path: Path, worker: str, limited: bool) -> None:
    arguments = ["-k", worker, "--worker-connections", "1", "--keep-alive", "0"]
    if worker == "gthread":
        arguments += ["--threads", "4"]
    with gunicorn(tmp_path, *arguments, files=application(worker)) as server:
        seconds = 0.5 if limited else 10
        met = {answer.body for answer in server.together(*[f"/meet/{seconds}"] * 2)}
        assert met == ({"alone"} if limited else {"met"})


@pytest.mark.parametrize(("worker", "path"), [("asgi", "/shop"), (UVICORN, "")])
def test_root_path(tmp_path: Path, worker: str, path: str) -> None:
    with gunicorn(tmp_path, "-k", worker, "--root-path", "/shop", files=ON_ASGI) as server:
        assert server.get("/shop/root" if path else "/root").status == 200
        assert server.get("/root").body == path


@pytest.mark.parametrize(
    ("worker", "refused"), [("sync", True), ("asgi", True), (UVICORN, False), ("tornado", False)]
)
def test_limit_request_line(tmp_path: Path, worker: str, refused: bool) -> None:
    arguments = ["-k", worker, "--limit-request-line", "100"]
    with gunicorn(tmp_path, *arguments, files=application(worker)) as server:
        status = server.get("/" + "a" * 1000).status
        assert (status in {400, 414}) if refused else (status == 200)


@pytest.mark.parametrize(
    ("worker", "counts"), [("sync", True), ("asgi", True), (UVICORN, False), ("tornado", False)]
)
def test_access_log_format(tmp_path: Path, worker: str, counts: bool) -> None:
    arguments = ["-k", worker, "--access-logfile", "access", "--access-logformat", "mine %(s)s"]
    with gunicorn(tmp_path, *arguments, files=application(worker)) as server:
        assert server.get().status == 200
        log = tmp_path / "access"
        if counts:
            assert server.until(lambda: log.read_text() == "mine 200\n")
        else:
            assert not server.until(lambda: "mine" in log.read_text(), 1)


@pytest.mark.parametrize(
    ("worker", "run"), [("sync", True), ("asgi", True), (UVICORN, False), ("tornado", False)]
)
def test_request_hooks(tmp_path: Path, worker: str, run: bool) -> None:
    config = (
        "def pre_request(worker, request):\n    worker.log.info('hook before')\n"
        "def post_request(worker, request, environ, response):\n    worker.log.info('hook after')\n"
    )
    files = {**application(worker), "gunicorn.conf.py": config}
    with gunicorn(tmp_path, "-k", worker, files=files) as server:
        assert server.get().status == 200
        done = server.until(
            lambda: "hook before" in server.log and "hook after" in server.log, 10 if run else 1
        )
        assert done is run
        assert ("hook" in server.log) is run


@pytest.mark.parametrize(("worker", "status"), [("sync", 200), ("asgi", 200), (UVICORN, 400)])
def test_proxy_protocol(tmp_path: Path, worker: str, status: int) -> None:
    arguments = ["-k", worker, "--proxy-protocol=auto"]
    request = "PROXY TCP4 9.9.9.9 127.0.0.1 5555 80\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    with gunicorn(tmp_path, *arguments, files=application(worker)) as server:
        assert talk(server.port, request).startswith(f"HTTP/1.1 {status}")


@pytest.mark.parametrize(("worker", "scheme"), [("sync", "https"), ("tornado", "http")])
def test_forwarded_allow_ips(tmp_path: Path, worker: str, scheme: str) -> None:
    with gunicorn(tmp_path, "-k", worker, "--forwarded-allow-ips", "127.0.0.1") as server:
        assert server.get("/scheme", X_Forwarded_Ssl="on").body == scheme


def test_threads_on_an_asgi_worker_are_warned_of(tmp_path: Path) -> None:
    with gunicorn(tmp_path, "-k", "asgi", "--threads", "2", files=ON_ASGI) as server:
        assert server.get().status == 200
        assert "threads" in server.log


DIRTY = "from gunicorn.dirty import DirtyApp\nclass Work(DirtyApp):\n    pass\n"


@pytest.mark.parametrize(
    ("arguments", "started"),
    [
        (["--dirty-workers", "1"], False),
        (["--dirty-app", "work:Work"], False),
        (["--dirty-workers", "1", "--dirty-app", "work:Work"], True),
    ],
    ids=["workers", "app", "both"],
)
def test_dirty_settings_need_each_other(tmp_path: Path, arguments, started: bool) -> None:
    with gunicorn(
        tmp_path, "--name", tmp_path.name, *arguments, files={"work.py": DIRTY}
    ) as server:
        assert server.get().status == 200
        assert (
            server.until(lambda: "dirty" in server.log.lower(), 10 if started else 0.5) is started
        )


@pytest.mark.parametrize(("arguments", "reloaded"), [([], False), (["--reload"], True)])
def test_extra_files_need_reload(tmp_path: Path, arguments, reloaded: bool) -> None:
    (tmp_path / "notes.txt").write_text("one")
    with gunicorn(tmp_path, "--reload-extra-file", "notes.txt", *arguments) as server:
        assert server.get().status == 200

        def changed() -> bool:
            (tmp_path / "notes.txt").touch()
            return len(server.booted) > 1

        assert server.until(changed, 15 if reloaded else 2) is reloaded
