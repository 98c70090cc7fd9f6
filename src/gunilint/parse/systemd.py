"""systemd units by systemd's own grammar: lines, quoting, expansion, drop-ins.

The rules are those of systemd 252 to 257: `conf-parser.c` for lines, `extract-word.c` for words,
`load-fragment.c` for commands, `specifier.c`, `env-util.c` and `env-file.c`. What the real program
made of 82 units is recorded in `tests/data/systemd-exec-vectors.json`.
"""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from gunilint.command import Command, Word
from gunilint.regex import regex
from gunilint.source import Fragment, Layout, Problem, Source, Span, is_continued
from gunilint.values import Environment, Known, Unknown, Value, with_assumptions

_LONGEST = 128 * 1024
"""The longest command line and value to work out, in characters: Linux's limit for an argument."""

_LINES = 10_000
"""The lines of a unit file that are read: none has more by hand."""
_LINE_LIMIT = 64 * 1024
"""The most characters of a line with those that continue it."""
_WORDS = 5000
"""The most words of a line with commands."""
_COMMANDS = 200
"""The most commands of a key: nobody writes so many."""
_FILES = 100
"""The most environment files of a unit."""

_BLANKS = " \t\n\r"
_QUOTES = "\"'"
_NAME = regex(r"[A-Za-z_][A-Za-z0-9_]*")

PREFIXES = "-@:+!|"
"""What may stand before the program of a command line and says how to run it."""

DEPENDENCIES = frozenset(
    {
        "After", "Before", "BindsTo", "Conflicts", "JoinsNamespaceOf", "OnFailure", "OnSuccess",
        "PartOf", "PropagatesReloadTo", "PropagatesStopTo", "ReloadPropagatedFrom", "Requires",
        "Requisite", "StopPropagatedFrom", "Upholds", "Wants",
    }
)  # fmt: skip
"""The keys that name other units; an empty assignment doesn't reset them."""


_SOCKETS_OF_OTHERS = frozenset({"dbus.socket", "docker.socket", "podman.socket", "snapd.socket"})


class Directive(Struct, frozen=True):
    """One `Key=value` of a unit, its continued lines joined.

    `value` has the place of each of its characters; `span` reaches from the key to the value's end.
    """

    section: str
    key: str
    value: Fragment
    span: Span
    key_span: Span


class Unit(Struct, frozen=True, dict=True):
    """A unit with its drop-ins: `directives` are in the order in which systemd applies them.

    `of_user` tells that a user's service manager runs it: what is the same for all system units,
    such as `%h`, then depends on the user.
    """

    name: str
    source: Source
    directives: tuple[Directive, ...]
    sources: tuple[Source, ...]
    problems: tuple[Problem, ...]
    of_user: bool = False

    def last(self, section: str, key: str) -> Directive | None:
        """The directive that counts for a key with one value; None if unset or emptied."""
        found = self._of(section, key)
        return found[-1] if found and found[-1].value.text else None

    def all(self, section: str, key: str) -> tuple[Directive, ...]:
        """The directives of a key with many values, from the last empty one on.

        An empty dependency (`After=`) empties nothing.
        """
        found = self._of(section, key)
        if key not in DEPENDENCIES:
            emptied = [i for i, directive in enumerate(found) if not directive.value.text]
            found = found[emptied[-1] + 1 :] if emptied else found
        return tuple(directive for directive in found if directive.value.text)

    def is_called(self, name: str) -> bool:
        """Whether `name` means it: an instance `app@1.service` is its template's."""
        return self.name in meant(name)

    def hands_sockets_to(self, service: Unit) -> bool:
        """Whether it is a socket unit that starts `service` and passes it its sockets."""
        if not self.name.endswith(".socket"):
            return False
        named = self.last("Socket", "Service")
        if named is not None:
            return named.value.text == service.name
        stem = self.name.removesuffix(".socket")
        listed = {name for name, _ in words_of(service, "Service", "Sockets")}
        return service.name == f"{stem}.service" or self.name in listed

    def brings(self) -> frozenset[str]:
        """The units that are started with it."""
        keys = ("Requires", "Requisite", "BindsTo", "Wants")
        lists = [words_of(self, "Unit", key) for key in keys]
        lists.append(words_of(self, "Service", "Sockets"))
        return frozenset(name for listed in lists for name, _ in listed)

    def wants_sockets(self) -> bool:
        """Whether it asks for a socket unit that may be its own."""
        return any(name.endswith(".socket") for name in self.brings() - _SOCKETS_OF_OTHERS)

    def _of(self, section: str, key: str) -> list[Directive]:
        return self._by_key.get((section, key), [])

    @cached_property
    def _by_key(self) -> dict[tuple[str, str], list[Directive]]:
        found: dict[tuple[str, str], list[Directive]] = {}
        for directive in self.directives:
            found.setdefault((directive.section, directive.key), []).append(directive)
        return found


def meant(name: str) -> tuple[str, ...]:
    """The names of the units that `name` may mean: its own, and of an instance the template's."""
    stem, at, rest = name.partition("@")
    return (name, f"{stem}@.{rest.rpartition('.')[2]}") if at else (name,)


def parse(source: Source, name: str, dropins: Sequence[Source] = ()) -> Unit:
    """A unit from its file and its drop-ins, which apply in the order of their file names.

    Of drop-ins that share a file name the one in the most specific folder counts: the folder with
    the longest name, as `app.service.d` before `service.d`. Hidden ones don't.
    """
    by_name = {
        name: dropin
        for dropin in sorted(dropins, key=lambda each: len(_folder(each)))
        for name in [posixpath.basename(dropin.path)]
        if name.endswith(".conf") and not name.startswith(".")
    }
    sources = (source, *(by_name[key] for key in sorted(by_name)))
    directives: list[Directive] = []
    problems: list[Problem] = []
    for part in sources:
        for found in _read(part, source):
            if isinstance(found, Directive):
                directives.append(found)
            else:
                problems.append(found)
    of_user = _is_of_user(source, directives)
    unit = Unit(name, source, tuple(directives), sources, (), of_user)
    executed = [d for d in directives if d.section == "Service" and d.key.startswith("Exec")]
    for directive in executed[:_COMMANDS]:
        _, problem = _exec_lines(directive, unit)
        if problem is not None:
            problems.append(problem)
    if len(executed) > _COMMANDS:
        too_many = executed[_COMMANDS].value.span(0, 1)
        problems.append(Problem(too_many, f"only its first {_COMMANDS} commands are read", "size"))
    return replace(unit, problems=tuple(problems))


def _folder(dropin: Source) -> str:
    return posixpath.basename(posixpath.dirname(dropin.path))


def _fatal(span: Span, reason: str, main: Source) -> Problem:
    """What makes systemd refuse the unit; in a drop-in it only ends that file."""
    if span.source is main:
        return Problem(span, reason, "refused")
    return Problem(span, f"{reason}, so the drop-in ends here", "ignored")


def _is_of_user(source: Source, directives: Iterable[Directive]) -> bool:
    """Whether a unit is for users' service managers: by its folder, or by what wants it."""
    if "systemd/user/" in source.path:
        return True
    wanted = (d.value.text for d in directives if (d.section, d.key) == ("Install", "WantedBy"))
    return any("default.target" in text.split() for text in wanted)


# lines

_LINE = regex(r"([^\r\n\0]*)(?:(?:\r\n?|\n\r?)\0?|\0|\Z)")


_SECTIONS = frozenset(
    {
        "Automount", "Install", "Mount", "Path", "Scope", "Service", "Slice", "Socket", "Swap",
        "Timer", "Unit",
    }
)  # fmt: skip


def _read(source: Source, main: Source) -> Iterator[Directive | Problem]:
    """The directives of one file of a unit, and the lines of it that systemd can't use."""
    section: str | None = None
    if len(source.line_starts) > _LINES:
        reason = f"only its first {_LINES:,} lines are read"
        yield Problem(source.line_span(_LINES + 1), reason, "size")
    for line in _logical_lines(source):
        if len(line.text) > _LINE_LIMIT:
            reason = f"the line has {len(line.text):,} characters, and more than {_LINE_LIMIT:,}"
            yield Problem(line.span(0, 1), f"{reason} are not read", "size")
            continue
        key, equals, _ = line.text.partition("=")
        if line.text.startswith("["):
            if not line.text.endswith("]"):
                yield _fatal(line.span(), "the section's name isn't closed with `]`", main)
                return
            section = line.text[1:-1]
        elif section is None:
            yield Problem(line.span(), "it stands before any [Section]", "ignored")
            section = ""
        elif section == "" or section.startswith("X-"):
            continue
        elif equals and key:
            yield _directive(section, line, len(key))
        elif section in _SECTIONS:
            # of a section that it doesn't know systemd skips all lines
            what = "key before its `=`" if equals else "`=` in it"
            yield Problem(line.span(), f"there is no {what}", "ignored")


def _logical_lines(source: Source) -> Iterator[Fragment]:
    """The lines with text, continuations joined; comments vanish, also within a continuation."""
    text: list[str] = []
    offsets: list[int] = []
    for match in islice(_LINE.finditer(source.text), _LINES):
        line = match[1]
        if line.lstrip(_BLANKS).startswith(("#", ";")):
            continue
        text.extend(line)
        offsets.extend(range(match.start(), match.end(1)))
        if is_continued(line):
            text[-1] = " "
            continue
        joined = _stripped(Fragment(source, "".join(text), tuple(offsets)))
        if joined.text:
            yield joined
        text, offsets = [], []


def layout(source: Source) -> Layout:
    """The comments of a unit, and its continued lines with the comments between them."""
    comments: list[Span] = []
    continued: list[Span] = []
    start: int | None = None
    for match in _LINE.finditer(source.text):
        line = match[1]
        if line.lstrip(_BLANKS).startswith(("#", ";")):
            blanks = len(line) - len(line.lstrip(_BLANKS))
            comments.append(Span(source, match.start() + blanks, match.end(1)))
        elif is_continued(line):
            start = match.start() if start is None else start
        elif start is not None:
            continued.append(Span(source, start, match.end(1)))
            start = None
    return Layout(tuple(comments), tuple(continued))


def _directive(section: str, line: Fragment, equals: int) -> Directive:
    value = _stripped(line.slice(equals + 1, len(line.text)))
    key = line.text[:equals].rstrip(_BLANKS)
    key_span = line.span(0, len(key))
    end = value.span().end if value.text else line.span(0, equals + 1).end
    return Directive(section, key, value, Span(line.source, key_span.start, end), key_span)


def _stripped(fragment: Fragment) -> Fragment:
    text = fragment.text
    start = len(text) - len(text.lstrip(_BLANKS))
    return fragment.slice(start, max(start, len(text.rstrip(_BLANKS))))


# words

_ESCAPES = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", '"': '"', "'": "'", "s": " ",
}  # fmt: skip
_BYTES = regex(r"(?:\\x[0-9a-fA-F]{2}|\\[0-3][0-7]{2})+")
_BYTE = regex(r"\\(?:x(..)|(...))")
_CODE_POINT = regex(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))")

_Unescape = Callable[[str, int], tuple[str | None, int]]
"""What the backslash at an index of a text stands for, None if nothing, and how long it is."""


class _Token(Struct, frozen=True):
    """A word: `fragment` is what it says, `raw` how it is written.

    `unclosed` is the quote that stays open; `odd` tells that an escape stands for nothing.
    """

    fragment: Fragment
    raw: Fragment
    unclosed: Span | None
    odd: bool

    @property
    def span(self) -> Span:
        """The place of what it says; that of its quotes if it says nothing."""
        return self.fragment.span() if self.fragment.text else self.raw.span()


def words(fragment: Fragment) -> tuple[Fragment, ...]:
    """The words of a value, quotes and escapes resolved, up to a quote that stays open."""
    return tuple(token.fragment for token in _tokens(fragment) if token.unclosed is None)


def listed(fragment: Fragment, *, escapes: bool = True) -> tuple[tuple[Fragment, ...], Span | None]:
    """The words of a list such as `Environment=`, and the place of a fault that ends them.

    That is a quote that stays open, or a word with an escape that stands for nothing. Without
    `escapes` a backslash only takes its meaning from the next character.
    """
    found: list[Fragment] = []
    for token in _tokens(fragment, _c_escape if escapes else _bare_escape):
        if token.unclosed is not None or token.odd:
            return tuple(found), token.unclosed or token.span
        found.append(token.fragment)
    return tuple(found), None


def _c_escape(text: str, index: int) -> tuple[str | None, int]:
    """An escape of C, which counts outside quotes and inside both kinds."""
    known = _ESCAPES.get(text[index + 1 : index + 2])
    if known is not None:
        return known, 2
    if octets := _BYTES.match(text, index):
        codes = [int(x, 16) if x else int(o, 8) for x, o in _BYTE.findall(octets[0])]
        if 0 not in codes:
            return bytes(codes).decode(errors="replace"), len(octets[0])
    elif number := _CODE_POINT.match(text, index):
        code = int(number[1] or number[2], 16)
        if 0xD800 <= code < 0xE000:
            return "\N{REPLACEMENT CHARACTER}", len(number[0])
        if 0 < code < 0x110000:
            return chr(code), len(number[0])
    return None, 2


def _bare_escape(text: str, index: int) -> tuple[str | None, int]:
    """A backslash in the value of a variable: it takes its meaning from the next character."""
    return text[index + 1 : index + 2], 2


def _tokens(fragment: Fragment, unescape: _Unescape = _c_escape) -> Iterator[_Token]:
    """The words of a value; a quote may open anywhere in a word."""
    index = 0
    while index < len(fragment.text):
        if fragment.text[index] in _BLANKS:
            index += 1
        else:
            token = _token(fragment, index, unescape)
            yield token
            index += len(token.raw.text)


_PLAIN = regex(r"[^\\\"' \t\n\r]*")


def _token(fragment: Fragment, start: int, unescape: _Unescape) -> _Token:
    text = fragment.text
    pieces: list[str] = []
    offsets: list[int] = []
    quote, opened, odd = "", start, False
    index = start
    while index < len(text):
        char = text[index]
        length = 1
        if char == "\\":
            meaning, length = unescape(text, index)
            if meaning is None:
                odd = True
                pieces.extend(text[index : index + length])
                offsets.extend(fragment.offsets[index : index + length])
            else:
                pieces.extend(meaning)
                offsets.extend([fragment.offsets[index]] * len(meaning))
        elif char == quote:
            quote = ""
        elif not quote and char in _QUOTES:
            quote, opened = char, index
        elif not quote and char in _BLANKS:
            break
        else:
            plain = _PLAIN.match(text, index + 1)
            length = plain.end() - index if plain else 1
            pieces.append(text[index : index + length])
            offsets.extend(fragment.offsets[index : index + length])
        index += length
    word = Fragment(fragment.source, "".join(pieces), tuple(offsets))
    unclosed = fragment.span(opened, opened + 1) if quote else None
    return _Token(word, fragment.slice(start, index), unclosed, odd)


def _at(text: str, fragment: Fragment, index: int) -> Fragment:
    """`text` as if it stood at one character of `fragment`."""
    return Fragment(fragment.source, text, (fragment.offsets[index],) * len(text))


def _joined(source: Source, pieces: Sequence[Fragment]) -> Fragment:
    text = "".join(piece.text for piece in pieces)
    return Fragment(source, text, tuple(offset for piece in pieces for offset in piece.offsets))


# specifiers

_SPECIFIER = regex(r"%([%A-Za-z0-9])")
_OF_SYSTEM = {
    "t": "/run", "S": "/var/lib", "C": "/var/cache", "L": "/var/log", "E": "/etc",
    "T": "/tmp", "V": "/var/tmp", "h": "/root", "u": "root", "U": "0", "g": "root", "G": "0",
}  # fmt: skip
_OF_MACHINE = frozenset("aAbBcDHlmMoqrRsvwWyY")
_OF_NAME = frozenset("dfiIjJnNpP")
_OF_INSTANCE = frozenset("dfiInN")


def is_specifier(letter: str) -> bool:
    """Whether `%` and this letter stand for something in a unit."""
    return letter == "%" or letter in {*_OF_SYSTEM, *_OF_MACHINE, *_OF_NAME}


def _specified(fragment: Fragment, unit: Unit, span: Span) -> Word | Span:
    """A word with its `%` specifiers replaced, or the place of one that stands for nothing."""
    pieces: list[Fragment] = []
    unknown: Unknown | None = None
    position = size = 0
    for match in _SPECIFIER.finditer(fragment.text):
        value = _specifier(match[1], unit)
        if value is None:
            return fragment.span(match.start(), match.end())
        if isinstance(value, Unknown):
            unknown = unknown or value
            continue
        pieces.append(fragment.slice(position, match.start()))
        pieces.append(_at(value, fragment, match.start()))
        position = match.end()
        size += len(value)
        if size > _LONGEST:
            unknown = _too_long()
            break
    if unknown is not None:
        return Word(unknown, span)
    pieces.append(fragment.slice(position, len(fragment.text)))
    word = _joined(fragment.source, pieces)
    return Word(Known(word.text), span, word)


def _specifier(letter: str, unit: Unit) -> str | Unknown | None:
    """What a specifier stands for; None if systemd doesn't know it, and refuses the text."""
    if letter == "%":
        return "%"
    if letter in _OF_MACHINE:
        return Unknown(f"`%{letter}` depends on the machine")
    if letter in _OF_SYSTEM:
        return Unknown(f"`%{letter}` depends on the user") if unit.of_user else _OF_SYSTEM[letter]
    if letter in _OF_NAME:
        return _from_name(letter, unit)
    return None


def specified(fragment: Fragment, unit: Unit) -> str | None:
    """A text of `unit` with its specifiers replaced; None where they can't be told."""
    word = _specified(fragment, unit, fragment.span())
    return word.text if isinstance(word, Word) else None


def _from_name(letter: str, unit: Unit) -> str | Unknown:
    """A specifier that is a part of the unit's name, `prefix@instance.suffix`."""
    stem = unit.name.rpartition(".")[0]
    prefix, at, instance = stem.partition("@")
    if letter in _OF_INSTANCE and at and not instance:
        return Unknown(f"`%{letter}` depends on the name of the instance")
    last = prefix.rpartition("-")[2]
    path = instance or prefix
    return {
        "n": unit.name,
        "N": stem,
        "p": prefix,
        "P": _unescaped(prefix),
        "i": instance,
        "I": _unescaped(instance),
        "j": last,
        "J": _unescaped(last),
        "f": "/" if path == "-" else "/" + _unescaped(path),
        "d": f"/run/credentials/{unit.name}",
    }[letter]


def _unescaped(name: str) -> str:
    r"""A part of a unit's name, unescaped: `-` stands for `/` and `\x2d` for `-`."""

    def decoded(match: re.Match[str]) -> str:
        return bytes.fromhex(match[0].replace("\\x", "")).decode(errors="replace")

    return re.sub(r"(?:\\x[0-9a-fA-F]{2})+", decoded, name.replace("-", "/"))


def _too_long() -> Unknown:
    return Unknown("it is too long to be worked out")


# commands

_UNSAFE_PROGRAM = regex(r"[\x00-\x1f\x7f\"'\\]")


class _Line(Struct, frozen=True):
    """One command of an `Exec*=` line before its variables are replaced."""

    program: Word
    prefixes: str
    arguments: tuple[Word, ...]


class _Refusal(Struct, frozen=True):
    """Why systemd doesn't take a command; a tolerated one costs the line, not the unit."""

    span: Span
    reason: str
    tolerated: bool


def commands(unit: Unit, key: str, environment: Environment) -> tuple[Command, ...]:
    """The commands of `ExecStart=` and its kin as systemd would run them.

    A line that systemd refuses yields none. The first word is the program: a name that `@` gives it
    as its own is left out. What depends on the machine, on the instance of a template or on a
    variable that can't be known is unknown.
    """
    found = (
        Command((line.program, *_arguments(line, environment)), directive.value.span(), environment)
        for directive in unit.all("Service", key)
        for line in _exec_lines(directive, unit)[0]
    )
    return tuple(islice(found, _COMMANDS))


def _exec_lines(directive: Directive, unit: Unit) -> tuple[tuple[_Line, ...], Problem | None]:
    """The commands of one line, and what is wrong with it."""
    lines: list[_Line] = []
    words = list(islice(_tokens(directive.value), _WORDS + 1))
    if len(words) > _WORDS:
        reason = f"the line has more than {_WORDS:,} words"
        return (), Problem(directive.value.span(0, 1), reason, "size")
    for tokens in _separated(words):
        line = _exec_line(tokens, unit)
        if isinstance(line, _Refusal):
            if line.tolerated:
                return tuple(lines), Problem(line.span, line.reason, "ignored")
            return (), _fatal(line.span, line.reason, unit.source)
        lines.append(line)
    return tuple(lines), None


def _separated(tokens: Iterable[_Token]) -> Iterator[list[_Token]]:
    """The words of each command; `;` alone separates, and `";"` only where a command starts."""
    part: list[_Token] = []
    for token in tokens:
        if token.raw.text == ";" or (not part and token.fragment.text == ";"):
            if part:
                yield part
            part = []
        else:
            part.append(token)
    if part:
        yield part


def _exec_line(tokens: Sequence[_Token], unit: Unit) -> _Line | _Refusal:
    first, *rest = tokens
    path, prefixes = _without_prefixes(first.fragment)
    tolerated = "-" in prefixes
    if first.unclosed is not None:
        return _Refusal(first.unclosed, _UNCLOSED, True)
    program = _specified(path, unit, path.span() if path.text else first.span)
    if isinstance(program, Span):
        return _Refusal(program, _no_specifier(program), tolerated)
    fault = None if program.text is None else _program_fault(program.text)
    if fault is not None:
        return _Refusal(program.span, fault, tolerated)
    arguments: list[Word] = []
    size = 0
    for token in rest:
        if token.unclosed is not None:
            return _Refusal(token.unclosed, _UNCLOSED, tolerated)
        argument = _argument(token, unit)
        if isinstance(argument, Span):
            return _Refusal(argument, _no_specifier(argument), tolerated)
        size += len(argument.text or "")
        if size > _LONGEST:
            arguments.append(Word(_too_long(), argument.span, many=True))
            break
        arguments.append(argument)
    if "@" in prefixes and not arguments:
        return _Refusal(program.span, "no name follows the program, as `@` wants it", tolerated)
    return _Line(program, prefixes, tuple(arguments))


_UNCLOSED = "the quote that is opened here is never closed"


def _no_specifier(span: Span) -> str:
    return f"`{span.text}` is no specifier; a plain % is written %%"


def _argument(token: _Token, unit: Unit) -> Word | Span:
    r"""An argument with its specifiers replaced; `\;` is a semicolon."""
    if token.raw.text == "\\;":
        return Word(Known(";"), token.span, token.raw.slice(1, 2))
    return _specified(token.fragment, unit, token.span)


def _without_prefixes(word: Fragment) -> tuple[Fragment, str]:
    """The program of a command, and the characters before it that say how to run it."""
    count = 0
    while _is_prefix(word.text[count : count + 1], word.text[:count]):
        count += 1
    return word.slice(count, len(word.text)), word.text[:count]


def _is_prefix(char: str, before: str) -> bool:
    """Each prefix counts once, and of `+`, `!` and `!!` one; systemd 258 has `|` too."""
    if char == "+":
        return "+" not in before and "!" not in before
    if char == "!":
        return "+" not in before and before.count("!") < 2
    return char in ("-", "@", ":", "|") and char not in before


def _program_fault(path: str) -> str | None:
    """Why systemd refuses a program: it has to be an absolute path or a bare file name."""
    if not path:
        return "there is no program behind the prefix"
    if _UNSAFE_PROGRAM.search(path):
        return "the program's name has quotes, backslashes or control characters in it"
    if path.endswith("/"):
        return "the program is a folder"
    if not path.startswith("/") and ("/" in path or path in (".", "..")):
        return "the program is neither an absolute path nor a bare name"
    return None


# variables

FROM_MANAGER = frozenset(
    {
        "CREDENTIALS_DIRECTORY", "EXIT_CODE", "EXIT_STATUS", "INVOCATION_ID", "JOURNAL_STREAM",
        "LANG", "LISTEN_FDNAMES", "LISTEN_FDS", "LISTEN_PID", "MAINPID", "MANAGERPID",
        "NOTIFY_SOCKET", "PATH", "PIDFILE", "SERVICE_RESULT", "SYSTEMD_EXEC_PID", "TERM",
        "WATCHDOG_PID", "WATCHDOG_USEC",
    }
)  # fmt: skip
"""The variables that systemd itself may set for a command (systemd.exec(5))."""

_SUBSTITUTION = regex(r"\$(?:\$|\{([^}:]*)(\}|:|\Z))")


@dataclass(frozen=True, eq=False)
class UnitEnvironment(Mapping[str, Value]):
    """The variables that a unit sets.

    `unread` says why there may be others, such as a file that isn't in the project; it is None
    where all are known.
    """

    variables: Mapping[str, Value]
    unread: str | None = None

    def __getitem__(self, name: str) -> Value:
        return self.variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.variables)

    def __len__(self) -> int:
        return len(self.variables)


def _arguments(line: _Line, environment: Environment) -> list[Word]:
    """The arguments of a command, variables replaced; with `@` the first is the program's name."""
    if ":" in line.prefixes:
        found = list(line.arguments)
    else:
        found = []
        size = 0
        for word in line.arguments:
            expanded = _expanded(word, environment)
            size += sum(len(each.text or "") + 1 for each in expanded)
            if size > _LONGEST:
                found.append(Word(_too_long(), word.span, many=True))
                break
            found.extend(expanded)
    named = "@" in line.prefixes and bool(found) and not found[0].many
    return found[1:] if named else found


def _expanded(word: Word, environment: Environment) -> list[Word]:
    """The words that a word becomes when systemd replaces its variables."""
    text = word.text
    if text is None or word.fragment is None or "$" not in text:
        return [word]
    if text.startswith("$") and text[1:2] not in ("{", "$"):
        return _split(text[1:], word, environment)
    pieces: list[Fragment] = []
    assumes: tuple[str, ...] = ()
    via: dict[Span, None] = {}
    position = size = 0
    for match in _SUBSTITUTION.finditer(text):
        name, end = match.groups()
        if name is None:
            value: Value = Known("$")
        elif end == "}":
            value = _variable(name, environment)
        else:
            continue
        if not isinstance(value, Known):
            return [replace(word, value=_unknown(name, value), fragment=None)]
        size += len(str(value.value))
        if size > _LONGEST:
            return [replace(word, value=_too_long(), fragment=None)]
        pieces.append(word.fragment.slice(position, match.start()))
        pieces.append(_at(str(value.value), word.fragment, match.start()))
        position = match.end()
        assumes = tuple(dict.fromkeys((*assumes, *value.assumes)))
        via.update(dict.fromkeys(value.via))
    pieces.append(word.fragment.slice(position, len(text)))
    joined = _joined(word.fragment.source, pieces)
    return [Word(Known(joined.text, assumes, tuple(via)), word.span, joined)]


def _split(name: str, word: Word, environment: Environment) -> list[Word]:
    """`$NAME` as a word of its own: its value is split, and nothing stays of an unset one."""
    value = _variable(name, environment)
    if not isinstance(value, Known) or word.fragment is None:
        return [Word(_unknown(name, value), word.span, many=True)]
    if len(str(value.value)) > _LONGEST:
        return [Word(_too_long(), word.span, many=True)]
    spread = _at(str(value.value), word.fragment, 0)
    return [
        Word(replace(value, value=token.fragment.text), word.span, token.fragment)
        for token in _tokens(spread, _bare_escape)
    ]


def _variable(name: str, environment: Environment) -> Value:
    """A variable's value; unset, and so empty, where nothing can set it."""
    if name in environment:
        return environment[name]
    if not _NAME.fullmatch(name):
        return Known("")
    if name in FROM_MANAGER:
        return Unknown(f"systemd sets `{name}` when it runs the command")
    if isinstance(environment, UnitEnvironment) and environment.unread is not None:
        return Unknown(environment.unread, name)
    return Known("")


def _unknown(name: str | None, value: Value) -> Unknown:
    return value if isinstance(value, Unknown) else Unknown(f"`{name}` isn't known for certain")


# environment

_DIRECTORIES = {
    "RuntimeDirectory": ("RUNTIME_DIRECTORY", "/run"),
    "StateDirectory": ("STATE_DIRECTORY", "/var/lib"),
    "CacheDirectory": ("CACHE_DIRECTORY", "/var/cache"),
    "LogsDirectory": ("LOGS_DIRECTORY", "/var/log"),
    "ConfigurationDirectory": ("CONFIGURATION_DIRECTORY", "/etc"),
}


def environment(unit: Unit, read: Callable[[str], Source | None]) -> UnitEnvironment:
    """The variables that a unit sets.

    `EnvironmentFile=` is stronger than `Environment=`, that than `PassEnvironment=`, and that than
    what `User=`, `RuntimeDirectory=` and the like imply. `read` finds the project's file for a path
    on the target; a file that it can't find leaves the environment open, as `unread` says, and may
    replace what the unit sets.
    """
    unread = "the user's service manager may set it" if unit.of_user else None
    variables: dict[str, Value] = {**_of_user(unit), **_of_directories(unit)}
    for _, word in _listed(unit, "PassEnvironment"):
        if word.text is not None and _NAME.fullmatch(word.text):
            variables[word.text] = Unknown("`PassEnvironment=` passes it on", word.text)
    variables.update(_assigned(unit))
    for path, known in _files(unit):
        source = read(path) if known else None
        if source is None:
            unread = f"`{path}` isn't in the project, and may set it"
            variables = {
                name: with_assumptions(value, (f"`{path}` leaves {name} alone",))
                for name, value in variables.items()
            }
        else:
            variables.update(environment_file(source))
    for token, word in _listed(unit, "UnsetEnvironment"):
        name, equals, text = (word.text or token.raw.text).partition("=")
        held = variables.get(name)
        if not equals or (isinstance(held, Known) and held.value == text):
            variables.pop(name, None)
    return UnitEnvironment(variables, unread)


def _of_user(unit: Unit) -> dict[str, Value]:
    """What `User=` or `DynamicUser=` puts into the environment of a system unit."""
    directive = unit.last("Service", "User")
    dynamic = unit.last("Service", "DynamicUser")
    if directive is None and not (dynamic and boolean(dynamic.value.text)):
        return {}
    names = ("USER", "LOGNAME", "HOME", "SHELL")
    variables: dict[str, Value] = {
        name: Unknown(f"`{name}` depends on the user's account") for name in names
    }
    if directive is None:
        return variables
    place = directive.value.span()
    word = _specified(directive.value, unit, place)
    if isinstance(word, Span) or word.text is None or word.text.isdecimal():
        return variables
    user = Known(word.text, via=(place,))
    variables.update(USER=user, LOGNAME=user)
    if word.text == "root":
        variables["HOME"] = Known("/root", via=(place,))
    return variables


def _of_directories(unit: Unit) -> dict[str, Value]:
    """The variables with the folders that systemd makes for a unit."""
    variables: dict[str, Value] = {}
    for key, (name, parent) in _DIRECTORIES.items():
        found = [word for _, word in _listed(unit, key)]
        folders = [word.text.partition(":")[0] for word in found if word.text is not None]
        if unit.of_user or len(folders) < len(found):
            variables[name] = Unknown(f"`{key}=` depends on the user or instance")
        elif folders := [folder for folder in folders if not folder.startswith("/")]:
            paths = ":".join(f"{parent}/{folder}" for folder in folders)
            variables[name] = Known(paths, via=tuple(word.span for word in found))
    return variables


def _listed(unit: Unit, key: str) -> Iterator[tuple[_Token, Word]]:
    """The words of a key with many values, specifiers replaced; a faulty word ends its line."""
    for directive in unit.all("Service", key):
        for token in _tokens(directive.value):
            if token.unclosed is not None or token.odd:
                break
            word = _specified(token.fragment, unit, token.span)
            if isinstance(word, Word):
                yield token, word


def _assigned(unit: Unit) -> Iterator[tuple[str, Value]]:
    """The assignments of `Environment=`; what isn't one, or isn't UTF-8, is skipped."""
    for token, word in _listed(unit, "Environment"):
        fragment = word.fragment or token.fragment
        name, equals, text = fragment.text.partition("=")
        if not equals or not _NAME.fullmatch(name) or "\N{REPLACEMENT CHARACTER}" in text:
            continue
        if word.text is None:
            yield name, word.value
        else:
            place = word.part(len(name) + 1) if text else word.span
            yield name, Known(text, via=(place,))


def _files(unit: Unit) -> Iterator[tuple[str, bool]]:
    """The paths of `EnvironmentFile=`, and whether each is known; systemd skips relative ones."""
    for directive in unit.all("Service", "EnvironmentFile")[-_FILES:]:
        word = _specified(directive.value, unit, directive.value.span())
        if isinstance(word, Word):
            known = word.text is not None
            path = (word.text or directive.value.text).removeprefix("-")
            if path.startswith("/") or not known:
                yield path, known


_FILE_KEY = regex(r"[ \t\r\n]*(?:[#;][^\r\n]*|(?P<key>[^ \t\r\n#;][^=\r\n]*)(?P<equals>=[ \t]*)?)?")


def environment_file(source: Source) -> dict[str, Known]:
    r"""The assignments of an environment file in systemd's syntax; `via` has each value's place.

    There is no `export`, no expansion, and `#` or `;` opens a comment at a line's start only.
    A backslash at the end of a comment continues nothing, which is so since systemd 254.
    """
    found: dict[str, Known] = {}
    text = source.text.partition("\0")[0]
    index = 0
    while index < len(text):
        match = _FILE_KEY.match(text, index)
        assert match is not None
        index = match.end()
        if match["equals"] is None:
            continue
        value, end = _file_value(text, index)
        key = match["key"].rstrip(" \t")
        if _NAME.fullmatch(key):
            written = text[index:end].rstrip(_BLANKS)
            place = Span(source, index, index + len(written))
            found[key] = Known(value, via=(place,))
        index = end
    return found


def _file_value(text: str, index: int) -> tuple[str, int]:
    """The value that starts at `index`, and where it ends.

    Quotes count up to the first plain character. Blanks at a plain value's end don't belong to it.
    """
    chars: list[str] = []
    kept = 0
    quote = ""
    plain = False
    while index < len(text):
        char = text[index]
        blank = not quote and char in " \t"
        if char == "\\" and quote != "'":
            index += 1
            plain = plain or not quote
            chars.extend(_file_escape(text[index : index + 1], quote))
        elif quote:
            if char == quote:
                quote = ""
            else:
                chars.append(char)
        elif char in "\r\n":
            break
        elif char in _QUOTES and not plain:
            quote = char
        elif plain or not blank:
            plain = True
            chars.append(char)
        kept = kept if blank else len(chars)
        index += 1
    return "".join(chars[:kept]), min(index, len(text))


def _file_escape(char: str, quote: str) -> str:
    """What a backslash before `char` stands for; one before a line's end joins the lines."""
    if not quote:
        return char.strip("\r\n")
    if char in '"\\`$':
        return char
    return "" if char == "\n" else f"\\{char}"


# values


def dependencies(unit: Unit, key: str) -> tuple[tuple[str, Span], ...]:
    """The units that `After=`, `Requires=` and the like name, each with its place.

    There is no quoting. A name that depends on the instance stays as it is written.
    """
    return words_of(unit, "Unit", key)


def words_of(unit: Unit, section: str, key: str) -> tuple[tuple[str, Span], ...]:
    """The words of a list without quoting, specifiers replaced where they are known."""
    found: list[tuple[str, Span]] = []
    for directive in unit.all(section, key):
        for match in re.finditer(r"[^ \t\n\r]+", directive.value.text):
            written = directive.value.slice(match.start(), match.end())
            word = _specified(written, unit, written.span())
            if isinstance(word, Word):
                found.append((word.text or written.text, word.span))
    return tuple(found)


_SECONDS = {
    "us": 1e-6, "usec": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "msec": 1e-3,
    "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "": 1.0,
    "m": 60.0, "min": 60.0, "minute": 60.0, "minutes": 60.0,
    "h": 3600.0, "hr": 3600.0, "hour": 3600.0, "hours": 3600.0,
    "d": 86400.0, "day": 86400.0, "days": 86400.0,
    "w": 604800.0, "week": 604800.0, "weeks": 604800.0,
    "M": 2629800.0, "month": 2629800.0, "months": 2629800.0,
    "y": 31557600.0, "year": 31557600.0, "years": 31557600.0,
}  # fmt: skip
_TIME = regex(r"[ \t\n\r]*(\+?[0-9]+(?:\.[0-9]+)?|\.[0-9]+)([ \t\n\r]*)([^0-9.+ \t\n\r]*)")
_LONGEST_TIME = 2**64 / 1e6


def timespan(text: str) -> float | None:
    """A time span (systemd.time(7)) in seconds, `math.inf` for "infinity"; None if refused."""
    stripped = text.strip(_BLANKS)
    if stripped == "infinity":
        return math.inf
    total, position = 0.0, 0
    while position < len(stripped):
        match = _TIME.match(stripped, position)
        if match is None or match[3] not in _SECONDS:
            return None
        number, blanks, unit = match.groups()
        position = match.end()
        if not blanks and not unit and position < len(stripped):
            return None
        total += float(number) * _SECONDS[unit]
    return total if stripped and total < _LONGEST_TIME else None


def boolean(text: str) -> bool | None:
    """A boolean as systemd reads it; None for what it refuses."""
    lowered = text.strip(_BLANKS).lower()
    if lowered in ("1", "yes", "y", "true", "t", "on"):
        return True
    return False if lowered in ("0", "no", "n", "false", "f", "off") else None
