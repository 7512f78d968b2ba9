"""A tokenizer trained on a little Go."""

from __future__ import annotations

import pytest

from hrm_ray.prepare.tokenizer import Tokenizer
from tests.prepare import factory

TEXTS = [
    factory.EXAMPLE.code,
    factory.EXAMPLE.outline,
    factory.EXAMPLE.body,
    "func main() {\n\t\tfmt.Println(123456)\n}",
] * 3


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return Tokenizer.train(TEXTS, 530)
