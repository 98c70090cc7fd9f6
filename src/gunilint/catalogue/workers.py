"""Worker classes: what each serves and what it makes of gunicorn's settings.

The data is in `workers.json`: measured on gunicorn 20.1 to 27.0.1, uvicorn 0.54.0, uvicorn-worker
0.4.0 and aiohttp 3.14.5. The short names, by version, come from gunicorn's own releases.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from msgspec import Struct

from gunilint.catalogue import worker_aliases
from gunilint.data import document
from gunilint.versions import version_key

_FILE = "catalogue/workers.json"

Effect = Literal["honoured", "partial", "ignored", "warned", "switches to gthread"]
"""What a worker makes of a setting: "warned" is ignored with a warning in the log."""

WORKER_PACKAGES = ("uvicorn", "uvicorn-worker", "gevent", "tornado", "eventlet", "aiohttp")
"""The packages that worker classes come from or need."""


class Worker(Struct, frozen=True):
    """A family of worker classes that behave alike.

    `serves` is the kind of application it can call. `beats_while_draining` tells whether it
    sends heartbeats while it finishes its requests: without them, `timeout` kills it.
    `leaves_after_grace` tells whether it ends by itself when `graceful_timeout` is over, with the
    requests that it still has; None where that isn't measured.
    `times_requests` tells whether `timeout` is a limit for each request. `ends_with_master` is
    False for a worker that serves on when its master has died. `effects` has the settings that
    it doesn't simply honour.
    """

    name: str
    serves: str
    beats_while_draining: bool
    leaves_after_grace: bool | None
    times_requests: bool
    ends_with_master: bool
    effects: Mapping[str, Effect]

    def effect(self, setting: str) -> Effect:
        """What it makes of a setting."""
        return self.effects.get(setting, "honoured")

    def ignores(self, setting: str) -> bool:
        """Whether it reads nothing of a setting."""
        return self.effect(setting) in ("ignored", "warned")


@lru_cache(maxsize=64)
def workers(version: str) -> Mapping[str, Worker]:
    """Every family, by name, as it behaves with gunicorn `version`."""
    data = document(_FILE)
    found = {}
    for name, facts in data["families"].items():
        cells = {setting: row.get(name, "honoured") for setting, row in data["effects"].items()}
        effects = {setting: _effect(cell, version) for setting, cell in cells.items()}
        unusual = {setting: effect for setting, effect in effects.items() if effect != "honoured"}
        found[name] = Worker(name=name, effects=unusual, **facts)
    return found


def known_classes() -> frozenset[str]:
    """The dotted paths of all worker classes that are known."""
    return frozenset(document(_FILE)["classes"])


def _effect(cell: str, version: str) -> Any:
    """The effect that `cell` names; "ignored <27.0.0" ends with that version."""
    effect, _, bound = cell.partition(" <")
    return "honoured" if bound and version_key(version) >= version_key(bound) else effect


def find_worker(worker_class: str, version: str) -> Worker | None:
    """The family of a worker class as gunicorn `version` knows it; None for any other class."""
    path = worker_aliases(version).get(worker_class, worker_class)
    family = document(_FILE)["classes"].get(path)
    return workers(version)[family] if family else None
