"""Cross-entropy of a linear map's outputs, a few rows of logits at a time: they are never there all at once.

The backward computes each chunk's logits once more, a third of the head's arithmetic on top; at a vocabulary of 32,768
a batch of 8,192 targets would hold 1 GiB for each copy of its logits (the method of Cut Cross-Entropy, arXiv
2411.09009, without its kernel). torch's own `linear_cross_entropy` needs its gradient's scale in the forward, where
ours is not yet known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

LOGITS = {"cpu": 2**21, "cuda": 2**26}
"""Logits of a chunk: 8 MiB stay in a CPU's cache, a GPU wants large matmuls."""


def linear_cross_entropy(states: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """[N, hidden] states, [vocabulary, hidden] weight, [N] targets -> [N] negative log-likelihoods, nats, fp32."""
    nll: Tensor = _LinearCrossEntropy.apply(states, weight, targets)  # type: ignore[no-untyped-call]
    return nll


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, targets: Tensor) -> Tensor:  # noqa: ANN401
        normaliser, nll = (torch.empty(len(states), dtype=torch.float32, device=states.device) for _ in range(2))
        for rows in _chunks(states, weight):
            logits = F.linear(states[rows], weight)  # in the precision of an autocast around it
            normaliser[rows] = logits.float().logsumexp(-1)
            nll[rows] = normaliser[rows] - logits.gather(1, targets[rows, None])[:, 0]
            ctx.dtype = logits.dtype
        ctx.save_for_backward(states, weight, targets, normaliser)
        return nll

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:  # noqa: ANN401
        states, weight, targets, normaliser = ctx.saved_tensors
        to_states = torch.empty_like(states)
        to_weight = torch.zeros(weight.shape, dtype=torch.float32, device=weight.device)
        for rows in _chunks(states, weight):
            some, table = states[rows].to(ctx.dtype), weight.to(ctx.dtype)
            error = F.linear(some, table).float().sub_(normaliser[rows, None]).exp_()
            error.scatter_add_(1, targets[rows, None], error.new_full((len(some), 1), -1.0))
            error = error.mul_(gradient[rows, None]).to(ctx.dtype)
            to_states[rows] = (error @ table).to(states.dtype)
            to_weight += (error.T @ some).float()
        return to_states, to_weight.to(weight.dtype), None


def _chunks(states: Tensor, weight: Tensor) -> Iterator[slice]:
    size = max(1, LOGITS[states.device.type] // len(weight))
    return (slice(start, start + size) for start in range(0, len(states), size))
