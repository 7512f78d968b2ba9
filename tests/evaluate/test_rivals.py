"""A rule that knows nothing of the change never passes question 4, and a head that knows something does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hrm_ray.evaluate import judgement
from hrm_ray.evaluate.judgement import beyond_validity
from hrm_ray.evaluate.opened import Opened
from hrm_ray.evaluate.rivals import looks, together
from hrm_ray.evaluate.statistics import roc_area
from hrm_ray.report.checks import thresholds
from tests.evaluate.test_losses import dataset, opened

__all__ = ["dataset", "opened"]

PULLS, EACH = 76, 8
"""Pull requests, and attempts at each: half of them right."""


class Judged:
    """Attempts where the right ones are longer and farther from the input, as before they were matched."""

    def __init__(self, seed: int, length: float = 0.6, edit: float = 0.9) -> None:
        random = np.random.default_rng(seed)
        count = PULLS * EACH
        self.labels = torch.tensor([1, 2] * (count // 2))
        self.right = self.labels.numpy() == 2
        self.pulls = [place // EACH for place in range(count)]
        owner = np.repeat(random.normal(size=PULLS), EACH)
        self.seen = {
            "length": np.exp(owner + random.normal(size=count) + length * self.right).tolist(),
            "size of the edit": np.exp(random.normal(size=count) + edit * self.right).tolist(),
        }
        self.likelihoods = (owner + random.normal(size=count) - 0.1 * self.right).tolist()
        self.random = random

    def passes(self, score: NDArray[Any]) -> bool:
        found = beyond_validity(self.labels, torch.tensor(score), self.likelihoods, self.pulls, self.seen)
        area, lead = found["done_auc_interval"], found["done_auc_lead_interval"]
        return bool(area[0] > 0.5 and lead[0] > thresholds().judging.lead)


RULES: dict[str, Callable[[Judged], NDArray[Any]]] = {
    "a guess": lambda judged: judged.random.normal(size=len(judged.right)),
    "the length": lambda judged: np.array(judged.seen["length"]),
    "the logarithm of the edit": lambda judged: np.log(judged.seen["size of the edit"]),
    "a long edit": lambda judged: np.array(judged.seen["size of the edit"]) > 2,
    "a sum of both": lambda judged: np.log(judged.seen["length"]) + 2 * np.log(judged.seen["size of the edit"]),
    "the likelihood": lambda judged: -np.array(judged.likelihoods),
}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_that_knows_nothing_of_the_change_does_not_pass(name: str) -> None:
    passed = [judged.passes(RULES[name](judged)) for judged in map(Judged, range(5))]
    assert not any(passed)


def test_what_a_head_knows_passes() -> None:
    """It has an area of 0.85 where the rivals have 0.81 together; and one of 0.69 where they have none."""
    knows = [
        judged.passes(judged.right + 0.65 * judged.random.normal(size=len(judged.right)))
        for judged in map(Judged, range(4))
    ]
    assert sum(knows) >= 3
    matched = [Judged(seed, 0, 0) for seed in range(4)]
    assert sum(one.passes(one.right + 1.4 * one.random.normal(size=len(one.right))) for one in matched) >= 3


def test_the_strongest_rival_decides() -> None:
    judged = Judged(3)
    found = beyond_validity(
        judged.labels, torch.tensor(judged.right * 1.0), judged.likelihoods, judged.pulls, judged.seen
    )
    assert set(found["rivals"]) == {"likelihood", "length", "size of the edit", "all together"}
    strongest = min(found["rivals"].values(), key=lambda one: one["lead_interval"][0])
    assert found["rivals"][found["strongest_rival"]] == strongest
    assert (found["done_auc_lead"], found["done_auc_lead_interval"]) == (strongest["lead"], strongest["lead_interval"])


def test_together_they_are_told_on_other_pull_requests_than_they_were_fitted_to() -> None:
    """A rival that is noise gains nothing by being fitted, and two that know gain by being together."""
    random = np.random.default_rng(0)
    right = np.array([False, True] * 200)
    pulls = [place // 8 for place in range(400)]
    noise = {str(at): random.normal(size=400) for at in range(20)}
    assert abs((roc_area(together(noise, right, pulls), right) or 0) - 0.5) < 0.07
    two = {str(at): right + random.normal(size=400) for at in range(2)}
    alone = max(roc_area(one, right) or 0 for one in two.values())
    assert (roc_area(together(two, right, pulls), right) or 0) > alone + 0.02


def test_what_is_seen_from_afar() -> None:
    before = "func F() {\n\ta()\n}"
    seen = looks([before, before.replace("a()", "a()\n\ta()"), "func G() {}"], [before, before, ""])
    assert seen == {
        "length": [17, 22, 11],
        "lines": [2, 3, 0],
        "growth": [0, 5, 11],
        "size of the edit": [0, 3, 6],
        "repetition": [2, 5, 0],
        "not the input": [False, True, True],
    }


def test_both_views_have_rivals_and_leave_copies_out(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """The label of a copy is REFINE, which a comparison tells."""
    found = judgement.measure(opened, [])
    for seen in found["constructed"].values():
        assert (seen["count"], seen["copies"]) == (len(opened.judge), 0)
        assert set(seen["rivals"]) >= {"likelihood", "length", "size of the edit", "all together"}
        assert seen["strongest_rival"] in seen["rivals"]
    monkeypatch.setattr(judgement, "is_copy", lambda attempt, before: True)
    for seen in judgement.measure(opened, [])["constructed"].values():
        assert (seen["copies"], seen["done_auc_among_valid"], seen["done_auc_lead"]) == (len(opened.judge), None, None)
