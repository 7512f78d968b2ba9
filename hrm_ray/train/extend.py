"""Giving a run a later horizon: where it goes on from, and what is said of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hrm_ray.config import Config
from hrm_ray.run_records import read
from hrm_ray.settings import ConfigError
from hrm_ray.train import checkpoint
from hrm_ray.train.metrics import copy_lines
from hrm_ray.train.schedule import Extension, first_horizon, rate, stable_steps, warmup_steps

Record = Mapping[str, Any]
"""What a `run.json` holds."""


def read_extensions(run_dir: Path) -> list[Extension]:
    """Return the extensions of a run that is open."""
    return extensions_of(read(run_dir))


def extensions_of(record: Record) -> list[Extension]:
    """Return the extensions that a run's record names."""
    return [Extension(**one) for one in record.get("extensions", ())]


def extend(config: Config, record: Record, beside: Record, horizon: int, say: Callable[[str], None]) -> list[Extension]:
    """Return the extensions of the run that `record` describes, now that it is to have `horizon` steps.

    `wsd` goes back to its newest checkpoint from before the old decay; what came after is set aside. A baseline has the
    extensions of the run `beside` it, where what is made of it is what it would have been with them.

    Raises:
        ConfigError: the horizon is lower than it was, or that checkpoint is gone.
    """
    run_dir, made = config.run_dir, max(checkpoint.steps(config.run_dir / "checkpoints"), default=0)
    if beside and _followed(beside, made) == _followed(record, made):
        return extensions_of(beside)
    if horizon == record["horizon"]:
        return extensions_of(record)
    old, extensions = _followed(record, made)
    if horizon == old or made == 0:
        return extensions
    if horizon < old:
        raise ConfigError(
            f"{run_dir}: was begun with {old} steps and would end after {horizon}; a horizon can be raised, not "
            "lowered: set train.epochs and train.max_steps as they were, or choose another name"
        )
    step = made if config.train.schedule.kind != "wsd" else _newest_stable(config, old, extensions)
    _set_aside(run_dir, step, old)
    extended = [*extensions, Extension(step, old)]
    say(f"{run_dir}: its horizon of {old} steps is raised to {horizon}; {_told(config, made, horizon, extended)}")
    return extended


def _followed(record: Record, made: int) -> tuple[int, list[Extension]]:
    """Return the horizon that the first `made` steps of a run were made for, and the extensions before that."""
    horizon, extensions = record["horizon"], extensions_of(record)
    while extensions and extensions[-1].step >= made:  # nothing was made of it yet
        horizon = extensions.pop().horizon
    return horizon, extensions


def _newest_stable(config: Config, old: int, extensions: list[Extension]) -> int:
    """Return the step of the newest checkpoint from before the decay."""
    stable = stable_steps(config.train.schedule, old, extensions)
    kept = [step for step in checkpoint.steps(config.run_dir / "checkpoints") if step <= stable]
    if not kept:
        raise ConfigError(
            f"{config.run_dir}: has no checkpoint from before step {stable}, where its decay began, so it cannot go on "
            f"to a later horizon (train.checkpoint.every is {config.train.checkpoint.every}); choose another name"
        )
    return max(kept)


def _set_aside(run_dir: Path, step: int, old: int) -> None:
    """Keep what came after `step` in `ended`: its metrics, and its checkpoints, the newest first, so that a kill on the
    way changes nothing of the rest."""
    checkpoints, aside = run_dir / "checkpoints", run_dir / "ended" / checkpoint.folder_name(old)
    later = [found for found in checkpoint.steps(checkpoints) if found > step]
    if later:
        copy_lines(run_dir / "metrics.jsonl", aside / "metrics.jsonl", after=step)
    for found in sorted(later, reverse=True):
        target = aside / checkpoint.folder_name(found)
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        (checkpoints / target.name).rename(target)
    if later:
        checkpoint.note_best(checkpoints)


def _told(config: Config, made: int, horizon: int, extended: list[Extension]) -> str:
    schedule, (step, old) = config.train.schedule, extended[-1]
    if step < made:
        return (
            f"it goes back to step {step}, from before its decay, {_as_if(config, horizon, extended)}; its old end is "
            f"in ended/{checkpoint.folder_name(old)}"
        )
    if schedule.kind in ("constant", "wsd"):
        return f"it goes on from step {step} {_as_if(config, horizon, extended)}"
    if horizon - step == 1:
        return f"step {horizon} has the rate of the floor, {schedule.floor * schedule.peak:.3g}"
    low, climb = rate(schedule, step - 1, old, extended[:-1]), max(1, warmup_steps(schedule, horizon, extended))
    over = "1 step" if climb == 1 else f"{climb} steps"
    return (
        f"from step {step} the rate climbs from {low:.3g} to {schedule.peak:.3g} over {over}, and then falls to its "
        "floor at the new end"
    )


def _as_if(config: Config, horizon: int, extended: list[Extension]) -> str:
    """Say that the horizon might always have been this, but for warm-ups that are a share of the first one."""
    lengths = (config.train.schedule.warmup_length, config.model.depth.warmup_length)
    longer = any(length(horizon) > length(first_horizon(horizon, extended)) for length in lengths)
    apart = ", but for its warm-ups, which stay as short as they were" if longer else ""
    return f"as if the horizon had always been this{apart}"
