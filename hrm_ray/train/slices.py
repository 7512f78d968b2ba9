"""Tensors in safetensors files, as flat slices named `name@start:stop` that any number of ranks can put together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from hrm_ray.train.engine import Slice
from hrm_ray.train.moments import MOMENTS

SLICE = re.compile(r"(?P<name>.+)@(?P<start>\d+):(?P<stop>\d+)")


def write(path: Path, slices: Mapping[str, Slice]) -> None:
    """Write the slices that one rank keeps."""
    # A copy of each, because safetensors refuses tensors that share their memory.
    save_file(
        {f"{name}@{start}:{start + values.numel()}": values.cpu().clone() for name, (start, values) in slices.items()},
        path,
    )


def read(paths: Iterable[Path], shapes: Mapping[str, list[int]]) -> dict[str, Tensor]:
    """Return the tensors that the slices of all ranks make up, in the shapes of their parameters.

    Raises:
        ValueError: a file holds what is not a slice.
        SafetensorError: a file is not of that format.
    """
    pieces: dict[str, list[tuple[int, Tensor]]] = {}
    for path in paths:
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
