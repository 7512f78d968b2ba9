"""Ray for the length of a `with` block: the cluster that is given, or a private one that is gone afterwards.

Authentication, addresses, resources and timeouts are set here, on purpose, and nowhere else.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
import ray.util
from ray._private import ray_constants
from ray._private.state import state as cluster_state

from hrm_ray.errors import UserError

PRIVATE = {"RAY_AUTH_MODE": "disabled", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Left alone, a fresh local Ray writes a token into the home folder, and on Linux turns 127.0.0.1 into an outer address
and listens on all of them."""

EVERYWHERE = {
    "RAY_USAGE_STATS_ENABLED": "0",  # would report over the network
    "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "600",  # 60 s is short for a machine that is busy, or pulls an image
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # workers stay where relative paths mean what they mean here
}

OBJECT_STORE_BYTES = 256 << 20
"""Data travels through files; only work items and their results pass through Ray."""

ANSWER_SECONDS = 10.0
"""How long the head of a cluster may take to accept a connection."""

JOIN_SECONDS = 15.0
"""How long nodes of a cluster that is starting may take to join."""


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
    address = os.environ.get("RAY_ADDRESS")
    with joined(address) if address else private(cpus):
        yield


@contextmanager
def private(cpus: int) -> Iterator[None]:
    """Run the block with a Ray on the loopback, without a dashboard."""
    # Unix sockets live below this folder and their paths are limited to about 100 characters, so TMPDIR will not do.
    folder = tempfile.mkdtemp(prefix="hrm-ray-", dir="/tmp")
    clusters = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False  # what the setting would have done before `import ray`
    try:
        with _environment(PRIVATE | EVERYWHERE):
            _init(
                address="local",
                num_cpus=cpus,
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                _node_ip_address="127.0.0.1",
                _temp_dir=folder,
            )
            if (address := ray.util.get_node_ip_address()) != "127.0.0.1":
                raise RuntimeError(f"Ray listens on {address} without authentication")
            yield
            ray.shutdown()
    finally:
        ray.shutdown()
        ray_constants.ENABLE_RAY_CLUSTER = clusters
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def joined(address: str) -> Iterator[None]:
    """Run the block as a driver of the cluster at `address`, with its token where this user has one."""
    if address.startswith("ray://"):
        raise UserError(
            f"RAY_ADDRESS {address}: Ray Client cannot train; use HOST:PORT of the head, or `hrm-ray submit`"
        )
    _knock(address)
    with _environment({"RAY_AUTH_MODE": os.environ.get("RAY_AUTH_MODE", _auth_mode()), **EVERYWHERE}):
        try:
            _init(address=address)
        except (ConnectionError, RuntimeError) as error:
            raise UserError(f"RAY_ADDRESS {address}: cannot be joined ({str(error).splitlines()[0]})") from error
        try:
            yield
        finally:
            ray.shutdown()


def require(asked: Mapping[str, float], sentence: str) -> None:
    """Wait until Ray has the resources `asked` for, or is known to be able to grow to them.

    Raises:
        UserError: it has not within `JOIN_SECONDS`; the message is `sentence` and what there is.
    """
    stop = time.monotonic() + (JOIN_SECONDS if os.environ.get("RAY_ADDRESS") else 0)
    while missing := _missing(asked):
        if time.monotonic() >= stop:
            there = ", ".join(f"{missing[name]:g} {name}" for name in missing)
            raise UserError(f"{sentence}, and Ray has {there} in all")
        time.sleep(1)


def _missing(asked: Mapping[str, float]) -> dict[str, float]:
    """Return, of the resources that fall short, how much there will ever be."""
    limits: Mapping[str, float] = cluster_state.get_max_resources_from_cluster_config() or {}  # of an autoscaler
    there = ray.cluster_resources()
    most = {name: max(there.get(name, 0.0), limits.get(name, 0.0)) for name in asked}
    return {name: most[name] for name, amount in asked.items() if most[name] < amount}


def _init(**options: Any) -> None:  # noqa: ANN401
    ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)


def _knock(address: str) -> None:
    """Refuse an address at which nobody listens: Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return  # "auto", which Ray looks up on this machine
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS).close()
    except OSError as error:
        raise UserError(f"RAY_ADDRESS {address}: no Ray answers there ({error})") from error


def _auth_mode() -> str:
    """Use a token where one is at hand; Ray itself would look for none when it is given an address."""
    named = os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_TOKEN_PATH")
    return "token" if named or (Path.home() / ".ray" / "auth_token").exists() else "disabled"


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
