"""How the two stacks take turns, and which of their passes carry gradient: the architecture's own schedule."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple, TypeAlias

from hrm_ray.config import Depth, Model


class Calls(NamedTuple):
    """Passes of the planner and of the coder in one forward."""

    planner: int
    coder: int

    def blocks(self, config: Model) -> int:
        """Blocks that these passes run through."""
        return self.planner * config.planner_layers + self.coder * config.coder_layers


def calls(config: Model) -> Calls:
    """Return the passes of one forward."""
    return Calls(1, 0) if config.mode == "plain" else Calls(config.h_cycles, config.h_cycles * config.l_cycles)


def calls_with_gradient(config: Model, depth: int) -> Calls:
    """Return the passes that carry gradient at `depth`: at most depth - 1 are the planner's (HRM-Text's rule)."""
    if config.mode == "plain":
        return calls(config)
    slow = min(config.h_cycles, depth - 1)
    return Calls(slow, depth - slow)


Pass: TypeAlias = tuple[int, int]
"""(h, l) of a pass, both from 0; l = l_cycles stands for the H pass of cycle h."""


def passes(config: Model) -> list[Pass]:
    """Return the passes of one forward in order."""
    if config.mode == "plain":
        return [(0, config.l_cycles)]
    return list(product(range(config.h_cycles), range(config.l_cycles + 1)))


def passes_with_gradient(config: Model, depth: int) -> frozenset[Pass]:
    """Return those of the `passes` that carry gradient.

    The last of each stack, as many as `calls_with_gradient` says.
    """
    kept = calls_with_gradient(config, depth)
    slow = [(h, config.l_cycles) for h in range(config.h_cycles)]
    fast = [(h, low) for h in range(config.h_cycles) for low in range(config.l_cycles)]
    return frozenset(slow[len(slow) - kept.planner :] + fast[len(fast) - kept.coder :])


def gradient_depth(depth: Depth, step: int, horizon: int) -> int:
    """Passes with gradient at optimizer step `step` of `horizon`: rises from min to max over the warm-up."""
    length = depth.warmup_length(horizon)
    risen = 1.0 if length == 0 else min(1.0, step / length)
    return depth.min + int(risen * (depth.max - depth.min))
