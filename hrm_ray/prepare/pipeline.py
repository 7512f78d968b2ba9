"""Pull requests -> examples -> folds -> tokenizer -> shards and the data card, by Ray Data.

Everything is written into a folder beside the dataset and moved into place at the end, `dataset.json` last: without
that file there is no dataset. The work items are fixed before they are dealt out, so any number of workers writes
the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.progress import Progress

import hrm_ray
from hrm_ray.collect import records
from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.files import sha256, task_file, write_text
from hrm_ray.prepare import card, data_card, functions, jsonl, vocabulary
from hrm_ray.prepare.adopted import adopt
from hrm_ray.prepare.assign import assign
from hrm_ray.prepare.code_digest import code_digest
from hrm_ray.prepare.contamination import read_tasks
from hrm_ray.prepare.extraction import TASK_RUNS, extract_part
from hrm_ray.prepare.shards import Shards
from hrm_ray.prepare.stages import Item, Stages
from hrm_ray.prepare.tokenisation import tokenise_part
from hrm_ray.prepare.workspace import publish, workspace

ROWS_PER_PART = 512
MAX_PARTS = 256
"""Parts are small so that the tasks balance, and few so that a reader does not run out of open files."""

ITEMS = 16
"""Fewest work items of a file: some share a row group then, every n-th record each, as reading is cheap and extracting
is not. No more than it takes: between two Ray Data tasks a CPU idles for a quarter of a second."""

ITEM_BYTES = 32 << 20
"""Most bytes of a row group or file for each item, which holds in memory what it makes."""

LIBRARIES = ("datasketch", "numpy", "pyarrow", "rapidfuzz", "tokenizers", "tree-sitter", "tree-sitter-go")
"""Whose next version may write other bytes."""

Session = Callable[[int], AbstractContextManager[object]]
"""Called with a number of CPUs, gives the context in which Ray runs with them (`hrm_ray.launch.session`)."""


def prepare(config: Config, progress: Progress, session: Session = nullcontext) -> dict[str, Any]:
    """Write the dataset folder `config.data` and return its card; do nothing where it is there already.

    What a killed run has finished is not done again. `session` is entered only when there is work, for Ray takes
    seconds to start; without one Ray must be running.

    Raises:
        UserError: the input is missing, holds a record that cannot be read, or leaves no examples.
    """
    inputs = _inputs(config)
    made_from = _made_from(config, inputs)
    if _is_current(config.data, made_from):
        progress.console.print(f"{config.data}: up to date, nothing to do")
        return card.read(config.data)
    items = _items(inputs)
    tasks = read_tasks(config.prepare.decontaminate.tasks, config.prepare.decontaminate.words)
    with workspace(config.data, made_from) as folder, session(config.prepare.workers):
        write_text(folder / TASK_RUNS, json.dumps(sorted(tasks.runs)))
        facts = _build(config, inputs, items, folder, Stages(progress, folder / "finished", config.prepare.workers))
        facts |= {
            "made_from": made_from,
            "evaluation_tasks": {"count": tasks.count, "too_short": tasks.too_short},
        }
        write_text(folder / data_card.NAME, data_card.render(facts))
        write_text(folder / card.CARD, json.dumps(facts, indent=1) + "\n")
        publish(folder, config.data)
    return facts


def _build(
    config: Config, inputs: Mapping[str, Path], items: Sequence[Item], folder: Path, stages: Stages
) -> dict[str, Any]:
    """Fill `folder` and return the card."""
    settings = config.prepare
    parts = stages.fan_out("extract", partial(extract_part, folder=folder, config=config), items)
    drops = _sum(parts, "drops")
    if not any(part["examples"] for item, part in zip(items, parts, strict=True) if item["fold"] != functions.FOLD):
        raise UserError(f"{config.pull_requests}: there is no example in it ({_reasons(drops)})")
    extracted = Shards(folder / "extracted")
    with stages.stage("split"):
        assigned = assign(extracted, settings, config.seed, drops)
    with stages.stage("tokenizer"):
        tokenizer, sampled = vocabulary.make(extracted, assigned.folds["train"], settings)
        tokenizer.save(folder / "tokenizer.json")
    task = partial(tokenise_part, folder=folder, settings=settings, seed=config.seed)
    written = stages.fan_out("tokenise", task, _chunks(assigned.folds))
    drops += _sum(written, "drops")
    shards = {name: digest for part in written for name, digest in part["shards"].items()}
    for fold, rows in assigned.folds.items():
        if (rows or fold == "train") and not len(Shards(folder / fold)):
            raise UserError(f"{config.pull_requests}: the {fold} fold is left without examples ({_reasons(drops)})")
    with stages.stage("describe"):
        if settings.jsonl:
            for fold, rows in assigned.folds.items():
                jsonl.write(folder / "jsonl" / jsonl.FILES[fold], map(extracted.example, rows))
        described = card.describe(folder, shards, tokenizer.sha256)
    return {
        **described,
        "drops": dict(sorted((+drops).items())),
        "scrubbed": dict(sorted(_sum(parts, "scrubbed").items())),
        "unreadable": sorted({place for part in parts for place in part["unreadable"]}),
        "duplicates": assigned.duplicates,
        "shortened": dict(sorted(_sum(written, "shortened").items())),
        "tokenizer": {"sha256": tokenizer.sha256, "vocab_size": tokenizer.vocab_size, **sampled},
        "inputs": [{"file": str(path), "fold": fold, "sha256": sha256(path)} for fold, path in inputs.items()],
        "collection": card.collection(config.pull_requests),
        "settings": config.model_dump(mode="json", include={"seed", "clean", "prepare"}),
        "version": hrm_ray.__version__,
        "seconds": stages.seconds,
        "ran": stages.ran,
        "processes": stages.processes,
    }


def _inputs(config: Config) -> dict[str, Path]:
    """Return the input files by fold; the fold of a file of pull requests is ''."""
    written = config.prepare.functions
    if written is not None and not written.is_file():
        raise UserError(f"{written}: there is no such file; run `hrm-ray collect` with collect.source: functions first")
    return _changes(config.pull_requests) | ({functions.FOLD: written} if written is not None else {})


def _changes(path: Path) -> dict[str, Path]:
    if jsonl.is_folder(path):
        return {fold: path / name for fold, name in jsonl.FILES.items() if (path / name).is_file()}
    if path.is_dir():
        raise UserError(f"{path}: a folder given as prepare.input must hold train.jsonl, and this one does not")
    if not path.is_file():
        raise UserError(f"{path}: there is no such file; run `hrm-ray collect` first or set prepare.input")
    records.check_name(path)
    return {"": path}


def _items(inputs: Mapping[str, Path]) -> list[Item]:
    """Return work items for each row group, and for each file of JSON lines; UserError where there are none."""
    places: list[Item] = []
    for fold, path in inputs.items():
        groups = records.row_groups(path) if path.suffix == ".parquet" else [path.stat().st_size]
        places += [
            {"path": str(path.resolve()), "row_group": group, "slice": at, "slices": slices, "fold": fold}
            for group, size in enumerate(groups)
            for slices in [max(-(-ITEMS // len(groups)), -(-size // ITEM_BYTES))]
            for at in range(slices)
        ]
        if not places:
            raise UserError(f"{path}: there is no pull request in it")
    return [{"part": part, **place} for part, place in enumerate(places)]


def _chunks(folds: Mapping[str, list[int]]) -> list[Item]:
    """Return a work item for each part file, one for an empty fold too.

    The training fold, without judge documents the quickest, comes last.
    """
    items: list[Item] = []
    for fold, rows in sorted(folds.items(), key=lambda pair: pair[0] == "train"):
        size = max(ROWS_PER_PART, -(-len(rows) // MAX_PARTS))
        parts = [rows[start : start + size] for start in range(0, len(rows) or 1, size)]
        items += [{"fold": fold, "part": part, "rows": chosen} for part, chosen in enumerate(parts)]
    return items


def _made_from(config: Config, inputs: Mapping[str, Path]) -> str:
    """Hash all that the content depends on: settings, input files and the code that reads them, ours or not."""
    request = {
        "settings": config.prepare.model_dump(mode="json", exclude={"input", "functions", "tokenizer_from", "workers"}),
        "tokenizer": adopt(folder).sha256 if (folder := config.prepare.tokenizer_from) else None,
        "clean": config.clean.model_dump(mode="json"),
        "seed": config.seed,
        "inputs": {fold: sha256(path) for fold, path in inputs.items()},
        "tasks": [sha256(path) for path in map(task_file, config.prepare.decontaminate.tasks) if path.is_file()],
        "code": code_digest(Path(hrm_ray.__file__).parent),
        "libraries": {name: version(name) for name in LIBRARIES},
    }
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()


def _is_current(data: Path, made_from: str) -> bool:
    try:
        facts = card.read(data)
    except UserError:
        return False  # there is none, or its card is damaged
    return facts.get("made_from") == made_from and all(
        (data / name).is_file() for name in (*card.FILES, *facts["shards"])
    )


def _sum(parts: Sequence[Item], name: str) -> Counter[str]:
    return sum((Counter(part[name]) for part in parts), Counter[str]())


def _reasons(drops: Counter[str]) -> str:
    return ", ".join(f"{reason}: {count}" for reason, count in sorted(drops.items())) or "nothing was dropped"
