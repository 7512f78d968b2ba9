"""Follows a search as Ray Tune runs it: writes `search.json`, moves the bars, and names the trials that fail."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.experiment import Trial as TuneTrial
from rich.progress import Progress, TaskID

from hrm_ray.errors import UserError
from hrm_ray.tune import record
from hrm_ray.tune.record import Record, Rung, State, Trial
from hrm_ray.tune.space import spoken
from hrm_ray.tune.trial import trial_name

SECONDS_BETWEEN_LOOKS = 1.0


DIED = "its process died: killed, or out of memory"

USERS = f"{UserError.__module__}.{UserError.__qualname__}: "
"""Before the sentence of a mistake, in the text of an error (see `hrm_ray.tune.trial`)."""


class TrialError(RuntimeError):
    """Every trial failed, the first of them through an internal fault."""


class Follower(tune.Callback):  # type: ignore[misc]
    """What Tune calls; `record` is the state of the search."""

    def __init__(self, folder: Path, found: Record, progress: Progress) -> None:
        self.folder, self.record, self.progress = folder, found, progress
        self.began, self.before, self.looked = time.monotonic(), found.seconds, 0.0
        self.bars: dict[str, TaskID] = {}
        self.errors: dict[str, str] = {}
        """Texts of the errors of trials that failed in this sitting."""
        self.total = progress.add_task("trials", total=found.settings["trials"])
        self._show_total()

    def on_trial_start(self, trial: TuneTrial, **_: object) -> None:
        """Note what it drew."""
        ident = trial_name(trial.trial_id)
        known = self._of(trial)
        self._note(known.model_copy(update={"state": "running", "error": ""}))
        self.bars[ident] = self.progress.add_task(f"{ident}: {spoken(known.values)}", total=self.record.horizon)

    def on_trial_result(self, trial: TuneTrial, result: Mapping[str, Any], **_: object) -> None:
        """Note what it measured."""
        one = self._of(trial)
        values: dict[str, Any] = {"step": result["step"], "seconds": one.seconds + result["seconds"]}
        if result["updates"]:
            measured = {name: result[name] for name in ("step", "objective", "undecayed", "updates")}
            earlier = [rung for rung in one.rungs if rung.step < result["step"]]
            values["rungs"] = (*earlier, Rung.model_validate(measured))
        objective = None if math.isnan(result["objective"]) else result["objective"]
        self._note(one.model_copy(update=values | {"objective": objective}))

    def on_trial_complete(self, trial: TuneTrial, **_: object) -> None:
        """Note how it ended."""
        one = self._of(trial)
        state: State = "completed" if one.step == self.record.horizon else "stopped"
        if one.objective is None:
            state = "diverged"
        self._note(one.model_copy(update={"state": state}))
        measured = "no objective" if one.objective is None else f"objective {one.objective:.4f}"
        self.progress.console.print(f"trial {one.id} {state} at step {one.step:,}: {measured}; {spoken(one.values)}")
        self.progress.remove_task(self.bars.pop(one.id))
        self._show_total()

    def on_trial_error(self, trial: TuneTrial, **_: object) -> None:
        """Note what went wrong with one trial; the others are not stopped. It may have failed before it started."""
        one, text = self._of(trial), error_text(trial)
        self.errors[one.id] = text
        self._note(one.model_copy(update={"state": "failed", "error": cause(text)}))
        self.progress.console.print(f"trial {one.id} failed at step {one.step:,}: {cause(text)}; {spoken(one.values)}")
        if one.id in self.bars:
            self.progress.remove_task(self.bars.pop(one.id))

    def check(self) -> None:
        """Refuse a search of which nothing is left.

        Raises:
            UserError: every trial failed, the first of them through a mistake.
            TrialError: every trial failed.
        """
        if any(trial.state != "failed" for trial in self.record.trials.values()) or not self.errors:
            return
        ident, text = next(iter(self.errors.items()))
        name = f"every trial failed; trial {ident} ({spoken(self.record.trials[ident].values)})"
        raise UserError(f"{name}: {cause(text)}") if USERS in text else TrialError(f"{name} failed:\n{text}")

    def on_step_end(self, **_: object) -> None:
        """Move the bars, now and then."""
        if time.monotonic() - self.looked < SECONDS_BETWEEN_LOOKS:
            return
        self.looked = time.monotonic()
        for ident, bar in self.bars.items():
            self.progress.update(bar, completed=last_step(self.folder / "trials" / ident / "metrics.jsonl"))

    def _of(self, trial: TuneTrial) -> Trial:
        ident = trial_name(trial.trial_id)
        return self.record.trials.get(ident) or Trial(id=ident, values=trial.config["values"])

    def _note(self, trial: Trial) -> None:
        seconds = self.before + time.monotonic() - self.began
        self.record = self.record.updated(trial).model_copy(update={"seconds": seconds})
        record.write(self.folder, self.record)

    def _show_total(self) -> None:
        ended, best = [t for t in self.record.trials.values() if t.state in record.ENDED], self.record.best
        news = f"trials, best {best.objective:.4f} ({best.id})" if best else "trials"
        self.progress.update(self.total, completed=len(ended), description=news)


def error_text(trial: TuneTrial) -> str:
    """Return the last error that Tune has written down for a trial, as text: the pickle of it is not opened."""
    try:
        text = Path(trial.error_file).read_text("utf-8", errors="replace")
    except (OSError, TypeError):  # there was no folder to write it into
        text = ""
    return text.rpartition("Failure # ")[2].partition("\n")[2].strip() or "it left no error"


def cause(text: str) -> str:
    """Return one line of an error: the sentence of a mistake, else the exception, else that the process died."""
    if USERS in text:
        return text.rpartition(USERS)[2]
    first, *lines = text.splitlines()
    if first.startswith("The actor died unexpectedly"):
        return DIED
    frames = [number for number, line in enumerate(lines) if line.startswith("  File ")]
    raised = (line for line in lines[frames[-1] :] if line and not line[0].isspace()) if frames else ()
    return next(iter(raised), first)


def last_step(metrics: Path) -> int:
    """Return the step of the last whole line of a `metrics.jsonl` that is being written; 0 where there is none."""
    try:
        whole = metrics.read_text("utf-8").rpartition("\n")[0]
    except OSError:
        return 0
    return int(json.loads(whole.rpartition("\n")[2])["step"]) if whole else 0
