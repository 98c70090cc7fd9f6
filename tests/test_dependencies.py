"""What requirements and lock files say of a package's version."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gunilint.dependencies import Choice, Dependencies, _any, _plain, dependencies
from gunilint.discover import Tree
from gunilint.versions import releases
from projects import write


def read(folder: Path, files: dict[str, str], within: str = "") -> Dependencies:
    write(folder, files)
    return dependencies(Tree(folder.resolve()), within)


def chosen(folder: Path, files: dict[str, str], within: str = "") -> Choice | None:
    return read(folder, files, within).choose("gunicorn", releases())


UV = '[[package]]\nname = "click"\nversion = "8.1"\n\n[[package]]\nname = "gunicorn"\nversion = "22.0.0"\n'
PIPFILE_LOCK = '{\n  "default": {\n    "gunicorn": {"hashes": [],\n      "version": "==21.2.0"}\n  },\n  "develop": {}\n}\n'
VERSIONS = [
    # file, its text, the version, and the text that the place covers
    ("requirements.txt", "gunicorn==20.1.0\n", "20.1.0", "gunicorn==20.1.0"),
    ("requirements.txt", "flask\nGunicorn[gevent] == 20.1.0 ; python_version > '3.6' # why\n", "20.1.0",
     "Gunicorn[gevent] == 20.1.0 ; python_version > '3.6'"),
    ("requirements.txt", "gunicorn==23.0.0 \\\n    --hash=sha256:00\n", "23.0.0", "gunicorn==23.0.0"),
    ("requirements.txt", "gunicorn==23.0.0 --hash=sha256:00\r\n", "23.0.0", "gunicorn==23.0.0"),
    ("requirements.txt", "gunicorn>=20,<22\n", "21.2.0", "gunicorn>=20,<22"),
    ("requirements.txt", "gunicorn~=20.0\n", "20.1.0", "gunicorn~=20.0"),
    ("requirements.txt", "gunicorn==20.*\n", "20.1.0", "gunicorn==20.*"),
    ("requirements.txt", "gunicorn\n", "27.0.1", "gunicorn"),
    ("requirements.txt", "gunicorn==99.0\n", "99.0", "gunicorn==99.0"),
    ("requirements.txt", "gunicorn>99\n", None, None),
    ("requirements.txt", "gunicorn==20.1.0; sys_platform == 'win32'\n", None, None),
    ("requirements.txt", "gunicorn==19.10.0; python_version < '3'\ngunicorn==23.0.0\n", "23.0.0", "gunicorn==23.0.0"),
    ("requirements.txt", "# gunicorn==20.1.0\n-e git+https://x/gunicorn#egg=gunicorn\n./gunicorn.whl\n", None, None),
    ("requirements.txt", "gunicorn @ https://example.org/gunicorn-20.1.0.whl\n", "27.0.1",
     "gunicorn @ https://example.org/gunicorn-20.1.0.whl"),
    ("requirements/production.txt", "gunicorn==22.0.0\n", "22.0.0", "gunicorn==22.0.0"),
    ("requirements-prod.in", "gunicorn<21\n", "20.1.0", "gunicorn<21"),
    ("constraints.txt", "gunicorn==22.0.0\n", "22.0.0", "gunicorn==22.0.0"),
    ("pyproject.toml", "[project]\ndependencies = ['gunicorn>=22,<23']\n", "22.0.0", "gunicorn>=22,<23"),
    ("pyproject.toml", '[project.optional-dependencies]\nserver = ["gunicorn==23.0.0"]\n', "23.0.0", "gunicorn==23.0.0"),
    ("pyproject.toml", '[dependency-groups]\nx = [{include-group = "y"}]\ny = ["gunicorn<24"]\n', "23.0.0", "gunicorn<24"),
    ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.10"\ngunicorn = "^20.0"\n', "20.1.0", 'gunicorn = "^20.0"'),
    ("pyproject.toml", '[tool.poetry.group.web.dependencies]\ngunicorn = {version = "~21.1", extras = []}\n', "21.1.0",
     'gunicorn = {version = "~21.1", extras = []}'),
    ("pyproject.toml", '[tool.poetry.dependencies]\ngunicorn = "23.0.0"\n', "23.0.0", 'gunicorn = "23.0.0"'),
    ("pyproject.toml", '[tool.poetry.dependencies]\ngunicorn = "*"\n', "27.0.1", 'gunicorn = "*"'),
    ("pyproject.toml", '[tool.poetry.dependencies]\ngunicorn = "^20 || ^22"\n', None, None),
    ("pyproject.toml", '[tool.uv]\nconstraint-dependencies = ["gunicorn<23"]\n', "22.0.0", "gunicorn<23"),
    ("pyproject.toml", "[project\n", None, None),
    ("pyproject.toml", "project = 3\ntool = 4\n", None, None),
    ("Pipfile", '[packages]\ngunicorn = "==23.0.0"\n', "23.0.0", 'gunicorn = "==23.0.0"'),
    ("Pipfile.lock", PIPFILE_LOCK, "21.2.0", "==21.2.0"),
    ("Pipfile.lock", "[", None, None),
    ("uv.lock", UV, "22.0.0", "22.0.0"),
    ("poetry.lock", UV.replace("\n", "\r\n"), "22.0.0", "22.0.0"),
    ("pdm.lock", UV, "22.0.0", "22.0.0"),
    ("pylock.toml", UV.replace("[[package]]", "[[packages]]"), "22.0.0", "22.0.0"),
    ("notes.txt", "gunicorn==20.1.0\n", None, None),
]  # fmt: skip


@pytest.mark.parametrize(("path", "text", "version", "place"), VERSIONS)
def test_version(tmp_path: Path, path: str, text: str, version: str | None, place: str) -> None:
    choice = chosen(tmp_path, {path: text})
    assert (choice and choice.version) == version
    assert (choice and choice.span.text) == place


PINS = {"requirements.txt": "gunicorn==22.0.0\n"}
STRONGER = [
    ("a lock beats a pin", {**PINS, "uv.lock": UV.replace("22", "21")}, "21.0.0", "uv.lock locks it"),
    ("a pin beats a range", {**PINS, "pyproject.toml": '[project]\ndependencies = ["gunicorn<22"]'}, "22.0.0",
     "requirements.txt pins it"),
    ("a constraint pins", {"requirements.txt": "-c limits.txt\ngunicorn\n", "limits.txt": "gunicorn==20.0.4"}, "20.0.4",
     "limits.txt pins it"),
    ("ranges are taken together", {"requirements.txt": "gunicorn>=20", "constraints.txt": "gunicorn<22"}, "21.2.0", None),
    ("included files count", {"requirements.txt": "-r reqs/base.txt\n", "reqs/base.txt": "gunicorn==20.0.4"}, "20.0.4",
     "base.txt pins it"),
    ("production beats development", {"requirements-dev.txt": "gunicorn==20.1.0", **PINS}, "22.0.0",
     "requirements.txt pins it"),
    ("development alone counts", {"requirements-dev.txt": "gunicorn==20.1.0"}, "20.1.0", "requirements-dev.txt pins it"),
    ("files that include one another", {"requirements.txt": "-r requirements.txt\n-r b.txt", "b.txt": "-r requirements.txt"},
     None, None),
    ("outside the root", {"requirements.txt": "-r ../../etc/requirements.txt\ngunicorn<23"}, "22.0.0",
     "the newest that requirements.txt allows with <23"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "version", "why"), [row[1:] for row in STRONGER], ids=[row[0] for row in STRONGER]
)
def test_which_of_several_places_decides(tmp_path: Path, files, version, why) -> None:
    choice = chosen(tmp_path, files)
    assert (choice and choice.version) == version
    if why is not None:
        assert choice is not None
        assert choice.why == why


def test_nearest_folder_upwards_decides(tmp_path: Path) -> None:
    files = {**PINS, "services/api/requirements.txt": "gunicorn==20.1.0\n", "services/web/x.py": ""}
    assert chosen(tmp_path, files, "services/api").version == "20.1.0"
    assert chosen(tmp_path, files, "services/web").version == "22.0.0"
    assert chosen(tmp_path, files, "elsewhere/deep").version == "22.0.0"


def test_names_are_what_is_asked_for_and_not_all_that_is_locked(tmp_path: Path) -> None:
    files = {"requirements.txt": "FastAPI[all]\nzope.interface\n", "uv.lock": UV}
    assert read(tmp_path, files).names == {"fastapi", "zope-interface"}
    (tmp_path / "requirements.txt").unlink()
    assert read(tmp_path, {"uv.lock": UV}).names == {"click", "gunicorn"}


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(
    path=st.sampled_from(sorted({row[0] for row in VERSIONS})),
    pieces=st.lists(
        st.sampled_from([*(row[1] for row in VERSIONS), "gunicorn", "==", "[", "]", "{", '"', "\n", "\\", "-r ", "é", "\0"])
        | st.text(max_size=8),
        max_size=8,
    ),
)  # fmt: skip
def test_any_text_is_read_without_an_exception(tmp_path: Path, path: str, pieces) -> None:
    text = "".join(pieces).encode("utf-8", "replace").decode()
    found = read(tmp_path, {path: text})
    for place in found.places:
        assert 0 <= place.span.start <= place.span.end <= len(place.span.source.text)
    found.choose("gunicorn", releases())


NUMBERS = st.lists(st.integers(0, 99), min_size=1, max_size=3).map(lambda n: ".".join(map(str, n)))
BOUNDS = st.builds(
    "{}{}{}".format, st.sampled_from(["==", "!=", ">=", "<=", ">", "<", "~=", "==="]),
    st.sampled_from(["", " "]), NUMBERS | NUMBERS.map("{}.*".format) | st.sampled_from(["1rc1", "01.0", "v2", "1+a", ""]),
)  # fmt: skip


@settings(max_examples=600, deadline=None, derandomize=True)
@given(
    name=st.text("aZ09._-é", min_size=1, max_size=6),
    extras=st.sampled_from(["", "[]", "[standard]", "[ a , B_c ]", "[a,]", "[a b]", "[-a]"]),
    bounds=st.lists(BOUNDS, max_size=3).map(",".join),
    end=st.sampled_from(["", " ", ",", ";python_version>'3.8'", " @ https://example.org/a"]),
)
def test_a_plain_requirement_says_what_packaging_reads_in_it(name, extras, bounds, end) -> None:
    text = f"{name}{extras}{bounds}{end}"
    assert _plain(text) in (None, _any(text))


@pytest.mark.parametrize(
    "text", ["gunicorn", "uvicorn[standard]", "gunicorn==23.0.0", "gunicorn >=20.1, <24", "a~=1.2"]
)
def test_what_most_files_hold_is_plain(text: str) -> None:
    assert _plain(text) is not None
