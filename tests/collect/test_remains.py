from __future__ import annotations

import pytest

from hrm_ray.collect.messages import cleared, problem
from hrm_ray.collect.remains import normal, without_remains


@pytest.mark.parametrize("blank", [" ", "\t", "\r", " \t\r", "\u00a0", "\u3000", "\u200b", "\ufeff "])
def test_an_empty_line_may_hold_blanks(blank: str) -> None:
    assert problem(f"Return two (#12){blank}\n{blank}\nBecause.{blank}\n{blank}\nReally.") == (
        "Return two",
        "Because.\n\nReally.",
    )


@pytest.mark.parametrize(
    ("message", "title", "body"),
    [
        ("Return two (#12)\nBecause one is wrong.", "Return two", "Because one is wrong."),
        ("Return\ntwo (#12)\n\nBecause.", "Return two", "Because."),
        ("Return very lo… (#12)\n…ng", "Return very long", ""),
        ("Return very lo… (#12)\n\n…ng\n\nBecause.", "Return very long", "Because."),
        ("Return very lo...\n\n...ng (#12)\n\nBecause.", "Return very long", "Because."),
        ("Merge pull request #12 from o/b\n\nReturn very lo…\n\n…ng\n\nBecause.", "Return very long", "Because."),
        ("Wait... (#12)\n\nBecause.", "Wait...", "Because."),
        ("Merge branch 'x' of github.com:ann/p (#12)", "Merge branch 'x'", ""),
        ("Return two (#12)\n\n* Return two\n\n* one", "Return two", "* one"),
        ("Return two (#12)\n\nReturn two\n\nBecause.", "Return two", "Because."),
        ("Merge pull request #12 from o/fix\n\nPiperOrigin-RevId: 123456", "Fix", ""),
    ],
)
def test_where_a_title_ends(message: str, title: str, body: str) -> None:
    assert problem(message) == (title, body)


@pytest.mark.parametrize(
    "remains",
    [
        "---------\n\nCo-authored-by: Ann Example <ann@example.org>",
        "---------\n\nSigned-off-by: Ann <a@b.org>\nCo-authored-by: Bob <b@b.org>\n\n---------",
        "Cc: Carl Example\nAuthor: Ann Example\nReviewer: Bob Example",
        "cc @ann @org/team\nMerged by: ann\n/cc @bob",
        "cc: @ann, @org/team\nReviewers: ann, Bob B. Example and carl\nAssignee: ann (Team)",
        "Change-Id: I0123456789abcdef0123456789abcdef01234567\nReviewed-on: https://x.org/o/p/pulls/12",
        "Bug: 123\nTest: go test\nChange-Id: I0123456789abcdef0123456789abcdef01234567\nTryBot-Result: Gobot Gobot",
        "Fixes #3",
        "Closes #3, o/p#4 and https://github.com/o/p/issues/5.",
        "Fixes: golang/go#73854\nUpdates golang/go#1\nSee FAB-123",
        "Closes g/p!7\n\nSee merge request g/p!12",
        "(cherry picked from commit abcdef1234)",
        "[cherry-picked from abcdef1234..bcdef12345]",
        "git-svn-id: svn://x.org/trunk@12 abcdef",
        "PiperOrigin-RevId: 123\nCOPYBARA_INTEGRATE_REVIEW=https://github.com/o/p/pull/12 from a:b abc",
        "/kind bug\n/assign @ann\n/lgtm\n/area kubelet\n/hold cancel",
        "bors r+\n@bors: r=ann",
        "---\nupdated-dependencies:\n- dependency-name: x\n  update-type: y\n...\n\nSigned-off-by: x <a@b.org>",
        "<!-- Thanks for\nyour work! -->",
        "<!-- never closed",
        "## Checklist\n\n- [ ] one\n- [ ] two",
        "## Checklist\n\n### Tests\n\n- [ ] one\n\n**Which issue**:\n\nFixes #3",
        "```release-note\nNONE\n```",
        "***",
    ],
)
def test_what_says_nothing_of_the_change_is_removed(remains: str) -> None:
    assert problem(f"Return two (#12)\n\nBecause.\n\n{remains}\n") == ("Return two", "Because.")
    assert problem(f"Return two (#12)\n\n{remains}\n") == ("Return two", "")
    assert cleared(f"Because.\n\n{remains}\n") == "Because."


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("* one\n\n* Merge branch 'main' of github.com:ann/p into x", "* one\n\n* Merge branch 'main' into x"),
        (
            "* Merge remote-tracking branch 'ann/x'\n* Merge pull request #3 from ann/x",
            "* Merge remote-tracking branch 'x'\n* Merge pull request #3",
        ),
        ('Revert "Merge pull request #3 from ann/x"', 'Revert "Merge pull request #3"'),
    ],
)
def test_whose_branch_it_was_is_removed(text: str, kept: str) -> None:
    assert without_remains(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "Author: rename it to Writer",
        "Cc: the list of compilers",
        "Fix UTF-8",
        "Fixes the parser (#3)",
        "See #3 for the reason",
        "/etc/hosts is read",
        "/close answers 500",
        "- [x] tested",
        "Title\n---\n\ntext",
        "one\n\n---\n\ntwo",
        "# one\n# two\n\ntext",
        "# one\n\n## two\n\ntext",
        "Note: a footer of prose",
        "See merge request flow for more",
        "* one\n\n* two",
    ],
)
def test_what_says_something_stays(text: str) -> None:
    assert problem(f"Return two (#12)\n\n{text}") == ("Return two", text)
    assert cleared(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "\u200b \t" * 70_000 + "x",
        "---\n" * 50_000 + "x",
        "a: b\n" * 40_000 + "x",
        "<!--start x-->" * 15_000,
        "fixes " + "a/" * 100_000,
        "fixes #1" + ", #1" * 50_000 + " x",
        "Author: " + "Ann, " * 40_000 + "x x",
        "Author:" + " " * 200_000 + "x",
        "Merge branch '" * 15_000,
        "cherry picked from " + "a" * 200_000 + "z",
        "# a\n\n" * 40_000 + "x",
        "…\n" * 100_000,
    ],
)
@pytest.mark.timeout(60)
def test_no_text_takes_quadratic_time(text: str) -> None:
    assert len(without_remains(normal(text))) <= len(text)
    assert problem(f"T (#1)\n\n{text}")[0] == "T"
