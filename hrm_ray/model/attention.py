"""PrefixLM attention by document: over packed training batches, and over a key-value cache in generation.

All are callables `(q, k, v) -> out` that `layers.Attention` is handed, all of shape [tokens, heads, head_dim].
The training form calls the fused kernel once for a document's prefix, which needs no mask, and once for the rest;
on two CPU cores this reaches 59% of the matmul peak, one dense mask over the row 47%.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from hrm_ray.model.batch import Span

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]


def causal_tail(queries: int, keys: int, device: torch.device) -> Tensor:
    """Return the [queries, keys] mask (true = visible) of the last `queries` of `keys` causal positions."""
    return torch.ones(queries, keys, dtype=torch.bool, device=device).tril(keys - queries)


class PackedAttention:
    """Exact attention within each document of a packed batch; tokens of other documents are never seen."""

    def __init__(self, spans: Sequence[Span], device: torch.device) -> None:
        self.sizes = [span.stop - span.start for span in spans]
        self.prefixes = [span.prefix_stop - span.start for span in spans]
        self.masks = [causal_tail(n - p, n, device) for n, p in zip(self.sizes, self.prefixes, strict=True)]

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attend; q, k and v are [T, heads, head_dim]."""
        # Split, not sliced: the backward of a slice is a tensor of zeros as long as the whole batch.
        documents = zip(*(torch.split(x, self.sizes) for x in (q, k, v)), self.prefixes, self.masks, strict=True)
        pieces = [piece for document in documents for piece in _document(*document)]
        return torch.cat(pieces) if pieces else torch.zeros_like(q)


def packed_attention(spans: Sequence[Span], device: torch.device) -> Attend:
    """Return the fastest exact form for a packed batch on `device`."""
    if device.type != "cuda":
        return PackedAttention(spans, device)
    from hrm_ray.model.flex import FlexAttention  # its imports take a second

    return FlexAttention(spans, device)


class KeyValueCache:
    """Keys and values of every (pass, layer) call for `rows` documents of at most `length` tokens."""

    def __init__(self, calls: int, rows: int, length: int, heads: int, head_dim: int, like: Tensor) -> None:
        shape = (calls, rows, heads, length, head_dim)
        self.keys = torch.zeros(shape, dtype=like.dtype, device=like.device)
        self.values = torch.zeros_like(self.keys)
        self.lengths = torch.zeros(rows, dtype=torch.int64, device=like.device)

    def keep(self, rows: Sequence[int]) -> None:
        """Forget all other rows."""
        kept = torch.tensor(rows, dtype=torch.int64, device=self.lengths.device)
        self.keys, self.values, self.lengths = self.keys[:, kept], self.values[:, kept], self.lengths[kept]


class Prefill:
    """Attends like `PackedAttention`, and stores what each document's row of the cache will need."""

    def __init__(self, cache: KeyValueCache, spans: Sequence[Span]) -> None:
        self.cache, self.spans, self.call = cache, spans, 0
        self.packed = PackedAttention(spans, cache.keys.device)
        for row, span in enumerate(spans):
            cache.lengths[row] = span.stop - span.start

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attend; q, k and v are [T, heads, head_dim]."""
        for row, span in enumerate(self.spans):
            size = span.stop - span.start
            self.cache.keys[self.call, row, :, :size] = k[span.start : span.stop].transpose(0, 1)
            self.cache.values[self.call, row, :, :size] = v[span.start : span.stop].transpose(0, 1)
        self.call += 1
        return self.packed(q, k, v)


class Decode:
    """One new token for each row of the cache: q, k and v are [rows, heads, head_dim]."""

    def __init__(self, cache: KeyValueCache) -> None:
        self.cache, self.call = cache, 0
        self.visible = int(cache.lengths.max()) + 1
        self.rows = torch.arange(len(cache.lengths), device=cache.lengths.device)
        seen = torch.arange(self.visible, device=cache.lengths.device)[None] <= cache.lengths[:, None]
        self.mask = seen[:, None, None]

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Append k and v to the cache and attend to all that each row holds."""
        keys, values = self.cache.keys[self.call], self.cache.values[self.call]
        keys[self.rows, :, self.cache.lengths] = k
        values[self.rows, :, self.cache.lengths] = v
        self.call += 1
        out = F.scaled_dot_product_attention(
            q[:, :, None], keys[:, :, : self.visible], values[:, :, : self.visible], attn_mask=self.mask
        )
        return out[:, :, 0]


def _document(q: Tensor, k: Tensor, v: Tensor, prefix: int, mask: Tensor) -> Iterator[Tensor]:
    """Yield what the prefix and what the rest of one document attend to."""
    head, tail = torch.split(q, [prefix, len(q) - prefix])
    if len(head):
        yield _sdpa(head, k[:prefix], v[:prefix], None)
    if len(tail):
        yield _sdpa(tail, k, v, mask)


def _sdpa(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    q, k, v = (x.transpose(0, 1)[None] for x in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)[0].transpose(0, 1)
