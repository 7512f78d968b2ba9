"""What Ray Train and DeepSpeed cost: start-up, and seconds for each step, against the plain loop in one process.

    python benchmarks/overhead.py CONFIG [--steps 20] [--workers 2]

Trains CONFIG (prepared before) three times into a temporary folder: `workers: 0`, 1 and N, one after the other, with
one thread each. A step of the plain loop is one process's; N workers share it out. Times are medians over the steps
after the first five; compare them only within one run of this script.
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

SKIPPED = 5


def main() -> None:
    """Print the two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    results = {count: run(given, count) for count in (0, 1, given.workers)}
    plain = results[0][0]
    print("workers  s/step  of plain  data wait  command to first step")
    for count, (seconds, wait, start) in results.items():
        print(f"{count:7d}  {seconds:6.3f}  {seconds / plain:7.2f}x  {wait / seconds:8.1%}  {start:6.1f} s")


def run(given: argparse.Namespace, workers: int) -> tuple[float, float, float]:
    """Train, and return seconds a step, of them waiting for data, and from the command to the end of the first step."""
    with tempfile.TemporaryDirectory() as runs:
        sets = [f"runs={runs}", f"train.workers={workers}", f"train.max_steps={given.steps}", "baselines=[]"]
        sets += [f"train.checkpoint.every={given.steps}", f"train.validation.every={given.steps}", *given.overrides]
        command = [sys.executable, "-m", "hrm_ray", "train", str(given.config)]
        began = time.time()
        process = subprocess.Popen([*command, *(part for value in sets for part in ("--set", value))])
        metrics, first = Path(runs), 0.0
        while process.poll() is None:
            time.sleep(0.05)
            if not first and (found := list(metrics.glob("*/metrics.jsonl"))) and found[0].stat().st_size:
                first = time.time() - began
        if process.returncode:
            sys.exit(process.returncode)
        [path] = metrics.glob("*/metrics.jsonl")
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    steps = [line for line in lines if line["event"] == "train"][SKIPPED:]
    seconds, wait = (statistics.median(line[key] for line in steps) for key in ("seconds", "data_wait"))
    return seconds, wait, first


if __name__ == "__main__":
    main()
