"""gunicorn's command line, read as its argparse parser does.

Long options may be abbreviated, `-w4` and `-w=4` are the same, the first run of positional
arguments names the application and any later one is an error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from gunilint.catalogue import Catalogue, SettingInfo
from gunilint.command import Word
from gunilint.regex import regex
from gunilint.source import Span
from gunilint.spelling import closest
from gunilint.values import Known, Value

_NEGATIVE_NUMBER = regex(r"-\d+$|-\d*\.\d+$")
_EXITING = ("-h", "--help", "-v", "--version")


class OptionUse(Struct, frozen=True):
    """An option on the command line: `span` is its value's place, or its own where it has none."""

    setting: SettingInfo
    flag: str
    value: Value
    span: Span
    flag_span: Span


class OptionError(Struct, frozen=True):
    """Why gunicorn refuses the command line, and the status that it exits with.

    `elsewhere` is the setting of an option that only other versions have.
    """

    span: Span
    reason: str
    suggestion: str | None = None
    status: int = 2
    elsewhere: SettingInfo | None = None


class CommandLine(Struct, frozen=True):
    """What a command line says.

    `exits` is True when it only prints something (`--version`). `open` gives the reason why
    more options may be there than can be seen.
    """

    app: Word | None
    options: tuple[OptionUse, ...]
    errors: tuple[OptionError, ...]
    exits: bool = False
    open: str | None = None


def read(words: Sequence[Word], catalogue: Catalogue) -> CommandLine:
    """Read the arguments that follow `gunicorn`."""
    return _Reader(words, catalogue).run()


class _Reader:
    def __init__(self, words: Sequence[Word], catalogue: Catalogue) -> None:
        self.words = words
        self.catalogue = catalogue
        self.flags = dict.fromkeys((*catalogue.options, *_EXITING))
        self.app: Word | None = None
        self.app_run_end = -1
        self.options: list[OptionUse] = []
        self.errors: list[OptionError] = []
        self.strays: list[OptionError] = []
        self.exits = False
        self.open: str | None = None

    def run(self) -> CommandLine:
        index = 0
        only_positionals = False
        while index < len(self.words):
            word = self.words[index]
            if word.text == "--" and not only_positionals:
                only_positionals = True
                self.separator(word, index)
            elif word.text is None and word.many:
                self.open = f"`{word.span.text}` may add options"
            elif only_positionals or not self.is_option(word):
                self.positional(word, index)
            else:
                index = self.option(word, index)
            index += 1
        # behind a refused option, a stray word is most likely that option's value
        errors = self.errors or self.strays
        return CommandLine(self.app, tuple(self.options), tuple(errors), self.exits, self.open)

    def is_option(self, word: Word) -> bool:
        text = word.text
        if text is None or not text.startswith("-") or len(text) == 1:
            return False
        if text in self.flags or self.candidates(text):
            return True
        return not _NEGATIVE_NUMBER.match(text) and " " not in text

    def positional(self, word: Word, index: int) -> None:
        """Take a word that is no option: the application, or a silent companion right behind it."""
        if self.app is None:
            self.app = word
            self.app_run_end = index
        elif index == self.app_run_end + 1:
            self.app_run_end = index
        elif self.open is None:
            self.strays.append(
                OptionError(
                    word.span,
                    f"`{word.text or word.span.text}` stands apart from the application, "
                    "and gunicorn takes no other arguments",
                )
            )

    def separator(self, word: Word, index: int) -> None:
        """Take `--`, which belongs to the application's run; argparse refuses it apart from one."""
        if index == self.app_run_end + 1:
            self.app_run_end = index
        elif self.app is not None and self.open is None:
            self.strays.append(OptionError(word.span, "gunicorn takes no `--` here"))

    def candidates(self, text: str) -> list[tuple[str, int | None]]:
        """The flags that `text` may mean, each with where its joined value starts."""
        if text in self.flags:
            return [(text, None)]
        name, equals, _ = text.partition("=")
        value_at = len(name) + 1 if equals else None
        if equals and name in self.flags:
            return [(name, value_at)]
        if text.startswith("--"):
            return [(flag, value_at) for flag in self.flags if flag.startswith(name)]
        short = text[:2]
        if short in self.flags:
            return [(short, 2)]
        return [(flag, value_at) for flag in self.flags if flag.startswith(name)]

    def option(self, word: Word, index: int) -> int:
        """Take the option at `index`; the index of the last word that belongs to it."""
        assert word.text is not None
        found = self.candidates(word.text)
        if len(found) != 1:
            self.reject(word, [flag for flag, _ in found])
            return index
        flag, value_at = found[0]
        flag_span = word.part(0, value_at)
        if flag in _EXITING:
            self.exits = True
            return index
        info = self.catalogue.options[flag]
        if value_at is not None:
            return self.joined(word, index, info, flag, value_at)
        following = self.words[index + 1] if index + 1 < len(self.words) else None
        has_value = following is not None and not self.is_option(following)
        if info.takes_value or (info.action == "optional" and has_value):
            if following is None or not has_value or following.text == "--":
                self.errors.append(OptionError(word.span, f"`{flag}` needs a value"))
                return index
            self.add(info, flag, following.value, following.span, flag_span)
            return index + 1
        self.add_valueless(info, flag, flag_span)
        return index

    def joined(self, word: Word, index: int, info: SettingInfo, flag: str, value_at: int) -> int:
        """An option with its value in the same word: `--workers=4`, `-w4`, `-Dw4`."""
        assert word.text is not None
        if info.takes_value or info.action == "optional":
            value = Known(word.text[value_at:], *_provenance(word.value))
            self.add(info, flag, value, word.part(value_at), word.part(0, value_at))
            return index
        if flag.startswith("--") or word.text[value_at - 1] == "=":
            self.errors.append(OptionError(word.span, f"`{flag}` is a switch and takes no value"))
            return index
        self.add_valueless(info, flag, word.part(0, value_at))
        rest = Word(
            Known("-" + word.text[value_at:], *_provenance(word.value)),
            word.part(value_at - 1),
            None,
        )
        return self.option(rest, index)

    def add(self, info: SettingInfo, flag: str, value: Value, span: Span, flag_span: Span) -> None:
        self.options.append(OptionUse(info, flag, value, span, flag_span))

    def add_valueless(self, info: SettingInfo, flag: str, span: Span) -> None:
        value = {"switch": True, "constant": False, "optional": "auto"}[info.action]
        self.add(info, flag, Known(value), span, span)

    def reject(self, word: Word, found: list[str]) -> None:
        assert word.text is not None
        name = word.text.partition("=")[0]
        if found:
            self.errors.append(
                OptionError(
                    word.span,
                    f"`{name}` is ambiguous: it could be " + _either(found),
                )
            )
            return
        reason = f"gunicorn {self.catalogue.version} has no option `{name}`"
        elsewhere = self.catalogue.other_options.get(name)
        if elsewhere is not None:
            self.errors.append(OptionError(word.span, reason, elsewhere=elsewhere))
            return
        self.errors.append(OptionError(word.span, reason, self.suggested(name)))

    def suggested(self, name: str) -> str | None:
        """The option that was most likely meant.

        That is one that differs in hyphens only, that of a setting of this name, or a similar one;
        never the opposite, and none that is the first words of what was written.
        """
        bare = _bare(name)
        for flag in self.flags:
            if flag.startswith("--") and _bare(flag) == bare:
                return flag
        for setting, info in self.catalogue.settings.items():
            if _bare(setting) == bare and info.flags:
                return next((flag for flag in info.flags if flag.startswith("--")), None)
        others = [
            flag
            for flag in self.flags
            if flag.startswith("--")
            and not name.startswith(f"{flag}-")
            and flag.startswith("--no-") is name.startswith("--no-")
        ]
        return closest(name, others, 0.8)


def _bare(name: str) -> str:
    return re.sub("[-_]", "", name)


def _provenance(value: Value) -> tuple[tuple[str, ...], tuple[Span, ...]]:
    return (value.assumes, value.via) if isinstance(value, Known) else ((), ())


def _either(flags: list[str]) -> str:
    quoted = [f"`{flag}`" for flag in sorted(flags)]
    return " or ".join((", ".join(quoted[:-1]), quoted[-1])) if len(quoted) > 1 else quoted[0]
