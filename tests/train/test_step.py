"""Accumulation, clipping and the guard."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from hrm_ray.config import Config
from hrm_ray.model.batch import Batch, collate
from hrm_ray.model.hrm import HRM
from hrm_ray.train.engine import PlainEngine, pick_precision
from hrm_ray.train.optimizers import parameter_groups
from hrm_ray.train.step import train_step
from tests.model.conftest import judge_document, small_model, solve_document
from tests.train.conftest import run_config

RAGGED = [
    solve_document(1),
    solve_document(2, prefix=30, plan=0, code=21),
    judge_document(3, decision=2),
    solve_document(4, prefix=2, plan=9, code=1, weight=0.3),
    judge_document(5, decision=0),
    solve_document(6, plan=2, code=40),
]


@pytest.fixture
def config(dataset: Path, tmp_path: Path) -> Config:
    return run_config(dataset, tmp_path)


def updated(config: Config, batches: list[Batch]) -> HRM:
    engine = PlainEngine(small_model(), config.train)
    assert train_step(engine, batches, config.train, rate=1e-2, depth=5).updated
    return engine.model


def weights(model: HRM) -> Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.mark.parametrize("split", [[1] * 6, [2, 2, 2], [4, 2], [2, 4]])
def test_accumulation_equals_one_large_batch(config: Config, split: list[int]) -> None:
    """Ragged lengths, a document without a plan, and micro-batches without a judge document or with nothing else."""
    pieces, rest = [], list(RAGGED)
    for size in split:
        pieces.append(collate(rest[:size]))
        rest = rest[size:]
    whole, parts = weights(updated(config, [collate(RAGGED)])), weights(updated(config, pieces))
    made = whole - weights(small_model())
    assert made.abs().max() > 1e-3
    assert (whole - parts).norm() / made.norm() < 1e-4  # Adam's first step divides rounding by tiny gradients


def test_reported_losses_do_not_depend_on_the_split(config: Config) -> None:
    results = []
    for batches in ([collate(RAGGED)], [collate([document]) for document in RAGGED]):
        engine = PlainEngine(small_model(), config.train)
        results.append(train_step(engine, batches, config.train, rate=1e-3, depth=5))
    first, second = ({name: value or 0.0 for name, value in one.losses.items()} for one in results)
    assert first == pytest.approx(second, rel=1e-5)
    assert results[0].bits_per_byte == pytest.approx(results[1].bits_per_byte, rel=1e-5)
    assert results[0].gradient_norm == pytest.approx(results[1].gradient_norm, rel=1e-4)


def test_the_total_is_the_weighted_sum(config: Config) -> None:
    engine = PlainEngine(small_model(), config.train)
    result = train_step(engine, [collate(RAGGED)], config.train, rate=1e-3, depth=5)
    plan, code, refinement = (result.losses[name] or 0.0 for name in ("plan", "code", "refinement"))
    assert result.loss == pytest.approx(0.4 * plan + 0.4 * code + 0.2 * refinement, rel=1e-6)
    assert min(plan, code, refinement) > 0.5


def test_what_a_step_lacks_is_none(config: Config) -> None:
    engine = PlainEngine(small_model(), config.train)
    result = train_step(engine, [collate([judge_document(1)])], config.train, rate=1e-3, depth=5)
    assert result.losses["plan"] is None
    assert result.bits_per_byte == {"plan": None, "code": None}
    assert math.isfinite(result.loss)


class Poisoned(PlainEngine):
    """Turns one gradient into NaN after backward, as an overflow would."""

    def gradient_norm(self) -> float:
        gradient = self.model.embedding.weight.grad
        assert gradient is not None
        gradient[0, 0] = float("nan")
        return super().gradient_norm()


@pytest.mark.fault
def test_a_bad_gradient_changes_nothing(config: Config) -> None:
    engine = Poisoned(small_model(), config.train)
    result = train_step(engine, [collate(RAGGED)], config.train, rate=1e-2, depth=5)
    assert not result.updated
    assert math.isnan(result.gradient_norm)
    assert torch.equal(weights(engine.model), weights(small_model()))
    assert engine.moments() == {}
    assert all(p.grad is None for p in engine.model.parameters())


@pytest.mark.fault
def test_a_bad_loss_changes_nothing(config: Config) -> None:
    model = small_model()
    with torch.no_grad():
        model.refinement.decide.weight[0, 0] = float("inf")
    engine = PlainEngine(model, config.train)
    before = weights(engine.model).clone()
    assert not train_step(engine, [collate(RAGGED)], config.train, rate=1e-2, depth=5).updated
    assert torch.equal(weights(engine.model).nan_to_num(), before.nan_to_num())


def test_the_gradient_is_clipped_to_the_norm_asked_for(config: Config) -> None:
    tight = config.train.model_copy(update={"optimizer": config.train.optimizer.model_copy(update={"clip": 1e-3})})
    engine = PlainEngine(small_model(), tight)
    seen: list[float] = []
    engine.optimizer.register_step_pre_hook(lambda *_: seen.append(PlainEngine.gradient_norm(engine)))
    assert train_step(engine, [collate(RAGGED)], tight, rate=1e-3, depth=5).gradient_norm > 1e-2
    assert seen == [pytest.approx(1e-3, rel=1e-2)]


def test_embeddings_and_vectors_are_not_decayed(config: Config) -> None:
    model = small_model(tied=False)
    decayed, spared = parameter_groups(model, config.train.optimizer)
    assert decayed["weight_decay"] == 0.1
    assert spared["weight_decay"] == 0.0
    spared_shapes = [tuple(p.shape) for p in spared["params"]]
    assert spared_shapes == [tuple(model.embedding.weight.shape), tuple(model.refinement.feedback.weight.shape)]


def test_a_cpu_computes_in_fp32(config: Config) -> None:
    assert pick_precision(config.train, torch.device("cpu")) == torch.float32


def test_one_document_can_be_learnt_by_heart(config: Config) -> None:
    engine = PlainEngine(small_model(), config.train)
    batch = [collate([solve_document(1), judge_document(2, decision=2)])]
    losses = [train_step(engine, batch, config.train, rate=3e-3, depth=5).loss for _ in range(60)]
    assert losses[-1] < 0.1 < 1.0 < losses[0]
