"""Costs that are computed before a model is built are those of the model that is built."""

from __future__ import annotations

import pytest
import torch

from hrm_ray.config import Model
from hrm_ray.model.hrm import HRM
from hrm_ray.model.size import parameters, passes, plain_twin, training_flops
from tests.model.conftest import VOCABULARY, small_config

SHIPPED = {
    "tiny": (4096, 1e6),
    "small": (8192, 25e6),
    "base": (16384, 100e6),
    "large": (32768, 0.6e9),
    "xl": (32768, 1e9),
}


def built(config: Model, vocabulary: int) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in HRM(config, vocabulary).parameters())


@pytest.mark.parametrize("size", SHIPPED)
def test_shipped_sizes_are_what_they_say(size: str) -> None:
    vocabulary, expected = SHIPPED[size]
    config = Model.model_validate({"size": size})
    assert parameters(config, vocabulary) == built(config, vocabulary)
    assert parameters(config, vocabulary) == pytest.approx(expected, rel=0.08)


@pytest.mark.parametrize("changes", [{}, {"tied": False}, {"mode": "plain", "layers": 5}])
def test_parameters_are_counted(changes: dict[str, object]) -> None:
    config = small_config(**changes)
    assert parameters(config, VOCABULARY) == built(config, VOCABULARY)


def test_plain_twins_are_equal_in_what_they_say() -> None:
    config = Model.model_validate({"size": "small"})
    twin = plain_twin(config, "equal_parameters")
    assert parameters(twin, 8192) == parameters(config, 8192)
    deep = plain_twin(config, "equal_flops")
    cost = [training_flops(c, 8192, 1e4, 5e3, 3e6, c.depth.max) for c in (config, deep)]
    assert cost[1] == pytest.approx(cost[0], rel=0.1)
    assert passes(deep) == 1


def test_flops_agree_with_pytorchs_own_count() -> None:
    """`torch.utils.flop_counter` counts the matmuls of a forward; attention's are ours to add."""
    from torch.utils.flop_counter import FlopCounterMode

    from hrm_ray.model.batch import collate
    from tests.model.conftest import solve_document

    config = small_config()
    model, batch = HRM(config, VOCABULARY), collate([solve_document(1, prefix=63, plan=0, code=30)])
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(batch, depth=5)
    tokens, targets = len(batch.ids), len(batch.targets)
    forward = training_flops(config, VOCABULARY, tokens, targets, 0, depth=0) - 4 * VOCABULARY * config.hidden * targets
    linear = sum(count for name, count in counter.get_flop_counts()["Global"].items() if "mm" in str(name))
    assert linear == pytest.approx(forward, rel=0.01)
