"""The little statistics that a sceptic asks for first.

Declarations of one pull request succeed and fail together, so that pull requests, not declarations, are the draws. A
percentile bootstrap over few and uneven ones is far too narrow (docs/log.md): the intervals here take the error of a
ratio of sums from leaving out one cluster at a time, and Student's quantile for as many clusters as would be worth
these if all were of one size. No more is said from one or two clusters than from one or two seeds: nothing.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

LEAST = 3
"""Clusters that an interval takes."""


@dataclass(frozen=True)
class _Ratio:
    """A ratio of two sums over clusters; `effective` clusters of one size would be worth these (Kish 1965)."""

    value: float
    error: float
    effective: float

    @property
    def quantile(self) -> float:
        """Errors to each side that make 95%."""
        return float(stdtrit(max(self.effective - 1, 1), 0.975))


def share(flags: Sequence[bool]) -> float | None:
    """Share of true flags; None of nothing."""
    return sum(flags) / len(flags) if flags else None


def mean(values: Sequence[float]) -> float | None:
    """Mean; None of nothing."""
    return sum(values) / len(values) if values else None


def ratio_interval(
    parts: Sequence[float], wholes: Sequence[float], clusters: Sequence[Hashable]
) -> tuple[float, float] | None:
    """95% interval of sum(parts) / sum(wholes), `wholes` not negative; None with fewer than three clusters that count.

    In simulations it holds the truth in 94 to 98% of cases with 3 to 100 uneven clusters, where a percentile bootstrap
    did in 74 to 94%.
    """
    found = _ratio(parts, wholes, clusters)
    if found is None:
        return None
    reach = found.quantile * found.error
    return found.value - reach, found.value + reach


def share_interval(values: Sequence[float], clusters: Sequence[Hashable]) -> tuple[float, float] | None:
    """95% interval of the mean of values from 0 to 1, such as flags; None with fewer than three clusters.

    Wilson's, for as many independent draws as would have the error that these have (Korn and Graubard 1998). Where all
    values agree nothing is known of how alike clusters are, and each counts as one draw: of 40 failures out of 40 it
    says up to 9%, where a bootstrap says 0%.
    """
    found = _ratio(values, [1.0] * len(values), clusters)
    if found is None:
        return None
    value, spread = found.value, found.value * (1 - found.value)
    draws = min(spread / found.error**2, len(values)) if found.error and spread else found.effective
    squared = found.quantile**2 / draws
    centre = (value + squared / 2) / (1 + squared)
    reach = math.sqrt(squared * (spread + squared / 4)) / (1 + squared)
    return max(0.0, centre - reach), min(1.0, centre + reach)


def _ratio(parts: Sequence[float], wholes: Sequence[float], clusters: Sequence[Hashable]) -> _Ratio | None:
    """Estimate a ratio of sums and its jackknife error (Cochran 1977, section 6.17)."""
    places = {cluster: place for place, cluster in enumerate(dict.fromkeys(clusters))}
    owner, count = [places[cluster] for cluster in clusters], len(places)
    part, whole = (np.bincount(owner, values, count) for values in (parts, wholes))
    part, whole = part[whole > 0], whole[whole > 0]
    if len(whole) < LEAST:
        return None
    without = (part.sum() - part) / (whole.sum() - whole)
    value = part.sum() / whole.sum()
    error = math.sqrt((len(whole) - 1) / len(whole) * ((without - value) ** 2).sum())
    return _Ratio(float(value), error, float(whole.sum() ** 2 / (whole**2).sum()))


def roc_area(scores: Sequence[float], positive: Sequence[bool]) -> float | None:
    """Chance that a positive scores above a negative, ties counting half (Mann-Whitney); None without both classes."""
    values, flags = np.asarray(scores, np.float64), np.asarray(positive, np.bool_)
    above, below = values[flags], values[~flags]
    if not len(above) or not len(below):
        return None
    difference = above[:, None] - below[None, :]
    return float(((difference > 0) + 0.5 * (difference == 0)).mean())
