"""Checks of the worker class against the application."""

from __future__ import annotations

from collections.abc import Iterator

from gunilint.application import split_spec
from gunilint.catalogue import every_alias, within, worker_aliases
from gunilint.catalogue.workers import known_classes
from gunilint.checks import Hit, Parameters, assumptions, written
from gunilint.checks.references import installed_otherwise
from gunilint.command import Label
from gunilint.dependencies import Dependencies, Dependency
from gunilint.deployment import Deployment, Project, Setting
from gunilint.discover import Tree
from gunilint.spelling import closest
from gunilint.values import Function, Symbolic


def asgi_app_on_wsgi_worker(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """An ASGI application that a WSGI worker would call.

    Variants: "guess" (what is installed isn't known, so which worker class would do is a guess),
    "tornado" (its worker leaves clients waiting), "dependencies" (the application isn't in the
    tree, the project depends on an ASGI framework and on no WSGI one), "unseen" (nothing is known
    of the application).
    """
    app, worker = deployment.app, deployment.worker
    if app is None or worker is None or worker.serves != "wsgi":
        return
    setting = deployment.settings["worker_class"]
    values = {"app": app.spec, "why": app.why, "worker": worker.name}
    if app.kind == "asgi":
        related = (Label(app.span, app.why),) if app.span else ()
        place = deployment.place(setting)
        worker_class, certain = _asgi_worker(deployment)
        values = {**values, "asgi_worker": worker_class}
        variant = None if certain else "guess"
        variant = "tornado" if worker.name == "tornado" else variant
        yield Hit(place, values, related, variant, assumptions(setting))
    elif not app.found and setting.span is None:
        frameworks = deployment.frameworks
        if frameworks.asgi and not frameworks.wsgi:
            values = {**values, "framework": frameworks.asgi[0]}
            yield Hit(deployment.entry, values, variant="dependencies")
        elif not frameworks.asgi and not frameworks.wsgi and not _is_named_wsgi(app.spec):
            yield Hit(deployment.entry, values, variant="unseen")


def _asgi_worker(deployment: Deployment) -> tuple[str, bool]:
    """A worker class that serves ASGI here, and whether it is sure to be installed."""
    names = deployment.dependencies.names
    if "uvicorn-worker" in names:
        return "uvicorn_worker.UvicornWorker", True
    if "uvicorn" in names:
        return "uvicorn.workers.UvicornWorker", True
    if deployment.catalogue.at_least("25.1.0"):
        return "asgi", deployment.target.span is not None
    return "uvicorn_worker.UvicornWorker", False


def _is_named_wsgi(spec: str) -> bool:
    """Whether the module's name says what it is, as Django's `project.wsgi` does."""
    return split_spec(spec).module.rpartition(".")[2] == "wsgi"


def wsgi_app_on_asgi_worker(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A WSGI application that an ASGI worker would call."""
    app, worker = deployment.app, deployment.worker
    if app is None or worker is None or worker.serves != "asgi" or app.kind != "wsgi":
        return
    setting = deployment.settings["worker_class"]
    values = {"app": app.spec, "why": app.why, "worker": worker.name}
    related = (Label(app.span, app.why),) if app.span else ()
    yield Hit(deployment.place(setting), values, related, assumes=assumptions(setting))


def removed_worker_class(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A worker class that the targeted gunicorn no longer has; variant "deprecated": soon."""
    setting = deployment.settings.get("worker_class")
    value = setting.known if setting else None
    if setting is None or not isinstance(value, str):
        return
    version = deployment.target.version
    values: dict[str, object] = {"worker": value, "version": version}
    for alias, lifetime in every_alias().items():
        if value not in (alias, lifetime.path) or lifetime.until is None:
            continue
        values |= {"until": lifetime.until, "alias": alias}
        place, assumes = deployment.place(setting), assumptions(setting)
        if not within(version, None, lifetime.until):
            yield Hit(place, values, assumes=assumes)
        elif within(version, parameters["deprecated"].get(alias, "999"), None):
            yield Hit(place, values, variant="deprecated", assumes=assumes)


def unknown_worker_class(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A worker class that gunicorn can't load; the variant "newer" is one of a later gunicorn."""
    setting = deployment.settings.get("worker_class")
    value = setting.known if setting else None
    if setting is None or not isinstance(value, str) or deployment.worker is not None:
        return
    aliases = every_alias()
    name = value.lstrip("#")
    place, assumes = deployment.place(setting), assumptions(setting)
    values: dict[str, object] = {"worker": value, "version": deployment.target.version}
    if name in aliases:
        since = aliases[name].since
        if since is not None and not within(deployment.target.version, since, None):
            yield Hit(place, {**values, "since": since}, variant="newer", assumes=assumes)
        return
    paths = {*known_classes(), *(lifetime.path for lifetime in aliases.values())}
    top = name.partition(".")[0]
    if name.startswith("egg:") or name in paths:
        return
    if "." in name and top not in parameters["packages"]:
        return
    in_lower_case = {each.lower(): each for each in sorted((*aliases, *paths))}
    close = closest(name.lower(), in_lower_case, 0.7)
    last = [path for path in sorted(paths) if path.rpartition(".")[2] == name]
    meant = last[-1] if last else in_lower_case[close] if close else None
    variant = "meant" if meant else None
    yield Hit(place, {**values, "meant": meant}, variant=variant, assumes=assumes)


def single_worker(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A unit's gunicorn with one worker that nobody decided on.

    A template unit runs as many as it has instances.
    """
    launch, workers = deployment.launch, deployment.settings.get("workers")
    if launch is None or launch.unit is None or workers is None or deployment.development:
        return
    if "@." in launch.unit.name:
        return
    if workers.known != 1 or workers.origin != "default":
        return
    if deployment.settings["threads"].origin == "default":
        yield Hit(deployment.entry, {"unit": launch.unit.name}, assumes=assumptions(workers))


def too_many_workers(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """More workers than 2 * cpus + 1, where the machine's CPUs are told; variant "none": none."""
    workers = deployment.settings.get("workers")
    if workers is None:
        return
    count, cpus = workers.known, deployment.cpus
    if isinstance(workers.value, Symbolic) and cpus is not None:
        count = workers.value.at(cpus)
    if type(count) is not int:
        return
    place, assumes = deployment.place(workers), assumptions(workers)
    if count == 0:
        yield Hit(place, {}, variant="none", assumes=assumes)
    elif cpus is not None and count > 2 * cpus + 1 and not deployment.development:
        values = {"workers": count, "cpus": cpus, "most": 2 * cpus + 1}
        yield Hit(place, values, assumes=assumes)


def gevent_with_preload(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A gevent worker, and the application imported before the standard library is patched."""
    preload = deployment.settings.get("preload_app")
    if preload is None or preload.known is not True or deployment.worker is None:
        return
    if not deployment.worker.name.startswith("gevent"):
        return
    sources = [deployment.config.source if deployment.config else None]
    sources.append(deployment.app.module if deployment.app else None)
    if any(source is not None and "patch_all(" in source.text for source in sources):
        return
    worker = deployment.settings["worker_class"]
    related = written(("worker", worker))
    yield Hit(deployment.place(preload), {}, related, assumes=assumptions(preload, worker))


def missing_worker_dependency(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """The dependencies are listed with their versions, and lack one that the worker class needs.

    `needs` are requirements of worker classes, with the gunicorn that has them. Variants: "direct"
    (the list may leave out what its packages require) and "old" (the version is too low).
    """
    for deployment in project.deployments:
        worker = deployment.settings.get("worker_class")
        name = worker.known if worker else None
        listed = _listed(deployment.dependencies, "gunicorn")
        if worker is None or not isinstance(name, str) or listed is None:
            continue
        if deployment.launch is not None and not deployment.launch.command.certain:
            continue
        classes = (name, worker_aliases(deployment.target.version).get(name, name))
        for need in parameters["needs"]:
            if not any(each.startswith(need["worker"]) for each in classes):
                continue
            if _allows(need.get("gunicorn", ""), deployment.target.version):
                yield from _unmet(project.tree, deployment, worker, listed, need)


def _listed(dependencies: Dependencies, name: str) -> Dependency | None:
    """Where a list of versions has a package: one of all that gets installed, if there is one."""
    files = (dependencies.complete, dependencies.pinned)
    for paths in files:
        for place in dependencies.places:
            if place.name == name and place.span.source.path in paths and not place.development:
                return place
    return None


def _unmet(
    tree: Tree, deployment: Deployment, worker: Setting, listed: Dependency, need: Parameters
) -> Iterator[Hit]:
    dependencies, package = deployment.dependencies, need["package"]
    speaking = [each for each in dependencies.places if each.name == package]
    places = [each for each in speaking if each.kind != "constraint"]
    wanted = f"{package}{need.get('version', '')}"
    values: dict[str, object] = {
        "worker": worker.known,
        "package": package,
        "wanted": wanted,
        "file": listed.span.source.path,
        "gunicorn": deployment.target.version,
    }
    related = written(("worker", worker))
    assumes = assumptions(worker)
    if places:
        pins = [each for each in places if each.version]
        if pins and not any(_allows(need.get("version", ""), each.version or "") for each in pins):
            values = {**values, "version": pins[0].version}
            yield Hit(pins[0].span, values, related, "old", assumes)
        return
    is_complete = listed.span.source.path in dependencies.complete
    if not is_complete and (need.get("indirect") or _may_be_brought(dependencies, need)):
        return
    if not installed_otherwise(tree, package):
        variant = None if is_complete else "direct"
        yield Hit(deployment.place(worker), values, (("list", listed.span),), variant, assumes)


def _may_be_brought(dependencies: Dependencies, need: Parameters) -> bool:
    """Whether a package that is asked for, or something that isn't pinned, may require it."""
    asked = [each for each in dependencies.places if each.kind == "requirement"]
    if any(each.version is None and not each.development for each in asked):
        return True
    names = {each.name for each in asked}
    names |= {f"{each.name}[{extra}]" for each in asked for extra in each.extras}
    return not names.isdisjoint(need.get("brought-by", ()))


def _allows(specifier: str, version: str) -> bool:
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(specifier).contains(version, prereleases=True)


def hook_is_coroutine(deployment: Deployment, parameters: Parameters) -> Iterator[Hit]:
    """A hook that is an `async def`: calling it makes a coroutine that nobody awaits."""
    for name, setting in deployment.settings.items():
        hook = setting.known
        if isinstance(hook, Function) and hook.is_async and setting.span is not None:
            yield Hit(setting.span, {"hook": name})
