"""Control groups, which bound memory and processes of all that runs in them, root's too (cgroups(7); versions 1 and 2).

A group is made below our own, or below the nearest above it where this user may and both controllers are, so that
whatever bounds us goes on to bound it.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from secrets import token_hex

CONTROLLERS = {"memory": ("memory.max", "memory.limit_in_bytes"), "pids": ("pids.max",)}
"""What is needed, and the file by which each version bounds it."""

_SWAP = ("memory.swap.max", "memory.memsw.limit_in_bytes")
_PATIENCE = 10.0
"""Seconds in which what was killed must be gone."""


@dataclass(frozen=True)
class Group:
    """One group; in version 1 it has a folder for each controller, in version 2 one for both."""

    memory: Path
    pids: Path

    @property
    def entrances(self) -> list[str]:
        """Files that a process writes 0 to in order to be in the group."""
        return sorted({str(folder / "cgroup.procs") for folder in (self.memory, self.pids)})

    @property
    def memory_ran_out(self) -> bool:
        """Whether the kernel killed a process of the group for its memory."""
        return any(_event(self.memory / name, "oom_kill") for name in ("memory.events", "memory.oom_control"))

    @property
    def processes_ran_out(self) -> bool:
        """Whether a process or thread could not be made."""
        return _event(self.pids / "pids.events", "max") > 0

    def limit(self, memory: int, processes: int) -> None:
        """Bound the group to so many bytes and to so many processes and threads."""
        for name in (*CONTROLLERS["memory"], *_SWAP):
            if (self.memory / name).exists():
                (self.memory / name).write_text("0" if name == "memory.swap.max" else str(memory))
        (self.pids / "pids.max").write_text(str(processes))

    def remove(self) -> None:
        """Kill whatever is left in the group, and the group.

        Raises:
            RuntimeError: something in it cannot be killed.
        """
        until = time.monotonic() + _PATIENCE
        for folder in {self.memory, self.pids}:
            while folder.exists():
                with suppress(OSError):  # busy as long as something lives in it
                    folder.rmdir()
                    break
                if time.monotonic() > until:
                    raise RuntimeError(f"{folder}: processes in it do not die")
                _kill(folder)
                time.sleep(0.002)


@contextmanager
def group(memory: int, processes: int) -> Iterator[Group]:
    """Make a group for the length of a block; nothing that was in it outlives the block.

    Raises:
        LookupError: no group can be made here (see `places`).
    """
    name = f"hrm-ray-{os.getpid()}-{token_hex(4)}"  # in containers numbers of processes come again
    above = places()
    made = Group(*(above[controller] / name for controller in CONTROLLERS))
    for folder in {made.memory, made.pids}:
        folder.mkdir()
    try:
        made.limit(memory, processes)
        yield made
    finally:
        made.remove()


@cache
def places() -> dict[str, Path]:
    """Return for each controller the folder in which groups that have it can be made.

    Raises:
        LookupError: for one of them there is none.
    """
    return {controller: _place(controller) for controller in CONTROLLERS}


def _place(controller: str) -> Path:
    ours, mounts = (Path("/proc/self", name).read_text("utf-8") for name in ("cgroup", "mountinfo"))
    for top, own in hierarchies(controller, ours, mounts):
        for folder in [own, *own.parents]:
            if _can_hold(folder, controller):
                _sweep(folder)
                return folder
            if folder == top:
                break
    raise LookupError(f"this user can make no control group that has {controller}")


def _can_hold(folder: Path, controller: str) -> bool:
    """Try it: what a group may do shows in its files alone."""
    probe = folder / f"hrm-ray-{os.getpid()}-probe"
    try:
        probe.mkdir()
    except OSError:
        return False
    found = holds(probe, controller)
    probe.rmdir()
    return found and os.access(folder / "cgroup.procs", os.W_OK)


def holds(group: Path, controller: str) -> bool:
    """Whether a group has a controller; one of version 2 must have all, as a process is in one of these only."""
    needed = CONTROLLERS if (group / "cgroup.controllers").exists() else (controller,)
    return all(any((group / name).exists() for name in CONTROLLERS[each]) for each in needed)


def hierarchies(controller: str, ours: str, mounts: str) -> Iterator[tuple[Path, Path]]:
    """Yield where each hierarchy that may have the controller is mounted, with our own group in it.

    `ours` and `mounts` are /proc/self/cgroup and /proc/self/mountinfo. A mount may show a part of a hierarchy only;
    where our own group is outside it, what it shows counts.
    """
    groups = {names: PurePosixPath(path) for _, names, path in (line.split(":", 2) for line in ours.splitlines())}
    first = next((names for names in groups if controller in names.split(",")), None)
    for line in mounts.splitlines():
        mounted, _, behind = line.partition(" - ")
        (_, _, _, root, top), (kind, *_, options) = mounted.split()[:5], behind.split()
        named = {"cgroup": first if controller in options.split(",") else None, "cgroup2": ""}.get(kind)
        if named in groups:
            own = groups[named]
            yield Path(top), Path(top, own.relative_to(root) if own.is_relative_to(root) else "")


def _sweep(folder: Path) -> None:
    """Remove the groups of processes that were killed: they are empty, or could not be removed."""
    for left in folder.glob("hrm-ray-*"):
        if not Path("/proc", left.name.split("-")[2]).exists():
            with suppress(OSError):
                left.rmdir()


def _kill(folder: Path) -> None:
    with suppress(OSError):
        for process in (folder / "cgroup.procs").read_text("utf-8").split():
            with suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGKILL)


def _event(file: Path, name: str) -> int:
    with suppress(FileNotFoundError):
        events = dict(line.split() for line in file.read_text("utf-8").splitlines())
        return int(events.get(name, 0))
    return 0
