"""Write a plan and then the code, some tokens at a time, over a key-value cache.

A row moves from plan to code when the model writes `<|code|>`, or when the plan's budget is spent, and ends at
`<|end|>` or, unfinished, with the code's budget. Of other control tokens those of edits alone can be chosen, where the
grammar has them. A row that has ended makes room for the next prefix, so that the batch stays full until no prefix is
left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor

from hrm_ray.model.attention import Decode, KeyValueCache, Prefill
from hrm_ray.model.batch import Document, collate
from hrm_ray.model.grammar import Grammar, State
from hrm_ray.model.hrm import HRM
from hrm_ray.model.lookup import Lookup
from hrm_ray.model.packed import packed_weights
from hrm_ray.model.sampling import Sampling
from hrm_ray.prepare import edits
from hrm_ray.prepare.tokenizer import FIRST_TEXT, Control

REFUSALS = 16
"""Most ends that a check refuses a row. After the next one, or at the end of its budget, the answer is cut at the first
line break at which the check would have let it end; if there is none, it ends as it would have at the first refusal."""

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
    """What one row wrote, without the control tokens that part its sections."""

    plan: list[int] = field(default_factory=list)
    code: list[int] = field(default_factory=list)
    finished: bool = False
    """The model ended the code itself, within the budget."""
    log_likelihood: float = 0.0
    """Sum over the code and its end, nats."""
    tries: int = 1
    """Number, from 1, of the first answer to the row that is valid and a change; how many there were where none is."""

    @property
    def mean_log_likelihood(self) -> float:
        """Nats for each token of the code."""
        return self.log_likelihood / max(1, len(self.code) + self.finished)


class Check(Protocol):
    """What an answer may become, whatever the network prefers."""

    def follows(self, ids: Sequence[int], token: int) -> bool:
        """Whether the token may come next in a plan or in code that is `ids` so far."""

    def ends(self, written: Written, last: bool) -> bool:
        """Whether the answer so far may end (`last`), or begin its next hunk."""

    def breaks(self, ids: Sequence[int], token: int) -> bool:
        """Whether a line is whole between the code so far and the token: there it may be cut, if it may end there."""


class _Row:
    """One prefix and what is written to it: which section it is in, and its own stream of random numbers."""

    def __init__(
        self, prefix: Sequence[int], seed: int, sampling: Sampling, check: Check | None, given: Sequence[int]
    ) -> None:
        self.prefix, self.sampling, self.given = prefix, sampling, [Control.PLAN, *given]
        self.written = Written(plan=[token for token in given if token != Control.CODE])
        self.grammar, self.check, self.done = Grammar(edits.numbers(prefix)), check, False
        self.grammar.begin(given)
        self.refused: list[tuple[Written, Tensor]] = []
        """The answer at each end that the check refused, with the logits there."""
        self.acceptable: Written | None = None
        """The first answer that the check would have let end, at the end of a line."""
        self.guess: list[int] = []
        self.lookup = Lookup([*prefix, *self.given])
        self.points = torch.rand(_room(sampling), generator=torch.Generator().manual_seed(seed))

    @property
    def drawn(self) -> int:
        """Tokens that were written, control tokens among them."""
        return len(self.lookup.tokens) - len(self.prefix) - len(self.given)

    def take(self, logits: Tensor, tokens: Sequence[int]) -> int:
        """Take in the tokens that were drawn after the last one and after each guess, up to the first that was not
        guessed; return how many. `logits` [n, vocabulary] hold no token that may not come."""
        for at, token in enumerate(tokens):
            token = self._checked(logits[at], token)
            if self.done:
                break
            if self.grammar.in_plan and len(self.written.plan) >= self.sampling.max_plan_tokens:
                token = Control.CODE
            self._accept(token, logits[at])
            if self.done or at >= len(self.guess) or token != self.guess[at]:
                break
        return at + 1

    def _checked(self, logits: Tensor, token: int) -> int:
        """Return the token, or another where the check refuses it."""
        if self.check is None:
            return token
        token, ends = self._following(self.check, logits, token), list(self.grammar.ends)
        if self.acceptable is None and self._breaks(self.check, token) and self.check.ends(self.written, True):
            self.acceptable = replace(self.written, code=[*self.written.code])
        if token not in ends or self.check.ends(self.written, token == Control.END):
            return token
        self.refused.append((replace(self.written, code=[*self.written.code]), logits.clone()))
        if len(self.refused) > REFUSALS and self.acceptable:
            self.written, self.done = self.acceptable, True
            return token
        if len(self.refused) > REFUSALS:
            self.written, first = self.refused[0]
            logits.copy_(first)
            return Control.END
        logits[ends] = float("-inf")
        return self._following(self.check, logits, self._draw(logits))

    def _following(self, check: Check, logits: Tensor, token: int) -> int:
        """Return the token, or the next best that may follow, if one may."""
        section = self.written.plan if self.grammar.in_plan else self.written.code
        while not check.follows(section, token):
            logits[token] = float("-inf")
            if logits.max() == float("-inf"):
                break
            token = self._draw(logits)
        return token

    def _breaks(self, check: Check, token: int) -> bool:
        """Whether the answer may be cut before the token."""
        places = (State.LINE, State.PLACED, State.CODE)
        coding = not self.grammar.in_plan and self.grammar.state in places and bool(self.written.code)
        return coding and check.breaks(self.written.code, token)

    def _draw(self, logits: Tensor) -> int:
        point = self.points[self.drawn : self.drawn + 1].to(logits.device)
        return int(self.sampling.draw(logits[None], point)[0])

    def _accept(self, token: int, logits: Tensor) -> None:
        in_plan = self.grammar.in_plan
        self.lookup.append(token)
        self.grammar.take(token)
        if in_plan:
            if token != Control.CODE:
                self.written.plan.append(token)
            return
        log_probability = float(logits[token] - logits.logsumexp(-1))
        self.written.log_likelihood += log_probability
        self.written.finished = token == Control.END
        if not self.written.finished:
            self.written.code.append(token)
        self.done = self.written.finished or len(self.written.code) >= self.sampling.max_code_tokens
        if self.done and not self.written.finished and self.acceptable:
            self.written = self.acceptable
        elif self.done and not self.written.finished and self.refused:
            self.written, logits = self.refused[0]
            self._accept(Control.END, logits)


@torch.inference_mode()
def generate(
    model: HRM,
    prefixes: Sequence[Sequence[int]],
    seeds: Sequence[int],
    sampling: Sampling,
    rows: int = ROWS,
    ended: Callable[[int], None] = lambda _: None,
    checks: Sequence[Check | None] | None = None,
    given: Sequence[Sequence[int]] | None = None,
) -> list[Written]:
    """Write one plan and its code for each prefix (problem and context ids), `rows` of them at a time.

    `checks` refuse tokens, and ends of hunks and of answers, of these at most `REFUSALS` a row. `given` is how each
    answer begins: the header of its plan, or its whole plan and `<|code|>`.
    Rows do not influence each other. The longest prefixes come first, so that those at work together are about as long.
    `ended` is told now and then how many have come to their ends.
    """
    asked = zip(prefixes, seeds, checks or [None] * len(prefixes), given or [()] * len(prefixes), strict=True)
    everyone = [_Row(prefix, seed, sampling, check, begun) for prefix, seed, check, begun in asked]
    if not everyone:
        return []
    waiting = sorted(everyone, key=lambda row: len(row.prefix) + len(row.given))
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
    length = max(len(row.prefix) + len(row.given) for row in rows) + _room(sampling)
    return KeyValueCache(model.attention_calls, len(rows), length, config.heads, config.hidden // config.heads, like)


def _room(sampling: Sampling) -> int:
    """Tokens that may follow what is given: what is written, the control tokens in it, and guesses behind that."""
    return sampling.max_plan_tokens + sampling.max_code_tokens + GUESSES + 3


def _begin(model: HRM, rows: Sequence[_Row], places: Sequence[int], cache: KeyValueCache) -> None:
    """Run the prefixes, each with what is given of its answer, as one packed batch, and take in the token after it."""
    device = model.embedding.weight.device
    batch = collate([Document(row.prefix, row.given, []) for row in rows]).to(device)
    attend = Prefill(cache, places, batch.spans)
    states = model.states(model.embed(batch.ids), batch.positions, attend, depth=2)
    last = torch.tensor([span.stop - 1 for span in batch.spans], device=device)
    _take(rows, model.logits(states[last])[:, None])


def _step(model: HRM, rows: Sequence[_Row], cache: KeyValueCache) -> None:
    """Run the last token of each row and the guesses behind it, and take in what the model draws."""
    most = min(GUESSES, max(LEAST, TOKENS // len(rows) - 1))
    for row in rows:
        row.guess = row.lookup.guess(most, FIRST_TEXT) if row.grammar.text and not row.done else []
    longest = max(len(row.guess) for row in rows)
    given = [[row.lookup.tokens[-1], *row.guess, *[Control.PAD] * (longest - len(row.guess))] for row in rows]
    logits = decode(model, torch.tensor(given, device=cache.lengths.device), cache)
    cache.lengths += torch.tensor(_take(rows, logits), device=cache.lengths.device)


def _take(rows: Sequence[_Row], logits: Tensor) -> list[int]:
    """Draw from `logits` [rows, n, vocabulary] and let each row take in what it can use; return how many it did."""
    allowed, count = _masked(logits, rows), logits.shape[1]
    points = torch.stack([row.points[row.drawn : row.drawn + count] for row in rows]).to(logits.device)
    tokens = rows[0].sampling.draw(allowed, points).tolist()
    return [0 if row.done else row.take(*one) for row, *one in zip(rows, allowed, tokens, strict=True)]


def _masked(logits: Tensor, rows: Sequence[_Row]) -> Tensor:
    """Leave each row the tokens that its grammar allows next; guesses are text and do not change that."""
    allowed = torch.stack([row.grammar.allowed(logits.shape[-1]) for row in rows])
    return logits.masked_fill(~allowed[:, None].to(logits.device), float("-inf"))
