"""A run folder: its settings, what it was made of, and whether a second `train` may go on in it."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import torch

from hrm_ray import run_records, settings
from hrm_ray.config import CHANGEABLE_ON_RESUME, Config, Schedule
from hrm_ray.files import SEEDS, write_text
from hrm_ray.model.hf_folder import weights_sha256
from hrm_ray.model.hrm import HRM
from hrm_ray.model.size import parameters, plain_twin
from hrm_ray.run_settings import read_run as read_run
from hrm_ray.settings import ConfigError
from hrm_ray.train import checkpoint, sinks
from hrm_ray.train.corpus import read_dataset, read_datasets
from hrm_ray.train.extend import extend, extensions_of

PACKAGES = ("hrm-ray", "torch", "ray", "deepspeed", "numpy", "pyarrow", "tokenizers", "tree-sitter", "tree-sitter-go")

BASELINES = "baselines"
"""Folder of a run for the runs of its baselines."""

_INSIDE = (BASELINES, SEEDS)

Datasets = Sequence[dict[str, Any]]
"""The `dataset.json` of each, the main one first."""


def roles(config: Config) -> dict[str, Config]:
    """Return the run, its baselines and its repetitions with theirs, each as a config of its own.

    All but the run itself live inside its folder.
    """
    baselines: dict[str, Config] = {
        role: config.model_copy(
            update={
                "name": role,
                "runs": config.run_dir / BASELINES,
                "model": plain_twin(config.model, role),
                "baselines": (),
                "seeds": 1,
            }
        )
        for role in config.baselines
    }
    return {"main": config, **baselines, **_repeated(config)}


def open_run(config: Config, role: str, horizon: int, say: Callable[[str], None]) -> None:
    """Create the run folder, or check that the one that is there may be continued with this config.

    Raises:
        UserError: a key differs that a resumed run must not change, the dataset is another, the schedule does not fit
            the horizon, a record cannot be read, or `train.log.to` needs what is not installed.
    """
    sinks.require(config)
    datasets, steps = read_datasets(config), checkpoint.steps(config.run_dir / "checkpoints")
    _check_warmup(config.train.schedule, horizon)
    _check_settings(config, begun=bool(steps))
    known = run_records.read(config.run_dir)
    beside = run_records.read(config.runs.parent) if config.runs.name in _INSIDE else {}
    extensions = extensions_of(beside)
    if known:
        _check_content(config, known, datasets)
        extensions = extend(config, known, beside, horizon, say)
    write_text(config.run_dir / "config.yaml", settings.dump(config))
    described = _describe(config, role, horizon, datasets) | {"extensions": [one._asdict() for one in extensions]}
    if (source := config.model.init_from) and not steps:
        described["init_from"] = {"folder": str(source), "sha256": weights_sha256(source)}
    run_records.write(config.run_dir, known | described)


def note(config: Config, facts: Mapping[str, Any]) -> None:
    """Add to the record of a run that is open what only its processes can know."""
    run_records.write(config.run_dir, {**run_records.read(config.run_dir), **facts})


def build_model(config: Config) -> HRM:
    """Build the model with weights that depend on the seed alone."""
    torch.manual_seed(config.train_seed)
    return HRM(config.model, read_dataset(config)["tokenizer"]["vocab_size"])


def _repeated(config: Config) -> dict[str, Config]:
    """The further seeds; what is trained with each is called "seed 1" and "seed 1, equal_parameters"."""
    found: dict[str, Config] = {}
    for number in range(1, config.seeds):
        train = config.train.model_copy(update={"seed": config.train.seed + number})
        changed = {"name": str(number), "runs": config.run_dir / SEEDS, "train": train, "seeds": 1}
        inside = roles(config.model_copy(update=changed))
        found |= {
            ", ".join((f"seed {number}", *([role] if role != "main" else []))): one for role, one in inside.items()
        }
    return found


def _check_warmup(schedule: Schedule, horizon: int) -> None:
    """Of a warm-up in steps it is not known earlier whether it fits."""
    decay = round(schedule.decay * horizon) if schedule.kind == "wsd" else 0
    if (schedule.warmup_steps or 0) + decay > horizon:
        also = f" and a decay of {decay}" if decay else ""
        raise ConfigError(
            f"train.schedule.warmup_steps {schedule.warmup_steps}{also} are more than the {horizon} steps of the run"
        )


def _check_settings(config: Config, begun: bool) -> None:
    """Refuse to go on with other settings; where the run, its data and its first weights lie does not matter."""
    settings.parse(config.model_dump(mode="json"), str(config.run_dir))  # a moved folder may have no name for settings
    source = config.run_dir / "config.yaml"
    if not (config.run_dir / run_records.FILE).exists():
        if begun:
            raise ConfigError(
                f"{config.run_dir}: has checkpoints and no run.json, which says of what data they are: put it back, or "
                "choose another name"
            )
        return
    old = settings.relocated(settings.load(source).model_dump(mode="json"), config.model_dump())
    conflicts = settings.resume_conflicts(settings.parse(old, str(source)), config)
    if conflicts:
        raise ConfigError(
            f"{config.run_dir}: exists with another {', '.join(conflicts)}; a resumed run may change only "
            f"{', '.join(CHANGEABLE_ON_RESUME)}: set the others as they are in {source}, or choose another name"
        )


def _check_content(config: Config, known: Mapping[str, Any], datasets: Datasets) -> None:
    """Refuse other data and other first weights than the run was started with."""
    hashes = [known["dataset_hash"], *(part["hash"] for part in known.get("mixture", ()))]
    for data, facts, digest in zip(config.datasets, datasets, hashes, strict=True):
        if facts["hash"] != digest:
            raise ConfigError(f"{data}: is not the dataset that {config.run_dir} was started on")
    begun, now = known.get("init_from"), config.model.init_from
    if begun and now and str(now) != begun["folder"] and now.exists() and weights_sha256(now) != begun["sha256"]:
        raise ConfigError(f"model.init_from {now}: holds other weights than {config.run_dir} was started with")


def _describe(config: Config, role: str, horizon: int, datasets: Datasets) -> dict[str, Any]:
    dataset, *others = datasets
    parts = zip(config.train.mixture, others, strict=True)
    return {
        "name": config.name,
        "role": role,
        "parameters": parameters(config.model, dataset["tokenizer"]["vocab_size"]),
        "horizon": horizon,
        "tokens_per_step": config.train.rows * config.prepare.window,
        "dataset": str(config.data),
        "dataset_hash": dataset["hash"],
        "mixture": [{"dataset": str(part.data), "weight": part.weight, "hash": one["hash"]} for part, one in parts],
        "synthetic": any(one["synthetic"] for one in datasets),
        "versions": {name: version(name) for name in PACKAGES} | {"python": platform.python_version()},
        "machine": f"{os.cpu_count()} CPUs, {platform.machine()}, {_device_name()}, {_processes(config)}",
    }


def _processes(config: Config) -> str:
    train = config.train
    return f"{train.workers} workers at ZeRO stage {train.zero_stage}" if train.workers else "one process"


def _device_name() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
