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


FASTAPI = "from fastapi import FastAPI\n"
FLASK = "from flask import Flask\n"
WRAPPED = [
    # adapters
    ("asgi", "from starlette.middleware.wsgi import WSGIMiddleware as W\napp = W(Flask('x'))"),
    ("asgi", "from fastapi.middleware.wsgi import WSGIMiddleware\napp = WSGIMiddleware(Flask('x'))"),
    ("asgi", "from uvicorn.middleware.wsgi import WSGIMiddleware\napp = WSGIMiddleware(Flask('x'))"),
    ("asgi", "import a2wsgi\nflask_app = Flask('x')\napp = a2wsgi.WSGIMiddleware(flask_app, workers=3)"),
    ("asgi", "from asgiref.wsgi import WsgiToAsgi\napp = Flask('x')\napp = WsgiToAsgi(app)"),
    ("wsgi", "import a2wsgi\napp = a2wsgi.ASGIMiddleware(FastAPI())"),
    ("wsgi", "from a2wsgi import ASGIMiddleware\ndef make() -> FastAPI: return build()\napp = ASGIMiddleware(make())"),
    (None, "from elsewhere import WSGIMiddleware\napp = WSGIMiddleware(Flask('x'))"),
    (None, "from elsewhere import AsgiToWsgi\napp = AsgiToWsgi(FastAPI())"),
    # middleware
    ("asgi", "from sentry_sdk.integrations.asgi import SentryAsgiMiddleware\napp = FastAPI()\napp = SentryAsgiMiddleware(app)"),
    ("asgi", "from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware\napp = ProxyHeadersMiddleware(FastAPI(), trusted_hosts='*')"),
    ("asgi", "from starlette.middleware.cors import CORSMiddleware\napp = CORSMiddleware(app=make(), allow_origins=['*'])"),
    ("asgi", "from asgi_correlation_id import CorrelationIdMiddleware\napp = CorrelationIdMiddleware(FastAPI())"),
    ("asgi", "import socketio\nsio = socketio.AsyncServer(async_mode='asgi')\napp = socketio.ASGIApp(sio, FastAPI())"),
    ("asgi", "import gradio as gr\napp = FastAPI()\napp = gr.mount_gradio_app(app, blocks, path='/')"),
    ("wsgi", "import socketio\napp = socketio.WSGIApp(socketio.Server(), Flask('x'))"),
    ("wsgi", "from whitenoise import WhiteNoise\napp = WhiteNoise(make(), root='static')"),
    ("wsgi", "from sentry_sdk.integrations.wsgi import SentryWsgiMiddleware\napp = SentryWsgiMiddleware(Flask('x'))"),
    ("wsgi", "from werkzeug.middleware.proxy_fix import ProxyFix\napp = ProxyFix(make(), x_for=1)"),
    ("wsgi", "from werkzeug.middleware.dispatcher import DispatcherMiddleware as D\napp = D(make(), {'/api': FastAPI()})"),
    ("wsgi", "from a2wsgi import ASGIMiddleware\nfrom werkzeug.middleware.dispatcher import DispatcherMiddleware as D\napp = D(Flask('x'), {'/v2': ASGIMiddleware(FastAPI())})"),
    ("wsgi", "from werkzeug.middleware.proxy_fix import ProxyFix\napp = Flask('x')\napp.wsgi_app = ProxyFix(app.wsgi_app)"),
    ("wsgi", "app = Flask('x').wsgi_app"),
    ("wsgi", "class Mine:\n    def __init__(self, app): self.app = app\n    def __call__(self, environ, start_response): return self.app(environ, start_response)\napp = Flask('x')\napp.wsgi_app = Mine(app.wsgi_app)"),
    ("asgi", "class Mine:\n    def __init__(self, app): self.app = app\n    async def __call__(self, scope, receive, send): await self.app(scope, receive, send)\napp = Mine(FastAPI())"),
    ("asgi", "class Mine:\n    def __init__(self, app): self.app = app\n    def __call__(self, *args): return self.app(*args)\napp = Mine(FastAPI())"),
    ("asgi", "from starlette.middleware.base import BaseHTTPMiddleware\nclass Mine(BaseHTTPMiddleware): ...\napp = Mine(make())"),
    ("asgi", "def wrap(inner):\n    inner.state.x = 1\n    return inner\napp = wrap(FastAPI())"),
    ("wsgi", "def wrap(inner):\n    from a2wsgi import ASGIMiddleware\n    return ASGIMiddleware(inner)\napp = wrap(FastAPI())"),
    ("asgi", "app = FastAPI()\nfor middleware in load():\n    app = middleware(app)"),
    ("asgi", "app = FastAPI()\nif SENTRY:\n    from sentry_sdk.integrations.asgi import SentryAsgiMiddleware\n    app = SentryAsgiMiddleware(app)"),
    (None, "from a2wsgi import ASGIMiddleware\napp = FastAPI()\nif WSGI:\n    app = ASGIMiddleware(app)"),
    # made with an application, and none themselves
    (None, "from flask_socketio import SocketIO\napp = SocketIO(Flask('x'))"),
    (None, "from flask_restx import Api\napp = Api(Flask('x'))"),
    ("wsgi", "from flask_restx import Api\napp = Flask('x')\napi = Api(app)"),
    (None, "from celery import Celery\napp = Celery(Flask('x'))"),
    (None, "import functools\napp = functools.partial(FastAPI())"),
    (None, "from flask_cors import CORS\nx = CORS()\napp = x.init_app(Flask('x'))"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), WRAPPED, ids=range(len(WRAPPED)))
def test_kind_of_a_wrapped_application(kind: str | None, text: str) -> None:
    app = look("m:app", FASTAPI + FLASK + text)
    assert app.kind == kind, app.why


CALLABLES = [
    # functions
    ("asgi", "async def app(scope, receive, send): ..."),
    ("asgi", "def app(scope, receive, send): return other(scope, receive, send)"),
    ("asgi", "async def app(s, r, send_it): await send_it({'type': 'http.response.start'})"),
    (None, "async def app(a, b, c): ..."),
    (None, "async def app(scope, receive): ..."),
    ("wsgi", "def application(environ, start_response): ...\napp = application"),
    ("wsgi", "def app(environ, start_response, *, extra=None): ..."),
    ("wsgi", "def app(env, start):\n    start('200 OK', [])\n    return []"),
    ("wsgi", "def app(env, start): return [b'ok']"),
    ("wsgi", "def app(env, start): yield b'ok'"),
    (None, "def app(config, debug): ..."),
    (None, "def app(config, debug):\n    from flask import Flask\n    return Flask(config)"),
    (None, "async def app(environ, start_response): ..."),
    ("wsgi", "from werkzeug import Request\n@Request.application\ndef app(request): ..."),
    (None, "from elsewhere import wrap\n@wrap\ndef app(environ, start_response): ..."),
    (None, "@wrap('x')\nasync def app(scope, receive, send): ..."),
    # classes
    ("asgi", "class A:\n    async def __call__(self, scope, receive, send): ...\napp = A()"),
    ("asgi", "class A:\n    def __call__(self, scope, receive, send): return self.go()\napp = A()"),
    ("wsgi", "class A:\n    def __call__(self, environ, start_response): ...\nclass B(A): ...\napp = B()"),
    ("wsgi", "class app:\n    def __init__(self, environ, start_response): ...\n    def __iter__(self): yield b''"),
    ("asgi", "class A:\n    async def run(self, scope, receive, send): ...\napp = A().run"),
    (None, "class A:\n    def __call__(self, one, two): ...\napp = A()"),
    (None, "class A: ...\napp = A()"),
    (None, "class app: ..."),
    # classes that derive from a framework's
    ("asgi", "import starlette.applications as s\nclass A(s.Starlette): ...\nclass B(A): ...\napp = B(debug=True)"),
    ("asgi", "from fastapi import FastAPI\nclass A(FastAPI):\n    def __init__(self): super().__init__()\napp = A()"),
    ("wsgi", "from flask import Flask\nclass Mine(Flask): ...\napp = Mine('x')\n@app.route('/')\ndef index(): ..."),
    ("wsgi", "from flask import Flask\nclass Mine(Flask): ...\napp = Mine('x').wsgi_app"),
    ("asgi", "from fastapi import FastAPI\nclass A(FastAPI):\n    @classmethod\n    def make(cls): return cls()\napp = A.make()"),
    ("asgi", "from fastapi import FastAPI\nclass Server:\n    def __init__(self): self.api = FastAPI()\napp = Server().api"),
    ("asgi", "from fastapi import FastAPI\nclass Server:\n    @property\n    def api(self): return FastAPI()\napp = Server().api"),
    (None, "import connexion\nclass A(connexion.FlaskApp): ...\napp = A('x')"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), CALLABLES, ids=range(len(CALLABLES)))
def test_kind_of_a_projects_own_callable(kind: str | None, text: str) -> None:
    app = look("m:app", text)
    assert app.kind == kind, app.why


FRAMEWORKS = [
    ("asgi", "import sanic\napp = sanic.Sanic('x')"),
    ("asgi", "from blacksheep import Application\napp = Application()"),
    ("asgi", "import channels.routing as r\nfrom django.core.asgi import get_asgi_application\napp = r.ProtocolTypeRouter({'http': get_asgi_application()})"),
    ("asgi", "from fastmcp import FastMCP\nmcp = FastMCP('x')\napp = mcp.http_app()"),
    ("asgi", "from strawberry.asgi import GraphQL\napp = GraphQL(schema)"),
    ("asgi", "import connexion\napp = connexion.AsyncApp('x')"),
    ("wsgi", "import connexion\ncnx = connexion.FlaskApp('x')\napp = cnx.app"),
    (None, "from connexion import App\napp = App('x')"),
    (None, "from robyn import Robyn\napp = Robyn(__file__)"),
    ("wsgi", "from dash import Dash\napp = Dash('x').server"),
    ("wsgi", "import dash, flask\nserver = flask.Flask('x')\ndash_app = dash.Dash('x', server=server)\napp = dash_app.server"),
    ("asgi", "import dash, fastapi\napp = dash.Dash('x', server=fastapi.FastAPI()).server"),
    (None, "import dash\napp = dash.Dash('x', backend='quart').server"),
    (None, "import dash\napp = dash.Dash('x')"),
    ("wsgi", "from pyramid.config import Configurator\nwith Configurator() as config:\n    app = config.make_wsgi_app()"),
    ("wsgi", "import web\napp = web.application((), globals()).wsgifunc()"),
    ("wsgi", "import cherrypy\napp = cherrypy.tree.mount(Root())"),
    ("wsgi", "from trac.web.main import dispatch_request as app"),
    ("asgi", "from fastapi import *\napp = FastAPI()"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), FRAMEWORKS, ids=range(len(FRAMEWORKS)))
def test_kind_by_framework(kind: str | None, text: str) -> None:
    app = look("m:app", text)
    assert app.kind == kind, app.why


FLOW = [
    ("asgi", "app = None\nif X:\n    app = FastAPI()\nelse:\n    app = FastAPI(debug=True)"),
    ("asgi", "app = None\nif X:\n    app = FastAPI()"),
    ("asgi", "app = Flask('x')\nif X:\n    app = FastAPI()\nelif Y:\n    app = FastAPI()\nelse:\n    app = FastAPI()"),
    ("asgi", "app = Flask('x')\nif X:\n    raise SystemExit\nelse:\n    app = FastAPI()"),
    (None, "app = FastAPI()\nif X:\n    app = Flask('x')"),
    (None, "app = FastAPI()\napp, other = make()"),
    ("asgi", "app, other = FastAPI(), 1"),
    ("asgi", "app = application = FastAPI()"),
    ("asgi", "app: FastAPI = make()"),
    ("asgi", "app: 'FastAPI' = make()"),
    ("wsgi", "app: object = Flask('x')"),
    ("wsgi", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from fastapi import FastAPI as App\nelse:\n    from flask import Flask as App\napp = App('x')"),
    ("asgi", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from starlette.applications import Starlette\ndef make() -> 'Starlette': return build()\napp = make()"),
    ("asgi", "try:\n    from fastapi import FastAPI as App\nexcept ImportError:\n    App = None\napp = App()"),
    ("asgi", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import starlette.applications\ndef make() -> 'starlette.applications.Starlette': return build()\napp = make()"),
    (None, "try:\n    app = FastAPI()\nexcept ValueError:\n    app = Flask('x')"),
    ("asgi", "app = FastAPI()\ndef other():\n    app = Flask('x')\n    return app\nother()"),
    ("wsgi", "app = FastAPI()\ndef other():\n    global app\n    app = Flask('x')\nother()"),
    ("asgi", "def make():\n    if X:\n        return FastAPI()\n    else:\n        return FastAPI(debug=True)\napp = make()"),
    ("asgi", "def make():\n    try:\n        return FastAPI()\n    finally:\n        log()\napp = make()"),
    ("asgi", "from functools import lru_cache\n@lru_cache(maxsize=1)\ndef make(): return FastAPI()\napp = make()"),
    (None, "@wrap\ndef make(): return FastAPI()\napp = make()"),
    (None, "async def make(): return FastAPI()\napp = make()"),
    ("asgi", "import asyncio\nasync def make(): return FastAPI()\napp = asyncio.run(make())"),
    ("wsgi", "if __name__ != '__main__':\n    app = Flask('x')\nelse:\n    app = FastAPI()"),
    ("asgi", "match X:\n    case 1:\n        app = FastAPI()\n    case _:\n        app = FastAPI()"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), FLOW, ids=range(len(FLOW)))
def test_kind_where_the_module_decides(kind: str | None, text: str) -> None:
    app = look("m:app", FASTAPI + FLASK + text)
    assert app.kind == kind, app.why


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
            ("a:app", {"a.py": "from b import Mine\napp = Mine()", "b.py": "from fastapi import FastAPI\nclass Mine(FastAPI): ..."}),
            ("a:app", {"a.py": "from pkg.b import app", "pkg/b.py": FASTAPI}),
            ("a:app", {"a.py": "import pkg.b\napp = pkg.b.app", "pkg/b.py": FASTAPI}),
            ("a:app", {"a.py": "from b import wrap\nfrom c import app\napp = wrap(app)", "b.py": "from x import M\ndef wrap(app): return M(app)", "c.py": FASTAPI}),
            ("a:app", {"a.py": "from pkg import make\napp = make()", "pkg/__init__.py": "from .b import *", "pkg/b.py": "from .c import app\ndef make(): return app", "pkg/c.py": FASTAPI}),
            ("a:app", {"a.py": "from b import app\nimport c", "b.py": FASTAPI, "c.py": "import a\na.app.title = 'x'"}),
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
    ("import threading\nthreading.Thread(target=f).start()", [(None, "thread", ["`threading.Thread(target=f).start(...)`"])]),
    ("def f():\n    import httpx\n    return httpx.AsyncClient()", []),
    ("import httpx\nc = lambda: httpx.AsyncClient()", []),
    ("import httpx\nif __name__ == '__main__':\n    c = httpx.AsyncClient()", []),
    ("import httpx\ndef make():\n    return httpx.AsyncClient()\nc = make()", [("c", "apool", [])]),
    ("import httpx\nclass State:\n    client = httpx.AsyncClient()", [("client", "apool", [])]),
    ("import httpx\ndef f(c=httpx.AsyncClient()): ...", [(None, "apool", [])]),
    (HEAD + "import asyncio\ne = create_async_engine('x')\nasync def init():\n    async with e.begin() as c: ...\nasyncio.run(init())", [("e", "apool", ["`asyncio.run(...)`"])]),
    ("import asyncio, asyncpg\nasync def connect():\n    return await asyncpg.create_pool('x')\np = asyncio.run(connect())", [("p", "apool", ["`asyncio.run(...)`"])]),
    ("import asyncio, asyncpg\np = asyncio.run(asyncpg.create_pool('x'))", [("p", "apool", ["`asyncio.run(...)`"])]),
]  # fmt: skip


ASYNC = HEAD + "import asyncio, httpx\nengine = create_async_engine('x')\n"
CLOSED = [
    # closed or disposed of again
    ASYNC + "async def init():\n    async with engine.begin() as c: ...\n    await engine.dispose()\nasyncio.run(init())",
    ASYNC + "async def init():\n    async with engine.begin() as c: ...\nasyncio.run(init())\nengine.sync_engine.dispose(close=False)",
    ASYNC + "asyncio.run(engine.dispose())",
    HEAD + "import asyncio\nasync def init():\n    engine = create_async_engine('x')\n    try:\n        async with engine.begin() as c: ...\n    finally:\n        await engine.dispose()\nasyncio.run(init())",
    "import httpx\nwith httpx.Client() as c:\n    c.get('x')",
    "import asyncio, httpx\nasync def load():\n    async with httpx.AsyncClient() as c:\n        return await c.get('x')\ndata = asyncio.run(load())",
    "import httpx, contextlib, asyncio\nasync def load():\n    async with contextlib.aclosing(httpx.AsyncClient()) as c: await c.get('x')\nasyncio.run(load())",
    "import asyncio\nloop = asyncio.new_event_loop()\nloop.run_until_complete(f())\nloop.close()",
    # not run by an import
    "import httpx\nif '__main__' == __name__:\n    c = httpx.AsyncClient()",
    "import httpx\nif __name__ == '__main__' and X:\n    c = httpx.AsyncClient()",
    "import httpx\nif __name__ in ('__main__', '__mp_main__'):\n    c = httpx.AsyncClient()",
    "import typing, httpx\nif typing.TYPE_CHECKING:\n    c = httpx.AsyncClient()",
    "from typing import TYPE_CHECKING\nimport httpx\nif TYPE_CHECKING:\n    c = httpx.AsyncClient()",
    "import httpx\nif False:\n    c = httpx.AsyncClient()",
    "import httpx\nasync def main():\n    c = httpx.AsyncClient()\nmain()",
    "import httpx\nfrom contextlib import asynccontextmanager\n@asynccontextmanager\nasync def lifespan(app):\n    app.state.c = httpx.AsyncClient()\n    yield\napp = FastAPI(lifespan=lifespan)",
    "import httpx\nfrom fastapi import FastAPI\napp = FastAPI()\n@app.on_event('startup')\nasync def start():\n    app.state.c = httpx.AsyncClient()",
    "import httpx\nclass Client:\n    def start(self):\n        self.c = httpx.AsyncClient()\nclient = Client()",
    "import httpx\ndef clients():\n    yield httpx.AsyncClient()\nc = clients()",
]  # fmt: skip


@pytest.mark.parametrize("text", CLOSED, ids=range(len(CLOSED)))
def test_no_resource_is_left_after_the_import(text: str) -> None:
    assert look("m:app", text).resources == ()


USED = [
    # used, or used again after it was disposed of
    (ASYNC + "async def init():\n    await engine.dispose()\n    async with engine.begin() as c: ...\nasyncio.run(init())", True),
    (ASYNC + "from sqlalchemy.ext.asyncio import async_sessionmaker\nSession = async_sessionmaker(engine)\nasync def init():\n    async with Session() as s:\n        await s.execute('x')\nasyncio.run(init())", True),
    (ASYNC + "from elsewhere import migrate\nasyncio.run(migrate(engine))", True),
    (ASYNC + "async def ping(): await engine.connect()\nasync def main(): await asyncio.gather(ping(), ping())\nasyncio.run(main())", True),
    (ASYNC + "async def ping(): await engine.connect()\nasyncio.get_event_loop().run_until_complete(asyncio.wait_for(ping(), 5))", True),
    (ASYNC + "async def init():\n    async with engine.begin() as c:\n        await c.run_sync(Base.metadata.create_all)\nasyncio.get_event_loop().run_until_complete(init())", True),
    ("import httpx\nclass Api:\n    def __init__(self):\n        self.c = httpx.Client()\napi = Api()\napi.c.get('x')", True),
    ("import motor.motor_asyncio as m, asyncio\nc = m.AsyncIOMotorClient()\nasyncio.run(c['db'].things.find_one())", True),
    # only made
    (ASYNC, False),
    (ASYNC + "from sqlalchemy.ext.asyncio import async_sessionmaker\nSession = async_sessionmaker(engine)", False),
    (ASYNC + "async def main(): await asyncio.sleep(0)\nasyncio.run(main())", False),
    (ASYNC + "from fastapi import FastAPI\napp = FastAPI(engine=engine)\n@app.get('/')\nasync def index(): ...", False),
    (ASYNC + "from sqlalchemy import event\n@event.listens_for(engine.sync_engine, 'connect')\ndef f(*a): ...", False),
    ("import httpx\nclass Api:\n    def __init__(self):\n        self.c = httpx.AsyncClient()\n    async def close(self):\n        await self.c.aclose()\napi = Api()", False),
    ("import httpx\nwith lock:\n    c = httpx.AsyncClient()", False),
]  # fmt: skip


@pytest.mark.parametrize(("text", "used"), USED, ids=range(len(USED)))
def test_a_resource_is_used_at_import(text: str, used: bool) -> None:
    app = look("m:app", text)
    resource = app.resources[0]
    assert (bool(resource.uses), app.loops) == (used, ())


SYNC = "import sqlalchemy as sa\nengine = sa.create_engine('postgresql://x')\n"
THREAD = "import threading\nt = threading.Thread(target=f)\n"
LIVE = [
    # live as soon as it is made, or once it is started
    ("import psycopg\nc = psycopg.connect('x')", ["`psycopg.connect(...)`"]),
    ("import sqlite3\nc = sqlite3.connect(':memory:')", []),
    ("from psycopg_pool import ConnectionPool\np = ConnectionPool('x')", ["`ConnectionPool(...)`"]),
    ("from psycopg_pool import ConnectionPool\np = ConnectionPool('x', open=False)", []),
    ("import multiprocessing\np = multiprocessing.Pool(2)", ["`multiprocessing.Pool(...)`"]),
    (THREAD, []),
    (THREAD + "t.start()", ["`t.start(...)`"]),
    ("import threading\nclass T(threading.Thread): ...\nt = T()\nt.start()", ["`t.start(...)`"]),
    ("import threading\nclass T(threading.Thread):\n    def __init__(self):\n        self.start()\nt = T()", ["`self.start(...)`"]),
    ("from concurrent.futures import ThreadPoolExecutor\np = ThreadPoolExecutor()", []),
    ("from concurrent.futures import ThreadPoolExecutor\np = ThreadPoolExecutor()\np.submit(f)", ["`p.submit(...)`"]),
    ("from paho.mqtt.client import Client\nc = Client()\nc.loop_start()", ["`c.loop_start(...)`"]),
    # an engine's methods that connect, and those that don't
    (SYNC + "engine.url.set(password='x')", []),
    (SYNC + "Base.metadata.create_all(engine)", ["`Base.metadata.create_all(...)`"]),
    ("from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\ndb.create_all()", ["`db.create_all(...)`"]),
    ("import sqlalchemy as sa\nfrom sqlalchemy.pool import NullPool\ne = sa.create_engine('x', poolclass=NullPool)", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "uses"), LIVE, ids=range(len(LIVE)))
def test_a_resource_is_live_after_the_import(text: str, uses: list[str]) -> None:
    assert [use.what for use in look("m:app", text).resources[0].uses] == uses


ENDED = [
    THREAD + "t.start()\nt.join()",
    "import threading\nts = []\nfor n in x:\n    t = threading.Thread(target=f)\n    t.start()\n    ts.append(t)\nfor t in ts:\n    t.join()",
    "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor() as p:\n    p.map(f, x)",
    "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\ndb.create_all()\ndb.engine.dispose()",
    SYNC + "engine.connect()\nimport os\nos.register_at_fork(after_in_child=lambda: engine.dispose(close=False))",
    SYNC + "engine.connect()\nimport os\nos.register_at_fork(after_in_child=engine.dispose)",
    SYNC + "engine.connect()\nimport os\ndef reset(): engine.dispose(close=False)\nos.register_at_fork(after_in_child=reset)",
]  # fmt: skip


@pytest.mark.parametrize("text", ENDED, ids=range(len(ENDED)))
def test_what_has_ended_is_no_resource(text: str) -> None:
    assert look("m:app", text).resources == ()


CONNECT = "    c = psycopg.connect('x')\n"
KEPT = [
    ("c = psycopg.connect('x')", True),
    ("def f():\n" + CONNECT + "f()", False),
    ("def f():\n    global c\n" + CONNECT + "f()", True),
    ("def f():\n" + CONNECT + "    return c\nd = f()", True),
    ("def f():\n" + CONNECT + "    return c.cursor()\nd = f()", True),
    ("def f():\n" + CONNECT + "    return c.execute('x').fetchall()\nd = f()", False),
    ("def f():\n" + CONNECT + "    def g(): return c\n    return g\nd = f()", True),
    ("class D:\n    def __init__(self):\n        self.c = psycopg.connect('x')\nd = D()", True),
    ("def f():\n" + CONNECT + "    app.config['c'] = c\nf()", True),
    ("def f():\n" + CONNECT + "    app.register(c)\nf()", True),
    ("from functools import cache\n@cache\ndef f():\n    return psycopg.connect('x')\nf()", True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kept"), KEPT, ids=range(len(KEPT)))
def test_what_refers_to_a_resource_after_the_import(text: str, kept: bool) -> None:
    assert look("m:app", f"import psycopg\n{text}").resources[0].kept is kept


CONDITIONS = [
    ("t.start()", "", False),
    ("if X:\n    t.start()", "`X` holds", False),
    ("if X: pass\nelse:\n    t.start()", "`X` doesn't hold", False),
    ("if X: pass\nelif Y:\n    t.start()", "`Y` holds", False),
    ("if not False:\n    t.start()", "", False),
    ("def f():\n    if X: return\n    t.start()\nf()", "`f` doesn't return before", False),
    ("def f():\n    if X: return\nf()\nt.start()", "", False),
    ("if X: raise SystemExit\nt.start()", "", False),
    ("X and t.start()", "", True),
    ("try:\n    t.start()\nexcept OSError: ...", "", False),
    ("try:\n    lock()\n    t.start()\nexcept OSError: ...", "", True),
    ("try:\n    lock()\nexcept OSError: ...\nelse:\n    t.start()", "", True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "condition", "guarded"), CONDITIONS, ids=range(len(CONDITIONS)))
def test_what_a_use_depends_on(text: str, condition: str, guarded: bool) -> None:
    use = look("m:app", THREAD + text).resources[0].uses[0]
    assert (use.condition, use.guarded) == (condition, guarded)


def test_an_engine_disposed_of_in_another_module() -> None:
    files = {
        "main.py": "import db, tables\n",
        "db.py": HEAD + "engine = create_async_engine('x')\n",
        "tables.py": "import asyncio\nfrom db import engine as e\nasync def make():\n"
        "    async with e.begin() as c: ...\n    await e.dispose()\nasyncio.run(make())\n",
    }
    assert look("main:app", files).resources == ()


def test_a_factory_is_called_before_the_fork() -> None:
    text = "import httpx\ndef make():\n    client = httpx.AsyncClient()\n    return App(client)\n"
    assert [resource.name for resource in look("m:make()", text).resources] == ["client"]
    assert look("m:make", text).resources == ()


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
     "".join(f"def f{n}():\n    return f{n + 1}()\n" for n in range(300)) + "app = f0()",
     "".join(f"def f{n}():\n    f{n + 1}()\n    return f{n + 1}()\n" for n in range(99)) + "app = f0()",
     "app = 1\n" + "app = w(app)\n" * 20_000,
     "app = 1\nfor w in x:\n    app = w(app)\n" * 5_000,
     "app = x\n" + "app = app.y\n" * 20_000,
     "import x as app\n" + "app = app.y()\n" * 20_000,
     "import x as app\n" + "app = app.y\n" * 20_000,
     ("import " + "a." * 900 + "a\n") * 2_000,
     "from m import *\nfrom os import *\n" * 5_000 + "".join(f"a{n} = 1\n" for n in range(5_000)),
     "def f():\n    x = [" + "1, " * 50_000 + "]\n" + "f()\n" * 5_000,
     "def app(): return app()\napp = app()",
     "class app(app): ...\napp = app()",
     "from m import app\nimport m\napp = m.app",
     "".join(f"if x{n}:\n    a{n} = 1\n" for n in range(20_000)),
     "import threading\ndef f():\n" + "    x\n" * 50_000 + "threading.Thread(target=f).start()\n" * 10_000,
     "import threading\n" + "threading.Thread().start()\n" * 10_000 + "x.join()\n" * 20_000,
     "import psycopg\ndef f():\n    c = psycopg.connect()\n    x = [" + "lambda: c, " * 20_000 + "]\n" + "f()\n" * 5_000,
     "def f():\n" + "    g()\n" * 20_000 + "def g(): f()\nf()",
     "def app(\n" + ", ".join(f"a{n}" for n in range(900)) + "): ...\napp = app()"],
    ids=range(26),
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
