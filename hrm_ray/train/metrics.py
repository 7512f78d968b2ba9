"""The run's own record of itself: `metrics.jsonl` and TensorBoard event files (docs/formats.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from hrm_ray.files import write_text


class Metrics:
    """Appends one line for each event; a resumed run takes back the lines of steps that it will make again."""

    def __init__(self, run_dir: Path, resume_step: int, tensorboard: bool) -> None:
        self.path = run_dir / "metrics.jsonl"
        kept = [line for line in _lines(self.path) if line["step"] <= resume_step]
        write_text(self.path, "".join(json.dumps(line) + "\n" for line in kept))
        self.stream = self.path.open("a", encoding="utf-8")
        self.board: SummaryWriter | None = None
        if tensorboard:
            self.board = SummaryWriter(str(run_dir / "tensorboard"), purge_step=resume_step + 1)

    def write(self, event: str, step: int, values: dict[str, Any]) -> None:
        """Record `values` (numbers, or None for what the step did not have)."""
        self.stream.write(json.dumps({"event": event, "step": step, **values}) + "\n")
        self.stream.flush()
        if self.board is None:
            return
        for name, value in values.items():
            if isinstance(value, int | float):
                self.board.add_scalar(f"{event}/{name}", value, step)

    def close(self) -> None:
        """Flush and close the files."""
        self.stream.close()
        if self.board is not None:
            self.board.close()


class NoMetrics:
    """The record of the ranks that keep none: rank 0 writes what all of them measured together."""

    def write(self, event: str, step: int, values: dict[str, Any]) -> None:
        """Leave it to rank 0."""

    def close(self) -> None:
        """There is nothing open."""


def _lines(path: Path) -> list[dict[str, Any]]:
    """Return the whole lines of the file; a kill may have torn the last one."""
    if not path.exists():
        return []
    whole = path.read_text("utf-8").rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines()]
