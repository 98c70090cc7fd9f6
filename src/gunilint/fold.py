"""Folding a shell word: quotes, escapes, variables, defaults, arithmetic, a few substitutions."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gunilint.command import Word
from gunilint.source import Fragment, Span
from gunilint.values import (
    Known,
    OneOf,
    Option,
    Symbolic,
    Unknown,
    Value,
    possibilities,
    with_assumptions,
)

SCRIPT_DIRECTORY = "<script-dir>"
"""What paths below the script's own folder start with: `$(dirname "$0")` folds to it."""

_LIMIT = 64 * 1024
"""The longest word, in characters."""
_OPTIONS = 16
_DEPTH = 12

_NAME = re.compile(r"[A-Za-z_]\w*")
_SPECIAL = "@*#?$!-0123456789"
_BRACED = re.compile(
    r"(?P<length>#(?=[A-Za-z_]))?(?P<name>[A-Za-z_]\w*|[@*#?$!-]|\d+)"
    r"(?P<index>\[[^\]]*\])?(?P<operator>:?[-=+?]|##?|%%?|//?|\^\^?|,,?|:)?",
)
_BLANKS = " \t\n\r"


@dataclass(frozen=True, slots=True)
class Array:
    """The value of an array variable."""

    words: tuple[Word, ...]


@dataclass
class Scope:
    """What a shell process knows at one moment."""

    variables: dict[str, Value | Array]
    exported: set[str]
    arguments: tuple[Word, ...] | None
    script: str
    directory: Value | None = None
    lost: str | None = None
    dead: bool = False
    """The shell has exited, or has become another program."""
    returned: bool = False
    """The function or sourced file that runs has returned."""

    @property
    def over(self) -> bool:
        """Whether the statements that follow aren't run."""
        return self.dead or self.returned

    def copy(self) -> Scope:
        """A scope that can change without this one."""
        return replace(self, variables=dict(self.variables), exported=set(self.exported))

    def lose(self, reason: str) -> None:
        """Something unseen may have set any variable that isn't set yet, or set one anew."""
        self.lost = reason
        for name, value in self.variables.items():
            if isinstance(value, Known):
                self.variables[name] = replace(
                    value,
                    assumes=tuple(
                        dict.fromkeys(
                            (
                                *value.assumes,
                                f"{reason.removesuffix(' may set it')} leaves {name} alone",
                            )
                        )
                    ),
                )

    def merge(self, ends: Sequence[tuple[str, Scope]]) -> None:
        """Take on what the branches `ends`, each with its condition, leave behind."""
        names = dict.fromkeys(name for _, scope in ends for name in scope.variables)
        for name in names:
            values = [(condition, scope.variables.get(name)) for condition, scope in ends]
            first = values[0][1]
            same = all(value is first for _, value in values)
            merged = first if same else _merged(name, values)
            if merged is None:
                self.variables.pop(name, None)
            else:
                self.variables[name] = merged
        self.exported = set().union(*(scope.exported for _, scope in ends))
        directories = [scope.directory for _, scope in ends]
        same = all(directory == directories[0] for directory in directories)
        self.directory = directories[0] if same else Unknown("it depends on a branch")
        self.lost = next((scope.lost for _, scope in ends if scope.lost), None)
        self.dead = False


def _merged(name: str, values: Sequence[tuple[str, Value | Array | None]]) -> Value:
    found = [value for _, value in values]
    known = [value for value in found if isinstance(value, Known)]
    if len(known) == len(found) and all(value.value == known[0].value for value in known):
        assumes = tuple(dict.fromkeys(text for value in known for text in value.assumes))
        return replace(known[0], assumes=assumes)
    options: list[Option] = []
    for condition, value in values:
        if isinstance(value, Array):
            return Unknown(f"`{name}` depends on a branch")
        single = value if value is not None else Unknown(f"`{name}` isn't set here", name)
        if isinstance(single, OneOf):
            options.extend(single.options)
        else:
            options.append(Option(single, condition, _first_via(single)))
    if len(options) > _OPTIONS:
        return Unknown(f"`{name}` has too many possibilities")
    return OneOf(tuple(options))


def _first_via(value: Value) -> Span | None:
    return value.via[0] if isinstance(value, Known | Symbolic | Unknown) and value.via else None


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a word: its value, where it stands, whether blanks in it separate words."""

    value: Value
    offset: int
    splits: bool = False
    offsets: tuple[int, ...] = ()
    quoted: bool = False


class Folder:
    """Folds the words of one scope; `substitute` folds `$(cd dir && pwd)`."""

    def __init__(
        self, scope: Scope, substitute: Callable[[Fragment], Value | None], depth: int = 0
    ) -> None:
        self.scope = scope
        self.substitute = substitute
        self.depth = depth

    def words(self, raw: Fragment) -> list[Word]:
        """The arguments that a raw word becomes; blanks of unquoted variables separate them."""
        span = raw.span()
        many = self.several(raw, span)
        if many is not None:
            return many
        pieces = self.pieces(raw)
        if not any(piece.splits for piece in pieces):
            if not pieces:
                return []
            return [self.word(pieces, raw, span)]
        if any(piece.splits and not isinstance(piece.value, Known | Symbolic) for piece in pieces):
            alone = len(pieces) == 1
            value = self.joined([piece.value for piece in pieces])
            return [Word(value, span, None, many=alone)]
        return self.split(pieces, raw, span)

    def quoted(self, raw: Fragment, *, assignment: bool = False) -> Value:
        """The one value of a raw word where no splitting happens."""
        pieces = self.pieces(raw)
        return self.joined([piece.value for piece in pieces]) if pieces else Known("")

    def several(self, raw: Fragment, span: Span) -> list[Word] | None:
        """The words of `"$@"` and `"${array[@]}"`; None for any other word."""
        text = raw.text.strip('"')
        if text in ("$@", "$*", "${@}", "${*}"):
            if self.scope.arguments is None:
                return [Word(Unknown("the script's arguments aren't known"), span, None, many=True)]
            return list(self.scope.arguments)
        match = re.fullmatch(r"\$\{([A-Za-z_]\w*)\[[@*]\](?:[-+:][^}]*)?\}", text)
        if match is None:
            return None
        array = self.scope.variables.get(match[1])
        if isinstance(array, Array):
            return list(array.words)
        if array is None and self.scope.lost is None:
            return []
        return [Word(Unknown(f"`{match[1]}` isn't known"), span, None, many=True)]

    def word(self, pieces: Sequence[_Piece], raw: Fragment, span: Span) -> Word:
        """One argument from its pieces."""
        value = self.joined([piece.value for piece in pieces])
        fragment = None
        if isinstance(value, Known):
            offsets = tuple(
                offset
                for piece in pieces
                for offset in (
                    piece.offsets or (piece.offset,) * len(str(getattr(piece.value, "value", "")))
                )
            )
            fragment = Fragment(raw.source, str(value.value), offsets)
        return Word(value, span, fragment)

    def split(self, pieces: Sequence[_Piece], raw: Fragment, span: Span) -> list[Word]:
        """Split at the blanks of unquoted variables."""
        groups: list[list[_Piece]] = [[]]
        for piece in pieces:
            if not piece.splits or isinstance(piece.value, Symbolic):
                groups[-1].append(piece)
                continue
            assert isinstance(piece.value, Known)
            text = str(piece.value.value)
            parts = text.split()
            if text[:1] in _BLANKS and text and groups[-1]:
                groups.append([])
            for position, part in enumerate(parts):
                if position:
                    groups.append([])
                groups[-1].append(replace(piece, value=replace(piece.value, value=part)))
            if parts and text[-1:] in _BLANKS:
                groups.append([])
        return [self.word(group, raw, span) for group in groups if group]

    # pieces

    def pieces(self, raw: Fragment) -> list[_Piece]:
        """The parts of a raw word, from left to right."""
        if len(raw.text) > _LIMIT or self.depth > _DEPTH:
            return [_Piece(Unknown("it is too long"), raw.offsets[0] if raw.offsets else 0)]
        found: list[_Piece] = []
        chars: list[str] = []
        offsets: list[int] = []
        text = raw.text
        quote = ""
        was_quoted = False
        index = 0

        def flush() -> None:
            if chars or was_quoted:
                start = offsets[0] if offsets else 0
                found.append(_Piece(Known("".join(chars)), start, False, tuple(offsets), True))
                chars.clear()
                offsets.clear()

        while index < len(text):
            char = text[index]
            if quote == "'":
                if char == "'":
                    quote = ""
                else:
                    chars.append(char)
                    offsets.append(raw.offsets[index])
                index += 1
            elif char == "\\":
                following = text[index + 1 : index + 2]
                keep = quote == '"' and following not in ('"', "\\", "$", "`", "\n")
                if keep:
                    chars.append("\\")
                    offsets.append(raw.offsets[index])
                if following not in ("\n", "\r") and following:
                    chars.append(following)
                    offsets.append(raw.offsets[index + 1])
                index += 3 if text[index + 1 : index + 3] == "\r\n" else 2
            elif char == quote:
                quote = ""
                index += 1
            elif not quote and char in "\"'":
                quote = char
                was_quoted = True
                index += 1
            elif not quote and text.startswith(("$'", '$"'), index):
                if text[index + 1] == '"':
                    index += 1
                    continue
                end = _ansi_end(text, index + 2)
                decoded = _ansi(text[index + 2 : end])
                chars.extend(decoded)
                offsets.extend([raw.offsets[index]] * len(decoded))
                was_quoted = True
                index = end + 1
            elif char in "$`":
                end = _expansion_end(text, index)
                if end == index + 1:
                    chars.append(char)
                    offsets.append(raw.offsets[index])
                    index += 1
                    continue
                flush()
                value = self.expansion(raw.slice(index, end))
                found.append(_Piece(value, raw.offsets[index], splits=not quote))
                index = end
            elif char == "\r":
                index += 1
            elif not quote and index == 0 and char == "~" and text[1:2] in ("", "/"):
                found.append(
                    _Piece(Unknown("the home directory isn't known", "HOME"), raw.offsets[0])
                )
                index += 1
            else:
                chars.append(char)
                offsets.append(raw.offsets[index])
                index += 1
        if chars or (was_quoted and not found):
            flush()
        return found

    # expansions

    def expansion(self, raw: Fragment) -> Value:
        """The value of `$name`, `${…}`, `$(…)`, `$((…))` or a backquoted command."""
        text = raw.text
        if text.startswith("$(("):
            return _as_text(_Arithmetic(raw.slice(3, len(text) - 2), self).value())
        if text.startswith("$("):
            return self.substitution(raw.slice(2, len(text) - 1))
        if text.startswith("`"):
            return self.substitution(raw.slice(1, len(text) - 1))
        if text.startswith("${"):
            return self.braced(raw.slice(2, len(text) - 1))
        return self.variable(text[1:])

    def variable(self, name: str) -> Value:
        """A variable, a positional parameter or a special one."""
        if name == "0":
            return Known(posixpath.join(SCRIPT_DIRECTORY, posixpath.basename(self.scope.script)))
        if name.isdigit():
            return self.positional(int(name))
        if name == "#" and self.scope.arguments is not None:
            return Known(str(len(self.scope.arguments)))
        if name in ("BASH_SOURCE",):
            return self.variable("0")
        if name == "PWD":
            return self.scope.directory or Unknown("the working directory isn't known")
        if name in "@*" and self.scope.arguments is not None:
            spaced: list[Value] = []
            for word in self.scope.arguments:
                spaced += [Known(" "), word.value] if spaced else [word.value]
            return self.joined(spaced)
        if not _NAME.fullmatch(name):
            return Unknown(f"`${name}` is known at run time only")
        value = self.scope.variables.get(name)
        if isinstance(value, Array):
            return value.words[0].value if value.words else Known("")
        if value is None:
            reason = self.scope.lost or f"nothing sets `{name}` here"
            return Unknown(reason, name)
        return value

    def positional(self, number: int) -> Value:
        """A positional parameter."""
        if self.scope.arguments is None:
            return Unknown(f"the script's argument {number} isn't known", str(number))
        if number <= len(self.scope.arguments):
            return self.scope.arguments[number - 1].value
        return Known("")

    def braced(self, raw: Fragment) -> Value:
        """`${name}` with an operator."""
        match = _BRACED.match(raw.text)
        if match is None:
            return Unknown(f"`${{{raw.text}}}` can't be folded")
        name, operator = match["name"], match["operator"] or ""
        rest = raw.slice(match.end(), len(raw.text))
        value = self.variable(name)
        if match["length"]:
            return Unknown(f"the length of `{name}` isn't known")
        if not operator:
            return value if not rest.text else Unknown(f"`${{{raw.text}}}` can't be folded")
        if operator.lstrip(":") in ("-", "="):
            return self.defaulted(name, value, operator, rest)
        if operator.lstrip(":") == "?":
            return value
        if operator.lstrip(":") == "+":
            if isinstance(value, Unknown) and value.variable:
                return Known("", (unset(value.variable),))
            if isinstance(value, Known):
                return self.inner(rest) if value.value or operator == "+" else Known("")
            return Unknown(f"`{name}` isn't known")
        if isinstance(value, Known):
            return self.trimmed(value, operator, rest)
        return Unknown(f"`{name}` isn't known")

    def defaulted(self, name: str, value: Value, operator: str, rest: Fragment) -> Value:
        """`${name:-default}`: the default under the assumption that nothing sets the variable."""
        if isinstance(value, Unknown) and value.variable is not None:
            found = with_assumptions(self.inner(rest), (unset(value.variable),))
        elif isinstance(value, Known) and value.value == "" and operator.startswith(":"):
            found = self.inner(rest)
        else:
            return value
        if operator.endswith("=") and _NAME.fullmatch(name):
            self.scope.variables[name] = found
        return found

    def trimmed(self, value: Known, operator: str, rest: Fragment) -> Value:
        """`${name%pattern}` and `${name#pattern}` for patterns without wildcards in the middle."""
        pattern = self.inner(rest)
        text = str(value.value)
        if not isinstance(pattern, Known):
            return Unknown("the pattern isn't known")
        wanted = str(pattern.value)
        if operator == "%/*" or (operator == "%" and wanted == "/*"):
            return replace(value, value=text.rpartition("/")[0] or text)
        if operator == "##" and wanted == "*/":
            return replace(value, value=text.rpartition("/")[2])
        if re.search(r"[*?\[]", wanted) or operator not in ("%", "%%", "#", "##"):
            return Unknown("the pattern can't be folded")
        trim = text.removesuffix if operator.startswith("%") else text.removeprefix
        return replace(value, value=trim(wanted))

    def inner(self, raw: Fragment) -> Value:
        """The value of a word within an expansion."""
        return Folder(self.scope, self.substitute, self.depth + 1).quoted(raw)

    def substitution(self, body: Fragment) -> Value:
        """The output of a command, for the few commands whose output is plain."""
        text = body.text.strip()
        if text in ("nproc", "nproc --all", "getconf _NPROCESSORS_ONLN"):
            return Symbolic("cpus", str)
        if text.startswith("grep -c") and text.endswith("/proc/cpuinfo"):
            return Symbolic("cpus", str)
        if text == "pwd":
            return self.scope.directory or Unknown("the working directory isn't known")
        match = re.match(
            r"(dirname|realpath|readlink -f|readlink -e|basename|echo)\s+(--\s+)?", text
        )
        if match:
            start = body.text.index(text)
            raw = body.slice(start + match.end(), start + len(text))
            if not re.search(r"[|;&<>]", re.sub(r"\$\([^()]*\)", "", raw.text)):
                value = self.inner(raw)
                if isinstance(value, Known):
                    return replace(value, value=_run(match[1], str(value.value)))
        folder = self.substitute(body)
        return folder if folder is not None else Unknown(f"the output of `{text}` isn't known")

    def joined(self, values: Sequence[Value]) -> Value:
        """The concatenation of values."""
        result: Value = Known("")
        for value in values:
            result = _concatenated(result, value)
        if isinstance(result, Known) and len(str(result.value)) > _LIMIT:
            return Unknown("it is too long")
        return result


def unset(variable: str) -> str:
    """The assumption that nothing sets a variable or passes a positional parameter."""
    return "no argument is given" if variable.isdigit() else f"{variable} is unset"


def _concatenated(left: Value, right: Value) -> Value:
    if isinstance(left, Known) and left.value == "" and not left.assumes and not left.via:
        return right
    if isinstance(right, Known) and right.value == "":
        return with_assumptions(left, right.assumes)
    if isinstance(left, Known) and isinstance(right, Known):
        assumes = tuple(dict.fromkeys((*left.assumes, *right.assumes)))
        return Known(f"{left.value}{right.value}", assumes, (*left.via, *right.via))
    if isinstance(left, OneOf | Known) and isinstance(right, OneOf | Known):
        return _product(left, right)
    unknown = left if isinstance(left, Unknown) else right
    return (
        replace(unknown, variable=None)
        if isinstance(unknown, Unknown)
        else Unknown("it isn't a plain text")
    )


def _product(left: OneOf | Known, right: OneOf | Known) -> Value:
    """Each possibility of one text followed by each of the other."""
    options: list[Option] = []
    for first in possibilities(left):
        for second in possibilities(right):
            value = _concatenated(first.value, second.value)
            if isinstance(value, OneOf) or len(options) == _OPTIONS:
                return Unknown("it has too many possibilities")
            condition = " and ".join(filter(None, (first.condition, second.condition)))
            options.append(Option(value, condition, first.span or second.span))
    return OneOf(tuple(options))


def _as_text(value: Value) -> Value:
    if isinstance(value, Known):
        return replace(value, value=str(value.value))
    if isinstance(value, Symbolic):
        at = value.at
        return replace(value, at=lambda cpus: str(at(cpus)))
    return value


def _run(program: str, text: str) -> str:
    if program == "dirname":
        return posixpath.dirname(text) or "."
    if program == "basename":
        return posixpath.basename(text)
    return text


def _ansi_end(text: str, start: int) -> int:
    index = start
    while index < len(text) and text[index] != "'":
        index += 2 if text[index] == "\\" else 1
    return min(index, len(text))


def _ansi(text: str) -> str:
    escapes = {
        "n": "\n",
        "t": "\t",
        "r": "\r",
        "\\": "\\",
        "'": "'",
        '"': '"',
        "a": "\a",
        "e": "\x1b",
    }
    return re.sub(r"\\(.)", lambda match: escapes.get(match[1], match[0]), text, flags=re.DOTALL)


def _expansion_end(text: str, start: int) -> int:
    """The index behind the expansion that starts at `start`; one further where there is none."""
    if text[start] == "`":
        end = start + 1
        while end < len(text) and text[end] != "`":
            end += 2 if text[end] == "\\" else 1
        return min(end + 1, len(text))
    following = text[start + 1 : start + 2]
    if following in ("{", "("):
        return _closing(text, start + 1)
    match = _NAME.match(text, start + 1)
    if match:
        return match.end()
    return start + 2 if following and following in _SPECIAL else start + 1


def _closing(text: str, start: int) -> int:
    """The index behind the bracket that closes the one at `start`, quotes respected."""
    closers: list[str] = []
    index = start
    pairs = {"{": "}", "(": ")"}
    while index < len(text):
        char = text[index]
        if char == "\\":
            index += 2
            continue
        if closers and closers[-1] == "'":
            if char == "'":
                closers.pop()
        elif closers and char == closers[-1]:
            closers.pop()
            if not closers:
                return index + 1
        elif char in ("'", '"') and not (char == "'" and closers and closers[-1] == '"'):
            closers.append(char)
        elif char in pairs and (index == start or text[index - 1] == "$" or closers[-1] == ")"):
            closers.append(pairs[char])
        index += 1
    return len(text)


_TOKEN = re.compile(r"\s*(\d+|[A-Za-z_]\w*|\*\*|[-+*/%()]|\$)")
_OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: int(a / b),
    "%": lambda a, b: a - b * int(a / b),
}


class _Arithmetic:
    """`$(( … ))`: sums, products and brackets over known numbers and the CPUs."""

    def __init__(self, raw: Fragment, folder: Folder) -> None:
        self.raw = raw
        self.folder = folder
        self.index = 0
        self.depth = 0

    def value(self) -> Value:
        try:
            result = self.sum()
            if self.raw.text[self.index :].strip():
                return Unknown("the arithmetic can't be folded")
            return result
        except (ValueError, ZeroDivisionError, OverflowError, RecursionError):
            return Unknown("the arithmetic can't be folded")

    def peek(self) -> str:
        match = _TOKEN.match(self.raw.text, self.index)
        return match[1] if match else ""

    def take(self) -> str:
        match = _TOKEN.match(self.raw.text, self.index)
        if match is None:
            raise ValueError
        self.index = match.end()
        return match[1]

    def sum(self) -> Value:
        left = self.product()
        while self.peek() in ("+", "-"):
            operator = self.take()
            left = _operated(left, operator, self.product())
        return left

    def product(self) -> Value:
        left = self.operand()
        while self.peek() in ("*", "/", "%"):
            operator = self.take()
            left = _operated(left, operator, self.operand())
        return left

    def operand(self) -> Value:
        self.depth += 1
        if self.depth > 200:
            raise ValueError
        token = self.take()
        if token == "(":
            value = self.sum()
            if self.take() != ")":
                raise ValueError
            return value
        if token == "-":
            return _operated(Known(0), "-", self.operand())
        if token == "$":
            start = self.index - 1
            self.index = _expansion_end(self.raw.text, start)
            return _number(self.folder.expansion(self.raw.slice(start, self.index)))
        if token.isdigit():
            return Known(int(token, 8 if len(token) > 1 and token.startswith("0") else 10))
        return _number(self.folder.variable(token))


def _number(value: Value) -> Value:
    if isinstance(value, Known):
        text = str(value.value).strip() or "0"
        if not re.fullmatch(r"-?\d{1,15}", text):
            return Unknown(f"`{text}` isn't a number")
        return replace(value, value=int(text))
    if isinstance(value, Symbolic):
        at = value.at
        return replace(value, at=lambda cpus: int(str(at(cpus))))
    return value


def _operated(left: Value, operator: str, right: Value) -> Value:
    for value in (left, right):
        if not isinstance(value, Known | Symbolic):
            return (
                value
                if isinstance(value, Unknown)
                else Unknown("the arithmetic depends on a branch")
            )
    assert isinstance(left, Known | Symbolic)
    assert isinstance(right, Known | Symbolic)
    operate = _OPERATIONS[operator]
    assumes = tuple(dict.fromkeys((*left.assumes, *right.assumes)))
    via = (*left.via, *right.via)
    if isinstance(left, Known) and isinstance(right, Known):
        return Known(operate(int(str(left.value)), int(str(right.value))), assumes, via)

    def at(value: Known | Symbolic, cpus: int) -> int:
        return int(str(value.value if isinstance(value, Known) else value.at(cpus)))

    def text(value: Known | Symbolic) -> str:
        if isinstance(value, Known):
            return str(value.value)
        return (
            f"({value.text})"
            if operator in "*/%" and re.search(r" [-+] ", value.text)
            else value.text
        )

    return Symbolic(
        f"{text(left)} {operator} {text(right)}",
        lambda cpus: operate(at(left, cpus), at(right, cpus)),
        assumes,
        via,
    )
