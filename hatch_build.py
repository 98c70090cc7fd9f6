"""Makes one file of all rules for the wheel: reading a hundred YAML files takes long."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BACKGROUND = ("why", "by-version", "remedy", "references", "evidence", "cite", "examples")
"""`gunilint.rules.BACKGROUND`: what few runs read."""


class CompiledRules(BuildHookInterface):
    """Adds `gunilint/rules.jsonl`: each rule in code order, its background in a line of its own."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the file, unless the package is installed in place: the rules change then."""
        if version == "editable":
            return
        rules = sorted(Path(self.root, "rules").glob("*.yaml"))
        entries = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in rules]
        compiled = Path(self.directory, "rules.jsonl")
        compiled.parent.mkdir(parents=True, exist_ok=True)
        lines = (line for entry in entries for line in _lines(entry))
        compiled.write_text("".join(lines), encoding="utf-8")
        build_data["force_include"][str(compiled)] = "gunilint/rules.jsonl"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the file, which the wheel has by now."""
        Path(self.directory, "rules.jsonl").unlink(missing_ok=True)


def _lines(entry: dict[str, Any]) -> Iterator[str]:
    background = {key: entry.pop(key) for key in BACKGROUND if key in entry}
    yield json.dumps(entry) + "\n"
    yield json.dumps(background) + "\n"
