"""The files of data that the package has beside its modules."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any


def content(name: str) -> bytes:
    """A file's content; `name` is its path in the package. Raises `OSError`."""
    # pathlib takes longer to import than a rule to explain
    path = os.path.join(os.path.dirname(__file__), name)  # noqa: PTH118, PTH120
    with open(path, "rb") as file:  # noqa: PTH123
        return file.read()


@cache
def document(name: str) -> Any:
    """What a JSON file holds; all who ask get the same object."""
    return json.loads(content(name))
