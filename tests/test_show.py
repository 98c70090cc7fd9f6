"""`gunilint show`: what each deployment runs with, as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gunilint.cli import main
from projects import write

FILES = {
    "app.py": "from flask import Flask\napp = Flask(__name__)\n",
    "conf.py": "import multiprocessing, os\n"
    "workers = multiprocessing.cpu_count() * 2 + 1\n"
    "threads = 4\n"
    "timeout = int(os.getenv('TIMEOUT', '60'))\n"
    "bind = ['a:1', 'b:2']\n"
    "def post_fork(server, worker): ...\n",
    "start.sh": "#!/bin/sh\nexport WEB_CONCURRENCY=2\nexec gunicorn app:app -c conf.py -b :80\n",
}


def show(tmp_path: Path, *arguments: str, files: dict[str, str] = FILES) -> Result:
    write(tmp_path, files)
    return CliRunner().invoke(main, ["show", str(tmp_path), *arguments])


def document(tmp_path: Path, *arguments: str, files: dict[str, str] = FILES) -> dict[str, object]:
    result = show(tmp_path, "--format", "json", *arguments, files=files)
    assert result.exit_code == 0
    (deployment,) = json.loads(result.stdout)["deployments"]
    return deployment


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_launch_and_its_chain(here: Path) -> None:
    found = document(here)
    assert found["launch"] == {
        "server": "gunicorn",
        "path": "start.sh",
        "line": 3,
        "argv": ["gunicorn", "app:app", "-c", "conf.py", "-b", ":80"],
        "chain": [{"path": "start.sh", "line": 3}],
        "cwd": None,
    }
    assert found["config_file"] == "conf.py"
    assert found["app"] == {"spec": "app:app", "kind": "wsgi", "path": "app.py"}
    assert found["gunicorn_version"] == "27.0.1"


def test_setting_with_its_place_and_what_it_overrides(here: Path) -> None:
    bind = document(here)["settings"]["bind"]
    overrides = bind.pop("overrides")
    assert bind == {
        "known": True,
        "value": [":80"],
        "assumes": [],
        "text": ":80",
        "origin": "command_line",
        "path": "start.sh",
        "line": 3,
        "column": 37,
    }
    assert [(each["value"], each["origin"], each["line"]) for each in overrides] == [
        (["a:1", "b:2"], "config_file", 5)
    ]


def test_every_setting_is_there_with_the_value_that_gunicorn_would_hold(here: Path) -> None:
    settings = document(here)["settings"]
    assert len(settings) == 120
    assert settings["worker_class"]["value"] == "gthread"
    assert settings["post_fork"]["value"] == "post_fork"
    assert settings["when_ready"]["value"] is None
    assert settings["forwarded_allow_ips"]["assumes"] == ["FORWARDED_ALLOW_IPS is unset"]
    assert settings["timeout"] | {"overrides": []} == {
        "known": True, "value": 60, "assumes": ["TIMEOUT is unset"], "text": "int(os.getenv('TIMEOUT', '60'))",
        "origin": "config_file", "path": "conf.py", "line": 4, "column": 11, "overrides": [],
    }  # fmt: skip


def test_formula_of_the_cpus(here: Path) -> None:
    workers = document(here)["settings"]["workers"]
    assert (workers["known"], workers["value"], workers["formula"]) == (False, None, "cpus * 2 + 1")
    workers = document(here, "--cpus", "4")["settings"]["workers"]
    assert (workers["known"], workers["value"], workers["formula"]) == (True, 9, "cpus * 2 + 1")
    assert [each["value"] for each in workers["overrides"]] == [2]


def test_what_gunicorn_refuses(here: Path) -> None:
    files = {**FILES, "conf.py": "workers = 2.5\n"}
    (refusal,) = document(here, files=files)["refusals"]
    assert (refusal["setting"], refusal["line"], refusal["status"]) == ("workers", 1, 1)
    text = show(here, files=files).stdout
    assert "gunicorn refuses to start: `workers`: it isn't a whole number  (conf.py:1:11)" in text


def test_branches_are_shown_with_their_conditions(here: Path) -> None:
    config = (
        "import socket\nif socket.gethostname() == 'a':\n    workers = 2\nelse:\n    workers = 3\n"
    )
    files = {**FILES, "conf.py": config}
    assert document(here, files=files)["settings"]["workers"]["one_of"] == [
        {"value": 2, "when": "socket.gethostname() == 'a'"},
        {"value": 3, "when": "not (socket.gethostname() == 'a')"},
    ]
    text = show(here, files=files).stdout
    assert "2 if socket.gethostname() == 'a'" in text


def test_what_may_set_more_than_is_listed(here: Path) -> None:
    loop = (
        "import os\nfor name, value in os.environ.items():\n    globals()[name.lower()] = value\n"
    )
    files = {**FILES, "conf.py": loop, "start.sh": "exec gunicorn -c conf.py app:app $EXTRA\n"}
    text = show(here, files=files).stdout
    assert "what isn't listed below isn't known: `globals()[name.lower()]` sets names" in text
    assert "what isn't listed below isn't known: `$EXTRA` may add options" in text


def test_settings_at_their_default_only_with_all(here: Path) -> None:
    assert "keepalive" not in show(here).stdout
    assert "\n  keepalive " in show(here, "--all").stdout


def test_config_without_a_launch(here: Path) -> None:
    files = {"gunicorn.conf.py": "workers = 3\n"}
    found = document(here, files=files)
    assert found["launch"] is None
    assert found["settings"]["timeout"]["assumes"] == ["no command line sets it"]
    assert "gunicorn.conf.py, which nothing here starts gunicorn with" in show(here).stdout


def test_older_gunicorn_has_fewer_settings(here: Path) -> None:
    found = document(here, "--gunicorn-version", "20.1.0")
    assert found["gunicorn_version"] == "20.1.0"
    assert len(found["settings"]) == 85


def test_colour_only_where_it_is_wanted(here: Path) -> None:
    assert "\x1b[" not in show(here).stdout
    assert "\x1b[" in show(here, "--color", "always").stdout


def test_file_names_and_values_can_not_reach_the_terminal(here: Path) -> None:
    files = {**FILES, "conf.py": "proc_name = '\\x1b[2J'\n", "a\x1b[2Jb.sh": FILES["start.sh"]}
    assert "\x1b" not in show(here, files=files).stdout


@pytest.mark.parametrize(("arguments", "status"), [((), 3), (("--allow-empty",), 0)])
def test_nothing_to_show(tmp_path: Path, arguments: tuple[str, ...], status: int) -> None:
    assert show(tmp_path, *arguments, files={}).exit_code == status


def test_missing_path_is_an_error() -> None:
    assert CliRunner().invoke(main, ["show", "nowhere"]).exit_code == 2


@pytest.mark.parametrize("arguments", [(), ("--all",), ("--format", "json")])
def test_secrets_are_stars(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    files = {
        "app.py": "app = print\n",
        "conf.py": (
            "import os\n"
            "if os.path.exists('/live'):\n    raw_env = ['TOKEN=zT4-9fQk2mXw']\n"
            "else:\n    raw_env = ['TOKEN=' + 'n4bQgYhM' + 'fWWaL28']\n"
        ),
        "start.sh": (
            "#!/bin/sh\nexec gunicorn -c conf.py -e URL=redis://u:Rk92-xqT7pLz@db/0 app:app\n"
        ),
    }
    shown = show(tmp_path, *arguments, files=files).stdout
    assert "URL=redis://u:************@db/0" in shown
    for secret in ("zT4-9fQk2mXw", "n4bQgYhMfWWaL28", "Rk92-xqT7pLz"):
        assert secret not in shown
