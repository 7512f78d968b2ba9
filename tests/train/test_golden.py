"""Losses that were written down once: a refactor that moves them by more than rounding is no refactor.

`python -m tests.train.test_golden` writes them anew, for a change that is meant; two revisions are compared bit for bit
by benchmarks/compare_revisions.py.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hrm_ray.train import loop
from tests.conftest import ROOT
from tests.train.conftest import SHAPE, Silent, run_config, write_dataset

FOLDER = ROOT / "tests" / "golden"
TOLERANCE = 1e-3
"""Relative; other machines, threads and builds of torch round otherwise."""

STEPS = 24
NAMES = dict.fromkeys(("plan_loss", "code_loss", "refinement_loss", "gradient_norm"), "train")
NAMES |= {"objective": "validation"}  # of the average, where one is kept
CASES: dict[str, dict[str, Any]] = {
    "hrm": {},
    "plain": {"model": {"mode": "plain", "layers": 2}},
    "injected": {"model": {"inject": True, "depth": {"min": 2, "max": 8}, "tied": False}},
    "ema": {"ema": {"decay": 0.9}},
    "adam_atan2": {"optimizer": {"kind": "adam_atan2"}, "schedule": {"peak": 5e-4}},
    "muon": {"optimizer": {"kind": "muon"}},
    "mixture": {"share": 0.4},
    "curriculum": {"curriculum": 0.7},
    "wsd": {"schedule": {"kind": "wsd", "peak": 5e-3}, "losses": {"refinement": 1.0}, "no_plan": 0.0},
}


def losses(
    datasets: Sequence[Path], runs: Path, model: dict[str, Any] | None = None, share: float = 0.0, **train: Any
) -> dict[str, list[float]]:
    """Train one case, `share` of it on the second dataset, and return what each step and each validation measured."""
    dataset, other = datasets
    parts = [{"data": str(other), "weight": share}] if share else []
    config = run_config(dataset, runs, epochs=9, max_steps=STEPS, mixture=parts, **train)
    config = config.model_copy(update={"model": type(config.model).model_validate({**SHAPE, **(model or {})})})
    loop.train(config, "main", Silent())
    lines = [json.loads(line) for line in (config.run_dir / "metrics.jsonl").read_text().splitlines()]
    return {name: [line[name] for line in lines if line["event"] == event] for name, event in NAMES.items()}


@pytest.mark.parametrize("name", CASES)
def test_losses_are_those_that_were_written_down(dataset: Path, other: Path, tmp_path: Path, name: str) -> None:
    golden = json.loads((FOLDER / f"{name}.json").read_text())
    measured = losses((dataset, other), tmp_path, **CASES[name])
    assert measured.keys() == golden.keys()
    for kind, values in golden.items():
        assert measured[kind] == pytest.approx(values, rel=TOLERANCE), kind


def test_no_two_cases_are_one() -> None:
    assert len({(FOLDER / f"{name}.json").read_text() for name in CASES}) == len(CASES)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        datasets = write_dataset(Path(folder) / "dataset"), write_dataset(Path(folder) / "other", first=500)
        for name, case in CASES.items():
            text = json.dumps(losses(datasets, Path(folder) / name, **case), indent=1)
            (FOLDER / f"{name}.json").write_text(f"{text}\n")


if __name__ == "__main__":
    main()
