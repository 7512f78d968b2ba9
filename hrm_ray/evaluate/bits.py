"""Bits for each byte, from the nats and the bytes of many documents."""

from __future__ import annotations

import math
from typing import TypeAlias

from torch import Tensor

Sizes: TypeAlias = Tensor
"""[documents, 2] UTF-8 bytes of plan and code."""


def bits_per_byte(nats: Tensor, sizes: Sizes) -> dict[str, float | None]:
    """Return bits of all plans and of all code for each of their bytes; [documents, 2] nats of plan and code."""
    (plan, code), (plan_bytes, code_bytes) = nats.sum(0).tolist(), sizes.sum(0).tolist()
    return {"plan_bits_per_byte": ratio(plan, plan_bytes), "code_bits_per_byte": ratio(code, code_bytes)}


def ratio(nats: float, size: float) -> float | None:
    """Nats as bits for each of `size` bytes; None of nothing."""
    return nats / math.log(2) / size if size else None
