"""Checks of what a launch names and the project lacks: the config file and the application."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from gunilint import paths
from gunilint.application import Application, split_spec
from gunilint.checks import Hit, Parameters, written
from gunilint.deployment import Deployment, Launch, Project
from gunilint.discover import Tree
from gunilint.interpret import SCRIPT_DIRECTORY
from gunilint.options import OptionUse
from gunilint.paths import Place
from gunilint.regex import regex
from gunilint.source import Span
from gunilint.spelling import closest
from gunilint.values import Known

_DOCUMENT = regex(r"\.(md|rst|adoc|html?|ipynb)$", re.IGNORECASE)
_NOT_PLAIN = regex(r"[%$~*{}<>]")
"""What stands in a path for something that only the machine knows."""
_DOTTED = regex(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+\s*(\(.*\))?$", re.DOTALL)
_LISTS_PACKAGES = regex(r"(^|/)(setup\.(py|cfg)|[^/]*environment[^/]*\.ya?ml|meta\.yaml)$")
_INSTALLS = regex(r"\b(install|add|FROM)\b")


def config_not_found(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """A config file that the launch names and the project, which should hold it, doesn't.

    Variants: "meant" (another file is like it), "dotted" (a module without `python:`), "path" (a
    path behind `python:`), and "unused" for a config that nothing loads.
    """
    for deployment in project.deployments:
        launch = deployment.launch
        use = _config_use(launch) if launch is not None and launch.command.certain else None
        if launch is None or use is None or not isinstance(use.value, Known) or use.value.assumes:
            continue
        text = str(use.value.value).removeprefix("file:")
        if _NOT_PLAIN.search(text.replace(SCRIPT_DIRECTORY, "")):
            continue
        if text.startswith("python:"):
            module = text.removeprefix("python:")
            if _is_path(module, project.tree):
                yield Hit(use.span, {"path": module}, variant="path")
        elif deployment.config is None and text != "/dev/null":
            yield from _missing_file(project.tree, deployment, launch, use, text)
    yield from _unused_configs(project)


def _is_path(module: str, tree: Tree) -> bool:
    """Whether what should be a module's name is a path; `a.py` may be a module `py` of `a`."""
    if "/" in module:
        return True
    return module.endswith(".py") and not tree.ending(f"{module.replace('.', '/')}.py")


def _config_use(launch: Launch) -> OptionUse | None:
    lines = [line for line in (launch.line, launch.extra) if line is not None]
    uses = [[use for use in line.options if use.setting.name == "config"] for line in lines]
    return next((found[-1] for found in uses if found), None)


def _missing_file(
    tree: Tree, deployment: Deployment, launch: Launch, use: OptionUse, text: str
) -> Iterator[Hit]:
    place = Place(launch.place.text, (launch.folder,))
    found = paths.candidates(text, place, launch.word.span.source.path)
    of_script = text.startswith(SCRIPT_DIRECTORY)
    if len(found) != 1 or not (of_script or _starts_in_project(deployment, launch)):
        return
    (path,) = found
    name = posixpath.basename(path)
    if paths.locate(text, place, launch.word.span.source.path, tree) is not None:
        return
    if text.startswith("/") and tree.ending(name):
        return
    if tree.expects(path) or _is_spoken_of(tree, name, apart_from=use.span):
        return
    values = {"path": text.replace(SCRIPT_DIRECTORY, ".", 1)}
    if "/" not in text and "." in text:
        module = posixpath.join(launch.folder, text.replace(".", "/") + ".py")
        if tree.is_file(module):
            yield Hit(use.span, {**values, "meant": f"python:{text}"}, variant="dotted")
            return
    configs = [p for p in tree.listing() if tree.kind(p) == "config"]
    same = [p for p in configs if posixpath.basename(p) == name]
    close = same[0] if same else closest(path, configs, 0.8)
    if close is not None:
        meant = posixpath.relpath(close, launch.folder or ".")
        yield Hit(use.span, {**values, "meant": meant}, variant="meant")
    elif tree.is_dir(posixpath.dirname(path)):
        yield Hit(use.span, values)


def _starts_in_project(deployment: Deployment, launch: Launch) -> bool:
    """Whether the launch clearly starts in its folder of the project: its application is there."""
    app = deployment.app
    if launch.place.text == "/" or app is None or app.module is None:
        return False
    name = split_spec(app.spec).module.replace(".", "/")
    modules = [posixpath.join(folder, name) for folder in _folders_of(launch)]
    return any(app.module.path in (f"{each}.py", f"{each}/__init__.py") for each in modules)


def _is_spoken_of(
    tree: Tree, name: str, *, apart_from: Span | None = None, everywhere: bool = False
) -> bool:
    """Whether a file of the project has `name` in it, other than as the config of a launch.

    It may be made, copied or fetched there. `everywhere`: documents and launches count too.
    """
    loading = re.compile(rf"(-c|--config)[=\s]+['\"]?(file:)?[^\s'\"]*{re.escape(name)}")
    for source in tree.mentioning(name):
        path, text = source.path, source.text
        if posixpath.basename(path) == name or (_DOCUMENT.search(path) and not everywhere):
            continue
        if apart_from is not None and apart_from.source.path == path:
            text = text[: apart_from.start] + text[apart_from.end :]
        if name in text and (everywhere or name in loading.sub("", text)):
            return True
    return False


def installed_otherwise(tree: Tree, package: str) -> bool:
    """Whether a file other than the lists of dependencies may install a package."""
    for source in tree.mentioning(package):
        if _DOCUMENT.search(source.path):
            continue
        if _LISTS_PACKAGES.search(source.path):
            return True
        for line in source.text.replace("\\\n", " ").splitlines():
            if package in line and _INSTALLS.search(line):
                return True
    return False


def _unused_configs(project: Project) -> Iterator[Hit]:
    """A config beside a launch that loads none."""
    without = [
        each.launch
        for each in project.deployments
        if each.launch is not None and _loads_no_config(each, each.launch)
    ]
    for deployment in project.deployments:
        config = deployment.config
        if deployment.launch is not None or config is None or deployment.development:
            continue
        path = config.source.path
        folder = posixpath.dirname(path)
        launch = next((each for each in without if folder in _folders_of(each)), None)
        if launch is None or _is_spoken_of(project.tree, _loaded_as(path), everywhere=True):
            continue
        yield Hit(
            config.source.first_line(),
            {"path": posixpath.basename(path)},
            (("launch", launch.entry),),
            "unused",
        )


def _loads_no_config(deployment: Deployment, launch: Launch) -> bool:
    if not _starts_in_project(deployment, launch) or deployment.development:
        return False
    if deployment.config is not None or deployment.missing is not None:
        return False
    is_plain = launch.command.certain and launch.line.open is None and _config_use(launch) is None
    extra_is_open = launch.extra is not None and launch.extra.open is not None
    return is_plain and not extra_is_open


def _folders_of(launch: Launch) -> tuple[str, ...]:
    """The folder of a launch, and that of its `--chdir`, in which gunicorn looks for no config."""
    uses = [use.value for use in launch.line.options if use.setting.name == "chdir"]
    names = [use.value for use in uses if isinstance(use, Known) and isinstance(use.value, str)]
    changed = [posixpath.normpath(posixpath.join(launch.folder, name)) for name in names]
    return (launch.folder, *changed)


def _loaded_as(path: str) -> str:
    """The word that whoever loads a config has to write: its name, or that of its module."""
    name = posixpath.basename(path)
    stem = name.removesuffix(".py")
    return name if stem in ("gunicorn", "gunicorn.conf") else stem


def app_module_not_found(project: Project, parameters: Parameters) -> Iterator[Hit]:
    """An application that gunicorn can't import from what the launch or config names.

    Variants: "meant" (another module is like it), "file" (`app.py:app`), "path" (`dir/app:app`),
    "absolute", "attribute" (`app:shop.app`), "object" (the module has no such name; "other" where
    it has one of the `usual` ones) and "factory" (a function that makes the application and isn't
    called; `factory-workers` are the families that call what they are given).
    """
    for deployment in project.deployments:
        launch, app, span = deployment.launch, deployment.app, deployment.app_span
        paste = deployment.settings.get("paste")
        if app is None or span is None or paste is None or not paste.is_none:
            continue
        if launch is not None and not launch.command.certain:
            continue
        word = launch.line.app if launch else None
        assumes = word.value.assumes if word and isinstance(word.value, Known) else ()
        found = (
            _misnamed(deployment, app.spec)
            or _absent(project.tree, deployment, app.spec)
            or _unbound(project.tree, app, parameters["usual"])
        )
        if found is not None:
            variant, values = found
            yield Hit(span, {"app": app.spec, **values}, (), variant, assumes)
        elif app.factory in ("asgi", "wsgi") and deployment.worker is not None:
            if deployment.worker.name not in parameters["factory-workers"]:
                continue
            related = written(("worker", deployment.settings["worker_class"]))
            values = {"app": app.spec, "worker": deployment.worker.name}
            yield Hit(span, values, related, "factory", assumes)


def _misnamed(deployment: Deployment, spec: str) -> tuple[str, dict[str, str]] | None:
    """The variant for a name that no module can have, or that isn't an object's."""
    module, colon, name = spec.partition(":")
    if module.startswith("/"):
        folder, file = posixpath.split(module)
        return "absolute", {"folder": folder, "meant": file.removesuffix(".py") + colon + name}
    dotted = module.removesuffix(".py").removeprefix("./").strip("/").replace("/", ".")
    values = {"module": module, "meant": dotted + colon + name}
    if "/" in module:
        return "path", values
    found = deployment.app.module if deployment.app else None
    if module.endswith(".py") and found is None:
        return "file", values
    if _DOTTED.match(name) and deployment.catalogue.at_least("20.0"):
        return "attribute", {"object": name, "module": module}
    return None


def _absent(
    tree: Tree, deployment: Deployment, spec: str
) -> tuple[str | None, dict[str, str]] | None:
    """The variant for a module that isn't in its package of the project."""
    module = split_spec(spec).module
    top = module.partition(".")[0]
    if deployment.app is None or deployment.app.found or top == module:
        return None
    folder = deployment.launch.folder if deployment.launch else ""
    starts = dict.fromkeys((folder, posixpath.join(folder, "src"), "", "src"))
    packages = [posixpath.join(start, top) for start in starts]
    package = next((p for p in packages if tree.is_file(f"{p}/__init__.py")), None)
    if package is None or top in {name.replace("-", "_") for name in deployment.dependencies.names}:
        return None
    own = tree.read(f"{package}/__init__.py")
    relative = module.replace(".", "/")
    path = f"{posixpath.dirname(package)}/{relative}.py".lstrip("/")
    if own is None or "__path__" in own.text or tree.expects(path):
        return None
    stems = [_without_endings(each) for each in tree.listing()]
    exists = any(f"/{relative}/" in f"/{stem}/" for stem in stems)
    if exists or _is_spoken_of(tree, f"{relative}.py"):
        return None
    inside = [stem for stem in stems if stem.startswith(f"{package}/")]
    modules = [stem[len(package) - len(top) :].replace("/", ".") for stem in inside]
    close = closest(module, modules, 0.8)
    values = {"module": module, "package": package, "meant": close or ""}
    return ("meant" if close else None), values


def _unbound(
    tree: Tree, app: Application, usual: Sequence[str]
) -> tuple[str | None, dict[str, str]] | None:
    """The variant for a name that the module's code doesn't bind."""
    spec = split_spec(app.spec)
    if app.module is None or app.bound is None or not spec.object.isidentifier():
        return None
    if spec.object in app.bound:
        return None
    relative = spec.module.replace(".", "/")
    if len(tree.ending(f"{relative}.py")) + len(tree.ending(f"{relative}/__init__.py")) > 1:
        return None
    other = next((name for name in usual if name.removesuffix("()") in app.bound), None)
    values = {"module": spec.module, "object": spec.object, "path": app.module.path}
    return ("other" if other else "object"), {**values, "meant": f"{spec.module}:{other}"}


def _without_endings(path: str) -> str:
    """A path without what follows the first dot of its name: `wsgi.cpython-312.so` is `wsgi`."""
    folder, slash, name = path.rpartition("/")
    return folder + slash + (name.partition(".")[0] or name)
