"""All that a run can have, at once, on two Ray Train workers: each leaves its evidence in the run folder, and every
number is that of one plain process."""

from __future__ import annotations

import gzip
import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from hrm_ray.config import Config
from hrm_ray.launch import train as launched
from hrm_ray.train import loop, spikes
from hrm_ray.train.checkpoint import Loaded
from hrm_ray.train.feed import Feed, open_feed
from hrm_ray.train.loop import Watcher
from hrm_ray.train.sinks import OBJECTIVE
from hrm_ray.train.tracking import NAMES
from tests.launch.test_train import by_value
from tests.train.conftest import UNLIKE, Silent, run_config
from tests.train.test_loop import final, lines
from tests.train.test_zero import distance

__all__ = ["by_value"]

STEPS = 8
WORKERS = {"workers": 2, "zero_stage": 3, "profile": [2, 3]}
SINKS = ["tensorboard", *(name for name in ("wandb", "mlflow") if find_spec(name))]
RULE = {"FACTOR": 1.05, "FEWEST": 2}
"""By which a few honest gradient norms of so short a run are spikes."""


def everything(dataset: Path, other: Path, runs: Path, **where: Any) -> Config:
    return run_config(
        dataset,
        runs,
        rows=7,
        max_steps=STEPS,
        epochs=9,
        ema={"decay": 0.9},
        curriculum=0.7,
        mixture=[{"data": str(other), "weight": 0.4}],
        schedule={"peak": 1e-2},
        checkpoint={"every": 4},
        validation={"every": 4, "examples": 6},
        **({"log": {"to": [], "gradients_every": 4}} | where),
    )


def as_rank(config: Config, world: int, watcher: Watcher) -> None:
    """What a worker runs: the true thing, with the sinks' servers in a folder and the rule for spikes as it is here."""
    os.environ |= {"WANDB_MODE": "offline", "MLFLOW_ALLOW_FILE_STORE": "true"}
    os.environ["MLFLOW_TRACKING_URI"] = (config.runs / "mlruns").as_uri()
    for name, value in RULE.items():
        setattr(spikes, name, value)
    launched.train_as_rank(config, world, watcher)


@pytest.fixture
def trained(
    dataset: Path, other: Path, tmp_path: Path, ray_session: None, monkeypatch: pytest.MonkeyPatch, by_value: None
) -> tuple[Config, Config]:
    """The settings of a run by one process and of one by two workers, both trained."""
    for name, value in RULE.items():
        monkeypatch.setattr(spikes, name, value)
    plain = everything(dataset, other, tmp_path / "plain")
    loop.train(plain, "main", Silent())
    both = everything(dataset, other, tmp_path / "both", **WORKERS, log={"to": SINKS, "gradients_every": 4})
    with monkeypatch.context() as patch:
        patch.setattr(launched, "train_as_rank", as_rank)
        launched.train(both, "main", Silent())
    return plain, both


def measured(config: Config, event: str) -> list[dict[str, Any]]:
    """The numbers in the lines of an event, but for those that no two runs have alike."""
    return [
        {name: value for name, value in line.items() if isinstance(value, int | float) and name not in UNLIKE}
        for line in lines(config, event)
    ]


def test_everything_at_once_leaves_its_evidence_and_the_numbers_of_one_process(trained: tuple[Config, Config]) -> None:
    plain, both = trained
    for event in ("train", "validation", "gradients", "spike"):
        ours, theirs = measured(both, event), measured(plain, event)
        assert len(ours) == len(theirs) > 0, event
        for a, b in zip(ours, theirs, strict=True):
            assert a == pytest.approx(b, rel=1e-5), event
    check_documents(both)
    check_checkpoint(final(both), final(plain))
    check_traces(both)
    check_sinks(both)


def check_documents(config: Config) -> None:
    """Judge documents, both datasets and the curriculum are in what was seen."""
    train = lines(config, "train")
    assert all(line["refinement_loss"] > 0 for line in train)
    feed = open_feed(config)
    at_random = config.model_copy(update={"train": config.train.model_copy(update={"curriculum": 0.0})})
    assert [line["tokens"] for line in train] == sizes(feed) != sizes(open_feed(at_random))
    for line in lines(config, "spike"):
        assert line["examples"] == feed.example_ids(line["step"] - 1)
    named = {ident[:8] for line in lines(config, "spike") for ident in line["examples"]}
    assert named == {"train-00", "train-05", "judge-00"}
    assert train[-1]["spikes"] == len(lines(config, "spike"))
    [part] = json.loads((config.run_dir / "run.json").read_text())["mixture"]
    assert part["weight"] == 0.4


def sizes(feed: Feed) -> list[int]:
    return [sum(d.size for row in feed.rows(position) for d in row) for position in range(STEPS)]


def check_checkpoint(ours: Loaded, theirs: Loaded) -> None:
    """Two ranks have written it, with the average, and it holds what one process holds."""
    assert len(list(ours.path.glob("optimizer-*.safetensors"))) == 2
    assert {name.partition(".")[0] for name in ours.moments} == {"exp_avg", "exp_avg_sq", "ema"}
    assert distance(theirs.weights, ours.weights) <= 1e-5
    assert distance(theirs.moments, ours.moments) <= 1e-5


def check_traces(config: Config) -> None:
    """Each rank has traced its own collectives."""
    for rank in range(2):
        text = gzip.decompress((config.run_dir / "profile" / f"rank-{rank}.json.gz").read_bytes())
        names = {event.get("name", "") for event in json.loads(text)["traceEvents"]}
        assert any("gloo:" in name for name in names)


def check_sinks(config: Config) -> None:
    """What `train.log.to` names has every training step."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(config.run_dir / "tensorboard"))
    board.Reload()
    losses = [line["loss"] for line in lines(config, "train")]
    assert [event.value for event in board.Scalars("train/loss")] == pytest.approx(losses)
    assert {OBJECTIVE, "gradients/planner_update", "spike/gradient_norm"} <= set(board.Tags()["scalars"])
    known = json.loads((config.run_dir / NAMES).read_text()) if SINKS[1:] else {}
    assert sorted(known) == sorted(SINKS[1:])
    if "wandb" in known:
        assert list((config.run_dir / "wandb").glob(f"offline-run-*-{known['wandb']}/*.wandb"))
    if "mlflow" in known:
        [points] = (config.runs / "mlruns").glob(f"*/{known['mlflow']}/metrics/train/loss")
        assert [float(line.split()[1]) for line in points.read_text().splitlines()] == losses
