"""How Ray Train's workers get their data: a `DataConfig` that deals each worker a handle on memory-mapped shards.

Ray Data made the shards; nothing of it runs while training does, so no CPU slot is needed that trainers could have had.
A handle opens the dataset where the worker's node sees it; elsewhere it is fetched once for the node, and checked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
import ray.train
from filelock import FileLock
from ray.train import DataConfig
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.files import replacing, user_cache
from hrm_ray.prepare import card

NAME = "corpus"
"""What Ray Train calls a dataset, with its number in the mixture; 0 is the main one."""

CHUNK = 64 << 20
"""Bytes of a file that travel as one Ray object."""


@dataclass(frozen=True)
class Corpus:
    """A prepared dataset: its folder, the node that is sure to see it, its hash, and the sha256 of each shard."""

    folder: Path
    node: str
    hash: str
    shards: Mapping[str, str]

    def here(self) -> Path:
        """Return where this node sees the dataset, after fetching it where it does not."""
        return self.folder if sees(self.folder, self) else fetched(self)


class Deal(DataConfig):  # type: ignore[misc]
    """Deals every worker a handle on every dataset; Ray Train asks again after each change of the worker group."""

    def configure(
        self, datasets: Mapping[str, Corpus], world_size: int, *_: object, **__: object
    ) -> list[dict[str, Corpus]]:
        """Return what each rank's `ray.train.get_dataset_shard` will give."""
        return [dict(datasets) for _ in range(world_size)]


def sources(config: Config) -> dict[str, Corpus]:
    """Return every dataset of the run, by the name that Ray Train gives it."""
    return {f"{NAME}-{number}": source(data) for number, data in enumerate(config.datasets)}


def localised(config: Config) -> Config:
    """Return the settings of a worker of Ray Train, with each dataset where its node has it."""
    handles = (ray.train.get_dataset_shard(f"{NAME}-{number}") for number in range(len(config.datasets)))
    return config.with_datasets(corpus.here() for corpus in handles)


def source(data: Path) -> Corpus:
    """Return the dataset in `data` as this node has it."""
    facts = card.read(data)
    return Corpus(data.resolve(), ray.get_runtime_context().get_node_id(), facts["hash"], facts["shards"])


def sees(folder: Path, corpus: Corpus) -> bool:
    """Say whether `folder` holds this very dataset."""
    try:
        return bool(card.read(folder)["hash"] == corpus.hash)
    except UserError:
        return False


def fetched(corpus: Corpus) -> Path:
    """Copy the dataset into this node's cache, once however many workers ask, and return the copy."""
    root = user_cache()
    copy = root / corpus.hash
    with FileLock(root / f"{corpus.hash}.lock"):
        if not sees(copy, corpus):
            for name, digest in corpus.shards.items():
                fetch(corpus, name, copy, digest)
            fetch(corpus, card.CARD, copy)  # last: it makes the copy a dataset
    return copy


def fetch(corpus: Corpus, name: str, copy: Path, digest: str | None = None) -> None:
    """Copy one file, whole or not at all.

    Raises:
        UserError: what arrived is not what the dataset's card says.
    """
    seen = hashlib.sha256()
    with replacing(copy / name) as building:
        with building.open("wb") as file:
            for chunk in chunks(corpus, name):
                seen.update(chunk)
                file.write(chunk)
        if digest is not None and seen.hexdigest() != digest:
            raise UserError(f"{corpus.folder / name}: damaged (its sha256 is not that of {card.CARD})")


def chunks(corpus: Corpus, name: str) -> Iterator[bytes]:
    """Yield a file of the node that has the dataset."""
    there = NodeAffinitySchedulingStrategy(corpus.node, soft=False)
    reader = ray.remote(read_chunk).options(num_cpus=0, scheduling_strategy=there)
    start = 0
    while chunk := ray.get(reader.remote(corpus.folder / name, start)):
        yield chunk
        start += len(chunk)


def read_chunk(path: Path, start: int) -> Any:  # noqa: ANN401 - bytes, or Ray's view of them
    """Return at most `CHUNK` bytes."""
    with path.open("rb") as file:
        file.seek(start)
        return file.read(CHUNK)
