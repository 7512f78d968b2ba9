"""The stages of a pipeline: each is timed and shown, and its work is dealt to Ray tasks, one task a work item.

What a finished item returned lies in a file, so that a pipeline that was killed goes on with the items that are left.
Ray Data's own checkpoints (2.60) would need the data itself to pass through its reads and writes, and a CPU for their
filter.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from rich.progress import Progress

from hrm_ray.errors import DiskError, UserError, explained
from hrm_ray.files import sha256, write_text

Item = dict[str, Any]
"""A work item or its result: what JSON can hold. Data itself travels through files."""


class Stages:
    """Runs stages on `workers` processes, shows them on `progress` and keeps how long each took and what it ran.

    `finished` is the folder of the results so far, beside the files that they name with their sha256 as `shards`.
    """

    def __init__(self, progress: Progress, finished: Path, workers: int) -> None:
        self._progress = progress
        self._finished = finished
        self._workers = workers
        self.seconds: dict[str, float] = {}
        self.ran: dict[str, int] = {}
        """Work items of each stage that were not finished by an earlier run."""
        self.processes: dict[str, int] = {}
        """Processes that they ran on."""

    @contextmanager
    def stage(self, name: str, total: int | None = None) -> Iterator[Callable[[], None]]:
        """Time a block; it is handed a function to call after each of `total` steps."""
        bar = self._progress.add_task(name, total=total)
        start = time.perf_counter()
        yield lambda: self._progress.advance(bar)
        self.seconds[name] = round(time.perf_counter() - start, 2)
        self._progress.update(bar, total=total or 1, completed=total or 1)

    def fan_out(self, name: str, task: Callable[[Item], Item], items: Sequence[Item]) -> list[Item]:
        """Run `task`, a picklable function, on every item through Ray Data; return the results in order of `items`.

        Items whose results are there already, with the files they wrote, are not run again.

        Raises:
            UserError: of the first item whose task raised one, after the others have ended.
        """
        results = [self._finished / f"{name}-{index:05d}.json" for index in range(len(items))]
        done = {index: found for index, result in enumerate(results) if (found := self._earlier(result)) is not None}
        left = [index for index in range(len(items)) if index not in done]
        rows = [{"item": json.dumps(items[index]), "result": str(results[index])} for index in left]
        with self.stage(name, len(items)) as advance:
            for _ in range(len(items) - len(rows)):
                advance()
            ended = list(self.run(task, rows, advance)) if rows else []
        self.ran[name], self.processes[name] = len(ended), len({row["process"] for row in ended})
        # Only now, so that it is always the same error and no task still writes when the caller cleans up.
        for row in sorted(ended, key=lambda row: str(row["result"])):
            if row["error"]:
                raise (DiskError if row["disk"] else UserError)(row["error"])
        return [done.get(index) or json.loads(result.read_text("utf-8")) for index, result in enumerate(results)]

    def _earlier(self, result: Path) -> Item | None:
        """What an item returned in a run that was stopped; None where a file is torn or gone, as after a power cut."""
        try:
            found: Item = json.loads(result.read_text("utf-8"))
            made = found.get("shards", {}).items()
            return found if all(sha256(self._finished.parent / name) == digest for name, digest in made) else None
        except (OSError, ValueError):
            return None

    def run(self, task: Callable[[Item], Item], rows: Sequence[Item], advance: Callable[[], None]) -> Iterator[Item]:
        """Run the task on every row through Ray Data; yield what became of each as it ends."""
        if not ray.is_initialized():  # Ray Data would start one of its own, with its own settings
            raise RuntimeError("no Ray is running: call this within hrm_ray.launch.session")
        quiet()
        # One block an item: a reader of files would put them all into one task.
        items = ray.data.from_items(list(rows), override_num_blocks=len(rows))
        for row in items.map(Call(task), concurrency=min(self._workers, len(rows))).iter_rows():
            yield row
            advance()


class Call:
    """Calls a task on one row; a user's error comes back as a value, free of Ray's stack traces."""

    def __init__(self, task: Callable[[Item], Item]) -> None:
        self._task = task

    def __call__(self, row: Mapping[str, Any]) -> Item:
        """Write what the item returned to the row's file, and return what became of it."""
        done = {"result": row["result"], "process": f"{platform.node()}:{os.getpid()}", "error": "", "disk": False}
        try:
            with explained():
                write_text(Path(row["result"]), json.dumps(self._task(json.loads(row["item"]))))
        except UserError as error:
            return {**done, "error": str(error), "disk": isinstance(error, DiskError)}
        return done


def quiet() -> None:
    """Leave the terminal to our own progress; what fails is raised to us, so Ray Data need not log it too."""
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
