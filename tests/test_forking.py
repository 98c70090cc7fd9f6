"""What a master leaves to the workers that it forks."""

from __future__ import annotations

import pytest
from test_application import Files

from gunilint.forking import forked
from gunilint.source import Source

ENGINE = "import sqlalchemy as sa\nengine = sa.create_engine('postgresql://x')\n"
MAIN = "from db import engine\nengine.connect()\n"
HOOKS = [
    # where the application isn't preloaded, the master runs the config and its hooks alone
    (None, "", []),
    (None, "def on_starting(server):\n    from db import engine\n    engine.connect()", ["on_starting"]),
    (None, "from db import engine\ndef pre_fork(server, worker): engine.connect()", ["pre_fork"]),
    (None, "from db import engine\ndef post_fork(server, worker): engine.connect()", []),
    (None, "from db import engine\nengine.connect()", [""]),
    ("main:app", "", [""]),
    ("main:app", "def when_ready(server):\n    from db import engine\n    engine.connect()", ["", "when_ready"]),
    # what a worker closes at its start is no longer shared
    ("main:app", "def post_fork(server, worker):\n    from db import engine\n    engine.dispose(close=False)", None),
    ("main:app", "def post_worker_init(worker):\n    import db\n    db.engine.dispose()", None),
    ("main:app", "def reset(*_):\n    import db\n    db.engine.dispose()\npost_fork = reset", None),
    ("main:app", "def post_fork(server, worker):\n    import db\n    for engine in db.engines(): engine.dispose()", None),
    ("main:app", "def worker_exit(server, worker):\n    import db\n    db.engine.dispose()", [""]),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "config", "hooks"), HOOKS, ids=range(len(HOOKS)))
def test_uses_before_the_fork(spec: str | None, config: str, hooks: list[str] | None) -> None:
    files = Files({"db.py": ENGINE, "main.py": MAIN})
    found = forked(spec, Source("gunicorn.conf.py", config), ("",), files).resources
    if hooks is None:
        assert found == ()
    else:
        assert [use.hook for each in found for use in each.uses] == hooks


def test_config_that_can_not_be_parsed_leaves_nothing() -> None:
    assert forked(None, Source("gunicorn.conf.py", "def"), ("",), Files({})).resources == ()


def test_config_that_is_nested_too_deeply() -> None:
    deep = Source("gunicorn.conf.py", "x = " + "-" * 5000 + "1")
    assert forked("main:app", deep, ("",), Files({"main.py": ""})).resources == ()
