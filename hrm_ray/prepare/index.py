"""What the folds are made from: a hundred bytes of facts for each extracted example, whatever its texts hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hrm_ray.errors import explained
from hrm_ray.prepare.examples import NO_PULL_REQUEST
from hrm_ray.prepare.families import families
from hrm_ray.prepare.near import PERMUTATIONS, Signatures
from hrm_ray.prepare.shards import Shards
from hrm_ray.prepare.split import merge_time


@dataclass(frozen=True)
class Index:
    """Columns of the extracted examples; row n is example n."""

    ids: npt.NDArray[np.bytes_]
    fingerprints: npt.NDArray[np.bytes_]
    texts_before: npt.NDArray[np.bytes_]
    texts_after: npt.NDArray[np.bytes_]
    requests: npt.NDArray[np.int64]
    """Equal for examples of one pull request, and for no two functions."""
    times: npt.NDArray[np.float64]
    """When the example's pull request was merged, in seconds; where several records say so, the earliest."""
    repositories: list[str]
    families: list[str]
    folds: list[str]
    """The fold that the input gives; empty where a split is to be made."""
    signatures: Signatures

    @classmethod
    def of(cls, extracted: Shards) -> Index:
        """Read the columns that `shards.EXTRACTED` has beside the example."""
        repositories, requests = _shared(extracted.column("repository")), _requests(extracted)
        related = families(set(repositories), *(_pairs(extracted, other) for other in ("fork_of", "head_sha")))
        return cls(
            ids=_bytes(extracted.column("id")),
            fingerprints=_bytes(extracted.column("fingerprint")),
            texts_before=_bytes(extracted.column("text_before")),
            texts_after=_bytes(extracted.column("text_after")),
            requests=requests,
            times=_times(extracted, requests),
            repositories=repositories,
            families=[related[name] for name in repositories],
            folds=_shared(extracted.column("fold")),
            signatures=_signatures(extracted),
        )

    def by_time(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Sort rows: the earliest merged first, those of one moment by id."""
        return rows[np.lexsort((self.fingerprints[rows], self.ids[rows], self.times[rows]))]


def _requests(extracted: Shards) -> npt.NDArray[np.int64]:
    names, _ = _encoded(pc.utf8_lower(extracted.column("repository")))
    numbers = extracted.column("number").to_numpy().astype(np.int64)
    alone = -1 - np.arange(len(numbers))
    return np.where(numbers == NO_PULL_REQUEST, alone, names * 2**32 + numbers + 2**31)


def _times(extracted: Shards, requests: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    codes, texts = _encoded(extracted.column("merged_at"))
    told = np.array([merge_time(text).timestamp() for text in texts])[codes]
    _, request = np.unique(requests, return_inverse=True)
    earliest = np.full(len(told), np.inf)
    np.minimum.at(earliest, request, told)
    return earliest[request]


def _pairs(extracted: Shards, other: str) -> list[tuple[str, str]]:
    """The different pairs of a repository and a value of the column `other` that is not empty."""
    table = pa.table({name: extracted.column(name) for name in ("repository", other)})
    pairs = table.group_by(["repository", other]).aggregate([]).to_pylist()
    return sorted((pair["repository"], pair[other]) for pair in pairs if pair[other])


def _shared(column: pa.ChunkedArray[Any]) -> list[str]:
    """The values of a column of few different texts, each of them once in memory."""
    codes, texts = _encoded(column)
    return [texts[code] for code in codes]


def _encoded(column: pa.ChunkedArray[Any]) -> tuple[npt.NDArray[np.int64], list[str]]:
    combined: Any = column.dictionary_encode().combine_chunks()
    return combined.indices.to_numpy().astype(np.int64), combined.dictionary.to_pylist()


def _bytes(column: pa.ChunkedArray[Any]) -> npt.NDArray[np.bytes_]:
    texts: list[list[Any]] = [chunk.to_pylist() for chunk in column.chunks]
    return np.concatenate([np.array([text.encode() for text in chunk], np.bytes_) for chunk in texts])


def _signatures(extracted: Shards) -> Signatures:
    """All signatures in one file beside the shards: by far the largest column, and read here and there only."""
    path = extracted.folder.with_name("signatures")
    with explained(path), path.open("wb") as file:
        for chunk in extracted.column("signature").chunks:
            rows: Any = chunk.to_pylist()
            file.write(b"".join(rows))
    return np.memmap(path, "<u4", "r").reshape(-1, PERMUTATIONS)
