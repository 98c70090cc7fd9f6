"""From a command to the server that it starts: wrappers, shells, `python -m`."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from gunilint.command import Command, Label, Word
from gunilint.regex import regex
from gunilint.values import Known, Value

_ASSIGNMENT = regex(r"[A-Za-z_]\w*=")
_PYTHON = regex(r"(python|pypy)[\d.]*$")
_SERVER = regex(r"(gunicorn|uvicorn)(3|-?\d[\d.]*)?$")
SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh"})
"""The shells that a script may be written for, and that `-c` gives one to."""

_DEVELOPMENT_SERVERS = {
    "flask": "run",
    "quart": "run",
    "fastapi": "dev",
    "manage.py": "runserver",
    "django-admin": "runserver",
}
"""Programs, and the subcommand with which each starts its development server."""

_BEFORE_SUBCOMMAND = frozenset({"-A", "--app", "-e", "--env-file", "--settings", "--pythonpath"})
"""Their options before the subcommand that take the next word."""

FORKS = True
EXECS = False


class Wrapper(Struct, frozen=True):
    """A program that starts the rest of its command line.

    `forks` tells whether it stays as the parent of what it starts. That was measured for env,
    nohup, setsid, setpriv, gosu, timeout, tini, dumb-init, runuser, poetry, pipenv, uv, pdm, hatch,
    honcho, dotenv, ddtrace-run, opentelemetry-instrument and newrelic-admin.
    `forwards` are the signals that one which stays passes on: measured for uv, pdm and timeout,
    tini and dumb-init, and in sudo's manual.
    `subcommand` must follow its options. `valued` are options that take the next word, `operands`
    counts the words before the wrapped command, and `assigns` says that `NAME=value` words set
    its environment.
    """

    forks: bool
    subcommand: str | None = None
    valued: frozenset[str] = field(default_factory=frozenset)
    operands: int = 0
    assigns: bool = False
    forwards: frozenset[str] = field(default_factory=frozenset)


def _options(text: str) -> frozenset[str]:
    return frozenset(text.split())


_STOP = _options("TERM")
_STOP_AND_RELOAD = _options("TERM HUP")

WRAPPERS: dict[str, tuple[Wrapper, ...]] = {
    "env": (Wrapper(EXECS, valued=_options("-u --unset -C --chdir"), assigns=True),),
    "nohup": (Wrapper(EXECS),),
    "setsid": (Wrapper(EXECS),),
    "nice": (Wrapper(EXECS, valued=_options("-n --adjustment")),),
    "ionice": (Wrapper(EXECS, valued=_options("-c -n --class --classdata")),),
    "chrt": (Wrapper(EXECS, operands=1),),
    "taskset": (Wrapper(EXECS, operands=1),),
    "stdbuf": (Wrapper(EXECS, valued=_options("-i -o -e --input --output --error")),),
    "setpriv": (Wrapper(EXECS, valued=_options("--reuid --regid --groups --inh-caps")),),
    "gosu": (Wrapper(EXECS, operands=1),),
    "su-exec": (Wrapper(EXECS, operands=1),),
    "setuidgid": (Wrapper(EXECS, operands=1),),
    "chpst": (Wrapper(EXECS, valued=_options("-u -U -e -n -l -L -m -d -o -p -f -c")),),
    "envdir": (Wrapper(EXECS, operands=1),),
    "catchsegv": (Wrapper(FORKS),),
    "sudo": (
        Wrapper(
            FORKS,
            valued=_options("-u -g -h -p -C -r -t -U -D --user --group --host --prompt --chdir"),
            assigns=True,
            forwards=_STOP_AND_RELOAD,
        ),
    ),
    "doas": (Wrapper(EXECS, valued=_options("-u -C")),),
    "runuser": (Wrapper(FORKS, valued=_options("-u --user -g --group")),),
    "timeout": (
        Wrapper(
            FORKS,
            valued=_options("-s -k --signal --kill-after"),
            operands=1,
            forwards=_STOP_AND_RELOAD,
        ),
    ),
    "tini": (Wrapper(FORKS, valued=_options("-p -e"), forwards=_STOP_AND_RELOAD),),
    "dumb-init": (Wrapper(FORKS, valued=_options("-r --rewrite"), forwards=_STOP_AND_RELOAD),),
    "flock": (Wrapper(FORKS, valued=_options("-w -E --timeout"), operands=1),),
    "strace": (Wrapper(FORKS, valued=_options("-e -o -p -s")),),
    "xvfb-run": (Wrapper(FORKS),),
    "poetry": (Wrapper(EXECS, "run", valued=_options("-C -P --directory --project")),),
    "pipenv": (Wrapper(EXECS, "run"),),
    "uv": (
        Wrapper(
            FORKS,
            "run",
            valued=_options(
                "-p --python --env-file --with --with-editable --with-requirements --extra --group"
                " --no-group --only-group --directory --project --package -m --index"
            ),
            forwards=_STOP_AND_RELOAD,
        ),
    ),
    "pdm": (Wrapper(FORKS, "run", valued=_options("-p --project"), forwards=_STOP),),
    "hatch": (Wrapper(FORKS, "run", valued=_options("-e --env")),),
    "rye": (Wrapper(EXECS, "run"),),
    "conda": (Wrapper(FORKS, "run", valued=_options("-n -p --name --prefix")),),
    "honcho": (Wrapper(FORKS, "run", valued=_options("-e -f")),),
    "dotenv": (Wrapper(EXECS, "run", valued=_options("-f --file")),),
    "ddtrace-run": (Wrapper(EXECS),),
    "opentelemetry-instrument": (Wrapper(EXECS),),
    "newrelic-admin": (Wrapper(EXECS, "run-program"), Wrapper(EXECS, "run-python")),
    "doppler": (Wrapper(FORKS, "run", valued=_options("-p -c --project --config")),),
    "chamber": (Wrapper(EXECS, "exec"),),
    "op": (Wrapper(FORKS, "run", valued=_options("--env-file")),),
}


class Program(Struct, frozen=True):
    """What a command starts once its wrappers are off.

    `name` is "gunicorn" or "uvicorn", a shell ("bash"), or the program's path as written.
    `arguments` follow it. `command` has the wrappers' effects: environment, folder and forks.
    """

    name: str
    word: Word
    arguments: tuple[Word, ...]
    command: Command


def program(command: Command) -> Program | None:
    """What `command` starts in the end; None where that can't be told."""
    words: Sequence[Word] = command.words
    for _ in range(16):
        if not words:
            return None
        name = _base_name(words[0])
        if name is None:
            return None
        if name == "env" and len(words) > 1 and words[1].text in ("-S", "--split-string"):
            return None
        if name in WRAPPERS:
            unwrapped = _unwrap(command, words, WRAPPERS[name])
            if unwrapped is None:
                break
            command, words = unwrapped
        elif _PYTHON.match(name):
            inner = _python_target(words)
            if inner is None:
                break
            words = inner
        elif name == "coverage" and len(words) > 1 and words[1].text == "run":
            inner = _python_target(words[1:])
            if inner is None:
                break
            words = inner
        else:
            break
    if not words:
        return None
    name = _base_name(words[0])
    if name is None:
        return None
    server = _SERVER.match(name)
    if server:
        name = server[1]
    elif name not in SHELLS:
        name = words[0].text or name
    return Program(name, words[0], tuple(words[1:]), command)


def passes_on(fork: Label, signal: str) -> bool:
    """Whether the program that stays as the parent passes a signal on to what it starts."""
    wrappers = WRAPPERS.get(fork.span.text.strip("\"'").rpartition("/")[2], ())
    return any(signal in wrapper.forwards for wrapper in wrappers)


def shell_script(program: Program) -> tuple[Word, bool] | None:
    """The script word of `sh -c script`, or the script file of `sh file`; True for `-c`."""
    if program.name not in SHELLS:
        return None
    takes_string = False
    index = 0
    arguments = program.arguments
    while index < len(arguments):
        text = arguments[index].text
        if text is None:
            return None
        if text == "--":
            index += 1
            break
        if not text.startswith(("-", "+")) or text == "-":
            break
        if text in ("-o", "+o", "-O", "+O", "--rcfile", "--init-file"):
            index += 1
        elif not text.startswith("--") and "c" in text:
            takes_string = True
        index += 1
    if index >= len(arguments):
        return None
    return arguments[index], takes_string


def development_server(program: Program) -> Word | None:
    """What makes a command a development server: its subcommand, or uvicorn's `--reload`."""
    words = (program.word, *program.arguments)
    if _PYTHON.match(_base_name(words[0]) or "") and len(words) > 2 and words[1].text == "-m":
        words = words[2:]
    if program.name == "uvicorn":
        return next((word for word in program.arguments if word.text == "--reload"), None)
    wanted = _DEVELOPMENT_SERVERS.get(_base_name(words[0]) or "")
    index = 1
    while wanted is not None and index < len(words):
        text = words[index].text
        if text == wanted:
            return words[index]
        if text is None or not text.startswith("-"):
            return None
        index += 2 if text in _BEFORE_SUBCOMMAND else 1
    return None


def replaces_itself(shell: str) -> bool:
    """Whether this shell, started with `-c`, becomes its last simple command.

    bash and busybox's ash do, dash (Debian's `/bin/sh`) never does.
    """
    return shell in ("bash", "zsh", "ksh", "ash")


def _base_name(word: Word) -> str | None:
    text = word.text
    if text is None:
        # "$VENV/bin/gunicorn": the folder can't be told, the program can
        text = word.span.text.strip("\"'")
        if "/" not in text or not _SERVER.match(text.rpartition("/")[2]):
            return None
    return text.rpartition("/")[2]


def _unwrap(
    command: Command, words: Sequence[Word], wrappers: tuple[Wrapper, ...]
) -> tuple[Command, Sequence[Word]] | None:
    for wrapper in wrappers:
        end = _wrapped_at(words, wrapper)
        if end is None:
            continue
        cleared = wrapper.assigns and {"-i", "--ignore-environment", "-"} & {
            word.text for word in words[1:end]
        }
        environment = {} if cleared else dict(command.environment)
        directory = command.directory
        for index, word in enumerate(words[1:end], 1):
            text = word.text or ""
            if wrapper.assigns and _ASSIGNMENT.match(text):
                name, _, value = text.partition("=")
                environment[name] = Known(value, via=(word.part(len(name) + 1),))
            elif wrapper.assigns and word.text is None and _ASSIGNMENT.match(word.span.text):
                environment[word.span.text.partition("=")[0]] = word.value
            if wrapper.assigns and words[index - 1].text in ("-u", "--unset") and index > 1:
                environment.pop(text, None)
            if words[index - 1].text in ("-C", "--chdir", "--directory") and index > 1:
                directory = word.value
        forks = command.forks
        if wrapper.forks:
            wrapping = _base_name(words[0])
            label = Label(words[0].span, f"`{wrapping}` stays the parent of what it starts")
            forks = (*forks, label)
        unwrapped = replace(command, environment=environment, directory=directory, forks=forks)
        return unwrapped, words[end:]
    return None


def _wrapped_at(words: Sequence[Word], wrapper: Wrapper) -> int | None:
    """The index in `words` at which the wrapped command starts."""
    index = 1
    operands = wrapper.operands
    awaited = wrapper.subcommand
    while index < len(words):
        text = words[index].text
        if text is None and wrapper.assigns and _ASSIGNMENT.match(words[index].span.text):
            pass
        elif text is None:
            if not operands:
                return index
            operands -= 1
        elif text == "--":
            return index + 1 if awaited is None else None
        elif text.startswith("-") and len(text) > 1:
            if text in wrapper.valued:
                index += 1
        elif wrapper.assigns and _ASSIGNMENT.match(text):
            pass
        elif awaited is not None:
            if text != awaited:
                return None
            awaited = None
        elif operands:
            operands -= 1
        else:
            return index
        index += 1
    return None


def _python_target(words: Sequence[Word]) -> Sequence[Word] | None:
    """The words from the module or script on that a Python command line runs."""
    index = 1
    while index < len(words):
        text = words[index].text
        if text is None:
            return words[index:]
        if text == "-m" and index + 1 < len(words):
            module = words[index + 1]
            if module.text in ("gunicorn", "gunicorn.app.wsgiapp", "gunicorn.app.asgiapp"):
                server: Value = Known("gunicorn")
                return (replace(module, value=server), *words[index + 2 :])
            if module.text in ("uvicorn", "ddtrace.commands.ddtrace_run"):
                return words[index + 1 :]
            return None
        if text in ("-W", "-X"):
            index += 1
        elif not text.startswith("-"):
            return words[index:]
        index += 1
    return None
