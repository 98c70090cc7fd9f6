"""What stands around gunicorn in a project: the containers it runs in, the proxies before it.

These files are searched and not parsed: only the few forms are found that leave no doubt.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from msgspec import Struct

from gunilint.discover import Tree
from gunilint.regex import regex
from gunilint.source import Source, Span

_FILES = 100
"""How many files of a kind are read."""
_LINES = 2_000
"""How many lines of one."""

_IMAGE = regex(r"(^|/)((Dockerfile|Containerfile)([.-][\w.-]+)?|[\w.-]+\.[Dd]ockerfile)$")
_COMPOSE = regex(r"(^|/)(docker-)?compose[\w.-]*\.ya?ml$")
_INSTRUCTION = regex(r"\s*(FROM|CMD|ENTRYPOINT)\s+(.*)", re.IGNORECASE)
_COMMAND_KEY = regex(r"(\s*)(command|entrypoint):\s*(.*)")
_QUOTES = str.maketrans("[]\"',", "     ")

_NGINX = regex(
    r"(^|/)([\w.-]{0,255}nginx[\w.-]{0,255}|[\w.-]{1,255}\.conf(\.template)?|sites-(available|enabled)/[\w.-]+)$"
)
_UPSTREAM = regex(r"\bupstream\s+\S+\s*\{([^{}]*)\}")
_DIRECTIVE = regex(
    r"^[ \t]*(server|keepalive|keepalive_timeout)\s+([^\s;]+)(?:[^\S\n][^;\n]*)?;", re.MULTILINE
)
_HTTP_1_1 = regex(r"^[ \t]*proxy_http_version\s+1\.1\s*;", re.MULTILINE)
_DURATION = regex(r"(\d{1,6})(s|m|h)?$")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}

_NGINX_IDLE = 60
"""`keepalive_timeout` of an upstream where nothing is said, in seconds."""


class Container(Struct, frozen=True):
    """A container file, and the words of what it runs; `span` is where that is written."""

    source: Source
    words: tuple[str, ...]
    span: Span


class Upstream(Struct, frozen=True):
    """The servers to which nginx keeps connections, and the seconds that it keeps an idle one."""

    servers: tuple[str, ...]
    idle: int
    span: Span


def containers(tree: Tree) -> Iterator[Container]:
    """What the containers of a project run, one for each image and each service."""
    for source in _read(tree, _IMAGE):
        yield from _image(source)
    for source in _read(tree, _COMPOSE):
        yield from _services(source)


def _read(tree: Tree, name: re.Pattern[str]) -> Iterator[Source]:
    for path in tree.matching(name)[:_FILES]:
        source = tree.read(path)
        if source is not None and len(source.line_starts) <= _LINES:
            yield source


def _image(source: Source) -> Iterator[Container]:
    """The last `ENTRYPOINT` and `CMD` of the last stage."""
    found: dict[str, tuple[str, Span]] = {}
    number = 1
    while number <= len(source.line_starts):
        match = _INSTRUCTION.match(source.line(number))
        first = number
        text = match[2] if match else ""
        while source.line(number).rstrip().endswith("\\") and number < len(source.line_starts):
            number += 1
            text = text.rstrip().removesuffix("\\") + " " + source.line(number)
        if match and match[1].upper() == "FROM":
            found.clear()
        elif match:
            found[match[1].upper()] = (text, source.line_span(first))
        number += 1
    if found:
        texts = [found[key][0] for key in ("ENTRYPOINT", "CMD") if key in found]
        yield Container(source, _words(" ".join(texts)), [*found.values()][-1][1])


def _services(source: Source) -> Iterator[Container]:
    """Each `command:` and `entrypoint:`, on its line or in the deeper lines behind it."""
    for number in range(1, len(source.line_starts) + 1):
        match = _COMMAND_KEY.match(source.line(number))
        if match is None:
            continue
        text, following = match[3], number + 1
        while following <= len(source.line_starts):
            line = source.line(following)
            if not line.strip() or len(line) - len(line.lstrip()) <= len(match[1]):
                break
            text += " " + line.strip().removeprefix("- ")
            following += 1
        yield Container(source, _words(text), source.line_span(number))


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.translate(_QUOTES).split())


def runs_script(container: Container, path: str) -> bool:
    """Whether a container starts a script of the project."""
    return any(_names(word, path) for word in container.words)


def runs_config(container: Container, path: str) -> bool:
    """Whether a container starts gunicorn with a config file, which alone says the workers."""
    words = container.words
    if not any(posixpath.basename(word) == "gunicorn" for word in words):
        return False
    if any(re.match(r"(-w\d*|--workers(=.*)?)$", word) for word in words):
        return False
    for word, following in zip(words, (*words[1:], ""), strict=True):
        if word in ("-c", "--config"):
            return _names(following, path)
        if word.startswith("--config="):
            return _names(word.removeprefix("--config="), path)
    return path in ("gunicorn.conf.py", posixpath.join(_folder(container), "gunicorn.conf.py"))


def _folder(container: Container) -> str:
    return posixpath.dirname(container.source.path)


def _names(word: str, path: str) -> bool:
    """Whether a path in a container is that of a file of the project, by their common tail."""
    parts = [part for part in word.split("/") if part not in ("", ".")]
    own = path.split("/")
    common = min(len(parts), len(own), 2)
    return common > 0 and parts[-common:] == own[-common:]


def upstreams(tree: Tree) -> Iterator[Upstream]:
    """The upstreams of nginx that keep connections."""
    for source in _read(tree, _NGINX):
        if "upstream" not in source.text or not _HTTP_1_1.search(source.text):
            continue
        for block in _UPSTREAM.finditer(source.text):
            found = [*_DIRECTIVE.finditer(block[1])]
            servers = tuple(match[2] for match in found if match[1] == "server")
            keeps = next((match for match in found if match[1] == "keepalive"), None)
            lasts = next((match for match in found if match[1] == "keepalive_timeout"), keeps)
            if keeps is None or lasts is None or not servers:
                continue
            duration = _DURATION.match(lasts[2])
            idle = int(duration[1]) * _UNITS[duration[2] or ""] if duration else None
            if lasts is keeps:
                idle = _NGINX_IDLE
            if idle is not None:
                start = block.start(1) + lasts.start() + len(lasts[0]) - len(lasts[0].lstrip())
                yield Upstream(servers, idle, source.span(start, block.start(1) + lasts.end()))
