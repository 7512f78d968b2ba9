"""Which passes run, and which carry gradient."""

from __future__ import annotations

import pytest

from hrm_ray.config import Depth
from hrm_ray.model.recurrence import Calls, calls, calls_with_gradient, gradient_depth, passes_with_gradient
from tests.model.conftest import small_config, small_model


def test_depth_counts_passes_with_gradient() -> None:
    config = small_config()
    assert passes_with_gradient(config, 2) == {(1, 3), (1, 2)}
    assert passes_with_gradient(config, 3) == {(0, 3), (1, 3), (1, 2)}
    assert passes_with_gradient(config, 5) == {(0, 3), (1, 3), (1, 0), (1, 1), (1, 2)}
    assert len(passes_with_gradient(config, 8)) == 8
    for depth in range(2, 9):
        assert sum(calls_with_gradient(config, depth)) == len(passes_with_gradient(config, depth)) == depth


def test_blocks_are_counted_of_each_stack() -> None:
    config = small_config(h_layers=3, l_layers=1)
    assert calls(config) == Calls(planner=2, coder=6)
    assert calls(config).blocks(config) == 2 * 3 + 6 * 1
    assert calls_with_gradient(config, 5).blocks(config) == 2 * 3 + 3 * 1
    assert calls(small_config(mode="plain")).blocks(config) == 3


def test_depth_grows_over_the_warm_up() -> None:
    depth = Depth(min=3, max=5, warmup=0.2)
    assert [gradient_depth(depth, step, 100) for step in (0, 9, 10, 19, 20, 90, 150)] == [3, 3, 4, 4, 5, 5, 5]
    assert gradient_depth(Depth(min=3, max=5, warmup=0), 0, 100) == 5
    steps = Depth(min=3, max=5, warmup_steps=4)
    assert [gradient_depth(steps, step, 1000) for step in (0, 1, 2, 3, 4)] == [3, 3, 4, 4, 5]


@pytest.mark.parametrize(("mode", "expected"), [("hrm", [3, 4, 5]), ("plain", [1, 1, 1])])
def test_the_network_owns_its_schedule(mode: str, expected: list[int]) -> None:
    model = small_model(mode=mode, depth={"min": 3, "max": 5})
    assert [model.gradient_depth(step, 100) for step in (0, 10, 50)] == expected
