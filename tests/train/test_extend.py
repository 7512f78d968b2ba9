"""A finished run goes on to a later horizon: exactly where its schedule allows it, and by a stated climb elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hrm_ray.config import Config, Depth
from hrm_ray.settings import ConfigError
from hrm_ray.train import checkpoint, loop
from hrm_ray.train.extend import read_extensions
from hrm_ray.train.run import roles
from hrm_ray.train.schedule import Extension, rate
from tests.train.conftest import Silent, run_config
from tests.train.test_loop import assert_bit_equal, final, lines


def config_of(dataset: Path, runs: Path, steps: int, kind: str, **schedule: object) -> Config:
    """A run of `steps` whose warm-ups are in steps."""
    config = run_config(
        dataset,
        runs,
        epochs=9,
        max_steps=steps,
        schedule={"kind": kind, "peak": 5e-3, "warmup_steps": 3, "decay": 0.4} | schedule,
        checkpoint={"every": 2, "keep": 1},
        validation={"every": 4, "examples": 2},
    )
    return config.model_copy(
        update={"model": config.model.model_copy(update={"depth": Depth(min=3, max=5, warmup_steps=4)})}
    )


def train(config: Config) -> list[str]:
    watcher = Silent()
    loop.train(config, "main", watcher)
    return watcher.sentences


def record(config: Config) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((config.run_dir / "run.json").read_text())
    return found


@pytest.mark.parametrize(
    ("kind", "shape", "said", "step"),
    [
        ("constant", "linear", "it goes on from step 10 as if the horizon had always been this", 10),
        ("wsd", "linear", "it goes back to step 6, from before its decay, as if", 6),
        ("wsd", "1-sqrt", "it goes back to step 6, from before its decay, as if", 6),
    ],
)
def test_an_extended_run_is_bit_for_bit_the_longer_one(
    dataset: Path, tmp_path: Path, kind: str, shape: str, said: str, step: int
) -> None:
    short, extended, always = (
        config_of(dataset, tmp_path / name, steps, kind, decay_shape=shape)
        for name, steps in (("run", 10), ("run", 14), ("always", 14))
    )
    train(short)
    before = (short.run_dir / "metrics.jsonl").read_text().splitlines()
    sentence, resumed = train(extended)
    assert sentence.startswith(f"{short.run_dir}: its horizon of 10 steps is raised to 14; {said}")
    assert resumed == f"resuming {short.run_dir} after step {step}"
    train(always)
    assert_bit_equal(final(extended), final(always))
    assert [line["step"] for line in lines(extended, "train")] == list(range(1, 15))
    keys = ("learning_rate", "gradient_depth", "loss", "epoch")
    assert [[line[key] for key in keys] for line in lines(extended, "train")] == [
        [line[key] for key in keys] for line in lines(always, "train")
    ]
    assert (record(extended)["horizon"], record(extended)["extensions"]) == (14, [{"step": step, "horizon": 10}])
    ended = extended.run_dir / "ended" / "step-00000010"
    assert checkpoint.steps(ended) == ([10] if kind == "wsd" else [])
    if kind == "wsd":
        kept = map(json.loads, (ended / "metrics.jsonl").read_text().splitlines())
        assert list(kept) == [line for line in map(json.loads, before) if line["step"] > step]
    assert train(extended) == [f"{short.run_dir} is trained to its end already"]


@pytest.mark.parametrize(
    ("warmup", "depth", "said"),
    [
        ({"warmup": 0.5, "warmup_steps": None}, {"warmup_steps": 2}, True),
        ({"warmup_steps": 2}, {"warmup": 0.5}, True),
        ({"warmup_steps": 2}, {"warmup_steps": 2}, False),
        ({"warmup": 0, "warmup_steps": None}, {"warmup": 0}, False),
    ],
)
def test_warm_ups_that_stay_as_they_were_are_told(
    dataset: Path, tmp_path: Path, warmup: dict[str, Any], depth: dict[str, Any], said: bool
) -> None:
    for steps in (2, 4):
        config = config_of(dataset, tmp_path, steps, "constant", **warmup)
        model = config.model.model_copy(update={"depth": Depth.model_validate({"min": 3, "max": 5} | depth)})
        sentences = train(config.model_copy(update={"model": model}))
    apart = ", but for its warm-ups, which stay as short as they were" if said else ""
    assert sentences[0].endswith(f"goes on from step 2 as if the horizon had always been this{apart}")


def test_a_run_that_has_not_begun_to_decay_goes_back_nowhere(dataset: Path, tmp_path: Path) -> None:
    short = config_of(dataset, tmp_path, 4, "wsd", warmup_steps=0, decay=0)
    train(short)
    assert "it goes on from step 4 as if" in train(config_of(dataset, tmp_path, 6, "wsd", warmup_steps=0, decay=0))[0]


def test_the_others_climb_back_and_fall_again(dataset: Path, tmp_path: Path) -> None:
    short, extended = (config_of(dataset, tmp_path, steps, "cosine") for steps in (8, 16))
    train(short)
    sentence, _ = train(extended)
    assert sentence.endswith(
        "from step 8 the rate climbs from 0.0005 to 0.005 over 3 steps, and then falls to its floor at the new end"
    )
    schedule, made = extended.train.schedule, [Extension(8, 8)]
    assert [tuple(one) for one in read_extensions(extended.run_dir)] == made
    assert [line["learning_rate"] for line in lines(extended, "train")] == [
        rate(schedule, step, 16, made) for step in range(16)
    ]


@pytest.mark.parametrize("kind", ["cosine", "linear"])
def test_an_extension_by_one_step_ends_at_the_floor(dataset: Path, tmp_path: Path, kind: str) -> None:
    short, extended = (config_of(dataset, tmp_path, steps, kind, floor=0.02) for steps in (4, 5))
    train(short)
    sentence, _ = train(extended)
    assert sentence.endswith("0.0001")
    assert [line["learning_rate"] for line in lines(extended, "train")][3:] == pytest.approx([1e-4, 1e-4])


@pytest.mark.fault
def test_an_extension_holds_after_a_resume(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, stopped = (config_of(dataset, tmp_path / name, 8, "linear") for name in ("whole", "stopped"))
    longer = [config_of(dataset, tmp_path / name, 14, "linear") for name in ("whole", "stopped")]
    for config in (whole, stopped, longer[0]):
        train(config)

    class Stops(Silent):
        def advance(self, step: int, *_: object) -> None:
            if step == 11:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop.train(longer[1], "main", Stops())
    assert train(longer[1]) == [f"resuming {stopped.run_dir} after step 10"]
    assert_bit_equal(final(longer[0]), final(longer[1]))


@pytest.mark.parametrize("kind", ["cosine", "wsd"])
@pytest.mark.parametrize("before", [None, 4, 8])
def test_a_baseline_trains_by_the_schedule_of_its_run(
    dataset: Path, tmp_path: Path, kind: str, before: int | None
) -> None:
    """It is trained for the first time after the run was extended, or was stopped on its way, or had ended."""
    short, longer = (config_of(dataset, tmp_path, steps, kind) for steps in (8, 14))
    train(short)

    class Stops(Silent):
        def advance(self, step: int, *_: object) -> None:
            if step == 5:
                raise KeyboardInterrupt

    if before == 4:
        with pytest.raises(KeyboardInterrupt):
            loop.train(baseline(short), "equal_parameters", Stops())
    elif before:
        loop.train(baseline(short), "equal_parameters", Silent())
    train(longer)
    loop.train(baseline(longer), "equal_parameters", Silent())
    assert read_extensions(baseline(longer).run_dir) == read_extensions(longer.run_dir) != []
    rates = [[line["learning_rate"] for line in lines(one, "train")] for one in (longer, baseline(longer))]
    assert rates[0] == rates[1]
    assert len(rates[0]) == 14


def baseline(config: Config) -> Config:
    return roles(config.model_copy(update={"baselines": ("equal_parameters",)}))["equal_parameters"]


def test_a_horizon_is_not_lowered_below_what_was_made_of_it(dataset: Path, tmp_path: Path) -> None:
    train(config_of(dataset, tmp_path, 4, "constant"))
    before = record(config_of(dataset, tmp_path, 4, "constant"))
    with pytest.raises(
        ConfigError, match=r"was begun with 4 steps and would end after 3; a horizon can be raised, not"
    ):
        train(config_of(dataset, tmp_path, 3, "constant"))
    assert record(config_of(dataset, tmp_path, 4, "constant")) == before


def test_an_extension_of_which_nothing_was_made_can_be_taken_back(dataset: Path, tmp_path: Path) -> None:
    train(config_of(dataset, tmp_path, 4, "linear"))

    class Stops(Silent):
        def advance(self, step: int, *_: object) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop.train(config_of(dataset, tmp_path, 4000, "linear"), "main", Stops())
    assert record(config_of(dataset, tmp_path, 4, "linear"))["extensions"] == [{"step": 4, "horizon": 4}]
    train(config_of(dataset, tmp_path, 4, "linear"))
    assert record(config_of(dataset, tmp_path, 4, "linear"))["extensions"] == []


def test_a_run_without_a_checkpoint_from_before_its_decay_stays_as_it_is(dataset: Path, tmp_path: Path) -> None:
    config = config_of(dataset, tmp_path, 4, "wsd", warmup_steps=1, decay=0.75)
    train(config)
    with pytest.raises(ConfigError, match=r"no checkpoint from before step 1, where its decay began, .*every is 2"):
        train(config_of(dataset, tmp_path, 8, "wsd", warmup_steps=1, decay=0.75))
    assert checkpoint.steps(config.run_dir / "checkpoints") == [4]


@pytest.mark.parametrize(("kind", "sentence"), [("cosine", "warmup_steps 9 are"), ("wsd", "9 and a decay of 3 are")])
def test_a_warm_up_longer_than_the_run_is_refused(dataset: Path, tmp_path: Path, kind: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=rf"{sentence} more than the 8 steps of the run"):
        train(config_of(dataset, tmp_path, 8, kind, warmup_steps=9))
