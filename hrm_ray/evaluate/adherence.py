"""Does the code do what its plan says?"""

from __future__ import annotations

from collections import Counter

from hrm_ray.golang.declarations import declarations
from hrm_ray.prepare import edits
from hrm_ray.prepare.plan import plan

ALL = 1000
"""Steps that a derived plan may have: none is left out."""


def adherence(steps: str, before: str, code: str) -> float | None:
    """Return the share of the steps of a plan that valid `code` realises; None where it has no step.

    What it realises is the plan that `prepare` would have read off the difference of `before` (empty: an addition) and
    `code`. A step counts as often as it is made, and only in the words that were planned.
    """
    planned = Counter(step for line in edits.without_places(steps).splitlines() if (step := line.strip()))
    if not planned:
        return None
    found = declarations(f"package p\n\n{code}")
    kinds, names = [one.kind for one in found], [one.name for one in found]
    made = Counter(plan(before, code, kinds, names, ALL).splitlines())
    return (planned & made).total() / planned.total()
