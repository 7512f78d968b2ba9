"""Our network in the terms of `transformers`' HrmTextForCausalLM (5.9 or newer), whose forward is the same, and whose
gradient is that of the depth which our training ends with (`L_bp_cycles`).

What that class has no place for is refused by the name of its setting: `plain` mode, injection, and whatever setting
of the network this file does not know. The refinement head is not part of its forward and goes into a file of its own
(`hf_folder.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from hrm_ray.config import Model
from hrm_ray.errors import UserError
from hrm_ray.model.hrm import HRM
from hrm_ray.model.recurrence import calls_with_gradient, passes_with_gradient

CLASS = "HrmTextForCausalLM"

_SHAPE = (
    *("hidden", "layers", "heads", "intermediate", "tied", "h_cycles", "l_cycles"),
    *("rope_theta", "norm_eps", "embedding_scale"),
)
_HELD = frozenset((*_SHAPE, "size", "mode", "depth", "init_from", "induction"))
"""Settings that the class has too, or that do not change the forward; of all others it has the default alone."""

_SIZES = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
_FACTS = {"hidden_act": "silu", "attention_bias": False, "mlp_bias": False, "prefix_lm": True}
"""What our network is, whatever its settings."""

_SAVED = {
    "attn.gqkv_proj": ("self_attn.gate_proj", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "attn.o_proj": ("self_attn.o_proj",),
    "mlp.gate_up_proj": ("mlp.gate_proj", "mlp.up_proj"),
}
"""Names in files, as HRM-Text published its weights, with those that the class has for their parts while it runs."""


def check(config: Model) -> None:
    """Refuse a network that the class cannot hold.

    Raises:
        UserError: by the names of the settings.
    """
    odd = ["mode"] if config.mode != "hrm" else []
    if config.mode == "hrm" and calls_with_gradient(config, config.depth.max).planner < config.h_cycles:
        odd.append("depth")  # there every pass of the planner carries gradient
    for name, field in Model.model_fields.items():
        if name not in _HELD and getattr(config, name) != field.get_default(call_default_factory=True):
            odd.append(name)
    if odd:
        named = ", ".join(f"model.{name}: {getattr(config, name)}" for name in odd)
        raise UserError(f"transformers' {CLASS} cannot hold a network with {named}")


def config_fields(config: Model, vocab_size: int, window: int) -> dict[str, Any]:
    """Return the arguments of `HrmTextConfig` that describe the same network.

    Raises:
        UserError: the network has a form that the class cannot hold.
    """
    check(config)
    return {
        **_FACTS,
        "vocab_size": vocab_size,
        "hidden_size": config.hidden,
        "intermediate_size": config.intermediate,
        "num_layers_per_stack": config.layers,
        "num_hidden_layers": config.layers * config.h_cycles * (config.l_cycles + 1),  # slots of a key-value cache
        "num_attention_heads": config.heads,
        "head_dim": config.hidden // config.heads,
        "max_position_embeddings": window,
        "rms_norm_eps": config.norm_eps,
        "rope_parameters": {"rope_type": "default", "rope_theta": config.rope_theta},
        "tie_word_embeddings": config.tied,
        "initializer_range": config.hidden**-0.5,
        "embedding_scale": config.embedding_scale,
        "H_cycles": config.h_cycles,
        "L_cycles": config.l_cycles,
        "L_bp_cycles": _passes_with_gradient(config),
    }


def _passes_with_gradient(config: Model) -> list[int]:
    """Return the coder's passes that carry gradient in each H cycle, at the depth that training comes to."""
    carried = passes_with_gradient(config, config.depth.max)
    return [sum((cycle, low) in carried for low in range(config.l_cycles)) for cycle in range(config.h_cycles)]


def shape(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of `model` that describe the network of a `config.json`.

    Raises:
        UserError: it is of another class, or has a form that ours has not, or does not say a size; with the reason.
    """
    try:
        if reason := next(_refusals(fields), ""):
            raise UserError(reason)
        return _shape(fields)
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise UserError(f"its config.json has a value that none of its kind can have ({error})") from error


def _shape(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "hidden": fields["hidden_size"],
        "layers": fields.get("num_layers_per_stack") or fields["num_hidden_layers"],
        "heads": fields["num_attention_heads"],
        "intermediate": fields["intermediate_size"],
        "tied": _tied(fields),
        "h_cycles": fields.get("H_cycles", 2),
        "l_cycles": fields.get("L_cycles", 3),
        "rope_theta": float(_rope(fields).get("rope_theta", 1e4)),
        "norm_eps": fields.get("rms_norm_eps", 1e-6),
        "embedding_scale": float(fields.get("embedding_scale") or 1 / fields.get("initializer_range", 0.02)),
    }


def _refusals(fields: Mapping[str, Any]) -> Iterator[str]:
    """Say what our network has no place for; what is absent has the default of `HrmTextConfig`."""
    if (kind := fields.get("model_type")) != "hrm_text":
        yield f"its model_type is {kind} and not hrm_text"
    yield from (f"its config.json has no {name}" for name in _SIZES if fields.get(name) is None)
    for name, ours in _FACTS.items():
        if fields.get(name, ours) != ours:
            yield f"its {name} is {fields[name]}, and our network has {ours}"
    hidden, heads = fields["hidden_size"], fields["num_attention_heads"]
    if (size := fields.get("head_dim", 128)) * heads != hidden:
        yield f"its head_dim is {size}, and our network has hidden_size / num_attention_heads = {hidden / heads:g}"
    if (groups := fields.get("num_key_value_heads") or heads) != heads:
        yield f"its num_key_value_heads is {groups}: keys and values that several heads share are not in our network"
    if (kind := _rope(fields).get("rope_type", "default")) != "default":
        yield f"its rope_type is {kind}, and our network turns by the default rule"


def _tied(fields: Mapping[str, Any]) -> bool:
    return bool(fields.get("tie_word_embeddings", False))


def _rope(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Rotation as files of all versions say it."""
    older = {"rope_theta": fields["rope_theta"]} if "rope_theta" in fields else {}
    return older | (fields.get("rope_scaling") or {}) | (fields.get("rope_parameters") or {})


def state_dict(model: HRM) -> dict[str, Tensor]:
    """Return the weights that the class has, by the names that it has while it runs."""
    ours = model.state_dict()
    theirs = {
        name: part
        for one, parts in _names(model.config).items()
        for name, part in zip(parts, ours[one].chunk(len(parts)), strict=True)
    }
    return theirs | ({"lm_head.weight": ours["embedding.weight"]} if model.config.tied else {})


def to_file(model: HRM) -> dict[str, Tensor]:
    """Return the weights as the class saves them, on the CPU: some stand in one, and a tied head is left out."""
    theirs = state_dict(model)
    if model.config.tied:
        del theirs["lm_head.weight"]
    for name in list(theirs):
        for whole, parts in _SAVED.items():
            if parts[0] in name:
                pieces = [theirs.pop(name.replace(parts[0], part)) for part in parts]
                theirs[name.replace(parts[0], whole)] = torch.cat(pieces)
    return {name: value.cpu() for name, value in theirs.items()}


def from_file(config: Model, saved: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights that the class saved, in either way, under our names and in fp32; without the refinement head.

    `config` must be equal in `shape` to the `config.json` beside them.

    Raises:
        UserError: a weight is missing, or there is one that our network has no place for.
    """
    theirs, names = _split(saved), _names(config)
    wanted = {name for parts in names.values() for name in parts}
    if missing := sorted(wanted - theirs.keys()):
        raise UserError(f"its weights have no {missing[0]}")
    if unknown := sorted(theirs.keys() - wanted - {"lm_head.weight" if config.tied else ""}):
        raise UserError(f"its weights have {unknown[0]}, which our network has no place for")
    return {name: torch.cat([theirs[part].float() for part in parts]) for name, parts in names.items()}


def _split(saved: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Take apart what is one in a file."""
    theirs: dict[str, Tensor] = {}
    for name, value in saved.items():
        whole = next((whole for whole in _SAVED if f".{whole}." in name), "")
        parts = _SAVED.get(whole, ("",))
        theirs |= {name.replace(whole, part): piece for part, piece in zip(parts, value.chunk(len(parts)), strict=True)}
    return theirs


def _names(config: Model) -> dict[str, tuple[str, ...]]:
    """For each of our weights those of the class that lie in it, one below the other; a tied head is no weight."""
    names: dict[str, tuple[str, ...]] = {
        "embedding.weight": ("model.embed_tokens.weight",),
        "initial": ("model.z_L_init",),
    }
    if not config.tied:
        names["head.weight"] = ("lm_head.weight",)
    for stack, module in (("planner", "H_module"), ("coder", "L_module")):
        for index in range(config.layers):
            block, layer = f"{stack}.blocks.{index}", f"model.{module}.layers.{index}"
            attention = tuple(f"{layer}.self_attn.{name}_proj.weight" for name in ("q", "k", "v", "gate"))
            names |= {
                f"{block}.attention.qkvg.weight": attention,
                f"{block}.attention.out.weight": (f"{layer}.self_attn.o_proj.weight",),
                f"{block}.mlp.gate_up.weight": (f"{layer}.mlp.gate_proj.weight", f"{layer}.mlp.up_proj.weight"),
                f"{block}.mlp.down.weight": (f"{layer}.mlp.down_proj.weight",),
            }
    return names
