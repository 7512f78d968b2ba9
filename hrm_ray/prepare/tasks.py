"""What one Ray task of `prepare` does: extract the examples of one part of the input, tokenise one part of a fold.

Both read files, write one part file and return counts; the same work item always gives the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from hrm_ray.collect import records
from hrm_ray.config import Prepare
from hrm_ray.errors import UserError
from hrm_ray.prepare import functions, jsonl, sections
from hrm_ray.prepare.dedup import fingerprint
from hrm_ray.prepare.examples import NO_PULL_REQUEST, Example
from hrm_ray.prepare.extract import extract
from hrm_ray.prepare.judgements import judgements
from hrm_ray.prepare.shards import EXAMPLE, JUDGEMENTS, TOKENISED, Shards, part_name, write
from hrm_ray.prepare.split import merge_time
from hrm_ray.prepare.stages import Item
from hrm_ray.prepare.tokenizer import Tokenizer

EXTRACTED = pa.schema([*EXAMPLE, ("fingerprint", pa.string()), ("fold", pa.string())])
"""Columns between the two stages; `fold` is empty until a split has been made."""

SLICES = 4
"""Tasks that share one row group or file, every fourth record each: reading is cheap, extracting is not."""


def extract_part(item: Item, *, folder: Path, settings: Prepare) -> Item:
    """Write the examples of `item` {part, path, row_group, slice, fold} to `folder/extracted`.

    `row_group` is null for pull requests in JSON lines; a `fold` says that the file holds examples, or functions.
    """
    drops: Counter[str] = Counter()
    path = Path(item["path"])
    rows = [
        {**asdict(example), "fingerprint": fingerprint(example), "fold": item["fold"]}
        for example in _examples(item, settings.max_plan_steps, drops)
        if _has_merge_time(example, path)
    ]
    if rows:
        write(folder / "extracted" / part_name(item["part"]), rows, EXTRACTED)
    return {"drops": drops, "examples": len(rows)}


def tokenise_part(item: Item, *, folder: Path, settings: Prepare, seed: int) -> Item:
    """Write one part of a fold, and its judge documents, from `item` {part, fold, rows of `folder/extracted`}.

    A part of which nothing is left is written too, without rows, so that a reader finds every fold.
    """
    tokenizer = Tokenizer.load(folder / "tokenizer.json")
    extracted = Shards(folder / "extracted")
    drops: Counter[str] = Counter()
    shortened: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    judged: list[dict[str, Any]] = []
    for index in item["rows"]:
        example = extracted.example(index)
        whole = sections.prefix(example, tokenizer)
        given = sections.shorten(whole, settings.window)
        columns = sections.solve(example, given, tokenizer, settings.window)
        if columns is None:
            drops["larger than the window"] += 1
            continue
        shortened.update(name for name in sections.SHORTENED if given.get(name) != whole.get(name))
        rows.append({**asdict(example), **columns, "weight": _weight(example, settings)})
        if item["fold"] == "train":
            continue
        for judgement in judgements(example, seed, drops):
            row = sections.judge(judgement, given, tokenizer, settings.window)
            if row is None:
                drops["judge document larger than the window"] += 1
            else:
                judged.append(row)
    name = f"{item['fold']}/{part_name(item['part'])}"
    shards = {name: write(folder / name, rows, TOKENISED)}
    if item["fold"] != "train":
        name = f"judgements/{name}"
        shards[name] = write(folder / name, judged, JUDGEMENTS)
    return {"drops": drops, "shortened": shortened, "shards": shards}


def _examples(item: Item, max_plan_steps: int, drops: Counter[str]) -> Iterator[Example]:
    path, row_group = Path(item["path"]), item["row_group"]
    if item["fold"] == functions.FOLD:
        yield from map(functions.example, islice(functions.read(path), item["slice"], None, SLICES))
        return
    if item["fold"]:
        yield from islice(jsonl.read(path), item["slice"], None, SLICES)
        return
    pull_requests = records.read(path) if row_group is None else records.read_row_group(path, row_group)
    for pull_request in islice(pull_requests, item["slice"], None, SLICES):
        yield from extract(pull_request, max_plan_steps, drops)


def _weight(example: Example, settings: Prepare) -> float:
    if example.number == NO_PULL_REQUEST:
        return settings.function_weight
    return settings.test_weight if example.is_test else 1.0


def _has_merge_time(example: Example, path: Path) -> bool:
    try:
        return bool(merge_time(example.merged_at))
    except ValueError as error:
        raise UserError(
            f"{path}: {example.repository}#{example.number}: merged_at is {example.merged_at!r}, not an ISO 8601 time"
        ) from error
