"""Who can reach gunicorn, and what it believes."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from servers import gunicorn


@pytest.mark.parametrize(("trusted", "scheme"), [("*", "https"), ("10.0.0.1", "http")])
def test_scheme_is_what_a_trusted_client_says(tmp_path: Path, trusted: str, scheme: str) -> None:
    with gunicorn(tmp_path, "--forwarded-allow-ips", trusted) as server:
        assert server.get("/scheme", X_Forwarded_Proto="https").body == scheme


@pytest.mark.parametrize(("arguments", "mode"), [([], 0o777), (["-m", "007"], 0o770)])
def test_mode_of_a_unix_socket(tmp_path: Path, arguments: list[str], mode: int) -> None:
    with gunicorn(tmp_path, "-b", "unix:web.sock", *arguments) as server:
        assert server.until(lambda: (tmp_path / "web.sock").exists())
        assert stat.S_IMODE((tmp_path / "web.sock").stat().st_mode) == mode


@pytest.mark.parametrize(("limit", "status"), [("4094", 414), ("0", 200)])
def test_length_of_the_request_line(tmp_path: Path, limit: str, status: int) -> None:
    with gunicorn(tmp_path, "--limit-request-line", limit) as server:
        assert server.get("/" + "a" * 20_000).status == status


@pytest.mark.parametrize(("behaviour", "seen"), [("dangerous", True), ("drop", False)])
def test_dangerous_header_map(tmp_path: Path, behaviour: str, seen: bool) -> None:
    app = (
        "def app(environ, start_response):\n    start_response('200 OK', [])\n"
        "    return [environ.get('HTTP_REMOTE_USER', 'nobody').encode()]\n"
    )
    with gunicorn(tmp_path, "--header-map", behaviour, files={"app.py": app}) as server:
        connection_body = _raw(server.port, "GET / HTTP/1.0\r\nREMOTE_USER: admin\r\n\r\n")
        assert connection_body.endswith("admin") is seen


def _raw(port: int, text: str) -> str:

    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(text.encode())
        received = b""
        while data := client.recv(4096):
            received += data
    return received.decode()
