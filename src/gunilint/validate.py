"""Values as gunicorn's own validators turn them into a setting's value, or refuse them.

One converter for each kind of setting does what gunicorn's `validate_*` functions do.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from functools import cache

from msgspec.structs import replace

from gunilint.catalogue import Kind, SettingInfo
from gunilint.values import (
    Function,
    Known,
    OneOf,
    Refused,
    Single,
    Symbolic,
    Unknown,
    Value,
    is_number,
)

_MACHINES = (1, 2, 3, 4, 8, 64)
"""Numbers of CPUs at which a symbolic value is tried."""


class RefusedError(ValueError):
    """gunicorn refuses the value at start; the message says why."""


class UndecidedError(ValueError):
    """What becomes of the value depends on the machine; the message says on what."""


def validated(info: SettingInfo, value: Value) -> Value:
    """`value` as gunicorn's `cfg` would hold it; `Refused` where gunicorn doesn't start with it."""
    return _each(value, lambda single: _converted(info, single, convert))


def from_command_line(info: SettingInfo, value: Value) -> Value:
    """The value that argparse makes of an option's text."""
    return _each(value, lambda single: _by_argparse(_converted(info, single, _parsed)))


def from_environment(info: SettingInfo, value: Value) -> Value:
    """The value that gunicorn makes of a variable's text when it is imported."""
    return _each(value, lambda single: _converted(info, single, _parsed))


def _by_argparse(value: Single) -> Single:
    return replace(value, status=2) if isinstance(value, Refused) else value


Conversion = Callable[[SettingInfo, object], object]


def _each(value: Value, change: Callable[[Single], Single]) -> Value:
    if isinstance(value, OneOf):
        return OneOf(tuple(replace(each, value=change(each.value)) for each in value.options))
    return change(value)


def _converted(info: SettingInfo, value: Single, conversion: Conversion) -> Single:
    if isinstance(value, Symbolic):
        return _symbolic(info, value, conversion)
    if not isinstance(value, Known):
        return value
    try:
        return replace(value, value=conversion(info, value.value))
    except RefusedError as refusal:
        return Refused(value.value, str(refusal), value.assumes, value.via)
    except UndecidedError as reason:
        return Unknown(str(reason), assumes=value.assumes, via=value.via)


def _symbolic(info: SettingInfo, value: Symbolic, conversion: Conversion) -> Single:
    """A number of CPUs: refused only if it is so on every machine, `cpus / 2` for instance."""
    at = value.at
    reasons = []
    for cpus in _MACHINES:
        try:
            conversion(info, at(cpus))
        except RefusedError as refusal:
            reasons.append(str(refusal))
    if len(reasons) == len(_MACHINES):
        return Refused(value.text, reasons[0], value.assumes, value.via)
    return replace(value, at=cache(lambda cpus: conversion(info, at(cpus))))


def _parsed(info: SettingInfo, value: object) -> object:
    """What argparse's `type` makes of a text; a switch has its value already."""
    if info.type not in ("int", "auto_int") or isinstance(value, bool):
        return value
    text = str(value)
    try:
        if info.type == "int":
            return int(text)
        return int(re.sub(r"^0(?=\d)", "0o", text), 0)
    except ValueError:
        raise RefusedError("it isn't a whole number") from None


def default(info: SettingInfo) -> object:
    """The value that gunicorn keeps for a setting that nothing sets; a hook's is None."""
    return None if info.default is None else convert(info, info.default)


def convert(info: SettingInfo, value: object) -> object:
    """The value that gunicorn keeps for a setting that is set to `value`.

    Raises `RefusedError` for what gunicorn refuses at start, and `UndecidedError` where only the
    machine can tell.
    """
    return _CONVERTERS[info.kind](info, value)


def _integer(info: SettingInfo, value: object) -> int:
    if isinstance(value, str):
        try:
            number = int(value, 0)
        except ValueError:
            raise RefusedError("it isn't a whole number") from None
    elif isinstance(value, int):
        number = int(value)
    else:
        raise RefusedError("it isn't a whole number")
    least, greatest = info.bounds
    if number < least:
        raise RefusedError("it is negative" if least == 0 else f"it is less than {least}")
    if greatest is not None and number > greatest:
        raise RefusedError(f"it is more than {greatest}")
    return number


def _boolean(info: SettingInfo, value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise RefusedError("it is neither True nor False")


def _string(info: SettingInfo, value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return value.strip()
    raise RefusedError("it isn't a string")


def _list(info: SettingInfo, value: object) -> list[str | None]:
    if not value:
        return []
    if isinstance(value, str):
        return [value.strip()]
    if not isinstance(value, list | tuple | set | frozenset | dict):
        raise RefusedError("it is neither a string nor a list of strings")
    if not all(item is None or isinstance(item, str) for item in value):
        raise RefusedError("its items aren't all strings")
    return [item and item.strip() for item in value]


def _comma_list(info: SettingInfo, value: object) -> list[str]:
    text = _string(info, value)
    return [part.strip() for part in text.split(",") if part] if text else []


def _addresses(info: SettingInfo, value: object) -> list[str]:
    """IP addresses or networks: what is taken changed three times between 23.0 and 24.1.1."""
    from ipaddress import ip_address, ip_network

    made = []
    for item in _comma_list(info, value):
        try:
            if item == "*":
                made.append(item)
            elif info.kind == "addresses":
                ip_address(item)
                made.append(item)
            elif info.kind == "any-networks":
                made.append(str(ip_network(item, strict=False)))
            else:
                ip_network(item)
                made.append(item)
        except ValueError as error:
            raise RefusedError(str(error)) from None
    return made


def _choice(info: SettingInfo, value: object) -> object:
    if isinstance(value, str):
        word = value if info.exact else value.lower().strip()
        if word in info.choices:
            return info.choices[word]
    elif repr(value) in info.others:
        return info.others[repr(value)]
    raise RefusedError("it isn't one of " + ", ".join(dict.fromkeys(map(str, info.choices))))


def _protocols(info: SettingInfo, value: object) -> list[str]:
    if value is not None and not isinstance(value, str):
        raise RefusedError("it isn't a string")
    protocols = [part.strip().lower() for part in (value or "").split(",") if part.strip()]
    for protocol in protocols:
        if protocol not in info.choices:
            raise RefusedError(f"`{protocol}` isn't one of " + ", ".join(info.choices))
    if len(set(protocols)) < len(protocols):
        raise RefusedError("it names a protocol twice")
    return protocols or ["h1"]


def _class(info: SettingInfo, value: object) -> object:
    if isinstance(value, Function):
        raise UndecidedError(f"it is made by `{value.name}`")
    if value is None:
        raise RefusedError("it names no class")
    return _string(info, value)


def _dict(info: SettingInfo, value: object) -> object:
    if isinstance(value, dict):
        return value
    raise RefusedError("it isn't a dictionary")


def _account(info: SettingInfo, value: object) -> int:
    """A user or group as its number; 0 is root's on every machine, other names are its own."""
    if isinstance(value, int):
        return value
    if value is None:
        raise UndecidedError(f"it is the {info.kind} that starts gunicorn")
    if not isinstance(value, str) or not value:
        raise RefusedError(f"it is no {info.kind}")
    if is_number(value):
        return int(value)
    if value == "root":
        return 0
    raise UndecidedError(f"the machine knows the number of the {info.kind} `{value}`")


def _directory(info: SettingInfo, value: object) -> str:
    text = _string(info, value)
    if text is None:
        raise RefusedError("it isn't a string")
    return posixpath.normpath(text)


def _host_port(info: SettingInfo, value: object) -> object:
    """`statsd_host` before 21.0."""
    text = _string(info, value)
    if text is None:
        return None
    host, colon, port = text.partition(":")
    try:
        if colon and ":" not in port:
            return [host, int(port)]
    except ValueError:
        pass
    raise RefusedError("it isn't host:port")


def _statsd_address(info: SettingInfo, value: object) -> object:
    """`statsd_host` since 21.0: the path of a socket, or host and port."""
    text = _string(info, value)
    if text is None:
        return None
    old = re.fullmatch(r"unix:(\d+)", text)
    if old:
        return ["unix", int(old[1])]
    path = re.match(r"unix:(//)?", text)
    if path:
        return re.split(r"unix:(//)?", text)[-1]
    try:
        if text.startswith("fd://"):
            return int(text[5:])
        return _internet_address(text.split("tcp://")[-1] if text.startswith("tcp://") else text)
    except ValueError:
        raise RefusedError("it is neither host:port nor unix://path") from None


def _internet_address(text: str) -> list[object]:
    """Host and port; statsd's own port where none is given. Raises `ValueError`."""
    host, port = text, "8125"
    if "[" in text and "]" in text:
        host = text.split("]")[0][1:]
        port = (*text.split("]:"), port)[1]
    elif ":" in text:
        host, port = text.split(":")[:2]
    elif not text:
        host = "0.0.0.0"
    return [host.lower(), int(port)]


def _ssl_version(info: SettingInfo, value: object) -> object:
    """A protocol of Python's `ssl` by name or number, for gunicorn 20."""
    numbers = {
        "SSLv23": 2, "TLS": 2, "TLSv1": 3, "TLSv1_1": 4, "TLSv1_2": 5, "TLS_CLIENT": 16,
        "TLS_SERVER": 17,
    }  # fmt: skip
    if isinstance(value, str) and value in numbers:
        return numbers[value]
    try:
        number = _integer(info, value)
    except RefusedError:
        number = -1
    if number not in numbers.values():
        raise RefusedError("Python's ssl module has no such protocol")
    return number


def _hook(info: SettingInfo, value: object) -> object:
    if isinstance(value, str):
        if "." not in value:
            raise RefusedError("it is no function and no `module.function`")
        raise UndecidedError(f"it is imported from `{value.rpartition('.')[0]}`")
    if not isinstance(value, Function):
        raise RefusedError("it is no function")
    if value.positional is not None and value.positional not in info.arity:
        wanted = " or ".join(map(str, info.arity))
        raise RefusedError(f"it takes {value.positional} parameters instead of {wanted}")
    return value


def _anything(info: SettingInfo, value: object) -> object:
    return value


_CONVERTERS: dict[Kind, Conversion] = {
    "addresses": _addresses,
    "any-networks": _addresses,
    "bool": _boolean,
    "choice": _choice,
    "class": _class,
    "comma-list": _comma_list,
    "dict": _dict,
    "directory": _directory,
    "files": _list,
    "group": _account,
    "hook": _hook,
    "host-port": _host_port,
    "int": _integer,
    "list": _list,
    "networks": _addresses,
    "opaque": _anything,
    "patterns": _list,
    "protocols": _protocols,
    "ssl-version": _ssl_version,
    "statsd-address": _statsd_address,
    "string": _string,
    "user": _account,
}
