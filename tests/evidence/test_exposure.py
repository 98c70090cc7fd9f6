"""Who can reach gunicorn, and what it believes."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from servers import ASGI, WSGI, gunicorn


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


@pytest.mark.parametrize(("limit", "answered"), [("100", False), ("0", True)])
def test_number_of_header_fields(tmp_path: Path, limit: str, answered: bool) -> None:
    with gunicorn(tmp_path, "--limit-request-fields", limit) as server:
        fields = {f"X_{number}": "a" for number in range(2000)}
        assert (server.get(**fields).status == 200) is answered


@pytest.mark.parametrize(("behaviour", "seen"), [("dangerous", True), ("drop", False)])
def test_dangerous_header_map(tmp_path: Path, behaviour: str, seen: bool) -> None:
    files = {"app.py": _telling("environ.get('HTTP_REMOTE_USER', 'nobody')")}
    with gunicorn(tmp_path, "--header-map", behaviour, files=files) as server:
        answer = _raw(server.port, "GET / HTTP/1.0\r\nREMOTE_USER: admin\r\n\r\n")
        assert answer.endswith("admin") is seen


@pytest.mark.parametrize(("trusted", "user"), [("SCRIPT_NAME", "nobody"), ("REMOTE_USER", "admin")])
def test_forwarder_headers_set_the_user(tmp_path: Path, trusted: str, user: str) -> None:
    files = {"app.py": _telling("environ.get('HTTP_REMOTE_USER', 'nobody')")}
    with gunicorn(tmp_path, "--forwarder-headers", trusted, files=files) as server:
        answer = _raw(server.port, "GET / HTTP/1.0\r\nREMOTE_USER: admin\r\n\r\n")
        assert answer.endswith(user)


@pytest.mark.parametrize(
    ("switch", "request_line", "header"),
    [
        ("--permit-obsolete-folding", "GET / HTTP/1.1", "X-One: a\r\n b"),
        ("--strip-header-spaces", "GET / HTTP/1.1", "X-One : a"),
        ("--permit-unconventional-http-method", "get / HTTP/1.1", "X-One: a"),
        ("--permit-unconventional-http-version", "GET / HTTP/2.0", "X-One: a"),
    ],
)
def test_lenient_switches_accept_what_is_refused(tmp_path, switch, request_line, header) -> None:
    text = f"{request_line}\r\nHost: a\r\nConnection: close\r\n{header}\r\n\r\n"
    with gunicorn(tmp_path) as server:
        assert " 200 " not in _raw(server.port, text).partition("\r\n")[0]
    with gunicorn(tmp_path, switch) as server:
        assert " 200 " in _raw(server.port, text).partition("\r\n")[0]


ADDRESS = "environ['REMOTE_ADDR']"


@pytest.mark.parametrize(("trusted", "seen"), [("*", True), ("10.0.0.1", False)])
def test_proxy_header_of_a_trusted_client_sets_the_address(tmp_path, trusted: str, seen) -> None:
    arguments = ["--proxy-protocol=v1", "--proxy-allow-from", trusted]
    with gunicorn(tmp_path, *arguments, files={"app.py": _telling(ADDRESS)}) as server:
        text = "PROXY TCP4 203.0.113.9 127.0.0.1 1 2\r\nGET / HTTP/1.0\r\n\r\n"
        assert _raw(server.port, text).endswith("203.0.113.9") is seen


@pytest.mark.parametrize(("trusted", "seen"), [("*", True), ("10.0.0.1", False)])
def test_uwsgi_client_sets_what_it_likes(tmp_path: Path, trusted: str, seen: bool) -> None:
    app = {"app.py": _telling("environ.get('wsgi.url_scheme', '')")}
    variables = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTPS": "on"}
    block = b"".join(
        len(text).to_bytes(2, "little") + text.encode()
        for pair in variables.items()
        for text in pair
    )
    packet = b"\0" + len(block).to_bytes(2, "little") + b"\0" + block
    arguments = ["--protocol", "uwsgi", "--uwsgi-allow-from", trusted]
    with gunicorn(tmp_path, *arguments, files=app) as server:
        assert _raw(server.port, packet.decode("latin-1")).endswith("https") is seen


@pytest.mark.parametrize(("trusted", "seen"), [("*", True), ("10.0.0.1", False)])
def test_uvicorn_worker_takes_the_address_from_a_trusted_client(tmp_path, trusted, seen) -> None:
    app = ASGI.replace("str(os.getpid())", "scope['client'][0]")
    arguments = ["-k", "uvicorn_worker.UvicornWorker", "--forwarded-allow-ips", trusted]
    with gunicorn(tmp_path, *arguments, files={"app.py": app}) as server:
        answer = server.get(X_Forwarded_For="203.0.113.9")
        assert (answer.body == "203.0.113.9") is seen


@pytest.mark.parametrize(("host", "reached"), [("0.0.0.0", True), ("127.0.0.1", False)])
def test_wildcard_listens_on_every_address(tmp_path: Path, host: str, reached: bool) -> None:
    with socket.socket() as probe:
        probe.bind(("0.0.0.0", 0))
        port = probe.getsockname()[1]
    with gunicorn(tmp_path, "-b", f"{host}:{port}"), socket.socket() as client:
        client.settimeout(5)
        assert (client.connect_ex(("127.0.0.2", port)) == 0) is reached


def test_slow_client_holds_a_sync_worker(tmp_path: Path) -> None:
    with gunicorn(tmp_path) as server:
        assert server.get().status == 200
        with socket.create_connection(("127.0.0.1", server.port)) as slow:
            slow.sendall(b"GET / HTTP/1.1\r\n")
            assert server.get(timeout=1.5).status == 0
        assert server.get().status == 200


@pytest.mark.parametrize(
    ("mode", "bits"), [([], 0o600), (["--control-socket-mode", "0666"], 0o666)]
)
def test_mode_of_the_control_socket(tmp_path: Path, mode: list[str], bits: int) -> None:
    path = tmp_path / "control"
    with gunicorn(tmp_path, "--control-socket", str(path), *mode, control=True) as server:
        assert server.until(path.exists)
        assert server.until(lambda: stat.S_IMODE(path.stat().st_mode) == bits)


def test_spew_prints_the_lines_that_run(tmp_path: Path) -> None:
    line = "body = "
    for arguments, printed in (["--spew"], True), ([], False):
        with gunicorn(tmp_path, *arguments) as server:
            assert server.get().status == 200
            out = tmp_path / "stdout"
            assert (
                server.until(lambda out=out: line in out.read_text(), 10 if printed else 1)
                is printed
            )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate of its own, as `both.pem`, `key.pem` and `cert.pem`."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    return folder


needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl isn't there")


@needs_openssl
def test_key_without_certificate_fails_every_request(tmp_path: Path, certificate: Path) -> None:
    key, both = str(certificate / "key.pem"), str(certificate / "cert.pem")
    with gunicorn(tmp_path, "--keyfile", key) as server:
        assert _over_tls(server.port) is None
        assert server.until(lambda: "TypeError" in server.log)
    with gunicorn(tmp_path, "--keyfile", key, "--certfile", both) as server:
        assert " 200 " in (_over_tls(server.port) or "")


@needs_openssl
@pytest.mark.parametrize(("required", "answered"), [([], True), (["--cert-reqs", "2"], False)])
def test_ca_certs_alone_verify_nobody(tmp_path, certificate: Path, required, answered) -> None:
    key, cert = str(certificate / "key.pem"), str(certificate / "cert.pem")
    arguments = ["--keyfile", key, "--certfile", cert, "--ca-certs", cert, *required]
    with gunicorn(tmp_path, *arguments) as server:
        assert (_over_tls(server.port) is not None) is answered


@needs_openssl
@pytest.mark.parametrize(
    ("worker", "version", "answered"),
    [
        ("sync", "TLSv1_2", "TLSv1.3"),
        ("uvicorn_worker.UvicornWorker", "TLSv1_2", None),
        ("uvicorn_worker.UvicornWorker", None, "TLSv1.3"),
    ],
)
def test_ssl_version_is_ignored_or_fatal(tmp_path, certificate, worker, version, answered) -> None:
    key, cert = str(certificate / "key.pem"), str(certificate / "cert.pem")
    chosen = ["--ssl-version", version] if version else []
    arguments = ["-k", worker, "--keyfile", key, "--certfile", cert, *chosen]
    app = {"app.py": ASGI if "vicorn" in worker else WSGI}
    with gunicorn(tmp_path, *arguments, files=app) as server:
        if answered is None:
            assert server.until(lambda: server.log.count("Booting worker") > 1)
        assert _tls_version(server.port) == answered


def _tls_version(port: int) -> str | None:
    """The version that a client without a certificate gets; None where it is refused."""
    with contextlib.suppress(OSError), _tls_client(port) as client:
        return client.version()
    return None


def _over_tls(port: int) -> str | None:
    """The first line that answers a client without a certificate; None where it is refused."""
    with contextlib.suppress(OSError), _tls_client(port) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return client.recv(4096).decode().partition("\r\n")[0] or None
    return None


@contextlib.contextmanager
def _tls_client(port: int) -> Iterator[ssl.SSLSocket]:
    context = ssl._create_unverified_context()
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
        context.wrap_socket(plain) as client,
    ):
        yield client


def _telling(expression: str) -> str:
    """An application that answers with the value of an expression."""
    return (
        "def app(environ, start_response):\n    start_response('200 OK', [])\n"
        f"    return [str({expression}).encode()]\n"
    )


def _raw(port: int, text: str) -> str:
    """All that comes back for some bytes."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(text.encode("latin-1"))
        with contextlib.suppress(ConnectionError):
            while data := client.recv(4096):
                received += data
    return received.decode()
