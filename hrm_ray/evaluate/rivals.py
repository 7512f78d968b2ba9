"""Rules that know nothing of a change and may yet tell right attempts from wrong ones: the head must beat them all."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hrm_ray.golang.leaves import distance, leaves

Values = NDArray[np.float64]

_FOLDS = 5
"""Parts of the pull requests, each of which is told apart by what was fitted to the others."""


def looks(attempts: Sequence[str], inputs: Sequence[str]) -> dict[str, list[float]]:
    """Return what is seen of attempts from afar; `inputs` are the declarations before, empty of additions."""
    tokens = [(leaves(attempt), leaves(given)) for attempt, given in zip(attempts, inputs, strict=True)]
    return {
        "length": [len(attempt) for attempt in attempts],
        "lines": [attempt.count("\n") for attempt in attempts],
        "growth": [len(attempt) - len(given) for attempt, given in zip(attempts, inputs, strict=True)],
        "size of the edit": [distance(given, ours) for ours, given in tokens],
        "repetition": [len(ours) - len(set(ours)) for ours, _ in tokens],
        "not the input": [ours != given for ours, given in tokens],
    }


def together(rivals: Mapping[str, Values], correct: NDArray[np.bool_], pulls: Sequence[Hashable]) -> Values:
    """Return the best that the rivals say together: a least-squares fit to their ranks, which is made without the pull
    requests that it is read on."""
    ranks = np.stack([np.ones(len(correct)), *map(_ranks, rivals.values())], 1)
    places = {pull: place % _FOLDS for place, pull in enumerate(dict.fromkeys(pulls))}
    folds, said = np.array([places[pull] for pull in pulls]), np.zeros(len(correct))
    for fold in range(_FOLDS):
        held = folds == fold
        weights, *_ = np.linalg.lstsq(ranks[~held], correct[~held].astype(np.float64), rcond=None)
        said[held] = ranks[held] @ weights
    return said


def _ranks(values: Values) -> Values:
    """Return the share of values that are lower, ties counting half."""
    ordered = np.sort(values)
    return (np.searchsorted(ordered, values) + np.searchsorted(ordered, values, "right")) / (2 * len(values))
