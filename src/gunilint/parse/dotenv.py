"""`.env` files as python-dotenv's `load_dotenv` reads them."""

from __future__ import annotations

import io

from gunilint.source import Source, Span
from gunilint.values import Known, Unknown


def parse(source: Source) -> dict[str, Known | Unknown]:
    """The variables that a file sets; `via` has each value's place.

    A value with `${…}` in it is unknown: it is put together from the process's environment.
    """
    from dotenv.parser import parse_stream

    found: dict[str, Known | Unknown] = {}
    position = 0
    for binding in parse_stream(io.StringIO(source.text)):
        text = binding.original.string
        if binding.key is not None and binding.value is not None:
            place = _place(source, position, text, binding.value)
            if "${" in binding.value:
                found[binding.key] = Unknown(f"`{place.text}` is put together", via=(place,))
            else:
                found[binding.key] = Known(binding.value, via=(place,))
        position += len(text)
    return found


def _place(source: Source, start: int, text: str, value: str) -> Span:
    """The value's own characters; of one that is written with escapes, all behind the `=`."""
    behind = text.index("=") + 1 if "=" in text else 0
    at = text.find(value, behind)
    if at >= 0 and value:
        return source.span(start + at, start + at + len(value))
    rest = text[behind:]
    lead = len(rest) - len(rest.lstrip())
    return source.span(start + behind + lead, start + behind + len(rest.rstrip()))
