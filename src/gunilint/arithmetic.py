"""Shell arithmetic, `$((…))`: exact over known numbers, symbolic over the number of CPUs."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from gunilint.regex import regex
from gunilint.values import Known, Symbolic, Unknown, Value

_TOKEN = regex(
    r"""\s*(?:(?P<number>0[xX][0-9a-fA-F]+|\d+\#\w+|\d+)|(?P<name>[A-Za-z_]\w*(?:\[[^\[\]]*\])?)
    |(?P<symbol>[\ue000-\uf8ff])
    |(?P<operator><<=|>>=|\*\*|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%&|^~!<>=?:,()]))""",
    re.VERBOSE,
)
_ASSIGNING = frozenset("= += -= *= /= %= &= |= ^= <<= >>=".split())
_PRECEDENCE = {
    operator: level
    for level, operators in enumerate(
        ("||", "&&", "|", "^", "&", "== !=", "< > <= >=", "<< >>", "+ -", "* / %", "**"), 2
    )
    for operator in operators.split()
}
_BASH_ONLY = frozenset({"++", "--", "**", ","})
_DEPTH = 50
_MACHINES = range(1, 65)
"""The numbers of CPUs that must not make a division by zero."""

_OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: _quotient(a, b),
    "%": lambda a, b: a - b * _quotient(a, b),
    "**": lambda a, b: a**b if 0 <= b < 64 else _fail("the power is too high"),
    "<<": lambda a, b: a << b if 0 <= b < 64 else _fail("the shift is too far"),
    ">>": lambda a, b: a >> b if 0 <= b < 64 else _fail("the shift is too far"),
    "<": lambda a, b: int(a < b),
    ">": lambda a, b: int(a > b),
    "<=": lambda a, b: int(a <= b),
    ">=": lambda a, b: int(a >= b),
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
    "&": lambda a, b: a & b,
    "^": lambda a, b: a ^ b,
    "|": lambda a, b: a | b,
}


class ArithmeticFailure(Exception):  # noqa: N818 - it is the shell's failure, not ours
    """The shell refuses the expression, or its value isn't a number that shells agree on."""


class Arithmetic(Struct):
    """One expression. `lookup` and `assign` reach the variables, by name or `name[index]`.

    A private-use character of the text stands for the symbolic value in `symbols`.
    """

    text: str
    symbols: dict[str, Symbolic]
    lookup: Callable[[str], Value | None]
    assign: Callable[[str, Value], None]
    bash: bool = True
    depth: int = 0
    index: int = 0
    active: bool = True

    def value(self) -> Value:
        """The value of the whole text; raises `ArithmeticFailure`."""
        if not self.text.strip():
            return Known(0)
        result = self._comma()
        if self.text[self.index :].strip():
            _fail("it has a part that isn't understood")
        return result

    def _peek(self) -> str:
        match = _TOKEN.match(self.text, self.index)
        return match["operator"] or "" if match else ""

    def _take(self) -> re.Match[str]:
        match = _TOKEN.match(self.text, self.index)
        if match is None:
            _fail("it has a part that isn't understood")
        assert match is not None
        self.index = match.end()
        if match["operator"] in _BASH_ONLY and not self.bash:
            _fail("shells differ in it")
        return match

    def _comma(self) -> Value:
        value = self._choice()
        while self._peek() == ",":
            self._take()
            value = self._choice()
        return value

    def _choice(self) -> Value:
        self.depth += 1
        if self.depth > _DEPTH:
            _fail("it is nested too deeply")
        test = self._binary(2)
        if self._peek() == "?":
            self._take()
            truth = _truth(test)
            yes = self._when(truth is not False, self._choice)
            if self._take()["operator"] != ":":
                _fail("it lacks a colon")
            no = self._when(truth is not True, self._choice)
            test = _undecided(test) if truth is None else yes if truth else no
        self.depth -= 1
        return test

    def _when(self, wanted: bool, parse: Callable[[], Value]) -> Value:
        """A part that is evaluated only where it is wanted."""
        before = self.active
        self.active = before and wanted
        try:
            return parse()
        finally:
            self.active = before

    def _binary(self, lowest: int) -> Value:
        left = self._unary()
        while _PRECEDENCE.get(self._peek(), 0) >= lowest:
            operator = self._take()["operator"]
            level = _PRECEDENCE[operator]
            if operator in ("&&", "||"):
                truth, wanted = _truth(left), operator == "&&"

                def rest(level: int = level) -> Value:
                    return self._binary(level + 1)

                right = self._when(truth is not (not wanted), rest)
                if truth is None:
                    left = _undecided(left)
                elif truth is not wanted:
                    left = Known(int(not wanted), _assumes(left))
                else:
                    second = _truth(right)
                    left = _undecided(right) if second is None else Known(int(second))
            else:
                right = self._binary(level if operator == "**" else level + 1)
                left = _operated(left, operator, right) if self.active else Known(0)
        return left

    def _unary(self) -> Value:
        operator = self._peek()
        if operator in ("-", "+", "!", "~"):
            self._take()
            self.depth += 1
            if self.depth > _DEPTH:
                _fail("it is nested too deeply")
            operand = self._unary()
            self.depth -= 1
            if operator == "+":
                return operand
            if operator == "-":
                return _operated(Known(0), "-", operand)
            if operator == "!":
                return _operated(Known(0), "==", operand)
            return _operated(Known(-1), "-", operand)
        if operator in ("++", "--"):
            self._take()
            name = str(self._take()["name"] or _fail("it steps something without a name"))
            return self._stepped(name, operator)[1]
        return self._operand()

    def _operand(self) -> Value:
        token = self._take()
        if token["symbol"]:
            return self.symbols[token["symbol"]]
        if token["number"]:
            return Known(_number(token["number"], self.bash))
        if token["operator"] == "(":
            value = self._comma()
            if self._take()["operator"] != ")":
                _fail("it lacks a bracket")
            return value
        name = token["name"]
        if not name:
            _fail("it has an operator out of place")
        operator = self._peek()
        if operator in ("++", "--"):
            self._take()
            return self._stepped(name, operator)[0]
        if operator in _ASSIGNING:
            self._take()
            value = self._choice()
            if operator != "=" and self.active:
                value = _operated(self._named(name), operator[:-1], value)
            if self.active:
                self.assign(name, value)
            return value
        return self._named(name) if self.active else Known(0)

    def _stepped(self, name: str, operator: str) -> tuple[Value, Value]:
        if not self.active:
            return Known(0), Known(0)
        before = self._named(name)
        after = _operated(before, operator[0], Known(1))
        self.assign(name, after)
        return before, after

    def _named(self, name: str) -> Value:
        """The number in a variable; bash evaluates what it holds as an expression."""
        value = self.lookup(name)
        if value is None:
            return Known(0)
        if isinstance(value, Symbolic):
            at = value.at
            return replace(value, at=lambda cpus: int(str(at(cpus))))
        if not isinstance(value, Known):
            return value if isinstance(value, Unknown) else Unknown("it depends on a branch")
        text = str(value.value)
        if re.fullmatch(r"\s*[-+]?\d+\s*", text):
            sign = -1 if "-" in text else 1
            return replace(value, value=sign * _number(text.strip().lstrip("+-"), self.bash))
        if not self.bash or self.depth > _DEPTH // 2:
            _fail("a variable in it isn't a number")
        inner = Arithmetic(text, {}, self.lookup, self.assign, self.bash, self.depth + 5)
        return inner.value()


def _fail(reason: str) -> int:
    raise ArithmeticFailure(reason)


def _quotient(a: int, b: int) -> int:
    if b == 0:
        _fail("it divides by zero")
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def _number(text: str, bash: bool) -> int:
    try:
        if text[:2] in ("0x", "0X"):
            number = int(text[2:], 16)
        elif "#" in text:
            base, _, digits = text.partition("#")
            number = int(digits, int(base)) if bash and int(base) <= 36 else _fail("it has a base")
        else:
            number = int(text[:20], 8 if len(text) > 1 and text.startswith("0") else 10)
    except ValueError:
        number = _fail(f"`{text[:20]}` isn't a number")
    return number if number < 2**63 else _fail("it is too large")


def _assumes(*values: Value) -> tuple[str, ...]:
    found = (
        each for value in values if isinstance(value, Known | Symbolic) for each in value.assumes
    )
    return tuple(dict.fromkeys(found))


def _truth(value: Value) -> bool | None:
    return bool(value.value) if isinstance(value, Known) else None


def _undecided(value: Value) -> Value:
    """What comes of a condition that can't be told."""
    return value if isinstance(value, Unknown) else Unknown("it depends on the number of CPUs")


def _operated(left: Value, operator: str, right: Value) -> Value:
    for value in (left, right):
        if not isinstance(value, Known | Symbolic):
            return value if isinstance(value, Unknown) else Unknown("it depends on a branch")
    assert isinstance(left, Known | Symbolic)
    assert isinstance(right, Known | Symbolic)
    operate = _OPERATIONS[operator]
    assumes, via = _assumes(left, right), (*left.via, *right.via)
    if isinstance(left, Known) and isinstance(right, Known):
        number = operate(int(str(left.value)), int(str(right.value)))
        if not -(2**63) <= number < 2**63:
            _fail("it is too large")
        return Known(number, assumes, via)

    def at(value: Known | Symbolic, cpus: int) -> int:
        return int(str(value.value if isinstance(value, Known) else value.at(cpus)))

    def text(value: Known | Symbolic) -> str:
        if isinstance(value, Known):
            return str(value.value)
        is_sum = operator not in "+-" and re.search(r" [-+] ", value.text)
        return f"({value.text})" if is_sum else value.text

    def result(cpus: int) -> int:
        return operate(at(left, cpus), at(right, cpus))

    for cpus in _MACHINES:
        result(cpus)
    return Symbolic(f"{text(left)} {operator} {text(right)}", result, assumes, via)
