"""What an engine needs of its machine."""

from __future__ import annotations

from pathlib import Path

import pytest
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
