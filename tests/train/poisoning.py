"""Ways to spoil what one rank of DeepSpeed computes, once each."""

from __future__ import annotations

from typing import Any

import torch

from hrm_ray.model.batch import Batch
from hrm_ray.model.hrm import Output


def poison_loss(engine: Any, value: float) -> None:
    """Add `value` to the losses of one of this rank's micro-batches; their gradient stays what it is."""
    poison_forward(engine, lambda output: output._replace(nll=output.nll + value))


def poison_backward(engine: Any, value: float) -> None:
    """Let backward begin with `value` in one of this rank's micro-batches, whose losses stay what they are: so the
    rank's own gradient is spoilt before ranks reduce theirs."""

    def hooked(output: Output) -> Output:
        output.nll.register_hook(lambda gradient: torch.full_like(gradient, value))  # type: ignore[no-untyped-call]
        return output

    poison_forward(engine, hooked)


def poison_gradient(engine: Any, value: float) -> None:
    """Put `value` into this rank's share of the reduced gradient, before the norm is taken."""
    honest = engine.gradient_norm

    def norm() -> float:
        engine.partition.gradients()[0].view(-1)[0] = value
        engine.gradient_norm = honest
        return float(honest())

    engine.gradient_norm = norm


def poison_forward(engine: Any, spoil: Any) -> None:
    """Spoil the output of the next micro-batch that has targets."""
    honest = engine.forward

    def forward(batch: Batch, depth: int) -> Output:
        output: Output = honest(batch, depth)
        if not len(batch.targets):
            return output
        engine.forward = honest
        return spoil(output)  # type: ignore[no-any-return]

    engine.forward = forward


POISONS = {"loss": poison_loss, "backward": poison_backward, "gradient": poison_gradient}
