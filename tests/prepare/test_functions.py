"""Documented functions as examples, and a real `prepare` with them."""

from __future__ import annotations

import io
from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress

from hrm_ray import settings
from hrm_ray.collect.functions import Function, write
from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.golang.syntax import validate
from hrm_ray.prepare import card, functions, pipeline
from hrm_ray.prepare.command import prepare_dataset
from hrm_ray.prepare.shards import Shards
from tests.prepare import factory

FUNCTION = Function(
    repository="acme/library",
    license="MIT",
    merged_at="2025-01-01T00:00:00Z",
    path="sum/sum.go",
    kind="method",
    name="Adder.Sum",
    doc="Sum adds what it is given, e.g.\n1.5 and 2. It never fails.\n\nNot safe for concurrent use.",
    outline="package sum\ntype Adder struct",
    anchor="type Adder struct{}",
    code="func (a *Adder) Sum(values ...int) int {\n\treturn len(values)\n}",
)


def test_the_doc_is_the_problem_and_the_signature_the_plan() -> None:
    made = functions.example(FUNCTION)
    assert made.title == "Sum adds what it is given, e.g. 1.5 and 2."
    assert made.body == "It never fails.\n\nNot safe for concurrent use."
    assert made.plan.split("\n") == ["add method Adder.Sum", "signature (values ...int) int"]
    assert (made.number, made.change, made.before, made.anchor) == (-1, "added", "", "type Adder struct{}")
    assert validate(made.code, made.kinds) is None
    assert made.id != functions.example(replace(FUNCTION, path="b.go")).id
    assert functions.example(replace(FUNCTION, doc="One\nsentence only")).title == "One sentence only"


def test_what_is_held_out_or_known_is_not_admitted() -> None:
    drops: Counter[str] = Counter()
    candidates = [(4, "a/x", "f1"), (5, "a/x", "f1"), (6, "held/out", "f2"), (7, "a/y", "f3"), (8, "a/y", "f4")]
    assert functions.admit(candidates, {"held/out"}, {"f3"}, drops) == [4, 8]
    assert drops == {"exact duplicate": 2, "function of a repository with held-out pull requests": 1}


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "functions.jsonl"
    write(path, [FUNCTION])
    path.write_text(path.read_text() + '{"repository": "x"}\n')
    with pytest.raises(UserError, match=r"functions\.jsonl:2: license is missing"):
        list(functions.read(path))


def chosen_config(tmp_path: Path, **prepare: Any) -> Config:
    source = factory.write_parquet(tmp_path / "prs.parquet", factory.history(), group=8)
    chosen = {"vocab_size": 530, "window": 256, "input": str(source), "jsonl": True, **prepare}
    return settings.parse({"name": "t", "data": str(tmp_path / "data"), "prepare": chosen}, "test")


@pytest.mark.usefixtures("ray_session")
def test_functions_join_the_training_fold_only(tmp_path: Path) -> None:
    path = tmp_path / "functions.jsonl"
    several = [replace(FUNCTION, name=f"Sum{at}", code=f"func Sum{at}() {{}}", kind="function") for at in range(9)]
    own = [replace(several[0], repository=f"acme/repo{at}", code=f"func Own{at}() {{}}") for at in range(5)]
    write(path, [*several, *several[:2], *own])
    settled = chosen_config(tmp_path, functions=str(path), function_weight=0.25)
    printed = io.StringIO()
    prepare_dataset(settled, Progress(console=Console(file=printed, width=1000), disable=True), nullcontext)
    facts, train = card.read(settled.data), Shards(settled.data / "train")
    rows = [row for row in map(train.row, range(len(train))) if row["number"] == -1]
    trained = {f"acme/repo{at}" for at in range(5)} & set(facts["folds"]["train"]["repositories"])
    assert len(rows) == facts["folds"]["train"]["functions"] == 9 + len(trained)
    assert {row["weight"] for row in rows} == {0.25}
    assert {row["repository"] for row in rows} == trained | {"acme/library"}
    assert facts["drops"]["function of a repository with held-out pull requests"] == 5 - len(trained) > 0
    assert facts["drops"]["exact duplicate"] == 2
    assert all(facts["folds"][fold]["functions"] == 0 for fold in ("judge", "validation", "test"))
    assert facts["folds"]["train"]["pull_requests"] == 4 * len(trained)
    assert f"{len(rows)} of the training examples are documented functions" in printed.getvalue()
    again = chosen_config(tmp_path, functions=str(path), input=str(settled.data / "jsonl"))
    moved = pipeline.prepare(again.model_copy(update={"data": tmp_path / "again"}), Progress(disable=True))
    assert moved["folds"]["train"]["functions"] == len(rows)  # those of the folder, and no copies of them


@pytest.mark.usefixtures("ray_session")
@pytest.mark.parametrize("content", [None, "[]\n"])
def test_functions_that_cannot_be_read(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "functions.jsonl"
    if content:
        path.write_text(content)
    with pytest.raises(UserError, match=r"functions\.jsonl: there is no such file|functions\.jsonl:1: "):
        pipeline.prepare(chosen_config(tmp_path, functions=str(path)), Progress(disable=True))
