"""gunilint's own configuration: which file holds, what it may say, what beats it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gunilint.catalogue.instances import cpus_of
from gunilint.config import KEYS, Config, ConfigError, load, schema
from gunilint.policy import policy


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Write files below a repository and load the configuration for one of its folders."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()

    def run(files: dict[str, str], start: str = ".", **options: Any) -> Config:
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        return load(tmp_path / start, environ=options.pop("environ", {}), **options)

    return run


def test_default_configuration_has_no_file(project) -> None:
    assert project({}).file is None
    assert project({}).fail_on == "warning"
    assert project({}).origin("fail-on") == "default"


EVERYTHING = """
select = ["GU3", "lifecycle"]
extend-select = ["GU417"]
ignore = ["no-max-requests"]
pedantic = true
min-confidence = "medium"
fail-on = "error"
exclude = ["legacy/"]
baseline = "known.json"
gunicorn-version = "23.0.0"
python-version = "3.12"
app = "asgi"
instance = "c5.xlarge"
max-file-size = 4096
extend-rules = []

[per-file-ignores]
"dev/*" = ["GU305"]

[severity]
GU302 = "error"
"""


def test_every_key_is_read(project) -> None:
    found = project({"gunilint.toml": EVERYTHING})
    named = {key.name for key in KEYS} - {"cpus", "extend-rules"}
    default = Config()
    assert all(found.value(name) != default.value(name) for name in named)
    assert found.per_file_ignores == {"dev/*": ("GU305",)}
    assert found.severity == {"GU302": "error"}
    assert found.target_cpus == 4


def test_pyproject_holds_the_same_below_tool_gunilint(project) -> None:
    text = '[project]\nname = "x"\n\n[tool.gunilint]\nfail-on = "note"\n'
    found = project({"pyproject.toml": text})
    assert (found.fail_on, found.origin("fail-on")) == ("note", "pyproject.toml:5")


NEAREST = [
    pytest.param({"gunilint.toml": 'fail-on = "error"'}, "a/b", "error", id="above"),
    pytest.param(
        {"gunilint.toml": 'fail-on = "error"', "a/gunilint.toml": 'fail-on = "note"'},
        "a/b", "note", id="nearer",
    ),
    pytest.param(
        {"gunilint.toml": 'fail-on = "error"', "a/pyproject.toml": "[project]"},
        "a/b", "error", id="a pyproject.toml without a table for gunilint is passed over",
    ),
    pytest.param(
        {"gunilint.toml": 'fail-on = "error"', "a/pyproject.toml": 'dependencies = ["gunilint"]'},
        "a/b", "error", id="so is one that only mentions it",
    ),
    pytest.param(
        {"gunilint.toml": 'fail-on = "error"', "a/pyproject.toml": "[project"},
        "a/b", "error", id="and one that is broken, and doesn't",
    ),
    pytest.param(
        {"gunilint.toml": 'fail-on = "error"', "a/.git/HEAD": ""},
        "a/b", "warning", id="a repository's top ends the search",
    ),
    pytest.param(
        {"gunilint.toml": 'fail-on = "error"', "pyproject.toml": '[tool.gunilint]\nfail-on = "note"'},
        ".", "error", id="gunilint.toml before pyproject.toml",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("files", "start", "fail_on"), NEAREST)
def test_nearest_file_upwards_holds(project, files, start, fail_on: str) -> None:
    assert project({**files, "a/b/x": ""}, start).fail_on == fail_on


def test_command_line_beats_environment_beats_file(project) -> None:
    files = {"gunilint.toml": 'fail-on = "error"\n'}
    environ = {"GUNILINT_FAIL_ON": "note"}
    assert project(files, environ=environ).origin("fail-on") == "$GUNILINT_FAIL_ON"
    found = project(files, environ=environ, given={"fail-on": "warning"})
    assert (found.fail_on, found.origin("fail-on")) == ("warning", "command line")
    assert project(files, isolated=True).fail_on == "warning"


def test_environment_gives_lists_flags_and_numbers(project) -> None:
    environ = {
        "GUNILINT_SELECT": "GU3, GU4",
        "GUNILINT_PEDANTIC": "true",
        "GUNILINT_CPUS": "8",
        "GUNILINT_IGNORE": "",
    }
    found = project({}, environ=environ)
    assert (found.select, found.pedantic, found.cpus) == (("GU3", "GU4"), True, 8)
    assert found.origin("ignore") == "default"


REFUSED = [
    ('fial-on = "note"', "gunilint.toml:1: there is no key `fial-on`; did you mean `fail-on`?"),
    ("\n\nper_file_ignores = {}", "gunilint.toml:3: there is no key `per_file_ignores`; did you mean"),
    ("colour = 1", "gunilint.toml:1: there is no key `colour`; the keys are select,"),
    ('cpus = "2"', "gunilint.toml:1: `cpus` has to be a whole number above zero, not '2'"),
    ("cpus = true", "has to be a whole number"),
    ('select = "GU301"', "`select` has to be a list of strings"),
    ('# x\nselect = [\n  "a",\n  3,\n]', "gunilint.toml:2: `select` has to be a list of strings"),
    ('fail-on = "fatal"', '`fail-on` has to be one of "error", "warning", "note"'),
    ('instance = "huge"', "an instance type such as"),
    ('gunicorn-version = "latest"', "a version such as"),
    ("severity = []", "a table of rules and their severities"),
    ("pedantic = 1", "true or false"),
    ("baseline = 1", "a string"),
    ("fail-on = ", "gunilint.toml: Invalid value (at end of document)"),
    ('select = ["GU999"]', "gunilint.toml:1: 'GU999' is no rule, prefix or category"),
    ('ignore = ["no-max-request"]', "did you mean no-max-requests?"),
    ('[per-file-ignores]\n"x" = ["GUX"]', "gunilint.toml:1: 'GUX' is no rule"),
    ('[severity]\nGU9x9 = "note"', "gunilint.toml:1: 'GU9x9' is no rule"),
    ('extend-rules = ["nowhere"]', "nowhere is no folder"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[text for text, _ in REFUSED])
def test_what_can_not_be_used_is_refused_with_its_place(project, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        policy(project({"gunilint.toml": text}))
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("name", "text"), [("CPUS", "two"), ("PEDANTIC", "maybe"), ("FAIL_ON", "never")]
)
def test_bad_variable_is_refused_by_name(project, name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=rf"\$GUNILINT_{name} has to be .*'{text}'"):
        project({}, environ={f"GUNILINT_{name}": text})


def test_file_that_is_no_utf_8_is_refused(project, tmp_path: Path) -> None:
    (tmp_path / "gunilint.toml").write_bytes(b"# \xff\n")
    with pytest.raises(ConfigError, match=r"gunilint\.toml: it isn't UTF-8"):
        project({})


def test_schema_says_what_the_reader_takes() -> None:
    import tomli

    jsonschema.Draft7Validator.check_schema(schema())
    validator = jsonschema.Draft7Validator(schema())
    validator.validate(tomli.loads(EVERYTHING))
    for text in ('fial-on = "x"', 'cpus = "2"', "cpus = 0", 'select = "GU3"', 'app = "cgi"'):
        assert not validator.is_valid(tomli.loads(text))


def test_published_schema_is_fresh() -> None:
    published = Path(__file__).parents[1] / "docs/gunilint.schema.json"
    assert json.loads(published.read_text()) == schema()


@pytest.mark.parametrize(
    ("instance", "cpus"),
    [("t3.micro", 2), ("t3.medium", 2), ("c5.xlarge", 4), ("c5.2xlarge", 8), ("m7g.medium", 1),
     ("t2.micro", 1), ("t2.medium", 2), ("c6i.large", 2), ("u-6tb1.112xlarge", 448), ("x.y", None),
     ("c5.metal", None)],
)  # fmt: skip
def test_instances_have_the_cpus_that_aws_gives_them(instance: str, cpus: int | None) -> None:
    assert cpus_of(instance) == cpus
