"""Work items through Ray Data."""

from __future__ import annotations

import os

import pytest
from rich.progress import Progress

from hrm_ray.errors import UserError
from hrm_ray.prepare.stages import Item, Stages

pytestmark = pytest.mark.usefixtures("ray_session")


def square(item: Item) -> Item:
    if item["value"] < 0:
        raise UserError(f"{item['value']} is negative")
    return {"square": item["value"] ** 2, "process": os.getpid()}


def test_results_come_in_order_from_other_processes() -> None:
    stages, progress = Stages(Progress(disable=True)), [{"value": value} for value in range(7)]
    results = stages.fan_out("square", square, progress)
    assert [result["square"] for result in results] == [value**2 for value in range(7)]
    assert os.getpid() not in {result["process"] for result in results}
    assert stages.tasks == {"square": 7}
    assert stages.seconds["square"] > 0


def test_the_first_error_in_order_is_raised_after_all_have_ended() -> None:
    progress = Progress(disable=True)
    stages = Stages(progress)
    with pytest.raises(UserError, match=r"^-3 is negative$"):
        stages.fan_out("square", square, [{"value": value} for value in (4, -3, -2, 5)])
    assert progress.tasks[0].completed == 4


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    Stages(Progress(disable=True)).fan_out("square", square, [{"value": 1}])
    assert capfd.readouterr() == ("", "")
