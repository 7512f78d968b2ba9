"""The folder that a dataset is built in, and the moment at which it takes the old one's place."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hrm_ray.errors import DiskError, UserError
from hrm_ray.files import locked
from hrm_ray.prepare import card
from hrm_ray.prepare.split import FOLDS


@contextmanager
def workspace(data: Path, made_from: str) -> Iterator[Path]:
    """Give a folder inside `data`, with what a killed run made there from the very same; it is gone when all went well.

    It is called `made_from`, so that a worker which outlives a killed run writes into no folder but that run's.

    Raises:
        UserError: another process is working in `data`.
    """
    every = data.resolve() / ".preparing"
    folder = every / made_from
    with locked(data):
        for other in every.glob("*"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
        for torn in folder.rglob(".*"):  # what was being written when the run was killed
            torn.unlink()
        folder.mkdir(parents=True, exist_ok=True)
        try:
            yield folder
        except DiskError:
            raise
        except UserError:  # what the user mends makes another dataset
            shutil.rmtree(every, ignore_errors=True)
            raise
        shutil.rmtree(every, ignore_errors=True)


def publish(folder: Path, data: Path) -> None:
    """Put the new dataset in the place of the old one, its card last; in between there is none."""
    (data / card.CARD).unlink(missing_ok=True)
    for name in (*FOLDS, "judgements", "jsonl"):
        shutil.rmtree(data / name, ignore_errors=True)
    made = [entry for entry in folder.iterdir() if entry.name in (*FOLDS, "judgements", "jsonl", *card.FILES)]
    for entry in sorted(made, key=lambda entry: (entry.name == card.CARD, entry.name)):
        entry.replace(data / entry.name)
