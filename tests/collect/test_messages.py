from __future__ import annotations

import pytest

from hrm_ray.collect.messages import (
    People,
    branch,
    cleared,
    is_bot,
    number,
    problem,
    story,
    without_handles,
    without_people,
)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Fix it (#12)", 12),
        ("Fix it (#12) ", 12),
        ("Fix it(#12)", 12),
        ('Revert "Fix it (#12)"', None),
        ('Revert "Fix it (#12)" (#13)', 13),
        ("Fix it (fixes #12)", None),
        ("Fix it #12", None),
        ("(#12)", None),
        ("Fix it (#99999999999)", None),
        ("Merge pull request #7 from o/b", 7),
        ("Merge pull request #7 from o/b Title on the next line", 7),
        ("Merge pull request #7", 7),
        ("Merge pull request #7 into b", None),
        ("Fix it (#12) (#34)", 34),
        ("Merge branch 'x' (pull request #7)", None),
    ],
)
def test_numbers(subject: str, expected: int | None) -> None:
    assert number(subject) == expected


@pytest.mark.parametrize(
    ("message", "title", "body"),
    [
        ("Fix it (#1)\n\nBecause.\n\nReally.\n", "Fix it", "Because.\n\nReally."),
        ("Fix it (#1)\r\n\r\nBecause.\r\nYes.\r\n", "Fix it", "Because.\nYes."),
        ("Fix it\nand that (#1)\n\nBecause.", "Fix it and that", "Because."),
        ("Fix it (#1)", "Fix it", ""),
        ("Fix what is very lo… (#1)\n\n…ng\n\nBecause.", "Fix what is very long", "Because."),
        ("Merge pull request #1 from o/b\n\nFix it\n\nBecause.", "Fix it", "Because."),
        ("Merge pull request #1 from o/b\nFix it\n\nBecause.", "Fix it", "Because."),
        ("Merge pull request #1 from o/x/fix-the_thing", "X/fix the thing", ""),
        ("Merge pull request #1 from o:fix-the_thing\n\n", "Fix the thing", ""),
        ("Merge pull request #1\n\nFix it\n\nBecause.", "Fix it", "Because."),
        ("Merge pull request #1", "", ""),
        ('Revert "Fix it (#1)" (#2)\n\nThis reverts commit 1234.', 'Revert "Fix it (#1)"', "This reverts commit 1234."),
        ("Fix it (#12) (#34)", "Fix it (#12)", ""),
        ("email: keep ann@example.org (#1)", "email: keep", ""),
        ("Sort-by: names (#1)", "Sort-by: names", ""),
        ("Thank @ann-b (#1)\n\n(by @bob, @org/team)", "Thank @user", "(by @user, @user)"),
    ],
)
def test_title_and_body(message: str, title: str, body: str) -> None:
    assert problem(message) == (title, body)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Signed-off-by: A B <a@b.org>", ""),
        ("One\n\nCo-Authored-By: A\nReviewed-by: B\n\nTwo", "One\n\nTwo"),
        ("* step\n* Cc: a@b.org\nCC: A <a@b.org>\nlast", "* step\n* Cc:\nlast"),
        ("* step\n* Reported-by: Ann\n> Signed-off-by: Bob\n- Co-authored by: Cy\nlast", "* step\nlast"),
        ("caused by: a timeout\nReviewed by the team", "caused by: a timeout\nReviewed by the team"),
        ("by Émile Öst <e@x.fr>, and Ann <ann@laptop>", "by, and"),
        ("by Ann Other <ann@b.co.uk>, who", "by, who"),
        ("mail ann+x@b.org.", "mail."),
        ("uses x/tools@v0.1.2 and git@github.com:o/n", "uses x/tools@v0.1.2 and git@github.com:o/n"),
        ("a decorated @name stays", "a decorated @name stays"),
        ("Standby: off\nfix: this", "Standby: off\nfix: this"),
    ],
)
def test_people_are_removed(text: str, kept: str) -> None:
    assert without_people(text) == kept


def test_a_text_that_says_nothing_of_people_stays_as_it_is() -> None:
    assert cleared(" One\n\n\n\nTwo \n") == " One\n\n\n\nTwo \n"
    assert cleared("One\n\n\n\nTwo\nAcked-by: @ann\n") == "One\n\nTwo"


def test_a_title_has_no_trailers() -> None:
    assert without_handles("Sort-by: names of @ann") == "Sort-by: names of @user"
    assert without_handles("No one") == "No one"


def test_a_branch_tells_what_the_merge_does_not() -> None:
    assert story("T", []) == ""
    assert story("T", ["T\n\nBecause.\n\nSigned-off-by: A <a@b.org>"]) == "Because."
    assert story("T", ["Other\n\nBecause."]) == "Other\n\nBecause."
    assert story("T", ["One\n\nWhy", "T", "Two"]) == "* One\n\nWhy\n\n* Two"


def test_the_branch_of_a_merge() -> None:
    assert branch("Merge pull request #1 from o/x/y\n\nT") == "x/y"
    assert branch("T (#1)") == ""


@pytest.mark.parametrize(
    "text", [" " * 200_000 + "x", "A" * 200_000, "- " * 100_000 + "x", "a-" * 100_000, "@a-" * 70_000, "a@" * 100_000]
)
@pytest.mark.timeout(60)
def test_no_message_takes_quadratic_time(text: str) -> None:
    """With 200,000 characters that is hours."""
    title, body = problem(f"T (#1)\n\nb{text}")
    assert title == "T"
    assert body.startswith("b")
    assert without_people(f"b{text}").startswith("b")
    assert People(["A B"]).removed(text) == text.strip()


def test_names_of_people_are_taken_out_of_sentences() -> None:
    people = People(["Ann Marie Other", "Ann Marie", "Ann", "root", "go fmt", "Bob O'Neil", "李 明"])
    text = "Ann Marie Other, Bob\nO'Neil's and Ann ran go fmt as root.\n\nBy Ann Marie"
    assert people.removed(text) == ",'s and Ann ran go fmt as root.\n\nBy"
    assert people.removed("谢谢 李 明!") == "谢谢!"
    assert People([]).removed("Ann Marie") == "Ann Marie"


@pytest.mark.parametrize(
    "author", ["dependabot[bot] <x@y>", "k8s-ci-robot <a@b>", "renovate <a@b>", "snyk-fix <x@y>", "My Bot", "fossabot"]
)
def test_bots(author: str) -> None:
    assert is_bot(author)


@pytest.mark.parametrize("author", ["Ann Talbot <ann@x.org>", "Robotham <r@x>", "abbott", ""])
def test_people(author: str) -> None:
    assert not is_bot(author)


@pytest.mark.parametrize(
    ("branch", "bot"),
    [
        ("dependabot/go_modules/x", True),
        ("renovate/all", True),
        ("snyk-fix-1", True),
        ("fix-bottom", False),
        ("update-backport-bot", False),
        ("remove-dependabot", False),
        ("", False),
    ],
)
def test_branches_of_bots(branch: str, bot: bool) -> None:
    assert is_bot("Ann", branch) == bot
