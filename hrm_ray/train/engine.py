"""What a step needs of its surroundings: forward, backward, a norm, an update, and sums over ranks.

`PlainEngine` is one process without DeepSpeed; `hrm_ray.train.zero` holds the one of several processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from hrm_ray.config import Train
from hrm_ray.errors import UserError
from hrm_ray.model.batch import Batch
from hrm_ray.model.hrm import HRM, Output
from hrm_ray.train.moments import Average, adopt_moments, exchanged, read_moments
from hrm_ray.train.optimizers import build_optimizer


def pick_device(train: Train) -> torch.device:
    """Return the device that `train.device` asks for.

    Raises:
        UserError: CUDA is asked for and there is none.
    """
    if train.device == "cuda" and not torch.cuda.is_available():
        raise UserError("train.device: cuda was asked for, but this build of torch sees no CUDA device")
    return torch.device("cuda" if train.device != "cpu" and torch.cuda.is_available() else "cpu")


def pick_precision(train: Train, device: torch.device) -> torch.dtype:
    """Return bf16 on GPUs that have it and fp32 elsewhere (bf16 on a CPU was 27 to 155 times slower), unless told."""
    able = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return torch.bfloat16 if train.precision == "bf16" or (train.precision == "auto" and able) else torch.float32


def choose_execution(model: HRM, train: Train, device: torch.device) -> None:
    """Have the blocks run as the settings say.

    Raises:
        UserError: they would be compiled for a CPU, and this machine has no C++ compiler.
    """
    if train.compile and device.type == "cpu":
        from torch._inductor import cpp_builder, exc  # takes a second, which only who compiles needs

        try:
            cpp_builder.get_cpp_compiler()
        except exc.InvalidCxxCompiler as error:
            raise UserError(
                "train.compile is on, and here is no C++ compiler: install g++, or name one in the environment's CXX, "
                "or --set train.compile=false"
            ) from error
    model.execute(recompute=train.activation_checkpointing, compiled=train.compile)


class Slice(NamedTuple):
    """Part of a tensor that one rank keeps: `values` [n], which are elements `start:start + n` of it, flattened."""

    start: int
    values: Tensor


class Engine(Protocol):
    """One rank's side of a training step; every method is called on every rank, in the same order."""

    model: HRM
    device: torch.device
    rank: int
    world: int
    shapes: dict[str, list[int]]
    """Shape of every weight, whole."""

    def sum(self, values: Tensor) -> Tensor:
        """Return `values` added up over ranks."""

    def barrier(self) -> None:
        """Wait until every rank is here."""

    def forward(self, batch: Batch, depth: int) -> Output:
        """Run the model in the precision of the run."""

    def backward(self, loss: Tensor) -> None:
        """Add the gradient of `loss`; the caller has divided it by the global counts."""

    def gradient_norm(self) -> float:
        """Global norm of the accumulated gradient, before clipping: not finite on all ranks where it is on one."""

    def update(self, rate: float, scale: float) -> None:
        """Scale the gradient, step with learning rate `rate`, and forget the gradient."""

    def discard(self) -> None:
        """Forget the accumulated gradient."""

    def averaged(self) -> AbstractContextManager[None]:
        """Let the model have the average of its weights for a while, where `train.ema` keeps one."""

    def whole_model(self) -> HRM:
        """Return a model with the whole weights as they are now, to be run by each rank at its own pace."""

    def weights(self) -> dict[str, Slice]:
        """Return the slices of the model's state that this rank saves."""

    def moments(self) -> dict[str, Slice]:
        """Return the slices of the moments that this rank saves, as `moment.parameter`; none before an update."""

    def restore(self, weights: Mapping[str, Tensor], moments: Mapping[str, Tensor], updates: int) -> None:
        """Take over a checkpoint's whole weights, its moments, and the number of updates that made them."""


class PlainEngine:
    """One process, without DeepSpeed."""

    rank, world = 0, 1

    def __init__(self, model: HRM, train: Train) -> None:
        self.device = pick_device(train)
        self.precision = pick_precision(train, self.device)
        self.model, self.shapes = model.to(self.device), shapes(model)
        choose_execution(self.model, train, self.device)
        self.optimizer = build_optimizer(self.model, train.optimizer)
        self.average = Average(train.ema)

    def sum(self, values: Tensor) -> Tensor:
        """There is one rank."""
        return values

    def barrier(self) -> None:
        """There is no other rank to wait for."""

    def forward(self, batch: Batch, depth: int) -> Output:
        """Run the model in the precision of the run."""
        with self.autocast():
            return self.model(batch, depth)  # type: ignore[no-any-return]

    def autocast(self) -> AbstractContextManager[None]:
        """Compute in the precision of the run."""
        return torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32)

    def backward(self, loss: Tensor) -> None:
        """Add the gradient of `loss`; the caller has divided it by the global counts."""
        loss.backward()  # type: ignore[no-untyped-call]

    def gradient_norm(self) -> float:
        """Global norm of the accumulated gradient, before clipping."""
        # A sum of squares in fp32 was 2e-6 too small, and clipping spread that over all weights (docs/log.md).
        squares = [p.grad.double().square().sum() for p in self.model.parameters() if p.grad is not None]
        return float(torch.stack(squares).sum().sqrt())

    def update(self, rate: float, scale: float) -> None:
        """Scale the gradient, step with learning rate `rate`, and forget the gradient."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        for parameter in self.model.parameters():
            if parameter.grad is not None and scale != 1.0:
                parameter.grad.mul_(scale)
        self.optimizer.step()
        self.average.update(self.optimizer, self.model.parameters())
        self.discard()

    def discard(self) -> None:
        """Forget the accumulated gradient."""
        self.optimizer.zero_grad(set_to_none=True)

    def averaged(self) -> AbstractContextManager[None]:
        """Let the model have the average of its weights for a while, where `train.ema` keeps one."""
        return exchanged(self.optimizer, self.model.parameters())

    def whole_model(self) -> HRM:
        """Return the model itself."""
        return self.model

    def weights(self) -> dict[str, Slice]:
        """Return the whole state of the model."""
        return whole(self.model.state_dict())

    def moments(self) -> dict[str, Slice]:
        """Return the moments as `moment.parameter`; none before the first update."""
        return whole(read_moments(self.model, self.optimizer))

    def restore(self, weights: Mapping[str, Tensor], moments: Mapping[str, Tensor], updates: int) -> None:
        """Take over a checkpoint's weights, its moments, and the number of updates that made them."""
        self.model.load_state_dict(weights)
        adopt_moments(self.model, self.optimizer, moments, updates)
        self.average.updates = updates


def shapes(model: nn.Module) -> dict[str, list[int]]:
    """Return the shape of every weight, buffers included."""
    return {name: list(tensor.shape) for name, tensor in model.state_dict().items()}


def whole(tensors: Mapping[str, Tensor]) -> dict[str, Slice]:
    """Return each tensor as its one and only slice."""
    return {name: Slice(0, tensor.detach().flatten()) for name, tensor in tensors.items()}
