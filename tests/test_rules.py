"""Every rule is complete, and its examples are true."""

from __future__ import annotations

from pathlib import Path

import pytest

from gunilint.checks import deployment_checks, project_checks, suppression_checks
from gunilint.examples import untrue
from gunilint.rules import Example, Rule, RuleError, find_rule, load_rules, rules_dir, select

RULES = load_rules()
CHECKS = {**deployment_checks(), **project_checks(), **suppression_checks()}
EXAMPLES = [
    pytest.param(rule, example, id=f"{rule.code}-{number}")
    for rule in RULES
    for number, example in enumerate(rule.background.examples, 1)
]


def lacks(rule: Rule) -> list[str]:
    """What a rule's file is missing, in words."""
    found = []
    if rule.check not in CHECKS:
        found.append(f"{rule.code} names a check that doesn't exist: {rule.check}")
    if not any(example.bad for example in rule.background.examples):
        found.append(f"{rule.code} has no bad example")
    if not any(example.good for example in rule.background.examples):
        found.append(f"{rule.code} has no good example")
    if not (rule.background.evidence or rule.background.cite):
        found.append(f"{rule.code} has neither evidence nor a citation")
    found += [
        f"{rule.code}'s evidence isn't there: {test}"
        for test in rule.background.evidence
        if not is_a_test(test)
    ]
    if len(rule.background.examples) < 2:
        found.append(f"{rule.code} has fewer than two examples")
    if not rule.summary.endswith("."):
        found.append(f"{rule.code}'s summary isn't a sentence")
    if not rule.help:
        found.append(f"{rule.code} doesn't say what to do")
    if rule.category == "security" and not (rule.cwe and rule.security_severity):
        found.append(f"{rule.code} has no cwe, or no security-severity")
    if not (rules_dir() / f"{rule.code}-{rule.name}.yaml").is_file():
        found.append(f"{rule.code} isn't in a file of its name")
    return found


def is_a_test(evidence: str) -> bool:
    """Whether `tests/some/test_file.py::test_name` exists, or the file where none is named."""
    path, _, name = evidence.partition("::")
    file = Path(__file__).parents[1] / path
    return file.is_file() and (not name or f"def {name}(" in file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_rule_is_complete(rule: Rule) -> None:
    assert lacks(rule) == []


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_examples_are_true(rule: Rule, example: Example) -> None:
    assert list(untrue(rule, example, RULES)) == []


def test_every_check_serves_a_rule() -> None:
    used = {rule.check for rule in RULES}
    assert set(CHECKS) == used


SELECTIONS = [
    (["GU301"], lambda rule: rule.code == "GU301"),
    (["no-max-requests"], lambda rule: rule.code == "GU301"),
    (["gu4"], lambda rule: rule.code.startswith("GU4")),
    (["systemd"], lambda rule: rule.category == "systemd"),
    (["timeouts", "GU001"], lambda rule: rule.category == "timeouts" or rule.code == "GU001"),
    (["GU9"], lambda rule: rule.code.startswith("GU9")),
    (["all"], lambda rule: True),
    (["nonsense"], lambda rule: False),
]


@pytest.mark.parametrize(("keys", "chosen"), SELECTIONS, ids=[" ".join(k) for k, _ in SELECTIONS])
def test_select_takes_codes_names_prefixes_and_categories(keys, chosen) -> None:
    assert [rule.code for rule in select(RULES, keys)] == [r.code for r in RULES if chosen(r)]


def test_find_rule_takes_code_and_name_in_any_case() -> None:
    assert find_rule(RULES, "gu301") is find_rule(RULES, "No-Max-Requests")
    assert find_rule(RULES, "GU999") is None


RULE = """
code: GU998
name: some-rule
summary: Something.
severity: warning
confidence: high
category: workers
since: "0.1.0"
check: setting-is
message: m
why: w
remedy: r
examples: []
"""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- a list", "one mapping"),
        (RULE.replace("why: w\n", ""), "lacks why"),
        (RULE + "colour: red\n", "there is no key `colour`"),
        (
            RULE.replace("severity: warning", "severity: fatal"),
            "`severity` has to be one of error, warning, note, not 'fatal'",
        ),
        (RULE.replace("GU998", "XX1"), "formed as GU123"),
        (RULE.replace("category: workers", "category: cats"), "not 'cats'"),
        ("code: [", "isn't YAML"),
        (RULE + 'versions: "<=23"\n', "`versions` has to be versions of gunicorn such as"),
        (RULE + "by-version: [{versions: 24, why: w}]\n", "`by-version.1.versions` has to be"),
        (RULE + "variants: []\n", "`variants` has to be a mapping, not []"),
        (RULE + "variants: {old: 3}\n", "`variants.old` has to be one mapping, with message,"),
        (RULE + "variants: {old: {severity: x}}\n", "`variants.old.severity` has to be one of"),
        (RULE + "variants: {old: {helpp: x}}\n", "did you mean `help`?"),
        (RULE + "fix: 3\n", "`fix` has to be a mapping, not 3"),
        (RULE + "fix: {title: t, set: 1}\n", "`fix` lacks safe"),
        (RULE + "fix: {title: t, safe: 1, set: 1}\n", "`fix.safe` has to be true or false"),
        (RULE + "fix: {title: t, safe: true}\n", "`fix` needs one action beside"),
        (RULE.replace("GU998", "OPS001"), "`code` has to be formed as GU123"),
    ],
)
def test_bad_rule_file_is_refused_with_its_name(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "GU998-some-rule.yaml").write_text(text)
    with pytest.raises(RuleError, match=r"GU998-some-rule.yaml") as refused:
        load_rules(tmp_path)
    assert reason in str(refused.value)


def test_two_rules_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(RULE)
    (tmp_path / "b.yaml").write_text(RULE.replace("GU998", "GU997"))
    with pytest.raises(RuleError, match="both called some-rule"):
        load_rules(tmp_path)


def test_empty_rules_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="holds no rules"):
        load_rules(tmp_path)
