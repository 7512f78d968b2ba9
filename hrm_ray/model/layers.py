"""The blocks that both stacks are made of: RMSNorm without gain, RoPE, sigmoid-gated attention, SwiGLU.

As HRM-Text (arXiv 2605.20613): pre-norm blocks, a closing norm, no biases, truncated LeCun-normal init.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from hrm_ray.config import Model
from hrm_ray.model.attention import Attend


class Rope(NamedTuple):
    """Rotation of each position: cosines and sines, [T, 1, 1, head_dim], fp32."""

    cos: Tensor
    sin: Tensor


def rope(positions: Tensor, head_dim: int, theta: float) -> Rope:
    """Return the rotations for `positions` [T] (RoFormer, arXiv 2104.09864; halves rotated, not pairs)."""
    exponents = torch.arange(0, head_dim, 2, dtype=torch.float32, device=positions.device) / head_dim
    angles = positions[:, None].float() / theta**exponents
    doubled = torch.cat((angles, angles), dim=-1)[:, None, None]
    return Rope(doubled.cos(), doubled.sin())


def rotate(x: Tensor, turns: Rope) -> Tensor:
    """Rotate queries and keys, [T, 2, heads, head_dim], in fp32."""
    first, second = x.float().chunk(2, dim=-1)
    turned = torch.cat((-second, first), dim=-1)
    return (x * turns.cos + turned * turns.sin).to(x.dtype)


def rms_norm(x: Tensor, eps: float) -> Tensor:
    """Scale the last dimension to unit root mean square, in fp32, without gain (arXiv 1910.07467)."""
    return F.rms_norm(x.float(), x.shape[-1:], eps=eps).to(x.dtype)


def lecun_(weight: Tensor, fan_in: float) -> Tensor:
    """Fill with a normal of std 1/sqrt(fan_in), truncated at two of them."""
    std = fan_in**-0.5
    return nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)


def linear(inputs: int, outputs: int) -> nn.Linear:
    """Return a linear map without bias, LeCun-normal."""
    layer = nn.Linear(inputs, outputs, bias=False)
    lecun_(layer.weight, inputs)
    return layer


class Attention(nn.Module):
    """Multi-head attention whose output is gated by a sigmoid of the input before the last projection."""

    def __init__(self, config: Model) -> None:
        super().__init__()
        self.heads, self.head_dim = config.heads, config.hidden // config.heads
        self.qkvg = linear(config.hidden, 4 * config.hidden)
        self.out = linear(config.hidden, config.hidden)

    def project(self, x: Tensor, turns: Rope) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """[T, hidden] -> queries and keys, rotated, values and gates, each [T, heads, head_dim]."""
        qk, vg = self.qkvg(x).view(len(x), 2, 2, self.heads, self.head_dim).unbind(1)
        (q, k), (v, gate) = rotate(qk, turns).unbind(1), vg.unbind(1)
        return q, k, v, gate

    def merge(self, mixed: Tensor, gate: Tensor) -> Tensor:
        """[T, heads, head_dim] of what was attended to, and the gates -> [T, hidden]."""
        return self.out((torch.sigmoid(gate) * mixed).flatten(1))  # type: ignore[no-any-return]


class SwiGLU(nn.Module):
    """Gated feed-forward (arXiv 2002.05202)."""

    def __init__(self, config: Model) -> None:
        super().__init__()
        self.gate_up = linear(config.hidden, 2 * config.intermediate)
        self.down = linear(config.intermediate, config.hidden)

    def forward(self, x: Tensor) -> Tensor:
        """[T, hidden] -> [T, hidden]."""
        gate, up = self.gate_up(x).chunk(2, dim=-1)
        return self.down(F.silu(gate) * up)  # type: ignore[no-any-return]


class Block(nn.Module):
    """One pre-norm block."""

    def __init__(self, config: Model) -> None:
        super().__init__()
        self.eps = config.norm_eps
        self.attention = Attention(config)
        self.mlp = SwiGLU(config)

    def forward(self, x: Tensor, turns: Rope, attend: Attend) -> Tensor:
        """[T, hidden] -> [T, hidden]."""
        q, k, v, gate = self.before(x, turns)
        return self.after(x, attend(q, k, v), gate)

    def before(self, x: Tensor, turns: Rope) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What leads to the queries, keys, values and gates."""
        return self.attention.project(rms_norm(x, self.eps), turns)

    def after(self, x: Tensor, mixed: Tensor, gate: Tensor) -> Tensor:
        """What follows attention."""
        x = x + self.attention.merge(mixed, gate)
        return x + self.mlp(rms_norm(x, self.eps))  # type: ignore[no-any-return]

    def compile_halves(self) -> None:
        """Compile what is before and after attention, whose cut into documents is another in every batch."""
        self.before = torch.compile(self.before, dynamic=True)  # type: ignore[method-assign]
        self.after = torch.compile(self.after, dynamic=True)  # type: ignore[method-assign]


class Stack(nn.Module):
    """`layers` blocks, closed by a norm."""

    recompute = False
    """Keep only the input of each block for the backward, which runs the block once more (arXiv 1604.06174)."""

    def __init__(self, config: Model, layers: int) -> None:
        super().__init__()
        self.eps = config.norm_eps
        self.blocks = nn.ModuleList(Block(config) for _ in range(layers))

    def forward(self, x: Tensor, turns: Rope, attend: Attend) -> Tensor:
        """[T, hidden] -> [T, hidden]."""
        for block in self.blocks:
            if self.recompute and torch.is_grad_enabled():
                x = checkpoint(block, x, turns, attend, use_reentrant=False)
            else:
                x = block(x, turns, attend)
        return rms_norm(x, self.eps)
