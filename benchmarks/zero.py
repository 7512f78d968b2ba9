"""What each ZeRO stage sends and holds, counted, against the counts of the paper (arXiv 1910.02054), in fp32.

    python benchmarks/zero.py [--size tiny] [--micro-batches 2]

Two gloo processes for each case, `plain` being one process without DeepSpeed. Units are the model's weights (4 bytes
each): 1.00 sent is what a rank sends when every weight leaves it once, so an all-reduce counts twice (a reduce-scatter
and an all-gather), any other collective once. Memory is the live tensors' after the last backward of a step, no
activations; a buffer counts for what was asked for, touched or not. The theory of stage 3 drops every weight after each
use; DeepSpeed keeps those of fewer than 100,000 elements, and what it has room for until the backward.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from hrm_ray.config import Model, Train
from hrm_ray.model.batch import collate
from hrm_ray.model.hrm import HRM
from hrm_ray.train.cost import row
from hrm_ray.train.engine import PlainEngine
from hrm_ray.train.step import train_step

WORLD, STEPS, WINDOW = 2, 3, 256
VOCABULARY = 4096
CASES = {"plain": (0, 0, False), **{f"stage {s}": (WORLD, s, False) for s in range(4)}} | {
    f"stage {s}, offload": (WORLD, s, True) for s in (1, 2, 3)
}
"""Workers, ZeRO stage, offload."""
SENT = {
    "all_reduce": 2,
    "reduce": 1,
    "reduce_scatter_tensor": 1,
    "all_gather": 1,
    "all_gather_into_tensor": 1,
    "broadcast": 1,
}
"""Times that the tensor of a collective (the whole one, of a gather or a scatter) leaves a rank."""
PARTS = ("weights", "masters", "gradients", "moments", "buffers")


def main() -> None:
    """Print the two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="tiny")
    parser.add_argument("--micro-batches", type=int, default=2)
    parser.add_argument("--rank", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.folder:
        be_rank(given)
        return
    found = start(given)
    kinds = [kind for kind in SENT if any(kind in seen["sent"] for seen in found.values())]
    print(f"{given.size}, {found['plain']['weights']:,} weights, {given.micro_batches} micro-batches a step\n")
    print_table(["sent a step", *kinds, "in all", "theory"], (sent_line(given, found, case, kinds) for case in CASES))
    print_table(["held", *PARTS, "without buffers", "theory"], (held_line(found, case) for case in CASES))


def start(given: argparse.Namespace) -> dict[str, Any]:
    """Run the ranks and return what rank 0 counted of each case."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--size", given.size, "--micro-batches", str(given.micro_batches)]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "DS_ACCELERATOR": "cpu", "TORCH_EXTENSIONS_DIR": folder}
        ranks = [
            subprocess.Popen([*command, "--folder", folder, "--rank", str(rank)], env=environment, stdout=sys.stderr)
            for rank in range(WORLD)
        ]
        codes = [rank.wait() for rank in ranks]
        if any(codes):
            sys.exit("a rank failed")
        found: dict[str, Any] = json.loads((Path(folder) / "found.json").read_text("utf-8"))
        return found


def be_rank(given: argparse.Namespace) -> None:
    """Measure every case as one rank."""
    os.environ |= {"LOCAL_RANK": str(given.rank), "RANK": str(given.rank), "WORLD_SIZE": str(WORLD)}
    sent: Counter[str] = Counter()
    for kind in SENT:
        count(kind, sent)  # before DeepSpeed looks them up
    meeting = f"file://{given.folder / 'meeting'}"
    dist.init_process_group("gloo", init_method=meeting, rank=given.rank, world_size=WORLD)
    found = {case: measure(given, case, sent) for case in CASES}
    if given.rank == 0:
        (given.folder / "found.json").write_text(json.dumps(found), "utf-8")
    dist.destroy_process_group()


def measure(given: argparse.Namespace, case: str, sent: Counter[str]) -> dict[str, Any]:
    """Train a few steps and return what the last of them sent and held."""
    gc.collect()
    earlier = {storage(tensor) for tensor in tensors()}
    workers, stage, offload = CASES[case]
    train = Train(workers=workers, zero_stage=stage, offload_optimizer=offload, device="cpu")
    torch.manual_seed(0)
    model = HRM(Model.model_validate({"size": given.size}), VOCABULARY)
    weights = sum(parameter.numel() for parameter in model.parameters())
    engine = build(model, train, given.micro_batches)
    held: dict[str, int] = {}
    watch(engine, lambda: held.update(census(engine, earlier)))
    batches = [collate(row(WINDOW, VOCABULARY, seed)) for seed in range(given.micro_batches)]
    for _ in range(STEPS):
        sent.clear()
        train_step(engine, batches, train, rate=1e-3, depth=model.config.depth.max)
    return {"weights": weights, "sent": dict(sent), "held": held}


def build(model: HRM, train: Train, micro_batches: int) -> Any:  # noqa: ANN401
    """Return the engine of a case."""
    if train.workers == 0:
        return PlainEngine(model, train)
    from hrm_ray.train.zero import ZeroEngine

    return ZeroEngine(model, train, micro_batches)


def count(kind: str, sent: Counter[str]) -> None:
    """Let a collective of `torch.distributed` add the bytes of its largest tensor, or list of tensors, to `sent`."""
    original = getattr(dist, kind)

    def counted(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401
        sent[kind] += max(size(argument) for argument in (*arguments, *named.values()))
        return original(*arguments, **named)

    setattr(dist, kind, counted)


def size(value: Any) -> int:  # noqa: ANN401
    """Return the bytes of a tensor or a list of them; 0 for anything else."""
    if isinstance(value, list):
        return sum(map(size, value))
    return value.numel() * value.element_size() if torch.is_tensor(value) else 0


def watch(engine: Any, look: Callable[[], None]) -> None:  # noqa: ANN401
    """Call `look` before each norm is taken: after the last backward of a step."""
    honest = engine.gradient_norm

    def norm() -> float:
        look()
        return float(honest())

    engine.gradient_norm = norm


def census(engine: Any, earlier: set[int]) -> dict[str, int]:  # noqa: ANN401
    """Return the bytes of all tensors since `earlier` by what they are for; what two share counts for the first."""
    gc.collect()
    partition = getattr(engine, "partition", None)
    optimizer = engine.optimizer if partition is None else engine.deepspeed.optimizer
    optimizer = getattr(optimizer, "optimizer", optimizer)
    parameters = list(engine.model.parameters())
    kinds: dict[str, Iterable[Any]] = {
        "weights": [t for p in parameters for t in (p.data, getattr(p, "ds_tensor", None))],
        "masters": getattr(partition, "masters", []),
        "gradients": [p.grad for p in parameters] + (partition.gradients() if partition else []),
        "moments": [value for state in optimizer.state.values() for value in state.values()],
        "buffers": tensors(),
    }
    seen = {*earlier, 0}
    return {kind: sum(new_bytes(tensor, seen) for tensor in found) for kind, found in kinds.items()}


def tensors() -> list[Tensor]:
    """Return every tensor that is alive."""
    return [found for found in gc.get_objects() if type(found) in (Tensor, torch.nn.Parameter)]


def storage(tensor: Tensor) -> int:
    """Return where a tensor's memory begins."""
    return tensor.untyped_storage().data_ptr()


def new_bytes(tensor: Tensor | None, seen: set[int]) -> int:
    """Return the bytes of a tensor's memory where it is not in `seen`, and note that it is."""
    if tensor is None or storage(tensor) in seen:
        return 0
    seen.add(storage(tensor))
    return tensor.untyped_storage().nbytes()


def sent_line(given: argparse.Namespace, found: dict[str, Any], case: str, kinds: list[str]) -> list[str]:
    """Return what a case sends, in multiples of the weights."""
    sent = {kind: SENT[kind] * found[case]["sent"].get(kind, 0) / (4 * found[case]["weights"]) for kind in kinds}
    workers, stage, _ = CASES[case]
    theory = {0: 2.0, 1: 2.0, 2: given.micro_batches + 1.0, 3: 3.0 * given.micro_batches}[stage] if workers else 0.0
    return [case, *(f"{value:.2f}" for value in (*sent.values(), sum(sent.values()), theory))]


def held_line(found: dict[str, Any], case: str) -> list[str]:
    """Return what a case holds, in multiples of the weights."""
    held = {part: found[case]["held"][part] / (4 * found[case]["weights"]) for part in PARTS}
    workers, stage, _ = CASES[case]
    shares = [1 / WORLD if workers and stage >= least else 1.0 for least in (3, 2, 1)]  # weights, gradients, moments
    copy = 1 / WORLD if workers and stage else 0.0  # of what a rank updates, which fp32 would not need
    theory = shares[0] + shares[1] + 2 * shares[2]
    text = f"{theory:.2f}" + (f" + {copy:.2f}" if copy else "")
    return [case, *(f"{value:.2f}" for value in held.values()), f"{sum(held.values()) - held['buffers']:.2f}", text]


def print_table(titles: list[str], lines: Iterable[list[str]]) -> None:
    """Print Markdown."""
    for line in (titles, ["---"] * len(titles), *lines):
        print(f"| {' | '.join(line)} |", flush=True)
    print()


if __name__ == "__main__":
    main()
