"""Parity: the same weights in `transformers`' own class give the same logits."""

from __future__ import annotations

import pytest
import torch

from hrm_ray.model.attention import PackedAttention
from hrm_ray.model.batch import Document, collate
from hrm_ray.model.hf import config_fields, state_dict
from hrm_ray.model.hrm import HRM
from tests.model.conftest import VOCABULARY, small_model, solve_document

transformers = pytest.importorskip("transformers")


def their_logits(model: HRM, document: Document) -> torch.Tensor:
    theirs = transformers.HrmTextForCausalLM(
        transformers.HrmTextConfig(**config_fields(model.config, VOCABULARY, window=64))
    ).eval()
    missing, unexpected = theirs.load_state_dict(state_dict(model), strict=False)
    assert not missing
    assert not unexpected
    ids = torch.tensor([[*document.prefix, *document.plan, *document.code]])
    in_prefix = (torch.arange(ids.shape[1]) < len(document.prefix)).long()[None]
    with torch.no_grad():
        logits: torch.Tensor = theirs(input_ids=ids, token_type_ids=in_prefix, use_cache=False).logits[0]
    return logits


def our_logits(model: HRM, document: Document) -> torch.Tensor:
    batch = collate([document])
    with torch.no_grad():
        attend = PackedAttention(batch.spans, batch.ids.device)
        return model.logits(model.states(model.embed(batch.ids), batch.positions, attend, depth=5))


@pytest.mark.parametrize("shape", [{}, {"tied": False}, {"h_cycles": 3, "l_cycles": 2, "depth": {"min": 4, "max": 5}}])
@pytest.mark.parametrize("seed", [1, 2])
def test_logits_equal_those_of_transformers(shape: dict[str, object], seed: int) -> None:
    model, document = small_model(**shape), solve_document(seed, prefix=17, plan=8, code=13)
    ours, theirs = our_logits(model, document), their_logits(model, document)
    assert ours.std() > 0.5
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


def test_forms_that_the_class_cannot_hold_are_refused() -> None:
    with pytest.raises(ValueError, match="plain mode"):
        config_fields(small_model(mode="plain").config, VOCABULARY, window=64)
