"""Several answers are written to a change, and the likeliest that stands is taken."""

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

    def __init__(self, opened: Opened, texts: Sequence[Sequence[tuple[str, float]]]) -> None:
        self.tokenizer, self.left = opened.tokenizer, [list(one) for one in texts]
        self.samplings, self.seeds = list[Sampling](), list[int]()

    def __call__(
        self, model: object, prefixes: Sequence[Sequence[int]], seeds: Sequence[int], sampling: Sampling, *_: Any
    ) -> list[Written]:
        self.samplings.append(sampling)
        self.seeds += seeds
        return [self._written(*self.left[prefix[0]].pop(0)) for prefix in prefixes]

    def _written(self, text: str, log_likelihood: float) -> Written:
        plan, code = map(self.tokenizer.encode, ("add type T", text))
        return Written(plan, code, True, log_likelihood)


def network(opened: Opened, candidates: int) -> Opened:
    changed = {"candidates": candidates, "candidate_temperature": 0.6}
    evaluate = opened.config.evaluate.model_copy(update=changed)
    return replace(opened, config=opened.config.model_copy(update={"evaluate": evaluate}))


def test_the_likeliest_that_stands_is_taken_and_else_the_first(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    says = [
        [(VALID, -5.0), ("type U int", -7.0), ("type V int", -3.0)],
        [(INVALID, -1.0), (INVALID, -1.0), ("type U int", -9.0)],
        [(INVALID, -4.0), ("type V (", -2.0), ("type W (", -6.0)],
        [(INVALID, -1.0)],
        [(INVALID, -1.0)],
    ]
    scripted = Scripted(opened, says)
    monkeypatch.setattr(generation, "generate", scripted)
    asked = [Request([number], str(number)) for number in range(3)]
    asked += [Request([3], "3", checked=False), Request([4], "4", chosen=False)]
    found = write(network(opened, candidates=3), asked)
    texts = [opened.tokenizer.decode(one.code) for one in found]
    assert texts == ["type V int", "type U int", INVALID, INVALID, INVALID]
    assert [one.tries for one in found] == [1, 3, 3, 1, 1], "the first that stood, or how many did not"
    assert [one.log_likelihood for one in found[:3]] == [-3.0, -9.0, -4.0]
    assert [one.temperature for one in scripted.samplings] == [0.0, 0.6]
    assert len(set(scripted.seeds)) == len(scripted.seeds) == 5 + 2 * 3


def test_a_copy_of_the_input_does_not_stand(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted = Scripted(opened, [[(VALID, -1.0), ("type T string", -2.0)]])
    monkeypatch.setattr(generation, "generate", scripted)
    [one] = write(network(opened, candidates=2), [Request([0], "0", before=VALID)])
    assert (opened.tokenizer.decode(one.code), one.tries) == ("type T string", 2)


def test_one_candidate_is_written_once(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted = Scripted(opened, [[(INVALID, -1.0)]])
    monkeypatch.setattr(generation, "generate", scripted)
    told = list[int]()
    [one] = write(network(opened, candidates=1), [Request([0], "0")], told.append)
    assert one.tries == 1
