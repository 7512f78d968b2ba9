"""A search is refused when it is read: the key is named, and every value that could be drawn is tried."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrm_ray import settings
from hrm_ray.config import Config
from hrm_ray.settings import ConfigError
from hrm_ray.tune import space
from hrm_ray.tune.space import CORNERS, SEARCHABLE, Rungs, load, resolve, spoken
from tests.conftest import ROOT
from tests.test_refusal import FOREIGN
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


MISTAKES = {
    "trails=4": "trails trials base",
    "rungs.frist=2": "rungs.first reduction decay",
    "space.train.schedule.pek.choice=[1, 2]": "train.schedule.pek train.schedule.peak",
    "space.train.schedule.warmup={unifrom: [0, 1]}": "space.train.schedule.warmup.unifrom uniform choice",
    "space.train.schedule.kind=wsd": "train.schedule choice uniform log_uniform",
    "space.train.schedule.warmup.choice=[0, 1]": "train.schedule.warmup choice uniform",
    "space.train.schedule.kind.choice=[wsd]": "kind choice",
    "space.train.schedule.kind.choice=[wsd, step]": 'train.schedule.kind cosine "step"',
    "space.train.schedule.peak.log_uniform=[0, 1]": "train.schedule.peak [0.0, 1.0]",
    "space.train.schedule.peak.log_uniform=[1, 0.1]": "train.schedule.peak [1.0, 0.1]",
    "space.train.schedule.peak.log_uniform=[1e-3, .inf]": "train.schedule.peak .inf",
    "space.train.schedule.peak.uniform=[.nan, 1]": "train.schedule.peak .nan",
    "space.train.schedule.peak={choice: [0.1, .inf]}": "train.schedule.peak .inf",
    "space.train.schedule.peak.uniform=[true, 2]": "train.schedule.peak true",
    "space.train.schedule.warmup.uniform=[0, 1.5]": "train.schedule.warmup 1.5",
    "space.train.schedule.warmup.uniform=[0, 0.9]": "warmup 0.9 decay 0.2",
    "space.train.losses.plan.uniform=[-1, 1]": "train.losses.plan -1",
    "space.train.rows.choice=[6, 12]": "train.rows train.losses",
    "space.seed.choice=[1, 2]": "seed",
    "space.train.no_plan.uniform=[0, 1]": "train.no_plan",
    "set.train.schedule.kind=wsd": "train.schedule.kind",
    "set.train.rosw=6": "train.rosw train.rows",
    "set.data=elsewhere": "train data",
    "set.train.workers=2": "train.workers 2 0",
    "rungs.first=3": "rungs.first 3 train.checkpoint.every 2",
    "concurrent=5": "concurrent 5 4",
    "trials=1": "trials 2 1",
    "base=none.yaml": "none.yaml",
    "base=~nobody-at-all/x": "base nobody-at-all",
    "space=3": "space 3",
    "space=[a]": "space",
    "space=null": "space null",
    "space.train.schedule.peak=null": "space.train.schedule.peak choice null",
    "space.train.schedule.peak.log_uniform=null": "train.schedule.peak choice uniform log_uniform",
    "space.train=-1": "space.train choice uniform log_uniform -1",
    "space.train.schedule.peak=[1, 2]": "space.train.schedule.peak choice [1, 2]",
    "space={train.schedule.peak: {}}": "space least",
    "space={}": "space least {}",
}


@pytest.mark.parametrize(("override", "named"), MISTAKES.items())
def test_what_is_wrong_is_named(opened: Open, override: str, named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        opened(override)
    assert [word for word in named.split() if word not in str(caught.value)] == []
    assert not FOREIGN.search(str(caught.value))
    assert "\n" not in str(caught.value)


TWELVE = {
    "losses.plan": "uniform: [0.1, 1]",
    "losses.code": "uniform: [0.1, 1]",
    "losses.refinement": "log_uniform: [0.02, 1.0]",
    "schedule.kind": "choice: [cosine, linear, wsd, constant]",
    "schedule.peak": "log_uniform: [1e-3, 1e-2]",
    "schedule.warmup": "uniform: [0, 0.3]",
    "schedule.decay": "uniform: [0.25, 0.7]",
    "schedule.floor": "uniform: [0, 0.3]",
    "optimizer.betas": "choice: [[0.9, 0.95], [0.9, 0.99]]",
    "optimizer.eps": "log_uniform: [1e-9, 1e-7]",
    "optimizer.weight_decay": "uniform: [0, 0.2]",
    "optimizer.clip": "uniform: [0.5, 2]",
}


def twelve(**others: str) -> str:
    domains = {f"train.{key}": "{" + domain + "}" for key, domain in {**TWELVE, **others}.items()}
    return "space={" + ", ".join(f"{key}: {domain}" for key, domain in domains.items()) + "}"


def test_a_large_space_is_tried_at_its_ends_and_in_a_sample(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []
    honest = space.resolve
    monkeypatch.setattr(space, "resolve", lambda *given: tried.append(given) or honest(*given))  # type: ignore[func-returns-value]
    opened("scheduler=fifo", twelve())
    assert 26 < len(tried) < 3 * (26 + CORNERS)


@pytest.mark.parametrize("key", sorted(TWELVE))
def test_one_bad_end_among_many_is_found(opened: Open, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "CORNERS", 8)  # it is found before any corner is tried
    bad = "choice: [[0.9, 0.95], [1, 1]]" if key == "optimizer.betas" else "choice: [0.3, -2]"
    with pytest.raises(ConfigError, match=rf"train\.{key}"):
        opened("scheduler=fifo", twelve(**{key: bad}))


def test_two_ends_that_contradict_each_other_are_found_among_many(opened: Open) -> None:
    with pytest.raises(ConfigError, match=r"warmup 0\.3 and decay 0\.8"):
        opened("scheduler=fifo", twelve(**{"schedule.decay": "uniform: [0.2, 0.8]"}))


def test_an_end_is_tried_beside_values_that_could_be_drawn(opened: Open, file: Path) -> None:
    """That the base's own warm-up leaves no room for a decay that long says nothing against the search."""
    base = file.parent / "base.yaml"
    given = base.read_text()
    base.write_text(given.replace("warmup: 0.05", "warmup: 0.4").replace("kind: cosine", "kind: wsd"))
    assert settings.load(base).train.schedule.warmup == 0.4
    values = "choice: [0.0, 0.01]"
    study = opened("scheduler=fifo", twelve(**{"schedule.warmup": values, "schedule.decay": "choice: [0.5, 0.9]"}))
    assert study.search.space["train.schedule.decay"].ends == (0.5, 0.9)


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
