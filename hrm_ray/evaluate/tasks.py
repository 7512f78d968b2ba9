"""Write answers to Go tasks and run their tests in the sandbox: pass@k."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from hrm_ray.evaluate.cache import Fill, in_turn, written
from hrm_ray.evaluate.generation import Request
from hrm_ray.evaluate.opened import Network
from hrm_ray.evaluate.pass_at_k import summary
from hrm_ray.evaluate.task import Task, read, run
from hrm_ray.files import write_text
from hrm_ray.golang.confined import Outcome, Verdict
from hrm_ray.prepare import sections

FILE = "task_attempts.jsonl"

_PLACE = re.compile(r"\btask(?:_test)?\.go:\d+.*")

_MOST_SAID = 2000
"""Characters of a run's output that are kept: the last ones, where the reason is."""


def measure(network: Network, progress: Callable[[int, int], None], fill: Fill = in_turn) -> dict[str, Any] | None:
    """Return the `tasks` of `evaluation.json`, and write what was written for them; None where none are asked for.

    Raises:
        UserError: there is no sandbox here, or a file of tasks cannot be used.
    """
    settings = network.config.evaluate
    if not settings.tasks:
        return None
    sound, left_out = checked(settings.tasks)
    fitting = {task: prefix for task in sound if (prefix := _prefix(network, task))}
    left_out |= {task.id: "does not fit the window" for task in sound if task not in fitting}
    attempts = [(task, number) for task in fitting for number in range(settings.task_samples)]
    asked = [Request(fitting[task], f"{task.id}#{number}", chosen=False) for task, number in attempts]
    rows = written(network, asked, progress, fill)
    texts = [request.texts(row, network.tokenizer) for request, row in zip(asked, rows, strict=True)]
    plans, codes = [plan for plan, _ in texts], [code for _, code in texts]
    outcomes = run([(task, code) for (task, _), code in zip(attempts, codes, strict=True)])
    lines = [
        {"id": task.id, "attempt": number, "plan": plan, "code": code, **_told(outcome)}
        for (task, number), plan, code, outcome in zip(attempts, plans, codes, outcomes, strict=True)
    ]
    write_text(network.run_dir / FILE, "".join(json.dumps(line) + "\n" for line in lines))
    passed = Counter(line["id"] for line in lines if line["verdict"] == Verdict.PASSED)
    return {
        "count": len(fitting),
        "attempts": settings.task_samples,
        "temperature": settings.temperature,
        "left_out": left_out,
        "pass_at": summary([passed[task.id] for task in fitting], settings.task_samples),
        "verdicts": dict(Counter(line["verdict"] for line in lines)),
        "passed": {task.id: passed[task.id] for task in fitting},
    }


def checked(paths: Sequence[Path]) -> tuple[list[Task], dict[str, str]]:
    """Return the tasks whose own reference passes their tests, and why the others, by id, are left out."""
    sound, left_out = _checked(tuple(paths))
    return sound, dict(left_out)


@cache  # a run and its baselines are asked the same
def _checked(paths: tuple[Path, ...]) -> tuple[list[Task], dict[str, str]]:
    tasks = read(paths)
    outcomes = run([(task, task.reference) for task in tasks])
    judged = zip(tasks, outcomes, strict=True)
    left_out = {task.id: _why(outcome) for task, outcome in judged if outcome.verdict is not Verdict.PASSED}
    return [task for task in tasks if task.id not in left_out], left_out


def _why(outcome: Outcome) -> str:
    """The verdict on a reference, and the first place that its run names."""
    place = _PLACE.search(outcome.output)
    return f"its reference: {outcome.verdict}" + (f" ({place[0]})" if place else "")


def _prefix(network: Network, task: Task) -> list[int]:
    """Ids of problem and context; none where they leave no room in the window."""
    prepare = network.config.prepare
    whole = sections.prefix(task.example(), network.tokenizer, prepare.form)
    given = sections.shorten(whole, prepare.window, prepare.budgets)
    return sections.ids(given) if sections.size(given) < prepare.window else []


def _told(outcome: Outcome) -> dict[str, str]:
    return {"verdict": outcome.verdict, "output": outcome.output[-_MOST_SAID:]}
