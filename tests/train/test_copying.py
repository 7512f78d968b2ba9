"""Copying documents: a pure function of (data, seed, position), and their answer stands in their prefix."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from hrm_ray.config import Copying
from hrm_ray.errors import UserError
from hrm_ray.model.batch import Document, collate
from hrm_ray.model.hrm import HRM
from hrm_ray.prepare.tokenizer import FIRST_TEXT, Control
from hrm_ray.train.copying import SHORT, CopyRows
from hrm_ray.train.corpus import SolveDocuments
from hrm_ray.train.cost import expected_steps
from hrm_ray.train.engine import PlainEngine
from hrm_ray.train.feed import Feed, open_feed
from hrm_ray.train.step import train_step
from tests.train.conftest import VOCABULARY, run_config

STEPS = 4


def feed(dataset: Path, runs: Path, rank: int = 0, world: int = 1, **copying: object) -> Feed:
    settings = Copying.model_validate({"steps": STEPS, "rows": 1, **copying})
    return open_feed(run_config(dataset, runs, copying=settings.model_dump()), rank, world)


def texts(row: list[Document]) -> list[tuple[int, ...]]:
    return [tuple(map(int, document.code)) for document in row]


def test_the_answer_is_the_prefix_and_nothing_else_is_trained(dataset: Path, tmp_path: Path) -> None:
    documents = [one for row in feed(dataset, tmp_path).rows(0) for one in row]
    for one in documents:
        assert list(one.prefix) == [Control.BEFORE, *one.code, Control.CODE]
        assert SHORT[0] <= len(one.code) <= SHORT[1]
    targets = collate(documents).targets
    assert int(targets.min()) >= FIRST_TEXT
    assert int(targets.max()) < VOCABULARY
    assert len(torch.unique(targets)) > 128


def test_the_first_steps_hold_nothing_else_and_later_ones_some_rows(dataset: Path, tmp_path: Path) -> None:
    made = feed(dataset, tmp_path)
    plain = open_feed(run_config(dataset, tmp_path, rows=5))
    for position in range(made.start(0), made.horizon):
        *others, last = made.rows(position)
        assert [texts(row) for row in others] == [texts(row) for row in plain.rows(position - STEPS)]
        assert all(one.prefix[-1] == Control.CODE for one in last)
    assert (made.start(0), made.horizon) == (STEPS, STEPS + plain.horizon)
    assert all(one.prefix[-1] == Control.CODE for row in made.rows(STEPS - 1) for one in row)
    assert [made.epoch(position) for position in (0, STEPS - 1, STEPS)] == [0, 0, 0]
    assert made.example_ids(0) == []
    assert made.example_ids(STEPS) == plain.example_ids(0)


def test_any_number_of_ranks_sees_the_same_rows_at_once(dataset: Path, tmp_path: Path) -> None:
    alone, ranks = feed(dataset, tmp_path), [feed(dataset, tmp_path, rank, 4) for rank in range(4)]
    for position in (0, STEPS - 1, STEPS, STEPS + 3):
        dealt: list[object] = [None] * 6
        for rank, one in enumerate(ranks):
            dealt[rank::4] = [texts(row) for row in one.rows(position)]
        assert dealt == [texts(row) for row in alone.rows(position)]
    assert texts(alone.rows(0)[0]) != texts(alone.rows(1)[0])


@pytest.mark.parametrize("real", [0.0, 1.0])
def test_later_rows_copy_what_training_examples_begin_from_by_their_share(
    real: float, dataset: Path, tmp_path: Path
) -> None:
    made, solve = feed(dataset, tmp_path, real=real), SolveDocuments(dataset, "train")
    given = [solve.shards.ids(at, "context_ids") for at in range(len(solve))]
    begins = {tuple(map(int, ids[1:])) for ids in given if len(ids) > SHORT[0]}
    rows = [made.rows(position)[-1] for position in range(STEPS, STEPS + 20)]
    copied = [text in begins for row in rows for text in texts(row)]
    assert any(copied) == bool(real)
    assert 0.1 < sum(copied) / len(copied) < 0.9 or not real, "an example that begins from less is made up for"
    assert all(sum(one.size for one in row) <= 128 for row in rows)


def test_a_copy_fits_the_smallest_window(dataset: Path, tmp_path: Path) -> None:
    config = run_config(dataset, tmp_path, copying={"steps": STEPS, "rows": 1, "real": 1.0})
    small = config.model_copy(update={"prepare": config.prepare.model_copy(update={"window": 64})})
    rows = CopyRows(SolveDocuments(dataset, "train"), VOCABULARY, small)
    assert all(rows.row(position, 0) for position in range(3 * STEPS))


def test_rows_that_leave_none_for_the_changes_are_refused(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"copying\.rows"):
        feed(dataset, tmp_path, rows=4)


def test_copies_have_a_loss_of_their_own_and_count_in_no_measure_of_code(dataset: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = run_config(dataset, tmp_path, rows=5)
    engine = PlainEngine(HRM(config.model, VOCABULARY), config.train)
    alone = train_step(engine, open_feed(config).micro_batches(0), config.train, 0.0, 5)
    made = feed(dataset, tmp_path)
    together = train_step(engine, made.micro_batches(STEPS), made.train, 0.0, 5)
    for name in ("plan", "code", "refinement"):
        assert together.losses[name] == pytest.approx(alone.losses[name], rel=1e-5)
    assert together.bits_per_byte == pytest.approx(alone.bits_per_byte, rel=1e-5)
    assert alone.losses["copying"] is None
    copied = together.losses["copying"]
    assert copied is not None
    assert together.loss == pytest.approx(alone.loss + made.train.losses.copying * copied, rel=1e-5)


def test_a_run_of_copies_alone_is_refused(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"copying\.steps 4"):
        run_config(dataset, tmp_path, max_steps=STEPS, copying={"steps": STEPS})


def test_what_a_run_will_cost_counts_its_copies(dataset: Path, tmp_path: Path) -> None:
    without = expected_steps(run_config(dataset, tmp_path, rows=5))
    assert expected_steps(run_config(dataset, tmp_path, copying={"steps": 9, "rows": 1})) == without + 9
