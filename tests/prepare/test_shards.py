"""Part files and their reader."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from hrm_ray.errors import UserError
from hrm_ray.prepare.shards import EXAMPLE, JUDGEMENTS, TOKENISED, Shards, part_name, write
from tests.prepare.factory import example


def rows(count: int, start: int) -> list[dict[str, Any]]:
    made = []
    for number in range(start, start + count):
        ids = {name: list(range(number, number + length)) for length, name in enumerate(("problem_ids", "plan_ids"))}
        ids |= {"context_ids": [1, 2], "code_ids": [number] * number}
        made.append({**asdict(example(number=number)), **ids, "weight": 0.3, "plan_bytes": 1, "code_bytes": number})
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part, (count, start) in enumerate(((3, 0), (1, 3), (5, 4))):
        write(tmp_path / part_name(part), rows(count, start), TOKENISED)
    return tmp_path


def test_rows_are_found_across_parts(folder: Path) -> None:
    shards = Shards(folder)
    assert len(shards) == 9
    assert shards.column("number").to_pylist() == list(range(9))
    for index in range(9):
        assert shards.ids(index, "code_ids").tolist() == [index] * index
        assert shards.row(index)["code_bytes"] == index
        assert shards.example(index) == example(number=index)
    assert shards.lengths("code_ids").tolist() == list(range(9))
    with pytest.raises(IndexError):
        shards.ids(9, "code_ids")
    with pytest.raises(IndexError):
        shards.row(-1)


@pytest.mark.parametrize("schema", [TOKENISED, JUDGEMENTS])
def test_part_without_rows_is_read_like_any_other(tmp_path: Path, schema: pa.Schema) -> None:
    write(tmp_path / part_name(0), [], schema)
    shards = Shards(tmp_path)
    assert len(shards) == 0
    for name in schema.names:
        assert shards.column(name).to_pylist() == []
        assert shards.column(name).type == schema.field(name).type
        if name.endswith("_ids"):
            assert shards.lengths(name).tolist() == []
            with pytest.raises(IndexError):
                shards.ids(0, name)
    for method in (shards.row, shards.example):
        with pytest.raises(IndexError):
            method(0)


def test_parts_without_rows_among_others_are_passed_over(tmp_path: Path) -> None:
    for part, (count, start) in enumerate(((0, 0), (2, 0), (0, 2), (1, 2), (0, 3))):
        write(tmp_path / part_name(part), rows(count, start), TOKENISED)
    shards = Shards(tmp_path)
    assert [shards.row(index)["number"] for index in range(len(shards))] == [0, 1, 2]
    assert shards.ids(2, "code_ids").tolist() == [2, 2]
    assert shards.lengths("code_ids").tolist() == [0, 1, 2]


def test_ids_are_views_of_the_file(folder: Path) -> None:
    shards = Shards(folder)
    first, again = shards.ids(8, "code_ids"), shards.ids(8, "code_ids")
    assert first.dtype == np.int32
    assert not first.flags.writeable
    assert np.shares_memory(first, again)


def test_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    hashes = {write(tmp_path / f"{name}.arrow", rows(4, 0), TOKENISED) for name in "ab"}
    assert len(hashes) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.arrow", "b.arrow"]


def test_columns_are_those_of_the_documents() -> None:
    assert EXAMPLE.names == list(asdict(example()))
    assert str(TOKENISED.field("code_ids").type) == "list<item: int32>"
    assert str(TOKENISED.field("weight").type) == "float"
    assert str(JUDGEMENTS.field("label").type) == "int8"


def test_missing_empty_and_broken_folders_are_named(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UserError, match=str(folder)):
            Shards(folder)
    (tmp_path / part_name(0)).write_bytes(b"ARROW1 but not really")
    with pytest.raises(UserError, match=r"part-00000\.arrow"):
        Shards(tmp_path)
