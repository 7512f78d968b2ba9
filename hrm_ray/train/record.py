"""`run.json`: what a run is and what it was made of (docs/formats.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hrm_ray.files import Record, read_record, write_text

FILE = "run.json"


class RunRecord(Record):
    """What is read of a `run.json`."""

    name: str
    role: str
    parameters: int
    horizon: int
    extensions: tuple[Mapping[str, int], ...] = ()
    tokens_per_step: float | None = None
    dataset: str
    dataset_hash: str
    mixture: tuple[Mapping[str, Any], ...] = ()
    synthetic: bool = False
    versions: Mapping[str, Any] | str
    machine: Mapping[str, Any] | str
    init_from: Mapping[str, str] | None = None
    threads: int | None = None


def read(run_dir: Path) -> dict[str, Any]:
    """Return the record of a run folder, empty where there is none.

    Raises:
        UserError: the file cannot be read, or is not such a record.
    """
    path = run_dir / FILE
    if not path.exists():
        return {}
    read_record(path, RunRecord)
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def write(run_dir: Path, facts: Mapping[str, Any]) -> None:
    """Replace the record of a run folder."""
    write_text(run_dir / FILE, json.dumps(facts, indent=1))
