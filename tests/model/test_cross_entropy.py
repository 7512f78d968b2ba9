"""Logits a few rows at a time give the losses and gradients of all at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from hrm_ray.model import cross_entropy
from hrm_ray.model.cross_entropy import linear_cross_entropy

VOCABULARY = 300


def at_once(states: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(F.linear(states, weight).float(), targets, reduction="none")


def run(loss: Callable[..., Tensor], rows: int, autocast: bool) -> list[Tensor]:
    random = torch.Generator().manual_seed(0)
    states = torch.randn(rows, 16, generator=random).requires_grad_()
    weight = torch.randn(VOCABULARY, 16, generator=random).requires_grad_()
    targets = torch.randint(VOCABULARY, (rows,), generator=random)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        nll = loss(states, weight, targets)
    (nll * torch.linspace(0.3, 1, rows)).sum().backward()  # type: ignore[no-untyped-call]
    assert states.grad is not None
    assert weight.grad is not None
    return [nll.detach(), states.grad, weight.grad]


@pytest.mark.parametrize("rows", [0, 1, 4, 11])
@pytest.mark.parametrize(("autocast", "tolerance"), [(False, 1e-5), (True, 2e-2)])
def test_losses_and_gradients(rows: int, autocast: bool, tolerance: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cross_entropy.LOGITS, "cpu", 4 * VOCABULARY)
    pairs = zip(run(linear_cross_entropy, rows, autocast), run(at_once, rows, autocast), strict=True)
    for found, expected in pairs:
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, expected, atol=tolerance, rtol=tolerance)


def test_no_more_logits_than_a_chunk_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cross_entropy.LOGITS, "cpu", 4 * VOCABULARY)
    seen: list[int] = []
    linear = F.linear
    monkeypatch.setattr(F, "linear", lambda *given: seen.append(len(given[0])) or linear(*given))  # type: ignore[func-returns-value]
    run(linear_cross_entropy, 11, autocast=False)
    assert seen == [4, 4, 3] * 2
