"""Rows hold every document once, within the window, and waste little of it."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hrm_ray.train.packing import epoch_order, first_fit, pack_epoch

WINDOW = 1024


def lengths(count: int) -> NDArray[np.int64]:
    """Lengths spread as those of real examples are: many short, some as long as the window."""
    return np.clip(np.random.default_rng(0).lognormal(5.6, 0.7, count), 40, WINDOW).astype(np.int64)


def one_by_one(sizes: list[int], window: int) -> list[int]:
    """First fit as it is usually written."""
    rows, free = [], list[int]()
    for size in sizes:
        row = next((row for row, room in enumerate(free) if room >= size), len(free))
        free += [window] if row == len(free) else []
        free[row] -= size
        rows.append(row)
    return rows


@given(st.integers(1, 3).flatmap(lambda n: st.lists(st.lists(st.integers(1, 100), min_size=n, max_size=n), min_size=1)))
def test_all_blocks_at_once_are_packed_as_one_by_one(blocks: list[list[int]]) -> None:
    turned = np.array(blocks, np.int32).T.copy()
    assert first_fit(turned, 100).tolist() == [one_by_one(sizes, 100) for sizes in turned.tolist()]


@given(st.lists(st.integers(1, 100), max_size=3000), st.floats(0, 1))
def test_an_epoch_holds_everything_once_within_the_window(sizes: list[int], curriculum: float) -> None:
    packed = pack_epoch(np.array(sizes, np.int64), 100, (0, 0), curriculum)
    rows = [packed[row].tolist() for row in range(len(packed))]
    assert sorted(index for row in rows for index in row) == list(range(len(sizes)))
    assert all(0 < sum(sizes[index] for index in row) <= 100 for row in rows)


@pytest.mark.parametrize(("curriculum", "fill"), [(0.0, 0.97), (0.25, 0.95), (0.5, 0.92), (1.0, 0.78)])
def test_packing_wastes_little_and_a_curriculum_more(curriculum: float, fill: float) -> None:
    sizes = lengths(20_000)
    rows = pack_epoch(sizes, WINDOW, (0, 0), curriculum)
    assert sizes.sum() / (WINDOW * len(rows)) > fill


def test_a_curriculum_goes_from_the_random_order_to_that_of_the_lengths() -> None:
    sizes = lengths(2000)
    orders = [epoch_order(sizes, (3, 0), curriculum) for curriculum in (0.0, 0.5, 1.0)]
    assert orders[0].tolist() == np.random.default_rng((3, 0)).permutation(2000).tolist()
    assert (np.diff(sizes[orders[2]]) >= 0).all()
    firsts = [sizes[order[:500]].mean() for order in orders]
    assert firsts[0] > 1.5 * firsts[1] > 1.5 * firsts[2]
    assert all(sorted(order) == list(range(2000)) for order in orders)


def test_a_million_documents_are_packed_at_once() -> None:
    """It took 6.4 s one by one; 0.3 to 1.1 s now."""
    sizes = lengths(1_000_000)
    began = time.process_time()
    pack_epoch(sizes, WINDOW, (0, 0))
    assert time.process_time() - began < 4
