"""What gunicorn would run with: the formats of `gunilint show`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gunilint.deployment import Deployment, Origin, Setting
from gunilint.report.overview import (
    Row,
    Show,
    chain,
    each,
    effective_settings,
    facts,
    plain,
    refusals,
    rows,
    title,
)
from gunilint.report.terminal import Style, columns, escape
from gunilint.source import Span
from gunilint.values import Known, OneOf, Refused, Symbolic, Unknown, Value

VERSION = 1

_ORIGINS: Mapping[Origin, str] = {
    "default": "default",
    "environment": "environment",
    "config file": "config_file",
    "GUNICORN_CMD_ARGS": "cmd_args",
    "command line": "command_line",
}
_VALUE_WIDTH = 44
"""The columns of a value that still has its place beside it."""


def render_json(show: Show) -> str:
    """One JSON object; its `version` changes when a key is removed or changes meaning."""
    document = {
        "version": VERSION,
        "deployments": [show.mask.plain(_deployment(*one)) for one in each(show)],
    }
    return json.dumps(document, indent=2, default=str) + "\n"


def _deployment(deployment: Deployment, show: Show) -> dict[str, Any]:
    launch, app = deployment.launch, deployment.app
    settings = effective_settings(deployment)
    return {
        "launch": launch
        and {
            "server": launch.server,
            "path": show.display(launch.word.span.source),
            "line": launch.word.span.line,
            "argv": [word.text for word in launch.command.words],
            "chain": [
                {"path": show.display(label.span.source), "line": label.span.line}
                for label in launch.chain
            ],
            "cwd": launch.place.text,
        },
        "config_file": deployment.config and show.display(deployment.config.source),
        "config_file_unknown": deployment.missing,
        "app": app
        and {
            "spec": app.spec,
            "kind": app.kind,
            "path": app.module and show.display(app.module),
        },
        "gunicorn_version": deployment.target.version,
        "gunicorn_version_from": {
            "why": deployment.target.why,
            **_place(deployment.target.span, show),
        },
        "packages": {
            name: {"version": choice.version, "why": choice.why, **_place(choice.span, show)}
            for name, choice in deployment.packages.items()
        },
        "refusals": [
            {
                "setting": refusal.setting,
                "reason": refusal.reason,
                "status": refusal.status,
                "assumes": list(refusal.assumes),
                **_place(refusal.span, show),
            }
            for refusal in deployment.refusals
        ],
        "settings": {name: _setting(setting, show) for name, setting in sorted(settings.items())},
    }


def _setting(setting: Setting, show: Show) -> dict[str, Any]:
    return {
        **_source(setting, show),
        "overrides": [_source(weaker, show) for weaker in setting.overridden],
    }


def _source(setting: Setting, show: Show) -> dict[str, Any]:
    value = _on(setting.value, show.cpus)
    entry: dict[str, Any] = {
        "known": isinstance(value, Known),
        "value": plain(value.value) if isinstance(value, Known) else None,
        "assumes": list(setting.assumes),
        "text": setting.span.text if setting.span else None,
        "origin": _ORIGINS[setting.origin],
        **_place(setting.span, show),
    }
    if isinstance(setting.value, Symbolic):
        entry["formula"] = setting.value.text
    elif isinstance(value, OneOf):
        entry["one_of"] = [
            {"value": _alternative(option.value), "when": option.condition}
            for option in value.options
        ]
    elif isinstance(value, Refused):
        entry["refused"] = value.reason
    elif isinstance(value, Unknown):
        entry["unknown"] = value.reason
    return entry


def _alternative(value: Value) -> object:
    if isinstance(value, Known):
        return plain(value.value)
    return value.text if isinstance(value, Symbolic) else None


def _place(span: Span | None, show: Show) -> dict[str, Any]:
    if span is None:
        return {"path": None, "line": None, "column": None}
    return {"path": show.display(span.source), "line": span.line, "column": span.column}


def _on(value: Value, cpus: int | None) -> Value:
    """`value` on a machine with so many CPUs."""
    if isinstance(value, Symbolic) and cpus is not None:
        return Known(value.at(cpus), value.assumes, value.via)
    return value


# text


def render_text(show: Show, *, color: bool = False) -> str:
    """Each deployment as a block, its settings as a table."""
    style = Style(color)
    blocks = ["\n".join(_block(*one, style)) for one in each(show)]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _block(deployment: Deployment, show: Show, style: Style) -> Iterator[str]:
    yield style.paint("message", escape(title(deployment, show)))
    links = dict.fromkeys(link.text(show) for link in chain(deployment))
    lines = [("chain", " -> ".join(links)), *facts(deployment, show)]
    width = max(len(name) for name, _ in lines)
    for name, text in lines:
        yield f"  {style.paint('name', f'{name:{width}}')}  {escape(text)}"
    for text, place in refusals(deployment, show):
        yield f"  {style.paint('error', escape(text))}  ({escape(place)})"
    table = list(rows(deployment, show))
    if table:
        yield ""
        yield from _table(table, style)


def _table(table: Sequence[Row], style: Style) -> Iterator[str]:
    """The rows, aligned; a value that is too long for its column has its place below it."""
    names = max(len(row.name) for row in table)
    values = min(_VALUE_WIDTH, max(columns(escape(row.value)) for row in table))
    for row in table:
        value = escape(row.value)
        name = style.paint("frame", f"{row.name:{names}}")
        painted = style.paint(row.role, value)
        origin = style.paint("name", escape(row.origin))
        if not origin:
            yield f"  {name}  {painted}".rstrip()
        elif columns(value) > values:
            yield f"  {name}  {painted}".rstrip()
            yield f"  {' ' * names}  {' ' * values}  {origin}"
        else:
            yield f"  {name}  {painted}{' ' * (values - columns(value))}  {origin}"
