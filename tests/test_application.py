"""ASGI or WSGI, and what is made at import, told from sources alone."""

from __future__ import annotations

import pytest

from gunilint.application import (
    Application,
    Frameworks,
    foreign_bases,
    frameworks,
    inspect,
    split_spec,
)
from gunilint.source import Source


class Files:
    """A project in memory: path → text."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files

    def read(self, path: str) -> Source | None:
        return Source(path, self.files[path]) if path in self.files else None

    def is_file(self, path: str) -> bool:
        return path in self.files


def look(spec: str, files: dict[str, str] | str, *folders: str) -> Application:
    tree = {"m.py": files} if isinstance(files, str) else files
    return inspect(spec, folders or ("",), Files(tree))


KINDS = [
    ("asgi", "from fastapi import FastAPI\napp = FastAPI()"),
    ("asgi", "import fastapi\napp = fastapi.FastAPI(title='x')"),
    ("asgi", "import fastapi as f\napp = f.FastAPI()"),
    ("asgi", "from fastapi.applications import FastAPI as F\napp: F = F()"),
    ("asgi", "from starlette.applications import Starlette\napp = Starlette()"),
    ("asgi", "from quart import Quart\napp = Quart(__name__)"),
    ("asgi", "from litestar import Litestar\napp = Litestar([])"),
    ("asgi", "from sanic import Sanic\napp = Sanic('x')"),
    ("asgi", "import falcon.asgi\napp = falcon.asgi.App()"),
    ("asgi", "from falcon.asgi import App\napp = App()"),
    ("asgi", "from django.core.asgi import get_asgi_application\napp = get_asgi_application()"),
    ("asgi", "from channels.routing import ProtocolTypeRouter\napp = ProtocolTypeRouter({})"),
    ("asgi", "import socketio\nsio = socketio.AsyncServer()\napp = socketio.ASGIApp(sio)"),
    ("asgi", "from asgiref.wsgi import WsgiToAsgi\nfrom flask import Flask\napp = WsgiToAsgi(Flask('x'))"),
    ("asgi", "from a2wsgi import WSGIMiddleware\nimport flask\napp = WSGIMiddleware(flask.Flask('x'))"),
    ("asgi", "async def app(scope, receive, send): ..."),
    ("asgi", "class A:\n    async def __call__(self, scope, receive, send): ...\napp = A()"),
    ("asgi", "from fastapi import FastAPI\nclass A(FastAPI): ...\napp = A()"),
    ("asgi", "from fastapi import FastAPI\nfrom m2 import Wrap\napp = FastAPI()\napp = Wrap(app)"),
    ("asgi", "from fastapi import FastAPI\nfrom x import W\napp = W(app=FastAPI())"),
    ("asgi", "from fastapi import FastAPI\ntry:\n    import uvloop\nexcept ImportError:\n    pass\napp = FastAPI()"),
    ("asgi", "from fastapi import FastAPI\nfrom starlette.middleware.wsgi import WSGIMiddleware\napp = FastAPI()\napp.mount('/', WSGIMiddleware(x))"),
    ("asgi", "from fastapi import FastAPI\nif DEBUG:\n    app = FastAPI(debug=True)\nelse:\n    app = FastAPI()"),
    ("wsgi", "from flask import Flask\napp = Flask(__name__)"),
    ("wsgi", "from flask import Flask\nfrom werkzeug.middleware.proxy_fix import ProxyFix\napp = Flask('x')\napp.wsgi_app = ProxyFix(app.wsgi_app)"),
    ("wsgi", "from apiflask import APIFlask\napp = APIFlask('x')"),
    ("wsgi", "from django.core.wsgi import get_wsgi_application\napp = get_wsgi_application()"),
    ("wsgi", "from whitenoise import WhiteNoise\nfrom django.core.wsgi import get_wsgi_application\napp = WhiteNoise(get_wsgi_application())"),
    ("wsgi", "import bottle\napp = bottle.default_app()"),
    ("wsgi", "import falcon\napp = falcon.App()"),
    ("wsgi", "from pyramid.config import Configurator\nconfig = Configurator()\napp = config.make_wsgi_app()"),
    ("wsgi", "import dash\nd = dash.Dash()\napp = d.server"),
    ("wsgi", "from a2wsgi import ASGIMiddleware\nfrom fastapi import FastAPI\napp = ASGIMiddleware(FastAPI())"),
    ("wsgi", "def app(environ, start_response): ..."),
    ("wsgi", "class A:\n    def __call__(self, environ, start_response): ...\napp = A()"),
    ("aiohttp", "from aiohttp import web\napp = web.Application()"),
    ("tornado", "import tornado.web\napp = tornado.web.Application([])"),
    (None, "from elsewhere import app"),
    (None, "app = make()"),
    (None, "app = config['app']"),
    (None, "import connexion\napp = connexion.FlaskApp('x')"),
    (None, "from flask import Flask\nfrom fastapi import FastAPI\nif X:\n    app = Flask('x')\nelse:\n    app = FastAPI()"),
    (None, "if __name__ == '__main__':\n    import fastapi\n    app = fastapi.FastAPI()"),
    (None, "app = app"),
    (None, "def app(one): ..."),
    (None, "app = ="),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), KINDS, ids=range(len(KINDS)))
def test_kind_of_a_module_level_application(kind: str | None, text: str) -> None:
    app = look("m:app", text)
    assert app.kind == kind, app.why
    assert app.found


FACTORIES = [
    ("asgi", "from fastapi import FastAPI\ndef make():\n    app = FastAPI()\n    return app"),
    ("asgi", "from fastapi import FastAPI\ndef make() -> FastAPI:\n    return build()"),
    ("asgi", "from fastapi import FastAPI\ndef inner():\n    return FastAPI()\ndef make():\n    a = inner()\n    a.x = 1\n    return a"),
    ("wsgi", "from flask import Flask\ndef make(config=None):\n    if config:\n        return Flask('a')\n    return Flask('b')"),
    ("wsgi", "def make():\n    from flask import Flask\n    return Flask('x')"),
    (None, "def make():\n    return load()"),
    (None, "from flask import Flask\nfrom fastapi import FastAPI\ndef make():\n    if X:\n        return Flask('x')\n    return FastAPI()"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), FACTORIES, ids=range(len(FACTORIES)))
@pytest.mark.parametrize("spec", ["m:make()", "m:make('x', k=1)", "m:app"])
def test_kind_of_a_factorys_application(kind: str | None, text: str, spec: str) -> None:
    text += "\napp = make()" if spec == "m:app" else ""
    assert look(spec, text).kind == kind


class TestModules:
    FASTAPI = "from fastapi import FastAPI\napp = FastAPI()\n"

    @pytest.mark.parametrize(
        ("spec", "files"),
        [
            ("pkg.main:app", {"pkg/__init__.py": "", "pkg/main.py": FASTAPI}),
            ("pkg:app", {"pkg/__init__.py": "from .main import app", "pkg/main.py": FASTAPI}),
            ("pkg:app", {"pkg/__init__.py": "from pkg.main import app as app", "pkg/main.py": FASTAPI}),
            ("a:app", {"a.py": "from b import app", "b.py": "from c import app", "c.py": FASTAPI}),
            ("a:api", {"a.py": "import b\napi = b.app", "b.py": FASTAPI}),
            ("a:app", {"a.py": "from b import *", "b.py": FASTAPI}),
            ("pkg.sub.a:app", {"pkg/sub/a.py": "from ..b import app", "pkg/b.py": FASTAPI}),
            ("pkg.sub.a:app", {"pkg/sub/a.py": "from .. import b\napp = b.app", "pkg/b.py": FASTAPI}),
            ("a:app", {"a.py": "from b import make\napp = make()", "b.py": FASTAPI + "def make():\n    return app"}),
        ],
    )  # fmt: skip
    def test_followed_through_the_project(self, spec: str, files: dict[str, str]) -> None:
        assert look(spec, files).kind == "asgi"

    def test_default_object_is_application(self) -> None:
        assert look("m", "import flask\napplication = flask.Flask('x')").kind == "wsgi"

    def test_folders_are_searched_in_order(self) -> None:
        files = {"src/m.py": self.FASTAPI, "other/m.py": "import flask\napp = flask.Flask('x')"}
        assert look("m:app", files, "src", "other").kind == "asgi"
        assert look("m:app", files, "other", "src").kind == "wsgi"

    def test_missing_module(self) -> None:
        app = look("nowhere.main:app", {})
        assert (app.found, app.kind) == (False, None)
        assert "nowhere.main" in app.why

    def test_circular_imports_end(self) -> None:
        files = {"a.py": "from b import app", "b.py": "from a import app"}
        assert look("a:app", files).kind is None


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ("a.b:app", ("a.b", "app", False)),
        ("a", ("a", "application", False)),
        ("a:make()", ("a", "make", True)),
        ("a:make('x', k=1)", ("a", "make", True)),
    ],
)
def test_split_spec(spec: str, parts: tuple[str, str, bool]) -> None:
    found = split_spec(spec)
    assert (found.module, found.object, found.called) == parts


HEAD = "from sqlalchemy.ext.asyncio import create_async_engine\n"
RESOURCES = [
    (HEAD + "engine = create_async_engine('x')", [("engine", "apool", [])]),
    ("import sqlalchemy as sa\ne = sa.create_engine('x')", [("e", "pool", [])]),
    ("import sqlalchemy as sa\ne = sa.create_engine('x')\ne.connect()", [("e", "pool", ["`e.connect(...)`"])]),
    ("import sqlalchemy as sa\ne = sa.create_engine('x')\nwith e.begin() as c: ...", [("e", "pool", ["`e.begin(...)`"])]),
    ("import sqlalchemy as sa\ne = sa.create_engine('x')\nBase.metadata.create_all(e)", [("e", "pool", ["`Base.metadata.create_all(...)`"])]),
    ("import sqlalchemy as sa\ne = sa.create_engine('x')\nBase.metadata.create_all(bind=e)", [("e", "pool", ["`Base.metadata.create_all(...)`"])]),
    ("import redis.asyncio as redis\nr = redis.from_url('x')", [("r", "apool", [])]),
    ("import redis\nr = redis.from_url('x')", [("r", "safe", [])]),
    ("from motor.motor_asyncio import AsyncIOMotorClient\nc = AsyncIOMotorClient()", [("c", "apool", [])]),
    ("import httpx\nclient = httpx.AsyncClient()", [("client", "apool", [])]),
    ("import aiohttp\ns = aiohttp.ClientSession()", [("s", "loop", [])]),
    ("import threading\nthreading.Thread(target=f).start()", [(None, "thread", [])]),
    ("def f():\n    import httpx\n    return httpx.AsyncClient()", []),
    ("import httpx\nc = lambda: httpx.AsyncClient()", []),
    ("import httpx\nif __name__ == '__main__':\n    c = httpx.AsyncClient()", []),
    ("import httpx\ndef make():\n    return httpx.AsyncClient()\nc = make()", [(None, "apool", [])]),
    ("import httpx\nclass State:\n    client = httpx.AsyncClient()", [(None, "apool", [])]),
    ("import httpx\ndef f(c=httpx.AsyncClient()): ...", [(None, "apool", [])]),
    (HEAD + "import asyncio\ne = create_async_engine('x')\nasync def init():\n    async with e.begin() as c: ...\nasyncio.run(init())", [("e", "apool", ["`asyncio.run(...)`"])]),
    ("import asyncio, asyncpg\nasync def connect():\n    return await asyncpg.create_pool('x')\np = asyncio.run(connect())", [("p", "apool", ["`asyncio.run(...)`"])]),
    ("import asyncio, asyncpg\np = asyncio.run(asyncpg.create_pool('x'))", [("p", "apool", ["`asyncio.run(...)`"])]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), RESOURCES, ids=range(len(RESOURCES)))
def test_resources_made_at_import(text: str, expected: list) -> None:
    found = look("m:app", text).resources
    assert [(r.name, r.kind, [use.what for use in r.uses]) for r in found] == expected


def test_resources_of_imported_modules_and_their_use_elsewhere() -> None:
    files = {
        "app/__init__.py": "",
        "app/main.py": "from app.db import engine, Base\nBase.metadata.create_all(engine)\n",
        "app/db.py": "from sqlalchemy import create_engine\nengine = create_engine('x')\n",
        "app/unused.py": "import httpx\nc = httpx.AsyncClient()\n",
    }
    (resource,) = look("app.main:app", files).resources
    assert resource.span.source.path == "app/db.py"
    assert resource.uses[0].span.source.path == "app/main.py"


def test_loop_that_touches_no_resource() -> None:
    app = look("m:app", "import asyncio\nasyncio.run(main())")
    assert [use.what for use in app.loops] == ["`asyncio.run(...)`"]


def test_places_count_characters() -> None:
    app = look("m:app", "from fastapi import FastAPI\né = 'ü'; app = FastAPI()\n")
    assert app.span is not None
    assert (app.span.text, app.span.line, app.span.column) == ("FastAPI()", 2, 16)


def test_frameworks_among_packages() -> None:
    names = frozenset({"fastapi", "flask", "gunicorn"})
    assert frameworks(names) == Frameworks(("fastapi",), ("flask",))


@pytest.mark.parametrize(
    "text",
    ["app = " + "(" * 10_000, "app = " + "-" * 10_000 + "1", "app = x" + ".y" * 10_000,
     "import a\n" * 20_000, "\0", "print 'x'", "app = f(" * 90 + ")" * 90,
     "".join(f"def f{n}():\n    return f{n + 1}()\n" for n in range(300)) + "app = f0()"],
    ids=range(8),
)  # fmt: skip
def test_hostile_module_is_not_told(text: str) -> None:
    assert look("m:app", text).kind is None


@pytest.mark.parametrize(
    ("name", "files", "expected"),
    [
        ("w.Mine", {"w.py": "from uvicorn.workers import UvicornWorker\nclass Mine(UvicornWorker): ..."},
         ("uvicorn.workers.UvicornWorker",)),
        ("w.Mine", {"w.py": "import uvicorn_worker as u\nclass B(u.UvicornWorker): ...\nclass Mine(B): ..."},
         ("uvicorn_worker.UvicornWorker",)),
        ("p.Mine", {"p/__init__.py": "from p.w import Mine", "p/w.py": "from x import W\nclass Mine(W): ..."},
         ("x.W",)),
        ("elsewhere.Worker", {}, ()),
    ],
)  # fmt: skip
def test_foreign_bases(name: str, files: dict[str, str], expected: tuple[str, ...]) -> None:
    assert foreign_bases(name, ("",), Files(files)) == expected
