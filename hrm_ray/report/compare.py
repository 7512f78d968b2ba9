"""Can the run be compared with a baseline, and is it ahead beyond chance?

Both wrote the same declarations, so they are compared pair by pair.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from hrm_ray.report.files import RunFolder, Sample

RESAMPLES = 2000


@dataclass(frozen=True)
class Lead:
    """Improved share of the run less that of the baseline over `pairs` declarations, with its 95% interval."""

    pairs: int
    mean: float
    interval: tuple[float, float]


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
    for whose, one in (("the run's", run), ("its", baseline)):
        if one.outdated:
            yield f"{whose} evaluation is not of the best checkpoint"


def lead(ours: Sequence[Sample], theirs: Sequence[Sample]) -> Lead | None:
    """Bootstrap the paired difference, resampling whole pull requests; None without common declarations.

    The seed is fixed, so that a report of the same run is the same.
    """
    improved = {sample.id: sample.improved for sample in theirs}
    totals: dict[tuple[str, int], list[int]] = {}
    for sample in ours:
        if sample.id in improved:
            total = totals.setdefault((sample.repository, sample.number), [0, 0])
            total[0] += sample.improved - improved[sample.id]
            total[1] += 1
    if not totals:
        return None
    clusters = np.array(list(totals.values()), np.float64)
    drawn = clusters[np.random.default_rng(0).integers(len(clusters), size=(RESAMPLES, len(clusters)))].sum(axis=1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    gained, pairs = clusters.sum(axis=0)
    return Lead(int(pairs), float(gained / pairs), (float(low), float(high)))
