"""Documents, and a micro-batch of them: laid end to end without padding, with the positions that carry a loss."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from itertools import chain
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Part(IntEnum):
    """Section that a predicted token belongs to; the opening marker of a section counts in that section."""

    PLAN = 0
    CODE = 1
    COPY = 2
    """In the answer of a document that copies."""


SECTIONS = 2
"""Columns of values by document: `Part.PLAN` and `Part.CODE`."""


class Document(NamedTuple):
    """One sequence: a prefix that attends both ways, then plan and code, causal (docs/formats.md).

    Without `decision` the plan and the code are predicted; with it nothing is, and the decision is read at the end.
    """

    prefix: Sequence[int] | NDArray[np.int32]
    plan: Sequence[int] | NDArray[np.int32]
    code: Sequence[int] | NDArray[np.int32]
    weight: float = 1.0
    plan_bytes: int = 0
    code_bytes: int = 0
    decision: int | None = None
    feedback: int = 0
    copies: bool = False
    """The prefix holds the answer: it has a loss of its own and counts in no measure of plans and code."""
    slip: range = range(0)
    """Places in the code that are not predicted: a mistake that the network is to have made."""

    @property
    def size(self) -> int:
        """Tokens."""
        return len(self.prefix) + len(self.plan) + len(self.code)

    @property
    def predicted(self) -> NDArray[np.integer]:
        """Return where in the document the predicted tokens stand, [n]."""
        answer = np.arange(len(self.prefix), self.size)
        return np.delete(answer, [len(self.plan) + at for at in self.slip])

    @property
    def parts(self) -> NDArray[np.integer]:
        """Return the `Part` of each predicted token, [n]."""
        plan, code = (Part.COPY, Part.COPY) if self.copies else (Part.PLAN, Part.CODE)
        return np.repeat([plan, code], [len(self.plan), len(self.code) - len(self.slip)])


class Span(NamedTuple):
    """One document: tokens `start:stop` of the batch, of which `start:prefix_stop` attend both ways."""

    start: int
    prefix_stop: int
    stop: int


@dataclass(frozen=True)
class Batch:
    """`T` tokens of documents, `N` of them predicted, `J` decisions to be made. Index tensors are int64.

    Only positions named in `target_at` ever produce logits. A batch may hold no target, no decision or no token.
    """

    ids: Tensor
    """[T] token ids."""
    positions: Tensor
    """[T] position within the own document."""
    spans: tuple[Span, ...]
    target_at: Tensor
    """[N] position whose state predicts the target."""
    targets: Tensor
    """[N] token id to be predicted: the token after `target_at`."""
    target_part: Tensor
    """[N] a `Part`."""
    target_weight: Tensor
    """[N] float32 weight of the target in its loss."""
    section_bytes: Tensor
    """[2] int64 UTF-8 bytes of all plans and of all code in the batch, for bits per byte."""
    judge_at: Tensor
    """[J] positions of the `<|judge|>` tokens."""
    feedback: Tensor
    """[J] what the validator says of the attempt (see `hrm_ray.model.refinement`)."""
    decisions: Tensor
    """[J] the right decision."""

    def to(self, device: torch.device) -> Self:
        """Return the batch with its tensors on `device`."""
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        moved = {name: value.to(device) for name, value in values.items() if isinstance(value, Tensor)}
        return type(self)(**(values | moved))


def collate(documents: Sequence[Document]) -> Batch:
    """Lay `documents` end to end."""
    stops = np.cumsum([document.size for document in documents], dtype=np.int64)
    spans = tuple(
        Span(int(stop) - document.size, int(stop) - document.size + len(document.prefix), int(stop))
        for stop, document in zip(stops, documents, strict=True)
    )
    solve = [(span, document) for span, document in zip(spans, documents, strict=True) if document.decision is None]
    judge = [(span, document) for span, document in zip(spans, documents, strict=True) if document.decision is not None]
    ids = _join(chain.from_iterable((document.prefix, document.plan, document.code) for document in documents))
    target_at = _join(span.start + document.predicted - 1 for span, document in solve)
    target_weight = np.concatenate([np.empty(0), *(np.full(len(d.predicted), d.weight) for _, d in solve)])
    return Batch(
        ids=ids,
        positions=_join(np.arange(document.size) for document in documents),
        spans=spans,
        target_at=target_at,
        targets=ids[target_at + 1],
        target_part=_join(document.parts for _, document in solve),
        target_weight=torch.from_numpy(target_weight.astype(np.float32)),
        section_bytes=torch.tensor([sum(getattr(d, name) for _, d in solve) for name in ("plan_bytes", "code_bytes")]),
        judge_at=torch.tensor([span.stop - 1 for span, _ in judge], dtype=torch.int64),
        feedback=torch.tensor([document.feedback for _, document in judge], dtype=torch.int64),
        decisions=torch.tensor([document.decision for _, document in judge], dtype=torch.int64),
    )


def _join(arrays: Iterable[Sequence[int] | NDArray[np.integer]]) -> Tensor:
    """Concatenate to one int64 tensor; nothing gives an empty one."""
    return torch.from_numpy(np.concatenate([np.empty(0, np.int64), *(np.asarray(array, np.int64) for array in arrays)]))
