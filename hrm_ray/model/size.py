"""What a model costs before it is built: parameters and FLOPs.

FLOPs count a multiply and an add as two, the recurrence as often as it runs, and a backward as twice its forward for
the passes that carry gradient (the convention of arXiv 2001.08361, with attention's own products added).
"""

from __future__ import annotations

from typing import Literal

from hrm_ray.config import Model
from hrm_ray.model.recurrence import calls, calls_with_gradient
from hrm_ray.model.refinement import DECISIONS, FEEDBACK


def block_parameters(config: Model) -> int:
    """Parameters of one block."""
    return config.hidden * (5 * config.hidden + 3 * config.intermediate)


def parameters(config: Model, vocab_size: int) -> int:
    """Trained parameters of the whole model."""
    tables = 1 if config.tied else 2
    head = config.hidden * (len(FEEDBACK) + DECISIONS)
    return _layers(config) * block_parameters(config) + tables * vocab_size * config.hidden + head


def training_flops(config: Model, vocab_size: int, tokens: float, targets: float, pairs: float, depth: int) -> float:
    """FLOPs of a forward and backward over `tokens`, of which `targets` are predicted.

    `pairs` is the number of (query, key) pairs that are visible, summed over the documents.
    """
    one_block = 2 * block_parameters(config) * tokens + 4 * config.hidden * pairs
    head = 2 * vocab_size * config.hidden * targets
    return _blocks(config, depth) * one_block + 3 * head


def plain_twin(config: Model, equal: Literal["equal_parameters", "equal_flops"]) -> Model:
    """Return the plain model that a run is compared with.

    Equal parameters: all stacks' blocks in one. Equal FLOPs: as many blocks as cost the same for a training token,
    all forwards plus the backward of the passes with gradient, at the final gradient depth.
    """
    layers = _layers(config)
    if equal == "equal_flops":
        layers = round(_blocks(config, config.depth.max) / 3)
    one_stack = {"mode": "plain", "h_layers": None, "l_layers": None, "shared": False}
    return config.model_copy(update={**one_stack, "layers": layers})


def _layers(config: Model) -> int:
    """Blocks of all stacks, of which there is one in `plain` mode and where it is shared."""
    one_stack = config.mode == "plain" or config.shared
    return config.planner_layers + (0 if one_stack else config.coder_layers)


def _blocks(config: Model, depth: int) -> int:
    """Blocks run through forwards, and twice those that a backward goes through."""
    return calls(config).blocks(config) + 2 * calls_with_gradient(config, depth).blocks(config)
