"""Examples as JSON lines: one file a fold, one `Example` a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from hrm_ray.collect.records import ALL, Every, Unreadable, refuse
from hrm_ray.errors import UserError
from hrm_ray.files import why
from hrm_ray.form import Form
from hrm_ray.prepare.examples import Example
from hrm_ray.refusal import reason

FILES = {"train": "train.jsonl", "judge": "judge.jsonl", "validation": "val.jsonl", "test": "test.jsonl"}
"""File of each fold."""

GO = ("outline", "before", "anchor", "plan", "code")
SPOKEN = ("title", "body")
"""Fields of an example that hold source, and what people wrote about it."""

Row = TypeVar("Row")

_EXAMPLE = TypeAdapter(Example)


def is_folder(path: Path) -> bool:
    """Say whether `path` is a folder of examples; its folds besides `train` may be absent."""
    return (path / FILES["train"]).is_file()


def read(path: Path, unreadable: Unreadable = refuse, every: Every = ALL) -> Iterator[Example]:
    """Yield the examples of one file; fields that `Example` does not have are ignored."""
    return rows(path, _EXAMPLE, unreadable, every)


def rows(path: Path, kind: TypeAdapter[Row], unreadable: Unreadable = refuse, every: Every = ALL) -> Iterator[Row]:
    """Yield what each line of a file holds; what is none of that kind is `unreadable`, by file, line and field.

    Raises:
        UserError: the file cannot be read.
    """
    done = 0
    try:
        with path.open("rb") as lines:
            for done, line in enumerate(lines, start=1):
                if done % every.of == every.at and line.strip():
                    yield from _row(line, kind, f"{path}:{done}", unreadable)
    except OSError as error:
        after = f" after line {done}" if done else ""
        raise UserError(f"{path}: cannot be read{after} ({why(error)})") from error


def _row(line: bytes, kind: TypeAdapter[Row], place: str, unreadable: Unreadable) -> Iterator[Row]:
    try:
        row = kind.validate_json(line, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            unreadable(UserError(f"{place}: not JSON ({first['ctx']['error']})"))
            return
        key, predicate = reason(Form(kind.json_schema()), first)
        unreadable(UserError(f"{place}: {'.'.join(key) or 'the line'}{predicate}"))
        return
    yield row


def write(path: Path, examples: Iterable[Example]) -> None:
    """Write the examples, one a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(example), ensure_ascii=False) + "\n" for example in examples)
