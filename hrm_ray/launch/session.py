"""Ray for the length of a `with` block: the cluster that is given, or a private one that is gone afterwards.

Authentication, addresses, resources and timeouts are set here, on purpose, and nowhere else.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import ray
import ray.util
from ray._private import ray_constants

from hrm_ray.config import Config
from hrm_ray.errors import UserError

PRIVATE = {
    "RAY_AUTH_MODE": "disabled",  # left alone, a fresh local Ray writes a token into the home folder
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # or 127.0.0.1 becomes an outer address, and Ray listens on all of them
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",  # a process that waits for the cloud to take the node away
}

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
    address = os.environ.get("RAY_ADDRESS")
    with joined(address) if address else private(cpus):
        yield


@contextmanager
def private(cpus: int) -> Iterator[None]:
    """Run the block with a Ray on the loopback, without a dashboard."""
    # Unix sockets live below this folder and their paths are limited to about 100 characters, so TMPDIR will not do.
    folder = tempfile.mkdtemp(prefix="hrm-ray-", dir="/tmp")
    clusters = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False  # what its setting would have done before `import ray`
    try:
        with environment(PRIVATE | EVERYWHERE), _shut_down_after():
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
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = clusters
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def joined(address: str) -> Iterator[None]:
    """Run the block as a driver of the cluster at `address`, with its token where this user has one."""
    if "://" in address:
        raise UserError(
            f"RAY_ADDRESS {address}: only HOST:PORT of the head can be joined; `hrm-ray submit` takes http://"
        )
    _knock(address)
    auth = {"RAY_AUTH_MODE": os.environ.get("RAY_AUTH_MODE", _auth_mode())}
    with environment(auth | EVERYWHERE), _shut_down_after():
        try:
            _init(address=address)
        except (ConnectionError, RuntimeError) as error:
            raise UserError(f"RAY_ADDRESS {address}: cannot be joined ({str(error).splitlines()[0]})") from error
        yield


@contextmanager
def interruptible() -> Iterator[None]:
    """Have an interrupt raise KeyboardInterrupt: Ray Train exits, and it and Tune never put the handler back."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as error:
        if error.code not in (0, 1):  # Train's 0 comes out of `ray.get` as 1
            raise
        raise KeyboardInterrupt from error
    finally:
        if handler is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)


def require(bundle: Mapping[str, float], count: int, sentence: str) -> None:
    """Wait until the nodes have room for `count` times `bundle`, each on one node.

    Raises:
        UserError: they have not within `JOIN_SECONDS`; the message is `sentence` and what there is. A cluster that
            would grow on demand is not waited for: nobody but its autoscaler knows whether it will.
    """
    stop = time.monotonic() + (JOIN_SECONDS if os.environ.get("RAY_ADDRESS") else 0)
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


@contextmanager
def _shut_down_after() -> Iterator[None]:
    try:
        yield
    finally:
        ray.shutdown()


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
def environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Run the block with these environment variables, and put back what was there."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
