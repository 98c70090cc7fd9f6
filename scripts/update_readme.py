"""Write the table of rules into the README, or with `--check` tell whether it is stale."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from gunilint.rules import load_rules

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- rules: begin -->", "<!-- rules: end -->"


def table() -> str:
    rows = [
        f"| {rule.code} | {rule.name} | {rule.severity} | {rule.summary} |" for rule in load_rules()
    ]
    return "\n".join((BEGIN, "| code | name | severity | what |", "|---|---|---|---|", *rows, END))


def main() -> int:
    old = README.read_text(encoding="utf-8")
    new = re.sub(f"{BEGIN}.*{END}", lambda _: table(), old, flags=re.DOTALL)
    if "--check" in sys.argv:
        return int(old != new)
    README.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
