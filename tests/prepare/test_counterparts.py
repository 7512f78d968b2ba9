"""Of two attempts that are opposite to each other one is drawn, and of others none."""

from __future__ import annotations

from random import Random

import pytest

from hrm_ray.prepare.counterparts import counterpart


def code(*statements: str) -> str:
    return "\n".join(["func F(a int) {", *(f"\t{one}(a)" for one in statements), "}"])


REFERENCE = code(*"abcdefghijklmnop")
SHORTER, LONGER = code(*"abcdefghijklmno"), code(*"abcdefghijklmnopq")
OTHER, FAR = code(*"pbcdefghijklmnoa"), code(*"abcdef")


def drawn(before: str, *attempts: str) -> set[int | None]:
    return {counterpart(before, REFERENCE, attempts, Random(seed)) for seed in range(40)}


@pytest.mark.parametrize(
    ("attempts", "places"),
    [
        ((), {None}),
        ((FAR,), {None}),
        ((OTHER,), {0}),
        ((FAR, OTHER), {1}),
        ((SHORTER, LONGER, FAR), {0, 1}),
        ((SHORTER, FAR, SHORTER), {0, 2}),
    ],
)
def test_what_is_drawn_is_no_longer_than_its_opposite_is_shorter(attempts: tuple[str, ...], places: set[int]) -> None:
    assert drawn("", *attempts) <= places
    assert len(drawn("", *attempts)) == len(places)


def test_shorter_and_longer_come_as_often() -> None:
    made = [counterpart("", REFERENCE, (SHORTER, LONGER), Random(seed)) for seed in range(200)]
    assert 70 < made.count(0) < 130


def test_the_size_of_the_edit_counts_as_much() -> None:
    """An attempt as long as the reference that is much nearer to the input gives itself away."""
    before = code(*"abcdefghijklmnox")
    assert drawn(before, code(*"abcdefghijklmnow")) == {0}
    assert drawn(before, OTHER) == {None}
