"""How to write something into a deployment's files, in the style of what is there.

Each function gives the edits, or None where the text leaves no sure way to make them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from gunilint import syntax
from gunilint.catalogue import SettingInfo
from gunilint.deployment import Deployment, Setting
from gunilint.evaluate import Binding
from gunilint.findings import Edit
from gunilint.options import OptionUse
from gunilint.parse.systemd import Directive, Unit
from gunilint.regex import regex
from gunilint.source import Source, Span
from gunilint.values import Known

Edits = tuple[Edit, ...]

_PLAIN = regex(r"[\w./:@,+=%-]+", re.ASCII)
"""A value that means itself in every shell, in a unit, and within quotes."""

_BREAK = regex(r"\\(\r?\n)")
_REST = regex(r"[ \t]*(#[^\r\n]*)?(\r\n|\r|\n|\Z)")
_ASYNC = regex(r"\basync[ \t]+(?=def[ \t]+\Z)")

_KIN = {
    "max_requests_jitter": "max_requests",
    "timeout": "graceful_timeout",
    "graceful_timeout": "timeout",
    "keepalive": "timeout",
    "threads": "workers",
    "worker_class": "workers",
    "umask": "bind",
}
"""The setting that a reader looks for first to find another."""


# settings


def set_settings(deployment: Deployment, values: dict[str, object]) -> Edits | None:
    """Give settings other values where they are written, or write them beside their kin.

    A value is a bool, a number, or a string; a string for a number's setting is its literal.
    """
    edits: list[Edit] = []
    new: dict[str, object] = {}
    for name, value in values.items():
        setting = deployment.settings.get(name)
        if setting is None:
            return None
        if setting.span is None:
            new[name] = value
            continue
        changed = _rewritten(deployment, setting, value)
        if changed is None:
            return None
        edits += changed
    added = _added(deployment, new, kin=values) if new else ()
    return None if added is None else (*edits, *added)


def _rewritten(deployment: Deployment, setting: Setting, value: object) -> Edits | None:
    """Edits that change a written setting."""
    assert setting.span is not None
    info = deployment.catalogue.settings[setting.name]
    if setting.origin == "config file":
        binding = _binding(deployment, setting.name)
        if binding is None or binding.span != setting.span:
            return None
        return (Edit(setting.span, _literal(info, value, setting.span.text)),)
    if value is False:
        use = _use(deployment, setting.span)
        return remove_option(use) if use is not None else None
    text = _plain(value)
    if text is None:
        return None
    known = str(setting.known)
    for span in (setting.span, *(setting.value.via if isinstance(setting.value, Known) else ())):
        bare = _unquoted(span)
        if bare.text == known:
            return (Edit(bare, text),)
    return None


def _added(
    deployment: Deployment, values: dict[str, object], kin: dict[str, object]
) -> Edits | None:
    """Edits that write settings which nothing sets yet: where their kin is, or in the config."""
    relatives = {_KIN.get(name, name) for name in values} | set(kin)
    written = [deployment.settings[name] for name in relatives if name in deployment.settings]
    on_the_line = any(setting.origin == "command line" for setting in written)
    if deployment.config is not None and not on_the_line:
        return add_assignments(deployment, values)
    return add_options(deployment, values)


def add_assignments(deployment: Deployment, values: dict[str, object]) -> Edits | None:
    """Assignments in the config file: behind a setting's kin, its section, or the last setting."""
    assert deployment.config is not None
    source = deployment.config.source
    settings = deployment.catalogue.settings
    statements = _statement_ends(deployment.config.document)
    ends = {name: end for name, end in statements if name in settings}
    section = settings[next(iter(values))].section
    kin = [_KIN[name] for name in values if name in _KIN]
    candidates = (
        [ends[name] for name in kin if name in ends],
        [end for name, end in ends.items() if settings[name].section == section],
        list(ends.values()),
        [len(source.text)],
    )
    place = max(next(each for each in candidates if each))
    line_end = _line_end(source)
    text = "".join(
        f"{name} = {_literal(settings[name], value, source.text)}{line_end}"
        for name, value in values.items()
    )
    if place and source.text[place - 1] not in "\r\n":
        text = line_end + text
    return (Edit(source.span(place, place), text),)


def _statement_ends(config: syntax.PythonConfig) -> Iterator[tuple[str, int]]:
    """Each name that a statement at the top of a config file assigns, and where its line ends."""
    assignments = [each for each in config.body if isinstance(each, syntax.Assign)]
    for assignment in assignments:
        rest = _REST.match(config.source.text, assignment.span.end)
        if rest is not None:
            names = (name for target in assignment.targets for name in _names(target))
            yield from ((name, rest.end()) for name in names)


def _names(target: syntax.Expression) -> Iterator[str]:
    """The names that a target binds, alone or in a tuple."""
    items = target.items if isinstance(target, syntax.Sequence) else (target,)
    yield from (item.id for item in items if isinstance(item, syntax.Name))


def _binding(deployment: Deployment, name: str) -> Binding | None:
    """The assignment that gives a name its value in the config file."""
    if deployment.config is None:
        return None
    binding = deployment.config.namespace.bindings.get(name)
    return binding if binding is not None and binding.kind == "assignment" else None


def _literal(info: SettingInfo, value: object, like: str) -> str:
    """A value as Python writes it, a string with the quotes that `like` uses most."""
    if isinstance(value, bool) or not isinstance(value, str) or info.kind == "int":
        return str(value)
    quote = "'" if like.count("'") > like.count('"') else '"'
    return f"{quote}{value}{quote}"


# command lines


def add_options(deployment: Deployment, values: dict[str, object]) -> Edits | None:
    """Options at the end of the command that starts gunicorn, one a line where it is continued."""
    launch = deployment.launch
    if launch is None or any(word.text == "--" for word in launch.command.words):
        return None
    options = []
    for name, value in values.items():
        option = _option(deployment.catalogue.settings[name], value)
        if option is None:
            return None
        options.append(option)
    last = launch.command.words[-1].span
    source = last.source
    if launch.word.span.source is not source:
        return None
    written = source.text[launch.word.span.start : last.end]
    line_break = _BREAK.search(written)
    if line_break is None:
        return (Edit(source.span(last.end, last.end), "".join(f" {each}" for each in options)),)
    line = source.line(last.line)
    indent = line[: len(line) - len(line.lstrip())]
    text = "".join(f" \\{line_break[1]}{indent}{option}" for option in options)
    return (Edit(source.span(last.end, last.end), text),)


def _option(info: SettingInfo, value: object) -> str | None:
    """A setting on the command line."""
    if not info.flags:
        return None
    flag = max(info.flags, key=len)
    if info.action == "switch":
        return flag if value is True else None
    text = _plain(value)
    return f"{flag} {text}" if text is not None and info.takes_value else None


def remove_option(use: OptionUse) -> Edits | None:
    """An option and its value, with the blanks or the line break before them."""
    flag, value = use.flag_span, use.span
    source = flag.source
    if value.source is not source or not flag.text.startswith(use.flag.rstrip("=")):
        return None
    end = max(flag.end, value.end)
    if end < len(source.text) and source.text[end] not in " \t\r\n\\\"'":
        return None
    start = _behind_word(source.text, flag.start)
    if start == flag.start:
        # nothing separates it from what is before, such as a quote, so take the blanks behind it
        end += len(source.text[end:]) - len(source.text[end:].lstrip(" \t"))
    return (Edit(source.span(start, end), ""),)


def _behind_word(text: str, position: int) -> int:
    """The end of the word before `position`: blanks and continued lines lie between."""
    while position:
        if text[position - 1] in " \t":
            position -= 1
        elif text.endswith(("\\\n", "\\\r\n"), 0, position):
            position = text.rindex("\\", 0, position)
        else:
            break
    return position


def _use(deployment: Deployment, span: Span) -> OptionUse | None:
    """The option whose value stands at `span`."""
    launch = deployment.launch
    lines = (launch.line, launch.extra) if launch is not None else ()
    uses = [use for line in lines if line is not None for use in line.options]
    return next((use for use in uses if use.span == span), None)


def option_at(deployment: Deployment, span: Span) -> Edits | None:
    """Edits that remove the option whose value stands at `span`."""
    use = _use(deployment, span)
    return remove_option(use) if use is not None else None


def _plain(value: object) -> str | None:
    """A value that needs no quotes, as text."""
    text = str(value)
    return text if _PLAIN.fullmatch(text) else None


def _unquoted(span: Span) -> Span:
    """`span` without the quotes around it."""
    text = span.text
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return span.source.span(span.start + 1, span.end - 1)
    return span


# units


def set_directive(unit: Unit, section: str, key: str, value: str, at: Span) -> Edits | None:
    """Give the directive at a place another value, or write it at the end of its section."""
    if any(directive.span == at and directive.key == key for directive in unit.directives):
        return (Edit(at, f"{key}={value}"),)
    return _append_directive(unit, section, f"{key}={value}")


def extend_directive(unit: Unit, section: str, key: str, value: str) -> Edits | None:
    """Add to a list, such as `After=`: to the unit file's own line if it has one."""
    written = [d for d in unit.all(section, key) if d.span.source is unit.source]
    if written:
        end = written[-1].span.end
        return (Edit(unit.source.span(end, end), f" {value}"),)
    return _append_directive(unit, section, f"{key}={value}")


def _append_directive(unit: Unit, section: str, line: str) -> Edits | None:
    inside = [d for d in unit.directives if d.section == section and _is_own(d, unit)]
    if not inside:
        return None
    source = unit.source
    rest = _REST.match(source.text, max(directive.span.end for directive in inside))
    if rest is None:
        return None
    line_end = _line_end(source)
    text = f"{line}{line_end}" if rest[2] else f"{line_end}{line}"
    return (Edit(source.span(rest.end(), rest.end()), text),)


def _is_own(directive: Directive, unit: Unit) -> bool:
    return directive.span.source is unit.source


# texts


def before(span: Span, text: str) -> Edits:
    """`text` in front of a place."""
    return (Edit(span.source.span(span.start, span.start), text),)


def quote(span: Span) -> Edits | None:
    """Quotes around a word, of the kind that neither it nor what is around it uses."""
    text, line = span.text, span.source.line(span.line)
    ahead = line[: span.column - 1]
    free = (mark for mark in "'\"" if mark not in text and ahead.count(mark) % 2 == 0)
    mark = next(free, None)
    return (Edit(span, f"{mark}{text}{mark}"),) if mark is not None else None


def move_line(span: Span, above: Span) -> Edits:
    """The line of `span` in front of the line of `above`."""
    source, number = span.source, span.line
    start = source.line_starts[number - 1]
    end = source.behind_line(number)
    target = source.line_starts[above.line - 1]
    line = source.line(number).lstrip() + _line_end(source)
    return (Edit(source.span(start, end), ""), Edit(source.span(target, target), line))


def make_plain_function(name: Span) -> Edits | None:
    """Take `async` from the definition of a function that awaits nothing."""
    source = name.source
    match = _ASYNC.search(source.text, source.line_starts[name.line - 1], name.start)
    try:
        tree = ast.parse(source.text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    nodes = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncFunctionDef)
        and (node.name, node.lineno) == (name.text, name.line)
    ]
    if match is None or len(nodes) != 1 or any(map(_awaits, ast.walk(nodes[0]))):
        return None
    return (Edit(source.span(match.start(), match.end()), ""),)


def _awaits(node: ast.AST) -> bool:
    if isinstance(node, ast.comprehension):
        return bool(node.is_async)
    return isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith)


def _line_end(source: Source) -> str:
    """The line end that a file uses."""
    match = re.search(r"\r\n|\r|\n", source.text)
    return match[0] if match else "\n"


def apply(text: str, edits: Sequence[Edit]) -> str:
    """`text` after edits that don't overlap."""
    parts: list[str] = []
    position = 0
    for edit in sorted(edits, key=lambda edit: (edit.span.start, edit.span.end)):
        parts += [text[position : edit.span.start], edit.replacement]
        position = edit.span.end
    return "".join((*parts, text[position:]))
