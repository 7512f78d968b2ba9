"""The arithmetic of series, and what `metrics.jsonl` may and may not hold."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from hrm_ray.errors import UserError
from hrm_ray.evaluate import series
from hrm_ray.evaluate.series import Series


def of(*values: float, steps: list[float] | None = None) -> Series:
    return Series(np.array(steps if steps else range(len(values)), np.float64), np.array(values, np.float64))


def metrics(path: Path, *lines: object) -> series.Metrics:
    text = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    (path / "metrics.jsonl").write_text("\n".join(text) + "\n", "utf-8")
    return series.read(path / "metrics.jsonl")


def test_slope_is_the_median_over_pairs_and_ignores_an_outlier() -> None:
    assert series.theil_sen(of(8, 6, 4, 2)) == -2
    assert series.theil_sen(of(10, 8, 900, 4, 2, 0)) == -2
    assert series.theil_sen(of(5, 1, steps=[0, 100])) == pytest.approx(-0.04)


def test_slope_of_a_long_series_is_taken_over_blocks() -> None:
    steps = np.arange(5000, dtype=np.float64)
    assert series.theil_sen(Series(steps, 7 - 0.001 * steps)) == pytest.approx(-0.001)


def test_rare_spikes_late_in_a_long_run_do_not_turn_its_slope() -> None:
    steps, random = np.arange(20_000, dtype=np.float64), np.random.default_rng(0)
    spikes = 50 * ((random.random(20_000) < 0.1) & (steps > 10_000))
    assert series.theil_sen(Series(steps, 6 - steps / 5000 + spikes)) * 5000 == pytest.approx(-1, abs=0.02)


def test_slope_of_one_point_is_not_a_number() -> None:
    assert math.isnan(series.theil_sen(of(1)))


def test_smoothing_is_a_centred_mean_and_shorter_at_the_ends() -> None:
    smoothed = series.smooth(of(0, 3, 6, 3, 0), share=0.6)
    assert smoothed.values.tolist() == [1.5, 3, 4, 3, 1.5]
    assert series.smooth(of(2, 2, 2, 2), share=0.5).values.tolist() == [2, 2, 2, 2]
    assert len(series.smooth(of())) == 0


def test_ends_are_means_of_the_first_and_last_share() -> None:
    assert series.ends(of(*range(40))) == (0.5, 38.5)
    assert series.ends(of(4, 9)) == (4, 9)


def test_falling_share_counts_successions_of_window_means() -> None:
    assert series.falling_share(of(*range(20, 0, -1)), 10) == 1
    assert series.falling_share(of(5, 5, 4, 4, 6, 6, 3, 3), 4) == pytest.approx(2 / 3)
    assert series.falling_share(of(*[1.0] * 20), 10) == 0
    assert series.falling_share(of(3, 2), 10) == 1
    assert series.falling_share(of(3, 2, 2.5), 10) == 0.5
    assert math.isnan(series.falling_share(of(3), 10))


def test_thin_keeps_short_series_and_averages_blocks_of_long_ones() -> None:
    short = of(1, 2, 3)
    assert series.thin(short, 3) is short
    assert series.thin(of(1, 3, 5, 7), 2).values.tolist() == [2, 6]
    assert series.thin(of(1, 3, 5, 7), 2).steps.tolist() == [0.5, 2.5]


def test_correlation_and_interpolation() -> None:
    assert series.correlation(np.array([1.0, 2, 3]), np.array([2.0, 4, 6])) == pytest.approx(1)
    assert series.correlation(np.array([1.0, 2, 3]), np.array([3.0, 2, 1])) == pytest.approx(-1)
    assert series.correlation(np.array([1.0, 2, 3]), np.array([5.0, 5, 5])) is None
    assert series.at(of(0, 10), np.array([0.5])).tolist() == [5]


def test_null_and_not_finite_values_are_gaps(tmp_path: Path) -> None:
    read = metrics(
        tmp_path,
        {"event": "train", "step": 1, "loss": 3.0},
        {"event": "train", "step": 2, "loss": None},
        '{"event": "train", "step": 3, "loss": NaN}',
        {"event": "rollout", "step": 1, "loss": 9.0},
        {"event": "validation", "step": 3, "loss": 4.0},
        {"event": "train", "step": 4, "loss": 2},
    )
    loss = read.series("train", "loss")
    assert (loss.steps.tolist(), loss.values.tolist()) == ([1, 4], [3, 2])
    assert read.series("validation", "loss").values.tolist() == [4]
    assert len(read.series("train", "never")) == 0
    assert read.last_step == 4


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('{"event": "train", "st', "line 2: not valid JSON"),
        ("[1, 2]", "line 2: expected an object, found list"),
        ('{"step": 2}', "line 2: event is missing"),
        ('{"event": "train", "step": "2"}', "line 2: step is '2', not a whole number"),
        ('{"event": "train", "step": true}', "line 2: step is True, not a whole number"),
        ('{"event": "train", "step": 0}', "line 2: step 0 comes after step 1"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, sentence: str) -> None:
    with pytest.raises(UserError, match=f"metrics.jsonl {sentence}"):
        metrics(tmp_path, {"event": "train", "step": 1}, line)


def test_a_value_that_is_no_number_is_named(tmp_path: Path) -> None:
    read = metrics(tmp_path, {"event": "train", "step": 1, "loss": "3"})
    with pytest.raises(UserError, match=r"metrics.jsonl line 1: loss is '3', not a number"):
        read.series("train", "loss")
