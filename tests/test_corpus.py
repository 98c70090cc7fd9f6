"""What fuzzing has found and kept still holds; each input's name is the start of its SHA-1."""

from __future__ import annotations

from pathlib import Path

import pytest

from invariants import INVARIANTS

CORPUS = Path(__file__).parent / "data/corpus"
INPUTS = [(path.parent.name, path) for path in sorted(CORPUS.glob("*/*"))]


def test_every_invariant_has_inputs() -> None:
    assert {name for name, _ in INPUTS} == set(INVARIANTS)


@pytest.mark.parametrize(("name", "path"), INPUTS, ids=lambda value: getattr(value, "name", value))
def test_input_keeps_to_the_invariants(name: str, path: Path) -> None:
    INVARIANTS[name](path.read_bytes())
