"""Messages as GitLab, bors, homu, Bitbucket, Azure, Gitea, Gitee, Gerrit, Phabricator and others write them."""

from __future__ import annotations

import pytest

from hrm_ray.collect import forges
from hrm_ray.collect.messages import branch, number, problem

CHANGE = "Change-Id: I0123456789abcdef0123456789abcdef01234567"
BATCH = (
    "Merge #12 #13\n\n12: Return two r=bob a=ann\n\nBecause.\n\n13: Return three r=bob,carl a=ann\n\nMore.\n\n"
    "Co-authored-by: Ann <a@b.org>\n"
)


@pytest.mark.parametrize(
    ("message", "form", "body"),
    [
        ("Merge branch 'fix' into 'main'\n\nReturn two\n\nCloses #7\n\nSee merge request o/p!12", "GitLab", ""),
        ("Merge branch 'fix'\n\nReturn two\n\nBecause.\n\nSee merge request g/sub/p!12\n", "GitLab", "Because."),
        (
            "Merge branch 'fix' into 'main'\n\nReturn two\n\nCloses #27, #28, and g/q#9\n\nSee merge request "
            "https://gitlab.com/g/p/-/merge_requests/12\n\nMerged-by: Ann Example <a@b.org>\nApproved-by: Bob",
            "GitLab",
            "",
        ),
        ("Return two\n\nBecause.\n\nSee merge request !12", "GitLab", "Because."),
        ('Merge branch "fix" into "main"\n\nReturn two\n\nSee merge request: g/p!12', "GitLab", ""),
        ("Return two\nSee merge request g/p!12", "GitLab", ""),
        ("Return two (!12)", "squash", ""),
        ("Return two (PR #12)\n\nBecause.", "squash", "Because."),
        (
            "Merge #12\n\n12: Return two r=bob a=ann\n\nBecause: one.\n\nCo-authored-by: A <a@b.org>",
            "bors",
            "Because: one.",
        ),
        ("Merge #12\n\nReturn two\n\nBecause.", "bors", "Because."),
        (BATCH, "bors", "Because."),
        ("Auto merge of #12 - ann:fix, r=bob\n\nReturn two\n\nBecause.", "homu", "Because."),
        ("auto merge of #12 : ann/rust/fix, r=bob\n\nReturn two", "homu", ""),
        ("Rollup merge of #12 - ann:fix, r=bob\n\nReturn two\n\nBecause.", "homu", "Because."),
        ("Return two\n\nBecause.\n\nSigned-off-by: A <a@b.org>\n\nCloses: #12\nApproved by: ann", "homu", "Because."),
        ("Merged in ann/fix (pull request #12)\n\nReturn two\n\nBecause.\n\nApproved-by: Bob", "Bitbucket", "Because."),
        (
            "Pull request #12: Return two\n\nMerge in P/r from fix to main\n\n* commit 'abcdef1234':\n  One\n  Two\n",
            "Bitbucket",
            "* One\n* Two",
        ),
        ("Merge pull request #12 in P/r from fix to main\n\n* commit 'abcdef1234':\n  Return two\n", "Bitbucket", ""),
        (
            "Pull request #12: Return two\n\nMerge in ~ann/r from fix to main\n\nSquashed commit of the following:\n\n"
            "commit abcdef1234abcdef1234\nAuthor: Ann <a@b.org>\nDate:   Mon Jan 1 10:00:00 2024 +0100\n\n"
            "    Because.\n",
            "Bitbucket",
            "Because.",
        ),
        ("Merged PR 12: Return two\n\nBecause.\n\nRelated work items: #34, #35", "Azure", "Because."),
        ("Merge pull request 12 from fix into master\n\nReturn two", "Azure", ""),
        (
            "Merge pull request 'Return two' (#12) from a/b into main\n\nBecause.\n\nReviewed-on: "
            "https://codeberg.org/a/p/pulls/12\nReviewed-by: Bob <b@b.org>",
            "Gitea",
            "Because.",
        ),
        ("Return two (#12)\n\nBecause.\n\nReviewed-on: https://host/git/o/p/pulls/12", "Gitea", "Because."),
        ("!12 Return two\nMerge pull request !12 from ann/fix\n\nBecause.", "Gitee", "Because."),
        (f"Return two\n\nBecause.\n\n{CHANGE}\nReviewed-on: https://x.org/c/tools/+/12\nBug: 3", "Gerrit", "Because."),
        (
            f"Return two\n\nFixes golang/go#3\n\n{CHANGE}\nReviewed-on: https://x.org/12\nTrust: Ann Example",
            "Gerrit",
            "",
        ),
        ("Return\ntwo\n\nReviewed-on: https://x.org/#/c/12/", "Gerrit", ""),
        ("Return two\n\nReviewed-on: https://x.org/9\nReviewed-on: https://x.org/12\nReviewed-by: A", "Gerrit", ""),
        (
            "Return two\n\nSummary: Because.\n\nTest Plan: none\n\nReviewers: ann, #team\n\nReviewed By: ann\n\n"
            "Subscribers: carl\n\nDifferential Revision: https://p.x.org/D12\n",
            "Phabricator",
            "Because.",
        ),
        ("Merge PR #12: Return two\n\nBecause.", "other", "Because."),
        ("Merge o/p#12: Return two\n\nBecause.", "other", "Because."),
        (
            "Return two\n\nBecause.\n\nPR-URL: https://github.com/o/p/pull/12\nReviewed-By: A <a@b.org>",
            "other",
            "Because.",
        ),
        ("Merge pull request #12 from a/b into main\n\nReturn two\n\nBecause.", "GitHub", "Because."),
        (
            "Merge pull request #12 from a/b\n\nAutomatic merge from submit-queue (batch tested with PRs 1, 2).\n\n"
            "Return two\n\nBecause.\n\n```release-note\nNONE\n```",
            "GitHub",
            "Because.",
        ),
    ],
)
def test_every_form(message: str, form: str, body: str) -> None:
    first = forges.announced(message)[0]
    assert (first.form, first.number) == (form, 12)
    assert number(message) == 12
    assert problem(message) == ("Return two", body)


def test_each_pull_request_of_a_batch_has_its_own_text() -> None:
    assert [each.number for each in forges.announced(BATCH)] == [12, 13]
    assert problem(BATCH, 13) == ("Return three", "More.")


@pytest.mark.parametrize(
    "message",
    [
        "Try #12:",
        "Auto merge of #12 - ann:fix, r=<try>\n\nReturn two",
        "Merge branch 'x' of github.com:o/p",
        'Revert "Merged PR 12: Return two"',
        "Return two\n\nThis reverts merge request g/p!12",
        "Return two\n\n> See merge request g/p!12\n\nThat one was wrong.",
        "Return two\n\nReviewed-on: Monday",
        "Return two\n\nSigned-off-by: Ann <a@b.org>\nMessage-Id: <12@b.org>",
        "Merge pull request from GHSA-1234",
        "!12 is wrong",
    ],
)
def test_what_names_no_pull_request(message: str) -> None:
    assert forges.announced(message) == ()


@pytest.mark.parametrize("message", ["Return two (#12)", "Return two (!12)", f"Return two\n\n{CHANGE}"])
def test_what_an_ordinary_commit_may_say_too(message: str) -> None:
    (found,) = forges.announced(message)
    assert not found.sure


def test_a_change_without_a_number_gets_one_of_its_own() -> None:
    one, other = (number(f"Return two\n\nChange-Id: I{digit * 40}") or 0 for digit in "12")
    assert forges.MADE_UP <= min(one, other) < max(one, other) < 2**31


def test_forges_that_count_apart() -> None:
    messages = (
        "T (#12)",
        "T (!12)",
        "Merged PR 12: T",
        "Merged in x (pull request #12)",
        "T\n\nReviewed-on: https://x/12",
    )
    assert len({forges.announced(message)[0].series for message in messages}) == len(messages)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Merge branch 'x/y' into 'main'\n\nT\n\nSee merge request g/p!1", "x/y"),
        ("Auto merge of #1 - ann:x/y, r=bob\n\nT", "x/y"),
        ("Merged in x/y (pull request #1)", "x/y"),
        ("Merge pull request 'T' (#1) from o/n:x/y into main", "x/y"),
        ("Merge pull request #1 in P/r from x/y to main", "x/y"),
        ("Merge pull request 1 from x/y into main", "x/y"),
    ],
)
def test_branches(message: str, expected: str) -> None:
    assert branch(message) == expected
    if "T" not in message:
        assert problem(message) == ("X/y", "")
