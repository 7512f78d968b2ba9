"""Steps that were planned, and those that the code makes."""

from __future__ import annotations

import pytest

from hrm_ray.evaluate.adherence import adherence
from hrm_ray.prepare.plan import placed, plan

BEFORE = "func F(a int) error {\n\tlog.Print(a)\n\treturn nil\n}"
AFTER = "func F(a int) error {\n\tif a < 0 {\n\t\treturn errNegative\n\t}\n\treturn nil\n}"


def test_the_true_plan_is_realised_by_the_true_code() -> None:
    for before, most in ((BEFORE, 12), ("", 12), (BEFORE, 2), ("", 3)):
        assert adherence(plan(before, AFTER, ["function"], ["F"], most), before, AFTER) == 1
    both = f"{AFTER}\n\n{BEFORE.replace('F(', 'G(')}"
    assert adherence(plan("", both, ["function", "function"], ["F", "G"], 6), "", both) == 1


@pytest.mark.parametrize(
    ("code", "share"),
    [
        (BEFORE, 1 / 4),  # a copy names the declaration and makes no step
        (AFTER.replace("F(", "G("), 3 / 4),
        (BEFORE.replace("\tlog.Print(a)\n", ""), 2 / 4),
    ],
)
def test_other_code_realises_a_part(code: str, share: float) -> None:
    steps = plan(BEFORE, AFTER, ["function"], ["F"], 12)
    assert len(steps.splitlines()) == 4, steps
    assert adherence(steps, BEFORE, code) == share


def test_a_step_that_is_repeated_counts_once_and_no_plan_has_no_share() -> None:
    assert adherence("modify function F\n" * 4, BEFORE, AFTER) == 1 / 4
    assert adherence(" \n", BEFORE, AFTER) is None


def test_places_of_an_edit_are_no_part_of_a_step() -> None:
    assert adherence(placed(BEFORE, AFTER, ["function"], ["F"], 12), BEFORE, AFTER) == 1
