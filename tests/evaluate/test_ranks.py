"""What is read of a whole split on several processes is what one process reads, for every document and in sum."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hrm_ray.train.validate import batches
from tests.conftest import ROOT
from tests.evaluate import rank
from tests.train.conftest import dataset

__all__ = ["dataset"]


def ranks(world: int, dataset: Path, folder: Path) -> list[dict[str, Any]]:
    """Start the processes, wait for them, and return what each has seen."""
    commands = [
        [sys.executable, "-m", "tests.evaluate.rank", *map(str, (one, world, dataset, folder))] for one in range(world)
    ]
    processes = [subprocess.Popen(one, cwd=ROOT, stderr=subprocess.PIPE, text=True) for one in commands]
    try:
        said = [process.communicate(timeout=240)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0] * world, "".join(said)[-3000:]
    return [json.loads((folder / f"rank-{one}.json").read_text()) for one in range(world)]


def numbers(tree: Any, path: str = "") -> dict[str, float]:
    """Every number of a JSON tree under its path."""
    if isinstance(tree, (dict, list)):
        parts = tree.items() if isinstance(tree, dict) else enumerate(tree)
        return {name: value for key, part in parts for name, value in numbers(part, f"{path}/{key}").items()}
    return {path: tree} if isinstance(tree, (int, float)) else {}


@pytest.mark.parametrize("world", [2, 3])
def test_every_rank_reads_what_one_process_reads(dataset: Path, tmp_path: Path, world: int) -> None:
    alone = rank.opened(dataset, tmp_path)
    documents = [alone.solve.document(row) for row in range(len(alone.solve))]
    chunks = len(list(batches(alone.engine, documents, alone.tokens)))
    assert chunks % world, "an even split leaves no rank an empty batch"
    expected, found = rank.seen(alone), ranks(world, dataset, tmp_path)
    assert all(one == found[0] for one in found)
    assert numbers(found[0]) == pytest.approx(numbers(expected), rel=1e-5)
