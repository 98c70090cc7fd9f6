"""Make a release, or say what disagrees about its version.

    python scripts/release.py 0.2.0     write the version, and the changelog's date, everywhere
    python scripts/release.py --check   name each place that says something else
    python scripts/release.py --final   the same, and all that has to hold at the tag itself

`docs/releasing.md` has the steps around it.
"""

from __future__ import annotations

import datetime
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).parents[1]
MODULE = "src/gunilint/__init__.py"
CHANGELOG = "CHANGELOG.md"
HEADINGS = re.compile(r"^## (\S+)(?: - (\S+))?$", re.MULTILINE)
ASSIGNED = re.compile(r'(?<=^__version__ = ")([^"]+)(?="$)', re.MULTILINE)
NAMED = re.compile(
    r"(?<=gunilint/gunilint@v)(\d[\w.]*\w)"
    r"|(?<=gunilint==)(\d[\w.]*\w)"
    r"|(?<=gunilint/gunilint/blob/v)(\d[\w.]*\w)"
    r"|(?<=gunilint/gunilint/raw/v)(\d[\w.]*\w)"
    r"|(?<=gunilint/gunilint\n)(?:[ ]+rev: v)(\d[\w.]*\w)"
)
"""The version where something names a release: the action, PyPI, a file of ours, a hook."""


def main() -> int:
    match sys.argv[1:]:
        case ["--check"]:
            found = list(disagreements(texts()))
        case ["--final"]:
            found = [*disagreements(texts()), *unready()]
        case [version] if not version.startswith("-"):
            return write(version)
        case _:
            print(__doc__)
            return 2
    print("".join(f"{each}\n" for each in found), end="")
    return int(bool(found))


def texts() -> dict[str, str]:
    """What may name a version, by its path."""
    paths = [MODULE, CHANGELOG, "README.md", "CONTRIBUTING.md", "action.yml", "man/gunilint.1"]
    for pattern in ("*.md", "*.yml", "*.yaml", "*.toml", "*.json", "*.sh"):
        found = (ROOT / "docs").rglob(pattern)
        paths += [path.relative_to(ROOT).as_posix() for path in found]
    read = {path: (ROOT / path).read_text(encoding="utf-8") for path in dict.fromkeys(paths)}
    rules = sorted((ROOT / "rules").glob("*.yaml"))
    return read | {f"rules/{path.name}": path.read_text(encoding="utf-8") for path in rules}


def disagreements(files: Mapping[str, str]) -> Iterator[str]:
    """What doesn't agree with the version of the package."""
    version = written(files)
    try:
        parsed = Version(version)
    except InvalidVersion:
        yield f"{MODULE}: {version!r} is no version"
        return
    if str(parsed) != version:
        yield f"{MODULE}: {version!r} is written {parsed}"
    for path, text in files.items():
        for found in NAMED.finditer(text):
            named = next(filter(None, found.groups()))
            if named != version:
                line = text.count("\n", 0, found.end()) + 1
                yield f"{path}:{line}: names {named}, not {version}"
        since = re.search(r'^since: "?([^"\s]+)', text, re.MULTILINE)
        if path.startswith("rules/") and since and Version(since[1]) > parsed:
            yield f"{path}: came with {since[1]}, which isn't there yet"
    if f'"gunilint {version}"' not in files["man/gunilint.1"]:
        yield "man/gunilint.1: it isn't of this version; run python scripts/build_man.py"
    yield from _changelog(files[CHANGELOG], version)


def _changelog(text: str, version: str) -> Iterator[str]:
    names = [name for name, _ in HEADINGS.findall(text)]
    releases = [name for name in names if name != "Unreleased"]
    if names[:1] not in (["Unreleased"], [version]):
        yield f"{CHANGELOG}: it begins neither with Unreleased nor with {version}"
    if releases and releases[0] != version:
        yield f"{CHANGELOG}: its newest release is {releases[0]}, not {version}"
    if sorted(releases, key=Version, reverse=True) != releases:
        yield f"{CHANGELOG}: its releases aren't in order"
    for name, date in HEADINGS.findall(text):
        if name != "Unreleased" and not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
            yield f"{CHANGELOG}: {name} has no date"


def unready() -> Iterator[str]:
    """What must not be so at the tag of a release."""
    files = texts()
    version = written(files)
    if not HEADINGS.search(files[CHANGELOG]) or HEADINGS.findall(files[CHANGELOG])[0][0] != version:
        yield f"{CHANGELOG}: {version} isn't its newest section"
    if _git("status", "--porcelain"):
        yield "there are changes that aren't committed"
    if f"v{version}" not in _git("tag", "--points-at", "HEAD").split():
        yield f"the commit has no tag v{version}"
    for script in ("build_docs.py", "build_man.py"):
        done = subprocess.run([sys.executable, ROOT / "scripts" / script, "--check"], check=False)
        if done.returncode:
            yield f"scripts/{script} would write something else"


def written(files: Mapping[str, str]) -> str:
    """The version that the package says it has."""
    found = ASSIGNED.search(files[MODULE])
    return found[1] if found else ""


def write(version: str) -> int:
    """Write a version wherever one is named, and make what is unreleased its section."""
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    for path, text in changed(texts(), version, today).items():
        (ROOT / path).write_text(text, encoding="utf-8", newline="\n")
        print(path)
    for script in ("build_docs.py", "build_man.py"):
        # anew, as what is imported here has the old version
        subprocess.run([sys.executable, ROOT / "scripts" / script], check=True)
    return 0


def changed(files: Mapping[str, str], version: str, date: str) -> dict[str, str]:
    """The files that a new version changes, with their texts."""
    new = {
        path: NAMED.sub(lambda found: _with(found, version), text) for path, text in files.items()
    }
    new[MODULE] = ASSIGNED.sub(version, files[MODULE])
    new[CHANGELOG] = re.sub("(?m)^## Unreleased$", f"## {version} - {date}", files[CHANGELOG])
    return {path: text for path, text in new.items() if text != files[path]}


def _with(found: re.Match[str], version: str) -> str:
    old = next(filter(None, found.groups()))
    return found[0].removesuffix(old) + version


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
