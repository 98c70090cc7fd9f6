"""Folding a shell word: quotes, escapes, variables, parameters, substitutions, splitting."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from msgspec import Struct, field
from msgspec.structs import replace

from gunilint.arithmetic import Arithmetic, ArithmeticFailure
from gunilint.command import Word
from gunilint.patterns import Pattern, has_glob
from gunilint.regex import regex
from gunilint.scope import BASH, Array, Scope, Variable
from gunilint.source import Fragment, Span
from gunilint.values import (
    Known,
    OneOf,
    Option,
    Symbolic,
    Unknown,
    Value,
    is_number,
    possibilities,
    with_assumptions,
)

SCRIPT_DIRECTORY = "<script-dir>"
"""What paths below the script's own folder start with: `$(dirname "$0")` folds to it."""

_LIMIT = 64 * 1024
"""The longest word, in characters."""
_OPTIONS = 16
_DEPTH = 12
_BRACES = 256
"""The most words that braces may make of one."""

_NAME = regex(r"[A-Za-z_]\w*", re.ASCII)
_SPECIAL = "@*#?$!-0123456789"
_BRACED = regex(
    r"(?P<prefix>[!#](?=[A-Za-z_@*#?$!\d-]))?(?P<name>[A-Za-z_]\w*|\d+|[@*#?$!-])"
    # no character can be taken in two ways, or an index that is never closed takes for ever
    r"(?P<index>\[(?:\$\{[^}]*\}|\$\(\((?:[^)]|\)(?!\)))*\)\)|(?!\$\{|\$\(\()[^\]])*\])?"
    r"(?P<operator>:?[-=+?]|##?|%%?|/[/#%]?|\^\^?|,,?|@|:|$)",
    re.ASCII | re.DOTALL,
)
_DEFAULT_IFS = " \t\n"
_BLANKS = " \t\n\r"
_WITHOUT_RETURNS = regex(r"[^\r]+")
_SPECIAL_IN_WORD = regex(r"[\\\"'$`~\r]")
_ARRAY_KEY = regex(r"\[[^\]]*\]\+?=")
_SPECIAL_IN_TEXT = regex(r"[ \t\n\r\\\"'$`]")
_SPECIAL_IN_BRACKETS = regex(r"[\\\"'{}()\[\]]")
_IPV6 = regex(r"\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\](:\d*)?")
_SEQUENCE = regex(r"(-?\d+|[A-Za-z])\.\.(-?\d+|[A-Za-z])(?:\.\.(-?\d+))?")


class _Piece(Struct, frozen=True):
    """A part of a word.

    `value` is a text, or the `fields` of `"$@"` and `"${array[@]}"`. `splits` says that blanks
    in it separate words, `quoted` that its characters have no meaning for patterns.
    """

    value: Value
    offset: int
    splits: bool = False
    offsets: tuple[int, ...] = ()
    quoted: bool = False
    fields: tuple[Word, ...] | None = None

    @property
    def text(self) -> str:
        """The text of a known piece."""
        return str(self.value.value) if isinstance(self.value, Known) else ""

    @property
    def pattern(self) -> tuple[str, bool]:
        """The text, and whether it is literal in a pattern."""
        return self.text, self.quoted


class Folder(Struct):
    """Folds the words of one scope; `substitute` tells what a command prints."""

    scope: Scope
    substitute: Callable[[Fragment], Value]
    depth: int = 0

    # words

    def words(self, raw: Fragment) -> list[Word]:
        """The arguments that a raw word becomes: braces, expansions, splitting, file names."""
        alternatives = _brace_expanded(raw)
        if len(alternatives) > 1 and not self.scope.bash:
            return [Word(Unknown("shells differ in braces"), raw.span(), None, many=True)]
        return [word for each in alternatives for word in self._words(each)]

    def _words(self, raw: Fragment) -> list[Word]:
        span = raw.span()
        pieces = self.pieces(raw)
        if len(pieces) == 1 and pieces[0].fields is not None and pieces[0].quoted:
            return list(pieces[0].fields)
        if any(piece.fields is not None for piece in pieces):
            if any(word.many for piece in pieces for word in piece.fields or ()):
                return [Word(Unknown("its number of words isn't known"), span, None, many=True)]
            groups = _spread(pieces)
        else:
            groups = [pieces] if pieces else []
        return [word for group in groups for word in self._split(group, raw, span)]

    def _split(self, pieces: Sequence[_Piece], raw: Fragment, span: Span) -> list[Word]:
        """The words of pieces that blanks in unquoted expansions separate."""
        if not any(piece.splits for piece in pieces):
            return [self._word(pieces, raw, span)] if pieces else []
        separators = self._separators()
        if separators is None:
            return [Word(Unknown("IFS isn't known"), span, None, many=True)]
        if any(piece.splits and not self._is_whole(piece.value, separators) for piece in pieces):
            value = self._joined(pieces)
            alone = len(pieces) == 1
            return [Word(value, span, None, many=alone)]
        return [self._word(group, raw, span) for group in _grouped(pieces, separators)]

    def _separators(self) -> str | None:
        """The characters that separate words; None where they aren't known."""
        value = self.scope.variables.get("IFS")
        if value is None:
            return _DEFAULT_IFS
        return str(value.value) if isinstance(value, Known) else None

    def _is_whole(self, value: Value, separators: str) -> bool:
        """Whether splitting a value is understood: it is known, or is one word in any case."""
        if isinstance(value, Known | Symbolic):
            return True
        if not isinstance(value, OneOf):
            return False
        return all(
            isinstance(option.value, Symbolic)
            or (
                isinstance(option.value, Known)
                and str(option.value.value)
                and not set(str(option.value.value)) & set(separators + "*?[")
            )
            for option in value.options
        )

    def _word(self, pieces: Sequence[_Piece], raw: Fragment, span: Span) -> Word:
        """One argument from its pieces."""
        value = self._joined(pieces)
        if not isinstance(value, Known):
            return Word(value, span)
        text = str(value.value)
        if self.scope.options.get("noglob") is not True and has_glob([p.pattern for p in pieces]):
            is_option = text.startswith("-") and not self.scope.options.get("nullglob")
            if not is_option and not _IPV6.fullmatch(text):
                reason = f"`{text}` stands for files"
                return Word(Unknown(reason), span, None, many=True)
        offsets = tuple(
            offset
            for piece in pieces
            for offset in (piece.offsets or (piece.offset,) * len(piece.text))
        )
        return Word(value, span, Fragment(raw.source, text, offsets))

    def quoted(self, raw: Fragment, *, assignment: bool = False) -> Value:
        """The one value of a raw word where no splitting happens."""
        return self._joined(self.pieces(raw, assignment=assignment))

    def pattern(self, raw: Fragment) -> Pattern | None:
        """The pattern that a raw word is; None where it isn't known."""
        pieces = self.pieces(raw)
        if not isinstance(self._joined(pieces), Known):
            return None
        return Pattern(tuple(piece.pattern for piece in self._flat(pieces)))

    def _joined(self, pieces: Sequence[_Piece]) -> Value:
        return self.joined([piece.value for piece in self._flat(pieces)])

    def _flat(self, pieces: Sequence[_Piece]) -> Iterator[_Piece]:
        """The pieces, with fields as one text."""
        for piece in pieces:
            if piece.fields is None:
                yield piece
            else:
                spaced: list[Value] = []
                for word in piece.fields:
                    spaced += [Known(" "), word.value] if spaced else [word.value]
                many = any(word.many for word in piece.fields)
                value = Unknown("its number of words isn't known") if many else self.joined(spaced)
                yield replace(piece, value=value, fields=None)

    # pieces

    def pieces(
        self,
        raw: Fragment,
        *,
        in_quotes: bool = False,
        splits: bool = False,
        assignment: bool = False,
    ) -> list[_Piece]:
        """The parts of a raw word, from left to right.

        `in_quotes` reads it as within double quotes, `splits` lets its own blanks separate words
        as in `${name:-a b}`.
        """
        if len(raw.text) > _LIMIT or self.depth > _DEPTH:
            return [_Piece(Unknown("it is too long"), raw.offsets[0] if raw.offsets else 0)]
        found: list[_Piece] = []
        text = raw.text
        index, opened = 0, in_quotes
        literal = _Literal(found, splits)
        while index < len(text):
            char = text[index]
            if char == "\\":
                index = self._escape(raw, index, opened, literal)
            elif char == '"':
                if not in_quotes:
                    opened = not opened
                    literal.quote(raw.offsets[index], opens=opened)
                index += 1
            elif char == "'" and not opened:
                end = text.find("'", index + 1)
                end = len(text) if end < 0 else end
                literal.quote(raw.offsets[index], opens=True)
                for part in _WITHOUT_RETURNS.finditer(text, index + 1, end):
                    offsets = raw.offsets[part.start() : part.end()]
                    literal.add(part[0], offsets, quoted=True)
                literal.quote(raw.offsets[index], opens=False)
                index = end + 1
            elif char == "$" and not opened and text[index + 1 : index + 2] in ("'", '"'):
                index = self._dollar_quotes(raw, index, literal)
            elif char in "$`" and (end := _expansion_end(text, index)) > index + 1:
                literal.flush()
                found.extend(self.expansion(raw.slice(index, end), opened))
                index = end
            elif char == "~" and not opened and _is_home(text, index, assignment):
                literal.flush()
                home = Unknown("the home directory isn't known")
                found.append(_Piece(home, raw.offsets[index], quoted=True))
                index += 1
                while index < len(text) and re.match(r"[\w.-]", text[index]):
                    index += 1
            elif char == "\r":
                index += 1
            else:
                end = _next(_SPECIAL_IN_WORD, text, index + 1)
                literal.add(text[index:end], raw.offsets[index:end], quoted=opened)
                index = end
        literal.flush()
        return found

    def _escape(self, raw: Fragment, index: int, opened: bool, literal: _Literal) -> int:
        text = raw.text
        following = text[index + 1 : index + 2]
        if not following or (opened and following not in '"\\$`\n\r'):
            literal.add("\\", raw.offsets[index : index + 1], quoted=True)
            return index + 1
        if text[index + 1 : index + 3] == "\r\n":
            return index + 3
        if following != "\n":
            literal.add(following, raw.offsets[index + 1 : index + 2], quoted=True)
        return index + 2

    def _dollar_quotes(self, raw: Fragment, index: int, literal: _Literal) -> int:
        """`$'…'` and `$"…"`, which are bash's; other shells keep the dollar."""
        text = raw.text
        if not self.scope.bash:
            literal.flush()
            unknown = Unknown("shells differ in `$` before quotes")
            literal.found.append(_Piece(unknown, raw.offsets[index], quoted=True))
        if text[index + 1] == '"':
            return index + 1
        end = _ansi_end(text, index + 2)
        literal.quote(raw.offsets[index], opens=True)
        meant = _ansi(text[index + 2 : end])
        literal.add(meant, raw.offsets[index : index + 1] * len(meant), quoted=True)
        literal.quote(raw.offsets[index], opens=False)
        return end + 1

    # expansions

    def expansion(self, raw: Fragment, opened: bool) -> list[_Piece]:
        """What `$name`, `${…}`, `$(…)`, `$((…))` or a backquoted command becomes."""
        text = raw.text
        use = _Use(raw.span(), opened)
        if text.startswith("$((") and text.endswith("))"):
            return use.piece(self.arithmetic(raw.slice(3, len(text) - 2)))
        if text.startswith("$["):
            if not self.scope.bash:
                return use.piece(Unknown("shells differ in `$[`"))
            return use.piece(self.arithmetic(raw.slice(2, len(text) - 1)))
        if text.startswith("$("):
            return use.piece(self.substitute(raw.slice(2, len(text) - 1)))
        if text.startswith("`"):
            return use.piece(self.substitute(_unescaped(raw.slice(1, len(text) - 1))))
        if text.startswith("${"):
            return self._braced(raw.slice(2, len(text) - 1), use)
        name = text[1:]
        if name in ("@", "*"):
            return self._several(name, self._arguments(use), use)
        return use.piece(self._set(name, self.variable(name)))

    def _several(self, sign: str, words: Sequence[Word], use: _Use) -> list[_Piece]:
        """`$@` and `${array[@]}` as fields; in quotes, `$*` and `${array[*]}` as one text."""
        if sign == "*" and use.opened:
            return use.piece(self._starred(words))
        return use.fields(words)

    def _starred(self, words: Sequence[Word]) -> Value:
        separators = self._separators()
        if separators is None or any(word.many for word in words):
            return Unknown("its words aren't known")
        spaced: list[Value] = []
        for word in words:
            spaced += [Known(separators[:1]), word.value] if spaced else [word.value]
        return self.joined(spaced)

    def _arguments(self, use: _Use) -> Sequence[Word]:
        if self.scope.arguments is None:
            return [Word(Unknown("the script's arguments aren't known"), use.span, None, many=True)]
        return self.scope.arguments

    def _set(self, name: str, value: Variable) -> Value:
        """The value of a plain expansion; one that is unset is empty, or ends the script."""
        if isinstance(value, Array):
            value = value.at("0")
        nounset = self.scope.options.get("nounset", False)
        if value is None:
            if nounset is True:
                self.scope.dead = True
            elif nounset is None:
                self.scope.require(f"{name} may be unset")
            return Known("")
        if isinstance(value, Unknown) and value.variable is not None and nounset is not False:
            self.scope.require(f"{name} is set")
        return value

    def variable(self, name: str) -> Variable:
        """A variable, a positional parameter or a special one."""
        arguments = self.scope.arguments
        if is_number(name) and int(name[:6]):
            number = int(name[:6])
            if arguments is None:
                return Unknown(f"the script's argument {number} isn't known", str(number))
            if any(word.many for word in arguments[:number]):
                return Unknown(f"the argument {number} isn't known")
            return arguments[number - 1].value if number <= len(arguments) else None
        if name == "#":
            if arguments is None or any(word.many for word in arguments):
                return Unknown("the number of arguments isn't known")
            return Known(str(len(arguments)))
        if name in ("0", "BASH_SOURCE"):
            return Known(posixpath.join(SCRIPT_DIRECTORY, posixpath.basename(self.scope.script)))
        if name == "PWD" and name not in self.scope.variables:
            return self.scope.directory or Unknown("the working directory isn't known")
        if name == "IFS" and name not in self.scope.variables:
            return Known(_DEFAULT_IFS)
        if not (_NAME.fullmatch(name) or name == "?") or name == "BASH_SOURCE":
            return Unknown(f"`${name}` is known at run time only")
        return self.scope.variable(name)

    def _braced(self, raw: Fragment, use: _Use) -> list[_Piece]:
        """`${…}`."""
        match = _BRACED.match(raw.text)
        if (
            match is not None
            and match["prefix"] == "!"
            and raw.text[match.end("name") :] in ("*", "@")
        ):
            return use.piece(Unknown("which variables are set isn't known"))
        if match is None or (not match["operator"] and match.end() != len(raw.text)):
            self.scope.require("the shell understands all of it")
            return use.piece(Unknown(f"`${{{raw.text}}}` can't be folded"))
        name, operator = match["name"], match["operator"]
        rest = raw.slice(match.end(), len(raw.text))
        index = None
        if match["index"]:
            index = raw.slice(match.start("index") + 1, match.end("index") - 1)
        is_bashism = (
            match["prefix"] == "!" or index is not None or operator[:1] in ("/", "^", ",", "@")
        )
        if (is_bashism or operator == ":") and not self.scope.bash:
            self.scope.require(BASH)
        if match["prefix"] == "#" and not operator:
            return use.piece(self._length(name, index))
        if match["prefix"] == "!":
            return self._indirect(name, index, operator, rest, use)
        if match["prefix"]:
            return use.piece(Unknown(f"`${{{raw.text}}}` can't be folded"))
        return self._operated(name, index, operator, rest, use)

    def _operated(
        self, name: str, index: Fragment | None, operator: str, rest: Fragment, use: _Use
    ) -> list[_Piece]:
        """`${name}`, `${name[index]}` and either with an operator."""
        sign = name if name in ("@", "*") else index.text if index is not None else ""
        if sign in ("@", "*"):
            words = self._arguments(use) if name == sign else self._elements(name, use)
            return self._fields(name, sign, words, operator, rest, use)
        value = self.variable(name) if index is None else self._element(name, index)
        if isinstance(value, Array):
            value = value.at("0")
        return self._scalar(name, value, operator, rest, use)

    def _fields(
        self,
        name: str,
        sign: str,
        words: Sequence[Word],
        operator: str,
        rest: Fragment,
        use: _Use,
    ) -> list[_Piece]:
        kind = _kind(operator)
        many = any(word.many for word in words)
        if not kind:
            return self._several(sign, words, use)
        if kind == ":":
            sliced = None if many else self._sliced(words, rest, has_zero=name == sign)
            if sliced is None:
                return use.piece(Unknown("which words it has isn't known"))
            return self._several(sign, sliced, use)
        if kind in "-=?+":
            if many:
                return use.piece(Unknown("its number of words isn't known"))
            is_empty = not words or (operator[0] == ":" and [each.text for each in words] == [""])
            if kind == "+":
                return [] if is_empty else self._inner(rest, use)
            return self._inner(rest, use) if is_empty else self._several(sign, words, use)
        edited = [
            word if word.many else Word(self._edited(word.value, operator, rest), word.span)
            for word in words
        ]
        return self._several(sign, edited, use)

    def _scalar(
        self, name: str, value: Value | None, operator: str, rest: Fragment, use: _Use
    ) -> list[_Piece]:
        kind = _kind(operator)
        if not kind:
            return use.piece(self._set(name, value))
        presence = _presence(value, is_empty_absent=operator.startswith(":"))
        if kind in "-=":
            return self._defaulted(name, value, operator, rest, use)
        if kind == "?":
            if presence is False and (value is None or isinstance(value, Known)):
                self.scope.dead = True
            elif presence is not True:
                self.scope.require(f"{name} is set")
            return use.piece(value if value is not None else Known(""))
        if kind == "+":
            if presence is None:
                return use.piece(Unknown(f"`{name}` isn't known"))
            found = self._inner(rest, use) if presence else use.piece(Known(""))
            return _assuming(found, _assumption(value))
        return use.piece(self._edited(self._set(name, value), operator, rest))

    def _defaulted(
        self, name: str, value: Value | None, operator: str, rest: Fragment, use: _Use
    ) -> list[_Piece]:
        """`${name:-default}`: the default under the assumption that nothing sets the variable."""
        by_emptiness = operator.startswith(":")
        if isinstance(value, Unknown) and name.isdigit() and not rest.text:
            # `${1:-}` is written for `set -u`, and says nothing of what is usual
            return use.piece(Unknown(value.reason))

        def default(value: Value | None) -> Value:
            inner = self._inner(rest, _Use(use.span, False))
            return with_assumptions(self._joined(inner), _assumption(value))

        if isinstance(value, OneOf):
            absent = [_presence(each.value, by_emptiness) is False for each in value.options]
            if any(absent):
                value = _chosen(
                    (option, default(option.value) if is_absent else option.value)
                    for option, is_absent in zip(value.options, absent, strict=True)
                )
        elif _presence(value, by_emptiness) is False:
            if operator.endswith("-"):
                return _assuming(self._inner(rest, use), _assumption(value))
            value = default(value)
        assert value is not None
        if operator.endswith("=") and _NAME.fullmatch(name):
            self.scope.assign(name, value)
        return use.piece(value)

    def _inner(self, raw: Fragment, use: _Use) -> list[_Piece]:
        """The pieces of a word within an expansion."""
        deeper = Folder(self.scope, self.substitute, self.depth + 1)
        found = deeper.pieces(raw, in_quotes=use.opened, splits=not use.opened)
        return found or use.piece(Known(""))

    def _edited(self, value: Value, operator: str, rest: Fragment) -> Value:
        """A text after `#`, `%`, `/`, `^`, `,` or a slice."""
        if isinstance(value, OneOf):
            return _chosen(
                (option, self._edited(option.value, operator, rest)) for option in value.options
            )
        if not isinstance(value, Known):
            return Unknown("the text before it isn't known")
        deeper = Folder(self.scope, self.substitute, self.depth + 1)
        result = deeper.edit(str(value.value), operator, rest)
        if result is None:
            return Unknown("the expansion isn't followed")
        return replace(value, value=result)

    def edit(self, text: str, operator: str, rest: Fragment) -> str | None:
        """What an operator makes of a text; None where that isn't known."""
        if operator == ":":
            bounds = self._bounds(rest, len(text))
            return text[slice(*bounds)] if bounds is not None else None
        if operator[0] in "#%":
            pattern = self.pattern(rest)
            return pattern.trimmed(text, operator) if pattern is not None else None
        if operator[0] == "/":
            slash = _find(rest.text, "/")
            pattern = self.pattern(rest.slice(0, slash))
            new = self.quoted(rest.slice(slash + 1, len(rest.text)))
            if pattern is None or not isinstance(new, Known) or "&" in str(new.value):
                return None
            return pattern.replaced(text, str(new.value), operator)
        if operator[0] in "^," and not rest.text:
            change = str.upper if operator[0] == "^" else str.lower
            end = len(text) if len(operator) == 2 else 1
            return "".join(
                change(char) if index < end and len(change(char)) == 1 else char
                for index, char in enumerate(text)
            )
        return None

    def _bounds(self, rest: Fragment, length: int) -> tuple[int, int] | None:
        """The start and end that `offset:length` means for so many characters or words."""
        colon = _find(rest.text, ":")
        start = self._integer(rest.slice(0, colon))
        if start is None:
            return None
        if start < 0:
            start += length
        if not 0 <= start <= length:
            return 0, 0
        if colon >= len(rest.text):
            return start, length
        count = self._integer(rest.slice(colon + 1, len(rest.text)))
        if count is None:
            return None
        end = length + count if count < 0 else start + count
        return (start, end) if end >= start else None

    def _integer(self, raw: Fragment) -> int | None:
        value = self.arithmetic(raw)
        return int(str(value.value)) if isinstance(value, Known) else None

    def _sliced(
        self, words: Sequence[Word], rest: Fragment, *, has_zero: bool
    ) -> Sequence[Word] | None:
        """Words from an offset on; `$0` counts among the positional parameters."""
        if not has_zero:
            bounds = self._bounds(rest, len(words))
            return words[slice(*bounds)] if bounds is not None else None
        zero = Word(self.variable("0") or Known(""), rest.span())  # type: ignore[arg-type]
        bounds = self._bounds(rest, len(words) + 1)
        return [zero, *words][slice(*bounds)] if bounds is not None else None

    def _length(self, name: str, index: Fragment | None) -> Value:
        unknown = Unknown(f"the length of `{name}` isn't known")
        if name in ("@", "*"):
            return self._set("#", self.variable("#"))
        if index is not None and index.text in ("@", "*"):
            words = self._elements(name, _Use(index.span(), True))
            return unknown if any(word.many for word in words) else Known(str(len(words)))
        value = self._set(
            name, self.variable(name) if index is None else self._element(name, index)
        )
        return (
            replace(value, value=str(len(str(value.value))))
            if isinstance(value, Known)
            else unknown
        )

    def _indirect(
        self, name: str, index: Fragment | None, operator: str, rest: Fragment, use: _Use
    ) -> list[_Piece]:
        """`${!name}`, and the keys `${!array[@]}`."""
        unknown = use.piece(Unknown(f"what `{name}` names isn't known"))
        if index is not None and index.text in ("@", "*"):
            array = self.scope.variables.get(name)
            if not isinstance(array, Array) or array.associative or not array.is_exact:
                return unknown
            keys = [Word(Known(key), use.span) for key, _ in array.elements]
            return self._several(index.text, keys, use)
        value = self.variable(name)
        target = str(value.value) if isinstance(value, Known) else ""
        if index is not None or not re.fullmatch(r"[A-Za-z_]\w*|\d+", target):
            return unknown
        return self._operated(target, None, operator, rest, use)

    # arrays

    def _elements(self, name: str, use: _Use) -> Sequence[Word]:
        """The words of `${name[@]}`."""
        value = self.scope.variables.get(name)
        if isinstance(value, Array):
            if not value.associative or len(value.elements) < 2:
                return value.words
            unknown = Unknown("the order of its elements isn't known")
            return [Word(unknown, word.span, None, word.many) for word in value.words]
        if isinstance(value, Known):
            return [Word(value, use.span)]
        if value is None and (name in self.scope.variables or self.scope.lost is None):
            return []
        return [Word(Unknown(f"`{name}` isn't known"), use.span, None, many=True)]

    def _element(self, name: str, index: Fragment) -> Value | None:
        """What `${name[index]}` holds."""
        value = self.variable(name)
        if isinstance(value, Array):
            key = self.key(value, index)
            return value.at(key) if key is not None else Unknown("which element it is isn't known")
        if value is None or index.text == "0" or isinstance(value, Unknown):
            return value
        return Unknown(f"`{name}` isn't an array")

    def key(self, array: Array, index: Fragment) -> str | None:
        """The key that a subscript means in an array; None where it isn't known."""
        if array.associative:
            value = self.quoted(index)
            return str(value.value) if isinstance(value, Known) else None
        number = self._integer(index)
        if number is not None and number < 0 and array.is_exact and array.elements:
            number += int(array.elements[-1][0]) + 1
        return str(number) if number is not None and number >= 0 else None

    # arithmetic

    def arithmetic(self, raw: Fragment) -> Value:
        """The value of `$((…))`, as text."""
        symbols: dict[str, Symbolic] = {}
        text = ""
        assumes: tuple[str, ...] = ()
        for piece in self._flat(self.pieces(raw, in_quotes=True)):
            value = piece.value
            if isinstance(value, Symbolic):
                symbol = chr(_SYMBOLS + len(symbols) % 0x1000)
                symbols[symbol] = _as_number(value)
                text += symbol
            elif isinstance(value, Known):
                text += piece.text
                assumes = (*assumes, *value.assumes)
            else:
                return value if isinstance(value, Unknown) else Unknown("it depends on a branch")
        expression = Arithmetic(text, symbols, self._number, self._assign_number, self.scope.bash)
        try:
            return with_assumptions(_as_text(expression.value()), assumes)
        except ArithmeticFailure as failure:
            self.scope.require("the shell can do the arithmetic")
            return Unknown(f"the arithmetic can't be folded: {failure}")

    def _number(self, name: str) -> Value | None:
        name, bracket, index = name.partition("[")
        value = self.variable(name)
        if isinstance(value, Array):
            inner = Arithmetic(index.rstrip("]"), {}, self._number, self._assign_number)
            key = inner.value() if bracket else Known(0)
            number = str(key.value) if isinstance(key, Known) else ""
            value = value.at(number) if number.isdigit() else Unknown(f"`{name}` isn't known")
        is_unset = value is None or (isinstance(value, Unknown) and value.variable is not None)
        if is_unset and self.scope.options.get("nounset", False) is not False:
            self.scope.require(f"{name} is set")
        return value

    def _assign_number(self, name: str, value: Value) -> None:
        name, bracket, _ = name.partition("[")
        self.scope.assign(name, Unknown(f"`{name}` has changed") if bracket else _as_text(value))

    def joined(self, values: Sequence[Value]) -> Value:
        """The concatenation of values."""
        result: Value = Known("")
        for value in values:
            result = _concatenated(result, value)
        if isinstance(result, Known) and len(str(result.value)) > _LIMIT:
            return Unknown("it is too long")
        return result


# pieces


class _Use(Struct, frozen=True):
    """Where an expansion stands, and whether in double quotes."""

    span: Span
    opened: bool

    def piece(self, value: Value) -> list[_Piece]:
        """The expansion as one text."""
        return [_Piece(value, self.span.start, splits=not self.opened, quoted=self.opened)]

    def fields(self, words: Sequence[Word]) -> list[_Piece]:
        """The expansion as words."""
        (piece,) = self.piece(Known(""))
        return [replace(piece, fields=tuple(words))]


class _Literal(Struct):
    """Gathers the plain characters of a word into pieces, quoted and unquoted ones apart."""

    found: list[_Piece]
    splits: bool
    texts: list[str] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    quoted: bool = False
    opened_at: int = 0

    def add(self, text: str, offsets: Iterable[int], *, quoted: bool) -> None:
        """More characters, each with its offset in the file."""
        if quoted is not self.quoted:
            self.flush()
        self.quoted = quoted
        self.texts.append(text)
        self.offsets.extend(offsets)

    def quote(self, offset: int, *, opens: bool) -> None:
        """Quotes begin or end: empty ones make a word too."""
        self.flush()
        if opens:
            self.opened_at = len(self.found)
        elif len(self.found) == self.opened_at:
            self.found.append(_Piece(Known(""), offset, quoted=True))

    def flush(self) -> None:
        """End the piece."""
        if self.offsets:
            self.found.append(
                _Piece(
                    Known("".join(self.texts)),
                    self.offsets[0],
                    self.splits and not self.quoted,
                    tuple(self.offsets),
                    self.quoted,
                )
            )
        self.texts, self.offsets = [], []


def _spread(pieces: Sequence[_Piece]) -> list[list[_Piece]]:
    """The words that fields make of the pieces around them: `x"$@"y` is `x1 2 3y`."""
    groups: list[list[_Piece]] = [[]]
    for piece in pieces:
        if piece.fields is None:
            groups[-1].append(piece)
            continue
        for position, word in enumerate(piece.fields):
            if position:
                groups.append([])
            groups[-1].append(replace(piece, value=word.value, fields=None))
    return [group for group in groups if group]


def _grouped(pieces: Sequence[_Piece], separators: str) -> list[list[_Piece]]:
    """The pieces of each word, where `separators` in unquoted expansions end one."""
    blanks = re.escape("".join(char for char in separators if char in " \t\n"))
    others = re.escape("".join(char for char in separators if char not in " \t\n"))
    blank = f"[{blanks}]" if blanks else "(?!)"
    other = f"[{others}]" if others else "(?!)"
    separator = re.compile(f"(?:{blank})*(?P<other>{other})(?:{blank})*|(?:{blank})+")
    groups: list[list[_Piece]] = []
    current: list[_Piece] = []

    def end(*, always: bool) -> None:
        nonlocal current
        if current or always:
            groups.append(current)
        current = []

    for piece in pieces:
        if not piece.splits or not isinstance(piece.value, Known):
            current.append(piece)
            continue
        position = 0
        for match in separator.finditer(piece.text):
            _add(current, piece, position, match.start())
            end(always=match["other"] is not None)
            position = match.end()
        _add(current, piece, position, len(piece.text))
    end(always=False)
    return groups


def _add(current: list[_Piece], piece: _Piece, start: int, end: int) -> None:
    """Put a part of an expansion into a word."""
    if start < end:
        offsets = piece.offsets[start:end]
        value = replace(piece.value, value=piece.text[start:end])
        current.append(replace(piece, value=value, offsets=offsets))


def _assuming(pieces: Sequence[_Piece], assumes: tuple[str, ...]) -> list[_Piece]:
    return [replace(piece, value=with_assumptions(piece.value, assumes)) for piece in pieces]


# values

_SYMBOLS = 0xE000
"""The first of the characters that stand for symbolic values in arithmetic."""


def unset(variable: str) -> str:
    """The assumption that nothing sets a variable or passes a positional parameter."""
    return "no argument is given" if variable.isdigit() else f"{variable} is unset"


def _kind(operator: str) -> str:
    """What an operator does, whether or not it takes empty for unset."""
    return operator if operator == ":" else operator.lstrip(":")[:1]


def _presence(value: Value | None, is_empty_absent: bool) -> bool | None:
    """Whether a variable is set, with text if empty is as good as unset."""
    if value is None:
        return False
    if isinstance(value, Known):
        return bool(value.value) or not is_empty_absent
    if isinstance(value, OneOf):
        found = {_presence(option.value, is_empty_absent) for option in value.options}
        return found.pop() if len(found) == 1 else None
    if isinstance(value, Unknown):
        return False if value.variable is not None else None
    return True


def _assumption(value: Value | None) -> tuple[str, ...]:
    """What it rests on that a variable is taken for unset."""
    if isinstance(value, Unknown) and value.variable is not None:
        return (unset(value.variable),)
    return value.assumes if isinstance(value, Known) else ()


def _chosen(options: Iterable[tuple[Option, Value]]) -> Value:
    """Options with new values, those that are several again taken apart."""
    found = [
        Option(
            each.value, " and ".join(filter(None, (option.condition, each.condition))), option.span
        )
        for option, value in options
        for each in possibilities(value)
    ]
    return (
        OneOf(tuple(found)) if len(found) <= _OPTIONS else Unknown("it has too many possibilities")
    )


def _concatenated(left: Value, right: Value) -> Value:
    if isinstance(left, Known) and left.value == "" and not left.assumes and not left.via:
        return right
    if isinstance(right, Known) and right.value == "":
        return with_assumptions(left, right.assumes)
    if isinstance(left, Known) and isinstance(right, Known):
        assumes = tuple(dict.fromkeys((*left.assumes, *right.assumes)))
        via = tuple(dict.fromkeys((*left.via, *right.via)))
        return Known(f"{left.value}{right.value}", assumes, via)
    if isinstance(left, OneOf | Known) and isinstance(right, OneOf | Known):
        return _product(left, right)
    unknown = left if isinstance(left, Unknown) else right
    if isinstance(unknown, Unknown):
        return replace(unknown, variable=None)
    return Unknown("it isn't a plain text")


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


def _as_number(value: Symbolic) -> Symbolic:
    at = value.at
    return replace(value, at=lambda cpus: int(str(at(cpus))))


# raw text


def raw_words(raw: Fragment) -> list[Fragment]:
    """The words of a text, with their quotes; comments between them are left out."""
    text = raw.text
    found: list[Fragment] = []
    index = 0
    start: int | None = None
    while index < len(text):
        char = text[index]
        if char in _BLANKS:
            if start is not None:
                found.append(raw.slice(start, index))
                start = None
            index += 1
        elif char == "#" and start is None:
            end = text.find("\n", index)
            index = len(text) if end < 0 else end
        elif char == "\\" and start is None and text[index + 1 : index + 2] in ("\n", "\r"):
            index += 2
        else:
            opens_key = char == "[" and start is None
            start = index if start is None else start
            key = _ARRAY_KEY.match(text, index) if opens_key else None
            index = key.end() if key else _atom_end(text, index)
            index = _next(_SPECIAL_IN_TEXT, text, index)
    if start is not None:
        found.append(raw.slice(start, len(text)))
    return found


def _next(special: re.Pattern[str], text: str, index: int) -> int:
    """The index of the next special character; the end without one."""
    match = special.search(text, index)
    return match.start() if match else len(text)


def _atom_end(text: str, index: int) -> int:
    """The index behind the character, escape, quotes or expansion at `index`."""
    char = text[index]
    if char == "\\":
        return index + 2
    if char == "'":
        end = text.find("'", index + 1)
        return len(text) if end < 0 else end + 1
    if char == '"':
        index += 1
        while index < len(text) and text[index] != '"':
            index = index + 1 if text[index] == "'" else _atom_end(text, index)
        return min(index + 1, len(text))
    return _expansion_end(text, index) if char in "$`" else index + 1


def _find(text: str, char: str) -> int:
    """The index of a character outside of quotes, escapes and expansions; the end without one."""
    index = 0
    while index < len(text) and text[index] != char:
        index = _atom_end(text, index)
    return min(index, len(text))


def _brace_expanded(raw: Fragment) -> list[Fragment]:
    """The words that `{a,b}` and `{1..3}` make of one."""
    if "{" not in raw.text or len(raw.text) > _LIMIT:
        return [raw]
    pending: list[Fragment] = [raw]
    done: list[Fragment] = []
    room = 4 * _LIMIT
    while pending:
        each = pending.pop()
        room -= len(each.text) + 1
        expanded = _first_brace(each) if room > 0 and len(pending) + len(done) < _BRACES else None
        if expanded is None:
            done.append(each)
        else:
            pending.extend(reversed(expanded))
    return done


def _first_brace(raw: Fragment) -> list[Fragment] | None:
    """The alternatives of the first brace that has any."""
    text = raw.text
    for start, parts, end in _braces(text):
        before, after = raw.slice(0, start), raw.slice(end, len(text))
        if len(parts) > 1:
            inner = [raw.slice(*bounds) for bounds in parts]
        elif match := _SEQUENCE.fullmatch(text, *parts[0]):
            place = raw.offsets[start]
            inner = [Fragment(raw.source, each, (place,) * len(each)) for each in _sequence(match)]
        else:
            inner = []
        if inner:
            return [before.followed_by(each).followed_by(after) for each in inner]
    return None


def _braces(text: str) -> list[tuple[int, list[tuple[int, int]], int]]:
    """Each pair of braces by its start: that, the bounds of what commas separate, its end."""
    found: list[tuple[int, list[tuple[int, int]], int]] = []
    opened: list[tuple[int, list[int]]] = []
    index = 0
    while index < len(text):
        char = text[index]
        if char == "{":
            opened.append((index, [index]))
        elif char == "," and opened:
            opened[-1][1].append(index)
        elif char == "}" and opened:
            start, marks = opened.pop()
            bounds = [(first + 1, last) for first, last in pairwise([*marks, index])]
            found.append((start, bounds, index + 1))
        index = _atom_end(text, index)
    return sorted(found)


def _sequence(match: re.Match[str]) -> list[str]:
    first, last = match[1], match[2]
    step = abs(int(match[3] or "1")) or 1
    if first.isalpha() != last.isalpha():
        return []
    start, stop = (ord(first), ord(last)) if first.isalpha() else (int(first[:9]), int(last[:9]))
    numbers = range(start, stop + 1, step) if start <= stop else range(start, stop - 1, -step)
    if len(numbers) > _BRACES:
        return []
    if first.isalpha():
        return [chr(number) for number in numbers]
    is_padded = any(re.match(r"-?0\d", each) for each in (first, last))
    width = max(len(first), len(last)) if is_padded else 0
    return [f"{number:0{width}d}" for number in numbers]


def _is_home(text: str, index: int, assignment: bool) -> bool:
    """Whether a tilde stands for a home directory."""
    if index and not (assignment and text[index - 1] == ":"):
        return False
    return re.match(r"~[\w.+-]*(?=[/:]|$)", text[index:]) is not None


def _unescaped(raw: Fragment) -> Fragment:
    """What is run for backquotes: a backslash before `$`, a backquote or itself goes."""
    kept = [match.end() - 1 for match in re.finditer(r"\\[$`\\]|.", raw.text, flags=re.DOTALL)]
    text = "".join(raw.text[index] for index in kept)
    return Fragment(raw.source, text, tuple(raw.offsets[index] for index in kept))


_ANSI = regex(
    r"\\(?:(?P<octal>[0-7]{1,3})|x(?P<hex>[0-9a-fA-F]{1,2})|u(?P<short>[0-9a-fA-F]{1,4})"
    r"|U(?P<long>[0-9a-fA-F]{1,8})|c(?P<control>.)|(?P<plain>.))",
    re.DOTALL,
)
_ESCAPES = {
    "n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b",
    "E": "\x1b", "\\": "\\", "'": "'", '"': '"', "?": "?",
}  # fmt: skip


def _ansi_end(text: str, start: int) -> int:
    index = start
    while index < len(text) and text[index] != "'":
        index += 2 if text[index] == "\\" else 1
    return min(index, len(text))


def _ansi(text: str) -> str:
    """The text of `$'…'`."""

    def decoded(match: re.Match[str]) -> str:
        if match["plain"]:
            return _ESCAPES.get(match["plain"], match[0])
        if match["control"]:
            return chr(ord(match["control"].upper()) & 0x1F)
        digits = match["octal"] or match["hex"] or match["short"] or match["long"]
        code = int(digits, 8 if match["octal"] else 16)
        return chr(code) if 0 < code < 0x110000 else ""

    return _ANSI.sub(decoded, text)


def _expansion_end(text: str, start: int) -> int:
    """The index behind the expansion that starts at `start`; one further where there is none."""
    if text[start] == "`":
        end = start + 1
        while end < len(text) and text[end] != "`":
            end += 2 if text[end] == "\\" else 1
        return min(end + 1, len(text))
    following = text[start + 1 : start + 2]
    if following in ("{", "(", "["):
        return _closing(text, start + 1)
    match = _NAME.match(text, start + 1)
    if match:
        return match.end()
    return start + 2 if following and following in _SPECIAL else start + 1


_PAIRS = {"{": "}", "(": ")", "[": "]"}


def _closing(text: str, start: int) -> int:
    """The index behind the bracket that closes the one at `start`, quotes respected."""
    closers: list[str] = []
    index = start
    while index < len(text):
        char = text[index]
        if char == "\\" and closers[-1:] != ["'"]:
            index += 2
            continue
        if closers and closers[-1] == "'":
            if char == "'":
                closers.pop()
        elif closers and char == closers[-1]:
            closers.pop()
            if not closers:
                return index + 1
        elif char in ("'", '"') and not (char == "'" and '"' in closers[-1:]):
            closers.append(char)
        elif char in _PAIRS and (
            index == start or text[index - 1] == "$" or (closers[-1] == ")" and char == "(")
        ):
            closers.append(_PAIRS[char])
        index = _next(_SPECIAL_IN_BRACKETS, text, index + 1)
    return len(text)
