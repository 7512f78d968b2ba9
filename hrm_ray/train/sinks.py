"""Where a run's metrics go beside `metrics.jsonl`: TensorBoard here, W&B and MLflow in `hrm_ray.train.tracking`.

A sink's library is imported only where `train.log.to` names it, and by rank 0 alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Protocol

from hrm_ray import settings
from hrm_ray.config import Config
from hrm_ray.errors import UserError

OBJECTIVE = "validation/objective"
"""The number that runs are compared by; the last one is the run's."""

EXTRAS = {"wandb": "wandb", "mlflow": "mlflow-skinny"}
"""Sinks of the extra `tracking`, with the package that each needs."""


class Sink(Protocol):
    """Takes the numbers of one run, which may go on where an earlier process stopped."""

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Take numbers named `event/metric`."""

    def close(self, failed: bool) -> None:
        """Send what is held back, and say how it ended."""


class TensorBoard:
    """Event files in the run folder; the settings and the objective appear under HPARAMS."""

    def __init__(self, config: Config, resume_step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter
        from torch.utils.tensorboard.summary import hparams

        self.board = SummaryWriter(str(config.run_dir / "tensorboard"), purge_step=resume_step + 1)
        # The board itself looks up the last value of the metric that is named here.
        experiment, session, _ = hparams(flat(config), {OBJECTIVE: 0.0})  # type: ignore[no-untyped-call]
        for summary in (experiment, session):
            self.board.file_writer.add_summary(summary)  # type: ignore[attr-defined]

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to each curve."""
        for name, value in values.items():
            self.board.add_scalar(name, value, step)

    def close(self, failed: bool) -> None:  # noqa: ARG002 - a board does not say how a run ended
        """Flush and close the files."""
        self.board.close()


def flat(config: Config) -> dict[str, str | float]:
    """Return the resolved settings by dotted key; what is not a number is text, and what is null is left out."""
    values = settings.leaves(config.model_dump(mode="json"))
    return {key: value if isinstance(value, int | float) else str(value) for key, value in values if value is not None}


def require(config: Config) -> None:
    """Refuse a sink whose package is not installed.

    Raises:
        UserError: one is missing.
    """
    for name in config.train.log.to:
        if name in EXTRAS and find_spec(name) is None:
            raise UserError(f"train.log.to: {name} needs the package {EXTRAS[name]}: pip install 'hrm-ray[tracking]'")


def open_sinks(config: Config, resume_step: int) -> list[Sink]:
    """Open what `train.log.to` names."""
    from hrm_ray.train.tracking import MLflow, WandB

    require(config)
    kinds: dict[str, Callable[[Config, int], Sink]] = {"tensorboard": TensorBoard, "wandb": WandB, "mlflow": MLflow}
    return [kinds[name](config, resume_step) for name in config.train.log.to]
