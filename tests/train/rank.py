"""One rank of a distributed test: `python -m tests.train.rank RANK WORLD STAGE DATASET FOLDER`.

Trains each variant that runs at STAGE as `steps` does, validates halfway, saves a checkpoint, starts an engine of the
variant's next stage from it, trains on, and leaves what it saw in FOLDER.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable
from datetime import timedelta
from itertools import product
from math import inf, nan
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.distributed as dist

from hrm_ray.config import Config
from hrm_ray.train import checkpoint
from hrm_ray.train.checkpoint import State
from hrm_ray.train.engine import Engine
from hrm_ray.train.feed import micro_batches, open_feed
from hrm_ray.train.run import build_model
from hrm_ray.train.step import train_step
from hrm_ray.train.validation import Validation
from hrm_ray.train.zero import ZeroEngine
from tests.train import probing, whole
from tests.train.conftest import run_config
from tests.train.poisoning import POISONS

MORE = 5
"""Steps after the checkpoint."""
STAGES = (0, 1, 2, 3)
BAD = dict(zip((2, 3, 5, 7, 8, 9), product(("backward", "gradient", "loss"), (nan, inf)), strict=True))
"""What is wrong on the last rank alone, by position (`tests.train.poisoning`)."""
HALFWAY = 11


class Variant(NamedTuple):
    """One way to train."""

    settings: dict[str, Any]
    stages: tuple[int, ...] = STAGES
    steps: int = 13


VARIANTS = {
    "main": Variant({"ema": {"decay": 0.9}}, steps=50),
    "adam_atan2": Variant({"optimizer": {"kind": "adam_atan2"}}),
    "muon": Variant({"optimizer": {"kind": "muon"}}, stages=(0,)),
    "offload": Variant(
        # These weights of the losses give gradients that are clipped.
        {"offload_optimizer": True, "ema": {"decay": 0.9}, "validation": {"examples": 6, "generations": 3}}
        | {"losses": {"plan": 4.0, "code": 4.0, "refinement": 2.0}},
        stages=(1, 2, 3),
    ),
    "recompute": Variant({"activation_checkpointing": True}),
    "compiled": Variant({"compile": True, "validation": {"examples": 6, "generations": 3}}, stages=(2,)),
    # Of five rows rank 0 has the judge documents and three micro-batches, rank 1 two and an empty one; the validation
    # is of three chunks, so that one of four is empty, and of three changes rank 0 writes two.
    "uneven": Variant({"rows": 5, "micro_rows": 1, "judge_rows": 1, "validation": {"examples": 6, "generations": 3}}),
}


class Counted:
    """Counts the bytes that a collective of `torch.distributed` is given, and the gradients among it that are not
    finite; our own sums are not in fp32."""

    bytes = 0
    spoilt = 0

    def __init__(self, name: str) -> None:
        self.original = getattr(dist, name)
        setattr(dist, name, self)

    def __call__(self, *given: Any, **named: Any) -> Any:
        tensors = [value for value in (*given, *named.values()) if torch.is_tensor(value)]
        Counted.bytes += sum(tensor.numel() * tensor.element_size() for tensor in tensors)
        Counted.spoilt += sum(t.dtype == torch.float32 and not bool(t.isfinite().all()) for t in tensors)
        return self.original(*given, **named)


def steps(
    engine: Any, dataset: Path, variant: Variant, positions: Iterable[int], order: int = 1
) -> list[dict[str, Any]]:
    """Train at `positions`, the micro-batches in reverse order where `order` is -1, and return what was reported."""
    config = run_config(dataset, dataset, **variant.settings | {"offload_optimizer": False})
    feed = open_feed(config, engine.rank, engine.world)
    results = []
    for position in positions:
        before, spoilt = fingerprint(engine) if position in BAD else "", Counted.spoilt
        if position in BAD and engine.rank == engine.world - 1:
            kind, value = BAD[position]
            POISONS[kind](engine, value)
        batches = feed.micro_batches(position)[::order]
        result = train_step(engine, batches, config.train, rate=1e-3, depth=3 + (position > 10))
        seen = {"loss": result.loss, "norm": result.gradient_norm, "updated": result.updated}
        unchanged = before == fingerprint(engine) if position in BAD else None
        results.append(seen | {"unchanged": unchanged, "spoilt": Counted.spoilt - spoilt})
    return results


def fingerprint(engine: Engine) -> str:
    """Return a sum over all that a rank would save."""
    digest = hashlib.sha256()
    for slices in (engine.weights(), engine.moments()):
        for name, (start, values) in slices.items():
            digest.update(f"{name}@{start}".encode() + values.detach().cpu().numpy().tobytes())
    return digest.hexdigest()


def zero_engine(dataset: Path, world: int, stage: int, **settings: Any) -> ZeroEngine:
    train = run_config(dataset, dataset, **{"workers": world, "zero_stage": stage} | settings).train
    return ZeroEngine(build_model(run_config(dataset, dataset)), train, micro_batches(train, world))


def autocast_dtype(dataset: Path) -> str:
    """Return what the matmuls of a run in bf16 give under DeepSpeed, which turns off any autocast but its own."""
    engine = zero_engine(dataset, dist.get_world_size(), stage=1, precision="bf16")
    seen = []
    linear = engine.model.get_submodule("planner.blocks.0.mlp.down")
    linear.register_forward_hook(lambda *given: seen.append(given[2].dtype))
    validated(engine, dataset, VARIANTS["uneven"])
    return str(seen[0])


def validated(engine: Engine, dataset: Path, variant: Variant) -> dict[str, float | None]:
    return Validation(run_config(dataset, dataset, **variant.settings | {"offload_optimizer": False})).measure(engine)


def run(variant: Variant, stage: int, world: int, dataset: Path, checkpoints: Path) -> dict[str, Any]:
    engine, reduced = zero_engine(dataset, world, stage, **variant.settings), Counted.bytes
    results = steps(engine, dataset, variant, range(HALFWAY))
    before = fingerprint(engine)
    validated(engine, dataset, variant)
    untouched = before == fingerprint(engine)
    results += steps(engine, dataset, variant, range(HALFWAY, variant.steps))
    seen = {
        "engine": type(engine.deepspeed).__name__,
        "optimizer": type(engine.deepspeed.optimizer).__name__,
        "stage": engine.deepspeed.zero_optimization_stage(),
        "skipped": engine.deepspeed.skipped_steps,
        "reduced": Counted.bytes - reduced,
        "results": results,
        "untouched": untouched,
        "validation": validated(engine, dataset, variant),
    }
    made = variant.steps - len(BAD)
    saved = checkpoint.load(checkpoint.save(checkpoints, State(made, variant.steps, len(BAD)), engine))
    following = variant.stages[(variant.stages.index(stage) + 1) % len(variant.stages)]
    resumed = zero_engine(dataset, world, following, **variant.settings)
    resumed.restore(saved.weights, saved.moments, saved.state.step)
    seen["resumed"] = steps(resumed, dataset, variant, range(variant.steps, variant.steps + MORE))
    checkpoint.save(checkpoints, State(made + MORE, variant.steps + MORE, len(BAD)), resumed)
    return seen


def whole_runs(dataset: Path, world: int, stage: int, folder: Path) -> dict[str, Any]:
    """What is said of a run that diverges, and of one that is given a later horizon."""

    def make(config: Config) -> ZeroEngine:
        train = config.train.model_copy(update={"workers": world, "zero_stage": stage})
        return ZeroEngine(build_model(config), train, micro_batches(train, world))

    diverged = whole.diverge(whole.diverging(dataset, folder / "diverged"), make)
    return {"diverged": diverged, "extended": whole.extend(whole.horizons(dataset, folder / "extended"), make)}


def main() -> None:
    rank, world, stage = map(int, sys.argv[1:4])
    dataset, folder = map(Path, sys.argv[4:6])
    os.environ |= {"LOCAL_RANK": str(rank), "RANK": str(rank), "WORLD_SIZE": str(world)}
    meeting = f"file://{folder / 'meeting'}"
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=world, timeout=timedelta(seconds=90))
    for name in ("all_reduce", "reduce_scatter_tensor", "reduce"):
        Counted(name)  # before DeepSpeed looks them up
    chosen = {name: variant for name, variant in VARIANTS.items() if stage in variant.stages}
    seen = {name: run(variant, stage, world, dataset, folder / name) for name, variant in chosen.items()}
    bf16 = autocast_dtype(dataset) if stage == 1 else None
    probed = [probing.steps(zero_engine(dataset, world, stage), dataset, on) for on in (False, True)]
    told = {"pid": os.getpid(), "bf16": bf16, "probed": probed, **whole_runs(dataset, world, stage, folder), **seen}
    (folder / f"rank-{rank}.json").write_text(json.dumps(told))
    dist.barrier()
    sys.stdout.flush()
    # Seen once: gloo's threads aborted both ranks as they ended, after all was written.
    os._exit(0)


if __name__ == "__main__":
    main()
