"""What is refused at its end is written again, and the answer that counts says how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from hrm_ray.evaluate import generation
from hrm_ray.evaluate.generation import Request, write
from hrm_ray.evaluate.opened import Opened
from hrm_ray.model.generate import Written
from hrm_ray.model.sampling import Sampling
from tests.evaluate.test_losses import dataset, opened

__all__ = ["dataset", "opened"]

VALID, INVALID = "type T int", "type T ("


class Scripted:
    """Stands in for the network: each request says these texts, one each time that it is written to."""

    def __init__(self, opened: Opened, texts: Sequence[Sequence[str]]) -> None:
        self.tokenizer, self.left = opened.tokenizer, [list(one) for one in texts]
        self.samplings, self.seeds = list[Sampling](), list[int]()

    def __call__(
        self, model: object, prefixes: Sequence[Sequence[int]], seeds: Sequence[int], sampling: Sampling, *_: Any
    ) -> list[Written]:
        self.samplings.append(sampling)
        self.seeds += seeds
        plan = self.tokenizer.encode("add type T")
        return [Written(plan, self.tokenizer.encode(self.left[prefix[0]].pop(0)), True) for prefix in prefixes]


def network(opened: Opened, retries: int) -> Opened:
    evaluate = opened.config.evaluate.model_copy(update={"retries": retries, "retry_temperature": 0.6})
    return replace(opened, config=opened.config.model_copy(update={"evaluate": evaluate}))


def test_it_is_written_again_until_it_is_accepted_and_else_the_first_counts(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    says = [[VALID], [INVALID, INVALID, "type U int"], [INVALID, "type V (", "type W ("], [INVALID], [INVALID]]
    scripted = Scripted(opened, says)
    monkeypatch.setattr(generation, "generate", scripted)
    asked = [Request([number], str(number)) for number in range(3)]
    asked += [Request([3], "3", checked=False), Request([4], "4", tries_again=False)]
    found = write(network(opened, retries=2), asked)
    texts = [opened.tokenizer.decode(one.code) for one in found]
    assert texts == [VALID, "type U int", INVALID, INVALID, INVALID]
    assert [one.tries for one in found] == [1, 3, 3, 1, 1]
    assert [one.temperature for one in scripted.samplings] == [0.0, 0.6, 0.6]
    assert len(set(scripted.seeds)) == len(scripted.seeds) == 5 + 2 + 2


def test_a_copy_of_the_input_is_written_again(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "generate", Scripted(opened, [[VALID, "type T string"]]))
    [one] = write(network(opened, retries=5), [Request([0], "0", before=VALID)])
    assert (opened.tokenizer.decode(one.code), one.tries) == ("type T string", 2)


def test_none_are_written_again_where_none_are_asked_for(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "generate", Scripted(opened, [[INVALID]]))
    [one] = write(network(opened, retries=0), [Request([0], "0")])
    assert one.tries == 1
