"""Commands as a shell or systemd would run them."""

from __future__ import annotations

from msgspec import Struct, field

from gunilint.source import Fragment, Span
from gunilint.values import Environment, Known, Value


class Label(Struct, frozen=True):
    """A place and a few words about it."""

    span: Span
    text: str


class Word(Struct, frozen=True):
    """One argument of a command.

    `value` is `Known` with a str, or not known. `fragment` tells where each character of a
    known value stands; characters that came from a variable stand at the variable's use.
    `many` marks an unknown word that may become any number of arguments (`$OPTS`, `"$@"`).
    """

    value: Value
    span: Span
    fragment: Fragment | None = None
    many: bool = False

    @property
    def text(self) -> str | None:
        """The argument, if it is known."""
        if isinstance(self.value, Known) and isinstance(self.value.value, str):
            return self.value.value
        return None

    def part(self, start: int, end: int | None = None) -> Span:
        """The place of the characters from `start` up to `end` of a known argument."""
        if self.fragment is None or len(self.fragment.text) != len(self.text or ""):
            return self.span
        return self.fragment.span(start, end)


class Command(Struct, frozen=True):
    """One simple command that a script or unit runs.

    `words` is the argument vector as the program gets it, prefixes such as `exec` removed,
    wrappers such as `env` or `poetry run` still there. `environment` holds the variables
    that it is known to be started with. `directory` is where it starts (None: where the
    script or unit itself started). `forks` says why the process that the supervisor started
    isn't this one ("the script starts it without `exec`"); empty when it is the same process.
    `conditions` are the branches that lead to it ("$DEBUG = 1"). `certain` is False where
    the text around it could not be parsed. `ends_script` says that nothing of its script follows,
    `checked` that its failure ends the script or is looked at.
    """

    words: tuple[Word, ...]
    span: Span
    environment: Environment = field(default_factory=dict)
    directory: Value | None = None
    forks: tuple[Label, ...] = ()
    background: bool = False
    piped: bool = False
    conditions: tuple[str, ...] = ()
    certain: bool = True
    ends_script: bool = False
    checked: bool = False
