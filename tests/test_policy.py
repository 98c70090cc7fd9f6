"""What the configuration makes of a run: which rules, which files, which severity."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gunilint.cli import main
from gunilint.engine import run as run_engine
from gunilint.policy import Policy, same
from gunilint.rules import choose, load_rules
from projects import write

RULES = load_rules()
DEFAULT = {rule.code for rule in RULES if rule.default}
OFF = {rule.code for rule in RULES if not rule.default}
SYSTEMD = {rule.code for rule in RULES if rule.category == "systemd"}


SELECTIONS = [
    ({}, DEFAULT),
    ({"pedantic": True}, DEFAULT | OFF),
    ({"select": ["GU301"]}, {"GU301"}),
    ({"select": ["GU301"], "pedantic": True}, {"GU301"}),
    ({"extend_select": ["GU417"]}, DEFAULT | {"GU417"}),
    ({"ignore": ["all"]}, set()),
    ({"ignore": ["all"], "select": ["GU301"]}, {"GU301"}),
    ({"ignore": ["systemd"], "extend_select": ["GU417"]}, DEFAULT - SYSTEMD | {"GU417"}),
    ({"select": ["all"], "ignore": ["GU3"]}, {r.code for r in RULES if r.code[:3] != "GU3"}),
    ({"select": ["GU3"], "ignore": ["GU30"]}, {"GU310", "GU311", "GU312", "GU313", "GU314"}),
    ({"select": ["no-max-requests"], "ignore": ["GU301"]}, set()),
    ({"select": ["GU301"], "ignore": ["lifecycle", "GU30"]}, {"GU301"}),
    ({"pedantic": True, "ignore": ["GU417"]}, DEFAULT | OFF - {"GU417"}),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "runs"), SELECTIONS, ids=[str(asked) for asked, _ in SELECTIONS])
def test_what_names_a_rule_more_closely_wins(asked, runs: set[str]) -> None:
    assert {rule.code for rule in choose(RULES, **asked)} == runs


CONFIG = "bind = ':80'\ntimeout = 0\nreload = True\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run gunilint in a project; what it finds as `path code severity`, or the whole result."""
    monkeypatch.chdir(tmp_path)

    def invoke(files: dict[str, str], *arguments: str, **options) -> Result:
        write(tmp_path, {"pyproject.toml": "", **files})
        return CliRunner().invoke(main, ["--format", "json", *arguments], **options)

    return invoke


def found(result: Result) -> list[tuple[str, str, str]]:
    return [
        (each["path"], each["code"], each["severity"])
        for each in json.loads(result.stdout)["findings"]
    ]


@pytest.mark.parametrize("key", ["GU204", "timeout-disabled", "GU2", "timeouts"])
def test_severity_is_graded_by_code_name_prefix_or_category(run, key: str) -> None:
    files = {"gunicorn.conf.py": CONFIG, "gunilint.toml": f'[severity]\n{key} = "note"\n'}
    result = run(files, "--select", "GU204")
    assert found(result) == [("gunicorn.conf.py", "GU204", "note")]
    assert result.exit_code == 0


def test_grade_of_a_rule_beats_that_of_its_group(run) -> None:
    grades = '[severity]\nGU2 = "note"\nGU204 = "error"\ntimeouts = "note"\n'
    files = {"gunicorn.conf.py": CONFIG, "gunilint.toml": grades}
    assert found(run(files, "--select", "GU204")) == [("gunicorn.conf.py", "GU204", "error")]


def test_rules_are_left_out_in_some_files(run) -> None:
    ignores = '[per-file-ignores]\n"staging/" = ["GU204"]\n"*.dev.py" = ["all"]\n'
    files = {f"{name}/gunicorn.conf.py": CONFIG for name in ("staging", "prod")}
    result = run({**files, "gunilint.toml": ignores}, "--select", "GU204,GU305")
    assert [(path, code) for path, code, _ in found(result)] == [
        ("prod/gunicorn.conf.py", "GU204"),
        ("prod/gunicorn.conf.py", "GU305"),
        ("staging/gunicorn.conf.py", "GU305"),
    ]


FILES = {"a/gunicorn.conf.py": CONFIG, "b/gunicorn.conf.py": CONFIG}


@pytest.mark.parametrize(
    ("arguments", "paths"),
    [
        ([], ["a", "b"]),
        (["--exclude", "b/"], ["a"]),
        (["--exclude", "/b, *.sh"], ["a"]),
        (["--exclude", "b/", "b/gunicorn.conf.py"], ["b"]),
        (["--exclude", "b/", "--force-exclude", "b/gunicorn.conf.py", "a"], ["a"]),
    ],
    ids=str,
)
def test_excluded_files_are_left_out_unless_they_are_named(run, arguments, paths) -> None:
    result = run(FILES, "--select", "GU204", *arguments)
    assert [path for path, _, _ in found(result)] == [f"{each}/gunicorn.conf.py" for each in paths]


def test_patterns_are_relative_to_the_configuration_file(run) -> None:
    files = {**FILES, "gunilint.toml": 'exclude = ["/b/"]\n', "a/b/gunicorn.conf.py": CONFIG}
    result = run(files, "--select", "GU204")
    assert [path for path, _, _ in found(result)] == ["a/b/gunicorn.conf.py", "a/gunicorn.conf.py"]


def test_each_input_has_the_configuration_next_to_it(run) -> None:
    files = {
        **{f"{name}/pyproject.toml": "" for name in ("a", "b")},
        **FILES,
        "a/gunilint.toml": 'ignore = ["GU204"]\n',
        "b/gunilint.toml": '[severity]\nGU204 = "error"\n',
    }
    result = run(files, "--select", "GU204", "--fail-on", "error", "a", "b")
    assert found(result) == [("b/gunicorn.conf.py", "GU204", "error")]
    assert result.exit_code == 1


def test_bad_configuration_ends_in_one_sentence(run) -> None:
    result = run({"gunicorn.conf.py": CONFIG, "gunilint.toml": "selec = []\n"})
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "error: gunilint.toml:1: there is no key `selec`; did you mean `select`?\n"
    )


def test_isolated_and_another_file(run, tmp_path: Path) -> None:
    files = {"gunicorn.conf.py": CONFIG, "gunilint.toml": 'ignore = ["all"]\n', "ci.toml": ""}
    assert found(run(files)) == []
    assert found(run(files, "--isolated", "--select", "GU204"))
    assert found(run(files, "--config", "ci.toml", "--select", "GU204"))


def test_show_of_the_configuration(run) -> None:
    files = {"gunilint.toml": '\nfail-on = "error"\n'}
    write_arguments = ["config", "--format", "json"]
    result = run(files)  # writes the project
    shown = json.loads(CliRunner().invoke(main, write_arguments).stdout)
    assert result.exit_code == 3
    assert shown["fail-on"] == {"value": "error", "from": "gunilint.toml:2"}
    assert shown["pedantic"] == {"value": False, "from": "default"}
    text = CliRunner().invoke(main, ["config"]).stdout
    assert 'fail-on           "error"  (gunilint.toml:2)\n' in text


# facts that no file tells


@pytest.mark.parametrize(
    ("facts", "arguments", "code"),
    [
        ({"cpus": 1}, ["-w", "4"], "GU107"),
        ({"instance": "t2.micro"}, ["-w", "4"], "GU107"),
        ({"app": "asgi"}, [], "GU101"),
        ({"app": "wsgi"}, ["-k", "uvicorn_worker.UvicornWorker"], "GU102"),
    ],
    ids=str,
)
def test_facts_are_told_in_the_configuration(run, facts, arguments, code: str) -> None:
    told = "".join(f"{key} = {json.dumps(value)}\n" for key, value in facts.items())
    script = f"#!/bin/sh\nexec gunicorn {' '.join(arguments)} somewhere:app\n"
    assert found(run({"start.sh": script, "gunilint.toml": told}, "--select", code))
    for path, each, severity in found(run({"gunilint.toml": ""}, "--select", code)):
        assert (path, each, severity) == ("start.sh", "GU101", "note")


def test_python_version_decides_a_branch(run) -> None:
    text = "import sys\nworkers = 2\nif sys.version_info >= (3, 12):\n    timeout = 0\n"
    files = {"gunicorn.conf.py": text}
    assert found(run(files, "--select", "GU204", "--python-version", "3.12"))
    assert found(run(files, "--select", "GU204", "--python-version", "3.11")) == []


# contents that aren't in files


def test_standard_input_stands_for_a_file(run) -> None:
    files = {"start.sh": "#!/bin/sh\nexec gunicorn shop:app -c deploy/gunicorn.conf.py\n"}
    arguments = (
        "--stdin-filename",
        "deploy/gunicorn.conf.py",
        "--select",
        "GU204",
        "-",
        "start.sh",
    )
    result = run(files, *arguments, input="timeout = 0\n")
    assert found(result) == [("deploy/gunicorn.conf.py", "GU204", "warning")]


def test_engine_takes_what_an_editor_has_not_saved(tmp_path: Path) -> None:
    write(tmp_path, {"gunicorn.conf.py": "timeout = 30\n", "start.sh": "#!/bin/sh\n"})
    policies = same(Policy(tuple(rule for rule in RULES if rule.code == "GU204")))
    unsaved = {
        tmp_path / "start.sh": b"#!/bin/sh\nexec gunicorn -t 0 shop:app\n",
        tmp_path / "new/gunicorn.conf.py": b"timeout = 0\n",
    }
    result = run_engine([tmp_path], policies, unsaved)
    assert [finding.primary.span.source.path for finding in result.findings] == [
        "new/gunicorn.conf.py",
        "start.sh",
    ]
    assert (tmp_path / "gunicorn.conf.py").read_text() == "timeout = 30\n"


@pytest.mark.parametrize(
    ("limit", "codes"), [(len(CONFIG), ["GU204"]), (len(CONFIG) - 1, ["GU001"])]
)
def test_max_file_size_decides_what_is_read(run, limit: int, codes: list[str]) -> None:
    files = {"gunicorn.conf.py": CONFIG, "gunilint.toml": f"max-file-size = {limit}\n"}
    assert [code for _, code, _ in found(run(files, "--select", "GU001,GU204"))] == codes
