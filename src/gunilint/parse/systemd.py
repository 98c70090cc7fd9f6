"""systemd units by systemd's own grammar: lines, quoting, expansion, drop-ins.

The rules are those of systemd 252 and 257 (`conf-parser.c`, `extract-word.c`, `env-util.c`),
recorded from the real programs in `tests/data/systemd-exec-vectors.json`.
"""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from gunilint.command import Command, Word
from gunilint.source import Fragment, Problem, Source, Span
from gunilint.values import Environment, Known, Unknown, Value

_LINE = re.compile(r"([^\r\n\0]*)(\r\n|\r|\n|\0|$)")
_BLANKS = " \t\n\r"
_QUOTES = "\"'"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*$")
_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)$")
_DEPENDENCIES = frozenset(
    {"After", "Before", "Requires", "Wants", "BindsTo", "Requisite", "PartOf"}
)
_ESCAPES = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", '"': '"', "'": "'", "s": " ",
}  # fmt: skip
_NUMERIC = re.compile(r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})")
_UNITS = {
    "us": 1e-6, "usec": 1e-6, "µs": 1e-6, "ms": 1e-3, "msec": 1e-3,
    "s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "": 1.0,
    "m": 60.0, "min": 60.0, "minute": 60.0, "minutes": 60.0,
    "h": 3600.0, "hr": 3600.0, "hour": 3600.0, "hours": 3600.0,
    "d": 86400.0, "day": 86400.0, "days": 86400.0,
    "w": 604800.0, "week": 604800.0, "weeks": 604800.0,
    "M": 2629800.0, "month": 2629800.0, "months": 2629800.0,
    "y": 31557600.0, "year": 31557600.0, "years": 31557600.0,
}  # fmt: skip
_SPECIFIER = re.compile(r"%[%A-Za-z0-9]")
_SPECIFIERS = frozenset("%aAbBCdDEfgGhHiIjJlLmMnNopPqsStTuUvVwWyY")
_SPAN_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-zµ]*)")


@dataclass(frozen=True, slots=True)
class Directive:
    """One `Key=value` of a unit, its continued lines joined.

    `value` has the place of each of its characters; `span` reaches from the key to the value's end.
    """

    section: str
    key: str
    value: Fragment
    span: Span
    key_span: Span


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit with its drop-ins: `directives` are in the order in which systemd applies them."""

    name: str
    source: Source
    directives: tuple[Directive, ...]
    sources: tuple[Source, ...]
    problems: tuple[Problem, ...]

    def last(self, section: str, key: str) -> Directive | None:
        """The directive that counts for a key with one value; None if unset or emptied."""
        found = self._of(section, key)
        return found[-1] if found and found[-1].value.text else None

    def all(self, section: str, key: str) -> tuple[Directive, ...]:
        """The directives of a key with many values, from the last empty one on.

        An empty dependency (`After=`) empties nothing.
        """
        found = self._of(section, key)
        if key not in _DEPENDENCIES:
            emptied = [i for i, directive in enumerate(found) if not directive.value.text]
            found = found[emptied[-1] + 1 :] if emptied else found
        return tuple(directive for directive in found if directive.value.text)

    def _of(self, section: str, key: str) -> list[Directive]:
        return [d for d in self.directives if d.section == section and d.key == key]


def parse(source: Source, name: str, dropins: Sequence[Source] = ()) -> Unit:
    """A unit from its file and its drop-ins, which apply in the order of their file names."""
    ordered = sorted(dropins, key=lambda dropin: posixpath.basename(dropin.path))
    directives: list[Directive] = []
    problems: list[Problem] = []
    for part in (source, *ordered):
        _Reader(part, directives, problems).run()
    unit = Unit(name, source, tuple(directives), (source, *ordered), ())
    for directive in directives:
        if directive.section == "Service" and directive.key.startswith("Exec"):
            problems.extend(_exec_problems(directive))
    return replace(unit, problems=tuple(problems))


class _Reader:
    """Reads one file's lines into directives."""

    def __init__(
        self, source: Source, directives: list[Directive], problems: list[Problem]
    ) -> None:
        self.source = source
        self.directives = directives
        self.problems = problems
        self.section: str | None = None
        self.in_unknown = False

    def run(self) -> None:
        """Join continued lines; comment lines vanish, also within a continuation."""
        text: list[str] = []
        offsets: list[int] = []
        for match in _LINE.finditer(self.source.text):
            line = match[1]
            start = match.start()
            if line.lstrip(_BLANKS)[:1] in ("#", ";") and line.strip():
                if match.end() == len(self.source.text):
                    break
                continue
            text.extend(line)
            offsets.extend(range(start, start + len(line)))
            if _continues(text) and match.end() < len(self.source.text):
                text[-1] = " "
                continue
            self.line(Fragment(self.source, "".join(text), tuple(offsets)))
            text, offsets = [], []
            if match.end() == len(self.source.text) and not match[2]:
                break
        if text:
            self.line(Fragment(self.source, "".join(text), tuple(offsets)))

    def line(self, line: Fragment) -> None:
        line = _stripped(line)
        if not line.text:
            return
        if line.text.startswith("["):
            self.header(line)
            return
        key, equals, _ = line.text.partition("=")
        if self.section is None:
            self.ignored(line.span(), "it stands before any [Section]")
            self.section = ""
        elif not equals:
            self.ignored(line.span(), "there is no `=` in it")
        else:
            self.directive(line, key)

    def header(self, line: Fragment) -> None:
        if not line.text.endswith("]"):
            reason = "the section's name isn't closed with `]`"
            self.problems.append(Problem(line.span(), reason, "refused"))
            return
        self.section = line.text[1:-1]

    def directive(self, line: Fragment, key: str) -> None:
        assert self.section is not None
        if self.section.startswith("X-"):
            return
        value = _stripped(line.slice(len(key) + 1, len(line.text)))
        name = key.rstrip(_BLANKS)
        key_span = line.span(0, len(name))
        end = value.span().end if value.text else line.span(0, len(key) + 1).end
        span = Span(self.source, key_span.start, end)
        self.directives.append(Directive(self.section, name, value, span, key_span))

    def ignored(self, span: Span, reason: str) -> None:
        self.problems.append(Problem(span, reason, "ignored"))


def _continues(text: list[str]) -> bool:
    """Whether a line ends in a backslash that no other backslash escapes."""
    count = 0
    while count < len(text) and text[-1 - count] == "\\":
        count += 1
    return count % 2 == 1


def _stripped(fragment: Fragment) -> Fragment:
    text = fragment.text
    start = len(text) - len(text.lstrip(_BLANKS))
    return fragment.slice(start, max(start, len(text.rstrip(_BLANKS))))


def words(fragment: Fragment) -> tuple[Fragment, ...]:
    """The words of a value, quotes and escapes resolved; none where a quote stays open."""
    return tuple(word for word, _ in _words(fragment) or ())


def _words(fragment: Fragment) -> list[tuple[Fragment, bool]] | None:
    """Each word, and whether any of it was quoted; None where a quote stays open."""
    found: list[tuple[Fragment, bool]] = []
    chars: list[str] = []
    offsets: list[int] = []
    text = fragment.text
    quote = ""
    inside = quoted = False
    index = 0

    def finish() -> None:
        word = Fragment(fragment.source, "".join(chars), tuple(offsets))
        if not word.text:
            word = Fragment(fragment.source, "", ())
        found.append((word, quoted))
        chars.clear()
        offsets.clear()

    while index < len(text):
        char = text[index]
        if char == "\\":
            decoded, length = _escape(text, index)
            chars.append(decoded)
            offsets.extend([fragment.offsets[index]] * len(decoded))
            inside = True
            index += length
            continue
        if quote:
            if char == quote:
                quote = ""
            else:
                chars.append(char)
                offsets.append(fragment.offsets[index])
        elif char in _QUOTES:
            quote, inside, quoted = char, True, True
        elif char in _BLANKS:
            if inside:
                finish()
            inside = quoted = False
        else:
            inside = True
            chars.append(char)
            offsets.append(fragment.offsets[index])
        index += 1
    if quote:
        return None
    if inside:
        finish()
    return found


def _escape(text: str, index: int) -> tuple[str, int]:
    """What the backslash at `index` stands for and how long it is; an unknown one stays."""
    following = text[index + 1 : index + 2]
    if following in _ESCAPES and following:
        return _ESCAPES[following], 2
    number = _NUMERIC.match(text, index + 1)
    if number:
        digits = number[1] or number[2] or number[3]
        code = int(digits, 16) if digits else int(number[4], 8)
        if 0 < code < 0x110000:
            return chr(code), 1 + len(number[0])
    return "\\" + following, 1 + len(following)


def commands(unit: Unit, key: str, environment: Environment) -> tuple[Command, ...]:
    """The commands of `ExecStart=` and its kin as systemd would run them.

    A line that systemd refuses yields none. What depends on the instance of a template, or on a
    variable that an unread file may set, is unknown.
    """
    return tuple(
        command
        for directive in unit.all("Service", key)
        for command in _commands(directive, unit, environment)
    )


def _commands(directive: Directive, unit: Unit, environment: Environment) -> Iterator[Command]:
    found = _words(directive.value)
    if found is None:
        return
    for part in _separated(found):
        path, prefixes = _without_prefixes(part[0])
        if not path.text or _refused_path(path.text):
            continue
        if any(_bad_specifier(word.text) for word in part):
            continue
        arguments = part[1:]
        if "@" in prefixes:
            arguments = arguments[1:]
        words = [_specified(path, unit)]
        for argument in arguments:
            word = _specified(argument, unit)
            words.extend(_expanded(word, environment) if ":" not in prefixes else [word])
        yield Command(tuple(words), directive.value.span(), environment)


def _bad_specifier(text: str) -> str | None:
    """A `%` and a letter or digit that stand for nothing, which refuses the whole line."""
    return next((found for found in _SPECIFIER.findall(text) if found[1] not in _SPECIFIERS), None)


def _separated(found: list[tuple[Fragment, bool]]) -> Iterator[list[Fragment]]:
    r"""The words of each command; `;` alone separates, `\;` and `";"` are data."""
    part: list[Fragment] = []
    for word, quoted in found:
        if word.text == ";" and not quoted:
            if part:
                yield part
            part = []
        elif word.text == "\\;":
            part.append(word.slice(1, 2))
        else:
            part.append(word)
    if part:
        yield part


def _without_prefixes(word: Fragment) -> tuple[Fragment, str]:
    stripped = word.text.lstrip("-@:+!|")
    count = len(word.text) - len(stripped)
    return word.slice(count, len(word.text)), word.text[:count]


def _refused_path(path: str) -> bool:
    """Whether a program's path is refused: it has to be absolute or a bare file name."""
    return "/" in path and not path.startswith(("/", "%"))


def _exec_problems(directive: Directive) -> Iterator[Problem]:
    """Why systemd refuses a command line."""
    found = _words(directive.value)
    if found is None:
        opened = _open_quote(directive.value)
        reason = "the quote that is opened here is never closed"
        yield Problem(directive.value.span(opened, opened + 1), reason, "refused")
        return
    for part in _separated(found):
        path, _ = _without_prefixes(part[0])
        if _refused_path(path.text):
            reason = "the program is neither an absolute path nor a bare name"
            yield Problem(path.span(), reason, "refused")
        for word in part:
            bad = _bad_specifier(word.text)
            if bad is not None:
                at = word.text.index(bad)
                reason = f"`{bad}` is no specifier; a plain % is written %%"
                yield Problem(word.span(at, at + 2), reason, "refused")


def _open_quote(fragment: Fragment) -> int:
    """The index of the quote that stays open."""
    opened, quote, index = 0, "", 0
    while index < len(fragment.text):
        char = fragment.text[index]
        if char == "\\":
            index += 2
            continue
        if quote:
            quote = "" if char == quote else quote
        elif char in _QUOTES:
            opened, quote = index, char
        index += 1
    return opened


def _specified(fragment: Fragment, unit: Unit) -> Word:
    """A word with its `%` specifiers expanded."""
    text: list[str] = []
    offsets: list[int] = []
    unknown: str | None = None
    index = 0
    while index < len(fragment.text):
        char = fragment.text[index]
        offset = fragment.offsets[index]
        value: str | None = char
        length = 1
        if char == "%" and index + 1 < len(fragment.text):
            letter = fragment.text[index + 1]
            if letter == "%" or letter.isalnum():
                value, length = _specifier(letter, unit), 2
        if value is None:
            unknown = (
                unknown
                or f"`{fragment.text[index : index + 2]}` depends on the machine or instance"
            )
        else:
            text.extend(value)
            offsets.extend([offset] * len(value))
        index += length
    span = fragment.span()
    if unknown is not None:
        return Word(Unknown(unknown), span)
    word = Fragment(fragment.source, "".join(text), tuple(offsets))
    return Word(Known(word.text), span, word)


def _unescaped(name: str) -> str:
    """A path in a unit's name: `-` stands for `/`."""
    return name.replace("-", "/").replace("\\x2d", "-")


def _specifier(letter: str, unit: Unit) -> str | None:
    """What a specifier of a system unit stands for, where that is the same on every machine."""
    stem, _, _ = unit.name.rpartition(".")
    prefix, at, instance = stem.partition("@")
    template = bool(at) and not instance
    values: dict[str, str | None] = {
        "%": "%",
        "n": None if template else unit.name,
        "N": None if template else stem,
        "p": prefix,
        "P": prefix,
        "i": None if template else instance,
        "I": None if template else _unescaped(instance),
        "j": prefix.rpartition("-")[2],
        "J": prefix.rpartition("-")[2],
        "f": None if template else "/" + _unescaped(instance or prefix),
        "t": "/run", "S": "/var/lib", "C": "/var/cache", "L": "/var/log", "E": "/etc",
        "T": "/tmp", "V": "/var/tmp", "u": "root", "U": "0", "g": "root", "G": "0", "h": "/root",
    }  # fmt: skip
    return values.get(letter)


_SUBSTITUTION = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def _expanded(word: Word, environment: Environment) -> list[Word]:
    """The words that a word becomes when systemd replaces its variables."""
    text = word.text
    if text is None or word.fragment is None or "$" not in text:
        return [word]
    if text.startswith("$") and text[1:2] not in ("{", "$"):
        return _split_variable(text[1:], word, environment)
    pieces: list[Fragment] = []
    position = 0
    via: tuple[Span, ...] = ()
    for match in _SUBSTITUTION.finditer(text):
        pieces.append(word.fragment.slice(position, match.start()))
        position = match.end()
        if match[1] is None:
            pieces.append(word.fragment.slice(match.start(), match.start() + 1))
            continue
        value = _variable(match[1], environment)
        if not isinstance(value, Known):
            return [replace(word, value=value, fragment=None)]
        via = (*via, *value.via)
        pieces.append(_at(str(value.value), word.fragment, match.start()))
    pieces.append(word.fragment.slice(position, len(text)))
    joined = "".join(piece.text for piece in pieces)
    offsets = tuple(offset for piece in pieces for offset in piece.offsets)
    fragment = Fragment(word.span.source, joined, offsets)
    return [Word(Known(joined, via=via), word.span, fragment)]


def _split_variable(name: str, word: Word, environment: Environment) -> list[Word]:
    """`$NAME` as a word of its own: its value is split, and nothing stays of an unset one."""
    value = _variable(name, environment)
    if not isinstance(value, Known):
        return [Word(value, word.span, None, many=True)]
    assert word.fragment is not None
    found = _words(_at(str(value.value), word.fragment, 0)) or []
    return [Word(Known(part.text, via=value.via), word.span, part) for part, _ in found]


def _variable(name: str, environment: Environment) -> Value:
    """A variable's value; unset, and so empty, where nothing can set it."""
    if name in environment:
        return environment[name]
    if UNREAD in environment:
        return environment[UNREAD]
    return Known("")


def _at(text: str, fragment: Fragment, index: int) -> Fragment:
    """`text` as if it stood at one character of `fragment`."""
    return Fragment(fragment.source, text, (fragment.offsets[index],) * len(text))


UNREAD = "*"
"""The name under which an environment holds the unknown value of all variables that an
`EnvironmentFile=` or `PassEnvironment=` may set and that can't be read here."""


def environment(unit: Unit, read: Callable[[str], Source | None]) -> Environment:
    """The variables that a unit sets, `EnvironmentFile=` over `Environment=`.

    `read` finds the project's file for a path on the target. For what can't be read the result
    has an unknown value under `UNREAD`.
    """
    variables: dict[str, Value] = {}
    user = unit.last("Service", "User")
    if user is not None:
        name = Known(user.value.text, via=(user.value.span(),))
        variables.update(USER=name, LOGNAME=name)
        for variable in ("HOME", "SHELL"):
            variables[variable] = Unknown(f"`{variable}` depends on the machine", variable)
    for directive in unit.all("Service", "Environment"):
        for word, _ in _words(directive.value) or ():
            variable, equals, _ = word.text.partition("=")
            if equals and _NAME.match(variable):
                value = word.slice(len(variable) + 1, len(word.text))
                specified = _specified(value, unit).value
                if isinstance(specified, Known):
                    specified = replace(specified, via=(value.span(),))
                variables[variable] = specified
    for directive in unit.all("Service", "EnvironmentFile"):
        path = directive.value.text.removeprefix("-")
        if not path.startswith("/"):
            continue
        source = read(path)
        if source is None:
            variables[UNREAD] = Unknown(f"`{path}` isn't in the project, and may set it")
        else:
            variables.update(environment_file(source))
    passed = unit.all("Service", "PassEnvironment")
    if passed:
        variables[UNREAD] = Unknown("`PassEnvironment=` may set it")
    for directive in unit.all("Service", "UnsetEnvironment"):
        for word in words(directive.value):
            variables.pop(word.text, None)
    return variables


_FILE_LINE = re.compile(
    r"""[ \t]*(?P<name>[A-Za-z_]\w*)[ \t]*=[ \t]*
    (?P<value>(?:[ \t]*(?:"(?:[^"\\]|\\.)*"|'[^']*'))*(?:\\(?:\r\n|.)|[^\\\r\n])*)""",
    re.VERBOSE | re.DOTALL,
)


def environment_file(source: Source) -> dict[str, Known]:
    """The assignments of an environment file in systemd's syntax.

    There is no `export`, no expansion, and `#` opens a comment at a line's start only.
    """
    found: dict[str, Known] = {}
    text = source.text
    position = 0
    while position < len(text):
        match = _FILE_LINE.match(text, position)
        if match is None:
            end = re.compile(r"[\r\n]|$").search(text, position)
            position = end.end() if end and end.end() > position else position + 1
            continue
        value = match["value"]
        start = match.start("value")
        span = source.span(start, start + len(value.rstrip()))
        found[match["name"]] = Known(_file_value(value), via=(span,))
        position = max(match.end(), position + 1)
    return found


def _file_value(text: str) -> str:
    """A value without its quotes, which count only where nothing stands before them."""
    chars: list[str] = []
    kept = 0
    plain = False
    index, quote = 0, ""
    while index < len(text):
        char = text[index]
        if quote == "'" and char != "'":
            chars.append(char)
        elif char == "\\" and quote != "'":
            length = 3 if text[index + 1 : index + 3] == "\r\n" else 2
            escaped = text[index + 1 : index + length]
            if escaped not in ("\n", "\r\n"):
                keep = quote == '"' and escaped not in ('"', "\\", "`", "$")
                chars.append("\\" + escaped if keep else escaped)
            index += length - 1
        elif quote and char == quote:
            quote = ""
        elif not quote and not plain and char in _QUOTES:
            quote = char
        else:
            chars.append(char)
            plain = plain or (not quote and char not in _BLANKS)
        blank = not quote and char in _BLANKS
        kept = kept if blank else len(chars)
        index += 1
    return "".join(chars[:kept])


def dependencies(unit: Unit, key: str) -> tuple[tuple[str, Span], ...]:
    """The units that `After=`, `Requires=` and the like name, each with its place."""
    return tuple(
        (word.text, word.span())
        for directive in unit.all("Unit", key)
        for word in words(directive.value)
    )


def timespan(text: str) -> float | None:
    """A time span in seconds, `math.inf` for "infinity"; None for what systemd refuses."""
    stripped = text.strip()
    if stripped == "infinity":
        return math.inf
    total, position = 0.0, 0
    while position < len(stripped):
        match = _SPAN_PART.match(stripped, position)
        if match is None or match[2] not in _UNITS:
            return None
        total += float(match[1]) * _UNITS[match[2]]
        position = match.end()
    return total if stripped else None


def boolean(text: str) -> bool | None:
    """A boolean as systemd reads it; None for what it refuses."""
    lowered = text.strip().lower()
    if lowered in ("1", "yes", "y", "true", "t", "on"):
        return True
    return False if lowered in ("0", "no", "n", "false", "f", "off") else None
