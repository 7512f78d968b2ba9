"""The course of training, against series whose figures can be worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hrm_ray.evaluate.consistency import course, gap, measure
from hrm_ray.evaluate.series import Series


def of(values: list[float]) -> Series:
    return Series(np.arange(1, len(values) + 1, dtype=np.float64), np.array(values, np.float64))


def test_a_straight_fall() -> None:
    found = course(of([10 - 0.01 * step for step in range(1000)]))
    assert found.slope == pytest.approx(-10)
    assert found.falling_share == 1
    assert found.fall == pytest.approx((found.start - found.end) / found.start)
    assert found.plateau < 0.1


def test_one_spike_moves_the_slope_little_and_a_rise_is_seen() -> None:
    values = [10 - 0.01 * step for step in range(200)]
    spiked = [*values[:100], 500.0, *values[101:]]
    assert course(of(spiked)).slope == pytest.approx(course(of(values)).slope, rel=0.02)
    assert course(of(values[::-1])).falling_share == 0
    assert course(of(values[::-1])).slope > 0


def test_a_plateau_is_the_part_that_no_longer_changes() -> None:
    falls_then_rests = of([10 - 0.1 * min(step, 50) for step in range(200)])
    assert course(falls_then_rests).plateau == pytest.approx(0.75, abs=0.05)
    assert course(of([3.0] * 50)).plateau == 1


def test_a_gap_that_opens() -> None:
    train, validation = of([5.0] * 100), Series(np.array([20.0, 60.0, 100.0]), np.array([5.1, 5.3, 5.5]))
    found = gap(train, validation)
    assert [found.first, found.last] == pytest.approx([0.1, 0.5])
    assert found.slope == pytest.approx(5)


def test_the_figures_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    assert measure(path) is None
    lines: list[dict[str, object]] = [
        {"event": "train", "step": step, "code_loss": 9 - step / 100, "plan_loss": None, "spikes": step // 50}
        for step in range(1, 101)
    ]
    lines += [{"event": "validation", "step": step, "code_loss": 9.0} for step in (50, 100)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = measure(path)
    assert found is not None
    assert found["spikes"] == 2
    assert list(found["losses"]) == ["code_loss"]
    assert found["losses"]["code_loss"]["slope"] == pytest.approx(-10)
    assert found["losses"]["code_loss"]["gap"]["slope"] == pytest.approx(10, rel=0.1)
