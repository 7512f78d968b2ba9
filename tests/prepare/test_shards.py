"""Part files and their reader."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pytest

from hrm_ray.errors import UserError
from hrm_ray.prepare import shards
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


def test_texts_that_no_batch_can_hold_are_written_in_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text column of a record batch ends at 2 GiB; two texts of 1.1 GiB were tried by hand (docs/log.md)."""
    one, several = tmp_path / "one", tmp_path / "several"
    write(one / part_name(0), rows(9, 0), TOKENISED)
    characters = sum(len(value) for value in rows(1, 0)[0].values() if isinstance(value, str))
    monkeypatch.setattr(shards, "BATCH_CHARACTERS", 2 * characters)
    write(several / part_name(0), rows(9, 0), TOKENISED)
    whole, cut = Shards(one), Shards(several)
    assert cut.column("title").num_chunks > whole.column("title").num_chunks == 1
    assert [cut.row(index) for index in range(9)] == [whole.row(index) for index in range(9)]
    assert {cut.path(index) for index in range(9)} == {several / part_name(0)}
    assert cut.lengths("code_ids").tolist() == whole.lengths("code_ids").tolist()


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


LARGE, TOKENS = 32, 1 << 18
"""Rows of each of two parts, and tokens of a row: 64 MiB in all."""

READS_ALL = textwrap.dedent("""
    import resource, sys
    from pathlib import Path
    import numpy as np
    from hrm_ray.prepare.shards import Shards

    shards, allowed = Shards(Path(sys.argv[1])), int(sys.argv[2])
    if allowed:  # from here on: the stacks of Arrow's threads would count too
        [held] = [int(line.split()[1]) << 10 for line in open("/proc/self/status") if line.startswith("VmData")]
        resource.setrlimit(resource.RLIMIT_DATA, (held + allowed, held + allowed))
        try:
            np.ones(4 * allowed, np.int8)
            raise SystemExit("the limit is none")
        except MemoryError:
            pass
    order = np.random.default_rng(0).permutation(len(shards))
    print(sum(int(shards.ids(int(index), "code_ids").sum()) for index in order), flush=True)
    sys.stdin.read()
""")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large")
    for part in range(2):
        some = rows(LARGE, part * LARGE)
        for row in some:
            row["code_ids"] = np.full(TOKENS, row["number"], np.int32)
        write(folder / part_name(part), some, TOKENISED)
    return folder


@contextmanager
def reader(folder: Path, allowed: int = 0) -> Iterator[psutil.Process]:
    """A process that has read every row, with `allowed` bytes of memory for it where that is not 0, and waits."""
    command = [sys.executable, "-c", READS_ALL, str(folder), str(allowed)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{TOKENS * sum(range(2 * LARGE))}\n"
        yield psutil.Process(process.pid)
        process.communicate()
    assert process.returncode == 0


def test_data_larger_than_the_memory_that_is_allowed_is_read(large: Path) -> None:
    with reader(large, allowed=16 << 20):
        pass


def test_two_processes_hold_one_copy(large: Path) -> None:
    size = sum(path.stat().st_size for path in large.iterdir())
    with ExitStack() as stack:
        both = [stack.enter_context(reader(large)) for _ in range(2)]
        maps = [[part for part in one.memory_maps() if part.path.startswith(str(large))] for one in both]
    resident = [sum(part.rss for part in some) for some in maps]
    shared = sum(part.pss for some in maps for part in some)
    assert min(resident) > 0.95 * size, "each of them has all of it in its memory"
    assert shared < 1.05 * size, "and it is the same memory"
