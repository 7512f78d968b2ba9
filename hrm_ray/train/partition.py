"""Where each ZeRO stage keeps gradients, weights and Adam's moments, as `name@start:stop` slices of whole tensors.

DeepSpeed's own checkpoints load into the world size and stage that wrote them alone, and unpickle; ours are put
together from these slices and load anywhere. What is private of DeepSpeed 0.19 is touched in this file only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from deepspeed.runtime.zero.partition_parameters import ZeroParamStatus
from deepspeed.utils import (
    safe_get_local_fp32_param,
    safe_get_local_optimizer_state,
    safe_set_local_fp32_param,
    safe_set_local_optimizer_state,
)
from torch import Tensor

from hrm_ray.model.hrm import HRM
from hrm_ray.train.engine import MOMENTS, Slice, adam_moments, adopt_moments, whole


class Partition(Protocol):
    """One rank's share of a training state."""

    copies: int
    """Ranks that hold the same gradient."""

    def __init__(self, model: HRM, deepspeed: Any, rank: int, world: int) -> None:  # noqa: ANN401
        """Take a model that DeepSpeed's engine `deepspeed` has prepared."""

    def gradients(self) -> list[Tensor]:
        """Return this rank's share of the gradient, after the last backward of a step; to be changed in place."""

    def forget_gradients(self) -> None:
        """Make the next backward start from nothing."""

    def weights(self) -> dict[str, Slice]:
        """Return the weights that this rank saves."""

    def moments(self) -> dict[str, Slice]:
        """Return the moments that this rank saves, as `moment.parameter`."""

    def restore(self, weights: Mapping[str, Tensor], moments: Mapping[str, Tensor], updates: int) -> None:
        """Take this rank's share of whole weights and moments."""


class Replicated:
    """Stage 0: every rank holds everything, and rank 0 saves it."""

    def __init__(self, model: HRM, deepspeed: Any, rank: int, world: int) -> None:  # noqa: ANN401
        self.model, self.deepspeed, self.rank = model, deepspeed, rank
        self.copies = world

    def gradients(self) -> list[Tensor]:
        """Return the gradient of every parameter."""
        return [p.grad for p in self.model.parameters() if p.grad is not None]

    def forget_gradients(self) -> None:
        """Make the next backward start from nothing."""
        self.deepspeed.zero_grad()

    def weights(self) -> dict[str, Slice]:
        """Return everything on rank 0."""
        return whole(self.model.state_dict()) if self.rank == 0 else {}

    def moments(self) -> dict[str, Slice]:
        """Return everything on rank 0."""
        return whole(adam_moments(self.model, self.deepspeed.optimizer)) if self.rank == 0 else {}

    def restore(self, weights: Mapping[str, Tensor], moments: Mapping[str, Tensor], updates: int) -> None:
        """Take all of it."""
        self.model.load_state_dict(weights)
        adopt_moments(self.model, self.deepspeed.optimizer, moments, updates)


class Shards:
    """What the stages share in which each rank keeps a part of the gradient."""

    copies = 1

    def __init__(self, model: HRM, deepspeed: Any, rank: int, world: int) -> None:  # noqa: ANN401, ARG002
        self.model, self.optimizer, self.rank = model, deepspeed.optimizer, rank

    def gradients(self) -> list[Tensor]:
        """Return the gradient of this rank's part."""
        return [gradient for group in self.optimizer.averaged_gradients.values() if group for gradient in group]


class FlatShards(Shards):
    """Stages 1 and 2: weights are whole everywhere; of the flattened parameters each rank updates one stretch."""

    def forget_gradients(self) -> None:
        """Make the next backward start from nothing: what is None is replaced, anything else is added to."""
        self.optimizer.zero_grad(set_to_none=True)
        for held in (self.optimizer.averaged_gradients, self.optimizer.all_grad_tensors):
            held.update(dict.fromkeys(held))

    def weights(self) -> dict[str, Slice]:
        """Return everything on rank 0."""
        return whole(self.model.state_dict()) if self.rank == 0 else {}

    def moments(self) -> dict[str, Slice]:
        """Return the moments of this rank's stretch."""
        if not self.optimizer.optimizer.state:
            return {}
        self._link_moments()
        return {
            f"{moment}.{name}": Slice(piece.lp_fragment_address.start, piece.get_optim_state_fragment(moment))
            for name, piece in self._pieces().items()
            for moment in MOMENTS
        }

    def restore(self, weights: Mapping[str, Tensor], moments: Mapping[str, Tensor], updates: int) -> None:
        """Take the weights whole, and the moments of this rank's stretch."""
        self.model.load_state_dict(weights)
        self.optimizer.refresh_fp32_params()  # the copy that is updated, from the weights just loaded
        if not moments:
            return
        empty_adam_state(self.optimizer.optimizer, self.optimizer.single_partition_of_fp32_groups, updates)
        self._link_moments()
        for name, piece in self._pieces().items():
            start, size = piece.lp_fragment_address.start, piece.lp_fragment_address.numel
            for moment in MOMENTS:
                part = moments[f"{moment}.{name}"].flatten()[start : start + size]
                piece.get_optim_state_fragment(moment).copy_(part)

    def _pieces(self) -> dict[str, Any]:
        """Return where this rank keeps which part of each parameter that it has a part of."""
        pieces = {name: getattr(p, "_hp_mapping", None) for name, p in self.model.named_parameters()}
        return {name: piece for name, piece in pieces.items() if piece is not None}

    def _link_moments(self) -> None:
        """Let each parameter find its moments; DeepSpeed does so once, before the first update has made them."""
        self.optimizer._hp_optimizer_states_linked = False
        self.optimizer._lazy_init_hp_params_optimizer_state()


class ParameterShards(Shards):
    """Stage 3: of every parameter, padded to a multiple of the ranks, each rank keeps one stretch."""

    def forget_gradients(self) -> None:
        """Make the next backward start from nothing: the first one after this copies instead of adding."""
        self.optimizer.zero_grad()
        self.optimizer.averaged_gradients.clear()

    def weights(self) -> dict[str, Slice]:
        """Return this rank's stretches, of the copy that is updated; rank 0 has the buffers, which are whole."""
        parameters = {name: self._slice(p, safe_get_local_fp32_param(p)) for name, p in self.model.named_parameters()}
        return parameters | (whole(dict(self.model.named_buffers())) if self.rank == 0 else {})

    def moments(self) -> dict[str, Slice]:
        """Return the moments of this rank's stretches."""
        if not self.optimizer.optimizer.state:
            return {}
        return {
            f"{moment}.{name}": self._slice(parameter, safe_get_local_optimizer_state(parameter, moment))
            for name, parameter in self.model.named_parameters()
            for moment in MOMENTS
        }

    def restore(self, weights: Mapping[str, Tensor], moments: Mapping[str, Tensor], updates: int) -> None:
        """Take this rank's stretches, padded; the copy that is updated and the one that the forward reads."""
        for name, buffer in self.model.named_buffers():
            buffer.copy_(weights[name])
        parameter: Any  # carries DeepSpeed's own attributes
        for name, parameter in self.model.named_parameters():
            stretch = self._stretch(parameter, weights[name])
            safe_set_local_fp32_param(parameter, stretch)
            parameter.ds_tensor.data.copy_(stretch)
            if parameter.ds_status is ZeroParamStatus.AVAILABLE:  # small ones stay gathered between steps
                parameter.data.copy_(weights[name])
        if not moments:
            return
        empty_adam_state(self.optimizer.optimizer, self.optimizer.fp32_partitioned_groups_flat, updates)
        for name, parameter in self.model.named_parameters():
            for moment in MOMENTS:
                stretch = self._stretch(parameter, moments[f"{moment}.{name}"])
                safe_set_local_optimizer_state(parameter, stretch, moment)

    def _bounds(self, parameter: Any) -> tuple[int, int]:  # noqa: ANN401
        """Return where this rank's stretch starts and stops, without the padding."""
        start = self.rank * parameter.partition_numel()
        return min(start, parameter.ds_numel), min(start + parameter.partition_numel(), parameter.ds_numel)

    def _slice(self, parameter: Any, stretch: Tensor) -> Slice:  # noqa: ANN401
        start, stop = self._bounds(parameter)
        return Slice(start, stretch.detach().flatten()[: stop - start])

    def _stretch(self, parameter: Any, values: Tensor) -> Tensor:  # noqa: ANN401
        start, stop = self._bounds(parameter)
        return F.pad(values.flatten()[start:stop], (0, parameter.partition_numel() - (stop - start)))


def empty_adam_state(optimizer: torch.optim.Optimizer, stretches: Sequence[Tensor], updates: int) -> None:
    """Give a fresh Adam, which makes its state in its first update, moments of zero after `updates` updates."""
    for stretch in stretches:
        zeros = {moment: torch.zeros_like(stretch) for moment in MOMENTS}
        optimizer.state[stretch] = {"step": torch.tensor(float(updates), device=stretch.device), **zeros}


PARTITIONS: dict[int, type[Partition]] = {0: Replicated, 1: FlatShards, 2: FlatShards, 3: ParameterShards}
"""By ZeRO stage."""
