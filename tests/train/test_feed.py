"""What a step sees is a pure function of (data, seed, position)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from hrm_ray.config import Config
from hrm_ray.model.batch import Document
from hrm_ray.model.refinement import FEEDBACK, HIDDEN
from hrm_ray.prepare.tokenizer import Control
from hrm_ray.train.corpus import SolveDocuments
from hrm_ray.train.feed import Feed, empty_places, open_feed
from tests.train.conftest import FOLDS, run_config


def make_feed(dataset: Path, runs: Path, **train: object) -> Feed:
    config: Config = run_config(dataset, runs, **train)
    return open_feed(config)


def key(document: Document) -> tuple[int, ...]:
    return (*map(int, document.prefix), *map(int, document.plan), *map(int, document.code))


def test_an_epoch_sees_every_example_once(dataset: Path, tmp_path: Path) -> None:
    feed = make_feed(dataset, tmp_path, no_plan=0.0)
    steps = feed.start(1)
    seen = Counter(key(d) for p in range(steps) for row in feed.rows(p) for d in row if d.decision is None)
    assert len(seen) == FOLDS["train"]
    assert set(seen.values()) == {1}
    assert feed.horizon == feed.start(2) > steps


def test_epochs_differ_and_a_position_is_found_without_the_ones_before(dataset: Path, tmp_path: Path) -> None:
    walked, jumped = make_feed(dataset, tmp_path), make_feed(dataset, tmp_path)
    history = [[key(d) for row in walked.rows(p) for d in row] for p in range(walked.horizon + 3)]
    last = len(history) - 1
    assert [key(d) for row in jumped.rows(last) for d in row] == history[last]
    assert history[0] != history[walked.start(1)]


def test_rows_fit_the_window_and_the_share_of_judge_rows_is_fixed(dataset: Path, tmp_path: Path) -> None:
    feed = make_feed(dataset, tmp_path)
    for position in range(feed.start(1) - 1):
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
    assert open_feed(config).example_ids(0) != open_feed(other).example_ids(0)


def test_a_steps_examples_are_named_the_judged_ones_too(dataset: Path, tmp_path: Path) -> None:
    feed = make_feed(dataset, tmp_path, no_plan=0.0)
    solve, judge = feed.solve[0].documents.shards, feed.judge.documents.shards
    names = {tuple(row["code_ids"]): row["id"] for row in map(solve.row, range(len(solve)))}
    names |= {tuple(row["attempt_ids"]): row["example_id"] for row in map(judge.row, range(len(judge)))}
    for position in (0, 3, feed.start(1) - 1):
        found = [names[tuple(map(int, d.code))] for row in feed.rows(position) for d in row]
        assert feed.example_ids(position) == found
        assert {ident.split("-")[0] for ident in found} == {"train", "judge"}


@pytest.mark.parametrize(("rows", "micro_rows", "world"), [(7, 4, 1), (7, 2, 3), (3, 2, 5), (5, 5, 2), (6, 2, 3)])
def test_any_rows_and_any_number_of_ranks_make_one_step(
    dataset: Path, tmp_path: Path, rows: int, micro_rows: int, world: int
) -> None:
    """Ranks beyond the rows have empty ones, and all make equally many micro-batches."""
    config = run_config(dataset, tmp_path, rows=rows, micro_rows=micro_rows, judge_rows=1)
    alone, ranks = open_feed(config), [open_feed(config, rank, world) for rank in range(world)]
    places = ranks[0].train.micro_rows * sum(len(feed.micro_batches(0)) for feed in ranks)
    assert empty_places(config.train, world) == places - rows
    for position in (0, 1, alone.start(1) - 1):
        dealt = [feed.rows(position) for feed in ranks]
        together = [dealt[index % world][index // world] for index in range(rows)]
        assert [[key(d) for d in row] for row in together] == [[key(d) for d in row] for row in alone.rows(position)]
        assert len({len(feed.micro_batches(position)) for feed in ranks}) == 1


def test_the_shortest_documents_come_first_and_every_one_once(dataset: Path, tmp_path: Path) -> None:
    def sizes(curriculum: float, epoch: int) -> list[int]:
        feed = make_feed(dataset, tmp_path, no_plan=0.0, curriculum=curriculum)
        steps = range(feed.start(epoch), feed.start(epoch + 1))
        return [d.size for p in steps for row in feed.rows(p) for d in row if d.decision is None]

    ordered, plain = sizes(1.0, 0), sizes(0.0, 0)
    assert sorted(ordered) == sorted(plain)
    assert max(ordered[:10]) < min(ordered[-10:])
    assert sizes(1.0, 1) == sizes(0.0, 1), "the second epoch has no curriculum"


def test_the_horizon_ends_at_max_steps_without_looking_further(dataset: Path, tmp_path: Path) -> None:
    feed = make_feed(dataset, tmp_path, epochs=10**9, max_steps=20)
    assert feed.horizon == 20
    assert make_feed(dataset, tmp_path, epochs=1, max_steps=10**9).horizon == feed.start(1)
