"""One rank of a distributed test: `python -m tests.train.rank RANK WORLD STAGE DATASET FOLDER`.

Trains as `steps` does, saves a checkpoint, starts an engine of the next stage from it, trains on, and leaves what it
saw in FOLDER.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from hrm_ray.train import checkpoint
from hrm_ray.train.checkpoint import State
from hrm_ray.train.engine import Engine
from hrm_ray.train.feed import micro_batches, open_feed
from hrm_ray.train.run import build_model
from hrm_ray.train.step import train_step
from hrm_ray.train.validate import Validation
from hrm_ray.train.zero import ZeroEngine
from tests.train import probing
from tests.train.conftest import run_config

STEPS, MORE, BAD = 50, 5, 3
"""Steps before and after the checkpoint, and the position whose gradient holds a NaN, on the last rank."""
STAGES = (0, 1, 2, 3)


class Counted:
    """Counts the bytes that a collective of `torch.distributed` is given."""

    bytes = 0

    def __init__(self, name: str) -> None:
        self.original = getattr(dist, name)
        setattr(dist, name, self)

    def __call__(self, *given: Any, **named: Any) -> Any:
        Counted.bytes += sum(t.numel() * t.element_size() for t in (*given, *named.values()) if torch.is_tensor(t))
        return self.original(*given, **named)


def steps(engine: Any, dataset: Path, positions: range, order: int = 1) -> list[dict[str, Any]]:
    """Train at `positions`, the micro-batches in reverse order where `order` is -1, and return what was reported."""
    config = run_config(dataset, dataset)
    feed = open_feed(config, engine.rank, engine.world)
    results = []
    for position in positions:
        if position == BAD and engine.rank == engine.world - 1:
            poison(engine)
        batches = feed.micro_batches(position)[::order]
        result = train_step(engine, batches, config.train, rate=1e-3, depth=3 + (position > 10))
        results.append({"loss": result.loss, "norm": result.gradient_norm, "updated": result.updated})
    return results


def poison(engine: Any) -> None:
    """Put a NaN into this rank's share of the gradient, once, before the norm is taken."""
    honest = engine.gradient_norm

    def norm() -> float:
        held = engine.partition.gradients() if isinstance(engine, ZeroEngine) else [engine.model.embedding.weight.grad]
        held[0].view(-1)[0] = float("nan")
        engine.gradient_norm = honest
        return float(honest())

    engine.gradient_norm = norm


def zero_engine(dataset: Path, world: int, stage: int, **settings: Any) -> ZeroEngine:
    train = run_config(dataset, dataset, workers=world, zero_stage=stage, **settings).train
    return ZeroEngine(build_model(run_config(dataset, dataset)), train, micro_batches(train, world))


def autocast_dtype(dataset: Path) -> str:
    """Return what the matmuls of a run in bf16 give under DeepSpeed, which turns off any autocast but its own."""
    engine = zero_engine(dataset, dist.get_world_size(), stage=1, precision="bf16")
    seen = []
    linear = engine.model.get_submodule("planner.blocks.0.mlp.down")
    linear.register_forward_hook(lambda *given: seen.append(given[2].dtype))
    validated(engine, dataset)
    return str(seen[0])


def validated(engine: Engine, dataset: Path) -> dict[str, float | None]:
    return Validation(run_config(dataset, dataset)).measure(engine)


def main() -> None:
    rank, world, stage = map(int, sys.argv[1:4])
    dataset, folder = map(Path, sys.argv[4:6])
    os.environ |= {"LOCAL_RANK": str(rank), "RANK": str(rank), "WORLD_SIZE": str(world)}
    meeting = f"file://{folder / 'meeting'}"
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=world, timeout=timedelta(seconds=90))
    for name in ("all_reduce", "reduce_scatter_tensor", "reduce"):
        Counted(name)  # before DeepSpeed looks them up
    engine = zero_engine(dataset, world, stage)
    results = steps(engine, dataset, range(STEPS))
    seen = {
        "pid": os.getpid(),
        "engine": type(engine.deepspeed).__name__,
        "optimizer": type(engine.deepspeed.optimizer).__name__,
        "stage": engine.deepspeed.zero_optimization_stage(),
        "skipped": engine.deepspeed.skipped_steps,
        "reduced": Counted.bytes,
        "results": results,
        "validation": validated(engine, dataset),
    }
    saved = checkpoint.load(checkpoint.save(folder / "checkpoints", State(STEPS - 1, STEPS, 1), engine))
    resumed = zero_engine(dataset, world, STAGES[(stage + 1) % len(STAGES)])
    resumed.restore(saved.weights, saved.moments, saved.state.step)
    seen["resumed"] = steps(resumed, dataset, range(STEPS, STEPS + MORE))
    checkpoint.save(folder / "checkpoints", State(STEPS - 1 + MORE, STEPS + MORE, 1), resumed)
    seen["bf16"] = autocast_dtype(dataset) if stage == 1 else None
    seen["probed"] = [probing.steps(zero_engine(dataset, world, stage), dataset, on) for on in (False, True)]
    (folder / f"rank-{rank}.json").write_text(json.dumps(seen))
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
