"""What a pull request says of itself, without the people."""

from __future__ import annotations

from typing import Any

import pytest

from hrm_ray.collect import records
from hrm_ray.collect.records import Issue, Request
from tests.collect.github.conftest import Configure, run
from tests.collect.github.server import SmallGitHub
from tests.collect.repository import go

BASE = go("a", "F", "G")
CHANGED = BASE.replace("return 1", "return 2", 1)


def collected(github: SmallGitHub, configure: Configure, title: str = "Change", **about: Any) -> Request:
    given = {name: about.pop(name) for name in ("comments_are_read", "leave_out") if name in about}
    repo = github.world.add("o/one")
    repo.push({"a.go": BASE})
    repo.pull(title, {"a.go": CHANGED}, **about)
    clean = {"leave_out": given["leave_out"]} if "leave_out" in given else {}
    config = configure(repositories=["o/one"], comments=given.get("comments_are_read", False), clean=clean)
    run(config, github)
    (found,) = records.read(config.pull_requests)
    return found.pull_request


def test_a_half_of_a_character_is_replaced_wherever_it_stands(github: SmallGitHub, configure: Configure) -> None:
    half = "half \ud83d"
    found = collected(github, configure, half, body=half, labels=(half,), issues=((7, half, half),))
    issue = Issue(7, "half ?", "half ?")
    assert (found.title, found.body, found.labels, found.issues) == ("half ?", "half ?", ("half ?",), (issue,))
    assert not github.clock.slept


def test_everything_that_is_recorded(github: SmallGitHub, configure: Configure) -> None:
    found = collected(
        github, configure, body="Because.", labels=("bug", "area/x"), issues=((7, "F is slow", "Very."), (9, "G", ""))
    )
    assert (found.number, found.title, found.body) == (1, "Change", "Because.")
    assert (found.created_at, found.merged_at) == ("2026-01-01T00:00:01Z", "2026-02-01T00:00:01Z")
    assert found.labels == ("bug", "area/x")
    assert found.issues == (Issue(7, "F is slow", "Very."), Issue(9, "G", ""))
    assert (found.ci, found.is_bot, found.comments) == ("success", False, ())


def test_an_issue_that_the_token_may_not_see_is_passed_over(github: SmallGitHub, configure: Configure) -> None:
    assert collected(github, configure, issues=(None, (7, "F", ""))).issues == (Issue(7, "F", ""),)


def test_people_are_taken_out_of_every_text(github: SmallGitHub, configure: Configure) -> None:
    found = collected(
        github,
        configure,
        title="Fix what @bob saw (#12)",
        body="Thanks Ann Example and Carl Other <carl@example.org>!\n\nSigned-off-by: Ann Example <ann@example.org>",
        participants=(("carl", "Carl Other"), ("d", "")),
        issues=((7, "Seen by @eve", "Carl Other says so, mail me@example.org\n\nReported-by: Eve"),),
        comments=(("2026-01-02T00:00:00Z", "carl", "@ann please, says Carl Other"),),
        comments_are_read=True,
    )
    assert found.title == "Fix what @user saw"
    assert found.body == "Thanks and!"
    assert found.issues == (Issue(7, "Seen by @user", "says so, mail"),)
    assert found.comments == ("@user please, says",)


def test_what_github_does_not_show_is_not_kept(github: SmallGitHub, configure: Configure) -> None:
    found = collected(github, configure, body="<!-- Please\ndescribe -->\nBecause.<!-- x --><!-- never closed")
    assert found.body == "Because."


def test_a_title_that_github_cut_is_made_whole(github: SmallGitHub, configure: Configure) -> None:
    found = collected(github, configure, title="Fix the thing that never…", body="…ended\n\nBecause.")
    assert (found.title, found.body) == ("Fix the thing that neverended", "Because.")


@pytest.mark.parametrize(("ci", "said"), [("FAILURE", "failure"), (None, "")])
def test_the_conclusion_of_ci(github: SmallGitHub, configure: Configure, ci: str | None, said: str) -> None:
    assert collected(github, configure, ci=ci).ci == said


def test_comments_are_kept_where_asked_for_the_oldest_first_and_never_those_of_programs(
    github: SmallGitHub, configure: Configure
) -> None:
    found = collected(
        github,
        configure,
        comments=(("2026-01-04T00:00:00Z", "d", "Later."), ("2026-01-01T00:00:00Z", "ci[bot]", "Coverage: 3%")),
        reviews=(("2026-01-03T00:00:00Z", "e", "", (("2026-01-02T00:00:00Z", "e", "Why 2?"),)),),
        comments_are_read=True,
    )
    assert found.comments == ("Why 2?", "Later.")


def test_comments_are_not_even_asked_for_otherwise(github: SmallGitHub, configure: Configure) -> None:
    assert collected(github, configure, comments=(("2026-01-04T00:00:00Z", "d", "Later."),)).comments == ()
    assert github.count("comments(") == 0


@pytest.mark.parametrize(
    "about",
    [
        {"author": ("Bot", "renovate", None)},
        {"author": ("User", "some-bot", None)},
        {"branch": "dependabot/go_modules/x"},
    ],
)
def test_bots_are_marked_where_they_are_kept(github: SmallGitHub, configure: Configure, about: Any) -> None:
    assert collected(github, configure, leave_out=[], **about).is_bot


@pytest.mark.parametrize(
    ("title", "about", "reason"),
    [
        ("Bump x", {"author": ("Bot", "renovate", None)}, "pull request of a bot"),
        ('Revert "Change"', {}, "pull request that reverts another"),
        ("Release v1.2.3", {}, "pull request that makes a release"),
        ("[release-1.2] Fix it", {}, "backport of a pull request"),
        ("Fix it", {}, ""),
    ],
)
def test_kinds_that_teach_nothing_are_dropped_before_they_are_compared(
    github: SmallGitHub, configure: Configure, title: str, about: Any, reason: str
) -> None:
    repo = github.world.add("o/one")
    repo.push({"a.go": BASE})
    repo.pull(title, {"a.go": CHANGED}, **about)
    repo.pull("Good", {"a.go": BASE})
    config = configure(repositories=["o/one"])
    said = run(config, github)
    titles = [each.pull_request.title for each in records.read(config.pull_requests)]
    assert titles == (["Good"] if reason else ["Good", "Fix it"])
    assert (f"dropped 1: {reason}" in said) is bool(reason)
    assert github.count("compare") == len(titles)


def test_a_pull_request_of_which_no_title_is_left_is_dropped(github: SmallGitHub, configure: Configure) -> None:
    repo = github.world.add("o/one")
    repo.push({"a.go": BASE})
    repo.pull("ann@example.org", {"a.go": CHANGED})
    repo.pull("Good", {"a.go": BASE})
    assert "dropped 1: pull request without a title" in run(configure(repositories=["o/one"]), github)
