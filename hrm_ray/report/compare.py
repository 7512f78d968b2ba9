"""Is the run ahead of a baseline beyond chance? Both wrote the same declarations, so they are compared pair by pair."""

from __future__ import annotations

from collections.abc import Sequence
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


def comparable(run: RunFolder, baseline: RunFolder) -> bool:
    """Whether both were evaluated on the same fold of the same dataset."""
    ours, theirs = run.evaluation, baseline.evaluation
    same_data = run.run.dataset_hash == baseline.run.dataset_hash
    return same_data and ours is not None and theirs is not None and ours.split == theirs.split


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
