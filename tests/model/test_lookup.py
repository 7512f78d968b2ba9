"""Guesses are what followed the same tokens before."""

from __future__ import annotations

import pytest

from hrm_ray.model.lookup import Lookup

TEXT = 10
"""The first id that is no control token."""


@pytest.mark.parametrize(
    ("tokens", "guess"),
    [
        ([], []),
        ([20], []),
        ([20, 21], []),
        ([20, 21, 22, 23, 20, 21], [22, 23, 20]),  # of what was copied so far, too
        ([20, 21, 22, 20, 21, 23, 24, 20, 21], [23, 24, 20]),  # the newest place
        ([20, 21, 3, 22, 20, 21], []),  # a control token comes next
        ([20, 21, 22, 3, 20, 21], [22]),
        ([20, 20, 20], [20, 20, 20]),
        ([20, 21, 22, 20, 21], [22, 20, 21]),  # and round again
    ],
)
def test_guesses(tokens: list[int], guess: list[int]) -> None:
    assert Lookup(tokens).guess(3, TEXT) == guess
    grown = Lookup(tokens[:1])
    for token in tokens[1:]:
        grown.append(token)
    assert grown.guess(3, TEXT) == guess


def test_no_more_than_asked_for() -> None:
    assert Lookup([20, 21, 22, 23, 20, 21]).guess(0, TEXT) == []
    assert Lookup([20, 21, 22, 23, 20, 21]).guess(1, TEXT) == [22]
