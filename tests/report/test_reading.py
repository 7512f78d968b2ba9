"""The report says in words whether the network reads its input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hrm_ray.evaluate import series
from hrm_ray.report.reading import reading


def lines(path: Path, **last: float | None) -> Path:
    first: dict[str, object] = {"event": "validation", "unchanged_nats": 8.0, "reading_gain": 0.0, "uniform_nats": 8.3}
    path.write_text("".join(json.dumps(line) + "\n" for line in (first | {"step": 0}, first | last | {"step": 50})))
    return path


@pytest.mark.parametrize(
    ("gain", "words"), [(-0.2, "does not read"), (0.05, "does not read"), (0.4, "begins to read"), (1.5, "reads its")]
)
def test_the_gain_decides(gain: float, words: str, tmp_path: Path) -> None:
    found = reading(series.read(lines(tmp_path / "metrics.jsonl", unchanged_nats=6.25, reading_gain=gain)))
    assert found is not None
    said, table = found
    assert words in said
    [(_, [row])] = table.groups
    assert row.cells == ("6.250", "8.300")


def test_figures_that_nothing_measured_have_no_row(tmp_path: Path) -> None:
    metrics = series.read(lines(tmp_path / "metrics.jsonl", copy_nats=0.5, first_line_nats=1.0))
    found = reading(metrics)
    assert found is not None
    [(_, rows)] = found[1].groups
    assert [row.cells for row in rows] == [("8.000", "8.300"), ("1.000", "–"), ("0.500", "8.300")]  # noqa: RUF001


def test_a_run_without_probes_says_nothing_of_reading(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"event": "validation", "step": 50, "code_loss": 3.0}\n')
    assert reading(series.read(path)) is None
    assert reading(None) is None


def test_a_fold_without_modifications_is_said_to_have_none(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"event": "validation", "step": 50, "copy_nats": 3.0, "uniform_nats": 8.3}\n')
    found = reading(series.read(path))
    assert found is not None
    assert "probes" in found[0]
