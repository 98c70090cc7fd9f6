"""A team's own rules: what their files may say, and what comes of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from gunilint.catalogue import catalogue
from gunilint.checks.shared import SHARED, check_use
from gunilint.cli import main
from gunilint.disk import Disk
from gunilint.engine import lint
from gunilint.kinds import MisfitError
from gunilint.rule_file import KEYS, SIZE_LIMIT, read
from gunilint.rules import Rule, RuleError, load_rules
from projects import write

EXAMPLES = Path(__file__).parents[1] / "docs/examples/team-rules"
SARIF_SCHEMA = Path(__file__).parent / "data/sarif-schema-2.1.0.json"
OURS = {f"ops/{path.name}": path.read_text() for path in sorted(EXAMPLES.glob("*.yaml"))}
CONFIG = {"gunilint.toml": 'extend-rules = ["ops"]\n'}
SERVICE = """\
[Service]
Type=notify
WorkingDirectory=/srv/shop
User=shop
ExecStart=/srv/shop/venv/bin/gunicorn --timeout 90 --max-requests 900 --max-requests-jitter 90 shop:app
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run gunilint at the top of a repository with these files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()

    def invoke(files: dict[str, str], *arguments: str) -> Result:
        write(tmp_path, files)
        result = CliRunner().invoke(main, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    return invoke


# what they do


def ours(result: Result) -> list[str]:
    """The findings of a team's rules: place, code, severity."""
    found = [line.split() for line in result.stdout.splitlines()]
    return [" ".join(words[:3]) for words in found if len(words) > 1 and "OPS" in words[1]]


def test_rules_of_a_team_run_beside_our_own(run) -> None:
    result = run({**OURS, **CONFIG, "shop.service": SERVICE}, "--format", "concise")
    assert ours(result) == [
        "shop.service:5:1: OPS003 warning",
        "shop.service:5:49: OPS001 warning",
        "shop.service:5:96: OPS002 error",
    ]
    assert "GU310" in result.stdout


@pytest.mark.parametrize(
    ("more", "arguments", "codes"),
    [
        pytest.param("", ["--select", "OPS"], "OPS003 OPS001 OPS002", id="by prefix"),
        pytest.param("", ["--select", "no-memory-max"], "OPS003", id="by name"),
        pytest.param("", ["--select", "timeouts", "--ignore", "GU"], "OPS001", id="by category"),
        pytest.param('ignore = ["OPS"]', [], "", id="all ignored"),
        pytest.param('ignore = ["OPS"]', ["--extend-select", "OPS003"], "OPS003", id="but one"),
        pytest.param('[per-file-ignores]\n"*.service" = ["OPS00"]', [], "", id="ignored in a file"),
    ],
)
def test_they_are_chosen_as_others_are(run, more: str, arguments: list[str], codes: str) -> None:
    config = {"gunilint.toml": CONFIG["gunilint.toml"] + more}
    result = run({**OURS, **config, "a.service": SERVICE}, "--format", "concise", *arguments)
    assert " ".join(line.split()[1] for line in ours(result)) == codes


def test_their_severity_can_be_changed(run) -> None:
    config = {"gunilint.toml": CONFIG["gunilint.toml"] + '[severity]\nOPS003 = "note"\n'}
    result = run({**OURS, **config, "a.service": SERVICE}, "--select", "OPS", "--format", "concise")
    assert "a.service:5:1: OPS003 note" in ours(result)


def test_a_rule_may_be_off_until_it_is_selected(run) -> None:
    rules = {"ops/a.yaml": OURS["ops/OPS003-no-memory-max.yaml"] + "default: false\n"}
    files = {**rules, **CONFIG, "a.service": SERVICE}
    assert ours(run(files, "--format", "concise")) == []
    assert len(ours(run(files, "--format", "concise", "--pedantic"))) == 1


def test_sarif_with_them_is_valid(run) -> None:
    log = json.loads(run({**OURS, **CONFIG, "a.service": SERVICE}, "--format", "sarif").stdout)
    Draft202012Validator(json.loads(SARIF_SCHEMA.read_text())).validate(log)
    rules = {rule["id"]: rule for rule in log["runs"][0]["tool"]["driver"]["rules"]}
    assert rules["OPS001"]["helpUri"] == "https://wiki.example.com/operations/load-balancer"
    assert "helpUri" not in rules["OPS003"]
    for rule in rules.values():
        assert rule["fullDescription"]["text"]
        assert rule["help"]["markdown"]


def test_two_settings_are_compared(run) -> None:
    rule = {
        "ops/a.yaml": """\
code: OPS010
name: grace-above-timeout
summary: "`graceful_timeout` is above `timeout`."
severity: warning
check: setting-is
with: {setting: graceful_timeout, above: timeout}
message: "`graceful_timeout` is {value}, above `timeout`, which is {timeout}"
labels: {than: shorter}
examples:
  - bad: {gunicorn.conf.py: "timeout = 20\\ngraceful_timeout = 30\\n"}
    expect: ["gunicorn.conf.py:2:20"]
    good: {gunicorn.conf.py: "timeout = 20\\ngraceful_timeout = 20\\n"}
  - bad: {gunicorn.conf.py: "graceful_timeout = 40\\n"}
    expect: ["gunicorn.conf.py:1:20"]
    good: {gunicorn.conf.py: "import os\\ntimeout = os.environ['T']\\ngraceful_timeout = 40\\n"}
"""
    }
    assert run(rule, "rules", "--check", "ops").stdout == "1 rules with 2 examples are fine\n"
    config = {"gunicorn.conf.py": "timeout = 20\ngraceful_timeout = 30\n"}
    text = run({**rule, **CONFIG, **config}, "--select", "OPS").stdout
    assert "warning[OPS010]: `graceful_timeout` is 30, above `timeout`, which is 20" in text
    assert "-- shorter" in text


def test_what_a_directive_depends_on_is_told(run) -> None:
    rule = {
        "ops/a.yaml": """\
code: OPS011
name: no-limit-with-threads
summary: Many threads without a limit.
severity: warning
check: directive-missing
with: {directives: [TasksMax], given: {threads: {above: 50}}, workers: [gthread]}
message: "{unit} has no TasksMax=, and `threads` is {threads}"
labels: {given: so many}
"""
    }
    unit = SERVICE.replace("--timeout 90", "--threads 99")
    text = run({**rule, **CONFIG, "a.service": unit}, "--select", "OPS").stdout
    assert "a.service has no TasksMax=, and `threads` is 99" in text
    assert "-- so many" in text
    unit = SERVICE.replace("--timeout 90", "--threads 9")
    assert run({**rule, **CONFIG, "a.service": unit}, "--select", "OPS").exit_code == 0


def test_a_setting_that_this_gunicorn_lacks_does_not_match(run) -> None:
    rule = {
        "ops/a.yaml": OURS["ops/OPS003-no-memory-max.yaml"].replace(
            "[MemoryMax]", "[MemoryMax], given: {control_socket_disable: {values: [false]}}"
        )
        + "labels: {given: x}\n"
    }
    files = {**rule, **CONFIG, "a.service": SERVICE}
    assert run(files, "--select", "OPS", "--gunicorn-version", "23.0.0").exit_code == 0
    assert run(files, "--select", "OPS").exit_code == 1


# the commands that show rules


def test_rules_and_explain_know_those_of_the_configuration_here(run) -> None:
    files = {**OURS, **CONFIG}
    assert "OPS001  warning  timeout-above-60" in run(files, "rules").stdout
    assert "OPS001" not in run(files, "rules", "--isolated").stdout
    listed = json.loads(run(files, "rules", "--format", "json").stdout)
    assert [rule["code"] for rule in listed if rule["team"]] == ["OPS001", "OPS002", "OPS003"]
    assert "The load balancer answers" in run(files, "explain", "ops001").stdout
    assert "OPS003 no-memory-max" in run(files, "explain", "no-memory-max").stdout
    assert "did you mean no-memory-max?" in run(files, "explain", "no-memory-mix").stderr
    assert run(files, "explain", "OPS001", "--isolated").exit_code == 2


def test_another_configuration_can_be_named(run) -> None:
    files = {**OURS, "ci/gunilint.toml": 'extend-rules = ["../ops"]\n'}
    assert "OPS001" not in run(files, "rules").stdout
    assert "OPS001" in run(files, "rules", "--config", "ci/gunilint.toml").stdout
    assert run(files, "explain", "OPS001", "--config", "ci/gunilint.toml").exit_code == 0


def test_explaining_our_own_needs_no_configuration(run) -> None:
    assert run({"gunilint.toml": "nonsense = 1\n"}, "explain", "GU301").exit_code == 0
    assert run({}, "rules").exit_code == 2


# trying them out


def test_examples_are_tried_out(run) -> None:
    result = run(OURS, "rules", "--check", "ops")
    assert (result.exit_code, result.stdout) == (0, "3 rules with 4 examples are fine\n")


def test_check_says_all_that_is_wrong(run) -> None:
    right = OURS["ops/OPS001-timeout-above-60.yaml"]
    files = {
        "ops/a.yaml": right.replace("py:1:11", "py:1:10").replace(
            "timeout = 60\n", "timeout = 61\n"
        ),
        "ops/b.yaml": right.replace("OPS001", "OPS002").replace("above: 60", "abov: 60"),
        "ops/c.yaml": right,
    }
    result = run(files, "rules", "--check", "ops")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "ops/a.yaml: in example 1 the bad files have to give gunicorn.conf.py:1:10, "
        "but give gunicorn.conf.py:1:11",
        "ops/a.yaml: in example 1 the good files have to give nothing, "
        "but give gunicorn.conf.py:1:11",
        "ops/b.yaml:9: setting-is takes no `abov`; did you mean `above`?",
        "ops/c.yaml: OPS001 and OPS001 are both called OPS001",
    ]


@pytest.mark.parametrize(
    ("files", "status"),
    [({}, 2), ({"ops/README.md": ""}, 2), ({"ops": ""}, 2)],
    ids=["no folder", "no rules in it", "a file"],
)
def test_check_needs_a_folder_with_rules(run, files: dict[str, str], status: int) -> None:
    assert run(files, "rules", "--check", "ops").exit_code == status


def test_example_whose_files_can_not_be_is_named(run) -> None:
    both = OURS["ops/OPS001-timeout-above-60.yaml"].replace(
        "        timeout = 60\n", "        timeout = 60\n      gunicorn.conf.py/x: y\n"
    )
    result = run({"ops/a.yaml": both}, "rules", "--check", "ops")
    assert "in example 1 the good files can't be written" in result.stdout


# what is refused: one sentence with the place

RULE = """\
code: OPS001
name: some-rule
summary: Something.
severity: warning
check: setting-is
with: {setting: timeout, above: 60}
message: m
"""
GIVEN = RULE.replace("above: 60", "above: 60, given: {workers: {above: 1}}")


def without(key: str) -> str:
    return "".join(line for line in RULE.splitlines(True) if not line.startswith(key))


def using(check: str, parameters: str, more: str = "") -> str:
    return f"{without('with').replace('setting-is', check)}with: {{{parameters}}}\n{more}"


REFUSED = [
    # the file
    ("a: [", "a.yaml:1: it isn't YAML: did not find expected"),
    (RULE + "why: a: b", "a.yaml:8: it isn't YAML: mapping values are not allowed"),
    (RULE + "\tx: 1", "a.yaml:8: it isn't YAML: found a tab character"),
    ("a: \x00", "a.yaml: it isn't YAML: "),
    ("a: 1\n---\nb: 2\n", "a.yaml:2: it isn't YAML: but found another document"),
    ("", "a.yaml: it has to be one mapping, with code, name, summary, severity, check, message"),
    ("- a list", "a.yaml: it has to be one mapping"),
    (RULE + "name: other\n", "a.yaml:8: `name` is there twice"),
    (RULE + "why: &x a\nremedy: *x\n", "a.yaml:8: an alias refers to it, and rule files have none"),
    (RULE + "fix: {<<: {a: b}}\n", "a.yaml:8: `!!merge` has no meaning in a rule"),
    (RULE + "why: !!python/object/apply:os.system ['true']\n", "a.yaml:8: `!!python/object/apply:os"),
    (RULE + "? [a, b]\n: c\n", "a.yaml:8: a key has to be a string"),
    (RULE + f"fix: {'[' * 40}{']' * 40}\n", "a.yaml:8: it is nested too deeply"),
    ("[" * 100_000, "a.yaml:1: it isn't YAML: exceeded maximum nesting depth"),
    (RULE + "#" * SIZE_LIMIT, "a.yaml: it has more than 256 KiB"),
    # its keys
    (without("message"), "a.yaml: it lacks message"),
    (without("name").replace("severity: warning\n", ""), "a.yaml: it lacks name, severity"),
    (RULE + "colour: red\n", "a.yaml:8: there is no key `colour`"),
    (RULE + "sevrity: note\n", "a.yaml:8: there is no key `sevrity`; did you mean `severity`?"),
    (RULE + "variants: {old: {help: h}}\n", "a.yaml:8: nothing has `variant: old`, so it is never said"),
    (using("directive-is", "directive: Type, values: [a]", "variants: {x: {}}\n"), "nothing has `variant: x`"),
    (using("setting-is", "settings: {timeout: {above: 1, variant: long}}"), "there is no variant `long`"),
    (using("setting-is", "settings: {timeout: [{above: 1, variant: x}]}", "variants: {x: {help: '{item}'}}\n"), "a.yaml:8: `variants.x.help` has {item}, which nothing fills"),
    (using("setting-is", "settings: {timeout: [{above: 1}, 3]}"), "`with.settings.timeout.2` needs a matcher"),
    (using("setting-is", "settings: {timeout: []}"), "`with.settings.timeout` needs a matcher"),
    (using("setting-is", "settings: {timeout: {above: 1, before: 23.0}}"), "`with.settings.timeout.before` has to be a string with a version"),
    (using("setting-is", "settings: {timeout: {above: 1, given: {workers: 3}}}"), "`with.settings.timeout.given.workers` needs a matcher"),
    (using("setting-is", "settings: {bind: {values: [[a]], prefix: b}}").replace(": m\n", ": '{rest}'\n"), "`message` has {rest}, which nothing fills"),
    (RULE + "fix: {safe: true}\n", "a.yaml:8: there is no key `fix`"),
    (RULE + "1: 2\n", "a.yaml:8: there is no key `1`"),
    (RULE.replace("OPS001", "GU999"), "a.yaml:1: `code` has to be formed as OPS001, and not begin with"),
    (RULE.replace("OPS001", "ops1"), "not 'ops1'"),
    (RULE.replace("OPS001", "7"), "a.yaml:1: `code` has to be formed as OPS001"),
    (RULE.replace("some-rule", "Some Rule"), "a.yaml:2: `name` has to be formed as name-of-the-problem"),
    (RULE.replace("Something.", "2026-01-31"), "a.yaml:3: `summary` has to be a string of one line, not datetime.date(2026, 1, 31); numbers, dates, yes and no are strings only in quotes"),
    (RULE.replace("warning", "fatal"), "a.yaml:4: `severity` has to be one of error, warning, note, not 'fatal'"),
    (RULE.replace("message: m", "message: 3"), "a.yaml:7: `message` has to be a line in which braces hold"),
    (RULE.replace("message: m", 'message: ""'), "a.yaml:7: `message` has to be a line"),
    (RULE.replace("message: m", "message: a {"), "a.yaml:7: `message` has to be a line"),
    (RULE.replace("message: m", 'message: "{value.__class__}"'), "a.yaml:7: `message` has to be"),
    (RULE.replace("message: m", 'message: "{value:d}"'), "a.yaml:7: `message` has to be"),
    (RULE.replace("message: m", 'message: "{}"'), "a.yaml:7: `message` has to be"),
    (RULE + "confidence: [high]\n", "`confidence` has to be one of high, medium, low, not ['high']"),
    (RULE + "category: cats\n", "`category` has to be one of configuration, workers,"),
    (RULE + "default: 'yes'\n", "`default` has to be true or false, not 'yes'"),
    (RULE + "since: 0.1\n", "`since` has to be a string with a version, such as \"23.0.0\", not 0.1; numbers"),
    (RULE + "versions: '~=20'\n", "`versions` has to be versions of gunicorn such as"),
    (RULE + "labels: []\n", "`labels` has to be a mapping from names to lines of text, not []"),
    (RULE + "references: [wiki]\n", "`references` has to be a list of links that begin with https://"),
    (RULE + "cwe: '79'\n", "`cwe` has to be a whole number above zero, not '79'"),
    (RULE + "security-severity: 11.0\n", "`security-severity` has to be a string with a number"),
    (RULE + "examples: {}\n", "`examples` has to be a list, not {}"),
    (RULE + "examples: [x]\n", "`examples.1` has to be one mapping, with bad, expect, good"),
    (RULE + "examples: [{bad: {}}]\n", "`examples.1` lacks expect, good"),
    (RULE + "examples: [{bad: {../x: y}, expect: [], good: {}}]\n", "`examples.1.bad` has to be a mapping from paths below a folder"),
    (RULE + "examples: [{bad: {/x: y}, expect: [], good: {}}]\n", "a.yaml:8: `examples.1.bad` has to be"),
    (RULE + "examples: [{bad: {}, expect: [1], good: {}}]\n", "`examples.1.expect` has to be a list of places such as start.sh:2"),
    (RULE + "examples: [{bad: {}, expect: [], good: {}, options: {cpu: 2}}]\n", "there is no key `examples.1.options.cpu`; did you mean `cpus`?"),
    # the use of a shared check
    (RULE.replace("setting-is", "setting-iz"), "a.yaml:5: there is no shared check `setting-iz`; did you mean `setting-is`?"),
    (RULE.replace("setting-is", "runs-as-root"), "there is no shared check `runs-as-root`"),
    (without("with"), "a.yaml: setting-is needs one of setting, settings under `with`"),
    (using("setting-is", "above: 1"), "a.yaml:7: setting-is needs one of setting, settings"),
    (using("setting-is", "setting: timeout"), "`with` needs a matcher: one of values, above,"),
    (using("setting-is", "setting: [timeout], above: 1"), "`with.setting` has to be a string, not ['timeout']"),
    (using("setting-is", "setting: timout, above: 1"), "a.yaml:7: gunicorn has no setting `timout`; did you mean `timeout`?"),
    (using("setting-is", "setting: qqq, above: 1"), "gunicorn has no setting `qqq`"),
    (using("setting-is", "setting: timeout, abov: 1"), "setting-is takes no `abov`; did you mean `above`?"),
    (using("setting-is", "setting: timeout, above: true"), "`with.above` has to be a number, or the name of a setting"),
    (using("setting-is", "setting: timeout, above: '60'"), "gunicorn has no setting `60`"),
    (using("setting-is", "setting: timeout, above: graceful"), "gunicorn has no setting `graceful`"),
    (using("setting-is", "setting: timeout, above: keepalive"), "it needs `labels.than`, for where the setting that it is compared with"),
    (using("setting-is", "setting: timeout, values: 1"), "`with.values` has to be a list with something in it, not 1"),
    (using("setting-is", "setting: timeout, bits: 1, above: 2"), "`with` has above and bits, but beside values only above and below go together"),
    (using("setting-is", "setting: umask, bits: '0o77'"), "`with.bits` has to be a whole number, not '0o77'"),
    (using("setting-is", "settings: [timeout]"), "`with.settings` has to be a mapping with something in it, not ['timeout']"),
    (using("setting-is", "settings: {}"), "`with.settings` has to be a mapping with something in it, not {}"),
    (using("setting-is", "setting: timeout, values: []"), "`with.values` has to be a list with something in it, not []"),
    (using("directive-missing", "directives: []"), "`with.directives` has to be a list of strings with something in it"),
    (using("setting-is", "settings: {timeout: 3}"), "`with.settings.timeout` needs a matcher"),
    (using("setting-is", "settings: {timeout: {}}"), "`with.settings.timeout` needs a matcher"),
    (using("setting-is", "settings: {timeout: {abov: 1}}"), "there is no matcher `abov`; did you mean `above`?"),
    (using("setting-is", "setting: timeout, above: 1, production: 1"), "`with.production` has to be true or false, not 1"),
    (using("setting-is", "setting: timeout, above: 1, workers: [async]"), "there is no kind of worker `async`; did you mean `sync`?"),
    (using("setting-is", "setting: timeout, above: 1, packages: {uvicorn: new}"), "`with.packages` has to be a mapping from packages to versions such as"),
    (using("setting-is", "setting: timeout, above: 1, packages: {flask: '>=1'}"), "no worker comes with a package `flask`"),
    (GIVEN, "a.yaml: it needs `labels.given`, for where a setting of `given` is written"),
    (GIVEN.replace("workers:", "wrkers:") + "labels: {given: x}\n", "gunicorn has no setting `wrkers`; did you mean `workers`?"),
    (GIVEN.replace("{above: 1}", "[1]") + "labels: {given: x}\n", "`with.given.workers` needs a matcher"),
    (RULE + "labels: {givn: x}\n", "setting-is labels nothing as `givn`; did you mean `given`?"),
    (RULE.replace(": m", ": '{vale}'"), "a.yaml:7: `message` has {vale}, which nothing fills; did you mean `value`?"),
    (RULE + "label: '{item}'\n", "`label` has {item}, which nothing fills"),
    (RULE + "help: '{workers}'\n", "`help` has {workers}, which nothing fills; there are setting, value"),
    (GIVEN + "labels: {given: '{mode}'}\n", "`labels.given` has {mode}, which nothing fills"),
    (using("directive-is", "directive: Type"), "directive-is needs one of values, lasting, not under `with`"),
    (using("directive-is", "values: [a]"), "directive-is needs directive under `with`"),
    (using("directive-is", "directive: Tpye, values: [a]"), "there is no directive `Tpye`; did you mean `Type`?"),
    (using("directive-is", "directive: Restart, values: [no]"), "`with.values` has to be a list of strings with something in it, not [False]; numbers"),
    (using("directive-is", "directive: WatchdogSec, lasting: false"), "`with.lasting` has to be true, not False"),
    (using("directive-is", "directive: After, values: [a]"), "there is no directive `After`"),
    (using("directive-is", "directive: After, values: [a], section: unit"), "`with.section` has to be one of Unit, Service, Install, not 'unit'"),
    (using("directive-missing", "directives: MemoryMax"), "`with.directives` has to be a list of strings with something in it, not 'MemoryMax'"),
    (using("directive-missing", "directives: [MemoryMax]").replace(": m\n", ": '{value}'\n"), "`message` has {value}, which nothing fills; there are unit"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), REFUSED, ids=range(len(REFUSED)))
def test_what_can_not_be_used_is_refused_in_one_sentence(
    run, tmp_path: Path, text: str, reason: str
) -> None:
    result = run({**CONFIG, "ops/a.yaml": text, "start.sh": ""}, "rules")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ops/a.yaml")
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert len(result.stderr) < 450


def test_alias_bomb_is_refused_at_once(run) -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for old, new in zip("abcdefghi", "bcdefghij", strict=True):
        bomb += f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
    assert "an alias refers to it" in run({**CONFIG, "ops/a.yaml": bomb}, "rules").stderr
    merges = "a: &a {x: 1}\n"
    for old, new in zip("abcdefghi", "bcdefghij", strict=True):
        merges += f"{new}: &{new} {{<<: [{', '.join([f'*{old}'] * 9)}]}}\n"
    assert run({**CONFIG, "ops/a.yaml": merges}, "rules").exit_code == 2


def test_names_of_our_own_rules_are_taken(run) -> None:
    rule = RULE.replace("some-rule", "no-max-requests")
    error = run({**CONFIG, "ops/a.yaml": rule}, "rules").stderr
    assert error == "error: ops/a.yaml: OPS001 and GU301 are both called no-max-requests\n"


def test_two_files_with_one_code_are_refused(run) -> None:
    files = {"ops/a.yaml": RULE, "ops/b.yml": RULE.replace("some-rule", "other-rule")}
    error = run({**CONFIG, **files}, "rules").stderr
    assert error == "error: ops/b.yml: OPS001 and OPS001 are both called OPS001\n"


FOLDERS = [
    ('["nowhere"]', {}, "gunilint.toml:1: `extend-rules`: nowhere is no folder"),
    ('["a.yaml"]', {"a.yaml": RULE}, "gunilint.toml:1: `extend-rules`: a.yaml is no folder"),
    ('["ops"]', {"ops/x.txt": ""}, "`extend-rules`: ops holds no rules: no file in it is called *.yaml"),
    ('["ops\\u0000"]', {}, "is no folder"),
    ('["/"]', {}, "`extend-rules`: / holds no rules"),
    ('["ops"]', {"ops/a.yaml/x": ""}, "ops/a.yaml: it isn't a file"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "files", "reason"), FOLDERS, ids=[f[0] for f in FOLDERS])
def test_folder_that_can_not_be_used_is_refused(run, value, files, reason: str) -> None:
    result = run({"gunilint.toml": f"extend-rules = {value}\n", **files}, "rules")
    assert result.exit_code == 2
    assert reason in result.stderr


def test_file_that_is_no_utf_8_is_refused(run, tmp_path: Path) -> None:
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops/a.yaml").write_bytes(RULE.encode() + b"# \xff\n")
    assert run(CONFIG, "rules").stderr == "error: ops/a.yaml: it isn't UTF-8\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_pipe_in_place_of_a_file_is_refused_without_waiting(run, tmp_path: Path) -> None:
    (tmp_path / "ops").mkdir()
    os.mkfifo(tmp_path / "ops/a.yaml")
    assert "it isn't a file" in run(CONFIG, "rules").stderr


@pytest.fixture
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a rule that is no part of the repository."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "a.yaml").write_text(RULE)
    return folder


def test_a_repository_reads_no_rules_from_outside(run, tmp_path: Path, outside: Path) -> None:
    for value in (str(outside), os.path.relpath(outside, tmp_path)):
        result = run({"gunilint.toml": f'extend-rules = ["{value}"]\n'}, "rules")
        assert "is outside of the repository, where nothing is read" in result.stderr
    (tmp_path / "ops").symlink_to(outside)
    assert "ops is outside of the repository" in run(CONFIG, "rules").stderr
    (tmp_path / "ops").unlink()
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops/a.yaml").symlink_to(outside / "a.yaml")
    assert "ops/a.yaml is outside of the repository" in run(CONFIG, "rules").stderr


def test_whoever_runs_gunilint_may_name_rules_anywhere(run, outside: Path, monkeypatch) -> None:
    monkeypatch.setenv("GUNILINT_EXTEND_RULES", str(outside))
    assert "OPS001" in run({}, "rules").stdout


# whatever is written

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
WORDS = st.sampled_from(
    [*KEYS, *SHARED["setting-is"].parameters, *SHARED["directive-is"].parameters, "timeout",
     "workers", "MemoryMax", "{value}", "{unit}", "gunicorn.conf.py", "gunicorn.conf.py:1"]
)  # fmt: skip
ANYTHING = st.recursive(
    SCALARS | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | SCALARS, inner, max_size=4),
    max_leaves=8,
)


def written(folder: Path, entry: Any) -> Path:
    path = folder / "a.yaml"
    path.write_text(yaml.safe_dump(entry, allow_unicode=True), encoding="utf-8", errors="replace")
    return path


def read_or_refused(path: Path, *, team: bool) -> Rule | None:
    try:
        return read(path, Disk(), team=team)
    except RuleError:
        return None


@pytest.mark.parametrize("team", [True, False])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(key=st.sampled_from(sorted(KEYS)), value=ANYTHING)
@example(key="message", value=3)
@example(key="variants", value=[])
@example(key="with", value={"setting": "timeout", "above": float("nan")})
def test_any_value_of_any_key_gives_a_rule_or_an_error(tmp_path, team: bool, key, value) -> None:
    entry = yaml.safe_load(OURS["ops/OPS001-timeout-above-60.yaml"])
    read_or_refused(written(tmp_path, {**entry, key: value}), team=team)


NAMES = st.sampled_from(sorted(catalogue().settings))
LIMIT = st.integers() | st.floats() | NAMES
MATCHER = st.one_of(
    st.fixed_dictionaries({"values": st.lists(SCALARS)}),
    st.fixed_dictionaries({"above": LIMIT}, optional={"below": LIMIT}),
    st.fixed_dictionaries({"includes": st.lists(SCALARS)}),
    st.fixed_dictionaries({"prefix": st.text(min_size=1)}),
    st.fixed_dictionaries({"not-prefix": st.text(min_size=1)}),
    st.fixed_dictionaries({"bits": st.integers()}),
    st.fixed_dictionaries({"values": st.lists(SCALARS), "prefix": st.text(min_size=1)}),
)
CASE = st.builds(
    lambda matcher, more: {**matcher, **more},
    MATCHER,
    st.fixed_dictionaries(
        {}, optional={"given": st.dictionaries(NAMES, MATCHER), "before": st.just("22.0.0")}
    ),
)
DIRECTIVE = st.sampled_from(["Type", "User", "ExecStart", "MemoryMax"])
CONDITIONS = st.fixed_dictionaries(
    {},
    optional={
        "given": st.dictionaries(NAMES, MATCHER, min_size=1, max_size=3),
        "workers": st.just(["sync", "gthread"]),
        "packages": st.just({"uvicorn": ">=0.30"}),
        "production": st.booleans(),
    },
)
USES = st.one_of(
    st.tuples(
        st.just("setting-is"),
        st.builds(lambda name, matcher: {"setting": name, **matcher}, NAMES, MATCHER)
        | st.fixed_dictionaries(
            {"settings": st.dictionaries(NAMES, CASE | st.lists(CASE), min_size=1)}
        ),
    ),
    st.tuples(
        st.just("directive-is"),
        st.builds(lambda name: {"directive": name, "lasting": True}, DIRECTIVE)
        | st.fixed_dictionaries({"directive": DIRECTIVE, "not": st.lists(st.text(min_size=1))})
        | st.fixed_dictionaries({"directive": DIRECTIVE, "values": st.just(["NOTIFY", "x"])}),
    ),
    st.tuples(
        st.just("directive-missing"), st.fixed_dictionaries({"directives": st.lists(DIRECTIVE)})
    ),
)
DEPLOYMENT = {
    "a.service": SERVICE,
    "gunicorn.conf.py": "workers = 3\ntimeout = 90\nbind = ['unix:/run/a', ':80']\n",
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(use=USES, conditions=CONDITIONS)
def test_what_is_taken_runs(tmp_path: Path, use, conditions) -> None:
    """A rule that can be loaded never fails on a deployment."""
    check, parameters = use
    compared = json.dumps(parameters).count('"above": "') + json.dumps(parameters).count(
        '"below": "'
    )
    entry = {
        **yaml.safe_load(RULE),
        "check": check,
        "with": {**parameters, **conditions},
        "labels": {"given": "g", **({"than": "t"} if check == "setting-is" and compared else {})},
    }
    rule = read_or_refused(written(tmp_path, entry), team=True)
    if rule is not None:
        write(tmp_path / "project", DEPLOYMENT)
        assert not lint([tmp_path / "project"], [rule]).errors


def test_a_rule_says_something_else_in_each_of_its_cases(run) -> None:
    rule = {
        "ops/a.yaml": using(
            "setting-is",
            "settings: {timeout: [{above: 60, variant: long}, {below: 10, given: {workers: {above: 2}}}]}",
            "labels: {given: so many}\nvariants: {long: {message: 'long: {value}', severity: note}}\n",
        ).replace("message: m\n", "message: 'short: {value} with {workers}'\n")
    }  # fmt: skip
    with_workers = "timeout = {}\nworkers = 3\n"
    text = run({**rule, **CONFIG, "gunicorn.conf.py": with_workers.format(90)}).stdout
    assert "note[OPS001]: long: 90" in text
    text = run({**rule, **CONFIG, "gunicorn.conf.py": with_workers.format(5)}).stdout
    assert "warning[OPS001]: short: 5 with 3" in text
    assert "- so many" in text


# what the documentation says of them


def test_our_own_rules_use_shared_checks_as_they_are_meant() -> None:
    wrong = []
    for rule in load_rules():
        try:
            if rule.check in SHARED:
                check_use(rule)
        except MisfitError as misfit:
            wrong.append(f"{rule.code}: {misfit}")
    assert wrong == []
