"""One optimizer step in pure PyTorch: count, accumulate, check, then update or skip."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hrm_ray.config import Train
from hrm_ray.model.batch import Batch, Part
from hrm_ray.model.losses import NAMES, Counts, loss_sums, section_sums, total_loss
from hrm_ray.train.engine import Engine


@dataclass(frozen=True)
class StepResult:
    """What a step measured; losses are in nats, None where the step held nothing of a kind."""

    losses: dict[str, float | None]
    bits_per_byte: dict[str, float | None]
    loss: float
    gradient_norm: float
    tokens: int
    updated: bool
    """False when a loss or the gradient was not finite: nothing was changed."""
    bad_steps: int = 0
    """Steps of the whole run that changed nothing, this one included; as `spikes`, the loop's to know."""
    spikes: int = 0
    """Steps of the whole run with a gradient norm out of line with those before it (`hrm_ray.train.spikes`)."""


def train_step(engine: Engine, batches: Sequence[Batch], train: Train, rate: float, depth: int) -> StepResult:
    """Accumulate the gradient of the global batch over its micro-batches and ranks, and update once.

    Every loss is divided by its count over all micro-batches of all ranks, so any way to cut the step into them gives
    the same gradient. A non-finite loss or gradient, on whatever rank, leaves weights and moments as they were.
    """
    counts = Counts(*engine.sum(Counts.of(batches).as_tensor()).tolist())
    sums, nll = torch.zeros(len(NAMES), dtype=torch.float64), torch.zeros(len(Part), dtype=torch.float64)
    for batch in batches:
        on_device = batch.to(engine.device)
        output = engine.forward(on_device, depth)
        part = loss_sums(output, on_device)
        engine.backward(total_loss(part, counts, train.losses))
        sums += part.detach().cpu()
        nll += section_sums(on_device, output.nll.detach()).cpu()
    sums, nll, sizes, [tokens] = _sum(engine, sums, nll, *_sizes(batches))
    loss, norm = float(total_loss(sums, counts, train.losses)), engine.gradient_norm()
    updated = math.isfinite(loss) and math.isfinite(norm)
    if updated:
        engine.update(rate, min(1.0, train.optimizer.clip / (norm + 1e-6)))
    else:
        engine.discard()
    return StepResult(_means(sums, counts), _bits(nll, sizes), loss, norm, int(tokens), updated)


def _sizes(batches: Sequence[Batch]) -> tuple[Tensor, Tensor]:
    """Return the bytes of each section, [2], and the tokens, [1]; float64, so that ranks can add them up exactly."""
    tokens = torch.tensor([sum(len(batch.ids) for batch in batches)], dtype=torch.float64)
    return torch.stack([batch.section_bytes for batch in batches]).sum(0).double(), tokens


def _sum(engine: Engine, *values: Tensor) -> tuple[Tensor, ...]:
    """Add each of `values` up over ranks, in one exchange."""
    return torch.split(engine.sum(torch.cat(values)), [len(value) for value in values])


def _means(sums: Tensor, counts: Counts) -> dict[str, float | None]:
    pairs = zip(NAMES, sums.tolist(), counts.as_tensor().tolist(), strict=True)
    return {name: total / count if count > 0 else None for name, total, count in pairs}


def _bits(nll: Tensor, sizes: Tensor) -> dict[str, float | None]:
    pairs = zip(Part, nll.tolist(), sizes.tolist(), strict=False)  # copies have no bytes
    return {part.name.lower(): total / math.log(2) / size if size else None for part, total, size in pairs}
