"""`hrm-ray export`: a run's best checkpoint as a folder that `transformers` loads, with a card."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hrm_ray.errors import UserError, explained
from hrm_ray.evaluate.model_card import render
from hrm_ray.evaluate.opened import open_run
from hrm_ray.files import why, write_text
from hrm_ray.model import hf, hf_folder
from hrm_ray.progress import console
from hrm_ray.train.run import read_run

CARD = "README.md"


def export(run_dir: Path, to: Path, overrides: Sequence[str] = ()) -> None:
    """Write the best checkpoint, its average where `train.ema` kept one, into `to`, in the place of an older export.

    Raises:
        UserError: `run_dir` is no run with a checkpoint, its network has no place in the class, or `to` holds
            something else.
    """
    config, target = read_run(run_dir, overrides), to.resolve()
    hf.check(config.model)
    _check_target(target)
    opened = open_run(run_dir, config)
    with _replacing(target) as building:
        prepare = config.prepare
        hf_folder.write(building, opened.engine.model, opened.tokenizer, prepare.window, prepare.form)
        write_text(building / CARD, render(opened, target.name))
        hf_folder.seal(building)
    console.print(f"{to}: step {opened.step} of {run_dir}; {to / CARD} says how to load it")


def _check_target(target: Path) -> None:
    """Refuse to replace what no export has written."""
    try:
        if not target.exists():
            return
    except OSError as error:  # too long a name
        raise UserError(f"{target}: cannot be written ({why(error)})") from error
    if not target.is_dir():
        raise UserError(f"{target}: is a file, and an export is a folder; choose another --to")
    strange = {path.name for path in target.iterdir()} - hf_folder.sealed(target).keys() - {hf_folder.MANIFEST}
    if strange:
        raise UserError(f"{target}: holds {min(strange)}, which no export has written; choose another --to, or move it")


@contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """Give a new folder that takes the place of `target` at the end, and not at all where the block fails."""
    building, old = (target.with_name(f".{target.name}.{os.getpid()}.{what}") for what in ("new", "old"))
    try:
        building.mkdir(parents=True)
    except OSError as error:
        raise UserError(f"{target}: cannot be written ({why(error)})") from error
    try:
        with explained(target):
            yield building
            if target.exists():
                target.rename(old)
            building.rename(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
