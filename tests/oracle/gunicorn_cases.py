"""Hand-written launches: one for every way in which gunicorn takes a setting, or refuses it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from launches import Case

CONFIG = "gunicorn.conf.py"


def config(text: str, arguments: str = "app:app", **environment: str) -> Case:
    """A launch with this config file."""
    name = " ".join([repr(text)[1:-1], *[f"{k}={v}" for k, v in environment.items()]])
    if arguments != "app:app":
        name = f"{arguments} with {name}"
    return Case(name, shlex.split(arguments), {CONFIG: text + "\n"}, environment)


def line(arguments: str, **environment: str) -> Case:
    """A launch with these arguments and no config file."""
    name = " ".join([*[f"{k}={v}" for k, v in environment.items()], arguments or "no arguments"])
    return Case(name, shlex.split(arguments), {}, environment)


VALUES = {
    "workers": ["4", "'4'", "'0x10'", "' 3 '", "'1_0'", "True", "0", "-1", "2.0", "None", "'4.5'", "''",
                "[4]", "'four'", "1 + 2 * 3", "int('7')", "'0b11'", "'010'", "max(2, 3)", "9 // 2", "9 / 2"],
    "timeout": ["0", "'0'", "30", "60 * 2", "1e3", "int(1e3)", "None", "round(2.6)"],
    "reload": ["True", "False", "None", "'true'", "' False '", "1", "0", "'yes'", "'on'", "not True", "[]"],
    "preload_app": ["True", "bool('x')", "bool('')", "'TRUE'", "1 == 1"],
    "errorlog": ["'-'", "None", "' x.log '", "True", "3", "'a' + 'b'", "f'{1}.log'", "'%s.log' % 'x'", "''"],
    "bind": ["'0.0.0.0:80'", "['a:1', ' b:2']", "('a:1',)", "[]", "None", "8000", "('127.0.0.1', 8000)", "''",
             "'unix:/run/x.sock'", "[None]", "{'a:1': 1}", "0", "False", "','.join(['a:1', 'b:2'])"],
    "raw_env": ["['A=1', 'B=2']", "'A=1'", "{'A': '1'}", "[1]", "['A']", "[f'A={1 + 1}']"],
    "forwarded_allow_ips": ["'*'", "'127.0.0.1, 10.0.0.1'", "'10.0.0.0/8'", "'10.0.0.1/8'", "'localhost'",
                            "['*']", "None", "''", "'::1,'", "'10.0.0.1/32'", "'10.0.0.1/255.255.255.255'"],
    "proxy_allow_ips": ["'*'", "'10.0.0.0/8'", "'nowhere.example'"],
    "worker_class": ["'gthread'", "'uvicorn.workers.UvicornWorker'", "None", "' sync '", "'nonsense'"],
    "umask": ["0o22", "'0o22'", "'022'", "18", "'18'", "None"],
    "loglevel": ["'debug'", "'shout'", "None", "10"],
    "post_fork": ["None", "'os.getpid'", "'getpid'", "lambda server, worker: None", "lambda: None", "3"],
    "statsd_host": ["'localhost:8125'", "'localhost'", "'localhost:x'", "None", "'h:1:2'"],
    "statsd_prefix": ["'x.'", "None"],
    "user": ["1000", "'1000'", "'root'", "None", "0", "1.5", "''"],
    "group": ["1000", "'0'", "None"],
    "logconfig_dict": ["{'version': 1}", "{}", "None", "[]", "dict(version=1)", "{**{'version': 1}, 'x': [1]}"],
    "secure_scheme_headers": ["{'X-FORWARDED-PROTO': 'https'}", "'x'"],
    "limit_request_line": ["0", "8190", "'8190'", "-5"],
    "reload_engine": ["'auto'", "'poll'", "' poll '", "'POLL'", "None", "1"],
    "reload_extra_files": ["['gunicorn.conf.py']", "'gunicorn.conf.py'", "[]"],
    "proc_name": ["'shop'", "None", "'a' 'b'", "'shop-{}'.format(3)", "'-'.join('abc')", "'Shop'.lower()"],
    "pidfile": ["'/run/x.pid'", "None"],
    "worker_tmp_dir": ["'/dev/shm'"],
    "chdir": ["'/'", "'.'", "'sub'", "None", "'/tmp/..'"],
    "backlog": ["2048", "'2048'"],
    "daemon": ["True", "'False'"],
    "accesslog": ["'-'", "__file__", "__name__"],
    "cert_reqs": ["2", "'2'", "-1"],
    "default_proc_name": ["'mine'"],
    "config": ["'other.py'"],
    "sendfile": ["True", "False", "None", "'true'"],
    "wsgi_app": ["'app:app'", "None", "''", "3"],
    "pythonpath": ["'/srv/lib,/srv/more'", "['/srv']"],
    "spew": ["False"],
}  # fmt: skip

NEWER = {
    # the settings of later releases, which older ones ignore
    "proxy_protocol": ["True", "False", "'auto'", "'V1'", "'1'", "None", "'v3'", "1"],
    "header_map": ["'drop'", "' Refuse '", "None", "'ignore'", "True"],
    "forwarder_headers": ["'A,B,'", "'*'", "['A']", "None"],
    "asgi_loop": ["'uvloop'", "'AUTO'", "None", "'trio'"],
    "asgi_lifespan": ["'off'", "'never'"],
    "http_parser": ["'python'", "'slow'"],
    "http_protocols": ["'h1'", "''", "None", "['h1']", "'h1,h1'", "'h9'"],
    "http2_max_frame_size": ["16384", "16383", "2**24", "'0x4000'"],
    "http2_max_concurrent_streams": ["0", "1"],
    "http2_initial_window_size": ["2**31", "2**31 - 1"],
    "http2_cleartext": ["True", "'upgrade'", "'always'", "None"],
    "control_socket": ["'/run/x.ctl'", "None"],
    "control_socket_mode": ["0o660", "'0660'", "'0o660'"],
    "control_socket_disable": ["True"],
    "dirty_apps": ["['a:B']", "'a:B'"],
    "dirty_workers": ["2", "-2"],
    "uwsgi_allow_ips": ["'*'", "'10.0.0.0/8'"],
    "websocket_max_message_size": ["0", "1024 * 1024"],
    "ssl_context": ["lambda config, factory: factory()", "lambda: 0"],
    "wsgi_app": ["'other:app'"],
    "tolerate_dangerous_framing": ["True", "3"],
    "strip_header_spaces": ["True", "3"],
}

CONFIGS = [
    # names that aren't settings, and statements
    "workerz = 4", "Workers = 4", "keep_alive = 5", "preload = True", "log_level = 'debug'",
    "import syslog", "import os", "def user():\n    return 'x'", "def reload():\n    pass",
    "class config:\n    pass", "workers = 2\nworkers = 3", "workers = 2\nworkers += 3",
    "bind = ['a:1']\nbind += ['b:2']", "bind = ['a:1']\nbind.append('b:2')",
    "workers, timeout = 3, 50", "workers = timeout = 40", "(workers, (timeout, keepalive)) = (1, (2, 3))",
    "x = 5\nworkers = x * 2", "workers = 3\ntimeout = 40\nworkers, timeout = timeout, workers", "if True:\n    workers = 3\nelse:\n    workers = 4",
    "if False:\n    workers = 3\nelse:\n    workers = 4", "workers = 3 if 1 > 2 else 5",
    "for workers in (1, 2, 3):\n    pass", "try:\n    workers = 3\nexcept ValueError:\n    workers = 4",
    "try:\n    import nonsuch\nexcept ImportError:\n    workers = 9",
    "def f(n):\n    return n * 2\nworkers = f(3)", "def f(n=4):\n    return n\nworkers = f()",
    "workers: int = 6", "workers = [1, 2, 3][1]", "workers = {'a': 5}['a']", "workers = len('abcd')",
    "d = dict(workers=4)\nworkers = d['workers']", "workers = d = 3\ndel d", "globals()['workers'] = 7",
    "workers = (lambda n: n + 1)(4)", "workers = min([4, 2, 8])", "workers = sum(range(4))",
    "bind = '{}:{}'.format('0.0.0.0', 90)", "bind = f\"{'0.0.0.0'}:{90:d}\"", "bind = '%s:%d' % ('h', 90)",
    "bind = ':'.join(['h', str(90)])", "bind = ['h:%d' % p for p in (1, 2)]", "proc_name = 'a-b'.replace('-', '_')",
    "proc_name = 'a.b.c'.split('.')[0]", "proc_name = 'ab'[::-1]", "proc_name = 'a' * 3", "proc_name = str(3.5)",
    "import os\nproc_name = os.path.join('/srv', 'x')", "import os\nproc_name = os.path.basename('/srv/x.py')",
    "import os.path as p\nproc_name = p.dirname('/srv/x')", "from os.path import join\nproc_name = join('a', 'b')",
    "from pathlib import Path\nproc_name = str(Path('/srv') / 'x')", "from pathlib import Path\npidfile = Path('/x')",
    "workers = 4 if (n := 3) else 5", "workers = True and 4", "workers = 0 or 6", "workers = not 0",
    "while True:\n    workers = 3\n    break", "with open(__file__) as f:\n    workers = 3",
    "\"\"\"docs\"\"\"\nworkers = 3  # comment", "workers = (\n    3\n)", "workers = 0x1F", "workers = 1_000",
    "raw_env = ['A=' + v for v in 'xy']", "post_fork = print", "from os import getpid as post_fork",
    "def post_fork(server, worker):\n    pass", "def post_fork(*a):\n    pass", "def when_ready(server, x=1):\n    pass",
    "async def when_ready(server):\n    pass", "def post_request(worker, req):\n    pass",
    "def post_request(worker, req, environ):\n    pass", "def post_request(w, r, e, resp):\n    pass",
    "def post_request(w):\n    pass", "def on_exit(server, /):\n    pass", "def on_exit(*, server):\n    pass",
    "def on_starting(server, **kw):\n    pass", "def nworkers_changed(server, new, old):\n    pass",
    "def pre_request(worker, req):\n    pass\npre_request = None",
    "from functools import partial\ndef f(a, b, c):\n    pass\npost_fork = partial(f, 1)",
    "class Hook:\n    def __call__(self, server):\n        pass\nwhen_ready = Hook()",
    "worker_class = 'sync'\nthreads = 4", "threads = 4", "threads = 1", "worker_class = 'gevent'\nthreads = 4",
    "worker_class = 'gunicorn.workers.sync.SyncWorker'\nthreads = 2", "threads = '4'",
    "wsgi_app = 'app:app'\nbind = ':1'", "bind = b'x:1'", "bind = ('a:1', 'b:2')", "bind = {'a:1'}",
    "raw_paste_global_conf = ['a=b']", "logger_class = 'x.Y'", "access_log_format = '%(h)s'", "keyfile = None",
    "from multiprocessing import cpu_count\nworkers = cpu_count() / 2",
    "import multiprocessing\nworkers = multiprocessing.cpu_count() * 2 + 1", "import os\nworkers = os.cpu_count()",
    "import os\nworkers = (os.cpu_count() or 1) * 2", "import os\nworkers = max(2, os.cpu_count())",
    "import os\nworkers = len(os.sched_getaffinity(0))", "workers = 3\nif workers > 2:\n    threads = 2",
    "try:\n    workers = int('x')\nexcept ValueError:\n    workers = 8", "assert True\nworkers = 3",
    "exec('workers = 3')", "import socket\nproc_name = socket.gethostname()", "import json\nlogconfig_dict = json.loads('{}')",
    "import ssl\ncert_reqs = ssl.CERT_REQUIRED", "import logging\nloglevel = logging.INFO", "workers = '٤'",
    "proc_name = 'naïve'", "proc_name = '''a\nb'''", "# -*- coding: utf-8 -*-\nproc_name = 'é'", "workers = 3;timeout = 4",
    "match 3:\n    case 3:\n        workers = 5", "workers = [*range(3)][-1]", "def f():\n    global workers\n    workers = 7\nf()",
    "import sys\nif sys.platform == 'linux':\n    workers = 3", "workers = int('7', 8)", "timeout = 60 if __name__ else 30",
    "_w = 3\nworkers = _w", "from types import SimpleNamespace as N\nn = N(w=3)\nworkers = n.w",
    "class S:\n    W = 5\nworkers = S.W", "import enum\nclass E(enum.IntEnum):\n    W = 5\nworkers = E.W",
]  # fmt: skip

BROKEN = [
    "workers = ",
    "print 'x'",
    "workers = 3\n  timeout = 4",
    "\tworkers = 'x",
    "{{ workers }}",
]

ENVIRONMENTS = [
    ("import os\nworkers = int(os.environ.get('N', 2))", {"N": "5"}),
    ("import os\nworkers = int(os.environ.get('N', 2))", {}),
    ("import os\nworkers = os.getenv('N', '2')", {}),
    ("import os\nworkers = os.getenv('N', '2')", {"N": ""}),
    ("import os\nworkers = int(os.getenv('N') or 2)", {"N": ""}),
    ("import os\nworkers = os.getenv('N')", {"N": "3"}),
    ("import os\nworkers = os.environ['N']", {"N": "3"}),
    ("import os\nbind = '0.0.0.0:' + os.environ['N']", {"N": "80"}),
    ("import os\nbind = f\"0.0.0.0:{os.getenv('N', 80)}\"", {}),
    ("import os\nreload = os.getenv('N') == 'dev'", {"N": "dev"}),
    ("import os\nreload = bool(os.getenv('N'))", {"N": "0"}),
    ("import os\nreload = os.getenv('N', '').lower() in ('1', 'true')", {"N": "TRUE"}),
    ("import os\nif 'N' in os.environ:\n    workers = 4", {"N": "x"}),
    ("import os\nif os.environ.get('N'):\n    workers = 4\nelse:\n    workers = 5", {"N": "x"}),
    ("from os import environ, getenv as g\nworkers = g('N')\ntimeout = environ['N']", {"N": "3"}),
    ("import os\nos.environ.setdefault('N', '6')\nworkers = os.environ['N']", {}),
    ("import os\nos.environ['N'] = '6'\nworkers = os.environ['N']", {"N": "1"}),
    ("import os\nglobals().update({k[9:].lower(): v for k, v in os.environ.items() if k.startswith('GUNICORN_')})", {}),
    ("import os\nfor k, v in os.environ.items():\n    if k.startswith('GUNICORN_'):\n        locals()[k] = v", {}),
    ("workers = 3", {"WEB_CONCURRENCY": "5"}),
    ("", {"WEB_CONCURRENCY": "5"}),
    ("", {"WEB_CONCURRENCY": " 5 "}),
    ("", {"WEB_CONCURRENCY": ""}),
    ("", {"WEB_CONCURRENCY": "auto"}),
    ("", {"WEB_CONCURRENCY": "0x5"}),
    ("", {"WEB_CONCURRENCY": "-3"}),
    ("workers = 3", {"WEB_CONCURRENCY": "none"}),
    ("", {"PORT": "9999"}),
    ("", {"PORT": ""}),
    ("", {"PORT": "x"}),
    ("bind = 'x:1'", {"PORT": "9999"}),
    ("", {"FORWARDED_ALLOW_IPS": "*"}),
    ("", {"FORWARDED_ALLOW_IPS": "10.0.0.0/8"}),
    ("", {"FORWARDED_ALLOW_IPS": "proxy"}),
    ("", {"FORWARDED_ALLOW_IPS": ""}),
    ("", {"SENDFILE": "1"}),
    ("", {"GUNICORN_CMD_ARGS": "--workers 7 --bind=a:1 -b b:2"}),
    ("workers = 3", {"GUNICORN_CMD_ARGS": "-w 7"}),
    ("workers = 3", {"GUNICORN_CMD_ARGS": ""}),
    ("", {"GUNICORN_CMD_ARGS": "other:app -w 7"}),
    ("", {"GUNICORN_CMD_ARGS": "-w 7 'unfinished"}),
    ("", {"GUNICORN_CMD_ARGS": "--nonsense"}),
    ("", {"GUNICORN_CMD_ARGS": "-w x"}),
    ("", {"GUNICORN_CMD_ARGS": "--name 'my app' --preload"}),
    ("reload = True", {"GUNICORN_CMD_ARGS": "--access-logfile=-"}),
    ("", {"GUNICORN_CMD_ARGS": "-c /dev/null"}),
]  # fmt: skip

LINES = """
app:app -w4
app:app -w=4
app:app -w 4
app:app --workers 4
app:app --workers=4
-w 4 app:app
app:app extra1 extra2
app:app -w 2 extra
app:app --thread 4
app:app --time 5
app:app --keep 7
app:app --prel
app:app --error-log -
app:app --thr=2
app:app --worker 3
app:app --max-request 3
app:app --log-conf x
app:app --access-log -
app:app --worker_class sync
app:app --limit-request-field_size 10
app:app --limit-request-field-size 10
app:app --keepalive 5
app:app -w
app:app -w -4
app:app -w -1
app:app -w 0
app:app -w auto
app:app -w 2.5
app:app -w 0x4
app:app -w 1_0
app:app -w ''
app:app -b :80 -b :81
app:app -b:80
app:app -b=:80
app:app --bind 0.0.0.0:80 --bind=[::]:80
app:app -e A=1 -e B=2
app:app --env A
app:app -m 007
app:app -m 0o22
app:app -m 10
app:app --umask 09
app:app --umask 0x12
app:app -D
app:app -Dw4
app:app -D=1
app:app --daemon=1
app:app --daemon true
app:app --preload true
--preload true app:app
app:app --reload --no-sendfile
app:app --no-sendfile
app:app --log-level debug --log-file x.log
app:app -k gthread --threads 8
app:app --threads 8
app:app -k gevent --threads 8
app:app -k sync --threads 1
app:app -k uvicorn.workers.UvicornWorker
app:app --name 'my app'
app:app -n=x -p /run/x.pid
app:app --user root --group 0
app:app -u 1000 -g 1000
app:app --forwarded-allow-ips '*'
app:app --forwarded-allow-ips 10.0.0.1/8
app:app --forwarded-allow-ips host
app:app --forwarded-allow-ips=''
app:app --proxy-protocol
--proxy-protocol app:app
--proxy-protocol=auto app:app
app:app --proxy-protocol v2
app:app --proxy-protocol v9
app:app --proxy-protocol -w 3
app:app --header-map refuse
app:app --asgi-loop uvloop
app:app --http-protocols h1
app:app --wsgi-app x
app:app --log-config-dict {}
app:app --paste-global a=b --paste-global c=d
app:app --reload-extra-file app.py --reload
app:app --reload-engine poll
app:app --reload-engine never
app:app --statsd-host localhost:8125
app:app --statsd-host localhost
app:app --spew --no-control-socket
app:app --control-socket-mode 0660
app:app --dirty-app a:B --dirty-app c:D --dirty-workers 2
app:app --ssl-version 2
app:app --ssl-version TLSv1_2
app:app --cert-reqs 2
app:app --cert-reqs 0x2
app:app --max-requests 100 --max-requests-jitter 10
app:app --max-requests 100 --max-requests 200
app:app --graceful-timeout 30 --timeout 20
app:app -t 5 -t 6
app:app -t x -t 6
app:app --chdir /
app:app --chdir sub
app:app --chdir .
app:app --pythonpath a,b
app:app --worker-tmp-dir /dev/shm
app:app --access-logformat '%(h)s %(l)s'
app:app --enable-stdio-inheritance -R
app:app --capture-output --disable-redirect-access-to-syslog
app:app --config /dev/null
app:app -c ''
app:app --
-w 4 app:app -w 5 --
-w 4 -- app:app
-w 4 --
-- app:app
app:app -- -w 4
-- app:app -w 4
app:app - -w 4
app:app -w 4 -
app:app --nonsense
app:app --nonsense 3
app:app -x
app:app -x3
app:app -4
app:app -0.5
app:app --bind -1:80
app:app --bind=-1:80
app:app '-w 4'
app:app '--workers 4'
app:app ''
'' app:app
app:app -k
app:app --workers=
app:app --name=
app:app --user nonsuch-user
app:app --user ''
app:app --strip-header-spaces
app:app --permit-obsolete-folding
app:app --tolerate-dangerous-framing
app:app -wx
app:app -w4x
app:app -Rw4
app:app -DR
app:app -Dx
app:app --w 4
app:app --b x
app:app --pi x
app:app --c /dev/null
app:app --no-s
app:app --log-l debug
app:app --log-le=debug
app:app --statsd-p x --statsd-host a:1
app:app --keyf a --certf b
"""

DOTENV = (
    "import os\nfrom dotenv import load_dotenv\nload_dotenv()\n"
    "workers = os.environ['W']\nbind = os.environ['B']\n"
)
PROJECTS = [
    Case("default config file", ("app:app",), {CONFIG: "workers = 3"}),
    Case("-c path", ("app:app", "-c", "conf/g.py"), {"conf/g.py": "workers = 3", CONFIG: "workers = 4"}),
    Case("-c file:", ("app:app", "-c", "file:conf/g.py"), {"conf/g.py": "workers = 3"}),
    Case("-c python:", ("app:app", "-c", "python:conf.g"), {"conf/g.py": "workers = 3"}),
    Case("-c python: package", ("app:app", "-c", "python:conf"), {"conf/__init__.py": "workers = 3"}),
    Case("-c without extension", ("app:app", "-c", "g.cfg"), {"g.cfg": "workers = 3"}),
    Case("-c twice", ("app:app", "-c", "a.py", "-c", "b.py"), {"a.py": "workers = 1", "b.py": "workers = 2"}),
    Case("-c joined", ("app:app", "-cconf.py"), {"conf.py": "workers = 3"}),
    Case("-c in GUNICORN_CMD_ARGS", ("app:app",), {"a.py": "workers = 1", CONFIG: "workers = 2"},
         {"GUNICORN_CMD_ARGS": "-c a.py"}),
    Case("-c beats GUNICORN_CMD_ARGS", ("app:app", "-c", "b.py"), {"a.py": "workers = 1", "b.py": "workers = 2"},
         {"GUNICORN_CMD_ARGS": "-c a.py"}),
    Case("--chdir doesn't move the default", ("app:app", "--chdir", "sub"),
         {CONFIG: "workers = 1", f"sub/{CONFIG}": "workers = 2", "sub/app.py": ""}),
    Case("--chdir without a default", ("app:app", "--chdir", "sub"),
         {f"sub/{CONFIG}": "workers = 2", "sub/app.py": ""}),
    Case("--chdir doesn't move -c", ("app:app", "--chdir", "sub", "-c", CONFIG),
         {CONFIG: "workers = 1", f"sub/{CONFIG}": "workers = 2"}),
    Case("chdir in the file", ("app:app",), {CONFIG: "chdir = 'sub'", "sub/app.py": ""}),
    Case("chdir up", ("app:app", "--chdir", ".."), {"sub/x.py": ""}, {}, "sub"),
    Case("start in a folder", ("app:app",), {"sub/app.py": "", f"sub/{CONFIG}": "workers = 2", CONFIG: "workers = 1"}, {}, "sub"),
    Case("-c of another folder", ("app:app", "-c", f"../{CONFIG}"), {"sub/app.py": "", CONFIG: "workers = 1"}, {}, "sub"),
    Case("no chaining", ("app:app",), {CONFIG: "config = 'b.py'", "b.py": "workers = 2"}),
    Case("wsgi_app in the file", (), {CONFIG: "wsgi_app = 'app:app'"}),
    Case("wsgi_app None", (), {CONFIG: "wsgi_app = None"}),
    Case("wsgi_app and an argument", ("app:app",), {CONFIG: "wsgi_app = 'b:app'"}),
    Case("app in GUNICORN_CMD_ARGS", (), {}, {"GUNICORN_CMD_ARGS": "app:app"}),
    Case("imports a module", ("app:app",), {CONFIG: "from conf_base import *", "conf_base.py": "workers = 3\n_x = 1"}),
    Case("imports a name", ("app:app",), {CONFIG: "from conf_base import W\nworkers = W", "conf_base.py": "W = 3"}),
    Case("imports and reads", ("app:app",), {CONFIG: "import conf_base\nworkers = conf_base.W", "conf_base.py": "W = 3"}),
    Case("imports as", ("app:app",), {CONFIG: "import conf_base as c\nworkers = c.W", "conf_base.py": "W = 3"}),
    Case("imports from a package", ("app:app",), {CONFIG: "from pkg.base import *\nworkers = 4", "pkg/__init__.py": "",
         "pkg/base.py": "workers = 3\ntimeout = 9"}),
    Case("imports all of __all__", ("app:app",), {CONFIG: "from base import *", "base.py": "__all__ = ['workers']\nworkers = 3\ntimeout = 9"}),
    Case("lists are replaced", ("app:app", "-e", "B=2"), {CONFIG: "raw_env = ['A=1']\nbind = ['a:1', 'b:2']"}),
    Case(".env above the config", ("app:app", "-c", "conf/g.py"), {"conf/g.py": DOTENV, ".env": "W=3\nB='h:1' # x\n"}),
    Case(".env and a variable", ("app:app",), {CONFIG: DOTENV, ".env": "W=3\nexport B=\"h:1\"\n"}, {"W": "4"}),
    Case(".env that overrides", ("app:app",), {CONFIG: DOTENV.replace("()", "(override=True)"), ".env": "W=3\nB=1"},
         {"W": "4"}),
    Case(".env by path", ("app:app",), {CONFIG: DOTENV.replace("()", "('env/prod')"), "env/prod": "W=3\nB=${W}x"}),
    Case(".env beside the config", ("app:app", "-c", "conf/g.py"), {"conf/g.py": "from pathlib import Path\n"
         + DOTENV.replace("()", "(Path(__file__).parent / '.env')"), "conf/.env": "W=3\nB=1", ".env": "W=9\nB=9"}),
    Case("all four sources", ("app:app", "-w", "4"), {CONFIG: "workers = 2\ntimeout = 2\nthreads = 2"},
         {"WEB_CONCURRENCY": "1", "GUNICORN_CMD_ARGS": "-w 3 --timeout 3"}),
    Case("switch can't be taken back", ("app:app", "--preload"), {CONFIG: "preload_app = False\nreload = True"}),
    Case("refused value that is overridden", ("app:app", "-w", "4"), {CONFIG: "workers = -1"}),
    Case("refused value in two places", ("app:app", "-w", "x"), {CONFIG: "workers = -1"}),
    Case("an empty config", ("app:app",), {CONFIG: ""}),
    Case("BOM", ("app:app",), {CONFIG: "\ufeffworkers = 3"}),
    Case("CRLF", ("app:app",), {CONFIG: "workers = 3\r\ntimeout = 4\r\n"}),
    Case("config that isn't there", ("app:app", "-c", "nowhere.py"), {}),
    Case("config that is a folder", ("app:app", "-c", "conf"), {"conf/x.py": ""}),
    Case("config that raises", ("app:app",), {CONFIG: "raise RuntimeError('no')"}),
    Case("config that exits", ("app:app",), {CONFIG: "workers = 3\nraise SystemExit(4)"}),
    Case("config that divides by zero", ("app:app",), {CONFIG: "workers = 1 / 0"}),
    Case("config that reads an unset variable", ("app:app",), {CONFIG: "import os\nworkers = os.environ['N']"}),
    Case("config that uses an unbound name", ("app:app",), {CONFIG: "workers = cpu_count() * 2"}),
    Case("config that imports what isn't there", ("app:app",), {CONFIG: "import nonsuch_module\nworkers = 3"}),
]  # fmt: skip


def cases() -> Iterator[Case]:
    """Every hand-written launch."""
    for table in (VALUES, NEWER):
        for setting, values in table.items():
            yield from (config(f"{setting} = {value}") for value in values)
    yield from map(config, CONFIGS)
    yield from map(config, BROKEN)
    yield from (config(text, **environment) for text, environment in ENVIRONMENTS)
    yield from (line(row) for row in LINES.strip("\n").split("\n"))
    yield line("")
    yield from PROJECTS
