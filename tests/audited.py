"""Lints every project of a folder while Python's audit hooks watch, and tells what it shouldn't have done.

    python audited.py FOLDER [DEED]

A deed is something forbidden, done by a check in the middle of it all: the watch has to see it. What
was seen is written as JSON, one list of words.
"""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import CodeType

ROOT = Path(__file__).resolve().parents[1]
CHECKS = str(ROOT / "src/gunilint") + os.sep
OURS = tuple(
    f"{folder}{os.sep}"
    for folder in (sys.prefix, sys.base_prefix, sys.exec_prefix, ROOT / "src", ROOT / "rules")
)
"""Where Python, the libraries and gunilint are."""

FORBIDDEN = (
    "ctypes.", "ftplib.", "http.", "os.exec", "os.fork", "os.kill", "os.posix_spawn", "os.spawn", "os.system", "pty.",
    "smtplib.", "socket.", "subprocess.", "urllib.", "webbrowser.",
)  # fmt: skip
CHANGES = (
    "os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate",
    "os.utime", "shutil.",
)  # fmt: skip
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

DEEDS = {
    "exec of a project's text": lambda folder: exec(Path("gunicorn.conf.py").read_text(), {}),
    "import from a project": lambda folder: (
        sys.path.insert(0, str(Path.cwd())),
        __import__("planted"),
    ),
    "a program": lambda folder: os.system("true"),
    "another program": lambda folder: __import__("subprocess").run(["true"], check=True),
    "a socket": lambda folder: __import__("socket").socket().close(),
    "a write": lambda folder: Path("left.txt").write_text(""),
    "a folder": lambda folder: Path("left").mkdir(),
    "a look outside": lambda folder: (folder.parent / "secret.txt").read_text(),
}


class Watch:
    """What was seen that should not be, while it is on."""

    def __init__(self, folder: Path) -> None:
        self.root = str(folder) + os.sep
        self.seen: list[str] = []
        self.on = False
        sys.addaudithook(self.hook)

    def hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.on:
            return
        if event.startswith((*FORBIDDEN, *CHANGES)):
            self.seen.append(event)
        elif event == "exec":
            code = arguments[0]
            assert isinstance(code, CodeType)
            caller = sys._getframe(1).f_code.co_filename
            if code.co_filename.startswith(self.root) or caller.startswith(CHECKS):
                self.seen.append(f"exec of {code.co_filename} by {caller}")
        elif event == "open":
            self.opened(*arguments)

    def opened(self, path: object, mode: object, flags: object) -> None:
        if not isinstance(path, (str, bytes)):
            return
        name = str(Path.cwd() / os.fsdecode(path))
        assert isinstance(flags, int)
        if flags & WRITES:
            self.seen.append(f"write of {name}")
        elif not name.startswith((self.root, *OURS)):
            self.seen.append(f"read of {name}")


def main(folder: Path, deed: str | None) -> list[str]:
    watch = Watch(folder)
    if deed is not None:
        import gunilint.checks.settings as checks

        check = checks.setting_is

        def with_deed(*arguments: object) -> object:
            DEEDS[deed](folder)
            return check(*arguments)

        checks.setting_is = with_deed
    sys.dont_write_bytecode = True
    watch.on = True
    from gunilint.cli import main as gunilint
    from gunilint.output import FORMATS

    for project in sorted(folder.iterdir()):
        os.chdir(project)
        for arguments in (
            *(["check", "--format", each] for each in FORMATS),
            ["check", "--diff"],
            ["show"],
        ):
            with (
                redirect_stdout(io.TextIOWrapper(io.BytesIO())),
                redirect_stderr(io.StringIO()) as told,
            ):
                try:
                    gunilint([*arguments, "."])
                except SystemExit as ended:
                    if ended.code not in (0, 1, 3) and deed is None:
                        watch.seen.append(f"{project.name}: exit {ended.code}: {told.getvalue()}")
    watch.on = False
    from_project = [
        name
        for name, module in sys.modules.items()
        if (getattr(module, "__file__", None) or "").startswith(watch.root)
    ]
    return [*watch.seen, *(f"import of {name}" for name in from_project)]


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]).resolve(), *sys.argv[2:] or [None])))
