"""What a trial would measure if it ended here: a short decay, forked from its checkpoint and then forgotten.

A rate that has not fallen yet hides what was learned, and hides more of it the higher the rate: undecayed trials must
not be compared. Nothing of the fork stays in the trial.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hrm_ray.config import Schedule
from hrm_ray.train import checkpoint
from hrm_ray.train.loop import Trainer
from hrm_ray.train.metrics import NoMetrics
from hrm_ray.train.schedule import rate


def measure_decayed(trainer: Trainer, saved: Path, updates: int) -> dict[str, float | None]:
    """Train `updates` more steps with a falling rate, validate, and go back to the checkpoint `saved`.

    The fork is the end of a run of as many steps as it makes in all: it sees the batches that come next, at full
    gradient depth. Its last weights are measured, also where the run keeps an average of them (`train.ema`): an average
    over a thousand steps would hardly follow so few, and so tell nothing of the decay.

    Raises:
        DivergedError: the losses of the fork are not finite.
    """
    train, state = trainer.config.train, trainer.state
    schedule = falling(train.schedule, state.step, trainer.feed.horizon, updates)
    config = trainer.config.model_copy(update={"train": train.model_copy(update={"schedule": schedule})})
    fork = replace(trainer, config=config, metrics=NoMetrics())
    for _ in range(updates):
        fork.step(state.step + updates)
    values = trainer.validation.measure_last(trainer.engine)
    loaded = checkpoint.load(saved)
    trainer.engine.restore(loaded.weights, loaded.moments, loaded.state.step)
    return values


def falling(schedule: Schedule, step: int, horizon: int, updates: int) -> Schedule:
    """Return the schedule of a run of `step + updates` steps that comes down in a line over the last `updates`, from
    the rate that the run had at its last step before `step` to its floor."""
    last = rate(schedule, step - 1, horizon)
    floor = min(1.0, schedule.floor * schedule.peak / last)
    return Schedule(kind="wsd", peak=last, warmup=0, decay=updates / (step + updates), floor=floor)
