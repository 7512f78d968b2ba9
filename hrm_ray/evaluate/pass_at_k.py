"""pass@k: the chance that one of k attempts at a task passes its tests."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from typing import Any

import numpy as np

from hrm_ray.evaluate.statistics import share_interval

KS = (1, 5, 10, 100)
"""What is told, as far as there are so many attempts."""


def pass_at_k(attempts: int, passed: int, k: int) -> float:
    """Share of the sets of k of these attempts in which one passed: unbiased (arXiv 2107.03374, equation 1)."""
    return 1 - comb(attempts - passed, k) / comb(attempts, k)


def summary(passed: Sequence[int], attempts: int) -> dict[str, Any]:
    """Return the `pass_at` of `evaluation.json`; `passed` says how many of its attempts passed for each task."""
    told = {k: [pass_at_k(attempts, count, k) for count in passed] for k in KS if k <= attempts and passed}
    return {
        str(k): {"mean": float(np.mean(values)), "interval": share_interval(values, range(len(values)))}
        for k, values in told.items()
    }
