"""Examples as JSON lines."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from hrm_ray.errors import UserError
from hrm_ray.prepare import jsonl
from tests.prepare.factory import EXAMPLE, example


def test_round_trip(tmp_path: Path) -> None:
    examples = [example(body="é 世\u2028\n\t"), example(change="added", anchor="type T int", kinds=("type", "const"))]
    jsonl.write(tmp_path / "x" / "train.jsonl", examples)
    assert list(jsonl.read(tmp_path / "x" / "train.jsonl")) == examples
    assert jsonl.is_folder(tmp_path / "x")
    assert not jsonl.is_folder(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": None}, "train.jsonl:2: title: .*text.*null"),
        ({"number": "7"}, 'train.jsonl:2: number: .*number.*"7"'),
        ({"change": "removed"}, 'train.jsonl:2: change: .*added.*"removed"'),
        ({"names": ["a", 3]}, "train.jsonl:2: names.1: .*text.*3"),
    ],
)
def test_bad_line_is_named_with_its_field(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text(json.dumps(asdict(EXAMPLE)) + "\n" + json.dumps({**asdict(EXAMPLE), **changes}) + "\n")
    with pytest.raises(UserError, match=message):
        list(jsonl.read(path))


@pytest.mark.fault
def test_missing_field_torn_line_and_bad_bytes_are_named(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    for content, message in (
        (b'{"id": "x"}\n', r"train.jsonl:1: repository is missing"),
        (b'\n\n{"id": ', r"train.jsonl:3: not JSON .*line 1"),
        (b"\n\xff\n", r"train.jsonl:2: not JSON"),
        (
            json.dumps(asdict(replace(EXAMPLE, title="\ud800"))).encode(),
            r"train.jsonl:1: not JSON .* column \d+",
        ),
    ):
        path.write_bytes(content)
        with pytest.raises(UserError, match=message):
            list(jsonl.read(path))


def test_a_file_that_is_not_there_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.jsonl: cannot be read \(there is no such file\)$"):
        list(jsonl.read(tmp_path / "none.jsonl"))
