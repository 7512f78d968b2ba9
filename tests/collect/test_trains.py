"""Pull requests inside others: git-flow's `develop`, release branches, stacks, batches, merges the wrong way round."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from hrm_ray.collect.commits import Commits
from hrm_ray.collect.git import opened
from hrm_ray.collect.records import PullRequest
from tests.collect.repository import Repo, go
from tests.collect.test_history import collected

CARRIES = "pull request that only carries others"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo.new(tmp_path / "owner" / "name")


def branch(repo: Repo, name: str, start: str = "main") -> None:
    repo.git("checkout", "--quiet", "-b", name, start)


def into(repo: Repo, target: str, source: str, number: int, title: str = "") -> str:
    """Merge a branch as GitHub does."""
    repo.git("checkout", "--quiet", target)
    return repo.merge(source, f"Merge pull request #{number} from o/{source}\n\n{title or f'Title {number}'}")


def feature(repo: Repo, number: int, target: str, title: str = "") -> str:
    """Merge a pull request that adds a file of its own."""
    branch(repo, f"feature{number}", target)
    head = repo.commit(f"Work {number}", {f"f{number}.go": go("f", f"F{number}")})
    into(repo, target, f"feature{number}", number, title)
    return head


def files(found: list[PullRequest]) -> dict[int, list[str]]:
    return {each.pull_request.number: [file.filename for file in each.files] for each in found}


@pytest.mark.parametrize(
    ("train", "meanwhile"),
    [("develop", "Meanwhile"), ("Release/1.2", "Meanwhile"), ("stack", ""), ("stack", "More (#9)")],
)
def test_what_only_carries_others_is_left_out(repo: Repo, train: str, meanwhile: str) -> None:
    branch(repo, train)
    heads = [feature(repo, number, train) for number in (1, 2)]
    repo.git("checkout", "--quiet", "main")
    if meanwhile:
        repo.commit(meanwhile, {"README": "text"})
    into(repo, "main", train, 3, "Release train")
    found, drops = collected(repo.path)
    assert files(found) == {2: ["f2.go"], 1: ["f1.go"]}
    assert [each.pull_request.head_sha for each in found] == heads[::-1]
    assert drops[CARRIES] == 1


def test_trains_of_trains_and_merges_back(repo: Repo) -> None:
    for name in ("develop", "rc"):
        branch(repo, name)
    feature(repo, 1, "develop")
    into(repo, "rc", "develop", 2)
    feature(repo, 3, "rc")
    into(repo, "main", "rc", 4)
    into(repo, "develop", "main", 5)
    feature(repo, 6, "develop")
    into(repo, "main", "develop", 7)
    found, drops = collected(repo.path)
    assert files(found) == {6: ["f6.go"], 3: ["f3.go"], 1: ["f1.go"]}
    assert drops == {CARRIES: 4}


def test_a_train_that_was_fast_forwarded_is_the_trunk(repo: Repo) -> None:
    branch(repo, "develop")
    feature(repo, 1, "develop")
    repo.commit("Squashed (#2)", {"s.go": go("s", "S")})
    repo.git("checkout", "--quiet", "main")
    repo.git("merge", "--quiet", "--ff-only", "develop")
    found, drops = collected(repo.path)
    assert (files(found), drops) == ({2: ["s.go"], 1: ["f1.go"]}, {})


def test_squash_commits_of_a_train(repo: Repo) -> None:
    branch(repo, "develop")
    repo.commit("Grow (#1)", {"f1.go": go("f", "F")})
    branch(repo, "odd", "main")
    for number in (2, 3):
        repo.commit(f"Grow (#{number})", {f"f{number}.go": go("f", "F")})
    into(repo, "main", "develop", 4)
    into(repo, "main", "odd", 5)
    found, drops = collected(repo.path)
    assert files(found) == {3: ["f3.go"], 2: ["f2.go"], 1: ["f1.go"]}
    assert drops == {CARRIES: 2}


@pytest.mark.parametrize("messages", [("One (#7)",), ("One (#7)", "Two (#7)"), ("One (#7)", "Two (#8)", "Three")])
def test_numbers_of_issues_on_a_branch_are_none_of_pull_requests(repo: Repo, messages: tuple[str, ...]) -> None:
    branch(repo, "topic")
    for at, message in enumerate(messages):
        repo.commit(message, {f"f{at}.go": go("f", f"F{at}")})
    into(repo, "main", "topic", 9)
    found, drops = collected(repo.path)
    assert (list(files(found)), drops) == ([9], {})
    assert len(found[0].files) == len(messages)


def test_a_squash_commit_that_github_made_counts_on_any_branch(repo: Repo) -> None:
    branch(repo, "topic")
    repo.commit("Own", {"a.go": go("a", "Own")})
    repo.commit("Grow (#7)", {"g.go": go("g", "G")}, author="GitHub <noreply@github.com>")
    into(repo, "main", "topic", 9)
    assert files(collected(repo.path)[0]) == {9: ["a.go"], 7: ["g.go"]}


def test_what_a_train_brought_of_its_own_is_a_pull_request(repo: Repo) -> None:
    branch(repo, "develop")
    feature(repo, 1, "develop")
    repo.commit("Bump", {"own.go": go("own", "Own"), "f1.go": go("f", "F1", "More")})
    feature(repo, 2, "develop")
    into(repo, "main", "develop", 3)
    found, drops = collected(repo.path)
    assert files(found) == {3: ["own.go"], 2: ["f2.go"], 1: ["f1.go"]}
    assert found[0].pull_request.body == "Bump"
    assert drops == {"file that a carried pull request changes too": 2}


def test_a_file_of_another_that_a_train_renames_is_not_its_own(repo: Repo) -> None:
    repo.commit("Begin", {"f1.go": go("f", "F1", "A", "B", "C", "D", "E")})
    branch(repo, "develop")
    branch(repo, "topic")
    repo.commit("One", {"f1.go": go("f", "F1", "A", "B", "C", "D", "Other")})
    into(repo, "develop", "topic", 1)
    repo.commit(
        "Rename", {"f1.go": None, "f2.go": go("f", "F1", "A", "B", "C", "D", "Other"), "own.go": go("own", "Own")}
    )
    into(repo, "main", "develop", 3)
    found, drops = collected(repo.path)
    assert files(found) == {3: ["own.go"], 1: ["f1.go"]}
    assert drops == {"file that a carried pull request changes too": 1}


def test_a_conflict_that_a_train_settled_is_not_its_own(repo: Repo) -> None:
    branch(repo, "develop")
    feature(repo, 1, "develop")
    repo.git("checkout", "--quiet", "main")
    repo.commit("Fix (#2)", {"f1.go": go("f", "Other")})
    repo.git("checkout", "--quiet", "develop")
    repo.git("read-tree", "-m", "-u", "develop")
    (repo.path / "f1.go").write_text(go("f", "Other", "F1"))
    repo.git("add", "--all")
    settled = repo.commit_tree(repo.git("write-tree"), "Merge branch 'main' into develop", "develop", "main")
    repo.git("reset", "--quiet", "--hard", settled)
    into(repo, "main", "develop", 3)
    found, drops = collected(repo.path)
    assert (files(found), drops) == ({2: ["f1.go"], 1: ["f1.go"]}, {CARRIES: 1})


def test_a_revert_inside_a_train(repo: Repo) -> None:
    branch(repo, "develop")
    feature(repo, 1, "develop")
    branch(repo, "undo", "develop")
    repo.commit("Undo", {"f1.go": None, "a.go": go("a", "Instead")})
    into(repo, "develop", "undo", 2, 'Revert "Title 1"')
    into(repo, "main", "develop", 3)
    found, drops = collected(repo.path)
    assert (list(files(found)), drops) == ([1], {CARRIES: 1, "pull request that reverts another": 1})
    assert list(files(collected(repo.path, leave_out=[])[0])) == [2, 1]


def test_of_a_pull_request_that_was_merged_twice_the_first_is_kept(repo: Repo) -> None:
    branch(repo, "develop")
    first = feature(repo, 1, "develop", "Grow")
    branch(repo, "hotfix")
    fix = repo.commit("Fix", {"h.go": go("h", "H")})
    into(repo, "main", "hotfix", 2)
    into(repo, "develop", "hotfix", 3)
    repo.git("checkout", "--quiet", "main")
    repo.commit("Grow (#1)", {"f1.go": go("f", "F1")})
    into(repo, "main", "develop", 4)
    found, drops = collected(repo.path)
    assert {each.pull_request.number: each.pull_request.head_sha for each in found} == {2: fix, 1: first}
    assert drops == {
        CARRIES: 1,
        "pull request whose commits an older one merged too": 1,
        "pull request that an older commit names too": 1,
    }


def test_a_trunk_that_was_merged_into_the_branch(repo: Repo) -> None:
    """By hand, and the trunk was set to it."""
    branch(repo, "topic")
    head = repo.commit("Own", {"own.go": go("own", "Own")})
    feature(repo, 1, "main")
    repo.git("checkout", "--quiet", "topic")
    repo.merge("main", "Merge pull request #2 from o/topic\n\nTitle 2")
    repo.git("checkout", "--quiet", "main")
    repo.git("merge", "--quiet", "--ff-only", "topic")
    found, drops = collected(repo.path)
    assert (files(found), drops) == ({2: ["own.go"], 1: ["f1.go"]}, {})
    assert found[0].pull_request.head_sha == head


def test_a_batch_that_a_bot_merged_at_once(repo: Repo) -> None:
    base, heads = repo.git("rev-parse", "HEAD"), []
    for number in (12, 13):
        branch(repo, f"topic{number}", base)
        heads.append(repo.commit(f"Work {number}", {f"f{number}.go": go("f", "F")}))
    repo.git("checkout", "--quiet", "--detach", base)
    repo.git("read-tree", "-u", "-m", "topic12")
    tree = repo.git("rev-parse", "topic13^{tree}")
    message = "Merge #12 #13\n\n12: Grow r=bob a=ann\n\nBecause.\n\n13: Shrink r=bob a=ann\n"
    batch = repo.commit_tree(tree, message, base, *heads)
    together = repo.commit_tree(tree, message.replace("12", "14").replace("13", "15"), batch, heads[0])
    repo.git("reset", "--quiet", "--hard", together)
    repo.git("checkout", "--quiet", "-B", "main", together)
    found, drops = collected(repo.path)
    told = {each.pull_request.number: (each.pull_request.title, each.pull_request.body) for each in found}
    assert told == {12: ("Grow", "Because."), 13: ("Shrink", "Work 13")}
    assert files(found) == {12: ["f12.go"], 13: ["f13.go"]}
    assert drops.total() == 2


def test_numbers_of_two_forges_do_not_collide(repo: Repo) -> None:
    for at, form in enumerate(("Grow (#12)", "Shrink\n\nSee merge request g/p!12", "Merged PR 12: Bend")):
        repo.commit(form, {"a.go": go("a", f"F{at}")})
    feature(repo, 12, "main", "Of another repository")
    found, drops = collected(repo.path)
    numbers = [each.pull_request.number for each in found]
    assert [each.pull_request.title for each in found] == ["Of another repository", "Bend", "Shrink"]
    assert (len(set(numbers)), numbers[0], max(numbers) < 2**31) == (3, 12, True)
    assert drops == {"pull request that an older commit names too": 1}


def test_the_newest_come_first_whatever_branch_they_were_merged_into(repo: Repo) -> None:
    branch(repo, "develop")
    feature(repo, 1, "develop")
    feature(repo, 2, "main")
    feature(repo, 3, "develop")
    into(repo, "main", "develop", 4)
    feature(repo, 5, "main")
    assert list(files(collected(repo.path, most=3)[0])) == [5, 3, 2]


def test_how_many_of_each_form(repo: Repo) -> None:
    repo.commit("Grow (#1)", {"a.go": go("a", "A")})
    repo.commit("Shrink\n\nSee merge request g/p!2", {"a.go": go("a", "B")})
    feature(repo, 3, "main")
    with opened(str(repo.path), Path("nowhere")) as clone:
        assert Commits(clone).forms == Counter({"GitHub": 1, "GitLab": 1, "squash": 1})
