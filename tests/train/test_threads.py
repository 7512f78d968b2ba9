"""The threads of a run in one process: one for `tiny`, else what is faster at its beginning, and then always these."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from hrm_ray.config import Config
from hrm_ray.train import loop, threads
from hrm_ray.train.cost import measure
from tests.train.conftest import VOCABULARY, Silent, run_config


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def _many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "MOST", 16)


def sized(dataset: Path, runs: Path, size: str, **train: Any) -> Config:
    tiny = run_config(dataset, runs, **train)
    return tiny.model_copy(update={"model": tiny.model.model_copy(update={"size": size})})


def record(config: Config) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((config.run_dir / "run.json").read_text())
    return found


@pytest.mark.usefixtures("_many")
@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ({1: 8.0, 2: 4.2, 4: 2.3, 8: 1.2, 16: 0.7}, 16),
        ({1: 8.0, 2: 4.2, 4: 4.0, 8: 0.1}, 2),
        ({1: 1.0, 2: 9.0}, 1),
        ({1: 1.0, 2: 0.95}, 1),
    ],
)
def test_as_many_as_make_a_step_faster(dataset: Path, tmp_path: Path, seconds: dict[int, float], chosen: int) -> None:
    config = sized(dataset, tmp_path, "small")
    assert threads.choose(config, lambda: seconds[torch.get_num_threads()]) == chosen
    assert torch.get_num_threads() == chosen


@pytest.mark.usefixtures("_many")
def test_tiny_has_one_and_is_not_measured(dataset: Path, tmp_path: Path) -> None:
    torch.set_num_threads(2)
    config = run_config(dataset, tmp_path, max_steps=1)
    assert threads.choose(config, lambda: pytest.fail("measured")) == 1
    assert measure(config, VOCABULARY).threads == 1
    torch.set_num_threads(2)
    loop.train(config, "main", Silent())
    assert record(config)["threads"] == torch.get_num_threads() == 1


@pytest.mark.usefixtures("_many")
def test_what_was_measured_at_the_beginning_holds_on_every_resume(dataset: Path, tmp_path: Path) -> None:
    steps = {"checkpoint": {"every": 1}, "schedule": {"kind": "constant"}}
    config = sized(dataset, tmp_path, "small", max_steps=1, **steps)
    loop.train(config, "main", Silent())
    assert record(config)["threads"] in (1, 2, 4, 8, 16)
    cores = len(os.sched_getaffinity(0))
    for max_steps, known in ((2, 1), (3, cores)):
        (config.run_dir / "run.json").write_text(json.dumps(record(config) | {"threads": known}))
        watcher = Silent()
        loop.train(sized(dataset, tmp_path, "small", max_steps=max_steps, **steps), "main", watcher)
        assert record(config)["threads"] == torch.get_num_threads() == known
        assert not any("threads" in sentence for sentence in watcher.sentences)


def test_more_threads_than_this_machine_has_cores_are_chosen_anew_and_that_is_said(
    dataset: Path, tmp_path: Path
) -> None:
    config = run_config(dataset, tmp_path, max_steps=1, checkpoint={"every": 1})
    loop.train(config, "main", Silent())
    (config.run_dir / "run.json").write_text(json.dumps(record(config) | {"threads": 4096}))
    watcher = Silent()
    loop.train(config, "main", watcher)
    assert record(config)["threads"] == 1
    assert any("4096 threads" in sentence for sentence in watcher.sentences)
