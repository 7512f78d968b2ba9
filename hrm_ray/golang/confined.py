"""One run of one command in the jail: bounded by the kernel, ended by the clock, and told by how it ended."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hrm_ray.golang import cgroups, jail, launcher, seccomp


class Verdict(StrEnum):
    """How a run ended."""

    PASSED = "passed"
    FAILED = "failed"
    """A test failed, or the program ended before its tests did."""
    BUILD = "does not build"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    PROCESSES = "processes"
    DISK = "disk"
    OUTPUT = "output"


_SAID = {
    Verdict.DISK: (b"no space left on device", b"file too large"),
    Verdict.BUILD: (b"[build failed]", b"[setup failed]"),
}
"""What the output of a run that did not pass says, where the kernel keeps no count."""


@dataclass(frozen=True)
class Limits:
    """What one run may take: seconds by the clock, bytes, and processes with their threads."""

    seconds: float = 10.0
    memory: int = 512 << 20
    """Files that the run writes count too."""
    processes: int = 64
    disk: int = 64 << 20
    output: int = 1 << 20

    @property
    def resources(self) -> dict[str, int]:
        """What each process may take, beside what the group may."""
        return {
            "RLIMIT_CORE": 0,
            "RLIMIT_FSIZE": self.disk,
            "RLIMIT_MEMLOCK": 0,
            "RLIMIT_MSGQUEUE": 0,
            "RLIMIT_NOFILE": 256,
        }


@dataclass(frozen=True)
class Outcome:
    """How a run ended, and what it said on both its streams together."""

    verdict: Verdict
    output: str
    seconds: float


def run(
    go: Path,
    mounts: Sequence[str],
    files: Mapping[str, str],
    command: Sequence[str],
    limits: Limits = Limits(),
    passed: Callable[[bytes], bool] = lambda _: True,
) -> Outcome:
    """Run a command of the toolchain at `go` beside `files`, by name; `mounts` say which build cache it sees.

    It passes if it ends well and `passed` holds of what it said.
    """
    began = time.monotonic()
    with ExitStack() as given, cgroups.group(limits.memory, limits.processes) as group:
        sources = {name: _read(given, text.encode()) for name, text in files.items()}
        rules = _read(given, seccomp.program())
        told = _read(given, "\0".join(jail.arguments(go, sources, limits.disk, rules, mounts)).encode())
        with _started(told, (told, rules, *sources.values()), command, group, limits) as process:
            output, stopped = _heard(process, began + limits.seconds, limits.output)
            process.kill()  # and all that it started: its death is that of the first process in there
        well = stopped is None and process.returncode == 0 and passed(bytes(output))
        verdict = Verdict.PASSED if well else _verdict(output, stopped, group)
    return Outcome(verdict, output.decode("utf-8", "replace"), time.monotonic() - began)


def _read(given: ExitStack, content: bytes) -> int:
    """What bubblewrap is to read, as an open file in memory: it is gone with whoever has it open."""
    file = os.memfd_create("given")
    given.callback(os.close, file)
    os.write(file, content)
    os.lseek(file, 0, os.SEEK_SET)
    return file


def _started(
    told: int, given: Sequence[int], command: Sequence[str], group: cgroups.Group, limits: Limits
) -> subprocess.Popen[bytes]:
    """Start it; `given` are the open files that it reads, and `told` that of its arguments."""
    launched = json.dumps({"parent": os.getpid(), "groups": group.entrances, "limits": limits.resources})
    line = [sys.executable, "-I", "-S", launcher.__file__, launched, "bwrap", "--args", str(told), "--", *command]
    alone = {"PATH": os.environ.get("PATH", os.defpath)}
    return subprocess.Popen(
        line,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        env=alone,
        pass_fds=given,
        start_new_session=True,
    )


def _heard(process: subprocess.Popen[bytes], until: float, most: int) -> tuple[bytes, Verdict | None]:
    """What the run says until it ends, and what it is to be stopped for, if it does not end by itself."""
    assert process.stdout is not None
    output = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while selector.select(until - time.monotonic()):
            chunk = os.read(process.stdout.fileno(), 1 << 16)
            output += chunk
            if len(output) > most:
                return bytes(output[:most]), Verdict.OUTPUT
            if not chunk:
                return bytes(output), _outlived(process, until)
    return bytes(output), Verdict.TIMEOUT


def _outlived(process: subprocess.Popen[bytes], until: float) -> Verdict | None:
    """Wait for a run that has closed its streams."""
    try:
        process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        return Verdict.TIMEOUT
    return None


def _verdict(output: bytes, stopped: Verdict | None, group: cgroups.Group) -> Verdict:
    """Why a run did not pass."""
    if group.memory_ran_out:
        return Verdict.MEMORY
    if group.processes_ran_out:
        return Verdict.PROCESSES
    said = (verdict for verdict, words in _SAID.items() if any(word in output for word in words))
    return stopped or next(said, Verdict.FAILED)
