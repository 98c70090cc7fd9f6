"""HTML in which nothing that comes from elsewhere can be anything but text."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import TypeAlias

from gunilint.report.terminal import escape

_VOID = frozenset({"br", "hr", "input", "link", "meta"})


class Markup(str):
    """Text that is HTML already; only this module makes it, and what reads a file of its own."""

    __slots__ = ()


Child: TypeAlias = str | Iterable["Child"] | None
"""A piece of content: markup as it is, any other text escaped, None for nothing."""


def tag(name: str, /, *children: Child, **attributes: object) -> Markup:
    """An element. `class_` stands for `class`, `_` for `-`; None and False leave one out."""
    parts = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        shown = key.rstrip("_").replace("_", "-")
        parts.append(shown if value is True else f'{shown}="{_text(str(value))}"')
    start = f"<{' '.join(parts)}>"
    return Markup(start) if name in _VOID else Markup(f"{start}{join(*children)}</{name}>")


def join(*children: Child) -> Markup:
    """Pieces of content, one behind the other."""
    return Markup("".join(map(_markup, children)))


def inline(text: str) -> Markup:
    """A sentence in which backticks enclose code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return join(text)
    return join([tag("code", part) if index % 2 else part for index, part in enumerate(parts)])


def link(text: Child, url: str | None, **attributes: object) -> Markup:
    """A link to another page, or the text alone where there is no address that is one."""
    if url is None or not url.startswith(("https://", "http://")):
        return join(text)
    return tag("a", text, href=url, rel="noreferrer", **attributes)


def _markup(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, str):
        return _text(child)
    return "".join(map(_markup, child))


def _text(text: str) -> str:
    return html.escape(escape(text))
