"""Which loss drives which part of the network, measured now and then beside the real steps, which stay as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from hrm_ray.config import Losses
from hrm_ray.model.batch import Batch
from hrm_ray.model.losses import NAMES, Counts, loss_sums, total_loss
from hrm_ray.train.engine import Engine

GROUPS = ("embedding", "planner", "coder", "refinement", "head")
"""First part of a weight's name; not every network has them all."""


@dataclass(frozen=True)
class Probe:
    """What was measured before a step, to be completed after it; every rank takes part."""

    norms: dict[str, float | None]
    weights: dict[str, Tensor]

    @classmethod
    def before(cls, engine: Engine, batches: Sequence[Batch], weights: Losses, depth: int) -> Self:
        """Measure the gradient of each loss, and copy the weights that this rank saves."""
        return cls(norms_by_loss(engine, batches, weights, depth), snapshot(engine))

    def after(self, engine: Engine) -> dict[str, float | None]:
        """Return `LOSS_norm` and `GROUP_update`, once the update is made."""
        return self.norms | update_ratios(engine, self.weights)


def norms_by_loss(engine: Engine, batches: Sequence[Batch], weights: Losses, depth: int) -> dict[str, float | None]:
    """Return the global norm of each loss's share of the coming step's gradient; None where it has no target.

    A forward and backward for each loss over all micro-batches and ranks, of which nothing stays: weights, moments and
    the gradient that comes next are those of a run that never measured. The shares add up to the gradient, their norms
    need not: losses that pull against each other show as norms above the whole one's.
    """
    counts = Counts(*engine.sum(Counts.of(batches).as_tensor()).tolist())
    present = dict(zip(NAMES, counts.as_tensor().tolist(), strict=True))
    return {
        f"{name}_norm": _norm(engine, batches, counts, only(weights, name), depth) if present[name] else None
        for name in NAMES
    }


def only(weights: Losses, name: str) -> Losses:
    """Return the weights with all but one at 0."""
    return weights.model_copy(update={other: 0.0 for other in NAMES if other != name})


def _norm(engine: Engine, batches: Sequence[Batch], counts: Counts, weights: Losses, depth: int) -> float:
    for batch in batches:
        on_device = batch.to(engine.device)
        part = loss_sums(engine.forward(on_device, depth), on_device)
        engine.backward(total_loss(part, counts, weights))
    norm = engine.gradient_norm()
    engine.discard()
    return norm


def snapshot(engine: Engine) -> dict[str, Tensor]:
    """Copy the weights that this rank saves: all of them on rank 0, or its own stretches at ZeRO stage 3."""
    trained = {name for name, _ in engine.model.named_parameters()}
    return {name: piece.values.clone() for name, piece in engine.weights().items() if name in trained}


def update_ratios(engine: Engine, before: Mapping[str, Tensor]) -> dict[str, float]:
    """Return |change| / |weight| of each part of the network since `before`, exact at every stage."""
    after, squares = engine.weights(), torch.zeros(len(GROUPS), 2, dtype=torch.float64)
    for name, old in before.items():
        pair = torch.stack((after[name].values.double() - old.double(), old.double()))
        squares[GROUPS.index(name.partition(".")[0])] += pair.square().sum(-1).cpu()
    moved, size = engine.sum(squares).sqrt().unbind(-1)
    return {f"{group}_update": float(moved[i] / size[i]) for i, group in enumerate(GROUPS) if size[i] > 0}
