"""Values as gunicorn's own validators turn them into a setting's value, or refuse them.

The rules are those of `gunicorn.config`'s `validate_*` functions, tried with each kind of value.
"""

from __future__ import annotations

from dataclasses import replace

from gunilint.catalogue import SettingInfo
from gunilint.values import Function, Known, OneOf, Symbolic, Unknown, Value

_MODES = frozenset({"umask", "control_socket_mode"})


class RefusedError(ValueError):
    """gunicorn refuses the value at start; the message says why."""


def validated(info: SettingInfo, value: Value) -> Value:
    """`value` as gunicorn's `cfg` would hold it; unknown, with the reason, where it refuses it."""
    if isinstance(value, OneOf):
        return OneOf(
            tuple(replace(option, value=_single(info, option.value)) for option in value.options)
        )
    return _single(info, value)


def from_command_line(info: SettingInfo, value: Value) -> Value:
    """The value that argparse makes of an option's text."""
    if info.kind != "int":
        return value
    if isinstance(value, OneOf):
        return OneOf(
            tuple(replace(each, value=_number(info, each.value)) for each in value.options)
        )
    return _number(info, value)


def _number(info: SettingInfo, value: Known | Symbolic | Unknown) -> Known | Symbolic | Unknown:
    if isinstance(value, Symbolic):
        at = value.at
        return replace(value, at=lambda cpus: int(str(at(cpus))))
    if not isinstance(value, Known) or not isinstance(value.value, str):
        return value
    try:
        return replace(value, value=_from_text(info, value.value))
    except ValueError:
        return Unknown(f"gunicorn refuses `{value.value}`: it isn't a whole number")


def _from_text(info: SettingInfo, text: str) -> int:
    """A whole number; for file modes a leading zero means octal. Raises `ValueError`."""
    if info.name not in _MODES or not text.startswith("0"):
        return int(text)
    return int(text, 8) if text.isdigit() else int(text, 0)


def _single(info: SettingInfo, value: Known | Symbolic | Unknown) -> Known | Symbolic | Unknown:
    if not isinstance(value, Known):
        return value
    try:
        return replace(value, value=convert(info, value.value))
    except RefusedError as refusal:
        return Unknown(f"gunicorn refuses `{value.value!r}`: {refusal}")


def convert(info: SettingInfo, value: object) -> object:
    """The value that gunicorn keeps for a setting that is set to `value`.

    Raises `RefusedError` for what gunicorn refuses at start.
    """
    if info.kind == "int":
        return _integer(value)
    if info.kind == "bool":
        return _boolean(value)
    if info.kind == "user" and isinstance(value, int):
        return value
    if info.kind in ("string", "user"):
        return _string(value)
    if info.kind in ("list", "comma-list", "addresses"):
        return _list(value, strings_only=info.kind != "list")
    if info.kind == "hook" and isinstance(value, Function):
        _check_arity(info, value)
    return value.strip() if isinstance(value, str) else value


def _integer(value: object) -> int:
    if isinstance(value, str):
        try:
            number = int(value, 0)
        except ValueError:
            raise RefusedError("it isn't a whole number") from None
    elif isinstance(value, int):
        number = int(value)
    else:
        raise RefusedError("it isn't a whole number")
    if number < 0:
        raise RefusedError("it is negative")
    return number


def _boolean(value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise RefusedError("it is neither True nor False")


def _string(value: object) -> object:
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return None
    raise RefusedError("it isn't a string")


def _list(value: object, *, strings_only: bool) -> object:
    if not value:
        return []
    if isinstance(value, str):
        parts = value.split(",") if strings_only else [value]
        return [part.strip() for part in parts if part]
    if strings_only or not isinstance(value, list | tuple | set):
        raise RefusedError("it isn't a string")
    if not all(isinstance(item, str) for item in value):
        raise RefusedError("its items aren't all strings")
    return [item.strip() for item in value]


def _check_arity(info: SettingInfo, function: Function) -> None:
    if function.positional is not None and function.positional not in info.arity:
        wanted = " or ".join(map(str, info.arity))
        raise RefusedError(f"it takes {function.positional} parameters instead of {wanted}")
