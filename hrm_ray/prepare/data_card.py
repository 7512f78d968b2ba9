"""`data_card.md`: what a person wants to know of a dataset before training on it, on one page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined

from hrm_ray.prepare.split import FOLDS

NAME = "data_card.md"

_JUDGE = "judge: "
"""How drops of judge documents begin."""

_MOST = 40
"""Repositories that are named one by one."""


def render(card: Mapping[str, Any]) -> str:
    """Return the page of a card (`dataset.json`)."""
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters.update(number=_number, share=_share, cell=_cell)
    template = resources.files("hrm_ray.prepare").joinpath("data_card.md.j2").read_text("utf-8")
    folds = {name: fold for name, fold in card["folds"].items() if fold["examples"]}
    total = sum(fold["examples"] for fold in folds.values())
    repositories, drops = _repositories(folds), Counter(card["drops"]).most_common()
    return environment.from_string(template).render(
        card=card,
        folds=folds,
        judged={name: fold for name, fold in folds.items() if fold["judgements"]["count"]},
        given=any(source["fold"] in FOLDS for source in card["inputs"]),
        total=total,
        repositories=repositories[:_MOST],
        others=repositories[_MOST:],
        licences=_summed(folds, "licences"),
        intents=_summed(folds, "intents"),
        drops=[(reason, count) for reason, count in drops if not reason.startswith(_JUDGE)],
        unjudged=[(reason.removeprefix(_JUDGE), count) for reason, count in drops if reason.startswith(_JUDGE)],
        collected=Counter((card["collection"] or {}).get("drops", {})).most_common(),
    )


def _repositories(folds: Mapping[str, Any]) -> list[tuple[str, dict[str, int]]]:
    """Each repository with its examples by fold, the largest first."""
    found: dict[str, dict[str, int]] = {}
    for name, fold in folds.items():
        for repository, count in fold["repositories"].items():
            found.setdefault(repository, {})[name] = count
    return sorted(found.items(), key=lambda pair: (-sum(pair[1].values()), pair[0]))


def _summed(folds: Mapping[str, Any], key: str) -> list[tuple[str, int]]:
    return sum((Counter(fold[key]) for fold in folds.values()), Counter[str]()).most_common()


def _number(value: float) -> str:
    return f"{value:,}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def _cell(text: object) -> str:
    """A text as it may stand in a cell of a Markdown table."""
    return str(text).replace("|", r"\|").replace("\n", " ")
