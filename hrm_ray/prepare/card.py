"""`dataset.json`: what a dataset holds, where it came from and how it was made."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hrm_ray.errors import UserError
from hrm_ray.files import Record, read_record, sha256
from hrm_ray.prepare.examples import NO_PULL_REQUEST
from hrm_ray.prepare.judgements import Decision
from hrm_ray.prepare.plan import kinds_of
from hrm_ray.prepare.shards import Shards
from hrm_ray.prepare.split import FOLDS

CARD = "dataset.json"
FILES = (CARD, "data_card.md", "tokenizer.json")
"""The files of a dataset beside the folders of its folds."""

COLLECTION = "collection.json"
"""What `collect` says of the pull requests that it wrote, beside them."""

SECTIONS = ("problem", "context", "plan", "code")
PERCENTILES = (10, 50, 90, 99)

_INTENT = re.compile(r"(?:\S+: )?(add|change|remove|rename|move|signature)\b")


class _Tokenizer(Record):
    sha256: str
    vocab_size: int


class _Settings(Record):
    seed: int
    prepare: Mapping[str, Any]


class _Card(Record):
    """What is read of a card to train and to evaluate."""

    hash: str
    synthetic: bool
    tokenizer: _Tokenizer
    settings: _Settings
    shards: Mapping[str, str]


def read(data: Path) -> dict[str, Any]:
    """Return the card of a dataset folder.

    Raises:
        UserError: there is none, which means that there is no dataset, or it is not one; or shards are missing that it
            names, or there that it does not name.
    """
    path = data / CARD
    if data.is_file():
        raise UserError(f"{data}: is a file, and a dataset is a folder that `hrm-ray prepare` makes")
    if not path.exists():
        raise UserError(f"{path}: no dataset there; run `hrm-ray prepare` first")
    try:
        read_record(path, _Card)
    except UserError as error:
        raise UserError(f"{error}; run `hrm-ray prepare` again") from error
    card: dict[str, Any] = json.loads(path.read_text("utf-8"))
    _check_shards(data, set(card["shards"]))
    return card


def _check_shards(data: Path, named: set[str]) -> None:
    """Refuse a dataset of more or fewer shards than its card names, if it names any."""
    folders = [*FOLDS, *(f"judgements/{fold}" for fold in FOLDS)]
    found = {str(path.relative_to(data)) for folder in folders for path in data.glob(f"{folder}/part-*.arrow")}
    if named and (missing := min(named - found, default="")):
        raise UserError(f"{data / missing}: is missing, and {CARD} names it; run `hrm-ray prepare` again")
    if named and (foreign := min(found - named, default="")):
        raise UserError(f"{data / foreign}: is not of this dataset, {CARD} does not name it; remove it")


def collection(pull_requests: Path) -> dict[str, Any] | None:
    """What `collect` noted of this very file; None where there is no note, or it is of another file."""
    if not pull_requests.is_file():
        return None  # a folder of examples
    try:
        noted: dict[str, Any] = json.loads(pull_requests.with_name(COLLECTION).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return noted if noted.get("pull_requests_sha256") == sha256(pull_requests) else None


def describe(folder: Path, shards: Mapping[str, str], tokenizer_sha256: str) -> dict[str, Any]:
    """Count what the shards in `folder` hold; `shards` gives the sha256 of each, by path.

    One synthetic repository makes a dataset `synthetic`: no figure of a mixture is one of real changes.
    """
    folds = {name: _fold(folder, name) for name in FOLDS}
    repositories = [name for fold in folds.values() for name in fold["repositories"]]
    content = {"tokenizer": tokenizer_sha256, **dict(sorted(shards.items()))}
    return {
        "hash": hashlib.sha256(json.dumps(content).encode()).hexdigest(),
        "synthetic": any(name.startswith("synthetic/") for name in repositories),
        "folds": folds,
        "shards": dict(sorted(shards.items())),
    }


def _fold(folder: Path, name: str) -> dict[str, Any]:
    fold = Shards(folder / name)
    judgements = _judgements(folder, name)
    if not len(fold):
        return {"examples": 0, "repositories": {}, "judgements": judgements}
    lengths = {section: fold.lengths(f"{section}_ids") for section in SECTIONS}
    tokens = {section: int(length.sum()) for section, length in lengths.items()}
    functions = fold.column("number").to_pylist().count(NO_PULL_REQUEST)
    requests = pa.table({key: fold.column(key) for key in ("repository", "number")}).filter(
        pc.field("number") != NO_PULL_REQUEST
    )
    merged = fold.column("merged_at")
    return {
        "examples": len(fold),
        "functions": functions,
        "pull_requests": requests.group_by(["repository", "number"]).aggregate([]).num_rows,
        "repositories": _counts(fold.column("repository")),
        "licences": _counts(fold.column("license")),
        "merged_at": [pc.min(merged).as_py(), pc.max(merged).as_py()],
        "changes": _counts(fold.column("change")),
        "tests": int(pc.sum(fold.column("is_test")).as_py()),
        "comment_only": int(pc.sum(fold.column("comment_only")).as_py()),
        "intents": _intents(fold.column("plan")),
        "tokens": tokens,
        "section_tokens": {section: _percentiles(length) for section, length in lengths.items()},
        "bytes_per_token": {
            "plan": _ratio(fold, "plan_bytes", tokens["plan"] - len(fold)),
            "code": _ratio(fold, "code_bytes", tokens["code"] - 2 * len(fold)),
        },
        "solve_tokens": _percentiles(np.sum([*lengths.values()], axis=0)),
        "judgements": judgements,
    }


def _judgements(folder: Path, name: str) -> dict[str, Any]:
    if name == "train" or not len(rows := Shards(folder / "judgements" / name)):
        return {"count": 0}
    length = rows.lengths("prefix_ids") + rows.lengths("attempt_ids")
    labels = {Decision(label).name: count for label, count in _counts(rows.column("label")).items()}
    tokens = {"tokens": int(length.sum()), "judge_tokens": _percentiles(length)}
    return {"count": len(rows), "labels": labels, "origins": _counts(rows.column("origin")), **tokens}


def _intents(plans: pa.ChunkedArray[Any]) -> dict[str, int]:
    """How often plans say each thing: what becomes of which kind of declaration, and the intent of every step."""
    said: Counter[str] = Counter()
    for plan in (plan.as_py() for plan in plans):
        lines = plan.splitlines()
        headers = len(kinds_of(plan))
        said.update(" ".join(line.split()[:2]) for line in lines[:headers])
        said.update(f"step: {found[1]}" for line in lines[headers:] if (found := _INTENT.match(line)))
    return dict(said.most_common())


def _counts(column: pa.ChunkedArray[Any]) -> dict[Any, int]:
    return dict(sorted(Counter(column.to_pylist()).items()))


def _ratio(fold: Shards, column: str, tokens: int) -> float | None:
    """Return UTF-8 bytes of text per token, markers not counted."""
    return round(int(pc.sum(fold.column(column)).as_py()) / tokens, 4) if tokens else None


def _percentiles(lengths: npt.NDArray[np.int32]) -> dict[str, int]:
    return {f"p{at}": int(np.percentile(lengths, at)) for at in PERCENTILES} | {"max": int(lengths.max())}
