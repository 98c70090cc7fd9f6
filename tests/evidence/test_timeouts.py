"""`timeout`, `graceful_timeout`, and how gunicorn is stopped."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from launches import installed
from servers import ASGI, UVICORN, WSGI, gunicorn

ON_ASGI = {"app.py": ASGI}
INSTALLED, OLDER = (
    sys.executable,
    [str(python) for name, python in sorted(installed().items()) if name < "24"][-1:],
)


# A request of /sleep/15 is one that is going to be cut; where it isn't, the test is slow and fails.


@pytest.mark.parametrize("worker", ["asgi", UVICORN])
@pytest.mark.parametrize(("timeout", "seconds", "status"), [("2", 15, 0), ("30", 3, 200)])
def test_recycled_asgi_worker_is_killed_by_timeout(
    tmp_path: Path, worker: str, timeout: str, seconds: int, status: int
) -> None:
    arguments = ["-k", worker, "--max-requests", "2", "--graceful-timeout", "20"]
    with gunicorn(tmp_path, *arguments, "--timeout", timeout, files=ON_ASGI) as server:
        answer = server.during(f"/sleep/{seconds}", lambda: [server.get() for _ in range(2)])
        assert answer.status == status
        assert ("WORKER TIMEOUT" in server.log) is (status == 0)


LEFT_TO_TIMEOUT = pytest.mark.parametrize(
    ("python", "timeout", "seconds", "status"),
    [
        pytest.param(INSTALLED, "2", 4, 200, id="installed"),
        *(pytest.param(older, "2", 15, 0, id="older") for older in OLDER),
        *(pytest.param(older, "30", 3, 200, id="older, long enough") for older in OLDER),
    ],
)
"""With the newest of the oracle's releases up to 23, where there is one, and with the installed one."""


@LEFT_TO_TIMEOUT
def test_reload_up_to_gunicorn_23_leaves_workers_to_timeout(
    tmp_path: Path, python: str, timeout: str, seconds: int, status: int
) -> None:
    arguments = ["-k", "gthread", "--graceful-timeout", "20", "--timeout", timeout]
    command = (python, "-m", "gunicorn")
    with gunicorn(tmp_path, *arguments, command=command, control=True) as server:
        answer = server.during(f"/sleep/{seconds}", lambda: server.signal(signal.SIGHUP))
        assert answer.status == status
        assert server.until(lambda: len(server.booted) > 1)


@pytest.mark.parametrize(
    ("worker", "grace", "timeout", "seconds", "ends"),
    [
        # these leave by themselves when the grace is over
        ("gevent", "1", "30", 15, (0, 10)),
        ("asgi", "1", "30", 15, (0, 10)),
        # these stay, and `timeout` counts again when the master has waited for them
        ("sync", "1", "30", 4, None),
        ("gthread", "1", "30", 4, None),
        (UVICORN, "1", "30", 4, None),
        ("sync", "1", "4", 15, (1.5, 11)),
        (UVICORN, "1", "4", 15, (1.5, 11)),
        # gthread beats during its grace
        ("gthread", "3", "3", 15, (4, 13)),
    ],
)
def test_request_in_flight_at_a_reload(
    tmp_path: Path, worker: str, grace: str, timeout: str, seconds: int, ends
) -> None:
    files = ON_ASGI if worker in ("asgi", UVICORN) else {}
    arguments = ["-k", worker, "--graceful-timeout", grace, "--timeout", timeout]
    with gunicorn(tmp_path, *arguments, files=files, control=True) as server:
        sent: list[float] = []

        def reload() -> None:
            server.signal(signal.SIGHUP)
            sent.append(time.monotonic())

        answer = server.during(f"/sleep/{seconds}", reload)
        after = time.monotonic() - sent[0]
        if ends is None:
            assert answer.status == 200
        else:
            assert answer.status != 200
            assert ends[0] < after < ends[1]


@LEFT_TO_TIMEOUT
def test_recycling_up_to_gunicorn_23_leaves_workers_to_timeout(
    tmp_path: Path, python: str, timeout: str, seconds: int, status: int
) -> None:
    arguments = ["-k", "gthread", "--threads", "4", "--max-requests", "2"]
    arguments += ["--graceful-timeout", "20", "--timeout", timeout]
    command = (python, "-m", "gunicorn")
    with gunicorn(tmp_path, *arguments, command=command, control=True) as server:
        answer = server.during(f"/sleep/{seconds}", lambda: [server.get() for _ in range(2)])
        assert answer.status == status


def test_timeout_does_not_count_at_a_stop(tmp_path: Path) -> None:
    arguments = ["-k", "asgi", "--graceful-timeout", "20", "--timeout", "2"]
    with gunicorn(tmp_path, *arguments, files=ON_ASGI) as server:
        answer = server.during("/sleep/4", lambda: server.signal(signal.SIGTERM))
        assert answer.status == 200
        assert server.ended() == 0


@pytest.mark.parametrize("worker", ["sync", "asgi", UVICORN])
@pytest.mark.parametrize(("grace", "seconds", "status"), [("0", 15, 0), ("20", 1, 200)])
def test_graceful_timeout_is_what_running_requests_get(
    tmp_path: Path, worker: str, grace: str, seconds: int, status: int
) -> None:
    files = ON_ASGI if worker in ("asgi", UVICORN) else {}
    arguments = ["-k", worker, "--graceful-timeout", grace]
    with gunicorn(tmp_path, *arguments, files=files) as server:
        answer = server.during(f"/sleep/{seconds}", lambda: server.signal(signal.SIGTERM))
        assert answer.status == status
        assert server.ended() == 0


@pytest.mark.parametrize(("stop", "status"), [(1, 0), (15, 200)])
def test_stop_that_kills_before_the_grace_is_over(tmp_path: Path, stop: int, status: int) -> None:
    """What systemd does: SIGTERM, and after TimeoutStopSec= SIGKILL to all that is left."""
    with gunicorn(tmp_path, "--graceful-timeout", "10") as server:

        def stopped() -> None:
            server.signal(signal.SIGTERM)
            if server.ended(stop) is None:
                os.killpg(server.process.pid, signal.SIGKILL)

        assert server.during("/sleep/2", stopped).status == status
        assert server.ended() == (0 if status else -signal.SIGKILL)


@pytest.mark.parametrize(("timeout", "replaced"), [("0", False), ("2", True)])
def test_hung_worker_is_replaced_only_with_a_timeout(tmp_path, timeout, replaced: bool) -> None:
    with gunicorn(tmp_path, "--timeout", timeout) as server:
        others: list[int] = []

        def ask() -> None:
            others.append(server.get(timeout=15 if replaced else 3.5).status)
            os.kill(server.booted[-1], signal.SIGKILL)

        assert server.during("/sleep/20", ask).status != 200
        assert others == [200 if replaced else 0]
        assert ("WORKER TIMEOUT" in server.log) is replaced


@pytest.mark.parametrize(("timeout", "freed"), [("400", False), ("2", True)])
def test_silent_client_holds_a_sync_worker_until_timeout(tmp_path, timeout, freed: bool) -> None:
    with gunicorn(tmp_path, "--timeout", timeout) as server:
        assert server.get().status == 200
        with socket.create_connection(("127.0.0.1", server.port)):
            assert server.get(timeout=15 if freed else 3.5).status == (200 if freed else 0)


@pytest.mark.parametrize(
    ("worker", "timeout", "seconds", "statuses"),
    [
        ("sync", "2", 15, {0, 500}),
        ("sync", "30", 3, {200}),
        ("gthread", "2", 4, {200}),
        (UVICORN, "2", 4, {200}),
    ],
)
def test_timeout_limits_requests_of_sync_workers_only(
    tmp_path: Path, worker: str, timeout: str, seconds: int, statuses: set[int]
) -> None:
    files = ON_ASGI if worker == UVICORN else {}
    with gunicorn(tmp_path, "-k", worker, "--timeout", timeout, files=files) as server:
        assert server.get(f"/sleep/{seconds}", 20).status in statuses


GUNICORN = f"{sys.executable} -m gunicorn"


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
@pytest.mark.parametrize(("start", "status"), [("", 0), ("exec ", 200)], ids=["shell", "exec"])
def test_stop_of_a_wrapper_script(tmp_path: Path, shell: str, start: str, status: int) -> None:
    """What systemd does with KillMode=mixed: once the main process is gone, the rest is killed."""
    script = {"start.sh": f'{start}{GUNICORN} "$@"\ntrue\n'}
    with gunicorn(tmp_path, files=script, command=(shell, "start.sh")) as server:

        def stopped() -> None:
            server.signal(signal.SIGTERM)
            assert server.ended() == (0 if start else -signal.SIGTERM)
            if not start:
                os.killpg(server.process.pid, signal.SIGKILL)

        assert server.during("/sleep/1", stopped).status == status
        assert ("Handling signal: term" in server.log) is bool(start)


@pytest.mark.parametrize(
    ("start", "reloaded"), [("", False), ("exec ", True)], ids=["shell", "exec"]
)
def test_reload_of_a_wrapper_script(tmp_path: Path, start: str, reloaded: bool) -> None:
    script = {"start.sh": f'{start}{GUNICORN} "$@"\ntrue\n'}
    with gunicorn(tmp_path, files=script, command=("/bin/sh", "start.sh")) as server:
        assert server.get().status == 200
        server.signal(signal.SIGHUP)
        if reloaded:
            assert server.started(2)
            assert server.ended(0.1) is None
        else:
            assert server.ended() == -signal.SIGHUP
            assert len(server.booted) == 1


@pytest.mark.parametrize(
    ("worker", "number", "seconds", "statuses"),
    [
        ("sync", signal.SIGINT, 15, {0, 500}),
        ("sync", signal.SIGQUIT, 15, {0, 500}),
        ("gevent", signal.SIGINT, 15, {0, 500}),
        ("asgi", signal.SIGINT, 15, {0, 500}),
        ("sync", signal.SIGTERM, 1, {200}),
        ("asgi", signal.SIGTERM, 1, {200}),
    ],
)
def test_quick_shutdown_drops_requests(
    tmp_path: Path, worker: str, number: int, seconds: int, statuses: set[int]
) -> None:
    files = ON_ASGI if worker == "asgi" else {}
    with gunicorn(tmp_path, "-k", worker, files=files) as server:
        answer = server.during(f"/sleep/{seconds}", lambda: server.signal(number))
        assert answer.status in statuses
        assert server.ended() == 0


@pytest.mark.parametrize("worker", ["gthread", UVICORN])
@pytest.mark.parametrize(("number", "killed"), [(signal.SIGQUIT, True), (signal.SIGTERM, False)])
def test_quick_shutdown_is_not_quick(tmp_path: Path, worker: str, number: int, killed) -> None:
    """Uvicorn's workers ignore SIGQUIT, gthread waits for its threads: SIGKILL ends both."""
    files = {"app.py": ASGI if worker == UVICORN else WSGI}
    grace = ["--graceful-timeout", "1" if killed else "20"]
    with gunicorn(tmp_path, "-k", worker, *grace, files=files) as server:
        answer = server.during(f"/sleep/{15 if killed else 1}", lambda: server.signal(number))
        assert answer.status == (0 if killed else 200)
        assert server.ended() == 0
        assert ("was sent SIGKILL" in server.log) is killed


@pytest.mark.parametrize(
    ("worker", "stays"), [(UVICORN, True), ("asgi", False), ("gthread", False)]
)
def test_workers_of_a_killed_master(tmp_path: Path, worker: str, stays: bool) -> None:
    files = {"app.py": WSGI if worker == "gthread" else ASGI}
    with gunicorn(tmp_path, "-k", worker, files=files) as server:
        assert server.get().status == 200
        os.kill(server.process.pid, signal.SIGKILL)
        assert server.ended() == -signal.SIGKILL
        assert stays or server.until(lambda: server.get(timeout=2).status == 0, 20)
        address = ("-b", f"127.0.0.1:{server.port}")
        (second := tmp_path / "second").mkdir()
        with gunicorn(second, *address, "-k", worker, files=files, ready=not stays) as next_one:
            if stays:
                assert next_one.until(lambda: "Connection in use" in next_one.log)
                assert server.get().status == 200
            else:
                assert next_one.ended(0.1) is None
