"""Twice as many deployments take twice the work, whatever they share: nothing is sought anew for each.

Work is counted in calls, which are the same in every run.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from gunilint.engine import report, run
from gunilint.output import FORMATS, Output, made
from gunilint.policy import Policy, same
from gunilint.rules import load_rules
from projects import write

CONFIG = """\
# gunilint: ignore-file[GU301] they are restarted every night
import os

bind = [os.environ.get("BIND", "127.0.0.1:{port}"), "unix:/run/service-{number}/gunicorn.sock"]
worker_class = "uvicorn_worker.UvicornWorker"
timeout = 10
graceful_timeout = 30
pidfile = "/run/service-{number}/gunicorn.pid"
errorlog = "/var/log/service-{number}/error.log"
accesslog = "/data/service-{number}/access.log"
"""
SCRIPT = """\
#!/bin/bash
export BIND="${{BIND:-127.0.0.1:{port}}}"
source .env
gunicorn app{number}.main:app -c {config}
"""
UNIT = """\
[Unit]
After=network.target {other}.service
[Service]
Type=notify
ExecStart=/srv/{folder}/{script}
ExecReload=/bin/kill -HUP $MAINPID
[Install]
WantedBy=multi-user.target
"""


def service(number: int, folder: str, other: str) -> dict[str, str]:
    config, script, unit = f"{folder}/g{number}.conf.py", f"s{number}.sh", f"service-{number}"
    values = {"number": number, "port": 8000 + number, "folder": folder, "other": other}
    return {
        config: CONFIG.format(**values),
        f"{folder}/{script}": SCRIPT.format(config=f"g{number}.conf.py", **values),
        f"{folder}/{unit}.service": UNIT.format(script=script, **values),
        f"{folder}/.env": "A=1\n",
    }


def apart(count: int) -> dict[str, str]:
    """Each service in a folder of its own, with its application, requirements and container."""
    files = {"tool.sh": "#!/bin/sh\nvenv/bin/pip install gunicorn\nmkdir -p /var/log/none\n"}
    for number in range(count):
        folder = f"services/service-{number}"
        files |= service(number, folder, f"service-{number - 1}")
        files[f"{folder}/app{number}/main.py"] = "from fastapi import FastAPI\napp = FastAPI()\n"
        files[f"{folder}/requirements.txt"] = "gunicorn==23.0.0\nfastapi\n"
        files[f"{folder}/Dockerfile"] = f"FROM python\nCMD ./s{number}.sh\n"
    return files


def together(count: int) -> dict[str, str]:
    """All in one folder, each after the same other one."""
    return {
        path: text
        for number in range(count)
        for path, text in service(number, "deploy", "service-0").items()
    }


def of_one_name(count: int) -> dict[str, str]:
    """The same service for each of many places."""
    return {
        f"place-{number}/{path}": text
        for number in range(count)
        for path, text in service(1, "deploy", "postgresql").items()
    }


def without_units(count: int) -> dict[str, str]:
    """Scripts that read the same library and start the same application at the same place."""
    start = (
        "#!/bin/sh\n. ./lib.sh\nkill -HUP $(cat /run/gunicorn-{0}.pid)\n"
        "kill -USR2 $(cat /run/{0}.pid)\nrun -b 127.0.0.1:8000 -p /run/gunicorn-{0}.pid app:app\n"
    )
    files = {"lib.sh": 'run() { gunicorn -w "${WORKERS:-2}" "$@"; }\n'}
    return files | {f"start-{number}.sh": start.format(number) for number in range(count)}


def calls(folder: Path, files: Mapping[str, str]) -> Counter[str]:
    """How many calls each step of a run makes: each rule, each of what comes before."""
    write(folder, files)
    counted: Counter[str] = Counter()
    step = ["other"]

    def count(_frame: object, event: str, _what: object) -> None:
        if event in ("call", "c_call"):
            counted[step[-1]] += 1

    def track(items: Sequence[Any], doing: str) -> Iterator[Any]:
        for item in items:
            step.append(item.code if doing == "Checking" else doing)
            yield item
            step.pop()

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        result = run([folder], same(Policy(load_rules())), keep=True, track=track)
        outputs = [Output(name) for name in FORMATS]
        made(report(result, folder), outputs, color="never", quiet=False)
    finally:
        sys.setprofile(before)
    assert result.findings
    assert result.errors == ()
    return counted


@pytest.mark.parametrize("shape", [apart, together, of_one_name, without_units])
def test_work_grows_with_what_there_is(
    shape: Callable[[int], Mapping[str, str]], tmp_path: Path
) -> None:
    # the first pays for what is made once; the others are beyond what caches hold
    counts = (4, 35, 50, 65)
    _, few, more, most = (calls(tmp_path / str(count), shape(count)) for count in counts)
    steps = {
        step: (few[step], more[step], most[step])
        for step in most
        if most[step] - more[step] > 1.02 * (more[step] - few[step]) + 20
    }
    assert steps == {}
