"""The decision, from both sides of every threshold."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hrm_ray.report.checks import Check, conjunction, thresholds
from hrm_ray.report.compare import lead
from hrm_ray.report.decide import Decision
from tests.report.conftest import STEPS, Folder, decided, document_losses, generated, spoil, train_line, validation_line

LIMITS = thresholds()


def check(decision: Decision, question: int, subject: str, what: str) -> Check:
    found = [
        one
        for one in decision.questions[question - 1].checks
        if one.subject.startswith(subject) and one.what.startswith(what)
    ]
    assert len(found) == 1, [(one.subject, one.what) for one in decision.questions[question - 1].checks]
    return found[0]


def test_the_good_run_is_a_go(folder: Folder, verdict: Callable[..., Decision]) -> None:
    decision = verdict(folder)
    assert (decision.verdict, [one.answer for one in decision.questions]) == ("GO", ["yes"] * 4)
    assert any("ahead of the plain model of equal FLOPs" in reason for reason in decision.reasons)


def test_without_equal_flops_a_go_says_so(folder: Folder, verdict: Callable[..., Decision]) -> None:
    del folder.baselines["equal_flops"]
    decision = verdict(folder)
    assert decision.verdict == "GO"
    assert "equal FLOPs was not trained" in decision.reasons[-1]


def test_without_equal_parameters_there_is_no_go(folder: Folder, verdict: Callable[..., Decision]) -> None:
    del folder.baselines["equal_parameters"]
    decision = verdict(folder)
    assert decision.verdict == "NOT ENOUGH EVIDENCE"
    assert decision.questions[2].answer == "not measured"
    assert "plain model of equal parameters" in decision.reasons[0]


@pytest.mark.parametrize(
    ("keys", "value", "reason"),
    [
        (("synthetic",), True, "synthetic"),
        (("split",), "validation", "validation fold"),
        (("generation", "all", "count"), LIMITS.enough.generations - 1, "199 held-out declarations"),
        (("decisions", "constructed", "hidden", "count"), LIMITS.enough.judged - 1, "99 constructed attempts"),
        (("decisions",), None, "0 constructed attempts"),
    ],
)
@pytest.mark.parametrize("otherwise", ["good", "bad"])
def test_too_little_is_never_a_go_nor_a_no(
    folder: Folder,
    verdict: Callable[..., Decision],
    keys: tuple[str, ...],
    value: object,
    reason: str,
    otherwise: str,
) -> None:
    if otherwise == "bad":
        spoil(folder, "generation", "all", "valid_share", value=0.0)
    spoil(folder, *keys, value=value)
    decision = verdict(folder)
    assert decision.verdict == "NOT ENOUGH EVIDENCE"
    assert reason in " ".join(decision.reasons)


def test_just_enough_is_enough(folder: Folder, verdict: Callable[..., Decision]) -> None:
    spoil(folder, "generation", "all", "count", value=LIMITS.enough.generations)
    spoil(folder, "decisions", "constructed", "hidden", "count", value=LIMITS.enough.judged)
    assert verdict(folder).verdict == "GO"


def test_without_evaluation_there_is_not_enough_evidence(folder: Folder, verdict: Callable[..., Decision]) -> None:
    folder.evaluation = None
    decision = verdict(folder)
    assert decision.verdict == "NOT ENOUGH EVIDENCE"
    assert "evaluation.json is missing" in decision.reasons[0]
    assert [one.answer for one in decision.questions] == ["yes", "yes", "not measured", "not measured"]


def lines_of(values: np.ndarray[Any, Any]) -> list[dict[str, Any]]:
    return [{**train_line(step), "code_loss": float(value)} for step, value in enumerate(values, start=1)]


@pytest.mark.parametrize(("fall", "answer"), [(0.0201, "yes"), (0.0199, "no")])
def test_how_far_a_loss_must_fall(folder: Folder, verdict: Callable[..., Decision], fall: float, answer: str) -> None:
    # The means of the first and the last ten of 200 steps of a straight line are 190 steps apart.
    line = 4.0 * (1 - fall * (np.arange(200) - 4.5) / 190)
    folder.train = lines_of(line)
    decision = verdict(folder)
    found = check(decision, 1, "Code loss", "Fall")
    assert found.value is not None
    assert found.value == pytest.approx(fall)
    assert (found.answer, decision.questions[0].answer) == (answer, answer)


def test_a_loss_that_rises_after_a_fall_has_the_wrong_slope(folder: Folder, verdict: Callable[..., Decision]) -> None:
    folder.train = lines_of(np.concatenate([np.full(10, 6.0), np.linspace(3, 5, 190)]))
    decision = verdict(folder)
    assert check(decision, 1, "Code loss", "Fall").answer == "yes"
    assert check(decision, 1, "Code loss", "Slope").answer == "no"
    assert decision.verdict == "NO-GO"
    assert "Do the losses fall consistently? No. Code loss" in decision.reasons[0]


@pytest.mark.parametrize(("rises", "answer"), [(3, "yes"), (4, "no")])
def test_in_how_many_windows_a_loss_must_fall(
    folder: Folder, verdict: Callable[..., Decision], rises: int, answer: str
) -> None:
    steps = [0.02 if index < rises else -0.5 for index in range(9)]
    means = 6 + np.concatenate([[0], np.cumsum(steps)])
    folder.train = lines_of(np.repeat(means, 20))
    assert check(verdict(folder), 1, "Code loss", "Share of windows").answer == answer


@pytest.mark.parametrize(("short", "answer"), [(0, "yes"), (1, "not measured")])
def test_how_many_steps_must_be_logged(
    folder: Folder, verdict: Callable[..., Decision], short: int, answer: str
) -> None:
    folder.train = folder.train[:: 200 // LIMITS.enough.train_lines][: LIMITS.enough.train_lines - short]
    assert verdict(folder).questions[0].answer == answer


def test_a_loss_that_was_never_recorded_is_not_measured(folder: Folder, verdict: Callable[..., Decision]) -> None:
    for line in folder.train:
        line["refinement_loss"] = None
    decision = verdict(folder)
    assert decision.questions[0].answer == "not measured"
    assert decision.verdict == "NOT ENOUGH EVIDENCE"


@pytest.mark.parametrize(("short", "answer"), [(0, "yes"), (1, "not measured")])
def test_how_many_validations_are_needed(
    folder: Folder, verdict: Callable[..., Decision], short: int, answer: str
) -> None:
    folder.validation = [validation_line(step) for step in range(40, 201, 40)][short:]
    assert verdict(folder).questions[1].answer == answer


def with_validation(folder: Folder, values: list[float]) -> Folder:
    folder.train = lines_of(np.linspace(6, 3, 200))
    steps = np.linspace(20, 200, len(values)).astype(int).tolist()
    folder.validation = [
        {**validation_line(step), "code_loss": value} for step, value in zip(steps, values, strict=True)
    ]
    return folder


@pytest.mark.parametrize(("above", "answer"), [(1.019, "yes"), (1.021, "no")])
def test_how_far_validation_may_end_above_its_best(
    folder: Folder, verdict: Callable[..., Decision], above: float, answer: str
) -> None:
    decision = verdict(with_validation(folder, [6.0, 5.5, 5.0, 4.5, 4.0, 4.0 * above]))
    assert check(decision, 2, "Code loss", "Last above best").answer == answer


@pytest.mark.parametrize(("end", "answer", "shown"), [(0.0, "yes", "0.000 against 0"), (0.01, "no", "0.010 against 0")])
def test_a_validation_loss_of_nothing_is_a_best_like_any_other(
    folder: Folder, verdict: Callable[..., Decision], end: float, answer: str, shown: str
) -> None:
    decision = verdict(with_validation(folder, [6.0, 4.0, 2.0, 1.0, 0.0, end]))
    found = check(decision, 2, "Code loss", "Last above best")
    assert (found.value, found.answer, found.measured) == (None, answer, shown)
    json.dumps(decision.as_json(), allow_nan=False)


@pytest.mark.parametrize(("end", "answer"), [(6.0, "yes"), (6.01, "no")])
def test_validation_must_not_end_above_its_start(
    folder: Folder, verdict: Callable[..., Decision], end: float, answer: str
) -> None:
    decision = verdict(with_validation(folder, [6.0, 6.5, 6.2, 6.1, 6.1, end]))
    assert check(decision, 2, "Code loss", "First to last").answer == answer


@pytest.mark.parametrize(("part", "answer"), [(0.52, "yes"), (0.48, "no")])
def test_what_share_of_the_fall_validation_must_have(
    folder: Folder, verdict: Callable[..., Decision], part: float, answer: str
) -> None:
    fall = 3 * 180 / 199
    decision = verdict(with_validation(folder, np.linspace(6, 6 - part * fall, 10).tolist()))
    found = check(decision, 2, "Code loss", "Share of")
    assert found.value == pytest.approx(part, abs=0.02)
    assert found.answer == answer


@pytest.mark.parametrize(("values", "answer"), [([6, 5.5, 5, 4.5, 4], "yes"), ([6, 4.1, 5.9, 4.2, 5.8, 4], "no")])
def test_how_closely_validation_must_follow(
    folder: Folder, verdict: Callable[..., Decision], values: list[float], answer: str
) -> None:
    assert check(verdict(with_validation(folder, values)), 2, "Code loss", "Correlation").answer == answer


@pytest.mark.parametrize(("share", "answer"), [(0.5, "yes"), (0.499, "no")])
def test_valid_share(folder: Folder, verdict: Callable[..., Decision], share: float, answer: str) -> None:
    spoil(folder, "generation", "all", "valid_share", value=share)
    decision = verdict(folder)
    assert check(decision, 3, "All changes", "Valid share").answer == answer
    assert decision.verdict == ("GO" if answer == "yes" else "NO-GO")


@pytest.mark.parametrize(("low", "answer"), [(0.01, "yes"), (0.009, "no")])
def test_improved_share(folder: Folder, verdict: Callable[..., Decision], low: float, answer: str) -> None:
    spoil(folder, "generation", "all", "improved_interval", value=[low, 0.4])
    decision = verdict(folder)
    assert check(decision, 3, "All changes", "Improved share").answer == answer
    assert decision.verdict == ("GO" if answer == "yes" else "NO-GO")


@pytest.mark.parametrize(("bounds", "answer"), [([0.01, 0.2], "yes"), ([0.009, 0.2], "no"), (None, "not measured")])
def test_improving_alone_is_not_enough(
    folder: Folder, verdict: Callable[..., Decision], bounds: list[float] | None, answer: str
) -> None:
    """A body that fits everywhere improves; more of the way shows that somebody looked."""
    spoil(folder, "generation", "all", "close_interval", value=bounds)
    decision = verdict(folder)
    assert check(decision, 3, "All changes", "Close to the reference").answer == answer
    assert (decision.verdict == "GO") == (answer == "yes")


@pytest.mark.parametrize("role", ["equal_parameters", "equal_flops"])
@pytest.mark.parametrize(("factor", "answer"), [(0.9899, "yes"), (0.9901, "no")])
def test_fewer_bits_than_the_plain_model(
    folder: Folder, verdict: Callable[..., Decision], role: str, factor: float, answer: str
) -> None:
    folder.baselines[role].losses = document_losses(1.234 / factor)
    decision = verdict(folder)
    name = {"equal_parameters": "parameters", "equal_flops": "FLOPs"}[role]
    found = check(decision, 3, f"Against the plain model of equal {name}", "Bits of plan and code saved")
    assert found.value == pytest.approx(1 - factor)
    assert found.answer == answer
    assert decision.verdict == ("GO" if answer == "yes" else "NO-GO")


def test_a_saving_that_a_few_pull_requests_make_is_none(folder: Folder, verdict: Callable[..., Decision]) -> None:
    """Without the last three of eighty the run saves nothing; with them 3%, which chance could do as well."""
    baseline = folder.baselines["equal_parameters"]
    baseline.losses = document_losses(1.234)
    for one in baseline.losses[-9:]:
        one["code_nats"] *= 2
    found = check(verdict(folder), 3, "Against the plain model of equal parameters", "Bits of plan and code saved")
    assert found.value == pytest.approx(0.03, abs=0.005)
    assert found.answer == "no"


def test_without_the_losses_of_documents_a_saving_is_not_measured(
    folder: Folder, verdict: Callable[..., Decision]
) -> None:
    folder.baselines["equal_flops"].losses = None
    found = check(verdict(folder), 3, "Against the plain model of equal FLOPs", "Bits of plan and code saved")
    assert (found.answer, found.needed) == ("not measured", "losses.jsonl of both: evaluate again")


@pytest.mark.parametrize(("theirs", "answer"), [(12, "yes"), (3, "no"), (2, "no")])
def test_ahead_of_the_plain_model_beyond_chance(
    folder: Folder, verdict: Callable[..., Decision], theirs: int, answer: str
) -> None:
    folder.baselines["equal_parameters"].samples = Folder(improved_every=theirs).samples
    decision = verdict(folder)
    assert check(decision, 3, "Against the plain model of equal parameters", "Lead").answer == answer
    assert decision.verdict == ("GO" if answer == "yes" else "NO-GO")


def test_too_few_pairs_are_no_comparison(folder: Folder, verdict: Callable[..., Decision]) -> None:
    baseline = folder.baselines["equal_parameters"]
    assert baseline.samples is not None
    baseline.samples = baseline.samples[: LIMITS.enough.generations]
    assert verdict(folder).verdict == "GO"
    baseline.samples = baseline.samples[:-1]
    assert verdict(folder).verdict == "NOT ENOUGH EVIDENCE"
    assert lead([], []) is None


@pytest.mark.parametrize("origin", ["constructed", "generated"])
@pytest.mark.parametrize(
    ("what", "fields", "answer"),
    [
        ("Area under the curve", {"area": 0.581, "likelihood": 0.5}, "yes"),
        ("Area under the curve", {"area": 0.549, "likelihood": 0.5}, "no"),
        ("The same area", {"area": 0.70, "likelihood": 0.619}, "yes"),
        ("The same area", {"area": 0.70, "likelihood": 0.621}, "no"),
        ("The same area", {"area": 0.70, "likelihood": 0.381}, "yes"),
        ("The same area", {"area": 0.70, "likelihood": 0.379}, "no"),
        ("Balanced accuracy", {"accuracy": 0.384}, "yes"),
        ("Balanced accuracy", {"accuracy": 0.383}, "no"),
    ],
)
def test_what_refinement_must_know(
    folder: Folder, verdict: Callable[..., Decision], origin: str, what: str, fields: dict[str, float], answer: str
) -> None:
    spoil(folder, "decisions", origin, "hidden", value=decided(**fields))
    decision = verdict(folder)
    name = {"constructed": "On constructed", "generated": "On the model's own"}[origin]
    assert check(decision, 4, f"{name} attempts, feedback hidden", what).answer == answer
    assert decision.verdict == ("GO" if answer == "yes" else "NO-GO")


@pytest.mark.parametrize(("done", "answer"), [(20, "yes"), (19, "not measured")])
def test_how_many_documents_of_a_class(
    folder: Folder, verdict: Callable[..., Decision], done: int, answer: str
) -> None:
    spoil(folder, "decisions", "generated", "hidden", "confusion", value=[[90, 5, 5], [10, 80, 10], [1, 2, done - 3]])
    assert verdict(folder).questions[3].answer == answer


def test_an_absent_class_is_not_measured(folder: Folder, verdict: Callable[..., Decision]) -> None:
    for name in ("done_auc_among_valid", "done_auc_interval", "done_auc_lead", "done_auc_lead_interval"):
        spoil(folder, "decisions", "generated", "hidden", name, value=None)
    assert verdict(folder).verdict == "NOT ENOUGH EVIDENCE"
    spoil(folder, "generation", "all", "valid_share", value=0.1)
    assert verdict(folder).verdict == "NO-GO"


@pytest.mark.parametrize(
    ("name", "absent"), [("balanced_accuracy_of_a_guess", None), ("done_auc_interval", None), ("rivals", {})]
)
def test_without_an_interval_refinement_is_not_measured(
    folder: Folder, verdict: Callable[..., Decision], name: str, absent: object
) -> None:
    """Few pull requests, or an evaluation of before: what they are is not said."""
    spoil(folder, "decisions", "constructed", "hidden", name, value=absent)
    decision = verdict(folder)
    assert decision.questions[3].answer == "not measured"
    assert decision.verdict == "NOT ENOUGH EVIDENCE"
    [missing] = [one for one in decision.questions[3].checks if one.answer == "not measured"]
    assert "of three pull requests at least" in missing.needed


def test_where_nothing_is_invalid_a_guess_is_half_right(folder: Folder, verdict: Callable[..., Decision]) -> None:
    counts = {"confusion": [[0, 0, 0], [21, 54, 25], [14, 35, 51]], "balanced_accuracy_of_a_guess": 0.5}
    for accuracy, answer in ((0.549, "no"), (0.551, "yes")):
        spoil(folder, "decisions", "generated", "hidden", value=decided(accuracy=accuracy) | counts)
        assert check(verdict(folder), 4, "On the model's own attempts, feedback hidden", "Balanced").answer == answer


def test_feedback_shown_decides_nothing(folder: Folder, verdict: Callable[..., Decision]) -> None:
    for origin in ("constructed", "generated"):
        spoil(folder, "decisions", origin, "shown", value=decided(0.5, 0.9, 0.2))
    assert verdict(folder).verdict == "GO"


def test_conjunction_is_three_valued() -> None:
    assert conjunction(["yes", "yes"]) == "yes"
    assert conjunction(["yes", "not measured"]) == "not measured"
    assert conjunction(["not measured", "no", "yes"]) == "no"
    assert conjunction([]) == "not measured"


def test_other_thresholds_give_another_decision(folder: Folder, verdict: Callable[..., Decision]) -> None:
    stricter = LIMITS.model_copy(update={"writing": LIMITS.writing.model_copy(update={"valid": 0.9})})
    assert verdict(folder, stricter).verdict == "NO-GO"


@pytest.mark.parametrize(("opens", "answer"), [(0.0, "yes"), (0.1, "yes"), (1.04, "no")])
def test_a_gap_that_opens_does_not_track(
    folder: Folder, verdict: Callable[..., Decision], opens: float, answer: str
) -> None:
    """From +0.168 to +1.208, with all else as it should be: it was green, and the text called it unexpected."""
    for line in folder.validation:
        for name in ("plan_loss", "code_loss"):
            line[name] += 0.068 + opens * (line["step"] / STEPS)
    decision = verdict(folder)
    found = check(decision, 2, "Code loss", "Gap to training")
    assert found.answer == answer
    assert found.value == pytest.approx(0.23 + opens * 0.9, abs=0.05)
    assert decision.questions[1].answer == answer
    assert check(decision, 2, "Code loss", "Correlation").answer == "yes"


def test_what_is_too_little_to_measure_is_never_a_no(folder: Folder, verdict: Callable[..., Decision]) -> None:
    """29 steps and 4 declarations, which go every way: no question is answered."""
    folder.train = [line | {"code_loss": 9 - line["code_loss"]} for line in folder.train[:29]]
    folder.validation = [validation_line(step) | {"code_loss": float(step)} for step in range(4, 29, 4)]
    folder.run["horizon"] = 29
    for one in (folder, *folder.baselines.values()):
        spoil(one, "generation", "all", value=generated(4, 0.0) | {"valid_share": 0.0, "valid_interval": None})
        one.samples, one.losses = (one.samples or [])[:4], (one.losses or [])[:4]
        one.run["horizon"], one.train = 29, one.train[:29]
    for origin in ("constructed", "generated"):
        few = decided(0.2, 0.5, 0.1) | {"confusion": [[2, 1, 0], [1, 0, 2], [0, 3, 1]]}
        spoil(folder, "decisions", origin, "hidden", value=few)
    decision = verdict(folder)
    assert decision.verdict == "NOT ENOUGH EVIDENCE"
    assert [question.answer for question in decision.questions] == ["not measured"] * 4
