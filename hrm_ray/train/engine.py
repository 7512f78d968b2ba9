"""What a step needs of its surroundings: forward, backward, a norm, an update. `plain` is one process, no DeepSpeed."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from hrm_ray.config import Optimizer, Train
from hrm_ray.errors import UserError
from hrm_ray.model.batch import Batch
from hrm_ray.model.hrm import HRM, Output

MOMENTS = ("exp_avg", "exp_avg_sq")


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


class PlainEngine:
    """AdamW in one process."""

    def __init__(self, model: HRM, train: Train) -> None:
        self.device = pick_device(train)
        self.precision = pick_precision(train, self.device)
        self.model = model.to(self.device)
        self.optimizer = torch.optim.AdamW(
            parameter_groups(self.model, train.optimizer),
            betas=train.optimizer.betas,
            eps=train.optimizer.eps,
            fused=True,
        )

    def forward(self, batch: Batch, depth: int) -> Output:
        """Run the model in the precision of the run."""
        with torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32):
            return self.model(batch, depth)  # type: ignore[no-any-return]

    def backward(self, loss: Tensor) -> None:
        """Add the gradient of `loss`; the caller has divided it by the global counts."""
        loss.backward()  # type: ignore[no-untyped-call]

    def gradient_norm(self) -> float:
        """Global norm of the accumulated gradient, before clipping."""
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        return float(nn.utils.get_total_norm(gradients))

    def update(self, rate: float, scale: float) -> None:
        """Scale the gradient, step with learning rate `rate`, and forget the gradient."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        for parameter in self.model.parameters():
            if parameter.grad is not None and scale != 1.0:
                parameter.grad.mul_(scale)
        self.optimizer.step()
        self.discard()

    def discard(self) -> None:
        """Forget the accumulated gradient."""
        self.optimizer.zero_grad(set_to_none=True)

    def optimizer_tensors(self) -> dict[str, Tensor]:
        """Return Adam's moments as `moment.parameter`; none before the first update."""
        state = self.optimizer.state
        named = self.model.named_parameters()
        return {f"{m}.{name}": state[p][m] for name, p in named if p in state for m in MOMENTS}

    def restore(self, weights: dict[str, Tensor], moments: dict[str, Tensor], updates: int) -> None:
        """Take over a checkpoint's weights, its moments, and the number of updates that made them."""
        self.model.load_state_dict(weights)
        for name, parameter in self.model.named_parameters():
            if f"{MOMENTS[0]}.{name}" in moments:
                state = {m: moments[f"{m}.{name}"].to(self.device) for m in MOMENTS}
                self.optimizer.state[parameter] = {"step": torch.tensor(float(updates), device=self.device), **state}


def parameter_groups(model: nn.Module, optimizer: Optimizer) -> Iterable[dict[str, object]]:
    """Decay matrices; leave embeddings and vectors alone."""
    tables = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    decayed = [p for p in model.parameters() if p.ndim > 1 and id(p) not in tables]
    spared = [p for p in model.parameters() if p.ndim <= 1 or id(p) in tables]
    groups = [{"params": decayed, "weight_decay": optimizer.weight_decay}, {"params": spared, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]
