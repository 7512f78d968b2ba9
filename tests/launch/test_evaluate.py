"""Actors write what one process writes, and only what is not there."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest

from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.evaluate import cache
from hrm_ray.evaluate.evaluation import Hands
from hrm_ray.evaluate.opened import Opened, open_run
from hrm_ray.launch.evaluate import Writer, evaluate_all, on_actors
from hrm_ray.launch.judges import climb_all
from hrm_ray.train.run import read_run

SETTINGS = ["evaluate.split=validation", "evaluate.generations=3", "evaluate.batch=1", "evaluate.max_code_tokens=12"]


@pytest.fixture
def opened(smoke: Config, tmp_path: Path) -> Opened:
    shutil.copytree(smoke.run_dir, run := tmp_path / "run", ignore=shutil.ignore_patterns("ray", "generations"))
    return open_run(run, read_run(run, SETTINGS))


def kept(opened: Opened) -> dict[str, str]:
    return {path.name: path.read_text() for path in (opened.run_dir / cache.FOLDER).glob("*.json")}


def test_actors_write_what_one_process_writes(opened: Opened) -> None:
    cache.attempts(opened, 3, lambda *_: None)
    alone = kept(opened)
    assert len(alone) == 3
    gone = sorted(alone)[1:]
    for name in gone:
        (opened.run_dir / cache.FOLDER / name).unlink()
    told: list[int] = []

    def fill(network: object, pieces: list[cache.Piece], ended: object) -> None:
        assert sorted(piece.path.name for piece in pieces) == gone
        on_actors(1, opened, pieces, told.append)

    cache.attempts(opened, 3, lambda *_: None, fill)  # type: ignore[arg-type]
    assert kept(opened) == alone
    assert told == [1, 2]


def test_an_actor_does_not_write_for_another_checkpoint(opened: Opened) -> None:
    Writer(opened.run_dir, opened.config, opened.step)
    with pytest.raises(UserError, match=f"step {opened.step} is the best now, and was step 1; evaluate again"):
        Writer(opened.run_dir, opened.config, 1)


def test_workers_are_asked_for_by_a_setting(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Hands] = []
    monkeypatch.setattr("hrm_ray.evaluate.command.evaluate_all", lambda _run, _set, hands: seen.append(hands))
    evaluate_all(opened.run_dir, [*SETTINGS, "evaluate.workers=2"])
    (hands,) = seen
    assert partial_of(hands.fill) == (on_actors, (2,), {})
    assert partial_of(hands.climb) == (climb_all, (), {"workers": 2})


def partial_of(found: object) -> tuple[object, tuple[object, ...], dict[str, object]]:
    assert isinstance(found, partial)
    return found.func, found.args, found.keywords
