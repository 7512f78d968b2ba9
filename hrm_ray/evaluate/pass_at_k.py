"""pass@k: the chance that one of k attempts at a task passes its tests."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from typing import Any

import numpy as np

from hrm_ray.evaluate.statistics import RESAMPLES

KS = (1, 5, 10, 100)
"""What is told, as far as there are so many attempts."""


def pass_at_k(attempts: int, passed: int, k: int) -> float:
    """Share of the sets of k of these attempts in which one passed: unbiased (arXiv 2107.03374, equation 1)."""
    return 1 - comb(attempts - passed, k) / comb(attempts, k)


def summary(passed: Sequence[int], attempts: int) -> dict[str, Any]:
    """Return the `pass_at` of `evaluation.json`; `passed` says how many of its attempts passed for each task."""
    told = {k: [pass_at_k(attempts, count, k) for count in passed] for k in KS if k <= attempts and passed}
    return {str(k): {"mean": float(np.mean(values)), "interval": interval(values)} for k, values in told.items()}


def interval(values: Sequence[float], seed: int = 0) -> list[float] | None:
    """95% percentile bootstrap of a mean over tasks; None with fewer than two."""
    if len(values) < 2:
        return None
    drawn = np.random.default_rng(seed).integers(0, len(values), (RESAMPLES, len(values)))
    return [float(bound) for bound in np.quantile(np.asarray(values)[drawn].mean(1), [0.025, 0.975])]
