"""Turn a survey of gunicorn's settings into the catalogue that gunilint ships.

    python scripts/build_catalogue.py gunicorn-settings.json

reads the survey (one record a setting: flags, validator, default, first and last version, changes)
and writes `src/gunilint/catalogue/settings.json`: what holds for the newest version, and under
`history` what was different before a version. Changes before 19.9 are left out.
"""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "src/gunilint/catalogue/settings.json"

KINDS = {
    "validate_pos_int": "int",
    "validate_http2_window_size": "int",
    "validate_http2_stream_limit": "int",
    "validate_http2_frame_size": "int",
    "validate_bool": "bool",
    "validate_list_string": "list",
    "validate_list_of_files_or_patterns": "list",
    "validate_string_to_addr_list": "addresses",
    "validate_string_to_list": "comma-list",
    "validate_http_protocols": "comma-list",
    "validate_class": "class",
    "validate_dict": "dict",
    "validate_user": "user",
    "validate_group": "user",
    "validate_ssl_version": "opaque",
    "validate_proxy_protocol": "choice",
    "validate_http2_cleartext": "choice",
    "validate_asgi_loop": "choice",
    "validate_asgi_lifespan": "choice",
    "validate_http_parser": "choice",
    "validate_header_map_behaviour": "choice",
    "validate_reload_engine": "choice",
}

ENVIRONMENT = {
    "workers": "WEB_CONCURRENCY",
    "bind": "PORT",
    "forwarded_allow_ips": "FORWARDED_ALLOW_IPS",
    "sendfile": "SENDFILE",
}

# What the survey tells in words: defaults that depend on the machine, and options that came or went.
MACHINE_DEPENDENT = {"chdir", "user", "group", "control_socket"}
HISTORY = {
    "proxy_protocol": [{"before": "24.1.0", "default": False, "kind": "bool", "action": "switch"}],
    "ciphers": [{"before": "20.0.0", "default": "TLSv1"}],
    "forwarded_allow_ips": [{"before": "23.0.0", "default": "127.0.0.1", "kind": "comma-list"}],
    "proxy_allow_ips": [{"before": "23.0.0", "default": "127.0.0.1", "kind": "comma-list"}],
    "logconfig_dict": [
        {"before": "20.1.0", "flags": ["--log-config-dict"], "action": "store"},
    ],
    "control_socket": [{"before": "25.2.0", "default": "gunicorn.ctl"}],
}


def kind(record: dict[str, Any]) -> str:
    if record.get("hook_arity") is not None:
        return "hook"
    return KINDS.get(record["validator"], "string")


def action(record: dict[str, Any]) -> str:
    """How the command line takes the option."""
    if record["nargs"] == "?":
        return "optional"
    return {
        "append": "append",
        "store_true": "switch",
        "store_const": "constant",
    }.get(record["action"], "store")


def setting(name: str, record: dict[str, Any]) -> dict[str, Any]:
    arity = record.get("hook_arity")
    default = record.get("default_raw", record["default"])
    if arity is not None or name in MACHINE_DEPENDENT:
        default = None
    entry: dict[str, Any] = {
        "kind": kind(record),
        "flags": record["cli"] or [],
        "action": action(record),
        "type": record["type"] if record["type"] in ("int", "auto_int") else None,
        "default": default,
        "since": record["first_version"],
        "until": record["last_version"],
        "section": record["section"],
    }
    if entry["kind"] == "choice":
        entry["choices"] = [c for c in record["allowed"] if not str(c).startswith("(")]
    if arity is not None:
        entry["arity"] = arity if isinstance(arity, list) else [arity]
    if name in ENVIRONMENT:
        entry["environment"] = ENVIRONMENT[name]
    if name in HISTORY:
        entry["history"] = HISTORY[name]
    if name in MACHINE_DEPENDENT:
        entry["machine"] = True
    return entry


def removed(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": KINDS.get(record["validator"], "string"),
        "flags": ast.literal_eval(record["cli"]) if record["cli"] else [],
        "action": "switch" if record["validator"] == "validate_bool" else "store",
        "type": None,
        "default": ast.literal_eval(record["default"]),
        "since": record["first_version"],
        "until": record["last_version"],
        "section": ast.literal_eval(record["section"]),
    }


def main(survey: str) -> None:
    facts = json.loads(Path(survey).read_text(encoding="utf-8"))
    catalogue = {
        "latest": facts["_meta"]["latest"],
        "settings": {
            **{name: setting(name, record) for name, record in facts["settings"].items()},
            **{name: removed(record) for name, record in facts["removed"].items()},
        },
        "spellings": {
            entry["plausible_wrong_config_name"]: entry["setting"]
            for entry in facts["cli_flag_to_setting_mismatch"].values()
        },
    }
    text = json.dumps(catalogue, indent=1, sort_keys=True, ensure_ascii=False)
    TARGET.write_text(text + "\n", encoding="utf-8")
    print(f"{TARGET.name}: {len(catalogue['settings'])} settings")


if __name__ == "__main__":
    main(*sys.argv[1:])
