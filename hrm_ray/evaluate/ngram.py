"""A model that only counts: n-grams over the tokenizer's ids, interpolated after Witten and Bell (1991).

What it cannot do, the network must; what it can, needs no network. Its n-grams are a trie in sorted arrays: the id of
an n-gram is its place among all of its order, its key the id of the n-gram without the last token, then that token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from hrm_ray.model.generate import Written
from hrm_ray.model.grammar import Grammar
from hrm_ray.model.sampling import Sampling
from hrm_ray.prepare import edits
from hrm_ray.prepare.tokenizer import Control

ORDER = 5

MOST = 20_000_000
"""Training tokens that are counted; some 2 GB while they are sorted."""

Ids: TypeAlias = NDArray[np.int64]
Probabilities: TypeAlias = NDArray[np.float64]


class NGrams:
    """Counts of all n-grams up to `ORDER` in documents of token ids below `vocabulary`."""

    def __init__(self, documents: Iterable[NDArray[np.int32]], vocabulary: int) -> None:
        self.vocabulary = vocabulary
        tokens = np.concatenate([*_padded(documents)]).astype(np.int64)[:MOST]
        self.tokens = len(tokens)
        self.keys: list[Ids] = []
        self.sums: list[Ids] = []
        ids = np.zeros(len(tokens), np.int64)
        for order in range(ORDER):
            spelt = ids[: len(tokens) - order] * vocabulary + tokens[order:]
            keys, ids, counts = np.unique(spelt, return_inverse=True, return_counts=True)
            self.keys.append(keys)
            self.sums.append(np.concatenate(([0], np.cumsum(counts))))

    def probabilities(self, tokens: Ids, at: Ids) -> Probabilities:
        """Return that of each of the tokens at `at`, none of them among the first, given those before it."""
        found = np.full(len(at), 1 / self.vocabulary)
        for order in range(ORDER):
            context, known = self._contexts(tokens, at, order)
            first, last = self._successors(order, context)
            total, kinds = self.sums[order][last] - self.sums[order][first], last - first
            count = self._count(order, context * self.vocabulary + tokens[at])
            mixed = (count + kinds * found) / np.maximum(total + kinds, 1)
            found = np.where(known & (kinds > 0), mixed, found)
        return found

    def next(self, tokens: Sequence[int]) -> Probabilities:
        """Return the distribution over the vocabulary after `tokens`, of which there are `ORDER` - 1 at least."""
        history = np.array([*tokens[1 - ORDER :], 0])
        found = np.full(self.vocabulary, 1 / self.vocabulary)
        for order in range(ORDER):
            context, known = self._contexts(history, np.array([ORDER - 1]), order)
            (first,), (last,) = self._successors(order, context)
            if not known[0] or first == last:
                break
            sums = self.sums[order]
            found *= last - first
            found[self.keys[order][first:last] % self.vocabulary] += np.diff(sums[first : last + 1])
            found /= sums[last] - sums[first] + last - first
        return found

    def _contexts(self, tokens: Ids, at: Ids, length: int) -> tuple[Ids, NDArray[np.bool_]]:
        """Ids of the n-grams of `length` before `at`, and whether they are known."""
        ids, known = np.zeros(len(at), np.int64), np.ones(len(at), np.bool_)
        for order in range(length):
            wanted = ids * self.vocabulary + tokens[at - length + order]
            ids = np.minimum(np.searchsorted(self.keys[order], wanted), len(self.keys[order]) - 1)
            known &= self.keys[order][ids] == wanted
        return ids, known

    def _successors(self, order: int, context: Ids) -> tuple[Ids, Ids]:
        first, last = context * self.vocabulary, (context + 1) * self.vocabulary
        return np.searchsorted(self.keys[order], first), np.searchsorted(self.keys[order], last)

    def _count(self, order: int, wanted: Ids) -> Ids:
        place = np.minimum(np.searchsorted(self.keys[order], wanted), len(self.keys[order]) - 1)
        sums = self.sums[order]
        return np.where(self.keys[order][place] == wanted, sums[place + 1] - sums[place], 0)


def write(
    grams: NGrams,
    prefixes: Sequence[Sequence[int]],
    seeds: Sequence[int],
    sampling: Sampling,
    ended: Callable[[int], None],
    given: Sequence[Sequence[int]],
) -> Iterator[Written]:
    """Write a plan, which begins as `given`, and code for each prefix, within the budgets and by the grammar that hold
    for the network."""
    for done, (prefix, seed, begun) in enumerate(zip(prefixes, seeds, given, strict=True), 1):
        count = sampling.max_plan_tokens + sampling.max_code_tokens + 2
        points = iter(torch.rand(count, generator=torch.Generator().manual_seed(seed)))
        history, written = [*prefix, int(Control.PLAN), *begun], Written(plan=[*begun])
        grammar = Grammar(edits.numbers(prefix))
        grammar.begin(begun)
        _section(grams, history, grammar, written.plan, sampling.max_plan_tokens, points, sampling)
        written.finished = _section(grams, history, grammar, written.code, sampling.max_code_tokens, points, sampling)
        yield written
        ended(done)


def _section(
    grams: NGrams,
    history: list[int],
    grammar: Grammar,
    section: list[int],
    most: int,
    points: Iterator[torch.Tensor],
    sampling: Sampling,
) -> bool:
    """Write one section and close it; say whether the model did so itself."""
    closing, token = grammar.closing, None
    for point in islice(points, most):
        logits = torch.from_numpy(grams.next(history)).log()
        token = int(sampling.draw(logits.masked_fill(~grammar.allowed(len(logits)), -torch.inf), point))
        if token == closing:
            break
        grammar.take(token)
        section.append(token)
        history.append(token)
    grammar.take(closing)
    history.append(closing)
    return token == closing


def _padded(documents: Iterable[NDArray[np.int32]]) -> Iterator[NDArray[np.int32]]:
    """Documents with so much between them that no n-gram lies in two; so many as are counted."""
    between, counted = np.full(ORDER - 1, Control.PAD, np.int32), 0
    for document in documents:
        if counted >= MOST:
            return
        yield between
        yield document
        counted += len(document)
