"""What application frameworks and resource libraries call what gunilint looks for.

Names are "top package:last name", so that `fastapi.FastAPI` and `fastapi.applications.FastAPI`
are the same.
"""

from __future__ import annotations

_ASGI = """
    fastapi:FastAPI starlette:Starlette quart:Quart litestar:Litestar starlite:Starlite
    sanic:Sanic blacksheep:Application falcon.asgi:App django:get_asgi_application
    channels:ProtocolTypeRouter channels:get_default_application socketio:ASGIApp
    engineio:ASGIApp connexion:AsyncApp asgiref:WsgiToAsgi a2wsgi:WSGIMiddleware
    uvicorn:WSGIMiddleware xpresso:App esmerald:Esmerald
    ravyn:Ravyn lilya:Lilya responder:API microdot.asgi:Microdot muffin:Application
    emmett:App robyn:Robyn
    fastapi_offline:FastAPIOffline fastmcp:http_app
"""

_WSGI = """
    flask:Flask apiflask:APIFlask django:get_wsgi_application django:WSGIHandler bottle:Bottle
    bottle:default_app bottle:app falcon:App falcon:API a2wsgi:ASGIMiddleware
    pyramid:make_wsgi_app webapp2:WSGIApplication cherrypy:Application cherrypy:tree
    hug:API eve:Eve web:application pecan:make_app masonite:Application
     socketio:WSGIApp engineio:WSGIApp werkzeug:DispatcherMiddleware
     morepath:App nameko:WSGI
    microdot.wsgi:Microdot paste:loadapp
    trac:dispatch_request odoo:application
"""

_OTHERS = {
    "aiohttp:Application": "aiohttp",
    "tornado:Application": "tornado",
}

APPLICATIONS: dict[str, str] = {
    **dict.fromkeys(_ASGI.split(), "asgi"),
    **dict.fromkeys(_WSGI.split(), "wsgi"),
    **_OTHERS,
}
"""The kind of application that a class or function makes: "asgi", "wsgi", "aiohttp", "tornado"."""

AMBIGUOUS = frozenset({"connexion:FlaskApp", "connexion:App"})
"""What is WSGI in one major version and ASGI in the next."""

_RESOURCES = {
    "pool": """
        sqlalchemy:create_engine sqlmodel:create_engine sqlalchemy:engine_from_config
        psycopg_pool:NullConnectionPool httpx:Client requests:Session requests:session
        elasticsearch:Elasticsearch opensearchpy:OpenSearch boto3:client boto3:resource
        boto3:Session flask_sqlalchemy:SQLAlchemy
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
        nats:connect asyncio:get_event_loop asyncio:new_event_loop
        apscheduler:AsyncIOScheduler
    """,
    "conn": """
        psycopg:connect psycopg2:connect mysql:connect pymysql:connect MySQLdb:connect
        pika:BlockingConnection sqlite3:connect
    """,
    "thread": """
        psycopg_pool:ConnectionPool pymongo:MongoClient grpc:insecure_channel
        grpc:secure_channel opentelemetry:BatchSpanProcessor
        opentelemetry:BatchLogRecordProcessor opentelemetry:PeriodicExportingMetricReader
        confluent_kafka:Producer confluent_kafka:Consumer kafka:KafkaProducer
        kafka:KafkaConsumer apscheduler:BackgroundScheduler threading:Thread threading:Timer
        concurrent:ThreadPoolExecutor logging:QueueListener
    """,
    "proc": "concurrent:ProcessPoolExecutor multiprocessing:Process multiprocessing:Pool",
    "safe": "redis:Redis redis:StrictRedis redis:from_url",
}

RESOURCES: dict[str, str] = {
    name: kind for kind, names in _RESOURCES.items() for name in names.split()
}
"""What a constructor makes: "conn" a connection, "pool" a lazy pool, "apool" a lazy async pool,
"loop" something bound to an event loop, "thread" threads, "proc" processes, "safe" a client that
notices a fork by itself."""

ASYNC_KINDS = frozenset({"apool", "loop"})

USING = frozenset(
    """
    connect begin execute executemany scalar scalars run_sync create_all drop_all reflect prepare
    ping info server_info list_database_names list_collection_names command get set publish open
    acquire fetch fetchrow fetchval start raw_connection dispose request post put delete head
    """.split()
)
"""Methods that make a resource live: it opens a connection, starts a thread, binds a loop."""

ASGI_PACKAGES = frozenset(
    "fastapi starlette quart litestar starlite blacksheep channels esmerald fastmcp".split()
)
WSGI_PACKAGES = frozenset(
    "flask django bottle falcon pyramid apiflask cherrypy webapp2 hug eve dash connexion".split()
)


def lookup(table: dict[str, str], qualified: str) -> str | None:
    """The entry of a dotted name: under its full module first, then under its top package."""
    module, _, name = qualified.rpartition(".")
    if not module:
        return None
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        found = table.get(f"{'.'.join(parts[:length])}:{name}")
        if found is not None:
            return found
    return None
