"""Is the planner a planner? What each stack knows after each of its passes, and what is lost without its last cycle.

The state that a pass leaves is read through the model's own output table (the "logit lens"), so nothing is trained:
bits far above the model's own say that the state is not yet in the output's terms, not that it holds nothing. Without
the planner's last cycle z_H is what the cycle before it left; without the coder's, the planner's last pass is given the
z_L of the cycle before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

from hrm_ray.config import Model
from hrm_ray.evaluate.bits import Sizes, bits_per_byte
from hrm_ray.model.attention import packed_attention
from hrm_ray.model.batch import SECTIONS, Batch, Document
from hrm_ray.model.cross_entropy import linear_cross_entropy
from hrm_ray.model.recurrence import Pass, passes
from hrm_ray.train.engine import PlainEngine
from hrm_ray.train.validate import batches, document_nats

Nats: TypeAlias = dict[Pass, Tensor]
"""[documents, 2] nats of plan and code, read after each pass; the last is the model's own answer."""


def read(engine: PlainEngine, documents: Sequence[Document], tokens: int, skipped: Sequence[Pass] = ()) -> Nats:
    """Read plan and code of solve documents from every state, or from the last alone where passes are `skipped`.

    The weights must be whole in this process: they are used outside a forward, so not under ZeRO-3.
    """
    order = passes(engine.model.config)
    found = {at: torch.zeros(len(documents), SECTIONS, dtype=torch.float64) for at in order[-1 if skipped else 0 :]}
    for chunk, batch in batches(engine, documents, tokens):
        for at, state in _target_states(engine, batch, skipped):
            if at in found:
                found[at][chunk] = _nats(engine, batch, state)
    return {at: engine.sum(nats) for at, nats in found.items()}


def _target_states(engine: PlainEngine, batch: Batch, skipped: Sequence[Pass]) -> Iterator[tuple[Pass, Tensor]]:
    model = engine.model
    with torch.no_grad(), engine.autocast():
        attend, depth = packed_attention(batch.spans, batch.ids.device), model.config.depth.max
        for at, state in model.passes(model.embed(batch.ids), batch.positions, attend, depth, skipped):
            yield at, state.index_select(0, batch.target_at)


def _nats(engine: PlainEngine, batch: Batch, states: Tensor) -> Tensor:
    with torch.no_grad(), engine.autocast():
        return document_nats(batch, linear_cross_entropy(states, engine.model.table, batch.targets)).cpu()


def measure(
    engine: PlainEngine, documents: Sequence[Document], tokens: int, nats: Nats, sizes: Sizes
) -> dict[str, Any]:
    """Return the `probes` of `evaluation.json` of what `read` found; a plain model has one pass and nothing to lose."""
    config = engine.model.config
    if config.mode == "plain":
        return {"states": [], "without": {}}
    last = config.h_cycles - 1
    (coder,) = read(engine, documents, tokens, [(last, low) for low in range(config.l_cycles)]).values()
    without = {"coder": coder} | ({"planner": nats[last - 1, config.l_cycles]} if last else {})
    return {
        "states": [_named(config, at) | bits_per_byte(found, sizes) for at, found in nats.items()],
        "without": {stack: bits_per_byte(found, sizes) for stack, found in without.items()},
    }


def _named(config: Model, at: Pass) -> dict[str, Any]:
    """Which state a pass leaves; cycles and passes count from 1."""
    h, low = at
    return {"state": "z_L" if low < config.l_cycles else "z_H", "cycle": h + 1, "pass": low % config.l_cycles + 1}
