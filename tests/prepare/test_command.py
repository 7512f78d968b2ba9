"""What `hrm-ray prepare` says."""

from __future__ import annotations

import io
import re
from contextlib import nullcontext
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress

from hrm_ray import settings
from hrm_ray.errors import UserError
from hrm_ray.prepare.command import prepare_dataset
from tests.prepare import factory


def test_a_file_of_no_records_is_refused_before_ray_is_started(tmp_path: Path) -> None:
    (tmp_path / "prs.csv").touch()
    chosen = {"input": str(tmp_path / "prs.csv")}
    given = settings.parse({"name": "t", "data": str(tmp_path / "data"), "prepare": chosen}, "test")

    def session(cpus: int) -> nullcontext[None]:
        raise AssertionError(f"a Ray of {cpus} CPUs is started")

    with pytest.raises(UserError, match=r"prs\.csv: .*\.parquet"):
        prepare_dataset(given, Progress(disable=True), session)


@pytest.mark.usefixtures("ray_session")
def test_it_says_what_came_of_it_and_then_that_nothing_is_left_to_do(tmp_path: Path) -> None:
    source = factory.write_parquet(tmp_path / "prs.parquet", factory.history(), group=20)
    chosen = {"vocab_size": 530, "window": 256, "input": str(source)}
    given = settings.parse({"name": "t", "data": str(tmp_path / "data"), "prepare": chosen}, "test")
    printed = io.StringIO()
    progress = Progress(console=Console(file=printed, width=1000), disable=True)
    prepare_dataset(given, progress, nullcontext)
    first = printed.getvalue()
    assert re.search(r"^examples: train \d+, judge \d+, validation \d+, test \d+; tokenizer: \d+ tokens$", first, re.M)
    assert "up to date" not in first
    prepare_dataset(given, progress, nullcontext)
    assert "up to date, nothing to do" in printed.getvalue().removeprefix(first)
