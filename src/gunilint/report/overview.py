"""What is said of a deployment by the formats that show it: its chain, facts and settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from gunilint.command import Word
from gunilint.deployment import Deployment, Setting
from gunilint.masking import Mask
from gunilint.source import Source, Span
from gunilint.values import Function, Known, Module, OneOf, Refused, Symbolic, Unknown, Value

_MODES = frozenset({"umask", "control_socket_mode"})


class Show(Struct, frozen=True):
    """What is shown, and how.

    `display` gives a source's path as people see it. `everything` says that settings at their
    default are shown too, `cpus` is the number of CPUs to work worker formulas out with. `mask`
    overwrites what may not be shown.
    """

    deployments: Sequence[Deployment]
    display: Callable[[Source], str]
    everything: bool = False
    cpus: int | None = None
    mask: Mask = field(default_factory=Mask)

    def place(self, span: Span) -> str:
        """`path:line:column`."""
        return f"{self.display(span.source)}:{span.line}:{span.column}"

    def line(self, span: Span) -> str:
        """`path:line`."""
        return f"{self.display(span.source)}:{span.line}"


def each(show: Show) -> Iterator[tuple[Deployment, Show]]:
    """Each deployment, and how it is shown: with the CPUs of its own machine."""
    for deployment in show.deployments:
        yield deployment, replace(show, cpus=deployment.cpus)


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


def title(deployment: Deployment, show: Show) -> str:
    """A deployment in a few words."""
    launch = deployment.launch
    if launch is None:
        assert deployment.config is not None
        return f"{show.display(deployment.config.source)}, which nothing here starts gunicorn with"
    unit = f"{launch.unit.name}: " if launch.unit else ""
    app = deployment.app.spec if deployment.app else said(launch.line.app)
    return show.mask.text(f"{unit}{launch.server} {app}".rstrip())


def said(word: Word | None) -> str:
    """A word as it is known, else as it is written; empty for none."""
    if word is None:
        return ""
    return word.span.text if word.text is None else word.text


class Link(Struct, frozen=True):
    """One file of the chain that leads to a running application, and the place in it."""

    kind: Literal["unit", "script", "config", "application"]
    source: Source
    span: Span | None = None

    def text(self, show: Show) -> str:
        """Its path, with the line where there is one."""
        return show.line(self.span) if self.span else show.display(self.source)


def chain(deployment: Deployment) -> tuple[Link, ...]:
    """From the unit or script that starts a deployment to its config and application."""
    launch, app, config = deployment.launch, deployment.app, deployment.config
    found: dict[tuple[Source, int], Link] = {}
    units = launch.unit.sources if launch is not None and launch.unit is not None else ()
    for label in launch.chain if launch else ():
        source = label.span.source
        kind: Literal["unit", "script"] = "unit" if source in units else "script"
        found.setdefault((source, label.span.line), Link(kind, source, label.span))
    links = list(found.values())
    if config is not None:
        links.append(Link("config", config.source))
    if app is not None and app.module is not None:
        links.append(Link("application", app.module))
    return tuple(links)


def facts(deployment: Deployment, show: Show) -> Iterator[tuple[str, str]]:
    """What is known of a deployment beside its chain and its settings, each under a name."""
    for name, text in _facts(deployment, show):
        yield name, show.mask.text(text)


def _facts(deployment: Deployment, show: Show) -> Iterator[tuple[str, str]]:
    launch, app, config = deployment.launch, deployment.app, deployment.config
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
    lines = (launch.line, launch.extra) if launch is not None else ()
    for part in (config.namespace if config is not None else None, *lines):
        if part is not None and part.open is not None:
            yield "others", f"what isn't listed below isn't known: {part.open}"


def refusals(deployment: Deployment, show: Show) -> Iterator[tuple[str, str]]:
    """Why gunicorn refuses to start, each with its place."""
    for refusal in deployment.refusals:
        what = f"`{refusal.setting}`: {refusal.reason}" if refusal.setting else refusal.reason
        text = f"gunicorn refuses to start: {what}{_assuming(refusal.assumes)}"
        yield show.mask.text(text), show.place(refusal.span)


def _shared_assumptions(deployment: Deployment) -> tuple[str, ...]:
    """What the choice of the config file rests on, and so each of its settings."""
    config = deployment.settings.get("config")
    return config.assumes if config else ()


class Row(Struct, frozen=True):
    """A line of the table: a setting's name (empty for what belongs to the one above).

    `span` is where the value is written, `role` how it is shown.
    """

    name: str
    value: str
    origin: str
    role: Literal["message", "error", "name"] = "message"
    span: Span | None = None


def rows(deployment: Deployment, show: Show) -> Iterator[Row]:
    """The settings that something sets, with where they come from and what they override."""
    shared = _shared_assumptions(deployment)
    for name, setting in sorted(effective_settings(deployment).items()):
        implied = name == "default_proc_name" and setting.origin == "command line"
        if show.everything or (setting.origin != "default" and not implied):
            yield from _setting_rows(name, show.mask.setting(setting), show)
            own = [text for text in setting.assumes if text not in shared]
            if own:
                yield Row("", show.mask.text(f"assuming {' and '.join(own)}"), "", "name")


def _setting_rows(name: str, setting: Setting, show: Show) -> Iterator[Row]:
    def text(value: Value) -> str:
        return show.mask.text(described(value, show.cpus, mode=name in _MODES))

    value = text(setting.value)
    refused = isinstance(setting.value, Refused)
    role: Literal["error", "message"] = "error" if refused else "message"
    yield Row(name, value, _origin(setting, show), role, setting.span)
    if isinstance(setting.value, OneOf):
        for option in setting.value.options:
            where = show.place(option.span) if option.span else ""
            possible = f"{described(option.value, show.cpus)} if {option.condition}"
            yield Row("", show.mask.text(possible), where, "name", option.span)
    for weaker in setting.overridden:
        lost = text(weaker.value)
        said = "the same" if lost == value else f"instead of {lost}"
        yield Row("", said, _origin(weaker, show), "name", weaker.span)


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
