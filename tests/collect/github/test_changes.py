"""Before and after of each way to merge: always two commits between which the patch leads."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hrm_ray.collect import records
from hrm_ray.collect.records import ChangedFile, PullRequest
from tests.collect.github import graph
from tests.collect.github.conftest import Configure, run
from tests.collect.github.server import Handler, SmallGitHub, refuse, say
from tests.collect.github.world import Edits, Pull, Repo
from tests.collect.repository import go

BASE = go("a", "F", "G", "H")
CHANGED = BASE.replace("return 1", "return 2", 1)
AGAIN = CHANGED.replace("return a", "return -a", 1)
ELSEWHERE = go("b", "X")


@pytest.fixture
def repo(github: SmallGitHub) -> Repo:
    repo = github.world.add("o/one")
    repo.push({"a.go": BASE, "b.go": ELSEWHERE})
    return repo


def collected(github: SmallGitHub, configure: Configure, **clean: object) -> tuple[list[PullRequest], str]:
    config = configure(repositories=["o/one"], clean=clean)
    said = run(config, github)
    return list(records.read(config.pull_requests)), said


def fits(file: ChangedFile) -> bool:
    """Whether the patch turns the content before into the content after."""
    before, after = file.content_before.splitlines(), file.content_after.splitlines()
    for hunk in file.patch.split("\n@@ "):
        head, *lines = hunk.rstrip("\n").split("\n")
        old, new = (int(part[1:].split(",")[0]) for part in head.removeprefix("@@ ").split()[:2])
        for side, start, signs in ((before, old, "- "), (after, new, "+ ")):
            part = [line[1:] for line in lines if line[:1] in signs]
            if part and side[start - 1 : start - 1 + len(part)] != part:
                return False
    return True


@pytest.mark.parametrize("how", ["squash", "merge", "rebase"])
@pytest.mark.parametrize("steps", [1, 2])
def test_before_and_after_are_those_of_the_patch(
    github: SmallGitHub, configure: Configure, repo: Repo, how: str, steps: int
) -> None:
    meanwhile = {"a.go": BASE.replace("package a", "package a // meanwhile"), "b.go": go("b", "X", "Y")}
    began = repo.main
    edits = [{"a.go": CHANGED}, {"a.go": AGAIN, "c.go": "package a\n"}][:steps]
    pull = repo.pull("Change", *edits, how=how, meanwhile=meanwhile)
    (found,), _ = collected(github, configure)
    assert (found.pull_request.base_sha, found.pull_request.head_sha) == (began, pull.head)
    assert [file.filename for file in found.files] == ["a.go", "c.go"][:steps]
    assert (found.files[0].content_before, found.files[0].content_after) == (BASE, [CHANGED, AGAIN][steps - 1])
    assert all(map(fits, found.files))


def test_a_branch_that_was_rebased_after_it_was_opened_does_not_bring_the_work_of_others(
    github: SmallGitHub, configure: Configure, repo: Repo
) -> None:
    opened = repo.main
    moved = repo.push({"b.go": go("b", "X", "Others")})
    head = repo.commit({"a.go": CHANGED}, moved, ci="SUCCESS")
    merged = repo.commit({"a.go": CHANGED}, moved)
    repo.main = merged
    repo.pulls.append(Pull(1, "Change", "", moved, head, merged))
    found, _ = collected(github, configure)
    assert found[0].pull_request.base_sha == moved != opened
    assert [file.filename for file in found[0].files] == ["a.go"]


@pytest.mark.parametrize("merged", ["unknown", "head"])
def test_without_a_merge_commit_the_base_is_where_github_says_it_was(
    github: SmallGitHub, configure: Configure, repo: Repo, merged: str
) -> None:
    pull = repo.pull("Change", {"a.go": CHANGED}, {"a.go": AGAIN})
    pull.merged = None if merged == "unknown" else pull.head  # fast-forwarded by hand
    (found,), _ = collected(github, configure)
    assert found.pull_request.base_sha == pull.base
    assert found.files[0].content_after == AGAIN
    assert github.count("compare") == 1


def test_a_merge_commit_that_leads_elsewhere_is_noticed_and_the_other_base_taken(
    github: SmallGitHub, configure: Configure, repo: Repo
) -> None:
    pull = repo.pull("Change", {"a.go": CHANGED}, {"a.go": AGAIN})
    first = repo.commits[pull.head].parents[0]
    pull.merged = repo.commit({"a.go": AGAIN}, first)  # its parent is in the branch itself
    (found,), _ = collected(github, configure)
    assert found.pull_request.base_sha == pull.base
    assert found.files[0].content_before == BASE
    assert github.count("compare") == 2


def test_changes_that_github_shows_otherwise_than_it_counted_are_dropped(
    github: SmallGitHub, configure: Configure, repo: Repo
) -> None:
    repo.pull("Good", {"a.go": CHANGED})
    pull = repo.pull("Bad", {"b.go": go("b", "X", "Y")})

    def rewrite(name: str) -> None:
        if "compare" in name and pull.head in name:
            repo.commits[pull.head].tree["b.go"] = go("b", "X", "Y", "Z").encode()

    github.before = rewrite
    (found,), said = collected(github, configure)
    assert found.pull_request.title == "Good"
    assert "dropped 1: pull request whose changes GitHub no longer shows as they were merged" in said


def test_a_rename_is_read_under_its_old_name(github: SmallGitHub, configure: Configure, repo: Repo) -> None:
    repo.pull("Move", {"a.go": None, "moved.go": CHANGED})
    (found,), _ = collected(github, configure)
    (file,) = found.files
    assert (file.filename, file.status) == ("moved.go", "renamed")
    assert (file.content_before, file.content_after) == (BASE, CHANGED)
    assert fits(file)


def test_a_file_moved_in_from_vendored_code_is_left_out(github: SmallGitHub, configure: Configure, repo: Repo) -> None:
    repo.push({"vendor/v.go": go("v", "V", "W")})
    repo.pull("Adopt", {"vendor/v.go": None, "v.go": go("v", "V", "W2"), "a.go": CHANGED})
    (found,), said = collected(github, configure)
    assert [file.filename for file in found.files] == ["a.go"]
    assert "dropped 1: file that was moved here from code that is left out" in said


def test_added_and_removed_files_have_one_side(github: SmallGitHub, configure: Configure, repo: Repo) -> None:
    repo.pull("Swap", {"b.go": None, "n.go": "package n\n\nvar N = 1\n"})
    (found,), _ = collected(github, configure)
    assert [(file.filename, file.status, file.content_before, file.content_after) for file in found.files] == [
        ("b.go", "removed", ELSEWHERE, ""),
        ("n.go", "added", "", "package n\n\nvar N = 1\n"),
    ]


def test_only_go_that_people_wrote_is_read(github: SmallGitHub, configure: Configure, repo: Repo) -> None:
    others: Edits = {"README": "x", "vendor/v.go": "package v\n", "a.pb.go": "package a\n", "logo.png": b"\0\1"}
    repo.pull("Change", {"a.go": CHANGED, **others})
    (found,), _ = collected(github, configure)
    assert [file.filename for file in found.files] == ["a.go"]
    assert not any(name in asked for asked in github.asked for name in ("README", 'v.go"', "logo.png"))


def test_a_pull_request_of_a_deleted_fork_is_read_as_any_other(
    github: SmallGitHub, configure: Configure, repo: Repo
) -> None:
    repo.pull("Change", {"a.go": CHANGED}, fork_is_gone=True, author=None)
    listed = "pullRequests(states: MERGED, first: 1, orderBy: {field: CREATED_AT, direction: DESC})"
    asked = "nodes { headRepository { nameWithOwner } headRef { name } author { login } }"
    told = graph.answer(github.world, f'{{ repository(owner: "o", name: "one") {{ {listed} {{ {asked} }} }} }}', {})
    gone = {"headRepository": None, "headRef": None, "author": None}  # so whoever goes by way of these finds nothing
    assert told == {"data": {"repository": {"pullRequests": {"nodes": [gone]}}}}
    (found,), _ = collected(github, configure)
    assert (found.files[0].content_before, found.files[0].content_after) == (BASE, CHANGED)


def test_commits_that_are_gone_drop_the_pull_request(github: SmallGitHub, configure: Configure, repo: Repo) -> None:
    repo.pull("Good", {"a.go": CHANGED})
    pull = repo.pull("Lost", {"a.go": AGAIN})
    repo.missing.add(pull.head)
    found, said = collected(github, configure)
    assert [each.pull_request.title for each in found] == ["Good"]
    assert "dropped 1: pull request whose commits are not on GitHub" in said


def test_a_first_parent_that_is_gone_leaves_the_base_that_github_names(
    github: SmallGitHub, configure: Configure, repo: Repo
) -> None:
    pull = repo.pull("Change", {"a.go": CHANGED}, meanwhile={"b.go": go("b", "X", "Y")})
    assert pull.merged
    repo.missing.add(repo.commits[pull.merged].parents[0])
    (found,), _ = collected(github, configure)
    assert (found.pull_request.base_sha, found.files[0].content_before) == (pull.base, BASE)


@pytest.mark.parametrize(
    "happen",
    [
        refuse(500),
        refuse(422, "Sorry, this diff is taking too long to generate."),
        say("<html>Not Found</html>", 404),
        say('{"files": 1}'),
    ],
    ids=["500", "422", "a proxy's 404", "unknown form"],
)
def test_changes_that_github_cannot_give_now_cost_one_pull_request_until_it_can(
    github: SmallGitHub, configure: Configure, repo: Repo, happen: Callable[[Handler], None]
) -> None:
    repo.pull("Good", {"a.go": CHANGED})
    pull = repo.pull("Slow", {"a.go": AGAIN})
    repo.pull("Newest", {"b.go": go("b", "X", "Y")})
    github.fault(f"...{pull.head}", happen, times=7)
    found, said = collected(github, configure)
    assert [each.pull_request.title for each in found] == ["Newest", "Good"]
    assert "dropped 1: pull request that GitHub could not give" in said
    assert "failed 1; the same command tries them again:\n  o/one: pull request 2: " in said
    github.faults.clear()
    found, said = collected(github, configure)
    assert [each.pull_request.title for each in found] == ["Newest", "Slow", "Good"]
    assert "failed" not in said
    assert "dropped" not in said


def test_a_slow_difference_of_a_server_without_limits_is_no_reason_to_stop(
    github: SmallGitHub, configure: Configure, repo: Repo
) -> None:
    repo.pull("Good", {"a.go": CHANGED})
    pull = repo.pull("Slow", {"a.go": AGAIN})
    github.fault(f"...{pull.head}", refuse(500), times=99)
    github.fault("rate_limit", refuse(404, "Rate limiting is not enabled."), times=99)
    found, said = collected(github, configure)
    assert [each.pull_request.title for each in found] == ["Good"]
    assert "o/one: pull request 2: GitHub answers with 500, 7 times in a row" in said


def test_three_thousand_files_are_refused_without_being_listed(
    github: SmallGitHub, configure: Configure, repo: Repo
) -> None:
    repo.pull("Good", {"a.go": CHANGED})
    repo.pull("Huge", {f"f{number}.go": "package f\n" for number in range(30)}, files=3000)
    found, said = collected(github, configure)
    assert [each.pull_request.title for each in found] == ["Good"]
    assert "dropped 1: pull request with 3,000 files or more, which GitHub does not list whole" in said
    assert github.count("compare") == 1


@pytest.mark.parametrize("others", [150, 350])
def test_a_few_go_files_among_hundreds_of_others_are_found(
    github: SmallGitHub, configure: Configure, repo: Repo, others: int
) -> None:
    repo.pull("Big", {f"doc/{number:03d}.md": "x" for number in range(others)} | {"z.go": go("z", "Z")})
    (found,), _ = collected(github, configure)
    assert [file.filename for file in found.files] == ["z.go"]
    assert github.count("pulls/1/files") == (4 if others > 300 else 0)


def test_a_large_pull_request_is_listed_only_until_it_is_too_large(
    github: SmallGitHub, configure: Configure, repo: Repo
) -> None:
    repo.pull("Good", {"a.go": CHANGED})
    repo.pull("Big", {f"f{number:03d}.go": "package f\n" for number in range(950)})
    found, said = collected(github, configure)
    assert [each.pull_request.title for each in found] == ["Good"]
    assert "dropped 1: pull request with too many Go files" in said
    assert github.count("pulls/2/files") == 1


@pytest.mark.parametrize(
    ("edits", "reason"),
    [
        ({"README": "x"}, "pull request without a Go file that a person wrote"),
        ({f"f{number}.go": "package f\n" for number in range(21)}, "pull request with too many Go files"),
        ({"a.go": None}, "pull request with too few added lines"),
    ],
)
def test_what_sizes_and_names_refuse_is_never_compared(
    github: SmallGitHub, configure: Configure, repo: Repo, edits: dict[str, str | bytes | None], reason: str
) -> None:
    repo.pull("Refused", edits)
    repo.push({"a.go": BASE})
    repo.pull("Good", {"a.go": CHANGED})
    found, said = collected(github, configure)
    assert [each.pull_request.title for each in found] == ["Good"]
    assert f"dropped 1: {reason}" in said
    assert github.count("compare") == 1


def test_files_in_an_unknown_form_cost_one_pull_request(github: SmallGitHub, configure: Configure, repo: Repo) -> None:
    repo.pull("Good", {"a.go": CHANGED})
    repo.pull("Big", {f"doc/{number:03d}.md": "x" for number in range(350)} | {"z.go": go("z", "Z")})
    repo.pull("Newest", {"a.go": AGAIN})
    github.fault("pulls/2/files", say('{"files": 1}'))
    found, said = collected(github, configure)
    assert [each.pull_request.title for each in found] == ["Newest", "Good"]
    assert "o/one: pull request 2: GitHub's answer has an unknown form (files is not a list)" in said
