#!/usr/bin/env python3
"""Coverage-guided fuzzing of the parsers and the reports, with atheris.

    python -m pip install atheris -e .
    fuzz/harness.py config|script|unit|project CORPUS [-max_total_time=1200 -max_len=4096 ...]
    fuzz/harness.py config NEW OLD -merge=1

CORPUS is a folder, which is made and sown with the test fixtures where it isn't there. All else
goes to libFuzzer. What every input has to fulfil is in `tests/invariants.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

with atheris.instrument_imports(include=["gunilint"]):
    import invariants
    from gunilint.checks import deployment_checks, project_checks, suppression_checks

    deployment_checks(), project_checks(), suppression_checks()

SEEDS = {
    "config": ("*.py",),
    "script": ("*.sh", "entrypoint", "run"),
    "unit": ("*.service", "*.socket", "*.conf", "*.env"),
}


def seeds(name: str) -> list[bytes]:
    """Inputs to start from: the fixtures' files, and for projects a few of them together."""
    fixtures = ROOT / "tests/fixtures"
    if name in SEEDS:
        found = (path for pattern in SEEDS[name] for path in sorted(fixtures.rglob(pattern)))
        return [path.read_bytes() for path in found if path.is_file()]
    sown = []
    for folder in sorted(fixtures.iterdir()):
        parts = []
        for pattern in ("*gunicorn*.py", "*.sh", "*.service"):
            paths = [path for path in sorted(folder.rglob(pattern)) if path.is_file()]
            parts.append(paths[0].read_bytes() if paths else b"")
        sown.append(invariants.SEPARATOR.join(parts))
    return sown


def main() -> None:
    """Sow the corpus and fuzz."""
    name, corpus = sys.argv[1], Path(sys.argv[2])
    if not corpus.exists():
        corpus.mkdir(parents=True)
        for number, data in enumerate(seeds(name)):
            (corpus / f"seed-{number}").write_bytes(data)
    atheris.Setup([sys.argv[0], str(corpus), *sys.argv[3:]], invariants.INVARIANTS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
