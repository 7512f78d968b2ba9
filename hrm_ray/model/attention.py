"""PrefixLM attention by document: over packed training batches, and over a key-value cache in generation.

All are callables `(q, k, v) -> out` that `layers.Block` is handed, all of shape [tokens, heads, head_dim].
The training form calls the fused kernel once for a document's prefix, which needs no mask, and once for the rest;
on two CPU cores this reaches 59% of the matmul peak, one dense mask over the row 47%.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from hrm_ray.model.batch import Span

GROUP = {"cpu": 8, "cuda": 2**20}
"""Rows of a cache that are attended to in one call; few on a CPU, or short ones read what long ones hold."""

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
        """Tokens that each row holds; what lies beyond is overwritten."""

    def keep(self, rows: Sequence[int]) -> None:
        """Forget all other rows."""
        kept = torch.tensor(rows, dtype=torch.int64, device=self.lengths.device)
        self.keys, self.values, self.lengths = self.keys[:, kept], self.values[:, kept], self.lengths[kept]


class Prefill:
    """Attends like `PackedAttention`, and stores in the cache what its `rows` will need, a document each."""

    def __init__(self, cache: KeyValueCache, rows: Sequence[int], spans: Sequence[Span]) -> None:
        self.cache, self.rows, self.spans, self.call = cache, rows, spans, 0
        self.packed = packed_attention(spans, cache.keys.device)
        for row, span in zip(rows, spans, strict=True):
            cache.lengths[row] = span.stop - span.start

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attend; q, k and v are [T, heads, head_dim]."""
        for row, span in zip(self.rows, self.spans, strict=True):
            size = span.stop - span.start
            self.cache.keys[self.call, row, :, :size] = k[span.start : span.stop].transpose(0, 1)
            self.cache.values[self.call, row, :, :size] = v[span.start : span.stop].transpose(0, 1)
        self.call += 1
        return self.packed(q, k, v)


class Decode:
    """`n` tokens more for each row of the cache, as if they were its next: q, k and v are [rows * n, heads, head_dim].

    They are stored behind what the row holds; how many of them it then holds is for the caller to say.
    """

    def __init__(self, cache: KeyValueCache, n: int) -> None:
        self.cache, self.call = cache, 0
        device = cache.lengths.device
        self.at = cache.lengths[:, None] + torch.arange(n, device=device)
        self.rows = torch.arange(len(cache.lengths), device=device)[:, None]
        seen = torch.arange(int(cache.lengths.max()) + n, device=device) <= self.at[..., None]
        self.groups = [(rows, visible, seen[rows, None, :, :visible]) for rows, visible in self._groups()]

    def _groups(self) -> Iterator[tuple[slice, int]]:
        """Yield rows that are attended to together, and how much the longest of them then holds."""
        size = GROUP[self.at.device.type]
        for start in range(0, len(self.at), size):
            rows = slice(start, start + size)
            yield rows, int(self.at[rows].max()) + 1

    @property
    def positions(self) -> Tensor:
        """[rows * n] position of each token in its row."""
        return self.at.flatten()

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Store k and v in the cache and attend to what each row holds up to each token."""
        keys, values = self.cache.keys[self.call], self.cache.values[self.call]
        q, k, v = (x.view(*self.at.shape, *x.shape[1:]) for x in (q, k, v))
        keys[self.rows, :, self.at] = k
        values[self.rows, :, self.at] = v
        self.call += 1
        out = [
            F.scaled_dot_product_attention(
                q[rows].transpose(1, 2), keys[rows, :, :visible], values[rows, :, :visible], attn_mask=mask
            )
            for rows, visible, mask in self.groups
        ]
        return torch.cat(out).transpose(1, 2).flatten(0, 1)


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
