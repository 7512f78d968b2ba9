"""What a run will cost on this machine, from a few rows that are really trained on before anything starts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hrm_ray.config import Config, Train
from hrm_ray.model.batch import Batch, Document, collate
from hrm_ray.model.hrm import HRM
from hrm_ray.model.recurrence import calls_with_gradient
from hrm_ray.train import threads
from hrm_ray.train.engine import PlainEngine, pick_device
from hrm_ray.train.fit import memory_explained, state_bytes
from hrm_ray.train.memory import free, held, peak
from hrm_ray.train.step import train_step

ROWS = 3
"""Rows that are timed, after one that warms up."""

TOKENS_PER_PULL_REQUEST = 2170
"""Measured on 2,428 pull requests of ten repositories at window 1024 and vocabulary 4096 (docs/log.md, 2026-11-23)."""

SHARES = (0.6, 0.1, 0.3)
"""Prefix, plan and code of a document, of those tokens."""


@dataclass(frozen=True)
class Cost:
    """Measured in one process."""

    row_seconds: float
    """Forward and backward over one packed row at the final gradient depth."""
    base_bytes: int
    """What the process holds before it has a model; of a GPU, what it holds there."""
    parameters: int
    row_bytes: int
    """What each row of a micro-batch adds."""
    again_bytes: int
    """The same with `train.activation_checkpointing`."""
    free_bytes: int
    """What this machine, or its GPU, had left before all that."""
    device: str
    threads: int
    rows: int = 1 + ROWS

    def bytes(self, train: Train) -> int:
        """Return the memory of each process, estimated for its ZeRO stage."""
        rows, each = min(rows_each(train), train.micro_rows), self.row_bytes
        if train.activation_checkpointing:
            each = self.again_bytes
        return int(self.base_bytes + self.parameters * state_bytes(train, self.device) + rows * each)

    def fits(self, train: Train, neighbours: int) -> bool:
        """Say whether `neighbours` such processes fit the memory that is left; each has a GPU of its own."""
        return self.bytes(train) * (neighbours if self.device == "cpu" else 1) <= self.free_bytes


def rows_each(train: Train) -> int:
    """Return the rows of a step that each process takes, the fullest one."""
    return -(-train.rows // max(1, train.workers))


def measure(config: Config, vocab_size: int) -> Cost:
    """Train a throw-away model of the run's shape on made-up rows, one at a time."""
    train = _alone(config.train)
    torch.manual_seed(config.train_seed)
    batches = [collate(row(config.prepare.window, vocab_size, seed)) for seed in range(ROWS)]
    left, before = free(pick_device(train)), held(pick_device(train))
    with memory_explained(train, pick_device(train), lambda: "a step of one row at a time", helps=lambda _: False):
        engine = PlainEngine(HRM(config.model, vocab_size), train)
        if config.train.workers:
            torch.set_num_threads(config.train.worker_cpus)
        else:
            threads.choose(config, lambda: _seconds(engine, batches[:1], train, config.model.depth.max))
        seconds = [_seconds(engine, some, train, config.model.depth.max) for some in (batches[:1], batches)]
        parameters = sum(p.numel() for p in engine.model.parameters())
        row_bytes = max(0, peak(engine.device) - before - int(parameters * state_bytes(train, engine.device.type)))
        share = 1.0 if train.activation_checkpointing else _share_again(engine, batches[0], config.model.depth.max)
    device, used = engine.device.type, torch.get_num_threads()
    return Cost(seconds[-1] / ROWS, before, parameters, row_bytes, int(row_bytes * share), left, device, used)


def step_seconds(config: Config, vocab_size: int) -> Callable[[], float]:
    """Return a function that trains a throw-away model on one made-up row, and returns how long that took."""
    train, batch = _alone(config.train), collate(row(config.prepare.window, vocab_size, seed=0))

    @cache
    def engine() -> PlainEngine:
        torch.manual_seed(config.train_seed)
        return PlainEngine(HRM(config.model, vocab_size), train)

    return lambda: _seconds(engine(), [batch], train, config.model.depth.max)


def _alone(train: Train) -> Train:
    """Return the settings of a process that trains without others."""
    return train.model_copy(update={"judge_rows": 0, "workers": 0, "offload_optimizer": False})


def kept_bytes(model: HRM, batch: Batch, depth: int) -> int:
    """Return the bytes of activations that a forward keeps for its backward."""
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        model(batch, depth)
    weights = {parameter.data_ptr() for parameter in model.parameters()}
    return sum(size for pointer, size in kept.items() if pointer not in weights)


def _share_again(engine: PlainEngine, batch: Batch, depth: int) -> float:
    """Return what activations computed again take of those that are kept: their blocks' inputs, and one block's own."""
    model, batch = engine.model, batch.to(engine.device)
    blocks = calls_with_gradient(model.config, depth).blocks(model.config)
    whole = kept_bytes(model, batch, depth)
    model.execute(recompute=True, compiled=False)
    inputs = kept_bytes(model, batch, depth)
    return min(1.0, (inputs + (whole - inputs) / blocks) / whole)


def _seconds(engine: PlainEngine, batches: list[Batch], train: Train, depth: int) -> float:
    began = time.perf_counter()
    train_step(engine, batches, train, rate=1e-6, depth=depth)
    return time.perf_counter() - began


def row(window: int, vocab_size: int, seed: int) -> list[Document]:
    """Return two documents that fill a window, of the usual proportions."""
    random = np.random.default_rng(seed)
    prefix, plan, code = (int(share * window / 2) for share in SHARES)

    def draw(size: int) -> NDArray[np.int32]:
        return random.integers(0, vocab_size, size, np.int32)

    return [Document(draw(prefix), draw(plan), draw(code)) for _ in range(2)]


def expected_steps(config: Config) -> int:
    """Guess the steps of a run whose data is not there yet, from what a pull request usually comes to."""
    sources = len(config.collect.clones) or config.collect.repositories
    tokens = sources * config.collect.pull_requests * TOKENS_PER_PULL_REQUEST * config.prepare.split.shares.train
    train = config.train
    rows = (train.rows - train.judge_rows - train.copying_rows) * (1 - sum(part.weight for part in train.mixture))
    steps = train.epochs * -(-tokens // (rows * config.prepare.window))
    return int(min(steps, train.max_steps or steps))
