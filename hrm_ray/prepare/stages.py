"""The stages of a pipeline: each is timed and shown, and its work is dealt to Ray tasks, one task a work item."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import ray
from rich.progress import Progress

from hrm_ray.errors import UserError

Item = dict[str, Any]
"""A work item or its result: what JSON can hold. Data itself travels through files."""


class Stages:
    """Runs stages, shows them on `progress` and keeps how long each took and how many Ray tasks it ran."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.seconds: dict[str, float] = {}
        self.tasks: dict[str, int] = {}

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

        Raises:
            UserError: of the first item whose task raised one, after the others have ended.
        """
        if not ray.is_initialized():  # Ray Data would start one of its own, with its own settings
            raise RuntimeError("no Ray is running: call this within hrm_ray.launch.session")
        _quiet()
        rows = [{"index": index, "item": json.dumps(item)} for index, item in enumerate(items)]
        # One block an item: a reader of files would put them all into one task.
        dataset = ray.data.from_items(rows, override_num_blocks=len(rows)).map(_Call(task))
        results: dict[int, Item] = {}
        with self.stage(name, len(items)) as advance:
            for row in dataset.iter_rows():
                results[row["index"]] = row
                advance()
        self.tasks[name] = len({row["task"] for row in results.values()})
        # Only now, so that it is always the same error and no task still writes when the caller cleans up.
        for _, row in sorted(results.items()):
            if row["error"]:
                raise UserError(row["error"])
        return [json.loads(results[index]["result"]) for index in range(len(items))]


class _Call:
    """Calls a task on one row; a user's error comes back as a value, free of Ray's stack traces."""

    def __init__(self, task: Callable[[Item], Item]) -> None:
        self._task = task

    def __call__(self, row: Mapping[str, Any]) -> Item:
        done = {"index": row["index"], "task": ray.get_runtime_context().get_task_id(), "result": "", "error": ""}
        try:
            return {**done, "result": json.dumps(self._task(json.loads(row["item"])))}
        except UserError as error:
            return {**done, "error": str(error)}


def _quiet() -> None:
    """Leave the terminal to our own progress; what fails is raised to us, so Ray Data need not log it too."""
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
