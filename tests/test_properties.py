"""What holds for any input at all: no exception, and places inside the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gunilint.discover import Tree
from gunilint.engine import check, report
from gunilint.evaluate import evaluate
from gunilint.interpret import commands
from gunilint.parse import python_config, shell, systemd
from gunilint.report import concise, sarif, text
from gunilint.report import json as json_report
from gunilint.resolve import resolve
from gunilint.rules import load_rules
from gunilint.source import Fragment, Source, Span

PROFILE = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
WORDS = st.sampled_from(
    """gunicorn app:app --workers -w 4 $W ${W:-4} "$@" $(nproc) exec && || ; & | > 2>&1 - \\ ' " ` ( ) { }
    if then else fi for do done case esac in [ ] [[ ]] = == A=1 A=(x) cd export . eval set -- ${A[@]} $((1+2))
    # <<EOF EOF [Service] [Unit] ExecStart= Environment= Type=notify After= %i %z $$ workers = import os
    os.getenv("W") or if else: def f(): return lambda try: except: with for x in [1]: += f"{x}" ** * / é 'ü'
    \t \r \f \x00 \u2028 \ud800""".split(" ")
)
TEXTS = st.one_of(
    st.lists(st.one_of(WORDS, st.just("\n"), st.just("\r\n"), st.just(" ")), max_size=40).map(
        " ".join
    ),
    st.text(max_size=200),
)


def inside(span: Span) -> bool:
    return (
        0 <= span.start <= span.end <= len(span.source.text) and span.line >= 1 and span.column >= 1
    )


@PROFILE
@given(TEXTS)
def test_shell_scripts(script: str) -> None:
    parsed = shell.parse(Fragment.whole(Source("start.sh", script)))
    assert all(inside(problem.span) for problem in parsed.problems)
    for command in commands(parsed):
        assert inside(command.span)
        assert all(inside(word.span) and inside(word.part(0)) for word in command.words)


@PROFILE
@given(TEXTS)
def test_units(unit_text: str) -> None:
    unit = systemd.parse(Source("a@.service", unit_text), "a@.service")
    environment = systemd.environment(unit, lambda _: None)
    assert all(inside(problem.span) for problem in unit.problems)
    assert all(inside(directive.span) for directive in unit.directives)
    for command in systemd.commands(unit, "ExecStart", environment):
        assert all(inside(word.span) for word in command.words)


@PROFILE
@given(TEXTS)
def test_environment_files(content: str) -> None:
    for value in systemd.environment_file(Source(".env", content)).values():
        assert all(inside(span) for span in value.via)


@PROFILE
@given(TEXTS)
def test_configs(config: str) -> None:
    parsed = python_config.parse(Source("gunicorn.conf.py", config))
    assert all(inside(problem.span) for problem in parsed.problems)
    for binding in evaluate(parsed, environment={}).bindings.values():
        assert inside(binding.span)
        assert inside(binding.target)


@PROFILE
@given(st.text(max_size=20), TEXTS, TEXTS, TEXTS)
def test_whole_projects_in_every_format(
    tmp_path_factory: pytest.TempPathFactory, value: str, config: str, script: str, unit: str
) -> None:
    root = tmp_path_factory.mktemp("project")
    kinds = {}
    for path, kind, content in (
        ("gunicorn.conf.py", "config", config),
        (
            "start.sh",
            "script",
            f"#!/bin/sh\nW={value!r}\n{script}\ngunicorn -c gunicorn.conf.py a:b",
        ),
        ("a.service", "unit", f"{unit}\n[Service]\nType=notify\nExecStart=/x/start.sh"),
    ):
        (root / path).write_bytes(content.encode("utf-8", "surrogatepass"))
        kinds[path] = kind
    project = resolve(Tree(root.resolve()), kinds)
    findings, errors = check(project, load_rules())
    assert errors == ()
    for finding in findings:
        assert inside(finding.primary.span)
        assert all(inside(label.span) for label in finding.related)
    from gunilint.engine import Result

    result = Result(findings, load_rules(), False, len(project.deployments), len(project.files))
    made = report(result, Path(root))
    assert json.loads(json_report.render(made))
    assert json.loads(sarif.render(made))
    assert text.render(made)
    assert concise.render(made).count("\n") == len(findings)
