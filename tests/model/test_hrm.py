"""The network sees what it may see, and nothing else."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from hrm_ray.config import Losses
from hrm_ray.model.attention import PackedAttention
from hrm_ray.model.batch import Document, collate
from hrm_ray.model.hrm import HRM
from hrm_ray.model.losses import Counts, loss_sums, total_loss
from hrm_ray.prepare.tokenizer import Control
from tests.model.conftest import VOCABULARY, judge_document, small_config, small_model, solve_document

WEIGHTS = Losses()
TRM: dict[str, object] = {"shared": True, "inject": True}
MODES: list[dict[str, object]] = [{}, TRM, {"h_layers": 1, "l_layers": 3}, {"mode": "plain"}]


def states(model: HRM, documents: list[Document]) -> Tensor:
    batch = collate(documents)
    with torch.no_grad():
        attend = PackedAttention(batch.spans, batch.ids.device)
        return model.states(model.embed(batch.ids), batch.positions, attend, depth=5)


@pytest.mark.parametrize("mode", MODES)
def test_packing_is_invisible(mode: dict[str, object], mixed: list[Document]) -> None:
    model = small_model(**mode)
    together, batch = model(collate(mixed), depth=5), collate(mixed)
    alone = [model(collate([document]), depth=5) for document in mixed]
    torch.testing.assert_close(together.nll, torch.cat([output.nll for output in alone]), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(
        together.decisions, torch.cat([output.decisions for output in alone]), atol=1e-5, rtol=1e-5
    )
    assert len(together.nll) == sum(len(d.plan) + len(d.code) for d in mixed if d.decision is None)
    assert len(together.decisions) == len(batch.decisions) == 2


@pytest.mark.parametrize("mode", MODES)
def test_a_future_token_never_changes_an_earlier_logit(mode: dict[str, object]) -> None:
    model, document = small_model(**mode), solve_document(1)
    code = list(document.code)
    for changed in range(1, len(code)):
        other = document._replace(code=[*code[:changed], (code[changed] + 1) % VOCABULARY, *code[changed + 1 :]])
        at = len(document.prefix) + len(document.plan) + changed
        torch.testing.assert_close(states(model, [document])[:at], states(model, [other])[:at], atol=0, rtol=0)
        assert not torch.equal(states(model, [document])[at], states(model, [other])[at])


def test_the_prefix_attends_both_ways() -> None:
    model, document = small_model(), solve_document(1)
    prefix = list(document.prefix)
    other = document._replace(prefix=[*prefix[:-1], prefix[-1] + 1])
    assert not torch.allclose(states(model, [document])[0], states(model, [other])[0])


def test_changing_the_problem_changes_the_plan_logits() -> None:
    model, document = small_model(), solve_document(1)
    prefix = list(document.prefix)
    other = document._replace(prefix=[prefix[0], prefix[1] + 1, *prefix[2:]])
    plan = slice(len(prefix) - 1, len(prefix) + len(document.plan) - 1)
    before, after = (model.logits(states(model, [d])[plan]) for d in (document, other))
    assert ((before - after).abs().amax(-1) > 1e-3).all()


def test_feedback_changes_the_decision_and_only_through_the_judge_token() -> None:
    model = small_model()
    hidden, shown = (model(collate([judge_document(1, feedback=f)]), depth=5).decisions for f in (0, 1))
    assert not torch.allclose(hidden, shown)


def test_fresh_random_tokens_cannot_be_learnt() -> None:
    """Fresh uniform tokens over K symbols have no structure: below ln K the targets have leaked."""
    symbols = 8
    model = small_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    recent = []
    for step in range(120):
        random = torch.Generator().manual_seed(step)
        batch = [[int(t) + len(Control) for t in torch.randint(symbols, (24,), generator=random)] for _ in range(16)]
        documents = [Document(prefix=ids[:8], plan=ids[8:14], code=ids[14:]) for ids in batch]
        nll = model(collate(documents), depth=5).nll.mean()
        optimizer.zero_grad()
        nll.backward()
        optimizer.step()
        recent.append(float(nll.detach()))
    late = sum(recent[-40:]) / 40
    # 40 steps x 256 targets; the mean of that many near-uniform losses moves by far less than 1%.
    assert math.log(symbols) * 0.99 < late < math.log(symbols) * 1.1


@pytest.mark.parametrize("mode", [*MODES, {"inject": True, "depth": {"min": 2, "max": 5}}])
def test_at_the_smallest_depth_every_tensor_gets_gradient_on_its_input_side(mode: dict[str, object]) -> None:
    model = small_model(tied=False, **mode)
    batch = collate([solve_document(1), judge_document(2, feedback=1)])
    output = model(batch, depth=model.config.depth.min)
    total_loss(loss_sums(output, batch), Counts.of([batch]), WEIGHTS).backward()  # type: ignore[no-untyped-call]
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
    assert model.embedding.weight.grad is not None
    touched = model.embedding.weight.grad.abs().sum(-1) > 0
    assert touched[collate([solve_document(1)]).ids].all()


def test_a_batch_without_any_loss_is_no_error() -> None:
    model = small_model()
    batch = collate([judge_document(1)])
    assert model(batch, depth=3).nll.shape == (0,)
    batch = collate([solve_document(1)])
    assert model(batch, depth=3).decisions.shape == (0, 3)


def test_the_initial_state_is_a_buffer_that_is_saved() -> None:
    model = HRM(small_config(), VOCABULARY)
    assert "initial" in model.state_dict()
    assert "initial" not in dict(model.named_parameters())


@pytest.mark.parametrize("mode", MODES)
def test_computing_activations_again_changes_no_bit(mode: dict[str, object], mixed: list[Document]) -> None:
    kept, again = small_model(**mode), small_model(**mode)
    again.execute(recompute=True, compiled=False)
    saved = [gradients(model, mixed) for model in (kept, again)]
    assert saved[0][0] > 2 * saved[1][0], "nothing less was kept for the backward"
    for name, gradient in saved[0][1].items():
        assert torch.equal(gradient, saved[1][1][name]), name


def test_compiled_blocks_give_the_same_gradients(mixed: list[Document]) -> None:
    plain, compiled = small_model(), small_model()
    compiled.execute(recompute=False, compiled=True)
    for documents in (mixed, mixed[1:]):
        (_, expected), (_, found) = gradients(plain, documents), gradients(compiled, documents)
        for name, gradient in expected.items():
            torch.testing.assert_close(found[name], gradient, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("recompute", [False, True])
def test_in_bf16_no_pass_loses_its_gradient(mode: dict[str, object], recompute: bool, mixed: list[Document]) -> None:
    """Autocast keeps casts of weights, and here the first use of a weight is in a pass without gradient."""
    model = small_model(**mode)
    model.execute(recompute=recompute, compiled=False)
    _, expected = gradients(model, mixed)
    with torch.autocast("cpu", torch.bfloat16):
        _, found = gradients(model, mixed)
    for name, gradient in expected.items():
        assert float((found[name] - gradient).norm() / gradient.norm()) < 0.1, name


def gradients(model: HRM, documents: list[Document]) -> tuple[int, dict[str, Tensor]]:
    """Return the bytes that a forward keeps for its backward, and the gradient."""
    kept: list[int] = []
    model.zero_grad()
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.nbytes) or t, lambda t: t):  # type: ignore[func-returns-value]
        batch = collate(documents)
        output = model(batch, depth=5 if model.config.mode == "hrm" else 1)
        loss = total_loss(loss_sums(output, batch), Counts.of([batch]), WEIGHTS)
    loss.backward()  # type: ignore[no-untyped-call]
    return sum(kept), {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
