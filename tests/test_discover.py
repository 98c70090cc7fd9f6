"""Finding a project's root and files, and reading whatever they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from gunilint.config import SIZE_LIMIT
from gunilint.discover import Tree, decode, find_root, normalise
from gunilint.disk import Disk


def make(folder: Path, *paths: str) -> Tree:
    for path in paths:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("")
    return Tree(folder.resolve())


@pytest.mark.parametrize("mark", [".git/HEAD", "pyproject.toml", "gunilint.toml"])
def test_root_is_the_nearest_parent_with_a_mark(tmp_path: Path, mark: str) -> None:
    make(tmp_path, mark, "deploy/systemd/app.service")
    assert find_root(tmp_path / "deploy/systemd/app.service", Disk()) == tmp_path
    assert find_root(tmp_path / "deploy", Disk()) == tmp_path


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("gunicorn.conf.py", "config"),
        ("gunicorn_conf.py", "config"),
        ("deploy/gunicorn-prod.py", "config"),
        ("conf/my_gunicorn_config.py", "config"),
        ("prod.gunicorn.conf.py", "config"),
        ("gunicorn.conf", "config"),
        ("gunicorn/prod.py", "config"),
        ("config.py", None),
        ("settings.py", None),
        ("tests/test_gunicorn.py", None),
        ("start.sh", "script"),
        ("lib/x.bash", "script"),
        ("app.service", "unit"),
        ("app@.service", "unit"),
        ("app.socket", "unit"),
        ("app.service.d/10-limits.conf", "unit"),
        ("app.service.d/.10-limits.conf", None),
        ("app.service.d/10-limits.conf.bak", None),
        ("nginx.conf", None),
        ("README.md", None),
    ],
)
def test_kind_by_name(tmp_path: Path, path: str, kind: str | None) -> None:
    assert make(tmp_path, path).kind(path) == kind


@pytest.mark.parametrize(
    ("first_line", "kind"),
    [
        ("#!/bin/sh", "script"),
        ("#!/usr/bin/env bash", "script"),
        ("#! /usr/bin/env sh", "script"),
        ("#!/bin/bash -eu", "script"),
        ("#!/usr/bin/env -S bash -e", "script"),
        ("#!/usr/bin/env python3", None),
        ("#!/usr/bin/fish", None),
        ("exec gunicorn", None),
    ],
)
def test_kind_by_shebang(tmp_path: Path, first_line: str, kind: str | None) -> None:
    tree = make(tmp_path, "entrypoint")
    (tmp_path / "entrypoint").write_text(first_line + "\n")
    assert tree.kind("entrypoint") == kind


def test_gunicorns_own_source_is_no_config(tmp_path: Path) -> None:
    tree = make(tmp_path, "gunicorn/__init__.py", "gunicorn/config.py")
    assert tree.kind("gunicorn/config.py") is None


def test_listing_leaves_out_what_git_ignores_and_what_tools_make(tmp_path: Path) -> None:
    tree = make(
        tmp_path, "a.sh", "local/b.sh", "sub/c.sh", "sub/keep/d.sh", ".venv/bin/e.sh",
        "node_modules/f.sh", "venv/g.sh", "__pycache__/h.sh",
    )  # fmt: skip
    (tmp_path / ".gitignore").write_text("/local/\n*.log\n")
    (tmp_path / "sub/.gitignore").write_text("c.sh\n")
    assert [path for path in tree.listing() if path.endswith(".sh")] == ["a.sh", "sub/keep/d.sh"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a/./b/../c", "a/c"), ("a//b/", "a/b"), ("", ""), ("..", None), ("a/../../b", None)],
)
def test_normalise(path: str, expected: str | None) -> None:
    assert normalise(path) == expected


class TestReading:
    def test_bom_is_no_text(self) -> None:
        assert decode("x.sh", b"\xef\xbb\xbf#!/bin/sh\n")[0].text == "#!/bin/sh\n"

    def test_line_ends_stay(self) -> None:
        assert decode("x.sh", b"a\r\nb\rc\n")[0].text == "a\r\nb\rc\n"

    def test_coding_comment_is_obeyed_in_python(self) -> None:
        data = "# -*- coding: latin-1 -*-\nname = 'é'\n".encode("latin-1")
        source, problem = decode("gunicorn.conf.py", data)
        assert ("é" in source.text, problem) == (True, None)

    def test_latin_1_is_a_problem_with_a_place(self) -> None:
        source, problem = decode("app.service", "[Unit]\nDescription=café\n".encode("latin-1"))
        assert problem is not None
        assert (problem.kind, problem.span.line, problem.span.column) == ("encoding", 2, 16)
        assert "café" in source.text

    @pytest.mark.parametrize(
        "text",
        [
            "# é",
            "x = 1  # é\r\ny = 'ok'",
            "x = 'é'",
            "x = '# é'",
            'x = """\n# é\n"""',
            "é = 1",
        ],
    )
    def test_comment_in_latin_1_is_a_problem_only_if_python_has_one(self, text: str) -> None:
        data = text.encode("latin-1")
        try:
            compile(data, "gunicorn.conf.py", "exec")
            fails = False
        except SyntaxError:
            fails = True
        assert (decode("gunicorn.conf.py", data)[1] is not None) is fails

    def test_comment_in_latin_1_leaves_the_strings_in_utf_8(self) -> None:
        source, problem = decode("gunicorn.conf.py", "x = 'é'  # ".encode() + b"\xe9\n")
        assert problem is None
        assert "x = 'é'" in source.text

    def test_comment_of_a_unit_may_be_in_latin_1(self) -> None:
        assert decode("app.service", b"; caf\xe9\n[Unit]\n# \xe9\n")[1] is None
        assert decode("app.service", b"[Unit]\nDescription=x # \xe9\n")[1] is not None

    def test_unknown_coding_is_a_problem(self) -> None:
        problem = decode("gunicorn.conf.py", b"# coding: klingon\nworkers = 4\n")[1]
        assert problem is not None

    @pytest.mark.parametrize("data", [b"workers\0 = 4", "workers = 4".encode("utf-16")])
    def test_binary_is_a_problem(self, data: bytes) -> None:
        problem = decode("gunicorn.conf.py", data)[1]
        assert problem is not None
        assert problem.kind == "binary"

    def test_large_file_is_a_problem_and_not_read(self, tmp_path: Path) -> None:
        (tmp_path / "big.sh").write_bytes(b"#" * (SIZE_LIMIT * 2) + b"\ngunicorn a:b\n")
        found = Tree(tmp_path).file("big.sh")
        assert found is not None
        assert found.problem is not None
        assert (found.problem.kind, found.serves, found.source.text) == ("size", True, "")

    def test_size_limit_can_be_another(self, tmp_path: Path) -> None:
        (tmp_path / "start.sh").write_text("gunicorn a:b\n")
        found = Tree(tmp_path, size_limit=12).file("start.sh")
        assert found is not None
        assert found.problem is not None
        assert found.problem.reason == (
            "it has 13 bytes, and more than 12 (`max-file-size`) are not read"
        )


class TestLinks:
    def test_loop_is_a_problem(self, tmp_path: Path) -> None:
        (tmp_path / "a.sh").symlink_to("b.sh")
        (tmp_path / "b.sh").symlink_to("a.sh")
        found = Tree(tmp_path.resolve()).file("a.sh")
        assert found is not None
        assert found.problem is not None
        assert "leads to no file" in found.problem.reason

    def test_link_to_the_target_machine_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "masked.service").symlink_to("/dev/null")
        assert Tree(tmp_path.resolve()).file("masked.service") is None

    def test_link_out_of_the_root_is_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / "secret.sh").write_text("gunicorn a:b")
        root = tmp_path / "project"
        root.mkdir()
        (root / "start.sh").symlink_to("../secret.sh")
        tree = Tree(root.resolve())
        assert tree.read("start.sh") is None
        assert tree.read("../secret.sh") is None
        found = tree.file("start.sh")
        assert found is not None
        assert found.source.text == ""

    def test_folder_loop_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub/again").symlink_to("..")
        (tmp_path / "sub/a.sh").write_text("")
        assert Tree(tmp_path.resolve()).listing() == ("sub/a.sh", "sub/again")

    def test_folder_with_a_configs_name_is_a_problem(self, tmp_path: Path) -> None:
        (tmp_path / "gunicorn.conf.py").mkdir()
        tree = Tree(tmp_path.resolve())
        assert tree.listing() == ("gunicorn.conf.py",)
        found = tree.file("gunicorn.conf.py")
        assert found is not None
        assert found.problem is not None
        assert found.problem.reason == "it is a folder"


def test_what_git_is_not_to_hold_is_expected(tmp_path: Path) -> None:
    tree = make(tmp_path, "etc/keep", "app/x.py")
    (tmp_path / ".gitignore").write_text("*.conf.py\n/var/\n")
    (tmp_path / "app/.gitignore").write_text("local.py\n")
    (tmp_path / "link").symlink_to("/etc/gunicorn.py")
    for path in ("gunicorn.conf.py", "etc/a.conf.py", "var/a/b.py", "app/local.py", "link", "../x"):
        assert tree.expects(path), path
    for path in ("gunicorn.py", "etc/var/b.py", "etc/local.py", "app/x.py", "a" * 5000):
        assert not tree.expects(path), path


def test_files_that_mention_a_word(tmp_path: Path) -> None:
    tree = make(tmp_path, "a", "b", "node_modules/c")
    (tmp_path / "a").write_text("copy the wörd\n")
    (tmp_path / "b").write_text("copy it\n")
    (tmp_path / "node_modules/c").write_text("wörd\n")
    (tmp_path / "d").symlink_to("/etc/passwd")
    assert [source.path for source in tree.mentioning("wörd")] == ["a"]
    assert [*tree.mentioning("root:")] == []


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        (".env", True),
        ("config/.env", True),
        ("config/prod.env", True),
        ("config/default.env", False),
        ("secret/any/file", True),
        ("shop.service", False),
        ("missing/folder/file", False),
    ],
)
def test_what_git_ignores_be_it_there_or_not(tmp_path: Path, path: str, ignored: bool) -> None:
    tree = make(tmp_path, "config/default.env")
    (tmp_path / ".gitignore").write_text(".env\nsecret/\n")
    (tmp_path / "config/.gitignore").write_text("*.env\n!default.env\n")
    assert tree.ignores(path) is ignored
