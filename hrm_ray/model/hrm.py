"""The Hierarchical Reasoning Model: two stacks called in turn, a slow planner (H) and a fast coder (L).

    z_H = scale * E[ids];  z_L = z0
    repeat h_cycles: { repeat l_cycles: z_L = L(z_L + z_H) };  z_H = H(z_H + z_L)
    logits = W z_H

The forward is that of HRM-Text (arXiv 2605.20613) and of `transformers`' HrmTextForCausalLM; tests hold it to the
latter. In `plain` mode the one stack is called once on the embedding: the transformer that a "go" must beat.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hrm_ray.config import Depth, Model
from hrm_ray.model.attention import Attend, PackedAttention
from hrm_ray.model.batch import Batch
from hrm_ray.model.layers import Stack, lecun_, linear, rope
from hrm_ray.model.refinement import Refinement


class Output(NamedTuple):
    """What the losses are made of."""

    nll: Tensor
    """[N] negative log-likelihood of each target, nats, fp32."""
    decisions: Tensor
    """[J, 3] logits, fp32."""


class HRM(nn.Module):
    """The model of a run; `vocab_size` comes from the dataset's tokenizer."""

    initial: Tensor

    def __init__(self, config: Model, vocab_size: int) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(vocab_size, config.hidden)
        lecun_(self.embedding.weight, config.hidden)
        self.planner = Stack(config)
        if config.mode == "hrm":
            self.coder = Stack(config)
            # A buffer: it is fixed, and ZeRO treats a parameter that never gets a gradient differently.
            self.register_buffer("initial", nn.init.trunc_normal_(torch.empty(config.hidden), std=1.0))
        if not config.tied:
            self.head = linear(config.hidden, vocab_size)
        self.refinement = Refinement(config.hidden)

    @property
    def attention_calls(self) -> int:
        """Calls of `attend` in one forward: a key-value cache has a slot for each."""
        passes = 1 if self.config.mode == "plain" else self.config.h_cycles * (self.config.l_cycles + 1)
        return passes * self.config.layers

    def forward(self, batch: Batch, depth: int) -> Output:
        """Predict the batch's targets and decisions; `depth` passes carry gradient."""
        embedded = self.embed(batch.ids)
        feedback = self.refinement.feedback(batch.feedback).to(embedded.dtype)
        embedded = embedded.index_add(0, batch.judge_at, feedback)
        states = self.states(embedded, batch.positions, PackedAttention(batch.spans, batch.ids.device), depth)
        nll = F.cross_entropy(self.logits(states.index_select(0, batch.target_at)), batch.targets, reduction="none")
        return Output(nll, self.refinement(states.index_select(0, batch.judge_at)).float())

    def embed(self, ids: Tensor) -> Tensor:
        """[T] ids -> [T, hidden], scaled to unit variance."""
        return self.embedding(ids) * self.config.hidden**0.5  # type: ignore[no-any-return]

    def logits(self, states: Tensor) -> Tensor:
        """[N, hidden] states -> [N, vocabulary] fp32 logits."""
        table = self.embedding if self.config.tied else self.head
        return F.linear(states, table.weight).float()

    def states(self, embedded: Tensor, positions: Tensor, attend: Attend, depth: int) -> Tensor:
        """Run the recurrence on [T, hidden] embeddings and return z_H, [T, hidden]."""
        config = self.config
        turns = rope(positions, config.hidden // config.heads, config.rope_theta)
        if config.mode == "plain":
            return self.planner(embedded, turns, attend)  # type: ignore[no-any-return]
        with_gradient = passes_with_gradient(config.h_cycles, config.l_cycles, depth)
        slow, fast = embedded, self.initial.to(embedded.dtype).expand_as(embedded)
        for h in range(config.h_cycles):
            for low in range(config.l_cycles):
                with torch.set_grad_enabled(torch.is_grad_enabled() and (h, low) in with_gradient):
                    fast = self.coder(fast + slow + embedded if config.inject else fast + slow, turns, attend)
            with torch.set_grad_enabled(torch.is_grad_enabled() and (h, config.l_cycles) in with_gradient):
                slow = self.planner(slow + fast, turns, attend)
        return slow


def passes_with_gradient(h_cycles: int, l_cycles: int, depth: int) -> frozenset[tuple[int, int]]:
    """Return the passes (h, l) that carry gradient, l = l_cycles standing for the H pass of cycle h.

    The last min(h_cycles, depth - 1) H passes and the last depth minus that many L passes (HRM-Text's rule).
    """
    slow = min(h_cycles, depth - 1)
    fast = [(h, low) for h in range(h_cycles) for low in range(l_cycles)]
    return frozenset([(h, l_cycles) for h in range(h_cycles)][h_cycles - slow :] + fast[len(fast) - (depth - slow) :])


def gradient_depth(depth: Depth, step: int, horizon: int) -> int:
    """Passes with gradient at optimizer step `step` of `horizon`: rises from min to max over the warm-up."""
    length = depth.warmup_length(horizon)
    risen = 1.0 if length == 0 else min(1.0, step / length)
    return depth.min + int(risen * (depth.max - depth.min))
