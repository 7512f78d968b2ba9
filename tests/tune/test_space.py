"""A search is refused when it is read: the key is named, and every value that could be drawn is tried."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrm_ray import settings
from hrm_ray.config import Config
from hrm_ray.settings import ConfigError
from hrm_ray.tune.space import SEARCHABLE, Rungs, load, resolve, spoken
from tests.conftest import ROOT
from tests.tune.conftest import Open

SEARCHES = sorted((ROOT / "experiments").glob("tune-*.yaml"))


@pytest.mark.parametrize("path", SEARCHES, ids=lambda path: path.stem)
def test_every_shipped_search_loads_and_has_a_smoke_twin(path: Path) -> None:
    assert load(path).search.name == path.stem
    assert path.stem.endswith(".smoke") or path.with_suffix(".smoke.yaml").exists()


def test_there_is_a_search_to_start_from() -> None:
    assert "tune-first" in {path.stem for path in SEARCHES}


@pytest.mark.parametrize("key", SEARCHABLE)
def test_searchable_keys_exist(key: str) -> None:
    section: object = Config
    for part in key.split("."):
        fields = getattr(section, "model_fields", {})
        assert part in fields
        section = fields[part].annotation


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("trails=4", r"search\.yaml: trails is not a key; did you mean trials\? valid here: name, base, set, space"),
        ("rungs.frist=2", r"rungs\.frist is not a key; did you mean first\? valid here: first, reduction, decay"),
        ("space.train.schedule.pek.choice=[1, 2]", r"space: train\.schedule\.pek is not a key; did you mean peak\?"),
        (
            "space.train.schedule.warmup={unifrom: [0, 1]}",
            r"space\.train\.schedule\.warmup\.unifrom is not a key; did you mean uniform\? valid here: choice,",
        ),
        ("space.train.schedule.kind=wsd", r"schedule\.kind is not a key; valid here: choice, uniform, log_uniform"),
        ("space.train.schedule.warmup.choice=[0, 1]", r"train\.schedule\.warmup: give exactly one of choice, uniform,"),
        ("space.train.schedule.kind.choice=[wsd]", r"kind: a choice of fewer than two is none"),
        ("space.train.schedule.kind.choice=[wsd, step]", r"space: train\.schedule\.kind: .*'cosine'.*'step'"),
        ("space.train.schedule.peak.log_uniform=[0, 1]", r"\[0\.0, 1\.0\] has no logarithm at its lower end"),
        ("space.train.schedule.peak.log_uniform=[1, 0.1]", r"\[1\.0, 0\.1\] must rise"),
        ("space.train.schedule.warmup.uniform=[0, 1.5]", r"space: train\.schedule\.warmup: .*less than .*1.*1\.5"),
        ("space.train.schedule.warmup.uniform=[0, 0.9]", r"warmup 0\.9 and decay 0\.2 together exceed the horizon"),
        ("space.train.losses.plan.uniform=[-1, 1]", r"space: train\.losses\.plan: .*greater than or equal to 0.*-1"),
        ("space.train.rows.choice=[6, 12]", r"train\.rows cannot be searched; only these can: train\.losses, train\.s"),
        ("space.seed.choice=[1, 2]", r"seed cannot be searched"),
        ("space.train.no_plan.uniform=[0, 1]", r"train\.no_plan cannot be searched"),
        ("set.train.schedule.kind=wsd", r"train\.schedule\.kind is both set and searched"),
        ("set.train.rosw=6", r"set: train\.rosw is not a key; did you mean rows\?"),
        ("set.data=elsewhere", r"set may change train only, not data"),
        ("set.train.workers=2", r"train\.workers is 2, but a trial is one process; set train\.workers to 0"),
        ("rungs.first=3", r"rungs\.first 3 is not a multiple of train\.checkpoint\.every 2"),
        ("concurrent=5", r"concurrent 5 is more than the 4 trials"),
        ("trials=1", r"trials: .*greater than or equal to 2.*1"),
        ("base=none.yaml", r"none\.yaml: cannot be read"),
        ("space=3", r"space: .*dictionary.*3"),
    ],
)
def test_what_is_wrong_is_named(opened: Open, override: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as caught:
        opened(override)
    assert "\n" not in str(caught.value)


def test_the_winner_must_work_without_what_is_set(opened: Open, file: Path) -> None:
    base = file.parent / "base.yaml"
    base.write_text(base.read_text().replace("decay: 0.2", "decay: 0.8"))
    with pytest.raises(ConfigError, match=r"space, without what is set: train\.schedule: warmup 0\.3 and decay 0\.8"):
        opened("set.train.schedule.decay=0.1")


def test_dotted_and_nested_keys_are_the_same(opened: Open) -> None:
    search = opened(
        "scheduler=fifo", "set={train.max_steps: 6}", "space.train.schedule.warmup.uniform=[0.1, 0.2]"
    ).search
    nested = "set={train: {max_steps: 6}}"
    dotted = opened("scheduler=fifo", nested, "space={train.schedule.warmup: {uniform: [0.1, 0.2]}}").search
    assert dotted.set == search.set
    assert list(dotted.space.items()) == list(search.space.items())[-1:]
    assert search.set == {"train.max_steps": 6}
    assert list(search.space) == [f"train.{key}" for key in ("losses.refinement", *(f"schedule.{k}" for k in KEYS))]
    assert search.space["train.schedule.warmup"].uniform == (0.1, 0.2)
    again = settings.check(type(search), search.model_dump(mode="json"), "dump")
    assert again == search


KEYS = ("kind", "peak", "warmup")


def test_the_rungs_end_before_the_horizon_and_so_do_their_forks() -> None:
    assert Rungs(first=15, reduction=2, decay=0.2).forks(60) == {15: 3, 30: 6}
    assert Rungs(first=5, reduction=3, decay=1.0).forks(50) == {5: 5, 15: 15, 45: 5}
    assert Rungs(first=1, reduction=2, decay=0.1).forks(4) == {1: 1, 2: 1}
    assert Rungs(first=8).forks(8) == {}


def test_the_datasets_of_a_trial_are_absolute(opened: Open) -> None:
    """A trial does not run in this folder."""
    study = opened("scheduler=fifo", "set={train.mixture: [{data: data/other, weight: 0.3}]}")
    assert study.experiment.datasets == (study.experiment.data, Path("data/other").resolve())
    assert all(data.is_absolute() for data in study.experiment.datasets)


def test_fifo_has_no_rungs(opened: Open) -> None:
    assert opened("scheduler=fifo", "rungs.first=3").search.forks(8) == {}


def test_a_trial_and_the_winner(opened: Open, file: Path) -> None:
    study, values = opened(), {"train.losses.refinement": 0.05, "train.schedule.peak": 0.003}
    trial = resolve(study.experiment.model_dump(mode="json"), {**values, "name": "00003"}, "trial 00003")
    assert trial.run_dir == file.parent / "runs" / "search" / "trials" / "00003"
    assert (trial.train.max_steps, trial.baselines) == (8, ())
    winner = study.winner(values)
    assert winner.run_dir == file.parent / "runs" / "search-best"
    assert (winner.train.max_steps, winner.baselines) == (None, ("equal_parameters",))
    for one in (trial, winner):
        assert (one.train.losses.refinement, one.train.schedule.peak) == (0.05, 0.003)
    base = settings.load(file.parent / "base.yaml").model_dump(mode="json")
    assert set(settings.differences(base, winner.model_dump(mode="json"))) == {"name", *values}


def test_a_value_on_the_way_to_a_key_is_named() -> None:
    with pytest.raises(ConfigError, match=r"trial: seed\.first: seed is a value, not a section"):
        resolve({"seed": 3}, {"seed.first": 1}, "trial")


def test_what_a_trial_drew_is_told_shortly() -> None:
    assert spoken({"train.schedule.peak": 0.00123456, "train.schedule.kind": "wsd"}) == (
        "schedule.peak 0.00123, schedule.kind wsd"
    )
