"""What is written during training is told for what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrm_ray.model import generate as generation
from hrm_ray.model.generate import Written
from hrm_ray.prepare.tokenizer import Tokenizer
from hrm_ray.train import writing
from hrm_ray.train.engine import PlainEngine
from hrm_ray.train.run import build_model
from hrm_ray.train.validation import Validation
from tests.train.conftest import run_config

TEXTS = [
    ("add function F", "func F() {}\n", True),
    ("add function F", "func F() {\n", True),
    ("add function F", "type F struct{}\n", False),
    ("add function F", "func F() int { return 1 }\n", False),
]


def test_shares_are_of_valid_go_and_of_ends(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encode = Tokenizer.load(dataset / "tokenizer.json").encode
    given = [Written(encode(plan), encode(code), finished) for plan, code, finished in TEXTS]
    monkeypatch.setattr(writing, "generate", lambda *_, **__: given)
    config = run_config(dataset, dataset, validation={"generations": len(TEXTS)})
    measured = Validation(config).measure(PlainEngine(build_model(config), config.train))
    assert (measured["valid_share"], measured["finished_share"]) == (0.5, 0.5)
    assert measured["generated_tokens"] == sum(len(one.plan) + len(one.code) for one in given) / len(given)


def test_the_model_really_writes_within_the_budgets(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = run_config(dataset, dataset, validation={"generations": 3})
    budgets = config.evaluate.model_copy(update={"max_plan_tokens": 4, "max_code_tokens": 6, "batch": 2})
    config = config.model_copy(update={"evaluate": budgets})
    widths: list[int] = []
    original = generation.decode
    monkeypatch.setattr(generation, "decode", lambda m, t, c: widths.append(len(t)) or original(m, t, c))  # type: ignore[func-returns-value]
    measured = Validation(config).measure(PlainEngine(build_model(config), config.train))
    assert 0 < (measured["generated_tokens"] or 0) <= 10
    assert max(widths) == 2


def test_by_default_nothing_is_written(dataset: Path) -> None:
    config = run_config(dataset, dataset)
    assert "valid_share" not in Validation(config).measure(PlainEngine(build_model(config), config.train))
