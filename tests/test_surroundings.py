"""The containers and proxies around gunicorn."""

from __future__ import annotations

from pathlib import Path

import pytest

from gunilint.discover import Tree
from gunilint.surroundings import containers, runs_config, runs_script, upstreams
from projects import write

CONFIG, SCRIPT = "deploy/gunicorn.conf.py", "docker/start.sh"


def tree(folder: Path, files: dict[str, str]) -> Tree:
    write(folder, files)
    return Tree(folder.resolve())


@pytest.mark.parametrize(
    ("path", "text", "config", "script"),
    [
        ("Dockerfile", 'CMD ["gunicorn", "-c", "deploy/gunicorn.conf.py", "a:b"]', True, False),
        ("Dockerfile", "CMD gunicorn -c /app/deploy/gunicorn.conf.py a:b", True, False),
        ("Dockerfile", "CMD gunicorn --config=gunicorn.conf.py a:b", True, False),
        ("Dockerfile", "CMD gunicorn -c other/gunicorn.conf.py a:b", False, False),
        ("Dockerfile", "CMD gunicorn -c python:shop.conf a:b", False, False),
        ("Dockerfile", "CMD gunicorn -w 4 -c gunicorn.conf.py a:b", False, False),
        ("Dockerfile", "CMD gunicorn --workers=4 -c gunicorn.conf.py a:b", False, False),
        ("Dockerfile", "CMD gunicorn a:b", False, False),
        ("deploy/Dockerfile", "CMD gunicorn a:b", True, False),
        ("Dockerfile.web", "cmd gunicorn \\\n  -c gunicorn.conf.py \\\n  a:b", True, False),
        ("Dockerfile", "RUN gunicorn -c gunicorn.conf.py --check-config a:b", False, False),
        ("Dockerfile", "FROM a\nCMD gunicorn -c gunicorn.conf.py\nFROM b\nCMD python", False, False),
        ("Dockerfile", "CMD gunicorn -c gunicorn.conf.py\nCMD celery", False, False),
        ("Dockerfile", '# CMD ["gunicorn", "-c", "gunicorn.conf.py"]', False, False),
        ("Dockerfile", 'ENTRYPOINT ["/app/docker/start.sh"]', False, True),
        ("Dockerfile", 'ENTRYPOINT ["/start.sh"]\nCMD ["web"]', False, True),
        ("Dockerfile", 'ENTRYPOINT ["/app/other/start.sh"]', False, False),
        ("Dockerfile", "COPY docker/start.sh /", False, False),
        ("compose.yaml", "services:\n  a:\n    command: gunicorn -c deploy/gunicorn.conf.py a:b", True, False),
        ("docker-compose.yml", "services:\n  a:\n    command:\n      - gunicorn\n      - -c\n      - gunicorn.conf.py\n    ports: []", True, False),
        ("docker-compose.prod.yml", "services:\n  a:\n    entrypoint: ./docker/start.sh", False, True),
        ("values.yaml", "command: gunicorn -c gunicorn.conf.py", False, False),
        ("notes/Dockerfile.md", "", False, False),
    ],
)  # fmt: skip
def test_what_a_container_runs(tmp_path: Path, path, text, config, script) -> None:
    found = list(containers(tree(tmp_path, {path: text})))
    assert any(runs_config(each, CONFIG) for each in found) is config
    assert any(runs_script(each, SCRIPT) for each in found) is script


PROXY = "location / { \n    proxy_http_version 1.1;\n}\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("upstream a {\n  server 127.0.0.1:8000;\n  keepalive 8;\n}\n" + PROXY, [("127.0.0.1:8000", 60)]),
        ("upstream a {\n  server b:1 weight=2;\n  keepalive 8;\n  keepalive_timeout 2m;\n}\n" + PROXY, [("b:1", 120)]),
        ("upstream a {\n  server b:1;\n  keepalive 8;\n  keepalive_timeout 5s;\n}\n" + PROXY, [("b:1", 5)]),
        ("upstream a {\n  server b:1;\n  keepalive 8;\n  keepalive_timeout $t;\n}\n" + PROXY, []),
        ("upstream a {\n  server b:1;\n}\n" + PROXY, []),
        ("upstream a {\n  server b:1;\n  # keepalive 8;\n}\n" + PROXY, []),
        ("upstream a {\n  server b:1;\n  keepalive 8;\n}\n", []),
        ("server {\n  keepalive_timeout 65;\n}\n" + PROXY, []),
    ],
)  # fmt: skip
def test_upstreams_of_nginx(tmp_path: Path, text: str, found: list) -> None:
    kept = upstreams(tree(tmp_path, {"nginx.conf": text}))
    assert [(each.servers[0], each.idle) for each in kept] == found
