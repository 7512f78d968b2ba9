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


def _commit(path: Path, tree: str, message: str, parents: list[str]) -> str:
    # Later than the parents: where clocks go backwards, git's own answers are not exact.
    when = f"{1700010000 + 60 * int(git(path, 'rev-list', '--count', '--all', *parents))} +0000"
    options = [option for parent in parents for option in ("-p", parent)]
    people = {f"GIT_{role}_{part}": "x" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    return git(path, "commit-tree", tree, "-m", message, *options, **people, **dates)
