"""Load launches with the gunicorn of this interpreter, as its `gunicorn` command would.

Reads one JSON object a line: {"argv": [...], "environment": {...}, "directory": "...", "root": bool};
answers with one: {"settings": {...}} as gunicorn's `cfg` holds them, or {"status": n, "stderr": "..."}
where gunicorn refuses to start. Each launch is loaded in a forked child. With "root" the child
takes itself for root's, as a unit of the system is.
"""

from __future__ import annotations

import io
import json
import os
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout

warnings.simplefilter("ignore")

import gunicorn  # noqa: E402
import gunicorn.app.wsgiapp  # noqa: E402

RELOADED = ("gunicorn.config", "gunicorn.app.base", "gunicorn.app.wsgiapp")
"""What reads the environment or argv when it is imported."""


def plain(value, default):
    """`value` as JSON has it: a hook is true, gunicorn's own is null."""
    if callable(value):
        return None if value is default else True
    if isinstance(value, dict):
        return {str(key): plain(item, None) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, None) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    return int(value) if isinstance(value, int) else str(value)


def load(request):
    os.environ.clear()
    os.environ.update(request["environment"], PYTHONDONTWRITEBYTECODE="1")
    sys.dont_write_bytecode = True
    if request["root"]:
        os.geteuid = os.getegid = lambda: 0
    os.chdir(request["directory"])
    sys.argv = ["gunicorn", *request["argv"]]
    for name in RELOADED:
        sys.modules.pop(name, None)
    stderr = io.StringIO()
    try:
        with redirect_stderr(stderr), redirect_stdout(io.StringIO()):
            from gunicorn.app.wsgiapp import WSGIApplication

            cfg = WSGIApplication("%(prog)s [OPTIONS] [APP_MODULE]").cfg
            worker_class = cfg.worker_class_str
    except SystemExit as stop:
        return {"status": stop.code, "stderr": stderr.getvalue()}
    except BaseException as error:  # a traceback is a refusal too
        return {"status": 1, "stderr": stderr.getvalue() + repr(error)}
    settings = {
        name: plain(setting.get(), setting.default) for name, setting in cfg.settings.items()
    }
    settings["worker_class"] = worker_class
    return {"settings": settings}


def answer(request):
    """What `load` returns, from a child of this process."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        with os.fdopen(writer, "w") as stream:
            json.dump(load(request), stream)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        text = stream.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else {"status": 1, "stderr": "it died"}


if __name__ == "__main__":
    print(json.dumps({"version": gunicorn.__version__}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
