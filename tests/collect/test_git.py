from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hrm_ray.collect.git import Differences, Objects, opened, utc
from hrm_ray.errors import UserError
from tests.collect.repository import Repo, git, go

CACHE = Path("nowhere")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo.new(tmp_path / "owner" / "name")


@pytest.mark.parametrize(
    ("remote", "name"),
    [
        ("https://user:secret@host.example/some/thing.git", "some/thing"),
        ("git@host.example:some/thing.git", "some/thing"),
        ("/a/b/some/thing/", "some/thing"),
        ("", "owner/name"),
    ],
)
def test_a_clone_is_called_after_its_remote_or_its_folder(repo: Repo, remote: str, name: str) -> None:
    if remote:
        repo.git("remote", "add", "origin", remote)
    with opened(str(repo.path), CACHE) as clone:
        assert clone.name == name
        assert clone.head == repo.git("rev-parse", "HEAD")
        assert "secret" not in repr(clone)


def test_a_url_is_cloned_bare_once(repo: Repo, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    url = f"file://{repo.path}"
    with opened(url, cache) as clone:
        assert (clone.name, clone.place) == ("owner/name", url)
    assert (cache / "owner" / "name.git" / "HEAD").is_file()
    assert [each.name for each in (cache / "owner").iterdir()] == ["name.git"]
    shutil.rmtree(repo.path)
    with opened(url, cache) as clone, Objects(clone) as objects:
        assert objects.read(clone.head) is not None


def test_what_is_no_clone_is_named(repo: Repo, tmp_path: Path) -> None:
    inner = repo.path / "plain"
    inner.mkdir()
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "--quiet")
    for place, said in (
        (str(tmp_path / "none"), "there is no such folder"),
        (str(inner), "not a git repository"),
        (str(empty), "git cannot read it"),
        (f"file://{tmp_path}/none", "git cannot read it"),
    ):
        with pytest.raises(UserError, match=said) as caught, opened(place, tmp_path / "cache"):
            pass
        assert str(caught.value).startswith(f"{place}: ")
    assert not list((tmp_path / "cache").rglob("*.git"))


def test_objects_in_any_order_and_missing_ones(repo: Repo) -> None:
    repo.commit("Data", {"data": b"\0\n\xff", "empty": b""})
    with opened(str(repo.path), CACHE) as clone, Objects(clone) as objects:
        data, empty = (repo.git("rev-parse", f"HEAD:{name}") for name in ("data", "empty"))
        assert [objects.read(oid) for oid in (data, "1" * 40, empty, data)] == [b"\0\n\xff", None, b"", b"\0\n\xff"]


def test_a_process_that_dies_is_a_user_error(repo: Repo) -> None:
    repo.commit("Grow", {"x/a.go": go("a", "B")})
    head, tree = repo.git("rev-parse", "HEAD"), repo.git("rev-parse", "HEAD:x")
    (repo.path / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    with opened(str(repo.path), CACHE) as clone, Differences(clone, "--raw") as differences:
        assert differences.between(head, head) == b""
        for _ in range(2):
            with pytest.raises(UserError, match=rf"name: git cannot read it \(.*{tree}"):
                differences.between(repo.git("rev-parse", "HEAD^"), head)


def test_a_repository_with_sha256_ids(tmp_path: Path) -> None:
    folder = tmp_path / "o" / "n"
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--object-format=sha256")
    repo = Repo(folder)
    base = repo.commit("Begin", {"a.go": go("a")})
    head = repo.commit("Grow", {"a.go": go("a", "B")})
    with opened(str(folder), CACHE) as clone, Differences(clone, "--name-only") as differences:
        assert (len(head), differences.between(base, head)) == (64, b"a.go\0")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "1970-01-01T00:00:00Z"), (-5, "1970-01-01T00:00:00Z"), (10**18, "9999-12-31T23:59:59Z")],
)
def test_impossible_times_are_brought_back(seconds: int, text: str) -> None:
    assert utc(seconds) == text
