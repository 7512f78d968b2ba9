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
from hrm_ray.prepare.corruptions import CORRUPTIONS, apply_partly
from hrm_ray.prepare.counterparts import counterpart
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
    if is_copy(attempt, example.before):
        return Decision.REFINE, None
    ours, reference = leaves(attempt), leaves(example.code)
    if ours == reference:
        return Decision.DONE, None
    apart = distance(ours, reference)
    near = apart <= NEAR_LEAVES or apart <= NEAR_SHARE * len(reference)
    return (None if near else Decision.REFINE), None


def is_copy(attempt: str, before: str) -> bool:
    """Return true of the declaration `before` unchanged: a comparison tells it, so no judge is needed for it."""
    return bool(before) and leaves(attempt) == leaves(before)


def judgements(example: Example, seed: int, drops: Counter[str]) -> list[Judgement]:
    """Return an invalid attempt, and two valid ones: the reference, and one of its looks that is not the change.

    Of the latter two there are both or none: a DONE without its REFINE would be told by its kind of code. A pure
    function of (seed, example); what could not be labelled or found is counted in `drops`.
    """
    if example.comment_only:
        drops["judge: only comments change"] += 1
        return []
    rng = random.Random(f"{seed}:{example.id}")
    found: dict[Decision, list[Judgement]] = {decision: [] for decision in Decision}
    for origin, attempt in _attempts(example, rng):
        decision, diagnostic = label(attempt, example)
        if decision is None:
            drops["judge: near miss"] += 1
            continue
        feedback = diagnostic.kind.value if diagnostic else "valid"
        found[decision].append(Judgement(example.id, attempt, decision, feedback, origin, example.change))
    wrong, invalid = found[Decision.REFINE], found[Decision.CONTINUE][:1]
    done = [one for one in found[Decision.DONE] if one.origin == "reference"]
    chosen = counterpart(example.before, example.code, [one.attempt for one in wrong], rng) if done else None
    if not invalid:
        drops["judge: no CONTINUE attempt"] += 1
    if chosen is None:
        drops["judge: no REFINE attempt that looks like the reference"] += 1
        return invalid
    return [*invalid, wrong[chosen], *done]


def _attempts(example: Example, rng: random.Random) -> Iterator[tuple[str, str]]:
    """Yield the reference, then corruptions of it, each text once; never the input."""
    yield "reference", example.code
    ways = list(CORRUPTIONS.items())
    if example.before:
        ways.append(("partly applied", partial(apply_partly, example.before)))
    rng.shuffle(ways)
    seen = {example.code, example.before}
    for name, corrupt in islice(cycle(ways), _TRIES):
        attempt = corrupt(example.code, rng)
        if attempt not in seen and not is_copy(attempt, example.before):
            seen.add(attempt)
            yield name, attempt
