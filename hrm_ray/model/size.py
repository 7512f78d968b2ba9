"""What a model costs before it is built: parameters and FLOPs.

FLOPs count a multiply and an add as two, the recurrence as often as it runs, and a backward as twice its forward for
the passes that carry gradient (the convention of arXiv 2001.08361, with attention's own products added).
"""

from __future__ import annotations

from typing import Literal

from hrm_ray.config import Model
from hrm_ray.model.refinement import DECISIONS, FEEDBACK


def block_parameters(config: Model) -> int:
    """Parameters of one block."""
    return config.hidden * (5 * config.hidden + 3 * config.intermediate)


def parameters(config: Model, vocab_size: int) -> int:
    """Trained parameters of the whole model."""
    stacks = 1 if config.mode == "plain" else 2
    tables = 1 if config.tied else 2
    head = config.hidden * (len(FEEDBACK) + DECISIONS)
    return stacks * config.layers * block_parameters(config) + tables * vocab_size * config.hidden + head


def passes(config: Model) -> int:
    """Calls of a stack in one forward."""
    return 1 if config.mode == "plain" else config.h_cycles * (config.l_cycles + 1)


def training_flops(config: Model, vocab_size: int, tokens: float, targets: float, pairs: float, depth: int) -> float:
    """FLOPs of a forward and backward over `tokens`, of which `targets` are predicted.

    `pairs` is the number of (query, key) pairs that are visible, summed over the documents.
    """
    one_pass = config.layers * (2 * block_parameters(config) * tokens + 4 * config.hidden * pairs)
    with_gradient = min(depth, passes(config))
    head = 2 * vocab_size * config.hidden * targets
    return (passes(config) + 2 * with_gradient) * one_pass + 3 * head


def plain_twin(config: Model, equal: Literal["equal_parameters", "equal_flops"]) -> Model:
    """Return the plain model that a run is compared with.

    Equal parameters: both stacks' blocks in one. Equal FLOPs: as many blocks as cost the same for a training token,
    all forwards plus the backward of the passes with gradient, at the final gradient depth.
    """
    layers = 2 * config.layers
    if equal == "equal_flops":
        layers = round(config.layers * (passes(config) + 2 * config.depth.max) / 3)
    return config.model_copy(update={"mode": "plain", "layers": layers})
