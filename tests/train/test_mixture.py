"""Which dataset a row comes from is found at once, and each has its share of any stretch of rows."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.prepare import card
from hrm_ray.settings import ConfigError
from hrm_ray.train import loop
from hrm_ray.train.corpus import read_datasets
from hrm_ray.train.feed import Feed, open_feed
from hrm_ray.train.mixture import Mixture
from tests.train.conftest import FOLDS, Silent, run_config, write_dataset

WEIGHTS = [[0.3], [0.5, 0.25], [0.1, 0.2, 0.3], [0.001, 0.9]]


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("seed", [0, 1])
def test_rows_are_numbered_without_gaps_in_each_dataset(weights: list[float], seed: int) -> None:
    mixture, seen = Mixture(weights, seed), Counter[int]()
    for row in range(3000):
        dataset, own = mixture.find(row)
        assert own == seen[dataset]
        seen[dataset] += 1


@given(st.sampled_from(WEIGHTS), st.integers(0, 10**12), st.integers(1, 5000))
def test_any_stretch_of_rows_has_the_shares(weights: list[float], first: int, count: int) -> None:
    mixture = Mixture(weights, 3)
    seen = Counter(mixture.find(row)[0] for row in range(first, first + count))
    for number, weight in enumerate([1 - sum(weights), *weights]):
        assert abs(seen[number] - count * weight) <= len(weights) + 1


@given(st.sampled_from(WEIGHTS), st.integers(1, 10**12))
def test_the_rows_that_an_epoch_needs_are_the_fewest(weights: list[float], own: int) -> None:
    mixture = Mixture(weights, 3)
    last = mixture.until(own) - 1
    assert mixture.find(last) == (0, own - 1)
    assert mixture.until(0) == 0


def mixed(dataset: Path, other: Path, runs: Path, **train: object) -> Config:
    return run_config(dataset, runs, **({"mixture": [{"data": str(other), "weight": 0.4}], "no_plan": 0} | train))


def solved(feed: Feed, position: int) -> list[str]:
    return [ident for ident in feed.example_ids(position) if ident.startswith("train-")]


def test_an_epoch_is_one_of_the_main_dataset(dataset: Path, other: Path, tmp_path: Path) -> None:
    """The fold `train` of `dataset` is train-0000 to -0059, that of `other` train-0500 to -0559."""
    feed = open_feed(mixed(dataset, other, tmp_path, epochs=3))
    for epoch in range(3):
        ids = [i for p in range(feed.start(epoch), feed.start(epoch + 1)) for i in solved(feed, p)]
        own = [ident for ident in ids if ident < "train-0500"]
        assert sorted(own) == [f"train-{index:04d}" for index in range(FOLDS["train"])]
        assert len(own) < len(ids)
    everything = Counter(i for p in range(feed.horizon) for i in solved(feed, p) if i >= "train-0500")
    assert len(everything) == FOLDS["train"]
    assert max(everything.values()) - min(everything.values()) <= 1, "the other one goes round and round"


def test_a_step_of_a_mixture_is_found_at_once_by_any_rank(dataset: Path, other: Path, tmp_path: Path) -> None:
    config = mixed(dataset, other, tmp_path, epochs=5, rows=7, micro_rows=2)
    walked = open_feed(config)
    history = [walked.rows(position) for position in range(walked.horizon)]
    for world in (1, 2, 9):
        last = len(history) - 1
        dealt = [open_feed(config, rank, world).rows(last) for rank in range(world)]
        together = [dealt[index % world][index // world] for index in range(7)]
        assert [[list(d.code) for d in row] for row in together] == [[list(d.code) for d in row] for row in history[-1]]


def test_a_curriculum_is_of_the_first_epoch_of_the_main_dataset(dataset: Path, other: Path, tmp_path: Path) -> None:
    """However far the others come meanwhile: of a large one, a tenth of a pass would be its short documents alone."""

    def order(curriculum: float, number: int, epoch: int) -> list[int]:
        rows = open_feed(mixed(dataset, other, tmp_path, curriculum=curriculum)).solve[number]
        return [rows.documents.sizes[True][index] for index in rows.stream.epoch(epoch).documents]

    assert max(order(1.0, 0, 0)[:10]) < min(order(1.0, 0, 0)[-10:])
    for number, epoch in ((0, 1), (1, 0), (1, 1)):
        assert order(1.0, number, epoch) == order(0.0, number, epoch)


def test_judge_rows_are_of_the_main_dataset(dataset: Path, other: Path, tmp_path: Path) -> None:
    plain, mixture = open_feed(run_config(dataset, tmp_path)), open_feed(mixed(dataset, other, tmp_path))
    for position in range(5):
        judged = [[list(d.prefix) for row in feed.rows(position)[4:] for d in row] for feed in (plain, mixture)]
        assert judged[0] == judged[1]


def test_what_cannot_be_mixed_is_refused_by_name(dataset: Path, tmp_path: Path) -> None:
    for key, value, sentence in (
        ("tokenizer", {"vocab_size": 64, "sha256": "another"}, r"another: was prepared with another tokenizer than .*"),
        ("settings", {"seed": 0, "prepare": {"window": 256}}, r"another: was prepared for a window of 256, .* of 128"),
    ):
        other = write_dataset(tmp_path / key / "another")
        (other / card.CARD).write_text(json.dumps(card.read(other) | {key: value}))
        with pytest.raises(UserError, match=sentence):
            read_datasets(mixed(dataset, other, tmp_path))


def test_another_spelling_of_a_folder_is_no_other_folder(
    dataset: Path, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop.train(mixed(dataset, other, tmp_path / "runs", max_steps=2), "main", Silent())
    monkeypatch.chdir(tmp_path)
    data, added = (Path(os.path.relpath(folder)) for folder in (dataset, other))
    watcher = Silent()
    loop.train(mixed(data, added, Path("runs"), max_steps=2), "main", watcher)
    assert watcher.sentences == ["runs/run is trained to its end already"]
    with pytest.raises(ConfigError, match="is not the dataset"):
        loop.train(mixed(added, data, Path("runs"), max_steps=2), "main", Silent())


def test_another_dataset_in_the_mixture_is_refused_on_resume(dataset: Path, tmp_path: Path) -> None:
    other = write_dataset(tmp_path / "other", first=500, ident="def")
    config = mixed(dataset, other, tmp_path, max_steps=2)
    loop.train(config, "main", Silent())
    write_dataset(other, first=500, ident="ghi")
    with pytest.raises(ConfigError, match=r"other: is not the dataset that .* was started on"):
        loop.train(config, "main", Silent())
