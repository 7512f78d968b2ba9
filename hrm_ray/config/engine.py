"""Which optimizer runs where: what ZeRO shares out decides what can be computed exactly on a rank's share."""

from __future__ import annotations

from typing import Literal

from hrm_ray.config.section import Decay, Section

Kind = Literal["adamw", "adam_atan2", "muon"]

STAGES: dict[Kind, tuple[int, ...]] = {"adamw": (0, 1, 2, 3), "adam_atan2": (0, 1, 2, 3), "muon": (0,)}
"""ZeRO stages at which an optimizer gives the numbers of one process; one process runs them all. AdamW and AdamATan2
work element by element, so on any stretch of the flattened parameters; Muon needs whole matrices."""


class Ema(Section):
    """An exponential moving average of the weights, which validation, the best checkpoint, `evaluate` and `generate`
    then use. After t updates it keeps min(decay, (1 + t) / (10 + t)) of itself, so that a short run forgets its
    beginning too."""

    decay: Decay = 0.999


def why_not(kind: Kind, workers: int, stage: int, offload: bool) -> str | None:
    """Return why this optimizer cannot run so, or None."""
    if workers and stage not in STAGES[kind]:
        runs = f"zero_stage {' or '.join(map(str, STAGES[kind]))}, or workers 0"
        return f"optimizer.kind {kind} needs whole matrices and zero_stage {stage} cuts them up: take {runs}"
    if offload and workers == 0:
        return "offload_optimizer is on but workers is 0: without DeepSpeed there is nothing that would offload"
    if offload and stage == 0:
        return "offload_optimizer is on but zero_stage is 0, which shares out no optimizer state: take 1, 2 or 3"
    return None
