"""Can the run be compared with a baseline, and is it ahead beyond chance?

Both wrote the same declarations and read the same documents, so they are compared pair by pair.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hrm_ray.evaluate.statistics import ratio_interval
from hrm_ray.report.files import Held, Read, RunFolder, Sample

H = TypeVar("H", bound=Held)


@dataclass(frozen=True)
class Lead:
    """What the run has over the baseline in `pairs` declarations or documents.

    With its 95% interval, whole pull requests being the draws; None with fewer than three of them.
    """

    pairs: int
    mean: float
    interval: tuple[float, float] | None


def obstacles(run: RunFolder, baseline: RunFolder) -> tuple[str, ...]:
    """Return what forbids the comparison: both train to one horizon on one dataset and are evaluated the same way."""
    return (*_training_obstacles(run, baseline), *_evaluation_obstacles(run, baseline))


def _training_obstacles(run: RunFolder, baseline: RunFolder) -> Iterator[str]:
    if run.run.dataset_hash != baseline.run.dataset_hash:
        yield "it was trained on other data"
    if run.run.horizon != baseline.run.horizon:
        yield f"its horizon is {baseline.run.horizon:,} steps, the run's {run.run.horizon:,}"
    elif run.run.extensions != baseline.run.extensions:
        yield "its horizon was not raised at the steps at which the run's was, so its rates are others"
    for whose, one in (("the run's", run), ("its", baseline)):
        if one.last_step is None:
            yield f"{whose} metrics hold no training step"
        elif not one.finished:
            yield f"{whose} last logged step is {one.last_step:,} of {one.run.horizon:,}"


def _evaluation_obstacles(run: RunFolder, baseline: RunFolder) -> Iterator[str]:
    ours, theirs = run.evaluation, baseline.evaluation
    if ours is None or theirs is None:
        yield "the run was not evaluated" if ours is None else "it was not evaluated"
        return
    if ours.split != theirs.split:
        yield f"it was evaluated on the {theirs.split} fold, the run on the {ours.split} fold"
    sampled, given = theirs.generation.temperature, ours.generation.temperature
    if sampled != given:
        yield f"it generated at temperature {sampled:g}, the run at {given:g}"
    (count, heat), own = ((one.generation.candidates, one.generation.candidate_temperature) for one in (theirs, ours))
    if (count, heat) != own and max(count, own[0]) > 1:  # one answer is not drawn at that temperature
        yield f"it chose among {count} answers, drawn at {heat}, the run among {own[0]} at {own[1]}"
    for whose, one in (("the run's", run), ("its", baseline)):
        if one.outdated:
            yield f"{whose} evaluation is not of the best checkpoint"


def lead(ours: Sequence[Sample], theirs: Sequence[Sample]) -> Lead | None:
    """Return the improved share of the run less that of the baseline; None without common declarations."""
    pairs = _pairs(ours, theirs)
    return _lead(pairs, [one.improved - other.improved for one, other in pairs], [1] * len(pairs))


def saving(ours: Sequence[Read], theirs: Sequence[Read]) -> Lead | None:
    """Return which share of the baseline's bits of plan and code the run does without; None without common ones."""
    pairs = _pairs(ours, theirs)
    return _lead(pairs, [other.nats - one.nats for one, other in pairs], [other.nats for _, other in pairs])


def _pairs(ours: Sequence[H], theirs: Sequence[H]) -> list[tuple[H, H]]:
    others = {one.id: one for one in theirs}
    return [(one, others[one.id]) for one in ours if one.id in others]


def _lead(pairs: Sequence[tuple[Held, Held]], parts: Sequence[float], wholes: Sequence[float]) -> Lead | None:
    if not pairs:
        return None
    pulls = [(one.repository, one.number) for one, _ in pairs]
    return Lead(len(pairs), sum(parts) / sum(wholes), ratio_interval(parts, wholes, pulls))
