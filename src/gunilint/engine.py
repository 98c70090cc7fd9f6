"""The pipeline: from paths to the findings of the selected rules."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from gunilint.baseline import Baseline, Baselines
from gunilint.checks import (
    DeploymentCheck,
    Hit,
    deployment_checks,
    project_checks,
    suppression_checks,
)
from gunilint.command import Label
from gunilint.deployment import Deployment, Facts, Project
from gunilint.discover import Kind, Tree, find_root, matcher, relative
from gunilint.disk import Disk
from gunilint.files import Parser
from gunilint.findings import Finding, Report
from gunilint.grades import severity_rank
from gunilint.masking import Mask, masked
from gunilint.policy import Policies, Policy, Scope, same
from gunilint.progress import Track, untracked
from gunilint.resolve import resolve
from gunilint.rules import Rule
from gunilint.sensitive import hidden_texts
from gunilint.source import Source, Span
from gunilint.suppress import Naming, Suppression, judge, match, suppressions
from gunilint.versions import satisfies

if TYPE_CHECKING:
    from gunilint.fix import Patch
    from gunilint.report.overview import Show

_UNBROKEN = "the broken part of the script changes nothing"
"""What findings on a command rest on where the text around it can't be parsed."""

_PLAIN = Parser()

_Placed: TypeAlias = tuple[Hit, Deployment | None]
"""What a check objects to, and in which deployment if it looks at one alone."""


class Result(Struct, frozen=True):
    """What one run found.

    `rules` are those of all its policies, `failing` says that a finding is at or above its
    policy's `fail_on`. `files` counts the files that were looked at. `errors` are bugs in checks
    and fixes: the rule's code and what `crash` tells. `missing` are the arguments that don't exist.
    Findings that are `suppressed` or `baselined` don't count; `baselines` has what became of each
    baseline. `secrets` are texts that no report may show. `kept` are the deployments themselves,
    where that was asked for.
    """

    findings: tuple[Finding, ...]
    rules: tuple[Rule, ...]
    failing: bool
    deployments: int
    files: int
    errors: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()
    suppressed: tuple[tuple[Finding, Suppression], ...] = ()
    baselined: tuple[Finding, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    secrets: frozenset[str] = field(default_factory=frozenset)
    kept: tuple[Deployment, ...] = ()


class Survey(Struct, frozen=True):
    """The projects that the arguments belong to, and the arguments that don't exist."""

    projects: tuple[Project, ...]
    missing: tuple[str, ...] = ()

    @property
    def files(self) -> int:
        """How many files were looked at."""
        return sum(len(project.files) for project in self.projects)


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Leaves out what Python warns of in the texts that it parses, such as unknown escapes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="<unknown>")
        yield


def lint(
    arguments: Sequence[Path], rules: Sequence[Rule], gunicorn_version: str | None = None
) -> Result:
    """Lint files and folders with the same rules for all."""
    return run(arguments, same(Policy(tuple(rules), Facts(gunicorn_version))))


@_without_warnings()
def run(
    arguments: Sequence[Path],
    policies: Policies,
    unsaved: Mapping[Path, bytes] | None = None,
    *,
    keep: bool = False,
    disk: Disk | None = None,
    track: Track = untracked,
    parser: Parser = _PLAIN,
) -> Result:
    """Lint files and folders, each as its policy asks for.

    `unsaved` are contents that stand for those of files, by their path, as an editor has them
    before it saves them; a file of that path need not exist. `keep` keeps the deployments, which
    takes memory, for a format that shows them. `disk` remembers all that was looked at,
    `track` is told how far the run is, `parser` reads configs.
    """
    disk = disk or Disk()
    findings: list[Finding] = []
    suppressed: list[tuple[Finding, Suppression]] = []
    baselined: list[Finding] = []
    errors: list[tuple[str, str]] = []
    rules: dict[str, Rule] = {}
    private: set[str] = set()
    kept: list[Deployment] = []
    baselines = Baselines(disk)
    uri = repository_paths(disk)
    deployments = files = 0
    failing = False
    contents = {_start(path, disk): data for path, data in (unsaved or {}).items()}
    existing, missing = _sorted_out(arguments, contents, disk)
    for project, policy in _projects(existing, policies, contents, disk, track, parser):
        scope = Scope(policy, project.tree, project.inputs)
        baseline = baselines.of(policy)
        raw, failed = check(project, policy.rules, track)
        new, hidden, failed_too = _suppressed(scope.kept(raw), project, policy, scope, failed)
        new, known = baseline.split(new, uri)
        baseline.decide(project, scope.ran((*failed, *failed_too)), uri)
        counted = tuple(filter(scope.is_sure, new))
        if policy.rewrites:
            baseline.record(counted, uri)
        bar = severity_rank(policy.fail_on)
        failing = failing or any(severity_rank(finding.severity) >= bar for finding in counted)
        findings.extend(counted)
        suppressed.extend(pair for pair in hidden if scope.is_sure(pair[0]))
        baselined.extend(filter(scope.is_sure, known))
        errors.extend((*failed, *failed_too))
        private.update(text for one in project.deployments for text in hidden_texts(one))
        kept.extend(project.deployments if keep else ())
        rules |= {rule.code: rule for rule in policy.rules}
        deployments += len(project.deployments)
        files += len(project.files)
    return Result(
        findings=tuple(findings),
        rules=tuple(rules[code] for code in sorted(rules)),
        failing=failing,
        deployments=deployments,
        files=files,
        errors=tuple(errors),
        missing=missing,
        suppressed=tuple(suppressed),
        baselined=tuple(baselined),
        baselines=baselines.files,
        secrets=frozenset(private),
        kept=tuple(kept),
    )


class Repair(Struct, frozen=True):
    """What fixes do: the findings that they repair, the files that they change, what is left.

    `spoilt` are files that a fix would have broken, and which it therefore leaves alone.
    """

    fixed: tuple[Finding, ...]
    patches: tuple[Patch, ...]
    left: Result
    spoilt: frozenset[Path] = frozenset()


@_without_warnings()
def repair(
    arguments: Sequence[Path],
    policies: Policies,
    unsaved: Mapping[Path, bytes] | None = None,
    *,
    unsafe: bool = False,
    keep: bool = False,
    track: Track = untracked,
) -> Repair:
    """Apply fixes in memory, in rounds until nothing changes; no file is written.

    Raises `FixError` where a file changes meanwhile.
    """
    from gunilint.fix import ROUNDS, Patch, apply

    before: dict[Path, bytes] = {}
    contents = {_start(path, Disk()): data for path, data in (unsaved or {}).items()}
    fixed: list[Finding] = []
    spoilt: frozenset[Path] = frozenset()
    for _ in range(ROUNDS):
        left = run(arguments, policies, contents, keep=keep, track=track)
        applied = apply(left.findings, contents, unsafe=unsafe, spoilt=spoilt)
        spoilt = applied.spoilt
        if not applied.findings:
            break
        fixed += applied.findings
        for patch in applied.patches:
            before.setdefault(patch.path, patch.before)
            contents[patch.path] = patch.after
    else:
        left = run(arguments, policies, contents, keep=keep, track=track)
    patches = (Patch(path, data, contents[path]) for path, data in sorted(before.items()))
    changed = tuple(patch for patch in patches if patch.before != patch.after)
    return Repair(tuple(fixed), changed, left, spoilt)


@_without_warnings()
def survey(arguments: Sequence[Path], policies: Policies, track: Track = untracked) -> Survey:
    """What files and folders start, without judging it."""
    disk = Disk()
    existing, missing = _sorted_out(arguments, {}, disk)
    found = _projects(existing, policies, {}, disk, track)
    return Survey(tuple(project for project, _ in found), missing)


def _sorted_out(
    arguments: Sequence[Path], unsaved: Mapping[Path, bytes], disk: Disk
) -> tuple[list[Path], tuple[str, ...]]:
    """The arguments that exist, and the texts of those that don't."""
    missing = dict.fromkeys(
        path
        for path in arguments
        if disk.kind(str(path.absolute())) is None and _start(path, disk) not in unsaved
    )
    return [path for path in arguments if path not in missing], tuple(map(str, missing))


def _start(path: Path, disk: Disk) -> Path:
    """An input's absolute path, with the links on the way to it resolved."""
    absolute = path.absolute()
    real = Path(disk.real(str(absolute)) or absolute)
    if disk.kind(str(real)) == "folder":
        return real
    return Path(disk.real(str(absolute.parent)) or absolute.parent, absolute.name)


def _suppressed(
    findings: tuple[Finding, ...],
    project: Project,
    policy: Policy,
    scope: Scope,
    failed: Sequence[tuple[str, str]],
) -> tuple[
    tuple[Finding, ...], tuple[tuple[Finding, Suppression], ...], tuple[tuple[str, str], ...]
]:
    """The findings that are left, with those about suppressions; those that are suppressed.

    The last are the checks of suppressions that failed.
    """
    found = suppressions(project) if policy.suppressions else ()
    if not found:
        return findings, (), ()
    checks = suppression_checks()
    naming = Naming(policy.known, checks)
    ran = scope.ran(failed)
    of_others = match(findings, found, naming)
    judged = tuple(
        judge(
            found,
            of_others.used,
            naming,
            enabled=lambda path: ran - scope.ignored(path),
            complete=lambda: project.complete,
        )
    )

    def hits(rule: Rule) -> Iterator[_Placed]:
        for each in judged if rule.check in checks else ():
            for hit in checks[rule.check](each, rule.parameters):
                yield hit, None

    about_them, failed_too = _found(policy.rules, hits)
    of_own = match(scope.kept(about_them), found, naming)
    left = sorted((*of_others.left, *of_own.left), key=_place)
    return tuple(left), (*of_others.suppressed, *of_own.suppressed), failed_too


def report(
    result: Result, working_directory: Path, repaired: int = 0, disk: Disk | None = None
) -> Report:
    """The findings of a run, with the paths that people and uploaders expect.

    Secrets are masked here, whichever rules were selected. `repaired` counts what fixes have cured.
    """
    here = str(working_directory)

    def display(source: Source) -> str:
        return relative_path(source, here)

    def shown(findings: Iterable[Finding]) -> tuple[Finding, ...]:
        return tuple(sorted(masked(findings, result.secrets), key=place))

    def place(finding: Finding) -> tuple[str, int, str]:
        return _order(finding, display(finding.primary.span.source))

    pairs = zip(
        masked((finding for finding, _ in result.suppressed), result.secrets),
        (suppression for _, suppression in result.suppressed),
        strict=True,
    )
    return Report(
        findings=shown(result.findings),
        rules=result.rules,
        deployments=result.deployments,
        files=result.files,
        display=display,
        uri=repository_paths(disk or Disk(), files=True),
        suppressed=tuple(sorted(pairs, key=lambda pair: place(pair[0]))),
        baselined=shown(result.baselined),
        fixed=sum(baseline.fixed for baseline in result.baselines),
        repaired=repaired,
        shown=_shown(result, display) if result.kept else None,
    )


def _shown(result: Result, display: Callable[[Source], str]) -> Show:
    from gunilint.report.overview import Show

    return Show(result.kept, display, mask=Mask(result.secrets))


def repository_paths(disk: Disk, *, files: bool = False) -> Callable[[Source], str]:
    """What gives the path of a source from the root of its repository.

    With `files` it is that of the file itself where the source was read through a link to another
    one in the repository: GitHub shows nothing at a link.
    """

    @cache
    def repository(root: str) -> str:
        return str(disk.repository(Path(root)))

    @cache
    def path(source: str, root: str) -> str:
        above = repository(root)
        if files:
            real = disk.real(os.path.join(root, source)) or ""  # noqa: PTH118
            target = relative(real, disk.real(above) or above)
            if not target.startswith("../"):
                return target
        return _relative(source, root, above)

    return lambda source: path(source.path, source.root)


def relative_path(source: Source, start: str) -> str:
    """The path of a source from the folder `start`, with `/` separators."""
    return _relative(source.path, source.root, start)


@cache
def _relative(path: str, root: str, start: str) -> str:
    return relative(os.path.join(root, path), start)  # noqa: PTH118


def _order(finding: Finding, path: str) -> tuple[str, int, str]:
    return path, finding.primary.span.start, finding.rule.code


def _place(finding: Finding) -> tuple[str, int, str]:
    return _order(finding, finding.primary.span.source.path)


def check(
    project: Project, rules: Sequence[Rule], track: Track = untracked
) -> tuple[tuple[Finding, ...], tuple[tuple[str, str], ...]]:
    """The findings of `rules` on a project in report order, and the checks that failed."""
    on_project, on_deployment = project_checks(), deployment_checks()

    def hits(rule: Rule) -> Iterator[_Placed]:
        if rule.check in on_project:
            for hit in on_project[rule.check](project, rule.parameters):
                yield hit, None
        elif rule.check in on_deployment:
            yield from _on_deployments(on_deployment[rule.check], rule, project.deployments)

    return _found(track(rules, "Checking"), hits)


def _found(
    rules: Iterable[Rule], hits: Callable[[Rule], Iterable[_Placed]]
) -> tuple[tuple[Finding, ...], tuple[tuple[str, str], ...]]:
    """The findings of rules by their hits, and the checks and fixes that failed.

    A bug in a check costs the findings that it would have gone on to, one in a fix only that fix.
    """
    findings: dict[tuple[object, ...], Finding] = {}
    errors: list[tuple[str, str]] = []
    for rule in rules:
        with _guarded(rule, errors):
            for hit, deployment in hits(rule):
                finding = _finding(rule, hit, deployment)
                key = (rule.code, hit.span.key, finding.message)
                remedy = rule.case(hit.variant).fix
                if key not in findings and remedy is not None:
                    from gunilint.fix import propose

                    with _guarded(rule, errors):
                        finding = replace(finding, fix=propose(remedy, hit, deployment))
                findings.setdefault(key, finding)
    return tuple(sorted(findings.values(), key=_place)), tuple(errors)


@contextmanager
def _guarded(rule: Rule, errors: list[tuple[str, str]]) -> Iterator[None]:
    """Adds a bug to `errors`, with the code of the rule whose it is."""
    try:
        yield
    except Exception as error:
        from gunilint.crash import told

        errors.append((rule.code, told(error)))


def _projects(
    arguments: Iterable[Path],
    policies: Policies,
    unsaved: Mapping[Path, bytes],
    disk: Disk,
    track: Track,
    parser: Parser = _PLAIN,
) -> Iterator[tuple[Project, Policy]]:
    """Each project that the arguments belong to, with its policy."""
    inputs: dict[tuple[Path, Policy], tuple[Tree, dict[str, Kind]]] = {}
    for argument in arguments:
        start, policy = _start(argument, disk), policies(argument.absolute())
        root = find_root(start, disk)
        if (root, policy) not in inputs:
            inputs[root, policy] = _tree(root, policy, unsaved, disk), {}
        tree, found = inputs[root, policy]
        relative = start.relative_to(root).as_posix()
        for path, kind in _inputs(tree, "" if relative == "." else relative):
            if not policy.force_exclude or not tree.excluded(path, False):
                found[path] = kind
    for (_, policy), (tree, found) in inputs.items():
        configs = [path for path, kind in found.items() if kind == "config"]
        with parser.ahead(configs, tree.read):
            project = resolve(tree, found, policy.facts, track, parser.parse)
        yield project, policy


def _tree(root: Path, policy: Policy, unsaved: Mapping[Path, bytes], disk: Disk) -> Tree:
    contents = {
        path.relative_to(root).as_posix(): data
        for path, data in unsaved.items()
        if path.is_relative_to(root)
    }
    excluded = matcher(policy.exclude, policy.folder, root)
    return Tree(root, contents, excluded, disk, policy.max_file_size)


def _inputs(tree: Tree, path: str) -> Iterator[tuple[str, Kind]]:
    """The files that an argument names, with their kinds; a named Python file is a config."""
    if not tree.is_dir(path):
        kind = tree.kind(path) or ("config" if path.endswith(".py") else None)
        if kind is not None:
            yield path, kind
        return
    for file in tree.listing(path):
        found = tree.kind(file)
        if found is not None:
            yield file, found


def _on_deployments(
    on_deployment: DeploymentCheck, rule: Rule, deployments: Iterable[Deployment]
) -> Iterator[_Placed]:
    for deployment in deployments:
        if not satisfies(deployment.target.version, rule.versions):
            continue
        launch = deployment.launch
        certain = launch is None or launch.command.certain
        for hit in on_deployment(deployment, rule.parameters):
            whole = hit if certain else replace(hit, assumes=(*hit.assumes, _UNBROKEN))
            yield whole, deployment


def _finding(rule: Rule, hit: Hit, deployment: Deployment | None) -> Finding:
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
        chain=_chain(deployment, hit.span),
        help=_fill(case.help, hit.values) or None,
    )


def _chain(deployment: Deployment | None, span: Span) -> tuple[Label, ...]:
    """The steps of a deployment's launch in the files before that of `span`."""
    steps = deployment.launch.chain if deployment and deployment.launch else ()
    return tuple(takewhile(lambda step: step.span.source.path != span.source.path, steps))


def _label(rule: Rule, hit: Hit, item: tuple[str, Span] | Label) -> Label:
    if isinstance(item, Label):
        return item
    key, span = item
    return Label(span, _fill(rule.labels[key], hit.values))


def _fill(template: str, values: Mapping[str, object]) -> str:
    return template.format_map(_Plain(values))


class _Plain(dict):  # type: ignore[type-arg]
    """Values for a template; a missing one is a bug of the rule and raises `KeyError`."""
