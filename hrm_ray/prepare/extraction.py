"""The first stage's task: the cleaned examples of one part of the input, with what they are compared by.

It reads a file, writes one part file and returns counts; the same work item always gives the same bytes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from hrm_ray.collect import clean, records
from hrm_ray.collect.clean import Piece
from hrm_ray.collect.filters import Dropped
from hrm_ray.collect.records import Every, PullRequest
from hrm_ray.config import Config, Prepare
from hrm_ray.errors import UserError
from hrm_ray.prepare import edits, functions, jsonl, near
from hrm_ray.prepare.contamination import is_contaminated
from hrm_ray.prepare.dedup import fingerprint, text_digest
from hrm_ray.prepare.examples import NO_PULL_REQUEST, Example
from hrm_ray.prepare.extract import extract
from hrm_ray.prepare.plan import placed
from hrm_ray.prepare.runs import run_bytes
from hrm_ray.prepare.shards import EXTRACTED, part_name, write
from hrm_ray.prepare.split import merge_time
from hrm_ray.prepare.stages import Item

TASK_RUNS = "task_runs.json"
"""File of the runs of words that no example may share with an evaluation task."""

_ELSEWHERE = {"fork_of": "", "head_sha": ""}
"""What is known of the commits behind an example that was not made of a pull request here."""


@dataclass
class _Part:
    """A work item, and what comes of it beside examples: what is left out, by reason, what was taken out of texts, by
    kind, and what could not be read, by name."""

    item: Item
    config: Config
    drops: Counter[str] = field(default_factory=Counter)
    scrubbed: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)

    def note(self, error: UserError) -> None:
        """Refuse what cannot be read, or note it and go on, as the settings say."""
        if self.config.prepare.unreadable == "refuse":
            raise error
        self.unreadable.append(str(error))


def extract_part(item: Item, *, folder: Path, config: Config) -> Item:
    """Write the examples of `item` {part, path, row_group, slice, slices, fold} to `folder/extracted`.

    `row_group` counts in Parquet files only; a `fold` says that the file holds examples, or functions.
    """
    part = _Part(item, config)
    tasks, words = _task_runs(folder / TASK_RUNS), config.prepare.decontaminate.words
    rows = []
    for example, origin in _examples(part):
        if tasks and is_contaminated(example, tasks, words):
            part.drops["shares a text with an evaluation task"] += 1
        elif _can_be_placed(example, part):
            rows.append({**vars(example), **_digests(example), **origin, "fold": item["fold"]})
    name = f"extracted/{part_name(item['part'])}"
    shards = {name: write(folder / name, rows, EXTRACTED)} if rows else {}
    told = {"drops": part.drops, "scrubbed": part.scrubbed, "unreadable": part.unreadable}
    return {**told, "shards": shards, "examples": len(rows)}


def _examples(part: _Part) -> Iterator[tuple[Example, dict[str, str]]]:
    """The examples of a part, each with what its record says of where it comes from."""
    path, row_group, fold = Path(part.item["path"]), part.item["row_group"], part.item["fold"]
    every = Every(part.item["slice"], part.item["slices"])
    if fold == functions.FOLD:
        read = functions.read(path, part.note, every)
        for function in _pieces(part, "function", read, functions.GO, functions.SPOKEN):
            yield functions.example(function), _ELSEWHERE
    elif fold:
        for example in _pieces(part, "example", jsonl.read(path, part.note, every), jsonl.GO, jsonl.SPOKEN):
            yield _in_form(example, part.config.prepare), _ELSEWHERE
    elif path.suffix == ".parquet":
        yield from _changes(part, records.read_row_group(path, row_group, part.note, every))
    else:
        yield from _changes(part, records.read(path, part.note, every))


def _in_form(example: Example, settings: Prepare) -> Example:
    """Give a modification prepared elsewhere the plan of this form: with the places of its hunks, or without."""
    if example.change == "added" or settings.form == "whole":
        return replace(example, plan=edits.without_places(example.plan))
    plan = placed(example.before, example.code, example.kinds, example.names, settings.max_plan_steps)
    return replace(example, plan=plan)


def _changes(part: _Part, found: Iterable[PullRequest]) -> Iterator[tuple[Example, dict[str, str]]]:
    settings = part.config.prepare
    for given in found:
        try:
            pull_request = clean.cleaned(given, part.config.clean, part.drops, part.scrubbed)
        except Dropped as reason:
            part.drops[str(reason)] += 1
            continue
        if settings.issues:
            pull_request = _with_issues(pull_request)
        origin = {"fork_of": given.repo.fork_of, "head_sha": given.pull_request.head_sha}
        bound = run_bytes(settings.window)
        for example in extract(pull_request, settings.max_plan_steps, part.drops, bound, settings.form):
            yield example, origin


def _pieces(
    part: _Part, what: str, found: Iterable[Piece], go: Iterable[str], spoken: Iterable[str]
) -> Iterator[Piece]:
    for given in found:
        try:
            yield clean.cleaned_piece(given, what, go, spoken, part.config.clean, part.scrubbed)
        except Dropped as reason:
            part.drops[str(reason)] += 1


def _with_issues(pull_request: PullRequest) -> PullRequest:
    """The same with the issues that it closed at the end of its body."""
    request = pull_request.pull_request
    told = [f"{issue.title}\n{issue.body}".strip() for issue in request.issues]
    body = "\n\n".join(part for part in (request.body, *told) if part)
    return replace(pull_request, pull_request=replace(request, body=body))


def _digests(example: Example) -> dict[str, Any]:
    """What the index compares examples by."""
    return {
        "fingerprint": fingerprint(example),
        "text_before": text_digest(example.before),
        "text_after": text_digest(example.code),
        "signature": near.signature(near.shingles(example)),
    }


@lru_cache(maxsize=1)
def _task_runs(path: Path) -> frozenset[str]:
    return frozenset(json.loads(path.read_text("utf-8"))) if path.is_file() else frozenset()


def _can_be_placed(example: Example, part: _Part) -> bool:
    """Whether the number and time of an example are such; what is not is noted."""
    place = f"{part.item['path']}: {example.repository}#{example.number}"
    if not NO_PULL_REQUEST <= example.number < 2**31:
        part.note(UserError(f"{place}: that is no number of a pull request"))
        return False
    try:
        return bool(merge_time(example.merged_at))
    except ValueError:
        part.note(UserError(f"{place}: merged_at is {example.merged_at!r}, not an ISO 8601 time"))
        return False
