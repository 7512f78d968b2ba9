"""A rung is measured after a decay of which nothing stays, and by an objective that knows no loss weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from hrm_ray.config import Config, Ema, Schedule
from hrm_ray.train import checkpoint
from hrm_ray.train.checkpoint import State, folder_name
from hrm_ray.train.engine import PlainEngine
from hrm_ray.train.feed import open_feed
from hrm_ray.train.loop import Trainer
from hrm_ray.train.metrics import Metrics
from hrm_ray.train.run import build_model
from hrm_ray.train.schedule import rate
from hrm_ray.train.throughput import Throughput
from hrm_ray.train.validation import Validation
from hrm_ray.tune.fork import falling, measure_decayed
from tests.train.conftest import Silent, run_config

HORIZON = 12


def trainer_at(config: Config, step: int) -> tuple[Trainer, Path]:
    """Train to `step` and return the trainer with its checkpoint there."""
    engine, feed = PlainEngine(build_model(config), config.train), open_feed(config)
    metrics, throughput = Metrics(config, 0, Silent().say), Throughput.of(engine)
    trainer = Trainer(config, engine, feed, Validation(config), metrics, Silent(), State(0, 0, 0), throughput)
    while trainer.state.step < step:
        trainer.step(HORIZON)
    trainer.save(trainer.validate())
    return trainer, trainer.checkpoints / folder_name(step)


def snapshot(trainer: Trainer) -> dict[str, Any]:
    engine = trainer.engine
    slices = {**engine.weights(), **engine.moments()}
    return {name: values.clone() for name, (_, values) in slices.items()}


def assert_equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def config(dataset: Path, tmp_path: Path) -> Config:
    return run_config(dataset, tmp_path, max_steps=HORIZON, schedule={"kind": "constant", "peak": 5e-3, "warmup": 0})


def test_nothing_of_a_fork_stays(config: Config, tmp_path: Path) -> None:
    forked, saved = trainer_at(config, 4)
    before, lines = snapshot(forked), (config.run_dir / "metrics.jsonl").read_text()
    state = forked.state
    values = measure_decayed(forked, saved, 3)
    assert values["objective"] not in (None, state.objective)
    assert (forked.state, state.step) == (state, 4)
    assert_equal(snapshot(forked), before)
    assert (config.run_dir / "metrics.jsonl").read_text() == lines
    never, _ = trainer_at(config.model_copy(update={"name": "never"}), 4)
    for trainer in (forked, never):
        for _ in range(3):
            trainer.step(HORIZON)
    assert_equal(snapshot(forked), snapshot(never))
    assert forked.state == never.state


def test_a_fork_is_the_end_of_a_shorter_run(config: Config, dataset: Path, tmp_path: Path) -> None:
    """Its value is that of a run that really had come down to the floor there."""
    forked, saved = trainer_at(config, 4)
    values = measure_decayed(forked, saved, 3)
    ended, _ = trainer_at(config.model_copy(update={"name": "ended"}), 4)
    peak, depth = config.train.schedule.peak, []
    for index in range(3):
        share = 1 - (index + 1) / 3
        schedule = Schedule(kind="constant", peak=peak * (0.1 + 0.9 * share), warmup=0)
        train = config.train.model_copy(update={"schedule": schedule})
        ended.config = ended.config.model_copy(update={"train": train})
        ended.step(4 + 3)
        depth.append(ended.state.step)
    measured = ended.validation.measure(ended.engine)["objective"]
    assert depth == [5, 6, 7]
    assert measured is not None
    assert values["objective"] == pytest.approx(measured, rel=1e-5)


def test_an_average_does_not_hide_the_decay(config: Config) -> None:
    """The trials are bit-equal but for the average of one, which would keep nearly all of the first weights."""
    values = []
    for name, ema in (("last", None), ("averaged", Ema(decay=0.0)), ("slow", Ema(decay=0.9999))):
        one = config.model_copy(update={"name": name, "train": config.train.model_copy(update={"ema": ema})})
        trainer, saved = trainer_at(one, 4)
        assert isinstance(trainer.engine, PlainEngine)
        trainer.engine.average.updates = 10**6  # of a long run: from here on it keeps `decay` of itself
        values.append(measure_decayed(trainer, saved, 3))
    assert values[0] == values[1] == values[2]


@pytest.mark.parametrize("kind", ["cosine", "linear", "wsd", "constant"])
@pytest.mark.parametrize("step", [1, 3, 20, 50])
def test_the_rate_of_a_fork_falls_in_a_line_to_the_floor(kind: str, step: int) -> None:
    schedule = Schedule.model_validate({"kind": kind, "peak": 1e-2, "warmup": 0.1, "floor": 0.05})
    last = rate(schedule, step - 1, 100)
    fork = falling(schedule, step, 100, 5)
    rates = [rate(fork, index, step + 5) for index in range(step, step + 5)]
    floor = min(last, 0.05 * 1e-2)
    assert rates == pytest.approx([last + (floor - last) * (index + 1) / 5 for index in range(5)])


def test_the_objective_is_blind_to_the_loss_weights(config: Config, dataset: Path, tmp_path: Path) -> None:
    _, saved = trainer_at(config, 4)
    loaded, objectives = checkpoint.load(saved), []
    weights: tuple[dict[str, float], ...] = ({}, {"refinement": 0.0}, {"plan": 5.0, "code": 0.01, "refinement": 100.0})
    for index, losses in enumerate(weights):
        other = run_config(dataset, tmp_path / str(index), max_steps=HORIZON, losses=losses)
        engine = PlainEngine(build_model(other), other.train)
        engine.restore(loaded.weights, loaded.moments, loaded.state.step)
        objectives.append(Validation(other).measure(engine)["objective"])
    line = json.loads((config.run_dir / "metrics.jsonl").read_text().splitlines()[-1])
    assert objectives == [line["objective"]] * len(weights)
