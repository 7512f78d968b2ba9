"""Write a plan and then the code, token by token, over a key-value cache.

A row moves from plan to code when the model writes `<|code|>`, or when the plan's budget is spent, and ends at
`<|end|>` or, unfinished, with the code's budget. No other control token can be chosen, so none can appear inside a
section.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from hrm_ray.model.attention import Decode, KeyValueCache, Prefill
from hrm_ray.model.batch import Document, collate
from hrm_ray.model.hrm import HRM
from hrm_ray.prepare.tokenizer import Control

SPARSE = 0.75
"""Share of rows still writing at which the finished ones are dropped: that copies the cache once, and every later step
reads less of it."""


class Sampling(NamedTuple):
    """`temperature` 0 is greedy; `top_p` keeps the smallest set of tokens with that much probability."""

    max_plan_tokens: int
    max_code_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0


@dataclass
class Written:
    """What one row wrote, without control tokens."""

    plan: list[int] = field(default_factory=list)
    code: list[int] = field(default_factory=list)
    finished: bool = False
    """The model ended the code itself, within the budget."""
    log_likelihood: float = 0.0
    """Sum over the code and its end, nats."""

    @property
    def mean_log_likelihood(self) -> float:
        """Nats for each token of the code."""
        return self.log_likelihood / max(1, len(self.code) + self.finished)


class _Row:
    """The state of one row: which section it writes, and its own stream of random numbers."""

    def __init__(self, seed: int) -> None:
        self.written = Written()
        self.in_plan, self.done = True, False
        self.random = torch.Generator().manual_seed(seed)

    def forced(self, sampling: Sampling) -> int | None:
        """Return the token that is not the model's to choose, if any."""
        spent = self.in_plan and len(self.written.plan) >= sampling.max_plan_tokens
        return Control.CODE if spent else None

    def accept(self, token: int, log_probability: float, sampling: Sampling) -> None:
        """Take the next token in."""
        if self.done:
            return
        if self.in_plan:
            self.in_plan = token != Control.CODE
            if self.in_plan:
                self.written.plan.append(token)
            return
        self.written.log_likelihood += log_probability
        self.written.finished = token == Control.END
        if not self.written.finished:
            self.written.code.append(token)
        self.done = self.written.finished or len(self.written.code) >= sampling.max_code_tokens


@torch.inference_mode()
def generate(model: HRM, prefixes: Sequence[Sequence[int]], seeds: Sequence[int], sampling: Sampling) -> list[Written]:
    """Write one plan and its code for each prefix (problem and context ids); rows do not influence each other."""
    everyone = [_Row(seed) for seed in seeds]
    rows, (logits, cache) = everyone, _prefill(model, prefixes, sampling)
    while True:
        allowed = _mask_control(logits, rows)
        tokens = _choose(allowed, rows, sampling)
        chosen = allowed.log_softmax(-1).gather(1, tokens[:, None])[:, 0].tolist()
        for row, token, log_probability in zip(rows, tokens.tolist(), chosen, strict=True):
            row.accept(token, log_probability, sampling)
        alive = [index for index, row in enumerate(rows) if not row.done]
        if not alive:
            return [row.written for row in everyone]
        if len(alive) <= SPARSE * len(rows):
            rows, tokens = [rows[index] for index in alive], tokens[alive]
            cache.keep(alive)
        logits = decode(model, tokens, cache)


def decode(model: HRM, tokens: Tensor, cache: KeyValueCache) -> Tensor:
    """Append one token [rows] to each row of the cache and return the logits [rows, vocabulary] after it."""
    states = model.states(model.embed(tokens), cache.lengths, Decode(cache), depth=2)
    cache.lengths += 1
    return model.logits(states)


def _prefill(model: HRM, prefixes: Sequence[Sequence[int]], sampling: Sampling) -> tuple[Tensor, KeyValueCache]:
    """Run the prefixes, each followed by `<|plan|>`, as one packed batch; return the logits after it."""
    config, device = model.config, model.embedding.weight.device
    budget = sampling.max_plan_tokens + sampling.max_code_tokens + 2
    length = max(len(prefix) for prefix in prefixes) + budget
    like = model.embedding.weight
    cache = KeyValueCache(
        model.attention_calls, len(prefixes), length, config.heads, config.hidden // config.heads, like
    )
    batch = collate([Document(prefix, [Control.PLAN], []) for prefix in prefixes]).to(device)
    states = model.states(model.embed(batch.ids), batch.positions, Prefill(cache, batch.spans), depth=2)
    last = torch.tensor([span.stop - 1 for span in batch.spans], device=device)
    return model.logits(states[last]), cache


def _mask_control(logits: Tensor, rows: Sequence[_Row]) -> Tensor:
    """Leave each row its one closing control token."""
    masked = logits.clone()
    masked[:, : len(Control)] = float("-inf")
    closing = torch.tensor([Control.CODE if row.in_plan else Control.END for row in rows], device=logits.device)
    return masked.scatter(1, closing[:, None], logits.gather(1, closing[:, None]))


def _choose(logits: Tensor, rows: Sequence[_Row], sampling: Sampling) -> Tensor:
    tokens = logits.argmax(-1) if sampling.temperature == 0 else _sample(logits, rows, sampling)
    for index, row in enumerate(rows):
        forced = row.forced(sampling)
        if forced is not None:
            tokens[index] = forced
    return tokens


def _sample(logits: Tensor, rows: Sequence[_Row], sampling: Sampling) -> Tensor:
    """Invert the cumulative distribution at one number of each row's own stream (nucleus: arXiv 1904.09751)."""
    probabilities, order = (logits / sampling.temperature).softmax(-1).sort(descending=True)
    before = probabilities.cumsum(-1) - probabilities
    kept = probabilities.masked_fill(before >= sampling.top_p, 0)
    point = torch.stack([torch.rand(1, generator=row.random) for row in rows]).to(logits.device)
    reached = kept.cumsum(-1) > point * kept.sum(-1, keepdim=True)
    return order.gather(1, reached.int().argmax(-1, keepdim=True))[:, 0]
