"""Do the losses fall consistently, and does validation keep up? Robust figures of the course of training.

`hrm-ray report` judges by them; `evaluate` writes them down. Losses are in nats, slopes per 1,000 steps.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hrm_ray.evaluate import series
from hrm_ray.evaluate.series import Metrics, Series

LOSSES = ("plan_loss", "code_loss", "refinement_loss")

WINDOWS = 10
"""Windows of the course that `evaluate` compares."""

SETTLED = 0.01
"""A loss has settled where it stays within this share of its end."""

_THOUSAND = 1000


@dataclass(frozen=True)
class Course:
    """How one training loss went; start and end are means of the first and the last 5% of the steps."""

    start: float
    end: float
    fall: float
    """Share of the start."""
    slope: float
    """Theil-Sen; NaN below two points."""
    falling_share: float
    """Share of windows that are below the one before."""
    plateau: float
    """Share of the steps, at the end, over which the smoothed loss stays within 1% of its end."""


@dataclass(frozen=True)
class Gap:
    """Validation above training, smoothed, at the steps of the validations."""

    first: float
    last: float
    slope: float
    """Theil-Sen; above 0 it opens."""


def course(loss: Series, windows: int = WINDOWS) -> Course:
    """Return the course of a training loss, which is not empty."""
    start, end = series.ends(loss)
    return Course(
        start=start,
        end=end,
        fall=(start - end) / abs(start) if start else 0.0,
        slope=series.theil_sen(loss) * _THOUSAND,
        falling_share=series.falling_share(loss, windows),
        plateau=_plateau(loss, end),
    )


def gap(train: Series, validation: Series) -> Gap:
    """Return the gap between two losses, neither of them empty."""
    above = Series(validation.steps, validation.values - series.at(series.smooth(train), validation.steps))
    first, last = series.ends(above)
    return Gap(first, last, series.theil_sen(above) * _THOUSAND)


def measure(metrics: Path) -> dict[str, Any] | None:
    """Return the `consistency` of `evaluation.json` from a run's `metrics.jsonl`; None where there is none."""
    if not metrics.is_file():
        return None
    found = series.read(metrics)
    spikes = found.series("train", "spikes").values
    return {
        "windows": WINDOWS,
        "spikes": int(spikes[-1]) if len(spikes) else None,
        "losses": {name: _loss(found, name) for name in LOSSES if len(found.series("train", name)) >= WINDOWS},
    }


def _loss(metrics: Metrics, name: str) -> dict[str, Any]:
    """The course of a loss, and its gap to validation; the refinement loss has other weights there, so no gap."""
    train, validation = metrics.series("train", name), metrics.series("validation", name)
    comparable = name != "refinement_loss" and len(validation) > 1
    return {**asdict(course(train)), "gap": asdict(gap(train, validation)) if comparable else None}


def _plateau(loss: Series, end: float) -> float:
    away = abs(series.smooth(loss).values - end) > SETTLED * abs(end)
    return float(away[::-1].argmax() / len(loss)) if away.any() else 1.0
