"""The working tree as it is on the disk, and what is said of one that is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hrm_ray.errors import UserError
from hrm_ray.patch.tree import WorkingTree, near
from tests.collect.repository import Repo


def test_what_is_on_the_disk_counts(repo: Repo) -> None:
    (repo.path / "new.go").write_text("package shop\n")
    (repo.path / "log.go").unlink()
    (repo.path / ".gitignore").write_text("ignored.go\n")
    (repo.path / "ignored.go").write_text("package shop\n")
    (repo.path / "link.go").symlink_to("shop.go")
    Path(os.fsdecode(bytes(repo.path) + b"/latin\xe9.go")).write_text("package shop\n")
    (repo.path / "shop.go").write_bytes(b"package shop\r\n")
    tree = WorkingTree(repo.path / "money")
    assert tree.go_files == ("audit/audit.go", "money/money.go", "new.go", "shop.go")
    assert tree.text("shop.go") == "package shop\r\n"
    assert tree.root == repo.path


def test_a_file_is_named_from_the_folder_from_here_or_from_the_root(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = WorkingTree(repo.path / "money")
    monkeypatch.chdir(repo.path / "audit")
    for name in ("money.go", "money/money.go", "../money/money.go", str(repo.path / "money" / "money.go")):
        assert tree.path(name) == "money/money.go"
    assert tree.path("audit.go") == "audit/audit.go"
    assert tree.path("new.go") == "money/new.go"
    monkeypatch.setenv("HOME", str(repo.path.parent))
    assert tree.path("~/shop/audit/new.go") == "audit/new.go"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("README.md", "not a Go file"),
        ("../../x.go", "not in the repository"),
        (".git/x.go", "not in the repository"),
        ("circle.go", "cannot be a file"),
        ("a\0.go", "cannot be a file"),
        (f"{'x' * 300}.go", "cannot be a file"),
        ("latin\udce9.go", "its name is not UTF-8"),
    ],
)
def test_a_path_that_cannot_be(tree: WorkingTree, name: str, sentence: str) -> None:
    (tree.root / "circle.go").symlink_to("circle.go")
    with pytest.raises(UserError, match=sentence):
        tree.path(name)


def test_what_is_no_repository_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is a file"):
        WorkingTree(tmp_path / "file")
    for name in ("none", "a\0", "\ud800", "x" * 300):
        with pytest.raises(UserError, match="there is no such folder"):
            WorkingTree(tmp_path / name)
    with pytest.raises(UserError, match="git knows no working tree there"):
        WorkingTree(tmp_path)


def test_a_file_that_is_not_text(repo: Repo) -> None:
    (repo.path / "log.go").write_bytes(b"\xff")
    with pytest.raises(UserError, match=r"log.go: cannot be read"):
        WorkingTree(repo.path).text("log.go")


@pytest.mark.parametrize(
    ("name", "separator", "found"),
    [
        ("shpo.go", "/", "a/shop.go, shop.go"),
        ("b/shop.go", "/", "a/shop.go, shop.go"),
        ("Shw", ".", "Show"),
        ("Add", ".", "Cart.Add"),
        ("xyzzy", ".", ""),
    ],
)
def test_near_names(name: str, separator: str, found: str) -> None:
    known = ["a/shop.go", "money.go", "shop.go"] if separator == "/" else ["Cart", "Cart.Add", "Show"]
    assert near(name, known, separator) == (f"; near it: {found}" if found else "")
