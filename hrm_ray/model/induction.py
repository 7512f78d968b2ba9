"""A first state that reads: heads that note the last tokens, and induction heads that find them again.

An induction head attends to the places behind earlier occurrences of the current token and passes on what stands there
(arXiv 2209.11895). Training makes such heads late and abruptly, and a recurrence of two H cycles later still (issue H).
So the weights begin as a rough pair of them, which training sharpens: a mimetic initialisation (arXiv 2305.09828).
Nothing of the forward changes. What it is worth: docs/log.md, 2026-11-30.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import cos, sin
from typing import NamedTuple

import torch
from torch import Tensor, nn

from hrm_ray.config import Model
from hrm_ray.model.layers import Attention, Block
from hrm_ray.prepare.tokenizer import FIRST_NUMBER, FIRST_TEXT

COMMON = 0.25
"""What all embeddings have in common, as a share of their length: by it a head finds a position, whatever is there."""
NUMBER = 0.6
"""What the line numbers of edits have in common, in the same way: by it a head finds a number, and one is written where
one must stand, whichever it is (2.07 nats a number of an edit after 200 steps, 5.04 without; docs/log.md)."""
FAST, SLOW = 1 / 4, 3 / 8
"""Shares of a head's rotations: the fastest tell neighbours apart; the slowest hardly turn within a window, so that
contents can be compared in them."""
NEAR = 3.3
"""Length of the query and the key of a previous-token head in each rotation, over the fourth root of its dimension."""
MATCH = 2.0
"""Gain of the contents that are compared."""
NOTE, PASS_ON = 2.0, 4.0
"""Gains of what is noted and of what is passed on."""
NOISE = 0.1
"""What is left of the random queries and keys."""


class Heads(NamedTuple):
    """Views of weights of some heads, each [heads, head_dim, hidden]."""

    queries: Tensor
    keys: Tensor
    values: Tensor
    out: Tensor
    """The projection behind attention, from each dimension of a head to the state."""


@torch.no_grad()
def begin_reading(config: Model, table: Tensor, common: Tensor, blocks: Iterable[nn.Module]) -> None:
    """Have the first of two blocks note the last tokens, and the second attend to where the same ones are noted.

    A single block has half of its heads for each. `table` [vocabulary, hidden] is the embedding; `common` [hidden] the
    direction that its rows will have in common: in `hrm` mode that of the first z_L.
    """
    first, *others = (block.attention for block in blocks if isinstance(block, Block))
    second = others[0] if others else first
    length, unit = config.hidden**0.5, common / common.norm()
    rows = table * config.embedding_scale
    numbers = rows[FIRST_NUMBER:FIRST_TEXT]
    kind = torch.randn(config.hidden)
    numbers.mul_((1 - NUMBER**2) ** 0.5).add_(NUMBER * length * kind / kind.norm())
    rows += (COMMON * length - rows @ unit)[:, None] * unit
    table.copy_(rows / config.embedding_scale)
    # The first input is z_L + E, or E alone, scaled to unit variance; z_L and E are about as long.
    share = COMMON if config.mode == "plain" else (1 + COMMON) / 2**0.5

    every = slice(config.heads)
    noting, finding = (every, every) if first is not second else _halves(config.heads)
    content, notes, answers = (_rotation(config, unit) for _ in range(3))
    back = _back(len(range(config.heads)[noting]))
    _note_previous(_heads(first, config, noting), back, unit / (share * length), content, notes, config.rope_theta)
    _find_again(_heads(second, config, finding), back, content, notes, answers)


def _back(heads: int) -> list[int]:
    """Return how many positions back each head looks: half of them one, the others two and three."""
    near = -(-heads // 2)
    return [1] * near + [2] * -(-(heads - near) // 2) + [3] * ((heads - near) // 2)


def _note_previous(
    heads: Heads, back: Sequence[int], common: Tensor, content: Tensor, notes: Tensor, theta: float
) -> None:
    """Attend to the position so far back, and note what it holds: `content` of it as `notes`.

    `common` [hidden] gives 1 for every input. A query and a key that are as long in each rotation meet best where the
    rotation between their positions undoes the one that the key has beforehand (RoPE, arXiv 2104.09864).
    """
    size = heads.values.shape[1]
    pairs = size // 2
    for head, distance in enumerate(back):
        for pair in range(max(1, round(FAST * pairs))):
            turn, row = distance * theta ** -(pair / pairs), NEAR * size**0.25 * common
            heads.queries[head, pair] += row
            heads.keys[head, pair] += cos(turn) * row
            heads.keys[head, pair + pairs] += sin(turn) * row
        heads.values[head] = content[back[:head].count(distance)]  # the same of each distance, to be compared
        heads.out[head] = NOTE * notes[head]


def _find_again(heads: Heads, back: Sequence[int], content: Tensor, notes: Tensor, answers: Tensor) -> None:
    """Attend to the positions whose notes are the content and the notes here, and pass on what they hold, as it is."""
    count, size = heads.values.shape[:2]
    pairs = size // 2
    slow = pairs - max(1, round(SLOW * pairs))
    compared = [*range(slow, pairs), *range(pairs + slow, size)]
    noted = {distance: notes[[head for head, one in enumerate(back) if one == distance]] for distance in {*back}}
    here = {distance: noted[distance - 1] if distance > 1 else content for distance in noted}
    for at, dimension in enumerate(compared):
        distance = back[at * len(back) // len(compared)]
        rows = torch.randint(noted[distance].shape[0] * size, (count,))
        heads.queries[:, dimension] += MATCH * here[distance].flatten(0, 1)[rows]
        heads.keys[:, dimension] += MATCH * noted[distance].flatten(0, 1)[rows]
    heads.values.copy_(answers[:count])
    heads.out.copy_(PASS_ON * answers[:count])


def _heads(attention: Attention, config: Model, which: slice) -> Heads:
    """Return views of some heads, whose random queries and keys are nearly taken away."""
    (queries, keys), (values, _) = attention.qkvg.weight.view(2, 2, config.heads, -1, config.hidden).unbind()
    out = attention.out.weight.view(config.hidden, config.heads, -1).permute(1, 2, 0)
    found = Heads(queries[which], keys[which], values[which], out[which])
    found.queries.mul_(NOISE)
    found.keys.mul_(NOISE)
    return found


def _rotation(config: Model, unit: Tensor) -> Tensor:
    """Return random orthonormal directions, all but one orthogonal to `unit`, as [heads, head_dim, hidden]."""
    random = torch.randn(config.hidden, config.hidden)
    random[:, 0] = unit
    directions: Tensor = torch.linalg.qr(random).Q.T
    return directions[torch.randperm(config.hidden)].view(config.heads, -1, config.hidden)


def _halves(heads: int) -> tuple[slice, slice]:
    return slice(-(-heads // 2)), slice(heads // 2, heads)
