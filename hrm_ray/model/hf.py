"""Our weights under the names of `transformers`' HrmTextForCausalLM (5.9 or newer), whose forward is the same.

That class holds neither the refinement head, nor `plain` mode, nor injection.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from hrm_ray.config import Model
from hrm_ray.model.hrm import HRM


def config_fields(config: Model, vocab_size: int, window: int) -> dict[str, Any]:
    """Return the arguments of `HrmTextConfig` that describe the same network.

    Raises:
        ValueError: the network has a form that the class cannot hold.
    """
    if config.mode == "plain" or config.inject:
        raise ValueError("HrmTextForCausalLM has neither plain mode nor injection")
    return {
        "vocab_size": vocab_size,
        "hidden_size": config.hidden,
        "intermediate_size": config.intermediate,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "head_dim": config.hidden // config.heads,
        "max_position_embeddings": window,
        "rms_norm_eps": config.norm_eps,
        "rope_parameters": {"rope_type": "default", "rope_theta": config.rope_theta},
        "tie_word_embeddings": config.tied,
        "initializer_range": config.hidden**-0.5,
        "embedding_scale": config.hidden**0.5,
        "H_cycles": config.h_cycles,
        "L_cycles": config.l_cycles,
    }


def state_dict(model: HRM) -> dict[str, Tensor]:
    """Return the weights that the class has, by its names."""
    ours = model.state_dict()
    theirs = {
        "model.embed_tokens.weight": ours["embedding.weight"],
        "model.z_L_init": ours["initial"],
        "lm_head.weight": ours["embedding.weight" if model.config.tied else "head.weight"],
    }
    for stack, name in (("planner", "H_module"), ("coder", "L_module")):
        for index in range(model.config.layers):
            theirs |= _block(ours, f"{stack}.blocks.{index}", f"model.{name}.layers.{index}")
    return theirs


def _block(ours: dict[str, Tensor], source: str, target: str) -> dict[str, Tensor]:
    attention = ours[f"{source}.attention.qkvg.weight"].chunk(4)
    names = ("q_proj", "k_proj", "v_proj", "gate_proj")
    block = {f"{target}.self_attn.{name}.weight": part for name, part in zip(names, attention, strict=True)}
    block[f"{target}.self_attn.o_proj.weight"] = ours[f"{source}.attention.out.weight"]
    gate, up = ours[f"{source}.mlp.gate_up.weight"].chunk(2)
    block |= {f"{target}.mlp.gate_proj.weight": gate, f"{target}.mlp.up_proj.weight": up}
    block[f"{target}.mlp.down_proj.weight"] = ours[f"{source}.mlp.down.weight"]
    return block
