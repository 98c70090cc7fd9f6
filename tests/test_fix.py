"""Fixes: what each writes, and what holds for every one of them."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import stat
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner
from click.testing import Result as CliResult
from gunicorn.app.base import Application
from gunicorn.config import Config

from gunilint import edits
from gunilint.cli import main
from gunilint.engine import Repair, Result, lint, repair, run
from gunilint.findings import Edit, Finding
from gunilint.fix import FixError, Patch, diff, write
from gunilint.grades import severity_rank
from gunilint.policy import Policy, same
from gunilint.rules import Rule, load_rules
from gunilint.source import Source
from projects import write as write_project
from update_fixtures import FIXTURES

RULES = load_rules()
FIXABLE = [rule for rule in RULES if any(case.fix for case in (rule, *rule.variants.values()))]
REQUIRED = """GU002 GU010 GU101 GU103 GU201 GU203 GU301 GU302 GU305 GU306 GU308 GU401 GU406 GU407
    GU501 GU504 GU601 GU608 GU901 GU902""".split()


def repaired(folder: Path, *rules: Rule, unsafe: bool = True) -> Repair:
    """What the fixes of some rules make of a project."""
    return repair([folder], same(Policy(rules)), unsafe=unsafe)


def alone(rule: Rule) -> tuple[Rule, ...]:
    """All rules, of which only one has fixes."""

    def unfixable(other: Rule) -> Rule:
        cases = {name: case._replace(fix=None) for name, case in other.variants.items()}
        return other._replace(fix=None, variants=cases)

    return tuple(each if each is rule else unfixable(each) for each in RULES)


def after(fixed: Repair, folder: Path) -> Result:
    """What all rules find once the fixes are applied."""
    contents = {patch.path: patch.after for patch in fixed.patches}
    return run([folder], same(Policy(RULES)), contents)


def serious(findings: tuple[Finding, ...]) -> Counter[tuple[str, str]]:
    """What is a warning or worse, by rule and file."""
    bar = severity_rank("warning")
    return Counter(
        (SAME.get(finding.rule.code, finding.rule.code), finding.primary.span.source.path)
        for finding in findings
        if severity_rank(finding.severity) >= bar
    )


SAME = {"GU310": "GU408"}
"""One problem in other words: nothing restarts gunicorn, with recycled workers and without."""


REVEALING = {"GU501"}
"""Whose fixes make options count that were no part of the command, with all that is wrong in them."""


def test_the_rules_that_have_to_have_a_fix_have_one() -> None:
    assert set(REQUIRED) <= {rule.code for rule in FIXABLE}


# each rule's own fix, on its examples and on every fixture


EXAMPLES = [
    pytest.param(rule, example.bad, id=f"{rule.code}-{number}")
    for rule in FIXABLE
    for number, example in enumerate(rule.background.examples, 1)
]


@pytest.mark.parametrize(("rule", "files"), EXAMPLES)
def test_fix_cures_its_example_and_nothing_else(rule: Rule, files, tmp_path: Path) -> None:
    write_project(tmp_path, files)
    assert_fix_holds(rule, tmp_path)


@pytest.mark.parametrize("name", sorted(path.name for path in FIXTURES.iterdir()))
def test_fix_holds_on_a_fixture(name: str, tmp_path: Path) -> None:
    folder = shutil.copytree(FIXTURES / name, tmp_path / name)
    found = {finding.rule.code for finding in lint([folder], RULES).findings if finding.fix}
    for rule in FIXABLE:
        if rule.code in found:
            assert_fix_holds(rule, folder)


def assert_fix_holds(rule: Rule, folder: Path) -> None:
    """After a rule's fixes its findings are gone, no other is new, and nothing is left to fix."""
    before = lint([folder], RULES).findings
    fixed = repaired(folder, *alone(rule))
    result = after(fixed, folder)
    left = [f for f in result.findings if f.rule is rule and f.fix is not None]
    assert left == []
    assert len([f for f in result.findings if f.rule is rule]) == len(
        [f for f in before if f.rule is rule and f.fix is None]
    )
    if rule.code not in REVEALING:
        assert serious(result.findings) - serious(before) == Counter()
    for patch in fixed.patches:
        assert_only_edits_differ(patch, fixed)
        if patch.path.suffix == ".py":
            assert_only_named_settings_differ(patch, fixed)


def assert_only_edits_differ(patch: Patch, fixed: Repair) -> None:
    """Whatever lies outside the lines of the edits is there unchanged, in order."""
    touched = {
        number
        for finding in fixed.fixed
        for edit in finding.fix.edits
        if Path(edit.span.source.root, edit.span.source.path) == patch.path
        for number in range(edit.span.line, edit.span.end_line + 1)
    }
    lines = patch.before.splitlines()
    kept = [line for number, line in enumerate(lines, 1) if number not in touched]
    rest = iter(patch.after.splitlines())
    assert all(line in rest for line in kept)


def assert_only_named_settings_differ(patch: Patch, fixed: Repair) -> None:
    old, new = loaded(patch.path, patch.before), loaded(patch.path, patch.after)
    if old is None or new is None:  # gunicorn refuses the file, or its modules aren't installed
        return
    differing = {name for name in old if old[name] != new[name]}
    named = {name for finding in fixed.fixed for name in old if name in finding.fix.title}
    written = {
        name
        for finding in fixed.fixed
        for edit in finding.fix.edits
        for name in old
        if name in edit.replacement or name in line_of(finding)
    }
    assert differing <= named | written


def line_of(finding: Finding) -> str:
    span = finding.primary.span
    return span.source.line(span.line)


def loaded(path: Path, content: bytes) -> Mapping[str, str] | None:
    """What gunicorn's own loader makes of a config file."""
    target = path.with_name("loaded.conf.py")
    target.write_bytes(content)
    app = Application.__new__(Application)
    app.cfg = Config()
    try:
        app.load_config_from_file(str(target))
    except (SystemExit, Exception):
        return None
    finally:
        target.unlink()
    settings = {name: setting.get() for name, setting in app.cfg.settings.items()}
    return {
        name: getattr(value, "__name__", None) or repr(value)
        for name, value in settings.items()
        if name != "config"
    }


@pytest.mark.parametrize("unsafe", [False, True], ids=["safe", "unsafe"])
@pytest.mark.parametrize("name", sorted(path.name for path in FIXTURES.iterdir()))
def test_all_fixes_together_hold_on_a_fixture(name: str, unsafe: bool, tmp_path: Path) -> None:
    folder = shutil.copytree(FIXTURES / name, tmp_path / name)
    before = lint([folder], RULES).findings
    fixed = repaired(folder, *RULES, unsafe=unsafe)
    left = after(fixed, folder).findings
    assert [f.rule.code for f in left if f.fix is not None and (f.fix.safe or unsafe)] == []
    if not REVEALING & {finding.rule.code for finding in fixed.fixed}:
        assert serious(left) - serious(before) == Counter()
    for patch in fixed.patches:
        write(patch)
    assert repaired(folder, *RULES, unsafe=unsafe).patches == ()
    assert lint([folder], RULES).findings == left


# how fixes write


UNIT = "[Unit]\nDescription=x\n\n[Service]\nUser=web\nRestart=always\n"

WRITTEN = [
    pytest.param(
        {"gunicorn.conf.py": "workers = 4\nmax_requests = 1000  # keep\n\nbind = ':80'\n"},
        "GU302",
        "workers = 4\nmax_requests = 1000  # keep\nmax_requests_jitter = 100\n\nbind = ':80'\n",
        id="beside its kin, behind the comment",
    ),
    pytest.param(
        {"gunicorn.conf.py": "workers = 4\ntimeout = 30\n\n\ndef post_fork(server, worker):\n    pass\n"},
        "GU301",
        "workers = 4\ntimeout = 30\nmax_requests = 1000\nmax_requests_jitter = 100\n\n\n"
        "def post_fork(server, worker):\n    pass\n",
        id="behind the last setting of its section",
    ),
    pytest.param(
        {"gunicorn.conf.py": "max_requests = (\n    100\n    + 50\n)  # many\nif max_requests:\n    workers = 3\n"},
        "GU302",
        "max_requests = (\n    100\n    + 50\n)  # many\nmax_requests_jitter = 15\nif max_requests:\n    workers = 3\n",
        id="behind the end of its statement",
    ),
    pytest.param(
        {"gunicorn.conf.py": "bind = ':80'\r\nworkers = 4"},
        "GU301",
        "bind = ':80'\r\nworkers = 4\r\nmax_requests = 1000\r\nmax_requests_jitter = 100\r\n",
        id="with the file's line ends, behind a last line without one",
    ),
    pytest.param(
        {"gunicorn.conf.py": "worker_class = 'sync'\nwsgi_app = 'app:app'\n",
         "app.py": "from fastapi import FastAPI\napp = FastAPI()\n", "requirements.txt": "uvicorn\n"},
        "GU101",
        "worker_class = 'uvicorn.workers.UvicornWorker'\nwsgi_app = 'app:app'\n",
        id="in the quotes that were there",
    ),
    pytest.param(
        {"gunicorn.conf.py": "x = dict(\n    a=1,\n)\ngraceful_timeout = (\n    60  # long\n)\ntimeout = 30\n"},
        "GU201",
        "x = dict(\n    a=1,\n)\ngraceful_timeout = (\n    60  # long\n)\ntimeout = 60\n",
        id="a value in place",
    ),
    pytest.param(
        {"gunicorn.conf.py": "preload = True\n"}, "GU002", "preload_app = True\n", id="a name",
    ),
    pytest.param(
        {"gunicorn.conf.py": "async  def  when_ready(server):\n    server.log.info('x')\n"},
        "GU308", "def  when_ready(server):\n    server.log.info('x')\n", id="a plain function",
    ),
    pytest.param(
        {"start.sh": "#!/bin/sh\nexec gunicorn shop.wsgi --max-requests 500\n"},
        "GU302", "#!/bin/sh\nexec gunicorn shop.wsgi --max-requests 500 --max-requests-jitter 50\n",
        id="an option at the end of a command",
    ),
    pytest.param(
        {"start.sh": "#!/bin/sh\nexec gunicorn shop.wsgi \\\n    --workers 4 \\\n    --max-requests 500 2>&1\n"},
        "GU302",
        "#!/bin/sh\nexec gunicorn shop.wsgi \\\n    --workers 4 \\\n    --max-requests 500 \\\n"
        "    --max-requests-jitter 50 2>&1\n",
        id="an option on a line of its own",
    ),
    pytest.param(
        {"start.sh": "#!/bin/sh\nexec gunicorn shop.wsgi --reload \\\n    --workers 4\n"},
        "GU305", "#!/bin/sh\nexec gunicorn shop.wsgi \\\n    --workers 4\n", id="a switch removed",
    ),
    pytest.param(
        {"start.sh": "#!/bin/sh\nexec gunicorn shop.wsgi \\\n    --workers 4 \\\n    --reload\n"},
        "GU305", "#!/bin/sh\nexec gunicorn shop.wsgi \\\n    --workers 4\n", id="the last line removed",
    ),
    pytest.param(
        {"start.sh": "#!/bin/sh\nexport GUNICORN_CMD_ARGS=\"--reload --workers 4\"\nexec gunicorn shop.wsgi\n"},
        "GU305", "#!/bin/sh\nexport GUNICORN_CMD_ARGS=\"--workers 4\"\nexec gunicorn shop.wsgi\n",
        id="a switch in GUNICORN_CMD_ARGS",
    ),
    pytest.param(
        {"start.sh": "#!/bin/sh\nexec gunicorn -w 2 shop.wsgi -w=4\n"},
        "GU010", "#!/bin/sh\nexec gunicorn shop.wsgi -w=4\n", id="the option that lost",
    ),
    pytest.param(
        {"start.sh": "#!/bin/sh\nT=20\nexec gunicorn -t \"$T\" --graceful-timeout 40 shop.wsgi\n"},
        "GU201", "#!/bin/sh\nT=40\nexec gunicorn -t \"$T\" --graceful-timeout 40 shop.wsgi\n",
        id="where a variable gets its value",
    ),
    pytest.param(
        {"start.sh": "#!/bin/sh\nexec gunicorn shop.wsgi \\ \n  --workers 4 \\\t\n  --threads 2\n"},
        "GU501", "#!/bin/sh\nexec gunicorn shop.wsgi \\\n  --workers 4 \\\n  --threads 2\n",
        id="blanks behind backslashes",
    ),
    pytest.param(
        {"start.sh": "#!/bin/sh\nexec gunicorn shop.wsgi \\\n  # four\n  --workers 4\n"},
        "GU501", "#!/bin/sh\n# four\nexec gunicorn shop.wsgi \\\n  --workers 4\n",
        id="a comment above its command",
    ),
    pytest.param(
        {"start.sh": "#!/bin/sh\nexec gunicorn -w 2 shop:create_app()\n"},
        "GU504", "#!/bin/sh\nexec gunicorn -w 2 'shop:create_app()'\n", id="quotes",
    ),
    pytest.param(
        {"a.service": UNIT + "ExecStart=/bin/sh -c 'exec gunicorn shop:create_app()'\n"},
        "GU504", UNIT + "ExecStart=/bin/sh -c 'exec gunicorn \"shop:create_app()\"'\n", id="quotes within quotes",
    ),
    pytest.param(
        {"start.sh": "#!/bin/sh\n# gunilint: ignore[GU301, GU204] later\nexec gunicorn a.wsgi -t 0 --max-requests 9\n"},
        "GU901", "#!/bin/sh\n# gunilint: ignore[GU204] later\nexec gunicorn a.wsgi -t 0 --max-requests 9\n",
        id="a key of a comment",
    ),
    pytest.param(
        {"gunicorn.conf.py": "timeout = 30  # gunilint: ignore[GU204] uploads\n"},
        "GU901", "timeout = 30\n", id="a comment",
    ),
    pytest.param(
        {"a.service": UNIT + "ExecStart=/x/gunicorn shop.wsgi\n\n[Install]\nWantedBy=multi-user.target\n"},
        "GU407",
        UNIT + "ExecStart=/x/gunicorn shop.wsgi\nExecReload=/bin/kill -s HUP $MAINPID\n\n[Install]\n"
        "WantedBy=multi-user.target\n",
        id="a directive at the end of its section",
    ),
    pytest.param(
        {"a.service": UNIT + "TimeoutStopSec = 5\nExecStart=/x/gunicorn \\\n  shop.wsgi"},
        "GU203", UNIT + "TimeoutStopSec=40\nExecStart=/x/gunicorn \\\n  shop.wsgi",
        id="a directive in place",
    ),
    pytest.param(
        {"a.service": "[Unit]\nAfter=network.target\nRequires=db.service\n[Service]\nExecStart=/x/gunicorn a.wsgi\n"},
        "GU406",
        "[Unit]\nAfter=network.target db.service\nRequires=db.service\n[Service]\nExecStart=/x/gunicorn a.wsgi\n",
        id="a list extended",
    ),
    pytest.param(
        {"a.service": UNIT + "ExecStart=/x/gunicorn \\\n    --daemon \\\n    shop.wsgi\n"},
        "GU306", UNIT + "ExecStart=/x/gunicorn \\\n    shop.wsgi\n", id="a switch removed from a unit",
    ),
    pytest.param(
        {"a.service": UNIT + "Type=notify\nExecStart=/bin/sh -c 'cd /srv && PORT=1 gunicorn shop.wsgi'\n"},
        "GU401",
        UNIT + "Type=notify\nExecStart=/bin/sh -c 'cd /srv && PORT=1 exec gunicorn shop.wsgi'\n",
        id="exec behind the command's own environment",
    ),
    pytest.param(
        {"gunicorn.conf.py": "bind = 'unix:/run/shop/x.sock'\nworkers = 2\n"},
        "GU608", "bind = 'unix:/run/shop/x.sock'\numask = 0o007\nworkers = 2\n", id="a mode",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("files", "code", "expected"), WRITTEN)
def test_fix_writes_as_a_person_would(files, code: str, expected: str, tmp_path: Path) -> None:
    write_project(tmp_path, files)
    (rule,) = [rule for rule in RULES if rule.code == code]
    (patch,) = repaired(tmp_path, *alone(rule)).patches
    assert patch.after.decode() == expected


NOT_FIXED = [
    pytest.param(
        {"a.service": UNIT + "Type=notify\nExecStart=/srv/start.sh\n",
         "start.sh": "#!/bin/sh\ngunicorn shop.wsgi\nrm -f /run/shop\n"},
        "GU401", id="exec would lose the commands behind it",
    ),
    pytest.param(
        {"a.service": UNIT + "Type=notify\nExecStart=/srv/start.sh\n",
         "start.sh": "#!/bin/sh\ntrap 'rm -f /run/shop' EXIT\ngunicorn shop.wsgi\n"},
        "GU401", id="exec would lose a trap",
    ),
    pytest.param(
        {"gunicorn.conf.py": "import asyncio\nasync def when_ready(server):\n    await asyncio.sleep(1)\n"},
        "GU308", id="a function that awaits",
    ),
    pytest.param(
        {"start.sh": "#!/bin/sh\nexec gunicorn shop.wsgi --max-requests 500 --\n"},
        "GU302", id="nothing goes behind --",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("files", "code"), NOT_FIXED)
def test_no_fix_where_there_is_no_sure_way(files, code: str, tmp_path: Path) -> None:
    write_project(tmp_path, files)
    found = [finding for finding in lint([tmp_path], RULES).findings if finding.rule.code == code]
    assert [finding.fix for finding in found] == [None]


def test_safe_fixes_alone_leave_unsafe_ones(tmp_path: Path) -> None:
    write_project(tmp_path, {"gunicorn.conf.py": "workers = 4\n"})
    assert repaired(tmp_path, *RULES, unsafe=False).patches == ()
    assert repaired(tmp_path, *RULES, unsafe=True).patches != ()


# writing files


def test_file_keeps_its_mode_its_mark_and_its_encoding(tmp_path: Path) -> None:
    start = tmp_path / "start.sh"
    start.write_bytes(
        b"\xef\xbb\xbf#!/bin/sh\r\n# caf\xc3\xa9\r\nexec gunicorn a.wsgi -w 1 -w 2\r\n"
    )
    start.chmod(0o751)
    config = tmp_path / "gunicorn.conf.py"
    config.write_bytes(b"# -*- coding: latin-1 -*-\n# caf\xe9\npreload = True\n")
    for patch in repaired(tmp_path, *RULES, unsafe=False).patches:
        write(patch)
    assert start.read_bytes() == (
        b"\xef\xbb\xbf#!/bin/sh\r\n# caf\xc3\xa9\r\nexec gunicorn a.wsgi -w 2\r\n"
    )
    assert stat.S_IMODE(start.stat().st_mode) == 0o751
    assert config.read_bytes() == b"# -*- coding: latin-1 -*-\n# caf\xe9\npreload_app = True\n"


def test_link_stays_a_link(tmp_path: Path) -> None:
    write_project(tmp_path, {"real/gunicorn.conf.py": "preload = True\n"})
    (tmp_path / "gunicorn.conf.py").symlink_to("real/gunicorn.conf.py")
    for patch in repaired(tmp_path, *RULES, unsafe=False).patches:
        write(patch)
    assert (tmp_path / "gunicorn.conf.py").is_symlink()
    assert (tmp_path / "real/gunicorn.conf.py").read_text() == "preload_app = True\n"


def test_nothing_is_written_through_a_link_out_of_the_project(tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text("preload = True\n")
    write_project(tmp_path / "project", {"start.sh": "#!/bin/sh\nexec gunicorn a:a\n"})
    (tmp_path / "project/gunicorn.conf.py").symlink_to("../outside.py")
    assert repaired(tmp_path / "project", *RULES).patches == () or all(
        patch.path.is_relative_to(tmp_path / "project")
        for patch in repaired(tmp_path / "project", *RULES).patches
    )
    assert outside.read_text() == "preload = True\n"


def test_file_that_has_changed_since_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "gunicorn.conf.py"
    path.write_text("preload = True\n")
    (patch,) = repaired(tmp_path, *RULES, unsafe=False).patches
    path.write_text("preload = True  # a colleague's\n")
    with pytest.raises(FixError, match="has changed since it was read"):
        write(patch)
    assert path.read_text() == "preload = True  # a colleague's\n"


def test_full_disk_leaves_the_old_file_whole(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "gunicorn.conf.py"
    path.write_text("preload = True\n")
    (patch,) = repaired(tmp_path, *RULES, unsafe=False).patches

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FixError, match="No space left on device"):
        write(patch)
    assert [each.name for each in tmp_path.iterdir()] == ["gunicorn.conf.py"]
    assert path.read_text() == "preload = True\n"


def test_fix_that_would_break_its_file_is_not_made(tmp_path: Path, monkeypatch) -> None:
    files = {
        "gunicorn.conf.py": "max_requests = 100\npreload = True\n",
        "start.sh": "#!/bin/sh\nexec gunicorn -w 1 -w 2 shop.wsgi\n",
    }
    write_project(tmp_path, files)

    def broken(*_: object, **__: object) -> tuple[Edit, ...]:
        source = Source("gunicorn.conf.py", files["gunicorn.conf.py"], str(tmp_path))
        return (Edit(source.span(0, 3), "def ("),)

    monkeypatch.setattr(edits, "set_settings", broken)
    fixed = repaired(tmp_path, *RULES)
    assert fixed.spoilt == {tmp_path / "gunicorn.conf.py"}
    assert [patch.path.name for patch in fixed.patches] == ["start.sh"]


def test_interrupt_leaves_the_old_file_whole(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "gunicorn.conf.py"
    path.write_text("preload = True\n")
    (patch,) = repaired(tmp_path, *RULES, unsafe=False).patches

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(patch)
    assert [each.name for each in tmp_path.iterdir()] == ["gunicorn.conf.py"]
    assert path.read_text() == "preload = True\n"


def test_fixes_at_one_place_are_applied_in_rounds(tmp_path: Path) -> None:
    unit = "[Unit]\nRequires=a.service\nRequires=b.service\n" + UNIT.partition("\n\n")[2]
    unit += "ExecStart=/x/gunicorn --graceful-timeout 120 a.wsgi\n"
    write_project(tmp_path, {"web.service": unit})
    (patch,) = repaired(tmp_path, *RULES, unsafe=False).patches
    assert patch.after.decode() == (
        "[Unit]\nRequires=a.service\nRequires=b.service\nAfter=a.service b.service\n"
        "[Service]\nUser=web\nRestart=always\nExecStart=/x/gunicorn --graceful-timeout 120 a.wsgi\n"
        "ExecReload=/bin/kill -s HUP $MAINPID\nTimeoutStopSec=130\n"
    )


def test_secrets_stay_in_the_file_and_out_of_the_diff(run_cli, tmp_path: Path) -> None:
    secret = "n4bQgYhMfWWaL28kq"
    (tmp_path / "start.sh").write_text(f"#!/bin/sh\nexport SECRET_KEY={secret}\n" + SCRIPT[10:])
    shown = run_cli("--diff").stdout
    assert "+exec gunicorn" in shown
    assert secret not in shown
    run_cli("--fix")
    assert secret in (tmp_path / "start.sh").read_text()


def test_diff_says_what_changes_and_where_no_line_end_is(tmp_path: Path) -> None:
    path = tmp_path / "gunicorn.conf.py"
    path.write_text("preload = True")
    (patch,) = repaired(tmp_path, *RULES, unsafe=False).patches
    assert diff(patch, "gunicorn.conf.py") == (
        "--- a/gunicorn.conf.py\n+++ b/gunicorn.conf.py\n@@ -1 +1 @@\n-preload = True\n"
        "\\ No newline at end of file\n+preload_app = True\n\\ No newline at end of file\n"
    )


# killed in the middle


FILES, KILLS = 500, 50


def test_killed_at_any_moment_every_file_is_old_or_new(tmp_path: Path) -> None:
    old, new = b"preload = True\n" * 20, b"preload_app = True\n" * 20
    paths = [tmp_path / f"gunicorn{number}.conf.py" for number in range(FILES)]
    patches = [Patch(path, old, new) for path in paths]
    for path in paths:
        path.write_bytes(old)
    started = time.monotonic()
    for patch in patches:
        write(patch)
    whole = time.monotonic() - started
    moments = random.Random(0)
    for _ in range(KILLS):
        for path in paths:
            path.write_bytes(old)
        child = multiprocessing.get_context("fork").Process(target=lambda: [*map(write, patches)])
        child.start()
        time.sleep(moments.uniform(0, whole))
        child.kill()
        child.join()
        assert {path.read_bytes() for path in paths} <= {old, new}


# the command line


SCRIPT = "#!/bin/sh\nexec gunicorn shop.wsgi --max-requests 500 --access-logfile -\n"


@pytest.fixture
def run_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run gunilint in a project with one start script that has one safe fix."""
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path, {"start.sh": SCRIPT})

    def invoke(*arguments: str, **options) -> CliResult:
        result = CliRunner().invoke(main, arguments, **options)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    return invoke


def test_fix_writes_and_reports_what_is_left(run_cli, tmp_path: Path) -> None:
    result = run_cli("--fix")
    assert result.exit_code == 0
    assert result.stdout == "1 file checked, 1 deployment, no problems; 1 repaired\n"
    assert (tmp_path / "start.sh").read_text().endswith("- --max-requests-jitter 50\n")
    assert run_cli("--fix").stdout == "1 file checked, 1 deployment, no problems\n"


def test_diff_shows_and_changes_nothing(run_cli, tmp_path: Path) -> None:
    result = run_cli("--diff")
    assert result.exit_code == 1
    assert result.stdout.startswith("--- a/start.sh\n+++ b/start.sh\n")
    assert (tmp_path / "start.sh").read_text() == SCRIPT
    assert run_cli("--diff", "--exit-zero").exit_code == 0
    run_cli("--fix")
    assert (run_cli("--diff").exit_code, run_cli("--diff").stdout) == (0, "")


def test_text_offers_the_fix(run_cli) -> None:
    shown = run_cli().stdout
    assert " = fix: set `max_requests_jitter` to a tenth of `max_requests` (--fix)\n" in shown
    assert "; 1 fixable with --fix\n" in shown


def test_json_and_sarif_have_the_edits(run_cli) -> None:
    (found,) = json.loads(run_cli("--format", "json").stdout)["findings"]
    assert found["fix"]["safe"] is True
    (edit,) = found["fix"]["edits"]
    assert edit["replacement"] == " --max-requests-jitter 50"
    assert (edit["line"], edit["column"], edit["end_column"]) == (2, 62, 62)
    (result,) = json.loads(run_cli("--format", "sarif").stdout)["runs"][0]["results"]
    (change,) = result["fixes"][0]["artifactChanges"]
    assert change["replacements"][0]["insertedContent"]["text"] == " --max-requests-jitter 50"


def test_standard_input_can_be_diffed_and_not_fixed(run_cli) -> None:
    arguments = ("-", "--stdin-filename", "start.sh")
    result = run_cli(*arguments, "--diff", input=SCRIPT)
    assert (
        "+exec gunicorn shop.wsgi --max-requests 500 --access-logfile - --max-requests-j"
        in result.stdout
    )
    refused = run_cli(*arguments, "--fix", input=SCRIPT)
    assert (refused.exit_code, refused.stderr.count("standard input")) == (2, 1)
