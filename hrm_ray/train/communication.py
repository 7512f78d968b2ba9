"""What the ranks of a step send each other at each ZeRO stage: one term of the cost model (docs/cost-model.md)."""

from __future__ import annotations

from hrm_ray.config import Train
from hrm_ray.train.feed import micro_batches

BYTES = 4
"""Of a weight or gradient on its way: both are fp32, whatever the matmuls are."""


def sent_bytes(train: Train, parameters: int) -> float:
    """Return the bytes that each rank sends in a step, at most; DeepSpeed keeps small weights of stage 3 gathered.

    Stages 0 and 1 reduce the gradient once and stage 2 after every micro-batch, which costs as much as gathering the
    weights does (arXiv 1910.02054, section 7); stage 3 gathers them for each forward and each backward.
    """
    world = max(1, train.workers)
    batches = micro_batches(train, world)
    copies = {0: 2, 1: 2, 2: batches + 1, 3: 3 * batches}[train.zero_stage]
    return BYTES * parameters * copies * (world - 1) / world
