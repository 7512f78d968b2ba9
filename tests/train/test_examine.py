"""Data that training would stumble over is refused by file, record and column, whichever fold it is in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hrm_ray.errors import UserError
from hrm_ray.prepare import shards
from hrm_ray.prepare.shards import JUDGEMENTS, TOKENISED, Shards, part_name
from hrm_ray.prepare.tokenizer import Control
from hrm_ray.train.examine import examine
from tests.train.conftest import VOCABULARY, run_config, write_dataset

Row = dict[str, Any]


def plant(data: Path, fold: str, at: int, spoil: Callable[[Row], None]) -> None:
    """Spoil one row of the second part of a fold, or of the first part of judgements."""
    path = data / fold / part_name(0 if fold.startswith("judgements") else 1)
    whole = Shards(path.parent)
    rows = [whole.row(index) for index in range(len(whole)) if whole.path(index) == path]
    spoil(rows[at])
    shards.write(path, rows, JUDGEMENTS if fold.startswith("judgements") else TOKENISED)


def test_good_data_passes(dataset: Path, other: Path, tmp_path: Path) -> None:
    examine(run_config(dataset, tmp_path, mixture=[{"data": str(other), "weight": 0.4}]))


@pytest.mark.parametrize(
    ("fold", "column", "value", "sentence"),
    [
        (
            "train",
            "code_ids",
            [Control.CODE, VOCABULARY, Control.END],
            r"code_ids holds token 400, .* ends at 399",
        ),
        ("train", "context_ids", [Control.PATH, -1], r"context_ids holds token -1, and the vocabulary ends at 399"),
        ("train", "plan_ids", [Control.PLAN], r"plan_ids is empty, or nothing but markers"),
        ("train", "code_ids", [Control.CODE, Control.END], r"code_ids is empty, or nothing but markers"),
        ("train", "problem_ids", [], r"problem_ids is empty"),
        ("train", "plan_ids", None, r"plan_ids is empty"),
        (
            "train",
            "context_ids",
            [40] * 128,
            r"problem_ids \+ .* \+ code_ids is longer than .* 128 tokens",
        ),
        ("validation", "weight", float("nan"), r"weight is not a number from 0 on"),
        ("train", "weight", -1.0, r"weight is not a number from 0 on"),
        ("validation", "problem_ids", [10**9], r"problem_ids holds token 1000000000"),
        ("judgements/judge", "label", 3, r"label is none of the 3 decisions"),
        ("judgements/judge", "label", None, r"label is none of the 3 decisions"),
        ("judgements/validation", "label", -1, r"label is none of the 3 decisions"),
        ("judgements/judge", "feedback", "fine", r"feedback is none of hidden, valid, "),
        ("judgements/judge", "feedback", None, r"feedback is none of hidden, valid, "),
        ("judgements/judge", "attempt_ids", [Control.CODE, Control.JUDGE], r"attempt_ids is empty"),
        (
            "judgements/validation",
            "prefix_ids",
            [40] * 128,
            r"prefix_ids \+ attempt_ids is longer than .* 128 tokens",
        ),
    ],
)
def test_what_is_bad_is_named(tmp_path: Path, fold: str, column: str, value: object, sentence: str) -> None:
    data = write_dataset(tmp_path / "data")
    plant(data, fold, 3, lambda row: row.update({column: value}))
    judged = fold.startswith("judgements")
    record = f"{fold.split('/')[-1]}-{3 if judged else {'train': 33, 'validation': 9}[fold]:04d}"
    with pytest.raises(UserError, match=rf"{fold}/part-0000{0 if judged else 1}.arrow: record {record}: {sentence}"):
        examine(run_config(data, tmp_path / "runs"))


def test_what_is_mixed_in_is_looked_at_too(dataset: Path, tmp_path: Path) -> None:
    other = write_dataset(tmp_path / "mixed")
    plant(other, "train", 0, lambda row: row.update(code_ids=[99]))
    with pytest.raises(UserError, match=r"mixed/train/part-00001\.arrow: record train-0030: code_ids"):
        examine(run_config(dataset, tmp_path, mixture=[{"data": str(other), "weight": 0.4}]))


def test_what_is_held_out_is_not_mixed_in(dataset: Path, tmp_path: Path) -> None:
    other = write_dataset(tmp_path / "mixed", first=500)
    plant(other, "train", 2, lambda row: row.update(id="test-0007"))
    with pytest.raises(
        UserError, match=r"record test-0007: id is that of an example which .* holds out in its test fold"
    ):
        examine(run_config(dataset, tmp_path, mixture=[{"data": str(other), "weight": 0.4}]))
