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
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from hrm_ray.errors import UserError
from hrm_ray.files import sha256, write_text
from hrm_ray.train.engine import Engine, Slice
from hrm_ray.train.moments import MOMENTS

MANIFEST = "manifest.json"
BEST = "best.json"
SLICE = re.compile(r"(?P<name>.+)@(?P<start>\d+):(?P<stop>\d+)")


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


def folder_name(step: int) -> str:
    """Return the name of the checkpoint after `step` updates."""
    return f"step-{step:08d}"


def save(root: Path, state: State, engine: Engine) -> Path:
    """Write a checkpoint into `root`, which every rank sees, and return its folder; all ranks call this together."""
    final = root / folder_name(state.step)
    building = root / f".{final.name}"
    if engine.rank == 0:
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
    engine.barrier()
    for kind, slices in (("weights", engine.weights()), ("optimizer", engine.moments())):
        save_file(_named(slices), building / f"{kind}-{engine.rank:05d}.safetensors")
    engine.barrier()
    if engine.rank == 0:
        (building / "state.json").write_text(json.dumps(vars(state) | {"shapes": engine.shapes}), "utf-8")
        _commit(building, final)
    engine.barrier()
    return final


def newest(root: Path, say: Callable[[str], None]) -> Loaded | None:
    """Load the newest complete checkpoint of `root`, telling `say` of each that is passed over and why."""
    return _first_whole(sorted(root.glob("step-*"), reverse=True), say)


def best(root: Path, say: Callable[[str], None]) -> Loaded | None:
    """Load the complete checkpoint of `root` with the lowest objective, as `newest` does."""
    return _first_whole(ranking(root), say)


def ranking(root: Path) -> list[Path]:
    """Return the checkpoints of `root`, the best first; those without a finite objective come last."""
    ranks: list[tuple[float, str, Path]] = []
    for folder in sorted(root.glob("step-*"), reverse=True):
        try:
            objective = json.loads((folder / "state.json").read_text("utf-8")).get("objective")
        except (OSError, ValueError):
            continue
        rank = objective if objective is not None and math.isfinite(objective) else math.inf
        ranks.append((rank, folder.name, folder))
    return [folder for _, _, folder in sorted(ranks)]


def load(folder: Path) -> Loaded:
    """Read a checkpoint.

    Raises:
        UserError: a file is missing, or is not what the manifest says.
    """
    try:
        sums: dict[str, str] = json.loads((folder / MANIFEST).read_text("utf-8"))
        for name, expected in sums.items():
            if sha256(folder / name) != expected:
                raise UserError(f"{folder / name}: damaged (its sha256 is not the manifest's)")
        state: dict[str, Any] = json.loads((folder / "state.json").read_text("utf-8"))
        shapes = state.pop("shapes")
        weights, moments = (_read(folder, kind, shapes) for kind in ("weights", "optimizer"))
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise UserError(f"{folder}: incomplete checkpoint ({error})") from error
    return Loaded(folder, State(**state), weights, moments)


def steps(root: Path) -> list[int]:
    """Return the steps of the checkpoints of `root`, in order."""
    return sorted(int(folder.name.removeprefix("step-")) for folder in root.glob("step-*"))


def note_best(root: Path) -> None:
    """Write down which checkpoint is the best, for those who look into the folder."""
    state = json.loads((ranking(root)[0] / "state.json").read_text("utf-8"))
    write_text(root / BEST, json.dumps({name: state[name] for name in ("step", "objective")}))


def prune(root: Path, keep: int, stable: int = 0) -> None:
    """Remove all but the newest `keep` checkpoints, the newest of at most `stable` steps and the best one, and what
    killed runs left half-built."""
    folders = sorted(root.glob("step-*"))
    before = [folder for folder in folders if folder.name <= folder_name(stable)]
    kept = {*folders[-keep:], *before[-1:], *ranking(root)[:1]}
    for folder in [path for path in folders if path not in kept] + list(root.glob(".step-*")):
        shutil.rmtree(folder)


def _first_whole(folders: Iterable[Path], say: Callable[[str], None]) -> Loaded | None:
    for folder in folders:
        try:
            return load(folder)
        except UserError as error:
            say(f"skipping a checkpoint: {error}")
    return None


def _commit(building: Path, final: Path) -> None:
    sums = {path.name: sha256(path) for path in sorted(building.iterdir())}
    write_text(building / MANIFEST, json.dumps(sums, indent=1))
    _flush(building)
    shutil.rmtree(final, ignore_errors=True)
    building.rename(final)


def _named(slices: Mapping[str, Slice]) -> dict[str, Tensor]:
    """Name each slice by its place; a copy, because safetensors refuses tensors that share their memory."""
    return {
        f"{name}@{start}:{start + values.numel()}": values.cpu().clone() for name, (start, values) in slices.items()
    }


def _read(folder: Path, kind: str, shapes: dict[str, list[int]]) -> dict[str, Tensor]:
    pieces: dict[str, list[tuple[int, Tensor]]] = {}
    for path in sorted(folder.glob(f"{kind}-*.safetensors")):
        for key, tensor in load_file(path).items():
            match = SLICE.fullmatch(key)
            if match is None:
                raise ValueError(f"{path.name} holds {key}, which is not name@start:stop")
            pieces.setdefault(match["name"], []).append((int(match["start"]), tensor))
    ordered = {name: [tensor for _, tensor in sorted(parts, key=_start)] for name, parts in pieces.items()}
    return {name: torch.cat(parts).view(shapes[_parameter(name)]) for name, parts in ordered.items()}


def _parameter(name: str) -> str:
    """Return the name of the parameter that a weight or a moment of it belongs to."""
    moment, _, parameter = name.partition(".")
    return parameter if moment in MOMENTS else name


def _start(piece: tuple[int, Tensor]) -> int:
    return piece[0]


def _flush(folder: Path) -> None:
    for path in [*folder.iterdir(), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
