"""A project that tries to get out of a report: in names, values, comments, paths and lines."""

from __future__ import annotations

import os
from pathlib import Path

SCRIPT = "<script>window.pwned=1</script>"
IMAGE = '"><img src=x onerror="window.pwned=1">'
BREAKOUT = f"</script></style></title></textarea>--> {SCRIPT}"
SECRET = "zT4-9fQk2mXw"
KEY = "-----BEGIN PRIVATE KEY-----\\nabcdefgh\\n"

FILES = {
    "pyproject.toml": "",
    f"shop{IMAGE.replace('/', '')}.service": (
        "[Unit]\n"
        f"Description={BREAKOUT}\n"
        "[Service]\nType=notify\nWorkingDirectory=/srv/shop\n"
        f"Environment=SECRET_KEY={SECRET} 'NAME={BREAKOUT}' PATH=/srv/bin:$PATH\n"
        f"ExecStart=/srv/shop/bin/gunicorn --pid '/run/{SCRIPT}' --name \"{BREAKOUT}\" "
        f"-e API_TOKEN={SECRET} --bind 0.0.0.0:80 'shop:app&lt;{IMAGE}'\n"
        f"TimeoutStopSec=5 {SCRIPT}\nTimeoutStopSec=infinity\n"
    ),
    "gunicorn.conf.py": (
        f"# {BREAKOUT} {SECRET}\n"
        f"workerz = '{'x' * 100_000}{SCRIPT}'\n"
        f"raw_env = ['SECRET_KEY={SECRET}', 'A={IMAGE}', 'PRIVATE_KEY={KEY}']\n"
        f"proc_name = '\\u202e\\x00\\x1b[31m {SCRIPT} {chr(0x202E)}{chr(0x2066)}'\n"
        "timeout = 10\ngraceful_timeout = 60\nmax_requests = 100\n"
        f"worker_tmp_dir = 'javascript:alert(1)//{IMAGE}'\n"
        f"worker_class = '{BREAKOUT}'\n"
        "errorlog = '\\udcff'\n"
    ),
    "start.sh": (
        f"#!/bin/sh\n# {BREAKOUT}\nexport NAME='{IMAGE}'\n"
        f'exec gunicorn --name "$NAME" --timeout 0 --bogus \'{SCRIPT}\' --workers "{IMAGE}" shop:app '
        f"# gunilint: ignore[no-max-requests] {BREAKOUT}\n"
    ),
    "broken/gunicorn.conf.py": f"workers = 3\n{SCRIPT}\n\0\n",
    "shop.py": "def app(environ, start_response):\n    return []\n",
}


def write_hostile(folder: Path) -> None:
    """Write it, with a script whose name is no text."""
    for path, text in FILES.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())
    name = os.fsdecode(b"\xff<b onclick=alert(1)>.sh")
    try:
        (folder / name).write_bytes(b"#!/bin/sh\nexec gunicorn -w 1 shop:app\n")
    except OSError:
        # a file system that takes text alone
        return
