"""Which documents a step sees: a pure function of (data, seed, position).

An epoch permutes the documents of the main dataset and packs them block by block, first fit, into rows of at most
`window` tokens; rows of other datasets come between them by weight (`mixture`), and go round as often as they are
asked for. An epoch's rows fill whole steps; its last step may have rows missing. Rows of copying documents are made up
(`hrm_ray.train.copying`). So the state of the feed is one integer, and any step is found at once from the lengths
alone. Rank r of W takes rows r, r + W, ... of the step's fixed list of rows, a missing row being an empty one; so any
number of ranks makes the same step of equally many micro-batches each.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property

from hrm_ray.config import Config, Train
from hrm_ray.errors import UserError
from hrm_ray.model.batch import Batch, Document, collate
from hrm_ray.prepare.tokenizer import Tokenizer
from hrm_ray.train.copying import CopyRows
from hrm_ray.train.corpus import JudgeDocuments, SolveDocuments
from hrm_ray.train.mixture import Mixture
from hrm_ray.train.stream import JudgeRows, SolveRows


def open_feed(config: Config, rank: int = 0, world: int = 1) -> Feed:
    """Return the feed of one rank over the datasets of the run."""
    solve = [SolveDocuments(data, "train") for data in config.datasets]
    copying = CopyRows(solve[0], Tokenizer.load(config.data / "tokenizer.json"), config)
    return Feed(solve, JudgeDocuments(config.data, "judge"), config, rank, world, copying=copying)


def micro_batches(train: Train, world: int) -> int:
    """Return how many micro-batches each of `world` ranks makes of a step: as many as the rank with the most rows."""
    rows = -(-train.rows // world)
    return -(-rows // train.micro_rows)


def empty_places(train: Train, world: int) -> int:
    """Return how many rows of the ranks' micro-batches are empty in every step."""
    return world * micro_batches(train, world) * train.micro_rows - train.rows


class Feed:
    """One rank's rows of every position; a step's list is rows of solve, then of judge, then of copying documents."""

    def __init__(
        self,
        solve: Sequence[SolveDocuments],
        judge: JudgeDocuments,
        config: Config,
        rank: int = 0,
        world: int = 1,
        *,
        copying: CopyRows,
    ) -> None:
        for data, documents in zip(config.datasets, solve, strict=True):
            if len(documents) == 0:
                raise UserError(f"{data}: the train fold of the dataset is empty")
        if config.train.judge_rows and len(judge) == 0:
            raise UserError(f"{config.data}: the judge fold of the dataset is empty; set train.judge_rows to 0")
        self.train, self.rank, self.world = config.train, rank, world
        self.solve = [SolveRows(documents, number, config) for number, documents in enumerate(solve)]
        self.judge, self.copying = JudgeRows(judge, config), copying
        self.mixture = Mixture([part.weight for part in config.train.mixture], config.train_seed)
        self._starts = [0]

    @cached_property
    def horizon(self) -> int:
        """Optimizer steps of the run."""
        limit = self.train.max_steps
        for epoch in range(self.train.epochs):
            if limit is not None and self.start(epoch + 1) >= limit:
                return limit
        return self.start(self.train.epochs)

    def start(self, epoch: int) -> int:
        """Return the position of an epoch's first step."""
        while len(self._starts) <= epoch:
            last = len(self._starts) - 1
            rows = self._first_row(last + 1) - self._first_row(last)
            self._starts.append(self._starts[-1] + -(-rows // self._per_step))
        return self._starts[epoch]

    def epoch(self, position: int) -> float:
        """Epochs seen before the step at `position`."""
        epoch = self._find(position)
        return epoch + (position - self.start(epoch)) / (self.start(epoch + 1) - self.start(epoch))

    def rows(self, position: int) -> list[list[Document]]:
        """Return the documents of each of this rank's rows of the step."""
        return [self._row(position, index) for index in range(self.rank, self.train.rows, self.world)]

    def micro_batches(self, position: int) -> list[Batch]:
        """Return this rank's rows as equally many micro-batches on every rank, of `micro_rows` rows."""
        rows, size = self.rows(position), self.train.micro_rows
        starts = [number * size for number in range(micro_batches(self.train, self.world))]
        return [collate([document for row in rows[start : start + size] for document in row]) for start in starts]

    def example_ids(self, position: int) -> list[str]:
        """Return the ids of the examples solved at `position`, then of those judged, to name a bad step by."""
        solved = [rows.ids(own) for rows, own in map(self._of, self._solve_rows(position))]
        judged = [self.judge.ids(number) for number in self._judge_rows(position)]
        return [ident for ids in (*solved, *judged) for ident in ids]

    def _row(self, position: int, index: int) -> list[Document]:
        if index >= self._per_step + self.train.judge_rows:
            return self.copying.row(position, index)
        if index >= self._per_step:
            return self.judge.row(self._judge_rows(position)[index - self._per_step])
        numbers = self._solve_rows(position)
        if index >= len(numbers):
            return []
        rows, own = self._of(numbers[index])
        return rows.row(own)

    def _solve_rows(self, position: int) -> range:
        """Numbers of the step's solve rows, of all datasets together; an epoch's last step may have fewer."""
        epoch = self._find(position)
        first = self._first_row(epoch) + (position - self.start(epoch)) * self._per_step
        return range(first, min(first + self._per_step, self._first_row(epoch + 1)))

    def _judge_rows(self, position: int) -> range:
        """Numbers of the step's judge rows."""
        return range(position * self.train.judge_rows, (position + 1) * self.train.judge_rows)

    def _of(self, number: int) -> tuple[SolveRows, int]:
        """Return whose row it is, and its number there."""
        dataset, own = self.mixture.find(number)
        return self.solve[dataset], own

    def _first_row(self, epoch: int) -> int:
        """Number of the first row of an epoch of the main dataset, among the solve rows of all."""
        return self.mixture.until(self.solve[0].stream.start(epoch))

    def _find(self, position: int) -> int:
        while self._starts[-1] <= position:
            self.start(len(self._starts))
        return bisect_right(self._starts, position) - 1

    @property
    def _per_step(self) -> int:
        """Rows of a step that hold solve documents."""
        return self.train.rows - self.train.judge_rows - self.train.copying_rows
