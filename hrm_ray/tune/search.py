"""Running a search: Ray Tune draws, starts, stops and takes up trials again."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.experiment import Trial as TuneTrial
from ray.tune.schedulers import ASHAScheduler, FIFOScheduler, TrialScheduler
from ray.tune.search.basic_variant import BasicVariantGenerator

from hrm_ray.interrupts import interruptible
from hrm_ray.launch.environment import environment
from hrm_ray.tune.follow import Follower
from hrm_ray.tune.record import ENDED, Record
from hrm_ray.tune.space import Domain, Study
from hrm_ray.tune.trial import run_trial, trial_name

FOLDER = "tune"
"""Of Tune's own files, in the search's folder."""

QUIET = {
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_GLOBAL_CHECKPOINT_S": "1",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}
"""No table every few seconds, no files that ours already hold; the state that a killed search goes on from is written
every second."""


class Remembering(FIFOScheduler):  # type: ignore[misc]
    """Leaves trials alone that ended in an earlier sitting: Tune's own state may be a second older than the record."""

    def __init__(self, found: Record, **options: Any) -> None:  # noqa: ANN401
        super().__init__(**options)
        self.found = found

    def on_trial_add(self, tune_controller: Any, trial: TuneTrial) -> None:  # noqa: ANN401 - Ray's own
        """Take a trial in, at the place where the search now is: Tune's own state has that of an earlier sitting."""
        super().on_trial_add(tune_controller, trial)
        trial.config["experiment"] = dict(self.found.experiment)
        if trial.storage:  # a stub has none
            place = copy(trial.storage)
            place.storage_fs_path = str(Path(tune_controller.experiment_path).parent)
            trial.set_storage(place)
        known = self.found.trials.get(trial_name(trial.trial_id))
        if known and known.state in ENDED:
            trial.set_status(TuneTrial.TERMINATED)
            tune_controller.search_alg.on_trial_complete(trial.trial_id)  # or it would hold a place for ever


class Halving(Remembering, ASHAScheduler):  # type: ignore[misc]
    """Asynchronous successive halving that knows the rungs of earlier sittings, which Ray's forgets."""

    def on_trial_add(self, tune_controller: Any, trial: TuneTrial) -> None:  # noqa: ANN401
        """Take a trial in, with what it has measured already."""
        super().on_trial_add(tune_controller, trial)
        known = self.found.trials.get(trial_name(trial.trial_id))
        for rung in known.rungs if known else ():
            self.on_trial_result(tune_controller, trial, {"step": rung.step, "objective": rung.objective})


def run(study: Study, follower: Follower) -> None:
    """Run the search to its end, from where an earlier sitting left it; `follower` is told of everything.

    This is `tune.run` and not a `Tuner`: `Tuner.restore` takes scheduler, searcher and callbacks out of a pickle as
    they were at the first start.

    Raises:
        KeyboardInterrupt: the user stopped it; it can go on.
        UserError: every trial failed, through a mistake.
        TrialError: every trial failed.
    """
    search, found, folder = study.search, follower.record, study.folder.resolve()
    resumable = any((folder / FOLDER).glob("experiment_state-*.json"))
    with quiet(), interruptible():
        tune.run(
            run_trial,
            name=FOLDER,
            storage_path=str(folder),
            config=space(study, found),
            metric="objective",
            mode="min",
            num_samples=search.trials,
            search_alg=BasicVariantGenerator(max_concurrent=search.concurrent, random_state=search.seed),
            scheduler=scheduler(study, found),
            resources_per_trial={"cpu": 1},
            reuse_actors=True,
            checkpoint_config=tune.CheckpointConfig(num_to_keep=2),
            trial_dirname_creator=directory,
            callbacks=[follower],
            resume="AUTO+ERRORED" if resumable else None,
            raise_on_failed_trial=False,
            verbose=0,
        )
    if not follower.record.over:
        raise KeyboardInterrupt
    follower.check()


def space(study: Study, found: Record) -> dict[str, Any]:
    """Return what a trial is given, with domains of Tune in place of the values that it draws."""
    values = {key: domain_of(domain) for key, domain in study.search.space.items()}
    forks = study.search.forks(found.horizon)
    return {"experiment": dict(found.experiment), "forks": list(forks.items()), "values": values}


def domain_of(domain: Domain) -> Any:  # noqa: ANN401 - Tune's domains have no public base
    """Return Tune's form of a domain."""
    if domain.choice is not None:
        return tune.choice(list(domain.choice))
    return tune.loguniform(*domain.log_uniform) if domain.log_uniform else tune.uniform(*domain.uniform or ())


def scheduler(study: Study, found: Record) -> TrialScheduler:
    """Return who decides which trials are stopped early."""
    if not found.rungs:
        return Remembering(found)
    first, reduction = found.rungs[0], study.search.rungs.reduction
    return Halving(found, time_attr="step", max_t=found.horizon, grace_period=first, reduction_factor=reduction)


def directory(trial: TuneTrial) -> str:
    """Return the name of Tune's folder of a trial."""
    return trial_name(trial.trial_id)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Tune from the terminal for the length of a block."""
    with environment(QUIET), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
