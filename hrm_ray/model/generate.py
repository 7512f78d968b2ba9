"""Write a plan and then the code, some tokens at a time, over a key-value cache.

A row moves from plan to code when the model writes `<|code|>`, or when the plan's budget is spent, and ends at
`<|end|>` or, unfinished, with the code's budget. No other control token can be chosen, so none can appear inside a
section. A row that has ended makes room for the next prefix, so that the batch stays full until no prefix is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from hrm_ray.model.attention import Decode, KeyValueCache, Prefill
from hrm_ray.model.batch import Document, collate
from hrm_ray.model.hrm import HRM
from hrm_ray.model.lookup import Lookup
from hrm_ray.model.packed import packed_weights
from hrm_ray.model.sampling import Sampling
from hrm_ray.prepare.tokenizer import Control

ROWS = 64
"""Prefixes that are written to at a time."""

SPARSE = 0.75
"""Share of rows still writing, when no prefix waits, at which the others are dropped: that copies the cache once, and
every later step reads less of it."""

GUESSES = 8
"""Most tokens that are guessed for a row in one step."""

TOKENS = 64
"""Tokens of a step up to which guesses are nearly free: the weights that it reads are the same."""

LEAST = 1
"""Guesses for a row in larger batches: the keys and values that a step reads are the same too."""


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
    """One prefix and what is written to it: which section it is in, and its own stream of random numbers."""

    def __init__(self, prefix: Sequence[int], seed: int, sampling: Sampling) -> None:
        self.prefix, self.sampling, self.written = prefix, sampling, Written()
        self.in_plan, self.done = True, False
        self.guess: list[int] = []
        self.lookup = Lookup([*prefix, Control.PLAN])
        self.points = torch.rand(_room(sampling), generator=torch.Generator().manual_seed(seed))

    @property
    def closing(self) -> Control:
        """The one control token that may come next."""
        return Control.CODE if self.in_plan else Control.END

    @property
    def drawn(self) -> int:
        """Tokens that were written, control tokens among them."""
        return len(self.lookup.tokens) - len(self.prefix) - 1

    def take(self, tokens: Sequence[int], log_probabilities: Sequence[float]) -> int:
        """Take in the tokens that were drawn after the last one and after each guess, up to the first that was not
        guessed; return how many."""
        for at, (token, log_probability) in enumerate(zip(tokens, log_probabilities, strict=True)):
            spent = self.in_plan and len(self.written.plan) >= self.sampling.max_plan_tokens
            token = Control.CODE if spent else token
            self._accept(token, log_probability)
            if self.done or at >= len(self.guess) or token != self.guess[at]:
                break
        return at + 1

    def _accept(self, token: int, log_probability: float) -> None:
        self.lookup.append(token)
        if self.in_plan:
            self.in_plan = token != Control.CODE
            if self.in_plan:
                self.written.plan.append(token)
            return
        self.written.log_likelihood += log_probability
        self.written.finished = token == Control.END
        if not self.written.finished:
            self.written.code.append(token)
        self.done = self.written.finished or len(self.written.code) >= self.sampling.max_code_tokens


@torch.inference_mode()
def generate(
    model: HRM,
    prefixes: Sequence[Sequence[int]],
    seeds: Sequence[int],
    sampling: Sampling,
    rows: int = ROWS,
    ended: Callable[[int], None] = lambda _: None,
) -> list[Written]:
    """Write one plan and its code for each prefix (problem and context ids), `rows` of them at a time.

    Rows do not influence each other. The longest prefixes come first, so that those at work together are about as long.
    `ended` is told now and then how many have come to their ends.
    """
    everyone = [_Row(prefix, seed, sampling) for prefix, seed in zip(prefixes, seeds, strict=True)]
    if not everyone:
        return []
    waiting = sorted(everyone, key=lambda row: len(row.prefix))
    working = [waiting.pop() for _ in everyone[:rows]]
    cache = _cache(model, working, sampling)
    with packed_weights(model, rows=len(working)):
        for _ in _write(model, working, waiting, cache):
            ended(sum(row.done for row in everyone))
    return [row.written for row in everyone]


def _write(model: HRM, working: list[_Row], waiting: list[_Row], cache: KeyValueCache) -> Iterator[None]:
    """Let the rows at work write to their ends, and after them those that wait, from the last; pause at every step."""
    _begin(model, working, range(len(working)), cache)
    while waiting or not all(row.done for row in working):
        free = [at for at, row in enumerate(working) if row.done][: len(waiting)]
        for at in free:
            working[at] = waiting.pop()
        if free:
            _begin(model, [working[at] for at in free], free, cache)
            continue
        alive = [at for at, row in enumerate(working) if not row.done]
        if len(alive) <= SPARSE * len(working):
            working = [working[at] for at in alive]
            cache.keep(alive)
        _step(model, working, cache)
        yield


def decode(model: HRM, tokens: Tensor, cache: KeyValueCache) -> Tensor:
    """Return the logits [rows, n, vocabulary] after each of `tokens` [rows, n], which follow what the cache holds.

    They are in the cache afterwards, but its `lengths` do not count them yet.
    """
    attend = Decode(cache, tokens.shape[1])
    states = model.states(model.embed(tokens.flatten()), attend.positions, attend, depth=2)
    return model.logits(states).view(*tokens.shape, -1)


def _cache(model: HRM, rows: Sequence[_Row], sampling: Sampling) -> KeyValueCache:
    """Make room for these rows, the longest that there will be, with all that they may write."""
    config, like = model.config, model.embedding.weight
    length = max(len(row.prefix) for row in rows) + _room(sampling)
    return KeyValueCache(model.attention_calls, len(rows), length, config.heads, config.hidden // config.heads, like)


def _room(sampling: Sampling) -> int:
    """Tokens that may follow a prefix: what is written, the three control tokens in it, and guesses behind that."""
    return sampling.max_plan_tokens + sampling.max_code_tokens + GUESSES + 3


def _begin(model: HRM, rows: Sequence[_Row], places: Sequence[int], cache: KeyValueCache) -> None:
    """Run the prefixes, each followed by `<|plan|>`, as one packed batch, and take in the token after it."""
    device = model.embedding.weight.device
    batch = collate([Document(row.prefix, [Control.PLAN], []) for row in rows]).to(device)
    attend = Prefill(cache, places, batch.spans)
    states = model.states(model.embed(batch.ids), batch.positions, attend, depth=2)
    last = torch.tensor([span.stop - 1 for span in batch.spans], device=device)
    _take(rows, model.logits(states[last])[:, None])


def _step(model: HRM, rows: Sequence[_Row], cache: KeyValueCache) -> None:
    """Run the last token of each row and the guesses behind it, and take in what the model draws."""
    most = min(GUESSES, max(LEAST, TOKENS // len(rows) - 1))
    for row in rows:
        row.guess = [] if row.done else row.lookup.guess(most, len(Control))
    longest = max(len(row.guess) for row in rows)
    given = [[row.lookup.tokens[-1], *row.guess, *[Control.PAD] * (longest - len(row.guess))] for row in rows]
    logits = decode(model, torch.tensor(given, device=cache.lengths.device), cache)
    cache.lengths += torch.tensor(_take(rows, logits), device=cache.lengths.device)


def _take(rows: Sequence[_Row], logits: Tensor) -> list[int]:
    """Draw from `logits` [rows, n, vocabulary] and let each row take in what it can use; return how many it did."""
    allowed, count = _mask_control(logits, rows), logits.shape[1]
    points = torch.stack([row.points[row.drawn : row.drawn + count] for row in rows]).to(logits.device)
    tokens = rows[0].sampling.draw(allowed, points)
    chosen = allowed.gather(-1, tokens[..., None])[..., 0] - allowed.logsumexp(-1)
    drawn = zip(rows, tokens.tolist(), chosen.tolist(), strict=True)
    return [0 if row.done else row.take(ids, log_probabilities) for row, ids, log_probabilities in drawn]


def _mask_control(logits: Tensor, rows: Sequence[_Row]) -> Tensor:
    """Leave each row its one closing control token."""
    masked = logits.clone()
    masked[..., : len(Control)] = float("-inf")
    closing = torch.tensor([row.closing for row in rows], device=logits.device)[:, None, None]
    closing = closing.expand(*logits.shape[:2], 1)
    return masked.scatter(-1, closing, logits.gather(-1, closing))
