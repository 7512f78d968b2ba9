"""Are two revisions equal, bit for bit? Runs both on one experiment in one go and compares what every step measured.

    python benchmarks/compare_revisions.py main [HEAD] [--experiment experiments/demo.smoke.yaml] [--set train.epochs=1]

Each revision is checked out into a folder of its own and goes through collect, prepare and train with its own code, one
thread, one process. Ends with 1 at the first difference, which it names: the dataset's hash, or a step's loss or norm.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

REPOSITORY = Path(__file__).parents[1]
TIMES = ("seconds", "data_wait", "tokens_per_second", "mfu", "host_memory", "host_memory_peak", "device_memory_peak")
"""What no two runs have in common."""

Line = dict[str, Any]


def measured(revision: str, folder: Path, experiment: Path, given: Sequence[str]) -> tuple[str, list[Line]]:
    """Return the hash of the dataset that a revision prepares, and its metrics."""
    tree = folder / "tree"
    subprocess.run(["git", "worktree", "add", "--quiet", "--detach", tree, revision], cwd=REPOSITORY, check=True)
    try:
        overrides = [f"data={folder}/data", f"runs={folder}/runs", "name=run", "train.workers=0", *given]
        for verb in ("collect", "prepare", "train"):
            command = [sys.executable, "-m", "hrm_ray", verb, str(experiment)]
            environment = os.environ | {"PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
            options = [part for override in overrides for part in ("--set", override)]
            subprocess.run([*command, *options], cwd=tree, env=environment, check=True, stdout=subprocess.DEVNULL)
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=REPOSITORY, check=True)
    lines = (folder / "runs" / "run" / "metrics.jsonl").read_text("utf-8").splitlines()
    return json.loads((folder / "data" / "dataset.json").read_text("utf-8"))["hash"], list(map(json.loads, lines))


def differences(old: Sequence[Line], new: Sequence[Line]) -> Iterator[str]:
    """Yield each value that both revisions measured and that is not the same."""
    if len(old) != len(new):
        yield f"{len(old)} lines of metrics, and {len(new)}"
    for one, other in zip(old, new, strict=False):
        for name in sorted((one.keys() & other.keys()) - set(TIMES)):
            if one[name] != other[name]:
                yield f"{one['event']} {one['step']}: {name} is {one[name]!r}, and {other[name]!r}"


def main(
    old: str,
    new: Annotated[str, typer.Argument()] = "HEAD",
    experiment: Path = Path("experiments/demo.smoke.yaml"),
    given: Annotated[list[str], typer.Option("--set")] = [],  # noqa: B006
) -> None:
    """Compare two revisions."""
    with tempfile.TemporaryDirectory() as folder:
        (one, before), (other, after) = (
            measured(revision, Path(folder) / name, experiment, given)
            for name, revision in (("old", old), ("new", new))
        )
    if one != other:
        print("the datasets differ, so the losses must")
    found = list(differences(before, after))
    print(f"{old} and {new}: {len(before)} lines of metrics, {len(found)} differences{': ' if found else ''}")
    print("\n".join(found[:5]))
    sys.exit(bool(found) or one != other)


if __name__ == "__main__":
    typer.run(main)
