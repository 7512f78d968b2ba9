"""Tokens per second of a training step: the network beside its plain twin of equal parameters, in one run.

    python benchmarks/train_step.py --size tiny [--steps 5]

Documents are random but of the lengths of real ones. Each figure is the median of the steps; the ratio
is what to compare between machines, the absolute figures are of the machine they were taken on.
"""

from __future__ import annotations

import statistics
import time
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from rich.table import Table

from hrm_ray.config import Model, Train
from hrm_ray.model.batch import Batch, Document, collate
from hrm_ray.model.hrm import HRM
from hrm_ray.model.size import parameters, plain_twin, training_flops
from hrm_ray.prepare.tokenizer import Control
from hrm_ray.train.engine import PlainEngine
from hrm_ray.train.step import train_step

VOCABULARY = {"tiny": 4096, "small": 8192, "base": 16384, "large": 32768, "xl": 32768}
TOKENS = 4096
PREFIX, PLAN, CODE = 430, 60, 200
"""Mean tokens of the sections in the real training fold."""


def documents(vocabulary: int, tokens: int) -> list[Document]:
    """Draw documents until there are `tokens` of them; lengths vary by a factor of three either way."""
    random = np.random.default_rng(0)
    found: list[Document] = []
    while sum(document.size for document in found) < tokens:
        scale = 3 ** random.uniform(-1, 1)
        parts = (random.integers(len(Control), vocabulary, max(2, int(size * scale))) for size in (PREFIX, PLAN, CODE))
        prefix, plan, code = (part.astype(np.int32) for part in parts)
        found.append(Document(prefix, plan, code, plan_bytes=len(plan), code_bytes=len(code)))
    return found


def visible_pairs(batch: Batch) -> float:
    """Return the (query, key) pairs that attention computes."""
    pairs = 0.0
    for start, middle, stop in batch.spans:
        prefix, rest = middle - start, stop - middle
        pairs += prefix * prefix + rest * (prefix + stop - start + 1) / 2
    return pairs


def measure(config: Model, vocabulary: int, steps: int) -> tuple[float, float, int]:
    """Return tokens per second, FLOP per second and parameters."""
    train = Train()
    torch.manual_seed(0)
    engine = PlainEngine(HRM(config, vocabulary), train)
    batch = collate(documents(vocabulary, TOKENS))
    seconds = []
    for _ in range(steps + 2):
        began = time.perf_counter()
        train_step(engine, [batch], train, rate=1e-3, depth=config.depth.max)
        seconds.append(time.perf_counter() - began)
    median, count = statistics.median(seconds[2:]), len(batch.ids)
    flops = training_flops(config, vocabulary, count, len(batch.targets), visible_pairs(batch), config.depth.max)
    return count / median, flops / median, parameters(config, vocabulary)


def matmul_peak(device: torch.device, precision: torch.dtype) -> float:
    """Return the FLOP per second of one large matmul on this device, in this run."""
    size = 4096 if device.type == "cuda" else 1024
    a = torch.randn(size, size, device=device, dtype=precision)
    seconds = []
    for _ in range(8):
        began = time.perf_counter()
        float((a @ a)[0, 0])  # reading one number waits for the device
        seconds.append(time.perf_counter() - began)
    return 2 * size**3 / min(seconds)


def main(size: Annotated[list[str], typer.Option()] = ["tiny"], steps: int = 5) -> None:  # noqa: B006
    """Print the table."""
    probe = PlainEngine(HRM(Model.model_validate({}), 512), Train())
    peak = matmul_peak(probe.device, probe.precision)
    titles = ("size", "mode", "parameters", "tokens/s", "of matmul peak", "speed of hrm / plain")
    table = Table(*titles, title=f"{probe.device.type}, {probe.precision}, peak {peak / 1e9:,.0f} GFLOP/s")
    for name in size:
        config = Model.model_validate({"size": name})
        shapes = {"hrm": config, "plain": plain_twin(config, "equal_parameters")}
        speeds = {mode: measure(shape, VOCABULARY[name], steps) for mode, shape in shapes.items()}
        ratio = speeds["hrm"][0] / speeds["plain"][0]
        for mode, (tokens, flops, count) in speeds.items():
            table.add_row(name, mode, f"{count:,}", f"{tokens:,.0f}", f"{flops / peak:.0%}", f"{ratio:.2f}")
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
