"""Four folds: whole repositories, or consecutive periods of merge time; never random examples.

Functions of one repository repeat each other (18.7% have a near copy under the same name), so a random split would
measure memory. Few repositories still make four folds: whole ones, the largest first, each to the fold that lacks most
of its share, and none left empty; ten real ones gave 66, 12, 10 and 11 percent. A fork goes with its source.
"""

from __future__ import annotations

import hashlib
from bisect import bisect
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from itertools import accumulate

from hrm_ray import config
from hrm_ray.errors import UserError

FOLDS = ("train", "judge", "validation", "test")
"""In order of time. `judge` never gets a language-model loss: judge documents for training come from it."""


def split(families: Sequence[str], times: Sequence[float], settings: config.Split, seed: int) -> list[str]:
    """Return the fold of each example, given its family of repositories and when it was merged, in seconds.

    Raises:
        UserError: there are too few families or merge times for one in each fold that has a share.
    """
    shares = settings.shares.model_dump()
    wanted = {fold: Fraction(shares[fold]).limit_denominator(10**6) for fold in FOLDS if shares[fold] > 0}
    if settings.by == "repository":
        of_family = by_repository(Counter(families), wanted, seed)
        return [of_family[family] for family in families]
    of_time = by_time(Counter(times), wanted)
    return [of_time[time] for time in times]


def by_repository(sizes: Mapping[str, int], shares: Mapping[str, Fraction], seed: int) -> dict[str, str]:
    """Deal repositories, largest first, each to the fold that lacks most of its share; ties fall by hash of the seed.

    `sizes` counts the examples of each repository, or family of them. Every fold gets at least one.
    """
    if len(sizes) < len(shares):
        raise UserError(
            f"prepare.split.by: repository needs a repository for each of the {len(shares)} folds and the input has "
            f"{len(sizes)} (a fork and its source count as one); use split.by: time"
        )
    lacking = {fold: share * sum(sizes.values()) for fold, share in shares.items()}
    folds: dict[str, str] = {}
    for left, repository in enumerate(sorted(sizes, key=lambda name: (sizes[name], _hash(seed, name)))[::-1]):
        empty = shares.keys() - folds.values()
        candidates = empty if len(sizes) - left == len(empty) else shares.keys()
        fold = max(candidates, key=lambda name: (lacking[name], _hash(seed, repository, name)))
        folds[repository] = fold
        lacking[fold] -= sizes[repository]
    return folds


def by_time(sizes: Mapping[float, int], shares: Mapping[str, Fraction]) -> dict[float, str]:
    """Cut the merge times into consecutive periods that hold the folds' shares of the examples, in order of FOLDS.

    `sizes` counts the examples merged at each time, so a pull request is never torn apart. Every fold gets a time.
    """
    if len(sizes) < len(shares):
        raise UserError(f"prepare.split.by: time needs {len(shares)} different merge times; the input has {len(sizes)}")
    names, total = list(shares), sum(sizes.values())
    ends = [end * total for end in accumulate(shares.values())][:-1]
    folds: dict[float, str] = {}
    before, period = 0, -1
    for at, time in enumerate(sorted(sizes)):
        aimed = bisect(ends, before + Fraction(sizes[time], 2))
        still_needed = len(names) - (len(sizes) - at)
        period = min(max(aimed, still_needed), period + 1)
        folds[time] = names[period]
        before += sizes[time]
    return folds


def merge_time(text: str) -> datetime:
    """Return the time of an ISO 8601 text, UTC where it names no zone; ValueError where it is none."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _hash(*parts: int | str) -> str:
    return hashlib.sha256(":".join(map(str, parts)).encode()).hexdigest()
