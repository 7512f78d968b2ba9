"""Metrics over steps: reading `metrics.jsonl`, and the robust statistics that the decision and the charts use.

A value that is null or not finite is a gap: it is left out of its series.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hrm_ray.errors import UserError
from hrm_ray.run_records import read_lines

Array: TypeAlias = npt.NDArray[np.float64]
EVENTS = ("train", "validation")
_SLOPE_POINTS = 400


@dataclass(frozen=True, eq=False)
class Series:
    """Finite `values` (n,) of one metric at rising `steps` (n,)."""

    steps: Array
    values: Array

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class Metrics:
    """The lines of one `metrics.jsonl`, by event, in order of their steps."""

    path: Path
    lines: Mapping[str, tuple[tuple[int, Mapping[str, Any]], ...]]
    """For each event: (line number in the file, the line's fields)."""

    def series(self, event: str, name: str) -> Series:
        """Return the series of field `name`; empty where it was never recorded.

        Raises:
            UserError: a value is neither a number nor null.
        """
        points = [(fields["step"], self._number(line, fields, name)) for line, fields in self.lines[event]]
        kept = {step: value for step, value in points if value is not None and math.isfinite(value)}
        return Series(np.array(list(kept), np.float64), np.array(list(kept.values()), np.float64))

    @property
    def last_step(self) -> int | None:
        """The last optimizer step that training logged."""
        train = self.lines["train"]
        return train[-1][1]["step"] if train else None

    def _number(self, line: int, fields: Mapping[str, Any], name: str) -> float | None:
        value = fields.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
            raise UserError(f"{self.path} line {line}: {name} is {value!r}, not a number")
        return value


def read(path: Path) -> Metrics:
    """Read `metrics.jsonl`; events other than training and validation are passed over.

    Raises:
        UserError: a line is not a JSON object, has no event or whole step, or its step goes back.
    """
    lines: dict[str, list[tuple[int, Mapping[str, Any]]]] = {event: [] for event in EVENTS}
    for line, fields in read_lines(path):
        rows = lines.get(fields["event"])
        if rows is None:
            continue
        if rows and fields["step"] < rows[-1][1]["step"]:
            raise UserError(f"{path} line {line}: step {fields['step']} comes after step {rows[-1][1]['step']}")
        rows.append((line, fields))
    return Metrics(path, {event: tuple(rows) for event, rows in lines.items()})


def thin(series: Series, points: int, centre: Callable[[Array], np.floating[Any]] = np.mean) -> Series:
    """Return the centres of at most `points` consecutive blocks: long runs stay cheap to draw and to compare."""
    if len(series) <= points:
        return series
    steps, values = np.array_split(series.steps, points), np.array_split(series.values, points)
    return Series(np.array([centre(block) for block in steps]), np.array([centre(block) for block in values]))


def theil_sen(series: Series) -> float:
    """Return the median slope over all pairs of points (Theil 1950, Sen 1968), per step; NaN below two points.

    29% of the points may be anything at all before it does what they want. Above 400 points the medians of blocks stand
    for them: in a long run a mean would carry one outlier into most blocks.
    """
    few = thin(series, _SLOPE_POINTS, np.median)
    first, second = np.triu_indices(len(few), k=1)
    if not len(first):
        return math.nan
    return float(np.median((few.values[second] - few.values[first]) / (few.steps[second] - few.steps[first])))


def smooth(series: Series, share: float = 0.05) -> Series:
    """Return the centred moving mean over `share` of the points; at the ends over those that there are."""
    if not len(series):
        return series
    window = np.ones(max(1, round(share * len(series))))
    counts = np.convolve(np.ones(len(series)), window, "same")
    return Series(series.steps, np.convolve(series.values, window, "same") / counts)


def ends(series: Series, share: float = 0.05) -> tuple[float, float]:
    """Return the means of the first and of the last `share` of the points, one at least; the series is not empty."""
    width = max(1, round(share * len(series)))
    return float(series.values[:width].mean()), float(series.values[-width:].mean())


def falling_share(series: Series, windows: int) -> float:
    """Cut the series into `windows` equal windows, as far as there are points; return in what share of their
    successions the mean falls, NaN below two points."""
    means = [block.mean() for block in np.array_split(series.values, max(1, min(windows, len(series))))]
    return float((np.diff(means) < 0).mean()) if len(means) > 1 else math.nan


def at(series: Series, steps: Array) -> Array:
    """Return the values at `steps`, between two points on the straight line that joins them."""
    return np.interp(steps, series.steps, series.values)


def correlation(first: Array, second: Array) -> float | None:
    """Return Pearson's r of two equally long arrays; None where one of them is constant."""
    if not first.std() or not second.std():
        return None
    return float(np.corrcoef(first, second)[0, 1])
