"""From the folder of a search to its `report.html`: what was tried, how it went, and how little that proves.

It reads `search.json` and the metrics of the trials, and stands on the page of a run: same template head, same style.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from hrm_ray.errors import UserError
from hrm_ray.evaluate import series
from hrm_ray.files import write_text
from hrm_ray.report import files, text
from hrm_ray.report.files import RunFolder
from hrm_ray.report.page import listed, template
from hrm_ray.report.search_charts import against, curves, group
from hrm_ray.tune import record
from hrm_ray.tune.record import ENDED, Record, Trial
from hrm_ray.tune.space import Domain, short, shown

NEAR_AN_END = 0.1
"""Share of a range next to its end in which a best value says that the range may be too narrow."""


@dataclass(frozen=True)
class Row:
    """A trial in the table: `rungs` are (after the decay, before it) or None, `values` as people read them."""

    trial: Trial
    style: str
    label: str
    rungs: tuple[tuple[float, float] | None, ...]
    values: tuple[str, ...]


@dataclass(frozen=True)
class Searched:
    """A searched key: where it was drawn from, and what the best trial drew."""

    key: str
    domain: str
    best: str


def write(folder: Path) -> Path:
    """Write `report.html` into the folder of a search and return its path.

    Raises:
        UserError: the folder is not a search's, or a file in it is broken.
    """
    found = record.read(folder)
    if found is None:
        raise UserError(f"{folder}: not the folder of a search, {record.FILE} is missing")
    path = folder / "report.html"
    write_text(path, render(found, folder))
    return path


def render(found: Record, folder: Path) -> str:
    """Return the page."""
    runs = {ident: folder / "trials" / ident for ident in found.trials}
    metrics = {
        ident: series.read(run / "metrics.jsonl") for ident, run in runs.items() if (run / "metrics.jsonl").is_file()
    }
    one = next((files.read(run) for run in runs.values() if (run / "run.json").is_file()), None)
    return template("search.html", f"{found.name}: {found.best.id if found.best else 'no best'}").render(
        search=found,
        ended=sum(trial.state in ENDED for trial in found.trials.values()),
        next_best=next_best(found),
        spent=sum(trial.seconds for trial in found.trials.values()),
        updates=sum(trial.updates for trial in found.trials.values()),
        rows=list(rows(found)),
        keys=[short(key) for key in found.settings["space"]],
        searched=list(searched(found)),
        how=how(found),
        reordered=list(reordered(found)),
        curves=[(figure.title, Markup(figure.svg)) for figure in curves(found, metrics)],
        against=[(figure.title, Markup(figure.svg)) for figure in against(found)],
        not_measured=list(not_measured(found)),
        provenance=_provenance(found, one),
        settings=json.dumps(found.settings, indent=2),
    )


def next_best(found: Record) -> Trial | None:
    """Return the second best of the trials that came to the end."""
    completed = [trial for trial in found.ranked if trial.state == "completed"]
    return completed[1] if len(completed) > 1 else None


def rows(found: Record) -> Iterator[Row]:
    """Yield the trials, best first."""
    for trial in found.ranked:
        at = {rung.step: (rung.objective, rung.undecayed) for rung in trial.rungs}
        label, style = group(found, trial)
        values = tuple(shown(trial.values[key]) for key in found.settings["space"])
        yield Row(trial, style, label, tuple(at.get(step) for step in found.rungs), values)


def searched(found: Record) -> Iterator[Searched]:
    """Yield what each key was drawn from."""
    for key, tree in found.settings["space"].items():
        domain = Domain.model_validate(tree)
        low, high = (shown(end) for end in domain.range or ("", ""))
        drawn = f"{low} to {high}" + (", evenly in its logarithm" if domain.log_uniform else ", evenly")
        named = ", ".join(map(shown, domain.choice or ()))
        best = shown(found.best.values[key]) if found.best else text.ABSENT
        yield Searched(key, f"one of {named}" if named else drawn, best)


def how(found: Record) -> str:
    """Say how trials were run and stopped, in sentences."""
    settings, rungs = found.settings, [f"{step:,}" for step in found.rungs]
    told = f"{settings['trials']} trials of {found.horizon:,} steps, {settings['concurrent']} at a time, one CPU each. "
    told += "All see the same batches and begin with the same weights. "
    if not rungs:
        return told + "None was stopped early: a random search."
    share = f"1/{settings['rungs']['reduction']}"
    return told + (
        f"At step {' and '.join(rungs)} a trial goes on if it is among the best {share} of those that have come there "
        "so far (asynchronous successive halving), so that the order of arrival has a say in it. It is judged after "
        f"{settings['rungs']['decay']:.0%} more steps, in which its rate falls to its floor, and which are "
        "then undone."
    )


def reordered(found: Record) -> Iterator[str]:
    """Say, for each rung, how often the decay changed which of two trials was the better one."""
    for step in found.rungs:
        at = [rung for trial in found.trials.values() for rung in trial.rungs if rung.step == step]
        pairs = list(itertools.combinations(at, 2))
        turned = sum((a.objective - b.objective) * (a.undecayed - b.undecayed) < 0 for a, b in pairs)
        if pairs:
            gain = sum(rung.undecayed - rung.objective for rung in at) / len(at)
            yield (
                f"At step {step:,} the decay was worth {text.number(gain)} on average and changed the order of "
                f"{turned} of {len(pairs)} pairs of trials."
            )


def not_measured(found: Record) -> Iterator[str]:
    """Yield one sentence for each thing."""
    trials, settings = list(found.trials.values()), found.settings
    if left := settings["trials"] - sum(trial.state in ENDED for trial in trials):
        failed = f", {len(found.failed)} of them because they failed" if found.failed else ""
        yield f"The rest of the search: {left} of {settings['trials']} trials have not ended{failed}."
    yield "The noise of the objective: every setting was tried once, with one seed; a small lead may be that seed."
    yield "The test fold: the objective is of the validation fold, and the lowest of several flatters itself."
    yield f"Each key alone: {len(trials)} trials differ in {len(settings['space'])} keys at once; the plots mix them."
    if stopped := sum(trial.state == "stopped" for trial in trials):
        yield f"How the {stopped} stopped trials would have ended: a slow beginning may overtake."
    if settings["set"]:
        told = ", ".join(f"{short(key)} {shown(value)}" for key, value in settings["set"].items())
        yield f"Whether the best of the trials is the best of whole runs: best.yaml leaves out what they set ({told})."
    for key in narrow(found):
        yield f"{short(key)} beyond its range: the best value lies near an end of it."
    if found.synthetic:
        yield "Real pull requests: the data are synthetic."


def narrow(found: Record) -> Iterator[str]:
    """Yield the keys whose best value lies near an end of its range, on the scale on which it was drawn."""
    for key, tree in found.settings["space"].items():
        domain = Domain.model_validate(tree)
        if found.best and domain.range and not NEAR_AN_END < domain.share(found.best.values[key]) < 1 - NEAR_AN_END:
            yield key


def _provenance(found: Record, one: RunFolder | None) -> Iterator[tuple[str, str]]:
    yield "Search", f"{found.name}, seed {found.settings['seed']}"
    yield "Steps of a trial", text.number(found.horizon)
    if one is not None:
        yield "Parameters", text.number(one.run.parameters)
        yield "Tokens per step", text.number(one.run.tokens_per_step, 0)
        yield "Dataset", one.run.dataset
        yield "Dataset hash", one.run.dataset_hash
        yield "Versions", listed(one.run.versions)
        yield "Machine", listed(one.run.machine)


def conclusion(found: Record) -> str:
    """Return the result in one sentence."""
    if found.best is None:
        return "no trial has come to its end with an objective"
    return f"best: trial {found.best.id}, objective {text.number(found.best.objective, 4)}"
