"""The experiments on real pull requests, by their smoke twins: really prepared, trained, evaluated and reported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hrm_ray import settings
from hrm_ray.evaluate.command import evaluate_all
from hrm_ray.launch.command import train_all
from hrm_ray.prepare.pipeline import prepare
from hrm_ray.prepare.shards import Shards
from hrm_ray.progress import bars
from hrm_ray.report.page import write
from tests.conftest import ROOT


@pytest.mark.parametrize("name", ["real-tiny", "real-edit"])
def test_real_pull_requests_run_through(name: str, shared_data: Path, ray_session: None, tmp_path: Path) -> None:
    places = [f"data={tmp_path / 'data'}", f"runs={tmp_path / 'runs'}"]
    sample = f"prepare.input={shared_data / 'go_prs_small.jsonl.gz'}"
    config = settings.load(ROOT / "experiments" / f"{name}.smoke.yaml", [*places, sample])
    with bars() as progress:
        facts = prepare(config, progress)
    assert facts["synthetic"] is False
    train, test = (Shards(config.data / fold).column("merged_at").to_pylist() for fold in ("train", "test"))
    assert max(map(str, train)) < min(map(str, test))
    train_all(config)
    evaluate_all(config.run_dir, [])
    found = json.loads((config.run_dir / "evaluation.json").read_text())
    assert found["generation"]["all"]["count"] == config.evaluate.generations
    assert 0 < found["losses"]["code_bits_per_byte"] < 10
    report = write(config.run_dir)
    assert report.decision == "NOT ENOUGH EVIDENCE"
    assert report.path.stat().st_size > 10_000
