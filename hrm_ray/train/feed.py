"""Which documents a step sees: a pure function of (data, seed, position).

An epoch permutes the documents and packs them block by block, first fit, into rows of at most `window` tokens. Its
rows fill whole steps; the last step of an epoch may have rows missing. So the state of the feed is one integer, and
any step is found at once from the lengths alone. Rank r of W takes rows r, r + W, ... of the step's fixed list of rows,
a missing row being an empty one; so any number of ranks makes the same step of equally many micro-batches each.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hrm_ray.config import Config, Train
from hrm_ray.errors import UserError
from hrm_ray.model.batch import Batch, Document, collate
from hrm_ray.train.corpus import JudgeDocuments, SolveDocuments

BLOCK = 1024
"""Documents that are packed together; larger fills rows better and costs more to find."""

Row = NDArray[np.int64]
"""Indices of the documents of one packed row."""


def first_fit(sizes: NDArray[np.int64], window: int) -> list[list[int]]:
    """Put each size, in order, into the first row that has room; return the indices row by row."""
    rows: list[list[int]] = []
    free = np.empty(len(sizes), np.int64)
    for index, size in enumerate(sizes):
        row = int(np.argmax(free[: len(rows)] >= size)) if rows else 0
        if not rows or free[row] < size:
            row = len(rows)
            rows.append([])
            free[row] = window
        rows[row].append(index)
        free[row] -= size
    return rows


def pack_epoch(sizes: NDArray[np.int64], window: int, seed: tuple[int, ...]) -> list[Row]:
    """Permute and pack one epoch."""
    order = np.random.default_rng(seed).permutation(len(sizes))
    rows: list[Row] = []
    for start in range(0, len(order), BLOCK):
        block = order[start : start + BLOCK]
        rows += [block[row] for row in first_fit(sizes[block], window)]
    return rows


def open_feed(config: Config, rank: int = 0, world: int = 1) -> Feed:
    """Return the feed of one rank over the dataset in `config.data`."""
    return Feed(SolveDocuments(config.data, "train"), JudgeDocuments(config.data, "judge"), config, rank, world)


def micro_batches(train: Train, world: int) -> int:
    """Return how many micro-batches each of `world` ranks makes of a step: as many as the rank with the most rows."""
    rows = -(-train.rows // world)
    return -(-rows // train.micro_rows)


class Stream:
    """Rows of one kind of document, epoch after epoch, `per_step` of them a step."""

    def __init__(self, sizes: Callable[[int], NDArray[np.int64]], window: int, per_step: int, seed: int) -> None:
        self.per_step = per_step
        self.epoch = lru_cache(maxsize=2)(lambda epoch: pack_epoch(sizes(epoch), window, (seed, epoch)))
        self._starts = [0]

    def steps(self, epoch: int) -> int:
        """Steps of one epoch."""
        while len(self._starts) < epoch + 2:
            rows = len(self.epoch(len(self._starts) - 1))
            self._starts.append(self._starts[-1] + -(-rows // self.per_step))
        return self._starts[epoch + 1] - self._starts[epoch]

    def find(self, position: int) -> tuple[int, int]:
        """Return the epoch of a step and the step within it."""
        while self._starts[-1] <= position:
            self.steps(len(self._starts) - 1)
        epoch = bisect_right(self._starts, position) - 1
        return epoch, position - self._starts[epoch]

    def rows(self, position: int) -> tuple[int, list[Row]]:
        """Return the epoch and the rows of a step; an epoch's last step may have fewer."""
        epoch, step = self.find(position)
        return epoch, self.epoch(epoch)[step * self.per_step : (step + 1) * self.per_step]


class Feed:
    """One rank's rows of every position; the step's list is rows of solve documents, then rows of judge documents."""

    def __init__(
        self, solve: SolveDocuments, judge: JudgeDocuments, config: Config, rank: int = 0, world: int = 1
    ) -> None:
        if len(solve) == 0 or (config.train.judge_rows and len(judge) == 0):
            raise UserError(f"{config.data}: the train fold or the judge fold of the dataset is empty")
        self.documents, self.judgements, self.train, self.seed = solve, judge, config.train, config.seed
        self.rank, self.world = rank, world
        window, per_step = config.prepare.window, config.train.rows - config.train.judge_rows
        self._coins = lru_cache(maxsize=8)(self._draw)
        self.solve = Stream(self._solve_sizes, window, per_step, config.seed)
        self.judge = Stream(lambda _epoch: judge.sizes, window, 1, config.seed + 1)

    @property
    def horizon(self) -> int:
        """Optimizer steps of the run."""
        steps = sum(self.solve.steps(epoch) for epoch in range(self.train.epochs))
        return min(steps, self.train.max_steps or steps)

    def epoch(self, position: int) -> float:
        """Epochs seen before the step at `position`."""
        epoch, step = self.solve.find(position)
        return epoch + step / self.solve.steps(epoch)

    def rows(self, position: int) -> list[list[Document]]:
        """Return the documents of each of this rank's rows of the step."""
        return [self._row(position, index) for index in range(self.rank, self.train.rows, self.world)]

    def micro_batches(self, position: int) -> list[Batch]:
        """Return this rank's rows as equally many micro-batches on every rank, of `micro_rows` rows."""
        rows, size = self.rows(position), self.train.micro_rows
        starts = [number * size for number in range(micro_batches(self.train, self.world))]
        return [collate([document for row in rows[start : start + size] for document in row]) for start in starts]

    def example_ids(self, position: int) -> list[str]:
        """Return the ids of the examples to be solved at `position`, to name a bad step by."""
        _, rows = self.solve.rows(position)
        ids = self.documents.shards.column("id")
        return [str(ids[int(index)]) for row in rows for index in row]

    def _row(self, position: int, index: int) -> list[Document]:
        slots = self.train.rows - self.train.judge_rows
        if index >= slots:
            return self._judge_row(position * self.train.judge_rows + index - slots)
        epoch, solve = self.solve.rows(position)
        planned = self._planned(epoch)
        row = solve[index] if index < len(solve) else ()
        return [self.documents.document(int(i), bool(planned[i])) for i in row]

    def _judge_row(self, index: int) -> list[Document]:
        epoch, [row] = self.judge.rows(index)
        hidden = self._coins(epoch, len(self.judgements), stream=3) < 0.5
        return [self.judgements.document(int(i), bool(hidden[i])) for i in row]

    def _solve_sizes(self, epoch: int) -> NDArray[np.int64]:
        return np.where(self._planned(epoch), self.documents.sizes[True], self.documents.sizes[False])

    def _planned(self, epoch: int) -> NDArray[np.bool_]:
        """Which solve documents keep their plan in this epoch."""
        return self._coins(epoch, len(self.documents), stream=2) >= self.train.no_plan

    def _draw(self, epoch: int, count: int, stream: int) -> NDArray[np.float64]:
        """Return a uniform number for each document; `_coins` keeps the last few."""
        return np.random.default_rng((self.seed, epoch, stream)).random(count)
