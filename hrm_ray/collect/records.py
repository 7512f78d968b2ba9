"""The pull-request record and its Parquet and JSONL forms.

The schema is that of `docs/formats.md`; no author names and no addresses. What a field has a default for may be
absent in a file, or null.
"""

from __future__ import annotations

import gzip
import json
import textwrap
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from hrm_ray.errors import UserError
from hrm_ray.files import PARTIAL, replacing

Part = TypeVar("Part", "Repository", "Request", "Issue", "ChangedFile")

_NULL = {"body": "", "license": "NOASSERTION"}
"""What GitHub's null means."""


@dataclass(frozen=True)
class Repository:
    """Where a pull request was merged; `full_name` is `owner/name`, `license` an SPDX id."""

    full_name: str
    license: str
    fork_of: str = ""
    """`owner/name` of the repository that this one was forked from, empty if none."""


@dataclass(frozen=True)
class Issue:
    """An issue that the pull request closed."""

    number: int
    title: str
    body: str


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
    labels: tuple[str, ...] = ()
    issues: tuple[Issue, ...] = ()
    ci: str = ""
    """What CI said of the head commit (`success`, `failure`, ...), empty if nothing."""
    comments: tuple[str, ...] = ()


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
    license: str = ""
    """SPDX expression of its folder or of its own head, empty where the repository's holds for it."""


@dataclass(frozen=True)
class PullRequest:
    """One merged pull request."""

    repo: Repository
    pull_request: Request
    files: tuple[ChangedFile, ...]


SCHEMA = pa.schema(
    [
        ("repo", pa.struct([("full_name", pa.string()), ("license", pa.string()), ("fork_of", pa.string())])),
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
                    ("labels", pa.list_(pa.string())),
                    (
                        "issues",
                        pa.list_(pa.struct([("number", pa.int32()), ("title", pa.string()), ("body", pa.string())])),
                    ),
                    ("ci", pa.string()),
                    ("comments", pa.list_(pa.string())),
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
                        ("license", pa.string()),
                    ]
                )
            ),
        ),
    ]
)


Unreadable = Callable[[UserError], None]
"""What to do about a part of a file that cannot be read: raise the error, which names it, or note it and go on."""


class Every(NamedTuple):
    """Every `of`-th record of a file, from number `at` on: what one of `of` readers takes; others are not parsed."""

    at: int = 0
    of: int = 1


ALL = Every()


def refuse(error: UserError) -> None:
    """Read nothing that is not whole."""
    raise error


GROUP = 128
"""Records in a row group: small enough that parallel readers get one each."""

AT_ONCE = 16
"""Records of a row group that are in memory at a time, for whoever else wrote it may have put all into one."""

LARGE = 1 << 30
"""Bytes of a row group whose records are read one by one: Arrow cannot hold 2 GiB of one text column at a time."""

GROUP_CHARACTERS = 16_000_000
"""Text in a row group, exceeded by one record at most: a group is held in memory several times over."""


def write(path: Path, records: Iterable[PullRequest]) -> int:
    """Write `records` as Parquet (zstd, checked pages), whole or not at all, and return the count."""
    count = 0
    with (
        replacing(path, PARTIAL) as building,
        pq.ParquetWriter(building, SCHEMA, compression="zstd", write_page_checksum=True) as writer,
    ):
        for group in _groups(records):
            writer.write_table(pa.Table.from_pylist([asdict(record) for record in group], schema=SCHEMA))
            count += len(group)
    return count


def read(path: Path, unreadable: Unreadable = refuse, every: Every = ALL) -> Iterator[PullRequest]:
    """Yield the records of a `.parquet`, `.jsonl` or `.jsonl.gz` file.

    Raises:
        UserError: there is no such file, or it is none of these; and what `unreadable` makes of a part of it.
    """
    if not path.is_file():
        raise UserError(f"{path}: there is no such file")
    check_name(path)
    if path.suffix != ".parquet":
        yield from _read_lines(path, unreadable, every)
        return
    for index in range(len(row_groups(path))):
        yield from read_row_group(path, index, unreadable, every)


def check_name(path: Path) -> None:
    """Refuse a file whose name has no ending of a file of records; UserError."""
    if not path.name.endswith((".parquet", ".jsonl", ".jsonl.gz")):
        raise UserError(f"{path}: pull requests are read from .parquet, .jsonl and .jsonl.gz")


def row_groups(path: Path) -> list[int]:
    """Bytes of each row group of a Parquet file, none where it has no rows; UserError where it is no Parquet file."""
    with _opened(path) as file:
        groups = [file.metadata.row_group(index) for index in range(file.num_row_groups)]
        return [group.total_byte_size for group in groups] if file.metadata.num_rows else []


def read_row_group(
    path: Path, index: int, unreadable: Unreadable = refuse, every: Every = ALL
) -> Iterator[PullRequest]:
    """Yield the records of one row group, which are numbered from 0, a few of them in memory at a time.

    From a corrupt page on the rest of the group is `unreadable`, by file, number and how many records that are.
    """
    number, records = 0, 0
    with _opened(path) as file:
        try:
            records = file.metadata.row_group(index).num_rows
            size = file.metadata.row_group(index).total_byte_size
            for batch in file.iter_batches(AT_ONCE if size < LARGE else 1, row_groups=[index]):
                for at in range((every.at - number) % every.of, len(batch), every.of):
                    [row] = batch.slice(at, 1).to_pylist()
                    yield from _made(row, f"{path}: row group {index}, record {number + at}", unreadable)
                number += len(batch)
        except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
            place = f"{path}: row group {index}, {records - number} of its {records} records"
            unreadable(UserError(f"{place}, cannot be read ({_first_line(error)})"))


def _made(row: object, place: str, unreadable: Unreadable) -> Iterator[PullRequest]:
    try:
        made = record(row, place)
    except UserError as error:
        unreadable(error)
        return
    yield made


def _opened(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path, page_checksum_verification=True)
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{path}: not a readable Parquet file ({_first_line(error)})") from error


def _read_lines(path: Path, unreadable: Unreadable, every: Every) -> Iterator[PullRequest]:
    number = 0
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as lines:
        try:
            for number, line in enumerate(lines, start=1):
                if number % every.of == every.at and line.strip():
                    yield from _read_line(line, f"{path}: line {number}", unreadable)
        except (EOFError, OSError, zlib.error) as error:
            unreadable(UserError(f"{path}: cannot be read after line {number} ({_first_line(error)})"))


def _read_line(line: bytes, place: str, unreadable: Unreadable) -> Iterator[PullRequest]:
    try:
        made = record(json.loads(line), place)
    except (ValueError, RecursionError) as error:
        unreadable(UserError(f"{place} is not JSON in UTF-8 ({error})"))
        return
    except UserError as error:
        unreadable(error)
        return
    yield made


def record(row: object, place: str) -> PullRequest:
    """Return a row of a file as a record.

    Raises:
        UserError: it is none; the sentence begins with `place` and names the part.
    """
    parts = _object(row, place)
    request = dict(_object(parts.get("pull_request"), f"{place}: pull_request"))
    for name, kind in (("issues", Issue), ("labels", str), ("comments", str)):
        given = request.get(name)
        request[name] = _list([] if given is None else given, kind, f"{place}: pull_request.{name}")
    return PullRequest(
        _part(Repository, parts.get("repo"), f"{place}: repo"),
        _part(Request, request, f"{place}: pull_request"),
        _list(parts.get("files"), ChangedFile, f"{place}: files"),
    )


def _list(values: object, kind: type, place: str) -> tuple[Any, ...]:
    if not isinstance(values, list):
        raise UserError(f"{place} is missing or is not a list")
    places = [f"{place}[{index}]" for index in range(len(values))]
    if kind is not str:
        return tuple(_part(kind, value, at) for value, at in zip(values, places, strict=True))
    for value, at in zip(values, places, strict=True):
        _must_be(value, "str", at)
    return tuple(values)


def _part(kind: type[Part], row: object, place: str) -> Part:
    values = dict(_object(row, place))
    known: dict[str, Any] = {}
    for field in fields(kind):
        value = values.get(field.name)
        if value is None and field.name in values and field.default is MISSING:
            value = _NULL.get(field.name)
        if field.name not in values and field.default is MISSING:
            raise UserError(f"{place}.{field.name} is missing")
        if value is None and field.default is not MISSING:
            continue
        _must_be(value, str(field.type), f"{place}.{field.name}")
        known[field.name] = value
    return kind(**known)


def _must_be(value: object, kind: str, place: str) -> None:
    """Refuse a value whose type is not named `kind`."""
    if type(value).__name__ != kind.partition("[")[0]:
        raise UserError(f"{place} is {textwrap.shorten(repr(value), 80)}, not of type {kind}")
    if isinstance(value, str):
        _must_be_text(value, place)


def _must_be_text(value: str, place: str) -> None:
    """Refuse what JSON can spell and UTF-8 cannot."""
    try:
        value.encode()
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
        characters += len(record.pull_request.body)
        characters += sum(len(file.patch + file.content_before + file.content_after) for file in record.files)
        if len(group) == GROUP or characters >= GROUP_CHARACTERS:
            yield group
            group, characters = [], 0
    if group:
        yield group


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
