"""What gunicorn does with settings that nobody warns about."""

from __future__ import annotations

from pathlib import Path

from servers import gunicorn


def test_unknown_names_are_ignored_in_silence(tmp_path: Path) -> None:
    config = "workerz = 4\nkeep_alive = 9\nlog_level = 'debug'\n"
    with gunicorn(tmp_path, files={"gunicorn.conf.py": config}) as server:
        assert server.get().status == 200
        assert server.log.count("Booting worker") == 1
        assert "keep_alive" not in server.log


def test_address_without_a_port_is_taken_for_a_host(tmp_path: Path) -> None:
    with gunicorn(tmp_path, "-b", "8000", ready=False) as server:
        assert server.ended() == 1
        assert "8000" in server.log


def test_list_of_addresses_is_no_address(tmp_path: Path) -> None:
    with gunicorn(tmp_path, "-b", "127.0.0.1:0,127.0.0.1:1", ready=False) as server:
        assert server.ended() == 1
        assert "is not a valid port number" in server.log


def test_variable_in_a_python_string_stays_as_it_is(tmp_path: Path) -> None:
    with gunicorn(
        tmp_path, "-b", "127.0.0.1:$PORT", environment={"PORT": "80"}, ready=False
    ) as server:
        assert server.ended() == 1
        assert "'$PORT' is not a valid port number" in server.log


def test_sync_worker_ignores_keepalive(tmp_path: Path) -> None:
    with gunicorn(tmp_path, "--keep-alive", "30") as server:
        assert server.get().headers["Connection"] == "close"
    with gunicorn(tmp_path, "--keep-alive", "30", "-k", "gthread") as server:
        assert server.get().headers["Connection"] == "keep-alive"


def test_jitter_without_max_requests_recycles_nothing(tmp_path: Path) -> None:
    with gunicorn(tmp_path, "--max-requests-jitter", "2") as server:
        assert len({server.get("/pid").body for _ in range(10)}) == 1


def test_broken_config_at_a_reload_ends_the_master(tmp_path: Path) -> None:
    with gunicorn(tmp_path, files={"gunicorn.conf.py": "timeout = 30\n"}) as server:
        assert server.get().status == 200
        (tmp_path / "gunicorn.conf.py").write_text("timeout = 2.5\n")
        server.signal(1)
        assert server.ended() == 1


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
