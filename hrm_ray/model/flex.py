"""Attention by document in one kernel, for GPUs: FlexAttention (arXiv 2412.05496) over a block mask of the documents.

Written, never run on a GPU: on the CPU its forward, which is not compiled there, equals `PackedAttention`;
`benchmarks/gpu.sh` holds forward and backward to it where there is a device.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

from hrm_ray.model.batch import Span


class FlexAttention:
    """Exact attention within each document of a packed batch, as one call: blocks of pairs that see nothing cost
    nothing."""

    def __init__(self, spans: Sequence[Span], device: torch.device) -> None:
        sizes = torch.tensor([span.stop - span.start for span in spans], dtype=torch.int64, device=device)
        prefix_stops = torch.tensor([span.prefix_stop for span in spans], dtype=torch.int64, device=device)
        total = int(sizes.sum())
        document = torch.repeat_interleave(sizes)
        in_prefix = torch.arange(total, device=device) < prefix_stops[document]

        def visible(_batch: Tensor, _head: Tensor, q: Tensor, k: Tensor) -> Tensor:
            return (document[q] == document[k]) & ((k <= q) | (in_prefix[q] & in_prefix[k]))

        self.attend, make_mask = _kernels(device.type)
        self.mask = make_mask(visible, None, None, total, total, device=device) if total else None

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attend; q, k and v are [T, heads, head_dim]."""
        if self.mask is None:
            return torch.zeros_like(q)
        q, k, v = (x.transpose(0, 1)[None] for x in (q, k, v))
        out: Tensor = self.attend(q, k, v, block_mask=self.mask)
        return out[0].transpose(0, 1)


@cache
def _kernels(device: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return attention and the making of its mask; on a GPU compiled, once for batches of any length."""
    if device != "cuda":
        return flex_attention, create_block_mask
    return torch.compile(flex_attention, dynamic=True), torch.compile(create_block_mask, dynamic=True)
