"""AdamATan2 (arXiv 2407.05872): Adam whose step is an angle, so that it needs no epsilon and no scale of the loss.

Ours, because `adam-atan2` compiles CUDA and `adam-atan2-pytorch` 0.4.1 brings einops and ten untyped relatives along.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

SCALE = 4 / math.pi
"""Makes the step 1 where Adam's is: where the first moment is as large as the root of the second."""


class AdamATan2(torch.optim.Optimizer):
    """`w <- (1 - rate * decay) w - rate * SCALE * atan2(m, sqrt(v))`, with m and v corrected for their bias."""

    def __init__(
        self, params: Iterable[dict[str, Any]], betas: tuple[float, float], lr: float = 1e-3, weight_decay: float = 0.0
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """Update every parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group)

    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state, rate, betas = self.state[parameter], group["lr"], group["betas"]
        if not state:
            moments = {name: torch.zeros_like(parameter) for name in ("exp_avg", "exp_avg_sq")}
            state.update(step=torch.tensor(0.0), **moments)
        state["step"] += 1
        mean = state["exp_avg"].lerp_(gradient, 1 - betas[0])
        square = state["exp_avg_sq"].lerp_(gradient.square(), 1 - betas[1])
        unbiased = [1 - beta ** float(state["step"]) for beta in betas]
        angle = (mean / unbiased[0]).atan2_((square / unbiased[1]).sqrt_())
        parameter.mul_(1 - rate * group["weight_decay"]).add_(angle, alpha=-rate * SCALE)
