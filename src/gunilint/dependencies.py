"""What a project depends on and in which versions, as its requirements and lock files say it."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from gunilint.discover import Tree, normalise
from gunilint.regex import regex
from gunilint.source import Source, Span

_PYTHONS = tuple(f"3.{minor}" for minor in range(7, 15))
"""A requirement with a marker counts if it holds for one of these on Linux."""

_FOR_DEVELOPMENT = regex(r"(^|[^a-z])(dev|test|ci|doc|lint|local|typing)")
_INCLUDE = regex(r"(-r|--requirement|-c|--constraint)(?:\s*=\s*|\s+)(\S+)")
_LOCKED = regex(r'^\[\[packages?\]\]\s*\nname = "([^"]+)"\s*\nversion = "([^"]+)"', re.MULTILINE)
_PARTS = regex(r"([\w.-]+)\s*(?:\[([^\]]*)\])?([^;@(]*)")
"""The name, extras and bounds of a requirement with neither marker nor address."""
_NAME = regex(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_BOUND = regex(r"([<>=!]=|[<>])\s*\d+(\.\d+)*|[=!]=\s*\d+(\.\d+)*\.\*|~=\s*\d+(\.\d+)+", re.ASCII)
"""A bound of which the version is plain numbers."""
_LINES = 20_000
"""The lines of a requirements file that are read: no project has more by hand."""
_LONGEST = 4096
"""The characters of a requirement that is read."""
_HEAD = 1000
"""The characters in which a tool says that it has made a file."""
_DEPTH = 8
"""How many files may include one another."""


class Dependency(Struct, frozen=True):
    """One place that speaks of a package.

    `specifier` is what it allows, in PEP 440's form ("" for anything), `version` the only one.
    `kind` is "lock", "constraint" or "requirement"; `development` says that the file or group is
    for development or tests. `extras` are those that are asked for with the package.
    """

    name: str
    specifier: str
    version: str | None
    span: Span
    kind: str = "requirement"
    development: bool = False
    extras: frozenset[str] = frozenset()


class Choice(Struct, frozen=True):
    """The version of a package to assume, why, and the place that says so."""

    version: str
    why: str
    span: Span


class Dependencies(Struct, frozen=True):
    """Every place of a project that speaks of a package.

    `complete` are the files that list all that gets installed: lock files, and requirements that
    a tool has compiled. `pinned` are those that pin each of their requirements, and may leave out
    what these require themselves.
    """

    places: tuple[Dependency, ...] = ()
    complete: frozenset[str] = frozenset()
    pinned: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """The packages that the project asks for; without such a list, those that it locks."""
        asked = {place.name for place in self.places if place.kind == "requirement"}
        return frozenset(asked or {place.name for place in self.places})

    def choose(self, name: str, released: Sequence[str]) -> Choice | None:
        """The version of a package: what is locked, what is pinned, or the newest allowed.

        `released` are the versions that exist, oldest first. None where nothing is said of the
        package, or nothing fits.
        """
        places = [place for place in self.places if place.name == name]
        places = [place for place in places if not place.development] or places
        for kind, verb in (("lock", "locks"), ("requirement", "pins"), ("constraint", "pins")):
            for place in places:
                if place.kind == kind and place.version is not None:
                    return Choice(place.version, f"{_file(place)} {verb} it", place.span)
        asking = [place for place in places if place.kind != "lock"]
        return _newest(asking, released) if asking else None


def _newest(places: Sequence[Dependency], released: Sequence[str]) -> Choice | None:
    specifier = ",".join(dict.fromkeys(place.specifier for place in places if place.specifier))
    fitting = _fitting(specifier, released) if specifier else released
    if not fitting:
        return None
    decisive = next((place for place in places if place.specifier), places[0])
    file = _file(decisive)
    why = f"that {file} allows with {specifier}" if specifier else f"as {file} asks for no version"
    return Choice(fitting[-1], f"the newest {why}", decisive.span)


def _fitting(specifier: str, released: Iterable[str]) -> list[str]:
    from packaging.specifiers import SpecifierSet

    return list(SpecifierSet(specifier).filter(released, prereleases=False))


def _file(place: Dependency) -> str:
    return posixpath.basename(place.span.source.path)


def dependencies(tree: Tree, folder: str) -> Dependencies:
    """What holds for a deployment in `folder`: the nearest folder upwards with such files."""
    parts = folder.split("/") if folder else []
    for depth in range(len(parts), -1, -1):
        found = _in_folder(tree, "/".join(parts[:depth]))
        if found:
            sources = {place.span.source.path: place.span.source for place in found}
            return Dependencies(
                found,
                complete=frozenset(p for p, source in sources.items() if _is_complete(source)),
                pinned=frozenset(p for p, s in sources.items() if _is_pinned(s, sources)),
            )
    return Dependencies()


def _is_complete(source: Source) -> bool:
    """Whether a file lists whatever its requirements require, too."""
    if _reader(source.path) in (_lock, _pipfile_lock):
        return True
    head = source.text[:_HEAD]
    return "autogenerated by" in head and "--no-deps" not in head


def _is_pinned(source: Source, others: Iterable[str]) -> bool:
    """Whether a requirements file pins each requirement: none of them is a path or an address.

    What it includes has to be one of the `others` that were read.
    """
    if _reader(source.path) is not _requirements:
        return False
    texts = [text for text, _ in _lines(source)]
    pins = [[*_required(text, source.first_line())] for text in texts if text[:1] != "-"]
    editable = any(re.match("-e|--editable", text) for text in texts)
    included = {_beside(source.path, target) for _, target in _INCLUDE.findall(source.text)}
    return (
        not editable and included.issubset(others) and all(pin and pin[0].version for pin in pins)
    )


def _in_folder(tree: Tree, folder: str) -> tuple[Dependency, ...]:
    read: dict[str, None] = {}
    found: list[Dependency] = []
    own = [posixpath.join(folder, name) for name in tree.children(folder)]
    beside = posixpath.join(folder, "requirements")
    own += [posixpath.join(beside, name) for name in tree.children(beside)]
    for path in own:
        found.extend(_in_file(tree, path, read, 0))
    return tuple(found)


def _in_file(
    tree: Tree, path: str, read: dict[str, None], depth: int, kind: str | None = None
) -> Iterator[Dependency]:
    """What a file says, and the files that it includes; each file is read once."""
    reader = _requirements if kind else _reader(path)
    if reader is None or path in read or depth > _DEPTH:
        return
    read[path] = None
    source = tree.read(path)
    if source is None:
        return
    development = _is_for_development(posixpath.basename(path))
    for each in reader(source):
        if kind == "constraint" and each.kind == "requirement":
            each = replace(each, kind="constraint")
        yield replace(each, development=development or each.development)
    if reader is _requirements:
        for option, target in _INCLUDE.findall(source.text):
            included = _beside(path, target)
            what = "constraint" if "c" in option.lstrip("-")[:1] else "requirement"
            if included is not None:
                yield from _in_file(tree, included, read, depth + 1, what)


def _is_for_development(name: str) -> bool:
    """Whether the name of a file or group says so."""
    return _FOR_DEVELOPMENT.search(name.lower()) is not None


def _beside(path: str, target: str) -> str | None:
    """The path of a file that another includes; None where it leads out of the project."""
    return normalise(posixpath.join(posixpath.dirname(path), target))


Reader = Callable[[Source], Iterator[Dependency]]

_Requirement: TypeAlias = tuple[str, frozenset[str], str]
"""A package's canonical name, the extras that are asked for, and the specifier."""


def _reader(path: str) -> Reader | None:
    """What reads a file of this name."""
    name = posixpath.basename(path)
    if name in _READERS:
        return _READERS[name]
    if not name.endswith((".txt", ".in")):
        return None
    if name.startswith("constraints"):
        return _constraints
    in_folder = posixpath.basename(posixpath.dirname(path)) == "requirements"
    return _requirements if in_folder or "requirements" in name else None


# requirements files


def _requirements(source: Source) -> Iterator[Dependency]:
    for text, start in _lines(source):
        if not text.startswith("-"):
            yield from _required(text, source.span(start, start + len(text)))


def _lines(source: Source) -> Iterator[tuple[str, int]]:
    """The requirements and options of a file, without comments, and where each starts."""
    for match in islice(re.finditer(r"(?:[^\\\n]|\\\r?\n|\\.)+", source.text), _LINES):
        line = match[0]
        if len(line) > _LONGEST:
            continue
        text = re.split(r"(?:^|\s)#|\s--?[a-z]|\\\r?\n", line.strip(), maxsplit=1)[0].strip()
        if text:
            yield text, match.start() + line.index(text)


def _constraints(source: Source) -> Iterator[Dependency]:
    for each in _requirements(source):
        yield replace(each, kind="constraint")


def _required(text: str, span: Span, *, development: bool = False) -> Iterator[Dependency]:
    """A requirement in PEP 508's form, unless its marker rules Linux out."""
    read = _plain(text) or _any(text)
    if read is not None:
        name, extras, specifier = read
        pinned = _pinned(specifier)
        yield Dependency(name, specifier, pinned, span, development=development, extras=extras)


def _plain(text: str) -> _Requirement | None:
    """What `_any` tells of most requirements, without importing what takes 15 ms."""
    parts = _PARTS.fullmatch(text)
    if parts is None:
        return None
    name, *lists = parts.groups(default="")
    extras, bounds = map(_items, lists)
    if not all(_NAME.fullmatch(each) for each in (name, *extras)):
        return None
    if not all(_BOUND.fullmatch(each) for each in bounds):
        return None
    specifier = ",".join(sorted({re.sub(r"\s", "", bound) for bound in bounds}))
    return _canonical(name), frozenset(extras), specifier


def _items(listed: str) -> list[str]:
    return [item.strip() for item in listed.split(",")] if listed.strip() else []


def _any(text: str) -> _Requirement | None:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return None
    if requirement.marker is not None and not any(map(requirement.marker.evaluate, _MACHINES)):
        return None
    specifier = str(requirement.specifier)
    return _canonical(requirement.name), frozenset(requirement.extras), specifier


def _canonical(name: str) -> str:
    """The one form of a package's name, as PEP 503 says."""
    return re.sub(r"[-_.]+", "-", name).lower()


_MACHINES = tuple(
    {
        "python_version": version,
        "python_full_version": f"{version}.0",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "extra": "",
    }
    for version in _PYTHONS
)


def _pinned(specifier: str) -> str | None:
    """The version of a specifier that allows just one."""
    match = re.fullmatch(r"={2,3}\s*([\w.!+-]+)", specifier)
    return match[1] if match else None


# TOML


def _toml(source: Source) -> Mapping[str, Any]:
    import tomli

    try:
        return tomli.loads(source.text)
    except (tomli.TOMLDecodeError, RecursionError):
        return {}


def _table(value: object, *path: str) -> Mapping[str, Any]:
    """The table at a path; empty where there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _strings(value: object) -> Iterator[str]:
    yield from (item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _pyproject(source: Source) -> Iterator[Dependency]:
    """PEP 621 with its extras, dependency groups, Poetry's tables, uv's constraints."""
    data = _toml(source)
    lists: list[tuple[str, object]] = [("", _table(data, "project").get("dependencies"))]
    lists += _table(data, "project", "optional-dependencies").items()
    lists += ((f"dev {name}", group) for name, group in _table(data, "dependency-groups").items())
    lists += ((f"dev {n}", g) for n, g in _table(data, "tool", "pdm", "dev-dependencies").items())
    for group, texts in lists:
        development = _is_for_development(group)
        for text in _strings(texts):
            yield from _required(text, _quoted(source, text), development=development)
    for text in _strings(_table(data, "tool", "uv").get("constraint-dependencies")):
        for each in _required(text, _quoted(source, text)):
            yield replace(each, kind="constraint")
    poetry = _table(data, "tool", "poetry")
    tables = [("", poetry.get("dependencies")), ("dev", poetry.get("dev-dependencies"))]
    tables += [(n, _table(g).get("dependencies")) for n, g in _table(poetry, "group").items()]
    for group, table in tables:
        yield from _constrained(source, _table(table), _is_for_development(group))


def _pipfile(source: Source) -> Iterator[Dependency]:
    data = _toml(source)
    yield from _constrained(source, _table(data, "packages"), False)
    yield from _constrained(source, _table(data, "dev-packages"), True)


def _constrained(
    source: Source, table: Mapping[str, Any], development: bool
) -> Iterator[Dependency]:
    """Poetry's and Pipenv's tables: a name, and a constraint or a table with one."""
    for name, value in table.items():
        text = value.get("version", "*") if isinstance(value, dict) else value
        if name == "python" or not isinstance(text, str):
            continue
        specifier = _poetry_specifier(text)
        if specifier is None:
            continue
        written = re.search(rf'^\s*["\']?{re.escape(name)}["\']?\s*=.*$', source.text, re.MULTILINE)
        span = _trimmed(source, *written.span()) if written else source.first_line()
        pinned = _pinned(specifier)
        yield Dependency(_canonical(name), specifier, pinned, span, development=development)


def _poetry_specifier(text: str) -> str | None:
    """A constraint in PEP 440's form; None for one that has none (`||`)."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    parts = [part.strip() for part in text.split(",")]
    made = ",".join(filter(None, map(_poetry_part, parts)))
    try:
        return str(SpecifierSet(made)) if "|" not in text else None
    except InvalidSpecifier:
        return None


def _poetry_part(part: str) -> str:
    match = re.fullmatch(r"(\^|~(?!=)|)\s*v?(\d+(?:\.\d+)*)(\.\*)?", part)
    if match is None:
        return "" if part in ("*", "") else part
    sign, version, wildcard = match.groups()
    if not sign:
        return f"=={version}{wildcard or ''}"
    numbers = [int(number) for number in version.split(".")]
    if sign == "~":
        kept = min(len(numbers), 2)
    else:
        kept = next((i for i, n in enumerate(numbers, 1) if n), len(numbers))
    upper = [*numbers[: kept - 1], numbers[kept - 1] + 1]
    return f">={version},<{'.'.join(map(str, upper))}"


def _quoted(source: Source, text: str) -> Span:
    """The place of a TOML string with this content."""
    for quote in ('"', "'"):
        at = source.text.find(f"{quote}{text}{quote}")
        if at >= 0:
            return source.span(at + 1, at + 1 + len(text))
    return source.first_line()


def _trimmed(source: Source, start: int, end: int) -> Span:
    text = source.text[start:end]
    lead = len(text) - len(text.lstrip())
    return source.span(start + lead, start + len(text.rstrip()))


# lock files


def _lock(source: Source) -> Iterator[Dependency]:
    """uv.lock, poetry.lock, pdm.lock and pylock.toml: tables that their tools write alike."""
    for match in _LOCKED.finditer(source.text):
        span = source.span(match.start(2), match.end(2))
        yield Dependency(_canonical(match[1]), f"=={match[2]}", match[2], span, "lock")


def _pipfile_lock(source: Source) -> Iterator[Dependency]:
    try:
        data = json.loads(source.text)
    except (ValueError, RecursionError):
        return
    for section in ("default", "develop"):
        opening = re.search(rf'^\s*"{section}"\s*:', source.text, re.MULTILINE)
        for name, entry in _table(data, section).items():
            specifier = _table(entry).get("version")
            version = _pinned(specifier) if isinstance(specifier, str) else None
            if version is None or not isinstance(specifier, str):
                continue
            start = source.text.find(f'"{name}"', opening.end() if opening else 0)
            at = source.text.find(f'"{specifier}"', max(start, 0))
            span = source.span(at + 1, at + 1 + len(specifier)) if at >= 0 else source.first_line()
            is_development = section == "develop"
            yield Dependency(_canonical(name), specifier, version, span, "lock", is_development)


_READERS: dict[str, Reader] = {
    "pyproject.toml": _pyproject,
    "Pipfile": _pipfile,
    "Pipfile.lock": _pipfile_lock,
    "uv.lock": _lock,
    "poetry.lock": _lock,
    "pdm.lock": _lock,
    "pylock.toml": _lock,
}
