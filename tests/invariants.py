"""What holds for every input, for the fuzzers in `fuzz/`, their corpora and the generated tests."""

from __future__ import annotations

import json
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterable, Mapping
from html.parser import HTMLParser
from pathlib import Path

from gunilint import forms
from gunilint.discover import decode
from gunilint.engine import Result, report, run
from gunilint.evaluate import evaluate
from gunilint.interpret import commands
from gunilint.output import FORMATS, Output, made
from gunilint.parse import python_config, shell, systemd
from gunilint.policy import Policy, same
from gunilint.rules import load_rules
from gunilint.source import Fragment, Source, Span

SEPARATOR = b"\n%%%%\n"
"""What stands between the files of a project in one input."""

PROJECT = ("gunicorn.conf.py", "start.sh", "web.service", "web.service.d/more.conf")
"""The files that the parts of an input are, in their order."""


def is_inside(span: Span) -> bool:
    """Whether a span lies in its file, and its lines and columns are those of its offsets."""
    source = span.source
    if not 0 <= span.start <= span.end <= len(source.text):
        return False
    return source.offset(span.line, span.column) == span.start


def check(spans: Iterable[Span]) -> None:
    for span in spans:
        assert is_inside(span), (span.start, span.end, len(span.source.text))


def config(data: bytes) -> None:
    """A Python config: parsed, kept as a cache does, and evaluated."""
    source, _ = decode("gunicorn.conf.py", data)
    parsed = python_config.parse(source)
    check(problem.span for problem in parsed.problems)
    form = forms.dump(parsed)
    assert form is None or forms.load(form, source) == parsed
    for binding in evaluate(parsed, environment={}).bindings.values():
        check((binding.span, binding.target))


def script(data: bytes) -> None:
    """A shell script: parsed and followed."""
    source, _ = decode("start.sh", data)
    parsed = shell.parse(Fragment.whole(source))
    check(problem.span for problem in parsed.problems)
    for command in commands(parsed):
        check((command.span,))
        check(span for word in command.words for span in (word.span, word.part(0)))


def unit(data: bytes) -> None:
    """A unit: parsed, its commands taken apart; the same text as an environment file."""
    source, _ = decode("web@.service", data)
    parsed = systemd.parse(source, "web@.service")
    check(problem.span for problem in parsed.problems)
    check(directive.span for directive in parsed.directives)
    environment = systemd.environment(parsed, lambda _: None)
    for key in ("ExecStart", "ExecStartPre", "ExecReload"):
        for command in systemd.commands(parsed, key, environment):
            check(word.span for word in command.words)
    for value in systemd.environment_file(Source(".env", source.text)).values():
        check(value.via)


def project(data: bytes) -> None:
    """A whole project with all rules, told in every format, twice."""
    parts = dict(zip(PROJECT, data.split(SEPARATOR), strict=False))
    first, second = told(parts), told(parts)
    assert first == second
    for name, text in first.items():
        WELL_FORMED.get(name, lambda _text: None)(text)


def told(files: Mapping[str, bytes]) -> dict[str, str]:
    """What each format says of a project that isn't on the disk."""
    with tempfile.TemporaryDirectory(prefix="gunilint") as folder:
        root = Path(folder).resolve()
        (root / ".git").mkdir()
        unsaved = {root / path: data for path, data in files.items()}
        policy = Policy(load_rules(), folder=root)
        result = run(list(unsaved), same(policy), unsaved, keep=True)
        assert result.errors == ()
        check_result(result)
        shown = report(result, root)
        outputs = made(shown, [Output(name) for name in FORMATS], color="always", quiet=False)
        return dict(zip(FORMATS, (text for _, text in outputs), strict=True))


def check_result(result: Result) -> None:
    for finding in result.findings:
        labels = (finding.primary, *finding.related, *finding.chain)
        check(label.span for label in labels)
        check(edit.span for edit in (finding.fix.edits if finding.fix else ()))


WELL_FORMED: Mapping[str, Callable[[str], object]] = {
    **dict.fromkeys(("json", "sarif", "gitlab", "rdjson"), json.loads),
    **dict.fromkeys(("junit", "checkstyle"), lambda text: ElementTree.fromstring(text.encode())),
    "html": lambda text: HTMLParser().feed(text),
}

INVARIANTS: Mapping[str, Callable[[bytes], None]] = {
    "config": config, "script": script, "unit": unit, "project": project,
}  # fmt: skip
