"""The learning rate as a pure function of the optimizer step and of the horizons that the run has had."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from hrm_ray.config import Schedule


class Extension(NamedTuple):
    """Where a run was given a later horizon: the updates that it goes on from, and the horizon that it had before."""

    step: int
    horizon: int


Extensions = Sequence[Extension]

RESTARTED = ("cosine", "linear")
"""What cannot be extended as if it had always been so: it falls from the beginning."""


def rate(schedule: Schedule, step: int, horizon: int, extensions: Extensions = ()) -> float:
    """Return the rate of optimizer step `step` (from 0) of `horizon`.

    It rises linearly to `peak` at the last step of the warm-up. What falls is at `floor * peak` exactly at the last
    step of the run, however short the run is and however long its warm-up; `constant`, and `wsd` with a decay of 0,
    stay at the peak. `wsd` is warm-up, stable, decay (arXiv 2404.06395); of its shapes, 1-sqrt is that of arXiv
    2405.18392. An extended `constant` or `wsd` is what it would be, had it had the last horizon always (but for a
    warm-up that is a share, which is one of the first horizon); the others climb from the rate that they had come to
    back to the peak, over a warm-up that takes at most half of the steps that were added, and fall again. An extension
    by one step stays at the floor.
    """
    start, low, warmup = 0, 0.0, warmup_steps(schedule, horizon, extensions)
    if extensions and schedule.kind in RESTARTED:
        *earlier, last = extensions
        if step < last.step:
            return rate(schedule, step, last.horizon, earlier)
        start, low = last.step, rate(schedule, last.step - 1, last.horizon, earlier)
    if step >= horizon - 1 and _falls(schedule):
        return schedule.peak * schedule.floor
    top = start + max(0, warmup - 1)
    if step < top:
        return low + (schedule.peak - low) * (step - start + 1) / (top - start + 1)
    if schedule.kind == "wsd":
        top = stable_steps(schedule, horizon, extensions) - 1
    fallen = 0.0 if step <= top else min(1.0, (step - top) / max(1, horizon - 1 - top))
    return schedule.peak * (schedule.floor + (1 - schedule.floor) * _remaining(schedule, fallen))


def warmup_steps(schedule: Schedule, horizon: int, extensions: Extensions = ()) -> int:
    """Return the steps over which the rate comes to its peak, at the beginning or after the last extension."""
    length = round(schedule.warmup_length(first_horizon(horizon, extensions)))
    if extensions and schedule.kind in RESTARTED:
        return min(length, (horizon - extensions[-1].step) // 2)
    return length


def stable_steps(schedule: Schedule, horizon: int, extensions: Extensions = ()) -> int:
    """Return the steps of `wsd` before its decay, which an extension goes back to; 0 of any other schedule."""
    if schedule.kind != "wsd":
        return 0
    stable = max(1, warmup_steps(schedule, horizon, extensions), horizon - round(schedule.decay * horizon))
    return min(stable, horizon - 1) if _falls(schedule) else stable


def first_horizon(horizon: int, extensions: Extensions) -> int:
    """Return the horizon that the run began with, of which warm-ups are shares."""
    return extensions[0].horizon if extensions else horizon


def _falls(schedule: Schedule) -> bool:
    """Return true of a schedule that ends at its floor."""
    return schedule.kind in RESTARTED or (schedule.kind == "wsd" and schedule.decay > 0)


def _remaining(schedule: Schedule, fallen: float) -> float:
    """Share of the way between floor and peak that is left after `fallen` of the decay."""
    if schedule.kind == "constant":
        return 1.0
    if schedule.kind == "cosine":
        return (1 + math.cos(math.pi * fallen)) / 2
    if schedule.kind == "wsd" and schedule.decay_shape == "1-sqrt":
        return 1 - math.sqrt(fallen)
    return 1 - fallen
