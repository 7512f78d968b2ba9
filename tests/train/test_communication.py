from __future__ import annotations

import pytest

from hrm_ray.config import Train
from hrm_ray.train.communication import sent_bytes


@pytest.mark.parametrize(("stage", "copies"), [(0, 2), (1, 2), (2, 4), (3, 9)])
def test_each_stage_sends_what_the_paper_counts(stage: int, copies: int) -> None:
    three_micro_batches = {"workers": 2, "rows": 12, "micro_rows": 2}
    train = Train.model_validate({"zero_stage": stage, **three_micro_batches})
    assert sent_bytes(train, parameters=100) == 4 * 100 * copies / 2
    assert sent_bytes(train.model_copy(update={"workers": 4, "rows": 24}), parameters=100) == 4 * 100 * copies * 3 / 4


def test_one_process_sends_nothing() -> None:
    assert sent_bytes(Train(workers=0), parameters=100) == sent_bytes(Train(workers=1), parameters=100) == 0
