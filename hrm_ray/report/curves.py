"""Which curves the page shows: every loss, what reading gives, then the rate and what else the optimizer saw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hrm_ray.evaluate.series import Metrics, smooth
from hrm_ray.report.charts import Line, chart
from hrm_ray.report.files import RunFolder

LOSSES = {
    "plan_loss": "Plan loss (nats per token)",
    "code_loss": "Code loss (nats per token)",
    "refinement_loss": "Refinement loss (nats per decision)",
    "loss": "Total loss, weighted",
}
READING = {
    "unchanged_nats": "Unchanged lines (nats per token)",
    "reading_gain": "Reading gain (nats per token)",
    "copy_nats": "Copies of random tokens (nats per token)",
}
BITS = {"plan_bits_per_byte": "Plan bits per byte", "code_bits_per_byte": "Code bits per byte"}
OPTIMIZER = {
    "learning_rate": "Learning rate",
    "gradient_norm": "Gradient norm, before clipping",
    "gradient_depth": "Gradient depth (passes with gradient)",
}
_SHORT = {"equal_parameters": "equal parameters", "equal_flops": "equal FLOPs"}
_STYLES = {"equal_parameters": "parameters", "equal_flops": "flops"}


@dataclass(frozen=True)
class Figure:
    """A chart as SVG under its title."""

    title: str
    svg: str


def figures(run: RunFolder) -> tuple[list[Figure], list[str]]:
    """Return the charts of what was recorded, and the titles of those of which nothing was."""
    drawn, absent = [], []
    for name, title in {**LOSSES, **BITS, **READING, **OPTIMIZER}.items():
        lines = _rate(run, name) if name in OPTIMIZER else _loss(run, name)
        svg = chart(name.replace("_", "-"), title, list(lines), whole=name == "gradient_depth")
        if svg:
            drawn.append(Figure(title, svg))
        else:
            absent.append(title)
    return drawn, absent


def _runs(run: RunFolder) -> Iterator[tuple[str, str, Metrics]]:
    """Yield label prefix, style and metrics; the baselines first, so that the run's own lines lie on top."""
    for role, baseline in reversed(tuple(run.baselines.items())):
        if baseline.metrics:
            yield f"{_SHORT[role]}, ", _STYLES[role], baseline.metrics
    if run.metrics:
        yield "this run, ", "run", run.metrics


def _loss(run: RunFolder, name: str) -> Iterator[Line]:
    for prefix, style, metrics in _runs(run):
        train, validation = metrics.series("train", name), metrics.series("validation", name)
        if style == "run":
            yield Line("", train, "run raw")
        yield Line(f"{prefix}validation", validation, f"{style} validation", dots=True)
        yield Line(f"{prefix}training", smooth(train), f"{style} train")


def _rate(run: RunFolder, name: str) -> Iterator[Line]:
    for prefix, style, metrics in _runs(run):
        if name == "gradient_depth" and style != "run":
            continue
        label = prefix.removesuffix(", ")
        series = metrics.series("train", name)
        if name == "gradient_norm":
            if style == "run":
                yield Line("", series, "run raw")
            series = smooth(series)
        yield Line(label, series, f"{style} train")
