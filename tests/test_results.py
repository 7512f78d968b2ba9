"""docs/results says what the JSON in it says."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from hrm_ray.report.files import Sample

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "docs" / "results"


@pytest.fixture(scope="module")
def results() -> ModuleType:
    spec = importlib.util.spec_from_file_location("results", ROOT / "benchmarks" / "results.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_committed_is_what_render_writes(results: ModuleType, tmp_path: Path) -> None:
    kept = sorted(RESULTS.glob("*.json"))
    assert kept
    for path in kept:
        shutil.copy(path, tmp_path)
    results.render(tmp_path)
    written = {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_text("utf-8") for path in RESULTS.iterdir()}


def test_a_mean_over_seeds_has_an_interval_from_three_on(results: ModuleType) -> None:
    columns = {"two": [{"a": 1.0}, {"a": 2.0}], "three": [{"a": 1.0}, {"a": 2.0}, {"a": 3.0}], "none": [{"a": None}]}
    assert results._over(columns, "a") == ["1.50", "2.00 [-0.48, 4.48]", ""]
    assert results._over({"one": [{"a": 0.125}]}, "a", share=True) == ["12.5%"]


def test_no_line_of_others_is_kept(results: ModuleType) -> None:
    given = {"before": "func F() {\n\ta()\n\tb()\n}", "generated": "func F() {\n\t\tb()\n\tc()\n\ta()\n}", "id": "0"}
    told = {"repository": "r/r", "number": 1, "path": "f.go", "change": "modified", "title": "", "body": "", "plan": ""}
    scores = dict.fromkeys(("finished", "valid", "improved", "exact"), True)
    empty = {"diagnostic": None, "edit_similarity": None, "copy_edit_similarity": None, "code": ""}
    sample = Sample.model_validate({**given, **told, **scores, **empty, "predicted_plan": "modify function F"})
    assert results._sample(sample)["added"] == ["\tc()"]


def test_a_run_without_probes_has_no_curve_of_them(results: ModuleType, tmp_path: Path) -> None:
    network = {"validation": [{"step": 1, "reading_gain": None}]}
    assert results._curve({"name": "n", "networks": {"hrm": [network]}}, "reading_gain", "Gain", tmp_path) == ""
    assert not list(tmp_path.iterdir())
