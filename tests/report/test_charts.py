"""Charts are well-formed, say what they show, and put every point inside the frame."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from hrm_ray.evaluate.series import Series
from hrm_ray.report import charts
from hrm_ray.report.charts import Line, chart, nice_ticks, tick_label


def line(label: str, values: list[float], dots: bool = False) -> Line:
    return Line(label, Series(np.arange(1.0, len(values) + 1), np.array(values, np.float64)), "run train", dots)


def points(svg: ET.Element) -> list[tuple[float, float]]:
    told = [one.attrib["points"].split() for one in svg.iter("polyline")]
    return [(float(pair.split(",")[0]), float(pair.split(",")[1])) for one in told for pair in one]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (2.03, 5.3, [3, 4, 5]),
        (0, 0.002, [0, 0.0005, 0.001, 0.0015, 0.002]),
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
        (0, 310, [0, 100, 200, 300]),
    ],
)
def test_ticks_are_round_and_within(low: float, high: float, expected: list[float]) -> None:
    assert nice_ticks(low, high) == pytest.approx(expected)


def test_whole_ticks_are_at_least_one_apart() -> None:
    assert nice_ticks(2.9, 5.1, least=1) == [3, 4, 5]


def test_tick_labels_are_short() -> None:
    labels = [tick_label(value) for value in (0, 0.30000000000000004, 2, 1500, 20000, 2e-5, -1.5)]
    assert labels == ["0", "0.3", "2", "1500", "20k", "2e\N{MINUS SIGN}5", "\N{MINUS SIGN}1.5"]


def test_a_chart_is_well_formed_and_described() -> None:
    hostile = '<script>alert("&")</script>'
    svg = ET.fromstring(chart("plan", hostile, [line(hostile, [3, 2, 1], dots=True), line("b", [4.0])]))
    assert svg.attrib["role"] == "img"
    assert svg.attrib["aria-labelledby"] == "plan-title plan-about"
    assert svg.findtext("title") == hostile
    described = svg.findtext("desc")
    assert described is not None
    assert f"{hostile}: from 3 at step 1 to 1" in described
    assert {text.text for text in svg.iter("text")} >= {hostile, "b", "optimizer step"}
    assert [circle.findtext("title") for circle in svg.iter("circle")][1] == f"{hostile}, step 1: 3"


def test_the_legend_names_labelled_lines_only() -> None:
    svg = ET.fromstring(chart("x", "x", [line("", [1, 2]), line("mine", [2, 1])]))
    assert [text.text for text in svg.iter("text") if text.attrib["class"] == "key"] == ["mine"]
    assert len(list(svg.iter("polyline"))) == 2


@pytest.mark.parametrize("values", [[3, 2, 1], [5, 5, 5], [0, 0], [-2, 4], [7], [1e-5, 2e-5], [1e9, 1]])
def test_every_point_lies_in_the_frame(values: list[float]) -> None:
    svg = ET.fromstring(chart("x", "x", [line("a", values)]))
    height = float(svg.attrib["viewBox"].split()[3])
    for across, up in points(svg):
        assert charts.LEFT <= across <= charts.WIDTH - charts.RIGHT
        assert charts.TOP <= up <= height - charts.BOTTOM + 0.1


def test_higher_values_are_drawn_higher() -> None:
    drawn = points(ET.fromstring(chart("x", "x", [line("a", [1, 3, 2])])))
    assert drawn[1][1] < drawn[2][1] < drawn[0][1]


def test_long_lines_are_thinned() -> None:
    svg = ET.fromstring(chart("x", "x", [line("a", [float(step % 7) for step in range(20_000)])]))
    assert len(points(svg)) == charts.MAX_POINTS


def test_nothing_is_drawn_of_nothing() -> None:
    assert chart("x", "x", []) == ""
    assert chart("x", "x", [line("a", [])]) == ""
