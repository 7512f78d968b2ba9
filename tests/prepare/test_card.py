"""What the card says of shards."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from hrm_ray.prepare import card
from hrm_ray.prepare.shards import JUDGEMENTS, TOKENISED, part_name, write
from hrm_ray.prepare.split import FOLDS
from tests.prepare.factory import example

TOKENS = {"problem_ids": [1], "context_ids": [3], "plan_ids": [7], "code_ids": [8, 20, 9]}


@pytest.mark.parametrize(
    ("repositories", "synthetic"),
    [(["acme/a", "acme/b"], False), (["synthetic/a", "synthetic/b"], True), (["acme/a", "synthetic/b"], True)],
)
def test_one_synthetic_repository_makes_it_synthetic(tmp_path: Path, repositories: list[str], synthetic: bool) -> None:
    numbers = {**TOKENS, "weight": 1.0, "plan_bytes": 0, "code_bytes": 1}
    rows = {"train": [{**asdict(example(repository=name)), **numbers} for name in repositories]}
    for fold in FOLDS:
        write(tmp_path / fold / part_name(0), rows.get(fold, []), TOKENISED)
        write(tmp_path / "judgements" / fold / part_name(0), [], JUDGEMENTS)
    described = card.describe(tmp_path, {}, "sum")
    assert described["synthetic"] is synthetic
    assert described["folds"]["train"]["repositories"] == dict.fromkeys(repositories, 1)
    assert described["folds"]["train"]["bytes_per_token"] == {"plan": None, "code": 1.0}
    assert described["folds"]["test"] == {"examples": 0, "repositories": {}, "judgements": {"count": 0}}
