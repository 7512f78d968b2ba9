"""The folder that a dataset is built in, and the moment at which it takes the old one's place."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hrm_ray.errors import UserError
from hrm_ray.files import locked, write_text
from hrm_ray.prepare import card
from hrm_ray.prepare.split import FOLDS

_MADE_FROM = "made_from"


@contextmanager
def workspace(data: Path, made_from: str) -> Iterator[Path]:
    """Give a folder inside `data`, with what a killed run made there from the very same; it is gone when all went well.

    Raises:
        UserError: another process is working in `data`.
    """
    folder = data.resolve() / ".preparing"
    with locked(data):
        if not (folder / _MADE_FROM).is_file() or (folder / _MADE_FROM).read_text("utf-8") != made_from:
            shutil.rmtree(folder, ignore_errors=True)
            write_text(folder / _MADE_FROM, made_from)
        try:
            yield folder
        except UserError:  # what the user mends makes another dataset
            shutil.rmtree(folder)
            raise
        shutil.rmtree(folder)


def publish(folder: Path, data: Path) -> None:
    """Put the new dataset in the place of the old one, its card last; in between there is none."""
    (data / card.CARD).unlink(missing_ok=True)
    for name in (*FOLDS, "judgements", "jsonl"):
        shutil.rmtree(data / name, ignore_errors=True)
    made = [entry for entry in folder.iterdir() if entry.name in (*FOLDS, "judgements", "jsonl", *card.FILES)]
    for entry in sorted(made, key=lambda entry: (entry.name == card.CARD, entry.name)):
        entry.replace(data / entry.name)
