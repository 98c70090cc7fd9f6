"""Write `expected.txt` and `show.txt` of every fixture anew, and name those that changed.

    python scripts/update_fixtures.py

They are what the tests compare with, so read each change before you commit it.
"""

from __future__ import annotations

from pathlib import Path

from gunilint.engine import lint, relative_path, survey
from gunilint.policy import Policy, same
from gunilint.report.overview import Show
from gunilint.report.show import render_text
from gunilint.rules import load_rules

FIXTURES = Path(__file__).parents[1] / "tests/fixtures"


def findings(folder: Path) -> str:
    """A fixture's findings: code, severity and place, one a line."""
    result = lint([folder], [rule for rule in load_rules() if rule.default])
    if not result.files:
        return "nothing\n"
    lines = []
    for finding in result.findings:
        span = finding.primary.span
        place = f"{span.source.path}:{span.line}:{span.column}"
        lines.append(f"{finding.rule.code} {finding.severity} {place}\n")
    return "".join(lines)


def shown(folder: Path) -> str:
    """What `gunilint show` says of a fixture, run in its folder."""
    here = str(folder)
    deployments = [
        each
        for project in survey([folder], same(Policy(()))).projects
        for each in project.deployments
    ]
    return render_text(Show(deployments, lambda source: relative_path(source, here)))


def main() -> None:
    for folder in sorted(path for path in FIXTURES.iterdir() if path.is_dir()):
        for name, text in (("expected.txt", findings(folder)), ("show.txt", shown(folder))):
            target = folder / name
            if not target.exists() or target.read_text(encoding="utf-8") != text:
                target.write_text(text, encoding="utf-8")
                print(target.relative_to(FIXTURES))


if __name__ == "__main__":
    main()
