"""Losses are sums over counts."""

from __future__ import annotations

import math

import pytest
import torch

from hrm_ray.config import Losses
from hrm_ray.model.batch import Document, Part, collate
from hrm_ray.model.hrm import Output
from hrm_ray.model.losses import Counts, loss_sums, section_sums, total_loss
from tests.model.conftest import judge_document, solve_document


def constant_output(documents: list[Document], nll: float) -> Output:
    batch = collate(documents)
    return Output(torch.full((len(batch.targets),), nll), torch.zeros(len(batch.decisions), 3))


def test_markers_and_end_count_in_their_section() -> None:
    batch = collate([solve_document(1, plan=4, code=7)])
    counts = section_sums(batch, torch.ones(len(batch.targets)))
    assert counts.tolist() == [4 + 1, 7 + 2, 0]  # <|plan|>; <|code|> and <|end|>


def test_every_target_is_the_next_token() -> None:
    documents = [solve_document(1), judge_document(2), solve_document(3, plan=0)]
    batch = collate(documents)
    assert torch.equal(batch.targets, batch.ids[batch.target_at + 1])
    expected = [t for d in documents if d.decision is None for t in [*d.plan, *d.code]]
    assert batch.targets.tolist() == expected
    assert batch.positions.tolist() == [p for d in documents for p in range(d.size)]


def test_weights_scale_the_loss_but_not_its_mean(mixed: list[Document]) -> None:
    batch, counts = collate(mixed), Counts.of([collate(mixed)])
    sums = loss_sums(constant_output(mixed, 2.0), batch)
    assert sums[Part.PLAN] / counts.plan == pytest.approx(2.0)
    assert sums[Part.CODE] / counts.code == pytest.approx(2.0)
    assert counts.plan == pytest.approx(5 + 0.3 * 10)
    assert sums[3] / counts.refinement == pytest.approx(math.log(3))


def test_a_missing_part_contributes_nothing_and_no_nan() -> None:
    documents = [solve_document(1, plan=0)]
    batch = collate(documents)
    total = total_loss(loss_sums(constant_output(documents, 2.0), batch), Counts.of([batch]), Losses())
    assert float(total) == pytest.approx(0.4 * 2.0)
    judged = [judge_document(1)]
    batch = collate(judged)
    total = total_loss(loss_sums(constant_output(judged, 2.0), batch), Counts.of([batch]), Losses())
    assert float(total) == pytest.approx(0.2 * math.log(3))


def test_micro_batches_share_the_global_count(mixed: list[Document]) -> None:
    whole = collate(mixed)
    parts = [collate(mixed[:1]), collate(mixed[1:3]), collate(mixed[3:])]
    counts = Counts.of([whole])
    assert Counts.of(parts).as_tensor().tolist() == pytest.approx(counts.as_tensor().tolist())
    split = [mixed[:1], mixed[1:3], mixed[3:]]
    outputs = [constant_output(documents, 2.0) for documents in split]
    totals = [total_loss(loss_sums(o, b), counts, Losses()) for o, b in zip(outputs, parts, strict=True)]
    together = total_loss(loss_sums(constant_output(mixed, 2.0), whole), counts, Losses())
    assert float(sum(totals)) == pytest.approx(float(together))
