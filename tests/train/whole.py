"""Whole runs on whatever engine: one that diverges on its last rank, and one that is given a later horizon."""

from __future__ import annotations

from collections.abc import Callable
from math import nan
from pathlib import Path

from hrm_ray.config import Config
from hrm_ray.train import loop
from hrm_ray.train.engine import Engine
from hrm_ray.train.feed import open_feed
from hrm_ray.train.loop import DivergedError
from hrm_ray.train.run import open_run
from hrm_ray.train.step import StepResult
from tests.train.conftest import Silent, run_config
from tests.train.poisoning import poison_backward
from tests.train.test_extend import config_of

SOUND = 3
"""Updates before the gradient of the last rank is spoilt for good."""

Make = Callable[[Config], Engine]


class Poisoner(Silent):
    """Spoils every step after the first `SOUND`."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine

    def advance(self, step: int, horizon: int, result: StepResult, tokens_per_second: float) -> None:
        if step >= SOUND and self.engine.rank == self.engine.world - 1:
            poison_backward(self.engine, nan)


def train(config: Config, engine: Engine, watcher: Silent) -> None:
    """What `hrm-ray train` does, as the rank that `engine` is."""
    feed = open_feed(config, engine.rank, engine.world)
    if engine.rank == 0:
        open_run(config, "main", feed.horizon, watcher.say)
    engine.barrier()
    loop.run(config, feed, engine, watcher)


def diverging(dataset: Path, runs: Path) -> Config:
    return run_config(dataset, runs, max_steps=9, checkpoint={"every": 2}, optimizer={"max_bad_steps": 4})


def diverge(config: Config, make: Make) -> str:
    """Train until it is given up, and return what is said then."""
    engine = make(config)
    try:
        train(config, engine, Poisoner(engine))
    except DivergedError as error:
        return str(error)
    return "it went on"


def horizons(dataset: Path, runs: Path) -> list[Config]:
    """A `wsd` run, and the same with a later horizon."""
    return [config_of(dataset, runs, steps, "wsd") for steps in (10, 14)]


def extend(configs: list[Config], make: Make) -> list[str]:
    """Train to each horizon, and return what was said to the first rank."""
    watcher = Silent()
    for config in configs:
        train(config, make(config), watcher)
    return watcher.sentences
