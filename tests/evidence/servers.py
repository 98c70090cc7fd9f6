"""Real gunicorns for evidence: started on loopback, for a bounded time, and ended by their own pid."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LIFETIME = 40
"""Seconds after which a server is killed whatever happens."""

BEGUN = "begun"
"""What `WSGI` and `ASGI` write to standard error, with the path, when they take a request up."""

UVICORN = "uvicorn_worker.UvicornWorker"

WSGI = """
import os, sys, time
from pathlib import Path
VERSION = "one"
def app(environ, start_response):
    path = environ["PATH_INFO"]
    print("begun", path, "by", os.getpid(), file=sys.stderr, flush=True)
    body = {"/pid": str(os.getpid()), "/scheme": environ["wsgi.url_scheme"]}.get(path, VERSION)
    if path.startswith("/sleep/"):
        time.sleep(float(path[7:]))
    if path.startswith("/meet/"):
        body = meet(float(path[6:]))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body.encode()]
def meet(seconds):
    mine = Path(f"here-{os.getppid()}-{time.monotonic_ns()}")
    mine.touch()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if len(list(Path().glob(f"here-{os.getppid()}-*"))) > 1:
            return "met"
        time.sleep(0.02)
    mine.unlink()
    return "alone"
"""
"""Answers /pid, /scheme, /sleep/SECONDS and /meet/SECONDS; all else with its version.

/meet waits for a second request that is running at the same time, and tells "met" or "alone".
"""

ASGI = """
import asyncio, os, sys, time
from pathlib import Path
VERSION = "one"
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    path = scope["path"]
    print("begun", path, "by", os.getpid(), file=sys.stderr, flush=True)
    body = {"/version": VERSION, "/root": scope.get("root_path", "")}.get(path, str(os.getpid()))
    if path.startswith("/sleep/"):
        await asyncio.sleep(float(path[7:]))
    if path.startswith("/meet/"):
        body = await meet(float(path[6:]))
    body = body.encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})
async def meet(seconds):
    mine = Path(f"here-{os.getppid()}-{time.monotonic_ns()}")
    mine.touch()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if len(list(Path().glob(f"here-{os.getppid()}-*"))) > 1:
            return "met"
        await asyncio.sleep(0.02)
    mine.unlink()
    return "alone"
"""
"""Answers /version, /root (its root path), /sleep/SECONDS and /meet/SECONDS; all else with its pid."""


@dataclass(frozen=True)
class Answer:
    """What a client got: the status (0 where the connection broke), the body and the headers."""

    status: int
    body: str = ""
    headers: Mapping[str, str] | None = None


class Server:
    """A running gunicorn."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
        self.process = process
        self.port = port
        self.folder = folder

    @property
    def log(self) -> str:
        """What it has written to standard error."""
        return (self.folder / "stderr").read_text(errors="replace")

    def get(self, path: str = "/", timeout: float = 15, **headers: str) -> Answer:
        """One request; an empty reply or a broken connection has the status 0."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(
                "GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()}
            )
            answer = connection.getresponse()
            return Answer(answer.status, answer.read().decode(), dict(answer.getheaders()))
        except (OSError, http.client.HTTPException):
            return Answer(0)
        finally:
            connection.close()

    def during(self, path: str, then: Callable[[], object], wait: float = 0.7) -> Answer:
        """The answer to a request in whose middle something happens.

        That is once the application says that it has begun, or after `wait` seconds where it
        doesn't tell.
        """
        line = f"{BEGUN} {path} "
        tells = f'"{BEGUN}"' in (self.folder / "app.py").read_text()
        before = self.log.count(line)
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(self.get, path, LIFETIME)
            if not tells:
                time.sleep(wait)
            elif not self.until(lambda: self.log.count(line) > before or answer.done()):
                raise AssertionError(f"{path} was never begun:\n{self.log}")
            then()
            return answer.result()

    def together(self, *paths: str, timeout: float = 30) -> list[Answer]:
        """The answers to requests that are sent at the same time."""
        with ThreadPoolExecutor(len(paths)) as pool:
            return list(pool.map(lambda path: self.get(path, timeout), paths))

    @property
    def booted(self) -> list[int]:
        """The pids of the workers so far, in the order of their starts."""
        return [int(pid) for pid in re.findall(r"Booting worker with pid: (\d+)", self.log)]

    def started(self, workers: int) -> bool:
        """Wait until so many workers have been started, counted from the beginning."""
        return self.until(lambda: len(self.booted) >= workers)

    def signal(self, number: int) -> None:
        """Signal the master."""
        self.process.send_signal(number)

    def until(self, condition: Callable[[], bool], seconds: float = 10) -> bool:
        """Wait until a condition holds; whether it came to hold."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if condition():
                return True
            time.sleep(0.05)
        return condition()

    def ended(self, seconds: float = 15) -> int | None:
        """The exit status of the master, once it has ended; None where it runs on."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(seconds)
        return None


@contextmanager
def gunicorn(
    folder: Path,
    *arguments: str,
    files: Mapping[str, str] | None = None,
    app: str = "app:app",
    environment: Mapping[str, str] | None = None,
    command: tuple[str, ...] = (sys.executable, "-m", "gunicorn"),
    ready: bool = True,
    control: bool = False,
) -> Iterator[Server]:
    """A gunicorn with an application, in a folder; waits until it has a worker.

    It binds to a free port of 127.0.0.1 unless the arguments or gunicorn.conf.py say where.
    `control` lets it have its control socket, and releases without one start. What it writes is in
    the files `stdout` and `stderr`.
    """
    for name, text in {"app.py": WSGI, **(files or {})}.items():
        (folder / name).write_text(text)
    port = _free_port()
    own = any(a in ("-b", "--bind") for a in arguments)
    own = own or "bind =" in (files or {}).get("gunicorn.conf.py", "")
    bind = () if own else ("-b", f"127.0.0.1:{port}")
    switches = () if control else ("--no-control-socket",)
    with (folder / "stderr").open("wb") as stderr, (folder / "stdout").open("wb") as stdout:
        process = subprocess.Popen(
            [*command, *bind, *switches, *arguments, app], cwd=folder, stderr=stderr,
            stdout=stdout, start_new_session=True,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})},
        )  # fmt: skip
    server = Server(process, port, folder)
    guard = threading.Timer(LIFETIME, lambda: _kill(process))
    guard.start()
    try:
        if ready:
            assert server.until(
                lambda: "Booting worker" in server.log or process.poll() is not None
            ), server.log
        yield server
    finally:
        guard.cancel()
        _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a server and its workers: they are a session of their own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def talk(port: int, text: str, seconds: float = 10) -> str:
    """What a server answers to these bytes until it closes the connection or falls silent."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as client:
        client.sendall(text.encode())
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            while data := client.recv(4096):
                received += data
    return received.decode()


@contextmanager
def notify_socket(folder: Path) -> Iterator[Callable[..., list[tuple[int, str]]]]:
    """systemd's end of NOTIFY_SOCKET: gives what came within so many seconds, with the sender's pid.

    A second argument says after how many messages to stop waiting.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        listener.bind(str(folder / "notify"))

        def received(seconds: float, most: int = 1000) -> list[tuple[int, str]]:
            messages: list[tuple[int, str]] = []
            deadline = time.monotonic() + seconds
            while len(messages) < most and (left := deadline - time.monotonic()) > 0:
                listener.settimeout(left)
                try:
                    data, credentials, _, _ = listener.recvmsg(4096, socket.CMSG_SPACE(12))
                except TimeoutError:
                    break
                pid = int.from_bytes(credentials[0][2][:4], sys.byteorder)
                messages.append((pid, data.decode()))
            return messages

        yield received
