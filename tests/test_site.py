"""The documentation site: MkDocs builds it without a warning, links lead somewhere, nothing is remote."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[1]
LOADS = {"src", "srcset", "data", "poster"}
"""Attributes whose address a browser loads by itself."""


class Page(HTMLParser):
    """The links of a page, what it loads, and its anchors."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            elif name == "href" and value is not None:
                (self.links if tag == "a" else self.loads).append(value)
            elif name in LOADS and value:
                self.loads.append(value)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=ROOT, timeout=300, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[Path, Page]:
    return {path.resolve(): Page(path) for path in site.rglob("*.html")}


def within(path: Path, address: str) -> tuple[Path, str] | None:
    """The file and the anchor that an address leads to; None for another host's."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return None
    target = path.parent / unquote(parts.path) if parts.path else path
    return target.resolve(), unquote(parts.fragment)


def broken(pages: dict[Path, Page]) -> Iterator[str]:
    for path, page in pages.items():
        if path.name == "404.html":
            continue
        for address in (*page.links, *page.loads):
            found = within(path, address)
            if found is None:
                continue
            target, anchor = found
            if target.is_dir():
                target /= "index.html"
            is_there = target.is_file() and (
                not anchor
                or anchor.startswith("__")
                or target not in pages
                or anchor in pages[target].anchors
            )
            if not is_there:
                yield f"{path.name}: {address}"


def test_every_link_leads_to_a_page_and_a_place_in_it(pages: dict[Path, Page]) -> None:
    assert list(broken(pages)) == []


def test_nothing_is_loaded_from_elsewhere(pages: dict[Path, Page], site: Path) -> None:
    loaded = {address for page in pages.values() for address in page.loads}
    assert {address for address in loaded if urlsplit(address).netloc} == set()
    for path in site.rglob("*.css"):
        assert "url(http" not in path.read_text(encoding="utf-8")


def test_every_rule_and_page_is_reached_from_the_start(pages: dict[Path, Page], site: Path) -> None:
    start = (site / "index.html").resolve()
    reached, waiting = {start}, [start]
    while waiting:
        path = waiting.pop()
        targets = {found[0] for link in pages[path].links if (found := within(path, link))}
        new = (targets & pages.keys()) - reached
        reached |= new
        waiting += new
    assert {path.name for path in pages.keys() - reached} == {"404.html"}
