"""Pull requests -> examples -> folds -> tokenizer -> shards and `dataset.json`, by Ray Data.

Everything is written into a folder beside the dataset and moved into place at the end, `dataset.json` last: without
that file there is no dataset. The work items are fixed before they are dealt out, so any number of workers writes
the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from rich.progress import Progress

import hrm_ray
from hrm_ray.collect import records
from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.files import sha256
from hrm_ray.prepare import card, functions, jsonl
from hrm_ray.prepare.dedup import keep_earliest
from hrm_ray.prepare.shards import Shards
from hrm_ray.prepare.split import FOLDS, split
from hrm_ray.prepare.stages import Item, Stages
from hrm_ray.prepare.tasks import SLICES, extract_part, tokenise_part
from hrm_ray.prepare.tokenizer import Tokenizer

TOKENIZER_BYTES = 100_000_000
"""UTF-8 bytes of the training fold that the tokenizer sees, taken in order of the examples' ids, which are hashes."""

ROWS_PER_PART = 512
MAX_PARTS = 256
"""Parts are small so that the tasks balance, and few so that a reader does not run out of open files."""

Folds = dict[str, list[int]]
"""Rows of `extracted` in each fold, sorted by id."""

Session = Callable[[int], AbstractContextManager[object]]
"""Called with a number of CPUs, gives the context in which Ray runs with them (`hrm_ray.launch.session`)."""


def prepare(config: Config, progress: Progress, session: Session = nullcontext) -> dict[str, Any]:
    """Write the dataset folder `config.data` and return its card; do nothing where it is there already.

    `session` is entered only when there is work, for Ray takes seconds to start; without one Ray must be running.

    Raises:
        UserError: the input is missing, holds a record that cannot be read, or leaves no examples.
    """
    inputs = _inputs(config)
    made_from = _made_from(config, inputs)
    if _is_current(config.data, made_from):
        progress.console.print(f"{config.data}: up to date, nothing to do")
        return card.read(config.data)
    items = _items(inputs)
    with session(config.prepare.workers), _workspace(config.data) as folder:
        facts = {"made_from": made_from, **_build(config, inputs, items, folder, Stages(progress))}
        (folder / card.CARD).write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
        _publish(folder, config.data)
    return facts


def _build(
    config: Config, inputs: Mapping[str, Path], items: Sequence[Item], folder: Path, stages: Stages
) -> dict[str, Any]:
    """Fill `folder` and return the card."""
    settings = config.prepare
    parts = stages.fan_out("extract", partial(extract_part, folder=folder, settings=settings), items)
    drops = sum((Counter(part["drops"]) for part in parts), Counter[str]())
    if not any(part["examples"] for item, part in zip(items, parts, strict=True) if item["fold"] != functions.FOLD):
        raise UserError(f"{config.pull_requests}: there is no example in it ({_reasons(drops)})")
    extracted = Shards(folder / "extracted")
    with stages.stage("split"):
        folds = _assign(extracted, config, drops)
    with stages.stage("tokenizer"):
        tokenizer, sampled = _train_tokenizer(extracted, folds["train"], settings.vocab_size)
        tokenizer.save(folder / "tokenizer.json")
    task = partial(tokenise_part, folder=folder, settings=settings, seed=config.seed)
    written = stages.fan_out("tokenise", task, _chunks(folds))
    drops = sum((Counter(part["drops"]) for part in written), drops)
    shards = {name: digest for part in written for name, digest in part["shards"].items()}
    for fold, rows in folds.items():
        if (rows or fold == "train") and not len(Shards(folder / fold)):
            raise UserError(f"{config.pull_requests}: the {fold} fold is left without examples ({_reasons(drops)})")
    with stages.stage("describe"):
        if settings.jsonl:
            for fold, rows in folds.items():
                jsonl.write(folder / "jsonl" / jsonl.FILES[fold], map(extracted.example, rows))
        described = card.describe(folder, shards, tokenizer.sha256)
    shutil.rmtree(folder / "extracted")
    return {
        **described,
        "drops": dict(sorted((+drops).items())),
        "shortened": sum((Counter(part["shortened"]) for part in written), Counter[str]()),
        "tokenizer": {"sha256": tokenizer.sha256, "vocab_size": tokenizer.vocab_size, **sampled},
        "inputs": [{"file": str(path), "sha256": sha256(path)} for path in inputs.values()],
        "settings": {"seed": config.seed, "prepare": settings.model_dump(mode="json")},
        "version": hrm_ray.__version__,
        "seconds": stages.seconds,
        "tasks": stages.tasks,
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
    return {"": path}


def _items(inputs: Mapping[str, Path]) -> list[Item]:
    """Return SLICES work items for each row group, and for each file of JSON lines; UserError where there are none."""
    places: list[Item] = []
    for fold, path in inputs.items():
        groups = range(records.row_groups(path)) if path.suffix == ".parquet" else [None]
        places += [
            {"path": str(path.resolve()), "row_group": group, "slice": at, "fold": fold}
            for group in groups
            for at in range(SLICES)
        ]
        if not places:
            raise UserError(f"{path}: there is no pull request in it")
    return [{"part": part, **place} for part, place in enumerate(places)]


def _assign(extracted: Shards, config: Config, drops: Counter[str]) -> Folds:
    """Deal the changes to the folds, then admit to the training fold the functions that give nothing away."""
    names = ("fingerprint", "merged_at", "id", "repository", "fold")
    columns: dict[str, list[Any]] = {name: extracted.column(name).to_pylist() for name in names}
    fold_of = _deal(columns, config, drops)
    held_out = {columns["repository"][row] for row, fold in fold_of.items() if fold != "train"}
    known = {columns["fingerprint"][row] for row in fold_of}
    written = [row for row, fold in enumerate(columns["fold"]) if fold == functions.FOLD]
    candidates = [(row, columns["repository"][row], columns["fingerprint"][row]) for row in written]
    fold_of |= dict.fromkeys(functions.admit(candidates, held_out, known, drops), "train")
    folds: Folds = {fold: [] for fold in FOLDS}
    for row in sorted(fold_of, key=lambda row: (columns["id"][row], columns["fingerprint"][row])):
        folds[fold_of[row]].append(row)
    return folds


def _deal(columns: Mapping[str, list[Any]], config: Config, drops: Counter[str]) -> dict[int, str]:
    """Return the fold of each row that is a change and no exact duplicate of another."""
    changes = [row for row, fold in enumerate(columns["fold"]) if fold != functions.FOLD]
    prints, merged, ids = ([columns[name][row] for row in changes] for name in ("fingerprint", "merged_at", "id"))
    kept = [changes[at] for at in keep_earliest(prints, merged, ids)]
    drops["exact duplicate"] += len(changes) - len(kept)
    repositories, merged, given = ([columns[name][row] for row in kept] for name in ("repository", "merged_at", "fold"))
    folds = given if given[0] else split(repositories, merged, config.prepare.split, config.seed)
    return dict(zip(kept, folds, strict=True))


def _train_tokenizer(extracted: Shards, rows: Sequence[int], vocab_size: int) -> tuple[Tokenizer, dict[str, int]]:
    """Train on the different texts of the training fold; return also how much of it was seen."""
    seen: set[bytes] = set()
    counts = {"sampled_examples": 0, "sampled_bytes": 0}

    def texts() -> Iterator[str]:
        for row in rows:
            if counts["sampled_bytes"] >= TOKENIZER_BYTES:
                return
            counts["sampled_examples"] += 1
            values = extracted.row(row)
            for name in ("title", "body", "path", "outline", "before", "anchor", "plan", "code"):
                text = values[name].encode()
                digest = hashlib.sha256(text).digest()[:16]
                if digest not in seen:
                    seen.add(digest)
                    counts["sampled_bytes"] += len(text)
                    yield values[name]

    return Tokenizer.train(texts(), vocab_size), counts


def _chunks(folds: Folds) -> list[Item]:
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
    """Hash all that the dataset's content depends on: settings, input files and the code that reads them."""
    package = Path(hrm_ray.__file__).parent
    sources = [package / "collect" / name for name in ("functions.py", "records.py")]
    sources += [path for name in ("golang", "prepare") for path in sorted((package / name).rglob("*.py"))]
    request = {
        "settings": config.prepare.model_dump(mode="json", exclude={"input", "functions", "workers"}),
        "seed": config.seed,
        "inputs": {fold: sha256(path) for fold, path in inputs.items()},
        "code": {str(path.relative_to(package)): sha256(path) for path in sources},
    }
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()


def _is_current(data: Path, made_from: str) -> bool:
    try:
        facts = card.read(data)
    except UserError:
        return False  # there is none, or its card is damaged
    return facts.get("made_from") == made_from and all((data / name).is_file() for name in facts["shards"])


@contextmanager
def _workspace(data: Path) -> Iterator[Path]:
    """Give an empty folder inside `data` and remove it afterwards; what a killed run left there goes first."""
    folder = data.resolve() / ".preparing"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _publish(folder: Path, data: Path) -> None:
    """Put the new dataset in the place of the old one; in between there is none."""
    (data / card.CARD).unlink(missing_ok=True)
    for name in (*FOLDS, "judgements"):
        shutil.rmtree(data / name, ignore_errors=True)
    for entry in sorted(folder.iterdir(), key=lambda entry: (entry.name == card.CARD, entry.name)):
        if (data / entry.name).is_dir():
            shutil.rmtree(data / entry.name)
        entry.replace(data / entry.name)


def _reasons(drops: Counter[str]) -> str:
    return ", ".join(f"{reason}: {count}" for reason, count in sorted(drops.items())) or "nothing was dropped"
