"""What an engine needs of its machine."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch._inductor import config as inductor

from hrm_ray.errors import UserError
from hrm_ray.train.engine import PlainEngine
from tests.model.conftest import small_model
from tests.train.conftest import run_config


def test_compiling_for_a_cpu_without_a_compiler_is_one_sentence(dataset: Path, tmp_path: Path) -> None:
    with inductor.patch({"cpp.cxx": (None, "no-such-compiler")}):
        PlainEngine(small_model(), run_config(dataset, tmp_path).train)
        with pytest.raises(UserError, match=r"train\.compile is on, and here is no C\+\+ compiler: install g\+\+"):
            PlainEngine(small_model(), run_config(dataset, tmp_path, compile=True, workers=0).train)


def test_the_norm_of_a_gradient_with_peaks_keeps_its_small_values(dataset: Path, tmp_path: Path) -> None:
    engine = PlainEngine(small_model(), run_config(dataset, tmp_path).train)
    weights = [*engine.model.parameters()]
    for weight in weights:
        weight.grad = torch.full_like(weight, 1e-4)
        weight.grad.view(-1)[::16] = 1.0  # in fp32 each sum of a lane drops the squares beside it
    squares = sum(float(w.grad.double().square().sum()) for w in weights if w.grad is not None)
    assert engine.gradient_norm() == pytest.approx(squares**0.5, rel=1e-12)
