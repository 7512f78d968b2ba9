"""Runs and baselines that are half-trained, or evaluated otherwise or too early, decide nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hrm_ray.report.decide import Decision
from tests.report.conftest import Folder, evaluated, spoil


def half_trained(baseline: Folder) -> None:
    baseline.train = baseline.train[:100]


def shorter(baseline: Folder) -> None:
    half_trained(baseline)
    baseline.run["horizon"] = 100


def hotter(baseline: Folder) -> None:
    evaluated(baseline)["generation"]["temperature"] = 0.7


def trained_on(baseline: Folder) -> None:
    evaluated(baseline)["checkpoint"]["step"] = 100


INCOMPARABLE: list[tuple[Callable[[Folder], object], str]] = [
    (lambda one: one.run.update(dataset_hash="other"), "it was trained on other data"),
    (lambda one: evaluated(one).update(split="validation"), "on the validation fold, the run on the test fold"),
    (lambda one: setattr(one, "evaluation", None), "it was not evaluated"),
    (half_trained, "its last logged step is 100 of 200"),
    (lambda one: one.train.clear(), "its metrics hold no training step"),
    (shorter, "its horizon is 100 steps, the run's 200"),
    (hotter, "it generated at temperature 0.7, the run at 0"),
    (trained_on, "its evaluation is not of the best checkpoint"),
]


@pytest.mark.parametrize("role", ["equal_parameters", "equal_flops"])
@pytest.mark.parametrize(("change", "reason"), INCOMPARABLE)
def test_a_baseline_that_cannot_be_compared_is_not_measured(
    folder: Folder, verdict: Callable[..., Decision], role: str, change: Callable[[Folder], object], reason: str
) -> None:
    change(folder.baselines[role])
    decision = verdict(folder)
    assert (decision.verdict, decision.questions[2].answer) == ("NOT ENOUGH EVIDENCE", "not measured")
    assert reason in decision.reasons[0]


def test_two_short_runs_of_one_horizon_are_compared(folder: Folder, verdict: Callable[..., Decision]) -> None:
    for one in (folder, *folder.baselines.values()):
        one.run["horizon"] = 190
        one.train = one.train[:190]
    assert verdict(folder).verdict == "GO"


@pytest.mark.parametrize("valid", [0.8, 0.1])
@pytest.mark.parametrize(("steps", "reason"), [(199, "the last logged step is 199"), (0, "no training step is logged")])
def test_an_unfinished_run_decides_nothing(
    folder: Folder, verdict: Callable[..., Decision], steps: int, reason: str, valid: float
) -> None:
    folder.train = folder.train[:steps]
    spoil(folder, "generation", "all", "valid_share", value=valid)
    decision = verdict(folder)
    assert decision.verdict == "NOT ENOUGH EVIDENCE"
    assert f"has not reached its horizon of 200 steps: {reason}" in decision.reasons[0]


def test_a_run_that_was_trained_on_must_be_evaluated_again(folder: Folder, verdict: Callable[..., Decision]) -> None:
    folder.best = {"step": 200, "objective": 1.7}
    decision = verdict(folder)
    assert decision.verdict == "NOT ENOUGH EVIDENCE"
    assert "step 180 was evaluated, the best checkpoint is now step 200. Evaluate again." in decision.reasons[0]
