"""Real gunicorns for evidence: started on loopback, for a bounded time, and ended by their own pid."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LIFETIME = 40
"""Seconds after which a server is killed whatever happens."""

WSGI = """
import os, time
VERSION = "one"
def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path.startswith("/sleep/"):
        time.sleep(float(path[7:]))
    body = {"/pid": str(os.getpid()), "/scheme": environ["wsgi.url_scheme"]}.get(path, VERSION)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body.encode()]
"""
"""Answers /pid, /scheme and /sleep/SECONDS; all else with its version."""

ASGI = """
import asyncio, os
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    if scope["path"].startswith("/sleep/"):
        await asyncio.sleep(float(scope["path"][7:]))
    body = str(os.getpid()).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})
"""


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
        """The answer to a request in whose middle something happens."""
        answers: list[Answer] = []
        thread = threading.Thread(target=lambda: answers.append(self.get(path)))
        thread.start()
        time.sleep(wait)
        then()
        thread.join(LIFETIME)
        return answers[0]

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
) -> Iterator[Server]:
    """A gunicorn with an application, from a folder of its own; waits until it listens."""
    for name, text in {"app.py": WSGI, **(files or {})}.items():
        (folder / name).write_text(text)
    port = _free_port()
    bind = ("-b", f"127.0.0.1:{port}") if not any(a in ("-b", "--bind") for a in arguments) else ()
    control = ("--no-control-socket",)
    with (folder / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            [*command, *bind, *control, *arguments, app], cwd=folder, stderr=stderr,
            stdout=subprocess.DEVNULL, start_new_session=True,
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


@contextmanager
def notify_socket(folder: Path) -> Iterator[Callable[[float], list[tuple[int, str]]]]:
    """systemd's end of NOTIFY_SOCKET: gives what came within so many seconds, with the sender's pid."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        listener.bind(str(folder / "notify"))

        def received(seconds: float) -> list[tuple[int, str]]:
            messages = []
            deadline = time.monotonic() + seconds
            while (left := deadline - time.monotonic()) > 0:
                listener.settimeout(left)
                try:
                    data, credentials, _, _ = listener.recvmsg(4096, socket.CMSG_SPACE(12))
                except TimeoutError:
                    break
                pid = int.from_bytes(credentials[0][2][:4], sys.byteorder)
                messages.append((pid, data.decode()))
            return messages

        yield received
