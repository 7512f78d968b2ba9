"""The documents that training sees, by index, from a prepared dataset."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrm_ray.errors import UserError
from hrm_ray.model.batch import Document
from hrm_ray.model.refinement import FEEDBACK, HIDDEN
from hrm_ray.prepare.shards import Shards
from hrm_ray.prepare.tokenizer import Control

NOTHING = np.empty(0, np.int32)
DIRECT = np.array([Control.DIRECT], np.int32)


def read_dataset(folder: Path) -> dict[str, Any]:
    """Return the dataset's `dataset.json`.

    Raises:
        UserError: the folder holds no prepared dataset.
    """
    path = folder / "dataset.json"
    try:
        return json.loads(path.read_text("utf-8"))  # type: ignore[no-any-return]
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; run `hrm-ray prepare CONFIG` first") from error
    except json.JSONDecodeError as error:
        raise UserError(f"{path}: not valid JSON ({error})") from error


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
    def feedback(self) -> list[int]:
        """What the validator says of every attempt, as an index into `FEEDBACK`."""
        return [FEEDBACK.index(value) for value in self.shards.column("feedback").to_pylist()]

    def document(self, index: int, hidden: bool) -> Document:
        """Return one attempt, with the validator's feedback or without."""
        return Document(
            prefix=self.shards.ids(index, "prefix_ids"),
            plan=NOTHING,
            code=self.shards.ids(index, "attempt_ids"),
            decision=int(self.labels[index]),
            feedback=FEEDBACK.index(HIDDEN) if hidden else self.feedback[index],
        )
