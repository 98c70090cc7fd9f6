"""Microsoft's SARIF validator, with the rules that GitHub made for it, has nothing to say."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from gunilint.cli import main
from gunilint.engine import lint, report
from gunilint.report import sarif
from gunilint.report.sarif import render
from gunilint.rules import load_rules
from projects import write

from .validators import ROOT, package, run

# GitHub's rules are off by default in the validator: this turns those on that are up to date.
# SARIF2006 is off, since it makes requests to the network.
CONFIG = ROOT / "tests/data/ghas.xml"

STRANGE = {
    "my app/größe & [co](1).service": "[Service]\nExecStart=/bin/sh -c './run%%20 it.sh'\n",
    "my app/run it.sh": "#!/bin/sh\nWORKERS=日本\nexec gunicorn --timeout 0 -c '../a#b?.conf.py' shop:app\n",
    "a#b?.conf.py": "# \U0001f600\nreload = True; workerz = 3 # [x](1)\nmax_requests = '%s\\u202e\\x1b'\n",
}
UNPARSABLE = {
    "gunicorn.conf.py": "workers = = 3\n",
    "start.sh": "#!/bin/sh\nif gunicorn app:app; then\n",
    "nul.sh": "#!/bin/sh\ngunicorn app:app \0\n",
    "app.service": "[Service\nExecStart=/usr/bin/gunicorn app:app\n",
}
WHOLE_RUNS: dict[str, dict[str, str]] = {
    "clean": {},
    "strange": STRANGE,
    "unparsable": UNPARSABLE,
}


def write_logs(folder: Path, scratch: Path) -> None:
    """The log of all fixtures together, and of some runs; the validator is slow with many files."""
    fixtures = sorted((ROOT / "tests/fixtures").iterdir())
    found = report(lint(fixtures, load_rules()), ROOT)
    assert len({finding.primary.span.source.root for finding in found.findings}) > 30
    (folder / "fixtures.sarif").write_text(render(found))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sarif, "_RESULTS_LIMIT", 5)
        (folder / "limited.sarif").write_text(render(replace(found, rules=())))
    for name, files in WHOLE_RUNS.items():
        write(scratch / name, files)
        log = folder / f"{name}.sarif"
        command = [str(scratch / name), "--pedantic", "--allow-empty", "--output", f"sarif:{log}"]
        done = CliRunner().invoke(main, command)
        assert done.exit_code == int(name != "clean"), done.output
    assert json.loads((folder / "clean.sarif").read_text())["runs"][0]["results"] == []
    log = json.loads((folder / "unparsable.sarif").read_text())
    del log["runs"][0]["tool"]["driver"]["rules"][0]["help"]
    place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    place["artifactLocation"] = {"uri": "file:///srv/shop/app.service"}
    (folder / "spoiled.sarif").write_text(json.dumps(log))


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """What the validator says of each log; one call for all, as its start takes long."""
    validator = package("@microsoft/sarif-multitool-linux") / "Sarif.Multitool"
    folder = tmp_path_factory.mktemp("logs")
    write_logs(folder, tmp_path_factory.mktemp("projects"))
    output = tmp_path_factory.mktemp("verdict") / "verdict.sarif"
    printed = run(
        validator, "validate", folder / "*.sarif", "--rule-kind", "Sarif;Ghas",
        "--config", CONFIG, "--level", "Error;Warning", "--output", output,
    )  # fmt: skip
    logs = sorted(path.stem for path in folder.iterdir())
    assert f"{len(logs)} files scanned" in printed
    # it ends with 0 whatever it finds, so its own log has to be read
    (verdict,) = json.loads(output.read_text(encoding="utf-8-sig"))["runs"]
    assert all(each["executionSuccessful"] for each in verdict["invocations"])
    said: dict[str, set[str]] = defaultdict(set, {name: set() for name in logs})
    for result in verdict["results"]:
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]
        if "uri" not in uri:
            uri = verdict["artifacts"][uri["index"]]["location"]
        said[Path(uri["uri"]).stem].add(f"{result['ruleId']}: {result['message']}")
    return said


def test_validator_has_no_objection(verdicts: dict[str, set[str]]) -> None:
    assert {name: said for name, said in verdicts.items() if said and name != "spoiled"} == {}


def test_validator_sees_what_github_would_refuse(verdicts: dict[str, set[str]]) -> None:
    codes = {said[:6] for said in verdicts["spoiled"]}
    assert codes == {"GH1006", "GH2012"}
