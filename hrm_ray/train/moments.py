"""What is kept beside each weight: an optimizer's moments, and the average of the weights as one moment more.

All of them lie in the optimizer's state, under the tensor that it updates, so that whatever saves, deals out and
restores Adam's moments does so with the average.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from hrm_ray.config import Ema

EMA = "ema"
MOMENTS = ("exp_avg", "exp_avg_sq", "momentum_buffer", EMA)
"""AdamW and AdamATan2 keep the first two, Muon the third."""


class Average:
    """The exponential moving average of the weights; it begins as the weights after the first update."""

    def __init__(self, settings: Ema | None) -> None:
        self.settings, self.updates = settings, 0

    @torch.no_grad()
    def update(self, optimizer: torch.optim.Optimizer, weights: Iterable[Tensor]) -> None:
        """Follow an update of `weights`, the tensors that `optimizer` updates."""
        self.updates += 1
        if self.settings is None:
            return
        decay = min(self.settings.decay, (1 + self.updates) / (10 + self.updates))
        for weight in weights:
            state = optimizer.state.get(weight)
            if state is None:  # it never had a gradient, and an optimizer takes a state that is there for its own
                continue
            if EMA in state:
                state[EMA].lerp_(weight, 1 - decay)
            else:
                state[EMA] = weight.detach().clone()


@contextmanager
def exchanged(optimizer: torch.optim.Optimizer, parameters: Iterable[Tensor]) -> Iterator[None]:
    """Let each parameter be its average, where it has one, and then itself again: the two change places."""
    pairs = [(p, optimizer.state[p]) for p in parameters if has_average(optimizer, [p])]
    _exchange(pairs)
    try:
        yield
    finally:
        _exchange(pairs)


def has_average(optimizer: torch.optim.Optimizer, weights: Sequence[Tensor]) -> bool:
    """Say whether every one of `weights`, the tensors that `optimizer` updates, has an average."""
    return all(EMA in optimizer.state.get(weight, ()) for weight in weights)


def read_moments(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the moments of an optimizer that keeps them by parameter, as `moment.parameter`."""
    held = {name: optimizer.state.get(parameter, {}) for name, parameter in model.named_parameters()}
    return {f"{m}.{name}": state[m] for name, state in held.items() for m in MOMENTS if m in state}


def adopt_moments(
    model: nn.Module, optimizer: torch.optim.Optimizer, moments: Mapping[str, Tensor], updates: int
) -> None:
    """Give such an optimizer the moments that `updates` updates made."""
    for name, parameter in model.named_parameters():
        held = {m: moments[f"{m}.{name}"].to(parameter.device) for m in MOMENTS if f"{m}.{name}" in moments}
        if held:
            optimizer.state[parameter] = {"step": torch.tensor(float(updates), device=parameter.device), **held}


def averaged_weights(weights: Mapping[str, Tensor], moments: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a checkpoint's weights, each replaced by its average where there is one."""
    return {name: moments.get(f"{EMA}.{name}", weight) for name, weight in weights.items()}


def _exchange(pairs: Sequence[tuple[Tensor, dict[str, Tensor]]]) -> None:
    for parameter, state in pairs:
        parameter.data, state[EMA] = state[EMA], parameter.data
