"""Copying documents: a pure function of (data, seed, position), and their answer stands in their prefix."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from hrm_ray.errors import UserError
from hrm_ray.model.batch import Document, collate
from hrm_ray.model.hrm import HRM
from hrm_ray.prepare.tokenizer import FIRST_TEXT, Control, Tokenizer
from hrm_ray.train.copying import FEWEST, CopyRows
from hrm_ray.train.corpus import SolveDocuments
from hrm_ray.train.engine import PlainEngine
from hrm_ray.train.feed import Feed, open_feed
from hrm_ray.train.step import train_step
from tests.train.conftest import VOCABULARY, run_config


def feed(dataset: Path, runs: Path, rank: int = 0, world: int = 1) -> Feed:
    return open_feed(run_config(dataset, runs, copying_rows=1), rank, world)


def texts(row: list[Document]) -> list[tuple[int, ...]]:
    return [tuple(map(int, document.code)) for document in row]


def copies(dataset: Path, runs: Path, steps: int) -> list[Document]:
    made = feed(dataset, runs)
    return [one for position in range(steps) for one in made.rows(position)[-1]]


def test_the_answer_is_the_prefix_and_nothing_else_is_trained(dataset: Path, tmp_path: Path) -> None:
    documents = copies(dataset, tmp_path, 40)
    for one in documents:
        assert list(one.prefix) == [Control.BEFORE, *one.code, Control.CODE]
        assert FEWEST <= len(one.code) <= 128 // 4
    targets = collate(documents).targets
    assert int(targets.min()) >= FIRST_TEXT
    assert int(targets.max()) < VOCABULARY
    assert len(torch.unique(targets)) > 128


def test_the_other_rows_are_what_they_are_without_it(dataset: Path, tmp_path: Path) -> None:
    made, plain = feed(dataset, tmp_path), open_feed(run_config(dataset, tmp_path, rows=5))
    for position in range(made.horizon):
        *others, last = made.rows(position)
        assert [texts(row) for row in others] == [texts(row) for row in plain.rows(position)]
        assert all(one.prefix[-1] == Control.CODE for one in last)
        assert sum(one.size for one in last) <= 128
    assert made.horizon == plain.horizon
    assert made.example_ids(0) == plain.example_ids(0)


def test_any_number_of_ranks_sees_the_same_rows_at_once(dataset: Path, tmp_path: Path) -> None:
    alone, ranks = feed(dataset, tmp_path), [feed(dataset, tmp_path, rank, 4) for rank in range(4)]
    for position in (0, 3):
        dealt: list[object] = [None] * 6
        for rank, one in enumerate(ranks):
            dealt[rank::4] = [texts(row) for row in one.rows(position)]
        assert dealt == [texts(row) for row in alone.rows(position)]
    assert texts(alone.rows(0)[-1]) != texts(alone.rows(1)[-1])


def test_half_of_them_copy_what_training_examples_begin_from(dataset: Path, tmp_path: Path) -> None:
    solve = SolveDocuments(dataset, "train")
    given = [solve.shards.ids(at, "context_ids") for at in range(len(solve))]
    begins = {tuple(map(int, ids[1:]))[: 128 // 4] for ids in given if len(ids) > FEWEST}
    copied = [text in begins for text in texts(copies(dataset, tmp_path, 40))]
    assert 0.15 < sum(copied) / len(copied) < 0.6, "an example that begins from less is made up for"


def test_a_copy_fits_the_smallest_window(dataset: Path, tmp_path: Path) -> None:
    config = run_config(dataset, tmp_path, copying_rows=1)
    small = config.model_copy(update={"prepare": config.prepare.model_copy(update={"window": 64})})
    rows = CopyRows(SolveDocuments(dataset, "train"), Tokenizer.load(dataset / "tokenizer.json"), small)
    assert all(rows.row(position, 0) for position in range(12))


def test_rows_that_leave_none_for_the_changes_are_refused(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="copying_rows"):
        run_config(dataset, tmp_path, copying_rows=4)


def test_copies_have_a_loss_of_their_own_and_count_in_no_measure_of_code(dataset: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = run_config(dataset, tmp_path, rows=5)
    engine = PlainEngine(HRM(config.model, VOCABULARY), config.train)
    alone = train_step(engine, open_feed(config).micro_batches(0), config.train, 0.0, 5)
    made = feed(dataset, tmp_path)
    together = train_step(engine, made.micro_batches(0), made.train, 0.0, 5)
    for name in ("plan", "code", "refinement"):
        assert together.losses[name] == pytest.approx(alone.losses[name], rel=1e-5)
    assert together.bits_per_byte == pytest.approx(alone.bits_per_byte, rel=1e-5)
    assert alone.losses["copying"] is None
    copied = together.losses["copying"]
    assert copied is not None
    assert together.loss == pytest.approx(alone.loss + made.train.losses.copying * copied, rel=1e-5)
