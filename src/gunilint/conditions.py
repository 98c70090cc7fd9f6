"""Whether `[ … ]` and `[[ … ]]` hold, as far as that is known."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from gunilint.command import Word
from gunilint.fold import Folder, raw_words, unset
from gunilint.source import Fragment
from gunilint.values import Known, OneOf, Symbolic, Unknown, Value

_NUMBERS = {
    "-eq": lambda a, b: a == b,
    "-ne": lambda a, b: a != b,
    "-lt": lambda a, b: a < b,
    "-le": lambda a, b: a <= b,
    "-gt": lambda a, b: a > b,
    "-ge": lambda a, b: a >= b,
}
_TEXTS = {
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
}
_BASH_ONLY = frozenset({"==", "<", ">"})
_DEPTH = 50


class Truth(Struct, frozen=True):
    """Whether something holds, None where it can't be told, and what that rests on."""

    value: bool | None
    assumes: tuple[str, ...] = ()

    def __invert__(self) -> Truth:
        return Truth(None if self.value is None else not self.value, self.assumes)

    def __and__(self, other: Truth) -> Truth:
        if self.value is False or (other.value is False and self.value is None):
            return self if self.value is False else other
        if self.value and other.value:
            return Truth(True, (*self.assumes, *other.assumes))
        return other if self.value else Truth(None)

    def __or__(self, other: Truth) -> Truth:
        return ~(~self & ~other)


UNTOLD = Truth(None)


def single_brackets(words: Sequence[Word], folder: Folder) -> Truth:
    """`test words`, by the number of words as POSIX has it."""
    if any(word.many for word in words):
        return _lonely(words)
    return _tested(list(words), folder, 0)


def _lonely(words: Sequence[Word]) -> Truth:
    """`[ $A ]` and `[ -n $A ]` where nothing sets the variable: there is no word."""
    texts = [word.text for word in words[:-1]]
    value = words[-1].value
    if isinstance(value, Unknown) and value.variable is not None and texts in ([], ["-n"], ["-z"]):
        return Truth(texts != [], (unset(value.variable),))
    return UNTOLD


def _tested(words: list[Word], folder: Folder, depth: int) -> Truth:
    texts = [word.text for word in words]
    if depth > _DEPTH:
        return UNTOLD
    if not words:
        return Truth(False)
    if len(words) == 1:
        return _has_text(words[0].value)
    if len(words) == 3 and texts[1] is not None:
        compared = _compared(words[0].value, texts[1], words[2].value, folder)
        if compared is not None:
            return compared
    if texts[0] == "!":
        return ~_tested(words[1:], folder, depth + 1)
    if len(words) == 2:
        return _unary(texts[0], words[1].value, folder)
    for operator, join in (("-o", Truth.__or__), ("-a", Truth.__and__)):
        if operator in texts[1:-1]:
            index = texts.index(operator, 1)
            left = _tested(words[:index], folder, depth + 1)
            return join(left, _tested(words[index + 1 :], folder, depth + 1))
    return UNTOLD


def _unary(operator: str | None, value: Value, folder: Folder) -> Truth:
    if operator == "-n":
        return _has_text(value)
    if operator == "-z":
        return ~_has_text(value)
    if operator == "-v" and folder.scope.bash and isinstance(value, Known):
        found = folder.scope.variable(str(value.value))
        if isinstance(found, Unknown):
            return UNTOLD
        return Truth(found is not None)
    return UNTOLD


def _has_text(value: Value) -> Truth:
    """Whether a value has any text; what nothing sets is taken for empty."""
    if isinstance(value, Known):
        return Truth(bool(str(value.value)), value.assumes)
    if isinstance(value, Symbolic):
        return Truth(True)
    if isinstance(value, OneOf):
        found = {_has_text(option.value).value for option in value.options}
        return Truth(found.pop() if len(found) == 1 else None)
    if isinstance(value, Unknown) and value.variable is not None:
        return Truth(False, (unset(value.variable),))
    return UNTOLD


def _compared(left: Value, operator: str, right: Value, folder: Folder) -> Truth | None:
    """`left operator right`; None where that isn't an operator of two."""
    if operator in _BASH_ONLY and not folder.scope.bash:
        return UNTOLD
    if operator in _TEXTS:
        if isinstance(left, OneOf) and isinstance(right, Known):
            each = {_compared(option.value, operator, right, folder) for option in left.options}
            return each.pop() if len(each) == 1 else UNTOLD
        if isinstance(left, Known) and isinstance(right, Known):
            holds = _TEXTS[operator](str(left.value), str(right.value))
            return Truth(holds, (*left.assumes, *right.assumes))
        return UNTOLD
    if operator in _NUMBERS:
        if isinstance(left, Known) and isinstance(right, Known):
            texts = [str(side.value).strip() for side in (left, right)]
            if all(re.fullmatch(r"[-+]?\d{1,18}", text) for text in texts):
                holds = _NUMBERS[operator](int(texts[0]), int(texts[1]))
                return Truth(holds, (*left.assumes, *right.assumes))
        return UNTOLD
    if operator in ("-nt", "-ot", "-ef"):
        return UNTOLD
    return None


def double_brackets(text: Fragment, folder: Folder) -> Truth:
    """`[[ text ]]`, whose words aren't split."""
    if not folder.scope.bash:
        return UNTOLD
    return _Expression(_tokens(text), folder).value()


def _tokens(text: Fragment) -> list[Fragment]:
    """The words and operators of a `[[ … ]]`."""
    found: list[Fragment] = []
    for word in raw_words(text):
        rest = word
        while match := re.match(r"\(|!(?=$|\()", rest.text):
            found.append(rest.slice(0, match.end()))
            rest = rest.slice(match.end(), len(rest.text))
        closing = 0
        while rest.text[: len(rest.text) - closing].endswith(")") and _unbalanced(
            rest.text, closing
        ):
            closing += 1
        end = len(rest.text) - closing
        if end:
            found.append(rest.slice(0, end))
        found.extend(rest.slice(index, index + 1) for index in range(end, len(rest.text)))
    return found


def _unbalanced(text: str, closing: int) -> bool:
    return text.count(")") - closing > text.count("(")


class _Expression(Struct):
    """The grammar of `[[ … ]]`: `||` of `&&` of tests."""

    tokens: list[Fragment]
    folder: Folder
    index: int = 0
    depth: int = 0

    def value(self) -> Truth:
        truth = self._either()
        return truth if self.index == len(self.tokens) else UNTOLD

    def _peek(self, ahead: int = 0) -> str:
        index = self.index + ahead
        return self.tokens[index].text if index < len(self.tokens) else ""

    def _either(self) -> Truth:
        truth = self._both()
        while self._peek() == "||":
            self.index += 1
            truth |= self._both()
        return truth

    def _both(self) -> Truth:
        truth = self._one()
        while self._peek() == "&&":
            self.index += 1
            truth &= self._one()
        return truth

    def _one(self) -> Truth:
        self.depth += 1
        if self.depth > _DEPTH or self.index >= len(self.tokens):
            self.index = len(self.tokens) + 1
            return UNTOLD
        if self._peek() == "!":
            self.index += 1
            truth = ~self._one()
        elif self._peek() == "(":
            self.index += 1
            truth = self._either()
            self.index += 1
        else:
            truth = self._test()
        self.depth -= 1
        return truth

    def _test(self) -> Truth:
        following = self._peek(1)
        first = self.tokens[self.index]
        if following in _TEXTS or following in _NUMBERS or following in ("=~", "-nt", "-ot", "-ef"):
            self.index += 3
            if self.index > len(self.tokens):
                return UNTOLD
            return self._compared(first, following, self.tokens[self.index - 1])
        if re.fullmatch(r"-[a-zA-Z]", first.text) and following not in ("", "&&", "||", ")"):
            self.index += 2
            return _unary(first.text, self.folder.quoted(self.tokens[self.index - 1]), self.folder)
        self.index += 1
        return _has_text(self.folder.quoted(first))

    def _compared(self, left: Fragment, operator: str, right: Fragment) -> Truth:
        if operator in _NUMBERS:
            sides = [self.folder.arithmetic(side) for side in (left, right)]
            return _compared(sides[0], operator, sides[1], self.folder) or UNTOLD
        value = self.folder.quoted(left)
        if operator in ("=", "==", "!="):
            pattern = self.folder.pattern(right)
            if pattern is None or not isinstance(value, Known):
                return UNTOLD
            matches = pattern.matches(str(value.value))
            if self.folder.scope.options.get("nocasematch") and not matches:
                return UNTOLD
            truth = Truth(matches, value.assumes)
            return ~truth if operator == "!=" else truth
        if operator in _TEXTS:
            return _compared(value, operator, self.folder.quoted(right), self.folder) or UNTOLD
        return UNTOLD
