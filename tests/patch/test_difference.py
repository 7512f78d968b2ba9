"""Patches that git takes, whatever the files are called and however they end."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrm_ray.patch.difference import patch
from hrm_ray.patch.edit import Edited
from hrm_ray.patch.imports import Mended
from tests.collect.repository import Repo

LINES = "".join(f"// {n}\n" for n in range(30))


@pytest.mark.parametrize("name", ["a.go", "deep/er/a.go", "with space.go", "größe.go", 'quo"te.go', "tab\t.go"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("package p\n", "package p\n\nvar x = 1\n"),
        ("package p\n\nvar x = 1", "package p\n\nvar x = 2"),
        ("package p\r\n\r\nvar x = 1\r\n", "package p\r\n\r\nvar y = 1\r\n"),
        ("package p\n\x0c\n// \u2028\n", "package p\n\x0c\n// \u2028 \x85\n"),
        ("package p\n", "package p\n\n// \0\n"),
        ("", "package p\n"),
        (f"package p\n{LINES}var x = 1\n{LINES}", f"package p\n{LINES}var x = 2\n{LINES}"),
    ],
)
def test_a_patch_applies(repo: Repo, tmp_path: Path, name: str, before: str, after: str) -> None:
    if before:
        repo.commit("Before", {name: before})
    (tmp_path / "x.patch").write_bytes(patch([Edited(name, before, Mended(after))]).encode())
    repo.git("apply", "--whitespace=nowarn", str(tmp_path / "x.patch"))
    assert (repo.path / name).read_bytes() == after.encode()


def test_several_files_are_one_patch(repo: Repo, tmp_path: Path) -> None:
    files = [Edited(name, "", Mended("package p\n")) for name in ("b/new.go", "a/new.go")]
    (tmp_path / "x.patch").write_text(patch(files))
    repo.git("apply", str(tmp_path / "x.patch"))
    assert repo.git("status", "--porcelain") == "?? a/\n?? b/"


def test_no_change_is_no_patch() -> None:
    assert patch([Edited("a.go", "package p\n", Mended("package p\n"))]) == ""
    assert patch([]) == ""
