"""Write what is generated in the documentation, or with `--check` name the files that are stale.

    python scripts/build_docs.py [--check]

From the rules: a page each, their index, the README's table and that of fixes. From the
configuration's keys: their page and the JSON Schema. From click: commands, options and environment
variables. From the catalogue: the settings of gunicorn by version. From the shared checks and the
examples of a team's rules: parts of `docs/writing-rules.md`. From the report formats: the examples in
`docs/formats.md`. Hand-written pages have a place for each
generated part, between `<!-- NAME: begin -->` and `<!-- NAME: end -->`. What commands print in them is
the matter of `run_docs.py`.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import click
import tomli

from gunilint import (
    baseline,
    cache,
    dependencies,
    discover,
    disk,
    evaluate,
    fold,
    follow,
    interpret,
    resolve,
    rule_file,
)
from gunilint.catalogue import SettingInfo, catalogue
from gunilint.checks.shared import SHARED, Parameter, Shared
from gunilint.cli import main as cli
from gunilint.config import KEYS, Config, Key, schema
from gunilint.engine import report
from gunilint.examples import lint_example
from gunilint.output import FORMATS
from gunilint.parse import nesting, python_config, shell, systemd
from gunilint.report.terminal import escape
from gunilint.report.text import render
from gunilint.rules import CATEGORIES, Example, Rule, Variant, load_rules
from gunilint.versions import releases

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
BY_HAND = (
    ROOT / "README.md",
    DOCS / "cli.md",
    DOCS / "configuration.md",
    DOCS / "fixes.md",
    DOCS / "formats.md",
    DOCS / "gunicorn/settings.md",
    DOCS / "robustness.md",
    DOCS / "writing-rules.md",
)
NOTE = "<!-- Written by scripts/build_docs.py: change the rule's file in rules/ instead. -->\n\n"


CASES = """\
Under `settings` a setting may have a list of matchers, of which the first that matches counts. A matcher there may have
these beside what it compares with."""


def main() -> int:
    pages = dict(generated())
    stale = [
        path
        for path, text in pages.items()
        if not path.exists() or path.read_bytes() != text.encode()
    ]
    stale += [path for path in sorted((DOCS / "rules").glob("*.md")) if path not in pages]
    for path in stale:
        print(path.relative_to(ROOT).as_posix())
        if "--check" in sys.argv:
            continue
        if path in pages:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(pages[path].encode())
        else:
            path.unlink()
    return int("--check" in sys.argv and bool(stale))


def generated() -> Iterator[tuple[Path, str]]:
    """Each file that is generated, or has a generated part, with the text that it has to have."""
    rules = load_rules()
    for path in BY_HAND:
        yield path, filled(path.read_text(encoding="utf-8"), rules)
    yield DOCS / "gunilint.schema.json", json.dumps(schema(), indent=2) + "\n"
    yield DOCS / "rules/README.md", index(rules)
    for rule in rules:
        yield DOCS / f"rules/{rule.code}.md", page(rule)


def filled(text: str, rules: Sequence[Rule]) -> str:
    """A hand-written page with its generated parts."""
    parts: Mapping[str, Callable[[], str]] = {
        "bounds": bounds,
        "rules": lambda: overview(rules),
        "commands": commands,
        "fixes": lambda: fixes(rules),
        "keys": keys,
        "settings": settings,
        "shared checks": shared_checks,
        "team rules": team_rules,
        "format files": lambda: "\n".join(files(DEPLOYMENT)),
        **{f"format {name}": partial(in_format, name, rules) for name in FORMATS},
        "variables": variables,
    }

    def part(match: re.Match[str]) -> str:
        begin, name, end = match.groups()
        return f"{begin}\n{parts[name]()}{end}"

    return re.sub(r"(<!-- ([a-z ]+): begin -->).*?(<!-- \2: end -->)", part, text, flags=re.DOTALL)


# Markdown


def plain(text: str) -> str:
    """Text that is Markdown only in its code spans, on one line that a table's cell can hold."""
    line = " ".join(escape(text.replace("\n", " ")).split())
    return _outside_code(line, r"[\\*\[\]<>{}~#]|\b_|_\b").replace("|", r"\|")


def template(text: str) -> str:
    """A rule's text as `plain` has it, with its fields as code."""
    parts = re.split(r"(`[^`]+`)", text)
    parts[::2] = [re.sub(r"\{\w+\}", r"`\g<0>`", part) for part in parts[::2]]
    return plain("".join(parts))


def prose(text: str) -> str:
    """Markdown in which nothing is taken for HTML or for a template's field."""
    return _outside_code(text.strip(), r"[<{}]|(?m:^#)")


def _outside_code(text: str, special: str) -> str:
    parts = re.split(r"(`[^`]+`|<https?://[^>\s]+>)", text)
    parts[::2] = [re.sub(f"({special})", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def fenced(text: str, language: str) -> str:
    """A block of code, whatever is in it; control characters are written out."""
    lines = [escape(line) for line in text.rstrip("\n").split("\n")]
    ticks = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, ticks + 1)
    return "\n".join((f"{fence}{language}", *lines, fence)) + "\n"


def language(path: str, text: str) -> str:
    kinds = {".py": "python", ".toml": "toml", ".service": "ini", ".socket": "ini", ".conf": "ini"}
    shell = text.startswith("#!") or path.endswith(".sh")
    return "sh" if shell else kinds.get(Path(path).suffix, "text")


# rules


def overview(rules: Sequence[Rule]) -> str:
    """The rules of each category in a line, for the README."""
    rows = []
    for category, about in CATEGORIES.items():
        links = [f"[{r.name}](docs/rules/{r.code}.md)" for r in rules if r.category == category]
        if links:
            rows.append([f"[{category}](docs/rules/README.md#{category})", about, ", ".join(links)])
    return table(("category", "what goes wrong", "rules"), rows)


def index(rules: Sequence[Rule]) -> str:
    text = f"# Rules\n\n{NOTE}The {len(rules)} rules of gunilint. An error means that gunicorn doesn't start, that requests fail, or\n"
    text += "that what is written has no effect; a warning, that requests, memory or security suffer; a note is advice.\n"
    text += "Those marked *off* run with `--pedantic` or when they are selected.\n"
    for category, about in CATEGORIES.items():
        rows = [
            [
                f"[{rule.code}]({rule.code}.md)",
                rule.name,
                rule.severity + (", *off*" * (not rule.default)),
                plain(rule.summary),
            ]
            for rule in rules
            if rule.category == category
        ]
        if rows:
            text += f"\n## {category}\n\n{about}\n\n" + table(
                ("code", "name", "severity", "what"), rows
            )
    return text


def page(rule: Rule) -> str:
    """A rule's page."""
    facts = {
        "severity": rule.severity,
        "confidence": rule.confidence,
        "category": f"[{rule.category}](README.md#{rule.category})",
        "gunicorn": f"`{rule.versions}`",
        "since": rule.since,
        "repaired": repaired(rule),
        "runs": "by default" if rule.default else "with `--pedantic` or when selected",
    }
    parts = [f"# {rule.code} {rule.name}", NOTE.strip(), plain(rule.summary)]
    parts += [table(list(facts), [list(facts.values())])]
    told = rule.background
    for number, example in enumerate(told.examples, 1):
        parts += shown(rule, example, f", example {number}" if number > 1 else "")
    parts += ["## Why", prose(told.reasons()), "## What to do", prose(told.remedy)]
    if rule.variants:
        parts += ["## What it says", says(rule)]
    parts += ["## How we know", *evidence(rule), "## Leave it out", leave_out(rule)]
    if told.references:
        parts += ["## More", "\n".join(f"- <{link}>" for link in told.references)]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def repaired(rule: Rule) -> str:
    found = [case.fix for case in cases(rule) if case.fix]
    if not found:
        return "by hand"
    return "by `--fix`" if any(fix.safe for fix in found) else "by `--fix --unsafe-fixes`"


def shown(rule: Rule, example: Example, which: str) -> Iterator[str]:
    """An example: its files, what gunilint says of them, and the files that are fine."""
    given = " and ".join(
        f"`--{'gunicorn-version' if k == 'gunicorn' else k} {v}`"
        for k, v in example.options.items()
    )
    yield f"## Found{which}" + (f", with {given}" if given else "")
    yield from files(example.bad)
    result = lint_example(example.bad, example.options, [rule])
    if result.findings:
        root = Path(result.findings[0].primary.span.source.root)
        yield "gunilint says:"
        yield fenced(render(report(result, root), quiet=True), "text")
    yield f"## Fine{which}"
    yield from files(example.good)


def files(example: Mapping[str, str]) -> Iterator[str]:
    for path, text in example.items():
        yield f"`{path}`:"
        yield fenced(text, language(path, text))


def says(rule: Rule) -> str:
    """Every message of a rule with several."""
    cases = {"": rule.case(None)} | dict(rule.variants)
    return table(
        ("case", "severity", "message", "help"),
        [
            [name, case.severity, template(case.message), template(case.help)]
            for name, case in cases.items()
        ],
    )


def evidence(rule: Rule) -> Iterator[str]:
    told = rule.background
    places = [test.partition("::") for test in told.evidence]
    named = [
        f"`{name}` in [{path}](../../{path})" if name else f"[{path}](../../{path})"
        for path, _, name in places
    ]
    if len(named) == 1:
        yield f"A test runs it and shows what happens: {named[0]}."
    elif named:
        yield "Tests run it and show what happens:\n\n" + "\n".join(f"- {each}" for each in named)
    if told.cite and told.cite not in told.references:
        yield prose(told.cite)
    elif told.cite:
        yield f"<{told.cite}>"
    if rule.cwe:
        yield (
            f"Its weakness is [CWE-{rule.cwe}](https://cwe.mitre.org/data/definitions/{rule.cwe}.html), "
            f"its score for security {rule.security_severity}."
        )


def leave_out(rule: Rule) -> str:
    example = (
        f'ignore = ["{rule.code}"]                  # everywhere\n\n[per-file-ignores]\n'
        f'"deploy/staging/*" = ["{rule.code}"]      # in some files\n'
    )
    return (
        f"For one run `--ignore {rule.code}`; for good in `gunilint.toml`, or below `[tool.gunilint]` in `pyproject.toml`\n"
        f"([more](../configuration.md)):\n\n" + fenced(example, "toml")
    )


def fixes(rules: Sequence[Rule]) -> str:
    """Each thing that a fix does, and whether it is safe."""
    rows = []
    for rule in rules:
        found = [case.fix for case in cases(rule) if case.fix]
        for title, fix in {fix.title: fix for fix in found}.items():
            link = f"[{rule.code}](rules/{rule.code}.md) {rule.name}"
            needs = f"; only where {fix.needs} is among the dependencies" if fix.needs else ""
            kinds = {
                each.safe: "safe" if each.safe else "unsafe"
                for each in found
                if each.title == title
            }
            rows.append([link, template(title) + needs, " or ".join(kinds.values())])
    return table(("rule", "what the fix does", "kind"), rows)


def cases(rule: Rule) -> Iterator[Variant]:
    yield rule.case(None)
    yield from rule.variants.values()


# gunicorn's settings


def settings() -> str:
    """Each setting of gunicorn with its option, its default and the versions that have it."""
    newest = catalogue()
    rows = []
    for name, info in sorted({**newest.others, **newest.settings}.items()):
        flags = [flag for flag in info.flags if flag.startswith("--")]
        before = [
            f"{default} before {version}" for version, default in _earlier_defaults(name, info)
        ]
        rows.append(
            [
                f"`{name}`",
                ", ".join(f"`{flag}`" for flag in flags) or "none",
                "; ".join((_default(info), *before)),
                f"{info.since or 'up'} to {info.until}" if info.until else info.since or "",
            ]
        )
    return table(("setting", "option", "default", "since"), rows)


def _default(info: SettingInfo) -> str:
    if info.kind == "hook":
        return "does nothing"
    is_mode = info.type == "auto_int" and isinstance(info.default, int)
    default = oct(info.default) if is_mode else repr(info.default)
    text = "by the machine" if info.machine else f"`{default}`" if len(default) < 60 else "long"
    return f"`${info.environment}`, or {text}" if info.environment else text


def _earlier_defaults(name: str, info: SettingInfo) -> Iterator[tuple[str, str]]:
    """The versions that changed a default, newest first, each with the default before it."""
    later, default = "", _default(info)
    for version in reversed(releases()):
        earlier = catalogue(version).settings.get(name)
        if earlier is not None and _default(earlier) != default:
            default = _default(earlier)
            yield later, default
        later = version


# the command line


def commands() -> str:
    """Each command with its arguments and options, from click."""
    return "\n".join(_command(name, command) for name, command in cli.commands.items())


def _command(name: str, command: click.Command) -> str:
    about = inspect.cleandoc(command.help or "")
    arguments = "".join(
        f" {_argument(param)}" for param in command.params if isinstance(param, click.Argument)
    )
    usage = fenced(f"gunilint {name} [OPTIONS]{arguments}", "text")
    options = [param for param in command.params if isinstance(param, click.Option)]
    rows = [[_names(option), _meaning(option)] for option in options if not option.hidden]
    text = f"## gunilint {name}\n\n{usage}\n{prose(about)}\n"
    return text + ("\n" + table(("option", "meaning"), rows) if rows else "")


def _argument(argument: click.Argument) -> str:
    name = (argument.name or "").upper()
    return f"[{name}]..." if argument.nargs < 0 else name if argument.required else f"[{name}]"


def _names(option: click.Option) -> str:
    value = ""
    if not option.is_flag and not option.count:
        value = f" {option.metavar or _value(option.type)}"
    return ", ".join(f"`{name}{value}`" for name in sorted(option.opts, key=len, reverse=True))


def _value(kind: click.ParamType) -> str:
    return {"choice": "WORD", "integer range": "NUMBER"}.get(kind.name, kind.name.upper())


def _meaning(option: click.Option) -> str:
    text = plain(option.help or "")
    if isinstance(option.type, click.Choice):
        *others, last = [f"`{choice}`" for choice in option.type.choices]
        text += f" {', '.join(others)} or {last}."
    if option.multiple:
        text += " May be given several times."
    if option.show_default and not option.is_flag and option.default is not None:
        text += f" Default: `{option.default}`."
    return text


def variables() -> str:
    """Each environment variable, with what it stands for."""
    found = {key.variable: f"`{key.name}` of the configuration" for key in KEYS if key.variable}
    for command in cli.commands.values():
        for param in command.params:
            for name in [param.envvar] if isinstance(param.envvar, str) else param.envvar or ():
                found.setdefault(name, f"`{max(param.opts, key=len)}`")
    return table(("variable", "stands for"), [[f"`{name}`", found[name]] for name in sorted(found)])


# the configuration


def keys() -> str:
    """Each key of the configuration, with its example of docs/examples/gunilint.toml."""
    examples = {}
    for block in (EXAMPLES / "gunilint.toml").read_text(encoding="utf-8").split("\n\n"):
        examples |= dict.fromkeys(tomli.loads(block), block)
    return "\n".join(_key(key, examples.get(key.name, "")) for key in KEYS)


def _key(key: Key, example: str) -> str:
    default = Config().value(key.name)
    facts = {
        "type": _type(key.schema),
        "default": f"`{json.dumps(default)}`" if default is not None else "none",
        "variable": f"`{key.variable}`" if key.variable else "none",
        "option": f"`--{key.name}`" if key.name in _options() else "none",
    }
    return f"### {key.name}\n\n{key.about}\n\n{table(list(facts), [list(facts.values())])}\n{fenced(example, 'toml')}"


def _type(kind: Mapping[str, object]) -> str:
    values = kind.get("additionalProperties")
    if isinstance(values, Mapping):
        return f"table, each {_type(values)}"
    if "enum" in kind:
        return " or ".join(f'`"{choice}"`' for choice in kind["enum"])  # type: ignore[attr-defined]
    return {"array": "list of strings", "boolean": "true or false", "integer": "number"}.get(
        str(kind["type"]), "string"
    )


def _options() -> set[str]:
    """The options of `gunilint check`, without dashes."""
    params = cli.commands["check"].params
    return {
        name.lstrip("-")
        for param in params
        if isinstance(param, click.Option)
        for name in param.opts
    }


# bounds


BOUNDS = (
    (
        "bytes of a file",
        disk.SIZE_LIMIT,
        "GU001; `max-file-size` is another number",
    ),
    ("tokens of a Python config", python_config._TOKENS, "GU001"),
    ("brackets within brackets in Python", nesting._BRACKETS, "GU001"),
    ("steps in which a config is evaluated", evaluate._STEPS, "what comes later is unknown"),
    ("elements of a list or dictionary", evaluate._ITEMS, "the value is unknown"),
    ("seconds in which a script is parsed", shell._SECONDS, "GU001"),
    ("words, operators and statements of a script", shell._NODES, "GU001"),
    ("statements within statements of a script", shell._DEPTH, "GU001"),
    (
        "statements of a script that are followed, loops and functions included",
        interpret._STEPS,
        "what comes later isn't seen",
    ),
    ("commands that a script runs", interpret._COMMANDS, "what comes later isn't seen"),
    ("characters of a word, after expansion", fold._LIMIT, "the word is unknown"),
    ("words that braces make", fold._BRACES, "the braces stay as they are"),
    ("scripts that start one another", follow._DEPTH, "the next one isn't followed"),
    (
        "scripts that are followed from one unit or script",
        follow._RUNS,
        "the next one isn't followed",
    ),
    ("characters of these together", follow._CHARACTERS, "the next one isn't followed"),
    ("servers of one unit or script", resolve._SERVERS, "GU001"),
    ("lines of a unit", systemd._LINES, "GU001"),
    ("characters of a unit's line, continued lines joined", systemd._LINE_LIMIT, "GU001"),
    ("commands of a unit", systemd._COMMANDS, "GU001"),
    ("lines of a requirements file", dependencies._LINES, "what comes later isn't seen"),
    ("requirements files that include one another", dependencies._DEPTH, "the next one isn't read"),
    ("files that are searched for a word", discover.SEARCHED, "what comes later isn't seen"),
    ("bytes of a rule of your own", rule_file.SIZE_LIMIT, "status 2"),
    ("bytes of a baseline", baseline.SIZE_LIMIT, "status 2"),
    ("runs in the cache", cache.KEPT, "the oldest go"),
    ("parsed configs in the cache", cache.KEPT_PARSED, "the oldest go"),
    ("bytes of a run in the cache", cache.SIZE_LIMIT, "it isn't kept"),
)


def bounds() -> str:
    """What is bounded, by how much, and what comes of more."""
    rows = [
        [words, f"{limit:,g}" if isinstance(limit, float) else f"{limit:,}", more]
        for words, limit, more in BOUNDS
    ]
    return table(("what", "at most", "more"), rows)


# formats


DEPLOYMENT = {
    "app.service": """\
[Service]
Type=notify
WorkingDirectory=/srv/shop
ExecStart=/srv/shop/venv/bin/gunicorn -c gunicorn.conf.py shop:app
TimeoutStopSec=20
""",
    "gunicorn.conf.py": "graceful_timeout = 120\nmax_requests = 1000\n",
}
PARTS = {
    "json": ("findings", 0),
    "sarif": ("runs", 0, "results", -1),
    "rdjson": ("diagnostics", -1),
}
"""Where the part is that is shown of a long document."""


def in_format(name: str, rules: Sequence[Rule]) -> str:
    """What gunilint says of `DEPLOYMENT` in a format."""
    chosen = [rule for rule in rules if rule.code in ("GU203", "GU302")]
    result = lint_example(DEPLOYMENT, {}, chosen)
    root = Path(result.findings[0].primary.span.source.root)
    text = importlib.import_module(f"gunilint.report.{name}").render(report(result, root))
    if name in PARTS:
        document = json.loads(text)
        for key in PARTS[name]:
            document = document[key]
        text = json.dumps(_without_context(document), indent=2)
    return fenced(
        text, "xml" if text.startswith("<?xml") else "json" if text[0] in "[{" else "text"
    )


def _without_context(document: object) -> object:
    if isinstance(document, list):
        return [_without_context(item) for item in document]
    if isinstance(document, dict):
        return {
            key: _without_context(item) for key, item in document.items() if key != "contextRegion"
        }
    return document


# a team's rules


def shared_checks() -> str:
    """What each shared check takes and tells, and then what all of them take."""
    every = [shared.parameters for shared in SHARED.values()]
    common = [key for key in every[0] if all(key in parameters for parameters in every)]
    parts = []
    for name, shared in SHARED.items():
        own = {key: each for key, each in shared.parameters.items() if key not in common}
        parts += [f"### {name}", shared.about, parameters(own, shared)]
        for heads, texts in (
            (("field", "filled with"), {f"{{{key}}}": text for key, text in shared.fields.items()}),
            (("label", "written"), shared.labels),
        ):
            parts.append(table(heads, [[f"`{key}`", plain(text)] for key, text in texts.items()]))
    shared = next(iter(SHARED.values()))
    conditions = {key: shared.parameters[key] for key in common}
    parts += [
        "### What else has to hold",
        "All of them take these.",
        parameters(conditions, shared),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def parameters(found: Mapping[str, Parameter], shared: Shared) -> str:
    needed = {key: len(group) for group in shared.needs for key in group}
    rows = []
    for key, each in found.items():
        need = {0: "", 1: " (needed)"}.get(needed.get(key, 0), " (one of these)")
        names = list(each.names.known({})) if each.names else []
        choice = f": {', '.join(names)}" if 0 < len(names) < 12 else ""
        rows.append([f"`{key}`{need}", plain(each.kind.words), plain(each.about + choice)])
    return table(("parameter", "has to be", "meaning"), rows)


def team_rules() -> str:
    return "\n".join(
        f"`{path.relative_to(ROOT).as_posix()}`:\n\n{fenced(path.read_text(encoding='utf-8'), 'yaml')}"
        for path in sorted((EXAMPLES / "team-rules").glob("*.yaml"))
    )


if __name__ == "__main__":
    sys.exit(main())
