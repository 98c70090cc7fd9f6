"""The command line: `gunilint [check]`, `gunilint show`, `gunilint explain`, `gunilint rules`.

Imports of everything heavy stand inside the commands, so that `--help` stays quick.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from gunilint import __version__

if TYPE_CHECKING:
    from gunilint.findings import Report
    from gunilint.rules import Rule

FINDINGS = 1
"""Exit status: something at or above `--fail-on` was found."""
FAILED = 2
"""Exit status: gunilint could not do its work."""
NOTHING_TO_LINT = 3
"""Exit status: no file that gunilint knows was found."""

_COLORS = click.Choice(["auto", "always", "never"])
_SEVERITIES = click.Choice(["error", "warning", "note"])
_CONFIDENCES = click.Choice(["high", "medium", "low"])


class _DefaultCommand(click.Group):
    """A group in which `check` may be left out: `gunilint deploy/` checks `deploy/`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = next((arg for arg in args if not arg.startswith("-") or arg == "-"), None)
        own_option = args[:1] in (["--help"], ["-h"], ["--version"])
        if not own_option and (first not in self.commands or args[0].startswith("-")):
            args = ["check", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_DefaultCommand, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gunilint")
def main() -> None:
    """Find what will go wrong in a gunicorn deployment before it does.

    Reads gunicorn.conf.py, start scripts and systemd units, works out what gunicorn would really
    run with, and reports each pitfall with the places that cause it. It runs nothing it reads.

    `gunilint [PATHS]` is short for `gunilint check [PATHS]`.
    """


@main.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--format", "output_format", type=click.Choice(["text", "concise", "json", "sarif"]),
    default="text", show_default=True, help="How findings are written.",
)  # fmt: skip
@click.option(
    "--output-file", type=click.Path(dir_okay=False, path_type=Path),
    help="Write the findings to this file instead of standard output.",
)  # fmt: skip
@click.option("--select", multiple=True, metavar="RULES", help="Run only these rules.")
@click.option("--extend-select", multiple=True, metavar="RULES", help="Run these rules too.")
@click.option("--ignore", multiple=True, metavar="RULES", help="Leave these rules out.")
@click.option("--pedantic", is_flag=True, help="Run the rules too that are off by default.")
@click.option(
    "--min-confidence", type=_CONFIDENCES, default="low", show_default=True,
    help="Report only what is at least this sure.",
)  # fmt: skip
@click.option(
    "--fail-on", type=_SEVERITIES, default="warning", show_default=True,
    help="The least severity that makes the exit status 1.",
)  # fmt: skip
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even if there are findings.")
@click.option("--allow-empty", is_flag=True, help="Exit with 0 if there is nothing to lint.")
@click.option("--gunicorn-version", metavar="VERSION", help="The gunicorn that will run.")
@click.option("--color", type=_COLORS, default="auto", show_default=True, help="Coloured text.")
@click.option("-q", "--quiet", is_flag=True, help="Write nothing but the findings.")
def check(paths: tuple[Path, ...], **options: Any) -> None:
    """Check the deployments in PATHS, files or folders (default: this folder).

    RULES are codes (GU301), names, prefixes (GU4) or categories, separated by commas.

    Exit status: 0 nothing found, 1 findings, 2 gunilint failed, 3 nothing to lint.
    """
    from gunilint.engine import lint, report

    rules = _selected(options)
    result = lint(paths or (Path(),), rules, _version(options["gunicorn_version"]))
    _report_missing(result.missing)
    for code, trace in result.errors:
        click.echo(f"{trace}\nerror: the check of {code} failed; please report this", err=True)
    if result.missing or result.errors:
        sys.exit(FAILED)
    if not result.files:
        _exit_empty(options["allow_empty"])
    found = report(result, rules, options["min_confidence"], Path.cwd())
    _write(found, options)
    sys.exit(_status(found, options))


@main.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--format", "output_format", type=click.Choice(["text", "json"]), default="text",
    show_default=True, help="How deployments are written.",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Show settings at their default too.")
@click.option("--gunicorn-version", metavar="VERSION", help="The gunicorn that will run.")
@click.option(
    "--cpus", type=click.IntRange(1), help="Work formulas such as 2 * cpus + 1 out for so many."
)
@click.option("--color", type=_COLORS, default="auto", show_default=True, help="Coloured text.")
@click.option("--allow-empty", is_flag=True, help="Exit with 0 if there is nothing to show.")
def show(paths: tuple[Path, ...], **options: Any) -> None:
    """Show what each gunicorn in PATHS would run with, and where every value comes from.

    Exit status: 0 something was found, 2 gunilint failed, 3 nothing to show.
    """
    from gunilint.engine import relative_path, survey
    from gunilint.report.show import Show, render_json, render_text
    from gunilint.report.terminal import use_color

    found = survey(paths or (Path(),), _version(options["gunicorn_version"]))
    _report_missing(found.missing)
    if found.missing:
        sys.exit(FAILED)
    if not found.files:
        _exit_empty(options["allow_empty"])
    here = str(Path.cwd())
    shown = Show(
        tuple(deployment for project in found.projects for deployment in project.deployments),
        lambda source: relative_path(source, here),
        options["cpus"],
        options["everything"],
    )
    if options["output_format"] == "json":
        _print(render_json(shown))
    else:
        _print(render_text(shown, color=use_color(sys.stdout, options["color"])))


def _version(text: str | None) -> str | None:
    """A gunicorn version as it was asked for."""
    if text is not None and not re.fullmatch(r"\d+(\.\d+)*", text):
        _fail(f"{text!r} is no gunicorn version; write it as 23.0.0")
    return text


def _report_missing(arguments: tuple[str, ...]) -> None:
    for argument in arguments:
        click.echo(f"error: {_plain(argument)}: no such file or folder", err=True)


def _exit_empty(allowed: bool) -> NoReturn:
    click.echo("nothing to lint: no gunicorn config, start script or unit was found", err=True)
    sys.exit(0 if allowed else NOTHING_TO_LINT)


@main.command()
@click.argument("rule")
@click.option("--color", type=_COLORS, default="auto", help="Coloured text.")
def explain(rule: str, color: str) -> None:
    """Explain RULE (a code or a name): why it matters, what to do, examples."""
    from gunilint.report.explain import render
    from gunilint.report.terminal import use_color
    from gunilint.rules import find_rule

    rules = _rules()
    found = find_rule(rules, rule)
    if found is None:
        _fail(f"there is no rule {rule!r}" + _suggestion(rule, rules))
    click.echo(render(found, color=use_color(sys.stdout, color)), color=True)


@main.command()
@click.option(
    "--format", "output_format", type=click.Choice(["text", "json"]), default="text",
    show_default=True, help="How the list is written.",
)  # fmt: skip
def rules(output_format: str) -> None:
    """List all rules."""
    found = _rules()
    if output_format == "json":
        import json

        click.echo(json.dumps([_rule_entry(rule) for rule in found], indent=2))
        return
    width = max(len(rule.name) for rule in found)
    for rule in found:
        click.echo(f"{rule.code}  {rule.severity:7}  {rule.name:{width}}  {rule.summary}")


def _rule_entry(rule: Rule) -> dict[str, object]:
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity,
        "confidence": rule.confidence,
        "category": rule.category,
        "default": rule.default,
        "since": rule.since,
        "versions": rule.versions,
        "summary": rule.summary,
        "evidence": rule.evidence,
        "cite": rule.cite,
    }


def _rules() -> tuple[Rule, ...]:
    from gunilint.rules import RuleError, load_rules

    try:
        return load_rules()
    except RuleError as error:
        _fail(str(error))


def _selected(options: dict[str, Any]) -> tuple[Rule, ...]:
    """The rules that the options leave."""
    every = _rules()
    groups = {
        option: [key.strip() for text in options[option] for key in text.split(",") if key.strip()]
        for option in ("select", "extend_select", "ignore")
    }
    for key in (key for keys in groups.values() for key in keys):
        if not _codes(every, [key]):
            _fail(f"{key!r} is no rule, prefix or category" + _suggestion(key, every))
    chosen = [rule.code for rule in every if rule.default or options["pedantic"]]
    if groups["select"]:
        chosen = _codes(every, groups["select"])
    chosen += _codes(every, groups["extend_select"])
    ignored = _codes(every, groups["ignore"])
    return tuple(rule for rule in every if rule.code in chosen and rule.code not in ignored)


def _codes(every: tuple[Rule, ...], keys: list[str]) -> list[str]:
    from gunilint.rules import select

    return [rule.code for rule in select(every, keys)]


def _write(report: Report, options: dict[str, Any]) -> None:
    import importlib

    module: Any = importlib.import_module(f"gunilint.report.{options['output_format']}")
    target: Path | None = options["output_file"]
    style: dict[str, bool] = {}
    if options["output_format"] == "text":
        from gunilint.report.terminal import use_color

        colored = target is None and use_color(sys.stdout, options["color"])
        links = colored and sys.stdout.isatty()
        style = {"color": colored, "links": links, "quiet": options["quiet"]}
    text: str = module.render(report, **style)
    if target is not None:
        try:
            target.write_bytes(_encoded(text))
        except OSError as error:
            _fail(f"{target} can't be written: {error.strerror}")
        return
    _print(text)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _print(text: str) -> None:
    data = _encoded(text)
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # the reader, `head` for instance, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _status(report: Report, options: dict[str, Any]) -> int:
    from gunilint.findings import severity_rank

    bar = severity_rank(options["fail_on"])
    failing = any(severity_rank(finding.severity) >= bar for finding in report.findings)
    return FINDINGS if failing and not options["exit_zero"] else 0


def _suggestion(key: str, rules: tuple[Rule, ...]) -> str:
    from difflib import get_close_matches

    names = [name for rule in rules for name in (rule.code, rule.name)]
    close = get_close_matches(key, names, 1, 0.6) or get_close_matches(key.upper(), names, 1, 0.6)
    return f"; did you mean {close[0]}?" if close else "; `gunilint rules` lists them"


def _plain(text: str) -> str:
    from gunilint.report.terminal import escape

    return escape(text)


def _fail(message: str) -> NoReturn:
    click.echo(f"error: {_plain(message)}", err=True)
    sys.exit(FAILED)
