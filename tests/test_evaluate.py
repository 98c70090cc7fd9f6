"""What config files leave behind."""

from __future__ import annotations

import pytest

from gunilint.evaluate import CONFIG_DIRECTORY, Binding, Namespace, evaluate
from gunilint.parse.python_config import parse
from gunilint.source import Source
from gunilint.values import Function, Known, OneOf, Symbolic, Unknown


def namespace(text: str, files: dict[str, str] | None = None, **environment: str) -> Namespace:
    modules = {name: parse(Source(f"{name}.py", each)) for name, each in (files or {}).items()}
    return evaluate(
        parse(Source("gunicorn.conf.py", text)),
        environment={name: Known(value) for name, value in environment.items()},
        load=lambda name, _level: modules.get(name),
    )


def binding(text: str, files: dict[str, str] | None = None, **environment: str) -> Binding:
    """What `x` ends up as."""
    return namespace(text, files, **environment).bindings["x"]


KNOWN = [
    ("x = 4", 4),
    ("x = -4", -4),
    ("x = 0x10", 16),
    ("x = 0o22", 18),
    ("x = 1_000", 1000),
    ("x = 'a' 'b'", "ab"),
    ("x = True", True),
    ("x = None", None),
    ("x = 2 * 3 + 1", 7),
    ("x = 7 // 2 ** 1", 3),
    ("x = 7 / 2", 3.5),
    ("x = int(7 / 2)", 3),
    ("x = 17 % 5", 2),
    ("x = round(2.6)", 3),
    ("x = max(2, 3) + min(4, 5) + abs(-1)", 8),
    ("x = str(4) + 'x'", "4x"),
    ("x = float('1.5')", 1.5),
    ("x = bool('')", False),
    ("x = len([1, 2])", 2),
    ("x = sum([1, 2])", 3),
    ("a = 3\nx = a * 2", 6),
    ("a = b = x = 5", 5),
    ("a, x = 1, 2", 2),
    ("(a, (x, b)) = 1, (2, 3)", 2),
    ("x: int = 4", 4),
    ("x = 1\nx += 2", 3),
    ("x = 'a'\nx *= 3", "aaa"),
    ("p = 80\nx = f'0.0.0.0:{p}'", "0.0.0.0:80"),
    ("x = f'{1.5:.2f}|{\"a\"!r}|{{}}'", "1.50|'a'|{}"),
    ("x = '%s:%d' % ('h', 80)", "h:80"),
    ("x = '{}:{p}'.format('h', p=80)", "h:80"),
    ("x = 'a,b'.split(',')", ["a", "b"]),
    ("x = ','.join(['a', 'b']).upper()", "A,B"),
    ("x = ' a '.strip().replace('a', 'b')", "b"),
    ("x = 'abc'[1:]", "bc"),
    ("x = [1, 2, 3][-1]", 3),
    ("x = (1, 2)", (1, 2)),
    ("x = {'a': 1}['a']", 1),
    ("c = {'prod': {'w': 4}, 'dev': {'w': 1}}\nx = c['prod']['w']", 4),
    ("c = {'a': 1}\nx = c.get('b', 2)", 2),
    ("c = {}\nc['a'] = 5\nx = c['a']", 5),
    ("x = []\nx.append(1)\nx.extend([2])", [1, 2]),
    ("x = 1 if 2 > 1 else 0", 1),
    ("x = 0 or 4", 4),
    ("x = 3 and 4", 4),
    ("x = not 0", True),
    ("x = 'a' in 'abc'", True),
    ("if 1 > 2:\n    x = 1\nelse:\n    x = 2", 2),
    ("if False:\n    x = 1\nelif True:\n    x = 2\nelse:\n    x = 3", 2),
    ("x = 1\nif False:\n    x = 2", 1),
    ("for i in [1, 2, 3]:\n    x = i", 3),
    ("x = 0\nfor i in range(4):\n    x += i", 6),
    ("def f(a, b=2):\n    return a * b\nx = f(3)", 6),
    ("def f(a, b=2):\n    return a * b\nx = f(a=3, b=4)", 12),
    (
        "def f():\n    y = 2\n    if y > 1:\n        return 'big'\n    return 'small'\nx = f()",
        "big",
    ),
    ("def f():\n    pass\nx = f()", None),
    ("def f(n):\n    for i in [1, 2]:\n        n += i\n    return n\nx = f(1)", 4),
    ("class C:\n    W = 4\nx = C.W", 4),
    ("import os\nx = os.path.join('/a', 'b', 'c')", "/a/b/c"),
    ("from os.path import join as j\nx = j('/a', 'b')", "/a/b"),
    ("import os\nx = os.path.dirname('/a/b')", "/a"),
    ("import os\nx = os.path.join(os.path.dirname(__file__), 'y')", f"{CONFIG_DIRECTORY}/y"),
    ("from pathlib import Path\nx = str(Path(__file__).parent / 'y')", f"{CONFIG_DIRECTORY}/y"),
    ("import math\nx = math.ceil(1.2)", 2),
    ("try:\n    x = 1\nexcept ValueError:\n    x = 2", 1),
    ("with open('f') as g:\n    x = 3", 3),
    ("x = 1\ndel x\nx = 2", 2),
    ("globals()['x'] = 3", 3),
    ("raise SystemExit\nx = 1" if False else "x = 1\nraise SystemExit\nx = 2", 1),
]


@pytest.mark.parametrize(("text", "expected"), KNOWN, ids=[text for text, _ in KNOWN])
def test_known(text: str, expected: object) -> None:
    found = binding(text).value
    assert isinstance(found, Known), found
    assert (type(found.value), found.value) == (type(expected), expected)
    assert found.assumes == ()


SYMBOLIC = [
    ("x = multiprocessing.cpu_count() * 2 + 1", "cpus * 2 + 1", [3, 9]),
    ("x = 2 * (os.cpu_count() or 1) + 1", "2 * cpus + 1", [3, 9]),
    ("x = 2 * (multiprocessing.cpu_count() + 1)", "2 * (cpus + 1)", [4, 10]),
    ("x = min(multiprocessing.cpu_count(), 2)", "min(cpus, 2)", [1, 2]),
    ("x = int(os.cpu_count() / 2)", "int(cpus / 2)", [0, 2]),
    ("x = max(len(os.sched_getaffinity(0)) - 1, 1)", "max(cpus - 1, 1)", [1, 3]),
    ("n = os.cpu_count()\nx = f'{n}'", None, ["1", "4"]),
    ("from multiprocessing import cpu_count as c\nx = c()", "cpus", [1, 4]),
]


@pytest.mark.parametrize(("text", "shown", "values"), SYMBOLIC, ids=[case[0] for case in SYMBOLIC])
def test_symbolic(text: str, shown: str | None, values: list[object]) -> None:
    found = binding("import os, multiprocessing\n" + text).value
    assert isinstance(found, Symbolic), found
    assert [found.at(1), found.at(4)] == values
    assert shown in (None, found.text)


ASSUMED = [
    ("x = os.getenv('W', '4')", "4", ["W"]),
    ("x = int(os.environ.get('W', 4))", 4, ["W"]),
    ("x = os.environ.get('W', default='4')", "4", ["W"]),
    ("x = os.getenv('W') or 4", 4, ["W"]),
    ("x = int(os.getenv('W') or os.getenv('V') or '4')", 4, ["W", "V"]),
    ("w = os.getenv('W')\nx = int(w) if w else 4", 4, ["W"]),
    ("w = os.getenv('W')\nx = 4 if w is None else int(w)", 4, ["W"]),
    ("w = os.getenv('W')\nif w:\n    x = int(w)\nelse:\n    x = 4", 4, ["W"]),
    ("w = os.getenv('W')\nx = 4\nif w is not None:\n    x = w", 4, ["W"]),
    ("x = 4\nif os.getenv('W', 'a') == 'b':\n    for y in [1]:\n        x = 5", 4, ["W"]),
    ("x = 4\nif os.getenv('W', 'a') == 'b':\n    y = 5", 4, []),
    ("if os.getenv('W', 'a') == 'b':\n    x = 5\nx = 4", 4, []),
    ("if 'W' in os.environ:\n    x = 1\nelse:\n    x = 4", 4, ["W"]),
    ("if not os.getenv('W'):\n    x = 4", 4, ["W"]),
    ("try:\n    x = int(os.environ['W'])\nexcept KeyError:\n    x = 4", 4, ["W"]),
    ("x = os.getenv('A', 'b') + os.getenv('C', 'd')", "bd", ["A", "C"]),
    ("x = os.getenv('DEBUG', 'false').lower() == 'true'", False, ["DEBUG"]),
    ("from os import getenv, environ\nx = getenv('W', environ.get('V', 4))", 4, ["V", "W"]),
]


@pytest.mark.parametrize(("text", "expected", "unset"), ASSUMED, ids=[case[0] for case in ASSUMED])
def test_default_rests_on_an_unset_variable(text, expected, unset) -> None:
    found = binding("import os\n" + text).value
    assert isinstance(found, Known), found
    assert (found.value, found.assumes) == (expected, tuple(f"{name} is unset" for name in unset))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = os.getenv('W', '4')", "7"),
        ("x = int(os.environ['W'])", 7),
        ("x = os.getenv('W') or 4", "7"),
        ("x = 1 if 'W' in os.environ else 2", 1),
        ("w = os.getenv('W')\nif w:\n    x = int(w)\nelse:\n    x = 4", 7),
    ],
)
def test_variable_that_the_deployment_sets(text: str, expected: object) -> None:
    assert binding("import os\n" + text, W="7").value == Known(expected)


UNKNOWN = [
    ("x = os.getenv('W')", "nothing sets"),
    ("x = os.environ['W']", "platform has to set"),
    ("x = int(os.getenv('W'))", "nothing sets"),
    ("x = requests.get('y').text", "can't be evaluated"),
    ("x = y = 1\ndel x\nx = x", "isn't set in this file"),
    ("x = [i for i in range(3)]", "a comprehension"),
    ("x = 10 ** 10 ** 10", "too large"),
    ("x = [0] * 10 ** 9", "too large"),
    ("x = 'a' * 10 ** 9", "too large"),
    ("x = 1 << 10 ** 6", "too large"),
    ("x = '%1000000d' % 1", "too large"),
    ("x = f'{1:1000000}'", "too large"),
    ("x = {}['a']", "KeyError"),
    ("from settings import W as x", "imported from `settings`"),
    ("import settings\nx = settings.W", "isn't in the project"),
    ("x = 1\nwhile y:\n    x = x + 1", "a loop changes it"),
    ("def f():\n    return f()\nx = f()", "calls itself"),
    ("@d\ndef f():\n    return 1\nx = f()", "can't be evaluated"),
    ("x = open('f').read()", "can't be evaluated"),
    ("x = '{0.__class__}'.format(1)", "too large"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), UNKNOWN, ids=[text for text, _ in UNKNOWN])
def test_unknown(text: str, reason: str) -> None:
    found = binding("import os\n" + text).value
    assert isinstance(found, Unknown), found
    assert reason in found.reason


class TestBranches:
    def test_both_branches_with_their_conditions_and_places(self) -> None:
        found = binding("from flags import DEBUG\nif DEBUG:\n    x = 1\nelse:\n    x = 2").value
        assert isinstance(found, OneOf)
        assert [(o.condition, o.value.value, o.span.line) for o in found.options] == [
            ("DEBUG", 1, 3),
            ("not (DEBUG)", 2, 5),
        ]

    def test_same_value_in_both_is_known(self) -> None:
        assert binding(
            "from flags import DEBUG\nif DEBUG:\n    x = 1\nelse:\n    x = 1"
        ).value == Known(1)

    def test_one_branch_over_an_earlier_value(self) -> None:
        found = binding("from flags import DEBUG\nx = 1\nif DEBUG:\n    x = 2").value
        assert isinstance(found, OneOf)
        assert [o.value.value for o in found.options] == [2, 1]

    def test_one_branch_alone_may_leave_it_unset(self) -> None:
        found = binding("from flags import DEBUG\nif DEBUG:\n    x = 2").value
        assert isinstance(found, OneOf)
        assert isinstance(found.options[1].value, Unknown)

    def test_branches_flow_through_expressions(self) -> None:
        found = binding("from flags import DEBUG\nw = 1 if DEBUG else 2\nx = w * 10").value
        assert isinstance(found, OneOf)
        assert [o.value.value for o in found.options] == [10, 20]

    def test_function_with_branches(self) -> None:
        found = binding(
            "from flags import DEBUG\ndef f():\n    if DEBUG:\n        return 1\n    return 2\nx = f()"
        ).value
        assert isinstance(found, OneOf)
        assert [o.value.value for o in found.options] == [1, 2]

    def test_too_many_possibilities_are_unknown(self) -> None:
        text = "".join(f"from flags import q{n}\na{n} = 1 if q{n} else 2\n" for n in range(6))
        text += "x = " + " * 10 + ".join(f"a{n}" for n in range(6))
        assert isinstance(binding(text).value, Unknown)

    def test_exit_in_a_branch_leaves_the_other(self) -> None:
        text = "import sys\nfrom flags import DEBUG\nx = 1\nif DEBUG:\n    x = 2\n    sys.exit(1)\n"
        assert binding(text).value == Known(1)


class TestNames:
    @pytest.mark.parametrize(
        ("text", "kind", "span"),
        [
            ("x = 1 + 2", "assignment", "1 + 2"),
            ("x: int = 4", "assignment", "4"),
            ("y, x = 1, 22", "assignment", "22"),
            ("x = 1\nx += 2", "augmented", "2"),
            ("def x(a, b=1, *c): ...", "function", "x"),
            ("class x: ...", "class", "x"),
            ("import x", "import", "x"),
            ("from y import x", "import", "x"),
            ("for x in [7]: ...", "loop", "x"),
            ("import y\nwith y as x: ...", "with", "x"),
            ("é = 'ü'; x = 'ä'", "assignment", "'ä'"),
            ("# a\r\nx = 1\r\n", "assignment", "1"),
            ("y = 1\rx = 2\r", "assignment", "2"),
            ("import a\nif a.b:\n\tx = 5\n", "assignment", "5"),
        ],
    )
    def test_kind_and_place(self, text: str, kind: str, span: str) -> None:
        found = binding(text)
        assert (found.kind, found.span.text) == (kind, span)

    @pytest.mark.parametrize(
        ("text", "positional", "is_async"),
        [
            ("def x(server, worker): ...", 2, False),
            ("def x(server, worker=None, *args, key=1, **rest): ...", 2, False),
            ("def x(*args): ...", 0, False),
            ("async def x(worker): ...", 1, True),
            ("x = lambda server: None", 1, False),
            ("@d\ndef x(a): ...", None, False),
        ],
    )
    def test_hooks_and_their_parameters(self, text, positional, is_async) -> None:
        value = binding(text).value
        assert isinstance(value, Known)
        assert isinstance(value.value, Function)
        assert (value.value.positional, value.value.is_async) == (positional, is_async)

    def test_used_names(self) -> None:
        text = "a = 1\nb = a\ndef f():\n    return c\nd = [e for e in g]\nh = 1\nh += 1"
        assert namespace(text).used >= {"a", "c", "e", "g"}
        assert not namespace(text).used & {"b", "d", "h"}

    def test_history_has_unconditional_assignments(self) -> None:
        found = binding("x = 1\nx = 2\nx = 3")
        assert [each.value for each in found.history] == [Known(1), Known(2)]
        assert binding("from flags import q\nif q:\n    x = 1\nelse:\n    x = 2").history == ()
        assert binding("import os\nx = 1\nif os.getenv('Q', 'a') == 'a':\n    x = 2").history == ()

    def test_name_that_an_assumption_keeps_unset(self) -> None:
        text = "import os\nif os.getenv('Q', 'a') == 'b':\n    x = y = 2\ny = 3"
        assert namespace(text).unset == {"x": ("Q is unset",)}
        assert namespace(text, Q="a").unset == {}


class TestModules:
    def test_names_from_another_file_of_the_project(self) -> None:
        files = {"common": "W = 4\n"}
        assert binding("from common import W as x", files).value == Known(4)
        assert binding("from common import *\nx = W", files).value == Known(4)
        assert binding("import common\nx = common.W", files).value == Known(4)

    def test_value_has_its_place_in_that_file(self) -> None:
        assert (
            binding("from common import x", {"common": "x = 4\n"}).span.source.path == "common.py"
        )

    def test_star_that_cannot_be_followed_leaves_the_namespace_open(self) -> None:
        assert namespace("from elsewhere import *").open is not None
        assert namespace("exec(open('f').read())").open is not None
        assert namespace("globals().update(y)").open is not None
        assert namespace("x = 1").open is None

    def test_modules_that_import_each_other(self) -> None:
        files = {"a": "from b import *\nv = 1\n", "b": "from a import *\nx = 2\n"}
        assert binding("from a import *\nfrom b import *", files).value == Known(2)


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 50_000,
        "x = " + "-" * 50_000 + "1",
        "x = a" + ".b" * 50_000,
        "x = " + "1 + " * 50_000 + "1",
        "if a: pass\n" + "elif a: pass\n" * 20_000,
        "x = '" + "a" * 1_000_000,
        "x = 1\n" * 20_000,
        "x = 'a'\n" + "x = x + x\n" * 100,
        "x = [1]\n" + "x = x + x\n" * 100,
        "x = 2\n" + "x = x * x\n" * 100,
        "for a in range(200):\n for b in range(200):\n  for c in range(200):\n   x = 1\n",
        "def f(n):\n    return f(n) + f(n)\nx = f(1)",
        "".join(f"if a{n}:\n    x = {n}\n" for n in range(300)),
        "def f():\n" + "".join(f"    if a{n}: y = {n}\n" for n in range(40)) + "x = f()\n",
        "\0",
        "x = 1\n" + "\\" * 1000,
    ],
    ids=range(16),
)
def test_hostile_file_ends_in_time(text: str) -> None:
    namespace(text)


FAILING = [
    ("x = 1 / 0", "ZeroDivisionError", 1),
    ("x = 1\ny = int('four')", "ValueError", 2),
    ("x = unheard_of", "NameError", 1),
    ("x = unheard_of() * 2", "NameError", 1),
    ("x = 1\nraise RuntimeError('no')", "an exception", 2),
    ("{{ x }}", "NameError", 1),
    ("x = 'a' + 1", "TypeError", 1),
    ("def f():\n    return 1 / 0\nx = f()", "ZeroDivisionError", 3),
]


@pytest.mark.parametrize(("text", "exception", "line"), FAILING, ids=[text for text, *_ in FAILING])
def test_file_that_ends_with_an_exception(text: str, exception: str, line: int) -> None:
    failure = evaluate(parse(Source("gunicorn.conf.py", text)), environment={}).failure
    assert failure is not None
    assert (failure.reason, failure.span.line) == (f"it raises {exception}", line)


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    x = 1 / 0\nexcept ZeroDivisionError:\n    x = 2",
        "from flags import debug\nif debug():\n    raise RuntimeError",
        "from base import *\nx = unheard_of",
        "print(y := 3)\nx = y",
        "def hook():\n    raise RuntimeError",
        "x = len(unheard) if False else 1",
        "x = ValueError",
    ],
)
def test_file_that_may_well_end_without_one(text: str) -> None:
    assert evaluate(parse(Source("gunicorn.conf.py", text)), environment={}).failure is None


def test_import_in_try_has_two_outcomes() -> None:
    text = "try:\n    import uvloop\n    x = 1\nexcept ImportError:\n    x = 2"
    value = binding(text).value
    assert isinstance(value, OneOf)
    assert [(option.value, option.condition) for option in value.options] == [
        (Known(1), "`uvloop` can be imported"),
        (Known(2), "not (`uvloop` can be imported)"),
    ]


def test_assigned_variable_is_read_back() -> None:
    assert binding("import os\nos.environ['W'] = '3'\nx = os.getenv('W')").value == Known("3")


def test_function_that_sets_a_global() -> None:
    text = "x = 1\ndef f():\n    global x\n    x = 2\nf()"
    assert binding(text).value == Unknown("`f` sets it")
