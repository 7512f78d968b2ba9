"""How well the refinement head decides, on constructed attempts and on the model's own."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hrm_ray.evaluate.generation import Attempt
from hrm_ray.evaluate.opened import Opened
from hrm_ray.evaluate.rivals import Values, looks, together
from hrm_ray.evaluate.statistics import LEAST, jackknife_interval, roc_area
from hrm_ray.golang.syntax import Diagnostic
from hrm_ray.model.batch import Document
from hrm_ray.model.refinement import FEEDBACK, HIDDEN
from hrm_ray.prepare.examples import Example
from hrm_ray.prepare.judgements import Decision, is_copy, label
from hrm_ray.prepare.plan import kinds_of
from hrm_ray.prepare.tokenizer import Control
from hrm_ray.train.validate import balanced_log_loss, document_log_likelihoods, judge_log_probabilities

LABELS = [decision.name for decision in Decision]


class Judged(NamedTuple):
    """A judge document, with the attempt, the example that it is at, and the pull request."""

    document: Document
    attempt: str
    example: Example

    @property
    def pull(self) -> Hashable:
        """The pull request, of which all attempts succeed and fail together."""
        return self.example.repository, self.example.number


def measure(opened: Opened, found: Sequence[Attempt]) -> dict[str, Any]:
    """Return the `decisions` of `evaluation.json`: each set with the validator's feedback hidden and shown."""
    attempts = opened.judge.shards.column("attempt").to_pylist()[: opened.config.evaluate.judgements]
    constructed = [
        Judged(opened.judge.document(index, hidden=False), str(attempt), example)
        for index, (attempt, example) in enumerate(zip(attempts, _examples(opened), strict=False))
    ]
    generated = [
        Judged(document, attempt.code, attempt.example)
        for attempt in found
        if (document := labelled(opened, attempt)) is not None
    ]
    return {"constructed": both_ways(opened, constructed), "generated": both_ways(opened, generated)}


def _examples(opened: Opened) -> list[Example]:
    """Return the example of each judge document of the split."""
    shards = opened.solve.shards
    rows = {ident: row for row, ident in enumerate(shards.column("id").to_pylist())}
    return [shards.example(rows[ident]) for ident in opened.judge.shards.column("example_id").to_pylist()]


def decide(opened: Opened, found: Sequence[Attempt]) -> list[str]:
    """Return the decision on each attempt: the head's, with the feedback shown as in use; a copy is told without it."""
    documents = [judge_document(opened, attempt, Decision.REFINE) for attempt in found]
    decided = judge_log_probabilities(opened.engine, documents, opened.tokens).argmax(-1).tolist()
    return [
        LABELS[Decision.REFINE if attempt.valid and is_copy(attempt.code, attempt.example.before) else one]
        for attempt, one in zip(found, decided, strict=True)
    ]


def both_ways(opened: Opened, judged: Sequence[Judged]) -> dict[str, Any]:
    """Return the tables of the documents with the feedback hidden and as they are."""
    documents = [one.document for one in judged]
    texts = [document._replace(code=document.code[:-1], decision=None) for document in documents]
    likelihoods = document_log_likelihoods(opened.engine, texts, opened.tokens)
    hidden = [document._replace(feedback=FEEDBACK.index(HIDDEN)) for document in documents]
    ways = {"hidden": hidden, "shown": documents}
    return {name: table(opened, shown, judged, likelihoods) for name, shown in ways.items()}


def labelled(opened: Opened, attempt: Attempt) -> Document | None:
    """Return the judge document of an attempt that deserves a label: not a near miss.

    Its validity is told by the plan that it was written from, as the feedback is.
    """
    decision, _ = label(attempt.code, replace(attempt.example, kinds=kinds_of(attempt.plan)))
    return None if decision is None else judge_document(opened, attempt, decision)


def judge_document(opened: Opened, attempt: Attempt, decision: Decision) -> Document:
    """Lay out an attempt on a held-out example, to be judged."""
    prefix = opened.solve.prefix(attempt.index).tolist()
    return to_be_judged(prefix, attempt.written.code, attempt.diagnostic, decision)


def to_be_judged(
    prefix: Sequence[int], code: Sequence[int], diagnostic: Diagnostic | None, decision: Decision
) -> Document:
    """Lay out an attempt as training's judge documents are: without the plan that it was written from.

    `prefix` and `code` are ids, the latter without markers; the validator's feedback is shown.
    """
    return Document(
        prefix=[*prefix, Control.DIRECT],
        plan=[],
        code=[Control.CODE, *code, Control.END, Control.JUDGE],
        decision=int(decision),
        feedback=FEEDBACK.index(diagnostic.kind.value if diagnostic else "valid"),
    )


def table(
    opened: Opened, documents: Sequence[Document], judged: Sequence[Judged], likelihoods: Sequence[float]
) -> dict[str, Any]:
    """Return one `D` of `evaluation.json`: of `judged`, shown to the head as `documents`; `likelihoods` are those of
    the attempts under the model itself. Copies of the input, which a comparison tells, are no test of DONE."""
    log_probabilities = judge_log_probabilities(opened.engine, documents, opened.tokens)
    labels = torch.tensor([one.document.decision for one in judged], dtype=torch.int64)
    fair = [place for place, one in enumerate(judged) if not is_copy(one.attempt, one.example.before)]
    some = [judged[place] for place in fair]
    seen = looks([one.attempt for one in some], [one.example.before for one in some])
    done, liked = log_probabilities[fair, Decision.DONE], [likelihoods[place] for place in fair]
    return {
        "count": len(documents),
        "copies": len(documents) - len(fair),
        "labels": LABELS,
        **recalls(labels, log_probabilities.argmax(-1), [one.pull for one in judged]),
        "balanced_log_loss": balanced_log_loss(log_probabilities, labels),
        **beyond_validity(labels[fair], done, liked, [one.pull for one in some], seen),
    }


def recalls(labels: Tensor, predicted: Tensor, pulls: Sequence[Hashable]) -> dict[str, Any]:
    """Return which decisions were taken, and the mean recall of the classes that at least three pull requests have."""
    confusion = confusion_matrix(labels, predicted)
    owners = [{pull for pull, one in zip(pulls, labels.tolist(), strict=True) if one == kind} for kind in Decision]
    known = [kind for kind in Decision if len(owners[kind]) >= LEAST]
    counted = np.flatnonzero(np.isin(labels.numpy(), known))

    def accuracy(some: NDArray[np.intp]) -> float | None:
        rows = counted[some]
        return balanced_accuracy(confusion_matrix(labels[rows], predicted[rows]))

    among = [pulls[index] for index in counted.tolist()]
    return {
        "confusion": confusion.tolist(),
        "balanced_accuracy": accuracy(np.arange(len(counted))),
        "balanced_accuracy_interval": _of_share(jackknife_interval(accuracy, among, labels[counted])),
        "balanced_accuracy_of_a_guess": 1 / len(known) if len(known) > 1 else None,
    }


def confusion_matrix(labels: Tensor, predicted: Tensor) -> Tensor:
    """Count [true, predicted] pairs."""
    pairs = labels * len(Decision) + predicted
    return torch.bincount(pairs, minlength=len(Decision) ** 2).view(len(Decision), len(Decision))


def balanced_accuracy(confusion: Tensor) -> float | None:
    """Mean recall of the classes that occur; None of one alone, of which any constant answer is right."""
    present = confusion.sum(1) > 0
    shares = confusion.diagonal()[present].double() / confusion.sum(1)[present]  # in float32 chance is above 1/3
    return float(shares.mean()) if present.sum() > 1 else None


def beyond_validity(
    labels: Tensor,
    done: Tensor,
    likelihoods: Sequence[float],
    pulls: Sequence[Hashable],
    seen: Mapping[str, Sequence[float]] | None = None,
) -> dict[str, Any]:
    """Tell DONE from REFINE among valid attempts, by the head and by its rivals, which know nothing of the change.

    They are the model's own likelihood of the attempt, what is `seen` of it from afar, and all of these together. The
    lead is over the strongest, each of them read the way round that serves it better here. Without `seen` it is over
    the likelihood alone, and a rule as simple as the length of the attempt may lead.
    """
    kept = [place for place, one in enumerate(labels.tolist()) if one != Decision.CONTINUE]
    correct, among = (labels == Decision.DONE).numpy()[kept], [pulls[place] for place in kept]
    rivals = {
        name: np.asarray(one, np.float64)[kept] for name, one in {"likelihood": likelihoods, **(seen or {})}.items()
    }
    areas = {name: roc_area(one, correct) for name, one in rivals.items()}
    rivals = {name: -one if (areas[name] or 0) < 0.5 else one for name, one in rivals.items()}
    if seen and areas["likelihood"] is not None:
        rivals["all together"] = together(rivals, correct, among)
    head = done.numpy()[kept]
    area = partial(_area, head, correct)
    leads = {name: _lead(head, one, correct, among) for name, one in rivals.items()}
    strongest = min(leads, key=lambda name: _lowest(leads[name]))
    return {
        "done_auc_among_valid": area(np.arange(len(kept))),
        "done_auc_interval": _of_share(jackknife_interval(area, among, correct)),
        "likelihood_auc_among_valid": areas["likelihood"],
        "rivals": leads if seen else {},
        "strongest_rival": strongest,
        "done_auc_lead": leads[strongest]["lead"],
        "done_auc_lead_interval": leads[strongest]["lead_interval"],
    }


def _area(scores: Values, correct: NDArray[np.bool_], some: NDArray[np.intp]) -> float | None:
    return roc_area(scores[some], correct[some])


def _lead(head: Values, rival: Values, correct: NDArray[np.bool_], pulls: Sequence[Hashable]) -> dict[str, Any]:
    """Return a rival's area, and how much larger the head's is."""

    def lead(some: NDArray[np.intp]) -> float | None:
        ours, theirs = _area(head, correct, some), _area(rival, correct, some)
        return None if ours is None or theirs is None else ours - theirs

    everyone = np.arange(len(correct))
    return {
        "auc": _area(rival, correct, everyone),
        "lead": lead(everyone),
        "lead_interval": jackknife_interval(lead, pulls, correct),
    }


def _lowest(lead: Mapping[str, Any]) -> float:
    """Return the least that the head's lead may be; infinite of one that has no value."""
    interval: tuple[float, float] | None = lead["lead_interval"]
    return math.inf if lead["lead"] is None else interval[0] if interval else lead["lead"]


def _of_share(interval: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if interval is None else (max(0.0, interval[0]), min(1.0, interval[1]))
