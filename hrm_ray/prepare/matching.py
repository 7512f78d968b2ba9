"""Which declaration after is which declaration before: by name, else by body."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import Levenshtein

from hrm_ray.golang.declarations import Declaration
from hrm_ray.golang.leaves import leaves

NEAR_BODY = 0.7
"""Share of equal tokens from which a declaration under another name is the old one, moved or renamed."""

_CALLABLE = {"function": "callable", "method": "callable"}


@dataclass(frozen=True)
class Matches:
    """`old[i]` is what the i-th declaration after was before, or None; `removed` is what is left of before."""

    old: list[Declaration | None]
    removed: list[Declaration]


def match(before: list[Declaration], after: list[Declaration]) -> Matches:
    """Match equal texts first, then the same kind and name in order, then the nearest body."""
    old: list[Declaration | None] = [None] * len(after)
    left = dict.fromkeys(range(len(before)))
    for key in (lambda found: (found.kind, found.name, found.text), lambda found: (found.kind, found.name)):
        places: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        for at in left:
            places[key(before[at])].append(at)
        for at, found in enumerate(after):
            if old[at] is None and places[key(found)]:
                taken = places[key(found)].pop(0)
                old[at] = before[taken]
                del left[taken]
    return match_bodies(old, [before[at] for at in left], after)


def match_bodies(old: list[Declaration | None], removed: list[Declaration], after: list[Declaration]) -> Matches:
    """Give each unmatched declaration after the unmatched one before with the nearest body, the best pairs first."""
    pairs = [
        (-score, at, candidate)
        for at, found in enumerate(after)
        if old[at] is None
        for candidate, gone in enumerate(removed)
        if (score := _nearness(gone, found)) >= NEAR_BODY
    ]
    result, taken = list(old), set[int]()
    for _, at, candidate in sorted(pairs):
        if result[at] is None and candidate not in taken:
            result[at] = removed[candidate]
            taken.add(candidate)
    return Matches(result, [gone for candidate, gone in enumerate(removed) if candidate not in taken])


def _nearness(a: Declaration, b: Declaration) -> float:
    if _CALLABLE.get(a.kind, a.kind) != _CALLABLE.get(b.kind, b.kind):
        return 0.0
    return float(Levenshtein.normalized_similarity(_leaves(a.text), _leaves(b.text), score_cutoff=NEAR_BODY))


_leaves = lru_cache(maxsize=4096)(leaves)
