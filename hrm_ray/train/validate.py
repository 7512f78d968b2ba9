"""Losses without gradient, on documents that are never trained on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hrm_ray.model.batch import SECTIONS, Batch, Document, Part, collate
from hrm_ray.model.hrm import Output
from hrm_ray.model.losses import section_sums
from hrm_ray.model.refinement import DECISIONS
from hrm_ray.train.engine import Engine


@dataclass(frozen=True)
class SolveLosses:
    """Unweighted sums over documents: nats and targets by section, and the bytes they wrote."""

    nats: tuple[float, float]
    targets: tuple[int, int]
    bytes: tuple[int, int]

    def loss(self, part: Part) -> float | None:
        """Nats for each target."""
        return self.nats[part] / self.targets[part] if self.targets[part] else None

    def bits_per_byte(self, part: Part) -> float | None:
        """Bits of a section for each of its UTF-8 bytes."""
        return self.nats[part] / math.log(2) / self.bytes[part] if self.bytes[part] else None

    def total_bits_per_code_byte(self) -> float | None:
        """Bits of plan and code for each byte of code: what a plan costs beside what it saves."""
        return sum(self.nats) / math.log(2) / self.bytes[Part.CODE] if self.bytes[Part.CODE] else None


def batches(engine: Engine, documents: Sequence[Document], tokens: int) -> Iterator[tuple[slice, Batch]]:
    """Yield this rank's part of `documents`, at most `tokens` (at least one document) at a time, and which they are.

    The last of them may be empty: every rank has equally many, because under ZeRO-3 a forward is a collective.
    """
    chunks = _chunks(documents, tokens)
    chunks += [slice(0, 0)] * (-len(chunks) % engine.world)
    for chunk in chunks[engine.rank :: engine.world]:
        yield chunk, collate(documents[chunk]).to(engine.device)


def run_all(engine: Engine, documents: Sequence[Document], tokens: int) -> Iterator[tuple[slice, Batch, Output]]:
    """Run `batches` at full depth, without gradient."""
    for chunk, batch in batches(engine, documents, tokens):
        with torch.no_grad():
            output = engine.forward(batch, engine.model.config.depth.max)
        yield chunk, batch, output


def solve_losses(engine: Engine, documents: Sequence[Document], tokens: int) -> SolveLosses:
    """Return the sums over solve documents, of all ranks."""
    nats, targets, sizes = sums = torch.zeros(3, SECTIONS, dtype=torch.float64)
    for _, batch, output in run_all(engine, documents, tokens):
        nats += section_sums(batch, output.nll)[:SECTIONS].cpu()
        targets += section_sums(batch, torch.ones_like(output.nll))[:SECTIONS].cpu()
        sizes += batch.section_bytes.cpu()
    (plan, code), *counted = engine.sum(sums).tolist()
    (plans, codes), (plan_bytes, code_bytes) = [[int(count) for count in pair] for pair in counted]
    return SolveLosses((plan, code), (plans, codes), (plan_bytes, code_bytes))


def judge_log_probabilities(engine: Engine, documents: Sequence[Document], tokens: int) -> Tensor:
    """Return [J, 3] log-probabilities of the decisions, in the documents' order, on every rank."""
    rows = torch.zeros(len(documents), DECISIONS)
    for chunk, _, output in run_all(engine, documents, tokens):
        rows[chunk] = output.decisions.log_softmax(-1).cpu()
    return engine.sum(rows)


def document_nats(batch: Batch, nll: Tensor) -> Tensor:
    """Sum [N] values of the targets by solve document and section: [documents, 2], float64."""
    predicted = [span.stop - span.prefix_stop for span in batch.spans]
    owner = torch.from_numpy(np.repeat(np.arange(len(predicted)), predicted)).to(nll.device)
    sums = torch.zeros(len(batch.spans) * SECTIONS, dtype=torch.float64, device=nll.device)
    return sums.index_add(0, owner * SECTIONS + batch.target_part, nll.double()).view(-1, SECTIONS)


def all_nats(engine: Engine, documents: Sequence[Document], tokens: int) -> Tensor:
    """Return the nats of each solve document's plan and code, [documents, 2], on every rank."""
    nats = torch.zeros(len(documents), SECTIONS, dtype=torch.float64)
    for chunk, batch, output in run_all(engine, documents, tokens):
        nats[chunk] = document_nats(batch, output.nll).cpu()
    return engine.sum(nats)


def document_log_likelihoods(engine: Engine, documents: Sequence[Document], tokens: int) -> list[float]:
    """Return the mean log-likelihood of each document's plan and code, nats for each token, on every rank."""
    sizes = torch.tensor([len(document.plan) + len(document.code) for document in documents])
    return (-all_nats(engine, documents, tokens).sum(1) / sizes).tolist()


def balanced_log_loss(log_probabilities: Tensor, labels: Tensor) -> float | None:
    """Mean over the classes that occur of their mean negative log-likelihood, nats."""
    nll = -log_probabilities.gather(1, labels[:, None])[:, 0]
    means = [nll[labels == label].mean() for label in range(DECISIONS) if (labels == label).any()]
    return float(torch.stack(means).mean()) if means else None


def _chunks(documents: Sequence[Document], tokens: int) -> list[slice]:
    starts, held = [0], 0
    for index, document in enumerate(documents):
        if held and held + document.size > tokens:
            starts.append(index)
            held = 0
        held += document.size
    stops = [*starts[1:], len(documents)]
    return [slice(start, stop) for start, stop in zip(starts, stops, strict=True) if stop > start]
