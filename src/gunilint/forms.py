"""Parsed configs as a cache keeps them: one that was parsed once needs no libcst the next time.

A form is JSON. A node is an array of its class's name and its fields, a tuple one with "" in front,
a span one of two offsets; "=" stands before what JSON has no notation for, written as in Python.
"""

from __future__ import annotations

import json
from ast import literal_eval
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from msgspec import Struct

from gunilint import syntax
from gunilint.ahead import ahead
from gunilint.cache import PARSED, Cache
from gunilint.files import Parser, parse_config
from gunilint.source import Problem, Source, Span
from gunilint.syntax import PythonConfig

MANY = 50
"""The configs from which on a second process saves a fifth of the time."""

_CLASSES: dict[str, Any] = {
    name: value for name, value in vars(syntax).items() if isinstance(value, type(Struct))
} | {"Problem": Problem}


class KeepingParser(Parser):
    """Keeps what it parses in a cache, and takes it from there."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def parse(self, source: Source) -> PythonConfig:
        """A Python file, parsed now or before."""
        name = self._name(source)
        form = self._cache.read(name)
        found = load(form, source) if form is not None else None
        return found or self._keep(source, name)

    def ahead(
        self, paths: Sequence[str], read: Callable[[str], Source | None]
    ) -> AbstractContextManager[None]:
        """Have many configs parsed by another process, which is soon ahead of this one."""
        if len(paths) < MANY:
            return nullcontext()
        return ahead(self._keep_new(map(read, sorted(paths))))

    def _keep_new(self, sources: Iterable[Source | None]) -> Iterator[PythonConfig]:
        for source in filter(None, sources):
            name = self._name(source)
            if not self._cache.has(name):
                yield self._keep(source, name)

    def _keep(self, source: Source, name: str) -> PythonConfig:
        found = parse_config(source)
        form = dump(found)
        if form is not None:
            self._cache.write(name, form)
        return found

    def _name(self, source: Source) -> str:
        return self._cache.key_of(source.text) + PARSED


def dump(config: PythonConfig) -> bytes | None:
    """The form of a config; None for one that has none: it is nested too deeply, say."""
    try:
        return json.dumps([_packed(config.body), _packed(config.problems)]).encode()
    except (ValueError, RecursionError):
        return None


def load(form: bytes, source: Source) -> PythonConfig | None:
    """The config of a form, given its text; None for what is no form."""
    try:
        body, problems = json.loads(form)
        return PythonConfig(source, _unpacked(body, source), _unpacked(problems, source))
    except (ValueError, LookupError, TypeError, SyntaxError, RecursionError):
        return None


def _packed(value: object) -> object:
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, tuple):
        return ["", *map(_packed, value)]
    if isinstance(value, Span):
        return [value.start, value.end]
    if isinstance(value, Struct):
        fields = (_packed(getattr(value, name)) for name in value.__struct_fields__)
        return [type(value).__name__, *fields]
    if value is ...:
        return ["=", "..."]
    # Python has no literal for infinity, but reads one
    text = repr(value)
    return ["=", text if isinstance(value, bytes) else text.replace("inf", "1e999")]


def _unpacked(item: Any, source: Source) -> Any:
    if not isinstance(item, list):
        return item
    head = item[0]
    if isinstance(head, int):
        return Span(source, head, item[1])
    if head == "=":
        return literal_eval(item[1])
    parts = [_unpacked(each, source) for each in item[1:]]
    return _CLASSES[head](*parts) if head else tuple(parts)
