"""What gunicorn logs, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from servers import gunicorn


@pytest.mark.parametrize(("arguments", "lines"), [([], 0), (["--access-logfile", "access"], 1)])
def test_requests_are_logged_only_with_accesslog(tmp_path: Path, arguments, lines: int) -> None:
    with gunicorn(tmp_path, *arguments) as server:
        server.get("/looked-for")
        access = tmp_path / "access"
        written = lambda: access.read_text() if access.exists() else ""  # noqa: E731
        server.until(lambda: written() != "", 10 if lines else 1)
        assert (server.log + written()).count("GET /looked-for") == lines


def test_swapped_targets(tmp_path: Path) -> None:
    arguments = ["--access-logfile", "error.log", "--error-logfile", "access.log"]
    with gunicorn(tmp_path, *arguments, ready=False) as server:
        error, access = tmp_path / "error.log", tmp_path / "access.log"
        assert server.until(lambda: access.exists() and "Booting worker" in access.read_text())
        assert server.get("/looked-for").status == 200
        assert server.until(lambda: "GET /looked-for" in error.read_text())
        assert "looked-for" not in access.read_text()


@pytest.mark.parametrize(("level", "informs"), [("warn", True), ("warning", False)])
def test_unknown_level_is_info(tmp_path: Path, level: str, informs: bool) -> None:
    with gunicorn(tmp_path, "--log-level", level, ready=False) as server:
        assert server.until(lambda: server.get(timeout=1).status == 200)
        assert ("[INFO]" in server.log) is informs


@pytest.mark.parametrize(("level", "shown"), [("debug", True), ("info", False)])
def test_debug_level_logs_the_secrets_of_raw_env(tmp_path: Path, level: str, shown: bool) -> None:
    with gunicorn(tmp_path, "--log-level", level, "-e", "TOKEN=n4bQgYhMfWW") as server:
        assert server.get().status == 200
        assert ("n4bQgYhMfWW" in server.log) is shown


@pytest.mark.parametrize("option", ["--access-logfile", "--error-logfile"])
@pytest.mark.parametrize(("made", "starts"), [(False, False), (True, True)])
def test_log_file_in_a_folder_that_is_not_there(tmp_path, option: str, made, starts: bool) -> None:
    if made:
        (tmp_path / "logs").mkdir()
    with gunicorn(tmp_path, option, "logs/gunicorn.log", ready=False) as server:
        if starts:
            assert server.until(lambda: server.get(timeout=1).status == 200)
        else:
            assert server.ended() == 1
            assert "isn't writable" in server.log
