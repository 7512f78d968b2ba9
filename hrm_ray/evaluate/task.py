"""Tasks of an evaluation: what is asked, and how it is tested (docs/formats.md)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from hrm_ray.errors import UserError
from hrm_ray.files import task_file
from hrm_ray.golang.confined import Outcome
from hrm_ray.golang.declarations import declarations
from hrm_ray.golang.program import program
from hrm_ray.golang.sandbox import sandbox
from hrm_ray.golang.toolchain import toolchain
from hrm_ray.golang.witness import named_tests
from hrm_ray.prepare.examples import Example
from hrm_ray.prepare.jsonl import rows


@dataclass(frozen=True)
class Task:
    """One line of a file of tasks; `reference` and `tests` are Go declarations, imports are found for them."""

    id: str
    prompt: str
    """The first line is the title of a pull request, the others are its body."""
    tests: str
    entry_point: str
    """A name that every answer declares."""
    reference: str

    def example(self) -> Example:
        """Return what `prepare` would make of a pull request that says so and adds a file."""
        title, _, body = self.prompt.strip().partition("\n")
        return Example(
            id=hashlib.sha256(self.id.encode()).hexdigest()[:16],
            repository="",
            license="",
            number=0,
            merged_at="",
            path=f"{self.entry_point.lower()}.go",
            change="added",
            kinds=(),
            names=(),
            is_test=False,
            comment_only=False,
            title=title.strip(),
            body=body.strip(),
            outline="",
            before="",
            anchor="",
            plan="",
            code="",
        )


_TASK = TypeAdapter(Task)


def read(paths: Iterable[Path]) -> list[Task]:
    """Read files of tasks; of `own`, those that ship with this package.

    Raises:
        UserError: a file cannot be read or is empty, a line is no task, or two have the same id.
    """
    tasks: dict[str, Task] = {}
    for path in paths:
        known = len(tasks)
        for task in rows(task_file(path), _TASK):
            if task.id in tasks:
                raise UserError(f"{path}: two tasks have the id {task.id}")
            if task.entry_point not in {name for one in declarations(task.reference) for name in one.names}:
                raise UserError(f"{path}: the reference of {task.id} does not declare {task.entry_point}")
            if not named_tests(task.tests):
                raise UserError(f"{path}: the tests of {task.id} declare no function of Go's form TestX")
            tasks[task.id] = task
        if len(tasks) == known:
            raise UserError(f"{path}: there are no tasks in it")
    return list(tasks.values())


def run(answers: Sequence[tuple[Task, str]]) -> list[Outcome]:
    """Run the tests of each task on an answer to it, in the sandbox, one a processor at a time; equal ones once.

    What the tests import depends on the reference alone: an answer that declares `slices` does not become their slices.

    Raises:
        UserError: there is no sandbox here.
    """
    box, go = sandbox(), toolchain()
    assert go is not None  # or there would be no sandbox
    distinct = dict.fromkeys(answers)
    packages = [
        {"task.go": program(code, go), "task_test.go": program(task.tests, go, beside=task.reference)}
        for task, code in distinct
    ]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        found = dict(zip(distinct, pool.map(box.test, packages), strict=True))
    return [found[answer] for answer in answers]
