"""The documents that training sees, by index, from a prepared dataset."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hrm_ray import settings
from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.model.batch import Document
from hrm_ray.model.refinement import FEEDBACK, HIDDEN
from hrm_ray.prepare import card
from hrm_ray.prepare.shards import Shards
from hrm_ray.prepare.tokenizer import Control

NOTHING = np.empty(0, np.int32)
DIRECT = np.array([Control.DIRECT], np.int32)

HARMLESS = {"input", "jsonl", "workers"}
"""Keys of `prepare` that do not change what it makes of the same pull requests."""


def read_dataset(config: Config) -> dict[str, Any]:
    """Return the dataset's `dataset.json`.

    Raises:
        UserError: the folder holds no prepared dataset, or one that was prepared with other settings.
    """
    facts = card.read(config.data)
    made, wanted = facts["settings"], config.prepare.model_dump(mode="json", exclude=HARMLESS)
    found = settings.relocated(made["prepare"], config.prepare.model_dump())
    differing = [f"prepare.{key}" for key, value in wanted.items() if found.get(key, value) != value]
    differing += ["seed"] if made["seed"] != config.seed else []
    if differing:
        raise UserError(
            f"{config.data}: was prepared with another {', '.join(differing)}; set it as it was, or run "
            "`hrm-ray prepare CONFIG` again"
        )
    return facts


def read_datasets(config: Config) -> list[dict[str, Any]]:
    """Return the `dataset.json` of each dataset of the run, the main one first.

    Raises:
        UserError: one of them is none, or cannot be mixed with the main one.
    """
    main, *others = [read_dataset(config), *(card.read(part.data) for part in config.train.mixture)]
    window = config.prepare.window
    for part, facts in zip(config.train.mixture, others, strict=True):
        if facts["tokenizer"]["sha256"] != main["tokenizer"]["sha256"]:
            raise UserError(
                f"{part.data}: was prepared with another tokenizer than {config.data}; prepare it again with "
                f"prepare.tokenizer_from: {config.data}"
            )
        if (other := facts["settings"]["prepare"]["window"]) != window:
            raise UserError(f"{part.data}: was prepared for a window of {other}, {config.data} for one of {window}")
    return [main, *others]


class SolveDocuments:
    """The examples of one fold as documents to be solved."""

    def __init__(self, dataset: Path, fold: str) -> None:
        self.shards = Shards(dataset / fold)

    def __len__(self) -> int:
        return len(self.shards)

    @cached_property
    def sizes(self) -> dict[bool, NDArray[np.int64]]:
        """Tokens of every document, with (True) and without (False) its plan."""
        lengths = {name: self.shards.lengths(name) for name in ("problem_ids", "context_ids", "plan_ids", "code_ids")}
        without = lengths["problem_ids"] + lengths["context_ids"] + lengths["code_ids"]
        return {True: without + lengths["plan_ids"], False: without + 1}

    @cached_property
    def _numbers(self) -> dict[str, NDArray[Any]]:
        return {name: self.shards.column(name).to_numpy() for name in ("weight", "plan_bytes", "code_bytes")}

    def prefix(self, index: int) -> NDArray[np.int32]:
        """Problem and context."""
        return np.concatenate((self.shards.ids(index, "problem_ids"), self.shards.ids(index, "context_ids")))

    def document(self, index: int, with_plan: bool = True) -> Document:
        """Return one example, with its plan or to be solved directly."""
        prefix, numbers = self.prefix(index), self._numbers
        return Document(
            prefix=prefix if with_plan else np.concatenate((prefix, DIRECT)),
            plan=self.shards.ids(index, "plan_ids") if with_plan else NOTHING,
            code=self.shards.ids(index, "code_ids"),
            weight=float(numbers["weight"][index]),
            plan_bytes=int(numbers["plan_bytes"][index]) if with_plan else 0,
            code_bytes=int(numbers["code_bytes"][index]),
        )


class JudgeDocuments:
    """The attempts of one fold as documents to be judged."""

    def __init__(self, dataset: Path, fold: str) -> None:
        self.shards = Shards(dataset / "judgements" / fold)

    def __len__(self) -> int:
        return len(self.shards)

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """Tokens of every document."""
        return self.shards.lengths("prefix_ids") + self.shards.lengths("attempt_ids")

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """The right decision of every document."""
        return self.shards.column("label").to_numpy().astype(np.int64)

    @cached_property
    def feedback(self) -> NDArray[np.int32]:
        """What the validator says of every attempt, as an index into `FEEDBACK`."""
        known = pc.index_in(self.shards.column("feedback"), value_set=pa.array(FEEDBACK))
        return known.to_numpy()

    def document(self, index: int, hidden: bool) -> Document:
        """Return one attempt, with the validator's feedback or without."""
        return Document(
            prefix=self.shards.ids(index, "prefix_ids"),
            plan=NOTHING,
            code=self.shards.ids(index, "attempt_ids"),
            decision=int(self.labels[index]),
            feedback=FEEDBACK.index(HIDDEN) if hidden else int(self.feedback[index]),
        )
