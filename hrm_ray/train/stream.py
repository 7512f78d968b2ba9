"""Rows of documents, epoch after epoch: any row is found from the lengths alone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hrm_ray.config import Config
from hrm_ray.model.batch import Document
from hrm_ray.prepare import edits
from hrm_ray.prepare.tokenizer import FIRST_NUMBER, FIRST_TEXT
from hrm_ray.train.corpus import JudgeDocuments, SolveDocuments
from hrm_ray.train.packing import Packed, Row, pack_epoch


def _renumbered(row: list[Document], seed: tuple[int, ...]) -> list[Document]:
    """Begin the line numbers of each edit somewhere else, so that those of an example cannot be learnt by heart."""
    random, moved = np.random.default_rng(seed), list[Document]()
    for document in row:
        if lines := edits.numbers(np.asarray(document.prefix).tolist()):
            by = int(random.integers(FIRST_NUMBER - lines.start, FIRST_TEXT - lines.stop + 1))
            prefix, plan, code = (edits.renumbered(np.asarray(ids), by) for ids in document[:3])
            document = document._replace(prefix=prefix, plan=plan, code=code)
        moved.append(document)
    return moved


class Stream:
    """Rows whose numbers run on from one epoch to the next; the last two epochs that were looked at are kept."""

    def __init__(self, pack: Callable[[int], Packed]) -> None:
        self.epoch = lru_cache(maxsize=2)(pack)
        self._starts = [0]

    def start(self, epoch: int) -> int:
        """Return the number of the first row of an epoch."""
        while len(self._starts) <= epoch:
            self._starts.append(self._starts[-1] + len(self.epoch(len(self._starts) - 1)))
        return self._starts[epoch]

    def find(self, number: int) -> tuple[int, Row]:
        """Return the epoch of a row and its documents."""
        while self._starts[-1] <= number:
            self.start(len(self._starts))
        epoch = bisect_right(self._starts, number) - 1
        return epoch, self.epoch(epoch)[number - self._starts[epoch]]


class SolveRows:
    """The solve documents of one dataset of the mixture, which is `number` in it."""

    def __init__(self, documents: SolveDocuments, number: int, config: Config) -> None:
        self.documents, self.number, self.config = documents, number, config
        self.planned = lru_cache(maxsize=2)(self._planned)
        self.stream = Stream(self._pack)

    def row(self, number: int) -> list[Document]:
        """Return the documents of a row, each with its plan or without."""
        epoch, row = self.stream.find(number)
        planned = self.planned(epoch)
        found = [self.documents.document(int(index), bool(planned[index])) for index in row]
        return _renumbered(found, (self.config.train_seed, number, 7, self.number))

    def ids(self, number: int) -> list[str]:
        """Return the ids of the examples in a row."""
        ids = self.documents.shards.column("id")
        return [str(ids[int(index)]) for index in self.stream.find(number)[1]]

    def _pack(self, epoch: int) -> Packed:
        sizes = np.where(self.planned(epoch), self.documents.sizes[True], self.documents.sizes[False])
        # The other datasets' passes begin and end elsewhere: a large one would not come to its long documents.
        curriculum = self.config.train.curriculum if epoch == self.number == 0 else 0.0
        return pack_epoch(
            sizes, self.config.prepare.window, (self.config.train_seed, epoch, 0, self.number), curriculum
        )

    def _planned(self, epoch: int) -> NDArray[np.bool_]:
        """Which documents keep their plan in this epoch."""
        coins = np.random.default_rng((self.config.train_seed, epoch, 2, self.number)).random(len(self.documents))
        return coins >= self.config.train.no_plan


class JudgeRows:
    """The judge documents, which are of the main dataset alone."""

    def __init__(self, documents: JudgeDocuments, config: Config) -> None:
        self.documents, self.seed = documents, config.train_seed
        window = config.prepare.window
        self.stream = Stream(lambda epoch: pack_epoch(documents.sizes, window, (config.train_seed + 1, epoch)))
        self.hidden = lru_cache(maxsize=2)(self._hidden)

    def row(self, number: int) -> list[Document]:
        """Return the documents of a row, the validator's feedback shown in about half of them."""
        epoch, row = self.stream.find(number)
        hidden = self.hidden(epoch)
        found = [self.documents.document(int(index), bool(hidden[index])) for index in row]
        return _renumbered(found, (self.seed, number, 8))

    def ids(self, number: int) -> list[str]:
        """Return the ids of the examples whose attempts are in a row."""
        ids = self.documents.shards.column("example_id")
        return [str(ids[int(index)]) for index in self.stream.find(number)[1]]

    def _hidden(self, epoch: int) -> NDArray[np.bool_]:
        return np.random.default_rng((self.seed, epoch, 3)).random(len(self.documents)) < 0.5
