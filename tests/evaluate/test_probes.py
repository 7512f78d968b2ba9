"""What each state knows: the last is the model's answer, and a pass that is left out is left out of the arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from hrm_ray.evaluate import probes
from hrm_ray.evaluate.bits import bits_per_byte
from hrm_ray.evaluate.opened import Opened
from hrm_ray.model.attention import packed_attention
from hrm_ray.model.batch import Document, collate
from hrm_ray.model.hrm import HRM
from hrm_ray.model.recurrence import Pass
from hrm_ray.train.engine import PlainEngine
from hrm_ray.train.run import build_model
from hrm_ray.train.validate import all_nats
from tests.evaluate.test_losses import dataset, opened
from tests.train.conftest import run_config

__all__ = ["dataset", "opened"]


def documents(opened: Opened) -> list[Document]:
    return [opened.solve.document(row) for row in range(5)]


def test_the_last_state_is_the_models_own_answer(opened: Opened) -> None:
    config, given = opened.engine.model.config, documents(opened)
    found = probes.read(opened.engine, given, opened.tokens)
    assert list(found) == [(h, low) for h in range(config.h_cycles) for low in range(config.l_cycles + 1)]
    last = found[config.h_cycles - 1, config.l_cycles]
    torch.testing.assert_close(last, all_nats(opened.engine, given, opened.tokens), rtol=0, atol=0)
    assert not torch.allclose(found[0, 0], last)


def test_without_the_coders_last_cycle_the_planner_has_the_one_before(opened: Opened) -> None:
    """A model whose coder stands still in its last cycle is the model of fewer coder passes, by hand."""
    model, given = opened.engine.model, documents(opened)
    config = model.config
    last = config.h_cycles - 1
    skipped = [(last, low) for low in range(config.l_cycles)]
    (found,) = probes.read(opened.engine, given, opened.tokens, skipped).values()
    inputs: list[torch.Tensor] = []
    model.planner.register_forward_pre_hook(lambda _, given: inputs.append(given[0]))
    states = run(model, given)
    run(model, given, skipped)
    torch.testing.assert_close(inputs[-1], states[last - 1, config.l_cycles] + states[last - 1, config.l_cycles - 1])
    assert not torch.allclose(found, all_nats(opened.engine, given, opened.tokens))


def run(model: HRM, given: list[Document], skipped: Sequence[Pass] = ()) -> dict[Pass, torch.Tensor]:
    batch = collate(given)
    attend = packed_attention(batch.spans, batch.ids.device)
    with torch.no_grad():
        return dict(model.passes(model.embed(batch.ids), batch.positions, attend, 2, skipped))


def test_every_state_has_its_name(opened: Opened) -> None:
    given, config = documents(opened), opened.engine.model.config
    sizes = torch.tensor([[one.plan_bytes, one.code_bytes] for one in given])
    nats = probes.read(opened.engine, given, opened.tokens)
    found = probes.measure(opened.engine, given, opened.tokens, nats, sizes)
    names = [(row["state"], row["cycle"], row["pass"]) for row in found["states"]]
    assert names[: config.l_cycles + 1] == [*(("z_L", 1, low + 1) for low in range(config.l_cycles)), ("z_H", 1, 1)]
    assert names[-1] == ("z_H", config.h_cycles, 1)
    assert found["without"]["planner"] == bits_per_byte(nats[config.h_cycles - 2, config.l_cycles], sizes)
    assert found["without"]["coder"]["code_bits_per_byte"] != found["states"][-1]["code_bits_per_byte"]


def test_a_plain_model_has_no_cycles(dataset: Path, tmp_path: Path, opened: Opened) -> None:
    config = run_config(dataset, tmp_path)
    plain = config.model_copy(update={"model": config.model.model_copy(update={"mode": "plain"})})
    engine, given = PlainEngine(build_model(plain), plain.train), documents(opened)
    nats = probes.read(engine, given, opened.tokens)
    (own,) = nats.values()
    torch.testing.assert_close(own, all_nats(engine, given, opened.tokens), rtol=0, atol=0)
    sizes = torch.ones(5, 2)
    assert probes.measure(engine, given, opened.tokens, nats, sizes) == {"states": [], "without": {}}


def test_an_empty_split_has_no_bits(opened: Opened) -> None:
    nats = probes.read(opened.engine, [], opened.tokens)
    found = probes.measure(opened.engine, [], opened.tokens, nats, torch.zeros(0, 2))
    assert {row["code_bits_per_byte"] for row in found["states"]} == {None}
