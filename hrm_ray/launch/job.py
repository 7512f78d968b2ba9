"""The command and the environment of a job of `hrm-ray submit`, refused here if they could not run on the cluster.

Neither data nor runs travel: they stay on a disk that the cluster's nodes share, so their paths must be absolute.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

from hrm_ray import settings
from hrm_ray.config.train import Ingredient
from hrm_ray.errors import UserError
from hrm_ray.subject import require
from hrm_ray.yaml_text import parse_yaml

PLACES = {
    "collect": ("data", "collect.clones"),
    "prepare": ("data", "prepare.input", "prepare.functions"),
    "train": ("data", "runs", "train.mixture"),
    "tune": ("data", "runs"),
}
"""The verbs that take a CONFIG, and the settings of each that are paths on the cluster."""

VERBS_OF_RUNS = ("evaluate", "report")
"""The verbs that take a RUN."""

RUNTIME_ENV = Path("cluster/runtime_env.yaml")
"""What stays behind and what the environment gains, in the form that `ray job submit --runtime-env` reads too."""


def entrypoint(verb: str, subject: Path, overrides: Sequence[str]) -> str:
    """Return the shell command of the job.

    Raises:
        UserError: an unknown verb, a setting that cannot be used, or a path that the cluster does not have.
    """
    if verb in PLACES:
        require(verb, subject)
        subject = _travelling(subject)
        _check_places(verb, subject, overrides)
    elif verb not in VERBS_OF_RUNS:
        raise UserError(f"{verb}: not a verb that a job can run; those are {', '.join([*PLACES, *VERBS_OF_RUNS])}")
    elif not subject.is_absolute():
        raise UserError(f"{subject}: must be an absolute path on a disk that the cluster's nodes share")
    sets = [word for override in overrides for word in ("--set", override)]
    return shlex.join(["python", "-m", "hrm_ray", verb, str(subject), *sets])


def runtime_env() -> dict[str, Any]:
    """Return Ray's runtime environment of the job: this folder, and what its `cluster/runtime_env.yaml` says.

    Raises:
        UserError: the file is absent or not YAML; without it, data would travel.
    """
    try:
        text = RUNTIME_ENV.read_text("utf-8")
    except OSError as error:
        raise UserError(f"{RUNTIME_ENV}: not in {Path.cwd()}; submit from a checkout of hrm-ray") from error
    return {**parse_yaml(text, str(RUNTIME_ENV)), "working_dir": str(Path.cwd())}


def _travelling(config: Path) -> Path:
    try:
        return config.resolve().relative_to(Path.cwd().resolve())
    except ValueError as error:
        raise UserError(f"{config}: lies outside {Path.cwd()}, and only that folder is sent to the cluster") from error


def _check_places(verb: str, subject: Path, overrides: Sequence[str]) -> None:
    source = subject
    if verb == "tune":  # a search works where the experiment does that it names, and sets no path itself
        source, overrides = subject.parent / str(settings.read(subject, overrides).get("base", "")), ()
    config = settings.load(source, overrides)
    given = dict(settings.leaves(settings.read(source, overrides)))
    relative = [key for key in PLACES[verb] if _is_relative(attrgetter(key)(config)) or _is_home(given, key)]
    if relative:
        sets = [f"--set {key}=/shared/{key.rpartition('.')[2]}" for key in relative]
        remedy = "change that file" if verb == "tune" or "train.mixture" in relative else " ".join(sets)
        raise UserError(
            f"{source}: {' and '.join(relative)} must be absolute, on a disk that the cluster's nodes share, because a "
            f"job's working directory is temporary and takes no data along: {remedy}"
        )


def _is_relative(value: Path | tuple[str | Ingredient, ...] | None) -> bool:
    given = [place for place in (value if isinstance(value, tuple) else (value,)) if place is not None]
    places = [str(place.data if isinstance(place, Ingredient) else place) for place in given]
    # A colon before the first slash makes a URL of it: https://host/name, user@host:name.
    return any(not place.startswith("/") and ":" not in place.split("/")[0] for place in places)


def _is_home(given: Mapping[str, Any], key: str) -> bool:
    """True if a setting names a home folder, which is another on the cluster."""
    return any(f"{name}.".startswith(f"{key}.") and '"~' in json.dumps(value) for name, value in given.items())
