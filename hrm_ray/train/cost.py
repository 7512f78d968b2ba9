"""What a run will cost on this machine, from a few rows that are really trained on before anything starts."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from hrm_ray.config import Config
from hrm_ray.model.batch import Document, collate
from hrm_ray.model.hrm import HRM
from hrm_ray.train.engine import PlainEngine, pick_device
from hrm_ray.train.memory import held, peak
from hrm_ray.train.step import train_step

ROWS = 3
"""Rows that are timed, after one that warms up."""

TOKENS_PER_PULL_REQUEST = 2170
"""Measured on 2,428 pull requests of ten repositories at window 1024 and vocabulary 4096 (docs/log.md, 2026-11-23)."""

STATE_BYTES = 16
"""Of a parameter: its weight, its gradient and Adam's two moments, fp32."""

SHARES = (0.6, 0.1, 0.3)
"""Prefix, plan and code of a document, of those tokens."""


@dataclass(frozen=True)
class Cost:
    """Measured in one process."""

    row_seconds: float
    """Forward and backward over one packed row at the final gradient depth."""
    fixed_bytes: int
    """Weights, gradients, moments, and the process itself."""
    row_bytes: int
    """What each row of a micro-batch adds."""
    device: str
    threads: int
    rows: int = 1 + ROWS

    def bytes(self, rows: int) -> int:
        """Return the memory of a process that takes `rows` at a time."""
        return self.fixed_bytes + rows * self.row_bytes


def measure(config: Config, vocab_size: int) -> Cost:
    """Train a throw-away model of the run's shape on made-up rows, one at a time."""
    train = config.train.model_copy(update={"judge_rows": 0})
    if train.workers:
        torch.set_num_threads(train.worker_cpus)
    torch.manual_seed(config.seed)
    batches = [collate(row(config.prepare.window, vocab_size, seed)) for seed in range(ROWS)]
    before = held(pick_device(train))
    engine = PlainEngine(HRM(config.model, vocab_size), train)
    seconds = []
    for some in (batches[:1], batches):
        began = time.perf_counter()
        train_step(engine, some, train, rate=1e-6, depth=config.model.depth.max)
        seconds.append(time.perf_counter() - began)
    fixed = before + STATE_BYTES * sum(p.numel() for p in engine.model.parameters())
    row_bytes = max(0, peak(engine.device) - fixed)
    return Cost(seconds[-1] / ROWS, fixed, row_bytes, engine.device.type, torch.get_num_threads())


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
    rows = config.train.rows - config.train.judge_rows
    steps = config.train.epochs * -(-tokens // (rows * config.prepare.window))
    return int(min(steps, config.train.max_steps or steps))
