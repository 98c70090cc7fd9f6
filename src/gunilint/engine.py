"""The pipeline: from paths to the findings of the selected rules."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gunilint.catalogue import version_key
from gunilint.checks import Hit, deployment_checks, project_checks
from gunilint.command import Label
from gunilint.deployment import Project, Target
from gunilint.discover import Kind, Tree, find_root, kind_of
from gunilint.findings import Confidence, Finding, Report, confidence_rank
from gunilint.resolve import resolve
from gunilint.rules import Rule
from gunilint.source import Source, Span

_UNBROKEN = "the broken part of the script changes nothing"
"""What findings on a command rest on where the text around it can't be parsed."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one run found.

    `files` counts the files that were looked at. `errors` are bugs in checks: the rule's code and
    the traceback. `missing` are the arguments that don't exist.
    """

    findings: tuple[Finding, ...]
    deployments: int
    files: int
    errors: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Survey:
    """The projects that the arguments belong to, and the arguments that don't exist."""

    projects: tuple[Project, ...]
    missing: tuple[str, ...] = ()

    @property
    def files(self) -> int:
        """How many files were looked at."""
        return sum(len(project.files) for project in self.projects)


def lint(
    arguments: Sequence[Path], rules: Sequence[Rule], gunicorn_version: str | None = None
) -> Result:
    """Lint files and folders."""
    findings: list[Finding] = []
    errors: list[tuple[str, str]] = []
    deployments = files = 0
    existing, missing = _sorted_out(arguments)
    for project in _projects(existing, gunicorn_version):
        found, failed = check(project, rules)
        findings.extend(found)
        errors.extend(failed)
        deployments += len(project.deployments)
        files += len(project.files)
    return Result(tuple(findings), deployments, files, tuple(errors), missing)


def survey(arguments: Sequence[Path], gunicorn_version: str | None = None) -> Survey:
    """What files and folders start, without judging it."""
    existing, missing = _sorted_out(arguments)
    return Survey(tuple(_projects(existing, gunicorn_version)), missing)


def _sorted_out(arguments: Sequence[Path]) -> tuple[list[Path], tuple[str, ...]]:
    """The arguments that exist, and the texts of those that don't."""
    missing = [path for path in arguments if not path.exists() and not path.is_symlink()]
    return [path for path in arguments if path not in missing], tuple(map(str, missing))


def report(
    result: Result, rules: Sequence[Rule], least: Confidence, working_directory: Path
) -> Report:
    """The findings that are at least so sure, with the paths that people and uploaders expect."""
    repositories: dict[str, str] = {}

    def repository(root: str) -> str:
        if root not in repositories:
            folders = (Path(root), *Path(root).parents)
            found = next((folder for folder in folders if (folder / ".git").exists()), Path(root))
            repositories[root] = str(found)
        return repositories[root]

    sure = [f for f in result.findings if confidence_rank(f.confidence) >= confidence_rank(least)]
    here = str(working_directory)
    return Report(
        findings=tuple(
            sorted(sure, key=lambda f: _order(f, relative_path(f.primary.span.source, here)))
        ),
        rules=tuple(rules),
        deployments=result.deployments,
        files=result.files,
        suppressed=0,
        display=lambda source: relative_path(source, here),
        uri=lambda source: relative_path(source, repository(source.root)),
    )


def relative_path(source: Source, start: str) -> str:
    """The path of a source from the folder `start`, with `/` separators."""
    path = os.path.relpath(os.path.join(source.root, source.path), start)  # noqa: PTH118
    return path.replace(os.sep, "/")


def _order(finding: Finding, path: str) -> tuple[str, int, str]:
    return path, finding.primary.span.start, finding.rule.code


def check(
    project: Project, rules: Sequence[Rule]
) -> tuple[tuple[Finding, ...], tuple[tuple[str, str], ...]]:
    """The findings of `rules` on a project in report order, and the checks that failed."""
    findings: dict[tuple[object, ...], Finding] = {}
    errors: list[tuple[str, str]] = []
    for rule in rules:
        try:
            for hit in _hits(rule, project):
                finding = _finding(rule, hit)
                findings.setdefault((rule.code, hit.span.key, finding.message), finding)
        except Exception:
            errors.append((rule.code, traceback.format_exc()))
    found = sorted(findings.values(), key=lambda f: _order(f, f.primary.span.source.path))
    return tuple(found), tuple(errors)


def _projects(arguments: Iterable[Path], gunicorn_version: str | None) -> Iterator[Project]:
    """Each project that the arguments belong to."""
    for tree, inputs in _inputs_by_root(arguments).values():
        yield resolve(tree, inputs, gunicorn_version)


def _inputs_by_root(arguments: Iterable[Path]) -> dict[Path, tuple[Tree, dict[str, Kind]]]:
    """The tree and the input files of each project that the arguments belong to."""
    projects: dict[Path, tuple[Tree, dict[str, Kind]]] = {}
    for argument in arguments:
        absolute = argument.absolute()
        start = absolute.parent.resolve() / absolute.name
        if absolute.is_dir():
            start = absolute.resolve()
        root = find_root(start)
        tree, inputs = projects.setdefault(root, (Tree(root), {}))
        relative = start.relative_to(root).as_posix()
        inputs.update(_inputs(tree, "" if relative == "." else relative))
    return projects


def _inputs(tree: Tree, path: str) -> Iterator[tuple[str, Kind]]:
    """The files that an argument names, with their kinds; a named Python file is a config."""
    if not tree.is_dir(path):
        kind = kind_of(path, tree) or ("config" if path.endswith(".py") else None)
        if kind is not None:
            yield path, kind
        return
    for file in tree.listing(path):
        found = kind_of(file, tree)
        if found is not None:
            yield file, found


def _holds_for(rule: Rule, target: Target) -> bool:
    bounds = (part.strip() for part in rule.versions.split(","))
    for bound in bounds:
        operator, version = bound[:2].rstrip("0123456789"), bound.lstrip("<>=")
        key, limit = version_key(target.version), version_key(version)
        if (operator == ">=" and key < limit) or (operator == "<" and key >= limit):
            return False
    return True


def _hits(rule: Rule, project: Project) -> Iterator[Hit]:
    on_project = project_checks().get(rule.check)
    if on_project is not None:
        yield from on_project(project, rule.parameters)
        return
    on_deployment = deployment_checks()[rule.check]
    for deployment in project.deployments:
        if not _holds_for(rule, deployment.target):
            continue
        launch = deployment.launch
        certain = launch is None or launch.command.certain
        for hit in on_deployment(deployment, rule.parameters):
            yield hit if certain else replace(hit, assumes=(*hit.assumes, _UNBROKEN))


def _finding(rule: Rule, hit: Hit) -> Finding:
    case = rule.case(hit.variant)
    message = _fill(case.message, hit.values)
    confidence = case.confidence
    if hit.assumes:
        message += f" (assuming that {' and '.join(hit.assumes)})"
        confidence = "medium" if confidence == "high" else confidence
    return Finding(
        rule=rule,
        severity=case.severity,
        confidence=confidence,
        message=message,
        primary=Label(hit.span, _fill(case.label, hit.values)),
        related=tuple(_label(rule, hit, item) for item in hit.related),
        help=_fill(case.help, hit.values) or None,
    )


def _label(rule: Rule, hit: Hit, item: tuple[str, Span] | Label) -> Label:
    if isinstance(item, Label):
        return item
    key, span = item
    return Label(span, _fill(rule.labels[key], hit.values))


def _fill(template: str, values: Mapping[str, object]) -> str:
    return template.format_map(_Plain(values))


class _Plain(dict):  # type: ignore[type-arg]
    """Values for a template; a missing one is a bug of the rule and raises `KeyError`."""
