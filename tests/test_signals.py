"""Commands that signal: which signal, and whom."""

from __future__ import annotations

import pytest

from gunilint.signals import Signal, sent, sent_to_unit
from gunilint.source import Source

SPAN = Source("deploy.sh", "kill").span(0, 4)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("kill 42", ("TERM", ("42",))),
        ("kill -HUP 42", ("HUP", ("42",))),
        ("/bin/kill -s SIGUSR2 42", ("USR2", ("42",))),
        ("-/usr/bin/kill -n 12 42", ("USR2", ("42",))),
        ("kill -9 42 43", ("KILL", ("42", "43"))),
        ("kill -SIGQUIT", ("QUIT", ())),
        ("pkill --signal=HUP -f gunicorn", ("HUP", ("gunicorn",))),
        ("killall -s 1 gunicorn", ("HUP", ("gunicorn",))),
        ("kill -s", ("TERM", ())),
        ("echo -HUP 42", None),
        ("", None),
    ],
)
def test_signal_of_a_kill(line: str, found) -> None:
    assert sent(line.split()) == found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("systemctl kill shop", ("TERM", ("shop",))),
        ("systemctl --user kill -s HUP shop", ("HUP", ("shop",))),
        ("/bin/systemctl kill --kill-who=main --signal=SIGUSR2 a b", ("USR2", ("a", "b"))),
        ("systemctl restart shop", None),
        ("kill -HUP 42", None),
        ("", None),
    ],
)
def test_signal_of_systemctl_kill(line: str, found) -> None:
    assert sent_to_unit(line.split()) == found


@pytest.mark.parametrize(
    ("target", "paths"),
    [
        ("$(cat /run/shop.pid)", ("/run/shop.pid",)),
        ("`cat '/run/shop.pid'`", ("/run/shop.pid",)),
        ('"$(< /run/shop.pid)"', ("/run/shop.pid",)),
        ("$PID the output of `cat run/shop.pid` isn't known", ("run/shop.pid",)),
        ('$(cat "$PIDFILE")', ()),
        ("42", ()),
    ],
)
def test_pid_files_that_a_target_is_read_from(target: str, paths: tuple[str, ...]) -> None:
    assert Signal(SPAN, "HUP", (target,)).pid_files == paths


@pytest.mark.parametrize(
    ("target", "to_unit", "unit", "named"),
    [
        ("shop", True, "shop.service", True),
        ("shop.service", True, "shop.service", True),
        ("shop@blue", True, "shop@.service", True),
        ("shop-celery", True, "shop.service", False),
        ("myshop", True, "shop.service", False),
        ("shop", False, "shop.service", False),
        ("$(systemctl show -p MainPID --value shop)", False, "shop.service", True),
        ("$(cat /run/shop.pid)", False, "shop.service", False),
    ],
)
def test_signal_names_a_unit(target: str, to_unit: bool, unit: str, named: bool) -> None:
    assert Signal(SPAN, "HUP", (target,), to_unit).names(unit) is named


@pytest.mark.parametrize(
    ("path", "text", "written"),
    [
        ("start2.sh", "echo $$ > /run/gunicorn.pid\n", True),
        ("start2.sh", "echo $$ >/run/gunicorn.pid\n", True),
        ("start2.sh", "echo $$ | tee /run/gunicorn.pid\n", True),
        ("compose.yml", "command: >\n  --pid /run/gunicorn.pid\n", True),
        ("compose.yml", "command: gunicorn -p /run/gunicorn.pid app:app\n", True),
        ("supervisor.conf", "PIDFILE='/run/gunicorn.pid'\n", True),
        ("start2.sh", "echo /run/gunicorn.pid\n", False),
        ("start2.sh", "echo $$ > /run/other.pid\n", False),
    ],
)
def test_pid_file_that_something_else_writes(
    lint_files, path: str, text: str, written: bool
) -> None:
    found = lint_files(
        {
            "start.sh": "#!/bin/sh\nexec gunicorn app:app\n",
            "reload.sh": "#!/bin/sh\nkill -HUP $(cat /run/gunicorn.pid)\n",
            path: text,
        }
    )
    assert ("GU312" in {finding.rule.code for finding in found}) is not written
