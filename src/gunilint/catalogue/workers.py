"""Worker classes: what each serves and which settings it leaves unused.

Measured on gunicorn 27.0.1, uvicorn 0.54.0 and uvicorn-worker 0.4.0.
"""

from __future__ import annotations

from dataclasses import dataclass

from gunilint.catalogue import version_key


@dataclass(frozen=True, slots=True)
class Worker:
    """A family of worker classes that behave alike.

    `serves` is the kind of application it can call. `ignores` are settings that it reads
    nothing of. `beats_while_draining` tells whether it sends heartbeats while it finishes its
    requests: without them, `timeout` kills it.
    """

    name: str
    serves: str
    ignores: frozenset[str] = frozenset()
    beats_while_draining: bool = True


_ASYNC_IGNORES = frozenset({"worker_connections", "threads"})

SYNC = Worker("sync", "wsgi", frozenset({"worker_connections", "keepalive"}), False)
GTHREAD = Worker("gthread", "wsgi")
GEVENT = Worker("gevent", "wsgi", frozenset({"threads"}))
GEVENT_PYWSGI = Worker("gevent_pywsgi", "wsgi", frozenset({"threads", "max_requests"}))
EVENTLET = Worker("eventlet", "wsgi", frozenset({"threads"}))
TORNADO = Worker("tornado", "wsgi", _ASYNC_IGNORES)
ASGI = Worker("asgi", "asgi", _ASYNC_IGNORES, False)
UVICORN = Worker("uvicorn", "asgi", _ASYNC_IGNORES, False)
AIOHTTP = Worker("aiohttp", "aiohttp", _ASYNC_IGNORES)

_ALIASES: dict[str, tuple[Worker, str, str | None]] = {
    "sync": (SYNC, "0", None),
    "gthread": (GTHREAD, "19.4", None),
    "gevent": (GEVENT, "0", None),
    "gevent_wsgi": (GEVENT_PYWSGI, "0", None),
    "gevent_pywsgi": (GEVENT_PYWSGI, "0", None),
    "tornado": (TORNADO, "0", None),
    "eventlet": (EVENTLET, "0", "25.3.0"),
    "gaiohttp": (AIOHTTP, "19.0", "19.10.0"),
    "asgi": (ASGI, "24.0.0", None),
}

_CLASSES = {
    "gunicorn.workers.sync.SyncWorker": SYNC,
    "gunicorn.workers.gthread.ThreadWorker": GTHREAD,
    "gunicorn.workers.ggevent.GeventWorker": GEVENT,
    "gunicorn.workers.ggevent.GeventPyWSGIWorker": GEVENT_PYWSGI,
    "gunicorn.workers.ggevent.PyWSGIWorker": GEVENT_PYWSGI,
    "gunicorn.workers.gtornado.TornadoWorker": TORNADO,
    "gunicorn.workers.geventlet.EventletWorker": EVENTLET,
    "gunicorn.workers.gasgi.ASGIWorker": ASGI,
    "uvicorn.workers.UvicornWorker": UVICORN,
    "uvicorn.workers.UvicornH11Worker": UVICORN,
    "uvicorn_worker.UvicornWorker": UVICORN,
    "uvicorn_worker.UvicornH11Worker": UVICORN,
    "aiohttp.worker.GunicornWebWorker": AIOHTTP,
    "aiohttp.GunicornWebWorker": AIOHTTP,
    "aiohttp.worker.GunicornUVLoopWebWorker": AIOHTTP,
    "aiohttp.GunicornUVLoopWebWorker": AIOHTTP,
}


def find_worker(worker_class: str, version: str) -> Worker | None:
    """The family of a worker class as gunicorn `version` knows it; None for any other class."""
    if worker_class in _CLASSES:
        return _CLASSES[worker_class]
    worker, since, until = _ALIASES.get(worker_class, (None, "0", None))
    key = version_key(version)
    if worker is None or key < version_key(since) or (until and key > version_key(until)):
        return None
    return worker
