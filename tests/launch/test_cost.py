"""What a run will cost is measured on this machine, and guessed only where nothing can be known yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrm_ray import settings
from hrm_ray.launch.command import cost, derived
from hrm_ray.train.cost import TOKENS_PER_PULL_REQUEST, expected_steps, measure, row
from hrm_ray.train.feed import open_feed
from tests.conftest import ROOT
from tests.train.conftest import VOCABULARY, run_config


def test_rows_are_full() -> None:
    assert sum(document.size for document in row(1024, 100, seed=0)) > 1000


def test_a_larger_network_costs_more(dataset: Path, tmp_path: Path) -> None:
    small = run_config(dataset, tmp_path)
    large = small.model_copy(update={"model": small.model.model_copy(update={"hidden": 256, "layers": 4, "heads": 4})})
    _, cheap, dear = (measure(config, VOCABULARY) for config in (small, small, large))  # the first loads libraries
    assert dear.row_seconds > cheap.row_seconds > 0
    assert dear.row_bytes > cheap.row_bytes
    assert dear.bytes(4) > dear.bytes(1) > dear.fixed_bytes > cheap.fixed_bytes


def test_the_steps_of_a_prepared_run_are_known(dataset: Path, tmp_path: Path) -> None:
    config = run_config(dataset, tmp_path, workers=2)
    assert f"{open_feed(config).horizon} steps of at most 768 tokens" in derived(config)
    first, *_ = cost(config)
    assert "MiB for each process" in first


def test_the_first_run_has_an_expected_cost_before_anything_is_there(tmp_path: Path) -> None:
    config = settings.load(ROOT / "experiments" / "first-run.yaml", [f"data={tmp_path}"])
    tokens = 10 * 50 * TOKENS_PER_PULL_REQUEST * 0.7
    assert expected_steps(config) == pytest.approx(3 * tokens / (13 * 1024), rel=0.03)
    tiny = config.model_copy(update={"model": config.model.model_copy(update={"hidden": 32, "layers": 1, "heads": 2})})
    first, *_ = cost(tiny)
    assert "a guess until prepared" in first


def test_nothing_is_guessed_of_synthetic_pull_requests(tmp_path: Path) -> None:
    facts = list(cost(settings.load(ROOT / "experiments" / "demo.yaml", [f"data={tmp_path}"])))
    assert facts == ["steps and cost: unknown until prepared"]
