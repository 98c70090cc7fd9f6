"""What MkDocs does beyond its configuration, when it builds the documentation site.

The rules' pages stand in the navigation by category. CONTRIBUTING.md and CHANGELOG.md are pages.
Links to other files of the repository lead to its home. Drawings stand in the page itself, so that
they have its colours.
"""

from __future__ import annotations

import html
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from gunilint.rules import CATEGORIES, load_rules

ROOT = Path(__file__).parents[1]
HOME = "https://github.com/gunilint/gunilint/blob/main/"
PAGES = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""Files above docs/ that are pages, and where."""


def on_config(config: MkDocsConfig) -> None:
    rules = load_rules()
    (section,) = [item["Rules"] for item in config.nav if "Rules" in item]
    for category in CATEGORIES:
        pages = [f"rules/{rule.code}.md" for rule in rules if rule.category == category]
        if pages:
            section.append({category: pages})


def on_files(files: Files, config: MkDocsConfig) -> None:
    for source, page in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    uri = page.file.src_uri
    sources = {target: source for source, target in PAGES.items()}
    source = sources.get(uri, f"docs/{uri}")
    linked = re.sub(
        r"(?<=\]\()([^)\s#:]+)(?=[)#])", lambda link: _link(link[1], source, uri), markdown
    )
    return re.sub(r"^\|.*$", _unescaped, linked, flags=re.MULTILINE)


def _unescaped(row: re.Match[str]) -> str:
    """A table's row without the backslashes that GitHub wants before a `|` in code."""
    return re.sub(r"`[^`]+`", lambda code: code[0].replace(r"\|", "|"), row[0])


def _link(target: str, source: str, uri: str) -> str:
    """Where a link of a file in the repository leads on the site."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    if not (ROOT / path).exists():
        return target
    inside = PAGES.get(path, path.removeprefix("docs/") if path.startswith("docs/") else None)
    if inside is None:
        return HOME + path
    return posixpath.relpath(inside, posixpath.dirname(uri) or ".")


def on_page_content(content: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    return re.sub(r'<p><img alt="([^"]*)" src="[^"]*?([\w-]+)\.svg" ?/?></p>', _drawing, content)


def _drawing(match: re.Match[str]) -> str:
    text = (ROOT / f"docs/assets/{match[2]}.svg").read_text(encoding="utf-8")
    label = html.escape(html.unescape(match[1]))
    text = text.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
    return f'<figure class="drawing">{text}</figure>'
