"""The run's own record of itself: `metrics.jsonl` (docs/formats.md), and what `train.log.to` names beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Self

from hrm_ray.config import Config
from hrm_ray.errors import explained
from hrm_ray.files import write_text
from hrm_ray.run_records import read_lines
from hrm_ray.train.sinks import Sink, open_sinks
from hrm_ray.train.spikes import Spikes


class Metrics:
    """Appends one line for each event until its block ends; a resumed run takes back the lines of steps that it will
    make again."""

    def __init__(self, config: Config, resume_step: int, say: Callable[[str], None]) -> None:
        self.path, self.spikes, self.say = config.run_dir / "metrics.jsonl", Spikes(), say
        kept = [line for _, line in read_lines(self.path) if line["step"] <= resume_step]
        _write(self.path, kept)
        for line in kept:
            self.spikes.read(line)
        self.sinks = open_sinks(config, resume_step)
        self.stream = self.path.open("a", encoding="utf-8")

    def write(self, event: str, step: int, values: dict[str, Any]) -> None:
        """Record `values` (numbers, or None for what the step did not have)."""
        line = {"event": event, "step": step, **values}
        with explained(self.path):
            self.stream.write(json.dumps(line) + "\n")
            self.stream.flush()
        self.spikes.read(line)
        numbers = {f"{event}/{name}": value for name, value in values.items() if isinstance(value, int | float)}
        for sink in list(self.sinks) if numbers else ():
            self._tell(sink, partial(sink.write, step, numbers))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with explained(self.path):
            self.stream.close()
        for sink in list(self.sinks):
            self._tell(sink, partial(sink.close, failed=kind is not None))

    def _tell(self, sink: Sink, call: Callable[[], None]) -> None:
        """Let go of a sink that fails, in whatever way its library has: a run of days does not end for a curve."""
        try:
            call()
        except Exception as error:
            self.sinks.remove(sink)
            why = f"{type(error).__name__}: {error}".splitlines()[0]
            self.say(f"train.log.to: {type(sink).__name__} is told nothing more ({why}); metrics.jsonl goes on")


class NoMetrics:
    """The record of the ranks that keep none: rank 0 writes what all of them measured together."""

    def __init__(self) -> None:
        self.spikes = Spikes()

    def write(self, event: str, step: int, values: dict[str, Any]) -> None:
        """Leave it to rank 0."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing open."""


def copy_lines(source: Path, target: Path, after: int) -> None:
    """Keep in `target` the lines of steps after `after`, which a run that goes back to that step will make again."""
    _write(target, [line for _, line in read_lines(source) if line["step"] > after])


def _write(path: Path, lines: list[dict[str, Any]]) -> None:
    write_text(path, "".join(json.dumps(line) + "\n" for line in lines))
