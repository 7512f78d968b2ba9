"""Whether a run fits into memory, and what to change where it does not: the change that costs least comes first.

Fewer rows at a time cost a little speed, a higher ZeRO stage costs communication, an optimizer in the host's memory
costs time in every step, a smaller model costs quality, and a shorter window costs the documents that no longer fit it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import product

import torch

from hrm_ray.config import Train
from hrm_ray.config.engine import STAGES
from hrm_ray.errors import UserError
from hrm_ray.model.batch import Batch
from hrm_ray.train.engine import pick_device
from hrm_ray.train.memory import peak

LAST = "a smaller model.size, and after that a shorter prepare.window"
"""What helps where no setting of `changes` does."""


def state_bytes(train: Train, device: str) -> float:
    """Return the bytes that a rank holds of each parameter on its device, fp32.

    Weight, gradient, Adam's two moments and the average of the weights, divided as arXiv 1910.02054 (section 5) divides
    them; from stage 1 on DeepSpeed keeps a copy of its own of the weights that a rank updates, and at stage 3 a bucket
    as large as its share. Muon takes less.
    """
    world, stage = max(1, train.workers), train.zero_stage if train.workers else 0
    updated = 4.0 * (2 + (train.ema is not None) + (stage >= 1)) / (world if stage >= 1 else 1)
    return (
        (8.0 / world if stage == 3 else 4.0)
        + 4.0 / (world if stage >= 2 else 1)
        + (0.0 if train.offload_optimizer and device != "cpu" else updated)
    )


def changes(train: Train, device: str) -> Iterator[dict[str, int]]:
    """Yield settings that take less memory, the cheapest first.

    Fewer rows at a time; a higher stage, then both; the same with activations computed again, which costs a forward;
    the same with the optimizer in the host's memory; and all of it. Muon runs at no higher stage, compiled blocks not
    at stage 3, and there is no offload at stage 0, nor from a CPU.
    """
    fewer = [rows for rows in range(train.micro_rows - 1, 0, -1) if train.rows % rows == 0]
    higher = range(train.zero_stage + 1, 3 if train.compile else 4) if train.workers > 1 else ()
    stages = [train.zero_stage, *(stage for stage in higher if stage in STAGES[train.optimizer.kind])]
    again = (False, True)[train.activation_checkpointing :]
    offloads = train.offload_optimizer or (train.workers > 0 and device != "cpu")
    yield from ({"micro_rows": rows} for rows in fewer)
    for offload, recompute, rows, stage in product(
        (False, True)[train.offload_optimizer : 1 + offloads], again, (train.micro_rows, *fewer[-1:]), stages
    ):
        change = {
            "micro_rows": rows,
            "zero_stage": stage,
            "activation_checkpointing": recompute,
            "offload_optimizer": offload,
        }
        new = {key: value for key, value in change.items() if getattr(train, key) != value}
        if new and not (offload and stage == 0):
            yield new


def advice(train: Train, device: str, fits: Callable[[Train], bool]) -> str:
    """Return the first change after which the run `fits`, as it is written on the command line."""
    for change in changes(train, device):
        if fits(train.model_copy(update=change)):
            return " ".join(f"--set train.{key}={json.dumps(value)}" for key, value in change.items())
    return LAST


def of_step(train: Train, batches: Sequence[Batch]) -> str:
    """Say what a step holds."""
    tokens = max(len(batch.ids) for batch in batches)
    longest = max((span.stop - span.start for batch in batches for span in batch.spans), default=0)
    return (
        f"a step of micro-batches of {train.micro_rows} rows, {tokens:,} tokens at most, "
        f"the longest document {longest:,}"
    )


def making_explained(train: Train) -> AbstractContextManager[None]:
    """Explain running out of memory in the making of a model, which holds no rows and no activations yet."""
    device = pick_device(train)

    def helps(changed: Train) -> bool:
        smaller = state_bytes(changed, device.type) < state_bytes(train, device.type)
        return smaller and changed.micro_rows == train.micro_rows

    return memory_explained(train, device, lambda: "the making of the model", helps)


@contextmanager
def memory_explained(
    train: Train, device: torch.device, what: Callable[[], str], helps: Callable[[Train], bool] = lambda _: True
) -> Iterator[None]:
    """Make one sentence of running out of memory in the block, which does `what`; `helps` says of a change whether it
    takes memory from just that.

    Raises:
        UserError: an allocation failed, of the GPU or of this process.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise UserError(
            f"out of memory on {device} in {what()}; at its peak it held {peak(device) / 2**20:,.0f} MiB; "
            f"next to try: {advice(train, device.type, helps)}"
        ) from error


def is_out_of_memory(error: Exception) -> bool:
    """Say whether an allocation failed: torch has an exception of its own for GPUs, and only words for CPUs."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in str(error)
