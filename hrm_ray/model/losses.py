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

NAMES = ("plan", "code", "refinement")


@dataclass(frozen=True)
class Counts:
    """Divisors of the three losses: summed weights of the plan and code targets, and the number of decisions."""

    plan: float
    code: float
    refinement: float

    @classmethod
    def of(cls, batches: Sequence[Batch]) -> Self:
        """Count what `batches` will be divided by."""
        totals = torch.stack([section_sums(batch, batch.target_weight) for batch in batches]).sum(0).tolist()
        return cls(totals[Part.PLAN], totals[Part.CODE], float(sum(len(batch.decisions) for batch in batches)))

    def as_tensor(self) -> Tensor:
        """Return the counts in the order of `NAMES`, [3] float64."""
        return torch.tensor([self.plan, self.code, self.refinement], dtype=torch.float64)


def section_sums(batch: Batch, values: Tensor) -> Tensor:
    """Sum one value per target by section: [N] -> [2], in float64 so that counts of any size are exact."""
    sums = torch.zeros(len(Part), dtype=torch.float64, device=values.device)
    return sums.index_add(0, batch.target_part, values.double())


def loss_sums(output: Output, batch: Batch) -> Tensor:
    """Return [3]: the weighted plan and code sums and the decision sum, in nats; a missing part gives 0, not NaN."""
    sections = section_sums(batch, batch.target_weight * output.nll)
    decisions = F.cross_entropy(output.decisions, batch.decisions, reduction="sum").double()
    return torch.cat((sections, decisions[None]))


def total_loss(sums: Tensor, counts: Counts, weights: Losses) -> Tensor:
    """Weigh the sums, each divided by its own count; a loss without any target contributes nothing."""
    divided = [w / n if n > 0 else 0.0 for w, n in zip(_weights(weights), counts.as_tensor().tolist(), strict=True)]
    return sums @ sums.new_tensor(divided)


def _weights(weights: Losses) -> list[float]:
    return [weights.plan, weights.code, weights.refinement]
