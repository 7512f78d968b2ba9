"""Types of written code are checked in the file that the merged change stands in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hrm_ray import settings
from hrm_ray.collect import records
from hrm_ray.config import Config
from hrm_ray.evaluate import typed
from hrm_ray.golang.supervisor import Helper
from tests.conftest import ROOT
from tests.evaluate.test_generation import MODIFIED, attempt
from tests.prepare.factory import pull_request

FILE = """package p

import "strings"

func Add(a, b int) int {
\treturn a + b
}

func Shout(s string) string { return strings.ToUpper(s) }
"""
WRITTEN = {
    'func Add(a, b int) int {\n\treturn len(strings.Repeat("x", a)) + b\n}': "valid",
    'func Add(a, b int) int {\n\treturn "no number"\n}': "not valid",
    "func Add(a, b int) int {\n\treturn a +\n}": "not valid",
    "func Add(a, b int) int {\n\treturn elsewhere(a, b)\n}": "unknown",
}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = tmp_path / "pull_requests.parquet"
    change = pull_request("r/r", 1, FILE, FILE)
    change = replace(change, files=(replace(change.files[0], filename="add.go"),))
    records.write(path, [change, pull_request("r/r", 2, "", FILE)])
    return settings.load(ROOT / "experiments" / "demo.yaml", [f"prepare.input={path}"])


def test_shares_are_of_what_is_decided(config: Config, asked: Helper) -> None:
    example = replace(MODIFIED, code="func Add(a, b int) int {\n\treturn a + b\n}")
    elsewhere = attempt(replace(example, number=3), example.code)
    found = typed.measure(config, [*(attempt(example, code) for code in WRITTEN), elsewhere])
    assert found == {
        "count": 4,
        "decided_share": 0.75,
        "clean_share": pytest.approx(1 / 3),
        "merged": {"decided_share": 1.0, "clean_share": 1.0},
    }


def test_nothing_is_said_without_the_pull_requests_or_a_toolchain(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [attempt(MODIFIED, code) for code in WRITTEN]
    gone = config.model_copy(update={"prepare": config.prepare.model_copy(update={"input": Path("gone.parquet")})})
    assert typed.measure(gone, found) is None
    monkeypatch.setattr(typed, "toolchain", lambda: None)
    assert typed.measure(config, found) is None
