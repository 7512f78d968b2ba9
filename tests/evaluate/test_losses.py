"""Bits of the true code behind plans that are not its own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from hrm_ray.evaluate import losses
from hrm_ray.evaluate.losses import code_bits_per_byte_given, grouped
from hrm_ray.evaluate.opened import Opened
from hrm_ray.model.batch import Part
from hrm_ray.prepare.tokenizer import Tokenizer
from hrm_ray.train.corpus import JudgeDocuments, SolveDocuments
from hrm_ray.train.engine import PlainEngine
from hrm_ray.train.run import build_model
from hrm_ray.train.validate import solve_losses
from tests.train.conftest import dataset, run_config

__all__ = ["dataset"]


@pytest.fixture
def opened(dataset: Path, tmp_path: Path) -> Opened:
    config = run_config(dataset, tmp_path)
    engine = PlainEngine(build_model(config), config.train)
    solve, judge = SolveDocuments(dataset, "test"), JudgeDocuments(dataset, "test")
    return Opened(tmp_path, config, engine, 0, Tokenizer.train([], 530), solve, judge, tokens=256)


def test_the_true_plans_give_the_bits_of_the_split(opened: Opened) -> None:
    rows = range(len(opened.solve))
    whole = solve_losses(opened.engine, [opened.solve.document(row) for row in rows], opened.tokens)
    own = {row: opened.solve.shards.ids(row, "plan_ids")[1:].tolist() for row in rows}
    assert code_bits_per_byte_given(opened, own) == pytest.approx(whole.bits_per_byte(Part.CODE), rel=1e-6)


def test_another_plan_gives_other_bits_of_the_same_code(opened: Opened) -> None:
    own = opened.solve.shards.ids(3, "plan_ids")[1:].tolist()
    other = opened.solve.shards.ids(4, "plan_ids")[1:].tolist()
    assert code_bits_per_byte_given(opened, {3: own}) != code_bits_per_byte_given(opened, {3: other})
    assert code_bits_per_byte_given(opened, {3: []}) is not None


def test_no_row_has_no_bits(opened: Opened) -> None:
    assert code_bits_per_byte_given(opened, {}) is None


def test_the_whole_split_is_its_parts(opened: Opened) -> None:
    count = len(opened.solve)
    nats, _ = losses.read(opened)
    own = {row: opened.solve.shards.ids(row, "plan_ids")[1:].tolist() for row in range(3)}
    found = losses.measure(opened, nats, own)
    solved = solve_losses(opened.engine, [opened.solve.document(row) for row in range(count)], opened.tokens)
    assert found["plan_bits_per_byte"] == pytest.approx(solved.bits_per_byte(Part.PLAN), rel=1e-6)
    assert found["code_bits_per_byte"] == pytest.approx(solved.bits_per_byte(Part.CODE), rel=1e-6)
    assert found["plan_and_code_bits_per_code_byte"] == pytest.approx(solved.total_bits_per_code_byte(), rel=1e-6)
    for groups in found["by"].values():
        assert sum(part["examples"] for part in groups.values()) == count
        bits = sum(part["code_bits_per_byte_no_plan"] * part["code_bytes"] for part in groups.values())
        assert bits / found["code_bytes"] == pytest.approx(found["code_bits_per_byte_no_plan"])
    same = found["predicted_plan"]
    assert same["code_bits_per_byte_predicted_plan"] == pytest.approx(same["code_bits_per_byte"], rel=1e-6)


def test_rows_are_grouped_by_what_they_are(opened: Opened) -> None:
    for name, groups in grouped(opened.solve).items():
        for label, rows in groups.items():
            for row in rows:
                example = opened.solve.shards.example(row)
                said = {
                    "intent": example.change,
                    "kind": example.kinds[0] if len(set(example.kinds)) == 1 else "several",
                    "origin": "test" if example.is_test else "not a test",
                }
                assert said.get(name, label) == label
                if label == "up to 512 bytes":
                    assert 128 < len(example.code.encode()) <= 512


def test_lengths_come_in_their_order_and_all_else_by_name(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = ["up to 128 bytes", "up to 512 bytes", "up to 2048 bytes", "over 2048 bytes"]
    groups = {"length": {label: [0] for label in sorted(lengths)}, "kind": {"var": [0], "const": [0]}}
    monkeypatch.setattr(losses, "grouped", lambda _: groups)
    sizes = torch.ones(len(opened.solve), 2)
    found = losses.measure(opened, losses.SplitNats(sizes.double(), sizes.double(), sizes), {})["by"]
    assert {name: list(parts) for name, parts in found.items()} == {"length": lengths, "kind": ["const", "var"]}
