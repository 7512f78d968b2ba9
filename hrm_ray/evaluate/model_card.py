"""The card of an exported model: what it is, what it has seen, what was measured, what it is for, how to load it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined

from hrm_ray import run_records
from hrm_ray.evaluate.measured import measured
from hrm_ray.evaluate.opened import Opened
from hrm_ray.prepare.tokenizer import FIRST_NUMBER, FIRST_TEXT, Control
from hrm_ray.train.corpus import read_datasets

_LEARNT_FROM = ("train", "judge")
"""Folds that shape the weights."""


def render(opened: Opened, name: str) -> str:
    """Return the page of the model that is opened; `name` is that of its folder."""
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters.update(number=_number, figure=_figure, cell=_cell)
    template = resources.files("hrm_ray.evaluate").joinpath("model_card.md.j2").read_text("utf-8")
    datasets = read_datasets(opened.config)
    return environment.from_string(template).render(
        name=name,
        date=datetime.now(UTC).date().isoformat(),
        model=opened.config.model,
        window=opened.config.prepare.window,
        run=run_records.read(opened.run_dir),
        step=opened.step,
        averaged=opened.config.train.ema is not None,
        datasets=datasets,
        licences=_summed(datasets, "licences"),
        repositories=_summed(datasets, "repositories"),
        limits=opened.config.evaluate,
        evaluation=measured(opened),
        control=[control.name.lower() for control in Control],
        form=opened.config.prepare.form,
        first_number=FIRST_NUMBER,
        first_text=FIRST_TEXT,
    )


def _summed(datasets: list[dict[str, Any]], key: str) -> list[tuple[str, int]]:
    """Examples by licence or repository, the most first."""
    found: Counter[str] = Counter()
    for facts in datasets:
        for fold in _LEARNT_FROM:
            found.update(facts["folds"][fold].get(key, {}))
    return found.most_common()


def _number(value: float) -> str:
    return f"{value:,}"


def _figure(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"


def _cell(text: object) -> str:
    """A text as it may stand in a cell of a Markdown table."""
    return str(text).replace("|", r"\|").replace("\n", " ")
