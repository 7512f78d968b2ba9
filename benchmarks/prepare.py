"""How fast `prepare` is, and how much memory it takes, as its input grows.

    python benchmarks/prepare.py PARQUET [--megabytes 60 600] [--modes plain pool ray-1 ray-2]

Repeats the pull requests of PARQUET, each time with the letters of all identifiers turned on (so that no copy is a
duplicate), to inputs of two sizes of Go source, and prepares each in a process of its own: in that one process, by a
`multiprocessing.Pool` of two, and by Ray Data with one and with two CPUs. All do the same work items. A marginal speed
is the difference of the sizes over the difference of the times, so that no start-up counts. Everything goes to the
training fold: judge documents are made of held-out folds, and `--judge` adds a fold of them. Memory is what is not
backed by a file (`rss` less `shared`), sampled ten times a second. Compare figures of one run of this script only.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.progress import Progress

from hrm_ray import settings
from hrm_ray.collect import records
from hrm_ray.collect.records import ChangedFile, PullRequest
from hrm_ray.launch.session import session
from hrm_ray.prepare import pipeline
from hrm_ray.prepare.stages import Call, Item, Stages

MODES = ("plain", "pool", "ray-1", "ray-2")

KEYWORDS = """
break case chan const continue default defer else fallthrough for func go goto if import interface map package range
return select struct switch type var
"""

_WORD = re.compile(rf"\b(?!(?:{'|'.join(KEYWORDS.split())})\b)[A-Za-z]{{2,}}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parquet", type=Path)
    parser.add_argument("--megabytes", type=int, nargs=2, default=(60, 600))
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
    parser.add_argument("--judge", action="store_true", help="hold out a tenth as a judge fold")
    parser.add_argument("--one", choices=MODES, help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(prepare(given.parquet, given.data, given.one, given.judge)))
        return
    with tempfile.TemporaryDirectory() as folder:
        inputs = [(Path(folder) / f"{size}.parquet", size) for size in given.megabytes]
        sizes = [repeated(given.parquet, path, size * 1e6) for path, size in inputs]
        print(f"inputs of {' and '.join(f'{size / 1e6:.1f}' for size in sizes)} MB of Go\n", flush=True)
        print("| mode | s | s | marginal MB/s | examples/s | driver, MB | largest worker, MB |")
        print("|---|---|---|---|---|---|---|")
        for mode in given.modes:
            small, large = (measured(path, Path(folder) / f"{mode}-{size}", mode, given.judge) for path, size in inputs)
            print(row(mode, small, large, (sizes[1] - sizes[0]) / 1e6), flush=True)


def row(mode: str, small: dict[str, float], large: dict[str, float], megabytes: float) -> str:
    """One line of the table; `megabytes` is by how much the large input is larger."""
    seconds = large["seconds"] - small["seconds"]
    speeds = f"{megabytes / seconds:.2f} | {(large['examples'] - small['examples']) / seconds:.0f}"
    memory = " | ".join(f"{small[name]:.0f}, {large[name]:.0f}" for name in ("driver", "worker"))
    return f"| {mode} | {small['seconds']:.1f} | {large['seconds']:.1f} | {speeds} | {memory} |"


def measured(parquet: Path, data: Path, mode: str, judge: bool) -> dict[str, float]:
    """Prepare in another process; return its seconds and examples, and peaks of memory in MB."""
    command = [sys.executable, __file__, str(parquet), "--one", mode, "--data", str(data), *["--judge"] * judge]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    driver, peaks = psutil.Process(process.pid), {"driver": 0.0, "worker": 0.0}
    while process.poll() is None:
        peaks["driver"] = max(peaks["driver"], anonymous(driver))
        workers = [anonymous(child) for child in children(driver)]
        peaks["worker"] = max(peaks["worker"], *workers, 0.0)
        time.sleep(0.1)
    if process.returncode:
        sys.exit(process.returncode)
    assert process.stdout is not None
    return {**json.loads(process.stdout.read().splitlines()[-1]), **peaks}


def anonymous(process: psutil.Process) -> float:
    """Memory of a process that no file backs, in MB; 0 where it has just ended."""
    try:
        memory = process.memory_info()
    except psutil.Error:
        return 0.0
    return float(memory.rss - memory.shared) / 1e6


def children(driver: psutil.Process) -> list[psutil.Process]:
    """Processes that may do work: of Pool, or of Ray."""
    try:
        found = driver.children(recursive=True)
        return [child for child in found if "raylet" not in child.name() and "gcs_server" not in child.name()]
    except psutil.Error:
        return []


def prepare(parquet: Path, data: Path, mode: str, judge: bool) -> dict[str, float]:
    """Prepare in this process and return seconds, without start-up of Ray or of the pool, and examples."""
    shares = {"train": 0.9, "judge": 0.1} if judge else {"train": 1.0, "judge": 0}
    workers = 1 if mode == "ray-1" else 2
    tree = {
        "name": "benchmark",
        "data": str(data),
        "clean": {"licenses": "any"},
        "prepare": {
            "input": str(parquet),
            "workers": workers,
            "split": {"by": "time", "shares": {**shares, "validation": 0, "test": 0}},
        },
        "train": {"judge_rows": 0, "losses": {"refinement": 0}},
    }
    config = settings.parse(tree, "benchmark")
    progress = Progress(console=Console(file=io.StringIO()), disable=True)
    executors: dict[str, Callable[[], AbstractContextManager[Any]]] = {
        "plain": nullcontext,
        "pool": lambda: multiprocessing.get_context("spawn").Pool(2),
        **dict.fromkeys(("ray-1", "ray-2"), lambda: session(workers)),
    }
    with executors[mode]() as executor:
        if not mode.startswith("ray"):
            run = map if executor is None else executor.imap_unordered
            pipeline.Stages = lambda *given: Local(run, *given)  # type: ignore[misc, assignment]
        start = time.perf_counter()
        facts = pipeline.prepare(config, progress)
        seconds = time.perf_counter() - start
    print(json.dumps({"stages": facts["seconds"], "drops": facts["drops"]}), file=sys.stderr)
    return {"seconds": seconds, "examples": sum(fold["examples"] for fold in facts["folds"].values())}


class Local(Stages):
    """Stages whose items another executor than Ray Data runs."""

    def __init__(self, apply: Callable[..., Iterator[Item]], progress: Progress, finished: Path, workers: int) -> None:
        super().__init__(progress, finished, workers)
        self._apply = apply

    def run(self, task: Callable[[Item], Item], rows: Sequence[Item], advance: Callable[[], None]) -> Iterator[Item]:
        """Run the task on every row."""
        for row in self._apply(Call(task), rows):
            yield row
            advance()


def repeated(source: Path, target: Path, size: float) -> int:
    """Write pull requests of `source`, salted anew each time around, up to `size` bytes of Go; return the bytes."""
    written = 0

    def salted() -> Iterator[PullRequest]:
        nonlocal written
        for salt in count():
            for pull_request in records.read(source):
                if written >= size:
                    return
                made = turned(pull_request, salt)
                written += sum(len((file.content_before + file.content_after).encode()) for file in made.files)
                yield made

    records.write(target, salted())
    return written


def turned(pull_request: PullRequest, salt: int) -> PullRequest:
    """The pull request with every letter of every identifier moved on by `salt` in the alphabet; Go stays Go."""
    if not salt:
        return pull_request

    def moved(match: re.Match[str]) -> str:
        bases = (65 if letter < "a" else 97 for letter in match[0])
        return "".join(
            chr((ord(letter) - base + salt) % 26 + base) for letter, base in zip(match[0], bases, strict=True)
        )

    def file(given: ChangedFile) -> ChangedFile:
        before, after = (_WORD.sub(moved, text) for text in (given.content_before, given.content_after))
        return replace(given, content_before=before, content_after=after, patch="")

    repo = replace(pull_request.repo, full_name=f"{pull_request.repo.full_name}-{salt}")
    request = replace(pull_request.pull_request, head_sha=f"{pull_request.pull_request.head_sha}-{salt}")
    return PullRequest(repo, request, tuple(map(file, pull_request.files)))


if __name__ == "__main__":
    main()
