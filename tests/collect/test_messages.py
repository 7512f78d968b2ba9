from __future__ import annotations

import pytest

from hrm_ray.collect.messages import branch, is_bot, number, problem, story, without_people


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Fix it (#12)", 12),
        ("Fix it (#12) ", None),
        ("Fix it(#12)", 12),
        ('Revert "Fix it (#12)"', None),
        ('Revert "Fix it (#12)" (#13)', 13),
        ("Fix it (fixes #12)", None),
        ("Fix it #12", None),
        ("(#12)", None),
        ("Fix it (#99999999999)", None),
        ("Merge pull request #7 from o/b", 7),
        ("Merge pull request #7 from o/b Title on the next line", 7),
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
        ("by Ann Other <ann@b.co.uk>, who", "by, who"),
        ("mail ann+x@b.org.", "mail."),
        ("uses x/tools@v0.1.2 and git@github.com:o/n", "uses x/tools@v0.1.2 and git@github.com:o/n"),
        ("a decorated @name stays", "a decorated @name stays"),
        ("Standby: off\nfix: this", "Standby: off\nfix: this"),
    ],
)
def test_people_are_removed(text: str, kept: str) -> None:
    assert without_people(text) == kept


def test_a_branch_tells_what_the_merge_does_not() -> None:
    assert story("T", []) == ""
    assert story("T", ["T\n\nBecause.\n\nSigned-off-by: A <a@b.org>"]) == "Because."
    assert story("T", ["Other\n\nBecause."]) == "Other\n\nBecause."
    assert story("T", ["One\n\nWhy", "T", "Two"]) == "* One\n\nWhy\n\n* Two"


def test_the_branch_of_a_merge() -> None:
    assert branch("Merge pull request #1 from o/x/y\n\nT") == "x/y"
    assert branch("T (#1)") == ""


@pytest.mark.parametrize(
    "name", ["dependabot[bot] <x@y>", "k8s-ci-robot <a@b>", "renovate/all", "snyk-fix-1", "My Bot"]
)
def test_bots(name: str) -> None:
    assert is_bot("", name)


@pytest.mark.parametrize("name", ["Ann Talbot <ann@x.org>", "Robotham <r@x>", "abbott", "fix-bottom", ""])
def test_people(name: str) -> None:
    assert not is_bot(name)
