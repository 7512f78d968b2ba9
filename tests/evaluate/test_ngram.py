"""The counts, against probabilities that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from hrm_ray.evaluate.ngram import ORDER, NGrams, write
from hrm_ray.model.sampling import Sampling
from hrm_ray.prepare.tokenizer import FIRST_TEXT, Control

A, B, C = range(FIRST_TEXT, FIRST_TEXT + 3)
VOCABULARY = FIRST_TEXT + 3
PREFIX = [A] * ORDER


def grams(*documents: list[int]) -> NGrams:
    return NGrams([np.array(document, np.int32) for document in documents], VOCABULARY)


def test_probabilities_sum_to_one_whatever_came_before() -> None:
    counted = grams([A, B, A, B, A, C], [C, C, B])
    for history in ([A, B, A, B], [B, A, C, C], [C, A, A, A], [B, B, B, B]):
        assert counted.next(history).sum() == pytest.approx(1)


def test_the_first_two_orders_by_hand() -> None:
    """In A B A C and its four pads: A twice, B and C once, four kinds of eight tokens in all."""
    counted = grams([A, B, A, C])
    uniform = 1 / VOCABULARY
    one = {token: (count + 4 * uniform) / (8 + 4) for token, count in ((A, 2), (B, 1), (C, 1))}
    after_a = (1 + 2 * one[B]) / (2 + 2)
    found = counted.next([C, C, C, A])  # C A was never seen, so nothing longer is
    assert found[B] == pytest.approx(after_a)
    assert found[A] == pytest.approx(2 * one[A] / 4)


def test_tokens_of_a_text_have_the_probabilities_of_the_distribution() -> None:
    random = np.random.default_rng(0)
    counted = grams(*(random.integers(A, C + 1, 40).tolist() for _ in range(5)))
    text = random.integers(A, C + 1, 30).astype(np.int64)
    at = np.arange(ORDER - 1, 30)
    expected = [counted.next(text[:place].tolist())[text[place]] for place in at]
    assert counted.probabilities(text, at) == pytest.approx(expected)


def test_no_ngram_lies_in_two_documents() -> None:
    apart, joined = grams([A, B], [C, A]), grams([A, B, C, A])
    assert apart.next([A, A, A, B])[C] < joined.next([A, A, A, B])[C]


def test_it_writes_what_it_saw_within_the_budgets() -> None:
    seen = [*PREFIX, Control.PLAN, B, C, Control.CODE, C, A, B, Control.END]
    counted = grams(seen)
    ended: list[int] = []
    (whole,) = write(counted, [PREFIX], [0], Sampling(8, 8), ended.append, [[]])
    assert (whole.plan, whole.code, whole.finished) == ([B, C], [C, A, B], True)
    (cut,) = write(counted, [PREFIX], [0], Sampling(1, 2), ended.append, [[]])
    assert (cut.plan, len(cut.code), cut.finished) == ([B], 2, False)
    assert ended == [1, 1]
    (given,) = write(counted, [PREFIX], [0], Sampling(8, 8), ended.append, [[B]])
    assert (given.plan, given.code) == ([B, C], [C, A, B])


def test_what_is_drawn_is_a_function_of_the_seed() -> None:
    counted = grams([A, B, C, B, A, C, A, A, B])
    sampling = Sampling(6, 6, temperature=1.0)
    (first,), (again,), (other,) = (
        write(counted, [PREFIX], [seed], sampling, lambda _: None, [[]]) for seed in (0, 0, 1)
    )
    assert (first.plan, first.code) == (again.plan, again.code) != (other.plan, other.code)
    assert min(first.plan + first.code) >= FIRST_TEXT
