"""Near duplicates are judged on what a change writes."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hrm_ray.prepare.examples import Example
from hrm_ray.prepare.near import PERMUTATIONS, near_duplicates, resemblance, shingles, signature
from tests.prepare.factory import example

LINES = [f"\tresult{at} := compute{at}(input, {at})" for at in range(40)]


def body(name: str, lines: Sequence[str]) -> str:
    return f"func {name}(input int) {{\n" + "\n".join(lines) + "\n}"


def found(examples: Sequence[Example], threshold: float = 0.7) -> dict[int, int]:
    """Near duplicates of examples that were merged in this order."""
    runs = [shingles(each) for each in examples]
    signatures = np.frombuffer(b"".join(map(signature, runs)), "<u4").reshape(-1, PERMUTATIONS)
    return near_duplicates(
        signatures, range(len(runs)), lambda row, other: resemblance(runs[row], runs[other]), threshold
    )


def test_an_addition_is_judged_whole() -> None:
    copied = example(before="", change="added", code=body("Copied", LINES), repository="fork/rocket")
    other = example(before="", change="added", code=body("Other", [f"\tcheck{at}()" for at in range(40)]))
    assert found([example(before="", change="added", code=body("Run", LINES)), other, copied]) == {2: 0}


def test_the_same_function_changed_again_is_a_new_lesson() -> None:
    once = [*LINES, *(f"\tcheck{at}(result{at}, input)" for at in range(8))]
    again = [*once, *(f"\tlog{at}.Print(result{at}, err)" for at in range(8))]
    first = example(before=body("Run", LINES), code=body("Run", once))
    second = example(before=body("Run", once), code=body("Run", again))
    assert found([first, second]) == {}


def test_the_same_lines_written_into_another_function_are_a_copy() -> None:
    written = [f"\tcheck{at}(result{at}, input)" for at in range(8)]
    first = example(before=body("Run", LINES[:20]), code=body("Run", LINES[:20] + written))
    second = example(before=body("Stop", LINES[20:]), code=body("Stop", LINES[20:] + written))
    assert found([first, second]) == {1: 0}


def test_a_short_line_is_a_copy_only_in_a_near_declaration() -> None:
    def parallel(name: str, lines: Sequence[str]) -> Example:
        return example(before=body(name, lines), code=body(name, ["\tt.Parallel()", *lines]))

    assert found([parallel("TestRun", LINES[:20]), parallel("TestStop", LINES[20:])]) == {}
    assert found([parallel("TestRun", LINES), parallel("TestRunFork", LINES)]) == {1: 0}


def test_a_deletion_is_compared_by_what_it_leaves() -> None:
    def deleted(name: str, lines: Sequence[str]) -> Example:
        return example(before=body(name, [*lines, "\tpanic(1)"]), code=body(name, lines))

    assert found([deleted("Run", LINES[:20]), deleted("Stop", LINES[20:]), deleted("Walk", LINES[20:])]) == {2: 1}


def test_a_chain_of_small_steps_does_not_join_its_ends() -> None:
    texts = [body("Run", LINES[at : at + 20]) for at in (0, 3, 6)]
    chain = [example(before="", code=text) for text in texts]
    runs = [shingles(each) for each in chain]
    assert resemblance(runs[0], runs[1]) > 0.6 > resemblance(runs[0], runs[2])
    assert found(chain, 0.6) == {1: 0}


def test_empty_declarations_resemble_nothing_but_themselves() -> None:
    assert found([example(before="", code=""), example(before="", code="type T int")]) == {}


@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_equal_writing_is_always_found(lines: list[str], rng: random.Random) -> None:
    noise = [example(before="", code=body(f"F{at}", rng.sample(LINES, 20))) for at in range(3)]
    pair = [example(before="", code=body("Run", lines), title=title) for title in "ab"]
    assert 1 in found([*pair, *noise])


def test_no_near_pair_of_many_is_missed() -> None:
    rng = random.Random(0)
    texts = []
    for name in range(60):
        lines = [f"\tvalue{rng.randrange(10**6)} := f{rng.randrange(10**6)}(x)" for _ in range(30)]
        texts += [body(f"F{name}", lines), body(f"G{name}", [*lines[:-2], "\treturn nil"])]
    assert found([example(before="", code=text) for text in texts]) == {at + 1: at for at in range(0, 120, 2)}


def test_a_signature_is_the_same_on_every_machine() -> None:
    runs = frozenset({"b c d e f", "a b c d e"})
    assert np.frombuffer(signature(runs), "<u4")[:4].tolist() == [769744348, 2901305576, 1138530834, 1087496946]
    assert len(signature(frozenset({"a"}))) == 4 * PERMUTATIONS
