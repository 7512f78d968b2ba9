"""A trial: one run of the ordinary loop in the trial's own process, which tells Ray Tune of each of its checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from ray import tune

from hrm_ray.config import Config
from hrm_ray.errors import UserError, explained
from hrm_ray.train import checkpoint
from hrm_ray.train.checkpoint import State, folder_name
from hrm_ray.train.engine import Engine, PlainEngine
from hrm_ray.train.feed import open_feed
from hrm_ray.train.initial import begin
from hrm_ray.train.loop import DivergedError, Trainer
from hrm_ray.train.metrics import Metrics
from hrm_ray.train.run import build_model, open_run
from hrm_ray.train.step import StepResult
from hrm_ray.train.throughput import Throughput
from hrm_ray.train.validation import Validation
from hrm_ray.tune.fork import measure_decayed
from hrm_ray.tune.space import resolve

ROLE = "trial"


class Nobody:
    """A watcher that says nothing: the search shows how its trials go from their own metrics."""

    def say(self, sentence: str) -> None:
        """Leave it to `metrics.jsonl`, which names the bad steps."""

    def advance(self, step: int, horizon: int, result: StepResult, tokens_per_second: float) -> None:
        """Leave it to `metrics.jsonl`."""


@dataclass
class ReportingTrainer(Trainer):
    """Reports at every checkpoint; at a rung what it would measure after a short decay."""

    forks: Mapping[int, int] = field(default_factory=dict)
    """Rungs, with the steps of their forks."""
    began: float = field(default_factory=time.perf_counter)

    def save(self, objective: float | None) -> None:
        """Write the checkpoint, hand it to Tune with the objective, and stop here if Tune says so."""
        super().save(objective)
        folder = self.checkpoints / folder_name(self.state.step)
        undecayed, updates = finite(objective), self.forks.get(self.state.step, 0)
        if updates:
            values = measure_decayed(self, folder, updates)
            self.metrics.write("fork", self.state.step, values | {"updates": updates})
            objective = values["objective"]
        facts = {"objective": finite(objective), "undecayed": undecayed, "updates": updates}
        tune.report(self.facts() | facts, checkpoint=tune.Checkpoint.from_directory(folder))

    def facts(self) -> dict[str, Any]:
        """Return how far the trial has come, and the seconds since it said so last."""
        now = time.perf_counter()
        seconds, self.began = now - self.began, now
        return {"step": self.state.step, "seconds": seconds, "diverged": False}


def run_trial(given: Mapping[str, Any]) -> None:
    """Train what Tune gives, as `train_trial` does.

    Raises:
        UserError: a mistake, of this very class: it is known by its name in the text that Tune keeps of an error.
    """
    try:
        with explained():
            train_trial(given)
    except UserError as error:
        raise UserError(str(error)) from None


def train_trial(given: Mapping[str, Any]) -> None:
    """Train `experiment` with `values`, from Tune's checkpoint where it has one.

    A run that diverges is a result and reports no objective.
    """
    torch.set_num_threads(1)  # trials share the machine, and threads of one tiny matmul spin for each other
    ident = trial_name(tune.get_context().get_trial_id())
    config = resolve(given["experiment"], {**given["values"], "name": ident}, f"trial {ident}")
    feed = open_feed(config)
    open_run(config, ROLE, feed.horizon, Nobody().say)
    engine = PlainEngine(build_model(config), config.train)
    state = restore(config, engine)
    begin(config, engine, state)
    throughput = Throughput.of(engine)
    with Metrics(config, state.step, Nobody().say) as metrics:
        trainer = ReportingTrainer(
            config, engine, feed, Validation(config), metrics, Nobody(), state, throughput, forks=dict(given["forks"])
        )
        try:
            trainer.run()
        except DivergedError:
            nothing = {"objective": math.nan, "undecayed": math.nan, "updates": 0}
            tune.report(trainer.facts() | nothing | {"diverged": True})


def trial_name(tune_id: str) -> str:
    """Return the part of Tune's id that is the same each time the same search is run."""
    return tune_id.rpartition("_")[2]


def restore(config: Config, engine: Engine) -> State:
    """Load Tune's checkpoint of this trial, if any, and forget those that are newer."""
    state, given = State(step=0, position=0, bad_steps=0), tune.get_checkpoint()
    if given is not None:
        with given.as_directory() as folder:
            loaded = checkpoint.load(Path(folder))
        engine.restore(loaded.weights, loaded.moments, loaded.state.step)
        state = loaded.state
    checkpoint.remove_after(config.run_dir / "checkpoints", state.step)
    return state


def finite(objective: float | None) -> float:
    """Return the objective.

    Raises:
        DivergedError: it is not a number that can be compared.
    """
    if objective is None or not math.isfinite(objective):
        raise DivergedError(f"the objective is {objective}")
    return objective
