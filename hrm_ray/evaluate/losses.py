"""Bits per byte on a held-out split, with the true plan and without a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hrm_ray.evaluate.opened import Opened
from hrm_ray.model.batch import Part
from hrm_ray.prepare.tokenizer import Control
from hrm_ray.train.validate import solve_losses


def measure(opened: Opened) -> dict[str, Any]:
    """Return the `losses` of `evaluation.json`, exact over the whole split."""
    count = len(opened.solve)
    planned, direct = (
        solve_losses(opened.engine, [opened.solve.document(i, with_plan) for i in range(count)], opened.tokens)
        for with_plan in (True, False)
    )
    return {
        "examples": count,
        "code_bytes": planned.bytes[Part.CODE],
        "plan_bits_per_byte": planned.bits_per_byte(Part.PLAN),
        "code_bits_per_byte": planned.bits_per_byte(Part.CODE),
        "code_bits_per_byte_no_plan": direct.bits_per_byte(Part.CODE),
        "plan_and_code_bits_per_code_byte": planned.total_bits_per_code_byte(),
    }


def code_bits_per_byte_given(opened: Opened, plans: Mapping[int, Sequence[int]]) -> float | None:
    """Return the bits per byte of the true code of rows of the split behind other plans than theirs: token ids by row.

    With predicted plans it says what the plan -> code hierarchy is worth in use, where nobody gives the true plan.
    """
    documents = [
        opened.solve.document(index)._replace(plan=[Control.PLAN, *plan], plan_bytes=0) for index, plan in plans.items()
    ]
    return solve_losses(opened.engine, documents, opened.tokens).bits_per_byte(Part.CODE)
