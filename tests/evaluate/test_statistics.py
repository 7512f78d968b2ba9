"""The statistics, against values that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from hrm_ray.evaluate.statistics import clustered_interval, mean, roc_area, share


def test_of_nothing_there_is_no_share_and_no_mean() -> None:
    assert share([]) is None
    assert mean([]) is None
    assert share([True, False, False, True]) == 0.5
    assert mean([1.0, 4.0]) == 2.5


def test_roc_area_by_hand() -> None:
    assert roc_area([0.1, 0.4, 0.35, 0.8], [False, False, True, True]) == 0.75
    assert roc_area([1.0, 1.0], [True, False]) == 0.5
    assert roc_area([0.2, 0.9], [True, True]) is None


def test_clusters_widen_the_interval() -> None:
    random = np.random.default_rng(0)
    outcomes = random.random(40) < 0.5
    flags = [bool(flag) for flag in np.repeat(outcomes, 10)]
    alone = clustered_interval(flags, range(400))
    together = clustered_interval(flags, [i // 10 for i in range(400)])
    assert alone is not None
    assert together is not None
    assert together[1] - together[0] > 2 * (alone[1] - alone[0])
    assert together[0] < sum(flags) / 400 < together[1]


@pytest.mark.parametrize("clusters", [["a", "a"], []])
def test_one_cluster_has_no_interval(clusters: list[str]) -> None:
    assert clustered_interval([True] * len(clusters), clusters) is None
