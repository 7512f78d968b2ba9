"""`search.json`: everything that is known of a search, replaced whole after each change (docs/formats.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from hrm_ray.errors import UserError
from hrm_ray.files import write_text

FILE = "search.json"
State = Literal["running", "completed", "stopped", "diverged", "failed"]
ENDED: tuple[State, ...] = ("completed", "stopped", "diverged")


class Part(BaseModel):
    """Base of every part: frozen; a later version's further fields are passed over."""

    model_config = ConfigDict(frozen=True)


class Rung(Part):
    """What a trial measured at a rung, `objective` after the fork's `updates` and `undecayed` before."""

    step: int
    objective: float
    undecayed: float
    updates: int


class Trial(Part):
    """One trial; its run folder is `trials/ID`."""

    id: str
    state: State = "running"
    values: Mapping[str, Any]
    step: int = 0
    """Of its newest checkpoint."""
    objective: float | None = None
    """At its end, or at the rung where it was stopped."""
    rungs: tuple[Rung, ...] = ()
    seconds: float = 0.0
    """Spent on it, forks and validations included, up to its newest checkpoint."""
    error: str = ""
    """Why it failed, where it did."""

    @property
    def updates(self) -> int:
        """Optimizer steps made for it, those of forks included."""
        return self.step + sum(rung.updates for rung in self.rungs)


class Record(Part):
    """One search; `settings` and `experiment` are its resolved file and the settings that its trials share."""

    name: str
    settings: Mapping[str, Any]
    experiment: Mapping[str, Any]
    horizon: int
    rungs: tuple[int, ...]
    synthetic: bool
    datasets: tuple[str, ...] = ()
    """Hash of each dataset, the main one first."""
    seconds: float = 0.0
    """Of all sittings, by the clock."""
    trials: Mapping[str, Trial] = {}

    @property
    def finished(self) -> bool:
        """True if every trial has ended, none of them by a failure."""
        return self.over and not self.failed

    @property
    def over(self) -> bool:
        """True if no trial is left to be run in this sitting."""
        return len(self.trials) == self.settings["trials"] and all(t.state != "running" for t in self.trials.values())

    @property
    def failed(self) -> list[Trial]:
        """The trials that failed, by their names, which the next sitting tries again."""
        return [trial for _, trial in sorted(self.trials.items()) if trial.state == "failed"]

    @property
    def ranked(self) -> list[Trial]:
        """The trials, best first: by how far they came, then by what they measured there."""
        return sorted(self.trials.values(), key=_rank)

    @property
    def best(self) -> Trial | None:
        """The trial with the lowest objective at the horizon; others were measured earlier, which does not compare."""
        completed = [trial for trial in self.ranked if trial.state == "completed"]
        return completed[0] if completed else None

    def updated(self, trial: Trial) -> Record:
        """Return the record with `trial` as it is now."""
        return self.model_copy(update={"trials": {**self.trials, trial.id: trial}})


def read(folder: Path) -> Record | None:
    """Return the record of a search folder, if it is one.

    Raises:
        UserError: the file is broken.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        return Record.model_validate_json(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise UserError(f"{path}: not the record of a search ({' '.join(str(error).split())})") from error


def write(folder: Path, record: Record) -> None:
    """Replace the record of a search folder."""
    tree = record.model_dump(mode="json")
    tree["best"] = record.best.id if record.best else None
    write_text(folder / FILE, json.dumps(tree, indent=1, allow_nan=False))


def _rank(trial: Trial) -> tuple[bool, int, float, str]:
    objective = float("inf") if trial.objective is None else trial.objective
    return trial.state == "diverged", -trial.step, objective, trial.id
