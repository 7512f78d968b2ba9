"""Every rank gets the rows that the plain reader gives it, from where the dataset is or from a copy of it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import ray
import ray.train
from ray.train import RunConfig, ScalingConfig
from ray.train.v2.api.data_parallel_trainer import DataParallelTrainer

from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.files import sha256
from hrm_ray.interrupts import interruptible
from hrm_ray.launch import deal
from hrm_ray.model.batch import Batch
from hrm_ray.prepare import card
from hrm_ray.train.feed import open_feed
from tests.train.conftest import run_config

POSITIONS = range(30)
"""More than two epochs: last steps of an epoch, which lack rows, are among them."""


def digest(batches: list[Batch]) -> str:
    """Say which tensors `batches` hold."""
    seen = hashlib.sha256()
    for batch in batches:
        for name, value in vars(batch).items():
            seen.update(f"{name} {value if name == 'spans' else value.tolist()}".encode())
    return seen.hexdigest()


def write_digests(given: Mapping[str, Any]) -> None:
    """What each worker of the test runs."""
    context = ray.train.get_context()
    feed = open_feed(deal.localised(given["config"]), context.get_world_rank(), context.get_world_size())
    digests = [digest(feed.micro_batches(position)) for position in POSITIONS]
    (given["folder"] / f"{context.get_world_rank()}.json").write_text(json.dumps(digests))


@pytest.fixture
def whole(dataset: Path, tmp_path: Path) -> Path:
    """A dataset whose card names its shards, as `prepare` writes it."""
    folder = tmp_path / "whole"
    shutil.copytree(dataset, folder)
    facts = card.read(folder)
    facts["shards"] = {str(path.relative_to(folder)): sha256(path) for path in sorted(folder.rglob("*.arrow"))}
    (folder / card.CARD).write_text(json.dumps(facts))
    return folder


@pytest.mark.parametrize("world", [1, 2, 3])
def test_the_distributed_feed_is_the_plain_one(
    whole: Path, other: Path, tmp_path: Path, ray_session: None, world: int
) -> None:
    config = run_config(whole, tmp_path / "runs", micro_rows=1, mixture=[{"data": str(other), "weight": 0.4}])
    trainer = DataParallelTrainer(
        write_digests,
        train_loop_config={"config": config, "folder": tmp_path},
        scaling_config=ScalingConfig(num_workers=world, resources_per_worker={"CPU": 2 / world}),
        run_config=RunConfig(name="ray", storage_path=str(tmp_path / "runs")),
        datasets=deal.sources(config),
        dataset_config=deal.Deal(),
    )
    with interruptible():
        trainer.fit()
    for rank in range(world):
        plain = open_feed(config, rank, world)
        dealt = json.loads((tmp_path / f"{rank}.json").read_text())
        assert dealt == [digest(plain.micro_batches(position)) for position in POSITIONS]


def test_the_rows_of_all_ranks_are_the_step(whole: Path, tmp_path: Path) -> None:
    config: Config = run_config(whole, tmp_path / "runs")
    for world in (1, 2, 3, 4):
        feeds = [open_feed(config, rank, world) for rank in range(world)]
        for position in POSITIONS:
            dealt = [feed.rows(position) for feed in feeds]
            rows = [dealt[index % world][index // world] for index in range(config.train.rows)]
            assert [[d.size for d in row] for row in rows] == [
                [d.size for d in row] for row in open_feed(config).rows(position)
            ]
            assert len({len(feed.micro_batches(position)) for feed in feeds}) == 1


def test_a_node_that_does_not_see_the_dataset_fetches_it_once(
    whole: Path, tmp_path: Path, ray_session: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(deal, "CHUNK", 1000)
    corpus, honest = deal.source(whole), deal.fetch
    asked: list[str] = []

    def counted(corpus: deal.Corpus, name: str, *rest: Any) -> None:
        asked.append(name)
        honest(corpus, name, *rest)

    monkeypatch.setattr(deal, "fetch", counted)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(deal.fetched, [corpus, corpus])
    assert first == second != whole
    assert sorted(asked) == sorted([*corpus.shards, card.CARD])
    assert all(sha256(first / name) == sha256(whole / name) for name in asked)
    assert deal.sees(first, corpus)


@pytest.mark.fault
def test_a_shard_that_arrives_damaged_is_refused(
    whole: Path, tmp_path: Path, ray_session: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    corpus = deal.source(whole)
    name = next(iter(corpus.shards))
    content = bytearray((whole / name).read_bytes())
    content[len(content) // 2] ^= 1
    (whole / name).write_bytes(content)
    with pytest.raises(UserError, match=rf"{name}: damaged"):
        deal.fetched(corpus)
    assert not deal.sees(tmp_path / "cache" / "hrm-ray" / corpus.hash, corpus)


def test_another_dataset_in_the_same_folder_is_not_taken_for_it(whole: Path, ray_session: None) -> None:
    corpus = deal.source(whole)
    facts = card.read(whole) | {"hash": "another"}
    (whole / card.CARD).write_text(json.dumps(facts))
    assert not deal.sees(whole, corpus)
