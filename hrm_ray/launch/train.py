"""Training where the config says: in this process, or on Ray Train workers that run the same loop, a rank each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NoReturn

import ray.train
import ray.train.torch
import torch
from ray.train import FailureConfig, RunConfig, ScalingConfig, TrainingFailedError, WorkerGroupError
from ray.train.torch import TorchTrainer

from hrm_ray import settings
from hrm_ray.config import Config, Train
from hrm_ray.errors import UserError, explained
from hrm_ray.interrupts import interruptible
from hrm_ray.launch import deal
from hrm_ray.launch.news import Failure, Reporter, newsroom
from hrm_ray.launch.rendezvous import RendezvousConfig
from hrm_ray.launch.session import require
from hrm_ray.train import checkpoint, loop
from hrm_ray.train.engine import pick_device
from hrm_ray.train.feed import micro_batches, open_feed
from hrm_ray.train.fit import making_explained
from hrm_ray.train.loop import Watcher
from hrm_ray.train.run import build_model, open_run
from hrm_ray.yaml_text import parse_yaml

COLLECTIVE_SECONDS = 600
"""After which a rank that waits for a dead one gives up; Ray's default is to wait for ever."""


class RankError(Exception):
    """A rank failed for a reason that is not the user's; the message holds its traceback."""


def train(config: Config, role: str, watcher: Watcher) -> None:
    """Train one run, from its newest checkpoint where it has one; with workers, Ray must be initialised.

    Raises:
        UserError: what the user can mend, whichever rank found it.
        RankError: a rank failed otherwise, or died.
    """
    if config.train.workers == 0:
        loop.train(config, role, watcher)
        return
    scaling = scale(config.train)
    workers, each = config.train.workers, scaling.resources_per_worker
    wish = " and ".join(f"{amount:g} {name}" for name, amount in each.items())
    require(each, workers, f"train.workers {workers} with {wish} each is asked for")
    horizon = open_feed(config).horizon
    open_run(config, role, horizon, watcher.say)
    if is_trained(config, horizon):
        watcher.say(f"{config.run_dir} is trained to its end already")
    else:
        fit(config, scaling, watcher)


def is_trained(config: Config, horizon: int) -> bool:
    """Say whether the run's last checkpoint is there, whole."""
    try:
        checkpoint.load(config.run_dir / "checkpoints" / checkpoint.folder_name(horizon))
    except UserError:
        return False
    return True


def scale(train: Train) -> ScalingConfig:
    """Return what the workers need; `device: auto` takes a GPU for each where the cluster has any."""
    gpus = train.device == "cuda" or (train.device == "auto" and ray.cluster_resources().get("GPU", 0) > 0)
    each = {"CPU": float(train.worker_cpus)} | ({"GPU": 1.0} if gpus else {})
    return ScalingConfig(num_workers=train.workers, use_gpu=gpus, resources_per_worker=each)


def fit(config: Config, scaling: ScalingConfig, watcher: Watcher) -> None:
    """Run `work` on every worker, and say what went wrong where something did."""
    absolute = config.absolute()
    with newsroom(watcher, config.train.late_seconds) as listener:
        trainer = TorchTrainer(
            work,
            train_loop_config={"config": settings.dump(absolute), "desk": listener.desk},
            scaling_config=scaling,
            run_config=RunConfig(
                name="ray",
                storage_path=str(absolute.run_dir),
                failure_config=FailureConfig(controller_failure_limit=0),  # or a start that fails is tried for ever
            ),
            torch_config=RendezvousConfig(backend="nccl" if scaling.use_gpu else "gloo", timeout_s=COLLECTIVE_SECONDS),
            datasets=deal.sources(config),
            dataset_config=deal.Deal(),
        )
        failed = None
        try:
            with interruptible():
                trainer.fit()
        except TrainingFailedError as error:
            failed = error
    if failed is not None:
        blame(failed, listener.failures, config.train.workers)


def blame(failed: TrainingFailedError, failures: list[Failure], workers: int) -> NoReturn:
    """Raise what the first rank to fail has said; one that died without a word comes before those that miss it."""
    causes = [failure for failure in failures if not failure.is_consequence]
    if causes and causes[0].is_users:
        raise UserError(f"rank {causes[0].rank}: {causes[0].message}") from failed
    if causes:
        raise RankError(f"{causes[0].sentence}\n{causes[0].trace}") from None
    told = {failure.rank for failure in failures}
    known = failed.worker_failures if isinstance(failed, WorkerGroupError) else {}
    silent = sorted(set(known) - told) or sorted(set(range(workers)) - told if told else ())
    if not silent:
        raise failed
    says = f"; Ray says: {str(known[silent[0]]).splitlines()[0]}" if silent[0] in known else ""
    raise RankError(f"rank {silent[0]} died without a word: killed, stopped, or out of memory{says}") from failed


def work(given: Mapping[str, Any]) -> None:
    """What each worker runs."""
    context = ray.train.get_context()
    reporter = Reporter(given["desk"], context.get_world_rank())
    try:
        config = settings.parse(parse_yaml(given["config"], "the run's settings"), "the run's settings")
        with explained(), reporter.beating():
            train_as_rank(config, context.get_world_size(), reporter)
    except BaseException as error:
        reporter.fail(error)
        raise


def train_as_rank(config: Config, world: int, watcher: Watcher) -> None:
    """Train as one rank of the process group that Ray has made.

    Raises:
        UserError: this node does not see the run's folder.
    """
    if not (config.run_dir / "run.json").exists():
        raise UserError(
            f"{config.run_dir}: not seen from this worker's node; runs must be on a disk that all nodes share"
        )
    os.environ["DS_ACCELERATOR"] = pick_device(config.train).type  # DeepSpeed would take any GPU that it sees
    from hrm_ray.train.zero import ZeroEngine  # DeepSpeed takes seconds to import, which only a worker needs

    torch.set_num_threads(config.train.worker_cpus)
    if torch.distributed.get_backend() == "nccl":
        torch.cuda.set_device(ray.train.torch.get_device())
    local = deal.localised(config)
    with making_explained(config.train):
        engine = ZeroEngine(build_model(local), config.train, micro_batches(config.train, world))
    loop.run(local, open_feed(local, engine.rank, world), engine, watcher)
