"""Suppressions: what a comment covers, what it names, and what is wrong with it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gunilint.engine import run
from gunilint.findings import Finding
from gunilint.policy import Policy, same
from gunilint.rules import load_rules, select
from gunilint.source import Source
from gunilint.suppress import Language, find
from projects import place, write

RULES = load_rules()
ABOUT_COMMENTS = ("GU901", "GU902", "GU903")


def outcome(folder: Path, files: Mapping[str, str], *paths: str, **fields):
    """The result of a run on files, by default with the rules that are on by default."""
    write(folder, files)
    rules = tuple(rule for rule in RULES if rule.default)
    policy = Policy(**{"rules": rules, "folder": folder, **fields})
    result = run([folder / path for path in paths] or [folder], same(policy))
    assert not result.errors, result.errors[0][1]
    return result


def codes(findings, *wanted: str) -> list[str]:
    found = [finding.rule.code for finding in findings]
    return [code for code in found if code in wanted] if wanted else found


def described(finding: Finding) -> str:
    return f"{place(finding)} {finding.rule.code}"


# what a comment covers: `@` marks each line with a finding that is left

CONFIG = "max_requests_jitter = 0\nmax_requests = 100\n"
"""GU302 is found at the value of `max_requests`."""


def is_suppressed(folder: Path, path: str, text: str, code: str) -> bool:
    result = outcome(folder, {path: text})
    found, hidden = codes(result.findings, code), codes([f for f, _ in result.suppressed], code)
    assert found or hidden, "the example has no such finding"
    return not found


PYTHON = [
    pytest.param("max_requests = 100  # gunilint: ignore[GU302] why\n", True, id="behind"),
    pytest.param("# gunilint: ignore[GU302] why\nmax_requests = 100\n", True, id="above"),
    pytest.param(
        "# gunilint: ignore[GU302]\n\n# something else\n\nmax_requests = 100\n", True,
        id="above, with blank lines and comments between",
    ),
    pytest.param(
        "# gunilint: ignore[GU302]\n# gunilint: ignore[GU204]\nmax_requests = 100\ntimeout = 0\n",
        True, id="stacked",
    ),
    pytest.param("max_requests = 100\n# gunilint: ignore[GU302]\n", False, id="below"),
    pytest.param("x = 1  # gunilint: ignore[GU302]\nmax_requests = 100\n", False, id="behind the line above"),
    pytest.param("# gunilint: ignore[GU302]\nx = 1\nmax_requests = 100\n", False, id="above another statement"),
    pytest.param("max_requests = (\n    100\n)  # gunilint: ignore[GU302]\n", True, id="behind the end"),
    pytest.param("max_requests = (  # gunilint: ignore[GU302]\n    100\n)\n", True, id="behind the start"),
    pytest.param("max_requests = (\n    # gunilint: ignore[GU302]\n    100\n)\n", True, id="within"),
    pytest.param("# gunilint: ignore[GU302]\nmax_requests = (\n    100\n)\n", True, id="above several lines"),
    pytest.param("max_requests = \\\n    100  # gunilint: ignore[GU302]\n", True, id="continued"),
    pytest.param(
        "# gunilint: ignore[GU302]\nif True:\n    max_requests = 100\n", False,
        id="above a compound statement: its header only",
    ),
    pytest.param("if True:\n    # gunilint: ignore[GU302]\n    max_requests = 100\n", True, id="in a block"),
    pytest.param("x = '''\n# gunilint: ignore[GU302]\n'''\nmax_requests = 100\n", False, id="in a string"),
    pytest.param("x = '# gunilint: ignore-file[GU302]'\nmax_requests = 100\n", False, id="file, in a string"),
    pytest.param("max_requests = 100\nx = 1\n# gunilint: ignore-file[GU302] why\n", True, id="file"),
    pytest.param("# gunilint: ignore[GU302]\r\nmax_requests = (\r\n    100\r\n)\r\n", True, id="CRLF"),
    pytest.param("# gunilint: ignore[GU302]\n\fmax_requests = 100\n", True, id="form feed"),
    pytest.param("# é日本\U0001f600 # gunilint: ignore[GU302]\nmax_requests = 100\n", True, id="not ASCII"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "suppressed"), PYTHON)
def test_what_a_comment_in_a_config_covers(text: str, suppressed: bool, tmp_path: Path) -> None:
    assert is_suppressed(tmp_path, "gunicorn.conf.py", text, "GU302") is suppressed


@pytest.mark.parametrize(
    "text",
    [
        "# Copyright\n# gunilint: ignore[GU301] flat\n\nworkers = 4\n",
        "# gunilint: ignore[GU301] flat\n\n# Copyright\nworkers = 4\n",
    ],
)
def test_what_is_found_at_the_top_of_a_config_is_suppressed_there(text, tmp_path: Path) -> None:
    assert is_suppressed(tmp_path, "gunicorn.conf.py", text, "GU301")


def test_comment_covers_a_definition_with_its_decorators(tmp_path: Path) -> None:
    text = "# gunilint: ignore[GU308]\n@print\n@print\nasync def on_starting(server):\n    pass\n"
    result = outcome(tmp_path, {"gunicorn.conf.py": text.replace("@print\n", "")})
    assert codes([f for f, _ in result.suppressed]) == ["GU308"]
    (found,) = find(Source("a.py", text), "python")
    assert found.lines == (1, 4)


GUNICORN = "exec gunicorn shop.wsgi --max-requests 100"
SHELL = [
    pytest.param(f"{GUNICORN}  # gunilint: ignore[GU302] why\n", True, id="behind"),
    pytest.param(f"# gunilint: ignore[GU302] why\n{GUNICORN}\n", True, id="above"),
    pytest.param(f"# gunilint: ignore[GU302] why\ntrue\n{GUNICORN}\n", False, id="above another command"),
    pytest.param(
        "# gunilint: ignore[GU302]\nexec gunicorn shop.wsgi \\\n  --workers 4 \\\n  --max-requests 100\n",
        True, id="above a continued command",
    ),
    pytest.param(
        "exec gunicorn --max-requests 100 \\\n  --workers 4 \\\n  shop.wsgi  # gunilint: ignore[GU302]\n",
        True, id="behind a continued command",
    ),
    pytest.param(
        "args=(\n  # gunilint: ignore[GU302]\n  --workers 4\n  --max-requests 100\n)\n"
        'exec gunicorn "${args[@]}" shop.wsgi\n',
        True, id="in an array",
    ),
    pytest.param(
        "args=(\n  --workers 4 # gunilint: ignore[GU302]\n  --max-requests 100\n)\n"
        'exec gunicorn "${args[@]}" shop.wsgi\n',
        True, id="behind an element of the array",
    ),
    pytest.param(
        "# gunilint: ignore[GU302]\ncd /srv &&\n  gunicorn --max-requests 100 shop.wsgi\n",
        True, id="joined by an operator",
    ),
    pytest.param(
        "# gunilint: ignore[GU302]\nif true; then\n  exec gunicorn --max-requests 100 shop.wsgi\nfi\n",
        False, id="above a compound command: its header only",
    ),
    pytest.param(
        "if true; then\n  # gunilint: ignore[GU302]\n  exec gunicorn --max-requests 100 shop.wsgi\nfi\n",
        True, id="in a block",
    ),
    pytest.param(
        f"cat <<END\n# gunilint: ignore[GU302]\nEND\n{GUNICORN}\n", False, id="in a here-document"
    ),
    pytest.param(
        f"{GUNICORN} <<END  # gunilint: ignore[GU302]\ntext\nEND\n", True, id="with a here-document"
    ),
    pytest.param(
        f"# gunilint: ignore[GU302]\n{GUNICORN} \\\n  --env 'A=1\n# gunilint: no comment\n'\n", True,
        id="with a string of several lines",
    ),
    pytest.param(f"echo '# gunilint: ignore-file[GU302]'\n{GUNICORN}\n", False, id="file, in a string"),
    pytest.param(f"{GUNICORN}\n# gunilint: ignore-file[GU302]\n", True, id="file"),
    pytest.param(
        f"{GUNICORN} \\\n# gunilint: ignore[GU302]\n", True, id="joined to the command by its backslash"
    ),
    pytest.param(f"A=1 # gunilint: ignore[GU302]\n{GUNICORN}\n", False, id="behind an assignment above"),
    pytest.param(f"# gunilint: ignore[GU302]\nA=1\n{GUNICORN}\n", False, id="above an assignment"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "suppressed"), SHELL)
def test_what_a_comment_in_a_script_covers(text: str, suppressed: bool, tmp_path: Path) -> None:
    assert is_suppressed(tmp_path, "start.sh", "#!/bin/bash\n" + text, "GU302") is suppressed


EXEC = "ExecStart=/srv/venv/bin/gunicorn shop.wsgi"
UNIT = [
    pytest.param(f"# gunilint: ignore[GU302] why\n{EXEC} --max-requests 100\n", True, id="above"),
    pytest.param(f"; gunilint: ignore[GU302] why\n{EXEC} --max-requests 100\n", True, id="semicolon"),
    pytest.param(f"# gunilint: ignore[GU302]\n{EXEC} \\\n  --max-requests 100\n", True, id="above a continued one"),
    pytest.param(
        f"{EXEC} \\\n  # gunilint: ignore[GU302]\n  --workers 4 \\\n  --max-requests 100\n", True,
        id="within a continued one",
    ),
    pytest.param(
        f"# gunilint: ignore[GU302]\nUser=shop\n{EXEC} --max-requests 100\n", False, id="above another"
    ),
    pytest.param(
        f"{EXEC} --max-requests 100 # gunilint: ignore[GU302]\n", False,
        id="behind it, where systemd sees no comment",
    ),
    pytest.param(f"{EXEC} --max-requests 100\n# gunilint: ignore-file[GU302]\n", True, id="file"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "suppressed"), UNIT)
def test_what_a_comment_in_a_unit_covers(text: str, suppressed: bool, tmp_path: Path) -> None:
    unit = f"[Service]\nType=simple\n{text}"
    assert is_suppressed(tmp_path, "app.service", unit, "GU302") is suppressed


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("requirements.txt", "gunicorn==20.0.4  # gunilint: ignore[GU609] behind a new proxy\n"),
        ("requirements.txt", "# gunilint: ignore[GU609] behind a new proxy\ngunicorn==20.0.4\n"),
        (
            "pyproject.toml",
            '[project]\nname = "x"\ndependencies = [\n'
            '  "gunicorn==20.0.4",  # gunilint: ignore[GU609]\n]\n',
        ),
    ],
)
def test_other_files_have_comments_too(path: str, text: str, tmp_path: Path) -> None:
    write(tmp_path, {"start.sh": f"#!/bin/sh\n{GUNICORN}\n", path: text})
    result = outcome(tmp_path, {path: text})
    assert codes([f for f, _ in result.suppressed]) == ["GU609"]
    assert codes(result.findings, "GU609", "GU901") == []


def test_application_module_has_comments_too(tmp_path: Path) -> None:
    files = {
        "start.sh": "#!/bin/sh\nexec gunicorn --preload -k uvicorn_worker.UvicornWorker app:app\n",
        "app.py": "from fastapi import FastAPI\n"
        "from sqlalchemy.ext.asyncio import create_async_engine\n\napp = FastAPI()\n"
        "engine = create_async_engine('sqlite+aiosqlite://')\n",
    }
    plain = outcome(tmp_path, files)
    (found,) = [f for f in plain.findings if f.rule.code == "GU303"]
    path, line = found.primary.span.source.path, found.primary.span.line
    lines = files[path].splitlines(keepends=True)
    lines.insert(line - 1, "# gunilint: ignore[GU303] made anew after the fork\n")
    result = outcome(tmp_path, {path: "".join(lines)})
    assert codes(result.findings, "GU303", *ABOUT_COMMENTS) == []


def test_config_that_does_not_parse_is_still_suppressed(tmp_path: Path) -> None:
    text = "# gunilint: ignore-file[GU001] rendered later\nworkers = {{ workers }} (\n"
    assert is_suppressed(tmp_path, "gunicorn.conf.py", text, "GU001")


# what a comment names


@pytest.mark.parametrize(
    "comment",
    [
        "# gunilint: ignore[GU302]",
        "# gunilint: ignore[gu302]",
        "# gunilint: ignore[max-requests-without-jitter]",
        "# gunilint: ignore[Max-Requests-Without-Jitter]",
        "# gunilint: ignore[GU3]",
        "# gunilint: ignore[lifecycle]",
        "# gunilint: ignore[all]",
        "# gunilint: ignore[GU204, GU302]",
        "#gunilint:ignore[ GU302 ,GU204 ]because",
        "#   Gunilint:   IGNORE  [GU302]: because",
        "# noqa: E501  # gunilint: ignore[GU302]",
        "# gunilint: ignore[GU302] reason  # noqa: E501",
    ],
)
def test_rules_are_named_as_everywhere(comment: str, tmp_path: Path) -> None:
    assert is_suppressed(tmp_path, "gunicorn.conf.py", f"{comment}\nmax_requests = 9\n", "GU302")


@pytest.mark.parametrize(
    "comment",
    [
        "# gunilint: ignore[GU301]",
        "# gunilint: ignore",
        "# gunilint: ignore[]",
        "# gunilint: ignore GU302",
        "# gunilint: ignore[GU302",
        "# gunilint: disable=GU302",
        '# write "# gunilint: ignore[GU302]" here',
        "# not gunilint: ignore[GU302]",
    ],
)
def test_without_its_name_in_brackets_nothing_is_suppressed(comment: str, tmp_path: Path) -> None:
    text = f"{comment}\nmax_requests = 9\n"
    assert not is_suppressed(tmp_path, "gunicorn.conf.py", text, "GU302")


def test_reason_is_what_stands_behind_the_brackets() -> None:
    for reason in ("one is enough", "see #12", "a: b", "über"):
        for between in (" ", ": ", " - ", ""):
            comment = f"# gunilint: ignore[GU302]{between}{reason}  # noqa"
            (found,) = find(Source("a.py", f"x = 1  {comment}\n"), "python")
            assert found.reason == reason


def test_related_places_suppress_nothing(tmp_path: Path) -> None:
    files = {
        "gunicorn.conf.py": "graceful_timeout = 120  # gunilint: ignore[GU203]\n",
        "app.service": "[Service]\nExecStart=/bin/gunicorn a:b -c gunicorn.conf.py\nTimeoutStopSec=20\n",
    }
    result = outcome(tmp_path, files)
    assert codes(result.findings, "GU203", "GU901") == ["GU203", "GU901"]


# the rules about suppressions


def about_comments(folder: Path, files: Mapping[str, str], *paths: str, **fields) -> list[str]:
    rules = tuple(rule for rule in RULES if rule.default or rule.code == "GU903")
    result = outcome(folder, files, *paths, **{"rules": rules, **fields})
    return [described(f) for f in result.findings if f.rule.code in ABOUT_COMMENTS]


def test_unused_suppression_is_found(tmp_path: Path) -> None:
    text = "max_requests_jitter = 3\nmax_requests = 9  # gunilint: ignore[GU302] x\n"
    files = {"gunicorn.conf.py": text}
    assert about_comments(tmp_path, files) == ["gunicorn.conf.py:2:19 GU901"]


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        pytest.param("GU302, GU204", "`GU204`", id="one of two"),
        pytest.param("GU204, GU302, GU202", "`GU204` and `GU202`", id="two of three"),
        pytest.param("lifecycle, GU202", "`GU202`", id="a category is used by one of its rules"),
    ],
)
def test_only_the_unused_keys_are_named(keys: str, named: str, tmp_path: Path) -> None:
    text = f"max_requests = 9  # gunilint: ignore[{keys}] why\n"
    result = outcome(tmp_path, {"gunicorn.conf.py": text})
    (found,) = [f for f in result.findings if f.rule.code == "GU901"]
    assert (
        found.message == f"no finding of {named} is here, so naming it would only hide the next one"
    )


def test_repeated_key_is_found(tmp_path: Path) -> None:
    text = "max_requests = 9  # gunilint: ignore[GU302, gu302] why\n"
    assert about_comments(tmp_path, {"gunicorn.conf.py": text}) == ["gunicorn.conf.py:1:45 GU901"]


UNUSED = {
    "gunicorn.conf.py": "max_requests_jitter = 3\nmax_requests = 9  # gunilint: ignore[GU302] x\n"
}


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"rules": select(RULES, ["GU301", "GU901"])}, id="the rule isn't selected"),
        pytest.param({"per_file_ignores": {"*.conf.py": ("GU302",)}}, id="not for this file"),
        pytest.param({"rules": select(RULES, ["GU302"])}, id="GU901 isn't selected"),
        pytest.param({"per_file_ignores": {"*.conf.py": ("GU901",)}}, id="GU901 not for this file"),
        pytest.param({"exclude": ("*.conf.py",)}, id="excluded"),
        pytest.param({"suppressions": False}, id="without suppressions"),
    ],
)
def test_suppression_is_not_called_unused_if_its_rule_did_not_run(fields, tmp_path: Path) -> None:
    from gunilint.discover import matcher

    files = {**UNUSED, "start.sh": "#!/bin/sh\nexec gunicorn -c gunicorn.conf.py a:b\n"}
    assert matcher(["*.conf.py"], tmp_path, tmp_path)("gunicorn.conf.py", False)
    assert about_comments(tmp_path, files)
    assert about_comments(tmp_path, files, **fields) == []


def test_group_is_unused_only_if_all_its_rules_ran(tmp_path: Path) -> None:
    text = UNUSED["gunicorn.conf.py"].replace("GU302", "security")
    assert any(not rule.default for rule in select(RULES, ["systemd"]))
    files = {"gunicorn.conf.py": text.replace("security", "systemd")}
    assert about_comments(tmp_path, files) == []
    assert about_comments(tmp_path, files, rules=RULES) != []


SPLIT = {
    "gunicorn.conf.py": "graceful_timeout = 60\nworkers = 4\n",
    "start.sh": "#!/bin/sh\nexec gunicorn -c gunicorn.conf.py a:b\n",
    "app.service": "[Service]\nKillMode=mixed\n"
    "# gunilint: ignore[GU203] stops are rare\nTimeoutStopSec=20\nExecStart=/srv/start.sh\n",
    "other.py": "",
}


@pytest.mark.parametrize(
    "paths", [["gunicorn.conf.py"], ["start.sh"], ["app.service"], ["start.sh", "gunicorn.conf.py"]]
)
def test_run_on_some_files_never_calls_a_suppression_unused(paths, tmp_path: Path) -> None:
    assert codes(outcome(tmp_path, SPLIT).findings, "GU203", "GU901") == []
    gone = {**SPLIT, "app.service": SPLIT["app.service"].replace("=20", "=90")}
    gone["start.sh"] = gone["start.sh"].replace("exec", "# gunilint: ignore[GU204]\nexec")
    gone["gunicorn.conf.py"] += "timeout = 90  # gunilint: ignore[GU204]\n"
    other = {**gone, "other.sh": "#!/bin/sh\nexec gunicorn -c gunicorn.conf.py b:c\n"}
    assert (
        about_comments(tmp_path, other, *paths, rules=select(RULES, ["GU204", "GU203", "GU901"]))
        == []
    )
    assert codes(outcome(tmp_path, other).findings, "GU901") == ["GU901"] * 3


def test_file_that_can_not_be_read_keeps_suppressions(tmp_path: Path) -> None:
    assert about_comments(tmp_path, {**UNUSED, "broken.sh": "#!/bin/sh\ngunicorn 'x\n"}) == []


def test_finding_below_the_wanted_confidence_uses_its_suppression(tmp_path: Path) -> None:
    text = "import os\n\nmax_requests = int(os.getenv('M', '9'))  # gunilint: ignore[GU302] x\n"
    result = outcome(tmp_path, {"gunicorn.conf.py": text}, min_confidence="high")
    assert codes(result.findings, "GU302", "GU901") == []
    assert result.suppressed == ()
    assert codes(f for f, _ in outcome(tmp_path, {}).suppressed) == ["GU302"]


@pytest.mark.parametrize(
    ("comment", "column", "message"),
    [
        (
            "ignore[GU999] x",
            27,
            "`GU999` is no rule, prefix or category, so it suppresses nothing; did",
        ),
        ("ignore[no-max-request] x", 27, "suppresses nothing; did you mean no-max-requests?"),
        ("ignore[GU302, nonsense] x", 34, "`nonsense` is no rule, prefix or category"),
        ("ignore[] x", 10, "meant to suppress something and isn't formed so"),
        ("ignore GU302", 10, "meant to suppress something and isn't formed so"),
        ("ignore[GU302", 10, "meant to suppress something and isn't formed so"),
        ("ignored[GU302]", 10, "meant to suppress something and isn't formed so"),
        ("disable=GU302", 10, "meant to suppress something and isn't formed so"),
        ("ignore-file[GU302]", 10, "`ignore-file` stands behind code here"),
    ],
)
def test_what_names_no_rule_is_found(comment, column, message, tmp_path: Path) -> None:
    text = f"workers  # gunilint: {comment}\n".replace("workers ", "x = 10 ")
    result = outcome(tmp_path, {"gunicorn.conf.py": "max_requests = 9\n" + text})
    (found,) = [f for f in result.findings if f.rule.code == "GU902"]
    assert message in found.message
    assert place(found) == f"gunicorn.conf.py:2:{column + 1 if column > 10 else 9}"


def test_words_that_only_speak_of_gunilint_are_left_alone(tmp_path: Path) -> None:
    text = "# gunilint: run it with --pedantic\n# gunilint: https://example.org\nmax_requests = 0\n"
    assert about_comments(tmp_path, {"gunicorn.conf.py": text}) == []


def test_missing_reason_is_found(tmp_path: Path) -> None:
    files = {"gunicorn.conf.py": "max_requests = 9  # gunilint: ignore[GU302]:\n"}
    assert about_comments(tmp_path, files) == ["gunicorn.conf.py:1:19 GU903"]


@pytest.mark.parametrize(
    "comment",
    [
        "# gunilint: ignore[GU204, GU901, GU903]",
        "# gunilint: ignore[GU9]\n# gunilint: ignore[GU204] x",
        "# gunilint: ignore[GU204, nonsense, gunilint]",
        "# gunilint: ignore[GU902, GU901, nonsense] x",
        "# gunilint: ignore-file[unused-suppression] x\n# gunilint: ignore[GU204] x",
    ],
)
def test_rules_about_suppressions_can_be_suppressed(comment: str, tmp_path: Path) -> None:
    files = {"gunicorn.conf.py": f"{comment}\nmax_requests = 0\n"}
    assert about_comments(tmp_path, files) == []


def test_all_does_not_hide_its_own_uselessness(tmp_path: Path) -> None:
    text = "max_requests_jitter = 3\n# gunilint: ignore[all] x\nmax_requests = 9\n"
    assert about_comments(tmp_path, {"gunicorn.conf.py": text}, rules=RULES) == [
        "gunicorn.conf.py:2:1 GU901"
    ]


def test_result_pairs_each_finding_with_its_suppression(tmp_path: Path) -> None:
    result = outcome(
        tmp_path, {"gunicorn.conf.py": "max_requests = 9  # gunilint: ignore[GU302] why\n"}
    )
    ((finding, suppression),) = result.suppressed
    assert (finding.rule.code, suppression.reason, suppression.span.line) == ("GU302", "why", 1)
    assert not result.failing
    everything = outcome(tmp_path, {}, suppressions=False)
    assert everything.failing
    assert everything.suppressed == ()


# what a fix has to delete


def deleted(text: str, language: Language, *unused: str) -> str:
    (found,) = find(Source("a", text), language)
    keys = [key for key in found.keys if key.text in unused]
    for span in sorted(found.without(keys), key=lambda span: -span.start):
        text = text[: span.start] + text[span.end :]
    return text


@pytest.mark.parametrize(
    ("language", "before", "after"),
    [
        ("python", "x = 1  # gunilint: ignore[A] why\ny = 2\n", "x = 1\ny = 2\n"),
        ("python", "x = 1\n# gunilint: ignore[A] why\ny = 2\n", "x = 1\ny = 2\n"),
        ("python", "x = 1\r\n    # gunilint: ignore[A]\r\ny = 2\r\n", "x = 1\r\ny = 2\r\n"),
        ("python", "x = 1\n# gunilint: ignore[A]", "x = 1\n"),
        ("python", "x = 1  # noqa  # gunilint: ignore[A] why\n", "x = 1  # noqa\n"),
        ("python", "x = 1  # gunilint: ignore[A] why  # noqa\n", "x = 1  # noqa\n"),
        ("python", "x = 1  # gunilint: ignore[A, B] why\n", "x = 1  # gunilint: ignore[B] why\n"),
        ("python", "x = 1  # gunilint: ignore[B, A] why\n", "x = 1  # gunilint: ignore[B] why\n"),
        ("python", "x = 1  # gunilint: ignore[A,A , B,C]\n", "x = 1  # gunilint: ignore[B,C]\n"),
        ("python", "x = 1  # gunilint: ignore[B, A, A, C]\n", "x = 1  # gunilint: ignore[B, C]\n"),
        ("shell", "a \\\n# gunilint: ignore[A]\nb\n", "a \\\n\nb\n"),
        ("shell", "a\n  # gunilint: ignore[A]\nb\n", "a\nb\n"),
        ("unit", "[S]\nA=b \\\n# gunilint: ignore[A]\n  c\n", "[S]\nA=b \\\n  c\n"),
    ],
)
def test_nothing_is_left_of_what_is_unused(language: Language, before: str, after: str) -> None:
    assert deleted(before, language, "A") == after


# properties

STATEMENTS = {
    "gunicorn.conf.py": (["# gunilint: ignore[GU302] x\n"], ["max_requests = 9\n"]),
    "start.sh": (["# gunilint: ignore[GU302] x\n"], [f"{GUNICORN}\n"]),
    "app.service": (["# gunilint: ignore[GU302] x\n"], [f"{EXEC} --max-requests 9\n"]),
}
HEADS = {"gunicorn.conf.py": "x = 1\n", "start.sh": "#!/bin/sh\n", "app.service": "[Service]\n"}
FILLING = st.lists(
    st.sampled_from(
        ["\n", "  \n", "# words\n", "   # more words\n", "# gunilint: words\n", "\t\n"]
    ),
    max_size=5,
)


@pytest.mark.parametrize("path", STATEMENTS)
@given(above=FILLING, between=FILLING, below=FILLING, indent=st.sampled_from(["", "  ", "\t"]))
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_blank_lines_and_comments_change_nothing(
    path, above, between, below, indent, tmp_path: Path
) -> None:
    comment, statement = STATEMENTS[path]
    in_block = path == "gunicorn.conf.py" and indent
    head = HEADS[path] + ("if x:\n" if in_block else "")
    lead = indent if path != "app.service" else ""
    text = head + "".join([*above, indent, *comment, *between, lead, *statement, *below])
    result = outcome(tmp_path, {path: text}, rules=select(RULES, ["GU302", "GU9"]))
    assert codes(result.findings, "GU302", "GU901") == []
    assert codes(f for f, _ in result.suppressed) == ["GU302"]


PIECES = [
    "# gunilint: ignore[GU302]", "# gunilint: ignore-file[GU3, gu3]", "; gunilint: ignore[GU9] x",
    "# gunilint: ignore", "#", ";", "[", "]", "(", ")", "{", "}", "'", '"', "\"\"\"", "\\", "\n", "\r\n", "\r",
    "\t", " ", "\f", "\0", "é", "\U0001f600", "\ud800", "<<E\n", "E\n", "@x\n", "def f():\n", "    ", "a=(", "if ",
    "&&", "|", "a", "b \\\n", "[Service]\n", "A=b", "$(", "`", "f'{", ":",
]  # fmt: skip


@pytest.mark.parametrize("language", ["python", "shell", "unit", "text"])
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=30))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_any_text_has_suppressions_with_sound_places(language: Language, pieces: list[str]) -> None:
    source = Source("a", "".join(pieces))
    for found in find(source, language):
        first, last = found.lines
        assert 1 <= first <= last <= len(source.line_starts)
        assert "gunilint:" in found.span.text
        assert first <= found.span.line <= last
        assert found.removal.start <= found.span.start <= found.span.end <= found.removal.end
        for key in found.keys:
            assert found.span.start < key.span.start < key.span.end < found.span.end
            assert key.text not in found.without([key])


HOSTILE = {
    "one line": "# gunilint: ignore[" * 55_000,
    "lines": "# gunilint: ignore[\n" * 52_000,
    "unknown keys": "".join(f"# gunilint: ignore[abc-{n}]\n" for n in range(9_000)),
    "known keys": "# gunilint: ignore[GU302, GU9, all]\n" * 7_000,
    "many keys": "# gunilint: ignore[" + "GU301," * 40_000 + "]\n",
    "hashes": "#" * 1_000_000 + " gunilint: ignore[GU301]\n",
    "hashes apart": "# " * 500_000 + "gunilint: ignore[GU301]\n",
    "brackets": "# gunilint: ignore" + "[" * 1_000_000 + "\n",
    "blanks": "# gunilint: ignore[" + " " * 1_000_000 + "]\n",
    "words": "# gunilint: " + "ignore-" * 140_000 + "\n",
    "quotes": "x # gunilint: '\"\n" + "'\"" * 100_000 + "\n",
    "backslashes": "# gunilint:\n" + "a \\\n" * 50_000,
}


@pytest.mark.parametrize("language", ["python", "shell", "unit", "text"])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_takes_linear_time(text: str, language: Language) -> None:
    start = time.process_time()
    find(Source("a", text), language)
    assert time.process_time() - start < 2


@pytest.mark.parametrize("name", ["unknown keys", "known keys"])
def test_project_with_hostile_comments_is_judged_in_bounded_time(name: str, tmp_path: Path) -> None:
    files = {"requirements.txt": HOSTILE[name], "start.sh": f"#!/bin/sh\n{GUNICORN}\n"}
    start = time.process_time()
    outcome(tmp_path, files, rules=RULES)
    assert time.process_time() - start < 4
