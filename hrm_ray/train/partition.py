"""Where each ZeRO stage keeps gradients, weights and moments, as `name@start:stop` slices of whole tensors.

DeepSpeed's own checkpoints load into the world size and stage that wrote them alone, and unpickle; ours are put
together from these slices and load anywhere. What is private of DeepSpeed 0.19 is touched in this file only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import torch
import torch.distributed as dist
import torch.nn.functional as F
from deepspeed.runtime.zero.partition_parameters import GatheredParameters, ZeroParamStatus
from deepspeed.runtime.zero.stage_1_and_2 import INITIAL_MICRO_STEP_ID
from deepspeed.utils import (
    safe_get_local_fp32_param,
    safe_get_local_optimizer_state,
    safe_set_local_fp32_param,
    safe_set_local_optimizer_state,
)
from torch import Tensor

from hrm_ray.model.hrm import HRM
from hrm_ray.train.engine import Slice, whole
from hrm_ray.train.moments import EMA, MOMENTS, Average, adopt_moments, exchanged, has_average, read_moments


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

    def follow(self, average: Average) -> None:
        """Let `average` follow an update of this rank's share of the weights."""

    def averaged(self) -> AbstractContextManager[None]:
        """Let every rank's forward read the averaged weights for a while, where there are any."""

    def whole_model(self) -> HRM:
        """Return a model with the whole weights as the forward reads them, whose calls are no collectives."""

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

    def follow(self, average: Average) -> None:
        """Let `average` follow an update of all weights."""
        average.update(self.deepspeed.optimizer, self.model.parameters())

    def averaged(self) -> AbstractContextManager[None]:
        """Let every parameter be its average for a while."""
        return exchanged(self.deepspeed.optimizer, self.model.parameters())

    def whole_model(self) -> HRM:
        """Return the model itself."""
        return self.model

    def weights(self) -> dict[str, Slice]:
        """Return everything on rank 0."""
        return whole(self.model.state_dict()) if self.rank == 0 else {}

    def moments(self) -> dict[str, Slice]:
        """Return everything on rank 0."""
        return whole(read_moments(self.model, self.deepspeed.optimizer)) if self.rank == 0 else {}

    def restore(self, weights: Mapping[str, Tensor], moments: Mapping[str, Tensor], updates: int) -> None:
        """Take all of it."""
        self.model.load_state_dict(weights)
        adopt_moments(self.model, self.deepspeed.optimizer, moments, updates)


class Shards(ABC):
    """What the stages share in which each rank keeps a part of the gradient and updates a part of the weights."""

    copies = 1

    def __init__(self, model: HRM, deepspeed: Any, rank: int, world: int) -> None:  # noqa: ANN401, ARG002
        self.model, self.optimizer, self.rank = model, deepspeed.optimizer, rank
        self.offloaded = bool(deepspeed.zero_use_cpu_optimizer())

    @property
    @abstractmethod
    def masters(self) -> list[Tensor]:
        """The flat stretches of the weights that this rank's optimizer updates, and keeps its state by."""

    @abstractmethod
    def show(self, stretches: Sequence[Tensor]) -> None:
        """Let every rank's forward read `stretches`, which are shaped like the masters, as the weights."""

    def gradients(self) -> list[Tensor]:
        """Return the gradient of this rank's part."""
        if self.offloaded:
            return [master.grad for master in self.masters if master.grad is not None]
        return [gradient for group in self.optimizer.averaged_gradients.values() if group for gradient in group]

    def follow(self, average: Average) -> None:
        """Let `average` follow an update of this rank's stretches."""
        average.update(self.optimizer.optimizer, self.masters)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Let every rank's forward read the averaged weights for a while; all ranks have an average, or none."""
        state, masters = self.optimizer.optimizer.state, self.masters
        if not has_average(self.optimizer.optimizer, masters):
            yield
            return
        held = [master.detach().clone() for master in masters]  # a forward may read the masters themselves
        self.show([state[master][EMA] for master in masters])
        try:
            yield
        finally:
            self.show(held)


class FlatShards(Shards):
    """Stages 1 and 2: weights are whole everywhere; of the flattened parameters each rank updates one stretch."""

    @property
    def masters(self) -> list[Tensor]:
        """One for each group of parameters, padded."""
        return list(self.optimizer.single_partition_of_fp32_groups)

    def show(self, stretches: Sequence[Tensor]) -> None:
        """Put them where the forward reads, and gather the others'."""
        for partitions, stretch in zip(self.optimizer.parallel_partitioned_bit16_groups, stretches, strict=True):
            partitions[self.rank].data.copy_(stretch)
            dist.all_gather(partitions, partitions[self.rank])

    def forget_gradients(self) -> None:
        """Make the next backward start from nothing: what is None is replaced, anything else is added to."""
        self.optimizer.zero_grad(set_to_none=True)
        if self.offloaded:
            self.optimizer.micro_step_id = INITIAL_MICRO_STEP_ID
        for held in (self.optimizer.averaged_gradients, self.optimizer.all_grad_tensors):
            held.update(dict.fromkeys(held))

    def whole_model(self) -> HRM:
        """Return the model itself."""
        return self.model

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
            for moment in piece.get_optim_state_keys()
        }

    def restore(self, weights: Mapping[str, Tensor], moments: Mapping[str, Tensor], updates: int) -> None:
        """Take the weights whole, and the moments of this rank's stretch."""
        self.model.load_state_dict(weights)
        self.optimizer.refresh_fp32_params()  # the copy that is updated, from the weights just loaded
        if not moments:
            return
        kinds = moment_names(moments)
        fill_state(self.optimizer.optimizer, self.masters, kinds, updates)
        self._link_moments()
        for name, piece in self._pieces().items():
            start, size = piece.lp_fragment_address.start, piece.lp_fragment_address.numel
            for moment in kinds:
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

    @property
    def masters(self) -> list[Tensor]:
        """One for each group of parameters, with the stretches of all of them."""
        return list(self.optimizer.fp32_partitioned_groups_flat)

    def show(self, stretches: Sequence[Tensor]) -> None:
        """Put them where parameters are gathered from, and gather anew those that stay gathered."""
        self.optimizer._partition_all_parameters()
        for flat, stretch in zip(self.optimizer.fp16_partitioned_groups_flat, stretches, strict=True):
            flat.data.copy_(stretch)
        gathered = self.optimizer.persistent_parameters
        if gathered:
            gathered[0].all_gather(gathered)

    def forget_gradients(self) -> None:
        """Make the next backward start from nothing: the first one after this copies instead of adding."""
        self.optimizer.zero_grad()
        self.optimizer.averaged_gradients.clear()

    def whole_model(self) -> HRM:
        """Return a copy: each module call of the model itself gathers, on all ranks at once."""
        with torch.device("meta"):
            copy = HRM(self.model.config, self.model.embedding.num_embeddings)
        parameters = dict(self.model.named_parameters())
        with GatheredParameters(list(parameters.values())):
            whole_now = {name: parameter.detach().clone() for name, parameter in parameters.items()}
        copy.load_state_dict(whole_now | dict(self.model.named_buffers()), assign=True)
        return copy

    def weights(self) -> dict[str, Slice]:
        """Return this rank's stretches, of the copy that is updated; rank 0 has the buffers, which are whole."""
        parameters = {name: self._slice(p, safe_get_local_fp32_param(p)) for name, p in self.model.named_parameters()}
        return parameters | (whole(dict(self.model.named_buffers())) if self.rank == 0 else {})

    def moments(self) -> dict[str, Slice]:
        """Return the moments of this rank's stretches."""
        if not self.optimizer.optimizer.state:
            return {}
        state = self.optimizer.optimizer.state[self.masters[0]]
        return {
            f"{moment}.{name}": self._slice(parameter, safe_get_local_optimizer_state(parameter, moment))
            for name, parameter in self.model.named_parameters()
            for moment in MOMENTS
            if moment in state
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
        kinds = moment_names(moments)
        fill_state(self.optimizer.optimizer, self.masters, kinds, updates)
        for name, parameter in self.model.named_parameters():
            for moment in kinds:
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


def moment_names(moments: Iterable[str]) -> set[str]:
    """Return the moments that are among these, which are named `moment.parameter`."""
    return {name.partition(".")[0] for name in moments}


def fill_state(optimizer: torch.optim.Optimizer, masters: Iterable[Tensor], kinds: Iterable[str], updates: int) -> None:
    """Give a fresh optimizer, which makes its state in its first update, moments of zero after `updates` updates."""
    for master in masters:
        zeros = {kind: torch.zeros_like(master) for kind in kinds}
        optimizer.state[master] = {"step": torch.tensor(float(updates), device=master.device), **zeros}


PARTITIONS: dict[int, type[Partition]] = {0: Replicated, 1: FlatShards, 2: FlatShards, 3: ParameterShards}
"""By ZeRO stage."""
