"""The optimizer of a run; `hrm_ray.config.engine` says which runs at which ZeRO stage."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from hrm_ray.config import Optimizer
from hrm_ray.model.layers import Stack
from hrm_ray.train.adam_atan2 import AdamATan2


class MuonAdamW(torch.optim.Optimizer):
    """torch's Muon for some matrices and AdamW for the rest, with one list of groups and one state."""

    def __init__(self, matrices: Iterable[dict[str, Any]], rest: Iterable[dict[str, Any]], **adamw: Any) -> None:  # noqa: ANN401
        self.parts = (
            torch.optim.Muon(matrices, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(rest, fused=True, **adamw),
        )
        super().__init__([group for part in self.parts for group in part.param_groups], {})
        for part in self.parts:
            part.state = self.state

    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """Let both update what is theirs."""
        for part in self.parts:
            part.step()  # type: ignore[no-untyped-call]


def build_optimizer(model: nn.Module, settings: Optimizer) -> torch.optim.Optimizer:
    """Return the optimizer of every engine; its rate is set before each step."""
    groups = list(parameter_groups(model, settings))
    if settings.kind == "adam_atan2":
        return AdamATan2(groups, betas=settings.betas)
    adamw: dict[str, Any] = {"betas": settings.betas, "eps": settings.eps}
    if settings.kind == "muon":
        inside = {id(p) for module in model.modules() if isinstance(module, Stack) for p in module.parameters()}
        return MuonAdamW(select(groups, inside, inner=True), select(groups, inside, inner=False), **adamw)
    return torch.optim.AdamW(groups, fused=True, **adamw)


def parameter_groups(model: nn.Module, settings: Optimizer) -> Iterable[dict[str, Any]]:
    """Decay matrices; leave embeddings and vectors alone."""
    tables = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    decayed = [p for p in model.parameters() if p.ndim > 1 and id(p) not in tables]
    spared = [p for p in model.parameters() if p.ndim <= 1 or id(p) in tables]
    groups = [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": spared, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def select(groups: Iterable[dict[str, Any]], inside: set[int], inner: bool) -> list[dict[str, Any]]:
    """Return the matrices of `groups` that are `inside`, or all else."""
    chosen = [
        group | {"params": [p for p in group["params"] if (p.ndim == 2 and id(p) in inside) == inner]}
        for group in groups
    ]
    return [group for group in chosen if group["params"]]
