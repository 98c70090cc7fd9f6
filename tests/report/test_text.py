from __future__ import annotations

from textwrap import dedent

import pytest
from msgspec.structs import replace

from gunilint.findings import Finding, Report
from gunilint.report.text import render
from gunilint.source import Source

from .samples import CONFIG, STOP_TIMEOUT, UNIT, at, finding, report, rule


def block(*findings: Finding, **options: bool) -> str:
    return render(report(*findings), quiet=True, **options)


def expected(text: str) -> str:
    return dedent(text).lstrip("\n")


def test_text_shows_places_in_two_files_and_what_to_do() -> None:
    assert render(report(STOP_TIMEOUT, deployments=2, files=4)) == expected("""
        warning[GU203]: gunicorn needs up to 120 s to stop, systemd kills it after 20 s  (stop-timeout-too-short)
          --> app.service:4:1
           |
         4 | TimeoutStopSec=20
           | ^^^^^^^^^^^^^^^^^ SIGKILL 20 s after SIGTERM
          ::: gunicorn.conf.py:14:20
           |
        14 | graceful_timeout = 120
           |                    --- workers may need this long
           |
           = help: set TimeoutStopSec=130, or lower graceful_timeout

        1 problem (1 warning) in 2 deployments, 4 files
    """)


def test_text_shows_places_in_one_file_together_in_line_order() -> None:
    found = finding(
        at(UNIT, "TimeoutStopSec=20"), at(UNIT, "notify", "the type"), at(CONFIG, "120"),
        at(UNIT, "KillMode=mixed", "the mode"),
    )  # fmt: skip
    assert block(found) == expected("""
        warning[GU203]: systemd kills it after 20 s  (stop-timeout-too-short)
          --> app.service:4:1
           |
         2 | Type=notify
           |      ------ the type
        ...
         4 | TimeoutStopSec=20
           | ^^^^^^^^^^^^^^^^^
         5 | KillMode=mixed
           | -------------- the mode
          ::: gunicorn.conf.py:14:20
           |
        14 | graceful_timeout = 120
           |                    ---
    """)


def test_text_shows_a_line_with_several_places_once() -> None:
    source = Source("deploy/run.sh", "exec gunicorn -w 4 -k sync app\n")
    found = finding(at(source, "-k sync", "one request each"), at(source, "4", "so 4 at a time"))
    assert block(found) == expected("""
        warning[GU203]: systemd kills it after 20 s  (stop-timeout-too-short)
         --> run.sh:1:20
          |
        1 | exec gunicorn -w 4 -k sync app
          |                  - so 4 at a time
          |                    ^^^^^^^ one request each
    """)


@pytest.mark.parametrize(
    ("text", "marked", "rows"),
    [
        pytest.param(
            "exec gunicorn \\\n  -w 4 \\\n  app\n", "gunicorn \\\n  -w 4 \\\n  app",
            ["1 | exec gunicorn \\", "  |      ^^^^^^^^^^ here (to line 3)"],
            id="several-lines",
        ),
        pytest.param(
            "workers = 4\n\n", "workers = 4\n",
            ["1 | workers = 4", "  | ^^^^^^^^^^^ here"],
            id="with-its-line-end",
        ),
        pytest.param(
            "\tworkers\t= 4\n", "= 4",
            ["1 |     workers    = 4", "  |                ^^^ here"],
            id="tabs",
        ),
        pytest.param(
            "name = '日本語'  # 4\n", "4",
            ["1 | name = '日本語'  # 4", "  |                    ^ here"],
            id="before-it-wide",
        ),
        pytest.param(
            "name = '日本語'\n", "日本",
            ["1 | name = '日本語'", "  |         ^^^^ here"],
            id="itself-wide",
        ),
        pytest.param(
            "name = 'cafe\u0301' + x\n", "x",
            ["1 | name = 'cafe\u0301' + x", "  |                 ^ here"],
            id="combining",
        ),
        pytest.param(
            "[Service]\r\nType=notify\r\n", "notify",
            ["2 | Type=notify", "  |      ^^^^^^ here"],
            id="crlf",
        ),
        pytest.param(
            "a = '\x1b[31m\u202e'; b = 4\n", "4",
            ["1 | a = '\\x1b[31m\\u202e'; b = 4", "  |                           ^ here"],
            id="control-characters",
        ),
        pytest.param("a = 1\n", "", ["1 | a = 1", "  | ^ here"], id="empty-place"),
        pytest.param(
            "x" * 200 + " --timeout 5 " + "y" * 200, "--timeout 5",
            [
                "1 | ..." + "x" * 39 + " --timeout 5 " + "y" * 68 + "...",
                "  |    " + " " * 40 + "^^^^^^^^^^^ here",
            ],
            id="long-line",
        ),
        pytest.param(
            "a = " + "x" * 1000, "x" * 1000,
            ["1 | a = " + "x" * 116 + "...", "  |     " + "^" * 116 + " here"],
            id="long-place",
        ),
        pytest.param(
            "\U000e0001" * 200 + "5" + "日" * 100, "5",
            [
                "1 | ..." + "\\U000e0001" * 4 + "5" + "日" * 39 + "...",
                "  |    " + " " * 40 + "^ here",
            ],
            id="long-line-of-odd-widths",
        ),
    ],
)  # fmt: skip
def test_text_aligns_the_mark(text: str, marked: str, rows: list[str]) -> None:
    shown = block(finding(at(Source("deploy/a", text), marked, "here"))).splitlines()
    assert shown[3:] == rows


def test_text_shows_each_part_of_a_long_line_that_matters() -> None:
    source = Source("deploy/a", "first" + "x" * 500 + "last")
    shown = block(finding(at(source, "last"), at(source, "first"))).splitlines()
    assert shown[3:] == [
        "1 | first" + "x" * 115 + "...",
        "  | -----",
        "1 | ..." + "x" * 40 + "last",
        "  |    " + " " * 40 + "^^^^",
    ]


def test_text_keeps_a_line_of_endless_combining_marks_short() -> None:
    source = Source("deploy/a", "e" + "\u0301" * 100_000)
    assert len(block(finding(at(source, "e")))) < 1000


def test_text_writes_hostile_paths_and_messages_out() -> None:
    source = Source("deploy/a\n::error::b\x1b]0;t\x07.sh", "x\n")
    found = finding(at(source, "x", "l\u2028"), message="m\r\n\x1b[2J\x9b", help="h\u202e\n")
    assert block(found) == expected(r"""
        warning[GU203]: m\r\n\x1b[2J\x9b  (stop-timeout-too-short)
         --> a\n::error::b\x1b]0;t\x07.sh:1:1
          |
        1 | x
          | ^ l\u2028
          |
          = help: h\u202e\n
    """)


def test_text_survives_paths_that_are_no_utf8() -> None:
    assert "\\udcff.sh:1:1" in block(finding(at(Source("deploy/\udcff.sh", "x"), "x")))


def test_text_is_coloured_by_severity() -> None:
    found = finding(at(UNIT, "notify", "here"), rule=rule(severity="error"), help="none")
    assert block(found, color=True) == (
        "\x1b[1;31merror[GU203]\x1b[0m: \x1b[1msystemd kills it after 20 s\x1b[0m"
        "  \x1b[2m(stop-timeout-too-short)\x1b[0m\n"
        " \x1b[1;34m-->\x1b[0m app.service:2:6\n"
        "\x1b[1;34m  |\x1b[0m\n"
        "\x1b[1;34m2 |\x1b[0m Type=notify\n"
        "\x1b[1;34m  |\x1b[0m      \x1b[1;31m^^^^^^ here\x1b[0m\n"
        "\x1b[1;34m  |\x1b[0m\n"
        "\x1b[1;34m  =\x1b[0m help: none\n"
    )


def test_text_links_the_code_to_the_rule() -> None:
    heading = block(STOP_TIMEOUT, links=True).splitlines()[0]
    assert heading.startswith("warning[\x1b]8;;https://")
    assert "/docs/rules/GU203.md\x1b\\GU203\x1b]8;;\x1b\\]: " in heading


def test_text_separates_findings_by_an_empty_line() -> None:
    one = block(STOP_TIMEOUT)
    assert block(STOP_TIMEOUT, STOP_TIMEOUT) == f"{one}\n{one}"


@pytest.mark.parametrize(
    ("quiet", "shown"),
    [(False, "4 files checked, 1 deployment, no problems\n"), (True, "")],
    ids=["clean", "quiet"],
)
def test_text_of_a_clean_run(quiet: bool, shown: str) -> None:
    clean: Report = replace(report(), files=4)
    assert render(clean, quiet=quiet) == shown


def test_text_shows_no_frame_of_a_file_without_text() -> None:
    empty = finding(at(Source("deploy/big.sh", ""), "", "too large"), help="split the file")
    assert block(empty).splitlines()[1:] == [" --> big.sh:1:1", "  |", "  = help: split the file"]
