"""Costs that are computed before a model is built are those of the model that is built."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from hrm_ray.config import Model
from hrm_ray.model.batch import collate
from hrm_ray.model.hrm import HRM
from hrm_ray.model.recurrence import Calls, calls
from hrm_ray.model.size import parameters, plain_twin, training_flops
from tests.model.conftest import VOCABULARY, small_config, solve_document

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


SHAPES: list[dict[str, object]] = [
    {},
    {"tied": False},
    {"mode": "plain", "layers": 5},
    {"h_layers": 1, "l_layers": 3},
    {"shared": True, "inject": True},
]


@pytest.mark.parametrize("changes", SHAPES)
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
    assert calls(deep) == Calls(1, 0)


@pytest.mark.parametrize("changes", SHAPES[3:])
def test_twins_of_other_shapes_are_settings_that_load(changes: dict[str, object]) -> None:
    config = small_config(**changes)
    twin = plain_twin(config, "equal_parameters")
    assert Model.model_validate(twin.model_dump()) == twin
    assert parameters(twin, VOCABULARY) == parameters(config, VOCABULARY)


@pytest.mark.parametrize("changes", SHAPES)
@pytest.mark.parametrize("depth", [3, 5])
def test_flops_agree_with_pytorchs_own_count(changes: dict[str, object], depth: int) -> None:
    """`torch.utils.flop_counter` counts the matmuls; attention's are ours to add, and the head's logits that the
    backward computes again are no work of the model's."""
    config = small_config(**changes)
    model, batch = HRM(config, VOCABULARY), collate([solve_document(1, prefix=63, plan=0, code=30)])
    with FlopCounterMode(display=False) as counter:
        model(batch, depth).nll.sum().backward()
    tokens, targets = len(batch.ids), len(batch.targets)
    again = 2 * VOCABULARY * config.hidden * targets
    matmuls = sum(count for name, count in counter.get_flop_counts()["Global"].items() if "mm" in str(name))
    assert matmuls == pytest.approx(training_flops(config, VOCABULARY, tokens, targets, 0, depth) + again, rel=0.01)
