"""What a shell process knows at one moment: variables, options, parameters, its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from gunilint.command import Word
from gunilint.source import Fragment, Span
from gunilint.values import Known, OneOf, Option, Symbolic, Unknown, Value, with_assumptions

if TYPE_CHECKING:
    from gunilint.parse.shell import Statement

_OPTIONS = 16
"""The most possibilities of a variable."""
_CONDITIONS = 32
"""The most conditions that are kept."""
_CONDITION = 200
"""The longest condition, in characters."""

BASH = "the shell is bash"
"""The condition of what other shells refuse."""
SUCCESS = "the commands before it succeed"
"""The condition of what follows a command that may end the script."""

_MACHINE = frozenset(
    """HOME PATH USER LOGNAME SHELL HOSTNAME LANG TERM OLDPWD PPID OPTIND OPTARG LINENO RANDOM
    SECONDS UID EUID GROUPS SHLVL HOSTTYPE MACHTYPE OSTYPE REPLY COLUMNS LINES PS1 PS2 PS4 _
    EPOCHSECONDS EPOCHREALTIME SRANDOM DIRSTACK PIPESTATUS FUNCNAME BASHPID BASH BASH_VERSION
    BASH_VERSINFO BASH_REMATCH BASHOPTS SHELLOPTS BASH_COMMAND BASH_LINENO""".split()
)
"""Variables that the shell or the login sets."""


class Array(Struct, frozen=True):
    """The value of an array variable: its elements by key, in the order of `"${a[@]}"`.

    Where an element may be any number of words, the keys behind it aren't known.
    """

    elements: tuple[tuple[str, Word], ...]
    associative: bool = False

    @property
    def words(self) -> tuple[Word, ...]:
        """The elements."""
        return tuple(word for _, word in self.elements)

    @property
    def is_exact(self) -> bool:
        """Whether the number of elements is known."""
        return not any(word.many for _, word in self.elements)

    def at(self, key: str) -> Value | None:
        """The element at a key; None where there is none."""
        for each, word in self.elements:
            if word.many:
                return Unknown("an element before it may be several")
            if each == key:
                return word.value
        return None

    @property
    def next_index(self) -> int:
        """The index behind the last element's."""
        return int(self.elements[-1][0]) + 1 if self.elements else 0

    def with_element(self, key: str, word: Word) -> Array:
        """The array with one element set."""
        others = dict(self.elements)
        others[key] = word
        if self.associative:
            return replace(self, elements=tuple(others.items()))
        return replace(self, elements=tuple(sorted(others.items(), key=lambda item: int(item[0]))))

    def without(self, key: str) -> Array:
        """The array without one element."""
        return replace(self, elements=tuple(each for each in self.elements if each[0] != key))


Variable = Value | Array | None
"""What a variable holds; None where it is surely unset."""


Choice: TypeAlias = tuple[str, tuple[Word, ...] | None]
"""A condition, and the positional parameters when it holds; None where they aren't known."""


class Scope(Struct):
    """What a shell process knows at one moment.

    A name that is absent from `variables` is set by nothing in sight. `exported` tells of each
    exported name whether that is sure. `arguments` are the positional parameters, None where they
    aren't known; `choices` are then those that branches leave, each with its condition, if there
    are such branches. `functions` has what each name may call, None for no
    function. `options` are those of `set` and `shopt`, None where a branch decides.
    `conditions` is what the statement that runs now rests on.
    """

    variables: dict[str, Variable]
    exported: dict[str, bool]
    arguments: tuple[Word, ...] | None
    script: str
    bash: bool = True
    choices: tuple[Choice, ...] = ()
    directory: Value | None = None
    functions: dict[str, tuple[Statement | None, ...]] = field(default_factory=dict)
    aliases: dict[str, Fragment] = field(default_factory=dict)
    options: dict[str, bool | None] = field(default_factory=dict)
    opaque: frozenset[str] = frozenset()
    """Variables whose values aren't followed (`declare -i`), or can't change (`readonly`)."""
    conditions: tuple[str, ...] = ()
    lost: str | None = None
    dead: bool = False
    """The shell has exited, or has become another program."""
    leaving: tuple[str, int] | None = None
    """The `return`, `break` or `continue` that is under way, and through how many loops."""
    trap: Fragment | None = None
    """What runs at the shell's exit."""

    @property
    def over(self) -> bool:
        """Whether the statements that follow aren't run."""
        return self.dead or self.leaving is not None

    def give(self, arguments: tuple[Word, ...] | None) -> None:
        """Set the positional parameters; None makes them unknown."""
        self.arguments, self.choices = arguments, ()

    def copy(self) -> Scope:
        """A scope that can change without this one."""
        return replace(
            self,
            variables=dict(self.variables),
            exported=dict(self.exported),
            functions=dict(self.functions),
            aliases=dict(self.aliases),
            options=dict(self.options),
        )

    def variable(self, name: str) -> Variable:
        """What a variable holds; what nothing sets is `Unknown` with its name."""
        if name in self.variables:
            return self.variables[name]
        if name in _MACHINE:
            return Unknown(f"`{name}` depends on the machine")
        return Unknown(self.lost or f"nothing sets `{name}` here", name)

    def assign(self, name: str, value: Variable) -> None:
        """Set a variable, or unset it."""
        if name in self.opaque:
            value = Unknown(f"`{name}` has an attribute")
        self.variables[name] = value
        if self.options.get("allexport", False) is not False:
            sure = self.options["allexport"] is True
            self.exported[name] = self.exported.get(name, False) or sure

    def require(self, condition: str) -> None:
        """Let all that follows rest on a condition."""
        if condition not in self.conditions and len(self.conditions) < _CONDITIONS:
            self.conditions = (*self.conditions, condition)

    def lose(self, reason: str) -> None:
        """Something unseen may have set any variable that isn't set yet, or set one anew."""
        self.lost = reason
        what = reason.removesuffix(" may set it")
        for name, value in self.variables.items():
            if isinstance(value, Known):
                self.variables[name] = with_assumptions(value, (f"{what} leaves {name} alone",))

    def environment(self) -> dict[str, Value]:
        """The variables that a program started now gets."""
        found: dict[str, Value] = {}
        for name, is_sure in self.exported.items():
            value = self.variables.get(name)
            if value is None or isinstance(value, Array):
                continue
            missing = Unknown(f"`{name}` is exported in a branch only", name)
            if is_sure:
                found[name] = value
            elif isinstance(value, OneOf):
                found[name] = OneOf((*value.options, Option(missing, "it isn't exported")))
            else:
                found[name] = missing
        return found

    def merge(self, ends: Sequence[tuple[str, Scope]], *, complete: bool) -> None:
        """Take on what the branches `ends`, each with its condition, leave behind.

        `complete` says that no other branch ended, so that what follows always runs.
        """
        scopes = [scope for _, scope in ends]
        first = scopes[0]
        for name in dict.fromkeys(name for scope in scopes for name in scope.variables):
            values = [(condition, scope.variables.get(name, _ABSENT)) for condition, scope in ends]
            if all(value is values[0][1] for _, value in values):
                merged = values[0][1]
            else:
                merged = _merged(name, values)
            if merged is _ABSENT:
                self.variables.pop(name, None)
            else:
                assert not isinstance(merged, _Absent)
                self.variables[name] = merged
        names = dict.fromkeys(name for scope in scopes for name in scope.exported)
        self.exported = {
            name: all(scope.exported.get(name, False) for scope in scopes) for name in names
        }
        self.functions = {
            name: tuple(
                dict.fromkeys(
                    each for scope in scopes for each in scope.functions.get(name, (None,))
                )
            )
            for name in dict.fromkeys(name for scope in scopes for name in scope.functions)
        }
        self.aliases = {name: text for scope in scopes for name, text in scope.aliases.items()}
        self.options = {
            name: _agreed([scope.options.get(name, False) for scope in scopes])
            for name in dict.fromkeys(name for scope in scopes for name in scope.options)
        }
        self.opaque = frozenset().union(*(scope.opaque for scope in scopes))
        same = all(
            (scope.arguments, scope.choices) == (first.arguments, first.choices) for scope in scopes
        )
        choices = first.choices if same else _choices(ends)
        self.arguments, self.choices = first.arguments if same else None, choices
        same = all(scope.directory == first.directory for scope in scopes)
        self.directory = first.directory if same else Unknown("it depends on a branch")
        self.trap = next((scope.trap for scope in scopes if scope.trap), None)
        self.lost = next((scope.lost for scope in scopes if scope.lost), None)
        self.dead, self.leaving = False, None
        if not complete:
            self.conditions = _joined([scope.conditions for scope in scopes])


class _Absent:
    """What nothing sets, where None means surely unset."""


_ABSENT = _Absent()


def _choices(ends: Sequence[tuple[str, Scope]]) -> tuple[Choice, ...]:
    """The arguments that branches leave behind; none where no branch knows its own."""
    found: list[Choice] = []
    for condition, scope in ends:
        found += [(f"{condition} and {inner}", words) for inner, words in scope.choices]
        if not scope.choices:
            found.append((condition, scope.arguments))
    known = any(words is not None for _, words in found)
    return tuple(found) if known and len(found) <= _OPTIONS else ()


def _agreed(values: Sequence[bool | None]) -> bool | None:
    return values[0] if all(value is values[0] for value in values) else None


def _joined(ends: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """What holds when one of several conjunctions does."""
    shared = ends[0]
    for each in ends[1:]:
        length = 0
        while length < min(len(shared), len(each)) and shared[length] == each[length]:
            length += 1
        shared = shared[:length]
    rests = dict.fromkeys(" and ".join(each[len(shared) :]) for each in ends)
    if "" in rests:
        rests = {"nothing before it ends the script": None}
    text = " or ".join(rests)
    return (*shared, text if len(text) <= _CONDITION else "a branch before it is taken")


def _merged(name: str, values: Sequence[tuple[str, Variable | _Absent]]) -> Variable:
    found = [value for _, value in values]
    known = [value for value in found if isinstance(value, Known)]
    if len(known) == len(found) and all(value.value == known[0].value for value in known):
        assumes = tuple(dict.fromkeys(text for value in known for text in value.assumes))
        return replace(known[0], assumes=assumes)
    options: list[Option] = []
    for condition, value in values:
        if isinstance(value, Array):
            return Unknown(f"`{name}` depends on a branch")
        single = (
            Unknown(f"`{name}` isn't set here", name)
            if value is None or isinstance(value, _Absent)
            else value
        )
        if isinstance(single, OneOf):
            options.extend(single.options)
        else:
            options.append(Option(single, condition, _first_via(single)))
    if len(options) > _OPTIONS:
        return Unknown(f"`{name}` has too many possibilities")
    return OneOf(tuple(options))


def _first_via(value: Value) -> Span | None:
    return value.via[0] if isinstance(value, Known | Symbolic | Unknown) and value.via else None


def scalars(variables: Mapping[str, Variable]) -> dict[str, Value]:
    """The variables that a program can be started with: arrays can't be passed on."""
    return {
        name: value
        for name, value in variables.items()
        if value is not None and not isinstance(value, Array)
    }
