"""The run again with other seeds: what of a figure, and of a lead, is luck?

A spread has an interval (Student's t) from three seeds on: two always lie on a line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TypeAlias

from scipy.special import stdtrit

from hrm_ray.report import compare
from hrm_ray.report.files import Evaluation, RunFolder

FEWEST = 3
"""Seeds without which there is no interval."""

Figure: TypeAlias = Callable[[Evaluation], float | None]


@dataclass(frozen=True)
class Spread:
    """One figure over seeds, one value at least."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Of all seeds."""
        return fmean(self.values)

    @property
    def interval(self) -> tuple[float, float] | None:
        """95% interval of the mean; None with fewer than three seeds."""
        count = len(self.values)
        if count < FEWEST:
            return None
        half = float(stdtrit(count - 1, 0.975)) * stdev(self.values) / count**0.5
        return self.mean - half, self.mean + half


def improved(evaluation: Evaluation) -> float | None:
    """The headline."""
    return evaluation.generation.all.improved_share


def bits(evaluation: Evaluation) -> float | None:
    """Plan and code bits per byte of code."""
    return evaluation.losses.plan_and_code_bits_per_code_byte


FIGURES: dict[str, Figure] = {
    "Improved share": improved,
    "Valid share": lambda one: one.generation.all.valid_share,
    "Edit similarity": lambda one: one.generation.all.edit_similarity,
    "Plan bits per byte of plan": lambda one: one.losses.plan_bits_per_byte,
    "Code bits per byte, without a plan": lambda one: one.losses.code_bits_per_byte_no_plan,
    "Plan and code bits per byte of code": bits,
}


def comparable(run: RunFolder) -> list[RunFolder]:
    """Return the run and those of its repetitions that went and were evaluated as it was."""
    return [run, *(one for one in run.repetitions if not compare.obstacles(run, one))] if run.evaluation else []


def obstacles(run: RunFolder) -> Iterator[str]:
    """Yield a sentence for each repetition that does not count."""
    for one in run.repetitions:
        if found := compare.obstacles(run, one):
            yield f"Seed {one.run.name}: {'; '.join(found)}."


def spread(runs: Sequence[RunFolder], figure: Figure) -> Spread | None:
    """Return a figure of these runs; None where one of them lacks it, or there is none."""
    found = [figure(one.evaluation) for one in runs if one.evaluation]
    values = tuple(value for value in found if value is not None)
    return Spread(values) if values and len(values) == len(runs) else None


def lead(run: RunFolder, role: str, figure: Figure) -> Spread | None:
    """Return the figure less that of the plain model of the same seed; None where a seed has no such model."""
    runs = comparable(run)
    beside = [one.baselines[role] for one in runs if role in one.baselines]
    if len(beside) < len(runs) or any(compare.obstacles(*pair) for pair in zip(runs, beside, strict=True)):
        return None
    ours, theirs = spread(runs, figure), spread(beside, figure)
    if ours is None or theirs is None:
        return None
    return Spread(tuple(a - b for a, b in zip(ours.values, theirs.values, strict=True)))
