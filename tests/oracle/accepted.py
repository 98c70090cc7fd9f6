"""The disagreements with the real programs that are understood and accepted, each with its reason."""

from __future__ import annotations

_MACHINE = "only the machine knows whether it is there"

GUNICORN: dict[str, dict[str, str]] = {
    "any": {
        "chdir = 'sub'": _MACHINE,
        "app:app --chdir sub": _MACHINE,
        "app:app --user nonsuch-user": _MACHINE,
        "config that imports what isn't there": _MACHINE,
        "config that reads an unset variable": "the platform has to set it: taken as set",
        "config that exits": "with which status a config file exits isn't followed",
    },
}
"""Hand-written launches by name, for a release or any other."""

GUNICORN_MESSAGES = (
    r"refused: (Error: |Invalid value for chdir: .*\s+Error: )(can't chdir|No such user)"
)
"""What gunicorn says of the same in generated launches."""

SYSTEMD: dict[str, str] = {
    "User=%i": "what a specifier stands for is taken to be right, here it is empty",
}
"""Hand-written units by name."""
