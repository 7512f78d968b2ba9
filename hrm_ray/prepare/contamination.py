"""What training must not see: texts that share a run of words with a task of an evaluation.

A run of 13 words is what GPT-3 was decontaminated by (arXiv 2005.14165, appendix C). In Go the commonest such runs are
boilerplate (`if err nil return nil err` again and again), so a run must hold some different words to count.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hrm_ray.errors import UserError
from hrm_ray.files import task_file, why
from hrm_ray.prepare.examples import Example
from hrm_ray.refusal import shown

DIFFERENT = 6
"""Different words that a run must hold, or all of a shorter run."""

_WORD = re.compile(r"\w+")
_SECTIONS = ("title", "body", "before", "anchor", "code")


@dataclass(frozen=True)
class Tasks:
    """Tasks of evaluations: every run of words of their texts, how many they are, and how many too short for a run."""

    runs: frozenset[str]
    count: int
    too_short: int


def read_tasks(paths: Iterable[Path], words: int) -> Tasks:
    """Read the runs of `words` words in files of tasks, one JSON object a line, whatever its keys are called.

    Raises:
        UserError: a file cannot be read, or a line is not a JSON object; it names both.
    """
    found = [frozenset(run for text in texts for run in _runs(text, words)) for path in paths for texts in _tasks(path)]
    return Tasks(frozenset().union(*found), len(found), sum(not runs for runs in found))


def is_contaminated(example: Example, runs: frozenset[str], words: int) -> bool:
    """Whether a section of an example shares a run with the tasks; the outline is too terse to give one away."""
    return any(run in runs for name in _SECTIONS for run in _runs(getattr(example, name), words))


def _runs(text: str, words: int) -> Iterator[str]:
    found = _WORD.findall(text.lower())
    for start in range(len(found) - words + 1):
        run = found[start : start + words]
        if len(set(run)) >= min(DIFFERENT, words):
            yield " ".join(run)


def _tasks(path: Path) -> Iterator[list[str]]:
    """The texts of each task."""
    try:
        lines = task_file(path).read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: the evaluation tasks cannot be read ({why(error)})") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            task = json.loads(line)
            strings = list(_strings(task))
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path}:{number}: not JSON, or nested too deeply ({error})") from error
        if not isinstance(task, dict):
            raise UserError(f"{path}:{number}: a task is keys and values, and this is {shown(task)}")
        yield strings


def _strings(value: object) -> Iterator[str]:
    """Every text in a tree of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from _strings(child)
