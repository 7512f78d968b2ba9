"""The record of a search: which trial is the best, and what is left to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hrm_ray.errors import UserError
from hrm_ray.tune import record
from hrm_ray.tune.record import Record, Rung, State, Trial


def trial(ident: str, state: State, step: int, objective: float | None) -> Trial:
    rungs = (Rung(step=12, objective=4.0, undecayed=4.1, updates=2),)
    return Trial(id=ident, state=state, values={"train.losses.plan": 0.1}, step=step, objective=objective, rungs=rungs)


def search(*trials: Trial) -> Record:
    facts = {
        "name": "one",
        "settings": {"trials": 4},
        "experiment": {},
        "horizon": 48,
        "rungs": [12],
        "synthetic": True,
    }
    return Record.model_validate(facts | {"trials": {one.id: one for one in trials}})


MANY = (
    trial("0", "diverged", 30, None),
    trial("1", "stopped", 12, 2.0),
    trial("2", "completed", 48, 3.5),
    trial("3", "completed", 48, 3.0),
)


def test_only_what_came_to_the_horizon_is_best() -> None:
    found = search(*MANY)
    assert [one.id for one in found.ranked] == ["3", "2", "1", "0"]
    assert found.best is not None
    assert found.best.id == "3"
    assert search(*MANY[:2]).best is None


def test_it_is_finished_when_every_trial_has_ended() -> None:
    assert search(*MANY).finished
    assert not search(*MANY[:3]).finished
    assert not search(*MANY).updated(trial("3", "running", 24, 3.2)).finished
    assert not search(*MANY).updated(trial("3", "failed", 24, None)).finished


def test_steps_of_forks_are_counted() -> None:
    assert MANY[3].updates == 50


def test_it_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    assert record.read(tmp_path) is None
    record.write(tmp_path, search(*MANY))
    assert record.read(tmp_path) == search(*MANY)
    assert json.loads((tmp_path / record.FILE).read_text())["best"] == "3"


def test_a_broken_one_is_named(tmp_path: Path) -> None:
    (tmp_path / record.FILE).write_text("{")
    with pytest.raises(UserError, match=r"search\.json: not the record of a search"):
        record.read(tmp_path)
