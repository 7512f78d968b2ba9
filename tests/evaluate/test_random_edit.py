"""The baseline of random legal edits."""

from __future__ import annotations

from collections import Counter

from hrm_ray.evaluate.generation import Attempt, score
from hrm_ray.evaluate.random_edit import TRIES, random_edit, random_edits
from hrm_ray.golang.leaves import same_leaves
from hrm_ray.golang.syntax import validate
from hrm_ray.model.generate import Written
from hrm_ray.prepare import edits
from hrm_ray.prepare.examples import Example
from tests.prepare.factory import example

BEFORE = "func F(a int) error {\n\tlog.Print(a)\n\tcount(a)\n\treturn nil\n}"
GIVEN = example(before=BEFORE, code=BEFORE.replace("count", "sum"), names=("F",), plan="modify function F")


def test_one_line_is_other_and_the_code_stays_valid() -> None:
    kinds = Counter[int]()
    for seed in range(40):
        changed, tries = random_edit(GIVEN, seed)
        assert tries >= 1
        assert validate(changed, GIVEN.kinds) is None
        assert not same_leaves(changed, BEFORE)
        [hunk] = edits.hunks(BEFORE, changed)
        assert (hunk.end - hunk.first, len(hunk.lines)) in {(1, 0), (0, 1), (1, 1)}
        kinds[len(hunk.lines) - hunk.end + hunk.first] += 1
    assert set(kinds) == {-1, 0, 1}, "deleted, replaced and doubled"


def test_it_is_drawn_by_seed_and_example() -> None:
    assert random_edit(GIVEN, 1) == random_edit(GIVEN, 1)
    assert len({random_edit(GIVEN, seed) for seed in range(20)}) > 1


def test_code_of_which_no_line_can_change_stays() -> None:
    assert random_edit(example(before="type T int", kinds=("type",), names=("T",)), 0) == ("type T int", TRIES)


def test_additions_have_none() -> None:
    def attempt(given: Example) -> Attempt:
        return score(3, given, Written(), given.plan, given.before)

    added = example(change="added", before="", anchor="")
    [found] = random_edits([attempt(GIVEN), attempt(added)], seed=0)
    assert (found.index, found.valid, found.copied) == (3, True, False)
