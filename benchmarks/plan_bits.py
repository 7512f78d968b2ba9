"""What a plan tells about its code and what it costs, by a compressor: no network, so no training can be too short.

    python benchmarks/plan_bits.py data/real-tiny

Deflate codes the plan with the prefix in its window, then the code with prefix and plan in it; a sample of the training
fold stands before them all. Prints bits per byte of code for the kinds of plan of plan_study.py, on the validation and
judge folds.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from pathlib import Path

import typer
from plan_study import ARMS, PARTS, Row, planned

from hrm_ray.prepare.shards import Shards

WINDOW = 32_000
"""Bytes that deflate looks back."""

SAMPLE = 14_000
"""Bytes of the training fold among them; the rest is for prefix and plan."""

PREFIX = ("title", "body", "path", "outline", "anchor", "before")


def bits(known: bytes, text: str) -> int:
    """Return the bits that `text` takes where `known` has been seen; nothing takes none."""
    if not text:
        return 0
    coder = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zdict=known[-WINDOW:])
    return 8 * len(coder.compress(text.encode()) + coder.flush())


def sample(train: Shards) -> bytes:
    """Return the end of some texts of the training fold."""
    rows = [train.row(at) for at in random.Random(0).sample(range(len(train)), min(40, len(train)))]
    return "\n".join(row[name] for row in rows for name in ("title", "plan", "code")).encode()[-SAMPLE:]


def measure(rows: Sequence[Row], arm: str, seen: bytes) -> tuple[float, float]:
    """Return the bits of all plans and of all code, for each byte of code."""
    plans = code = 0
    for row, plan in planned(rows, arm):
        known = seen + "\n".join([*(row[name] for name in PREFIX), ""]).encode()
        plans += bits(known, plan)
        code += bits(known + plan.encode(), row["code"])
    size = sum(len(row["code"].encode()) for row in rows)
    return plans / size, code / size


def main(data: Path) -> None:
    """Print the table."""
    shards = [Shards(data / fold) for fold in PARTS["validation"]]
    rows = [one.row(at) for one in shards for at in range(len(one))]
    seen = sample(Shards(data / "train"))
    print("| plan | plan bits / code byte | code bits / byte | sum |\n| --- | ---: | ---: | ---: |")
    for arm in ARMS:
        plans, code = measure(rows, arm, seen)
        print(f"| {arm} | {plans:.3f} | {code:.3f} | {plans + code:.3f} |")


if __name__ == "__main__":
    typer.run(main)
