"""Training from beginning to end, or from the newest checkpoint to the end: what every rank of a run does."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch

from hrm_ray import run_records
from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.train import checkpoint, integrity, threads
from hrm_ray.train.checkpoint import State
from hrm_ray.train.corpus import read_dataset
from hrm_ray.train.cost import step_seconds
from hrm_ray.train.engine import Engine, PlainEngine
from hrm_ray.train.extend import read_extensions
from hrm_ray.train.feed import Feed, open_feed
from hrm_ray.train.fit import making_explained, memory_explained, of_step
from hrm_ray.train.gradients import Probe
from hrm_ray.train.initial import begin
from hrm_ray.train.metrics import Metrics, NoMetrics
from hrm_ray.train.run import build_model, note, open_run
from hrm_ray.train.schedule import Extensions, first_horizon, rate, stable_steps
from hrm_ray.train.step import StepResult, train_step
from hrm_ray.train.throughput import Throughput
from hrm_ray.train.tracing import Tracer
from hrm_ray.train.validation import Validation


class DivergedError(UserError):
    """Too many steps in a row had a non-finite loss or gradient."""


class Watcher(Protocol):
    """Who is told how a run goes: the command line's progress bar, or a test."""

    def say(self, sentence: str) -> None:
        """Take one sentence for the user."""

    def advance(self, step: int, horizon: int, result: StepResult, tokens_per_second: float) -> None:
        """Take the news of one step."""


@dataclass
class Trainer:
    """One run in progress, as one rank of it; all ranks come to the same state."""

    config: Config
    engine: Engine
    feed: Feed
    validation: Validation
    metrics: Metrics | NoMetrics
    watcher: Watcher
    state: State
    throughput: Throughput
    extensions: Extensions = ()

    @property
    def checkpoints(self) -> Path:
        """Folder of the run's checkpoints."""
        return self.config.run_dir / "checkpoints"

    def run(self) -> None:
        """Step to the horizon."""
        horizon, train = self.feed.horizon, self.config.train
        tracer = Tracer(self.config, self.engine.rank, horizon, self.watcher.say)
        while self.state.step < horizon:
            with tracer.over(self.state.step + 1):
                self.step(horizon)
            step = self.state.step
            saving = step % train.checkpoint.every == 0 or step == horizon
            if saving or step % train.validation.every == 0:
                objective = self.validate()
            if saving:
                self.save(objective)

    def step(self, horizon: int) -> None:
        """Make one optimizer update; batches whose loss or gradient is not finite are passed over."""
        for attempt in range(self.config.train.optimizer.max_bad_steps):
            result = self.attempt(horizon)
            if result.updated:
                return
            self.watcher.say(
                f"step {self.state.step + 1}: a loss or gradient is not finite, skipped ({attempt + 1} in a row)"
            )
        peak, step = self.config.train.schedule.peak, self.state.step
        raise DivergedError(
            f"{self.config.run_dir}: {attempt + 1} batches in a row were not finite after step {step}; "
            f"metrics.jsonl names their examples; a lower train.schedule.peak than {peak:g} is the usual cure"
        )

    def attempt(self, horizon: int) -> StepResult:
        """Take one batch from the feed, and update if its loss and gradient are finite."""
        began = time.perf_counter()
        state, train = self.state, self.config.train
        batches = self.feed.micro_batches(state.position)
        waited = time.perf_counter() - began
        learning_rate = rate(train.schedule, state.step, horizon, self.extensions)
        depth = self.engine.model.gradient_depth(state.step, first_horizon(horizon, self.extensions))
        probing = train.log.gradients_every and (state.step + 1) % train.log.gradients_every == 0
        with memory_explained(train, self.engine.device, partial(of_step, train, batches)):
            probe = Probe.before(self.engine, batches, train.losses, depth) if probing else None
            began = time.perf_counter() - waited
            result = train_step(self.engine, batches, train, learning_rate, depth)
        seconds = time.perf_counter() - began
        done = state.step + result.updated
        self.state = State(done, state.position + 1, state.bad_steps + (not result.updated))
        result = self._remark(result, state.position)
        if probe and result.updated:
            self.metrics.write("gradients", done, probe.after(self.engine))
        if result.updated and (done % train.log.every == 0 or done == horizon):
            timing = {"data_wait": waited, "seconds": seconds, "tokens_per_second": result.tokens / seconds}
            work = self.throughput.measure(self.engine, batches, depth, seconds)
            self.metrics.write("train", done, self._line(result, learning_rate, depth) | timing | work)
        self.watcher.advance(done, horizon, result, result.tokens / seconds)
        return result

    def validate(self) -> float | None:
        """Measure the validation losses and return the objective."""
        began = time.perf_counter()
        with memory_explained(self.config.train, self.engine.device, self.validation.described):
            values = self.validation.measure(self.engine)
        self.metrics.write("validation", self.state.step, values | {"seconds": time.perf_counter() - began})
        return values["objective"]

    def save(self, objective: float | None) -> None:
        """Write a checkpoint, note whether it is the best, and remove those that are no longer kept."""
        self.state = replace(self.state, objective=objective)
        checkpoint.save(self.checkpoints, self.state, self.engine)
        if self.engine.rank == 0:
            stable = stable_steps(self.config.train.schedule, self.feed.horizon, self.extensions)
            for sentence in checkpoint.prune(self.checkpoints, self.config.train.checkpoint.keep, stable):
                self.watcher.say(sentence)
            checkpoint.note_best(self.checkpoints)

    def _remark(self, result: StepResult, position: int) -> StepResult:
        """Write down what was not as it should be, with the examples of the batch, and count it."""
        spiked = result.updated and self.metrics.spikes.has(result.gradient_norm)
        if spiked or not result.updated:
            values = {"gradient_norm": result.gradient_norm} if spiked else {}
            step = self.state.step + (not result.updated)
            named = values | {"examples": self.feed.example_ids(position)}
            self.metrics.write("spike" if spiked else "bad_step", step, named)
        return replace(result, bad_steps=self.state.bad_steps, spikes=self.metrics.spikes.count)

    def _line(self, result: StepResult, learning_rate: float, depth: int) -> dict[str, Any]:
        return {
            "epoch": self.feed.epoch(self.state.position),
            "loss": result.loss,
            **{f"{name}_loss": value for name, value in result.losses.items()},
            **{f"{name}_bits_per_byte": value for name, value in result.bits_per_byte.items()},
            "learning_rate": learning_rate,
            "gradient_norm": result.gradient_norm,
            "gradient_depth": depth,
            "tokens": result.tokens,
            "bad_steps": self.state.bad_steps,
            "spikes": self.metrics.spikes.count,
        }


def train(config: Config, role: str, watcher: Watcher) -> None:
    """Train one run in this very process, from its newest checkpoint where it has one."""
    feed = open_feed(config)
    open_run(config, role, feed.horizon, watcher.say)
    with making_explained(config.train):
        _set_threads(config, watcher)
        engine = PlainEngine(build_model(config), config.train)
    run(config, feed, engine, watcher)


def run(config: Config, feed: Feed, engine: Engine, watcher: Watcher) -> None:
    """Train as rank `engine.rank` of a run that is open."""
    state = restore(config.run_dir, engine, watcher, feed.horizon)
    begin(config, engine, state)
    throughput = Throughput.of(engine)
    if engine.rank == 0:
        peak = {"peak_flops": throughput.peak, "peak_flops_source": throughput.source}
        note(config, {"threads": torch.get_num_threads(), **peak})
    extensions = read_extensions(config.run_dir)
    with Metrics(config, state.step, watcher.say) if engine.rank == 0 else NoMetrics() as metrics:
        Trainer(config, engine, feed, Validation(config), metrics, watcher, state, throughput, extensions).run()


def _set_threads(config: Config, watcher: Watcher) -> None:
    known = run_records.read(config.run_dir).get("threads")
    chosen = threads.choose(config, step_seconds(config, read_dataset(config)["tokenizer"]["vocab_size"]))
    if known and known != chosen:
        watcher.say(
            f"{config.run_dir}: was begun with {known} threads, for which this machine has too few cores; it goes on "
            f"with {chosen}, so its numbers are not bit for bit those that it would have had"
        )


def restore(run_dir: Path, engine: Engine, watcher: Watcher, horizon: int) -> State:
    """Load the newest complete checkpoint, if any, into `engine` and return where it stands."""
    loaded = checkpoint.newest(run_dir / "checkpoints", watcher.say)
    found = -1 if loaded is None else loaded.state.position
    total, squares = engine.sum(torch.tensor([found, found**2])).tolist()
    if total**2 != engine.world * squares:
        raise UserError(f"{run_dir}: its ranks see different checkpoints; runs must be on a disk that all nodes share")
    if engine.rank == 0:
        for sentence in integrity.set_later_aside(run_dir / "checkpoints", loaded.state.step if loaded else -1):
            watcher.say(sentence)
    if loaded is None:
        return State(step=0, position=0, bad_steps=0)
    step, ended = loaded.state.step, f"{run_dir} is trained to its end already"
    watcher.say(ended if step == horizon else f"resuming {run_dir} after step {step}")
    engine.restore(loaded.weights, loaded.moments, step)
    return loaded.state
