"""Work items through Ray Data."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from rich.progress import Progress

from hrm_ray.errors import UserError
from hrm_ray.prepare.stages import Item, Stages

pytestmark = pytest.mark.usefixtures("ray_session")


def square(item: Item) -> Item:
    if item["value"] < 0:
        raise UserError(f"{item['value']} is negative")
    return {"square": item["value"] ** 2, "process": os.getpid()}


def nap(item: Item) -> Item:
    time.sleep(0.5)
    return item


def stages(folder: Path, progress: Progress | None = None, workers: int = 2) -> Stages:
    return Stages(progress or Progress(disable=True), folder, workers)


def test_results_come_in_order_from_other_processes(tmp_path: Path) -> None:
    run = stages(tmp_path)
    results = run.fan_out("square", square, [{"value": value} for value in range(7)])
    assert [result["square"] for result in results] == [value**2 for value in range(7)]
    assert os.getpid() not in {result["process"] for result in results}
    assert run.ran == {"square": 7}
    assert run.seconds["square"] > 0


def test_workers_are_processes(tmp_path: Path) -> None:
    run = stages(tmp_path)
    run.fan_out("nap", nap, [{"value": value} for value in range(8)])
    assert run.processes == {"nap": 2}


def test_one_worker_does_one_thing_at_a_time(tmp_path: Path) -> None:
    """Not always in one process: on a busy machine Ray may start another before the first is up."""
    run = stages(tmp_path, workers=1)
    run.fan_out("nap", nap, [{"value": value} for value in range(8)])
    assert run.seconds["nap"] >= 8 * 0.5


def test_the_first_error_in_order_is_raised_after_all_have_ended(tmp_path: Path) -> None:
    progress = Progress(disable=True)
    with pytest.raises(UserError, match=r"^-3 is negative$"):
        stages(tmp_path, progress).fan_out("square", square, [{"value": value} for value in (4, -3, -2, 5)])
    assert progress.tasks[0].completed == 4


def test_what_is_finished_is_not_done_again(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="-3 is negative"):
        stages(tmp_path).fan_out("square", square, [{"value": value} for value in (4, -3, 5)])
    progress = Progress(disable=True)
    again = stages(tmp_path, progress)
    results = again.fan_out("square", square, [{"value": value} for value in (99, 3, 99)])
    assert [result["square"] for result in results] == [16, 9, 25]
    assert again.ran == {"square": 1}
    assert progress.tasks[0].completed == 3
    assert stages(tmp_path).fan_out("square", square, [{"value": 0}] * 3) == results


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    stages(tmp_path).fan_out("square", square, [{"value": 1}])
    assert capfd.readouterr() == ("", "")
