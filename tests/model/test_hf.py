"""Parity: the same weights in `transformers`' own class give the same logits, and come back as they were."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from hrm_ray.config import Depth, Model
from hrm_ray.errors import UserError
from hrm_ray.model.attention import PackedAttention
from hrm_ray.model.batch import Document, collate
from hrm_ray.model.hf import check, config_fields, from_file, shape, state_dict, to_file
from hrm_ray.model.hrm import HRM
from tests.model.conftest import VOCABULARY, small_config, small_model, solve_document

transformers = pytest.importorskip("transformers")

SHAPES: list[dict[str, Any]] = [
    {},
    {"tied": False},
    {"h_cycles": 3, "l_cycles": 2, "depth": {"min": 4, "max": 5}},
    {"norm_eps": 1e-3, "rope_theta": 500.0},
]


def trained(**changes: Any) -> HRM:
    """A model after a few steps on documents of its own: weights that no init gives."""
    model = small_model(**changes)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for seed in range(3):
        model(collate([solve_document(seed), solve_document(seed + 9)]), 5).nll.mean().backward()
        optimizer.step()
        optimizer.zero_grad()
    return model


def their_model(model: HRM) -> Any:
    fields = config_fields(model.config, VOCABULARY, window=64)
    theirs = transformers.HrmTextForCausalLM(transformers.HrmTextConfig(**fields)).eval()
    theirs.load_state_dict(state_dict(model))
    return theirs


def their_logits(theirs: Any, document: Document) -> Tensor:
    ids = torch.tensor([[*document.prefix, *document.plan, *document.code]])
    in_prefix = (torch.arange(ids.shape[1]) < len(document.prefix)).long()[None]
    with torch.no_grad():
        logits: Tensor = theirs(input_ids=ids, token_type_ids=in_prefix, use_cache=False).logits[0]
    return logits


def our_logits(model: HRM, document: Document) -> Tensor:
    batch = collate([document])
    with torch.no_grad():
        attend = PackedAttention(batch.spans, batch.ids.device)
        return model.logits(model.states(model.embed(batch.ids), batch.positions, attend, depth=5))


@pytest.mark.parametrize("changes", SHAPES)
def test_logits_equal_those_of_transformers(changes: dict[str, Any]) -> None:
    model, document = trained(**changes), solve_document(1, prefix=17, plan=8, code=13)
    ours, theirs = our_logits(model, document), their_logits(their_model(model), document)
    assert ours.std() > 0.5
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


DEPTHS = [
    {"tied": tied, "h_cycles": h, "l_cycles": low, "depth": {"min": h + 1, "max": depth}}
    for h, low, tied in ((2, 3, True), (3, 2, False), (1, 2, True))
    for depth in range(h + 1, h * (low + 1) + 1)
]


def our_gradients(model: HRM, document: Document) -> dict[str, Tensor]:
    model.zero_grad()
    model(collate([document]), model.config.depth.max).nll.mean().backward()
    return {
        name: one.grad for name, one in model.named_parameters() if one.grad is not None and name[:10] != "refinement"
    }


def their_gradients(model: HRM, document: Document) -> dict[str, Tensor]:
    """Those of the exported network, put under our names."""
    theirs, first = their_model(model), len(document.prefix)
    ids = torch.tensor([[*document.prefix, *document.plan, *document.code]])
    in_prefix = (torch.arange(ids.shape[1]) < first).long()[None]
    logits = theirs(input_ids=ids, token_type_ids=in_prefix, use_cache=False).logits[0]
    loss: Any = torch.nn.functional.cross_entropy(logits[first - 1 : -1], ids[0, first:])
    loss.backward()
    state = theirs.state_dict(keep_vars=True)
    gradients = {name: one.grad if one.grad is not None else torch.zeros_like(one) for name, one in state.items()}
    return from_file(model.config, gradients)


@pytest.mark.parametrize(
    "changes", DEPTHS, ids=lambda one: f"H{one['h_cycles']} L{one['l_cycles']} {one['depth']['max']}"
)
def test_gradients_equal_those_of_transformers_there_and_back(changes: dict[str, Any]) -> None:
    """With the class's own default those of the coder differed by half, while the logits agreed."""
    model, document = trained(**changes), solve_document(1, prefix=17, plan=8, code=13)
    ours, theirs = our_gradients(model, document), their_gradients(model, document)
    assert {name.partition(".")[0] for name in ours} == {"embedding", "planner", "coder"} | (
        set() if changes["tied"] else {"head"}
    )
    for name, gradient in ours.items():
        torch.testing.assert_close(theirs[name], gradient, rtol=1e-4, atol=1e-5 * float(gradient.abs().max()))
    fields = {"model_type": "hrm_text"} | config_fields(model.config, VOCABULARY, window=64)
    back = HRM(model.config.model_copy(update=shape(fields)), VOCABULARY)
    back.load_state_dict(model.state_dict() | from_file(back.config, to_file(model)))
    assert all(torch.equal(one, ours[name]) for name, one in our_gradients(back, document).items())


def test_a_depth_without_all_passes_of_the_planner_is_refused() -> None:
    config = small_config(h_cycles=3, depth={"min": 4, "max": 5})
    with pytest.raises(UserError, match=r"model\.depth"):
        check(config.model_copy(update={"depth": Depth(min=3, max=3)}))


@pytest.mark.parametrize("changes", SHAPES)
def test_weights_come_back_as_they_were_from_files_of_either_form(changes: dict[str, Any]) -> None:
    model = trained(**changes)
    fields = {"model_type": "hrm_text"} | config_fields(model.config, VOCABULARY, window=64)
    body = {name: value for name, value in model.state_dict().items() if not name.startswith("refinement.")}
    for saved in (to_file(model), state_dict(model)):
        back = from_file(model.config, saved)
        assert back.keys() == body.keys()
        assert all(torch.equal(back[name], value) for name, value in body.items())
    assert shape(fields) == {name: getattr(model.config, name) for name in shape(fields)}


@pytest.mark.parametrize("tied", [True, False])
def test_every_scale_of_the_embedding_is_taken_over(tied: bool) -> None:
    torch.manual_seed(1)
    ours = small_config(tied=tied, embedding_scale=50.0)
    config = transformers.HrmTextConfig(**config_fields(ours, VOCABULARY, window=64))
    theirs, document = transformers.HrmTextForCausalLM(config).eval(), solve_document(2)
    assert shape(config.to_dict())["embedding_scale"] == 50
    model = HRM(ours, VOCABULARY)
    model.load_state_dict(from_file(ours, theirs.state_dict()), strict=False)
    torch.testing.assert_close(our_logits(model, document), their_logits(theirs, document), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"mode": "plain"}, "model.mode: plain"),
        ({"inject": True}, "model.inject: True"),
        ({"shared": True, "inject": True}, "model.shared: True, model.inject: True"),
        ({"h_layers": 1, "l_layers": 3}, "model.h_layers: 1, model.l_layers: 3"),
        ({"mode": "plain", "inject": True}, "model.mode: plain, model.inject: True"),
    ],
)
def test_forms_that_the_class_cannot_hold_are_refused_by_name(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=f"HrmTextForCausalLM cannot hold a network with {named}$"):
        config_fields(small_config(**changes), VOCABULARY, window=64)


def test_a_setting_that_it_has_never_heard_of_is_refused_too() -> None:
    class Wider(Model):
        read_out: str = "slow"

    config = {"hidden": 32, "layers": 2, "heads": 4, "intermediate": 48}
    try:
        Model.model_fields["read_out"] = Wider.model_fields["read_out"]
        check(Wider.model_validate(config))
        with pytest.raises(UserError, match=r"model\.read_out: both"):
            check(Wider.model_validate({**config, "read_out": "both"}))
    finally:
        del Model.model_fields["read_out"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"model_type": "llama"}, "model_type is llama and not hrm_text"),
        ({"hidden_size": None}, "config.json has no hidden_size"),
        ({"hidden_act": "gelu"}, "hidden_act is gelu, and our network has silu"),
        ({"attention_bias": True}, "attention_bias is True"),
        ({"mlp_bias": True}, "mlp_bias is True"),
        ({"prefix_lm": False}, "prefix_lm is False"),
        ({"head_dim": 16}, "head_dim is 16, and our network has hidden_size / num_attention_heads = 8"),
        ({"num_key_value_heads": 2}, "num_key_value_heads is 2"),
        ({"rope_parameters": {"rope_type": "yarn", "factor": 2.0}}, "rope_type is yarn"),
        ({"hidden_size": "64"}, "config.json has a value that none of its kind"),
        ({"num_attention_heads": 0}, "config.json has a value that none of its kind"),
        ({"head_dim": None}, "config.json has a value that none of its kind"),
        ({"rope_parameters": {"rope_theta": None}}, "config.json has a value that none of its kind"),
        ({"rope_scaling": "linear"}, "config.json has a value that none of its kind"),
        ({"tie_word_embeddings": False, "embedding_scale": "x"}, "config.json has a value that none of its kind"),
    ],
)
def test_forms_that_ours_has_not_are_refused_with_the_reason(changed: dict[str, Any], reason: str) -> None:
    fields = {"model_type": "hrm_text"} | config_fields(small_config(), VOCABULARY, window=64)
    with pytest.raises(UserError, match=f"^its {reason}"):
        shape(fields | changed)


def test_files_of_older_versions_say_the_rotation_and_the_depth_otherwise() -> None:
    fields = {"model_type": "hrm_text"} | config_fields(small_config(), VOCABULARY, window=64)
    del fields["rope_parameters"], fields["num_layers_per_stack"]
    found = shape(fields | {"num_hidden_layers": 2, "rope_theta": 500, "num_key_value_heads": 4})
    assert (found["rope_theta"], found["layers"]) == (500.0, 2)


def test_weights_that_are_missing_or_too_many_are_named() -> None:
    config = small_config()
    weights = to_file(small_model())
    with pytest.raises(UserError, match=r"have no model\.z_L_init"):
        from_file(config, {name: value for name, value in weights.items() if name != "model.z_L_init"})
    with pytest.raises(UserError, match=r"have lm_head\.bias, which our network has no place for"):
        from_file(config, weights | {"lm_head.bias": torch.zeros(1)})
    from_file(config, weights | {"lm_head.weight": torch.zeros(1)})
