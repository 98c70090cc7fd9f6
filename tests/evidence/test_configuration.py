"""What gunicorn does with settings that nobody warns about."""

from __future__ import annotations

import http.client
import signal
import sys
import time
from pathlib import Path

import pytest

from servers import ASGI, WSGI, gunicorn

CONFIG = "gunicorn.conf.py"


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("workers = = 1\n", "SyntaxError"),
        ("print 'starting'\n", "SyntaxError"),
        ("proc_name = '\udcff'\n", "SyntaxError"),
        ("workers = 1\n", None),
    ],
    ids=["syntax", "python 2", "encoding", "fine"],
)
def test_config_that_can_not_be_parsed_ends_the_start(tmp_path: Path, config, reason) -> None:
    (tmp_path / CONFIG).write_bytes(config.encode(errors="surrogateescape"))
    with gunicorn(tmp_path, ready=reason is None) as server:
        if reason is None:
            assert server.get().status == 200
            return
        assert server.ended() == 1
        assert "Failed to read config file" in server.log
        assert reason in server.log


@pytest.mark.parametrize(
    ("config", "workers", "level"),
    [
        ("workerz = 2\nlog_level = 'debug'\nWORKERS = 2\n", 1, False),
        ("workers = 2\nloglevel = 'debug'\n", 2, True),
    ],
    ids=["unknown", "known"],
)
def test_unknown_names_are_ignored_in_silence(tmp_path, config, workers: int, level: bool) -> None:
    with gunicorn(tmp_path, files={CONFIG: config}) as server:
        assert server.started(workers)
        assert server.get().status == 200
        assert len(server.booted) == workers
        assert ("[DEBUG]" in server.log) is level
        assert "workerz" not in server.log


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--worker_class", "gthread"], "unrecognized arguments: --worker_class"),
        (["--max-request", "9"], "ambiguous option: --max-request could match"),
        (["--preload=yes"], "ignored explicit argument 'yes'"),
        (["--worker-class", "gthread", "--thread", "2"], None),
    ],
    ids=["underscore", "ambiguous", "switch with a value", "fine"],
)
def test_options_that_argparse_refuses(tmp_path: Path, arguments: list[str], reason) -> None:
    with gunicorn(tmp_path, *arguments, ready=reason is None) as server:
        if reason is None:
            assert server.get().status == 200
            return
        assert server.ended() == 2
        assert reason in server.log


HOOK = "def post_fork(server{}):\n    pass\n"


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        ("workers = 3 / 2\n", "workers = 3 // 2\n"),
        ("import os\nworkers = os.environ.get('W')\n", "workers = '0x1'\n"),
        ("preload_app = 1\n", "preload_app = 'true'\n"),
        ("import pathlib\nchdir = pathlib.Path('.')\n", "chdir = '.'\n"),
        ("forwarded_allow_ips = ['10.0.0.1']\n", "forwarded_allow_ips = '10.0.0.1'\n"),
        (HOOK.format(""), HOOK.format(", worker")),
        (HOOK.format(", *rest"), HOOK.format(", worker")),
    ],
    ids=["float", "None", "boolean", "path", "list", "arity", "star"],
)
def test_invalid_values_end_the_start(tmp_path: Path, bad: str, good: str) -> None:
    with gunicorn(tmp_path, files={CONFIG: bad}, ready=False) as server:
        assert server.ended() == 1
        assert "Invalid value for" in server.log
    with gunicorn(tmp_path, files={CONFIG: good}) as server:
        assert server.get().status == 200


def test_number_on_the_command_line_that_is_no_number(tmp_path: Path) -> None:
    with gunicorn(tmp_path, "-w", "auto", ready=False) as server:
        assert server.ended() == 2
        assert "invalid int value: 'auto'" in server.log
    with gunicorn(tmp_path, "-w", "1") as server:
        assert server.get().status == 200


@pytest.mark.parametrize(
    ("edited", "status"),
    [("timeout = 2.5\n", 1), ("timeout = = 2\n", 1), ("timeout = 25\n", None)],
    ids=["value", "syntax", "fine"],
)
def test_broken_config_at_a_reload_ends_the_master(tmp_path: Path, edited, status) -> None:
    with gunicorn(tmp_path, files={CONFIG: "timeout = 30\n"}) as server:
        assert server.get().status == 200
        (tmp_path / CONFIG).write_text(edited)
        server.signal(signal.SIGHUP)
        if status is None:
            assert server.started(2)
            assert server.until(lambda: "Worker exiting" in server.log)
            assert server.get().status == 200
        else:
            assert server.ended() == status
            assert "Traceback" in server.log or "Invalid value" in server.log


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        ("import syslog\n", "import syslog as _syslog\n"),
        ("def user():\n    return 'app'\n", "def _user():\n    return 'app'\n"),
        ("class umask:\n    pass\n", "class Umask:\n    pass\n"),
    ],
    ids=["import", "function", "class"],
)
def test_helpers_with_the_name_of_a_setting(tmp_path: Path, bad: str, good: str) -> None:
    with gunicorn(tmp_path, files={CONFIG: bad}, ready=False) as server:
        assert server.ended() == 1
        assert "Invalid value for" in server.log
    with gunicorn(tmp_path, files={CONFIG: good}) as server:
        assert server.get().status == 200


@pytest.mark.parametrize(
    ("environment", "arguments", "worker"),
    [
        ({}, [], "gthread"),
        ({"GUNICORN_CMD_ARGS": "-k tornado"}, [], "tornado"),
        ({"GUNICORN_CMD_ARGS": "-k tornado"}, ["-k", "sync"], "sync"),
        ({}, ["-k", "sync"], "sync"),
    ],
    ids=["file alone", "GUNICORN_CMD_ARGS", "command line over both", "command line"],
)
def test_stronger_source_wins(tmp_path: Path, environment, arguments, worker: str) -> None:
    config = {CONFIG: "worker_class = 'gthread'\n"}
    with gunicorn(tmp_path, *arguments, files=config, environment=environment) as server:
        assert f"Using worker: {worker}\n" in server.log


@pytest.mark.parametrize(("arguments", "after"), [(["--threads", "2"], 2), ([], 4)])
def test_edit_of_an_overridden_value_changes_nothing(tmp_path, arguments, after: int) -> None:
    config = (
        "def post_fork(server, worker):\n    server.log.info('threads=%s', server.cfg.threads)\n"
    )
    with gunicorn(tmp_path, *arguments, files={CONFIG: config + "threads = 3\n"}) as server:
        (tmp_path / CONFIG).write_text(config + "threads = 4\n")
        server.signal(signal.SIGHUP)
        assert server.started(2)
        assert server.until(lambda: server.log.count("threads=") == 2)
        assert server.log.rpartition("threads=")[2].startswith(f"{after}\n")


@pytest.mark.parametrize(("arguments", "seen"), [(["-e", "B=2"], "- 2"), ([], "1 -")])
def test_list_on_the_command_line_replaces_the_list_of_the_file(tmp_path, arguments, seen) -> None:
    app = (
        "import os\ndef app(environ, start_response):\n    start_response('200 OK', [])\n"
        "    return [f\"{os.environ.get('A', '-')} {os.environ.get('B', '-')}\".encode()]\n"
    )
    files = {CONFIG: "raw_env = ['A=1']\n", "app.py": app}
    with gunicorn(tmp_path, *arguments, files=files) as server:
        assert server.get().body == seen


def test_last_of_two_options_counts(tmp_path: Path) -> None:
    with gunicorn(tmp_path, "--worker-class", "gthread", "-k", "sync") as server:
        assert "Using worker: sync\n" in server.log
    with gunicorn(tmp_path, "--worker-class", "gthread") as server:
        assert "Using worker: gthread\n" in server.log


def test_addresses_may_be_repeated(tmp_path: Path) -> None:
    with gunicorn(tmp_path, "-b", "unix:one.sock", "--bind", "unix:two.sock") as server:
        assert server.until(lambda: (tmp_path / "one.sock").exists())
        assert server.until(lambda: (tmp_path / "two.sock").exists())


PORT = {"PORT": "0"}


def test_variable_in_a_python_string_stays_as_it_is(tmp_path: Path) -> None:
    bad = {CONFIG: 'bind = "127.0.0.1:$PORT"\n'}
    with gunicorn(tmp_path, files=bad, environment=PORT, ready=False) as server:
        assert server.ended() == 1
        assert "'$PORT' is not a valid port number" in server.log
    good = {CONFIG: "import os\nbind = f\"127.0.0.1:{os.environ['PORT']}\"\n"}
    with gunicorn(tmp_path, files=good, environment=PORT) as server:
        assert "Listening at: http://127.0.0.1:" in server.log


@pytest.mark.parametrize(("quote", "expanded"), [("'", False), ('"', True)])
def test_variable_in_single_quotes_stays_as_it_is(tmp_path: Path, quote, expanded: bool) -> None:
    line = f'exec {sys.executable} -m gunicorn --access-logfile {quote}$NAME.log{quote} "$@"'
    command = ("/bin/sh", "-c", line, "sh")
    with gunicorn(tmp_path, command=command, environment={"NAME": "web"}) as server:
        server.get()
        assert server.until(lambda: (tmp_path / ("web.log" if expanded else "$NAME.log")).exists())


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("8000", "Can't connect to ('8000', 8000)"),
        ("127.0.0.1:0,127.0.0.1:1", "is not a valid port number"),
        ("http://127.0.0.1:0", "is not a valid port number"),
        ("::1:0", "is not a valid port number"),
        ("127.0.0.1:http", "'http' is not a valid port number"),
        ("unix:", "No such file or directory: ''"),
        ("127.0.0.1:0", None),
        ("tcp://127.0.0.1:0", None),
        ("unix:web.sock", None),
    ],
    ids="port list URL bracketless named pathless fine tcp unix".split(),
)
def test_addresses_that_gunicorn_can_not_bind_to(tmp_path: Path, address: str, reason) -> None:
    with gunicorn(tmp_path, "-b", address, ready=reason is None) as server:
        if reason is None:
            assert "Listening at: " in server.log
            assert server.ended(0.1) is None
            return
        if address == "unix:":
            assert server.until(lambda: server.log.count(reason) > 1)
        else:
            assert server.ended(30) == 1
            assert reason in server.log
        if address == "8000":
            assert server.log.count("connection to ('8000', 8000) failed") == 5
        assert "Booting worker" not in server.log
    with gunicorn(tmp_path, "-b", address, "--check-config", ready=False) as server:
        assert server.ended() == 0


@pytest.mark.parametrize(("text", "workers"), [("", None), ("auto", None), ("2.5", None), ("2", 2)])
def test_web_concurrency_that_is_no_number(tmp_path: Path, text: str, workers: int | None) -> None:
    environment = {"WEB_CONCURRENCY": text}
    if workers is None:
        with gunicorn(tmp_path, "-w", "1", environment=environment, ready=False) as server:
            assert server.ended() == 1
            assert "ValueError: invalid literal for int()" in server.log
        return
    with gunicorn(tmp_path, environment=environment) as server:
        assert server.started(workers)
        assert server.get().status == 200


def test_last_of_two_assignments_counts(tmp_path: Path) -> None:
    once = "worker_class = 'gthread'\n"
    with gunicorn(tmp_path, files={CONFIG: once + "worker_class = 'sync'\n"}) as server:
        assert "Using worker: sync\n" in server.log
    with gunicorn(tmp_path, files={CONFIG: once}) as server:
        assert "Using worker: gthread\n" in server.log


def test_unknown_log_level_is_info(tmp_path: Path) -> None:
    with gunicorn(tmp_path, "--log-level", "warn") as server:
        assert "[INFO] Booting worker" in server.log


def test_access_log_atoms(tmp_path: Path) -> None:
    form = "got %(status)s and %(s)s"
    with gunicorn(tmp_path, "--access-logfile", "access", "--access-logformat", form) as server:
        server.get()
        log = tmp_path / "access"
        assert server.until(lambda: log.read_text() == "got - and 200\n")


def test_access_log_format_that_can_not_be_filled(tmp_path: Path) -> None:
    with gunicorn(tmp_path, "--access-logfile", "access", "--access-logformat", "%h %r") as server:
        server.get()
        assert server.until(lambda: "Traceback" in server.log)
        assert (tmp_path / "access").read_text() == ""


def test_removed_setting(tmp_path: Path) -> None:
    config = "debug = True\ntolerate_dangerous_framing = True\nssl_version = 5\n"
    with gunicorn(tmp_path, files={"gunicorn.conf.py": config}) as server:
        assert server.get().status == 200
        assert "debug" not in server.log
        assert "dangerous" not in server.log
        assert "`ssl_version` is deprecated and it is ignored" in server.log
    for option in ("--tolerate-dangerous-framing", "--log-config-dict=x", "--sendfile", "--debug"):
        with gunicorn(tmp_path, option, ready=False) as server:
            assert server.ended() == 2
            assert "unrecognized arguments: " + option in server.log


def test_setting_that_is_read_from_an_unset_variable(tmp_path: Path) -> None:
    config = "import os\ntimeout = os.getenv('GUNICORN_TIMEOUT')\n"
    files = {"gunicorn.conf.py": config}
    with gunicorn(tmp_path, files=files, ready=False) as server:
        assert server.ended() == 1
        assert "Invalid value for timeout: None" in server.log
    with gunicorn(tmp_path, files=files, environment={"GUNICORN_TIMEOUT": "30"}) as server:
        assert server.get().status == 200


def test_hook_that_the_worker_never_calls(tmp_path: Path) -> None:
    config = "def pre_request(worker, req):\n    open('called', 'w').close()\n"
    for worker, text, called in (
        ("uvicorn_worker.UvicornWorker", ASGI, False),
        ("sync", WSGI, True),
    ):
        files = {"gunicorn.conf.py": config, "app.py": text}
        with gunicorn(tmp_path, "-k", worker, files=files) as server:
            assert server.get().status == 200
            assert (tmp_path / "called").exists() is called


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1:0,127.0.0.1:1", "is not a valid port number"),
        ("http://127.0.0.1:0", "is not a valid port number"),
        ("127.0.0.1:http", "is not a valid port number"),
        ("127.0.0.1:65536", "port must be 0-65535"),
        ("fd://web", "is not a valid file descriptor"),
        ("*:0", "Can't connect to ('*', 0)"),
        ("127.0.0.1: 0", None),
    ],
)
def test_address_that_is_none(tmp_path: Path, address: str, said: str | None) -> None:
    with gunicorn(tmp_path, "-b", address, ready=False) as server:
        if said is None:
            assert server.until(lambda: "Listening at" in server.log)
        else:
            assert server.ended() == 1
            assert said in server.log


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("gunicorn_conf.py", "'gunicorn_conf.py' doesn't exist"),
        ("serving", "'serving' doesn't exist"),
        ("python:sub/serving.py", "No module named 'sub/serving"),
        ("python:serving.py", "No module named 'serving.py'"),
    ],
)
def test_config_that_is_not_there(tmp_path: Path, config: str, said: str) -> None:
    with gunicorn(tmp_path, "-c", config, files={"serving.py": ""}, ready=False) as server:
        assert server.ended() == 1
        assert said in server.log


def test_config_that_nothing_loads(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    files = {"gunicorn_conf.py": "workers = 3\n", "sub/gunicorn.conf.py": "workers = 2\n"}
    files["sub/app.py"] = WSGI
    with gunicorn(tmp_path, "--chdir", "sub", files=files) as server:
        assert server.get().status == 200
        assert server.log.count("Booting worker") == 1


@pytest.mark.parametrize(
    ("app", "status"),
    [
        ("app.py:app", 3),
        ("sub/app:app", 3),
        ("sub.wsgi:app", 3),
        ("app:os.path", 4),
        ("app", 4),
        ("app:app", 0),
    ],
)
def test_application_that_can_not_be_imported(tmp_path: Path, app: str, status: int) -> None:
    (tmp_path / "sub").mkdir()
    files = {"sub/__init__.py": "", "sub/app.py": WSGI}
    with gunicorn(tmp_path, app=app, files=files, ready=False) as server:
        if status:
            assert server.ended() == status
        else:
            assert server.until(lambda: server.get().status == 200)


@pytest.mark.parametrize(("text", "workers"), [("false", 1), ("0", 1), ("", 2)])
def test_text_of_a_variable_is_true(tmp_path: Path, text: str, workers: int) -> None:
    config = "import os\npreload_app = bool(os.getenv('PRELOAD'))\nworkers = 2\n"
    app = WSGI + "open(f'imported-{os.getpid()}', 'w')\n"
    files = {"gunicorn.conf.py": config, "app.py": app}
    with gunicorn(tmp_path, files=files, environment={"PRELOAD": text}) as server:
        assert server.until(lambda: server.log.count("Booting worker") == 2)
        assert server.get().status == 200
        assert server.until(lambda: len([*tmp_path.glob("imported-*")]) == workers)


FACTORIES = (
    WSGI
    + """
def create_app():
    return app
"""
)


ASGI_FACTORY = """
def create_app():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
    return app
"""


@pytest.mark.parametrize(
    ("worker", "text", "called", "plain"),
    [
        ("sync", FACTORIES, 200, 500),
        ("gthread", FACTORIES, 200, 500),
        ("gevent", FACTORIES, 200, 500),
        ("tornado", FACTORIES, 200, 0),
        ("asgi", ASGI_FACTORY, 200, 500),
        ("uvicorn_worker.UvicornWorker", ASGI_FACTORY, 200, 200),
    ],
)
def test_factory_that_is_not_called(
    tmp_path: Path, worker: str, text: str, called: int, plain: int
) -> None:
    for name, status in (("app:create_app()", called), ("app:create_app", plain)):
        with gunicorn(tmp_path, "-k", worker, app=name, files={"app.py": text}) as server:
            assert server.until(lambda s=status: server.get(timeout=1).status == s)
            assert ("TypeError" in server.log) is (status != 200)


@pytest.mark.parametrize(
    ("keepalive", "worker"), [("1", "gthread"), ("1", "asgi"), ("5", "gthread")]
)
def test_connection_that_is_reused_too_late_is_closed(
    tmp_path, keepalive: str, worker: str
) -> None:
    files = {"app.py": ASGI} if worker == "asgi" else {}
    arguments = ["-k", worker, "--keep-alive", keepalive]
    with gunicorn(tmp_path, *arguments, files=files) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        connection.request("GET", "/")
        connection.getresponse().read()
        connection.auto_open = 0
        time.sleep(2.5)

        def again() -> int:
            connection.request("GET", "/")
            return connection.getresponse().status

        if keepalive == "5":
            assert again() == 200
        else:
            with pytest.raises((OSError, http.client.HTTPException)):
                again()
        connection.close()
