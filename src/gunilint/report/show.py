"""What gunicorn would run with: the formats of `gunilint show`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gunilint.command import Word
from gunilint.deployment import Deployment, Origin, Setting
from gunilint.report.terminal import Style, columns, escape
from gunilint.source import Source, Span
from gunilint.values import Function, Known, Module, OneOf, Refused, Symbolic, Unknown, Value

VERSION = 1

_ORIGINS: Mapping[Origin, str] = {
    "default": "default",
    "environment": "environment",
    "config file": "config_file",
    "GUNICORN_CMD_ARGS": "cmd_args",
    "command line": "command_line",
}
_MODES = frozenset({"umask", "control_socket_mode"})
_VALUE_WIDTH = 44
"""The columns of a value that still has its place beside it."""


@dataclass(frozen=True, slots=True)
class Show:
    """What is shown, and how.

    `display` gives a source's path as people see it. `cpus` is the number of CPUs to work worker
    formulas out with, `everything` says that settings at their default are shown too.
    """

    deployments: Sequence[Deployment]
    display: Callable[[Source], str]
    cpus: int | None = None
    everything: bool = False

    def place(self, span: Span) -> str:
        """`path:line:column`."""
        return f"{self.display(span.source)}:{span.line}:{span.column}"

    def line(self, span: Span) -> str:
        """`path:line`."""
        return f"{self.display(span.source)}:{span.line}"


def render_json(show: Show) -> str:
    """One JSON object; its `version` changes when a key is removed or changes meaning."""
    document = {
        "version": VERSION,
        "deployments": [_deployment(each, show) for each in show.deployments],
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


def plain(value: object) -> object:
    """A value as JSON has it: a function is its name."""
    if isinstance(value, Function | Module):
        return value.name
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    return value if value is None or isinstance(value, str | int | float) else str(value)


def effective_settings(deployment: Deployment) -> dict[str, Setting]:
    """The settings as gunicorn resolves them: several threads make a gthread of a sync worker."""
    settings = dict(deployment.settings)
    worker = settings.get("worker_class")
    name = worker.known if worker else None
    if worker is None or not isinstance(name, str):
        return settings
    threads = settings["threads"]
    if name == "sync" or name.endswith("SyncWorker"):
        if not isinstance(threads.known, int):
            value: Value = Unknown("`threads` decides between sync and gthread")
        elif threads.known > 1:
            value = Known("gthread", (*worker.assumes, *threads.assumes))
        else:
            return settings
        settings["worker_class"] = Setting(
            worker.name, value, worker.origin, worker.span, worker.overridden
        )
    return settings


def _on(value: Value, cpus: int | None) -> Value:
    """`value` on a machine with so many CPUs."""
    if isinstance(value, Symbolic) and cpus is not None:
        return Known(value.at(cpus), value.assumes, value.via)
    return value


# text


def render_text(show: Show, *, color: bool = False) -> str:
    """Each deployment as a block, its settings as a table."""
    style = Style(color)
    blocks = ["\n".join(_block(each, show, style)) for each in show.deployments]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _block(deployment: Deployment, show: Show, style: Style) -> Iterator[str]:
    yield style.paint("message", escape(_title(deployment, show)))
    facts = list(_facts(deployment, show))
    width = max(len(name) for name, _ in facts)
    for name, text in facts:
        yield f"  {style.paint('name', f'{name:{width}}')}  {escape(text)}"
    for refusal in deployment.refusals:
        what = f"`{refusal.setting}`: {refusal.reason}" if refusal.setting else refusal.reason
        text = f"gunicorn refuses to start: {what}{_assuming(refusal.assumes)}"
        yield f"  {style.paint('error', escape(text))}  ({escape(show.place(refusal.span))})"
    rows = list(_rows(deployment, show))
    if rows:
        yield ""
        yield from _table(rows, style)


def _title(deployment: Deployment, show: Show) -> str:
    launch = deployment.launch
    if launch is None:
        assert deployment.config is not None
        return f"{show.display(deployment.config.source)}, which nothing here starts gunicorn with"
    unit = f"{launch.unit.name}: " if launch.unit else ""
    app = deployment.app.spec if deployment.app else _text(launch.line.app)
    return f"{unit}{launch.server} {app}".rstrip()


def _text(word: Word | None) -> str:
    if word is None:
        return ""
    return word.span.text if word.text is None else word.text


def _facts(deployment: Deployment, show: Show) -> Iterator[tuple[str, str]]:
    launch, app, config = deployment.launch, deployment.app, deployment.config
    links = [show.line(label.span) for label in launch.chain] if launch else []
    if config is not None:
        links.append(show.display(config.source))
    if app is not None and app.module is not None:
        links.append(show.display(app.module))
    yield "chain", " -> ".join(dict.fromkeys(links))
    if launch is not None and launch.place.text is not None:
        yield "starts in", launch.place.text
    if app is not None:
        kind = app.kind.upper() if app.kind in ("asgi", "wsgi") else app.kind
        yield "app", f"{app.spec}, {kind or 'of unknown kind'}: {app.why}"
    if launch is not None and launch.server != "gunicorn":
        yield launch.server, "is started by itself, so gunicorn's settings mean nothing here"
        return
    shared = _shared_assumptions(deployment)
    if shared:
        yield "assuming", " and ".join(shared)
    target = deployment.target
    source = f" ({show.line(target.span)})" if target.span else ""
    yield "gunicorn", f"{target.version}, {target.why}{source}"
    packages = [
        f"{name} {choice.version} ({show.line(choice.span)})"
        for name, choice in deployment.packages.items()
    ]
    if packages:
        yield "with", ", ".join(packages)
    if deployment.missing is not None:
        yield "config", f"unknown, {deployment.missing}; nor is what isn't listed below"


def _shared_assumptions(deployment: Deployment) -> tuple[str, ...]:
    """What the choice of the config file rests on, and so each of its settings."""
    config = deployment.settings.get("config")
    return config.assumes if config else ()


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the table: a setting's name (empty for what belongs to the one above)."""

    name: str
    value: str
    origin: str
    role: str = "message"


def _rows(deployment: Deployment, show: Show) -> Iterator[_Row]:
    shared = _shared_assumptions(deployment)
    for name, setting in sorted(effective_settings(deployment).items()):
        implied = name == "default_proc_name" and setting.origin == "command line"
        if show.everything or (setting.origin != "default" and not implied):
            yield from _setting_rows(name, setting, show)
            own = [text for text in setting.assumes if text not in shared]
            if own:
                yield _Row("", f"assuming {' and '.join(own)}", "", "name")


def _setting_rows(name: str, setting: Setting, show: Show) -> Iterator[_Row]:
    value = described(setting.value, show.cpus, mode=name in _MODES)
    role = "error" if isinstance(setting.value, Refused) else "message"
    yield _Row(name, value, _origin(setting, show), role)
    if isinstance(setting.value, OneOf):
        for option in setting.value.options:
            where = show.place(option.span) if option.span else ""
            possible = f"{described(option.value, show.cpus)} if {option.condition}"
            yield _Row("", possible, where, "name")
    for weaker in setting.overridden:
        lost = described(weaker.value, show.cpus, mode=name in _MODES)
        text = "the same" if lost == value else f"instead of {lost}"
        yield _Row("", text, _origin(weaker, show), "name")


def _origin(setting: Setting, show: Show) -> str:
    if setting.span is None:
        return setting.origin
    place = show.place(setting.span)
    return place if setting.origin == "config file" else f"{place}, {setting.origin}"


def _assuming(assumes: Sequence[str]) -> str:
    return f" (assuming that {' and '.join(assumes)})" if assumes else ""


def described(value: Value, cpus: int | None = None, *, mode: bool = False) -> str:
    """A value in a few words; a file mode in octal digits."""
    if mode and isinstance(value, Known) and isinstance(value.value, int):
        return f"0o{value.value:03o}"
    if isinstance(value, Symbolic):
        return f"{value.text} = {value.at(cpus)}" if cpus is not None else value.text
    if isinstance(value, Known):
        return _written(value.value)
    if isinstance(value, Refused):
        return f"{_written(value.value)}, which gunicorn refuses: {value.reason}"
    if isinstance(value, OneOf):
        return "one of"
    return f"unknown: {value.reason}"


def _written(value: object) -> str:
    if isinstance(value, Function):
        return f"{value.name}()"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(map(_written, value)) if value else "[]"
    if isinstance(value, str) and value and value.isprintable() and value == value.strip():
        return value
    return repr(plain(value))


def _table(rows: Sequence[_Row], style: Style) -> Iterator[str]:
    """The rows, aligned; a value that is too long for its column has its place below it."""
    names = max(len(row.name) for row in rows)
    values = min(_VALUE_WIDTH, max(columns(escape(row.value)) for row in rows))
    for row in rows:
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
