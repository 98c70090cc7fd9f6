"""How long a request in flight may go on. What the numbers rest on is in evidence/test_timeouts.py."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from gunilint.deployment import Facts
from gunilint.engine import survey
from gunilint.ladder import Situation, ladder
from gunilint.policy import Policy, same
from projects import write

ENDLESS = math.inf
UNIT = "[Service]\nWorkingDirectory=/srv/shop\nExecStart=/srv/shop/bin/gunicorn {options} shop:app\n{more}\n"


def situations(folder: Path, files: dict[str, str], version: str = "27.0.1") -> list[Situation]:
    write(folder, files)
    found = survey([folder], same(Policy((), Facts(version))))
    (deployment,) = found.projects[0].deployments
    return list(ladder(deployment))


def of_script(folder: Path, options: str, version: str = "27.0.1") -> dict[str, Situation]:
    files = {"start.sh": f"#!/bin/sh\nexec gunicorn {options} shop:app\n"}
    found = situations(folder, files, version)
    return {situation.title.partition(" (")[0]: situation for situation in found}


def stop(folder: Path, more: str = "", options: str = "", **files: str) -> Situation:
    unit = UNIT.format(options=options, more=more)
    return situations(folder, {"shop.service": unit, **files})[1]


@pytest.mark.parametrize(
    ("worker", "timeout", "limit", "end"),
    [
        ("sync", 30, 30, "SIGABRT"),
        ("sync", 0, ENDLESS, "SIGABRT"),
        ("gthread", 30, ENDLESS, "SIGKILL"),
        ("uvicorn_worker.UvicornWorker", 30, ENDLESS, "SIGKILL"),
        ("shop.OwnWorker", 30, None, "SIGKILL"),
    ],
)
def test_request_that_takes_long(tmp_path, worker, timeout, limit, end) -> None:
    found = of_script(tmp_path, f"-k {worker} --timeout {timeout}")["A request takes long"]
    assert (found.limit, found.end) == (limit, end)


@pytest.mark.parametrize(
    ("more", "options", "limit", "by"),
    [
        ("", "", 30, "gunicorn"),
        ("TimeoutStopSec=5", "", 5, "systemd"),
        ("TimeoutSec=1min", "--graceful-timeout 90", 60, "systemd"),
        ("TimeoutStopSec=5\nSendSIGKILL=no", "", 30, "gunicorn"),
        ("TimeoutStopSec=infinity", "--graceful-timeout 3600", 3600, "gunicorn"),
        ("TimeoutStopSec=0", "", 30, "gunicorn"),
        ("", "--graceful-timeout 0", 0, "gunicorn"),
        ("KillSignal=SIGKILL", "", 0, "systemd"),
        ("KillSignal=SIGHUP\nTimeoutStopSec=20", "", 20, "systemd"),
        ("KillMode=none", "", ENDLESS, "gunicorn"),
        ("KillSignal=SIGINT", "-k gthread", None, "gunicorn"),
        ("KillSignal=SIGQUIT", "-k sync", 0, "gunicorn"),
        ("ExecStop=/bin/kill -s QUIT $MAINPID", "-k sync", 0, "gunicorn"),
        ("ExecStop=/bin/kill -s TERM $MAINPID", "", 30, "gunicorn"),
        ("ExecStop=/usr/local/bin/drain", "", None, "gunicorn"),
        ("", "--daemon", None, "gunicorn"),
        ("Type=forking\nTimeoutStopSec=7", "--daemon", 7, "systemd"),
    ],
)
def test_stop_of_a_unit(tmp_path, more, options, limit, by) -> None:
    found = stop(tmp_path, more, options)
    assert found.title == "systemctl stop shop.service"
    assert (found.limit, found.by) == (limit, by)


@pytest.mark.parametrize(
    ("mode", "limit"), [("mixed", 0), ("process", ENDLESS), ("control-group", 30)]
)
def test_stop_that_a_shell_keeps_for_itself(tmp_path: Path, mode: str, limit: float) -> None:
    unit = f"[Service]\nWorkingDirectory=/srv/shop\nExecStart=/srv/shop/start.sh\nKillMode={mode}\n"
    script = "#!/bin/bash\ngunicorn shop:app\necho over\n"
    assert situations(tmp_path, {"shop.service": unit, "start.sh": script})[1].limit == limit


def test_supervisor_out_of_sight_is_unknown(tmp_path: Path) -> None:
    found = of_script(tmp_path, "--graceful-timeout 20")["Stop"]
    assert [(clock.name, clock.seconds) for clock in found.clocks] == [
        ("graceful_timeout", 20),
        ("its supervisor", None),
    ]


UVICORN = "uvicorn_worker.UvicornWorker"


@pytest.mark.parametrize(
    ("worker", "grace", "timeout", "version", "reloaded", "recycled"),
    [
        # facts of 27.0.1 and 23.0.0: a long request, graceful_timeout 3 and timeout 8 or the like
        ("sync", 3, 8, "27.0.1", 8, None),
        ("sync", 20, 3, "27.0.1", 20, None),
        ("gthread", 3, 8, "27.0.1", 11, 11),
        ("gthread", 20, 3, "23.0.0", 3, 3),
        ("gevent", 3, 8, "27.0.1", 3, 3),
        ("gevent", 3, 8, "23.0.0", "unknown", "unknown"),
        ("asgi", 3, 8, "27.0.1", 3, 3),
        ("asgi", 20, 3, "27.0.1", 20, 3),
        (UVICORN, 3, 8, "27.0.1", 8, 8),
        (UVICORN, 20, 3, "27.0.1", 20, 3),
        (UVICORN, 20, 3, "23.0.0", 3, 3),
        (UVICORN, 20, 0, "27.0.1", ENDLESS, ENDLESS),
        ("tornado", 3, 8, "27.0.1", "unknown", "unknown"),
    ],
)
def test_reload_and_recycling(
    tmp_path, worker, grace, timeout, version, reloaded, recycled
) -> None:
    options = f"-k {worker} --graceful-timeout {grace} --timeout {timeout} --max-requests 1000"
    found = of_script(tmp_path, options, version)
    limits = [
        "unknown" if found[title].limit is None else found[title].limit
        for title in ("Reload", "Recycling")
        if title in found
    ]
    assert limits == [reloaded] + ([] if recycled is None else [recycled])


def test_recycling_only_where_there_is_some(tmp_path: Path) -> None:
    assert list(of_script(tmp_path, "-k gthread")) == ["A request takes long", "Stop", "Reload"]


@pytest.mark.parametrize(
    ("config", "note"),
    [
        ("import os\ntimeout = int(os.environ['T'])\n", "unknown: "),
        ("import os\ntimeout = 60 if os.path.exists('/x') else 30\n", "unknown: "),
        ("import os\ntimeout = int(os.getenv('T', '60'))\n", "assuming that T is unset"),
        ("timeout = 'soon'\n", "unknown: it is no number"),
        ("timeout = 0\n", "0: no limit"),
        ("", "gunicorn's default"),
    ],
)
def test_where_a_number_comes_from(tmp_path: Path, config: str, note: str) -> None:
    script = "#!/bin/sh\nexec gunicorn -k sync shop:app\n"
    found = situations(tmp_path, {"start.sh": script, "gunicorn.conf.py": config})[0]
    assert found.clocks[0].note.startswith(note)
    assert (found.clocks[0].seconds is None) is note.startswith("unknown")
    assert (found.limit is None) is note.startswith("unknown")


def test_uvicorn_by_itself_has_none(tmp_path: Path) -> None:
    assert situations(tmp_path, {"start.sh": "#!/bin/sh\nexec uvicorn shop:app\n"}) == []
