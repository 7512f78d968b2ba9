"""The page that people read."""

from __future__ import annotations

import re
from typing import Any

import pytest

from hrm_ray import settings
from hrm_ray.prepare.data_card import render

LENGTHS = {"p10": 3, "p50": 1200, "p90": 20, "p99": 30, "max": 40}
FOLD: dict[str, Any] = {
    "examples": 100,
    "functions": 0,
    "pull_requests": 40,
    "repositories": {"acme/rocket": 60, "acme/odd|name": 40},
    "licences": {"MIT": 100},
    "merged_at": ["2024-01-01T00:00:00Z", "2024-03-01T00:00:00Z"],
    "changes": {"added": 25, "modified": 75},
    "tests": 30,
    "comment_only": 2,
    "intents": {"modify function": 70, "step: add": 30},
    "tokens": {"problem": 10, "context": 20, "plan": 30, "code": 1234567},
    "section_tokens": dict.fromkeys(("problem", "context", "plan", "code"), LENGTHS),
    "bytes_per_token": {"plan": 2.5, "code": 3.1},
    "solve_tokens": LENGTHS,
    "judgements": {"count": 0},
}
EMPTY = {"examples": 0, "repositories": {}, "judgements": {"count": 0}}

COLLECTION = {
    "source": "github",
    "requests": None,
    "repositories": [{"looked_at": 1000, "kept": 50}, {"looked_at": 2000, "kept": 20}],
    "drops": {"fork": 9},
}


def facts(**changes: Any) -> dict[str, Any]:
    config = settings.parse({"name": "t", "data": "d"}, "test").model_dump(mode="json")
    return {
        "hash": "abc",
        "synthetic": False,
        "version": "0.1.0",
        "folds": {"train": FOLD, "judge": EMPTY, "validation": EMPTY, "test": EMPTY},
        "drops": {"near duplicate": 3, "pull request of a bot": 1700},
        "scrubbed": {},
        "unreadable": [],
        "duplicates": {
            "near_duplicate": 0.7,
            "across_repositories": 2,
            "across_folds": 1,
            "seen_before": {"test": {"modified": 50, "seen": 10}},
        },
        "shortened": {"outline": 12},
        "tokenizer": {"sha256": "x", "vocab_size": 4096, "sampled_examples": 1, "sampled_bytes": 2500000},
        "inputs": [{"file": "prs.parquet", "fold": "", "sha256": "feed"}],
        "collection": None,
        "settings": {"seed": 0, "clean": config["clean"], "prepare": config["prepare"]},
        **changes,
    }


def test_counts_stand_in_whole_tables() -> None:
    page = render(facts())
    assert "| train | 100 | 100.0% | 40 | 2 | 30.0% | 25.0% | 2.0% | 2024-01-01 to 2024-03-01 |" in page
    assert "| pull request of a bot | 1,700 |\n| near duplicate | 3 |" in page
    assert "| acme/odd\\|name | 40 |" in page
    assert "| train | code | 1,234,567 | 3 | 1,200 | 20 | 30 | 40 | 3.1 |" in page
    assert "| test | 50 | 10 (20.0%) |" in page
    assert "Every record of the input could be read." in page
    tables = [block for block in page.split("\n\n") if block.startswith("|")]
    for table in tables:
        columns = {len(re.findall(r"(?<!\\)\|", line)) for line in table.strip().split("\n")}
        assert len(columns) == 1, table
    assert len(tables) == 8
    assert "\n\n\n" not in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"synthetic": True}, "made up at least in part"),
        ({"unreadable": ["a.parquet: row group 3"]}, "- a.parquet: row group 3"),
        ({"scrubbed": {"GitHub token": 4}}, "| GitHub token | 4 |"),
        ({"inputs": [{"file": "train.jsonl", "fold": "train", "sha256": "f"}]}, "As the input gives them"),
        ({"shortened": {}}, "No section was shortened."),
        (
            {"collection": {**COLLECTION, "requests": 1200}},
            "in 1,200 requests: of 3,000 pull requests looked at, 70 were kept",
        ),
        ({"collection": COLLECTION}, "`source: github`: of 3,000 pull requests looked at, 70 were kept"),
        ({"collection": COLLECTION}, "| fork | 9 |"),
    ],
)
def test_what_is_not_usual_is_said(changes: dict[str, Any], said: str) -> None:
    assert said in render(facts(**changes))
    assert said not in render(facts())


def test_judge_documents_are_counted_by_label() -> None:
    assert "Judge documents" not in render(facts())
    judged = {**FOLD, "judgements": {"count": 9, "labels": {"CONTINUE": 4, "DONE": 5}}}
    page = render(facts(folds={"train": FOLD, "judge": judged}, drops={"judge: near miss": 1200, "fork": 1}))
    assert "| judge | 9 | 4 | 0 | 5 |" in page
    assert "Attempts that gave no document: 1,200 near miss." in page
    assert "| fork | 1 |" in page
    assert "| judge: near miss" not in page


def test_many_repositories_are_summed_up() -> None:
    many = {**FOLD, "repositories": {f"acme/r{at:03d}": 1 for at in range(100)}}
    page = render(facts(folds={"train": many}))
    assert "| 60 more | 60 |" in page
    assert page.count("acme/r") == 40


def test_given_folds_are_not_said_to_be_dealt() -> None:
    assert "Dealt by repository" in render(facts())
    page = render(facts(inputs=[{"file": "train.jsonl", "fold": "train", "sha256": "f"}]))
    assert "Dealt by" not in page
    assert "\n\n\n" not in page
