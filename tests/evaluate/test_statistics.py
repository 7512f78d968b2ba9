"""The statistics, against values that can be worked out by hand and against draws whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from hrm_ray.evaluate.statistics import jackknife_interval, mean, ratio_interval, roc_area, share, share_interval

RUNS = 400


def test_of_nothing_there_is_no_share_and_no_mean() -> None:
    assert share([]) is None
    assert mean([]) is None
    assert share([True, False, False, True]) == 0.5
    assert mean([1.0, 4.0]) == 2.5


def test_roc_area_by_hand() -> None:
    assert roc_area([0.1, 0.4, 0.35, 0.8], [False, False, True, True]) == 0.75
    assert roc_area([1.0, 1.0], [True, False]) == 0.5
    assert roc_area([0.2, 0.9], [True, True]) is None
    random = np.random.default_rng(0)
    scores, right = random.integers(0, 9, 200), random.random(200) < 0.3
    pairs = scores[right][:, None] - scores[~right][None, :]
    assert roc_area(scores, right) == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean())


def test_of_independent_draws_a_share_has_wilsons_interval() -> None:
    """Of 400 with z = 1.966, Student's for 399: the formula by hand; the jackknife's error is that of 399 draws."""
    low, high = share_interval([index < 100 for index in range(400)], range(400)) or (0, 0)
    draws, z = 399, 1.966
    centre, reach = 0.25 + z**2 / 2 / draws, z * math.sqrt(0.25 * 0.75 / draws + (z / 2 / draws) ** 2)
    assert [low, high] == pytest.approx([(centre + sign * reach) / (1 + z**2 / draws) for sign in (-1, 1)], rel=1e-3)


def test_of_equal_clusters_a_mean_has_students_interval() -> None:
    values = [1.0, 2.0, 6.0]
    error = float(np.std(values, ddof=1)) / math.sqrt(3)
    low, high = ratio_interval(values, [1.0] * 3, "abc") or (0, 0)
    assert [low, high] == pytest.approx([3 - 4.3027 * error, 3 + 4.3027 * error], rel=1e-4)
    assert ratio_interval([7 * value for value in values], [7.0] * 3, "abc") == pytest.approx((low, high))


def test_clusters_widen_the_interval() -> None:
    random = np.random.default_rng(0)
    outcomes = random.random(40) < 0.5
    flags = [bool(flag) for flag in np.repeat(outcomes, 10)]
    alone, together = (share_interval(flags, [i // size for i in range(400)]) for size in (1, 10))
    assert alone is not None
    assert together is not None
    assert together[1] - together[0] > 2 * (alone[1] - alone[0])
    assert together[0] < sum(flags) / 400 < together[1]


@pytest.mark.parametrize("clusters", ["", "aaa", "aab"])
def test_no_interval_comes_from_fewer_than_three_clusters(clusters: Sequence[Hashable]) -> None:
    assert share_interval([True] * len(clusters), clusters) is None
    assert ratio_interval([1.0] * len(clusters), [2.0] * len(clusters), clusters) is None
    assert ratio_interval([1.0, 2.0, 3.0], [1.0, 1.0, 0.0], "abc") is None  # nothing is in the third


def test_a_mean_has_the_same_interval_either_way() -> None:
    values, clusters = np.array([1.0, 2.0, 6.0, 3.0, 3.0]), "abcca"
    found = jackknife_interval(lambda kept: float(values[kept].mean()), clusters, [0] * 5)
    assert found == pytest.approx(ratio_interval(values.tolist(), [1.0] * 5, clusters))


def test_no_interval_where_a_class_is_of_two_clusters() -> None:
    positive = np.array([True, False] * 4)
    for clusters, wanted in (("aabbccdd", True), ("aabbccdc", True), ("abababcb", False), ("a" * 8, False)):
        found = jackknife_interval(partial(area_of, np.arange(8.0), positive), clusters, positive)
        assert (found is not None) == wanted, clusters
    assert jackknife_interval(lambda kept: None, "abc", [0, 0, 0]) is None
    assert jackknife_interval(lambda kept: 0.0, "", []) is None


@pytest.mark.parametrize("clusters", [10, 40])
@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_the_interval_of_an_area_holds_the_truth(clusters: int, shift: float) -> None:
    """Scores and labels within a cluster are alike; by the error of independent guesses 18% of guesses would know."""
    random = np.random.default_rng(clusters)
    truth, found = 0.5 * (1 + math.erf(shift / 2)), list[tuple[float, float] | None]()
    for _ in range(RUNS):
        of = np.repeat(np.arange(clusters), np.maximum(3, sizes(random, clusters)))
        right = random.random(len(of)) < random.beta(0.5, 0.5, clusters)[of]
        scores = (random.normal(size=clusters)[of] + random.normal(size=len(of))) / math.sqrt(2) + shift * right
        found.append(jackknife_interval(partial(area_of, scores, right), of.tolist(), right))
    known = [one for one in found if one is not None]
    assert len(known) > 0.9 * RUNS
    assert 0.88 < share([low <= truth <= high for low, high in known] or [False]) < 0.995  # type: ignore[operator]
    assert share([low > truth for low, _ in known]) < (0.05 if shift == 0 else 0.08)  # type: ignore[operator]


@pytest.mark.parametrize(("few", "each"), [(3, 7), (5, 4)])
def test_a_class_of_few_clusters_does_not_make_guesses_know(few: int, each: int) -> None:
    random, knowing = np.random.default_rng(few), 0
    of = np.concatenate([np.repeat(np.arange(few), each), few + np.arange(60)])
    right = np.arange(len(of)) < few * each
    for _ in range(RUNS):
        scores = 3 * random.normal(size=few + 60)[of] + random.normal(size=len(of))
        low, _ = jackknife_interval(partial(area_of, scores, right), of.tolist(), right) or (1.0, 1.0)
        knowing += low > 0.5
    assert knowing / RUNS < 0.045


def area_of(scores: NDArray[np.float64], right: NDArray[np.bool_], kept: NDArray[np.intp]) -> float | None:
    return roc_area(scores[kept], right[kept])


def test_no_success_does_not_say_that_there_is_never_one() -> None:
    assert share_interval([False] * 40, range(40)) == pytest.approx((0, 4.091 / 44.091), rel=1e-3)
    assert share_interval([True] * 40, range(40)) == pytest.approx((40 / 44.091, 1), rel=1e-3)
    assert share_interval([False] * 400, [i // 10 for i in range(400)]) == share_interval([False] * 40, range(40))


def sizes(random: np.random.Generator, clusters: int) -> Sequence[int]:
    """Most pull requests change a few declarations, some change many."""
    many = (random.random(clusters) < 0.1) * random.integers(5, 30, clusters)
    return [int(size) for size in random.geometric(0.25, clusters) + many]


@pytest.mark.parametrize("clusters", [5, 10, 30, 100])
@pytest.mark.parametrize("share_", [0.1, 0.5])
def test_the_interval_of_a_share_holds_the_truth(clusters: int, share_: float) -> None:
    """95 of 100 times, give or take: flags within a cluster correlate by 0.3, and a rare one may have gone unseen."""
    random, held = np.random.default_rng(clusters), 0
    for _ in range(RUNS):
        counts = sizes(random, clusters)
        chances = np.repeat(random.beta(share_ * 7 / 3, (1 - share_) * 7 / 3, clusters), counts)
        owner = np.repeat(np.arange(clusters), counts).tolist()
        low, high = share_interval((random.random(len(owner)) < chances).tolist(), owner) or (0, 0)
        held += low <= share_ <= high
    assert held / RUNS > 0.88


@pytest.mark.parametrize("clusters", [3, 10, 30, 100])
def test_the_interval_of_a_ratio_of_sums_holds_the_truth(clusters: int) -> None:
    """Savings of 0.3 bits a byte on texts of uneven lengths, some of each being its pull request's."""
    random, held = np.random.default_rng(clusters), 0
    for _ in range(RUNS):
        counts = sizes(random, clusters)
        owner = np.repeat(np.arange(clusters), counts)
        length = random.lognormal(6, 1, len(owner))
        saved = 0.3 + random.normal(0, 0.6, clusters)[owner] + random.normal(0, 0.8, len(owner))
        low, high = ratio_interval((saved * length).tolist(), length.tolist(), owner.tolist()) or (0, 0)
        held += low <= 0.3 <= high
    assert held / RUNS > 0.925
