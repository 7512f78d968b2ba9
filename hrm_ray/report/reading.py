"""Does the network read its input? The last reading probes of a run, in words and in a table."""

from __future__ import annotations

from hrm_ray.evaluate.series import Metrics
from hrm_ray.report.tables import Row, Table
from hrm_ray.report.text import number

BEGINS, READS = 0.1, 1.0
"""Nats of reading gain from which a network begins to read its input, and from which it reads it."""

PROBES = {
    "unchanged_nats": ("Tokens of unchanged lines", "uniform_nats"),
    "changed_nats": ("Tokens of changed lines", "uniform_nats"),
    "plan_name_nats": ("Name in the plan that stands in the prefix", "uniform_nats"),
    "first_line_nats": ("First line number of an edit", "first_line_uniform_nats"),
    "copy_nats": ("Copies of random tokens, as long as in training", "uniform_nats"),
    "long_copy_nats": ("Copies of random tokens, longer", "uniform_nats"),
}
"""Of each probe: its name, and the key of what a uniform guess has."""


def reading(metrics: Metrics | None) -> tuple[str, Table] | None:
    """Return the answer in words and the figures of the last validation; None where no probe was measured."""
    last = {key: _last(metrics, key) for key in (*PROBES, "uniform_nats", "first_line_uniform_nats", "reading_gain")}
    rows = [
        Row(name, (number(last[key]), number(last[uniform])))
        for key, (name, uniform) in PROBES.items()
        if last[key] is not None
    ]
    if not rows:
        return None
    return _answer(last["reading_gain"], last["unchanged_nats"]), Table(
        ("Measured", "A uniform guess"), (("Nats per token at the last validation", tuple(rows)),)
    )


def _last(metrics: Metrics | None, name: str) -> float | None:
    series = metrics.series("validation", name) if metrics else None
    return float(series.values[-1]) if series else None


def _answer(gain: float | None, unchanged: float | None) -> str:
    if gain is None:
        return "Not measured on modifications: the validation fold has none, or train.validation.probes is 0."
    state = "reads" if gain >= READS else "begins to read" if gain >= BEGINS else "does not read"
    return (
        f"The network {state} its input: a token of an unchanged line costs {number(unchanged)} nats, and "
        f"{number(gain)} more behind the prefix of another example."
    )
