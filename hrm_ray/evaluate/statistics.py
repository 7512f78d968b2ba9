"""The little statistics that a sceptic asks for first."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

RESAMPLES = 2000


def share(flags: Sequence[bool]) -> float | None:
    """Share of true flags; None of nothing."""
    return sum(flags) / len(flags) if flags else None


def mean(values: Sequence[float]) -> float | None:
    """Mean; None of nothing."""
    return sum(values) / len(values) if values else None


def clustered_interval(flags: Sequence[bool], clusters: Sequence[Hashable], seed: int = 0) -> list[float] | None:
    """95% percentile bootstrap of a share, whole clusters resampled; None with fewer than two clusters.

    Declarations of one pull request succeed and fail together, so they are not independent draws.
    """
    groups: dict[Hashable, list[bool]] = {}
    for flag, cluster in zip(flags, clusters, strict=True):
        groups.setdefault(cluster, []).append(flag)
    if len(groups) < 2:
        return None
    hits = np.array([sum(group) for group in groups.values()])
    sizes = np.array([len(group) for group in groups.values()])
    drawn = np.random.default_rng(seed).integers(0, len(groups), (RESAMPLES, len(groups)))
    shares = hits[drawn].sum(1) / sizes[drawn].sum(1)
    return [float(bound) for bound in np.quantile(shares, [0.025, 0.975])]


def roc_area(scores: Sequence[float], positive: Sequence[bool]) -> float | None:
    """Chance that a positive scores above a negative, ties counting half (Mann-Whitney); None without both classes."""
    values, flags = np.asarray(scores, np.float64), np.asarray(positive, np.bool_)
    above, below = values[flags], values[~flags]
    if not len(above) or not len(below):
        return None
    difference = above[:, None] - below[None, :]
    return float(((difference > 0) + 0.5 * (difference == 0)).mean())
