"""The pull-request record and its Parquet and JSONL forms.

The schema is that of `docs/formats.md`; no author names and no addresses.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from hrm_ray.errors import UserError

Part = TypeVar("Part", "Repository", "Request", "ChangedFile")


@dataclass(frozen=True)
class Repository:
    """Where a pull request was merged; `full_name` is `owner/name`, `license` an SPDX id."""

    full_name: str
    license: str


@dataclass(frozen=True)
class Request:
    """What the pull request says of itself; times are ISO 8601 in UTC."""

    number: int
    title: str
    body: str
    created_at: str
    merged_at: str
    base_sha: str
    head_sha: str
    is_bot: bool


@dataclass(frozen=True)
class ChangedFile:
    """One changed file; contents are empty where the file does not exist on that side."""

    filename: str
    status: str
    additions: int
    deletions: int
    patch: str
    content_before: str
    content_after: str
    valid_syntax: bool


@dataclass(frozen=True)
class PullRequest:
    """One merged pull request."""

    repo: Repository
    pull_request: Request
    files: tuple[ChangedFile, ...]


SCHEMA = pa.schema(
    [
        ("repo", pa.struct([("full_name", pa.string()), ("license", pa.string())])),
        (
            "pull_request",
            pa.struct(
                [
                    ("number", pa.int32()),
                    ("title", pa.string()),
                    ("body", pa.string()),
                    ("created_at", pa.string()),
                    ("merged_at", pa.string()),
                    ("base_sha", pa.string()),
                    ("head_sha", pa.string()),
                    ("is_bot", pa.bool_()),
                ]
            ),
        ),
        (
            "files",
            pa.list_(
                pa.struct(
                    [
                        ("filename", pa.string()),
                        ("status", pa.string()),
                        ("additions", pa.int32()),
                        ("deletions", pa.int32()),
                        ("patch", pa.string()),
                        ("content_before", pa.string()),
                        ("content_after", pa.string()),
                        ("valid_syntax", pa.bool_()),
                    ]
                )
            ),
        ),
    ]
)


GROUP = 128
"""Records in a row group: small enough that parallel readers get one each."""

GROUP_CHARACTERS = 16_000_000
"""Text in a row group, exceeded by one record at most: a group is held in memory several times over."""


def write(path: Path, records: Iterable[PullRequest]) -> int:
    """Write `records` as Parquet (zstd, checked pages) under a temporary name, rename, and return the count."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    count = 0
    with pq.ParquetWriter(partial, SCHEMA, compression="zstd", write_page_checksum=True) as writer:
        for group in _groups(records):
            writer.write_table(pa.Table.from_pylist([asdict(record) for record in group], schema=SCHEMA))
            count += len(group)
    partial.replace(path)
    return count


def read(path: Path) -> Iterator[PullRequest]:
    """Yield the records of a `.parquet`, `.jsonl` or `.jsonl.gz` file; UserError names the part that cannot be read."""
    if not path.is_file():
        raise UserError(f"{path}: there is no such file")
    if path.name.endswith((".jsonl", ".jsonl.gz")):
        yield from _read_lines(path)
    elif path.suffix == ".parquet":
        for index in range(row_groups(path)):
            yield from read_row_group(path, index)
    else:
        raise UserError(f"{path}: pull requests are read from .parquet, .jsonl and .jsonl.gz")


def row_groups(path: Path) -> int:
    """How many row groups the Parquet file has, 0 where it has no rows; UserError where it is no Parquet file."""
    with _opened(path) as file:
        return int(file.num_row_groups) if file.metadata.num_rows else 0


def read_row_group(path: Path, index: int) -> list[PullRequest]:
    """Records of one row group; a corrupt page raises UserError naming the file and the row group."""
    with _opened(path) as file:
        try:
            rows = file.read_row_group(index).to_pylist()
        except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
            raise UserError(f"{path}: row group {index} cannot be read ({_first_line(error)})") from error
    return [_record(row, f"{path}: row group {index}, record {number}") for number, row in enumerate(rows)]


def _opened(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path, page_checksum_verification=True)
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{path}: not a readable Parquet file ({_first_line(error)})") from error


def _read_lines(path: Path) -> Iterator[PullRequest]:
    number = 0
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        try:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _record(json.loads(line), f"{path}: line {number}")
        except json.JSONDecodeError as error:
            raise UserError(f"{path}: line {number} is not JSON ({error})") from error
        except (EOFError, OSError, UnicodeDecodeError, zlib.error) as error:
            raise UserError(f"{path}: cannot be read after line {number} ({_first_line(error)})") from error


def _record(row: object, place: str) -> PullRequest:
    parts = _object(row, place)
    files = parts.get("files")
    if not isinstance(files, list):
        raise UserError(f"{place}: files is missing or is not a list")
    return PullRequest(
        _part(Repository, parts.get("repo"), f"{place}: repo"),
        _part(Request, parts.get("pull_request"), f"{place}: pull_request"),
        tuple(_part(ChangedFile, file, f"{place}: files[{index}]") for index, file in enumerate(files)),
    )


def _part(kind: type[Part], row: object, place: str) -> Part:
    values = dict(_object(row, place))
    if values.get("body", "") is None:
        values["body"] = ""  # null is GitHub's own form of an empty one
    for field in fields(kind):
        if field.name not in values:
            raise UserError(f"{place}.{field.name} is missing")
        if type(values[field.name]).__name__ != field.type:
            raise UserError(f"{place}.{field.name} is {values[field.name]!r}, not of type {field.type}")
        _must_be_text(values[field.name], f"{place}.{field.name}")
    return kind(**{field.name: values[field.name] for field in fields(kind)})


def _must_be_text(value: object, place: str) -> None:
    """Refuse what JSON can spell and UTF-8 cannot."""
    try:
        str(value).encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise UserError(f"{place} holds {half}, half of a surrogate pair, at character {error.start}") from error


def _object(row: object, place: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise UserError(f"{place} is missing or is not an object")
    return row


def _groups(records: Iterable[PullRequest]) -> Iterator[list[PullRequest]]:
    group: list[PullRequest] = []
    characters = 0
    for record in records:
        group.append(record)
        characters += sum(len(file.patch + file.content_before + file.content_after) for file in record.files)
        if len(group) == GROUP or characters >= GROUP_CHARACTERS:
            yield group
            group, characters = [], 0
    if group:
        yield group


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
