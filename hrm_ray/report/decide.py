"""The decision on a run: GO, NO-GO or NOT ENOUGH EVIDENCE, with its reasons.

GO asks that all four questions of the go / no-go are answered yes; a question answered no is a NO-GO; and whatever the
answers, synthetic data or too little of them can only give NOT ENOUGH EVIDENCE. Thresholds: decision.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from hrm_ray.report.checks import Answer, Question, Thresholds, thresholds
from hrm_ray.report.files import RunFolder
from hrm_ray.report.held_out import refinement_knows, writes_go
from hrm_ray.report.training import losses_fall, validation_tracks

Verdict = Literal["GO", "NO-GO", "NOT ENOUGH EVIDENCE"]


@dataclass(frozen=True)
class Decision:
    """The verdict, why, and the questions with their evidence; `limits` are the thresholds that were applied."""

    verdict: Verdict
    reasons: tuple[str, ...]
    questions: tuple[Question, ...]
    limits: Thresholds

    def as_json(self) -> dict[str, Any]:
        """Return the form of `decision.json`."""
        return {
            "decision": self.verdict,
            "reasons": list(self.reasons),
            "questions": [
                {"question": asked.title, "answer": asked.answer, "checks": [asdict(check) for check in asked.checks]}
                for asked in self.questions
            ],
            "thresholds": self.limits.model_dump(mode="json"),
        }


def decide(run: RunFolder, limits: Thresholds | None = None) -> Decision:
    """Answer the four questions about `run` and decide."""
    limits = limits or thresholds()
    questions = (
        losses_fall(run.metrics, limits),
        validation_tracks(run.metrics, limits),
        writes_go(run, limits),
        refinement_knows(run.evaluation, limits),
    )
    if short := tuple(_shortfalls(run, limits)):
        return Decision("NOT ENOUGH EVIDENCE", short, questions, limits)
    if refused := tuple(_found(questions, "no")):
        return Decision("NO-GO", refused, questions, limits)
    if missing := tuple(_found(questions, "not measured")):
        return Decision("NOT ENOUGH EVIDENCE", missing, questions, limits)
    return Decision("GO", tuple(_grounds(run)), questions, limits)


def _shortfalls(run: RunFolder, limits: Thresholds) -> Iterator[str]:
    evaluation, enough = run.evaluation, limits.enough
    if not run.finished:
        logged = "no training step is logged" if run.last_step is None else f"the last logged step is {run.last_step:,}"
        yield f"Training has not reached its horizon of {run.run.horizon:,} steps: {logged}."
    if evaluation is None:
        yield "The run was not evaluated: evaluation.json is missing."
        return
    if evaluation.synthetic:
        yield "The data are synthetic: they show that the software works, not that the approach does."
    if evaluation.split != "test":
        yield f"It was evaluated on the {evaluation.split} fold, which also chose the checkpoint; only test decides."
    if run.best and run.outdated:
        steps = f"step {evaluation.checkpoint.step:,} was evaluated, the best checkpoint is now step {run.best.step:,}"
        yield f"The evaluation is not of the best checkpoint: {steps}. Evaluate again."
    if (count := evaluation.generation.all.count) < enough.generations:
        yield f"{count:,} held-out declarations were written; {enough.generations:,} are needed."
    constructed = evaluation.decisions.constructed if evaluation.decisions else None
    if (count := constructed.hidden.count if constructed else 0) < enough.judged:
        yield f"{count:,} constructed attempts were judged; {enough.judged:,} are needed."


def _found(questions: tuple[Question, ...], answer: Answer) -> Iterator[str]:
    for question in questions:
        subjects: dict[str, list[str]] = {}
        for check in question.checks:
            if check.answer == answer:
                what = f"{check.what[:1].lower()}{check.what[1:]} {check.measured} (needed: {check.needed})"
                subjects.setdefault(check.subject, []).append(what)
        if subjects:
            evidence = ". ".join(f"{subject}: {'; '.join(found)}" for subject, found in subjects.items())
            yield f"{question.title} {answer.capitalize()}. {evidence}."


def _grounds(run: RunFolder) -> Iterator[str]:
    yield "All four questions are answered yes."
    yield "The run is ahead of the plain model of equal parameters in improved share and in bits per byte."
    if "equal_flops" in run.baselines:
        yield "It is also ahead of the plain model of equal FLOPs."
    else:
        yield "A plain model of equal FLOPs was not trained: the lead may still be the price of more computation."
