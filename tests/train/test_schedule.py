"""The rate is a pure function of the step and ends exactly at its floor."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm_ray.config import Schedule
from hrm_ray.train.schedule import RESTARTED, Extension, rate, stable_steps

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


def test_a_warm_up_in_steps_is_that_of_the_same_share() -> None:
    assert rates(200, kind="wsd", warmup_steps=10) == rates(200, kind="wsd", warmup=0.05)
    assert rates(100, warmup_steps=0)[0] == pytest.approx(1e-3)


def test_1_sqrt_falls_fast_and_ends_flat() -> None:
    """Hägele et al. (arXiv 2405.18392): 1 - sqrt of the share of the decay that is done."""
    values = rates(100, kind="wsd", warmup=0, decay=0.5, floor=0, decay_shape="1-sqrt")
    assert values[:50] == [1e-3] * 50
    assert values[50:] == pytest.approx([1e-3 * (1 - math.sqrt((index + 1) / 50)) for index in range(50)])
    linear = rates(100, kind="wsd", warmup=0, decay=0.5, floor=0)
    assert all(a < b for a, b in zip(values[50:99], linear[50:99], strict=True))


@pytest.mark.parametrize("kind", ["constant", "wsd"])
def test_an_extended_run_of_these_is_one_that_was_always_so_long(kind: str) -> None:
    schedule = Schedule.model_validate({"kind": kind, "peak": 1e-3, "warmup": 0.1, "decay": 0.2})
    always = Schedule.model_validate({"kind": kind, "peak": 1e-3, "warmup_steps": 4, "decay": 0.2})
    extensions = [Extension(32, 40), Extension(50, 60)]
    assert [rate(schedule, step, 90, extensions) for step in range(90)] == [
        rate(always, step, 90) for step in range(90)
    ]


def test_the_decay_begins_after_the_stable_steps() -> None:
    values, schedule = rates(100, kind="wsd", warmup=0.1, decay=0.2), Schedule(kind="wsd", warmup=0.1, decay=0.2)
    stable = stable_steps(schedule, 100)
    assert values[stable - 1] == 1e-3 > values[stable]
    assert stable_steps(Schedule(kind="wsd", warmup=0.5, decay=0.5), 100) == 50
    assert [stable_steps(Schedule(kind=kind), 100) for kind in ("cosine", "linear", "constant")] == [0, 0, 0]


@pytest.mark.parametrize("kind", ["cosine", "linear"])
def test_the_others_climb_again_and_fall_over_the_rest(kind: str) -> None:
    schedule = Schedule.model_validate({"kind": kind, "peak": 1e-3, "warmup": 0.1, "floor": 0.1})
    values = [rate(schedule, step, 100, [Extension(40, 40)]) for step in range(100)]
    assert values[:40] == rates(40, kind=kind, warmup=0.1, floor=0.1)
    assert values[39:44] == pytest.approx([1e-4 + 9e-4 * index / 4 for index in range(5)])
    assert max(values[40:]) == values[43] == pytest.approx(1e-3)
    assert all(a > b for a, b in pairwise(values[43:]))
    assert values[-1] == pytest.approx(1e-4, rel=1e-12)
    twice = [rate(schedule, step, 150, [Extension(40, 40), Extension(100, 100)]) for step in range(150)]
    assert twice[:100] == values
    assert twice[-1] == pytest.approx(1e-4, rel=1e-12)


def test_a_short_extension_climbs_over_half_of_it() -> None:
    schedule = Schedule(kind="linear", peak=1e-3, warmup=0.5, floor=0.1)
    values = [rate(schedule, step, 44, [Extension(40, 40)]) for step in range(44)]
    assert values[40:] == pytest.approx([5.5e-4, 1e-3, 5.5e-4, 1e-4])
    assert [rate(schedule, step, 42, [Extension(40, 40)]) for step in (40, 41)] == pytest.approx([1e-3, 1e-4])
    assert rate(schedule, 40, 41, [Extension(40, 40)]) == pytest.approx(1e-4)


@pytest.mark.parametrize(
    ("settings", "horizon", "expected"),
    [
        ({"kind": "wsd", "decay": 0.1}, 5, [1, 1, 1, 1, 0.1]),
        ({"kind": "wsd", "decay": 0.1, "decay_shape": "1-sqrt"}, 4, [1, 1, 1, 0.1]),
        ({"kind": "wsd", "warmup_steps": 4, "decay": 0.1}, 4, [0.25, 0.5, 0.75, 0.1]),
        ({"kind": "wsd", "warmup": 0.5, "decay": 0.5}, 3, [0.5, 1, 0.1]),
        ({"kind": "wsd", "warmup": 0, "decay": 1}, 3, [1, 0.55, 0.1]),
        ({"kind": "wsd", "decay": 0}, 3, [1, 1, 1]),
        ({"kind": "cosine", "warmup": 1}, 4, [0.25, 0.5, 0.75, 0.1]),
        ({"kind": "linear", "warmup_steps": 2}, 2, [0.5, 0.1]),
        ({"kind": "linear"}, 1, [0.1]),
        ({"kind": "wsd", "decay": 0.2}, 1, [0.1]),
        ({"kind": "constant", "warmup": 1}, 2, [0.5, 1]),
    ],
)
def test_a_run_without_room_to_fall_still_ends_at_its_floor(
    settings: dict[str, Any], horizon: int, expected: list[float]
) -> None:
    values = rates(horizon, **{"peak": 1.0, "floor": 0.1} | settings)
    assert values == pytest.approx(expected)


LONGEST = 40


@st.composite
def histories(draw: st.DrawFn) -> tuple[Schedule, int, list[Extension]]:
    """A schedule, the horizon that it has now, and the extensions before: of a run that ended, or was stopped."""
    kind, first = draw(st.sampled_from([*DECAYING, "constant"])), draw(st.integers(1, LONGEST))
    warmup = draw(st.floats(0, 1))
    settings = {
        "kind": kind,
        "peak": 1e-3,
        "floor": draw(st.floats(0, 1)),
        "decay": draw(st.floats(0, 1 - warmup)) if kind == "wsd" else 0.2,
        "decay_shape": draw(st.sampled_from(["linear", "1-sqrt"])),
        "warmup": warmup,
    }
    schedule = Schedule.model_validate(settings)
    horizon, extensions = first, list[Extension]()
    for added in draw(st.lists(st.integers(1, LONGEST), max_size=3)):
        earliest = extensions[-1].step if extensions else 0
        stable = stable_steps(schedule, horizon, extensions) if kind == "wsd" else horizon
        if stable <= earliest:
            break
        extensions.append(Extension(draw(st.integers(earliest + 1, stable)), horizon))
        horizon += added
    return schedule, horizon, extensions


@given(histories())
def test_whatever_falls_ends_at_its_floor_and_never_jumps(history: tuple[Schedule, int, list[Extension]]) -> None:
    schedule, horizon, extensions = history
    values = [rate(schedule, step, horizon, extensions) for step in range(horizon)]
    peak, close = schedule.peak, 1e-12
    falls = schedule.kind in RESTARTED or (schedule.kind == "wsd" and schedule.decay > 0)
    assert values[-1] == pytest.approx(peak * schedule.floor if falls else peak)
    assert all(0 <= value <= peak + close for value in values)
    start = extensions[-1].step if extensions and schedule.kind in RESTARTED else 0
    low, now = values[start - 1] if start else 0.0, values[start : horizon - falls]
    length = round(schedule.warmup_length(extensions[0].horizon if extensions else horizon))
    climb = max(1, min(length, (horizon - start) // 2) if start else length)
    assert now[:climb] == pytest.approx([low + (peak - low) * (step + 1) / climb for step in range(len(now))][:climb])
    if len(now) > climb:
        now = values[start + climb - 1 :]
        fall = now[::-1].index(peak)
        steepest = {"cosine": math.pi / 2, "wsd": math.sqrt(fall) if schedule.decay_shape == "1-sqrt" else 1.0}
        slope = peak * (1 - schedule.floor) * steepest.get(schedule.kind, 1.0) / max(1, fall)
        assert now[: len(now) - fall] == [peak] * (len(now) - fall)
        assert all(-close <= a - b <= slope + close for a, b in pairwise(now))


@given(histories())
def test_an_extension_changes_no_step_that_is_kept(history: tuple[Schedule, int, list[Extension]]) -> None:
    schedule, horizon, extensions = history
    for count, last in enumerate(extensions):
        now, before = (horizon, extensions), (last.horizon, extensions[:count])
        kept = range(last.step)
        assert [rate(schedule, step, *now) for step in kept] == [rate(schedule, step, *before) for step in kept]
