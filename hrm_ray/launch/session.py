"""Ray for the length of a `with` block: the cluster that is given, or a private one that is gone afterwards."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

import ray

from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.interrupts import sigterm_kept
from hrm_ray.launch.address import found, head, joins_cluster, loopback_only, wanted_mode
from hrm_ray.launch.authentication import authentication
from hrm_ray.launch.environment import environment
from hrm_ray.launch.private import private

EVERYWHERE = {
    "RAY_USAGE_STATS_ENABLED": "0",  # would report over the network
    "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "600",  # 60 s is short for a machine that is busy, or pulls an image
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # workers stay where relative paths mean what they mean here
}

JOIN_SECONDS = 15.0
"""How long nodes of a cluster that is starting may take to join."""


def ray_for(config: Config) -> AbstractContextManager[None]:
    """Return a context in which Ray is there for a run that has workers."""
    asked = config.train.workers * config.train.worker_cpus
    return session(min(asked, len(os.sched_getaffinity(0)))) if asked else nullcontext()


@contextmanager
def session(cpus: int) -> Iterator[None]:
    """Run the block with Ray: that of RAY_ADDRESS, or else one with `cpus` CPUs, private to this process.

    A Ray that is already initialised is used as it is and left running.

    Raises:
        UserError: the cluster does not answer, or does not let us in.
    """
    if ray.is_initialized():
        yield
        return
    with environment(EVERYWHERE), joined(head()) if joins_cluster() else private(cpus):
        yield


@contextmanager
def joined(address: str) -> Iterator[None]:
    """Run the block as a driver of the cluster at `address`, with its token where the cluster wants one."""
    address, on_loopback = found(address)
    with authentication(wanted_mode(address)), loopback_only() if on_loopback else nullcontext():
        try:
            _join(address)
            yield
        finally:
            ray.shutdown()


def require(bundle: Mapping[str, float], count: int, sentence: str) -> None:
    """Wait until the nodes have room for `count` times `bundle`, each on one node.

    Raises:
        UserError: they have not within `JOIN_SECONDS`; the message is `sentence` and what there is. A cluster that
            would grow on demand is not waited for: nobody but its autoscaler knows whether it will.
    """
    stop = time.monotonic() + (JOIN_SECONDS if joins_cluster() else 0)
    while (room := _room(bundle)) < count:
        if time.monotonic() >= stop:
            there = ", ".join(f"{ray.cluster_resources().get(name, 0):g} {name}" for name in bundle)
            raise UserError(f"{sentence}, and Ray has room for {room} on its {len(_nodes())} node(s): {there} in all")
        time.sleep(1)


def _room(bundle: Mapping[str, float]) -> int:
    return sum(int(min(node.get(name, 0.0) // amount for name, amount in bundle.items())) for node in _nodes())


def _nodes() -> list[Mapping[str, float]]:
    """Return the resources of each node that is alive."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _join(address: str) -> None:
    try:
        with sigterm_kept():
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError) as error:
        raise UserError(f"RAY_ADDRESS {address}: cannot be joined ({str(error).splitlines()[0]})") from error
