"""Training on Ray Train workers: the numbers of the plain loop, one process or several, and bad news named."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from pathlib import Path
from typing import Any

import psutil
import pytest
from ray import cloudpickle

from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.files import locked
from hrm_ray.interrupts import interruptible
from hrm_ray.launch import train as launched
from hrm_ray.launch.command import train_all
from hrm_ray.launch.private import reachable
from hrm_ray.launch.train import RankError
from hrm_ray.settings import ConfigError
from hrm_ray.train import checkpoint, loop
from hrm_ray.train.loop import DivergedError, Watcher
from hrm_ray.train.step import StepResult
from tests.train.begun import begun, exported, prepared_for
from tests.train.conftest import Silent, run_config, write_dataset
from tests.train.test_examine import plant

STEPS = 4


def train(config: Config, watcher: Watcher | None = None) -> list[dict[str, Any]]:
    launched.train(config, "main", watcher or Silent())
    lines = map(json.loads, (config.run_dir / "metrics.jsonl").read_text().splitlines())
    return [line for line in lines if line["event"] in ("train", "validation")]


def numbers(lines: list[dict[str, Any]]) -> list[float]:
    losses = [line[key] for line in lines for key in sorted(line) if key.endswith(("loss", "per_byte", "objective"))]
    return [loss for loss in losses if loss is not None]


def config_for(dataset: Path, runs: Path, **changes: object) -> Config:
    settings = {"rows": 7, "max_steps": STEPS, "checkpoint": {"every": 2}, "validation": {"every": 2, "examples": 6}}
    return run_config(dataset, runs, **(settings | changes))


def test_two_workers_of_one_cpu_on_two_cpus_train_like_one_process(
    dataset: Path, tmp_path: Path, ray_session: None
) -> None:
    plain = train(config_for(dataset, tmp_path / "plain", workers=0))
    watcher = Silent()
    config = config_for(dataset, tmp_path / "two", workers=2, zero_stage=1)
    both = train(config, watcher)
    assert numbers(both) == pytest.approx(numbers(plain), rel=1e-5)
    assert [line["tokens"] for line in both if line["event"] == "train"] == [
        line["tokens"] for line in plain if line["event"] == "train"
    ]
    newest = checkpoint.newest(config.run_dir / "checkpoints", print)
    assert newest is not None
    assert len(list(newest.path.glob("optimizer-*.safetensors"))) == 2
    longer = {"max_steps": STEPS + 2}
    resumed = train(config_for(dataset, tmp_path / "two", workers=1, zero_stage=2, **longer), watcher)
    raised, sentence = watcher.sentences
    assert raised.startswith(
        f"{config.run_dir}: its horizon of {STEPS} steps is raised to {STEPS + 2}; from step {STEPS}"
    )
    assert sentence == f"resuming {config.run_dir.resolve()} after step {STEPS}"
    assert numbers(resumed)[: len(numbers(both))] == numbers(both)
    went_on = train(config_for(dataset, tmp_path / "plain", workers=0, **longer))
    assert numbers(resumed) == pytest.approx(numbers(went_on), rel=1e-5)
    rates = [[line["learning_rate"] for line in some if line["event"] == "train"] for some in (resumed, went_on)]
    assert rates[0] == rates[1], "the rate depends on the number of workers"


def test_workers_begin_with_the_weights_of_a_folder(
    dataset: Path, tmp_path: Path, ray_session: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, _ = exported(tmp_path / "source", run_config(dataset, tmp_path))
    data = prepared_for(source, dataset, tmp_path / "data")
    monkeypatch.chdir(tmp_path)  # which no worker stands in
    settings = {"rows": 7, "max_steps": 2, "checkpoint": {"every": 2}, "validation": {"every": 2, "examples": 6}}
    plain, both = (
        train(begun(data, tmp_path / name, Path(source.name), {}, **settings, **changes))
        for name, changes in (("plain", {}), ("both", {"workers": 2, "zero_stage": 3}))
    )
    assert numbers(both) == pytest.approx(numbers(plain), rel=1e-5)
    assert numbers(both) != pytest.approx(numbers(train(run_config(data, tmp_path / "fresh", **settings))), rel=1e-2)


def test_a_run_that_is_trained_starts_no_workers(dataset: Path, tmp_path: Path, ray_session: None) -> None:
    plain = train(config_for(dataset, tmp_path, workers=0))
    watcher = Silent()
    assert train(config_for(dataset, tmp_path, workers=2), watcher) == plain
    assert not (tmp_path / "run" / "ray").exists()


def test_a_request_that_can_never_be_met_is_refused_before_anything_is_written(
    dataset: Path, tmp_path: Path, ray_session: None
) -> None:
    config = config_for(dataset, tmp_path, workers=3, worker_cpus=2)
    with pytest.raises(
        UserError, match=r"train\.workers 3 with 2 CPU each is asked for, .* room for 1 on its 1 node\(s\): 2 CPU"
    ):
        train(config)
    with pytest.raises(UserError, match=r"with 1 CPU and 1 GPU each .* room for 0 .*: 2 CPU, 0 GPU in all"):
        train(config_for(dataset, tmp_path, workers=1, device="cuda"))
    assert not config.run_dir.exists()


def test_what_the_user_can_mend_is_found_before_workers_start(dataset: Path, tmp_path: Path, ray_session: None) -> None:
    train(config_for(dataset, tmp_path, workers=0))
    with pytest.raises(ConfigError, match=r"another train\.rows"):
        train(config_for(dataset, tmp_path, workers=2, rows=8))


def test_a_run_folder_is_for_one_process(dataset: Path, tmp_path: Path, ray_session: None) -> None:
    config = config_for(dataset, tmp_path, workers=0)
    with locked(config.run_dir), pytest.raises(UserError, match="another process is working in it"):
        train_all(config)
    train_all(config)


def test_data_that_cannot_be_used_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data")
    plant(data, "train", 3, lambda row: row.update(code_ids=[10**6]))
    config = config_for(data, tmp_path / "runs", workers=2)
    with pytest.raises(UserError, match=r"part-00001\.arrow: record train-0033: code_ids"):
        train_all(config)
    assert not config.run_dir.exists()


@pytest.mark.fault
def test_a_damaged_last_checkpoint_is_trained_again(dataset: Path, tmp_path: Path) -> None:
    config = config_for(dataset, tmp_path, workers=0)
    train(config)
    assert launched.is_trained(config, STEPS)
    weights = config.run_dir / "checkpoints" / checkpoint.folder_name(STEPS) / "weights-00000.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    assert not launched.is_trained(config, STEPS)


class Killer(Silent):
    """Stops a training worker as soon as the first step is made, and kills it once it is said to be late."""

    def advance(self, step: int, horizon: int, result: StepResult, tokens_per_second: float) -> None:
        if step != 1:
            return
        workers = (p for p in psutil.Process().children(recursive=True) if "RayTrainWorker" in " ".join(p.cmdline()))
        self.worker = next(workers)
        self.beyond = reachable()
        self.worker.suspend()

    def say(self, sentence: str) -> None:
        super().say(sentence)
        self.worker.kill()


@pytest.mark.fault
def test_a_rank_that_is_late_or_killed_is_named(dataset: Path, tmp_path: Path, ray_session: None) -> None:
    config = config_for(dataset, tmp_path, workers=2, max_steps=10_000, epochs=10_000, late_seconds=5)
    watcher = Killer()
    with pytest.raises(RankError, match=r"rank [01] died without a word: killed, ") as caught:
        train(config, watcher)
    assert not watcher.worker.is_running()
    assert watcher.beyond == set(), "ranks listen beyond the loopback"
    [said] = watcher.sentences  # the rank that only lost the other one is not the news
    [late] = re.findall(r"rank \d", said)
    assert str(caught.value).startswith(late)


class Interrupter(Silent):
    """Interrupts this process as soon as the first step is made."""

    def advance(self, step: int, horizon: int, result: StepResult, tokens_per_second: float) -> None:
        if step == 1:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.fault
def test_an_interrupt_is_one_and_later_ones_are_too(dataset: Path, tmp_path: Path, ray_session: None) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(config_for(dataset, tmp_path / "long", workers=2, max_steps=10_000, epochs=10_000), Interrupter())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    train(config_for(dataset, tmp_path / "short", workers=2))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("code", [15, "disk is full"])
def test_another_exit_is_no_interrupt(code: object) -> None:
    """Ray ends a driver on SIGTERM by an exit with its number."""
    with pytest.raises(SystemExit) as caught, interruptible():
        raise SystemExit(code)
    assert caught.value.code == code


class ImmobileError(Exception):
    """Cannot be pickled: it holds a lock and is made of two values."""

    def __init__(self, what: str, world: int) -> None:
        super().__init__(f"{what}, {world} ranks")
        self.lock = threading.Lock()


def fails_on_rank_1(config: Config, world: int, watcher: Any) -> None:
    if watcher.rank == 1:
        raise ImmobileError("on purpose", world)
    loop.train(config.model_copy(update={"train": config.train.model_copy(update={"workers": 0})}), "main", Silent())


def diverges(config: Config, world: int, watcher: Any) -> None:
    raise DivergedError("5 batches in a row were not finite")


@pytest.fixture
def by_value() -> Any:
    """Workers get the module as it is patched here, not as it is on disk."""
    cloudpickle.register_pickle_by_value(launched)
    yield
    cloudpickle.unregister_pickle_by_value(launched)


@pytest.mark.fault
def test_bad_news_of_a_rank_comes_first_and_named(
    dataset: Path, tmp_path: Path, ray_session: None, monkeypatch: pytest.MonkeyPatch, by_value: None
) -> None:
    monkeypatch.setattr(launched, "train_as_rank", fails_on_rank_1)
    watcher = Silent()
    with pytest.raises(RankError) as caught:
        train(config_for(dataset, tmp_path, workers=2), watcher)
    sentence = re.compile(r"rank 1 \(pid (\d+) on .+\) failed: ImmobileError: on purpose, 2 ranks")
    [said] = [sentence.fullmatch(line) for line in watcher.sentences]
    assert said is not None
    assert int(said[1]) != os.getpid()
    assert str(caught.value).startswith(said[0])
    assert "in fails_on_rank_1" in str(caught.value), "the rank's own traceback is missing"


def test_what_the_user_can_mend_stays_so_on_a_worker(
    dataset: Path, tmp_path: Path, ray_session: None, monkeypatch: pytest.MonkeyPatch, by_value: None
) -> None:
    monkeypatch.setattr(launched, "train_as_rank", diverges)
    with pytest.raises(UserError, match=r"rank [01]: 5 batches in a row"):
        train(config_for(dataset, tmp_path, workers=2))
