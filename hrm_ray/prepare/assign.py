"""Which fold each extracted example goes to, and which go nowhere because another says the same.

One rule for exact and near duplicates: the earliest merged stays, wherever it falls, so that nothing is on two sides
and no later copy of it is measured. They are taken out before the split, over all repositories at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from hrm_ray.config import Prepare
from hrm_ray.errors import UserError
from hrm_ray.prepare import functions
from hrm_ray.prepare.index import Index
from hrm_ray.prepare.near import near_duplicates, resemblance, shingles
from hrm_ray.prepare.shards import Shards
from hrm_ray.prepare.split import FOLDS, split

Rows = npt.NDArray[np.int64]

_CACHED = 4096
"""Sets of runs that are kept while near duplicates are looked for."""


@dataclass(frozen=True)
class Assignment:
    """`folds` holds the rows of `extracted` in each fold, sorted by id; `duplicates` is what the card says of them."""

    folds: dict[str, list[int]]
    duplicates: dict[str, Any]


def assign(extracted: Shards, settings: Prepare, seed: int, drops: Counter[str]) -> Assignment:
    """Deal the changes to the folds, then admit to the training fold the functions that give nothing away.

    Raises:
        UserError: there are too few repositories or merge times for the folds, or given ones tear a pull request apart.
    """
    index = Index.of(extracted)
    alike = _resemblance(extracted)
    is_function = np.array([fold == functions.FOLD for fold in index.folds])
    changes = _once(index, np.flatnonzero(~is_function), drops)
    copies = near_duplicates(index.signatures, changes.tolist(), alike, settings.near_duplicate)
    drops["near duplicate"] += len(copies)
    kept = [row for row in changes.tolist() if row not in copies]
    _check_given(index, kept)
    fold_of = _folds(index, kept, settings, seed)
    crossing = _crossing(index, copies, _folds(index, changes.tolist(), settings, seed))
    candidates = _once(index, np.flatnonzero(is_function), drops).tolist()
    admitted = _admitted(index, candidates, fold_of, drops)
    told = near_duplicates(index.signatures, [*kept, *admitted], alike, settings.near_duplicate)
    drops["near duplicate"] += len(told)
    fold_of |= {row: "train" for row in admitted if row not in told}
    folds: dict[str, list[int]] = {fold: [] for fold in FOLDS}
    for row in sorted(fold_of, key=lambda row: (index.ids[row], index.fingerprints[row])):
        folds[fold_of[row]].append(row)
    seen = {fold: _seen_before(index, folds, fold) for fold in FOLDS[1:]}
    return Assignment(folds, {"near_duplicate": settings.near_duplicate, **crossing, "seen_before": seen})


def _once(index: Index, rows: Rows, drops: Counter[str]) -> Rows:
    """The rows in order of time without those that an earlier one equals, or that are the same change read again."""
    ordered = index.by_time(rows)
    for column, reason in ((index.fingerprints, "exact duplicate"), (index.ids, "change that is there twice")):
        _, first = np.unique(column[ordered], return_index=True)
        drops[reason] += len(ordered) - len(first)
        ordered = ordered[np.sort(first)]
    return ordered


def _folds(index: Index, rows: Sequence[int], settings: Prepare, seed: int) -> dict[int, str]:
    """The fold of each row: the one that the input gives, or the one that it is dealt to."""
    folds = [index.folds[row] for row in rows]
    if not any(folds):
        families = [index.families[row] for row in rows]
        folds = split(families, [float(index.times[row]) for row in rows], settings.split, seed)
    return dict(zip(rows, folds, strict=True))


def _check_given(index: Index, rows: Sequence[int]) -> None:
    """Refuse folds of which two hold the same pull request."""
    first: dict[int, int] = {}
    for row in rows:
        other = first.setdefault(int(index.requests[row]), row)
        if index.folds[other] != index.folds[row]:
            one, two = (f"{index.ids[at].decode()} ({index.folds[at]})" for at in (other, row))
            raise UserError(
                f"{index.repositories[row]}: the examples {one} and {two} are of one pull request; give it one fold"
            )


def _crossing(index: Index, copies: Mapping[int, int], folds: Mapping[int, str]) -> dict[str, int]:
    """How many near duplicates lie in another repository than what they repeat, or in another of `folds`: those that
    would have been made had the copies stayed."""
    repositories = [(index.repositories[row], index.repositories[kept]) for row, kept in copies.items()]
    return {
        "across_repositories": sum(one != other for one, other in repositories),
        "across_folds": sum(folds[row] != folds[kept] for row, kept in copies.items()),
    }


def _admitted(index: Index, candidates: Sequence[int], fold_of: dict[int, str], drops: Counter[str]) -> list[int]:
    """The functions that no held-out change can be read off: the newest tree holds all that was merged into it."""
    held_out = {index.families[row] for row, fold in fold_of.items() if fold != "train"}
    told_whole = (row for row, fold in fold_of.items() if fold != "train" or not index.texts_before[row])
    known = set(index.texts_after[list(told_whole)].tolist())
    told = [(row, index.families[row], index.texts_after[row]) for row in candidates]
    return functions.admit(told, held_out, known, drops)


def _seen_before(index: Index, folds: dict[str, list[int]], fold: str) -> dict[str, int]:
    """Of how many modifications in a fold the declaration before is, token for token, one that training shows."""
    shown = set(index.texts_before[folds["train"]].tolist()) | set(index.texts_after[folds["train"]].tolist())
    before = [text for text in index.texts_before[folds[fold]].tolist() if text]
    return {"modified": len(before), "seen": sum(text in shown for text in before)}


def _resemblance(extracted: Shards) -> Callable[[int, int], float]:
    """The resemblance of two rows of `extracted`."""

    @lru_cache(_CACHED)
    def runs(row: int) -> frozenset[str]:
        return shingles(extracted.example(row))

    return lambda row, other: resemblance(runs(row), runs(other))
