"""What gunicorn's process starts with: its directory, its user and its group."""

from __future__ import annotations

from msgspec import Struct

from gunilint.deployment import Launch
from gunilint.parse.systemd import boolean
from gunilint.regex import regex
from gunilint.values import Known, Unknown, Value, is_number

_MACHINE_DEPENDENT = {
    "chdir": "it is where gunicorn is started",
    "user": "it is the user that starts gunicorn",
    "group": "it is the group that starts gunicorn",
    "control_socket": "it is below $XDG_RUNTIME_DIR or $HOME",
}

_CHANGES_USER = regex(
    r"\b(sudo|su|doas|gosu|su-exec|runuser|setpriv|chpst|setuidgid|s6-setuidgid|start-stop-daemon"
    r"|chroot|unshare)\b"
)
"""Programs that start others as somebody else."""


class Process(Struct, frozen=True):
    """A process's directory, user and group; None where only the machine knows."""

    directory: Value | None = None
    user: Value | None = None
    group: Value | None = None

    def default(self, name: str) -> Value:
        """The default of a setting that the machine decides."""
        known = {"chdir": self.directory, "user": self.user, "group": self.group}
        return known.get(name) or Unknown(_MACHINE_DEPENDENT[name])


def started(launch: Launch) -> Process:
    """What the process of a launch starts with: systemd says it for a unit of the system."""
    text = launch.place.text
    directory = Known(text) if text is not None and "%" not in text else None
    unit = launch.unit
    changes_user = any(_CHANGES_USER.search(label.span.text) for label in launch.chain)
    dynamic = unit.last("Service", "DynamicUser") if unit else None
    is_dynamic = dynamic is not None and boolean(dynamic.value.text) is True
    if unit is None or changes_user or unit.of_user or is_dynamic:
        return Process(directory)
    user, group = unit.last("Service", "User"), unit.last("Service", "Group")
    own = _account(user.value.text if user else "root", "user")
    return Process(directory, own, _account(group.value.text, "group") if group else own)


def _account(text: str, kind: str) -> Value:
    if text == "root":
        return Known(0)
    return (
        Known(int(text)) if is_number(text) else Unknown(f"the machine knows the {kind} `{text}`")
    )
