"""What was written is kept, a batch at a time, as long as nothing that it depends on is another."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from hrm_ray.evaluate import cache, generation
from hrm_ray.evaluate.generation import Request
from hrm_ray.evaluate.opened import Opened
from hrm_ray.model.generate import Written
from hrm_ray.train import checkpoint
from tests.evaluate.test_losses import dataset, opened

__all__ = ["dataset", "opened"]

ROWS = 5


class Writer:
    """Stands in for `generation.write`; dies at its batch number `dies`."""

    def __init__(self) -> None:
        self.honest, self.batches, self.dies = generation.write, list[Sequence[Request]](), -1

    def __call__(self, network: Any, asked: Sequence[Request], ended: Any) -> list[Written]:
        if len(self.batches) == self.dies:
            raise KeyboardInterrupt
        self.batches.append(asked)
        return self.honest(network, asked, ended)


@pytest.fixture
def run(opened: Opened) -> Opened:
    """A run of an untrained network with small budgets, two rows a batch."""
    folder = opened.run_dir / "checkpoints" / checkpoint.folder_name(opened.step)
    folder.mkdir(parents=True)
    (folder / checkpoint.MANIFEST).write_text("{}")
    return told(opened)


def told(opened: Opened, **settings: Any) -> Opened:
    changes = {"batch": 2, "max_plan_tokens": 4, "max_code_tokens": 6} | settings
    evaluate = opened.config.evaluate.model_copy(update=changes)
    return replace(opened, config=opened.config.model_copy(update={"evaluate": evaluate}))


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> Writer:
    writer = Writer()
    monkeypatch.setattr(cache, "write", writer)
    return writer


def written(run: Opened, count: int = ROWS) -> list[Written]:
    seen: list[int] = []
    found = cache.attempts(run, count, lambda done, total: seen.append(done))
    assert seen == sorted(seen)
    assert seen[-1] == count
    return [attempt.written for attempt in found]


def test_nothing_is_written_twice(run: Opened, writer: Writer) -> None:
    first = written(run)
    assert [len(batch) for batch in writer.batches] == [2, 2, 1]
    assert written(run) == first
    assert len(writer.batches) == 3
    assert [one.plan + one.code for one in first] != [[]] * ROWS


def test_a_stop_loses_one_batch_at_most_and_changes_nothing(run: Opened, writer: Writer) -> None:
    writer.dies = 1
    with pytest.raises(KeyboardInterrupt):
        written(run)
    writer.dies = -1
    after = written(run)
    assert len(writer.batches) == 3
    shutil.rmtree(run.run_dir / cache.FOLDER)
    assert written(run) == after


@pytest.mark.parametrize(
    "tear", [lambda text: text[:-9], lambda text: "", lambda text: "[]", lambda text: '[{"plan": 1}]']
)
def test_a_torn_batch_is_written_again(run: Opened, writer: Writer, tear: Callable[[str], str]) -> None:
    first = written(run)
    torn = min((run.run_dir / cache.FOLDER).iterdir())
    whole = torn.read_text()
    torn.write_text(tear(whole))
    assert written(run) == first
    assert torn.read_text() == whole
    assert len(writer.batches) == 4


@pytest.mark.parametrize("change", [{"temperature": 0.7}, {"max_code_tokens": 7}, {"min_p": 0.1}])
def test_other_settings_are_written_anew(run: Opened, writer: Writer, change: dict[str, Any]) -> None:
    written(run)
    written(told(run, **change))
    assert len(writer.batches) == 6


def test_another_checkpoint_or_seed_is_written_anew(run: Opened, writer: Writer) -> None:
    written(run, 2)
    written(replace(run, config=run.config.model_copy(update={"seed": 1})), 2)
    assert len(writer.batches) == 2
    (run.run_dir / "checkpoints" / checkpoint.folder_name(run.step) / checkpoint.MANIFEST).write_text("{ }")
    written(run, 2)
    assert len(writer.batches) == 3


def test_more_rows_reuse_whole_batches(run: Opened, writer: Writer) -> None:
    few = written(run, 4)
    assert written(run, ROWS)[:4] == few
    assert [len(batch) for batch in writer.batches] == [2, 2, 1]
