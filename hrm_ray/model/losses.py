"""Losses as sums and counts, so that any number of micro-batches and ranks is divided by one global count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor

from hrm_ray.config import Losses
from hrm_ray.model.batch import Batch, Part
from hrm_ray.model.hrm import Output

NAMES = ("plan", "code", "copying", "refinement")


@dataclass(frozen=True)
class Counts:
    """Divisors of the losses: summed weights of the plan, code and copy targets, and the number of decisions."""

    plan: float
    code: float
    copying: float
    refinement: float

    @classmethod
    def of(cls, batches: Sequence[Batch]) -> Self:
        """Count what `batches` will be divided by."""
        totals = torch.stack([section_sums(batch, batch.target_weight) for batch in batches]).sum(0).tolist()
        plan, code, copying = totals
        return cls(plan, code, copying, float(sum(len(batch.decisions) for batch in batches)))

    def as_tensor(self) -> Tensor:
        """Return the counts in the order of `NAMES`, [4] float64."""
        return torch.tensor([self.plan, self.code, self.copying, self.refinement], dtype=torch.float64)


def section_sums(batch: Batch, values: Tensor) -> Tensor:
    """Sum one value per target by section: [N] -> [3], in float64 so that counts of any size are exact."""
    sums = torch.zeros(len(Part), dtype=torch.float64, device=values.device)
    return sums.index_add(0, batch.target_part, values.double())


def loss_sums(output: Output, batch: Batch) -> Tensor:
    """Return [4]: the weighted plan, code and copy sums and the decision sum, in nats; a missing part is 0, not NaN."""
    sections = section_sums(batch, batch.target_weight * output.nll)
    decisions = F.cross_entropy(output.decisions, batch.decisions, reduction="sum").double()
    return torch.cat((sections, decisions[None]))


def total_loss(sums: Tensor, counts: Counts, weights: Losses) -> Tensor:
    """Weigh the sums, each divided by its own count; a loss without any target contributes nothing."""
    divided = [w / n if n > 0 else 0.0 for w, n in zip(_weights(weights), counts.as_tensor().tolist(), strict=True)]
    return sums @ sums.new_tensor(divided)


def _weights(weights: Losses) -> list[float]:
    return [weights.plan, weights.code, weights.copying, weights.refinement]
