from __future__ import annotations

from itertools import pairwise
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
    code = CODE.replace("\n}", "\n\th(a)\n\tk(b)\n}")
    made = {CORRUPTIONS[name](code, Random(seed)) for seed in range(30)} - {code}
    assert len(made) >= 3


def test_what_each_does() -> None:
    for seed in range(20):
        assert CODE.count("\n") - CORRUPTIONS["deleted line"](CODE, Random(seed)).count("\n") == 1
        assert CORRUPTIONS["repeated line"](CODE, Random(seed)).count("\n") - CODE.count("\n") == 1
        assert CODE.startswith(CORRUPTIONS["truncated tail"](CODE, Random(seed)))
        assert len(CODE) - len(CORRUPTIONS["dropped bracket"](CODE, Random(seed))) == 1
        assert sorted(CORRUPTIONS["swapped tokens"](CODE, Random(seed))) == sorted(CODE)
        assert distance(leaves(CODE), leaves(CORRUPTIONS["replaced operator"](CODE, Random(seed)))) <= 4


def test_statements_change_places_come_twice_and_go() -> None:
    lines = [f"\t{name}(a)" for name in "ghijk"]
    code = "\n".join(["func F(a int) {", *lines, "}"])

    def made(name: str) -> set[tuple[str, ...]]:
        texts = {CORRUPTIONS[name](code, Random(seed)) for seed in range(60)} - {code}
        assert all(text.startswith("func F(a int) {\n\t") and text.endswith(")\n}") for text in texts)
        return {tuple(text.split("\n")[1:-1]) for text in texts}

    assert all(sorted(one) == lines for one in made("exchanged statements"))
    for one in made("repeated statements"):
        assert len(one) in (6, 7)
        assert all(a != b for a, b in pairwise(one))
        assert set(one) == set(lines)
    assert {len(one) for one in made("deleted statements")} == {3, 4}
    assert {len(made(name)) > 5 for name in ("exchanged statements", "repeated statements", "deleted statements")} == {
        True
    }


def test_other_names_are_names_of_the_code() -> None:
    made = {CORRUPTIONS["other names"](CODE, Random(seed)) for seed in range(30)} - {CODE}
    assert all(len(leaves(one)) == len(leaves(CODE)) and set(leaves(one)) <= set(leaves(CODE)) for one in made)
    assert len(made) > 5


def test_partly_applied_is_wrong_in_one_run_of_lines_at_least() -> None:
    before = "a\nb\nc\nd\ne"
    after = "a\nB\nc\nd\nE\nf"
    made = {apply_partly(before, after, Random(seed)) for seed in range(100)}
    runs = [("B", "b", "b\nB", ""), ("E\nf", "e", "e\nE\nf", "")]
    every = {"\n".join(part for part in ("a", one, "c", "d", other) if part) for one in runs[0] for other in runs[1]}
    assert made == every - {after}
    assert after not in {apply_partly("a\nc", "a\nb\nc", Random(seed)) for seed in range(20)}
