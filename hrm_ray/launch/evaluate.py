"""`hrm-ray evaluate`, with Ray where `evaluate.workers` asks for it: actors write (a Ray Data job), and actors type.

An actor opens the run's network once and writes batch after batch into the run's folder, which all nodes see. A batch
that lies there is not written again, so a job that was stopped goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import ray

from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.evaluate import command
from hrm_ray.evaluate.cache import Piece
from hrm_ray.evaluate.evaluation import Hands
from hrm_ray.evaluate.generation import Request
from hrm_ray.evaluate.opened import Network, open_network
from hrm_ray.launch.judges import climb_all
from hrm_ray.launch.session import session
from hrm_ray.prepare.stages import quiet
from hrm_ray.train.run import read_run


class Writer:
    """The actor."""

    def __init__(self, run_dir: Path, config: Config, step: int) -> None:
        """Open the run's network; training may have gone on since it was opened to be evaluated, at `step`."""
        self.network = open_network(run_dir, config)
        if self.network.step != step:
            raise UserError(f"{run_dir}: step {self.network.step} is the best now, and was step {step}; evaluate again")

    def __call__(self, row: Mapping[str, Any]) -> dict[str, int]:
        """Fill one piece; return how many rows it has."""
        piece = Piece(Path(row["path"]), [Request(**request) for request in json.loads(row["requests"])])
        piece.fill(self.network)
        return {"rows": len(piece.requests)}


def evaluate_all(run_dir: Path, overrides: Sequence[str]) -> None:
    """Evaluate the run and each baseline that was trained beside it."""
    workers = read_run(run_dir, overrides).evaluate.workers
    if not workers:
        command.evaluate_all(run_dir, overrides)
        return
    with session(workers + 1):  # Ray Data wants a CPU beside its actors
        hands = Hands(fill=partial(on_actors, workers), climb=partial(climb_all, workers=workers))
        command.evaluate_all(run_dir, overrides, hands)


def on_actors(workers: int, network: Network, pieces: Sequence[Piece], ended: Callable[[int], None]) -> None:
    """Fill the pieces on so many actors, each with a GPU where the network of this process is on one."""
    if not pieces:
        return
    quiet()
    rows = [
        {"path": str(piece.path.resolve()), "requests": json.dumps([vars(request) for request in piece.requests])}
        for piece in pieces
    ]
    written = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
        Writer,
        fn_constructor_args=(network.run_dir.resolve(), network.config.absolute(), network.step),
        concurrency=min(workers, len(rows)),
        num_cpus=1,
        num_gpus=int(network.engine.device.type == "cuda"),
    )
    done = 0
    for row in written.iter_rows():
        ended(done := done + row["rows"])
