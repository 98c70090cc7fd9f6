"""What the XML formats share."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from gunilint.regex import regex

_ILLEGAL = regex(r"[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def element(
    parent: Element | None, tag: str, attributes: Mapping[str, object], text: str = ""
) -> Element:
    """A new element, below `parent` if there is one."""
    written = {name: _legal(str(value)) for name, value in attributes.items()}
    made = Element(tag, written) if parent is None else SubElement(parent, tag, written)
    made.text = _legal(text) or None
    return made


def document(root: Element) -> str:
    """The document with this root, in ASCII."""
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="us-ascii").decode("ascii")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _legal(text: str) -> str:
    r"""`text` with each character that XML can't or shouldn't carry written out (`\x1b`)."""
    return _ILLEGAL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
