"""Whole runs: exact resume, the guard's limit, what is written."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import torch

from hrm_ray import settings
from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.settings import ConfigError
from hrm_ray.train import checkpoint, integrity, loop
from hrm_ray.train.checkpoint import Loaded
from hrm_ray.train.engine import PlainEngine
from hrm_ray.train.feed import open_feed
from hrm_ray.train.run import read_run, roles
from tests.train.conftest import UNLIKE, Silent, run_config

CHECKPOINTS = {"every": 10, "keep": 5}

DIES_AFTER_13 = textwrap.dedent("""
    import os, signal, sys
    from pathlib import Path
    from hrm_ray import settings
    from hrm_ray.train import loop

    class Killer:
        def say(self, sentence): print(sentence)
        def advance(self, step, horizon, result, tokens_per_second):
            if step == 13: os.kill(os.getpid(), signal.SIGKILL)

    loop.train(settings.load(Path(sys.argv[1])), "main", Killer())
""")


def lines(config: Config, event: str) -> list[dict[str, Any]]:
    text = (config.run_dir / "metrics.jsonl").read_text()
    return [line for line in map(json.loads, text.splitlines()) if line["event"] == event]


def final(config: Config) -> Loaded:
    loaded = checkpoint.newest(config.run_dir / "checkpoints", print)
    assert loaded is not None
    return loaded


def assert_bit_equal(a: Loaded, b: Loaded) -> None:
    assert a.state == b.state
    for ours, theirs in ((a.weights, b.weights), (a.moments, b.moments)):
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.fault
def test_resume_after_kill_9_is_bit_equal(dataset: Path, tmp_path: Path) -> None:
    whole = run_config(dataset, tmp_path / "whole", epochs=4, max_steps=20, checkpoint=CHECKPOINTS)
    loop.train(whole, "main", Silent())
    killed = run_config(dataset, tmp_path / "killed", epochs=4, max_steps=20, checkpoint=CHECKPOINTS)
    file = tmp_path / "killed.yaml"
    file.write_text(settings.dump(killed))
    process = subprocess.run([sys.executable, "-c", DIES_AFTER_13, str(file)], check=False, timeout=120)
    assert process.returncode == -signal.SIGKILL
    assert final(killed).state.step == 10
    watcher = Silent()
    loop.train(killed, "main", watcher)
    assert watcher.sentences == [f"resuming {killed.run_dir} after step 10"]
    assert_bit_equal(final(whole), final(killed))
    assert [line["step"] for line in lines(killed, "train")] == list(range(1, 21))
    for a, b in zip(lines(whole, "train"), lines(killed, "train"), strict=True):
        assert {k: v for k, v in a.items() if k not in UNLIKE} == {k: v for k, v in b.items() if k not in UNLIKE}


@pytest.mark.fault
def test_after_damage_the_run_goes_on_and_keeps_what_it_makes(dataset: Path, tmp_path: Path) -> None:
    settings = {"max_steps": 6, "checkpoint": {"every": 1, "keep": 4}}
    whole, hurt = (run_config(dataset, tmp_path / name, **settings) for name in ("whole", "hurt"))
    for config in (whole, hurt):
        loop.train(config, "main", Silent())
    checkpoints = hurt.run_dir / "checkpoints"
    for step in (4, 5, 6):
        (checkpoints / checkpoint.folder_name(step) / "state.json").write_text("{}")
    watcher = Silent()
    loop.train(hurt, "main", watcher)
    assert_bit_equal(final(whole), final(hurt))
    assert checkpoint.steps(checkpoints) == [3, 4, 5, 6]
    aside = sorted((checkpoints / integrity.ASIDE).iterdir())
    assert [path.name for path in aside] == [checkpoint.folder_name(step) for step in (4, 5, 6)]
    assert all(any(str(path) in sentence for sentence in watcher.sentences) for path in aside)


def test_a_finished_run_is_left_as_it_is(dataset: Path, tmp_path: Path) -> None:
    config = run_config(dataset, tmp_path, max_steps=3)
    loop.train(config, "main", Silent())
    before = (config.run_dir / "metrics.jsonl").read_text()
    loop.train(config, "main", Silent())
    assert (config.run_dir / "metrics.jsonl").read_text() == before


def test_the_schedule_holds_after_resume(dataset: Path, tmp_path: Path) -> None:
    config = run_config(dataset, tmp_path, epochs=1)
    loop.train(config, "main", Silent())
    horizon = len(lines(config, "train"))
    peak = config.train.schedule.peak
    assert lines(config, "train")[-1]["learning_rate"] == pytest.approx(0.1 * peak)
    longer = run_config(dataset, tmp_path, epochs=3)
    loop.train(longer, "main", Silent())
    rates = [line["learning_rate"] for line in lines(longer, "train")]
    assert len(rates) > 2 * horizon
    assert rates[-1] == pytest.approx(0.1 * peak)


def test_losses_fall_and_validation_is_measured(dataset: Path, tmp_path: Path) -> None:
    config = run_config(dataset, tmp_path, epochs=4, schedule={"peak": 1e-2})
    loop.train(config, "main", Silent())
    train, validation = lines(config, "train"), lines(config, "validation")
    assert train[-1]["code_loss"] < train[0]["code_loss"]
    assert [line["step"] for line in validation][:3] == [5, 10, 15]
    assert validation[-1]["step"] == train[-1]["step"]
    of_real_text = {"unchanged_nats", "reading_gain", "plan_name_nats", "first_line_nats", "first_line_uniform_nats"}
    assert {name for name, value in validation[-1].items() if value is None} == of_real_text
    assert train[0]["gradient_depth"] == 3
    assert train[-1]["gradient_depth"] == 5
    checkpoints = config.run_dir / "checkpoints"
    best = json.loads((checkpoints / checkpoint.BEST).read_text())
    assert best["step"] == int(checkpoint.ranking(checkpoints)[0].name.removeprefix("step-"))
    assert best["objective"] == min(line["objective"] for line in validation if line["step"] in (best["step"],))


class Broken(PlainEngine):
    """Every gradient from the third step on is not finite, until `bad` of them were seen."""

    bad = 10**9
    calls = 0

    def gradient_norm(self) -> float:
        type(self).calls += 1
        return float("nan") if 2 < type(self).calls <= 2 + self.bad else super().gradient_norm()


@pytest.mark.fault
def test_too_many_bad_steps_stop_the_run(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "PlainEngine", type("Always", (Broken,), {"calls": 0}))
    config = run_config(dataset, tmp_path, max_steps=10)
    watcher = Silent()
    with pytest.raises(loop.DivergedError, match="5 batches in a row"):
        loop.train(config, "main", watcher)
    assert len(lines(config, "bad_step")) == len(watcher.sentences) == 5
    assert lines(config, "bad_step")[0]["examples"][0].startswith("train-")


@pytest.mark.fault
def test_a_bad_step_advances_the_feed_and_not_the_schedule(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "PlainEngine", type("Twice", (Broken,), {"calls": 0, "bad": 2}))
    config, watcher = run_config(dataset, tmp_path, max_steps=10), Silent()
    loop.train(config, "main", watcher)
    assert [bad for bad, _ in watcher.counts] == [0, 0, 1] + [2] * 9
    state = final(config).state
    assert (state.step, state.position, state.bad_steps) == (10, 12, 2)
    assert [line["step"] for line in lines(config, "train")] == list(range(1, 11))
    assert lines(config, "train")[-1]["learning_rate"] == pytest.approx(0.1 * config.train.schedule.peak)


def test_a_resumed_run_may_change_only_what_is_listed(dataset: Path, tmp_path: Path) -> None:
    loop.train(run_config(dataset, tmp_path, max_steps=2), "main", Silent())
    with pytest.raises(ConfigError, match=r"another train\.rows; .*train\.epochs"):
        loop.train(run_config(dataset, tmp_path, max_steps=2, rows=8), "main", Silent())


def test_another_dataset_is_refused(dataset: Path, tmp_path: Path) -> None:
    config = run_config(dataset, tmp_path, max_steps=2)
    loop.train(config, "main", Silent())
    record = config.run_dir / "run.json"
    record.write_text(record.read_text().replace('"abc"', '"another"'))
    with pytest.raises(ConfigError, match="is not the dataset"):
        loop.train(config, "main", Silent())


def test_a_dataset_of_other_settings_is_refused(dataset: Path, tmp_path: Path) -> None:
    config = run_config(dataset, tmp_path, max_steps=2)
    other = config.model_copy(update={"prepare": config.prepare.model_copy(update={"window": 256}), "seed": 3})
    with pytest.raises(UserError, match=r"was prepared with another prepare\.window, seed"):
        loop.train(other, "main", Silent())


def test_a_run_that_was_moved_is_read_where_it_is(dataset: Path, tmp_path: Path) -> None:
    config = run_config(dataset, tmp_path / "here", max_steps=2)
    loop.train(config, "main", Silent())
    config.run_dir.rename(tmp_path / "there")
    assert read_run(tmp_path / "there").run_dir == tmp_path / "there"
    with pytest.raises(ConfigError, match="not a run folder"):
        read_run(tmp_path)


def test_baselines_are_plain_and_live_inside_the_run(dataset: Path, tmp_path: Path) -> None:
    config = run_config(dataset, tmp_path).model_copy(update={"baselines": ("equal_parameters",)})
    main, twin = roles(config).items()
    assert main == ("main", config)
    assert twin[0] == "equal_parameters"
    assert twin[1].run_dir == config.run_dir / "baselines" / "equal_parameters"
    assert (twin[1].model.mode, twin[1].model.layers) == ("plain", 2)
    assert settings.resume_conflicts(config, twin[1]) == ["model.layers", "model.mode", "name", "runs"]


def test_seeds_repeat_the_run_and_its_baselines_inside_the_run(dataset: Path, tmp_path: Path) -> None:
    config = run_config(dataset, tmp_path, seed=4).model_copy(update={"baselines": ("equal_parameters",), "seeds": 3})
    found = roles(config)
    assert list(found) == [
        *("main", "equal_parameters", "seed 1", "seed 1, equal_parameters", "seed 2", "seed 2, equal_parameters"),
    ]
    last = found["seed 2, equal_parameters"]
    assert last.run_dir == config.run_dir / "seeds" / "2" / "baselines" / "equal_parameters"
    assert (last.seed, last.train_seed, last.seeds) == (config.seed, config.train_seed + 2, 1)
    assert settings.resume_conflicts(config, found["seed 1"]) == ["name", "runs", "train.seed"]


def test_another_seed_is_another_training_on_the_same_folds(dataset: Path, tmp_path: Path) -> None:
    main, again = roles(run_config(dataset, tmp_path, max_steps=3).model_copy(update={"seeds": 2})).values()
    for role, one in (("main", main), ("seed 1", again)):
        loop.train(one, role, Silent())
    ours, theirs = (lines(one, "train") for one in (main, again))
    assert len(ours) == len(theirs) == 3
    assert all(a["code_loss"] != b["code_loss"] for a, b in zip(ours, theirs, strict=True))
    assert open_feed(main).example_ids(1) != open_feed(again).example_ids(1)
