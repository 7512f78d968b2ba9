"""How well the refinement head decides, on constructed attempts and on the model's own."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hrm_ray.evaluate.generation import Attempt
from hrm_ray.evaluate.opened import Opened
from hrm_ray.evaluate.statistics import LEAST, jackknife_interval, roc_area
from hrm_ray.golang.syntax import Diagnostic
from hrm_ray.model.batch import Document
from hrm_ray.model.refinement import FEEDBACK, HIDDEN
from hrm_ray.prepare.judgements import Decision, label
from hrm_ray.prepare.plan import kinds_of
from hrm_ray.prepare.tokenizer import Control
from hrm_ray.train.validate import balanced_log_loss, document_log_likelihoods, judge_log_probabilities

LABELS = [decision.name for decision in Decision]

Judged: TypeAlias = tuple[Document, Hashable]
"""A judge document and the pull request that it is about."""


def measure(opened: Opened, found: Sequence[Attempt]) -> dict[str, Any]:
    """Return the `decisions` of `evaluation.json`: each set with the validator's feedback hidden and shown."""
    pulls = _pulls(opened)[: opened.config.evaluate.judgements]
    constructed = [(opened.judge.document(index, hidden=False), pull) for index, pull in enumerate(pulls)]
    generated = [
        (document, (attempt.example.repository, attempt.example.number))
        for attempt in found
        if (document := labelled(opened, attempt)) is not None
    ]
    return {"constructed": both_ways(opened, constructed), "generated": both_ways(opened, generated)}


def _pulls(opened: Opened) -> list[Hashable]:
    """The pull request of each judge document of the split."""
    ids, *names = (opened.solve.shards.column(name).to_pylist() for name in ("id", "repository", "number"))
    known = dict(zip(ids, zip(*names, strict=True), strict=True))
    return [known[one] for one in opened.judge.shards.column("example_id").to_pylist()]


def decide(opened: Opened, found: Sequence[Attempt]) -> list[str]:
    """Return the head's decision on each attempt, with the feedback shown as in use."""
    documents = [judge_document(opened, attempt, Decision.REFINE) for attempt in found]
    return [LABELS[int(i)] for i in judge_log_probabilities(opened.engine, documents, opened.tokens).argmax(-1)]


def both_ways(opened: Opened, judged: Sequence[Judged]) -> dict[str, Any]:
    """Return the tables of the documents with the feedback hidden and as they are."""
    documents, pulls = [document for document, _ in judged], [pull for _, pull in judged]
    texts = [document._replace(code=document.code[:-1], decision=None) for document in documents]
    likelihoods = document_log_likelihoods(opened.engine, texts, opened.tokens)
    hidden = [document._replace(feedback=FEEDBACK.index(HIDDEN)) for document in documents]
    ways = {"hidden": hidden, "shown": documents}
    return {name: table(opened, shown, likelihoods, pulls) for name, shown in ways.items()}


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
    opened: Opened, documents: Sequence[Document], likelihoods: Sequence[float], pulls: Sequence[Hashable]
) -> dict[str, Any]:
    """Return one `D` of `evaluation.json`; `likelihoods` are those of the attempts under the model itself."""
    log_probabilities = judge_log_probabilities(opened.engine, documents, opened.tokens)
    labels = torch.tensor([document.decision for document in documents], dtype=torch.int64)
    return {
        "count": len(documents),
        "labels": LABELS,
        **recalls(labels, log_probabilities.argmax(-1), pulls),
        "balanced_log_loss": balanced_log_loss(log_probabilities, labels),
        **beyond_validity(labels, log_probabilities[:, Decision.DONE], likelihoods, pulls),
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
    labels: Tensor, done: Tensor, likelihoods: Sequence[float], pulls: Sequence[Hashable]
) -> dict[str, Any]:
    """Tell DONE from REFINE among valid attempts, by the head and by the model's own likelihood of the attempt.

    The lead is over the likelihood the way round that serves it better here.
    """
    kept = [index for index, label_ in enumerate(labels.tolist()) if label_ != Decision.CONTINUE]
    head, other = done.numpy()[kept], np.asarray(likelihoods, np.float64)[kept]
    correct, among = (labels == Decision.DONE).numpy()[kept], [pulls[index] for index in kept]
    likelihood = roc_area(other, correct)
    best = -other if likelihood is not None and likelihood < 0.5 else other

    def area(some: NDArray[np.intp]) -> float | None:
        return roc_area(head[some], correct[some])

    def lead(some: NDArray[np.intp]) -> float | None:
        ours, theirs = area(some), roc_area(best[some], correct[some])
        return None if ours is None or theirs is None else ours - theirs

    everyone = np.arange(len(kept))
    return {
        "done_auc_among_valid": area(everyone),
        "done_auc_interval": _of_share(jackknife_interval(area, among, correct)),
        "likelihood_auc_among_valid": likelihood,
        "done_auc_lead": lead(everyone),
        "done_auc_lead_interval": jackknife_interval(lead, among, correct),
    }


def _of_share(interval: tuple[float, float] | None) -> tuple[float, float] | None:
    return None if interval is None else (max(0.0, interval[0]), min(1.0, interval[1]))
