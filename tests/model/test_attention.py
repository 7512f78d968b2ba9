"""Attention by document: every form gives what one dense mask gives."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from hrm_ray.model.attention import PackedAttention, packed_attention
from hrm_ray.model.batch import Span
from hrm_ray.model.flex import FlexAttention

DOCUMENTS = [Span(0, 5, 9), Span(9, 9, 12), Span(12, 40, 40), Span(40, 41, 173), Span(173, 300, 301)]


def dense(spans: list[Span], q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    visible = torch.zeros(len(q), len(q), dtype=torch.bool)
    for start, prefix_stop, stop in spans:
        visible[start:stop, start:stop] = torch.ones(stop - start, stop - start).tril().bool()
        visible[start:prefix_stop, start:prefix_stop] = True
    q, k, v = (x.transpose(0, 1) for x in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v, attn_mask=visible).transpose(0, 1)


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
@pytest.mark.parametrize("form", [PackedAttention, FlexAttention])
@pytest.mark.parametrize("spans", [DOCUMENTS, DOCUMENTS[:1], []], ids=["many", "one", "none"])
def test_it_is_the_dense_masks(form: type[PackedAttention], spans: list[Span]) -> None:
    random = torch.Generator().manual_seed(0)
    tokens = spans[-1].stop if spans else 0
    q, k, v = (torch.randn(tokens, 2, 16, generator=random) for _ in range(3))
    found = form(spans, torch.device("cpu"))(q, k, v)
    assert found.shape == q.shape
    if spans:
        torch.testing.assert_close(found, dense(spans, q, k, v), atol=1e-5, rtol=1e-5)


def test_the_cpu_takes_the_form_that_has_a_backward_there() -> None:
    assert isinstance(packed_attention(DOCUMENTS, torch.device("cpu")), PackedAttention)
