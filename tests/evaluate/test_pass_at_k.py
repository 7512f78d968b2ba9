"""pass@k against brute force."""

from __future__ import annotations

from itertools import combinations

import pytest

from hrm_ray.evaluate.pass_at_k import pass_at_k, summary


@pytest.mark.parametrize("attempts", range(1, 8))
def test_it_is_the_share_of_all_sets_in_which_one_passed(attempts: int) -> None:
    for passed in range(attempts + 1):
        for k in range(1, attempts + 1):
            drawn = list(combinations([True] * passed + [False] * (attempts - passed), k))
            assert pass_at_k(attempts, passed, k) == pytest.approx(sum(map(any, drawn)) / len(drawn))


def test_many_attempts_are_exact() -> None:
    assert pass_at_k(1000, 1, 100) == pytest.approx(0.1, abs=1e-12)
    assert pass_at_k(1000, 1000, 100) == 1


def test_the_summary_tells_what_there_are_attempts_for() -> None:
    found = summary([5, 0, 1, 0], 5)
    assert {k: told["mean"] for k, told in found.items()} == {"1": pytest.approx(0.3), "5": pytest.approx(0.5)}
    low, high = found["1"]["interval"]
    assert 0 <= low < 0.3 < high <= 1
    assert found == summary([5, 0, 1, 0], 5)
    assert summary([], 5) == {}


def test_an_interval_needs_three_tasks_and_narrows_with_more() -> None:
    assert summary([1, 0], 1)["1"]["interval"] is None
    few, many = (summary([0, 1] * pairs, 1)["1"]["interval"] for pairs in (3, 60))
    assert few[1] - few[0] > 2 * (many[1] - many[0])
