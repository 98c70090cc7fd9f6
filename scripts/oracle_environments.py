"""Make environments with older releases of gunicorn, for the oracle of the tests.

    python scripts/oracle_environments.py                  # all of them
    python scripts/oracle_environments.py 20.1.0 23.0.0    # some

Each is a virtual environment in `.oracle/`; `pytest` compares gunilint with every one that is there.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

FOLDER = Path(__file__).parents[1] / ".oracle"
RELEASES = ("20.1.0", "21.2.0", "22.0.0", "23.0.0", "25.3.0")


def main(releases: list[str]) -> None:
    for release in releases or RELEASES:
        folder = FOLDER / release
        if not (folder / "bin/python").exists():
            venv.create(folder, with_pip=True)
        # gunicorn 20 needs pkg_resources, which setuptools 81 no longer has
        packages = [f"gunicorn=={release}", "setuptools<81", "python-dotenv"]
        pip = [str(folder / "bin/python"), "-m", "pip", "install", "-q"]
        subprocess.run([*pip, *packages], check=True)
        print(f"gunicorn {release} is in {folder}")


if __name__ == "__main__":
    main(sys.argv[1:])
