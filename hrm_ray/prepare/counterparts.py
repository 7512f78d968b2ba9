"""A REFINE attempt that looks like the reference from afar, so that only what it does tells the two apart.

Corruptions leave traces: most are shorter than the reference, or farther from the input. A head that learns these
knows nothing of the change (docs/log.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement
from random import Random

import numpy as np

from hrm_ray.golang.leaves import distance, leaves

FARTHEST = 0.15
"""By how much, in natural logarithms of sizes, two attempts may miss being opposites."""
_NEARER = 0.1
"""Weight of how far the two are from each other: of pairs that are as opposite, the nearer one is taken."""


def counterpart(before: str, reference: str, attempts: Sequence[str], rng: Random) -> int | None:
    """Return the place of one of the attempts, or None where each would give itself away.

    It is drawn from the two that are most nearly opposite as seen from the reference: as much longer as the other is
    shorter, as much farther from the input as the other is nearer. One that is of the reference's sizes is its own
    opposite.
    """
    if not attempts:
        return None
    given = leaves(before)
    sizes = np.log1p([_sizes(given, code) for code in (reference, *attempts)])
    apart = sizes[1:] - sizes[0]
    pairs = list(combinations_with_replacement(range(len(attempts)), 2))
    one, other = np.array(pairs).T
    opposite = np.flatnonzero(np.abs(apart[one] + apart[other]).max(1) <= FARTHEST)
    return rng.choice(pairs[rng.choice(opposite)]) if len(opposite) else None


def _sizes(given: tuple[str, ...], code: str) -> tuple[int, ...]:
    """Return characters, lines, other lines, tokens, and the tokens that an edit of the input changes."""
    tokens, lines = leaves(code), code.split("\n")
    return len(code), len(lines), len(set(lines)), len(tokens), distance(given, tokens)
