"""The second stage's task: one part of a fold as tokens, with its judge documents.

It reads extracted examples, writes part files and returns counts; the same work item always gives the same bytes.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

from hrm_ray.config import Prepare
from hrm_ray.prepare import sections
from hrm_ray.prepare.examples import NO_PULL_REQUEST, Example
from hrm_ray.prepare.judgements import judgements
from hrm_ray.prepare.shards import JUDGEMENTS, TOKENISED, Shards, part_name, write
from hrm_ray.prepare.stages import Item
from hrm_ray.prepare.tokenizer import Tokenizer


def tokenise_part(item: Item, *, folder: Path, settings: Prepare, seed: int) -> Item:
    """Write one part of a fold, and its judge documents, from `item` {part, fold, rows of `folder/extracted`}.

    A part of which nothing is left is written too, without rows, so that a reader finds every fold.
    """
    tokenizer = _tokenizer(folder / "tokenizer.json")
    extracted = Shards(folder / "extracted")
    drops: Counter[str] = Counter()
    shortened: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    judged: list[dict[str, Any]] = []
    for index in item["rows"]:
        example = extracted.example(index)
        if not sections.fits(example, settings.form):
            drops["more lines than an edit can number"] += 1
            continue
        whole = sections.prefix(example, tokenizer, settings.form)
        given = sections.shorten(whole, settings.window, settings.budgets)
        columns = sections.solve(example, given, tokenizer, settings.window, settings.form)
        if columns is None:
            drops["larger than the window"] += 1
            continue
        shortened.update(name for name in sections.SHORTENED if given.get(name) != whole.get(name))
        rows.append({**vars(example), **columns, "weight": _weight(example, settings)})
        if item["fold"] == "train":
            continue
        for judgement in judgements(example, seed, drops):
            row = sections.judge(judgement, example, given, tokenizer, settings.window, settings.form)
            if row is None:
                drops["judge: larger than the window"] += 1
            else:
                judged.append(row)
    name = f"{item['fold']}/{part_name(item['part'])}"
    shards = {name: write(folder / name, rows, TOKENISED)}
    if item["fold"] != "train":
        name = f"judgements/{name}"
        shards[name] = write(folder / name, judged, JUDGEMENTS)
    return {"drops": drops, "shortened": shortened, "shards": shards}


@lru_cache(maxsize=1)
def _tokenizer(path: Path) -> Tokenizer:
    """Load it once a process: `tokenizers` 0.23 never gives back the 4 MB that one takes once it has been used."""
    return Tokenizer.load(path)


def _weight(example: Example, settings: Prepare) -> float:
    if example.number == NO_PULL_REQUEST:
        return settings.function_weight
    return settings.test_weight if example.is_test else 1.0
