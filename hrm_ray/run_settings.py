"""The settings of a run folder, as the verbs read them that use what was trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hrm_ray import settings
from hrm_ray.config import Config
from hrm_ray.errors import ConfigError

CHANGEABLE_AFTER_TRAINING = ("evaluate", "data", "train.device", "train.precision")
"""Settings that may change after training; the network stays as it was trained."""


def read_run(run_dir: Path, overrides: Sequence[str] = ()) -> Config:
    """Return the config of a run folder, moved or not, with `key.path=value` overrides.

    Raises:
        ConfigError: the folder is not a run, or an override changes what was trained.
    """
    path = run_dir / "config.yaml"
    for needed in (path, run_dir / "run.json"):
        if not needed.exists():
            raise ConfigError(
                f"{run_dir}: not a run folder (it has no {needed.name}); `hrm-ray train CONFIG` makes one"
            )
    for override in overrides:
        key = settings.key_of(override)
        if not is_changeable(key):
            allowed = ", ".join(CHANGEABLE_AFTER_TRAINING)
            raise ConfigError(f"--set {key}: of a trained run only these may be set: {allowed}")
    found = run_dir.resolve()
    return settings.load(path, overrides).model_copy(update={"name": found.name, "runs": run_dir.parent})


def is_changeable(key: str) -> bool:
    """Return whether a dotted key may be set of a trained run."""
    return f"{key}.".startswith(tuple(f"{allowed}." for allowed in CHANGEABLE_AFTER_TRAINING))
