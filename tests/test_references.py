"""What a launch names: when its absence is an error, and when only the target machine knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from projects import place, write

SHOP = "from flask import Flask\napp = Flask(__name__)\n"
LAUNCH = "#!/bin/sh\nexec gunicorn -c gunicorn.conf.py shop:app\n"
UNIT = """[Service]
WorkingDirectory=/srv/shop
ExecStart=/srv/shop/venv/bin/gunicorn {} shop:app
"""


def found(lint_files, code: str, files: dict[str, str]) -> list[str]:
    return [place(finding) for finding in lint_files(files) if finding.rule.code == code]


MISSING = {
    "beside the application": {"start.sh": LAUNCH, "shop.py": SHOP},
    "in a unit's directory": {
        "shop.service": UNIT.format("-c /srv/shop/gunicorn.conf.py"),
        "shop.py": SHOP,
    },
    "beside its script": {
        "bin/start.sh": '#!/bin/sh\nexec gunicorn -c "$(dirname "$0")/serving.py" shop:app\n'
    },
    "in another folder": {
        "start.sh": LAUNCH,
        "shop.py": SHOP,
        "deploy/gunicorn.conf.py": "timeout = 60\n",
    },
    "a module": {
        "start.sh": "#!/bin/sh\nexec gunicorn -c conf.serving shop:app\n",
        "shop.py": SHOP,
        "conf/serving.py": "timeout = 60\n",
    },
}


@pytest.mark.parametrize("files", MISSING.values(), ids=MISSING)
def test_config_that_the_project_lacks(lint_files, files) -> None:
    assert len(found(lint_files, "GU007", files)) == 1


ELSEWHERE = {
    "a path of the machine": {
        "shop.service": UNIT.format("-c /etc/gunicorn/shop.py"),
        "shop.py": SHOP,
    },
    "a folder of the machine": {
        "shop.service": UNIT.format("-c /srv/shop/shared/gunicorn.conf.py"),
        "shop.py": SHOP,
    },
    "two files may be it": {
        "shop.service": UNIT.format("-c /srv/shop/gunicorn.conf.py"),
        "shop.py": SHOP,
        "a/gunicorn.conf.py": "timeout = 60\n",
        "b/gunicorn.conf.py": "timeout = 60\n",
    },
    "an instance's": {"shop@.service": UNIT.format("-c %i.py"), "shop.py": SHOP},
    "the environment's": {
        "start.sh": "#!/bin/sh\nexec gunicorn -c ${CONF:-serving.py} -c $X shop:app\n",
        "shop.py": SHOP,
    },
    "ignored": {"start.sh": LAUNCH, "shop.py": SHOP, ".gitignore": "/gunicorn.conf.py\n"},
    "in an ignored folder": {
        "start.sh": LAUNCH.replace("gunicorn.conf", "etc/gunicorn.conf"),
        "shop.py": SHOP,
        ".gitignore": "etc/\n",
        "etc/keep": "",
    },
    "written by the script": {
        "start.sh": LAUNCH.replace("exec", "cat > gunicorn.conf.py <<EOF\nworkers = $N\nEOF\nexec"),
        "shop.py": SHOP,
    },
    "copied in an image": {
        "start.sh": LAUNCH,
        "shop.py": SHOP,
        "Dockerfile": "COPY deploy/gunicorn.conf.py .\n",
    },
    "templated": {
        "start.sh": LAUNCH,
        "shop.py": SHOP,
        "roles/main.yml": "- template: {src: g.j2, dest: /srv/shop/gunicorn.conf.py}\n",
    },
    "started elsewhere": {"start.sh": LAUNCH, "backend/shop.py": SHOP},
    "started in /": {
        "shop.service": UNIT.format("-c gunicorn.conf.py").replace("WorkingDirectory", "#"),
        "shop.py": SHOP,
    },
    "none wanted": {"start.sh": LAUNCH.replace("gunicorn.conf.py", "/dev/null"), "shop.py": SHOP},
    "there": {"start.sh": LAUNCH, "shop.py": SHOP, "gunicorn.conf.py": "timeout = 60\n"},
    "a module of that name": {
        "start.sh": LAUNCH.replace("-c gunicorn.conf.py", "-c python:serving.py"),
        "shop.py": SHOP,
        "serving/py.py": "timeout = 60\n",
    },
}


@pytest.mark.parametrize("files", ELSEWHERE.values(), ids=ELSEWHERE)
def test_config_that_may_be_elsewhere(lint_files, files) -> None:
    assert found(lint_files, "GU007", files) == []


def test_config_that_is_a_link_to_the_machine(lint_files, tmp_path: Path) -> None:
    (tmp_path / "gunicorn.conf.py").symlink_to("/etc/shop/gunicorn.conf.py")
    assert found(lint_files, "GU007", {"start.sh": LAUNCH, "shop.py": SHOP}) == []


PLAIN = "#!/bin/sh\nexec gunicorn shop:app\n"
CONFIG = "timeout = 60\n"
UNUSED = {
    "of another name": {"start.sh": PLAIN, "shop.py": SHOP, "gunicorn_conf.py": CONFIG},
    "where --chdir leads": {
        "shop.service": UNIT.format("--chdir app"),
        "app/shop.py": SHOP,
        "app/gunicorn.conf.py": CONFIG,
    },
}


@pytest.mark.parametrize("files", UNUSED.values(), ids=UNUSED)
def test_config_that_nothing_loads(lint_files, files) -> None:
    assert len(found(lint_files, "GU007", files)) == 1


USED = {
    "it is found by itself": {"start.sh": PLAIN, "shop.py": SHOP, "gunicorn.conf.py": CONFIG},
    "another launch has its own": {
        "start.sh": "#!/bin/sh\nexec gunicorn -c gunicorn_prod.py shop:app\n",
        "shop.py": SHOP,
        "gunicorn_conf.py": CONFIG,
        "gunicorn_prod.py": CONFIG,
    },
    "for development": {"start.sh": PLAIN, "shop.py": SHOP, "gunicorn_dev.py": CONFIG},
    "by hand": {
        "start.sh": PLAIN,
        "shop.py": SHOP,
        "gunicorn_conf.py": CONFIG,
        "README.md": "Run `gunicorn -c gunicorn_conf.py shop:app`.\n",
    },
    "options that can't be seen": {
        "start.sh": '#!/bin/sh\nexec gunicorn "$@" shop:app\n',
        "shop.py": SHOP,
        "gunicorn_conf.py": CONFIG,
    },
    "started in /": {
        "shop.service": UNIT.format("").replace("WorkingDirectory", "#"),
        "shop.py": SHOP,
        "gunicorn_conf.py": CONFIG,
    },
    "elsewhere": {"start.sh": PLAIN, "shop.py": SHOP, "deploy/gunicorn_conf.py": CONFIG},
}


@pytest.mark.parametrize("files", USED.values(), ids=USED)
def test_config_that_something_may_load(lint_files, files) -> None:
    assert found(lint_files, "GU007", files) == []


WSGI = "#!/bin/sh\nexec gunicorn shop.wsgi\n"
PACKAGE = {"start.sh": WSGI, "shop/__init__.py": ""}
MAY_BE_THERE = {
    "the package is elsewhere": {"start.sh": WSGI},
    "a folder": {"start.sh": WSGI, "shop/conf.py": ""},
    "a dependency": {**PACKAGE, "requirements.txt": "shop==1.0\n"},
    "ignored": {**PACKAGE, ".gitignore": "wsgi.py\n"},
    "compiled": {**PACKAGE, "shop/wsgi.cpython-312-x86_64-linux-gnu.so": ""},
    "a package": {**PACKAGE, "shop/wsgi/__init__.py": "application = 1\n"},
    "below another folder": {**PACKAGE, "backend/shop/wsgi.py": ""},
    "a package of several places": {
        **PACKAGE,
        "shop/__init__.py": "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n",
    },
    "made": {**PACKAGE, "Dockerfile": "RUN ./make-wsgi > shop/wsgi.py\n"},
    "in a variable": {**PACKAGE, "start.sh": "#!/bin/sh\nexec gunicorn $PACKAGE.wsgi\n"},
    "paste": {**PACKAGE, "start.sh": "#!/bin/sh\nexec gunicorn --paste shop/prod.ini\n"},
    "a function of uvicorn's": {
        "start.sh": "#!/bin/sh\nexec gunicorn -k uvicorn_worker.UvicornWorker shop:make\n",
        "shop.py": "from fastapi import FastAPI\ndef make():\n    return FastAPI()\n",
    },
    "a function that is the application": {
        "start.sh": "#!/bin/sh\nexec gunicorn shop:app\n",
        "shop.py": "def app(environ, start_response):\n    return other(environ, start_response)\n",
    },
    "one of two modules of that name": {
        "start.sh": "#!/bin/sh\nexec gunicorn shop:web\n",
        "shop.py": SHOP,
        "backend/shop.py": SHOP.replace("app =", "web ="),
    },
    "a name that is bound unseen": {
        "start.sh": "#!/bin/sh\nexec gunicorn shop:app\n",
        "shop.py": "globals().update(app=1)\n",
    },
    "a name that a module gives on demand": {
        "start.sh": "#!/bin/sh\nexec gunicorn shop:app\n",
        "shop.py": "def __getattr__(name):\n    return 1\n",
    },
    "a name that a branch binds": {
        "start.sh": "#!/bin/sh\nexec gunicorn shop:app\n",
        "shop.py": "try:\n    from x import y as app\nexcept ImportError:\n    pass\n",
    },
    "a name of a module with an error": {
        "start.sh": "#!/bin/sh\nexec gunicorn shop:app\n",
        "shop.py": "print 'x'\n",
    },
    "a decorated function": {
        "start.sh": "#!/bin/sh\nexec gunicorn shop:app\n",
        "shop.py": "from x import y\nfrom flask import Flask\n@y\ndef app():\n    return Flask('')\n",
    },
    "a wrapper": {
        "start.sh": "#!/bin/sh\nexec gunicorn shop:app\n",
        "shop.py": "from flask import Flask\ninner = Flask('')\n"
        "def app(e, s):\n    return inner(e, s)\n",
    },
}


@pytest.mark.parametrize("files", MAY_BE_THERE.values(), ids=MAY_BE_THERE)
def test_application_that_may_be_there(lint_files, files) -> None:
    assert found(lint_files, "GU016", files) == []


NOT_THERE = {
    "a module": (PACKAGE, None),
    "a misspelt module": (
        {"start.sh": "#!/bin/sh\nexec gunicorn shop.asgii:app\n", "shop/__init__.py": "", "shop/asgi.py": ""},
        "shop.asgi",
    ),
    "a name": (
        {"start.sh": "#!/bin/sh\nexec gunicorn shop\n", "shop.py": SHOP.replace("app =", "web =")},
        "`shop.py` has no `application`",
    ),
    "a usual name": (
        {"start.sh": "#!/bin/sh\nexec gunicorn shop\n", "shop.py": SHOP},
        "write `shop:app`",
    ),
    "a factory's name": (
        {
            "start.sh": "#!/bin/sh\nexec gunicorn 'shop:make()'\n",
            "shop.py": "def create_app():\n    return 1\n",
        },
        "write `shop:create_app()`",
    ),
    "a file": ({"start.sh": "#!/bin/sh\nexec gunicorn ./shop/web.py\n"}, "shop.web"),
    "a file of the machine": (
        {"start.sh": "#!/bin/sh\nexec gunicorn /srv/shop/web.py:app\n"},
        "--chdir /srv/shop",
    ),
    "a factory with parameters": (
        {
            "start.sh": "#!/bin/sh\nexec gunicorn shop:make\n",
            "shop.py": "from flask import Flask\ndef make(name):\n    return Flask(name)\n",
        },
        "shop:make()",
    ),
    "an attribute of a call": ({"start.sh": "#!/bin/sh\nexec gunicorn 'shop:web.make()'\n"}, "`shop`"),
}  # fmt: skip


@pytest.mark.parametrize(("files", "said"), NOT_THERE.values(), ids=NOT_THERE)
def test_application_that_is_not_there(lint_files, files, said) -> None:
    findings = [finding for finding in lint_files(files) if finding.rule.code == "GU016"]
    assert len(findings) == 1
    assert said is None or said in f"{findings[0].message} {findings[0].help}"


def test_dotted_object_is_fine_before_gunicorn_20(lint_files, tmp_path: Path) -> None:
    files = {"start.sh": "#!/bin/sh\nexec gunicorn shop:web.app\n"}
    write(tmp_path, files)
    findings = lint_files(files, version="19.10.0")
    assert [finding for finding in findings if finding.rule.code == "GU016"] == []


UVICORN = "#!/bin/sh\nexec gunicorn -k uvicorn.workers.UvicornWorker shop:app\n"
LOCK = 'version = 1\n\n[[package]]\nname = "gunicorn"\nversion = "23.0.0"\n'
NOT_LACKING = {
    "nothing is pinned": {"requirements.txt": "gunicorn\nflask\n"},
    "one isn't pinned": {"requirements.txt": "gunicorn==23.0.0\nfastapi\n"},
    "gunicorn isn't listed": {"requirements.txt": "fastapi==0.135.1\n"},
    "a package from an address": {"requirements.txt": "gunicorn==23.0.0\n-e ./lib\n"},
    "an included file": {
        "requirements.txt": "-r base.txt\ngunicorn==23.0.0\n",
        "base.txt": "uvicorn==0.54.0\n",
    },
    "an included file that isn't there": {"requirements.txt": "-r base.txt\ngunicorn==23.0.0\n"},
    "a file beside it": {
        "requirements.txt": "gunicorn==23.0.0\n",
        "requirements-prod.txt": "uvicorn[standard]==0.54.0\n",
    },
    "an extra": {"requirements.txt": "gunicorn==23.0.0\nfastapi[all]==0.135.1\n"},
    "a package that requires it": {"requirements.txt": "gunicorn==23.0.0\nuvicorn-worker==0.4.0\n"},
    "an optional group": {
        "uv.lock": LOCK,
        "pyproject.toml": "[project.optional-dependencies]\nserver = ['uvicorn']\n",
    },
    "an image": {"uv.lock": LOCK, "Dockerfile": "FROM tiangolo/uvicorn-gunicorn:python3.11\n"},
    "a command": {"uv.lock": LOCK, "Dockerfile": "RUN pip install --no-cache \\\n  uvicorn\n"},
    "conda": {"uv.lock": LOCK, "environment.yml": "dependencies:\n  - uvicorn=0.54\n"},
    "for development": {"requirements-dev.txt": "gunicorn==23.0.0\nflask==3.1.2\n"},
}


@pytest.mark.parametrize("files", NOT_LACKING.values(), ids=NOT_LACKING)
def test_dependencies_that_may_have_it(lint_files, files) -> None:
    assert found(lint_files, "GU110", {"start.sh": UVICORN, **files}) == []


LACKING = {
    "a lock file": {"uv.lock": LOCK},
    "a lock file and what asks for it": {
        "uv.lock": LOCK,
        "pyproject.toml": "[project]\nname = 'shop'\nversion = '1'\ndependencies = ['gunicorn']\n",
    },
    "compiled": {
        "requirements.in": "gunicorn\n-e .\n",
        "requirements.txt": "# This file was autogenerated by uv via the following command:\n"
        "#    uv pip compile requirements.in\n-e .\ngunicorn==23.0.0\n",
    },
    "pinned": {"requirements.txt": "gunicorn==23.0.0 --hash=sha256:aa\nstarlette==1.0.0\n"},
    "documents say how": {"uv.lock": LOCK, "README.md": "pip install uvicorn\n"},
    "a constraint installs nothing": {"uv.lock": LOCK, "constraints.txt": "uvicorn==0.54.0\n"},
}


@pytest.mark.parametrize("files", LACKING.values(), ids=LACKING)
def test_dependencies_that_lack_it(lint_files, files) -> None:
    assert found(lint_files, "GU110", {"start.sh": UVICORN, **files}) == ["start.sh:2:18"]
