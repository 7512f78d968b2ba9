"""Weights & Biases, and MLflow: where they write is said by their own environment (docs/formats.md).

Their names for this run are kept in the run folder, so that a run that goes on here goes on there too.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from uuid import uuid4

from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.files import Record, read_record, write_text
from hrm_ray.train.sinks import flat

NAMES = "tracking.json"

PROJECT = "hrm-ray"
"""Project of W&B and experiment of MLflow, where their environment names none."""

PARAMETERS = 100
"""Settings that MLflow takes at once."""

NOTHING = "null"
"""A setting that has no value any more."""


class WandB:
    """A run of Weights & Biases."""

    def __init__(self, config: Config, resume_step: int) -> None:  # noqa: ARG002 - steps made again are told again
        import wandb

        try:
            self.run = wandb.init(
                project=os.environ.get("WANDB_PROJECT", PROJECT),
                name=config.name,
                id=remembered(config, "wandb", lambda: uuid4().hex),
                resume="allow",
                dir=str(config.run_dir),
                config=flat(config),
                allow_val_change=True,  # of the settings that a resumed run may change
                settings=wandb.Settings(silent=True, console="off"),
            )
        except wandb.errors.Error as error:
            raise UserError(f"train.log.to: wandb: {first_line(error)}; WANDB_MODE=offline needs no server") from error
        self.run.define_metric("*", step_metric="step")  # wandb's own counter cannot go back to a checkpoint

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to each curve."""
        self.run.log({"step": step, **values})

    def close(self, failed: bool) -> None:
        """Send what is held back, and say how it ended."""
        self.run.finish(exit_code=int(failed))


class MLflow:
    """A run of an MLflow experiment."""

    def __init__(self, config: Config, resume_step: int) -> None:  # noqa: ARG002 - MLflow keeps both points of a step
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient

        try:
            self.client = MlflowClient()
            self.run = remembered(config, "mlflow", lambda: self._create(config))
            self.client.update_run(self.run, status="RUNNING")
            self._note_changes(config)
        except MlflowException as error:
            raise UserError(
                f"train.log.to: mlflow: {first_line(error)}; MLFLOW_TRACKING_URI names its server"
            ) from error

    def _create(self, config: Config) -> str:
        from mlflow.entities import Param

        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
        known = self.client.get_experiment_by_name(name)
        experiment = known.experiment_id if known else self.client.create_experiment(name)
        run: str = self.client.create_run(experiment, run_name=config.name).info.run_id
        told = [Param(key, value) for key, value in parameters(config).items()]
        for start in range(0, len(told), PARAMETERS):
            self.client.log_batch(run, params=told[start : start + PARAMETERS])
        return run

    def _note_changes(self, config: Config) -> None:
        """Tag the run with what it no longer does as its parameters say, which MLflow lets nobody change."""
        known, now = self.client.get_run(self.run).data, parameters(config)
        told = known.params | known.tags
        for key in known.params.keys() | now.keys():
            if now.get(key, NOTHING) != told.get(key, NOTHING):
                self.client.set_tag(self.run, key, now.get(key, NOTHING))

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to each curve."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self.client.log_batch(self.run, metrics=[Metric(name, value, now, step) for name, value in values.items()])

    def close(self, failed: bool) -> None:
        """Say how it ended."""
        self.client.set_terminated(self.run, "FAILED" if failed else "FINISHED")


def parameters(config: Config) -> dict[str, str]:
    """Return the resolved settings as MLflow keeps them."""
    return {key: str(value) for key, value in flat(config).items()}


class _Names(Record):
    wandb: str | None = None
    mlflow: str | None = None


def remembered(config: Config, service: str, make: Callable[[], str]) -> str:
    """Return the name that `service` knows this run by, made when it is first asked for."""
    path = config.run_dir / NAMES
    names = read_record(path, _Names).model_dump(exclude_none=True) if path.exists() else {}
    if service not in names:
        names[service] = make()
        write_text(path, json.dumps(names))
    return str(names[service])


def first_line(error: Exception) -> str:
    """Return the first line of what a library says, without its full stop."""
    return str(error).strip().splitlines()[0].rstrip(".")
