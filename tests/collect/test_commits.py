from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from hrm_ray.collect.commits import Commits
from hrm_ray.collect.git import opened
from tests.collect.repository import Repo, git


@pytest.mark.parametrize("seed", range(4))
def test_bases_are_those_that_git_finds(tmp_path: Path, seed: int) -> None:
    """A random graph whose commits are all merged at the end, each pair by a pull request."""
    rng = Random(seed)
    repo = Repo.new(tmp_path / "r")
    tree = repo.git("rev-parse", "HEAD^{tree}")
    made = [repo.git("rev-parse", "HEAD")]
    for at in range(24):
        parents = rng.sample(made[-8:], min(len(made), rng.choice((1, 1, 1, 2))))
        made.append(_commit(repo.path, tree, f"c{at}", parents))
    tip, expected = made[-1], {}
    for number in range(1, 9):
        other = rng.choice(made[:-1])
        bases = git(repo.path, "merge-base", "--all", tip, other).split()
        tip = _commit(repo.path, tree, f"Merge pull request #{number} from x/y\n\nT", [tip, other])
        own = git(repo.path, "rev-list", "--no-merges", f"{tip}^1..{tip}^2").split()
        expected[number] = (other, bases, own)
    repo.git("reset", "--quiet", "--hard", tip)
    with opened(str(repo.path), Path("nowhere")) as clone:
        found = {merged.number: merged for merged in Commits(clone).merged()}
    assert found.keys() >= expected.keys()
    for number, (other, bases, own) in expected.items():
        assert found[number].head == other
        assert found[number].base in bases
        assert sorted(found[number].branch) == sorted(own)


def test_a_history_without_a_common_commit(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    tree, head = repo.git("rev-parse", "HEAD^{tree}"), repo.git("rev-parse", "HEAD")
    other = _commit(repo.path, tree, "Another beginning (#2)", [])
    tip = _commit(repo.path, tree, "Merge pull request #1 from x/y", [head, other])
    repo.git("reset", "--quiet", "--hard", tip)
    with opened(str(repo.path), Path("nowhere")) as clone:
        commits = Commits(clone)
        assert (len(commits), commits.read) == (1, 2)
        assert [(merged.number, merged.base, merged.head) for merged in commits.merged()] == [(1, "", other)]


def test_a_merge_that_github_names_like_a_squash(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    tree, base = repo.git("rev-parse", "HEAD^{tree}"), repo.git("rev-parse", "HEAD")
    side, main = (repo.commit_tree(tree, message, base) for message in ("Side (#7)", "Main (#8)"))
    merge = repo.commit_tree(tree, "Side by side (#9)", main, side)
    repo.git("reset", "--quiet", "--hard", merge)
    with opened(str(repo.path), Path("nowhere")) as clone:
        found = list(Commits(clone).merged())
    assert [(each.number, each.base, each.head, each.branch) for each in found] == [
        (9, base, side, (side,)),
        (8, base, main, ()),
    ]


def test_of_an_octopus_the_second_parent_is_the_pull_request(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    tree, base = repo.git("rev-parse", "HEAD^{tree}"), repo.git("rev-parse", "HEAD")
    main, two, three = (repo.commit_tree(tree, message, base) for message in ("Main", "Two (#2)", "Three (#3)"))
    announced = repo.commit_tree(tree, "Merge pull request #4 from x/y", main, two, three)
    by_hand = repo.commit_tree(tree, "Merge branches 'two' and 'three'", main, two, three)
    for tip, expected in ((announced, {4: two}), (by_hand, {2: two, 3: three})):
        repo.git("reset", "--quiet", "--hard", tip)
        with opened(str(repo.path), Path("nowhere")) as clone:
            found = {each.number: each for each in Commits(clone).merged()}
        assert {number: each.head for number, each in found.items()} == expected
        assert {each.base for each in found.values()} == {base}


def test_everyone_who_wrote_or_committed_is_known(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    repo.commit("Odd", {"README": "x"}, author="A\tB  C <x@y>")
    with opened(str(repo.path), Path("nowhere")) as clone:
        assert Commits(clone).people == {"Ann Example", "A\tB  C"}


def _commit(path: Path, tree: str, message: str, parents: list[str]) -> str:
    # Later than the parents: where clocks go backwards, git's own answers are not exact.
    when = f"{1700010000 + 60 * int(git(path, 'rev-list', '--count', '--all', *parents))} +0000"
    options = [option for parent in parents for option in ("-p", parent)]
    people = {f"GIT_{role}_{part}": "x" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    return git(path, "commit-tree", tree, "-m", message, *options, **people, **dates)
