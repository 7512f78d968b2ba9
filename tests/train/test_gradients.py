"""What each loss pulls at is measured beside the run, which stays bit for bit what it would have been."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from hrm_ray.model.losses import NAMES
from hrm_ray.train import loop
from hrm_ray.train.engine import PlainEngine
from hrm_ray.train.feed import open_feed
from hrm_ray.train.gradients import norms_by_loss, only, snapshot, update_ratios
from hrm_ray.train.run import build_model
from hrm_ray.train.step import train_step
from tests.train.conftest import UNLIKE, Silent, run_config
from tests.train.test_loop import assert_bit_equal, final, lines


def test_a_run_that_measures_is_bit_equal(dataset: Path, tmp_path: Path) -> None:
    runs = {every: run_config(dataset, tmp_path / str(every), max_steps=6, log=log(every)) for every in (0, 2)}
    for config in runs.values():
        loop.train(config, "main", Silent())
    assert_bit_equal(final(runs[0]), final(runs[2]))
    plain, measured = ([without_times(line) for line in lines(runs[every], "train")] for every in (0, 2))
    assert plain == measured
    found = lines(runs[2], "gradients")
    assert [line["step"] for line in found] == [2, 4, 6]
    names = {f"{name}_norm" for name in NAMES} | {
        f"{g}_update" for g in ("embedding", "planner", "coder", "refinement")
    }
    assert found[0].keys() == {"event", "step"} | names
    assert {name for line in found for name in names if not line[name]} == {"copying_norm"}
    assert lines(runs[0], "gradients") == []


def log(every: int) -> dict[str, Any]:
    return {"to": [], "gradients_every": every}


def without_times(line: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in line.items() if key not in UNLIKE}


def test_the_norm_of_a_loss_is_that_of_a_run_on_it_alone(dataset: Path) -> None:
    config = run_config(dataset, dataset)
    engine, batches = PlainEngine(build_model(config), config.train), open_feed(config).micro_batches(0)
    norms = norms_by_loss(engine, batches, config.train.losses, depth=3)
    for name in NAMES:
        alone = config.train.model_copy(update={"losses": only(config.train.losses, name)})
        result = train_step(PlainEngine(build_model(config), config.train), batches, alone, rate=1e-3, depth=3)
        assert (norms[f"{name}_norm"] or 0.0) == result.gradient_norm


def test_a_loss_without_targets_has_no_norm(dataset: Path) -> None:
    config = run_config(dataset, dataset, judge_rows=0, losses={"refinement": 0})
    engine, batches = PlainEngine(build_model(config), config.train), open_feed(config).micro_batches(0)
    norms = norms_by_loss(engine, batches, config.train.losses, depth=3)
    assert norms["refinement_norm"] is None
    assert all(p.grad is None for p in engine.model.parameters())


def test_updates_are_compared_with_the_weights_before(dataset: Path) -> None:
    config = run_config(dataset, dataset)
    engine = PlainEngine(build_model(config), config.train)
    before = snapshot(engine)
    with torch.no_grad():
        engine.model.embedding.weight *= 1.25
    ratios = update_ratios(engine, before)
    assert ratios["embedding_update"] == pytest.approx(0.25)
    assert [ratios[f"{name}_update"] for name in ("planner", "coder", "refinement")] == [0, 0, 0]
    assert "head_update" not in ratios, "the tied network has none"
