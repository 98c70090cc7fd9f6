"""The trees that are linted: many deployments, many small files of other kinds, and one big one."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

CONFIG = """\
import multiprocessing
import os

# Server socket
bind = os.environ.get("BIND", "127.0.0.1:{port}")

# Workers: two per core and one to spare
workers = multiprocessing.cpu_count() * 2 + 1
worker_class = "uvicorn_worker.UvicornWorker"

# Timeouts, in seconds
timeout = {timeout}
graceful_timeout = 30
keepalive = 5

accesslog = "-"
errorlog = "-"
loglevel = "info"

max_requests = 1000
max_requests_jitter = 50


def when_ready(server):
    server.log.info("service {number} is ready")
"""

SCRIPT = """\
#!/bin/bash
set -euo pipefail
cd "$(dirname "$0")"

export BIND="${{BIND:-127.0.0.1:{port}}}"
if [ -f .env ]; then
    source .env
fi

exec gunicorn app{number}.main:app \\
    --config gunicorn.conf.py \\
    --name service-{number} \\
    --log-level info
"""

UNIT = """\
[Unit]
Description=Service {number}
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
User=app
Group=app
WorkingDirectory=/srv/service-{number}
ExecStart=/srv/service-{number}/start.sh
ExecReload=/bin/kill -s HUP $MAINPID
Restart=on-failure
TimeoutStopSec=60
PrivateTmp=true

[Install]
WantedBy=multi-user.target
"""

DOCKERFILE = """\
FROM python:3.12-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY . .
EXPOSE {port}
CMD ["gunicorn", "app{number}.main:app", "--bind", "0.0.0.0:{port}"]
"""

NGINX = """\
events {{}}
http {{
    server {{
        listen 80;
        server_name service-{number}.example.org;
        location / {{
            proxy_pass http://127.0.0.1:{port};
            proxy_set_header Host $host;
        }}
    }}
}}
"""

WORKFLOW = """\
name: service {number}
on: push
permissions: {{}}
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: pytest services/service-{number}
"""


def _values(number: int) -> dict[str, object]:
    return {"number": number, "port": 8000 + number % 1000, "timeout": 30 + number % 90}


def deployments(folder: Path, count: int) -> None:
    """`count` deployments of three files each: a config, a start script and a unit."""
    for number in range(count):
        service = folder / f"service-{number}"
        service.mkdir(parents=True)
        values = _values(number)
        (service / "gunicorn.conf.py").write_text(CONFIG.format(**values))
        (service / "start.sh").write_text(SCRIPT.format(**values))
        (service / f"service-{number}.service").write_text(UNIT.format(**values))


def same_kind(folder: Path, count: int, template: str, name: Callable[[int], str]) -> list[str]:
    """`count` files of one kind in one folder; their names."""
    folder.mkdir(parents=True)
    names = [name(number) for number in range(count)]
    for number, path in enumerate(names):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(template.format(**_values(number)))
    return names


def big_repository(folder: Path, matter: int = 100) -> int:
    """A repository of about 200,000 files in which three times `matter` matter; how many there are.

    Nine in ten are what tools left behind: packages of npm and of Python, and what builds made.
    """
    module = "export const value = 1;\n"
    for package in range(900):
        _fill(folder / f"node_modules/package-{package}/lib", 100, "module-{}.js", module)
        _fill(folder / f"node_modules/package-{package}/dist", 60, "chunk-{}.mjs", module)
    packages = folder / ".venv/lib/python3.12/site-packages"
    for package in range(250):
        _fill(packages / f"package_{package}", 80, "module_{}.py", "VALUE = 1\n")
    for number in range(80):
        _fill(folder / f"build/part-{number}", 100, "object-{}.o", "object\n")
    for area in range(80):
        _fill(folder / f"src/area_{area}", 200, "module_{}.py", "def value():\n    return 1\n")
    for area in range(60):
        _fill(folder / f"docs/part-{area}", 120, "page-{}.md", "# A page\n\nOf words.\n")
    deployments(folder / "services", matter)
    (folder / ".gitignore").write_text("node_modules/\n.venv/\nbuild/\n")
    for arguments in (
        ["init", "-q"],
        ["add", "."],
        [
            "-c",
            "user.name=bench",
            "-c",
            "user.email=bench@example.org",
            "commit",
            "-q",
            "-m",
            "all",
        ],
        ["gc", "-q"],
    ):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    return sum(1 for path in folder.rglob("*") if path.is_file())


def _fill(folder: Path, count: int, name: str, text: str) -> None:
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / name.format(number)).write_text(text)
