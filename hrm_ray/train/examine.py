"""What training would stumble over, found before it begins: by columns, over the memory maps, once for each start."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.model.refinement import DECISIONS, FEEDBACK
from hrm_ray.prepare import card
from hrm_ray.prepare.shards import Shards
from hrm_ray.prepare.split import FOLDS
from hrm_ray.train import initial
from hrm_ray.train.corpus import read_datasets

CHUNK = 1 << 20
"""Tokens that are compared at a time where a bad one is looked for."""

SOLVE = {"problem_ids": 1, "context_ids": 1, "plan_ids": 2, "code_ids": 3}
"""Token columns of a solve document, with the fewest tokens of each: its markers, and one more of plan and code."""

JUDGE = {"prefix_ids": 2, "attempt_ids": 3}
"""The same of a judge document."""


def examine(config: Config) -> None:
    """Look at every row that training or its validation will open.

    Raises:
        UserError: a row cannot be used; the sentence names its file, record and column. Or `model.init_from` cannot.
    """
    datasets, window = read_datasets(config), config.prepare.window
    vocabulary = datasets[0]["tokenizer"]["vocab_size"]
    for data, facts in zip(config.datasets, datasets, strict=True):
        _examine_counts(data, facts.get("folds", {}))
    for folder in [config.data / "validation", *(data / "train" for data in config.datasets)]:
        _examine_solve(Shards(folder), vocabulary, window)
    for fold in ("judge", "validation"):
        _examine_judge(Shards(config.data / "judgements" / fold), vocabulary, window)
    for data in config.datasets[1:]:
        _examine_leak(Shards(data / "train"), config.data)
    initial.check(config)


def _examine_counts(data: Path, folds: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse shards of another dataset, which have other numbers of rows: sums of all would take minutes."""
    for fold, counted in folds.items():
        if (rows := len(Shards(data / fold))) != counted["examples"]:
            raise UserError(
                f"{data / fold}: holds {rows} examples, and {card.CARD} says {counted['examples']}; run `hrm-ray "
                "prepare` again"
            )


def _examine_solve(shards: Shards, vocabulary: int, window: int) -> None:
    found = Fold(shards, "id")
    found.refuse_tokens(SOLVE, vocabulary, window)
    weights = shards.column("weight").to_numpy()
    found.refuse(~(np.isfinite(weights) & (weights >= 0)), "weight", "is not a number from 0 on")


def _examine_judge(shards: Shards, vocabulary: int, window: int) -> None:
    found = Fold(shards, "example_id")
    found.refuse_tokens(JUDGE, vocabulary, window)
    labels = shards.column("label").to_numpy()  # a null is NaN here
    found.refuse(~((labels >= 0) & (labels < DECISIONS)), "label", f"is none of the {DECISIONS} decisions, from 0 on")
    known = pc.is_in(shards.column("feedback"), value_set=pa.array(FEEDBACK)).to_numpy()
    found.refuse(~known.astype(bool), "feedback", f"is none of {', '.join(FEEDBACK)}")


def _examine_leak(mixed: Shards, main: Path) -> None:
    """What the main dataset holds out must not be trained on by way of another one."""
    for fold in FOLDS[1:]:
        held = Shards(main / fold).column("id").combine_chunks()
        leaked = pc.is_in(mixed.column("id"), value_set=held).to_numpy().astype(bool)
        Fold(mixed, "id").refuse(leaked, "id", f"is that of an example which {main} holds out in its {fold} fold")


class Fold:
    """The rows of one fold; `ident` is the column that names a record."""

    def __init__(self, shards: Shards, ident: str) -> None:
        self.shards, self.ident = shards, ident

    def refuse_tokens(self, least: Mapping[str, int], vocabulary: int, window: int) -> None:
        """Refuse tokens outside the vocabulary, sections that say nothing, and documents larger than the window."""
        lengths = {column: self.shards.lengths(column) for column in least}
        for column, fewest in least.items():
            self.refuse(lengths[column] < fewest, column, "is empty, or nothing but markers")
            self._refuse_unknown(column, vocabulary)
        size = np.sum([*lengths.values()], axis=0)
        self.refuse(size > window, " + ".join(least), f"is longer than the window of {window} tokens")

    def refuse(self, bad: NDArray[np.bool_], column: str, why: str) -> None:
        """Name the first row that is bad, if there is one."""
        if bad.any():
            self._name(int(bad.argmax()), column, why)

    def _refuse_unknown(self, column: str, vocabulary: int) -> None:
        """Refuse a token that is none of the `vocabulary`: one pass over the map, and a copy of nothing."""
        row = 0
        for offsets, values in self.shards.views(column):
            ids = values[offsets[0] : offsets[-1]].view(np.uint32)  # a negative one is a very large one
            if ids.max(initial=0) >= vocabulary:
                starts = range(0, len(ids), CHUNK)
                start = next(start for start in starts if ids[start : start + CHUNK].max() >= vocabulary)
                at = start + int((ids[start : start + CHUNK] >= vocabulary).argmax())
                row += int(np.searchsorted(offsets - offsets[0], at, side="right")) - 1
                token = int(ids[at].view(np.int32))
                self._name(row, column, f"holds token {token}, and the vocabulary ends at {vocabulary - 1}")
            row += len(offsets) - 1

    def _name(self, row: int, column: str, why: str) -> None:
        path, record = self.shards.path(row), self.shards.column(self.ident)[row]
        raise UserError(f"{path}: record {record}: {column} {why}")
