"""Everything that `hrm-ray evaluate` measures of one run, written into its folder."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from hrm_ray.config import Config
from hrm_ray.evaluate import generation, judgement, losses
from hrm_ray.evaluate.generation import Attempt
from hrm_ray.evaluate.opened import Opened, count_test_read, open_run
from hrm_ray.files import write_text

T = TypeVar("T")


def evaluate(run_dir: Path, config: Config, progress: Callable[[int, int], None]) -> dict[str, Any]:
    """Measure the run with `config.evaluate` and write `evaluation.json` and `generations.jsonl`."""
    opened = open_run(run_dir, config)
    reads = count_test_read(opened) if config.evaluate.split == "test" else None
    bits, losses_seconds = timed(lambda: losses.measure(opened))
    found, generation_seconds = timed(lambda: generation.attempts(opened, config.evaluate.generations, progress))
    decisions, decision_seconds = timed(lambda: judgement.measure(opened, found))
    write_generations(opened, found)
    result = {
        **describe(opened),
        "test_reads": reads,
        "losses": bits,
        "generation": generation.measure(opened, found),
        "decisions": decisions,
        "seconds": {"losses": losses_seconds, "generation": generation_seconds, "decisions": decision_seconds},
    }
    write_text(run_dir / "evaluation.json", json.dumps(result, indent=1))
    return result


def describe(opened: Opened) -> dict[str, Any]:
    """Return what was evaluated on what."""
    record = json.loads((opened.run_dir / "run.json").read_text("utf-8"))
    return {
        "checkpoint": {"step": opened.step},
        "role": record["role"],
        "split": opened.config.evaluate.split,
        "synthetic": record["synthetic"],
        "parameters": record["parameters"],
        "repositories": sorted(set(opened.solve.shards.column("repository").to_pylist())),
    }


def write_generations(opened: Opened, found: list[Attempt]) -> None:
    """Write `generations.jsonl`."""
    lines = generation.records(found, judgement.decide(opened, found))
    text = "".join(json.dumps(line) + "\n" for line in lines)
    write_text(opened.run_dir / "generations.jsonl", text)


def timed(measure: Callable[[], T]) -> tuple[T, float]:
    """Return the result and the seconds it took."""
    began = time.perf_counter()
    return measure(), time.perf_counter() - began
