"""A small search over the dataset of random tokens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hrm_ray import settings
from hrm_ray.tune.space import Study, load
from tests.train.conftest import dataset, run_config

__all__ = ["dataset"]

SEARCH = """
name: search
base: base.yaml
set:
  train: {max_steps: 8, checkpoint: {every: 2}}
space:
  train:
    losses: {refinement: {log_uniform: [0.02, 1.0]}}
    schedule:
      kind: {choice: [cosine, linear, wsd]}
      peak: {log_uniform: [1e-3, 1e-2]}
      warmup: {uniform: [0.0, 0.3]}
trials: 4
rungs: {first: 2, reduction: 2, decay: 0.5}
"""

Open = Callable[..., Study]


@pytest.fixture
def file(dataset: Path, tmp_path: Path) -> Path:
    """A search and its base experiment, on disk."""
    base = run_config(dataset, tmp_path / "runs").model_copy(update={"baselines": ("equal_parameters",)})
    (tmp_path / "base.yaml").write_text(settings.dump(base))
    path = tmp_path / "search.yaml"
    path.write_text(SEARCH)
    return path


@pytest.fixture
def opened(file: Path) -> Open:
    """Return a function that reads the search with overrides."""
    return lambda *overrides: load(file, overrides)
