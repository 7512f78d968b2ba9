"""A few steps of any engine, with each loss's gradient measured beside them or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hrm_ray.train.feed import open_feed
from hrm_ray.train.gradients import Probe
from hrm_ray.train.step import train_step
from tests.train.conftest import run_config

STEPS = 4


def steps(engine: Any, dataset: Path, probing: bool) -> tuple[list[list[float]], list[dict[str, Any]]]:
    """Return the loss and norm of each step, and what every second one measured."""
    config = run_config(dataset, dataset)
    feed, results, measured = open_feed(config, engine.rank, engine.world), [], []
    for position in range(STEPS):
        batches, depth = feed.micro_batches(position), 3 + position // 2
        probe = Probe.before(engine, batches, config.train.losses, depth) if probing and position % 2 else None
        result = train_step(engine, batches, config.train, rate=1e-3, depth=depth)
        results.append([result.loss, result.gradient_norm])
        measured += [probe.after(engine)] if probe else []
    return results, measured
