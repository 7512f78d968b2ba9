"""What `hrm-ray tune` does and prints."""

from __future__ import annotations

import os
from collections.abc import Iterator

from hrm_ray import settings
from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.files import locked, write_text
from hrm_ray.launch.session import require, session
from hrm_ray.progress import bars, console
from hrm_ray.settings import ConfigError
from hrm_ray.train.corpus import SolveDocuments, read_datasets
from hrm_ray.train.examine import examine
from hrm_ray.train.feed import open_feed
from hrm_ray.tune import record, search
from hrm_ray.tune.follow import Follower
from hrm_ray.tune.record import Record
from hrm_ray.tune.space import Study, short, shown

BEST = "best.yaml"


def tune(study: Study) -> None:
    """Search, or go on searching, and write down the best trial as an experiment.

    Raises:
        UserError: the machine, the dataset or the search folder does not allow it.
    """
    found = open_search(study)
    if not found.finished:
        cpus = study.search.concurrent
        going_on = f" going on, {len(found.trials)} trials begun" if found.trials else ""
        console.print(f"searching into {study.folder}:{going_on} {'; '.join(facts(study, found.horizon))}")
        with locked(study.folder), session(min(cpus, len(os.sched_getaffinity(0)))), bars() as progress:
            require({"CPU": 1}, cpus, f"{study.source}: concurrent {cpus} needs {cpus} CPUs, one a trial")
            follower = Follower(study.folder, found, progress)
            search.run(study, follower)
        found = follower.record
    _conclude(study, found)


def show(study: Study) -> None:
    """Print the search and what follows from it."""
    console.print(settings.dump(study.search).rstrip())
    horizon = open_feed(study.experiment).horizon if (study.experiment.data / "dataset.json").exists() else None
    for fact in facts(study, horizon):
        console.print(f"# {fact}")


def facts(study: Study, horizon: int | None) -> Iterator[str]:
    """Yield what the settings come to; `horizon` is the steps of a trial, where the dataset is there."""
    one = study.search
    yield f"{one.trials} trials, {one.concurrent} at a time, of {', '.join(map(short, one.space))}"
    if horizon is None:
        yield "steps of a trial: unknown until prepared"
        return
    yield f"{horizon:,} steps a trial, at most {one.trials * horizon:,} in all"
    if forks := one.forks(horizon):
        rungs = ", ".join(f"{step:,} (after {updates:,} more that decay)" for step, updates in forks.items())
        yield f"the better 1/{one.rungs.reduction} go on from steps {rungs}"


def open_search(study: Study) -> Record:
    """Return the record of this search: the one in its folder, or a new one.

    Raises:
        UserError: the dataset is not prepared, or cannot tell trials apart, or the folder is of another search.
    """
    experiment = study.experiment
    examine(experiment)
    datasets, horizon = read_datasets(experiment), open_feed(experiment).horizon
    if len(SolveDocuments(experiment.data, "validation")) == 0:
        raise UserError(f"{experiment.data}: its validation fold is empty, so trials could not be compared")
    forks = study.search.forks(horizon)
    if study.search.scheduler == "asha" and not forks:
        raise UserError(
            f"{study.source}: rungs.first {study.search.rungs.first} is not below the {horizon} steps of a trial: "
            "none could be stopped; lower it or set scheduler: fifo"
        )
    new = Record(
        name=study.search.name,
        settings=study.search.model_dump(mode="json", exclude={"base"}),
        experiment=experiment.model_dump(mode="json"),
        horizon=horizon,
        rungs=tuple(forks),
        synthetic=datasets[0]["synthetic"],
        datasets=tuple(facts["hash"] for facts in datasets),
    )
    found = record.read(study.folder)
    if found is None:
        if (study.folder / "run.json").exists():
            raise UserError(f"{study.folder}: is the folder of a run; choose another name")
        return new
    if conflicts := _conflicts(found, new, experiment):
        raise ConfigError(
            f"{study.folder}: exists with another {', '.join(conflicts)}; a search goes on as it was begun: "
            f"set them as they are in {study.folder / record.FILE}, or choose another name"
        )
    return found.model_copy(update={key: getattr(new, key) for key in ("name", "settings", "experiment", "datasets")})


def _conflicts(old: Record, new: Record, experiment: Config) -> list[str]:
    """Return what a search that was begun must not change; where it and its data lie is not among it."""
    moved = settings.relocated(old.experiment, experiment.model_dump())
    keys = [key for key in settings.differences(old.settings, new.settings) if not key.startswith("set.")]
    keys += settings.differences(moved, new.experiment)  # what is set, too
    keys += ["horizon"] if old.horizon != new.horizon else []
    keys += ["dataset"] if old.datasets and old.datasets != new.datasets else []
    return [key for key in keys if key != "name"]


def _conclude(study: Study, found: Record) -> None:
    for line in table(found):
        console.print(line)
    spent = sum(trial.seconds for trial in found.trials.values())
    updates = sum(trial.updates for trial in found.trials.values())
    console.print(f"{updates:,} steps, {spent:,.0f} seconds of trials in {found.seconds:,.0f} seconds")
    if failed := [f"{trial.id} ({trial.error})" for trial in found.failed]:
        console.print(
            f"{len(failed)} of {len(found.trials)} trials failed: {', '.join(failed)}; the same command tries again"
        )
    if found.best is None:
        raise UserError(f"{study.folder}: no trial came to its end with an objective, so none is the best")
    path = study.folder / BEST
    write_text(path, settings.dump(study.winner(found.best.values)))
    console.print(f"best: trial {found.best.id}; train it: hrm-ray train {path}; next: hrm-ray report {study.folder}")


def table(found: Record) -> Iterator[str]:
    """Yield the trials, best first, as lines under a heading."""
    keys = list(found.settings["space"])
    rows = [("trial", "objective", "state", "steps", "seconds", *map(short, keys))]
    for one in found.ranked:
        objective = "none" if one.objective is None else f"{one.objective:.4f}"
        facts = (one.id, objective, one.state, f"{one.step:,}", f"{one.seconds:,.0f}")
        rows.append((*facts, *(shown(one.values[key]) for key in keys)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
