"""The rate is a pure function of the step and ends exactly at its floor."""

from __future__ import annotations

from itertools import pairwise

import pytest

from hrm_ray.config import Schedule
from hrm_ray.train.schedule import rate

DECAYING = ("cosine", "linear", "wsd")


def rates(horizon: int, **settings: object) -> list[float]:
    schedule = Schedule.model_validate({"peak": 1e-3} | settings)
    return [rate(schedule, step, horizon) for step in range(horizon)]


@pytest.mark.parametrize("kind", DECAYING)
@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_warm_up_peak_and_floor(kind: str, epochs: int) -> None:
    horizon = 100 * epochs
    values = rates(horizon, kind=kind, warmup=0.1, floor=0.05)
    top = horizon // 10 - 1
    assert values[0] == pytest.approx(1e-3 / (top + 1))
    assert values[top] == max(values) == pytest.approx(1e-3)
    assert all(a < b for a, b in pairwise(values[: top + 1]))
    assert all(a >= b for a, b in pairwise(values[top:]))
    assert values[-1] == pytest.approx(0.05e-3, rel=1e-12)
    assert values[-2] > values[-1]


def test_the_rate_is_never_zero_and_never_jumps() -> None:
    """The code that users came from flipped between the full rate and zero."""
    values = rates(1000, warmup=0.05, floor=0.1)
    assert min(values) > 0
    assert max(abs(a - b) for a, b in pairwise(values)) < 1e-3 / 40


def test_constant_stays_at_the_peak() -> None:
    assert rates(50, kind="constant", warmup=0.1)[4:] == [1e-3] * 46


def test_wsd_is_flat_until_its_decay() -> None:
    values = rates(100, kind="wsd", warmup=0.1, decay=0.2, floor=0.1)
    assert values[9:80] == [1e-3] * 71
    assert values[80] < 1e-3
    assert values[89] == pytest.approx(1e-3 * (0.1 + 0.9 * 0.5))


@pytest.mark.parametrize("horizon", [1, 2, 3])
def test_the_shortest_runs(horizon: int) -> None:
    assert all(0 < value <= 1e-3 for value in rates(horizon))


def test_no_warm_up_begins_at_the_peak() -> None:
    assert rates(10, warmup=0)[0] == pytest.approx(1e-3)
