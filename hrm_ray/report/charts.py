"""Line charts as inline SVG, small and without a script.

Colours are the page's CSS variables, so that a chart follows the light or dark scheme. Every chart carries a title, a
description and its own legend.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from hrm_ray.evaluate.series import Series, ends, thin
from hrm_ray.report.text import visible

WIDTH, HEIGHT = 460, 270
LEFT, RIGHT, TOP, BOTTOM = 48, 10, 8, 34
MAX_POINTS = 500
_KEY_ROW, _KEY_MARK, _CHARACTER = 17, 26, 6.0


@dataclass(frozen=True)
class Line:
    """One line; without a label it stays out of the legend. `dots` mark points of which there are few, and each dot
    says `name`, or else the label.

    `style` is the line's CSS classes; later lines are drawn over earlier ones and named before them.
    """

    label: str
    series: Series
    style: str
    dots: bool = False
    name: str = ""


@dataclass(frozen=True)
class Scale:
    """A straight map of `low..high` onto the pixels `start..end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the pixel of `value`."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def nice_ticks(low: float, high: float, wanted: int = 5, least: float = 0.0) -> list[float]:
    """Return multiples of 1, 2 or 5 times a power of ten within `low..high`, about `wanted`, `least` apart or more."""
    rough = max((high - low) / wanted, least, 1e-300)
    power = 10.0 ** math.floor(math.log10(rough) + 1e-9)
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))
    return [index * step for index in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def tick_label(value: float) -> str:
    """Return a short label: thousands as k, very small numbers with an exponent."""
    if abs(value) >= 10_000:
        return f"{value / 1000:,.10g}k"
    text = f"{value:.6g}" if value == 0 or abs(value) >= 1e-3 else f"{value:.3g}"
    return text.replace("e-0", "e-").replace("-", "\N{MINUS SIGN}")


def chart(ident: str, title: str, lines: Sequence[Line], whole: bool = False) -> str:
    """Return one SVG element; `ident` makes its ids unique, `whole` keeps ticks on whole numbers.

    Lines without points are left out; "" is returned where none is left.
    """
    lines = [line for line in lines if len(line.series)]
    if not lines:
        return ""
    legend, legend_height = _legend(lines)
    top = TOP + legend_height
    x, y = _scales(lines, top)
    parts = [*legend, *_axes(x, y, whole), *(_draw(line, x, y) for line in lines)]
    head = (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT + legend_height}" role="img" '
        f'aria-labelledby="{ident}-title {ident}-about">'
        f'<title id="{ident}-title">{escape(visible(title))}</title>'
        f'<desc id="{ident}-about">{escape(visible(_describe(lines)))}</desc>'
    )
    return f"{head}{''.join(parts)}</svg>"


def _describe(lines: Sequence[Line]) -> str:
    told = []
    for line in lines:
        if line.label:
            first, last = ends(line.series)
            told.append(f"{line.label}: from {first:.4g} at step {line.series.steps[0]:.0f} to {last:.4g}")
    return f"Over optimizer steps to {max(line.series.steps[-1] for line in lines):.0f}. {'; '.join(told)}."


def _scales(lines: Sequence[Line], top: float) -> tuple[Scale, Scale]:
    drawn = [thin(line.series, MAX_POINTS).values for line in lines]
    low, high = min(float(values.min()) for values in drawn), max(float(values.max()) for values in drawn)
    margin = (high - low) * 0.04 or abs(high) * 0.1 or 1.0
    last = max(float(line.series.steps[-1]) for line in lines)
    floor = low - margin if low < 0 else max(0.0, low - margin)
    bottom = top + HEIGHT - TOP - BOTTOM
    return Scale(0.0, max(last, 1.0), LEFT, WIDTH - RIGHT), Scale(floor, high + margin, bottom, top)


def levels(x: Scale, y: Scale, whole: bool = False) -> Iterator[str]:
    """Yield the lines of the grid with what stands on the left of each."""
    for tick in nice_ticks(y.low, y.high, least=1.0 if whole else 0.0):
        at = f"{y(tick):.1f}"
        yield f'<line class="grid" x1="{x.start}" x2="{x.end}" y1="{at}" y2="{at}"/>'
        yield f'<text class="tick y" x="{x.start - 7}" y="{at}" dy="0.34em">{tick_label(tick)}</text>'


def _axes(x: Scale, y: Scale, whole: bool) -> list[str]:
    parts = [*levels(x, y, whole)]
    for tick in nice_ticks(x.low, x.high, least=1.0):
        at = f"{x(tick):.1f}"
        parts.append(f'<line class="axis" x1="{at}" x2="{at}" y1="{y.start:.1f}" y2="{y.start + 4:.1f}"/>')
        parts.append(f'<text class="tick x" x="{at}" y="{y.start + 16:.1f}">{tick_label(tick)}</text>')
    parts.append(f'<line class="axis" x1="{x.start}" x2="{x.end}" y1="{y.start:.1f}" y2="{y.start:.1f}"/>')
    parts.append(f'<text class="tick name" x="{x.end}" y="{y.start + 30:.1f}">optimizer step</text>')
    return parts


def _draw(line: Line, x: Scale, y: Scale) -> str:
    few = thin(line.series, MAX_POINTS)
    points = [(f"{x(step):.1f}", f"{y(value):.1f}") for step, value in zip(few.steps, few.values, strict=True)]
    path = f'<polyline class="line {line.style}" points="{" ".join(f"{across},{up}" for across, up in points)}"/>'
    if not line.dots and len(points) > 1:
        return path
    values = zip(few.steps, few.values, strict=True)
    named = escape(visible(line.name or line.label))
    dots = (
        f'<circle class="dot {line.style}" cx="{across}" cy="{up}" r="2.6">'
        f"<title>{named}, step {step:,.0f}: {value:.4g}</title></circle>"
        for (across, up), (step, value) in zip(points, values, strict=True)
    )
    return path + "".join(dots)


def _legend(lines: Sequence[Line]) -> tuple[list[str], int]:
    parts, across, row = [], float(LEFT), 0
    for line in reversed(lines):
        if not line.label:
            continue
        width = _KEY_MARK + _CHARACTER * len(line.label) + 14
        if across > LEFT and across + width > WIDTH:
            across, row = float(LEFT), row + 1
        up = TOP + 6 + row * _KEY_ROW
        parts.append(f'<line class="line {line.style}" x1="{across:.1f}" x2="{across + 20:.1f}" y1="{up}" y2="{up}"/>')
        if line.dots:
            parts.append(f'<circle class="dot {line.style}" cx="{across + 10:.1f}" cy="{up}" r="2.6"/>')
        label = escape(visible(line.label))
        parts.append(f'<text class="key" x="{across + _KEY_MARK:.1f}" y="{up}" dy="0.34em">{label}</text>')
        across += width
    return parts, (row + 1) * _KEY_ROW + 4 if parts else 0
