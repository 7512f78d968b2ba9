"""A run's network as the author of code: targets and a problem in, plans, code and verdicts out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hrm_ray.errors import UserError
from hrm_ray.evaluate.generation import Request, write
from hrm_ray.evaluate.judgement import LABELS, to_be_judged
from hrm_ray.evaluate.opened import Network
from hrm_ray.golang.syntax import Diagnostic, validate
from hrm_ray.patch.request import Problem
from hrm_ray.patch.target import Target, example
from hrm_ray.prepare import sections
from hrm_ray.prepare.judgements import Decision, is_copy
from hrm_ray.prepare.plan import kinds_of
from hrm_ray.prepare.tokenizer import NUMBERS
from hrm_ray.train.validate import judge_log_probabilities


@dataclass(frozen=True)
class Task:
    """A target and its request: the same for the same problem, file and declaration."""

    target: Target
    request: Request


@dataclass(frozen=True)
class Proposal:
    """What was written for a target."""

    target: Target
    plan: str
    code: str
    finished: bool
    """The model ended the code itself, within the budget."""
    diagnostic: Diagnostic | None
    """Why it is not strictly valid Go of the kinds that the plan names, if it is not."""
    decision: str
    """What the refinement head says of it, the validator's verdict shown."""

    @property
    def usable(self) -> bool:
        """True if a patch may hold it."""
        return self.diagnostic is None and bool(self.code.strip())

    @property
    def verdict(self) -> str:
        """Validity in words, and whether the answer was cut."""
        wrong = self.diagnostic
        told = f"not valid: {wrong.line}:{wrong.column} {wrong.message}" if wrong else "valid Go"
        return told if self.finished else f"{told}; cut where it might have ended"


def task(network: Network, target: Target, problem: Problem) -> Task:
    """Return the task with the prefix that `prepare` would give it.

    Raises:
        UserError: the prefix leaves no room in the window that the run was trained with, or the run writes edits and
            the declaration has more lines than they can number.
    """
    made, prepare = example(target, problem), network.config.prepare
    if not sections.fits(made, prepare.form):
        raise UserError(f"{target.name}: has more than the {NUMBERS - 1} lines that an edit can number")
    given = sections.shorten(sections.prefix(made, network.tokenizer, prepare.form), prepare.window, prepare.budgets)
    if sections.size(given) >= prepare.window:
        raise UserError(
            f"{target.name}: is {sections.size(given)} tokens with its problem, and the run was trained with windows "
            f"of {prepare.window}"
        )
    return Task(target, Request(tuple(sections.ids(given)), made.id, made.before))


def propose(network: Network, tasks: Sequence[Task]) -> Iterator[Proposal]:
    """Write `evaluate.batch` tasks at a time, and yield what was written, in order."""
    for start in range(0, len(tasks), network.config.evaluate.batch):
        yield from _proposals(network, tasks[start : start + network.config.evaluate.batch])


def _proposals(network: Network, tasks: Sequence[Task]) -> list[Proposal]:
    written = write(network, [one.request for one in tasks])
    pairs = [one.request.texts(row, network.tokenizer) for one, row in zip(tasks, written, strict=True)]
    diagnostics = [validate(code, kinds_of(plan)) for plan, code in pairs]
    documents = [
        to_be_judged(one.request.prefix, row.code, wrong, Decision.REFINE)
        for one, row, wrong in zip(tasks, written, diagnostics, strict=True)
    ]
    tokens = network.config.train.micro_rows * network.config.prepare.window
    judged = judge_log_probabilities(network.engine, documents, tokens).argmax(-1).tolist()
    return [
        Proposal(one.target, plan, code, row.finished, wrong, _decided(one.target, code, wrong, decision))
        for one, (plan, code), row, wrong, decision in zip(tasks, pairs, written, diagnostics, judged, strict=True)
    ]


def _decided(target: Target, code: str, wrong: Diagnostic | None, decision: int) -> str:
    """Return the head's decision; a copy of the declaration is never the change."""
    copied = wrong is None and target.declaration and not target.add and is_copy(code, target.declaration.text)
    return LABELS[Decision.REFINE if copied else decision]
