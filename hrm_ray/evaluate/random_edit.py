"""Baseline: one random line of the declaration before deleted, doubled or replaced, so that the code stays valid.

It improves some modifications by chance alone; a model that reads its input has to beat it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from hrm_ray.evaluate.generation import Attempt, score
from hrm_ray.golang.leaves import same_leaves
from hrm_ray.golang.syntax import validate
from hrm_ray.model.generate import Written
from hrm_ray.prepare import edits
from hrm_ray.prepare.edits import Hunk
from hrm_ray.prepare.examples import Example

TRIES = 64
"""Random edits that are looked at for one that is valid and changes code."""


def random_edits(found: Sequence[Attempt], seed: int) -> list[Attempt]:
    """Return the attempts that random edits would have been to the same modifications, behind the true plans."""
    attempts = list[Attempt]()
    for one in (one for one in found if one.example.before):
        code, tries = random_edit(one.example, seed)
        attempts.append(score(one.index, one.example, Written(finished=True, tries=tries), one.example.plan, code))
    return attempts


def random_edit(example: Example, seed: int) -> tuple[str, int]:
    """Return the declaration before with one random line changed, and the tries that it took; unchanged where none of
    `TRIES` is valid and other code."""
    chance = random.Random(f"{seed}:{example.id}")
    lines = example.before.split("\n")
    for tries in range(1, TRIES + 1):
        at = chance.randrange(len(lines))
        written = [(), (lines[at], lines[at]), (chance.choice(lines),)][chance.randrange(3)]
        changed = edits.apply(example.before, [Hunk(at, at + 1, written)])
        if validate(changed, example.kinds) is None and not same_leaves(changed, example.before):
            return changed, tries
    return example.before, TRIES
