"""Print what the importable gunicorn has: its settings, validators, options and worker classes.

    PYTHONPATH=unpacked-wheel python scripts/survey_gunicorn.py

It runs inside the surveyed release, so it imports nothing of gunilint. What a validator does is
found by trying it.
"""

from __future__ import annotations

import io
import json
import os
import sys
import warnings
from contextlib import redirect_stderr

for variable in ("WEB_CONCURRENCY", "PORT", "FORWARDED_ALLOW_IPS", "SENDFILE"):
    os.environ.pop(variable, None)
os.environ.update(HOME="/home/u", XDG_RUNTIME_DIR="")
warnings.simplefilter("ignore")

from gunicorn import __version__, config, workers  # noqa: E402

WORDS = """
off on auto true false none 0 1 v1 v2 asyncio uvloop fast python drop refuse dangerous
prior-knowledge upgrade both poll inotify h1 h2 h3
""".split()
"""Every word that some release takes as one of a few."""

KINDS = {
    "validate_pos_int": "int",
    "validate_http2_window_size": "int",
    "validate_http2_stream_limit": "int",
    "validate_http2_frame_size": "int",
    "validate_bool": "bool",
    "validate_string": "string",
    "validate_list_string": "list",
    "validate_list_of_existing_files": "files",
    "validate_list_of_files_or_patterns": "patterns",
    "validate_string_to_list": "comma-list",
    "validate_string_to_addr_list": "addresses",
    "validate_http_protocols": "protocols",
    "validate_class": "class",
    "validate_dict": "dict",
    "validate_user": "user",
    "validate_group": "group",
    "validate_chdir": "directory",
    "validate_hostport": "host-port",
    "validate_statsd_address": "statsd-address",
    "validate_ssl_version": "ssl-version",
    "validate_post_request": "hook",
    "validate_file_exists": "string",
}
CHOICES = {
    "validate_proxy_protocol",
    "validate_http2_cleartext",
    "validate_asgi_loop",
    "validate_asgi_lifespan",
    "validate_http_parser",
    "validate_header_map_behaviour",
    "validate_reload_engine",
}
ACTIONS = {
    None: "store",
    "store": "store",
    "append": "append",
    "store_true": "switch",
    "store_const": "constant",
}
MACHINE_DEPENDENT = {"chdir", "user", "group", "control_socket"}
"""Settings whose default the machine decides."""

REFUSED = object()


def tried(validator, value):
    """What `validator` makes of `value`, or `REFUSED`."""
    try:
        with redirect_stderr(io.StringIO()):
            return validator(value)
    except Exception:
        return REFUSED


def kind_of(validator):
    name = validator.__qualname__
    if name == "validate_callable.<locals>._validate_callable":
        return "hook"
    if name == "validate_ssl_version" and tried(validator, "no such version") is not REFUSED:
        return "opaque"
    if name == "validate_string_to_addr_list":
        if tried(validator, "10.0.0.0/8") is REFUSED:
            return "addresses"
        return "networks" if tried(validator, "10.0.0.1/8") is REFUSED else "any-networks"
    return "choice" if name in CHOICES else KINDS[name]


def bounds(validator):
    """The least and the greatest number that `validator` takes (None: no greatest)."""
    limits = (0, 1, 16384, 16777215, 2**31 - 1, 2**31)
    taken = [number for number in limits if tried(validator, number) is not REFUSED]
    return [taken[0], None if taken[-1] == limits[-1] else taken[-1]]


def choices(validator):
    """Each word that is taken, and what becomes of it; `exact` where case and blanks count."""
    found = {}
    for word in WORDS:
        made = tried(validator, word)
        if made is not REFUSED:
            found[word] = made
    others = {repr(v): tried(validator, v) for v in (None, True, False)}
    entry = {"choices": found, "others": {k: v for k, v in others.items() if v is not REFUSED}}
    if tried(validator, f" {next(iter(found)).upper()} ") is REFUSED:
        entry["exact"] = True
    return entry


def arity(validator):
    if validator.__qualname__ == "validate_post_request":
        return [2, 3, 4]
    (cell,) = validator.__closure__
    return [cell.cell_contents]


def default(setting):
    if setting.name in MACHINE_DEPENDENT:
        return None
    value = setting.default
    if callable(value):
        return None
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def survey(setting):
    validator = setting.validator
    kind = kind_of(validator)
    entry = {
        "kind": kind,
        "flags": list(setting.cli or []),
        "action": "optional" if setting.nargs == "?" else ACTIONS[setting.action],
        "type": getattr(setting.type, "__name__", None),
        "default": default(setting),
        "section": setting.section,
    }
    if setting.name in MACHINE_DEPENDENT:
        entry["machine"] = True
    if kind == "int":
        entry["bounds"] = bounds(validator)
    elif kind == "choice":
        entry.update(choices(validator))
    elif kind == "protocols":
        entry["choices"] = {w: w for w in WORDS if tried(validator, w) is not REFUSED}
    elif kind == "hook":
        entry["arity"] = arity(validator)
    return entry


print(
    json.dumps(
        {
            "release": __version__,
            "settings": {setting.name: survey(setting) for setting in config.KNOWN_SETTINGS},
            "workers": dict(workers.SUPPORTED_WORKERS),
        },
        sort_keys=True,
    )
)
sys.stdout.flush()
