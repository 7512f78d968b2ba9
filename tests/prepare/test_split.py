"""Folds are disjoint, near their shares, never random, and the same for the same seed."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm_ray.config import Shares, Split
from hrm_ray.errors import UserError
from hrm_ray.prepare.split import FOLDS, by_repository, merge_time, split

SHARES = {"train": Fraction(7, 10), "judge": Fraction(1, 10), "validation": Fraction(1, 10), "test": Fraction(1, 10)}
many_sizes = st.dictionaries(st.text("abc/", min_size=1, max_size=6), st.integers(1, 500), min_size=4, max_size=30)


@given(sizes=many_sizes, seed=st.integers(0, 5))
def test_every_fold_gets_a_repository_whatever_the_order(sizes: dict[str, int], seed: int) -> None:
    folds = by_repository(sizes, SHARES, seed)
    assert set(folds.values()) == set(FOLDS)
    assert folds.keys() == sizes.keys()
    assert by_repository(dict(reversed(sizes.items())), SHARES, seed) == folds


def test_equal_repositories_meet_the_shares() -> None:
    sizes = {f"r{index}": 10 for index in range(100)}
    folds = list(by_repository(sizes, SHARES, 0).values())
    assert [folds.count(fold) for fold in FOLDS] == [70, 10, 10, 10]


def test_largest_goes_where_most_is_lacking() -> None:
    folds = by_repository({"huge": 700, "a": 100, "b": 100, "c": 100}, SHARES, 0)
    assert folds["huge"] == "train"
    assert {folds[name] for name in "abc"} == {"judge", "validation", "test"}


def test_seed_breaks_ties() -> None:
    sizes = {f"r{index}": 10 for index in range(20)}
    assert len({tuple(sorted(by_repository(sizes, SHARES, seed).items())) for seed in range(5)}) > 1


def test_too_few_repositories_says_what_to_do() -> None:
    with pytest.raises(UserError, match=r"4 folds.*has 2 .*use split\.by: time"):
        split(["a", "b", "a"], [0.0] * 3, Split(), 0)


def test_fold_without_a_share_stays_empty() -> None:
    settings = Split(shares=Shares(train=0.8, judge=0, validation=0.1, test=0.1))
    assert set(split(["a", "b", "c"], [0.0] * 3, settings, 0)) == {"train", "validation", "test"}


@given(days=st.lists(st.integers(1, 28), min_size=4, max_size=200).filter(lambda days: len(set(days)) >= 4))
def test_periods_follow_each_other(days: list[int]) -> None:
    times = [86400.0 * day for day in days]
    folds = split(["a"] * len(days), times, Split(by="time"), 0)
    assert set(folds) == set(FOLDS)
    ordered = [FOLDS.index(fold) for _, fold in sorted(zip(days, folds, strict=True))]
    assert ordered == sorted(ordered)
    assert len(set(zip(days, folds, strict=True))) == len(set(days)), "one merge time lies in two folds"


def test_periods_hold_their_shares() -> None:
    times = [float(minute) for minute in range(100)]
    folds = split(["a"] * 100, times, Split(by="time"), 0)
    assert [folds.count(fold) for fold in FOLDS] == [70, 10, 10, 10]


def test_zones_are_compared_as_times() -> None:
    assert (
        merge_time("2024-01-01T01:00:00+02:00")
        < merge_time("2024-01-01T00:00:00")
        == merge_time("2024-01-01T00:00:00Z")
    )
