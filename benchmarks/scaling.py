"""Weak scaling from one worker to two, and what the cost model (docs/cost-model.md) says of it.

    python benchmarks/scaling.py [--size tiny] [--rows 4] [--rounds 6]

Two gloo processes of one thread each take turns: the plain engine on rank 0 alone, the plain engine on both at once,
and both as two workers of a ZeRO stage, each time `rows` packed rows a process. So noise hits all alike, and what the
two lose by sharing a machine is told apart from what they lose by talking. The model's communication is the bytes that
a stage sends over the bandwidth of one large all-reduce in the same run; the engine's own work is not in it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from hrm_ray.config import Model, Train
from hrm_ray.model.batch import collate
from hrm_ray.model.hrm import HRM
from hrm_ray.train.communication import sent_bytes
from hrm_ray.train.cost import row
from hrm_ray.train.engine import Engine, PlainEngine
from hrm_ray.train.step import train_step

WORLD, WINDOW, VOCABULARY = 2, 1024, 4096
LARGE = 16 << 20
"""Bytes of the all-reduce that the bandwidth is measured by; of two ranks, each sends as many."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="tiny")
    parser.add_argument("--rows", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--rank", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.folder:
        be_rank(given)
        return
    found = start(given)
    speed, wait = f"{found['bandwidth'] / 1e9:.2f} GB/s", f"{found['latency'] * 1e6:.0f} us"
    print(f"{given.size}, {found['parameters']:,} weights, {given.rows} rows of {WINDOW} tokens a worker")
    print(f"an all-reduce of {LARGE >> 20} MiB goes at {speed}, one of a single number takes {wait}\n")
    titles = ("stage", "s, one alone", "s, two apart", "s, two workers", "weak scaling", "talking, s", "model, s")
    for cells in (titles, ["---"] * len(titles), *(line(found, *one) for one in found["stages"].items())):
        print(f"| {' | '.join(cells)} |")


def line(found: dict[str, Any], stage: str, rounds: list[list[float]]) -> list[str]:
    """Return the cells of a stage: medians over the rounds, and of their differences and ratios."""
    alone, apart, together = (statistics.median(seconds) for seconds in zip(*rounds, strict=True))
    scaling = statistics.median(one / two for one, _, two in rounds)
    talking = statistics.median(two - both for _, both, two in rounds)
    modelled = found["sent"][stage] / found["bandwidth"]
    return [stage, *(f"{value:.3f}" for value in (alone, apart, together, scaling, talking, modelled))]


def start(given: argparse.Namespace) -> dict[str, Any]:
    """Run both ranks and return what rank 0 measured."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--size", given.size, "--rows", str(given.rows)]
        command += ["--rounds", str(given.rounds), "--folder", folder]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "DS_ACCELERATOR": "cpu", "TORCH_EXTENSIONS_DIR": folder}
        ranks = [
            subprocess.Popen([*command, "--rank", str(rank)], env=environment, stdout=sys.stderr)
            for rank in range(WORLD)
        ]
        codes = [rank.wait() for rank in ranks]
        if any(codes):
            sys.exit("a rank failed")
        found: dict[str, Any] = json.loads((Path(folder) / "found.json").read_text("utf-8"))
        return found


def be_rank(given: argparse.Namespace) -> None:
    """Measure as one rank."""
    from hrm_ray.train.zero import ZeroEngine

    os.environ |= {"LOCAL_RANK": str(given.rank), "RANK": str(given.rank), "WORLD_SIZE": str(WORLD)}
    meeting = f"file://{given.folder / 'meeting'}"
    dist.init_process_group("gloo", init_method=meeting, rank=given.rank, world_size=WORLD)
    latency, bandwidth = reduced(1), LARGE / reduced(LARGE // 4)
    stages, sent, parameters = {}, {}, 0
    for stage in range(4):
        train = Train(workers=WORLD, zero_stage=stage, rows=WORLD * given.rows, micro_rows=given.rows, device="cpu")
        plain = PlainEngine(build(given.size), Train(device="cpu"))
        parameters = sum(parameter.numel() for parameter in plain.model.parameters())
        shared = ZeroEngine(build(given.size), train, micro_batches=1)
        sent[stage] = sent_bytes(train, parameters)
        stages[stage] = [one_round(given, plain, shared, train) for _ in range(given.rounds + 1)][1:]
    if given.rank == 0:
        facts = {"parameters": parameters, "latency": latency, "bandwidth": bandwidth, "sent": sent, "stages": stages}
        (given.folder / "found.json").write_text(json.dumps(facts), "utf-8")
    dist.destroy_process_group()


def build(size: str) -> HRM:
    """Return the same model on every rank."""
    torch.manual_seed(0)
    return HRM(Model.model_validate({"size": size}), VOCABULARY)


def one_round(given: argparse.Namespace, plain: Engine, shared: Engine, train: Train) -> list[float]:
    """Return the seconds of a step alone, of two apart, and of two workers."""
    return [
        timed(given, plain, train) if given.rank == 0 else waited(),
        timed(given, plain, train),
        timed(given, shared, train),
    ]


def timed(given: argparse.Namespace, engine: Engine, train: Train) -> float:
    """Train one step when all are ready, and wait until all have."""
    batch = collate([document for seed in range(given.rows) for document in row(WINDOW, VOCABULARY, seed)])
    dist.barrier()
    began = time.perf_counter()
    train_step(engine, [batch], train, rate=1e-3, depth=engine.model.config.depth.max)
    seconds = time.perf_counter() - began
    dist.barrier()
    return seconds


def waited() -> float:
    """Take part in the barriers of a step that another rank makes alone."""
    dist.barrier()
    dist.barrier()
    return 0.0


def reduced(count: int) -> float:
    """Return the seconds that an all-reduce of so many floats takes at best."""
    values, seconds = torch.zeros(count), []
    for _ in range(5):
        dist.barrier()
        began = time.perf_counter()
        dist.all_reduce(values)
        seconds.append(time.perf_counter() - began)
    return min(seconds)


if __name__ == "__main__":
    main()
