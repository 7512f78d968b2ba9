"""One rank of an evaluation: `python -m tests.evaluate.rank RANK WORLD DATASET FOLDER`.

Leaves in FOLDER what it reads of the test fold: every rank must say the same, and what one process says.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch.distributed as dist
from torch import Tensor

from hrm_ray.evaluate import losses
from hrm_ray.evaluate.opened import Opened
from hrm_ray.prepare.tokenizer import Tokenizer
from hrm_ray.train.corpus import JudgeDocuments, SolveDocuments
from hrm_ray.train.engine import PlainEngine
from hrm_ray.train.run import build_model
from hrm_ray.train.validate import judge_log_probabilities
from tests.train.conftest import run_config

TOKENS = 128
"""Run at a time: the documents of the fold make chunks of which two or three ranks cannot have equally many."""


class RankEngine(PlainEngine):
    """Whole weights on each of several processes."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        if dist.is_initialized():
            self.rank, self.world = dist.get_rank(), dist.get_world_size()

    def sum(self, values: Tensor) -> Tensor:
        """Add up over the processes."""
        if self.world > 1:
            dist.all_reduce(values)
        return values


def opened(dataset: Path, folder: Path) -> Opened:
    """Open an untrained network, the same on every rank, and the test fold."""
    config = run_config(dataset, folder)
    solve, judge = SolveDocuments(dataset, "test"), JudgeDocuments(dataset, "test")
    engine = RankEngine(build_model(config), config.train)
    return Opened(folder, config, engine, 0, Tokenizer.train([], 530), solve, judge, TOKENS)


def seen(opened: Opened) -> dict[str, Any]:
    """Everything that is read of the fold, as JSON has it."""
    nats, probes = losses.read(opened)
    plans = {row: opened.solve.shards.ids(row + 1, "plan_ids")[1:].tolist() for row in range(5)}
    judged = [opened.judge.document(row, hidden=True) for row in range(len(opened.judge))]
    found = {
        "probes": probes,
        "losses": losses.measure(opened, nats, plans),
        "nats": [nats.planned.tolist(), nats.direct.tolist()],
        "decisions": judge_log_probabilities(opened.engine, judged, opened.tokens).tolist(),
    }
    return dict(json.loads(json.dumps(found)))


def main() -> None:
    rank, world, dataset, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])
    meeting = f"file://{folder / 'meeting'}"
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=world, timeout=timedelta(seconds=90))
    (folder / f"rank-{rank}.json").write_text(json.dumps(seen(opened(dataset, folder))))
    dist.barrier()
    os._exit(0)  # as in tests.train.rank: gloo's threads may abort a process that ends


if __name__ == "__main__":
    main()
