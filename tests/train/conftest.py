"""A small dataset of random tokens in the real files' format, and runs on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hrm_ray.config import Config, Prepare
from hrm_ray.prepare import shards
from hrm_ray.prepare.tokenizer import FIRST_TEXT, Control, Tokenizer
from hrm_ray.settings import parse
from hrm_ray.train.step import StepResult

VOCABULARY = FIRST_TEXT + 256
FOLDS = {"train": 60, "judge": 12, "validation": 12, "test": 12}
SHAPE = {"hidden": 32, "layers": 1, "heads": 2, "intermediate": 48, "depth": {"min": 3, "max": 5}}
UNLIKE = ("seconds", "data_wait", "tokens_per_second", "mfu", "host_memory", "host_memory_peak")
"""Of a metrics line: what no two runs have alike."""


class Silent:
    """A watcher that remembers what it was told."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self.counts: list[tuple[int, int]] = []
        """Bad steps and spikes of the run, as told with each step."""

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)

    def advance(self, step: int, horizon: int, result: StepResult, tokens_per_second: float) -> None:
        assert 0 <= step <= horizon
        assert tokens_per_second > 0
        assert result.tokens > 0
        self.counts.append((result.bad_steps, result.spikes))


def example_row(fold: str, index: int) -> dict[str, Any]:
    random = np.random.default_rng((index, len(fold)))

    def text(longest: int) -> list[int]:
        return [int(t) for t in random.integers(FIRST_TEXT, VOCABULARY, int(random.integers(2, longest)))]

    plan, code = text(12), text(30)
    texts = dict.fromkeys((field.name for field in shards.EXAMPLE), "")
    kinds = {"kinds": ["function"], "names": ["F"], "is_test": index % 3 == 0, "comment_only": False, "number": index}
    return (
        texts
        | kinds
        | {
            "id": f"{fold}-{index:04d}",
            "change": "modified",
            "code": f"func F() int {{\n\treturn {index}\n}}",
            "problem_ids": [Control.PROBLEM, *text(10)],
            "context_ids": [Control.PATH, *text(20)],
            "plan_ids": [Control.PLAN, *plan],
            "code_ids": [Control.CODE, *code, Control.END],
            "weight": 0.3 if index % 3 == 0 else 1.0,
            "plan_bytes": 3 * len(plan),
            "code_bytes": 3 * len(code),
        }
    )


def judge_row(row: dict[str, Any], index: int) -> dict[str, Any]:
    return {
        "example_id": row["id"],
        "prefix_ids": [*row["problem_ids"], *row["context_ids"], Control.DIRECT],
        "attempt_ids": [*row["code_ids"], Control.JUDGE],
        "label": index % 3,
        "feedback": "valid",
        "origin": "reference",
        "attempt": "",
        "change": "modified",
    }


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("dataset"))


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Other examples, tokenised alike."""
    return write_dataset(tmp_path_factory.mktemp("other"), first=500, ident="def")


def write_dataset(folder: Path, first: int = 0, ident: str = "abc") -> Path:
    for fold, count in FOLDS.items():
        rows = [example_row(fold, first + index) for index in range(count)]
        half = count // 2
        for part, some in enumerate((rows[:half], rows[half:])):
            shards.write(folder / fold / shards.part_name(part), some, shards.TOKENISED)
        if fold != "train":
            judged = [judge_row(row, index) for index, row in enumerate(rows)]
            shards.write(folder / "judgements" / fold / shards.part_name(0), judged, shards.JUDGEMENTS)
    settings = {"seed": 0, "prepare": Prepare(window=128).model_dump(mode="json")}
    facts = {
        "tokenizer": {"vocab_size": VOCABULARY, "sha256": "of the tokenizer"},
        "hash": ident,
        "synthetic": True,
        "settings": settings,
        "shards": {},
    }
    (folder / "dataset.json").write_text(json.dumps(facts))
    Tokenizer.train([], VOCABULARY).save(folder / "tokenizer.json")
    return folder


def run_config(dataset: Path, runs: Path, **train: object) -> Config:
    settings = {"rows": 6, "micro_rows": 2, "judge_rows": 2, "epochs": 2, "log": {"to": []}}
    tree = {
        "name": "run",
        "data": str(dataset),
        "runs": str(runs),
        "prepare": {"window": 128},
        "model": SHAPE,
        "train": settings | {"validation": {"every": 5, "examples": 6}, "device": "cpu"} | train,
    }
    return parse(tree, "test")
