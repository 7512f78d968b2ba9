"""Everything that `hrm-ray evaluate` measures of one run, written into its folder."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import Progress

from hrm_ray import run_records
from hrm_ray.config import Config
from hrm_ray.evaluate import cache, consistency, counted, generation, judgement, losses, tasks, typed
from hrm_ray.evaluate.opened import Opened, count_test_read, open_run
from hrm_ray.evaluate.random_edit import random_edits
from hrm_ray.files import write_text


@dataclass(frozen=True)
class Hands:
    """Who writes and who types: this process, if nobody else."""

    fill: cache.Fill = cache.in_turn
    climb: typed.Climb = typed.here


ALONE = Hands()


def evaluate(run_dir: Path, config: Config, progress: Progress, hands: Hands = ALONE) -> dict[str, Any]:
    """Measure the run with `config.evaluate` and write `evaluation.json`, `generations.jsonl` and `losses.jsonl`."""
    opened, seconds = open_run(run_dir, config), dict[str, float]()
    described = describe(opened)
    main = described["role"] == "main"
    course = consistency.measure(run_dir / "metrics.jsonl")  # first, because it may refuse, as the tasks may
    with timed("tasks", seconds, progress) as advance:
        solved = tasks.measure(opened, advance, hands.fill)
    reads = count_test_read(opened) if config.evaluate.split == "test" else None
    with timed("losses", seconds, progress):
        nats, probes = losses.read(opened)
    with timed("validation", seconds, progress):
        validation = losses.validation(opened) if main else None
    with timed("generation", seconds, progress) as advance:
        found = cache.attempts(opened, config.evaluate.generations, advance, hands.fill)
    with timed("generation, unchecked", seconds, progress) as advance:
        free = cache.attempts(opened, config.evaluate.generations, advance, hands.fill, checked=False)
    with timed("predicted plans", seconds, progress):
        bits = losses.measure(opened, nats, {attempt.index: attempt.written.plan for attempt in found})
    with timed("decisions", seconds, progress):
        decisions, decided = judgement.measure(opened, found), judgement.decide(opened, found)
    with timed("types", seconds, progress):
        types = typed.measure(config, found, hands.climb)
    with timed("n-gram", seconds, progress) as advance:
        grams = counted.measure(opened, found, nats.sizes, advance) if main else None
    result = {
        **described,
        "test_reads": reads,
        "losses": bits,
        "validation": validation,
        "probes": probes,
        "consistency": course,
        "generation": {
            "temperature": config.evaluate.temperature,
            "candidates": config.evaluate.candidates,
            "candidate_temperature": config.evaluate.candidate_temperature,
            "left_out": generation.left_out(opened),
            **generation.measure(found),
        },
        "unchecked": generation.measure(free),
        "random_edit": generation.measure(random_edits(found, config.seed)),
        "copying": generation.measure(generation.copies(found)),
        "ngram": grams,
        "decisions": decisions,
        "types": types,
        "tasks": solved,
        "seconds": seconds,
    }
    lines = {"generations": generation.records(found, decided), "losses": losses.records(opened, nats)}
    _write(run_dir, result, lines)
    return result


def describe(opened: Opened) -> dict[str, Any]:
    """Return what was evaluated on what."""
    run = run_records.read(opened.run_dir)
    return {
        "checkpoint": {"step": opened.step},
        "role": run["role"],
        "split": opened.config.evaluate.split,
        "synthetic": run["synthetic"],
        "parameters": run["parameters"],
        "repositories": sorted(set(opened.solve.shards.column("repository").to_pylist())),
    }


def _write(run_dir: Path, result: dict[str, Any], lines: Mapping[str, Iterable[dict[str, Any]]]) -> None:
    """Write `evaluation.json` last, and be without one until then: what lies beside it is of the same evaluation."""
    path = run_dir / "evaluation.json"
    path.unlink(missing_ok=True)
    for name, records in lines.items():
        write_text(run_dir / f"{name}.jsonl", "".join(json.dumps(line) + "\n" for line in records))
    write_text(path, json.dumps(result, indent=1))


@contextmanager
def timed(stage: str, seconds: dict[str, float], progress: Progress) -> Iterator[Callable[[int, int], None]]:
    """Show a stage as a bar, hand over a function that moves it, and note the seconds that it took."""
    bar = progress.add_task(stage, total=None)
    began = time.perf_counter()
    yield lambda done, total: progress.update(bar, completed=done, total=total)
    progress.update(bar, completed=1, total=1)
    seconds[stage] = time.perf_counter() - began
