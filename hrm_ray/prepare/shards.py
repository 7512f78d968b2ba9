"""The Arrow files of a dataset: their columns, how one is written, and the memory-mapped reader that training uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from hrm_ray.errors import UserError
from hrm_ray.files import replacing, sha256
from hrm_ray.prepare.examples import Example
from hrm_ray.prepare.near import PERMUTATIONS

_TYPES: dict[str, pa.DataType] = {"int": pa.int32(), "bool": pa.bool_(), "tuple[str, ...]": pa.list_(pa.string())}
_IDS = pa.list_(pa.int32())

EXAMPLE = pa.schema([(field.name, _TYPES.get(str(field.type), pa.string())) for field in fields(Example)])
"""Columns of an `Example`."""

EXTRACTED = pa.schema(
    [
        *EXAMPLE,
        ("fingerprint", pa.string()),
        ("text_before", pa.string()),
        ("text_after", pa.string()),
        ("signature", pa.binary(4 * PERMUTATIONS)),
        ("fork_of", pa.string()),
        ("head_sha", pa.string()),
        ("fold", pa.string()),
    ]
)
"""Columns of what is extracted and not yet dealt to the folds: an `Example`, digests and a MinHash of it, what its
record says of where it comes from, and the fold that the input gives (empty where none)."""

TOKENS = pa.schema(
    [
        ("problem_ids", _IDS),
        ("context_ids", _IDS),
        ("plan_ids", _IDS),
        ("code_ids", _IDS),
        ("weight", pa.float32()),
        ("plan_bytes", pa.int32()),
        ("code_bytes", pa.int32()),
    ]
)

TOKENISED = pa.schema([*EXAMPLE, *TOKENS])
"""Columns of `{train,judge,validation,test}/part-NNNNN.arrow`."""

JUDGEMENTS = pa.schema(
    [
        ("example_id", pa.string()),
        ("prefix_ids", _IDS),
        ("attempt_ids", _IDS),
        ("label", pa.int8()),
        ("feedback", pa.string()),
        ("origin", pa.string()),
        ("attempt", pa.string()),
        ("change", pa.string()),
    ]
)
"""Columns of `judgements/{judge,validation,test}/part-NNNNN.arrow`."""


def part_name(index: int) -> str:
    """Name of a part file; names sort as their numbers do."""
    return f"part-{index:05d}.arrow"


BATCH_CHARACTERS = 1 << 28
"""Text in a record batch, exceeded by one row at most: the offsets of a text column of Arrow end at 2 GiB."""


def write(path: Path, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> str:
    """Write `rows` uncompressed, as one record batch unless that were too large, and return the file's sha256.

    Raises:
        DiskError: the disk does not take it; nothing of it is left there.
    """
    with (
        replacing(path) as building,
        pa.OSFile(str(building), "wb") as file,
        pa.ipc.new_file(file, schema) as writer,
    ):
        for some in _batches(rows):
            writer.write_batch(pa.RecordBatch.from_pylist([dict(row) for row in some], schema=schema))
    return sha256(path)


def _batches(rows: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Yield the rows of each record batch, one at least."""
    start = characters = 0
    for index, row in enumerate(rows):
        characters += sum(len(value) for value in row.values() if isinstance(value, str))
        if characters >= BATCH_CHARACTERS:
            yield rows[start : index + 1]
            start, characters = index + 1, 0
    if start < len(rows) or not rows:
        yield rows[start:]


class Shards:
    """All rows of the part files in `folder`, in order of the files' names, read through memory maps.

    Nothing is copied or read ahead: the system pages in what is touched. The views are read-only.

    Raises:
        UserError: the folder is missing, holds no part files, or one of them cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        paths = sorted(folder.glob("part-*.arrow"))
        if not paths:
            raise UserError(f"{folder}: no shards there; run `hrm-ray prepare` first")
        opened = [(path, batch) for path in paths for batch in _open(path)]
        self._paths, self._batches = [path for path, _ in opened], [batch for _, batch in opened]
        self._ends = np.cumsum([batch.num_rows for batch in self._batches])
        self._lists: dict[str, list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]]] = {}

    def __len__(self) -> int:
        return int(self._ends[-1])

    def column(self, name: str) -> pa.ChunkedArray[Any]:
        """Return the whole column without a copy."""
        return pa.chunked_array([batch.column(name) for batch in self._batches])

    def lengths(self, name: str) -> npt.NDArray[np.int32]:
        """Return the number of tokens of each row of a list column: int32 (rows,)."""
        return np.concatenate([np.diff(offsets) for offsets, _ in self.views(name)])

    def row(self, index: int) -> dict[str, Any]:
        """Return every column of one row as Python values."""
        part, at = self._locate(index)
        row: dict[str, Any] = self._batches[part].slice(at, 1).to_pylist()[0]
        return row

    def example(self, index: int) -> Example:
        """Return one row's Example."""
        row = self.row(index)
        values = {name: row[name] for name in EXAMPLE.names}
        return Example(**{**values, "kinds": tuple(row["kinds"]), "names": tuple(row["names"])})

    def ids(self, index: int, column: str) -> npt.NDArray[np.int32]:
        """Return one row of a list column as a read-only view: int32 (tokens,)."""
        part, at = self._locate(index)
        offsets, values = self.views(column)[part]
        return values[offsets[at] : offsets[at + 1]]

    def path(self, index: int) -> Path:
        """Return the file that holds a row."""
        return self._paths[self._locate(index)[0]]

    def _locate(self, index: int) -> tuple[int, int]:
        if not 0 <= index < len(self):
            raise IndexError(f"{self.folder}: row {index} of {len(self)}")
        part = int(np.searchsorted(self._ends, index, side="right"))
        return part, index - int(self._ends[part - 1] if part else 0)

    def views(self, column: str) -> list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]]:
        """Return offsets and values of a list column for each part, as views of its map."""
        if column not in self._lists:
            lists = [cast("pa.ListArray[Any]", batch.column(column)) for batch in self._batches]
            self._lists[column] = [(array.offsets.to_numpy(), array.values.to_numpy()) for array in lists]
        return self._lists[column]


def _open(path: Path) -> list[pa.RecordBatch]:
    try:
        file = pa.ipc.open_file(pa.memory_map(str(path)))
        batches = [file.get_batch(index) for index in range(file.num_record_batches)]
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{path}: cannot be opened as a shard that prepare wrote ({error})") from error
    if not any(file.schema.equals(known) for known in (EXTRACTED, TOKENISED, JUDGEMENTS)):
        raise UserError(f"{path}: not a shard that prepare wrote (its columns are others)")
    return batches or [pa.RecordBatch.from_pylist([], schema=file.schema)]
