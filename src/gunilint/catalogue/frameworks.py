"""What application frameworks and resource libraries call what gunilint looks for.

Names are "top package:last name", so that `fastapi.FastAPI` and `fastapi.applications.FastAPI`
are the same, followed by the calls and attributes that lead on from there: `flask:Flask()` is
what the class makes, `dash:Dash().server` an attribute of such an object.
"""

from __future__ import annotations

_ASGI = """
    fastapi:FastAPI() starlette:Starlette() starlette:Router() quart:Quart()
    litestar:Litestar() starlite:Starlite() sanic:Sanic() blacksheep:Application()
    falcon.asgi:App() django:get_asgi_application() django:ASGIHandler()
    channels:ProtocolTypeRouter() channels:URLRouter() channels:get_default_application()
    connexion:AsyncApp() xpresso:App() esmerald:Esmerald() ravyn:Ravyn() lilya:Lilya()
    responder:API() microdot.asgi:Microdot() muffin:Application() emmett:App()
    fastapi_offline:FastAPIOffline() strawberry.asgi:GraphQL() ariadne.asgi:GraphQL()
    fastmcp:FastMCP().http_app() fastmcp:FastMCP().sse_app()
    fastmcp:FastMCP().streamable_http_app() mcp:FastMCP().sse_app()
    mcp:FastMCP().streamable_http_app() prometheus_client:make_asgi_app()
    gradio:mount_gradio_app() starlette:ASGIApp()

    asgiref:WsgiToAsgi() a2wsgi:WSGIMiddleware() starlette:WSGIMiddleware()
    fastapi:WSGIMiddleware() uvicorn:WSGIMiddleware() litestar:WSGIMiddleware()
    hypercorn:AsyncioWSGIMiddleware() hypercorn:TrioWSGIMiddleware()

    socketio:ASGIApp() engineio:ASGIApp() sentry_sdk:SentryAsgiMiddleware()
    uvicorn:ProxyHeadersMiddleware() newrelic.agent:ASGIApplicationWrapper()
    opentelemetry.instrumentation.asgi:OpenTelemetryMiddleware()
    starlette:BaseHTTPMiddleware() starlette:CORSMiddleware() fastapi:CORSMiddleware()
"""

_WSGI = """
    flask:Flask() apiflask:APIFlask() eve:Eve() connexion:FlaskApp().app connexion:App().app
    dash:Dash().server django:get_wsgi_application() django:WSGIHandler() bottle:Bottle()
    bottle:default_app() bottle:app() falcon:App() falcon:API()
    pyramid:Configurator().make_wsgi_app() webapp2:WSGIApplication() cherrypy:Application()
    cherrypy:tree cherrypy:tree.mount() hug:API().http.server() web:application().wsgifunc()
    pecan:make_app() masonite:Application() morepath:App() nameko:WSGI()
    microdot.wsgi:Microdot() paste:loadapp() trac:dispatch_request odoo:application
    prometheus_client:make_wsgi_app() ariadne.wsgi:GraphQL() wsgiref:WSGIApplication()

    a2wsgi:ASGIMiddleware()

    socketio:WSGIApp() socketio:Middleware() engineio:WSGIApp() engineio:Middleware()
    werkzeug:ProxyFix() werkzeug:DispatcherMiddleware() werkzeug:SharedDataMiddleware()
    werkzeug:ProfilerMiddleware() werkzeug:LintMiddleware() werkzeug:DebuggedApplication()
    werkzeug:Request.application() whitenoise:WhiteNoise()
    sentry_sdk:SentryWsgiMiddleware() newrelic.agent:WSGIApplicationWrapper()
    opentelemetry.instrumentation.wsgi:OpenTelemetryMiddleware()
"""

_OTHERS = {
    "aiohttp:Application()": "aiohttp",
    "tornado:Application()": "tornado",
}

APPLICATIONS: dict[str, str] = {
    **dict.fromkeys(_ASGI.split(), "asgi"),
    **dict.fromkeys(_WSGI.split(), "wsgi"),
    **_OTHERS,
}
"""The kind of an application: "asgi", "wsgi", "aiohttp", "tornado"."""

UNDECIDED: dict[str, str] = {
    "connexion:FlaskApp()": "it is WSGI up to connexion 2 and ASGI from 3 on",
    "connexion:App()": "it is WSGI up to connexion 2 and ASGI from 3 on",
    "robyn:Robyn()": "Robyn is neither ASGI nor WSGI, it has a server of its own",
    "dash:Dash()": "a Dash app isn't served itself but its `server`",
    "celery:Celery()": "it is no web application",
    "flask_socketio:SocketIO()": "it is no application but is added to one",
    "flask_restx:Api()": "it is no application but is added to one",
    "flask_restful:Api()": "it is no application but is added to one",
    "functools:partial()": "what it returns isn't known before it is called",
    "mangum:Mangum()": "it answers AWS Lambda, not a server",
}
"""What must not be taken for what it is given, with the reason."""

OVERRIDES: dict[str, str] = {"dash:Dash().server": "server backend"}
"""The keyword arguments of the last call that, where given, decide instead of `APPLICATIONS`."""

_RESOURCES = {
    "pool": """
        sqlalchemy:create_engine sqlmodel:create_engine sqlalchemy:engine_from_config
        flask_sqlalchemy:SQLAlchemy
    """,
    "apool": """
        sqlalchemy:create_async_engine sqlalchemy:create_async_pool_from_url
        sqlalchemy:async_engine_from_config sqlmodel:AsyncEngine motor:AsyncIOMotorClient
        pymongo:AsyncMongoClient redis.asyncio:Redis redis.asyncio:from_url
        redis.asyncio:StrictRedis redis.asyncio:ConnectionPool redis.asyncio:RedisCluster
        redis.asyncio:BlockingConnectionPool aioredis:from_url aioredis:Redis
        aioredis:create_redis_pool httpx:AsyncClient databases:Database
        elasticsearch:AsyncElasticsearch opensearchpy:AsyncOpenSearch asyncpg:create_pool
        psycopg_pool:AsyncConnectionPool aiomysql:create_pool aiopg:create_pool
        edgedb:create_async_client neo4j:AsyncGraphDatabase valkey.asyncio:Valkey
        prisma:Prisma aiobotocore:get_session qdrant_client:AsyncQdrantClient
    """,
    "loop": """
        aiohttp:ClientSession asyncpg:connect aio_pika:connect aio_pika:connect_robust
        aiokafka:AIOKafkaProducer aiokafka:AIOKafkaConsumer psycopg:AsyncConnection
        psycopg:AsyncConnection.connect aiosqlite:connect nats:connect asyncio:get_event_loop
        asyncio:new_event_loop asyncio:open_connection apscheduler:AsyncIOScheduler
    """,
    "conn": """
        psycopg:connect psycopg2:connect mysql:connect pymysql:connect MySQLdb:connect
        oracledb:connect cx_Oracle:connect pyodbc:connect pymssql:connect
        pika:BlockingConnection sqlite3:connect socket:create_connection
    """,
    "http": """
        httpx:Client requests:Session requests:session elasticsearch:Elasticsearch
        opensearchpy:OpenSearch boto3:client boto3:resource boto3:Session
    """,
    "thread": "threading:Thread threading:Timer logging:QueueListener",
    "threads": "psycopg_pool:ConnectionPool kafka:KafkaProducer multiprocessing:ThreadPool",
    "executor": "concurrent:ThreadPoolExecutor concurrent:ProcessPoolExecutor",
    "scheduler": """
        apscheduler:BackgroundScheduler apscheduler:GeventScheduler flask_apscheduler:APScheduler
    """,
    "consumer": "paho:Client",
    "process": "multiprocessing:Process",
    "processes": "multiprocessing:Pool",
    "client": """
        pymongo:MongoClient grpc:insecure_channel grpc:secure_channel
        opentelemetry:BatchSpanProcessor opentelemetry:BatchLogRecordProcessor
        opentelemetry:PeriodicExportingMetricReader confluent_kafka:Producer
        confluent_kafka:Consumer kafka:KafkaConsumer
    """,
    "safe": "redis:Redis redis:StrictRedis redis:from_url psycopg_pool:NullConnectionPool",
}

RESOURCES: dict[str, str] = {
    name: kind for kind, names in _RESOURCES.items() for name in names.split()
}
"""What a constructor makes.

"conn" is an open connection, "pool" an engine that connects when it is used, "apool" one for
asyncio, "loop" something bound to an event loop, "http" a client that keeps connections. "thread",
"scheduler", "consumer" and "process" run once they are started, "threads" and "processes" from the
beginning, "executor" with its first task. "client" has threads of its own, and "safe" is what
notices a fork by itself.
"""

ASYNC_KINDS = frozenset({"apool", "loop"})

LIVE_KINDS = frozenset({"conn", "threads", "processes"})
"""The kinds that are live as soon as they are made."""

LAZY_SWITCHES = ("open", "connect")
"""Keyword arguments that, where they are False, let such a thing wait."""

_CONNECTING = frozenset(
    """
    connect begin execute executemany scalar scalars run_sync create_all drop_all reflect prepare
    raw_connection commit flush open
    """.split()
)

USING = _CONNECTING | frozenset(
    """
    ping info server_info list_database_names list_collection_names command get set publish
    acquire fetch fetchrow fetchval start request post put delete head
    """.split()
)
"""Methods that make a resource live: it opens a connection, binds a loop."""

STARTING: dict[str, frozenset[str]] = {
    "pool": _CONNECTING,
    "thread": frozenset({"start"}),
    "scheduler": frozenset({"start"}),
    "consumer": frozenset({"loop_start"}),
    "process": frozenset({"start"}),
    "executor": frozenset({"submit", "map"}),
}
"""The methods that make a resource of a kind live, for kinds that `USING` isn't right for."""

CLOSING = frozenset(
    "dispose close aclose disconnect shutdown terminate join stop loop_stop cancel".split()
)
"""Methods after which nothing of a resource is left for a fork to share."""

HOLDERS: dict[str, str] = dict.fromkeys(
    """
    sqlalchemy:sessionmaker sqlalchemy:async_sessionmaker sqlalchemy:Session
    sqlalchemy:AsyncSession sqlalchemy:scoped_session sqlalchemy:async_scoped_session
    sqlmodel:Session
    """.split(),
    "session",
)
"""What is made with a resource and works on it later."""

ASGI_PACKAGES = frozenset(
    "fastapi starlette quart litestar starlite blacksheep channels esmerald fastmcp".split()
)
WSGI_PACKAGES = frozenset(
    "flask django bottle falcon pyramid apiflask cherrypy webapp2 hug eve dash connexion".split()
)


def lookup(table: dict[str, str], path: str) -> str | None:
    """The entry of a path: under its full module first, then under its top package."""
    name, call, rest = path.partition("(")
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:length])
        for start in range(max(length, len(parts) - 2), len(parts)):
            found = table.get(f"{module}:{'.'.join(parts[start:])}{call}{rest}")
            if found is not None:
                return found
    return None
