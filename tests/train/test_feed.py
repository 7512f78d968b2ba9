"""What a step sees is a pure function of (data, seed, position)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm_ray.config import Config
from hrm_ray.model.batch import Document
from hrm_ray.model.refinement import FEEDBACK, HIDDEN
from hrm_ray.prepare.tokenizer import Control
from hrm_ray.train.corpus import JudgeDocuments, SolveDocuments
from hrm_ray.train.feed import Feed, first_fit, pack_epoch
from tests.train.conftest import FOLDS, run_config


def make_feed(dataset: Path, runs: Path, **train: object) -> Feed:
    config: Config = run_config(dataset, runs, **train)
    return Feed(SolveDocuments(dataset, "train"), JudgeDocuments(dataset, "judge"), config)


def key(document: Document) -> tuple[int, ...]:
    return (*map(int, document.prefix), *map(int, document.plan), *map(int, document.code))


@given(st.lists(st.integers(1, 100), max_size=200))
def test_first_fit_packs_everything_once_within_the_window(sizes: list[int]) -> None:
    rows = first_fit(np.array(sizes, np.int64), 100)
    assert sorted(index for row in rows for index in row) == list(range(len(sizes)))
    assert all(0 < sum(sizes[index] for index in row) <= 100 for row in rows)


def test_packing_wastes_little() -> None:
    sizes = np.random.default_rng(0).integers(50, 600, 2000)
    rows = pack_epoch(sizes, 1024, (0, 0))
    assert sizes.sum() / (1024 * len(rows)) > 0.97


def test_an_epoch_sees_every_example_once(dataset: Path, tmp_path: Path) -> None:
    feed = make_feed(dataset, tmp_path, no_plan=0.0)
    steps = feed.solve.steps(0)
    seen = Counter(key(d) for p in range(steps) for row in feed.rows(p) for d in row if d.decision is None)
    assert len(seen) == FOLDS["train"]
    assert set(seen.values()) == {1}
    assert feed.horizon == steps + feed.solve.steps(1)


def test_epochs_differ_and_a_position_is_found_without_the_ones_before(dataset: Path, tmp_path: Path) -> None:
    walked, jumped = make_feed(dataset, tmp_path), make_feed(dataset, tmp_path)
    history = [[key(d) for row in walked.rows(p) for d in row] for p in range(walked.horizon + 3)]
    last = len(history) - 1
    assert [key(d) for row in jumped.rows(last) for d in row] == history[last]
    assert history[0] != history[walked.solve.steps(0)]


def test_rows_fit_the_window_and_the_share_of_judge_rows_is_fixed(dataset: Path, tmp_path: Path) -> None:
    feed = make_feed(dataset, tmp_path)
    for position in range(feed.solve.steps(0) - 1):
        rows = feed.rows(position)
        assert all(sum(d.size for d in row) <= 128 for row in rows)
        judging = [any(d.decision is not None for d in row) for row in rows]
        assert judging == [False] * 4 + [True] * 2


def test_micro_batches_hold_the_rows_in_order(dataset: Path, tmp_path: Path) -> None:
    feed = make_feed(dataset, tmp_path)
    tokens = [token for row in feed.rows(0) for d in row for token in key(d)]
    batches = feed.micro_batches(0)
    assert len(batches) == 3
    assert [int(token) for batch in batches for token in batch.ids] == tokens


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_plans_are_left_out_by_the_share_asked_for(dataset: Path, tmp_path: Path, share: float) -> None:
    rows = make_feed(dataset, tmp_path, no_plan=share).rows(0)
    solve = [d for row in rows for d in row if d.decision is None]
    assert all((d.prefix[-1] == Control.DIRECT) == (share == 1.0) == (len(d.plan) == 0) for d in solve)


def test_feedback_is_hidden_half_of_the_time(dataset: Path, tmp_path: Path) -> None:
    feed = make_feed(dataset, tmp_path, epochs=20)
    shown = Counter(
        FEEDBACK[d.feedback] for p in range(60) for row in feed.rows(p) for d in row if d.decision is not None
    )
    assert set(shown) == {HIDDEN, "valid"}
    assert 0.4 < shown[HIDDEN] / shown.total() < 0.6


def test_documents_are_the_columns_and_nothing_else(dataset: Path) -> None:
    documents = SolveDocuments(dataset, "train")
    row, document = documents.shards.row(37), documents.document(37)
    assert list(document.prefix) == row["problem_ids"] + row["context_ids"]
    assert (list(document.plan), list(document.code)) == (row["plan_ids"], row["code_ids"])
    assert document.weight == pytest.approx(row["weight"])
    assert documents.sizes[True][37] == document.size
    assert documents.sizes[False][37] == documents.document(37, with_plan=False).size


def test_the_seed_decides(dataset: Path, tmp_path: Path) -> None:
    config = run_config(dataset, tmp_path)
    other = config.model_copy(update={"seed": 1})
    folds = SolveDocuments(dataset, "train"), JudgeDocuments(dataset, "judge")
    assert Feed(*folds, config).example_ids(0) != Feed(*folds, other).example_ids(0)
