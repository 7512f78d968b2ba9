"""Rows of at most `window` tokens from the lengths of documents alone: an order, and first fit block by block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK = 1024
"""Documents that are packed together; larger fills rows better and costs more to find."""

Row = NDArray[np.int64]
"""Indices of the documents of one packed row."""


@dataclass(frozen=True)
class Packed:
    """The rows of one epoch, end to end: `documents` [n], of which row r holds `starts[r]:starts[r + 1]`."""

    documents: NDArray[np.int64]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, index: int) -> Row:
        return self.documents[self.starts[index] : self.starts[index + 1]]


def pack_epoch(sizes: NDArray[np.integer], window: int, seed: tuple[int, ...], curriculum: float = 0.0) -> Packed:
    """Order one epoch and pack it: each document, in order, into the first row of its block that has room."""
    order = epoch_order(sizes, seed, curriculum)
    width = max(1, min(BLOCK, len(order)))
    blocks = np.zeros((-(-len(order) // width), width), np.int32)
    blocks.flat[: len(order)] = sizes[order]
    rows = first_fit(blocks, window)
    used = rows.max(axis=1, initial=-1).astype(np.int64) + 1
    number = (rows + (np.cumsum(used) - used)[:, None]).reshape(-1)[: len(order)]
    counts = np.bincount(number, minlength=int(used.sum()))
    return Packed(order[np.argsort(number, kind="stable")], np.concatenate(([0], np.cumsum(counts))))


def epoch_order(sizes: NDArray[np.integer], seed: tuple[int, ...], curriculum: float) -> NDArray[np.int64]:
    """Permute the documents; the nearer `curriculum` comes to 1, the nearer to the order of their lengths."""
    order = np.random.default_rng(seed).permutation(len(sizes))
    if curriculum == 0:
        return order
    key = (1 - curriculum) * _ranks(order) + curriculum * _ranks(np.argsort(sizes, kind="stable"))
    return np.argsort(key, kind="stable")


def first_fit(sizes: NDArray[np.int32], window: int) -> NDArray[np.int32]:
    """Return the row of each of `sizes` [blocks, n], block by block; a size of 0 takes no room.

    All blocks go in step: one document at a time took ten times as long. Any two rows of a block hold more than one
    window together, which bounds how many there are.
    """
    blocks, count = sizes.shape
    most = 2 * int(sizes.sum(axis=1, dtype=np.int64).max(initial=0)) // window + 2
    free = np.full((blocks, min(count, most)), window, np.int32)
    rows, each = np.empty_like(sizes), np.arange(blocks)
    for index in range(count):
        row = (free >= sizes[:, index, None]).argmax(axis=1)
        free[each, row] -= sizes[:, index]
        rows[:, index] = row
    return rows


def _ranks(order: NDArray[np.int64]) -> NDArray[np.int64]:
    ranks = np.empty_like(order)
    ranks[order] = np.arange(len(order))
    return ranks
