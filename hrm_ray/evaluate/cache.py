"""Generations that are kept: `evaluate` goes on where it was stopped, and never writes the same thing twice.

A batch is written as one piece and kept under a digest of all that it depends on: the checkpoint, the settings, the
seed and its prefixes. Which rows are in a batch is fixed by their order alone, so that what a row says does not hang on
what was there already: sums of floats depend on the company.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hrm_ray.evaluate.generation import Attempt, chosen, scored, write
from hrm_ray.evaluate.opened import Network, Opened
from hrm_ray.files import sha256, write_text
from hrm_ray.model.generate import Written
from hrm_ray.train import checkpoint

FOLDER = "generations"
"""Folder of a run for what its checkpoints have written."""

SAMPLING = ("max_plan_tokens", "max_code_tokens", "temperature", "top_p", "min_p")
"""Keys of `evaluate` that decide what is written."""


def attempts(opened: Opened, count: int, progress: Callable[[int, int], None]) -> list[Attempt]:
    """Generate for the first `count` of the rows that can be judged, and measure what is written."""
    rows = chosen(opened, count)
    prefixes = [opened.solve.prefix(row).tolist() for row in rows]
    ids = [opened.solve.shards.example(row).id for row in rows]
    return scored(opened, rows, write_kept(opened, prefixes, ids, lambda ended: progress(ended, len(rows))))


def write_kept(
    network: Network, prefixes: Sequence[Sequence[int]], ids: Sequence[str], ended: Callable[[int], None]
) -> list[Written]:
    """Write as `generation.write` does, a batch at a time, those that are kept excepted."""
    size, written = network.config.evaluate.batch, list[Written]()
    for start in range(0, len(ids), size):
        rows = slice(start, start + size)
        path = _path(network, prefixes[rows], ids[rows])
        if not path.exists():
            _keep(path, write(network, prefixes[rows], ids[rows], partial(_after, ended, len(written))))
        written += [Written(**row) for row in json.loads(path.read_text("utf-8"))]
        ended(len(written))
    return written


def _path(network: Network, prefixes: Sequence[Sequence[int]], ids: Sequence[str]) -> Path:
    weights = network.run_dir / "checkpoints" / checkpoint.folder_name(network.step) / checkpoint.MANIFEST
    depends: dict[str, Any] = {
        "checkpoint": sha256(weights),
        "sampling": network.config.evaluate.model_dump(mode="json", include=set(SAMPLING)),
        "seed": network.config.seed,
        "rows": list(zip(ids, prefixes, strict=True)),
    }
    digest = hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()
    return network.run_dir / FOLDER / f"{digest[:16]}.json"


def _after(ended: Callable[[int], None], before: int, more: int) -> None:
    ended(before + more)


def _keep(path: Path, written: Sequence[Written]) -> None:
    write_text(path, json.dumps([vars(row) for row in written]))
