"""Training where the config says: in this process, or on Ray Train workers that run the same loop, a rank each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import ray.train
import ray.train.torch
import torch
from ray.train import RunConfig, ScalingConfig, TrainingFailedError, WorkerGroupError
from ray.train.torch import TorchConfig, TorchTrainer

from hrm_ray import settings
from hrm_ray.config import Config, Train
from hrm_ray.errors import UserError
from hrm_ray.files import parse_yaml
from hrm_ray.launch import deal
from hrm_ray.launch.news import Failure, Reporter, newsroom
from hrm_ray.launch.session import require
from hrm_ray.train import loop
from hrm_ray.train.feed import micro_batches, open_feed
from hrm_ray.train.loop import Watcher
from hrm_ray.train.run import build_model, open_run

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
    total = {name: workers * amount for name, amount in each.items()}
    require(total, f"train.workers {workers} with {wish} each is asked for")
    open_run(config, role, open_feed(config).horizon)
    fit(config, scaling, watcher)


def scale(train: Train) -> ScalingConfig:
    """Return what the workers need; `device: auto` takes a GPU for each where the cluster has as many."""
    gpus = ray.cluster_resources().get("GPU", 0) >= train.workers if train.device == "auto" else train.device == "cuda"
    each = {"CPU": float(train.worker_cpus)} | ({"GPU": 1.0} if gpus else {})
    return ScalingConfig(num_workers=train.workers, use_gpu=gpus, resources_per_worker=each)


def fit(config: Config, scaling: ScalingConfig, watcher: Watcher) -> None:
    """Run `work` on every worker, and say what went wrong where something did."""
    absolute = config.model_copy(update={"data": config.data.resolve(), "runs": config.runs.resolve()})
    with newsroom(watcher) as terminal:
        trainer = TorchTrainer(
            work,
            train_loop_config={"config": settings.dump(absolute), "desk": terminal.desk},
            scaling_config=scaling,
            run_config=RunConfig(name="ray", storage_path=str(absolute.run_dir)),
            torch_config=TorchConfig(backend="nccl" if scaling.use_gpu else "gloo", timeout_s=COLLECTIVE_SECONDS),
            datasets={deal.NAME: deal.source(config.data)},
            dataset_config=deal.Deal(),
        )
        failed = None
        try:
            trainer.fit()
        except TrainingFailedError as error:
            failed = error
    if failed is not None:
        blame(failed, terminal.failures, config.train.workers)


def blame(failed: TrainingFailedError, failures: list[Failure], workers: int) -> NoReturn:
    """Raise what the first rank to fail has said; one that died without a word comes before those that miss it."""
    causes = [failure for failure in failures if not failure.is_consequence]
    if causes and isinstance(causes[0].error, UserError):
        raise UserError(f"rank {causes[0].rank}: {causes[0].error}") from failed
    if causes:
        raise RankError(f"{causes[0].sentence}\n{causes[0].trace}") from None
    silent = sorted(set(range(workers)) - {failure.rank for failure in failures})
    if failures and silent:
        raise RankError(
            f"rank {silent[0]} died without a word: killed, or out of memory; {ray_says(failed, silent[0])}"
        )
    raise failed


def ray_says(failed: TrainingFailedError, rank: int) -> str:
    """Return the first line of what Ray knows of a rank's end."""
    known = failed.worker_failures.get(rank) if isinstance(failed, WorkerGroupError) else None
    return f"Ray says: {str(known).splitlines()[0]}" if known else "Ray says nothing"


def work(given: Mapping[str, Any]) -> None:
    """What each worker runs."""
    context = ray.train.get_context()
    reporter = Reporter(given["desk"], context.get_world_rank())
    try:
        config = settings.parse(parse_yaml(given["config"], "the run's settings"), "the run's settings")
        train_as_rank(config, context.get_world_size(), reporter)
    except BaseException as error:
        reporter.fail(error)
        raise


def train_as_rank(config: Config, world: int, watcher: Watcher) -> None:
    """Train as one rank of the process group that Ray has made."""
    from hrm_ray.train.zero import ZeroEngine  # DeepSpeed takes seconds to import, which only a worker needs

    torch.set_num_threads(config.train.worker_cpus)
    if torch.distributed.get_backend() == "nccl":
        torch.cuda.set_device(ray.train.torch.get_device())
    shard: deal.Shard = ray.train.get_dataset_shard(deal.NAME)
    local = config.model_copy(update={"data": shard.folder()})
    engine = ZeroEngine(build_model(local), config.train, micro_batches(config.train, world))
    loop.run(local, shard.feed(config), engine, watcher)
