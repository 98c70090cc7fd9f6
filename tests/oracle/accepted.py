"""The disagreements with the real programs that are understood and accepted, each with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterator

_MACHINE = "only the machine knows whether it is there"

GUNICORN: dict[str, dict[str, str]] = {
    "any": {
        "chdir = 'sub'": _MACHINE,
        "app:app --chdir sub": _MACHINE,
        "app:app --user nonsuch-user": _MACHINE,
        "config that imports what isn't there": _MACHINE,
        "config that reads an unset variable": "the platform has to set it: taken as set",
        "config that exits": "with which status a config file exits isn't followed",
    },
}
"""Hand-written launches by name, for a release or any other."""

GUNICORN_MESSAGES = r"refused: (Warning: .*\s+)?(Error: |Invalid value for chdir: .*\s+Error: )(can't chdir|No such user)"
"""What gunicorn says of the same in generated launches."""

SYSTEMD: dict[str, str] = {
    "User=%i": "what a specifier stands for is taken to be right, here it is empty",
}
"""Hand-written units by name."""

_SHELL = {
    "what only the machine has, or sets": """
        both: errexit and a failing redirection, group redirection that fails, redirection that fails,
        hidden file exported, env with unknown, path of gunicorn
        bash: home, sourced unknown in strict mode""",
    "which variables a command's output names isn't followed": """
        both: dotenv by env, dotenv by xargs""",
    "a script that another shell reads isn't followed": """
        both: pipe into a shell
        bash: exported function, inner bash, ssh-like here-document""",
    "read as it is meant; GU507 says that the script doesn't run": """
        both: crlf, crlf continuation""",
    "GU001 says that the shell can't parse it": """
        both: bad substitution, syntax error, syntax error in a line, unclosed quote""",
    "signals, and options of bash that no start script was seen to use": """
        both: trap by signal
        bash: debug trap, err trap, expanded aliases, lastpipe, nocasematch
        dash: alias in use""",
    "a corner of the shell's own that isn't followed": """
        both: default with a brace, readonly assigned
        bash: array default, associative order
        dash: brackets in patterns, prefix of a builtin""",
    "sh may be bash, so what only bash has is taken to work": """
        dash: array append, bash variables, declare, function keyword on one line,
        function with dashes, here-string, let, pipe of both, process substitution, pushd,
        source, test with less""",
}


def _scripts(listed: str) -> Iterator[str]:
    """The scripts of `shell: name, name` lines, as "shell-name"."""
    for shells, names in re.findall(r"(\w+): ((?:[^:]|\n)*?)(?=\n\s*\w+: |$)", listed):
        for shell in ("bash", "dash") if shells == "both" else (shells,):
            yield from (f"{shell}-{' '.join(name.split())}" for name in names.split(","))


SHELL = {name: reason for reason, listed in _SHELL.items() for name in _scripts(listed)}
"""Scripts of `shell_cases` by shell and name."""
