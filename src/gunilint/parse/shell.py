"""Shell scripts: tree-sitter's bash grammar, lowered to the few statements that matter.

Words stay raw text here; `interpret` folds them. tree-sitter drops some words next to
redirections without an error, which `_words` puts right.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from gunilint.regex import regex
from gunilint.source import Fragment, Layout, Problem, Source, Span

if TYPE_CHECKING:
    from tree_sitter import Node

_SECONDS = 1.0
"""The time that one parse may take."""
_DEPTH = 100
"""How deep statements may be nested."""
_NODES = 100_000
"""The most words, operators and statements of a script."""
_CHUNK = 65536

_FAR = regex(r"[^\x00-\xff]")
_LETTERS = "".join(filter(str.isalpha, map(chr, range(0xC0, 0x100))))
_SIGNS = "".join(char for char in map(chr, range(0xA1, 0xC0)) if not char.isalnum())
_SHEBANG = regex(r"#!\s*(?:\S*/)?(?:env\s+(?:-\S+\s+)*)?(?:\S*/)?((?:ba|da|a|k|z)?sh)\b")
_GAP = regex(r"(?:\\\r?\n|[ \t\r])+")
_GUNICORN_LINE = regex(rb"\bgunicorn\b(?:[^\\\n]|\\\r?\n|\\.)*")
_FACTORY = regex(rb"(?<![\w.:/$-])[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(\([^()\n]*\))")
_QUOTED = frozenset({"string", "raw_string", "ansi_c_string", "comment", "heredoc_body"})
_LINE_END = regex(r"(?<!\\)\r?\n")
_DECLARATIONS = frozenset({"declaration_command", "unset_command"})
_SIMPLE = _DECLARATIONS | {
    "command", "variable_assignment", "variable_assignments", "test_command", "file_redirect",
    "heredoc_redirect",
}  # fmt: skip
_OPERATORS = frozenset({"&&", "||", "|", "|&"})


class Assignment(Struct, frozen=True):
    """`name=value`; `elements` are the words of an array, `value` is None for an empty one."""

    name: str
    value: Fragment | None
    appends: bool
    elements: tuple[Fragment, ...] | None = None


class Simple(Struct, frozen=True):
    """A simple command: assignments before it, raw words, whether it is redirected."""

    assignments: tuple[Assignment, ...]
    words: tuple[Fragment | Assignment, ...]
    span: Fragment
    redirected: bool = False
    certain: bool = True


class Test(Struct, frozen=True):
    """`[ … ]`, `[[ … ]]` or `(( … ))`, as raw text without its brackets."""

    text: Fragment


class Pipeline(Struct, frozen=True):
    """Commands that are joined by `|`."""

    parts: tuple[Statement, ...]


class AndOr(Struct, frozen=True):
    """`left && right` or `left || right`."""

    left: Statement
    operator: str
    right: Statement


class Background(Struct, frozen=True):
    """`statement &`."""

    body: Statement


class Negated(Struct, frozen=True):
    """`! statement`."""

    body: Statement


class Block(Struct, frozen=True):
    """Statements in a row: `{ … }`, or `( … )` in a process of its own."""

    body: tuple[Statement, ...]
    is_subshell: bool = False


class Branch(Struct, frozen=True):
    """The condition of an `if` or `elif` with what it guards."""

    condition: tuple[Statement, ...]
    text: str
    body: tuple[Statement, ...]


class If(Struct, frozen=True):
    """`if … elif … else … fi`."""

    branches: tuple[Branch, ...]
    otherwise: tuple[Statement, ...]


class Case(Struct, frozen=True):
    """`case subject in … esac`: each arm's raw patterns and body.

    `falls` are the positions of arms that end in `;&` or `;;&`, behind which others may run too.
    """

    subject: Fragment
    arms: tuple[tuple[tuple[Fragment, ...], tuple[Statement, ...]], ...]
    falls: tuple[int, ...] = ()


class Loop(Struct, frozen=True):
    """A loop of a `kind`: "for", "while", "until", or "arithmetic" for `for ((…))`.

    `variable` and `words` are a `for`'s, None where it has no list; `header` is what stands between
    the double parentheses.
    """

    kind: str
    variable: str | None
    words: tuple[Fragment, ...] | None
    condition: tuple[Statement, ...]
    body: tuple[Statement, ...]
    header: Fragment | None = None


class FunctionDefinition(Struct, frozen=True):
    """`name() { … }`."""

    name: str
    body: Statement


Statement: TypeAlias = (
    Simple
    | Assignment
    | Test
    | Pipeline
    | AndOr
    | Background
    | Negated
    | Block
    | If
    | Case
    | Loop
    | FunctionDefinition
)


class Script(Struct, frozen=True):
    """A parsed script. `shell` is what its shebang names, "sh" without one."""

    fragment: Fragment
    body: tuple[Statement, ...]
    problems: tuple[Problem, ...]
    shell: str


def parse(fragment: Fragment, shell: str | None = None) -> Script:
    """The statements of a script, or of the string that `sh -c` runs. Never raises."""
    shebang = _SHEBANG.match(fragment.text)
    name = shell or (shebang[1] if shebang else "sh")
    refusal = _refusal(fragment)
    if refusal is not None:
        return Script(fragment, (), (refusal,), name)
    return _Lowering(fragment).script(name)


@lru_cache(maxsize=32)
def parsed(source: Source) -> Script:
    """The statements of a whole script, for all that look at them."""
    return parse(Fragment.whole(source))


def layout(fragment: Fragment) -> Layout | None:
    """The comments of a script and the commands in it; None where it can't be parsed at all.

    Commands are the simple ones with their here-documents, and what an operator such as `&&` or a
    pipe joins over a line's end. Of a compound one the inner commands are there on their own.
    """
    if _refusal(fragment) is not None:
        return None
    lowering = _Lowering(fragment)
    comments: list[Span] = []
    commands: list[Span] = []
    try:
        stack = [lowering.root()]
    except (ValueError, _TooManyError):
        return None
    while stack:
        node = stack.pop()
        if node.type == "comment":
            text = lowering.text(node)
            comments.append(text.slice(0, len(text.text.rstrip("\r"))).span())
        commands.extend(lowering.slice(*piece).span() for piece in lowering.pieces(node))
        stack.extend(node.children)
    comments.sort(key=lambda span: span.start)
    return Layout(tuple(comments), tuple(commands))


def _refusal(fragment: Fragment) -> Problem | None:
    """NUL bytes cost the scanner quadratic time, so they never reach it."""
    nul = fragment.text.find("\0")
    if nul >= 0:
        return Problem(fragment.span(nul, nul + 1), "it has a NUL byte", "binary")
    return None


class _TooDeepError(Exception):
    """Statements are nested deeper than `_DEPTH`."""


class _TooManyError(Exception):
    """There are more than `_NODES`."""


def _nearer(match: re.Match[str]) -> str:
    """A letter for a letter, a sign for a sign, from among the first 256 characters.

    tree-sitter-bash asks C's `isdigit` what comes after a brace, and for any other character that
    looks somewhere in memory: it may end the process.
    """
    char = match[0]
    kind = _LETTERS if char.isalnum() else _SIGNS
    return kind[ord(char) % len(kind)]


def _byte_map(text: str) -> list[int] | None:
    """The character that each byte of the UTF-8 belongs to; None where they are the same."""
    if text.isascii():
        return None
    found: list[int] = []
    for index, char in enumerate(text):
        found.extend([index] * len(char.encode()))
    found.append(len(text))
    return found


class _Lowering:
    """From tree-sitter's tree, whose places are bytes, to statements with fragments."""

    def __init__(self, fragment: Fragment) -> None:
        self.fragment = fragment
        text = _FAR.sub(_nearer, fragment.text)
        self.data = text.encode()
        self.characters = _byte_map(text)
        self.depth = 0
        self.damage: _Damage | None = None

    def root(self) -> Node:
        """The tree's root. Raises `ValueError` if parsing takes too long, or `_TooManyError`."""
        import tree_sitter
        import tree_sitter_bash

        parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))
        deadline = time.monotonic() + _SECONDS

        def read(offset: int, _: object) -> bytes:
            return self.data[offset : offset + _CHUNK]

        def expired(*_: object) -> bool:
            return time.monotonic() > deadline

        root = parser.parse(read, progress_callback=expired).root_node
        if root.descendant_count > _NODES:
            raise _TooManyError
        return root

    def script(self, shell: str) -> Script:
        try:
            root = self.root()
            factories = tuple(self.factories(root)) if root.has_error else ()
            if factories:
                root = self.root()
            self.damage = _Damage(root) if root.has_error else None
            is_broken = self.damage is not None and self.damage.is_in(root)
            body = tuple(self.statements(root))
            problems = (*factories, *(self.problems(root) if is_broken else ()))
        except ValueError:
            reason = f"it takes more than {_SECONDS:g} s to parse"
            return self._failed(shell, reason)
        except _TooDeepError:
            return self._failed(shell, "it is nested too deeply")
        except _TooManyError:
            return self._failed(shell, f"it has more than {_NODES:,} words", "size")
        return Script(self.fragment, body, problems, shell)

    def _failed(self, shell: str, reason: str, kind: str = "syntax") -> Script:
        problem = Problem(self.fragment.span(0, 1), reason, kind)
        return Script(self.fragment, (), (problem,), shell)

    def slice(self, start: int, end: int) -> Fragment:
        """The fragment between two bytes."""
        if self.characters is not None:
            start, end = self.characters[start], self.characters[end]
        return self.fragment.slice(start, end)

    def text(self, node: Node) -> Fragment:
        return self.slice(node.start_byte, node.end_byte)

    def pieces(self, node: Node) -> Iterator[tuple[int, int]]:
        """The bytes of a node that are one command, or that an operator joins."""
        if node.type in ("list", "pipeline"):
            parts = [child for child in node.children if child.type != "comment"]
            for before, operator, behind in zip(parts, parts[1:], parts[2:], strict=False):
                if operator.type in _OPERATORS:
                    yield max(0, before.end_byte - 1), min(behind.start_byte + 1, len(self.data))
        elif node.type in _SIMPLE:
            start = node.start_byte
            for child, following in pairwise(node.children):
                if child.type == "variable_assignment" and self.ends_line(child, following):
                    yield start, child.end_byte
                    start = following.start_byte
            yield start, node.end_byte

    def ends_line(self, assignment: Node, following: Node) -> bool:
        """Whether an assignment is a line of its own, which the grammar adds to a command."""
        gap = self.slice(assignment.end_byte, following.start_byte).text
        return _LINE_END.search(gap) is not None

    # problems

    def factories(self, root: Node) -> Iterator[Problem]:
        """Applications of gunicorn that are called without quotes: `gunicorn app:create_app()`.

        Their parentheses become letters in what is parsed, so that the rest is read as it is meant.
        """
        data = bytearray(self.data)
        for line in _GUNICORN_LINE.finditer(self.data):
            for found in _FACTORY.finditer(self.data, line.start(), line.end()):
                start, end = found.span(1)
                if not _is_quoted(root.descendant_for_byte_range(start, start + 1)):
                    data[start:end] = b"_" * (end - start)
                    word = self.slice(*found.span())
                    yield Problem(word.span(), word.text, "factory")
        self.data = bytes(data)

    def problems(self, root: Node) -> Iterator[Problem]:
        """The first place that doesn't parse."""
        assert self.damage is not None
        is_broken = self.damage.is_in
        node = root
        while True:
            child = next(
                (child for child in node.children if child.is_missing or is_broken(child)), None
            )
            if child is None or child.is_missing:
                break
            node = child
        missing = child
        if missing is not None and missing.is_missing:
            opened = node.children[0] if node.children else node
            what = self.text(opened).text[:1]
            if what in ('"', "'", "`"):
                reason = f"the quote {what} that is opened here is never closed"
                yield Problem(self.text(opened).slice(0, 1).span(), reason)
                return
            yield Problem(self.text(node).slice(0, 1).span(), f"`{missing.type}` is missing")
            return
        error = self.text(node)
        quote = re.search(r"[\"'`]", error.text)
        if quote:
            place = error.slice(quote.start(), quote.start() + 1)
            yield Problem(place.span(), f"the quote {quote[0]} that is opened here is never closed")
            return
        line = error.text.strip().splitlines()[:1]
        yield Problem(
            error.slice(0, len(line[0]) if line else 1).span(), "the shell can't parse this"
        )

    # statements

    def statements(self, node: Node) -> Iterator[Statement]:
        """The statements among a node's children, each `&` applied to what is before it."""
        self.depth += 1
        if self.depth > _DEPTH:
            raise _TooDeepError
        pending: list[Statement] = []
        for child in node.children:
            if child.type == "&" and pending:
                pending[-1] = Background(pending[-1])
            else:
                pending.extend(self.statement(child))
        self.depth -= 1
        yield from pending

    def statement(self, node: Node) -> Iterator[Statement]:
        lower = getattr(self, "lower_" + node.type, None)
        if lower is not None:
            yield from lower(node)
        elif node.type in _DECLARATIONS:
            yield self.simple(node, (), redirected=False)

    def lower_ERROR(self, node: Node) -> Iterator[Statement]:  # noqa: N802 - the grammar's name
        yield from self.statements(node)

    def lower_command(self, node: Node) -> Iterator[Statement]:
        yield from self.separated(node, self.simple(node, (), redirected=False))

    def separated(self, node: Node, command: Simple) -> Iterator[Statement]:
        """A command without the assignments on lines before it, which the grammar adds to it."""
        assigning = [child for child in node.children if child.type == "variable_assignment"]
        following = node.child_by_field_name("name")
        if assigning and following is not None and self.ends_line(assigning[-1], following):
            yield from command.assignments
            yield replace(command, assignments=())
            return
        yield command

    def lower_redirected_statement(self, node: Node) -> Iterator[Statement]:
        body = node.child_by_field_name("body")
        redirects = [child for child in node.children if "redirect" in child.type]
        if body is None:
            if redirects:
                yield self.simple(node, redirects, redirected=True)
        elif body.type == "command" or body.type in _DECLARATIONS:
            yield from self.separated(body, self.simple(body, redirects, redirected=True))
        else:
            yield from self.statement(body)

    def simple(
        self, node: Node, redirects: tuple[Node, ...] | list[Node], *, redirected: bool
    ) -> Simple:
        """A command's words: its own, those that hide behind redirections, and those dropped."""
        assignments: list[Assignment] = []
        words: list[Fragment | Assignment] = []
        end = node.start_byte
        inner = [child for child in node.children if "redirect" not in child.type]
        outer = [child for child in node.children if "redirect" in child.type] + list(redirects)
        declares = node.type in _DECLARATIONS
        for child in sorted((*inner, *outer), key=lambda child: child.start_byte):
            if "redirect" in child.type:
                words.extend(self.dropped(end, child.start_byte))
                words.extend(self.behind(child))
            elif child.type == "variable_assignment":
                found = self.assignment(child)
                if declares:
                    words.append(found)
                else:
                    assignments.append(found)
            elif child.type == "variable_assignments":
                assignments.extend(self.assignment(part) for part in child.named_children)
            elif child.type not in ("ERROR", "comment"):
                words.append(self.text(child))
                self.rejoin(words, end, child)
            end = max(end, child.end_byte)
        last = max(
            [
                node.end_byte,
                *(redirect.end_byte for redirect in redirects if redirect.type == "file_redirect"),
            ]
        )
        return Simple(
            tuple(assignments),
            tuple(words),
            self.slice(node.start_byte, last),
            redirected or bool(outer),
            self.damage is None or not self.damage.is_near(node),
        )

    def rejoin(self, words: list[Fragment | Assignment], end: int, child: Node) -> None:
        """Put a word together again that a line's continuation cuts in two."""
        gap = self.slice(end, child.start_byte).text
        joins = gap in ("", "\\\n", "\\\r\n")
        cut = joins and len(words) > 1 and isinstance(words[-2], Fragment)
        if cut:
            first = words[-2]
            assert isinstance(first, Fragment)
            words[-2:] = [first.followed_by(self.slice(end, child.end_byte))]

    def dropped(self, start: int, end: int) -> Iterator[Fragment]:
        """A lone `-` before a redirection, which the grammar loses."""
        gap = self.slice(start, end)
        for match in re.finditer(r"(?:(?!\\\r?\n)[^ \t\r\n])+", gap.text):
            yield gap.slice(match.start(), match.end())

    def behind(self, redirect: Node) -> Iterator[Fragment]:
        """Words after a redirection's target, which the grammar takes for targets too."""
        targets = redirect.children_by_field_name("destination")
        for target in targets[1:]:
            yield self.text(target)
        for argument in redirect.children_by_field_name("argument"):
            yield self.text(argument)

    def lower_variable_assignment(self, node: Node) -> Iterator[Statement]:
        yield self.assignment(node)

    def lower_variable_assignments(self, node: Node) -> Iterator[Statement]:
        for child in node.named_children:
            yield from self.statement(child)

    def assignment(self, node: Node) -> Assignment:
        name = node.child_by_field_name("name")
        value = node.child_by_field_name("value")
        appends = any(child.type == "+=" for child in node.children)
        label = self.text(name).text if name is not None else ""
        if value is None:
            return Assignment(label, None, appends)
        if value.type == "array":
            elements = [child for child in value.named_children if child.type != "comment"]
            return Assignment(label, self.text(value), appends, tuple(map(self.text, elements)))
        return Assignment(label, self.text(value), appends)

    def lower_test_command(self, node: Node) -> Iterator[Statement]:
        yield Test(self.text(node))

    def lower_pipeline(self, node: Node) -> Iterator[Statement]:
        parts = tuple(self.statements(node))
        if parts and isinstance(parts[0], Negated):
            # `!` is the whole pipeline's
            yield Negated(Block((Pipeline((parts[0].body, *parts[1:])),)))
        else:
            yield Pipeline(parts)

    def lower_list(self, node: Node) -> Iterator[Statement]:
        operator = next((child.type for child in node.children if child.type in ("&&", "||")), "&&")
        parts = list(self.statements(node))
        if not parts:
            return
        joined = parts[0]
        for part in parts[1:]:
            joined = AndOr(joined, operator, part)
        yield joined

    def lower_negated_command(self, node: Node) -> Iterator[Statement]:
        yield Negated(Block(tuple(self.statements(node))))

    def lower_subshell(self, node: Node) -> Iterator[Statement]:
        yield Block(tuple(self.statements(node)), is_subshell=True)

    def lower_compound_statement(self, node: Node) -> Iterator[Statement]:
        if node.children and node.children[0].type == "((":
            yield Test(self.text(node))
        else:
            yield Block(tuple(self.statements(node)))

    def lower_if_statement(self, node: Node) -> Iterator[Statement]:
        branches = [self.branch(node)]
        otherwise: tuple[Statement, ...] = ()
        for child in node.children:
            if child.type == "elif_clause":
                branches.append(self.branch(child))
            elif child.type == "else_clause":
                otherwise = tuple(self.statements(child))
        yield If(tuple(branches), otherwise)

    def branch(self, node: Node) -> Branch:
        condition: list[Statement] = []
        body: list[Statement] = []
        target = condition
        bounds = [node.start_byte, node.start_byte]
        self.depth += 1
        if self.depth > _DEPTH:
            raise _TooDeepError
        for child in node.children:
            if child.type in ("if", "elif"):
                bounds[0] = child.end_byte
            elif child.type == "then":
                bounds[1] = child.start_byte
                target = body
            elif child.type not in ("elif_clause", "else_clause"):
                if child.type == "&" and target:
                    target[-1] = Background(target[-1])
                else:
                    target.extend(self.statement(child))
        self.depth -= 1
        text = self.slice(bounds[0], max(bounds)).text.strip().rstrip(";").strip()
        return Branch(tuple(condition), text, tuple(body))

    def lower_case_statement(self, node: Node) -> Iterator[Statement]:
        subject = node.child_by_field_name("value")
        arms: list[tuple[tuple[Fragment, ...], tuple[Statement, ...]]] = []
        falls: list[int] = []
        for item in node.named_children:
            if item.type == "case_item":
                if any(child.type in (";&", ";;&") for child in item.children):
                    falls.append(len(arms))
                patterns = tuple(map(self.text, item.children_by_field_name("value")))
                values = {value.id for value in item.children_by_field_name("value")}
                body = [
                    statement
                    for child in item.children
                    if child.id not in values
                    for statement in self.statement(child)
                ]
                arms.append((patterns, tuple(body)))
        if subject is not None:
            yield Case(self.text(subject), tuple(arms), tuple(falls))

    def lower_for_statement(self, node: Node) -> Iterator[Statement]:
        variable = node.child_by_field_name("variable")
        body = node.child_by_field_name("body")
        words = tuple(map(self.text, node.children_by_field_name("value")))
        has_list = any(child.type == "in" for child in node.children)
        yield Loop(
            "for" if node.children[0].type == "for" else "select",
            self.text(variable).text if variable is not None else None,
            words if has_list else None,
            (),
            tuple(self.statements(body)) if body is not None else (),
        )

    def lower_while_statement(self, node: Node) -> Iterator[Statement]:
        body = node.child_by_field_name("body")
        condition = tuple(
            statement
            for child in node.children
            if child.type != "do_group"
            for statement in self.statement(child)
        )
        kind = "until" if node.children[0].type == "until" else "while"
        inner = tuple(self.statements(body)) if body is not None else ()
        yield Loop(kind, None, None, condition, inner)

    def lower_c_style_for_statement(self, node: Node) -> Iterator[Statement]:
        body = node.child_by_field_name("body")
        inner = tuple(self.statements(body)) if body is not None else ()
        bounds = {child.type: child for child in node.children}
        opening, closing = bounds.get("(("), bounds.get("))")
        header = None
        if opening is not None and closing is not None:
            header = self.slice(opening.end_byte, closing.start_byte)
        yield Loop("arithmetic", None, None, (), inner, header)

    def lower_function_definition(self, node: Node) -> Iterator[Statement]:
        name = node.child_by_field_name("name")
        body = node.child_by_field_name("body")
        if name is not None and body is not None:
            yield FunctionDefinition(self.text(name).text, Block(tuple(self.statement(body))))


def _is_quoted(node: Node | None) -> bool:
    """Whether a place is in quotes, a comment or a here document."""
    while node is not None:
        if node.type in _QUOTED:
            return True
        node = node.parent
    return False


class _Damage:
    """Which nodes of a tree the grammar finds an error in.

    It knows no parentheses in `${NAME:-function()}`, which a shell takes as they are.
    """

    def __init__(self, root: Node) -> None:
        self._broken: set[int] = set()
        self._near: set[int] = set()
        parents: dict[int, int | None] = {}
        waiting: list[tuple[Node, int | None, bool]] = [(root, None, False)]
        while waiting:
            node, parent, near = waiting.pop()
            parents[node.id] = parent
            if near:
                self._near.add(node.id)
            if node.type == "ERROR" or node.is_missing:
                above: int | None = node.id
                while above is not None and above not in self._broken:
                    self._broken.add(above)
                    above = parents[above]
            children = node.children
            torn = any(child.is_missing or child.type == "ERROR" for child in children)
            near = near or (node.type != "program" and (torn or node.type == "ERROR"))
            called = node.type == "expansion" and any(each.type == "array" for each in children)
            counts = node.has_error and not called
            waiting.extend((child, node.id if counts else None, near) for child in children)

    def is_in(self, node: Node) -> bool:
        """Whether there is an error in a node, or it is one."""
        return node.id in self._broken

    def is_near(self, node: Node) -> bool:
        """Whether a command, or a statement around it, has a part that doesn't parse."""
        return node.id in self._broken or node.id in self._near
