"""Weights laid out for the few rows at a time that generation multiplies on a CPU.

MKL reads a matrix at a fraction of the memory's speed when it multiplies 1 to 16 rows; oneDNN, from a layout of its
own, takes half the time (docs/log.md, 2026-11-25). The operators are those that `torch.compile` freezes weights with.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial

import torch
from torch import Tensor, nn


@contextmanager
def packed_weights(model: nn.Module, rows: int) -> Iterator[None]:
    """Let the linear maps of `model` use copies of their weights meanwhile, laid out for `rows` rows; without gradient.

    Only fp32 on a CPU is any faster so; elsewhere nothing changes.
    """
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear) and _gains(layer.weight)]
    # What is compiled cannot hold such a weight, and must not find it there after the next update.
    eager = torch.compiler.set_stance("force_eager") if layers else nullcontext()
    try:
        for layer in layers:
            weight = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach(), rows)
            layer.forward = partial(_linear, weight)  # type: ignore[method-assign]
        with eager:
            yield
    finally:
        for layer in layers:
            vars(layer).pop("forward", None)


def _gains(weight: Tensor) -> bool:
    return weight.device.type == "cpu" and weight.dtype == torch.float32 and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]


def _linear(weight: Tensor, x: Tensor) -> Tensor:
    out: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")
    return out
