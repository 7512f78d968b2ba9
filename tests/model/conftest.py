"""Small models and documents for the tests of the network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hrm_ray.config import Model
from hrm_ray.model.batch import Document
from hrm_ray.model.hrm import HRM
from hrm_ray.prepare.tokenizer import FIRST_TEXT, Control

VOCABULARY = FIRST_TEXT + 83


def small_config(**changes: object) -> Model:
    """A network of a few thousand parameters with two layers in each stack, with logits that tell tokens apart."""
    shape = {"hidden": 32, "layers": 2, "heads": 4, "intermediate": 48, "embedding_scale": 32**0.5}
    return Model.model_validate(shape | changes)


def small_model(**changes: object) -> HRM:
    torch.manual_seed(0)
    return HRM(small_config(**changes), VOCABULARY)


def text_ids(random: np.random.Generator, count: int) -> list[int]:
    """Ordinary tokens, no control tokens."""
    return [int(token) for token in random.integers(FIRST_TEXT, VOCABULARY, count)]


def solve_document(seed: int, prefix: int = 9, plan: int = 4, code: int = 7, weight: float = 1.0) -> Document:
    random = np.random.default_rng(seed)
    return Document(
        prefix=[Control.PROBLEM, *text_ids(random, prefix)],
        plan=[Control.PLAN, *text_ids(random, plan)] if plan else [],
        code=[Control.CODE, *text_ids(random, code), Control.END],
        weight=weight,
        plan_bytes=3 * plan,
        code_bytes=3 * code,
    )


def judge_document(seed: int, decision: int = 1, feedback: int = 0) -> Document:
    random = np.random.default_rng(seed)
    return Document(
        prefix=[Control.PROBLEM, *text_ids(random, 6), Control.DIRECT],
        plan=[],
        code=[Control.CODE, *text_ids(random, 5), Control.END, Control.JUDGE],
        decision=decision,
        feedback=feedback,
    )


@pytest.fixture
def mixed() -> list[Document]:
    """Solve documents of ragged lengths, one without a plan, one with a given weight, and judge documents between."""
    return [
        solve_document(1),
        judge_document(2, decision=2, feedback=1),
        solve_document(3, prefix=20, plan=0, code=11),
        solve_document(4, prefix=2, plan=9, code=1, weight=0.3),
        judge_document(5, decision=0, feedback=3),
    ]
