"""Generations that are kept: `evaluate` goes on where it was stopped, and never writes the same thing twice.

A batch is written as one piece and kept under a digest of all that it depends on: the checkpoint, the settings, the
seed and its prefixes. Which rows are in a batch is fixed by their order alone, so that what a row says does not hang on
what was there already: sums of floats depend on the company.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import TypeAdapter

from hrm_ray.evaluate.generation import Attempt, Request, chosen, requests, scored, write
from hrm_ray.evaluate.go_check import RULES
from hrm_ray.evaluate.opened import Network, Opened
from hrm_ray.files import sha256, write_text
from hrm_ray.model.generate import Written
from hrm_ray.train import checkpoint

FOLDER = "generations"
"""Folder of a run for what its checkpoints have written."""

SAMPLING = ("max_plan_tokens", "max_code_tokens", "temperature", "top_p", "min_p")
"""Keys of `evaluate` that decide what is written."""

CANDIDATES = ("candidates", "candidate_temperature")
"""Those that do where the likeliest of several answers is taken."""


_ROWS = TypeAdapter(list[Written])


@dataclass(frozen=True)
class Piece:
    """A batch that is written as one, and where what it says is kept."""

    path: Path
    requests: Sequence[Request]

    @property
    def kept(self) -> list[Written] | None:
        """What they say; None where it is not there, or not whole."""
        try:
            rows = _ROWS.validate_json(self.path.read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        return rows if len(rows) == len(self.requests) else None

    def fill(self, network: Network, ended: Callable[[int], None] = lambda _: None) -> None:
        """Write it, and keep it."""
        rows = write(network, self.requests, ended)
        write_text(self.path, json.dumps([vars(row) for row in rows]))


Fill: TypeAlias = Callable[[Network, Sequence[Piece], Callable[[int], None]], None]
"""Fills pieces, telling now and then how many rows have come to their ends."""


def in_turn(network: Network, pieces: Sequence[Piece], ended: Callable[[int], None]) -> None:
    """Fill the pieces one after the other, in this process."""
    done = 0
    for piece in pieces:
        piece.fill(network, partial(_after, ended, done))
        done += len(piece.requests)


def attempts(
    opened: Opened,
    count: int,
    progress: Callable[[int, int], None],
    fill: Fill = in_turn,
    *,
    checked: bool = True,
) -> list[Attempt]:
    """Generate for the first `count` of the rows that can be judged, those that are kept excepted, and measure them."""
    rows = chosen(opened, count)
    return scored(opened, rows, written(opened, requests(opened, rows, checked=checked), progress, fill))


def written(
    network: Network, asked: Sequence[Request], progress: Callable[[int, int], None], fill: Fill = in_turn
) -> list[Written]:
    """Write a plan and code for each request, those that are kept excepted."""
    pieces = list(_pieces(network, asked))
    left = [piece for piece in pieces if piece.kept is None]
    kept = len(asked) - sum(len(piece.requests) for piece in left)
    progress(kept, len(asked))
    fill(network, left, lambda done: progress(kept + done, len(asked)))
    return [row for piece in pieces for row in piece.kept or ()]


def _pieces(network: Network, asked: Sequence[Request]) -> Iterator[Piece]:
    size = network.config.evaluate.batch
    for start in range(0, len(asked), size):
        yield Piece(_path(network, asked[start : start + size]), asked[start : start + size])


def _path(network: Network, asked: Sequence[Request]) -> Path:
    weights = network.run_dir / "checkpoints" / checkpoint.folder_name(network.step) / checkpoint.MANIFEST
    several = CANDIDATES if any(one.checked and one.chosen for one in asked) else ()
    depends: dict[str, Any] = {
        "rules": RULES,
        "checkpoint": sha256(weights),
        "sampling": network.config.evaluate.model_dump(mode="json", include={*SAMPLING, *several}),
        "seed": network.config.seed,
        "rows": [vars(one) for one in asked],
    }
    digest = hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()
    return network.run_dir / FOLDER / f"{digest[:16]}.json"


def _after(ended: Callable[[int], None], before: int, more: int) -> None:
    ended(before + more)
