from __future__ import annotations

from gunilint.report.concise import render
from gunilint.source import Source

from .samples import STOP_TIMEOUT, at, finding, report


def test_concise_has_a_line_for_each_finding_and_nothing_else() -> None:
    hostile = Source("deploy/a\nb:1:1: \x1b[0m", "x")
    run = report(STOP_TIMEOUT, finding(at(hostile, "x"), message="one\ntwo"))
    assert render(run).splitlines() == [
        "app.service:4:1: GU203 warning gunicorn needs up to 120 s to stop, systemd kills it after "
        "20 s (stop-timeout-too-short)",
        "a\\nb:1:1: \\x1b[0m:1:1: GU203 warning one\\ntwo (stop-timeout-too-short)",
    ]


def test_concise_of_a_clean_run_is_empty() -> None:
    assert render(report()) == ""
