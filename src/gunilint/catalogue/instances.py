"""The virtual CPUs of EC2 instance types.

Source: https://docs.aws.amazon.com/ec2/latest/instancetypes/
"""

from __future__ import annotations

from gunilint.regex import regex

_TYPE = regex(
    r"([a-z][a-z0-9-]{0,20}\d[a-z0-9-]{0,20})\.(nano|micro|small|medium|large|(\d{0,3})xlarge)$"
)
_BURSTABLE = regex(r"t[34]")


def cpus_of(instance: str) -> int | None:
    """The virtual CPUs of an instance type such as "c5.xlarge"; None where it is no such type."""
    match = _TYPE.match(instance)
    if match is None:
        return None
    family, size, times = match.groups()
    if times is not None:
        return 4 * int(times or 1)
    if size == "large" or _BURSTABLE.match(family):
        return 2
    return 2 if (family, size) == ("t2", "medium") else 1
