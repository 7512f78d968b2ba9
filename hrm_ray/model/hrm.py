"""The Hierarchical Reasoning Model: two stacks called in turn, a slow planner (H) and a fast coder (L).

    z_H = scale * E[ids];  z_L = z0
    repeat h_cycles: { repeat l_cycles: z_L = L(z_L + z_H) };  z_H = H(z_H + z_L)
    logits = W z_H

The forward is that of HRM-Text (arXiv 2605.20613) and of `transformers`' HrmTextForCausalLM; tests hold it to the
latter. In `plain` mode the one stack is called once on the embedding: the transformer that a "go" must beat.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hrm_ray.config import Model
from hrm_ray.model.attention import Attend, packed_attention
from hrm_ray.model.batch import Batch
from hrm_ray.model.cross_entropy import linear_cross_entropy
from hrm_ray.model.induction import begin_reading
from hrm_ray.model.layers import Block, Stack, lecun_, linear, rope
from hrm_ray.model.recurrence import Pass, calls, gradient_depth, passes, passes_with_gradient
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
        lecun_(self.embedding.weight, config.embedding_scale**2)
        self.planner = Stack(config, config.planner_layers)
        if config.mode == "hrm":
            if not config.shared:
                self.coder = Stack(config, config.coder_layers)
            # A buffer: it is fixed, and ZeRO treats a parameter that never gets a gradient differently.
            self.register_buffer("initial", nn.init.trunc_normal_(torch.empty(config.hidden), std=1.0))
        if not config.tied:
            self.head = linear(config.hidden, vocab_size)
        self.refinement = Refinement(config.hidden)
        if config.induction:
            self._begin_reading()

    def _begin_reading(self) -> None:
        """Let the first two blocks of a forward begin as a pair of heads that read."""
        config, one_stack = self.config, self.config.mode == "plain" or self.config.shared
        common = torch.randn(config.hidden) if config.mode == "plain" else self.initial
        called = self.planner.blocks[:2] if one_stack else [self.coder.blocks[0], self.planner.blocks[0]]
        begin_reading(config, self.embedding.weight, common, called)

    def execute(self, *, recompute: bool, compiled: bool) -> None:
        """Choose how training runs the blocks: activations kept or computed again, kernels one by one or compiled."""
        for module in self.modules():
            if isinstance(module, Stack):
                module.recompute = recompute
            if isinstance(module, Block) and compiled:
                module.compile_halves()

    @property
    def attention_calls(self) -> int:
        """Calls of `attend` in one forward: a key-value cache has a slot for each."""
        return calls(self.config).blocks(self.config)

    def gradient_depth(self, step: int, horizon: int) -> int:
        """Passes that carry gradient at optimizer step `step` of `horizon`; `plain` has one pass."""
        return 1 if self.config.mode == "plain" else gradient_depth(self.config.depth, step, horizon)

    def forward(self, batch: Batch, depth: int) -> Output:
        """Predict the batch's targets and decisions; `depth` passes carry gradient."""
        embedded = self.embed(batch.ids)
        feedback = self.refinement.feedback(batch.feedback).to(embedded.dtype)
        embedded = embedded.index_add(0, batch.judge_at, feedback)
        states = self.states(embedded, batch.positions, packed_attention(batch.spans, batch.ids.device), depth)
        nll = linear_cross_entropy(states.index_select(0, batch.target_at), self.table, batch.targets)
        return Output(nll, self.refinement(states.index_select(0, batch.judge_at)).float())

    def embed(self, ids: Tensor) -> Tensor:
        """[T] ids -> [T, hidden], of unit variance at the start."""
        return self.embedding(ids) * self.config.embedding_scale  # type: ignore[no-any-return]

    def logits(self, states: Tensor) -> Tensor:
        """[N, hidden] states -> [N, vocabulary] fp32 logits."""
        return F.linear(states, self.table).float()

    @property
    def table(self) -> Tensor:
        """[vocabulary, hidden] weight of the output layer."""
        return self.embedding.weight if self.config.tied else self.head.weight

    def states(self, embedded: Tensor, positions: Tensor, attend: Attend, depth: int) -> Tensor:
        """Run the recurrence on [T, hidden] embeddings and return z_H, [T, hidden]."""
        for _, state in self.passes(embedded, positions, attend, depth):  # noqa: B007 - the last one is the answer
            pass
        return state

    def passes(
        self,
        embedded: Tensor,
        positions: Tensor,
        attend: Attend,
        depth: int,
        skipped: Container[Pass] = (),
    ) -> Iterator[tuple[Pass, Tensor]]:
        """Run the recurrence one pass at a time, but for those `skipped`, and yield its (h, l) and the state that it
        leaves, [T, hidden]: z_L, or z_H where l is `l_cycles`.
        """
        config = self.config
        turns = rope(positions, config.hidden // config.heads, config.rope_theta)
        if config.mode == "plain":
            yield passes(config)[0], self.planner(embedded, turns, attend)
            return
        with_gradient = passes_with_gradient(config, depth)
        coder = self.planner if config.shared else self.coder
        slow, fast = embedded, self.initial.to(embedded.dtype).expand_as(embedded)
        for h, low in passes(config):
            if (h, low) in skipped:
                continue
            with torch.set_grad_enabled(torch.is_grad_enabled() and (h, low) in with_gradient):
                if low < config.l_cycles:
                    fast = coder(fast + slow + embedded if config.inject else fast + slow, turns, attend)
                else:
                    slow = self.planner(slow + fast, turns, attend)
            yield (h, low), fast if low < config.l_cycles else slow
