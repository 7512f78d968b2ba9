"""A network that begins with induction heads: what they attend to, and what that is worth at once."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from hrm_ray.model.attention import packed_attention
from hrm_ray.model.batch import Batch, collate
from hrm_ray.model.hrm import HRM
from hrm_ray.prepare.tokenizer import FIRST_NUMBER, FIRST_TEXT
from hrm_ray.train.copying import copying
from tests.model.conftest import small_config

WORDS = 400
LENGTH = 40
NETWORKS: dict[str, dict[str, Any]] = {
    "hrm": {"h_cycles": 1, "l_cycles": 1, "depth": {"min": 2, "max": 2}},
    "hrm, two cycles": {"h_cycles": 2, "l_cycles": 1, "depth": {"min": 4, "max": 4}},
    "plain": {"mode": "plain", "layers": 2},
    "shared": {"shared": True, "h_cycles": 1, "l_cycles": 3, "depth": {"min": 4, "max": 4}},
}


def network(seed: int = 0, **changes: Any) -> HRM:
    torch.manual_seed(seed)
    shape = {"hidden": 128, "heads": 4, "layers": 1, "intermediate": 256, "embedding_scale": 5.0}
    return HRM(small_config(**shape | changes), FIRST_TEXT + WORDS)


def copies(count: int, seed: int = 0) -> Batch:
    """Documents that ask for a copy of random tokens, none of them twice."""
    torch.manual_seed(seed)
    return collate(
        [copying((FIRST_TEXT + torch.randperm(WORDS)[:LENGTH].to(torch.int32)).numpy()) for _ in range(count)]
    )


@torch.no_grad()
def standing_out(model: HRM, batch: Batch) -> float:
    """Return how far the logit of what is copied is above the mean of all text, in standard deviations."""
    attend = packed_attention(batch.spans, batch.ids.device)
    states = model.states(model.embed(batch.ids), batch.positions, attend, model.config.depth.max)
    logits = model.logits(states[batch.target_at])[:, FIRST_TEXT:]
    target = logits.gather(1, batch.targets[:, None] - FIRST_TEXT)[:, 0]
    return float(((target - logits.mean(1)) / logits.std(1)).mean())


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_copied_stands_out_before_any_training(name: str) -> None:
    batch, shape = copies(8), NETWORKS[name]
    reading, other = (
        [standing_out(network(seed, induction=induction, **shape), batch) for seed in range(3)]
        for induction in (True, False)
    )
    assert min(reading) > 0.12 > max(other)


@pytest.mark.parametrize("name", ["hrm", "plain"])
def test_the_first_block_attends_to_the_last_three_tokens(name: str) -> None:
    model, batch = network(**NETWORKS[name]), copies(1)
    weights = list[Tensor]()

    def seen(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        scores = torch.einsum("thd,shd->hts", queries, keys) * queries.shape[-1] ** -0.5
        weights.append(scores.softmax(-1))
        return torch.einsum("hts,shd->thd", weights[-1], values)

    with torch.no_grad():
        model.states(model.embed(batch.ids), batch.positions, seen, 2)
    for head, distance in enumerate([1, 1, 2, 3]):
        before = weights[0][head].diagonal(-distance)[3:]
        assert float(before.mean()) > 0.6
        assert float(before.min()) > 0.3


def test_a_network_of_two_cycles_learns_to_copy_in_steps_in_which_another_does_not() -> None:
    def learnt(induction: bool) -> float:
        model = network(induction=induction, **NETWORKS["hrm, two cycles"])
        optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
        for step in range(30):
            loss = model(copies(16, step), 4).nll.mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        with torch.no_grad():
            return float(model(copies(16, 99), 4).nll.mean())

    assert learnt(induction=True) < 2.5 < 5.5 < learnt(induction=False)


def test_nothing_else_begins_otherwise() -> None:
    reading, other = network(), network(induction=False)
    differing = {
        name
        for (name, ours), (_, theirs) in zip(reading.named_parameters(), other.named_parameters(), strict=True)
        if not torch.equal(ours, theirs)
    }
    heads = {f"{stack}.blocks.0.attention.{part}.weight" for stack in ("coder", "planner") for part in ("qkvg", "out")}
    assert differing == {"embedding.weight", *heads}
    gates = [
        dict(model.named_parameters())["coder.blocks.0.attention.qkvg.weight"][-128:] for model in (reading, other)
    ]
    assert torch.equal(*gates)


def test_line_numbers_have_a_direction_in_common_that_no_text_has() -> None:
    rows = network().embedding.weight.detach()
    numbers, text = (torch.nn.functional.normalize(one) for one in (rows[FIRST_NUMBER:FIRST_TEXT], rows[FIRST_TEXT:]))
    alike, other = numbers @ numbers.T, numbers @ text.T
    assert float(alike.mean()) > 0.3 > 0.15 > float(other.mean())
