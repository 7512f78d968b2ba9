from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm_ray.golang.leaves import distance, leaves
from hrm_ray.prepare.corruptions import CORRUPTIONS, apply_partly

CODE = 'func F(a int) {\n\tif a == 0 {\n\t\tlog.Print("é")\n\t}\n\tg(a + 1)\n}'


@pytest.mark.parametrize("name", CORRUPTIONS)
@given(seed=st.integers(0, 1000), code=st.sampled_from([CODE, "", "var x", "// é", "\n", "}"]))
def test_pure_and_never_raises(name: str, seed: int, code: str) -> None:
    made = CORRUPTIONS[name](code, Random(seed))
    assert made == CORRUPTIONS[name](code, Random(seed))


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_each_spoils_the_code_in_several_ways(name: str) -> None:
    made = {CORRUPTIONS[name](CODE, Random(seed)) for seed in range(30)} - {CODE}
    assert len(made) >= 3


def test_what_each_does() -> None:
    for seed in range(20):
        assert CODE.count("\n") - CORRUPTIONS["deleted line"](CODE, Random(seed)).count("\n") == 1
        assert CORRUPTIONS["duplicated line"](CODE, Random(seed)).count("\n") - CODE.count("\n") == 1
        assert CODE.startswith(CORRUPTIONS["truncated tail"](CODE, Random(seed)))
        assert len(CODE) - len(CORRUPTIONS["dropped bracket"](CODE, Random(seed))) == 1
        assert sorted(CORRUPTIONS["swapped tokens"](CODE, Random(seed))) == sorted(CODE)
        assert distance(leaves(CODE), leaves(CORRUPTIONS["replaced operator"](CODE, Random(seed)))) <= 4


def test_partly_applied_takes_each_line_from_one_side() -> None:
    before = "a\nb\nc\nd\ne"
    after = "a\nB\nc\nd\nE\nf"
    made = {apply_partly(before, after, Random(seed)) for seed in range(40)}
    assert made == {before, after, "a\nB\nc\nd\ne", "a\nb\nc\nd\nE\nf"}
