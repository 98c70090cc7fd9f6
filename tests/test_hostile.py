"""Inputs that are made to hang, crash or eat memory: each stays within 2 s of CPU and 300 MB.

What is refused is a finding with a place; what merely can't be worked out is silence.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from forked import Forked, Run

CPU = 2.0
"""The CPU seconds that any input may take."""

TRIES = 3
"""The runs of which one has to keep to them: a machine may be busy."""
PEAK = 300
"""The MB of memory that any input may take."""
BIG = 1_000_000
"""The characters of a file that is just small enough to be read."""

Files = Mapping[str, str]


def config(text: str) -> Files:
    return {
        "gunicorn.conf.py": text,
        "start.sh": "#!/bin/sh\nexec gunicorn -c gunicorn.conf.py a:b\n",
    }


def script(text: str) -> Files:
    return {"start.sh": f"#!/bin/bash\n{text}\nexec gunicorn -w 2 app:app\n"}


def unit(text: str, start: str = "ExecStart=/usr/bin/gunicorn -w 2 app:app") -> Files:
    return {"app.service": f"[Service]\n{start}\n{text}\n"}


def app(text: str) -> Files:
    return {"start.sh": "#!/bin/sh\nexec gunicorn -w 2 app:app\n", "app.py": text}


def fill(text: str, size: int = BIG) -> str:
    """`text` again and again, up to a size."""
    return text * (size // len(text))


def numbered(template: str, count: int) -> str:
    return "".join(template.replace("@", str(number)) for number in range(count))


PYTHON: dict[str, Callable[[], str]] = {
    "power": lambda: "workers = 10**10**10\n",
    "power of powers": lambda: "workers = 9**9**9**9**9\n",
    "powers that stay small": lambda: "x = 2\n" + "x = x ** 2 % 10**9\n" * 1000 + "workers = x\n",
    "shift": lambda: "workers = 1 << 10**9\nthreads = 1 << (1 << 40)\n",
    "factor": lambda: "x = 3\n" + "x = x * x\n" * 100 + "workers = x\n",
    "zeros": lambda: "workers = [0] * 10**9\nbind = workers\n",
    "text": lambda: "proc_name = 'x' * 10**10\n",
    "bytes": lambda: "proc_name = b'x' * 10**10\nx = bytearray(10**10)\ny = bytes(10**10)\n",
    "nested lists": lambda: "a = [0] * 1000\n" + "a = [a] * 1000\n" * 20 + "bind = a\n",
    "list of itself": lambda: "a = []\na.append(a)\na.extend(a)\na += a\nbind = a\n",
    "dict of itself": lambda: "a = {}\na['a'] = a\na.update(a)\nraw_env = a\nbind = str(a)\n",
    "lists that double": lambda: "a = ['x']\n" + "a = a + a\n" * 100 + "bind = a\n",
    "lists that extend": lambda: "a = ['x']\n" + "a.extend(a)\na += a\n" * 100 + "bind = a\n",
    "dicts that double": lambda: "a = {'x': 1}\n" + "a = {'a': a, 'b': a}\n" * 60 + "bind = f'{a}'\n",
    "sets": lambda: "a = {1}\n" + "a = {frozenset(a), frozenset([frozenset(a)])}\n" * 60 + "bind = str(a)\n",
    "f-strings that double": lambda: "a = 'x'\n" + "a = f'{a}{a}'\n" * 100 + "proc_name = a\n",
    "f-strings with repr": lambda: "a = '\\''\n" + "a = f'{a!r}'\n" * 100 + "proc_name = a\n",
    "percent that doubles": lambda: "a = 'x'\n" + "a = '%s%s' % (a, a)\n" * 100 + "proc_name = a\n",
    "format that doubles": lambda: "a = 'x'\n" + "a = '{0}{0}'.format(a)\n" * 100 + "proc_name = a\n",
    "width by percent": lambda: 'proc_name = "%1000000000d" % 1\nbind = "%*d" % (10**9, 1)\n',
    "width by percent, bytes": lambda: 'proc_name = b"%1000000000d" % 1\n',
    "width by format": lambda: 'proc_name = "{:>9999999999}".format("x")\nbind = "{:{}}".format(1, 10**9)\n',
    "width by f-string": lambda: 'proc_name = f"{1:>9999999999}"\nw = 10**9\nbind = f"{1:{w}}"\n',
    "width by format()": lambda: 'proc_name = format(1, ">9999999999")\nbind = "x".ljust(10**10)\n',
    "zfill and friends": lambda: 'a = "1".zfill(10**10)\nb = "1".center(10**10)\nbind = "1".rjust(10**10)\n',
    "precision": lambda: 'bind = "%.1000000000f" % 1.5\nproc_name = f"{1.5:.1000000000f}"\n',
    "join": lambda: "s = 'x' * 60000\nproc_name = s.join([s] * 60000)\nbind = s.join(s)\n",
    "replace": lambda: "s = 'x' * 60000\nproc_name = s.replace('x', s).replace('x', s)\n",
    "replace of nothing": lambda: "s = 'x' * 60000\nproc_name = s.replace('', s)\n",
    "expandtabs": lambda: "proc_name = ('\\t' * 60000).expandtabs(10**9)\n",
    "translate": lambda: "s = 'x' * 60000\nproc_name = s.translate({120: s})\n",
    "split": lambda: "s = 'x ' * 30000\nbind = s.split()\nworkers = len([s.split() for i in range(1000)])\n",
    "encode": lambda: "s = '\\U0001f600' * 60000\nfor i in range(200):\n    s = s.encode('unicode_escape').decode()\n",
    "range": lambda: "a = list(range(10**12))\nworkers = len(a)\nthreads = sum(range(10**12))\n",
    "ranges in ranges": lambda: "a = [i * j * k for i in range(10**4) for j in range(10**4) for k in range(10**4)]\nbind = a\n",
    "comprehension": lambda: "a = {i: [j for j in range(200)] for i in range(200)}\nb = [x for x in a for y in a for z in a]\nbind = b\n",
    "comprehensions, nested": lambda: "a = " + "[" * 50 + "0" + " for i in range(200)]" * 50 + "\nbind = a\n",
    "generator": lambda: "workers = sum(1 for i in range(10**9))\nthreads = max(i for i in range(10**9))\n",
    "loop": lambda: "i = 0\nwhile True:\n    i += 1\nworkers = i\n",
    "loop over a range": lambda: "s = 0\nfor i in range(10**9):\n    s += i\nworkers = s\n",
    "loops in loops": lambda: numbered("", 0) + "".join(f"{' ' * n}for i{n} in range(200):\n" for n in range(15)) + " " * 15 + "x = 1\n",
    "loop that grows": lambda: "a = [1]\nfor x in a:\n    a.append(x)\nworkers = len(a)\n",
    "recursion": lambda: "def f(n):\n    return f(n + 1)\nworkers = f(0)\n",
    "recursion by two": lambda: "def f(n):\n    return f(n - 1) + f(n - 1) if n else 1\nworkers = f(64)\n",
    "recursion, mutual": lambda: "def f(n):\n    return g(n)\ndef g(n):\n    return f(n) + f(n)\nworkers = f(0)\n",
    "functions by the thousand": lambda: numbered("def f@(): return f@()\n", 1200) + "workers = f0()\n",
    "functions that double": lambda: "def f0(): return 1\n" + "".join(f"def f{n}(): return f{n - 1}() + f{n - 1}()\n" for n in range(1, 80)) + "workers = f79()\n",
    "lambdas": lambda: "f = " + "lambda: " * 500 + "1\nworkers = f()\n",
    "lambdas that double": lambda: "f = lambda x: x\n" + "f = (lambda g: lambda x: g(g(x)))(f)\n" * 60 + "workers = f(1)\n",
    "decorators": lambda: "def d(f): return f\n" + "@d\n" * 3000 + "def f(): return 1\nworkers = f()\n",
    "conditions": lambda: "import os\nx = 1\n" + numbered("if os.getenv('A@'):\n    x = x + @\n", 300) + "workers = x\n",
    "conditional expressions": lambda: "import os\nworkers = " + numbered("@ if os.getenv('A@') else ", 300) + "1\n",
    "elif": lambda: "import os\nif os.name == 'x':\n    pass\n" + numbered("elif os.name == 'y@':\n    workers = @\n", 2000),
    "elif, allowed": lambda: "import os\nif os.name == 'x':\n    pass\n" + numbered("elif os.getenv('y@'):\n    workers = @\n", 195),
    "else: if": lambda: "".join(f"{' ' * n}if x{n}:\n{' ' * n} a = 1\n{' ' * n}else:\n" for n in range(95)) + " " * 95 + "workers = 1\n",
    "try": lambda: "".join(f"{' ' * n}try:\n" for n in range(90)) + " " * 90 + "workers = 1\n" + "".join(f"{' ' * n}except E: pass\n" for n in reversed(range(90))),
    "with": lambda: "with " + numbered("open('@') as f@, ", 3000) + "open('x') as x:\n    workers = 2\n",
    "match": lambda: "match x:\n" + numbered("    case [@, *_]: workers = @\n", 1200),
    "brackets, round": lambda: "workers = " + "(" * 100_000 + ")" * 100_000 + "\n",
    "brackets, square": lambda: "workers = " + "[" * 100_000 + "]" * 100_000 + "\n",
    "brackets, curly": lambda: "workers = " + "{1:" * 100_000 + "1" + "}" * 100_000 + "\n",
    "brackets, never closed": lambda: "workers = " + "([{" * 30_000 + "\n",
    "brackets, allowed": lambda: ("workers = " + "[" * 95 + "]" * 95 + "\n") * 70,
    "calls of calls": lambda: "workers = f" + "()" * 50_000 + "\n",
    "attributes": lambda: "workers = f" + ".a" * 50_000 + "\n",
    "indexes": lambda: "workers = f" + "[0]" * 50_000 + "\n",
    "additions": lambda: "workers = 1" + " + 1" * 100_000 + "\n",
    "additions, allowed": lambda: "workers = 1" + " + 1" * 900 + "\n",
    "negations": lambda: "workers = " + "-" * 100_000 + "1\n",
    "nots": lambda: "workers = " + "not " * 100_000 + "1\n",
    "nots, allowed": lambda: "workers = " + "not " * 1900 + "1\n",
    "powers, allowed": lambda: "workers = 1" + " ** 1" * 900 + "\n",
    "ors": lambda: "import os\nworkers = " + "os.getenv('A') or " * 20_000 + "1\n",
    "comparisons": lambda: "workers = 1" + " < 1" * 50_000 + "\n",
    "assignments": lambda: "a = " * 50_000 + "1\n",
    "assignments, allowed": lambda: "a = " * 900 + "1\n",
    "indentation": lambda: "".join(f"{' ' * n}if 1:\n" for n in range(1500)) + " " * 1500 + "workers = 1\n",
    "indentation, allowed": lambda: "".join(f"{' ' * n}if a{n}:\n" for n in range(99)) + " " * 99 + "workers = 1\n",
    "classes": lambda: "".join(f"{' ' * n}class A:\n" for n in range(99)) + " " * 99 + "workers = 1\n",
    "tokens on one line": lambda: "workers = [" + "1, " * 300_000 + "]\n",
    "tokens, nearly too many": lambda: "workers = [" + "1, " * 7400 + "]\n",
    "statements, nearly too many": lambda: "a = 1\n" * 3700,
    "names, nearly too many": lambda: numbered("a@ = a\n", 3700),
    "calls, nearly too many": lambda: "import os\n" + numbered("os.environ.get('A@', '@')\n", 1300),
    "semicolons": lambda: "a=1;" * 3700 + "\n",
    "lines": lambda: fill("\n"),
    "comments": lambda: fill("# gunicorn\n"),
    "suppressions": lambda: fill("# gunilint: ignore[GU301] x\n"),
    "suppression of everything": lambda: "x = 1  # gunilint: ignore[" + fill("GU301, ") + "]\n",
    "suppression, never closed": lambda: "x = 1  " + fill("# gunilint: ignore[") + "\n",
    "continued lines": lambda: "a = 1 " + fill("\\\n") + "\n",
    "whole number": lambda: "workers = " + "9" * BIG + "\n",
    "whole numbers": lambda: ("workers = " + "9" * 4000 + "\n") * 400,
    "whole number, hexadecimal": lambda: "workers = 0x" + "f" * BIG + "\n",
    "whole number of a text": lambda: "workers = int('9' * 60000)\nthreads = int('f' * 60000, 16)\nbind = str(16 ** 60000)\n",
    "fraction": lambda: "timeout = 1e999999999\nworkers = int(1e308)\nthreads = int('1' + '0' * 300)\n",
    "long text": lambda: "proc_name = '" + "x" * BIG + "'\n",
    "long text, of escapes": lambda: "proc_name = '" + fill("\\x41") + "'\n",
    "long text, of names": lambda: "proc_name = '" + fill("\\N{GREEK SMALL LETTER ALPHA}") + "'\n",
    "long text, joined": lambda: "proc_name = (" + "'x' " * 7000 + ")\n",
    "long name": lambda: "a" * BIG + " = 1\n",
    "long comment": lambda: "#" + "x" * BIG + "\nworkers = 2\n",
    "long secret": lambda: "raw_env = ['DB_PASSWORD=" + "k3Jq" * 400_000 + "']\n",
    "secrets": lambda: "raw_env = [\n" + numbered("    'DB_PASSWORD@=hunter2k3Jq@',\n", 2400) + "]\n",
    "quotes": lambda: fill("'"),
    "quotes, triple": lambda: "a = '''" + fill("'' "),
    "f-string, nested": lambda: "a = " + "f'{" * 50_000 + "1" + "}'" * 50_000 + "\n",
    "f-string, braces": lambda: "a = f'" + fill("{") + "'\n",
    "f-string, parts": lambda: "x = 1\na = f'" + "{x}" * 4000 + "'\nproc_name = a\n",
    "f-string, a megabyte": lambda: "x = 1\na = f'" + fill("{x}") + "'\n",
    "f-strings, a megabyte": lambda: fill('a = f"{f\'{f"{1}"}\'}"\n'),
    "template": lambda: "a = '" + fill("{{ ") + "'\n= =\n",
    "template, percent": lambda: "= =\n" + fill("{% "),
    "Python 2": lambda: fill('print "x"\n'),
    "octal": lambda: "x = " + fill("0777 ") + "\n",
    "NUL": lambda: "x = '" + "\0" * BIG + "'\n",
    "carriage returns": lambda: fill("\r"),
    "form feeds": lambda: fill("\f") + "workers = 2\n",
    "wide characters": lambda: "# " + "\U0001f600" * 450_000 + "\nworkers = 2\n",
    "surrogates": lambda: "proc_name = '" + "\\ud800" * 10_000 + "'\n",
    "tabs": lambda: "if 1:\n" + fill("\t") + "workers = 1\n",
    "parameters": lambda: "def on_starting(" + numbered("a@, ", 5000) + "b): pass\n",
    "hooks": lambda: "def post_fork(server, worker): pass\n" * 1500,
    "getattr": lambda: "import os\nworkers = getattr(os, 'x' * 60000)\nthreads = globals()['workers']\nexec('x = 1')\n",
    "regular expression": lambda: "import re\nworkers = len(re.sub('(a+)+$', '', 'a' * 60000 + 'b'))\n",
    "json": lambda: "import json\nworkers = json.loads('[' * 60000)\nbind = json.dumps([[0] * 100] * 100)\n",
    "cpus": lambda: "import multiprocessing\nc = multiprocessing.cpu_count()\n" + "c = c * c + 1\n" * 200 + "workers = c\n",
    "cpus to the power": lambda: "import multiprocessing\nc = multiprocessing.cpu_count()\nworkers = c ** c ** c ** c\nthreads = 1 << (c << 40)\n",
    "cpus in texts": lambda: "import multiprocessing\nc = multiprocessing.cpu_count()\nproc_name = 'x' * c * 10**9\nbind = ['x'] * (c * 10**9)\n",
    "alternatives": lambda: "import os\na = 'x' if os.getenv('A') else 'y'\n" + "a = a + a if os.getenv('B') else a + 'z'\n" * 200 + "bind = a\n",
    "alternatives of lists": lambda: "import os\n" + numbered("a@ = ['x', 'y'] if os.getenv('A@') else ['z']\n", 100) + "bind = " + "+".join(f"a{n}" for n in range(100)) + "\n",
    "environment": lambda: "import os\n" + numbered("os.environ['A@'] = os.environ.get('A@', 'x') * 1000\n", 800) + "workers = os.environ['A1']\n",
    "path": lambda: "import os\np = 'a'\n" + "p = os.path.join(p, p)\n" * 60 + "chdir = p\npidfile = '../' * 60000\n",
    "star imports of itself": lambda: "from gunicorn.conf import *\nfrom .gunicorn import *\nimport gunicorn.conf\n" * 1000,
}  # fmt: skip

SHELL: dict[str, Callable[[], str]] = {
    "doublings": lambda: "A=x\n" + "A=$A$A\n" * 100 + 'gunicorn -n "$A" app:app',
    "doublings, exported": lambda: "export A=x\n" + 'export A="${A}${A}"\n' * 100 + 'gunicorn -n "$A" app:app',
    "doublings of options": lambda: "A='-w 2'\n" + 'A="$A $A"\n' * 100 + "gunicorn $A app:app",
    "doublings by +=": lambda: "A=x\n" + "A+=$A\n" * 100 + 'gunicorn -n "$A" app:app',
    "doublings of an array": lambda: "A=(x)\n" + 'A=("${A[@]}" "${A[@]}")\n' * 100 + 'gunicorn "${A[@]}" app:app',
    "array with a far index": lambda: "A[999999999999999999999]=x\nA[2147483647]=y\nA=([9999999999999]=x y z)\ngunicorn ${A[@]} app:app",
    "array, large": lambda: "A=(" + "x " * 40_000 + ')\ngunicorn "${A[@]}" app:app',
    "array, appended": lambda: "A=()\n" + "A+=(x y z)\n" * 4000 + 'gunicorn "${A[@]}" app:app',
    "array, associative": lambda: "declare -A A\n" + numbered("A[k@]=x\n", 5000) + 'gunicorn "${A[@]}" app:app',
    "braces": lambda: "gunicorn {1..1000000000} app:app",
    "braces, nested": lambda: "gunicorn {1..1000}{1..1000}{1..1000}{1..1000} app:app",
    "braces, deep": lambda: "gunicorn " + "{a," * 5000 + "b" + "}" * 5000 + " app:app",
    "braces, many": lambda: "gunicorn " + "{a,b}" * 5000 + " app:app",
    "braces, open": lambda: "gunicorn " + "{a," * 50_000 + " app:app",
    "braces, huge numbers": lambda: "gunicorn {1..99999999999999999999999999..99999999} {a..z..0} {99999999999..1} app:app",
    "arithmetic": lambda: "A=$((10**10**10))\nB=$((1<<999999999))\ngunicorn -w $A app:app",
    "arithmetic that doubles": lambda: "A=3\n" + "A=$((A*A))\n" * 500 + "gunicorn -w $A app:app",
    "arithmetic, deep": lambda: "A=$((" + "(" * 20_000 + "1" + ")" * 20_000 + "))\ngunicorn -w $A app:app",
    "arithmetic, long": lambda: "A=$((1" + "+1" * 100_000 + "))\ngunicorn -w $A app:app",
    "arithmetic, nested names": lambda: numbered("A@=A@+A@\n", 200) + "gunicorn -w $((A0)) app:app",
    "arithmetic of itself": lambda: "A=A\nB=B+B\ngunicorn -w $((A+B)) app:app",
    "arithmetic, digits": lambda: "gunicorn -w $((" + "9" * 500_000 + ")) app:app",
    "arithmetic, ternary": lambda: "gunicorn -w $((" + "1?1:" * 20_000 + "1)) app:app",
    "arithmetic, negations": lambda: "gunicorn -w $((" + "- ~ ! " * 30_000 + "1)) app:app",
    "function of itself": lambda: "f() { f; }\nf\nf",
    "function by two": lambda: "f() { f; f; }\nf",
    "functions that double": lambda: "f0() { gunicorn app:app; }\n" + "".join(f"f{n}() {{ f{n - 1}; f{n - 1}; }}\n" for n in range(1, 60)) + "f59",
    "functions, substituted": lambda: "f0() { echo x; }\n" + "".join(f"f{n}() {{ echo $(f{n - 1})$(f{n - 1}); }}\n" for n in range(1, 60)) + "gunicorn -n $(f59) app:app",
    "functions by the thousand": lambda: numbered("f@() { echo @; }\n", 8000) + "f1",
    "sources itself": lambda: ". ./start.sh\nsource start.sh\n. ./start.sh",
    "sources itself by two": lambda: ". ./start.sh\n. ./start.sh\n" * 200,
    "starts itself": lambda: "./start.sh\nsh start.sh\nbash ./start.sh\n" * 300,
    "heredoc": lambda: "cat > gunicorn.conf.py <<EOF\n" + fill("workers = 2\n") + "EOF",
    "heredocs": lambda: numbered("cat > conf@.py <<EOF\nworkers = 2\nEOF\n", 5000),
    "heredoc, doubling": lambda: "A=x\n" + 'A="$(cat <<EOF\n$A$A\nEOF\n)"\n' * 100 + 'gunicorn -n "$A" app:app',
    "heredoc, open": lambda: fill("cat <<EOF\n", 200_000),
    "long line": lambda: "gunicorn " + "x" * BIG,
    "long line of words": lambda: "gunicorn " + "x " * 40_000 + "app:app",
    "long line of options": lambda: "gunicorn " + "-w 2 " * 20_000 + "app:app",
    "too many words": lambda: "echo " + fill("x "),
    "case": lambda: "case $1 in\n" + numbered("a@) gunicorn -w @ app:app ;;\n", 4000) + "esac",
    "case, patterns": lambda: "case $1 in\n" + numbered("a@|*b@*|[c-d]@) W=@ ;;\n", 4000) + "esac\ngunicorn -w $W app:app",
    "case, stars": lambda: "A=" + "a" * 60_000 + "\ncase $A in " + "*a" * 5000 + "*b) gunicorn app:app ;; esac",
    "if": lambda: "if a; then :\n" + numbered("elif [ $X = @ ]; then gunicorn -w @ app:app\n", 4000) + "fi",
    "if, nested": lambda: "if a; then\n" * 3000 + "gunicorn app:app\n" + "fi\n" * 3000,
    "if, nested, allowed": lambda: numbered('if [ -n "$A@" ]; then W=@\n', 95) + "gunicorn -w $W app:app\n" + "fi\n" * 95,
    "ifs": lambda: numbered('if [ "$A@" ]; then W=$W@; fi\n', 3000) + "gunicorn -n $W app:app",
    "if with alternatives": lambda: numbered('if [ "$A@" ]; then W="$W x"; else W="$W y"; fi\n', 300) + "gunicorn -n $W app:app",
    "alternatives in one word": lambda: numbered('if [ "$X@" ]; then A@=x; else A@=y; fi\n', 60) + "gunicorn -n " + numbered("$A@", 60) + " app:app",
    "prefix removal": lambda: "A=" + "a" * 60_000 + "\ngunicorn -n ${A##" + "*a" * 3000 + "*b} app:app",
    "suffix removal": lambda: "A=" + "a" * 60_000 + "\n" + "B=${A%%*a*a*a*a*b*}\nC=${A%a*a*a*a*b}\n" * 50 + "gunicorn -n $B$C app:app",
    "replacement": lambda: "A=" + "a" * 60_000 + "\nB=${A//a/$A}\nC=${B//a/$B}\ngunicorn -n $C app:app",
    "replacement, stars": lambda: "A=" + "a" * 60_000 + "\nB=${A//*a*a*b/x}\nC=${A/a*a*a*a*b/}\ngunicorn -n $B$C app:app",
    "extended patterns": lambda: "shopt -s extglob\nA=" + "a" * 60_000 + "\nB=${A##+(+(a))b}\n[[ $A == +(a|aa|*(a))b ]] && gunicorn app:app",
    "regular expression": lambda: "A=" + "a" * 60_000 + "b\n[[ $A =~ ^(a+)+$ ]] && gunicorn app:app",
    "substring": lambda: "A=x\nB=${A:0:99999999999999999999}${A:$((10**18))}\ngunicorn -n $B app:app",
    "printf": lambda: "A=$(printf '%1000000000d' 1)\nprintf -v B '%0999999999d' 1\nC=$(printf 'x%.0s' {1..1000000})\ngunicorn -n $A$B$C app:app",
    "seq": lambda: "for i in $(seq 1 1000000000); do gunicorn -w $i app:app; done",
    "default of default": lambda: "gunicorn -n ${A:-" * 5000 + "x" + "}" * 5000 + " app:app",
    "default that assigns": lambda: numbered("${A@:=$A@$A@}\n", 3000) + "gunicorn -n $A1 app:app",
    "indirect": lambda: "A=A\nB=${!A}${!B}\n" + "A=${!A}\n" * 300 + "gunicorn -n ${!A} app:app",
    "for": lambda: "for i in {1..100000}; do for j in {1..100000}; do gunicorn -w $i app:app; done; done",
    "for, nested": lambda: "for i in 1 2 3 4 5 6 7 8 9; do\n" * 30 + "gunicorn app:app\n" + "done\n" * 30,
    "for with C's form": lambda: "for ((i=0; i<1000000000; i++)); do A=$A$i; done\ngunicorn -n $A app:app",
    "while": lambda: "while true; do gunicorn app:app; A=$A$A; done\nuntil false; do :; done",
    "while, nested": lambda: "while true; do\n" * 90 + "gunicorn app:app\n" + "done\n" * 90,
    "braces before far characters": lambda: "".join(f"echo {{{chr(plane << 16 | 0xABCD)}}} {{1..{chr(plane << 16)}\n" for plane in range(1, 17)) * 20,
    "launches": lambda: numbered("gunicorn -w @ -b :@ app:app &\n", 10_000),
    "launches, long": lambda: numbered("gunicorn -w @ --max-requests 5 -n " + "x" * 1000 + " app:app &\n", 1000),
    "launches in functions": lambda: "f() {\n" + numbered("gunicorn -w @ app:app &\n", 500) + "}\n" + "f\n" * 500,
    "sh -c": lambda: 'sh -c "' * 300 + "gunicorn app:app" + '"' * 300,
    "sh -c, quoted": lambda: "A='gunicorn app:app'\n" + 'A="sh -c \'$A\'"\n' * 100 + "$A\neval $A",
    "eval": lambda: "eval " * 20_000 + "gunicorn app:app",
    "eval that doubles": lambda: "A='eval $A; eval $A'\neval $A",
    "eval of itself": lambda: 'A=\'eval "$A"\'\neval "$A"',
    "wrappers": lambda: "exec env nice nohup setsid timeout 5 " * 3000 + "gunicorn app:app",
    "substitutions, nested": lambda: "gunicorn -n " + "$(echo " * 20_000 + "x" + ")" * 20_000 + " app:app",
    "substitutions, allowed": lambda: "gunicorn -n " + "$(echo " * 40 + "x" + ")" * 40 + " app:app",
    "substitutions, quoted": lambda: "gunicorn -n " + '"$(echo ' * 5000 + "x" + ')"' * 5000 + " app:app",
    "substitutions, doubling": lambda: "A=x\n" + "A=$(echo $A $A)\n" * 100 + "gunicorn -n $A app:app",
    "backquotes": lambda: "gunicorn -n " + "`echo " * 20_000 + "x" + "`" * 20_000 + " app:app",
    "quotes": lambda: fill("\"'"),
    "quotes, joined": lambda: "gunicorn -n " + "'a'\"b\"" * 10_000 + " app:app",
    "dollars": lambda: "gunicorn -n " + fill("$", 500_000) + " app:app",
    "expansions, open": lambda: "gunicorn -n " + fill("${", 200_000) + " app:app",
    "backslashes": lambda: "gunicorn -n " + fill("\\") + " app:app",
    "continued lines": lambda: "gunicorn " + fill("\\\n") + " app:app",
    "groups": lambda: "{ " * 20_000 + "gunicorn app:app; " + "}; " * 20_000,
    "subshells": lambda: "(" * 20_000 + "gunicorn app:app" + ")" * 20_000,
    "pipes": lambda: "a | " * 20_000 + "gunicorn app:app",
    "ands": lambda: "a && " * 20_000 + "gunicorn app:app",
    "ands, allowed": lambda: numbered("[ $A@ ] && ", 2000) + "gunicorn app:app",
    "semicolons": lambda: ";" * 500_000,
    "redirections": lambda: "gunicorn app:app " + ">a 2>&1 " * 20_000,
    "tests": lambda: "if " + "! " * 20_000 + "[ x ]; then gunicorn app:app; fi",
    "tests, brackets": lambda: "if [[ " + "( " * 5000 + "x" + " )" * 5000 + " ]]; then gunicorn app:app; fi",
    "tests, ors": lambda: "if [[ " + "$A == b || " * 5000 + "x ]]; then gunicorn app:app; fi",
    "assignments": lambda: numbered("A@=$B@\n", 20_000) + "gunicorn -n $A1 app:app",
    "assignments, chained": lambda: "A0=x\n" + "".join(f"A{n}=$A{n - 1}$A{n - 1}\n" for n in range(1, 3000)) + "gunicorn -n $A2999 app:app",
    "exports": lambda: numbered("export A@=x\n", 15_000),
    "traps": lambda: numbered("trap 'kill -TERM $PID; trap \"x\" @' TERM\n", 4000),
    "set --": lambda: "set -- x\n" + 'set -- "$@" "$@"\n' * 100 + 'gunicorn -n "$*" app:app',
    "getopts": lambda: 'while getopts "' + "a:" * 5000 + '" o; do case $o in a) W=$OPTARG;; esac; done\ngunicorn -w $W app:app',
    "read": lambda: "while read -r A; do set -- $A $A; done < x\ngunicorn -w $A app:app",
    "words of launches": lambda: numbered("A@=gunicorn\n", 3000) + numbered("$A@ app:app\n", 3000),
    "comments": lambda: fill("# gunicorn\n", 1_000_000),
    "comments, too many": lambda: fill("# gunicorn\n"),
    "suppressions": lambda: fill("# gunilint: ignore[GU301] x\n", 1_000_000),
    "lines": lambda: fill("\n"),
    "carriage returns": lambda: fill("x\r\n", 300_000),
    "wide characters": lambda: "# " + "\U0001f600" * 400_000,
    "nonsense": lambda: fill("<<<>>>|&;(){}[]$`'\"\\", 300_000),
    "nonsense, open": lambda: fill("((", 200_000) + fill("{ ", 100_000),
    "commands without end": lambda: fill("a;", 1_000_000),
    "numbers": lambda: "gunicorn -w " + "9" * 500_000 + " --timeout 1e999999 --threads 0x" + "f" * 60_000 + " app:app",
    "binds": lambda: "gunicorn " + numbered("-b 127.0.0.1:@ ", 20_000) + "app:app",
    "application path": lambda: "gunicorn " + "a." * 50_000 + "b:c",
    "application factory": lambda: "gunicorn 'a:b(" + "(" * 20_000 + ")'",
    "config path": lambda: "gunicorn -c " + "a/" * 50_000 + "b.py app:app",
    "config path upwards": lambda: "gunicorn -c " + "../" * 50_000 + "b.py app:app",
    "chdir": lambda: numbered("cd a@/..\n", 5000) + "gunicorn --chdir " + "x/../" * 20_000 + " app:app",
}  # fmt: skip


SYSTEMD: dict[str, Callable[[], Files]] = {
    "directives": lambda: unit(numbered("Environment=A@=x\n", 20_000)),
    "variables that double": lambda: unit(
        "Environment=A=x\n" + 'Environment="A=${A}${A}"\n' * 100, "ExecStart=/usr/bin/gunicorn -n ${A} app:app"
    ),
    "words": lambda: unit("", "ExecStart=/usr/bin/gunicorn " + "x " * 200_000 + "app:app"),
    "commands": lambda: unit("", "ExecStart=" + "/bin/a ; " * 100_000 + "/usr/bin/gunicorn app:app"),
    "continued lines": lambda: unit("", "ExecStart=/usr/bin/gunicorn \\\n" + "x \\\n" * 200_000 + "app:app"),
    "continued without end": lambda: unit("", "ExecStart=/usr/bin/gunicorn " + fill("\\\n")),
    "specifiers": lambda: unit("", "ExecStart=/usr/bin/gunicorn -n " + "%i%p%n" * 100_000 + " app:app"),
    "percents": lambda: unit("", "ExecStart=/usr/bin/gunicorn -n " + fill("%") + " app:app"),
    "dollars": lambda: unit("", "ExecStart=/usr/bin/gunicorn -n " + fill("$") + " app:app"),
    "quotes": lambda: unit("", "ExecStart=/usr/bin/gunicorn " + fill("\"'") + " app:app"),
    "escapes": lambda: unit("", "ExecStart=/usr/bin/gunicorn " + fill("\\x41") + " app:app"),
    "sections": lambda: unit(numbered("[Service@]\nA=b\n", 30_000)),
    "comments": lambda: unit(fill("# gunicorn\n")),
    "time span": lambda: unit("TimeoutStopSec=" + fill("1s ") + "\nRestartSec=" + "9" * 60_000),
    "drop-ins": lambda: {
        **unit(""), **{f"app.service.d/{n:05}.conf": f"[Service]\nEnvironment=A{n}=x\n" for n in range(2000)}
    },
    "units": lambda: {f"u{n}.service": f"[Unit]\nAfter=u{n + 1}.service\n[Service]\nExecStart=/usr/bin/gunicorn a:b\n" for n in range(300)},
    "environment files": lambda: {
        **unit(numbered("EnvironmentFile=/srv/env@\n", 500)), **{f"env{n}": numbered("A@=x\n", 50) for n in range(500)}
    },
    "environment file": lambda: {**unit("EnvironmentFile=/srv/app.env\n"), "app.env": fill("A='x\n")},
    "wrapped in shells": lambda: unit("", "ExecStart=/bin/sh -c \"" + "sh -c '" * 300 + "gunicorn app:app" + "'" * 300 + '"'),
}  # fmt: skip

BESIDE: dict[str, Callable[[], Files]] = {
    "application, brackets": lambda: app("app = " + "[" * 100_000 + "]" * 100_000),
    "application, additions": lambda: app("app = 1" + " + 1" * 100_000),
    "application, functions": lambda: app(numbered("def f@(): return f@()\n", 20_000) + "app = f1()\n"),
    "application, imports itself": lambda: app("from app import *\nimport app\nfrom app import app\n" * 3000),
    "application, a megabyte": lambda: app("from fastapi import FastAPI\napp = FastAPI()\n" + fill("x = 1\n")),
    "requirements": lambda: {**script(""), "requirements.txt": numbered("package@==1.0\n", 60_000)},
    "requirements of themselves": lambda: {**script(""), "requirements.txt": "-r requirements.txt\n" * 5000},
    "requirement, long": lambda: {**script(""), "requirements.txt": "gunicorn" + ">=1," * 100_000 + "<2\n"},
    "requirement, brackets": lambda: {**script(""), "requirements.txt": "gunicorn; " + "(" * 100_000 + "\n"},
    "pyproject.toml, nested": lambda: {**script(""), "pyproject.toml": "a = " + "[" * 100_000},
    "pyproject.toml, dependencies": lambda: {
        **script(""), "pyproject.toml": "[project]\ndependencies = [\n" + numbered('"package@>=1",\n', 60_000) + "]\n"
    },
    "poetry.lock": lambda: {**script(""), "poetry.lock": numbered('[[package]]\nname = "p@"\nversion = "1.0"\n', 30_000)},
    "Pipfile.lock": lambda: {**script(""), "Pipfile.lock": '{"default": ' + "[" * 100_000},
    ".gitignore": lambda: {**script(""), ".gitignore": "*a" * 2000 + "b\n" + "**/" * 3000 + "\n", "a" * 200: ""},
    ".gitignore, many lines": lambda: {**script(""), ".gitignore": numbered("*a@*b\n", 3000), "a" * 100: ""},
    "Dockerfile": lambda: {**script(""), "Dockerfile": "FROM x\nCMD " + fill("a \\\n")},
    "compose.yaml": lambda: {**script(""), "compose.yaml": "services:\n" + numbered("  a@:\n    command: gunicorn a:b\n", 20_000)},
    "nginx.conf": lambda: {**script(""), "nginx.conf": "upstream a { " * 20_000},
    "files": lambda: {**script(""), **{f"f{n}": "x" for n in range(5000)}},
    "deep folders": lambda: {**script(""), "d/" * 500 + "start.sh": "#!/bin/sh\ngunicorn a:b\n"},
    "baseline": lambda: {**script(""), "gunilint.toml": 'baseline = "b.json"\n', "b.json": "[" * 1_000_000},
    "configuration, nested": lambda: {**script(""), "gunilint.toml": "select = " + "[" * 100_000},
    "configuration, large": lambda: {**script(""), "gunilint.toml": fill("# x\n")},
    "team rule, aliases": lambda: {
        **script(""), "gunilint.toml": 'extend-rules = ["ops"]\n',
        "ops/a.yaml": "a: &a [x, x]\n" + "".join(f"{c}: &{c} [*{b}, *{b}, *{b}]\n" for b, c in zip("abcdefghij", "bcdefghijk", strict=True)),
    },
    "team rule, nested": lambda: {**script(""), "gunilint.toml": 'extend-rules = ["ops"]\n', "ops/a.yaml": "[" * 100_000},
}  # fmt: skip

CASES: dict[str, Callable[[], Files]] = {
    **{f"config: {name}": lambda make=make: config(make()) for name, make in PYTHON.items()},
    **{f"script: {name}": lambda make=make: script(make()) for name, make in SHELL.items()},
    **{f"unit: {name}": make for name, make in SYSTEMD.items()},
    **{f"beside: {name}": make for name, make in BESIDE.items()},
}


@pytest.fixture(scope="session")
def forked() -> Iterator[Forked]:
    with Forked() as server:
        yield server


def bounded(run: Run) -> None:
    assert run.status in (0, 1, 2, 3), run.stderr[-2000:]
    assert "that is a bug" not in run.stderr, run.stderr[-2000:]
    assert run.cpu <= CPU
    assert run.peak <= PEAK


@pytest.mark.parametrize("make", CASES.values(), ids=CASES)
def test_hostile_input_is_bounded(
    tmp_path: Path, forked: Forked, make: Callable[[], Files]
) -> None:
    for path, text in make().items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
    for _ in range(TRIES):
        run = forked.run(tmp_path, "--output", "text:-", "--output", "sarif:out.sarif")
        if run.cpu <= CPU:
            break
    bounded(run)


def loop(folder: Path) -> None:
    (folder / "a.sh").symlink_to("b.sh")
    (folder / "b.sh").symlink_to("a.sh")


def chain(folder: Path) -> None:
    (folder / "l0.sh").write_text("gunicorn app:app\n")
    for number in range(1, 60):
        (folder / f"l{number}.sh").symlink_to(f"l{number - 1}.sh")


def folders_in_a_circle(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub/up").symlink_to("..")
    (folder / "sub/start.sh").write_text("cd up/sub/up/sub && gunicorn -c up/sub/up/c.py app:app\n")


def root_of_the_machine(folder: Path) -> None:
    (folder / "all").symlink_to("/")
    (folder / "start.sh").write_text("gunicorn -c all/etc/passwd --chdir all app:app\n")


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "gunicorn.conf.py")
    os.mkfifo(folder / "entrypoint")
    os.mkfifo(folder / ".gitignore")
    (folder / "start.sh").write_text("gunicorn -c gunicorn.conf.py app:app\n")


def listening(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(folder / "run.sh"))


def endless(folder: Path) -> None:
    (folder / "gunicorn.conf.py").symlink_to("/dev/zero")
    (folder / "start.sh").symlink_to("/dev/urandom")
    (folder / "gunilint.toml").symlink_to("/dev/zero")


@pytest.mark.parametrize(
    "make", [loop, chain, folders_in_a_circle, root_of_the_machine, pipe, listening, endless]
)
def test_hostile_folder_is_bounded(tmp_path: Path, forked: Forked, make) -> None:
    make(tmp_path)
    run = forked.run(tmp_path, ".")
    bounded(run)
    assert not re.search(r"root:|/etc/passwd`? can", run.stdout)


@pytest.mark.parametrize("option", ["--config", "--baseline"])
def test_pipe_is_no_configuration(tmp_path: Path, forked: Forked, option: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "gunicorn.conf.py").write_text("workers = 2\n")
    run = forked.run(tmp_path, option, "pipe")
    bounded(run)
    assert (run.status, run.stdout) == (2, "")
    assert "it is no regular file" in run.stderr
