"""The charts of a search: how its trials learned, and what each searched key had to do with how they ended."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from hrm_ray.evaluate.series import Metrics, Series, smooth
from hrm_ray.report import charts
from hrm_ray.report.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Line, Scale, chart, nice_ticks, tick_label
from hrm_ray.report.curves import Figure
from hrm_ray.report.text import number, visible
from hrm_ray.tune.record import Record, State, Trial
from hrm_ray.tune.space import Domain, short, shown

Ticks = Sequence[tuple[float, str]]
"""Where on an axis, in its own units, and what stands there."""

CURVES = {
    "objective": ("validation", "Objective, on validation; rings: at a rung, after its decay"),
    "refinement_loss": ("validation", "Refinement loss, on validation (nats per decision)"),
    "plan_bits_per_byte": ("train", "Plan bits per byte, in training, smoothed"),
    "code_bits_per_byte": ("train", "Code bits per byte, in training, smoothed"),
}
GROUPS: Mapping[State, tuple[str, str]] = {
    "completed": ("to the end", "flops"),
    "stopped": ("stopped", "parameters"),
    "running": ("running", "raw run"),
    "failed": ("failed", "raw run"),
    "diverged": ("diverged", "diverged"),
}
BEST = ("best", "run")


@dataclass(frozen=True)
class Point:
    """One trial in a scatter plot."""

    x: float
    y: float
    style: str
    name: str


def group(found: Record, trial: Trial) -> tuple[str, str]:
    """Return the label and the style of a trial."""
    return BEST if found.best and trial.id == found.best.id else GROUPS[trial.state]


def curves(found: Record, metrics: Mapping[str, Metrics]) -> list[Figure]:
    """Return the learning curves of the trials that left metrics."""
    drawn = []
    for name, (event, title) in CURVES.items():
        svg = chart(f"curve-{name.replace('_', '-')}", title, list(_lines(found, metrics, event, name)))
        drawn += [Figure(title, svg)] if svg else []
    return drawn


def _lines(found: Record, metrics: Mapping[str, Metrics], event: str, name: str) -> Iterator[Line]:
    """Yield the lines, the best last, so that it lies on top; one of each group stands in the legend."""
    told: set[str] = set()
    for trial in reversed(found.ranked):
        if trial.id not in metrics:
            continue
        (label, style), series = group(found, trial), metrics[trial.id].series(event, name)
        legend = "" if label in told else label
        told.add(label if len(series) else "")
        one = smooth(series) if event == "train" else series
        yield Line(legend, one, style, dots=event == "validation", name=trial.id)
        if name == "objective":
            rungs = Series(np.array([r.step for r in trial.rungs], float), np.array([r.objective for r in trial.rungs]))
            yield Line("", rungs, f"{style} ring", dots=True, name=f"{trial.id} after the decay")


def against(found: Record) -> list[Figure]:
    """Return a plot of the objective against each searched key."""
    measured = [trial for trial in reversed(found.ranked) if trial.objective is not None]
    if not measured:
        return []
    domains = {key: Domain.model_validate(domain) for key, domain in found.settings["space"].items()}
    return [Figure(f"Objective against {short(key)}", _plot(found, measured, key, domains[key])) for key in domains]


def _plot(found: Record, trials: Sequence[Trial], key: str, domain: Domain) -> str:
    points, choices = [], list(domain.choice or ())
    for trial in trials:
        value = trial.values[key]
        x = float(choices.index(value)) if choices else domain.share(value)
        name = f"{trial.id}, {trial.state} at step {trial.step:,}: {short(key)} {shown(value)}"
        points.append(Point(x, trial.objective or 0.0, group(found, trial)[1], f"{name}, {number(trial.objective, 4)}"))
    ticks = [(float(index), shown(choice)) for index, choice in enumerate(choices)]
    ends = (-0.5, len(choices) - 0.5) if choices else (0.0, 1.0)
    if domain.range:
        values = log_ticks(*domain.range) if domain.log_uniform else nice_ticks(*domain.range)
        ticks = [(domain.share(value), tick_label(value)) for value in values]
    return scatter(f"against-{key.replace('.', '-')}", f"Objective against {short(key)}", points, ticks, ends)


def log_ticks(low: float, high: float) -> list[float]:
    """Return round numbers between `low` and `high`: powers of ten, with 2 and 5 times those where they are few."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1,), (1, 2, 5)):
        values = [factor * 10.0**power for power, factor in itertools.product(powers, factors)]
        inside = [value for value in values if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]
        if len(inside) > 2:
            break
    return inside


def scatter(ident: str, title: str, points: Sequence[Point], ticks: Ticks, ends: tuple[float, float]) -> str:
    """Return one SVG element; later points are drawn over earlier ones."""
    ys = [point.y for point in points]
    margin = (max(ys) - min(ys)) * 0.08 or abs(ys[0]) * 0.1 or 1.0
    x = Scale(*ends, LEFT, WIDTH - RIGHT)
    y = Scale(min(ys) - margin, max(ys) + margin, HEIGHT - BOTTOM, TOP)
    about = f"{len(points)} trials; the lowest is {number(min(ys), 4)}."
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{ident}-title {ident}-about">'
        f'<title id="{ident}-title">{escape(visible(title))}</title><desc id="{ident}-about">{escape(about)}</desc>'
        f"{''.join(_grid(x, y, ticks))}{''.join(_dot(point, x, y) for point in points)}</svg>"
    )


def _grid(x: Scale, y: Scale, ticks: Ticks) -> Iterator[str]:
    yield from charts.levels(x, y)
    for tick, label in ticks:
        at, foot = f"{x(tick):.1f}", y.start
        yield f'<line class="axis" x1="{at}" x2="{at}" y1="{foot}" y2="{foot + 4}"/>'
        yield f'<text class="tick x" x="{at}" y="{foot + 16}">{escape(visible(label))}</text>'
    yield f'<line class="axis" x1="{x.start}" x2="{x.end}" y1="{y.start}" y2="{y.start}"/>'


def _dot(point: Point, x: Scale, y: Scale) -> str:
    return (
        f'<circle class="dot {point.style}" cx="{x(point.x):.1f}" cy="{y(point.y):.1f}" r="4.5">'
        f"<title>{escape(visible(point.name))}</title></circle>"
    )
