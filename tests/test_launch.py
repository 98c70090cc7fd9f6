"""From a command to the server that it starts."""

from __future__ import annotations

import shlex

import pytest

from gunilint.command import Command, Word
from gunilint.launch import development_server, program, replaces_itself, shell_script
from gunilint.source import Fragment, Source
from gunilint.values import Known, Unknown


def command(line: str) -> Command:
    source = Source("start.sh", line)
    words = []
    position = 0
    for text in shlex.split(line):
        start = line.index(text, position)
        position = start + len(text)
        span = source.span(start, position)
        unknown = text.startswith("$")
        fragment = None if unknown else Fragment(source, text, tuple(range(start, position)))
        words.append(Word(Unknown("not set") if unknown else Known(text), span, fragment))
    return Command(tuple(words), source.span(0, len(line)))


@pytest.mark.parametrize(
    "line",
    [
        "gunicorn app:app",
        "/srv/app/.venv/bin/gunicorn app:app",
        "../bin/gunicorn app:app",
        "$VENV/bin/gunicorn app:app",
        "gunicorn3 app:app",
        "python -m gunicorn app:app",
        "python3.12 -u -X dev -m gunicorn app:app",
        "/venv/bin/python -m gunicorn.app.wsgiapp app:app",
        "python /venv/bin/gunicorn app:app",
        "env A=1 B=2 gunicorn app:app",
        "env -i -u HOME gunicorn app:app",
        "nohup nice -n 5 setsid gunicorn app:app",
        "sudo -u www-data -E gunicorn app:app",
        "gosu app gunicorn app:app",
        "timeout 60 gunicorn app:app",
        "poetry run gunicorn app:app",
        "pipenv run gunicorn app:app",
        "uv run --no-sync --python 3.12 gunicorn app:app",
        "uv run -- gunicorn app:app",
        "newrelic-admin run-program gunicorn app:app",
        "ddtrace-run gunicorn app:app",
        "opentelemetry-instrument --traces_exporter=otlp gunicorn app:app",
        "tini -g -- gunicorn app:app",
        "dotenv -f .env run gunicorn app:app",
        "coverage run -m gunicorn app:app",
        "poetry run newrelic-admin run-program python -m gunicorn app:app",
    ],
)
def test_launches_of_gunicorn(line: str) -> None:
    found = program(command(line))
    assert found is not None
    assert found.name == "gunicorn"
    assert [word.text for word in found.arguments] == ["app:app"]


@pytest.mark.parametrize(
    "line",
    [
        "pip install gunicorn",
        "pkill gunicorn",
        "echo gunicorn app:app",
        "which gunicorn",
        "systemctl restart gunicorn",
        "poetry add gunicorn",
        "uv pip install gunicorn",
        "python -m pip install gunicorn",
        "env A=1",
        "sudo",
        "$COMMAND app:app",
        "tail -f /var/log/gunicorn",
    ],
)
def test_commands_that_only_mention_gunicorn(line: str) -> None:
    found = program(command(line))
    assert found is None or found.name != "gunicorn"


@pytest.mark.parametrize(
    ("line", "forks"),
    [
        ("poetry run gunicorn a", 0),
        ("env A=1 nohup gunicorn a", 0),
        ("uv run gunicorn a", 1),
        ("sudo -u x timeout 5 gunicorn a", 2),
        ("dumb-init gunicorn a", 1),
    ],
)
def test_wrappers_that_stay_as_parents(line: str, forks: int) -> None:
    found = program(command(line))
    assert found is not None
    assert len(found.command.forks) == forks


def test_env_adds_to_the_environment() -> None:
    found = program(command("env WEB_CONCURRENCY=3 gunicorn app:app"))
    assert found is not None
    value = found.command.environment["WEB_CONCURRENCY"]
    assert isinstance(value, Known)
    assert (value.value, value.via[0].text) == ("3", "3")


@pytest.mark.parametrize(
    ("line", "script", "is_string"),
    [
        ("sh -c 'gunicorn a'", "gunicorn a", True),
        ("bash -lc 'gunicorn a'", "gunicorn a", True),
        ("/bin/bash -o pipefail -c 'gunicorn a' name", "gunicorn a", True),
        ("bash start.sh one", "start.sh", False),
        ("sh -ex ./start.sh", "./start.sh", False),
    ],
)
def test_shells(line: str, script: str, is_string: bool) -> None:
    found = program(command(line))
    assert found is not None
    result = shell_script(found)
    assert result is not None
    assert (result[0].text, result[1]) == (script, is_string)


def test_only_some_shells_become_their_last_command() -> None:
    assert replaces_itself("bash")
    assert not replaces_itself("sh")
    assert not replaces_itself("dash")


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("flask run", "run"),
        ("/srv/venv/bin/flask --app shop run --host 0.0.0.0", "run"),
        ("python3 -m flask run", "run"),
        ("poetry run flask run", "run"),
        ("python manage.py runserver 0:8000", "runserver"),
        ("./manage.py --settings shop.live runserver", "runserver"),
        ("django-admin runserver", "runserver"),
        ("fastapi dev main.py", "dev"),
        ("uvicorn shop:app --reload", "--reload"),
        ("python -m uvicorn --reload shop:app", "--reload"),
        ("flask db upgrade", None),
        ("flask shell run", None),
        ("flask $COMMAND run", None),
        ("python manage.py migrate", None),
        ("python manage.py test runserver", None),
        ("fastapi run", None),
        ("uvicorn shop:app", None),
        ("gunicorn --reload shop:app", None),
        ("echo flask run", None),
        ("python -m http.server run", None),
    ],
)
def test_development_servers(line: str, word: str | None) -> None:
    target = program(command(line))
    assert target is not None
    found = development_server(target)
    assert (found.text if found else None) == word
