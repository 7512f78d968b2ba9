"""A Ray for this process alone: on the loopback, where it asks for no token, and gone afterwards."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv6Address, ip_address
from pathlib import Path

import psutil
import ray

from hrm_ray.errors import UserError
from hrm_ray.interrupts import sigterm_kept
from hrm_ray.launch.address import loopback_only
from hrm_ray.launch.authentication import authentication
from hrm_ray.launch.environment import environment

PARENT = Path("/tmp")
"""Unix sockets live below it and their paths are limited to about 100 characters, so TMPDIR will not do."""

PREFIX = "hrm-ray-"

OBJECT_STORE_BYTES = 256 << 20
"""Data travels through files; only work items and their results pass through Ray."""

SETTINGS = {
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",  # a process that waits for the cloud to take the node away
    "RAY_gcs_server_port_wait_time_s": "60",  # 30 s are short on a machine that is busy
    "RAY_raylet_start_wait_time_s": "60",  # as are these 30 s
    "GLOO_SOCKET_IFNAME": "lo",  # it listens at the address of this machine's name
    "RAY_worker_niceness": "0",  # 15 more than this process has would starve workers beside any other work
}

TRIES = 2
"""A busy machine may take longer for Ray's processes than Ray waits for them."""


@contextmanager
def private(cpus: int) -> Iterator[None]:
    """Run the block with a Ray of so many CPUs on the loopback, without a dashboard.

    Raises:
        UserError: it does not come up, on a machine that is busy.
    """
    with own_folder() as folder, environment(SETTINGS), authentication("disabled"), loopback_only():
        known = reachable()
        try:
            start(cpus, folder)
            if beyond := reachable() - known:
                raise RuntimeError(f"Ray listens without authentication on {', '.join(sorted(beyond))}")
            yield
        finally:
            ray.shutdown()


def start(cpus: int, folder: Path) -> None:
    """Start Ray with its files in `folder`, again if it does not come up the first time.

    Raises:
        UserError: it does not come up the second time either.
    """
    for left in reversed(range(TRIES)):
        before = _descendants()
        try:
            with sigterm_kept():
                ray.init(
                    address="local",
                    num_cpus=cpus,
                    include_dashboard=False,
                    object_store_memory=OBJECT_STORE_BYTES,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    _node_ip_address="127.0.0.1",
                    _temp_dir=str(folder),
                )
            return
        except BaseException as error:
            _end(_descendants() - before)
            if not _is_slow(error):
                raise
            if not left:
                raise UserError(
                    f"Ray does not start here in {TRIES} tries ({str(error).splitlines()[0]}): this machine is busy or "
                    "short of memory; run the same command again when it is not"
                ) from error


@contextmanager
def own_folder() -> Iterator[Path]:
    """Give a folder for Ray's files for the length of a block, and remove those of drivers that were killed.

    A driver holds a lock on its folder, which ends with the process: no later process of the same number has it.
    """
    for left in PARENT.glob(f"{PREFIX}*-*"):
        if (lock := _lock(left)) is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(lock)
    folder, lock = _make_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def reachable() -> set[str]:
    """Return the addresses beyond the loopback at which this process and its descendants listen."""
    found = set()
    for process in (psutil.Process(), *_descendants()):
        with suppress(psutil.Error):  # it has ended
            listening = [c.laddr for c in process.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
            found |= {f"{ip}:{port}" for ip, port in listening if not _is_loopback(ip)}
    return found


def _is_slow(error: BaseException) -> bool:
    """Return True of what Ray raises if its processes are not up in time, for which it has no class of its own."""
    return type(error) is Exception or isinstance(error, (RuntimeError, ConnectionError, TimeoutError))


def _descendants() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))


def _end(processes: set[psutil.Process]) -> None:
    """End what a failed start has left."""
    ray.shutdown()
    for process in processes:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(processes, timeout=10)


def _make_folder() -> tuple[Path, int]:
    for _ in range(10):  # another process may see a folder before it is locked, and remove it
        folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=PARENT))
        if (lock := _lock(folder)) is not None:
            if folder.exists():
                return folder, lock
            os.close(lock)
    raise UserError(f"{PARENT}: a folder in it cannot be locked")


def _lock(folder: Path) -> int | None:
    """Return a descriptor that holds the folder, or None if another process does or it is not ours to open."""
    try:
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        return None
    return held


def _is_loopback(ip: str) -> bool:
    address = ip_address(ip)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
