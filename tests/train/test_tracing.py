"""A trace is valid JSON of the steps asked for, and the run is bit for bit that of a run without."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from hrm_ray.settings import ConfigError
from hrm_ray.train import loop
from tests.train.conftest import UNLIKE, Silent, run_config
from tests.train.test_loop import assert_bit_equal, final, lines

RANK_0 = Path("profile") / "rank-0.json.gz"


def test_steps_are_traced_without_a_change(dataset: Path, tmp_path: Path) -> None:
    plain = run_config(dataset, tmp_path / "plain", max_steps=4)
    traced = run_config(dataset, tmp_path / "traced", max_steps=4, profile=[2, 3])
    watcher = Silent()
    loop.train(plain, "main", Silent())
    loop.train(traced, "main", watcher)
    path = traced.run_dir / RANK_0
    assert watcher.sentences == [f"steps 2 to 3 are traced in {path}; chrome://tracing or Perfetto shows it"]
    events = json.loads(gzip.decompress(path.read_bytes()))["traceEvents"]
    assert sum(event["name"].startswith("Optimizer.step#AdamW") for event in events if "name" in event) == 2
    assert_bit_equal(final(plain), final(traced))
    for a, b in zip(lines(plain, "train"), lines(traced, "train"), strict=True):
        assert {k: v for k, v in a.items() if k not in UNLIKE} == {k: v for k, v in b.items() if k not in UNLIKE}
    assert not (plain.run_dir / "profile").exists()


def test_a_resumed_run_traces_what_is_left(dataset: Path, tmp_path: Path) -> None:
    watcher = Silent()
    loop.train(run_config(dataset, tmp_path, max_steps=2), "main", watcher)
    config = run_config(dataset, tmp_path, max_steps=4, profile=[1, 9])
    loop.train(config, "main", watcher)
    assert watcher.sentences[-1].startswith("steps 3 to 4 are traced in ")
    assert (config.run_dir / RANK_0).exists()


def test_a_trace_beyond_the_end_is_told(dataset: Path, tmp_path: Path) -> None:
    watcher = Silent()
    config = run_config(dataset, tmp_path, max_steps=1, profile=[5, 6])
    loop.train(config, "main", watcher)
    assert watcher.sentences == ["train.profile [5, 6] lies beyond the run's 1 steps: nothing is traced"]
    assert not (config.run_dir / "profile").exists()


@pytest.mark.fault
def test_a_run_that_ends_in_a_traced_step_leaves_its_trace(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverge(*_: object) -> None:
        raise loop.DivergedError("all is lost")

    config = run_config(dataset, tmp_path, max_steps=2, profile=[1, 2])
    monkeypatch.setattr(loop, "train_step", diverge)
    with pytest.raises(loop.DivergedError, match="all is lost"):
        loop.train(config, "main", Silent())
    assert json.loads(gzip.decompress((config.run_dir / RANK_0).read_bytes()))["traceEvents"]


def test_a_trace_that_ends_before_it_begins_is_refused(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"profile \[3, 2\] ends before it begins"):
        run_config(dataset, tmp_path, profile=[3, 2])
    with pytest.raises(ConfigError, match="to names one twice"):
        run_config(dataset, tmp_path, log={"to": ["wandb", "wandb"]})
