"""A local Ray for the length of a `with` block, started on purpose and gone afterwards."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import ray
import ray.util
from ray._private import ray_constants

SETTINGS = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Left alone, a fresh local Ray writes a token into the home folder, reports its usage over the network, and on Linux
turns 127.0.0.1 into an outer address and listens on all of them."""

OBJECT_STORE_BYTES = 256 << 20
"""Data travels through files; only work items and their results pass through Ray."""


@contextmanager
def session(cpus: int) -> Iterator[None]:
    """Run the block with a Ray that has `cpus` CPUs, private to this process, on the loopback and without a dashboard.

    A Ray that is already initialised is used as it is and left running.
    """
    if ray.is_initialized():
        yield
        return
    # Unix sockets live below this folder and their paths are limited to about 100 characters, so TMPDIR will not do.
    folder = tempfile.mkdtemp(prefix="hrm-ray-", dir="/tmp")
    environment = {name: os.environ.get(name) for name in SETTINGS}
    os.environ.update(SETTINGS)
    clusters = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False  # what the third setting would have done before `import ray`
    try:
        ray.init(
            address="local",
            num_cpus=cpus,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            object_store_memory=OBJECT_STORE_BYTES,
            _node_ip_address="127.0.0.1",
            _temp_dir=folder,
        )
        if (address := ray.util.get_node_ip_address()) != "127.0.0.1":
            raise RuntimeError(f"Ray listens on {address} without authentication")
        yield
    finally:
        ray.shutdown()
        ray_constants.ENABLE_RAY_CLUSTER = clusters
        for name, value in environment.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        shutil.rmtree(folder, ignore_errors=True)
