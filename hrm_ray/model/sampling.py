"""How the next token is drawn from logits."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Sampling(NamedTuple):
    """Budgets, and how tokens are drawn: `temperature` 0 is greedy; `top_p` keeps the smallest set of tokens with that
    much probability (arXiv 1904.09751), `min_p` those with at least that share of the likeliest one's (arXiv
    2407.01082)."""

    max_plan_tokens: int
    max_code_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    min_p: float = 0.0

    def draw(self, logits: Tensor, points: Tensor) -> Tensor:
        """[..., vocabulary] logits and a uniform number for each, [...] -> token ids [...].

        A token is a function of its own logits and number alone: the cumulative distribution inverted at the number.
        """
        if self.temperature == 0:
            return logits.argmax(-1)
        probabilities, order = (logits / self.temperature).softmax(-1).sort(descending=True)
        before = probabilities.cumsum(-1) - probabilities
        dropped = (before >= self.top_p) | (probabilities < self.min_p * probabilities[..., :1])
        kept = probabilities.masked_fill(dropped, 0)
        reached = kept.cumsum(-1) > points[..., None] * kept.sum(-1, keepdim=True)
        return order.gather(-1, reached.int().argmax(-1, keepdim=True))[..., 0]
