"""How many threads a run in this process computes with: fixed for its whole life, because sums depend on it.

On a busy machine threads of one small matmul spin for each other: two of them made 172 tokens/s with `tiny` where one
made 1,500. So `tiny` has one, and what is larger as many as make a step faster when the run begins.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import torch

from hrm_ray import run_records
from hrm_ray.config import Config

MOST = torch.get_num_threads()
"""Threads that torch takes of its own accord: the cores of this process, or what OMP_NUM_THREADS says."""

GAIN = 1.1
"""Times as fast as before that a step must be for twice the threads."""


def recorded(config: Config) -> int | None:
    """Return the threads that a run began with, unless this machine has fewer cores, or the run has not begun."""
    threads: int | None = run_records.read(config.run_dir).get("threads")
    return threads if threads and threads <= len(os.sched_getaffinity(0)) else None


def choose(config: Config, seconds: Callable[[], float]) -> int:
    """Have torch compute with as many threads as the run should have, and return the number.

    `seconds` makes a step of it and returns how long that took.
    """
    threads = recorded(config) or (1 if config.model.size == "tiny" or MOST == 1 else _fastest(seconds))
    torch.set_num_threads(threads)
    return threads


def _fastest(seconds: Callable[[], float]) -> int:
    torch.set_num_threads(1)
    seconds()  # warms up
    best, shortest, threads = 1, seconds(), 2
    while threads <= MOST:
        torch.set_num_threads(threads)
        if (took := seconds()) * GAIN > shortest:
            break
        best, shortest, threads = threads, took, 2 * threads
    return best
