"""Losses that were written down once: a refactor that moves them by more than rounding is no refactor.

`python -m tests.train.test_golden` writes them anew, for a change that is meant; two revisions are compared bit for bit
by benchmarks/compare_revisions.py.
"""

from __future__ import annotations

import json
import tempfile
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
CASES: dict[str, dict[str, Any]] = {
    "hrm": {},
    "plain": {"model": {"mode": "plain", "layers": 2}},
    "injected": {"model": {"inject": True, "depth": {"min": 2, "max": 8}, "tied": False}},
    "wsd": {"schedule": {"kind": "wsd", "peak": 5e-3}, "losses": {"refinement": 1.0}, "no_plan": 0.0},
}


def losses(dataset: Path, runs: Path, model: dict[str, Any] | None = None, **train: Any) -> dict[str, list[float]]:
    """Train one case and return what each step measured."""
    config = run_config(dataset, runs, epochs=9, max_steps=STEPS, **train)
    config = config.model_copy(update={"model": type(config.model).model_validate({**SHAPE, **(model or {})})})
    loop.train(config, "main", Silent())
    lines = [json.loads(line) for line in (config.run_dir / "metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if line["event"] == "train"]
    names = ("plan_loss", "code_loss", "refinement_loss", "gradient_norm")
    return {name: [line[name] for line in steps] for name in names}


@pytest.mark.parametrize("name", CASES)
def test_losses_are_those_that_were_written_down(dataset: Path, tmp_path: Path, name: str) -> None:
    golden = json.loads((FOLDER / f"{name}.json").read_text())
    measured = losses(dataset, tmp_path, **CASES[name])
    assert measured.keys() == golden.keys()
    for kind, values in golden.items():
        assert measured[kind] == pytest.approx(values, rel=TOLERANCE), kind


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        dataset = write_dataset(Path(folder) / "dataset")
        for name, case in CASES.items():
            text = json.dumps(losses(dataset, Path(folder) / name, **case), indent=1)
            (FOLDER / f"{name}.json").write_text(f"{text}\n")


if __name__ == "__main__":
    main()
