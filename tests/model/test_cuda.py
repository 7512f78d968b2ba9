"""On a CUDA device the network computes what it computes on the CPU; `benchmarks/gpu.sh` runs these in bf16."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from hrm_ray.config import Train
from hrm_ray.model.batch import Document, collate
from hrm_ray.train.engine import PlainEngine
from hrm_ray.train.step import train_step
from tests.model.conftest import small_model

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-4), ("bf16", 5e-2)])
def test_outputs_equal_those_of_the_cpu(mixed: list[Document], precision: str, tolerance: float) -> None:
    expected = small_model()(collate(mixed), depth=5)
    engine = PlainEngine(small_model(), Train.model_validate({"device": "cuda", "precision": precision}))
    found = engine.forward(collate(mixed).to(engine.device), depth=5)
    torch.testing.assert_close(found.nll.cpu(), expected.nll, atol=10 * tolerance, rtol=tolerance)
    torch.testing.assert_close(found.decisions.cpu(), expected.decisions, atol=10 * tolerance, rtol=tolerance)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_documents_can_be_learnt_by_heart(mixed: list[Document], precision: str) -> None:
    train = Train.model_validate({"device": "cuda", "precision": precision})
    engine = PlainEngine(small_model(), train)
    losses = [train_step(engine, [collate(mixed)], train, rate=3e-3, depth=5).loss for _ in range(80)]
    assert losses[-1] < 0.2 * losses[0]


def test_a_checkpoint_moves_between_devices(mixed: list[Document], tmp_path: Path) -> None:
    from hrm_ray.train import checkpoint
    from hrm_ray.train.checkpoint import State

    train = Train.model_validate({"device": "cuda"})
    engine = PlainEngine(small_model(), train)
    train_step(engine, [collate(mixed)], train, rate=3e-3, depth=5)
    folder = checkpoint.save(tmp_path, State(1, 1, 0), engine)
    loaded = checkpoint.load(folder)
    other = PlainEngine(small_model(), Train.model_validate({"device": "cpu"}))
    other.restore(loaded.weights, loaded.moments, loaded.state.step)
    assert train_step(other, [collate(mixed)], train, rate=3e-3, depth=5).updated


@pytest.mark.parametrize(("precision", "tolerance"), [(torch.float32, 1e-4), (torch.bfloat16, 3e-2)])
def test_one_kernel_over_all_documents_equals_one_call_for_each(precision: torch.dtype, tolerance: float) -> None:
    from hrm_ray.model.attention import PackedAttention
    from hrm_ray.model.flex import FlexAttention
    from tests.model.test_attention import DOCUMENTS

    device = torch.device("cuda")
    for spans in (DOCUMENTS, DOCUMENTS[:3], []):
        tokens = spans[-1].stop if spans else 0
        given = [torch.randn(tokens, 2, 16, device=device, dtype=precision, requires_grad=True) for _ in range(3)]
        outputs = [form(spans, device)(*given) for form in (FlexAttention, PackedAttention)]
        gradients = [torch.autograd.grad(output.square().sum(), given) for output in outputs]
        torch.testing.assert_close(*outputs, atol=tolerance, rtol=tolerance)
        for one, other in zip(*gradients, strict=True):
            torch.testing.assert_close(one, other, atol=10 * tolerance, rtol=10 * tolerance)


def test_compiled_blocks_equal_those_that_are_not(mixed: list[Document]) -> None:
    engines = [
        PlainEngine(small_model(), Train.model_validate({"device": "cuda", "compile": compiled}))
        for compiled in (False, True)
    ]
    found = [engine.forward(collate(mixed).to(engine.device), depth=5) for engine in engines]
    torch.testing.assert_close(found[0].nll, found[1].nll, atol=1e-3, rtol=1e-3)
