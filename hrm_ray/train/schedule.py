"""The learning rate as a pure function of the optimizer step."""

from __future__ import annotations

import math

from hrm_ray.config import Schedule


def rate(schedule: Schedule, step: int, horizon: int) -> float:
    """Return the rate of optimizer step `step` (from 0) of `horizon`.

    It rises linearly to `peak` at the last step of the warm-up and reaches `floor * peak` exactly at the last step of
    the run (`constant` stays at the peak). `wsd` is warm-up, stable, decay (arXiv 2404.06395) with a linear decay.
    """
    top = max(0, round(schedule.warmup * horizon) - 1)
    if step < top:
        return schedule.peak * (step + 1) / (top + 1)
    if schedule.kind == "wsd":
        top = max(top, horizon - 1 - round(schedule.decay * horizon))
    fallen = 0.0 if step <= top else min(1.0, (step - top) / max(1, horizon - 1 - top))
    return schedule.peak * (schedule.floor + (1 - schedule.floor) * _remaining(schedule, fallen))


def _remaining(schedule: Schedule, fallen: float) -> float:
    """Share of the way between floor and peak that is left after `fallen` of the decay."""
    if schedule.kind == "constant":
        return 1.0
    if schedule.kind == "cosine":
        return (1 + math.cos(math.pi * fallen)) / 2
    return 1 - fallen
