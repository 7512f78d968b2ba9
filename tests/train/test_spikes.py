"""A spike is found by past lines alone, named, counted, and found again after a resume."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrm_ray.config import Config
from hrm_ray.train import loop
from hrm_ray.train.engine import PlainEngine
from hrm_ray.train.spikes import FEWEST, Spikes
from tests.train.conftest import Silent, run_config
from tests.train.test_loop import lines


def after(*norms: float) -> Spikes:
    spikes = Spikes()
    for norm in norms:
        spikes.read({"event": "train", "gradient_norm": norm})
    return spikes


def test_a_spike_is_far_above_the_median_of_the_last() -> None:
    steady = after(*[1.0] * FEWEST)
    assert steady.has(4.1)
    assert not steady.has(4.0)
    assert not after(*[1.0] * (FEWEST - 1)).has(100.0), "too few to say"
    assert not after(*[1.0] * 50, *[10.0] * 26).has(39.0), "what is long past counts no more"
    assert after(*[1.0] * 20, *[100.0] * 19).has(5.0), "spikes move no median"


class Jumps(PlainEngine):
    """Its gradient is said to be a thousand times as long at the 13th and 15th step."""

    calls = 0

    def gradient_norm(self) -> float:
        type(self).calls += 1
        return super().gradient_norm() * (1000 if type(self).calls in (13, 15) else 1)


def test_spikes_are_counted_and_go_on_after_a_resume(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parted = (
        run_config(dataset, tmp_path / name, epochs=4, max_steps=16, checkpoint={"every": 14}) for name in "ab"
    )
    for config, stops in ((whole, [16]), (parted, [14, 16])):
        monkeypatch.setattr(loop, "PlainEngine", type("Jumping", (Jumps,), {"calls": 0}))
        for stop in stops:
            watcher = Silent()
            loop.train(cut(config, stop), "main", watcher)
        assert watcher.counts[-2:] == [(0, 2), (0, 2)], "of the run, not of this command"
    for config in (whole, parted):
        assert [line["step"] for line in lines(config, "spike")] == [13, 15]
        assert lines(config, "spike")[0]["examples"][0].startswith("train-")
        assert [line["spikes"] for line in lines(config, "train")] == [0] * 12 + [1, 1, 2, 2]


def cut(config: Config, steps: int) -> Config:
    return config.model_copy(update={"train": config.train.model_copy(update={"max_steps": steps})})
