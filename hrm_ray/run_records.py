"""The records that a run keeps of itself, `run.json` and `metrics.jsonl` (docs/formats.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hrm_ray.errors import UserError
from hrm_ray.files import Record, read_record, read_text, write_text

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


def read_lines(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """Return each whole line of the file with its number, none where there is no file; a kill may have torn the last.

    Raises:
        UserError: the file cannot be read, or a line is not a JSON object with an event and a whole step.
    """
    whole = read_text(path).rpartition("\n")[0] if path.exists() else ""
    return [(number, _fields(line, f"{path} line {number}")) for number, line in enumerate(whole.splitlines(), start=1)]


def _fields(text: str, where: str) -> dict[str, Any]:
    try:
        fields = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{where}: not valid JSON ({error})") from error
    if not isinstance(fields, dict):
        raise UserError(f"{where}: expected an object, found {type(fields).__name__}")
    if not isinstance(fields.get("event"), str):
        raise UserError(f"{where}: event is missing")
    if type(fields.get("step")) is not int:
        raise UserError(f"{where}: step is {fields.get('step')!r}, not a whole number")
    return fields
