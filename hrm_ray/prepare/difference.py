"""What became of the parts of a declaration: removed, added, changed, or renamed throughout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rapidfuzz.distance import Indel, Levenshtein

from hrm_ray.golang.leaves import similarity
from hrm_ray.prepare.units import NAMED, Unit, declared_names

_ALIKE = 0.4
"""Share of equal tokens from which a removed and an added part are one changed part."""
_NEIGHBOURS = 40
"""How many parts ahead a changed part is looked for: bounds the cost of a rewritten function."""

Key = tuple[str, tuple[str, ...]]


@dataclass
class Difference:
    """Parts of before that are gone, parts of after that are new, and pairs (before, after) of changed ones."""

    removed: list[Unit] = field(default_factory=list)
    added: list[Unit] = field(default_factory=list)
    changed: list[tuple[Unit, Unit]] = field(default_factory=list)


def difference(old: list[Unit], new: list[Unit]) -> Difference:
    """Align the parts by their tokens, and pair what is alike between two equal runs."""
    result = Difference()
    removed: list[Unit] = []
    added: list[Unit] = []
    for op in Indel.opcodes([key(unit) for unit in old], [key(unit) for unit in new]):
        if op.tag == "equal":
            _pair(removed, added, result)
            removed, added = [], []
        else:
            removed += old[op.src_start : op.src_end]
            added += new[op.dest_start : op.dest_end]
    _pair(removed, added, result)
    return result


def key(unit: Unit) -> Key:
    """What makes two parts equal: type and tokens."""
    return unit.type, tuple(unit.tokens)


def renames(old: list[Unit], new: list[Unit], changed: list[tuple[Unit, Unit]], text: str) -> dict[str, str]:
    """Names that the `text` before declares and that vanish, each with the one new name that stands in its places."""
    found: dict[str, set[str]] = {}
    for a, b in changed:
        for at, to in _swaps(a, b):
            if a.types[at].endswith("identifier") and b.types[to].endswith("identifier"):
                found.setdefault(a.tokens[at], set()).add(b.tokens[to])
    if not found:
        return {}
    before = {token for unit in old for token in unit.tokens}
    after = {token for unit in new for token in unit.tokens}
    declared = declared_names(text)
    return {
        name: next(iter(others))
        for name, others in found.items()
        if len(others) == 1 and name in declared - after and not others & before
    }


def _pair(removed: list[Unit], added: list[Unit], result: Difference) -> None:
    """Pair removed parts with the most similar added part of their type behind the last one paired."""
    first = 0
    for unit in removed:
        ahead = added[first : first + _NEIGHBOURS]
        scores = [_alike(unit, candidate) for candidate in ahead]
        if max(scores, default=0.0) < _ALIKE:
            result.removed.append(unit)
            continue
        best = scores.index(max(scores))
        result.added += ahead[:best]
        result.changed.append((unit, ahead[best]))
        first += best + 1
    result.added += added[first:]


def _alike(a: Unit, b: Unit) -> float:
    if a.type != b.type:
        return 0.0
    if a.type in {"comment", "declaration"}:
        return 1.0
    same_name = a.type in NAMED and a.tokens[:1] == b.tokens[:1]
    return max(similarity(tuple(a.tokens), tuple(b.tokens)), _ALIKE * same_name)


def _swaps(a: Unit, b: Unit) -> Iterator[tuple[int, int]]:
    """Positions of tokens that a changed part has replaced one by one."""
    for op in Levenshtein.opcodes(a.tokens, b.tokens):
        if op.tag == "replace":
            yield from zip(range(op.src_start, op.src_end), range(op.dest_start, op.dest_end), strict=True)
