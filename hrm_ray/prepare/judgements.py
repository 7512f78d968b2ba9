"""Attempts at an example with the decision that each deserves: what the refinement head learns from.

An attempt may be made by corrupting the reference, but its label always comes from validating it: half of all
single-line deletions are still valid Go.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from itertools import cycle, islice

from hrm_ray.golang.leaves import distance, leaves
from hrm_ray.golang.syntax import Diagnostic, validate
from hrm_ray.prepare.corruptions import CORRUPTIONS, apply_partly, empty_bodies
from hrm_ray.prepare.examples import Example

NEAR_LEAVES = 2
NEAR_SHARE = 0.05
"""An attempt this near to the reference, in leaves or as a share of them, may be right as well: no label."""
_TRIES = 24
"""How many corruptions of one reference are looked at, at most."""


class Decision(IntEnum):
    """What to do with an attempt: write again from the same plan, plan again, or stop."""

    CONTINUE = 0
    REFINE = 1
    DONE = 2


@dataclass(frozen=True)
class Judgement:
    """One judged attempt; `feedback` is `valid` or the kind of the first diagnostic, `origin` how it came about."""

    example_id: str
    attempt: str
    label: Decision
    feedback: str
    origin: str
    change: str


def label(attempt: str, example: Example) -> tuple[Decision | None, Diagnostic | None]:
    """Decide on an attempt, with what is wrong with its syntax; a near miss gets no decision.

    CONTINUE: not valid Go. DONE: the reference's leaves. REFINE: valid, and not the change; a copy of the input is
    always that, however small the change.
    """
    if (diagnostic := validate(attempt, example.kinds)) is not None:
        return Decision.CONTINUE, diagnostic
    ours, reference = leaves(attempt), leaves(example.code)
    if example.before and ours == leaves(example.before):
        return Decision.REFINE, None
    if ours == reference:
        return Decision.DONE, None
    apart = distance(ours, reference)
    near = apart <= NEAR_LEAVES or apart <= NEAR_SHARE * len(reference)
    return (None if near else Decision.REFINE), None


def judgements(example: Example, seed: int, drops: Counter[str]) -> list[Judgement]:
    """At most one attempt of each class: the reference, an invalid one, and a valid one that is not the change.

    A pure function of (seed, example); what could not be labelled or found is counted in `drops`.
    """
    if example.comment_only:
        drops["judge: only comments change"] += 1
        return []
    found: dict[Decision, Judgement] = {}
    for origin, attempt in _attempts(example, random.Random(f"{seed}:{example.id}")):
        decision, diagnostic = label(attempt, example)
        if decision is None:
            drops["judge: near miss"] += 1
        elif decision not in found and (decision != Decision.DONE or origin == "reference"):
            feedback = diagnostic.kind.value if diagnostic else "valid"
            found[decision] = Judgement(example.id, attempt, decision, feedback, origin, example.change)
        if len(found) == len(Decision):
            break
    for decision in set(Decision) - set(found):
        drops[f"judge: no {decision.name} attempt"] += 1
    return [found[decision] for decision in sorted(found)]


def _attempts(example: Example, rng: random.Random) -> Iterator[tuple[str, str]]:
    """The reference, then corruptions of it; the input unchanged comes first or last, by a coin."""
    yield "reference", example.code
    unchanged = example.before or empty_bodies(example.code)
    copy_first = rng.random() < 0.5
    if unchanged and copy_first:
        yield "unchanged", unchanged
    ways = list(CORRUPTIONS.items())
    if example.before:
        ways.append(("partly applied", partial(apply_partly, example.before)))
    rng.shuffle(ways)
    for name, corrupt in islice(cycle(ways), _TRIES):
        attempt = corrupt(example.code, rng)
        if attempt != example.code:
            yield name, attempt
    if unchanged and not copy_first:
        yield "unchanged", unchanged
