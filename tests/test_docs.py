"""The documentation: what is generated is fresh, what is written is true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import tomli
import yaml
from click.testing import CliRunner

from build_docs import fenced, language, page, plain, prose, template
from gunilint.checks.shared import SHARED
from gunilint.cli import main
from gunilint.config import KEYS, load
from gunilint.policy import policy
from gunilint.rule_file import KEYS as RULE_KEYS
from gunilint.rules import load_rules
from run_docs import NOT_RUN, PAGES, NotTrueError, commands, ran

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
WRITING = (DOCS / "writing-rules.md").read_text(encoding="utf-8")
CONFIGURATION = (DOCS / "configuration.md").read_text(encoding="utf-8")


def test_what_is_generated_is_fresh() -> None:
    script = ROOT / "scripts/build_docs.py"
    done = subprocess.run(
        [sys.executable, script, "--check"], check=False, timeout=120, capture_output=True, text=True
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, ""), "run python scripts/build_docs.py"


# links, as they are read in the repository; test_site.py has those of the site

LINKED = [*PAGES, *sorted((DOCS / "rules").glob("*.md"))]


def anchors(path: Path) -> set[str]:
    """What a link may have behind the `#`, by the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_lead_somewhere() -> None:
    for path in LINKED:
        text = path.read_text(encoding="utf-8")
        prose_only = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\(([^)\s]+)\)", prose_only):
            file, _, anchor = target.partition("#")
            if "://" in target:
                continue
            found = path.parent / file if file else path
            assert found.exists(), f"{path.name}: {target}"
            assert not anchor or anchor in anchors(found), f"{path.name}: {target}"


# what is written


def shells(text: str) -> list[str]:
    """The text of each block of `console` or `sh`."""
    return re.findall(r"^```(?:console|sh)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


RUN = [path for path in PAGES if shells(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("path", RUN, ids=lambda path: path.stem)
def test_commands_print_what_is_shown(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ran(text) == text, f"run python scripts/run_docs.py {path.relative_to(ROOT)}"


def test_what_is_not_run_is_still_shown() -> None:
    blocks = [block for path in RUN for block in shells(path.read_text(encoding="utf-8"))]
    shown = {command for block in blocks for command, _, _ in commands(block)}
    shown |= {line for block in blocks for line in block.splitlines()}
    assert NOT_RUN.keys() - shown == set()


CALL = re.compile(
    r"(?<!run )(?<!gunilint[ /])\bgunilint((?: (?:check|show|explain|rules|config))?)((?: [^`|&;\n]*)?)"
)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_options_of_gunilint_exist(path: Path) -> None:
    for command, arguments in CALL.findall(path.read_text(encoding="utf-8")):
        known = {
            name
            for param in main.commands[command.strip() or "check"].params
            for name in (*param.opts, *param.secondary_opts)
        } | {"--help", "--version"}
        used = set(re.findall(r" (--[a-z-]+)", arguments))
        assert used - known == set(), arguments


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("```console\n$ ls\n```\n", "no `<!-- in: … -->` says where this runs: ls"),
        ("<!-- in: empty -->\n```console\nls\n```\n", "a console without a `$ `: ls"),
        ("<!-- in: empty -->\n```sh\nexit 2\n```\n", "exit 2: status 2\n"),
    ],
)
def test_mistakes_in_pages_are_told(text: str, message: str) -> None:
    with pytest.raises(NotTrueError) as error:
        ran(text)
    assert str(error.value) == message


def test_page_is_a_session() -> None:
    text = (
        "<!-- in: empty -->\n<!-- file: a/run.sh -->\n```sh\n#!/bin/sh\necho one\n```\n"
        "<!-- file: b\ntwo\n-->\n```console\n$ a/run.sh\n$ cat b \\\n    b\n$ false\n$ echo $?\n```\n"
        "<!-- in: empty -->\n```console\n$ ls -A\nold\n```\n"
    )
    shown = "$ a/run.sh\none\n$ cat b \\\n    b\ntwo\ntwo\n$ false\n$ echo $?\n1\n"
    assert f"```console\n{shown}```" in ran(text)
    assert "```console\n$ ls -A\n.git\n```" in ran(text)


# configuration


def test_example_of_a_configuration_has_every_key_and_can_be_used() -> None:
    path = DOCS / "examples/gunilint.toml"
    assert set(tomli.loads(path.read_text(encoding="utf-8"))) == {key.name for key in KEYS}
    found = policy(load(DOCS, file=path))
    assert {rule.code for rule in found.rules} >= {"GU417", "OPS001", "OPS003"}


def test_configuration_in_the_readme_can_be_used(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)
    (tmp_path / "gunilint.toml").write_text(text)
    rules = tmp_path / "ops/gunilint-rules"
    rules.mkdir(parents=True)
    (rule,) = re.findall(r"```yaml\n(code: .*?)```", readme, re.DOTALL)
    (rules / "OPS003.yaml").write_text(rule)
    assert "OPS003" in {rule.code for rule in policy(load(tmp_path)).rules}


# rules of a team


def test_every_key_of_a_rule_is_explained() -> None:
    table = WRITING.partition("## A file, key by key")[2].partition("## Shared checks")[0]
    assert [key for key in RULE_KEYS if f"`{key}`" not in table] == []


def test_every_parameter_of_a_shared_check_is_explained() -> None:
    for name, shared in SHARED.items():
        assert f"### {name}\n" in WRITING
        assert [key for key in shared.parameters if f"| `{key}`" not in WRITING] == []


def test_mistakes_look_as_they_are_shown(tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "ops/gunilint-rules"
    folder.mkdir(parents=True)
    for path in (DOCS / "examples/team-rules").glob("*.yaml"):
        (folder / f"{path.name[:6]}.yaml").write_text(path.read_text())
    monkeypatch.chdir(tmp_path)
    command = ["rules", "--check", "ops/gunilint-rules"]
    shown = CliRunner().invoke(main, command).stdout
    assert f"$ gunilint {' '.join(command)}\n{shown}```" in WRITING

    for code, old, new in (
        ("OPS001", "above: 60", "abov: 60"),
        ("OPS003", "[MemoryMax]", "[ExecStart]"),
    ):
        path = folder / f"{code}.yaml"
        path.write_text(path.read_text().replace(old, new))
    shown = CliRunner().invoke(main, command).stdout
    assert "".join(f"    {line}\n" for line in shown.splitlines()) in WRITING

    (tmp_path / "gunilint.toml").write_text('\n\nignor = ["GU3"]\n')
    error = CliRunner().invoke(main, ["config"]).stderr.removeprefix("error: ")
    assert f"    {error}" in CONFIGURATION


# Markdown


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("`a|b` or c|d", r"`a\|b` or c\|d"),
        ("<b> & {x} in `<b>{x}`", r"\<b\> & \{x\} in `<b>{x}`"),
        ("a *b* [c](d) _e_ f_g #h ~i~", r"a \*b\* \[c\](d) \_e\_ f_g \#h \~i\~"),
        ("two\nlines\x1b", "two lines\\x1b"),
    ],
)
def test_plain_text_stays_what_it_says(text: str, markdown: str) -> None:
    assert plain(text) == markdown.replace("lines\\x1b", "lines\\\\x1b")


def test_markdown_keeps_its_links_and_loses_its_html() -> None:
    text = "see <https://example.org/?a=1> and `<b>`, not <b> or {{ x }}\n# no heading"
    wanted = (
        "see <https://example.org/?a=1> and `<b>`, not \\<b> or \\{\\{ x \\}\\}\n\\# no heading"
    )
    assert prose(text) == wanted


def test_fields_of_a_message_are_code() -> None:
    assert template("`{a}` is {b} | <c>") == "`{a}` is `{b}` \\| \\<c\\>"


def test_code_is_fenced_whatever_is_in_it() -> None:
    assert fenced("```\nx\r\n", "text") == "````text\n```\nx\\r\n````\n"


@pytest.mark.parametrize(
    ("path", "text", "name"),
    [("a.py", "", "python"), ("run", "#!/bin/sh\n", "sh"), ("a.service", "", "ini"), ("Procfile", "", "text")],
)  # fmt: skip
def test_code_is_marked_with_its_language(path: str, text: str, name: str) -> None:
    assert language(path, text) == name


def test_a_page_says_all_that_the_rule_says() -> None:
    for rule in load_rules()[:5]:
        text = page(rule)
        for part in ("## Found", "## Fine", "## Why", "## What to do", "## How we know"):
            assert part in text
        for case in rule.variants.values():
            assert template(case.message) in text


# recipes for CI


def recipes() -> list[str]:
    text = (DOCS / "ci.md").read_text(encoding="utf-8")
    return re.findall(r"^```yaml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def test_recipes_are_yaml() -> None:
    assert [recipe for recipe in recipes() if not yaml.safe_load(recipe)] == []


def test_recipe_for_pre_commit_has_a_hook_that_exists() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    (used,) = [
        recipe["repos"][0]["hooks"]
        for recipe in map(yaml.safe_load, recipes())
        if "repos" in recipe
    ]
    assert {hook["id"] for hook in used} <= {hook["id"] for hook in hooks}


def test_recipe_for_the_action_has_inputs_that_exist() -> None:
    inputs = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
    uses = [
        step
        for recipe in recipes()
        for job in (yaml.safe_load(recipe).get("jobs") or {}).values()
        for step in job["steps"]
        if step.get("uses", "").startswith("gunilint/")
    ]
    assert uses
    assert {name for step in uses for name in step.get("with", {})} <= inputs.keys()
    table = (DOCS / "ci.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE)) <= inputs.keys()
