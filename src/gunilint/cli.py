"""The command line: `gunilint [check]`, `gunilint show`, `gunilint explain`, `gunilint rules` ...

Imports of everything heavy stand inside the commands, so that `--help` stays quick.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from gunilint import __version__
from gunilint.errors import ExplainedError, shown
from gunilint.output import (
    FORMATS,
    WITH_DEPLOYMENTS,
    Output,
    chosen,
    for_people,
    made,
    on_terminal,
    print_text,
    write,
)

if TYPE_CHECKING:
    from pathlib import Path

    from click.shell_completion import CompletionItem

    from gunilint.baseline import Baseline
    from gunilint.cache import Cache, Run
    from gunilint.disk import Disk, Looks
    from gunilint.engine import Repair
    from gunilint.files import Parser
    from gunilint.fix import Patch
    from gunilint.policy import Policies
    from gunilint.progress import Track
    from gunilint.rules import Rule

FINDINGS = 1
"""Exit status: something at or above `--fail-on` was found."""
FAILED = 2
"""Exit status: gunilint could not do its work."""
NOTHING_TO_LINT = 3
"""Exit status: no file that gunilint knows was found."""

INTERRUPTED, TERMINATED = 130, 143
"""Exit statuses: it was stopped by Ctrl-C, or by SIGTERM."""

_ASK = "please report it with the lines above at https://github.com/gunilint/gunilint/issues"
_EMPTY = "nothing to lint: no gunicorn config, start script or unit was found"

_COLORS = click.Choice(["auto", "always", "never"])
_SEVERITIES = click.Choice(["error", "warning", "note"])
_CONFIDENCES = click.Choice(["high", "medium", "low"])

_Command = TypeVar("_Command", bound=Callable[..., Any])


class _Path(click.Path):
    """A path, given to the command as a `pathlib.Path`, which isn't imported until there is one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        from pathlib import Path

        return Path(os.fsdecode(super().convert(value, param, ctx)))


def _together(*options: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    """Options that several commands have, in this order."""

    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_config_options = _together(
    click.option(
        "--config", type=_Path(exists=True, dir_okay=False), metavar="FILE",
        envvar="GUNILINT_CONFIG", help="Read this file in place of the nearest gunilint.toml.",
    ),
    click.option("--isolated", is_flag=True, help="Read no configuration file."),
)  # fmt: skip

_cache_option = click.option(
    "--cache-dir", type=_Path(file_okay=False), metavar="FOLDER",
    envvar="GUNILINT_CACHE_DIR", help="Keep runs here (default: the user's cache folder).",
)  # fmt: skip

_target_options = _together(
    click.option("--gunicorn-version", metavar="VERSION", help="The gunicorn that will run."),
    click.option("--python-version", metavar="VERSION", help="The Python that will run it."),
    click.option(
        "--app", type=click.Choice(["asgi", "wsgi"]),
        help="What the application is, where its source doesn't tell.",
    ),
    click.option("--cpus", type=click.IntRange(1), help="The CPUs of the machine that it runs on."),
    click.option("--instance", metavar="TYPE", help="The EC2 instance type that it runs on."),
)  # fmt: skip


def _complete_rule(
    ctx: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    from gunilint.completion import complete_rule

    return complete_rule(ctx, parameter, incomplete)


def _complete_rules(
    ctx: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    from gunilint.completion import complete_rules

    return complete_rules(ctx, parameter, incomplete)


def _outputs(
    _context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> tuple[Output, ...]:
    """The values of `--output`, such as `sarif:gunilint.sarif`."""
    from pathlib import Path

    outputs = []
    for value in values:
        name, _, file = value.partition(":")
        if name not in FORMATS or not file:
            formats = ", ".join(FORMATS)
            raise click.BadParameter(f"{value!r} isn't FORMAT:FILE; the formats are {formats}")
        outputs.append(Output(name, None if file == "-" else Path(file)))
    return tuple(outputs)


class _DefaultCommand(click.Group):
    """A group in which `check` may be left out: `gunilint deploy/` checks `deploy/`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = next((arg for arg in args if not arg.startswith("-") or arg == "-"), None)
        own = args[:1] in (["--help"], ["-h"], ["--version"])
        own = own or (ctx.resilient_parsing and not args)  # a shell completes the first word
        if not own and (first not in self.commands or args[0].startswith("-")):
            args = ["check", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        check = self.commands["check"]
        of_check = check.shell_complete(click.Context(check, parent=ctx), incomplete)
        own = super().shell_complete(ctx, incomplete)
        known = {item.value for item in own}
        paths = [] if incomplete.startswith("-") else [CompletionItem(incomplete, type="file")]
        return [*paths, *own, *(item for item in of_check if item.value not in known)]

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a bug ends it with `FAILED`: no other status says what isn't so."""
        before = signal.signal(signal.SIGTERM, _terminated)
        try:
            _check_working_directory()
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except ExplainedError as error:
            _fail(str(error))
        except OSError as error:
            _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except Exception as error:
            from gunilint.crash import told

            click.echo(f"{told(error)}\nerror: that is a bug in gunilint; {_ASK}", err=True)
            sys.exit(FAILED)
        finally:
            signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def _terminated(_number: int, _frame: object) -> NoReturn:
    """End as on an error, so that no half-written file stays behind."""
    sys.exit(TERMINATED)


def _check_working_directory() -> None:
    try:
        os.getcwd()  # noqa: PTH109 - see `_Path`
    except FileNotFoundError:
        _fail("the working directory isn't there any more; change to one that is")


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    import platform

    from gunilint.versions import releases

    python, known = platform.python_version(), releases()
    click.echo(f"gunilint {__version__} (Python {python}, gunicorn {known[0]} to {known[-1]})")
    ctx.exit()


@click.group(cls=_DefaultCommand, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version,
    help="Show the version, with that of Python and the gunicorn versions that are known.",
)  # fmt: skip
def main() -> None:
    """Find what will go wrong in a gunicorn deployment before it does.

    Reads gunicorn.conf.py, start scripts and systemd units, works out what gunicorn would really
    run with, and reports each pitfall with the places that cause it. It runs nothing it reads.

    `gunilint [PATHS]` is short for `gunilint check [PATHS]`.
    """


def _rules_option(name: str, text: str) -> Callable[[_Command], _Command]:
    """An option that takes rules, separated by commas, and may be given again."""
    return click.option(
        name, metavar="RULES", multiple=True, shell_complete=_complete_rules, help=text
    )


@main.command()
@click.argument("paths", nargs=-1, type=_Path(allow_dash=True))
@click.option(
    "--format", "output_format", type=click.Choice(FORMATS), envvar="GUNILINT_FORMAT",
    help="How findings are written (default: text; in GitHub Actions annotations too).",
)  # fmt: skip
@click.option(
    "--output-file", type=_Path(dir_okay=False), metavar="FILE",
    envvar="GUNILINT_OUTPUT_FILE", help="Write the findings to this file instead.",
)  # fmt: skip
@click.option(
    "--output", "more_outputs", metavar="FORMAT:FILE", multiple=True, callback=_outputs,
    help="Write them to this file too, in a format of its own; `-` is standard output.",
)  # fmt: skip
@_rules_option("--select", "Run only these rules.")
@_rules_option("--extend-select", "Run these rules too.")
@_rules_option("--ignore", "Leave these rules out.")
@click.option(
    "--pedantic", is_flag=True, default=None, help="Run the rules too that are off by default."
)
@click.option("--fix", is_flag=True, help="Repair what can be repaired safely, report the rest.")
@click.option(
    "--unsafe-fixes", is_flag=True,
    help="With --fix or --diff: repair what needs a second look too, such as new limits.",
)  # fmt: skip
@click.option(
    "--diff", "diff_only", is_flag=True, help="Print what --fix would change, and change nothing."
)
@click.option("--min-confidence", type=_CONFIDENCES, help="Report only what is at least this sure.")
@click.option(
    "--fail-on", type=_SEVERITIES,
    help="The least severity that makes the exit status 1 (default: warning).",
)  # fmt: skip
@click.option(
    "--no-suppressions", is_flag=True,
    help="Report what `# gunilint: ignore[...]` comments suppress too.",
)  # fmt: skip
@click.option(
    "--baseline", type=_Path(dir_okay=False), metavar="FILE",
    help="Leave the known findings in this file out.",
)  # fmt: skip
@click.option(
    "--write-baseline", type=click.Path(dir_okay=False), metavar="[FILE]",
    is_flag=False, flag_value="",
    help="Make all that is found now known, in this file or the configured baseline, and exit "
    "with 0.",
)  # fmt: skip
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even if there are findings.")
@click.option("--allow-empty", is_flag=True, help="Exit with 0 if there is nothing to lint.")
@_target_options
@_config_options
@click.option(
    "--exclude", metavar="PATTERNS", multiple=True,
    help="Leave out what these patterns of .gitignore match.",
)  # fmt: skip
@click.option(
    "--force-exclude", is_flag=True, help="Leave excluded files out even if they are named."
)
@click.option(
    "--stdin-filename", type=_Path(), metavar="PATH",
    help="The path of what is read from standard input, for PATHS that are `-`.",
)  # fmt: skip
@click.option("--color", type=_COLORS, default="auto", show_default=True, help="Coloured text.")
@click.option("-q", "--quiet", is_flag=True, help="Write nothing but the findings.")
@click.option(
    "--no-cache", is_flag=True, envvar="GUNILINT_NO_CACHE",
    help="Neither use runs that were made before nor keep this one.",
)  # fmt: skip
@_cache_option
def check(paths: tuple[Path, ...], **options: Any) -> None:
    """Check the deployments in PATHS, files or folders (default: this folder).

    RULES are codes (GU301), names, prefixes (GU4) or categories, separated by commas.

    Exit status: 0 nothing found, 1 findings, 2 gunilint failed, 3 nothing to lint.
    """
    cache = _cache(paths, options)
    key = cache.key_of(*_question(paths, options)) if cache else ""
    found = cache.recall(key) if cache else None
    if found is None:
        found, looks = _checked(paths, options, cache)
        if cache and looks:
            cache.remember(key, found, looks)
    write(found.outputs)
    for note in found.notes:
        click.echo(note, err=True)
    sys.exit(found.status)


def _cache(paths: tuple[Path, ...], options: Mapping[str, Any]) -> Cache | None:
    """The cache; None where nothing is to be kept, nor told again."""
    from pathlib import Path

    from gunilint import cache

    changes = options["fix"] or options["diff_only"] or options["write_baseline"] is not None
    folder = options["cache_dir"] or cache.default_folder()
    if changes or options["no_cache"] or folder is None or Path("-") in paths:
        return None
    return cache.opened(folder)


def _question(paths: tuple[Path, ...], options: Mapping[str, Any]) -> tuple[object, ...]:
    """What tells one run from another, but for the files that it looks at."""
    relevant = {name: os.environ[name] for name in sorted(os.environ) if _matters(name)}
    return paths, options, os.getcwd(), relevant, on_terminal()  # noqa: PTH109 - see `_Path`


def _matters(variable: str) -> bool:
    """Whether what a run says depends on an environment variable."""
    styles = ("NO_COLOR", "FORCE_COLOR", "TERM", "GITHUB_ACTIONS")
    return variable.startswith("GUNILINT_") or variable in styles


def _checked(
    paths: tuple[Path, ...], options: Mapping[str, Any], cache: Cache | None
) -> tuple[Run, Looks | None]:
    """What a run says, and what it has seen."""
    from pathlib import Path

    from gunilint.cache import Run
    from gunilint.disk import Disk
    from gunilint.engine import report, run
    from gunilint.progress import Progress, terminal

    disk = Disk()
    arguments, unsaved = _inputs(paths, options["stdin_filename"])
    repaired: Repair | None = None
    outputs = chosen(options["output_format"], options["output_file"], options["more_outputs"])
    keep = any(output.format in WITH_DEPLOYMENTS for output in outputs)
    with Progress(None if options["quiet"] else terminal()) as track:
        if options["fix"] or options["diff_only"]:
            repaired = _repaired(arguments, unsaved, options, keep, track)
            result = repaired.left
        else:
            policies = _policies(options, disk)
            result = run(
                arguments, policies, unsaved,
                keep=keep, disk=disk, track=track, parser=_parser(cache),
            )  # fmt: skip
    _report_missing(result.missing)
    if result.missing:
        sys.exit(FAILED)
    if result.errors:
        _report_bugs(result.errors)
        reported = report(result, Path.cwd(), disk=disk)
        readable = for_people(outputs) if result.findings else ()
        write(made(reported, readable, color=options["color"], quiet=options["quiet"]))
        sys.exit(FAILED)
    notes = [] if result.files else [_EMPTY]
    if not result.files and not options["allow_empty"]:
        return Run((), tuple(notes), NOTHING_TO_LINT), disk.looks
    if repaired is not None:
        _report_spoilt(repaired)
        if options["diff_only"]:
            _print_diff(repaired)
            sys.exit(FINDINGS if repaired.patches and not options["exit_zero"] else 0)
    _save(repaired.patches if repaired else ())
    if options["write_baseline"] is not None:
        _save_baselines(result.baselines)
        sys.exit(0)
    reported = report(result, Path.cwd(), len(repaired.fixed) if repaired else 0, disk)
    texts = made(reported, outputs, color=options["color"], quiet=options["quiet"])
    if not options["quiet"]:
        notes += _fixed(result.baselines)
    status = FINDINGS if result.failing and not options["exit_zero"] else 0
    return Run(texts, tuple(notes), status), disk.looks


def _parser(cache: Cache | None) -> Parser:
    """What parses configs, with what the cache has of them."""
    from gunilint.files import Parser
    from gunilint.forms import KeepingParser

    return KeepingParser(cache) if cache else Parser()


@main.command()
@click.argument("paths", nargs=-1, type=_Path())
@click.option(
    "--format", "output_format", type=click.Choice(["text", "json"]), default="text",
    show_default=True, help="How deployments are written.",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="Show settings at their default too.")
@_target_options
@_config_options
@click.option("--color", type=_COLORS, default="auto", show_default=True, help="Coloured text.")
@click.option("--allow-empty", is_flag=True, help="Exit with 0 if there is nothing to show.")
def show(paths: tuple[Path, ...], **options: Any) -> None:
    """Show what each gunicorn in PATHS would run with, and where every value comes from.

    Passwords and keys appear as stars.

    Exit status: 0 something was found, 2 gunilint failed, 3 nothing to show.
    """
    from pathlib import Path

    from gunilint.engine import relative_path, survey
    from gunilint.masking import Mask
    from gunilint.progress import Progress, terminal
    from gunilint.report.overview import Show
    from gunilint.report.show import render_json, render_text
    from gunilint.report.terminal import use_color
    from gunilint.sensitive import hidden_texts

    with Progress(terminal()) as track:
        found = survey(paths or (Path(),), _policies(options), track)
    _report_missing(found.missing)
    if found.missing:
        sys.exit(FAILED)
    if not found.files:
        click.echo(_EMPTY, err=True)
        if not options["allow_empty"]:
            sys.exit(NOTHING_TO_LINT)
    here = str(Path.cwd())
    deployments = [one for project in found.projects for one in project.deployments]
    shown = Show(
        deployments,
        lambda source: relative_path(source, here),
        options["everything"],
        mask=Mask(text for one in deployments for text in hidden_texts(one)),
    )
    if options["output_format"] == "json":
        print_text(render_json(shown))
    else:
        print_text(render_text(shown, color=use_color(sys.stdout, options["color"])))


@main.command(name="config")
@click.argument("path", type=_Path(), default=".")
@click.option(
    "--format", "output_format", type=click.Choice(["text", "json"]), default="text",
    show_default=True, help="How the configuration is written.",
)  # fmt: skip
@click.option(
    "--schema", "schema_only", is_flag=True, help="Print the JSON Schema of gunilint.toml."
)
@_config_options
def config_command(path: Path, **options: Any) -> None:
    """Show the configuration that holds for PATH, and where each value comes from."""
    import json

    from gunilint.config import KEYS, load, schema
    from gunilint.policy import policy

    if options["schema_only"]:
        print_text(json.dumps(schema(), indent=2) + "\n")
        return
    found = load(path, file=options["config"], isolated=options["isolated"])
    policy(found)
    entries = {
        key.name: {"value": found.value(key.name), "from": found.origin(key.name)} for key in KEYS
    }
    if options["output_format"] == "json":
        print_text(json.dumps(entries, indent=2) + "\n")
        return
    width = max(map(len, entries))
    for name, entry in entries.items():
        shown = json.dumps(entry["value"], ensure_ascii=False)
        print_text(_plain(f"{name:{width}}  {shown}  ({entry['from']})") + "\n")


def _repaired(
    arguments: list[Path],
    unsaved: dict[Path, bytes],
    options: Mapping[str, Any],
    keep: bool,
    track: Track,
) -> Repair:
    from gunilint.engine import repair

    if unsaved and not options["diff_only"]:
        _fail("--fix writes files, and can't change what comes from standard input; use --diff")
    return repair(
        arguments,
        _policies(options),
        unsaved,
        unsafe=options["unsafe_fixes"],
        keep=keep,
        track=track,
    )


def _report_bugs(errors: Sequence[tuple[str, str]]) -> None:
    """Say that the findings of some rules are missing, and what a maintainer needs to know."""
    for code, told in errors:
        click.echo(told, err=True)
        what = f"that is a bug in {code}, whose findings may be missing"
        click.echo(f"error: {what}; {_ASK}", err=True)


def _report_spoilt(repair: Repair) -> None:
    for path in sorted(repair.spoilt):
        name = _plain(str(path))
        click.echo(f"error: a fix would break {name}, so it stays; please report this", err=True)


def _save_baselines(baselines: Sequence[Baseline]) -> None:
    for baseline in baselines:
        count = baseline.write()
        what = "finding" if count == 1 else "findings"
        click.echo(f"{_plain(shown(baseline.path))}: {count} known {what}", err=True)


def _fixed(baselines: Sequence[Baseline]) -> Iterator[str]:
    """Which baselines can be made smaller."""
    for baseline in baselines:
        if baseline.fixed:
            what = "finding is" if baseline.fixed == 1 else "findings are"
            path = _plain(shown(baseline.path))
            yield (
                f"{baseline.fixed} known {what} fixed; write {path} anew with "
                f"--write-baseline {path}"
            )


def _save(patches: Sequence[Patch]) -> None:
    """Write each file that fixes change."""
    from gunilint.fix import write

    for patch in patches:
        write(patch)


def _print_diff(repair: Repair) -> None:
    """What fixes change, as `diff -u` shows it, without secrets.

    `patch` and `git apply` take it as it is, people see nothing that moves their cursor.
    """
    from pathlib import Path

    from gunilint.discover import relative
    from gunilint.fix import diff
    from gunilint.masking import masked_text
    from gunilint.report.terminal import escape_lines

    here = Path.cwd()
    for patch in repair.patches:
        name = relative(str(patch.path), str(here))
        text = masked_text(diff(patch, name), repair.left.secrets)
        print_text(escape_lines(text) if on_terminal() else text)


def _policies(options: Mapping[str, Any], disk: Disk | None = None) -> Policies:
    """What finds the policy of an input, from the options of a command."""
    from pathlib import Path

    from gunilint.config import KEYS, parse_list
    from gunilint.policy import policies

    given: dict[str, Any] = {}
    for key in KEYS:
        value = options.get(key.name.replace("-", "_"))
        if isinstance(value, Path):
            value = str(value.absolute())
        if isinstance(value, tuple):
            value = [item for text in value for item in parse_list(text)]
        if value not in (None, []):
            given[key.name] = value
    written: str | None = options.get("write_baseline")
    if written:
        given["baseline"] = str(Path(written).absolute())
    return policies(
        given,
        file=options["config"],
        isolated=options["isolated"],
        disk=disk,
        force_exclude=options.get("force_exclude", False),
        suppressions=not options.get("no_suppressions", False),
        rewrites=written is not None,
    )


def _inputs(
    paths: tuple[Path, ...], stdin_filename: Path | None
) -> tuple[list[Path], dict[Path, bytes]]:
    """The arguments, and what stands for the file that standard input has the content of."""
    from pathlib import Path

    if not any(str(path) == "-" for path in paths):
        return list(paths) or [Path()], {}
    name = stdin_filename or Path("gunicorn.conf.py")
    arguments = [name if str(path) == "-" else path for path in paths]
    if sys.stdin is None:
        _fail("there is no standard input to read: it is closed")
    return arguments, {name: sys.stdin.buffer.read()}


def _report_missing(arguments: tuple[str, ...]) -> None:
    for argument in arguments:
        click.echo(f"error: {_plain(argument)}: no such file or folder", err=True)


@main.command(name="clean")
@_cache_option
def clean_command(cache_dir: Path | None) -> None:
    """Remove the runs that gunilint keeps in its cache."""
    from gunilint import cache

    folder = cache_dir or cache.default_folder()
    count = cache.clean(folder) if folder else 0
    runs = "run" if count == 1 else "runs"
    place = f" from {_plain(str(folder))}" if count else ""
    print_text(f"{count} {runs} removed{place}\n")


@main.command()
@click.argument("rule", shell_complete=_complete_rule)
@click.option("--gunicorn-version", metavar="VERSION", help="Tell what is true of this gunicorn.")
@_config_options
@click.option("--color", type=_COLORS, default="auto", help="Coloured text.")
def explain(rule: str, gunicorn_version: str | None, color: str, **options: Any) -> None:
    """Explain RULE (a code or a name): why it matters, what to do, examples.

    A team's own rules are those of the configuration that holds here.
    """
    from gunilint.report.explain import render
    from gunilint.report.terminal import use_color
    from gunilint.rules import find_rule, own_rule, suggestion

    if gunicorn_version is not None and not re.fullmatch(r"\d+(\.\d+)*", gunicorn_version):
        _fail(f"{gunicorn_version!r} is no gunicorn version; write it as 23.0.0")
    found = own_rule(rule)
    if found is None:
        rules = _rules(options)
        found = find_rule(rules, rule)
    if found is None:
        _fail(f"there is no rule {rule!r}" + suggestion(rule, rules))
    print_text(render(found, gunicorn_version, color=use_color(sys.stdout, color)) + "\n")


@main.command()
@click.option(
    "--format", "output_format", type=click.Choice(["text", "json"]), default="text",
    show_default=True, help="How the list is written.",
)  # fmt: skip
@click.option(
    "--check", "folder", type=_Path(exists=True, file_okay=False),
    metavar="FOLDER", help="Check the rules in this folder instead, and try their examples out.",
)  # fmt: skip
@_config_options
def rules(output_format: str, folder: Path | None, **options: Any) -> None:
    """List all rules, with a team's own that the configuration here names.

    Exit status: 0 fine, 1 `--check` found something wrong, 2 gunilint failed.
    """
    if folder is not None:
        _check_rules(folder)
        return
    found = _rules(options)
    if output_format == "json":
        import json

        print_text(json.dumps([_rule_entry(rule) for rule in found], indent=2) + "\n")
        return
    width, codes = max(len(rule.name) for rule in found), max(len(rule.code) for rule in found)
    lines = (
        f"{rule.code:{codes}}  {rule.severity:7}  {rule.name:{width}}  {_plain(rule.summary)}\n"
        for rule in found
    )
    print_text("".join(lines))


@main.command()
@click.argument("shell", type=click.Choice(["bash", "fish", "zsh"]))
def completion(shell: str) -> None:
    """Print what makes SHELL complete the command line of gunilint.

    bash: put `eval "$(gunilint completion bash)"` in ~/.bashrc.

    zsh: put `eval "$(gunilint completion zsh)"` in ~/.zshrc, after `compinit`.

    fish: write it to ~/.config/fish/completions/gunilint.fish.
    """
    from gunilint.completion import script

    print_text(script(main, shell))


def _check_rules(folder: Path) -> None:
    """Say all that is wrong with a team's rules in `folder`."""
    from gunilint.examples import try_out
    from gunilint.rules import load_rules

    found, problems = try_out(folder, load_rules())
    for problem in problems:
        print_text(_plain(problem) + "\n")
    if problems:
        sys.exit(FINDINGS)
    examples = sum(len(rule.background.examples) for rule in found)
    print_text(f"{len(found)} rules with {examples} examples are fine\n")


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
        "evidence": {
            "kind": "run" if rule.background.evidence else "citation",
            "tests": rule.background.evidence,
            "source": rule.background.cite,
        },
        "team": rule.team,
    }


def _rules(options: Mapping[str, Any]) -> tuple[Rule, ...]:
    """All rules that there are for the configuration of the working directory."""
    from gunilint.config_files import config_files
    from gunilint.disk import Disk
    from gunilint.rules import every_rule, load_rules

    file, isolated, disk = options["config"], options["isolated"], Disk()
    found = () if file or isolated else config_files(os.getcwd(), disk)  # noqa: PTH109
    if not (file or any(found) or os.environ.get("GUNILINT_EXTEND_RULES")):
        return load_rules()
    from pathlib import Path

    from gunilint.config import load

    return every_rule(load(Path(), file=file, isolated=isolated, disk=disk))


def _plain(text: str) -> str:
    from gunilint.report.terminal import escape

    return escape(text)


def _fail(message: str) -> NoReturn:
    click.echo(f"error: {_plain(message)}", err=True)
    sys.exit(FAILED)
