"""Names, options and values that gunicorn takes otherwise than they were meant."""

from __future__ import annotations

import pytest

from projects import place

UNIT = """[Service]
WorkingDirectory=/srv/shop
ExecStart=/srv/shop/venv/bin/gunicorn shop.wsgi
"""


def found(lint_files, code: str, files: dict[str, str], version: str | None = None) -> list[str]:
    findings = lint_files(files, version=version)
    return [place(finding) for finding in findings if finding.rule.code == code]


OPTIONS = {
    "--access-log -": None,
    "--accesslog -": "--access-logfile",
    "--daemonize": "--daemon",
    "--env-file x": None,
    "--errorlog -": "--error-logfile",
    "--factory": None,
    "--host 0.0.0.0": "--bind HOST:PORT",
    "--keepalive 5": "--keep-alive",
    "--limit-request-field-size 3": "--limit-request-field_size",
    "--log_level info": "--log-level",
    "--no-preload": None,
    "--pid-file x": "--pid",
    "--port=80": "--bind HOST:PORT",
    "--proxy-headers": None,
    "--reload-dir x": "--reload-extra-file",
    "--workers-class gevent": "--worker-class",
}


@pytest.mark.parametrize(("option", "meant"), OPTIONS.items(), ids=OPTIONS)
def test_what_is_suggested_for_an_option(lint_files, option: str, meant: str | None) -> None:
    findings = lint_files({"start.sh": f"#!/bin/sh\nexec gunicorn {option} shop:app\n"})
    (refused,) = [finding for finding in findings if finding.rule.code == "GU003"]
    assert (refused.help == f"write `{meant}`") is (meant is not None)


NAMES = {
    "access_log_file = '-'": "accesslog",
    "error_logs = '-'": "errorlog",
    "log_levels = ['a']": None,
    "groups = ['web']": None,
    "worker = 'gevent'": None,
    "worker = 4": "workers",
    "def post_forks(server, worker): pass": "post_fork",
    "def workerz(): pass": None,
    "TIMEOUT = 30": "timeout",
    "TIMEOUT = 30\ntimeout = TIMEOUT": None,
    "_timeouts = 30": None,
    "port = 8000": None,
}


@pytest.mark.parametrize(("line", "meant"), NAMES.items(), ids=NAMES)
def test_names_that_are_meant_as_settings(lint_files, line: str, meant: str | None) -> None:
    findings = lint_files({"gunicorn.conf.py": f"bind = ':8000'\n{line}\n"})
    messages = [finding.message for finding in findings if finding.rule.code == "GU002"]
    assert [meant is not None and f"`{meant}`" in message for message in messages] == (
        [True] if meant else []
    )


def test_names_of_an_imported_file_are_its_own(lint_files) -> None:
    files = {
        "gunicorn.conf.py": "from settings import *\ntimeout = 30\n",
        "settings.py": "TIMEOUT = 30\ndebug = True\ntimeout = 60\naccess_log = None\n",
    }
    for code in ("GU002", "GU006", "GU015"):
        assert found(lint_files, code, files) == []


VERSIONS = [
    ("strip_header_spaces = True", "20.0.0", "GU002"),
    ("strip_header_spaces = True", "20.1.0", None),
    ("tolerate_dangerous_framing = True", "21.2.0", "GU002"),
    ("tolerate_dangerous_framing = True", "22.0.0", None),
    ("tolerate_dangerous_framing = True", "23.0.0", "GU006"),
    ("logfile = '-'", "27.0.1", "GU006"),
    ("logfile = '-'\nerrorlog = logfile", "27.0.1", None),
    ("def on_dirty_starting(arbiter): pass", "24.0.0", "GU002"),
    ("def on_dirty_starting(arbiter): pass", "25.0.0", None),
]


@pytest.mark.parametrize(("line", "version", "code"), VERSIONS)
def test_setting_of_another_version(lint_files, line: str, version: str, code: str | None) -> None:
    findings = lint_files({"gunicorn.conf.py": f"workers = 2\n{line}\n"}, version=version)
    codes = [f.rule.code for f in findings if f.rule.code in ("GU002", "GU003", "GU006")]
    assert codes == ([code] if code else [])


OPTION_VERSIONS = [
    ("--log-config-dict x", "20.0.4", None),
    ("--log-config-dict x", "20.1.0", "GU006"),
    ("--tolerate-dangerous-framing", "21.2.0", "GU003"),
    ("--tolerate-dangerous-framing", "22.0.0", None),
    ("--tolerate-dangerous-framing", "23.0.0", "GU006"),
    ("--log-file -", "27.0.1", None),
]


@pytest.mark.parametrize(("option", "version", "code"), OPTION_VERSIONS)
@pytest.mark.parametrize("start", ["exec gunicorn {}", 'GUNICORN_CMD_ARGS="{}" gunicorn'])
def test_option_of_another_version(lint_files, start, option, version, code) -> None:
    script = f"#!/bin/sh\n{start.format(option)} shop:app\n"
    findings = lint_files({"start.sh": script}, version=version)
    codes = [f.rule.code for f in findings if f.rule.code in ("GU002", "GU003", "GU006")]
    assert codes == ([code] if code else [])


READS = "import os\ntimeout = os.getenv('T')\n"
MAY_BE_SET = {
    "by hand": {"start.sh": "#!/bin/sh\nexec gunicorn shop.wsgi\n"},
    "by the unit": {"shop.service": f"{UNIT}Environment=T=30\n"},
    "by a file of the machine": {"shop.service": f"{UNIT}EnvironmentFile=/etc/shop\n"},
    "by systemd": {"shop.service": f"{UNIT}PassEnvironment=T\n"},
    "by a wrapper": {"shop.service": UNIT.replace("/srv/shop/venv/bin/", "/bin/dotenv run ")},
    "by the config": {
        "shop.service": UNIT,
        "gunicorn.conf.py": f"import dotenv\ndotenv.load_dotenv()\n{READS}",
    },
    "and None is fine": {"shop.service": UNIT, "gunicorn.conf.py": READS.replace("timeout", "user")},
    "and has a default": {
        "shop.service": UNIT,
        "gunicorn.conf.py": READS.replace("'T'", "'T', '30'"),
    },
    "and the command line wins": {"shop.service": UNIT.replace("gunicorn ", "gunicorn -t 30 ")},
}  # fmt: skip


@pytest.mark.parametrize("files", MAY_BE_SET.values(), ids=MAY_BE_SET)
def test_variable_that_something_may_set(lint_files, files) -> None:
    assert found(lint_files, "GU004", {"gunicorn.conf.py": READS, **files}) == []


def test_variable_that_the_unit_does_not_set(lint_files) -> None:
    files = {"gunicorn.conf.py": READS, "shop.service": UNIT}
    assert found(lint_files, "GU004", files) == ["gunicorn.conf.py:2:11"]


TRUTHS = {
    "reload = bool(os.environ['R'])": 1,
    "reload = bool(os.getenv('R', True))": 1,
    "reload = True if getenv('R') else False": 1,
    "flag = getenv('R', 'no').strip()\nreload = not bool(flag)": 1,
    "def flag(n):\n    text = bool(os.getenv(n))\n    return text\nreload = flag('R')": 1,
    "preload_app, reload = True, bool(os.getenv('R'))": 1,
    "if os.path.exists('x'):\n    reload = bool(getenv('R'))\nelse:\n    reload = False": 1,
    "reload = bool(int(os.getenv('R', '0')))": 0,
    "reload = bool(os.getenv('R') == '1')": 0,
    "reload = bool(strtobool(os.getenv('R', 'no')))": 0,
    "reload = bool(config.get('R'))": 0,
    "reload = os.getenv('R', 'false')": 0,
    "reload = os.getenv('R') is not None": 0,
    "preload_app = bool(os.getenv('SENTRY_DSN'))": 0,
    "if bool(os.getenv('R')):\n    workers = 2\nreload = False": 0,
    "workers = 4 if bool(os.getenv('R')) else 2": 0,
    "_r = bool(os.getenv('R'))\nreload = False": 0,
}


@pytest.mark.parametrize(("lines", "count"), TRUTHS.items(), ids=TRUTHS)
def test_boolean_that_any_text_turns_on(lint_files, lines: str, count: int) -> None:
    config = f"import os\nfrom os import getenv\n{lines}\n"
    assert len(found(lint_files, "GU014", {"gunicorn.conf.py": config})) == count


def test_boolean_that_the_command_line_decides(lint_files) -> None:
    files = {
        "start.sh": "#!/bin/sh\nexec gunicorn --preload shop.wsgi\n",
        "gunicorn.conf.py": "import os\npreload_app = bool(os.getenv('P'))\n",
    }
    assert found(lint_files, "GU014", files) == []


TEXTS = {
    "loglevel = \"'info'\"": 1,
    "accesslog = '\"/var/log/a.log\"'": 1,
    'proc_name = "it\'s"': 0,
    "access_log_format = \"'%(h)s'\"": 0,
    "raw_env = [\"A='1'\"]": 0,
}


@pytest.mark.parametrize(("line", "count"), TEXTS.items(), ids=TEXTS)
def test_text_in_quotes(lint_files, line: str, count: int) -> None:
    files = {"gunicorn.conf.py": f"{line}\n"}
    assert len(found(lint_files, "GU011", files)) == count
    assert found(lint_files, "GU701", files) == []


@pytest.mark.parametrize(("name", "places"), [("shop", ["shop.service:3:39"]), ("shop@", [])])
def test_instances_of_a_template_unit_are_workers_enough(lint_files, name, places) -> None:
    assert found(lint_files, "GU106", {f"{name}.service": UNIT}) == places


def test_repeated_option_of_the_variable(lint_files) -> None:
    files = {"start.sh": "#!/bin/sh\nGUNICORN_CMD_ARGS='-w 2 -w 4' exec gunicorn shop.wsgi\n"}
    assert found(lint_files, "GU010", files) == ["start.sh:2:23"]


def test_unknown_value_is_not_taken_for_none(lint_files) -> None:
    config = "import os\naccesslog = os.environ['ACCESS_LOG']\n"
    assert found(lint_files, "GU702", {"gunicorn.conf.py": config}) == []
    assert found(lint_files, "GU702", {"gunicorn.conf.py": "accesslog = None\n"}) != []
