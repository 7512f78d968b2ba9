"""Checkpoints that are whole or absent.

A checkpoint is a folder of safetensors files whose tensors are flat slices named `name@start:stop`, a `state.json`,
and a `manifest.json` with the sha256 of every other file, written last. It is built under a temporary name, flushed
to disk and renamed, so a kill at any moment leaves the previous checkpoint the newest complete one. Each rank writes
the slices that it keeps; put together they are whole tensors, which any number of ranks can start from. Nothing is
pickled.
The sums are ours because a flipped bit in a safetensors file loads without an error, and wrong.
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hrm_ray.errors import OtherRankError, UserError, explained
from hrm_ray.files import sha256, write_text
from hrm_ray.train import integrity, slices
from hrm_ray.train.engine import Engine
from hrm_ray.train.integrity import MANIFEST as MANIFEST
from hrm_ray.train.integrity import STATE
from hrm_ray.train.integrity import folder_name as folder_name

BEST = "best.json"

_HALF_BUILT = re.compile(r"\.step-\d{8,}(\.\d+)?", re.ASCII)


@dataclass(frozen=True)
class State:
    """Where a run stands. With the tensors it determines all that follows: nothing draws global random numbers."""

    step: int
    """Optimizer updates made."""
    position: int
    """Batches taken from the feed, the skipped ones included."""
    bad_steps: int
    """Steps skipped in all."""
    objective: float | None = None
    """What validation measured here; the checkpoint with the lowest is the best."""


@dataclass(frozen=True)
class Loaded:
    """A checkpoint that was read back and whose sums agreed."""

    path: Path
    state: State
    weights: dict[str, Tensor]
    moments: dict[str, Tensor]


def save(root: Path, state: State, engine: Engine) -> Path:
    """Write a checkpoint into `root`, which every rank sees, and return its folder; all ranks call this together.

    Raises:
        UserError: a disk does not take it; nothing of it is left there.
        OtherRankError: that happened to another rank.
    """
    final = root / folder_name(state.step)
    building = root / f".{final.name}"
    with _together(engine, building):
        if engine.rank == 0:
            shutil.rmtree(building, ignore_errors=True)
            building.mkdir(parents=True)
    with _together(engine, building):
        for kind, kept in (("weights", engine.weights()), ("optimizer", engine.moments())):
            slices.write(building / f"{kind}-{engine.rank:05d}.safetensors", kept)
    with _together(engine, building):
        if engine.rank == 0:
            write_text(building / STATE, json.dumps(vars(state) | {"shapes": engine.shapes}))
            _commit(building, final)
    return final


def newest(root: Path, say: Callable[[str], None]) -> Loaded | None:
    """Load the newest whole checkpoint of `root`, telling `say` of each that is passed over and why."""
    return _first_whole(reversed(integrity.folders(root)), say)


def best(root: Path, say: Callable[[str], None]) -> Loaded | None:
    """Load the whole checkpoint of `root` with the lowest objective, as `newest` does."""
    return _first_whole(sorted(integrity.folders(root), key=_objective), say)


def ranking(root: Path) -> list[Path]:
    """Return the whole checkpoints of `root`, the best first; those without a finite objective come last."""
    return sorted(integrity.whole(root), key=_objective)


def steps(root: Path) -> list[int]:
    """Return the steps of the whole checkpoints of `root`, in order."""
    return [integrity.step_of(folder) for folder in integrity.whole(root)]


def load(folder: Path) -> Loaded:
    """Read a checkpoint.

    Raises:
        UserError: a file is missing, or is not what the manifest says.
        OSError: a file cannot be read, which says nothing of its content.
    """
    names = integrity.verify(folder)
    with integrity.incomplete(folder):
        state: dict[str, Any] = json.loads((folder / STATE).read_text("utf-8"))
        shapes = state.pop("shapes")
        weights, moments = (
            slices.read([folder / name for name in names if name.startswith(kind)], shapes)
            for kind in ("weights-", "optimizer-")
        )
        if missing := shapes.keys() - weights.keys():
            raise ValueError(f"there is no {min(missing)}")
        return Loaded(folder, State(**state), weights, moments)


def note_best(root: Path) -> None:
    """Write down which checkpoint is the best, for those who look into the folder."""
    state = json.loads((ranking(root)[0] / STATE).read_text("utf-8"))
    write_text(root / BEST, json.dumps({name: state[name] for name in ("step", "objective")}))


def prune(root: Path, keep: int, stable: int = 0) -> list[str]:
    """Remove all whole checkpoints but the newest `keep`, the newest of at most `stable` steps and the best one, and
    what killed runs left half-built. Move those that are not whole aside, and return a sentence on each."""
    moved, whole = integrity.set_damaged_aside(root), integrity.whole(root)
    before = [folder for folder in whole if integrity.step_of(folder) <= stable]
    kept = {*whole[-keep:], *before[-1:], *ranking(root)[:1]}
    _remove(folder for folder in whole if folder not in kept)
    _remove(path for path in root.glob(".step-*") if _HALF_BUILT.fullmatch(path.name))
    return moved


def remove_after(root: Path, step: int) -> None:
    """Remove the checkpoints of later steps than `step`, whole or not."""
    _remove(folder for folder in integrity.folders(root) if integrity.step_of(folder) > step)


def _remove(folders: Iterable[Path]) -> None:
    for folder in list(folders):
        folder.unlink() if folder.is_symlink() else shutil.rmtree(folder)


def _objective(folder: Path) -> float:
    """Return what validation measured, or infinity where it is not known."""
    try:
        objective = json.loads((folder / STATE).read_text("utf-8"))["objective"]
        return float(objective) if math.isfinite(objective) else math.inf
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return math.inf


def _first_whole(folders: Iterable[Path], say: Callable[[str], None]) -> Loaded | None:
    for folder in folders:
        try:
            return load(folder)
        except UserError as error:
            say(f"skipping a checkpoint: {error}")
    return None


@contextmanager
def _together(engine: Engine, building: Path) -> Iterator[None]:
    """Wait for all ranks after the block; if it failed on one, remove what was built and raise on all of them."""
    failure: Exception | None = None
    try:
        with explained(building.parent):
            yield
    except Exception as error:
        failure = error
    engine.barrier()
    failures = engine.sum(torch.tensor([float(failure is not None)])).item()
    if failures and engine.rank == 0:
        shutil.rmtree(building, ignore_errors=True)
    if failure:
        raise failure
    if failures:
        raise OtherRankError("another rank could not write its part of a checkpoint")


def _commit(building: Path, final: Path) -> None:
    sums = {path.name: sha256(path) for path in sorted(building.iterdir())}
    write_text(building / MANIFEST, json.dumps(sums, indent=1))
    _flush(building)
    shutil.rmtree(final, ignore_errors=True)
    building.rename(final)


def _flush(folder: Path) -> None:
    for path in [*folder.iterdir(), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
