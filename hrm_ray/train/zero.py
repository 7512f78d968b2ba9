"""The engine of several processes: DeepSpeed ZeRO, with the traps that we know of disarmed (docs/log.md).

DeepSpeed divides a loss by the accumulation steps and averages gradients over ranks; losses here are divided by global
counts already, so both are undone. It is given no scheduler, no clipping and no loss scale: rate, clipping and the
guard against what is not finite are ours, and act on every rank before DeepSpeed would.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from hrm_ray.config import Train
from hrm_ray.model.batch import Batch
from hrm_ray.model.hrm import HRM, Output
from hrm_ray.train.engine import Slice, choose_execution, pick_device, pick_precision, shapes
from hrm_ray.train.moments import Average
from hrm_ray.train.optimizers import build_optimizer
from hrm_ray.train.partition import PARTITIONS

BUCKET = 500_000_000
"""Weights whose gradients are reduced together, at most: DeepSpeed's own default. It is allocated whole: as large as a
model, it would cost at stage 3 what sharing weights out has saved, so there it is as large as a rank's share."""


class ZeroEngine:
    """One of the processes that have joined torch's process group; `micro_batches` a step on every rank."""

    def __init__(self, model: HRM, train: Train, micro_batches: int) -> None:
        self.rank, self.world = dist.get_rank(), dist.get_world_size()
        self.device = pick_device(train)
        self.model, self.shapes = model.to(self.device), shapes(model)
        choose_execution(self.model, train, self.device)
        optimizer = build_optimizer(self.model, train.optimizer)
        self.average = Average(train.ema)
        weights = sum(parameter.numel() for parameter in model.parameters())
        settings = zero_settings(train, micro_batches, weights, pick_precision(train, self.device))
        self.deepspeed = initialize(self.model, optimizer, settings)
        self.partition = PARTITIONS[train.zero_stage](self.model, self.deepspeed, self.rank, self.world)

    def sum(self, values: Tensor) -> Tensor:
        """Return `values` added up over ranks."""
        total = values.to(self.device, copy=True)
        dist.all_reduce(total)
        return total.cpu()

    def barrier(self) -> None:
        """Wait until every rank is here."""
        dist.barrier()

    def forward(self, batch: Batch, depth: int) -> Output:
        """Run the model in the precision of the run."""
        return self.deepspeed(batch, depth)  # type: ignore[no-any-return]

    def backward(self, loss: Tensor) -> None:
        """Add the gradient of `loss`; the caller has divided it by the global counts."""
        self.deepspeed.backward(loss * self.world, scale_wrt_gas=False)
        if not self.deepspeed.is_gradient_accumulation_boundary():
            self.deepspeed.step()  # only counts

    def gradient_norm(self) -> float:
        """Global norm of the accumulated gradient, before clipping: not finite on all ranks where it is on one."""
        squares = [gradient.double().square().sum() for gradient in self.partition.gradients()]
        total = self.sum(torch.stack(squares).sum())
        return float((total / self.partition.copies).sqrt())

    def update(self, rate: float, scale: float) -> None:
        """Scale the gradient, step with learning rate `rate`, and forget the gradient."""
        for group in self.deepspeed.optimizer.param_groups:
            group["lr"] = rate
        for gradient in self.partition.gradients() if scale != 1.0 else ():
            gradient.mul_(scale)
        self.deepspeed.step()
        self.partition.follow(self.average)

    def discard(self) -> None:
        """Forget the accumulated gradient as if the step had been made, before DeepSpeed's own check can see it."""
        self.partition.forget_gradients()
        self.deepspeed.micro_steps += 1

    def averaged(self) -> AbstractContextManager[None]:
        """Let the model have the average of its weights for a while, where `train.ema` keeps one."""
        return self.partition.averaged()

    def whole_model(self) -> HRM:
        """Return a model with the whole weights as they are now, to be run by each rank at its own pace."""
        return self.partition.whole_model()

    def weights(self) -> dict[str, Slice]:
        """Return the slices of the model's state that this rank saves."""
        return self.partition.weights()

    def moments(self) -> dict[str, Slice]:
        """Return the slices of the moments that this rank saves, as `moment.parameter`; none before an update."""
        return self.partition.moments()

    def restore(self, weights: Mapping[str, Tensor], moments: Mapping[str, Tensor], updates: int) -> None:
        """Take over a checkpoint's whole weights, its moments, and the number of updates that made them."""
        self.partition.restore(weights, moments, updates)
        self.average.updates = updates


def zero_settings(train: Train, micro_batches: int, weights: int, precision: torch.dtype) -> dict[str, Any]:
    """Return DeepSpeed's config for a model of so many weights.

    It turns any autocast off that it was not told of; the empty list of modules keeps gradients and sums in fp32. The
    optimizer stays ours where it is offloaded: DeepSpeed's own would be compiled first.
    """
    autocast = {"enabled": True, "dtype": "bfloat16", "lower_precision_safe_modules": []}
    sharing = {
        "stage": train.zero_stage,
        "reduce_bucket_size": min(BUCKET, weights // (train.workers if train.zero_stage == 3 else 1)),
        "use_multi_rank_bucket_allreduce": False,  # a gradient goes to the rank that keeps it, not to all
    }
    return {
        "train_micro_batch_size_per_gpu": 1,  # of ours: a batch of packed rows
        "gradient_accumulation_steps": micro_batches,
        "gradient_clipping": 0.0,  # its default of 1.0 clips once more; offloaded, by the norm before ours
        "zero_optimization": sharing | ({"offload_optimizer": {"device": "cpu"}} if train.offload_optimizer else {}),
        "zero_allow_untested_optimizer": True,
        "zero_force_ds_cpu_optimizer": False,
        "torch_autocast": autocast if precision == torch.bfloat16 else {"enabled": False},
        "steps_per_print": None,
    }


def initialize(model: HRM, optimizer: torch.optim.Optimizer, settings: dict[str, Any]) -> Any:  # noqa: ANN401
    """Return DeepSpeed's engine, without its compiled shared-memory operator.

    That build takes minutes and, when killed, leaves a lock that every later start waits for.
    """
    import deepspeed

    sys.modules["deepspeed.comm.torch"].build_shm_op = lambda: None  # type: ignore[attr-defined]
    deepspeed.init_distributed(dist_backend=dist.get_backend(), auto_mpi_discovery=False, verbose=False)
    return deepspeed.initialize(model=model, optimizer=optimizer, config=settings, dist_init_required=False)[0]
