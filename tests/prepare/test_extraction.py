"""One part of the input to examples, without Ray."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hrm_ray import settings
from hrm_ray.collect import records
from hrm_ray.collect.records import Issue, PullRequest
from hrm_ray.config import Prepare
from hrm_ray.prepare.examples import Example
from hrm_ray.prepare.extraction import _in_form, extract_part
from hrm_ray.prepare.shards import Shards
from tests.prepare.factory import example, history


def extracted(folder: Path, given: list[PullRequest], **prepare: Any) -> list[Example]:
    records.write(folder / "given.parquet", given)
    config = settings.parse({"name": "t", "data": str(folder), "prepare": prepare}, "test")
    item = {"part": 0, "path": str(folder / "given.parquet"), "row_group": 0, "slice": 0, "slices": 1, "fold": ""}
    extract_part(item, folder=folder, config=config)
    shards = Shards(folder / "extracted")
    return [shards.example(row) for row in range(len(shards))]


def with_request(given: list[PullRequest], **changes: Any) -> list[PullRequest]:
    return [replace(each, pull_request=replace(each.pull_request, **changes)) for each in given]


@pytest.mark.parametrize(
    ("issues", "body"), [(True, "Own words.\n\nIt leaks\nFuel on the pad."), (False, "Own words.")]
)
def test_issues_that_it_closed_join_the_problem_where_that_is_wanted(tmp_path: Path, issues: bool, body: str) -> None:
    given = with_request(history(1, 1), body="Own words.", issues=(Issue(3, "It leaks", "Fuel on the pad."),))
    found = extracted(tmp_path, given, issues=issues)
    assert [each.body for each in found] == [body] * 2


def test_what_describes_the_target_is_never_in_an_example(tmp_path: Path) -> None:
    told = with_request(history(), comments=("LGTM: return 0 first",), labels=("hint",), ci="success")
    assert extracted(tmp_path / "told", told) == extracted(tmp_path / "plain", history())


@pytest.mark.parametrize("form", ["whole", "edit"])
def test_examples_prepared_elsewhere_get_plans_of_this_form(form: str) -> None:
    plans = {"whole": "modify function F\ncall b", "edit": "modify function F\n@1-2 call b"}
    before, code = "func F() {\n\ta()\n}", "func F() {\n\tb()\n}"
    chosen = Prepare.model_validate({"form": form})
    for given in plans.values():
        found = _in_form(example(before=before, code=code, plan=given, names=("F",)), chosen).plan
        assert found == plans["whole"] if form == "whole" else found.split("\n")[1].startswith("@1-2 ")
